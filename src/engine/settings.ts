/**
 * What the engine obeys of the configuration, as plain fields that hot code reads. The server's configuration writes
 * them; defaults are Redis's.
 */
export interface OutputLimit {
  hardBytes: number
  softBytes: number
  softSeconds: number
}

export class EngineSettings {
  /** proto-max-bulk-len. */
  bulkBytesMax = 512 * 1024 * 1024
  /** client-query-buffer-limit. */
  queryBufferBytesMax = 1024 * 1024 * 1024
  /** client-output-buffer-limit by client class. */
  outputLimits: Record<'normal' | 'replica' | 'pubsub', OutputLimit> = {
    normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
    replica: { hardBytes: 256 * 1024 * 1024, softBytes: 64 * 1024 * 1024, softSeconds: 60 },
    pubsub: { hardBytes: 32 * 1024 * 1024, softBytes: 8 * 1024 * 1024, softSeconds: 60 },
  }
  /** requirepass; empty = clients need no password. */
  password = ''
  /** notify-keyspace-events as bits of notifications.ts. */
  notifyFlags = 0
  /** slowlog-log-slower-than, microseconds; negative = off. */
  slowlogUsec = 10_000
  slowlogEntriesMax = 128
  /** latency-monitor-threshold, milliseconds; 0 = off. */
  latencyMonitorMs = 0
  latencyTracking = true
  maxmemoryBytes = 0
  /** maxmemory-clients; negative: percent of maxmemory. */
  maxmemoryClients = 0
  /** enable-debug-command, enable-module-command. */
  debugCommand: 'no' | 'yes' | 'local' = 'no'
  moduleCommand: 'no' | 'yes' | 'local' = 'no'
  /** maxclients. */
  clientsMax = 10_000
  /** timeout, seconds; 0 = off. */
  idleSecondsMax = 0
  activeExpire = true
  /** active-expire-effort, 1 to 10. */
  activeExpireEffort = 1
  /** hz. */
  hz = 10
  /** Whether and how fast reply buffers adapt to their use (see ClientsCron); negative = the peak is never forgotten. */
  replyBufferResizing = true
  replyBufferPeakResetMs = 5000
  activeRehashing = true
  /** lazyfree-lazy-user-flush: FLUSHALL without ASYNC or SYNC. */
  lazyUserFlush = false
  /** lazyfree-lazy-user-del: DEL frees as UNLINK does, and GETDEL is propagated as UNLINK. */
  lazyUserDel = false
  /** lazyfree-lazy-expire: expired keys are propagated as UNLINK. */
  lazyExpire = false
}
