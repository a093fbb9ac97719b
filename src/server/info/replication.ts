/** INFO replication. */
import type { Server } from '../server.ts'
import type { Field } from './field.ts'

export function* replicationSection({ config, replication }: Server): Generator<Field> {
  yield ['role', 'master']
  yield ['connected_slaves', 0]
  yield ['master_failover_state', 'no-failover']
  yield ['master_replid', replication.id]
  yield ['master_replid2', replication.secondId]
  yield ['master_repl_offset', replication.offset]
  yield ['second_repl_offset', replication.secondOffset]
  yield ['repl_backlog_active', 0]
  yield ['repl_backlog_size', config.fields.replBacklogSize]
  yield ['repl_backlog_first_byte_offset', 0]
  yield ['repl_backlog_histlen', 0]
}
