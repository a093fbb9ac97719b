/**
 * Every configuration parameter of Redis 7.0.15: name, kind, default, range, traits. CONFIG GET, SET and REWRITE, the
 * configuration file, the command line, the options of createServer, their types and the generated docs follow from it.
 *
 * What a parameter does not do here is part of its declaration: `noEffect` (accepted, nothing to act on, and why),
 * `awaits` (accepted, acts as soon as that part of the server exists), `notYet` (refused unless it is the default).
 * Sources: Redis's redis.conf and the output of CONFIG GET * of redis-server 7.0.15, pinned by test/compat/config.test.ts.
 */
import {
  choice,
  choiceOf,
  INT_MAX,
  INT_MIN,
  integer,
  LONG_MAX,
  optionalText,
  type Parameter,
  secret,
  someOf,
  text,
  UINT_MAX,
  ULONG_MAX,
  yesNo,
} from './parameter.ts'
import {
  addresses,
  checkAppendDirName,
  checkAppendName,
  checkDumpName,
  checkHostName,
  checkProcTitle,
  checkShutdownFlags,
  directory,
  masterAddress,
  notifyEvents,
  oomScores,
  outputLimits,
  percentiles,
  SHUTDOWN_CHOICES,
  savePoints,
} from './special.ts'

const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB

const PORT = { min: 0, max: 65535 }
const COUNT = { min: 0, max: INT_MAX }
const PERIOD = { min: 1, max: INT_MAX }
const SIZE = { min: 0, max: LONG_MAX, unsigned: true } as const
const MEMORY_SIZE = { ...SIZE, form: 'memory' } as const

const CLUSTER = { awaits: 'cluster mode' }
const SCRIPTING = { awaits: 'scripting' }
const ACL = { awaits: 'access control lists' }
const TRACKING = { awaits: 'client-side caching' }
const TLS = { awaits: 'TLS' }
const TLS_FILE = { ...TLS, volatile: true } as const
const ONE_THREAD = { noEffect: 'All clients are served by one thread.' }
const NO_AFFINITY = { noEffect: 'Node.js cannot bind threads to processors.' }
const NO_SYSLOG = { noEffect: 'Goes with syslog-enabled.' }
const NO_SCORE = { noEffect: 'The process keeps the out-of-memory score that it was started with.' }

export const PARAMETERS = {
  // General
  daemonize: yesNo(false, { immutable: true }),
  supervised: choice(['upstart', 'systemd', 'auto', 'no'], 'no', {
    immutable: true,
    noEffect: 'Readiness is reported in the log only, as by a Redis that was built without systemd support.',
  }),
  pidfile: optionalText({ immutable: true }),
  loglevel: choice(['debug', 'verbose', 'notice', 'warning'], 'notice'),
  logfile: text('', { immutable: true }),
  'syslog-enabled': yesNo(false, { immutable: true, notYet: 'logging to syslog is not available: use logfile' }),
  'syslog-ident': text('redis', { immutable: true, ...NO_SYSLOG }),
  'syslog-facility': choice(
    ['user', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
    'local0',
    { immutable: true, ...NO_SYSLOG },
  ),
  'crash-log-enabled': yesNo(true, { noEffect: 'The report of a bug is always logged.' }),
  'crash-memcheck-enabled': yesNo(true, { noEffect: 'Memory is not tested after a crash.' }),
  'use-exit-on-panic': yesNo(false, { hidden: true, noEffect: 'A bug never ends in abort().' }),
  'watchdog-period': integer(0, COUNT, { hidden: true, noEffect: 'There is no software watchdog.' }),
  databases: integer(16, { min: 1, max: INT_MAX }, { immutable: true }),
  'always-show-logo': yesNo(false, { immutable: true }),
  'set-proc-title': yesNo(true, { immutable: true }),
  'proc-title-template': text('{title} {listen-addr} {server-mode}', {}, checkProcTitle),
  dir: directory,
  hz: integer(10, { min: 0, max: INT_MAX, clamp: { min: 1n, max: 500n } }),
  'dynamic-hz': yesNo(true, { noEffect: 'Periodic work adapts to the number of clients by itself.' }),
  'enable-protected-configs': choice(['no', 'yes', 'local'], 'no', { immutable: true }),
  'enable-debug-command': choice(['no', 'yes', 'local'], 'no', { immutable: true }),
  'enable-module-command': choice(['no', 'yes', 'local'], 'no', { immutable: true }),
  'ignore-warnings': text('', { noEffect: 'The check that it silences (ARM64-COW-BUG) concerns fork only.' }),
  'disable-thp': yesNo(true, { immutable: true, noEffect: 'Node.js cannot turn huge pages off for its process.' }),
  'shutdown-timeout': integer(10, COUNT),
  'shutdown-on-sigint': someOf(SHUTDOWN_CHOICES, {}, checkShutdownFlags),
  'shutdown-on-sigterm': someOf(SHUTDOWN_CHOICES, {}, checkShutdownFlags),
  'propagation-error-behavior': choice(['ignore', 'panic', 'panic-on-replicas'], 'ignore'),
  'oom-score-adj': choiceOf(
    [
      ['no', 0],
      ['yes', 1],
      ['relative', 1],
      ['absolute', 2],
    ],
    'no',
    NO_SCORE,
  ),
  'oom-score-adj-values': oomScores(NO_SCORE),
  server_cpulist: optionalText({ immutable: true, ...NO_AFFINITY }),
  bio_cpulist: optionalText({ immutable: true, ...NO_AFFINITY }),
  aof_rewrite_cpulist: optionalText({ immutable: true, ...NO_AFFINITY }),
  bgsave_cpulist: optionalText({ immutable: true, ...NO_AFFINITY }),
  'io-threads': integer(1, { min: 1, max: 128 }, { immutable: true, debug: true, ...ONE_THREAD }),
  'io-threads-do-reads': yesNo(false, { immutable: true, debug: true, ...ONE_THREAD }),
  'jemalloc-bg-thread': yesNo(true, { noEffect: 'There is no jemalloc.' }),

  // Network and clients
  port: integer(6379, PORT),
  bind: addresses,
  'bind-source-addr': optionalText(),
  'protected-mode': yesNo(true),
  unixsocket: optionalText({ immutable: true }),
  unixsocketperm: integer(0, { min: 0, max: 0o777, form: 'octal', unsigned: true }, { immutable: true }),
  'tcp-backlog': integer(511, COUNT, { immutable: true }),
  'tcp-keepalive': integer(300, COUNT),
  'socket-mark-id': integer(
    0,
    { min: 0, max: UINT_MAX, unsigned: true },
    { immutable: true, notYet: 'sockets cannot be marked here' },
  ),
  timeout: integer(0, COUNT),
  maxclients: integer(10000, { min: 1, max: UINT_MAX, unsigned: true }),
  'maxmemory-clients': integer(0, { min: -100, max: LONG_MAX, form: 'memory or percent' }),
  'client-output-buffer-limit': outputLimits,
  'client-query-buffer-limit': integer(GIB, { ...MEMORY_SIZE, min: MIB }, { debug: true }),
  'proto-max-bulk-len': integer(512 * MIB, { min: MIB, max: LONG_MAX, form: 'memory' }, { debug: true }),
  requirepass: secret(),
  'tracking-table-max-keys': integer(1_000_000, SIZE, TRACKING),
  'notify-keyspace-events': notifyEvents,

  // Data
  activerehashing: yesNo(true),
  'active-expire-effort': integer(1, { min: 1, max: 10 }),
  maxmemory: integer(0, { min: 0, max: ULONG_MAX, form: 'memory', unsigned: true }),
  'maxmemory-policy': choice(
    [
      'volatile-lru',
      'volatile-lfu',
      'volatile-random',
      'volatile-ttl',
      'allkeys-lru',
      'allkeys-lfu',
      'allkeys-random',
      'noeviction',
    ],
    'noeviction',
  ),
  'maxmemory-samples': integer(5, PERIOD),
  'maxmemory-eviction-tenacity': integer(10, { min: 0, max: 100 }),
  'lfu-log-factor': integer(10, COUNT),
  'lfu-decay-time': integer(1, COUNT),
  'hash-max-listpack-entries': integer(512, SIZE, { alias: 'hash-max-ziplist-entries' }),
  'hash-max-listpack-value': integer(64, MEMORY_SIZE, { alias: 'hash-max-ziplist-value' }),
  'list-max-listpack-size': integer(-2, { min: INT_MIN, max: INT_MAX }, { alias: 'list-max-ziplist-size' }),
  'list-compress-depth': integer(0, COUNT, { debug: true }),
  'set-max-intset-entries': integer(512, SIZE),
  'zset-max-listpack-entries': integer(128, SIZE, { alias: 'zset-max-ziplist-entries' }),
  'zset-max-listpack-value': integer(64, MEMORY_SIZE, { alias: 'zset-max-ziplist-value' }),
  'hll-sparse-max-bytes': integer(3000, MEMORY_SIZE),
  'stream-node-max-bytes': integer(4096, MEMORY_SIZE),
  'stream-node-max-entries': integer(100, { min: 0, max: LONG_MAX }),
  'lazyfree-lazy-eviction': yesNo(false, { debug: true }),
  'lazyfree-lazy-expire': yesNo(false, { debug: true }),
  'lazyfree-lazy-server-del': yesNo(false, { debug: true }),
  'lazyfree-lazy-user-del': yesNo(false, { debug: true }),
  'lazyfree-lazy-user-flush': yesNo(false, { debug: true }),
  activedefrag: yesNo(false, { debug: true }),
  'active-defrag-cycle-min': integer(1, { min: 1, max: 99 }),
  'active-defrag-cycle-max': integer(25, { min: 1, max: 99 }),
  'active-defrag-threshold-lower': integer(10, { min: 0, max: 1000 }),
  'active-defrag-threshold-upper': integer(100, { min: 0, max: 1000 }),
  'active-defrag-ignore-bytes': integer(100 * MIB, { ...MEMORY_SIZE, min: 1 }),
  'active-defrag-max-scan-fields': integer(1000, { min: 1, max: LONG_MAX }),
  'sanitize-dump-payload': choice(['no', 'yes', 'clients'], 'no', {
    debug: true,
    noEffect: 'Payloads are always checked in full.',
  }),

  // Diagnosis
  'slowlog-log-slower-than': integer(10000, { min: -1, max: LONG_MAX }),
  'slowlog-max-len': integer(128, { min: 0, max: LONG_MAX }),
  'latency-monitor-threshold': integer(0, { min: 0, max: LONG_MAX }),
  'latency-tracking': yesNo(true),
  'latency-tracking-info-percentiles': percentiles,

  // Snapshots
  save: savePoints,
  dbfilename: text('dump.rdb', { protected: true }, checkDumpName),
  rdbcompression: yesNo(true),
  rdbchecksum: yesNo(true, { immutable: true }),
  'stop-writes-on-bgsave-error': yesNo(true),
  'rdb-save-incremental-fsync': yesNo(true),
  'rdb-del-sync-files': yesNo(false),
  'rdb-key-save-delay': integer(0, { min: INT_MIN, max: INT_MAX }, { hidden: true }),
  'key-load-delay': integer(0, { min: INT_MIN, max: INT_MAX }, { hidden: true }),
  'loading-process-events-interval-bytes': integer(2 * MIB, { min: 1024, max: INT_MAX }, { hidden: true }),

  // Append-only files
  appendonly: yesNo(false, { denyLoading: true }),
  appendfilename: text('appendonly.aof', { immutable: true }, checkAppendName),
  appenddirname: text('appendonlydir', { immutable: true }, checkAppendDirName),
  appendfsync: choice(['everysec', 'always', 'no'], 'everysec'),
  'no-appendfsync-on-rewrite': yesNo(false),
  'auto-aof-rewrite-percentage': integer(100, COUNT),
  'auto-aof-rewrite-min-size': integer(64 * MIB, { min: 0, max: LONG_MAX, form: 'memory' }),
  'aof-load-truncated': yesNo(true),
  'aof-use-rdb-preamble': yesNo(true),
  'aof-timestamp-enabled': yesNo(false),
  'aof-rewrite-incremental-fsync': yesNo(true),
  'aof-disable-auto-gc': yesNo(false),

  // Replication
  replicaof: masterAddress({ alias: 'slaveof', immutable: true }),
  masteruser: optionalText({ sensitive: true }),
  masterauth: secret(),
  'replica-serve-stale-data': yesNo(true, { alias: 'slave-serve-stale-data' }),
  'replica-read-only': yesNo(true, { alias: 'slave-read-only', debug: true }),
  'replica-lazy-flush': yesNo(false, { alias: 'slave-lazy-flush' }),
  'replica-ignore-maxmemory': yesNo(true, { alias: 'slave-ignore-maxmemory' }),
  'replica-ignore-disk-write-errors': yesNo(false),
  'replica-priority': integer(100, COUNT, { alias: 'slave-priority' }),
  'replica-announced': yesNo(true),
  'replica-announce-ip': optionalText({ alias: 'slave-announce-ip' }),
  'replica-announce-port': integer(0, PORT, { alias: 'slave-announce-port' }),
  'repl-timeout': integer(60, PERIOD),
  'repl-ping-replica-period': integer(10, PERIOD, { alias: 'repl-ping-slave-period' }),
  'repl-disable-tcp-nodelay': yesNo(false),
  'repl-diskless-sync': yesNo(true, { debug: true }),
  'repl-diskless-sync-delay': integer(5, COUNT),
  'repl-diskless-sync-max-replicas': integer(0, COUNT),
  'repl-diskless-load': choice(['disabled', 'on-empty-db', 'swapdb'], 'disabled', {
    debug: true,
    denyLoading: true,
  }),
  'repl-backlog-size': integer(MIB, {
    min: 1,
    max: LONG_MAX,
    form: 'memory',
    clamp: { min: 16384n, notAtStart: true },
  }),
  'repl-backlog-ttl': integer(3600, { min: 0, max: LONG_MAX }),
  'min-replicas-to-write': integer(0, COUNT, { alias: 'min-slaves-to-write' }),
  'min-replicas-max-lag': integer(10, COUNT, { alias: 'min-slaves-max-lag' }),

  // Access control and scripting
  aclfile: text('', { immutable: true, notYet: 'access control lists are not there yet: use requirepass' }),
  'acllog-max-len': integer(128, { min: 0, max: LONG_MAX }, ACL),
  'acl-pubsub-default': choice(['allchannels', 'resetchannels'], 'resetchannels', ACL),
  'busy-reply-threshold': integer(5000, { min: 0, max: LONG_MAX }, { alias: 'lua-time-limit', ...SCRIPTING }),
  'lua-enable-deprecated-api': yesNo(false, { immutable: true, hidden: true, ...SCRIPTING }),

  // Cluster
  'cluster-enabled': yesNo(false, { immutable: true, notYet: 'cluster mode is not there yet' }),
  'cluster-config-file': text('nodes.conf', { immutable: true, ...CLUSTER }),
  'cluster-node-timeout': integer(15000, { min: 0, max: LONG_MAX }, CLUSTER),
  'cluster-port': integer(0, PORT, { immutable: true, ...CLUSTER }),
  'cluster-announce-ip': optionalText(CLUSTER),
  'cluster-announce-hostname': optionalText(CLUSTER, checkHostName),
  'cluster-announce-port': integer(0, PORT, CLUSTER),
  'cluster-announce-tls-port': integer(0, PORT, CLUSTER),
  'cluster-announce-bus-port': integer(0, PORT, CLUSTER),
  'cluster-preferred-endpoint-type': choice(['ip', 'hostname', 'unknown-endpoint'], 'ip', CLUSTER),
  'cluster-require-full-coverage': yesNo(true, CLUSTER),
  'cluster-allow-reads-when-down': yesNo(false, CLUSTER),
  'cluster-allow-pubsubshard-when-down': yesNo(true, CLUSTER),
  'cluster-allow-replica-migration': yesNo(true, CLUSTER),
  'cluster-migration-barrier': integer(1, COUNT, CLUSTER),
  'cluster-replica-no-failover': yesNo(false, { alias: 'cluster-slave-no-failover', ...CLUSTER }),
  'cluster-replica-validity-factor': integer(10, COUNT, { alias: 'cluster-slave-validity-factor', ...CLUSTER }),
  'cluster-link-sendbuf-limit': integer(0, { min: 0, max: ULONG_MAX, form: 'memory', unsigned: true }, CLUSTER),

  // TLS
  'tls-port': integer(0, PORT, { notYet: 'TLS is not there yet' }),
  'tls-replication': yesNo(false, { notYet: 'TLS is not there yet' }),
  'tls-cluster': yesNo(false, { notYet: 'TLS is not there yet' }),
  'tls-auth-clients': choice(['no', 'yes', 'optional'], 'yes', TLS),
  'tls-prefer-server-ciphers': yesNo(false, TLS),
  'tls-session-caching': yesNo(true, TLS),
  'tls-session-cache-size': integer(20 * KIB, COUNT, TLS),
  'tls-session-cache-timeout': integer(300, COUNT, TLS),
  'tls-cert-file': optionalText(TLS_FILE),
  'tls-key-file': optionalText(TLS_FILE),
  'tls-key-file-pass': optionalText(TLS),
  'tls-client-cert-file': optionalText(TLS_FILE),
  'tls-client-key-file': optionalText(TLS_FILE),
  'tls-client-key-file-pass': optionalText(TLS),
  'tls-dh-params-file': optionalText(TLS_FILE),
  'tls-ca-cert-file': optionalText(TLS_FILE),
  'tls-ca-cert-dir': optionalText(TLS_FILE),
  'tls-protocols': optionalText(TLS),
  'tls-ciphers': optionalText(TLS),
  'tls-ciphersuites': optionalText(TLS),
} as const satisfies Readonly<Record<string, Parameter>>

export type ParameterName = keyof typeof PARAMETERS

/** "proto-max-bulk-len" -> "protoMaxBulkLen". */
export type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name extends `${infer Head}_${infer Tail}`
    ? `${Head}${Capitalize<CamelCase<Tail>>}`
    : Name

type FieldOf<Name extends ParameterName> =
  (typeof PARAMETERS)[Name] extends Parameter<infer _Value, infer Field> ? Field : never

/** The configuration as code reads it: one field per parameter, named in camelCase. */
export type Config = { readonly [Name in ParameterName as CamelCase<Name>]: FieldOf<Name> }

export function camelCase(name: string): string {
  return name.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** Directives of old versions that are read over; each takes one argument. */
export const OBSOLETE_DIRECTIVES: ReadonlySet<string> = new Set([
  'list-max-ziplist-entries',
  'list-max-ziplist-value',
  'lua-replicate-commands',
])

/** Directives of the configuration file that are no parameters. */
export const FILE_DIRECTIVES: ReadonlySet<string> = new Set([
  'include',
  'rename-command',
  'user',
  'loadmodule',
  'sentinel',
])
