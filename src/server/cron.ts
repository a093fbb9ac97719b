/**
 * What has to happen now and then: `hz` times a second, as Redis's serverCron. Each part bounds its own time.
 */
import { ClientsCron } from '../engine/clients-cron.ts'
import { GATE_LOADING } from '../engine/gates.ts'
import { REPLICA } from '../engine/session.ts'
import { EXPIRE_DELETE } from '../keyspace/entry.ts'
import { ExpireCycle } from '../keyspace/expire-cycle.ts'
import { FieldExpireCycle } from '../keyspace/field-expire-cycle.ts'
import { ActiveDefrag } from './active-defrag.ts'
import { IdleCollector } from './idle-collector.ts'
import type { Server } from './server.ts'

/** As in Redis: what is due every so often, like the PINGs to replicas, counts from before the first client. */
const FIRST_ROUND_MS = 1
const CLIENTS_SAMPLE_MS = 1000
const REPORT_MS = 5000
const TRIM_MS = 5000
/** Between two short cycles of expiry: they take a third of the time at most. */
const FAST_EXPIRE_MS = 2
/** The shares of incremental work per round, microseconds (Redis gives rehashing 1 ms of each 100). */
const REHASH_US = 1000
/** Time that overdue fields of hashes may take in a second, and in one turn, microseconds. */
const FIELD_EXPIRE_US = 250_000
const FIELD_EXPIRE_TURN_US = 1000
const REHASH_BUCKETS = 64
const FREE_US = 1000

export class Cron {
  /** DEBUG PAUSE-CRON. */
  isPaused = false
  private timer: NodeJS.Timeout | null = null
  private fastTimer: NodeJS.Timeout | null = null
  private expireTimer: NodeJS.Immediate | null = null
  private freeTimer: NodeJS.Immediate | null = null
  private evictTimer: NodeJS.Immediate | null = null
  private fieldExpireTimer: NodeJS.Immediate | null = null
  private readonly expireCycle: ExpireCycle
  private readonly fieldExpireCycle: FieldExpireCycle
  private fieldExpireTurns = 0
  private readonly server: Server
  private readonly clients: ClientsCron
  readonly defrag: ActiveDefrag
  /** An embedded server leaves the process to its host. */
  private readonly idle: IdleCollector | null
  /** When parts that are not due every time were last done, by their period. */
  private readonly doneMs = new Map<() => void, number>()

  constructor(server: Server) {
    this.server = server
    this.expireCycle = new ExpireCycle(server.engine.keyspace)
    this.fieldExpireCycle = new FieldExpireCycle(server.engine.keyspace)
    this.clients = new ClientsCron(server.engine)
    this.defrag = new ActiveDefrag(server.engine, () => server.config.fields)
    this.idle = server.parts.isGuest ? null : new IdleCollector(server)
    server.engine.eviction.onPending = this.evict
  }

  start(): void {
    this.schedule(FIRST_ROUND_MS)
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    if (this.fastTimer !== null) clearTimeout(this.fastTimer)
    if (this.expireTimer !== null) clearImmediate(this.expireTimer)
    if (this.fieldExpireTimer !== null) clearImmediate(this.fieldExpireTimer)
    if (this.freeTimer !== null) clearImmediate(this.freeTimer)
    if (this.evictTimer !== null) clearImmediate(this.evictTimer)
    this.defrag.stop()
  }

  /** One round, also after the clock was moved. */
  tick(): void {
    const { engine, memory, migration, persistence, replication, shutdown } = this.server
    if (engine.isStopped || this.isPaused) return
    engine.clock.refresh()
    engine.keyspace.updateLruClock()
    if (engine.statistics.sampleRates()) replication.sampleRates()
    engine.pause.tick()
    engine.blocking.tick()
    this.keepKeyspace()
    engine.serveReadyKeys()
    this.clients.tick()
    this.every(CLIENTS_SAMPLE_MS, this.sampleClients)
    memory.updatePeak()
    this.every(REPORT_MS, this.report)
    this.every(TRIM_MS, this.trim)
    this.defrag.tick()
    replication.tick()
    persistence.cron()
    migration.tick()
    this.idle?.tick()
    shutdown.tick()
  }

  /** Overdue keys, tables that grow or shrink, memory of emptied databases: a share of each. */
  private keepKeyspace(): void {
    const { engine } = this.server
    const { keyspace, settings } = engine
    if (settings.activeExpire && keyspace.expireMode === EXPIRE_DELETE) {
      this.expireCycle.effort = settings.activeExpireEffort
      this.expire(this.expireCycle.slow(settings.hz))
      this.fieldExpireTurns = Math.max(1, Math.floor(FIELD_EXPIRE_US / settings.hz / FIELD_EXPIRE_TURN_US))
      this.expireFields()
    }
    // A table that a loader has made room in is not to shrink before it is filled.
    if (settings.activeRehashing && (engine.gate & GATE_LOADING) === 0) this.rehash()
    if (!keyspace.lazyFree.isIdle) this.freeLater()
  }

  /** The next turn of a cycle comes when clients have had theirs. */
  private expire(goesOn: boolean): void {
    const { expireCycle } = this
    if (!goesOn) {
      this.countExpiry(expireCycle.usedUs)
      this.expireFast()
    } else if (this.timer !== null) {
      this.expireTimer ??= setImmediate(() => {
        this.expireTimer = null
        const { engine } = this.server
        if (!engine.isStopped && engine.keyspace.expireMode === EXPIRE_DELETE) this.expire(expireCycle.goOn())
      })
    } else while (expireCycle.goOn());
  }

  /** While the cron's cycles cannot keep up, short ones run in between. */
  private readonly expireFast = (): void => {
    if (this.timer === null || !this.expireCycle.isBehind) return
    this.fastTimer ??= setTimeout(() => {
      this.fastTimer = null
      const { engine } = this.server
      if (engine.isStopped || !engine.settings.activeExpire || engine.keyspace.expireMode !== EXPIRE_DELETE) return
      this.expire(this.expireCycle.fast())
    }, FAST_EXPIRE_MS)
  }

  /** Turns of a millisecond, clients served in between, while they find much. */
  private readonly expireFields = (): void => {
    const { engine } = this.server
    const { keyspace } = engine
    if (engine.isStopped || this.fieldExpireTurns === 0 || keyspace.expireMode !== EXPIRE_DELETE) return
    this.fieldExpireTurns--
    if (!this.fieldExpireCycle.turn(FIELD_EXPIRE_TURN_US)) return
    if (this.timer === null) this.expireFields()
    else {
      this.fieldExpireTimer ??= setImmediate(() => {
        this.fieldExpireTimer = null
        this.expireFields()
      })
    }
  }

  private countExpiry(usec: number): void {
    const { engine } = this.server
    engine.statistics.expireCycleUs += usec
    engine.latency.sample('expire-cycle', usec / 1000)
  }

  private rehash(): void {
    const { clock, keyspace } = this.server.engine
    clock.refresh()
    const stopUs = clock.monotonicUs + REHASH_US
    for (const db of keyspace.databases) {
      while (db.rehash(REHASH_BUCKETS)) {
        clock.refresh()
        if (clock.monotonicUs >= stopUs) return
      }
    }
  }

  /** Frees emptied databases in short turns, clients served in between. */
  private readonly freeLater = (): void => {
    const { engine } = this.server
    if (engine.isStopped || !engine.keyspace.lazyFree.step(FREE_US)) return
    this.freeTimer ??= setImmediate(() => {
      this.freeTimer = null
      this.freeLater()
    })
  }

  /** Memory is above its limit, and more is to be freed than one turn can. */
  private readonly evict = (): void => {
    this.evictTimer ??= setImmediate(() => {
      this.evictTimer = null
      const { engine } = this.server
      if (!engine.isStopped) engine.eviction.goOn()
    })
  }

  private readonly sampleClients = (): void => this.server.memory.sampleClients()

  private readonly trim = (): void => this.server.engine.keyspace.arena.trim()

  /** What is in the databases and who is connected, for logs that are kept in detail. */
  private readonly report = (): void => {
    const { logger, engine, memory } = this.server
    if (!logger.isOn('verbose')) return
    const { table, databases } = engine.keyspace
    for (const db of databases) {
      if (db.size === 0) continue
      const { table: keys } = db.tables()[0]!
      const slots = table.slotCount(keys, 0) + (table.isRehashing(keys) ? table.slotCount(keys, 1) : 0)
      logger.verbose(`DB ${db.index}: ${db.size} keys (${db.expiresSize} volatile) in ${slots} slots HT.`)
    }
    let replicas = 0
    for (const session of engine.sessions.values()) if (session.has(REPLICA)) replicas++
    const clients = engine.sessions.size - replicas
    logger.debug(`${clients} clients connected (${replicas} replicas), ${memory.usedBytes} bytes in use`)
  }

  private every(periodMs: number, part: () => void): void {
    const { nowMs } = this.server.engine.clock
    const done = this.doneMs.get(part)
    // A clock that was set back must not hold things up.
    if (done !== undefined && nowMs - done < periodMs && nowMs >= done) return
    this.doneMs.set(part, nowMs)
    part()
  }

  private schedule(delayMs: number): void {
    this.timer = setTimeout(() => {
      this.tick()
      if (this.timer !== null) this.schedule(1000 / this.server.engine.settings.hz)
    }, delayMs)
  }
}
