/** Arguments, history and tips of the connection commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const connectionDetails = (): DetailTable => ({
  auth: { arguments: '[username@6.0.0] password', history: [['6.0.0', 'Takes a user name before the password.']] },
  'client|caching': { arguments: 'mode<YES | NO>' },
  'client|info': { tips: ['nondeterministic_output'] },
  'client|kill': {
    arguments: `filter<
        ip:port:string@-2.8.12
        | new-format<
          [ID client-id:integer@2.8.12]
          | [TYPE normal_master_slave_pubsub<NORMAL | MASTER@3.2.0 | SLAVE | REPLICA@5.0.0 | PUBSUB>@2.8.12]
          | [USER username] | [ADDR ip:port:string] | [LADDR ip:port:string@6.2.0] | [SKIPME yes/no]> ...>`,
    history: [
      ['2.8.12', 'Takes filters instead of an address alone.'],
      ['2.8.12', 'New filter `ID`.'],
      ['3.2.0', 'Filter `TYPE` knows `master`.'],
      ['5.0.0', 'Filter `TYPE` knows `replica`, which was called `slave`; the old name still works.'],
      ['6.2.0', 'New filter `LADDR`.'],
    ],
  },
  'client|list': {
    arguments: `[TYPE normal_master_replica_pubsub<NORMAL | MASTER | REPLICA | PUBSUB>@5.0.0]
      [ID id{client-id:integer ...}@6.2.0]`,
    history: [
      ['2.8.12', 'New field `id`.'],
      ['5.0.0', 'New filter `TYPE`.'],
      ['6.0.0', 'New field `user`.'],
      ['6.2.0', 'New fields `argv-mem`, `tot-mem`, `laddr` and `redir`; filter `ID`.'],
      ['7.0.0', 'New fields `resp`, `multi-mem`, `rbs` and `rbp`.'],
      ['7.0.3', 'New field `ssub`.'],
    ],
    tips: ['nondeterministic_output'],
  },
  'client|no-evict': { arguments: 'enabled<ON | OFF>' },
  'client|pause': {
    arguments: 'timeout:integer [mode<WRITE | ALL>@6.2.0]',
    history: [['6.2.0', 'Takes a mode: `WRITE` holds back writes alone.']],
  },
  'client|reply': { arguments: 'on_off_skip<ON | OFF | SKIP>' },
  'client|setname': { arguments: 'connection-name' },
  'client|tracking': {
    arguments: 'status<ON | OFF> [REDIRECT client-id:integer] [PREFIX... prefix] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]',
  },
  'client|unblock': { arguments: 'client-id:integer [timeout_error<TIMEOUT | ERROR>]' },
  echo: { arguments: 'message' },
  hello: {
    arguments: '[arguments{protover:integer [AUTH username_password{username password}] [SETNAME clientname]}]',
    history: [['6.2.0', 'The version became optional; without it the connection stays as it is and is described.']],
  },
  ping: { arguments: '[message]', tips: ['request_policy:all_shards', 'response_policy:all_succeeded'] },
  select: { arguments: 'index:integer' },
})
