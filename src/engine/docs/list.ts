/** Arguments, history and tips of the list commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const listDetails = (): DetailTable => ({
  blmove: { arguments: 'source#0 destination#1 wherefrom<LEFT | RIGHT> whereto<LEFT | RIGHT> timeout:double' },
  blmpop: { arguments: 'timeout:double numkeys:integer key#0 ... where<LEFT | RIGHT> [COUNT count:integer]' },
  blpop: { arguments: 'key#0 ... timeout:double', history: [['6.0.0', 'The timeout may have a fraction.']] },
  brpop: { arguments: 'key#0 ... timeout:double', history: [['6.0.0', 'The timeout may have a fraction.']] },
  brpoplpush: {
    arguments: 'source#0 destination#1 timeout:double',
    history: [['6.0.0', 'The timeout may have a fraction.']],
    deprecated: { since: '6.2.0', replacedBy: '`BLMOVE` with the `RIGHT` and `LEFT` arguments' },
  },
  lindex: { arguments: 'key#0 index:integer' },
  linsert: { arguments: 'key#0 where<BEFORE | AFTER> pivot element' },
  llen: { arguments: 'key#0' },
  lmove: { arguments: 'source#0 destination#1 wherefrom<LEFT | RIGHT> whereto<LEFT | RIGHT>' },
  lmpop: { arguments: 'numkeys:integer key#0 ... where<LEFT | RIGHT> [COUNT count:integer]' },
  lpop: { arguments: 'key#0 [count:integer@6.2.0]', history: [['6.2.0', 'Takes a count of elements.']] },
  lpos: { arguments: 'key#0 element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]' },
  lpush: { arguments: 'key#0 element ...', history: [['2.4.0', 'Takes several elements.']] },
  lpushx: { arguments: 'key#0 element ...', history: [['4.0.0', 'Takes several elements.']] },
  lrange: { arguments: 'key#0 start:integer stop:integer' },
  lrem: { arguments: 'key#0 count:integer element' },
  lset: { arguments: 'key#0 index:integer element' },
  ltrim: { arguments: 'key#0 start:integer stop:integer' },
  rpop: { arguments: 'key#0 [count:integer@6.2.0]', history: [['6.2.0', 'Takes a count of elements.']] },
  rpoplpush: {
    arguments: 'source#0 destination#1',
    deprecated: { since: '6.2.0', replacedBy: '`LMOVE` with the `RIGHT` and `LEFT` arguments' },
  },
  rpush: { arguments: 'key#0 element ...', history: [['2.4.0', 'Takes several elements.']] },
  rpushx: { arguments: 'key#0 element ...', history: [['4.0.0', 'Takes several elements.']] },
})
