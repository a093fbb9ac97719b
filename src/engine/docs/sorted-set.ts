/** Arguments, history and tips of the sorted-set commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const sortedSetDetails = (): DetailTable => ({
  bzmpop: { arguments: 'timeout:double numkeys:integer key#0 ... where<MIN | MAX> [COUNT count:integer]' },
  bzpopmax: { arguments: 'key#0 ... timeout:double', history: [['6.0.0', 'The timeout may have a fraction.']] },
  bzpopmin: { arguments: 'key#0 ... timeout:double', history: [['6.0.0', 'The timeout may have a fraction.']] },
  zadd: {
    arguments: `key#0 [condition<NX | XX>@3.0.2] [comparison<GT | LT>@6.2.0] [CH=change@3.0.2]
      [INCR=increment@3.0.2] score_member{score:double member} ...`,
    history: [
      ['2.4.0', 'Takes several members.'],
      ['3.0.2', 'New: `XX`, `NX`, `CH` and `INCR`.'],
      ['6.2.0', 'New: `GT` and `LT`.'],
    ],
  },
  zcard: { arguments: 'key#0' },
  zcount: { arguments: 'key#0 min:double max:double' },
  zdiff: { arguments: 'numkeys:integer key#0 ... [WITHSCORES]' },
  zdiffstore: { arguments: 'destination#0 numkeys:integer key#1 ...' },
  zincrby: { arguments: 'key#0 increment:integer member' },
  zinter: {
    arguments: `numkeys:integer key#0 ... [WEIGHTS weight:integer ...] [AGGREGATE aggregate<SUM | MIN | MAX>]
      [WITHSCORES]`,
  },
  zintercard: { arguments: 'numkeys:integer key#0 ... [LIMIT limit:integer]' },
  zinterstore: {
    arguments: `destination#0 numkeys:integer key#1 ... [WEIGHTS weight:integer ...]
      [AGGREGATE aggregate<SUM | MIN | MAX>]`,
  },
  zlexcount: { arguments: 'key#0 min max' },
  zmpop: { arguments: 'numkeys:integer key#0 ... where<MIN | MAX> [COUNT count:integer]' },
  zmscore: { arguments: 'key#0 member ...' },
  zpopmax: { arguments: 'key#0 [count:integer]' },
  zpopmin: { arguments: 'key#0 [count:integer]' },
  zrandmember: { arguments: 'key#0 [options{count:integer [WITHSCORES]}]', tips: ['nondeterministic_output'] },
  zrange: {
    arguments: `key#0 start stop [sortby<BYSCORE | BYLEX>@6.2.0] [REV@6.2.0]
      [LIMIT offset_count{offset:integer count:integer}@6.2.0] [WITHSCORES]`,
    history: [['6.2.0', 'New: `REV`, `BYSCORE`, `BYLEX` and `LIMIT`.']],
  },
  zrangebylex: {
    arguments: 'key#0 min max [LIMIT offset_count{offset:integer count:integer}]',
    deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `BYLEX` argument' },
  },
  zrangebyscore: {
    arguments: 'key#0 min:double max:double [WITHSCORES@2.0.0] [LIMIT offset_count{offset:integer count:integer}]',
    history: [['2.0.0', 'New: `WITHSCORES`.']],
    deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `BYSCORE` argument' },
  },
  zrangestore: {
    arguments: `dst#0 src#1 min max [sortby<BYSCORE | BYLEX>] [REV]
      [LIMIT offset_count{offset:integer count:integer}]`,
  },
  zrank: { arguments: 'key#0 member' },
  zrem: { arguments: 'key#0 member ...', history: [['2.4.0', 'Takes several members.']] },
  zremrangebylex: { arguments: 'key#0 min max' },
  zremrangebyrank: { arguments: 'key#0 start:integer stop:integer' },
  zremrangebyscore: { arguments: 'key#0 min:double max:double' },
  zrevrange: {
    arguments: 'key#0 start:integer stop:integer [WITHSCORES]',
    deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` argument' },
  },
  zrevrangebylex: {
    arguments: 'key#0 max min [LIMIT offset_count{offset:integer count:integer}]',
    deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` and `BYLEX` arguments' },
  },
  zrevrangebyscore: {
    arguments: 'key#0 max:double min:double [WITHSCORES] [LIMIT offset_count{offset:integer count:integer}]',
    history: [['2.1.6', 'A bound written with `(` is left out of the range.']],
    deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` and `BYSCORE` arguments' },
  },
  zrevrank: { arguments: 'key#0 member' },
  zscan: {
    arguments: 'key#0 cursor:integer [MATCH pattern:pattern] [COUNT count:integer]',
    tips: ['nondeterministic_output'],
  },
  zscore: { arguments: 'key#0 member' },
  zunion: {
    arguments: `numkeys:integer key#0 ... [WEIGHTS weight:integer ...] [AGGREGATE aggregate<SUM | MIN | MAX>]
      [WITHSCORES]`,
  },
  zunionstore: {
    arguments: `destination#0 numkeys:integer key#1 ... [WEIGHTS weight:integer ...]
      [AGGREGATE aggregate<SUM | MIN | MAX>]`,
  },
})
