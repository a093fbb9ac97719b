/** INFO server, clients, modules, cluster and keyspace. */
import os from 'node:os'
import { REDIS_BUILD_ID, REDIS_GIT_DIRTY, REDIS_GIT_SHA1, REDIS_VERSION } from '../../base/version.ts'
import { BLOCKED, REPLICA } from '../../engine/session.ts'
import type { Server } from '../server.ts'
import type { Field } from './field.ts'

/** What libuv waits with, by platform. */
const MULTIPLEXING: Readonly<Record<string, string>> = {
  linux: 'epoll',
  android: 'epoll',
  win32: 'iocp',
  sunos: 'evport',
  aix: 'pollset',
}

export function* serverSection(server: Server): Generator<Field> {
  const { config, engine, parts } = server
  const { clock, keyspace, settings } = engine
  const uptimeSeconds = Math.floor(clock.nowMs / 1000) - Math.floor(server.startedMs / 1000)
  yield ['redis_version', REDIS_VERSION]
  yield ['redis_git_sha1', REDIS_GIT_SHA1]
  yield ['redis_git_dirty', REDIS_GIT_DIRTY]
  yield ['redis_build_id', REDIS_BUILD_ID]
  yield ['redis_mode', 'standalone']
  yield ['os', `${os.type()} ${os.release()} ${os.machine()}`]
  yield ['arch_bits', /64|s390x/.test(os.arch()) ? 64 : 32]
  yield ['monotonic_clock', 'POSIX clock_gettime']
  yield ['multiplexing_api', MULTIPLEXING[os.platform()] ?? 'kqueue']
  // There are no atomics in C here, and no C compiler: what Redis says when it was not built with gcc.
  yield ['atomicvar_api', 'ecmascript-atomics']
  yield ['gcc_version', '0.0.0']
  yield ['process_id', process.pid]
  yield ['process_supervised', 'no']
  yield ['run_id', server.runId]
  yield ['tcp_port', server.port]
  yield ['server_time_usec', clock.wallUs()]
  yield ['uptime_in_seconds', uptimeSeconds]
  yield ['uptime_in_days', Math.floor(uptimeSeconds / 86_400)]
  yield ['hz', settings.hz]
  yield ['configured_hz', config.fields.hz]
  yield ['lru_clock', keyspace.lruClock]
  yield ['executable', parts.executable]
  yield ['config_file', config.configFile ?? '']
  yield ['io_threads_active', 0]
  const { graceMs } = server.shutdown
  if (graceMs !== null) yield ['shutdown_in_milliseconds', graceMs]
}

export function* clientsSection({ engine, memory, config }: Server): Generator<Field> {
  let connected = 0
  let blocked = 0
  for (const session of engine.sessions.values()) {
    if (!session.has(REPLICA)) connected++
    if (session.has(BLOCKED)) blocked++
  }
  yield ['connected_clients', connected]
  yield ['cluster_connections', 0]
  yield ['maxclients', config.fields.maxclients]
  yield ['client_recent_max_input_buffer', memory.recentMaxInputBytes]
  yield ['client_recent_max_output_buffer', memory.recentMaxOutputBytes]
  yield ['blocked_clients', blocked]
  yield ['tracking_clients', 0]
  yield ['clients_in_timeout_table', engine.blocking.timedCount]
}

export function* modulesSection({ modules }: Server): Generator<Field> {
  for (const { name, version } of modules.list()) {
    yield ['module', `name=${name},ver=${version},api=1,filters=0,usedby=[],using=[],options=[]`]
  }
}

export function* clusterSection(): Generator<Field> {
  yield ['cluster_enabled', 0]
}

export function* keyspaceSection({ engine }: Server): Generator<Field> {
  for (const db of engine.keyspace.databases) {
    if (db.size === 0) continue
    yield [`db${db.index}`, `keys=${db.size},expires=${db.expiresSize},avg_ttl=${Math.trunc(db.averageTtlMs)}`]
  }
}
