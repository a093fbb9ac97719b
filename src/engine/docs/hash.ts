/** Arguments, history and tips of the hash commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

const FIELDS = 'FIELDS fields{numfields:integer field ...}'
const CONDITION = '[condition<NX | XX | GT | LT>]'
const TIMES =
  'EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time'

export const hashDetails = (): DetailTable => ({
  hdel: { arguments: 'key#0 field ...', history: [['2.4.0', 'Takes several fields.']] },
  hexists: { arguments: 'key#0 field' },
  hexpire: { arguments: `key#0 seconds:integer ${CONDITION} ${FIELDS}` },
  hexpireat: { arguments: `key#0 unix-time-seconds:unix-time ${CONDITION} ${FIELDS}` },
  hexpiretime: { arguments: `key#0 ${FIELDS}` },
  hget: { arguments: 'key#0 field' },
  hgetall: { arguments: 'key#0', tips: ['nondeterministic_output_order'] },
  hgetdel: { arguments: `key#0 ${FIELDS}` },
  hgetex: {
    arguments: `key#0 [expiration<${TIMES} | PERSIST>] ${FIELDS}`,
    keyNotes: ['Counts as a write, for it may change when fields expire.'],
  },
  hincrby: { arguments: 'key#0 field increment:integer' },
  hincrbyfloat: { arguments: 'key#0 field increment:double' },
  hkeys: { arguments: 'key#0', tips: ['nondeterministic_output_order'] },
  hlen: { arguments: 'key#0' },
  hmget: { arguments: 'key#0 field ...' },
  hmset: {
    arguments: 'key#0 field_value{field value} ...',
    deprecated: { since: '4.0.0', replacedBy: '`HSET` with multiple field-value pairs' },
  },
  hpersist: { arguments: `key#0 ${FIELDS}` },
  hpexpire: { arguments: `key#0 milliseconds:integer ${CONDITION} ${FIELDS}` },
  hpexpireat: { arguments: `key#0 unix-time-milliseconds:unix-time ${CONDITION} ${FIELDS}` },
  hpexpiretime: { arguments: `key#0 ${FIELDS}` },
  hpttl: { arguments: `key#0 ${FIELDS}`, tips: ['nondeterministic_output'] },
  hrandfield: { arguments: 'key#0 [options{count:integer [WITHVALUES]}]', tips: ['nondeterministic_output'] },
  hscan: {
    arguments: 'key#0 cursor:integer [MATCH pattern:pattern] [COUNT count:integer]',
    tips: ['nondeterministic_output'],
  },
  hset: {
    arguments: 'key#0 field_value{field value} ...',
    history: [['4.0.0', 'Takes several pairs of field and value.']],
  },
  hsetex: {
    arguments: `key#0 [condition<FNX | FXX>] [expiration<${TIMES} | KEEPTTL>]
      FIELDS fields{numfields:integer data{field value} ...}`,
  },
  hsetnx: { arguments: 'key#0 field value' },
  hstrlen: { arguments: 'key#0 field' },
  httl: { arguments: `key#0 ${FIELDS}`, tips: ['nondeterministic_output'] },
  hvals: { arguments: 'key#0', tips: ['nondeterministic_output_order'] },
})
