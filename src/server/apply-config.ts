/**
 * From configuration to the parts that obey it: at start, and whenever CONFIG SET changes something.
 */

import type { ParameterName } from './config/registry.ts'
import { reopenListeners } from './listening.ts'
import type { Server } from './server.ts'
import { fitClients } from './system-limits.ts'

/** Parameters that are plain fields of the engine's settings. */
const ENGINE_PARAMETERS: readonly ParameterName[] = [
  'proto-max-bulk-len',
  'client-query-buffer-limit',
  'client-output-buffer-limit',
  'requirepass',
  'notify-keyspace-events',
  'slowlog-log-slower-than',
  'slowlog-max-len',
  'latency-monitor-threshold',
  'latency-tracking',
  'maxmemory',
  'maxmemory-policy',
  'maxmemory-samples',
  'maxmemory-eviction-tenacity',
  'maxmemory-clients',
  'lazyfree-lazy-eviction',
  'lfu-log-factor',
  'lfu-decay-time',
  'maxclients',
  'timeout',
  'hz',
  'active-expire-effort',
  'activerehashing',
  'lazyfree-lazy-user-flush',
  'lazyfree-lazy-user-del',
  'lazyfree-lazy-expire',
  'lazyfree-lazy-server-del',
  'list-max-listpack-size',
  'list-compress-depth',
  'set-max-intset-entries',
  'hash-max-listpack-entries',
  'hash-max-listpack-value',
  'zset-max-listpack-entries',
  'zset-max-listpack-value',
  'stream-node-max-bytes',
  'stream-node-max-entries',
  'hll-sparse-max-bytes',
]

const PERSISTENCE_PARAMETERS: readonly ParameterName[] = [
  'dir',
  'dbfilename',
  'save',
  'rdbcompression',
  'stop-writes-on-bgsave-error',
  'rdb-save-incremental-fsync',
  'rdb-key-save-delay',
  'key-load-delay',
  'loading-process-events-interval-bytes',
  'maxmemory-policy',
  'appendfsync',
  'no-appendfsync-on-rewrite',
  'auto-aof-rewrite-percentage',
  'auto-aof-rewrite-min-size',
  'aof-load-truncated',
  'aof-use-rdb-preamble',
  'aof-timestamp-enabled',
  'aof-rewrite-incremental-fsync',
  'aof-disable-auto-gc',
]

const REPLICATION_PARAMETERS: readonly ParameterName[] = [
  'masteruser',
  'masterauth',
  'replica-serve-stale-data',
  'replica-read-only',
  'replica-lazy-flush',
  'replica-ignore-maxmemory',
  'replica-ignore-disk-write-errors',
  'propagation-error-behavior',
  'replica-priority',
  'replica-announced',
  'replica-announce-ip',
  'replica-announce-port',
  'repl-timeout',
  'repl-ping-replica-period',
  'repl-disable-tcp-nodelay',
  'repl-diskless-sync',
  'repl-diskless-sync-delay',
  'repl-diskless-sync-max-replicas',
  'repl-diskless-load',
  'repl-backlog-size',
  'repl-backlog-ttl',
  'min-replicas-to-write',
  'min-replicas-max-lag',
  'rdb-del-sync-files',
  'appendonly',
]

/** Puts the whole configuration into effect and follows it from now on. */
export function applyConfig(server: Server): void {
  applyEngine(server)
  applyPersistence(server)
  applyReplication(server)
  server.config.onChange(REPLICATION_PARAMETERS, () => applyReplication(server))
  server.config.onChange(ENGINE_PARAMETERS, () => applyEngine(server))
  server.config.onChange(['appendonly'], () => switchAppendOnly(server))
  server.config.onChange(['maxmemory'], () => limitMemory(server))
  server.config.onChange(PERSISTENCE_PARAMETERS, () => applyPersistence(server))
  server.config.onChange(['tcp-keepalive', 'protected-mode'], () => applyListener(server))
  if (!server.parts.isGuest) server.config.onChange(['maxclients'], () => fitClients(server))
  server.config.onChangeAsync(['port', 'bind'], (names) => reopenListeners(server, names))
}

/** A limit that is set while there is more already. */
function limitMemory({ config: { fields }, engine, logger }: Server): void {
  const { eviction } = engine
  if (fields.maxmemory === 0) return
  if (eviction.excessBytes() > 0) {
    const usedBytes = engine.usedMemoryBytes - engine.uncountedMemoryBytes
    logger.warning(
      `WARNING: the new maxmemory value set via CONFIG SET (${fields.maxmemory}) is smaller than the current memory usage (${usedBytes}). This will result in key eviction and/or the inability to accept new write commands depending on the maxmemory-policy.`,
    )
  }
  eviction.start()
}

/** Null, or why it is not possible. */
function switchAppendOnly({ config: { fields }, persistence: { aof } }: Server): string | null {
  if (!fields.appendonly) aof.stop()
  else if (!aof.start()) return 'Unable to turn on AOF. Check server logs.'
  return null
}

function applyListener({ config: { fields }, listener }: Server): void {
  listener.options.keepaliveSeconds = fields.tcpKeepalive
  listener.options.protectedMode = fields.protectedMode
}

function applyEngine({ config: { fields }, engine }: Server): void {
  const { settings, keyspace } = engine
  settings.bulkBytesMax = fields.protoMaxBulkLen
  settings.queryBufferBytesMax = fields.clientQueryBufferLimit
  settings.outputLimits = fields.clientOutputBufferLimit
  settings.password = fields.requirepass
  settings.notifyFlags = fields.notifyKeyspaceEvents
  settings.slowlogUsec = fields.slowlogLogSlowerThan
  settings.slowlogEntriesMax = fields.slowlogMaxLen
  settings.latencyMonitorMs = fields.latencyMonitorThreshold
  settings.latencyTracking = fields.latencyTracking
  settings.maxmemoryBytes = fields.maxmemory
  settings.maxmemoryClients = fields.maxmemoryClients
  const { eviction } = engine
  eviction.setPolicy(fields.maxmemoryPolicy)
  eviction.samples = fields.maxmemorySamples
  eviction.tenacity = fields.maxmemoryEvictionTenacity
  eviction.isLazy = fields.lazyfreeLazyEviction
  settings.debugCommand = fields.enableDebugCommand
  settings.moduleCommand = fields.enableModuleCommand
  settings.clientsMax = fields.maxclients
  settings.idleSecondsMax = fields.timeout
  settings.hz = fields.hz
  settings.activeExpireEffort = fields.activeExpireEffort
  settings.activeRehashing = fields.activerehashing
  settings.lazyUserFlush = fields.lazyfreeLazyUserFlush
  settings.lazyUserDel = fields.lazyfreeLazyUserDel
  settings.lazyExpire = fields.lazyfreeLazyExpire
  keyspace.lazyFree.expire = fields.lazyfreeLazyExpire
  keyspace.lazyFree.serverDel = fields.lazyfreeLazyServerDel
  keyspace.lfu = fields.maxmemoryPolicy.endsWith('lfu')
  keyspace.sharesIntegers = fields.maxmemory === 0 || !/l[rf]u$/.test(fields.maxmemoryPolicy)
  keyspace.lfuLogFactor = fields.lfuLogFactor
  keyspace.lfuDecayMinutes = fields.lfuDecayTime
  const { limits } = keyspace
  limits.listMaxListpackSize = fields.listMaxListpackSize
  limits.listCompressDepth = fields.listCompressDepth
  limits.setMaxIntsetEntries = fields.setMaxIntsetEntries
  limits.hashMaxListpackEntries = fields.hashMaxListpackEntries
  limits.hashMaxListpackValueBytes = fields.hashMaxListpackValue
  limits.zsetMaxListpackEntries = fields.zsetMaxListpackEntries
  limits.zsetMaxListpackValueBytes = fields.zsetMaxListpackValue
  limits.streamNodeMaxBytes = fields.streamNodeMaxBytes
  limits.streamNodeMaxEntries = fields.streamNodeMaxEntries
  limits.hllSparseMaxBytes = fields.hllSparseMaxBytes
  engine.slowlog.trim()
  engine.settingsChanged()
}

function applyReplication({ config: { fields }, replication, parts }: Server): void {
  const { settings } = replication
  settings.masterUser = fields.masteruser
  settings.masterAuth = fields.masterauth
  settings.servesStaleData = fields.replicaServeStaleData
  settings.readOnly = fields.replicaReadOnly
  settings.lazyFlush = fields.replicaLazyFlush
  settings.ignoresDiskErrors = fields.replicaIgnoreDiskWriteErrors
  settings.panicsOnErrors = fields.propagationErrorBehavior !== 'ignore'
  settings.priority = fields.replicaPriority
  settings.announced = fields.replicaAnnounced
  settings.announceIp = fields.replicaAnnounceIp
  settings.announcePort = fields.replicaAnnouncePort
  settings.timeoutSeconds = fields.replTimeout
  settings.pingSeconds = fields.replPingReplicaPeriod
  settings.disablesNoDelay = fields.replDisableTcpNodelay
  settings.diskless = fields.replDisklessSync
  settings.disklessDelaySeconds = fields.replDisklessSyncDelay
  settings.disklessReplicasMax = fields.replDisklessSyncMaxReplicas
  settings.disklessLoad = fields.replDisklessLoad
  settings.backlogBytes = fields.replBacklogSize
  settings.backlogSeconds = fields.replBacklogTtl
  settings.minReplicas = fields.minReplicasToWrite
  settings.minReplicasLagSeconds = fields.minReplicasMaxLag
  settings.removesSyncFiles = fields.rdbDelSyncFiles
  settings.appendsToFile = fields.appendonly
  settings.keepsOffDisk = !parts.loadsData
  settings.ignoresMaxmemory = fields.replicaIgnoreMaxmemory
  replication.settingsChanged()
}

function applyPersistence({ config: { fields }, persistence, parts, runId }: Server): void {
  const { settings } = persistence
  settings.dir = fields.dir
  settings.fileName = fields.dbfilename
  settings.savePoints = fields.save
  settings.compression = fields.rdbcompression
  settings.checksum = fields.rdbchecksum
  settings.stopWritesOnError = fields.stopWritesOnBgsaveError
  settings.incrementalSync = fields.rdbSaveIncrementalFsync
  settings.keySaveDelayUs = fields.rdbKeySaveDelay
  settings.keyLoadDelayUs = fields.keyLoadDelay
  settings.panicsOnErrors = fields.propagationErrorBehavior === 'panic'
  settings.loadingIntervalBytes = fields.loadingProcessEventsIntervalBytes
  settings.appendFileName = fields.appendfilename
  settings.appendFolder = fields.appenddirname
  settings.fsyncPolicy = fields.appendfsync
  settings.noSyncOnRewrite = fields.noAppendfsyncOnRewrite
  settings.rewritePercent = fields.autoAofRewritePercentage
  settings.rewriteBytesMin = fields.autoAofRewriteMinSize
  settings.loadsTruncated = fields.aofLoadTruncated
  settings.usesRdbBase = fields.aofUseRdbPreamble
  settings.timestamps = fields.aofTimestampEnabled
  settings.incrementalRewriteSync = fields.aofRewriteIncrementalFsync
  settings.keepsHistory = fields.aofDisableAutoGc
  const policy = fields.maxmemoryPolicy
  settings.usage = policy.endsWith('lfu') ? 'lfu' : policy.endsWith('lru') ? 'lru' : 'none'
  settings.pid = process.pid
  settings.tempSuffix = parts.isGuest ? runId.slice(0, 8) : ''
  persistence.settingsChanged()
}
