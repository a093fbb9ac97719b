/**
 * What replication obeys of the configuration, as plain fields. The server's configuration writes them; defaults are
 * Redis's.
 */
export class ReplicationSettings {
  /** masteruser, masterauth; empty = none. */
  masterUser = ''
  masterAuth = ''
  /** replica-serve-stale-data. */
  servesStaleData = true
  /** replica-read-only. */
  readOnly = true
  /** replica-ignore-maxmemory: eviction is the master's business. */
  ignoresMaxmemory = true
  /** replica-priority, replica-announced: for INFO. */
  priority = 100
  announced = true
  /** replica-announce-ip, replica-announce-port; empty or 0 = what the connection shows, what is listened on. */
  announceIp = ''
  announcePort = 0
  /** repl-timeout, seconds. */
  timeoutSeconds = 60
  /** repl-ping-replica-period, seconds. */
  pingSeconds = 10
  /** repl-disable-tcp-nodelay. */
  disablesNoDelay = false
  /** repl-diskless-sync, -delay in seconds, -max-replicas (0 = no number is enough). */
  diskless = true
  disklessDelaySeconds = 5
  disklessReplicasMax = 0
  /** repl-diskless-load. */
  disklessLoad: 'disabled' | 'on-empty-db' | 'swapdb' = 'disabled'
  /** repl-backlog-size, repl-backlog-ttl in seconds (0 = for ever). */
  backlogBytes = 1024 * 1024
  backlogSeconds = 3600
  /** min-replicas-to-write, min-replicas-max-lag in seconds. */
  minReplicas = 0
  minReplicasLagSeconds = 10
  /** rdb-del-sync-files. */
  removesSyncFiles = false
  /** appendonly: the file is begun anew after a full synchronization. */
  appendsToFile = false
  /** replica-lazy-flush. */
  lazyFlush = false
  /** replica-ignore-disk-write-errors. */
  ignoresDiskErrors = false
  /** propagation-error-behavior: a command of the master's that fails stops a replica. */
  panicsOnErrors = false
  /** Data never goes to files: a server in another program that was given no folder. */
  keepsOffDisk = false
}
