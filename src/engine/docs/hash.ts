/** Arguments, history and tips of the hash commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const hashDetails = (): DetailTable => ({
  hdel: { arguments: 'key#0 field ...', history: [['2.4.0', 'Takes several fields.']] },
  hexists: { arguments: 'key#0 field' },
  hget: { arguments: 'key#0 field' },
  hgetall: { arguments: 'key#0', tips: ['nondeterministic_output_order'] },
  hincrby: { arguments: 'key#0 field increment:integer' },
  hincrbyfloat: { arguments: 'key#0 field increment:double' },
  hkeys: { arguments: 'key#0', tips: ['nondeterministic_output_order'] },
  hlen: { arguments: 'key#0' },
  hmget: { arguments: 'key#0 field ...' },
  hmset: {
    arguments: 'key#0 field_value{field value} ...',
    deprecated: { since: '4.0.0', replacedBy: '`HSET` with multiple field-value pairs' },
  },
  hrandfield: { arguments: 'key#0 [options{count:integer [WITHVALUES]}]', tips: ['nondeterministic_output'] },
  hscan: {
    arguments: 'key#0 cursor:integer [MATCH pattern:pattern] [COUNT count:integer]',
    tips: ['nondeterministic_output'],
  },
  hset: {
    arguments: 'key#0 field_value{field value} ...',
    history: [['4.0.0', 'Takes several pairs of field and value.']],
  },
  hsetnx: { arguments: 'key#0 field value' },
  hstrlen: { arguments: 'key#0 field' },
  hvals: { arguments: 'key#0', tips: ['nondeterministic_output_order'] },
})
