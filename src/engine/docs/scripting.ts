/** Arguments, history and tips of the scripting commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const scriptingDetails = (): DetailTable => ({
  eval: {
    arguments: 'script numkeys:integer [key#0 ...] [arg ...]',
    keyNotes: ['What the script does to its keys is not known beforehand: a write is assumed.'],
  },
  eval_ro: {
    arguments: 'script numkeys:integer [key#0 ...] [arg ...]',
    keyNotes: ['What the script reads of its keys is not known beforehand: all of it is assumed.'],
  },
  evalsha: { arguments: 'sha1 numkeys:integer [key#0 ...] [arg ...]' },
  evalsha_ro: { arguments: 'sha1 numkeys:integer [key#0 ...] [arg ...]' },
  fcall: {
    arguments: 'function numkeys:integer [key#0 ...] [arg ...]',
    keyNotes: ['What the function does to its keys is not known beforehand: a write is assumed.'],
  },
  fcall_ro: {
    arguments: 'function numkeys:integer [key#0 ...] [arg ...]',
    keyNotes: ['What the function reads of its keys is not known beforehand: all of it is assumed.'],
  },
  'function|delete': {
    arguments: 'library-name',
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  },
  'function|flush': {
    arguments: '[async<ASYNC | SYNC>]',
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  },
  'function|kill': { tips: ['request_policy:all_shards', 'response_policy:one_succeeded'] },
  'function|list': {
    arguments: '[LIBRARYNAME library-name-pattern] [WITHCODE]',
    tips: ['nondeterministic_output_order'],
  },
  'function|load': {
    arguments: '[REPLACE] function-code',
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  },
  'function|restore': {
    arguments: 'serialized-value [policy<FLUSH | APPEND | REPLACE>]',
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  },
  'function|stats': { tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'] },
  'script|debug': { arguments: 'mode<YES | SYNC | NO>' },
  'script|exists': { arguments: 'sha1 ...', tips: ['request_policy:all_shards', 'response_policy:agg_logical_and'] },
  'script|flush': {
    arguments: '[async<ASYNC | SYNC>@6.2.0]',
    history: [['6.2.0', 'New: `ASYNC` and `SYNC`.']],
    tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
  },
  'script|kill': { tips: ['request_policy:all_shards', 'response_policy:one_succeeded'] },
  'script|load': { arguments: 'script', tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'] },
})
