/**
 * What MIGRATE does: sends keys to another server and deletes those that it has taken. Redis does this while all its
 * clients wait. Here the event loop goes on; what a client may rely on is the same:
 *
 *   1. connect, unless a connection is kept      other clients go on: a target that is down is nobody else's trouble
 *   2. pause all clients                         from here nobody writes the keys, nor reads what is on its way
 *   3. AUTH, SELECT, a RESTORE for each key      one pipeline
 *   4. their replies: what was taken is deleted  propagated as one DEL
 *   5. end of the pause
 *
 * Transfers run one after the other. The pause has a purpose of its own, so that CLIENT UNPAUSE does not end it, and it
 * keeps keys from being removed by expiry. It ends when the target is silent for the time limit of the request.
 * As keys are looked at again once the connection stands, those that went away before are not sent; +NOKEY if all did.
 *
 * Connections are kept for further requests and closed after 10 s without any. One that turns out to be dead is
 * replaced once, if nothing can have been executed.
 * Source: Redis command reference, MIGRATE (since 2.6.0); cluster.c.
 */
import { Argv } from '../base/argv.ts'
import type { Engine } from '../engine/engine.ts'
import { NOTIFY_GENERIC } from '../engine/notifications.ts'
import type { Session } from '../engine/session.ts'
import type { Db } from '../keyspace/db.ts'
import { NO_KEY } from '../keyspace/entry.ts'
import { OutgoingConnection, OutgoingError } from '../net/outgoing-connection.ts'
import type { Persistence } from '../persistence/persistence.ts'

/** As MIGRATE_SOCKET_CACHE_ITEMS and MIGRATE_SOCKET_CACHE_TTL in Redis. */
const CONNECTIONS_MAX = 64
const IDLE_MS_MAX = 10_000
/**
 * A connection's database if it is not known: at the beginning and after an error. As in Redis it is a number that can be
 * asked for; -1 then stands for whatever database the connection is in.
 */
const NO_DATABASE = -1n

export interface MigrationRequest {
  readonly host: string
  readonly port: number
  /** Host and port as they were given: what a kept connection is found by. */
  readonly target: string
  readonly db: Db
  readonly keys: readonly Uint8Array[]
  readonly destinationDb: bigint
  readonly timeoutMs: number
  readonly copies: boolean
  readonly replaces: boolean
  readonly password: Uint8Array | null
  readonly username: Uint8Array | null
}

/** What to reply: a status, or an error with its code. */
export type MigrationResult =
  | { readonly status: 'OK' | 'NOKEY'; readonly error?: never }
  | { readonly error: string; readonly status?: never }

interface Target {
  readonly connection: OutgoingConnection
  selectedDb: bigint
  lastUsedMs: number
}

const RETRY = 'retry'
/** Nobody hears of it. */
const SERVER_CLOSES: MigrationResult = { error: 'IOERR the server is closing' }

export class Migration {
  private readonly engine: Engine
  private readonly persistence: () => Persistence
  /** Connections that nobody uses at the moment, longest unused first. */
  private readonly idle = new Map<string, Target>()
  private readonly used = new Set<OutgoingConnection>()
  /** Settles when the transfer that was asked for last is over. */
  private lastTransfer: Promise<unknown> = Promise.resolve()

  constructor(engine: Engine, persistence: () => Persistence) {
    this.engine = engine
    this.persistence = persistence
  }

  get connections(): number {
    return this.idle.size + this.used.size
  }

  /** `session` is who the deletions are put down to; it may be gone by then. */
  async run(session: Session, request: MigrationRequest): Promise<MigrationResult> {
    for (let mayRetry = true; ; mayRetry = false) {
      let target: Target
      try {
        target = await this.take(request)
      } catch (error) {
        if (!(error instanceof OutgoingError)) throw error
        return error.kind === 'refused'
          ? brokenOff('writing')
          : { error: 'IOERR error or timeout connecting to the client' }
      }
      const transfer = this.lastTransfer.then(() => this.transferInPause(session, request, target, mayRetry))
      this.lastTransfer = transfer.catch(() => {})
      const result = await transfer
      if (result !== RETRY) return result
    }
  }

  /** The cron's share: closes connections that were not used for long. */
  tick(): void {
    const { nowMs } = this.engine.clock
    for (const [name, { connection, lastUsedMs }] of this.idle) {
      // Whole seconds, as Redis counts them.
      if (Math.floor(nowMs / 1000) * 1000 - Math.floor(lastUsedMs / 1000) * 1000 <= IDLE_MS_MAX) continue
      this.idle.delete(name)
      connection.close()
    }
  }

  /** The server ends. */
  close(): void {
    for (const { connection } of this.idle.values()) connection.close()
    for (const connection of this.used) connection.close()
    this.idle.clear()
  }

  /** A connection to the target, kept or new. */
  private async take({ target: name, host, port, timeoutMs }: MigrationRequest): Promise<Target> {
    const kept = this.idle.get(name)
    if (kept !== undefined) {
      this.idle.delete(name)
      // Whatever came unasked would be taken for the reply to what is asked next.
      if (kept.connection.hasInput) kept.connection.close()
      else {
        this.used.add(kept.connection)
        return kept
      }
    }
    const connection = await OutgoingConnection.open(host, port, timeoutMs)
    this.used.add(connection)
    if (this.engine.isStopped) connection.close()
    return { connection, selectedDb: NO_DATABASE, lastUsedMs: 0 }
  }

  private keep(name: string, target: Target): void {
    const { connection } = target
    this.used.delete(connection)
    if (connection.isClosed) return
    target.lastUsedMs = this.engine.clock.nowMs
    // Another request to the same target may have had one of its own.
    this.idle.get(name)?.connection.close()
    this.idle.delete(name)
    if (this.idle.size === CONNECTIONS_MAX) {
      const [oldest, { connection: unused }] = this.idle.entries().next().value!
      this.idle.delete(oldest)
      unused.close()
    }
    this.idle.set(name, target)
    connection.whenClosed(() => {
      if (this.idle.get(name) === target) this.idle.delete(name)
    })
  }

  private async transferInPause(
    session: Session,
    request: MigrationRequest,
    target: Target,
    mayRetry: boolean,
  ): Promise<MigrationResult | typeof RETRY> {
    const { pause, clock } = this.engine
    if (this.engine.isStopped) return SERVER_CLOSES
    clock.refresh()
    pause.start('all', Number.POSITIVE_INFINITY, 'migration')
    try {
      return await this.transfer(session, request, target, mayRetry)
    } finally {
      clock.refresh()
      this.keep(request.target, target)
      if (!this.engine.isStopped) pause.end('migration')
    }
  }

  private async transfer(
    session: Session,
    request: MigrationRequest,
    target: Target,
    mayRetry: boolean,
  ): Promise<MigrationResult | typeof RETRY> {
    const { connection } = target
    const { timeoutMs, password, destinationDb, copies } = request
    const selects = target.selectedDb !== destinationDb
    const { keys, chunks } = this.requestsOf(request, selects)
    if (keys.length === 0) return { status: 'NOKEY' }

    const taken: Uint8Array[] = []
    let refusal: string | null = null
    let failure: OutgoingError | null = null
    let isSent = false
    let replies = 0
    try {
      await connection.send(chunks, timeoutMs)
      isSent = true
      const authReply = password === null ? '' : await connection.readLine(timeoutMs)
      const selectReply = selects ? await connection.readLine(timeoutMs) : ''
      for (const key of keys) {
        const restoreReply = await connection.readLine(timeoutMs)
        replies++
        const error = [authReply, selectReply, restoreReply].find((line) => line.startsWith('-'))
        if (error === undefined) taken.push(key)
        else refusal ??= error.slice(1)
      }
    } catch (error) {
      if (!(error instanceof OutgoingError)) throw error
      failure = error
      connection.close()
    }
    if (this.engine.isStopped) return SERVER_CLOSES
    if (!copies && taken.length > 0) this.remove(session, request.db, taken)
    if (refusal !== null) {
      target.selectedDb = NO_DATABASE
      return { error: `ERR Target instance replied with error: ${refusal}` }
    }
    if (failure !== null) {
      if (replies === 0 && mayRetry && failure.kind !== 'timeout') return RETRY
      return brokenOff(isSent ? 'reading' : 'writing')
    }
    target.selectedDb = destinationDb
    return { status: 'OK' }
  }

  /** The pipeline, and the keys that it restores: those that are there and whose time is not over. */
  private requestsOf(
    { db, keys, password, username, destinationDb, replaces }: MigrationRequest,
    selects: boolean,
  ): { keys: Uint8Array[]; chunks: Uint8Array[] } {
    const persistence = this.persistence()
    const chunks: Uint8Array[] = []
    if (password !== null) addRequest(chunks, username === null ? ['AUTH', password] : ['AUTH', username, password])
    if (selects) addRequest(chunks, ['SELECT', String(destinationDb)])
    const sent: Uint8Array[] = []
    for (const key of keys) {
      const entry = db.peek(key, 0, key.length)
      if (entry === NO_KEY) continue
      const ttl = ttlOf(db.exactExpireAtMs(entry), this.engine.clock.nowMs)
      const payload = persistence.dump(db, entry)
      addRequest(chunks, ['RESTORE', key, String(ttl), payload, ...(replaces ? ['REPLACE'] : [])])
      sent.push(key)
    }
    return { keys: sent, chunks }
  }

  private remove(session: Session, db: Db, keys: readonly Uint8Array[]): void {
    const { effects, keyspace, watch, settings } = this.engine
    for (const key of keys) {
      db.removeKey(key, 0, key.length)
      keyspace.dirty++
      if (!watch.isEmpty) watch.touch(db, key, 0, key.length)
      if (settings.notifyFlags & NOTIFY_GENERIC) session.notify(NOTIFY_GENERIC, 'del', db, key, 0, key.length)
    }
    if (!effects.isActive) return
    effects.add(db.index, Argv.of(['DEL', ...keys]))
    effects.flush()
  }
}

/** A target that refuses the connection is found out by Redis when it writes. */
function brokenOff(way: 'reading' | 'writing'): MigrationResult {
  return { error: `IOERR error or timeout ${way} to target instance` }
}

/** What is left to live, as RESTORE takes it: 0 = for ever. */
function ttlOf(expireAtMs: number | bigint, nowMs: number): number | bigint {
  if (expireAtMs === -1 || expireAtMs === -1n) return 0
  const left = typeof expireAtMs === 'bigint' ? expireAtMs - BigInt(nowMs) : expireAtMs - nowMs
  return left < 1 ? 1 : left
}

function addRequest(chunks: Uint8Array[], parts: readonly (string | Uint8Array)[]): void {
  let head = `*${parts.length}\r\n`
  for (const part of parts) {
    head += `$${part.length}\r\n`
    if (typeof part === 'string') head += part
    else {
      chunks.push(Buffer.from(head, 'latin1'), part)
      head = ''
    }
    head += '\r\n'
  }
  chunks.push(Buffer.from(head, 'latin1'))
}
