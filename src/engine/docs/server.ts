/** Arguments, history and tips of the server commands, as COMMAND DOCS and COMMAND INFO give them. */
import type { DetailTable } from './details.ts'

export const serverDetails = (): DetailTable => ({
  'acl|cat': { arguments: '[categoryname]' },
  'acl|deluser': { arguments: 'username ...' },
  'acl|dryrun': { arguments: 'username command [arg ...]' },
  'acl|genpass': { arguments: '[bits:integer]' },
  'acl|getuser': {
    arguments: 'username',
    history: [
      ['6.2.0', 'Shows channel patterns too.'],
      ['7.0.0', 'Shows selectors; keys and channels come as rules instead of lists.'],
    ],
  },
  'acl|log': { arguments: '[operation<count:integer | RESET>]' },
  'acl|setuser': {
    arguments: 'username [rule ...]',
    history: [
      ['6.2.0', 'Takes channel patterns.'],
      ['7.0.0', 'Takes selectors and key permissions (`%R~`, `%W~`).'],
    ],
  },
  bgsave: { arguments: '[SCHEDULE@3.2.2]', history: [['3.2.2', 'New: `SCHEDULE`.']] },
  'command|docs': { arguments: '[command-name ...]', tips: ['nondeterministic_output_order'] },
  'command|info': {
    arguments: '[command-name ...]',
    history: [['7.0.0', 'Command names became optional; without them it describes every command.']],
    tips: ['nondeterministic_output_order'],
  },
  'command|list': {
    arguments: '[FILTERBY filterby<MODULE module-name | ACLCAT category | PATTERN pattern:pattern>]',
    tips: ['nondeterministic_output_order'],
  },
  command: { tips: ['nondeterministic_output_order'] },
  'config|get': { arguments: 'parameter{parameter} ...', history: [['7.0.0', 'Takes several patterns.']] },
  'config|set': {
    arguments: 'parameter_value{parameter value} ...',
    history: [['7.0.0', 'Sets several parameters at once, all or none.']],
    tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
  },
  dbsize: { tips: ['request_policy:all_shards', 'response_policy:agg_sum'] },
  debug: { isInternal: true },
  failover: { arguments: '[TO target{host port:integer [FORCE]}] [ABORT] [TIMEOUT milliseconds:integer]' },
  flushall: {
    arguments: '[async<ASYNC@4.0.0 | SYNC@6.2.0>]',
    history: [
      ['4.0.0', 'New: `ASYNC`.'],
      ['6.2.0', 'New: `SYNC`.'],
    ],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  },
  flushdb: {
    arguments: '[async<ASYNC@4.0.0 | SYNC@6.2.0>]',
    history: [
      ['4.0.0', 'New: `ASYNC`.'],
      ['6.2.0', 'New: `SYNC`.'],
    ],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  },
  info: {
    arguments: '[section ...]',
    history: [['7.0.0', 'Takes several sections.']],
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
  },
  lastsave: { tips: ['nondeterministic_output'] },
  'latency|doctor': { tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'] },
  'latency|graph': {
    arguments: 'event',
    tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
  },
  'latency|histogram': {
    arguments: '[command ...]',
    tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
  },
  'latency|history': {
    arguments: 'event',
    tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
  },
  'latency|latest': { tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'] },
  'latency|reset': { arguments: '[event ...]', tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'] },
  lolwut: { arguments: '[VERSION version:integer]' },
  'memory|doctor': { tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'] },
  'memory|malloc-stats': { tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'] },
  'memory|purge': { tips: ['request_policy:all_shards', 'response_policy:all_succeeded'] },
  'memory|stats': { tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'] },
  'memory|usage': { arguments: 'key#0 [SAMPLES count:integer]' },
  'module|list': { tips: ['nondeterministic_output_order'] },
  'module|load': { arguments: 'path [arg ...]' },
  'module|loadex': { arguments: 'path [CONFIG... configs{name value}] [ARGS args{arg} ...]' },
  'module|unload': { arguments: 'name' },
  psync: { arguments: 'replicationid offset:integer' },
  replconf: { isInternal: true },
  replicaof: { arguments: 'args<host-port{host port:integer} | no-one{NO ONE}>' },
  'restore-asking': {
    arguments: `key#0 ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds:integer@5.0.0]
      [FREQ frequency:integer@5.0.0]`,
    history: [
      ['3.0.0', 'New: `REPLACE`.'],
      ['5.0.0', 'New: `ABSTTL`.'],
      ['5.0.0', 'New: `IDLETIME` and `FREQ`.'],
    ],
    isInternal: true,
  },
  shutdown: {
    arguments: '[nosave_save<NOSAVE | SAVE>] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]',
    history: [['7.0.0', 'New: `NOW`, `FORCE` and `ABORT`.']],
  },
  slaveof: {
    arguments: 'args<host-port{host port:integer} | no-one{NO ONE}>',
    deprecated: { since: '5.0.0', replacedBy: '`REPLICAOF`' },
  },
  'slowlog|get': {
    arguments: '[count:integer]',
    history: [['4.0.0', 'Entries end with the address and the name of the client.']],
    tips: ['request_policy:all_nodes', 'nondeterministic_output'],
  },
  'slowlog|len': { tips: ['request_policy:all_nodes', 'response_policy:agg_sum', 'nondeterministic_output'] },
  'slowlog|reset': { tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'] },
  swapdb: { arguments: 'index1:integer index2:integer' },
  time: { tips: ['nondeterministic_output'] },
})
