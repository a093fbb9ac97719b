/** Arguments, history and tips of the string commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const stringDetails = (): DetailTable => ({
  append: { arguments: 'key#0 value' },
  decr: { arguments: 'key#0' },
  decrby: { arguments: 'key#0 decrement:integer' },
  get: { arguments: 'key#0' },
  getdel: { arguments: 'key#0' },
  getex: {
    arguments: `key#0
      [expiration<EX seconds:integer | PX milliseconds:integer
        | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST>]`,
    keyNotes: ['Counts as a write, for it may change the time to live.'],
  },
  getrange: { arguments: 'key#0 start:integer end:integer' },
  getset: { arguments: 'key#0 value', deprecated: { since: '6.2.0', replacedBy: '`SET` with the `!GET` argument' } },
  incr: { arguments: 'key#0' },
  incrby: { arguments: 'key#0 increment:integer' },
  incrbyfloat: { arguments: 'key#0 increment:double' },
  lcs: { arguments: 'key1#0 key2#0 [LEN] [IDX] [MINMATCHLEN len:integer] [WITHMATCHLEN]' },
  mget: { arguments: 'key#0 ...', tips: ['request_policy:multi_shard'] },
  mset: {
    arguments: 'key_value{key#0 value} ...',
    tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
  },
  msetnx: { arguments: 'key_value{key#0 value} ...', tips: ['request_policy:multi_shard', 'response_policy:agg_min'] },
  psetex: { arguments: 'key#0 milliseconds:integer value' },
  set: {
    arguments: `key#0 value [condition<NX | XX>@2.6.12] [GET@6.2.0]
      [expiration<EX seconds:integer@2.6.12 | PX milliseconds:integer@2.6.12
        | EXAT unix-time-seconds:unix-time@6.2.0 | PXAT unix-time-milliseconds:unix-time@6.2.0 | KEEPTTL@6.0.0>]`,
    history: [
      ['2.6.12', 'New: `EX`, `PX`, `NX` and `XX`.'],
      ['6.0.0', 'New: `KEEPTTL`.'],
      ['6.2.0', 'New: `GET`, `EXAT` and `PXAT`.'],
      ['7.0.0', '`NX` and `GET` go together.'],
    ],
    keyNotes: ['Reads only with `GET`.'],
  },
  setex: { arguments: 'key#0 seconds:integer value' },
  setnx: { arguments: 'key#0 value' },
  setrange: { arguments: 'key#0 offset:integer value' },
  strlen: { arguments: 'key#0' },
  substr: { arguments: 'key#0 start:integer end:integer', deprecated: { since: '2.0.0', replacedBy: '`GETRANGE`' } },
})
