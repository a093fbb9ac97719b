/** Arguments, history and tips of the cluster commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const clusterDetails = (): DetailTable => ({
  'cluster|addslots': { arguments: 'slot:integer ...' },
  'cluster|addslotsrange': { arguments: 'start-slot_end-slot{start-slot:integer end-slot:integer} ...' },
  'cluster|bumpepoch': { tips: ['nondeterministic_output'] },
  'cluster|count-failure-reports': { arguments: 'node-id', tips: ['nondeterministic_output'] },
  'cluster|countkeysinslot': { arguments: 'slot:integer' },
  'cluster|delslots': { arguments: 'slot:integer ...' },
  'cluster|delslotsrange': { arguments: 'start-slot_end-slot{start-slot:integer end-slot:integer} ...' },
  'cluster|failover': { arguments: '[options<FORCE | TAKEOVER>]' },
  'cluster|forget': { arguments: 'node-id' },
  'cluster|getkeysinslot': { arguments: 'slot:integer count:integer', tips: ['nondeterministic_output'] },
  'cluster|info': { tips: ['nondeterministic_output'] },
  'cluster|keyslot': { arguments: 'key' },
  'cluster|links': { tips: ['nondeterministic_output'] },
  'cluster|meet': {
    arguments: 'ip port:integer [cluster_bus_port:integer@4.0.0]',
    history: [['4.0.0', 'The cluster bus port can be given.']],
  },
  'cluster|nodes': { tips: ['nondeterministic_output'] },
  'cluster|replicas': { arguments: 'node-id', tips: ['nondeterministic_output'] },
  'cluster|replicate': { arguments: 'node-id' },
  'cluster|reset': { arguments: '[hard_soft<HARD | SOFT>]' },
  'cluster|set-config-epoch': { arguments: 'config-epoch:integer' },
  'cluster|setslot': {
    arguments: 'slot:integer subcommand<IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE>',
  },
  'cluster|shards': { tips: ['nondeterministic_output'] },
  'cluster|slaves': {
    arguments: 'node-id',
    tips: ['nondeterministic_output'],
    deprecated: { since: '5.0.0', replacedBy: '`CLUSTER REPLICAS`' },
  },
  'cluster|slots': {
    history: [
      ['4.0.0', 'Shows node IDs.'],
      ['7.0.0', 'Shows further network addresses of each node.'],
    ],
    tips: ['nondeterministic_output'],
    deprecated: { since: '7.0.0', replacedBy: '`CLUSTER SHARDS`' },
  },
})
