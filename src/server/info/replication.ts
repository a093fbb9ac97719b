/** INFO replication. */
import { fixedText } from '../../base/double-text.ts'
import { secondsBetween } from '../../replication/replicas.ts'
import type { Replication } from '../../replication/replication.ts'
import type { Server } from '../server.ts'
import type { Field } from './field.ts'

export function* replicationSection({ replication, engine }: Server): Generator<Field> {
  const { history, replicas, settings, buffer } = replication
  yield ['role', replication.isReplica ? 'slave' : 'master']
  if (replication.isReplica) yield* masterFields(replication)
  yield ['connected_slaves', replicas.count]
  if (settings.minReplicas > 0 && settings.minReplicasLagSeconds > 0) {
    yield ['min_slaves_good_slaves', replicas.goodCount]
  }
  let index = 0
  for (const { host, listeningPort, state, stateName, ackOffset, ackMs } of replicas.all) {
    if (stateName === '') continue
    const lag = state === 'online' ? secondsBetween(ackMs, engine.clock.nowMs) : 0
    yield [`slave${index++}`, `ip=${host},port=${listeningPort},state=${stateName},offset=${ackOffset},lag=${lag}`]
  }
  yield ['master_failover_state', replication.failover.stateName]
  yield ['master_replid', history.id]
  yield ['master_replid2', history.secondId]
  yield ['master_repl_offset', replication.offset]
  yield ['second_repl_offset', history.secondOffset]
  yield ['repl_backlog_active', Number(buffer !== null)]
  yield ['repl_backlog_size', settings.backlogBytes]
  yield ['repl_backlog_first_byte_offset', buffer === null ? 0 : buffer.start + 1]
  yield ['repl_backlog_histlen', buffer?.length ?? 0]
}

/** Of the master that is followed. */
function* masterFields({ link, masterAddress, settings, engine }: Replication): Generator<Field> {
  const { nowMs } = engine.clock
  const { session, cached, state } = link
  const isUp = state === 'connected'
  yield ['master_host', masterAddress!.host]
  yield ['master_port', masterAddress!.port]
  yield ['master_link_status', isUp ? 'up' : 'down']
  yield ['master_last_io_seconds_ago', session === null ? -1 : secondsBetween(session.lastInteractionMs, nowMs)]
  yield ['master_sync_in_progress', Number(state === 'transfer')]
  yield ['slave_read_repl_offset', session === null ? (cached?.offset ?? 1) : link.readOffset]
  yield ['slave_repl_offset', session === null ? (cached?.offset ?? 1) : link.offset]
  if (state === 'transfer') {
    const { transferBytes, transferredBytes, lastIoMs } = link
    yield ['master_sync_total_bytes', transferBytes]
    yield ['master_sync_read_bytes', transferredBytes]
    yield ['master_sync_left_bytes', transferBytes - transferredBytes]
    yield ['master_sync_perc', fixedText(transferBytes === 0 ? 0 : (transferredBytes / transferBytes) * 100, 2)]
    yield ['master_sync_last_io_seconds_ago', secondsBetween(lastIoMs, nowMs)]
  }
  if (!isUp) {
    yield ['master_link_down_since_seconds', link.downSinceMs === 0 ? -1 : secondsBetween(link.downSinceMs, nowMs)]
  }
  yield ['slave_priority', settings.priority]
  yield ['slave_read_only', Number(settings.readOnly)]
  yield ['replica_announced', Number(settings.announced)]
}
