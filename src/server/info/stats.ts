/** INFO stats, cpu, commandstats, errorstats and latencystats. */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { fixedText } from '../../base/double-text.ts'
import type { CommandEntry } from '../../engine/command-table.ts'
import type { Server } from '../server.ts'
import { type Field, safeName } from './field.ts'

export function* statsSection({ cron, engine, migration, replication }: Server): Generator<Field> {
  const { statistics, keyspace, pubsub } = engine
  const kilobytes = (bytes: number) => fixedText(Math.fround(Math.trunc(bytes)) / 1024, 2)
  yield ['total_connections_received', statistics.connections]
  yield ['total_commands_processed', statistics.commands]
  yield ['instantaneous_ops_per_sec', Math.trunc(statistics.commandRate.perSecond())]
  yield ['total_net_input_bytes', statistics.inputBytes]
  yield ['total_net_output_bytes', statistics.outputBytes]
  yield ['total_net_repl_input_bytes', replication.statistics.inputBytes]
  yield ['total_net_repl_output_bytes', replication.statistics.outputBytes]
  yield ['instantaneous_input_kbps', kilobytes(statistics.inputRate.perSecond())]
  yield ['instantaneous_output_kbps', kilobytes(statistics.outputRate.perSecond())]
  yield ['instantaneous_input_repl_kbps', kilobytes(replication.statistics.inputRate.perSecond())]
  yield ['instantaneous_output_repl_kbps', kilobytes(replication.statistics.outputRate.perSecond())]
  yield ['rejected_connections', statistics.rejectedConnections]
  yield ['sync_full', replication.replicas.fullSyncs]
  yield ['sync_partial_ok', replication.replicas.partialSyncs]
  yield ['sync_partial_err', replication.replicas.refusedPartialSyncs]
  yield ['expired_keys', keyspace.expiredKeys]
  yield ['expired_stale_perc', fixedText(keyspace.expiredStalePercent, 2)]
  yield ['expired_time_cap_reached_count', keyspace.expiredTimeCapReached]
  yield ['expire_cycle_cpu_milliseconds', Math.floor(statistics.expireCycleUs / 1000)]
  yield ['evicted_keys', engine.eviction.evictedKeys]
  yield ['evicted_clients', engine.clientMemory.evictedClients]
  yield ['total_eviction_exceeded_time', engine.eviction.exceededMs.total]
  yield ['current_eviction_exceeded_time', engine.eviction.exceededMs.current]
  yield ['keyspace_hits', keyspace.hits]
  yield ['keyspace_misses', keyspace.misses]
  yield ['pubsub_channels', pubsub.channels.size]
  yield ['pubsub_patterns', pubsub.patterns.size]
  yield ['pubsubshard_channels', pubsub.shardChannels.size]
  // Whoever watches these wants to know of saves, rewrites and full syncs; that they begin without a fork takes no time.
  yield ['latest_fork_usec', 0]
  yield ['total_forks', keyspace.snapshotsBegun]
  yield ['migrate_cached_sockets', migration.connections]
  yield ['slave_expires_tracked_keys', replication.ownExpires.size]
  yield ['active_defrag_hits', keyspace.arena.relocatedBlocks]
  yield ['active_defrag_misses', keyspace.arena.stayedBlocks]
  yield ['active_defrag_key_hits', keyspace.defragmenter.keyHits]
  yield ['active_defrag_key_misses', keyspace.defragmenter.keyMisses]
  yield ['total_active_defrag_time', cron.defrag.timesMs.total]
  yield ['current_active_defrag_time', cron.defrag.timesMs.current]
  yield ['tracking_total_keys', 0]
  yield ['tracking_total_items', 0]
  yield ['tracking_total_prefixes', 0]
  yield ['unexpected_error_replies', statistics.unexpectedErrors]
  yield ['total_error_replies', statistics.totalErrorReplies]
  yield ['dump_payload_sanitizations', statistics.dumpPayloadSanitizations]
  yield ['total_reads_processed', statistics.reads]
  yield ['total_writes_processed', statistics.writes]
  yield ['io_threaded_reads_processed', 0]
  yield ['io_threaded_writes_processed', 0]
  yield ['reply_buffer_shrinks', statistics.replyBufferShrinks]
  yield ['reply_buffer_expands', statistics.replyBufferExpands]
}

/** Of the process, so of all servers in it. There are no child processes. */
export function* cpuSection(): Generator<Field> {
  const { user, system } = process.cpuUsage()
  yield ['used_cpu_sys', seconds(system)]
  yield ['used_cpu_user', seconds(user)]
  yield ['used_cpu_sys_children', seconds(0)]
  yield ['used_cpu_user_children', seconds(0)]
  const thread = threadCpuUsage()
  if (thread === null) return
  yield ['used_cpu_sys_main_thread', seconds(thread.system)]
  yield ['used_cpu_user_main_thread', seconds(thread.user)]
}

function seconds(microseconds: number): string {
  return fixedText(microseconds / 1e6, 6)
}

/** What Linux counts processor time of a thread in; the same on all its platforms that Node.js runs on. */
const CLOCK_TICK_US = 10_000
/** Places of utime and stime after the name in parentheses, which may itself hold spaces. */
const UTIME = 11
const STIME = 12

/** Of the thread that serves clients; null where there is no way to know, and then Redis leaves the fields out, too. */
function threadCpuUsage(): { user: number; system: number } | null {
  // Node.js 23.9 and newer.
  const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } }
  if (threadCpuUsage !== undefined) return threadCpuUsage.call(process)
  try {
    const stat = readFileSync('/proc/thread-self/stat', 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { user: Number(fields[UTIME]) * CLOCK_TICK_US, system: Number(fields[STIME]) * CLOCK_TICK_US }
  } catch {
    return null
  }
}

export function* commandStatsSection({ engine }: Server): Generator<Field> {
  for (const entry of withSubcommands(engine.commands.entries())) {
    const { calls, rejectedCalls, failedCalls } = entry
    if (calls === 0 && failedCalls === 0 && rejectedCalls === 0) continue
    const usec = Math.floor(entry.usec)
    const perCall = fixedText(calls === 0 ? 0 : usec / calls, 2)
    const counts = `rejected_calls=${rejectedCalls},failed_calls=${failedCalls}`
    yield [
      `cmdstat_${safeName(entry.command.fullName)}`,
      `calls=${calls},usec=${usec},usec_per_call=${perCall},${counts}`,
    ]
  }
}

export function* latencyStatsSection({ engine, config }: Server): Generator<Field> {
  if (!engine.settings.latencyTracking) return
  const percentiles = config.fields.latencyTrackingInfoPercentiles
  for (const { latency, command } of withSubcommands(engine.commands.entries())) {
    if (latency === null) continue
    const values = percentiles.map(
      (percentile) => `p${percentileText(percentile)}=${fixedText(latency.valueAtPercentile(percentile) / 1000, 3)}`,
    )
    yield [`latency_percentiles_usec_${safeName(command.fullName)}`, values.join(',')]
  }
}

/** Six decimals at most. */
function percentileText(percentile: number): string {
  return fixedText(percentile, 6).replace(/\.?0+$/, '')
}

export function* errorStatsSection({ engine }: Server): Generator<Field> {
  const codes = [...engine.statistics.errors].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [code, count] of codes) yield [`errorstat_${safeName(code)}`, `count=${count}`]
}

function* withSubcommands(entries: Iterable<CommandEntry>): Generator<CommandEntry> {
  for (const entry of entries) {
    yield entry
    if (entry.subcommands !== null) yield* entry.subcommands.values()
  }
}
