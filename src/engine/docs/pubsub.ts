/** Arguments, history and tips of the pubsub commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const pubsubDetails = (): DetailTable => ({
  psubscribe: { arguments: 'pattern{pattern:pattern} ...' },
  publish: { arguments: 'channel message' },
  'pubsub|channels': { arguments: '[pattern:pattern]' },
  'pubsub|numsub': { arguments: '[channel ...]' },
  'pubsub|shardchannels': { arguments: '[pattern:pattern]' },
  'pubsub|shardnumsub': { arguments: '[shardchannel ...]' },
  punsubscribe: { arguments: '[pattern:pattern ...]' },
  spublish: { arguments: 'shardchannel message' },
  ssubscribe: { arguments: 'shardchannel ...' },
  subscribe: { arguments: 'channel ...' },
  sunsubscribe: { arguments: '[shardchannel ...]' },
  unsubscribe: { arguments: '[channel ...]' },
})
