/**
 * What persistence obeys of the configuration, as plain fields. The server's configuration writes them; defaults are
 * Redis's.
 */
import type { KeyUsage } from './rdb/usage.ts'

export interface SavePoint {
  readonly seconds: number
  readonly changes: number
}

export class PersistenceSettings {
  /** dir, absolute. */
  dir = '.'
  /** dbfilename. */
  fileName = 'dump.rdb'
  /** save. */
  savePoints: readonly SavePoint[] = []
  /** rdbcompression. */
  compression = true
  /** rdbchecksum. */
  checksum = true
  /** DEBUG SET-SKIP-CHECKSUM-VALIDATION: files and payloads with a wrong checksum pass. */
  skipsChecksum = false
  /** stop-writes-on-bgsave-error. */
  stopWritesOnError = true
  /** rdb-save-incremental-fsync. */
  incrementalSync = true
  /** rdb-key-save-delay and key-load-delay, microseconds per key. */
  keySaveDelayUs = 0
  keyLoadDelayUs = 0
  /** propagation-error-behavior is panic: a command of a file that fails stops the server. */
  panicsOnErrors = false
  /** loading-process-events-interval-bytes; 0 = clients wait until all is loaded. */
  loadingIntervalBytes = 2 * 1024 * 1024
  /** appendfilename and appenddirname. */
  appendFileName = 'appendonly.aof'
  appendFolder = 'appendonlydir'
  /** appendfsync. */
  fsyncPolicy: 'always' | 'everysec' | 'no' = 'everysec'
  /** no-appendfsync-on-rewrite. */
  noSyncOnRewrite = false
  /** auto-aof-rewrite-percentage and auto-aof-rewrite-min-size. */
  rewritePercent = 100
  rewriteBytesMin = 64 * 1024 * 1024
  /** aof-load-truncated. */
  loadsTruncated = true
  /** aof-use-rdb-preamble. */
  usesRdbBase = true
  /** aof-timestamp-enabled. */
  timestamps = false
  /** aof-rewrite-incremental-fsync. */
  incrementalRewriteSync = true
  /** aof-disable-auto-gc. */
  keepsHistory = false
  /** DEBUG AOF-FLUSH-SLEEP: makes writes slow, microseconds. */
  flushDelayUs = 0
  /** What maxmemory-policy keeps of a key's use. */
  usage: KeyUsage = 'none'
  /** Of the process: it names temporary files, and the log speaks of it. */
  pid = 0
  /** Tells the temporary files of several servers in one process apart. */
  tempSuffix = ''
}
