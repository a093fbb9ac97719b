/** Arguments, history and tips of the set commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const setDetails = (): DetailTable => ({
  sadd: { arguments: 'key#0 member ...', history: [['2.4.0', 'Takes several members.']] },
  scard: { arguments: 'key#0' },
  sdiff: { arguments: 'key#0 ...', tips: ['nondeterministic_output_order'] },
  sdiffstore: { arguments: 'destination#0 key#1 ...' },
  sinter: { arguments: 'key#0 ...', tips: ['nondeterministic_output_order'] },
  sintercard: { arguments: 'numkeys:integer key#0 ... [LIMIT limit:integer]' },
  sinterstore: { arguments: 'destination#0 key#1 ...' },
  sismember: { arguments: 'key#0 member' },
  smembers: { arguments: 'key#0', tips: ['nondeterministic_output_order'] },
  smismember: { arguments: 'key#0 member ...' },
  smove: { arguments: 'source#0 destination#1 member' },
  spop: {
    arguments: 'key#0 [count:integer@3.2.0]',
    history: [['3.2.0', 'Takes a count of members.']],
    tips: ['nondeterministic_output'],
  },
  srandmember: {
    arguments: 'key#0 [count:integer@2.6.0]',
    history: [['2.6.0', 'Takes a count of members.']],
    tips: ['nondeterministic_output'],
  },
  srem: { arguments: 'key#0 member ...', history: [['2.4.0', 'Takes several members.']] },
  sscan: {
    arguments: 'key#0 cursor:integer [MATCH pattern:pattern] [COUNT count:integer]',
    tips: ['nondeterministic_output'],
  },
  sunion: { arguments: 'key#0 ...', tips: ['nondeterministic_output_order'] },
  sunionstore: { arguments: 'destination#0 key#1 ...' },
})
