/** Arguments, history and tips of the generic commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const genericDetails = (): DetailTable => ({
  copy: { arguments: 'source#0 destination#1 [DB destination-db:integer] [REPLACE]' },
  del: { arguments: 'key#0 ...', tips: ['request_policy:multi_shard', 'response_policy:agg_sum'] },
  dump: { arguments: 'key#0', tips: ['nondeterministic_output'] },
  exists: {
    arguments: 'key#0 ...',
    history: [['3.0.3', 'Takes several keys.']],
    tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
  },
  expire: {
    arguments: 'key#0 seconds:integer [condition<NX | XX | GT | LT>@7.0.0]',
    history: [['7.0.0', 'New: `NX`, `XX`, `GT` and `LT`.']],
  },
  expireat: {
    arguments: 'key#0 unix-time-seconds:unix-time [condition<NX | XX | GT | LT>@7.0.0]',
    history: [['7.0.0', 'New: `NX`, `XX`, `GT` and `LT`.']],
  },
  expiretime: { arguments: 'key#0' },
  keys: { arguments: 'pattern:pattern', tips: ['request_policy:all_shards', 'nondeterministic_output_order'] },
  migrate: {
    arguments: `host port:integer key_or_empty_string<key#0 | ""=empty_string> destination-db:integer
      timeout:integer [COPY@3.0.0] [REPLACE@3.0.0]
      [authentication<[AUTH password@4.0.7] | [AUTH2 username_password{username password}@6.0.0]>]
      [KEYS key#1@3.0.6 ...]`,
    history: [
      ['3.0.0', 'New: `COPY` and `REPLACE`.'],
      ['3.0.6', 'New: `KEYS`.'],
      ['4.0.7', 'New: `AUTH`.'],
      ['6.0.0', 'New: `AUTH2`.'],
    ],
    tips: ['nondeterministic_output'],
  },
  move: { arguments: 'key#0 db:integer' },
  'object|encoding': { arguments: 'key#0', tips: ['nondeterministic_output'] },
  'object|freq': { arguments: 'key#0', tips: ['nondeterministic_output'] },
  'object|idletime': { arguments: 'key#0', tips: ['nondeterministic_output'] },
  'object|refcount': { arguments: 'key#0', tips: ['nondeterministic_output'] },
  persist: { arguments: 'key#0' },
  pexpire: {
    arguments: 'key#0 milliseconds:integer [condition<NX | XX | GT | LT>@7.0.0]',
    history: [['7.0.0', 'New: `NX`, `XX`, `GT` and `LT`.']],
  },
  pexpireat: {
    arguments: 'key#0 unix-time-milliseconds:unix-time [condition<NX | XX | GT | LT>@7.0.0]',
    history: [['7.0.0', 'New: `NX`, `XX`, `GT` and `LT`.']],
  },
  pexpiretime: { arguments: 'key#0' },
  pttl: {
    arguments: 'key#0',
    history: [['2.8.0', 'Replies -2 when there is no such key.']],
    tips: ['nondeterministic_output'],
  },
  randomkey: { tips: ['request_policy:all_shards', 'nondeterministic_output'] },
  rename: { arguments: 'key#0 newkey#1' },
  renamenx: { arguments: 'key#0 newkey#1', history: [['3.2.0', 'The same name twice is no longer an error.']] },
  restore: {
    arguments: `key#0 ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds:integer@5.0.0]
      [FREQ frequency:integer@5.0.0]`,
    history: [
      ['3.0.0', 'New: `REPLACE`.'],
      ['5.0.0', 'New: `ABSTTL`.'],
      ['5.0.0', 'New: `IDLETIME` and `FREQ`.'],
    ],
  },
  scan: {
    arguments: 'cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [TYPE type@6.0.0]',
    history: [['6.0.0', 'New: `TYPE`.']],
    tips: ['nondeterministic_output', 'request_policy:special'],
  },
  sort: {
    arguments: `key#0 [BY pattern:pattern#1] [LIMIT offset_count{offset:integer count:integer}]
      [GET... pattern:pattern#1] [order<ASC | DESC>] [ALPHA=sorting] [STORE destination#2]`,
    keyNotes: [
      null,
      'Keys of `BY` and `GET` come out of the elements that are sorted.',
      '`STORE` may stand anywhere among the arguments.',
    ],
  },
  sort_ro: {
    arguments: `key#0 [BY pattern:pattern#1] [LIMIT offset_count{offset:integer count:integer}]
      [GET... pattern:pattern#1] [order<ASC | DESC>] [ALPHA=sorting]`,
    keyNotes: [null, 'Keys of `BY` and `GET` come out of the elements that are sorted.'],
  },
  touch: { arguments: 'key#0 ...', tips: ['request_policy:multi_shard', 'response_policy:agg_sum'] },
  ttl: {
    arguments: 'key#0',
    history: [['2.8.0', 'Replies -2 when there is no such key.']],
    tips: ['nondeterministic_output'],
  },
  type: { arguments: 'key#0' },
  unlink: { arguments: 'key#0 ...', tips: ['request_policy:multi_shard', 'response_policy:agg_sum'] },
  wait: {
    arguments: 'numreplicas:integer timeout:integer',
    tips: ['request_policy:all_shards', 'response_policy:agg_min'],
  },
  waitaof: {
    arguments: 'numlocal:integer numreplicas:integer timeout:integer',
    tips: ['request_policy:all_shards', 'response_policy:agg_min'],
  },
})
