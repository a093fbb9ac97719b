/**
 * Active expiry: removes overdue keys that nobody asks for, by sampling the expires tables with bounded time.
 *
 * A slow cycle runs with the cron and takes up to a quarter of its period; while it cannot keep up, fast cycles of a
 * millisecond run in between. A database is left when less than a tenth of what was sampled was overdue. Method and
 * figures are Redis's (expire.c, activeExpireCycle), so that INFO's numbers mean the same. But where a cycle stalls Redis
 * for its 25 ms, here it is cut into turns of a millisecond.
 */

import type { Ref } from '../memory/arena.ts'
import type { Db } from './db.ts'
import type { Keyspace } from './keyspace.ts'

const KEYS_PER_LOOP = 20
const FAST_CYCLE_US = 1000
const SLOW_CYCLE_PERCENT = 25
const STALE_PERCENT_ACCEPTABLE = 10
const DATABASES_PER_CYCLE = 16
/** Tables this sparse are left alone until they have shrunk, in percent. */
const FILL_PERCENT_MIN = 1
/** Tables up to this many slots are looked through however sparse. */
const FILL_SLOTS_MIN = 48
/** Buckets looked at for each key that is wanted, at most. */
const BUCKETS_PER_KEY = 20
/** A cycle is worked off in turns of this length, clients served in between. */
const TURN_US = 1000
/** Of a new average time to live, this share of the old one stays. */
const AVERAGE_KEPT = 0.98
const STALE_KEPT = 0.95

export class ExpireCycle {
  /** active-expire-effort, 1 to 10: samples more, takes longer, accepts less. */
  effort = 1
  /** Time that the last cycle took, or the one under way so far, microseconds. */
  usedUs = 0
  private readonly keyspace: Keyspace
  /** Databases that the cycle under way has still to look at, the first of them begun or not. */
  private databasesLeft = 0
  private db: Db
  private budgetUs = 0
  private totalSampled = 0
  private totalExpired = 0
  private nextDb = 0
  /** The last cycle ended for want of time. */
  private ranOutOfTime = false
  private fastStartedUs = 0
  private sampled = 0
  private expired = 0
  private ttlSum = 0
  private ttlSamples = 0

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
    this.db = keyspace.databases[0]!
  }

  /** Whether fast cycles are worth while. */
  get isBehind(): boolean {
    return this.ranOutOfTime || this.keyspace.expiredStalePercent >= this.acceptablePercent
  }

  /**
   * Begins the cron's cycle, `hz` times a second, unless the last one is still under way. Returns true if it is to be
   * worked on by `goOn`.
   */
  slow(hz: number): boolean {
    if (this.databasesLeft > 0) return true
    const percent = SLOW_CYCLE_PERCENT + 2 * (this.effort - 1)
    return this.begin(Math.max(1, (percent * 1e6) / hz / 100))
  }

  /** Begins a short cycle between the slow ones, if it is worth while and the last one was not just now. */
  fast(): boolean {
    if (this.databasesLeft > 0) return true
    const budgetUs = FAST_CYCLE_US + (FAST_CYCLE_US / 4) * (this.effort - 1)
    const { clock } = this.keyspace
    clock.refresh()
    this.usedUs = 0
    if (!this.isBehind || clock.monotonicUs < this.fastStartedUs + budgetUs * 2) return false
    this.fastStartedUs = clock.monotonicUs
    return this.begin(budgetUs)
  }

  /** Takes a turn. Returns true while there is more to do in this cycle. */
  goOn(): boolean {
    const { keyspace } = this
    const { clock } = keyspace
    clock.refresh()
    const startUs = clock.monotonicUs
    const leftUs = this.budgetUs - this.usedUs
    const turnUs = Math.min(TURN_US, leftUs)
    while (this.databasesLeft > 0) {
      this.sampled = 0
      this.expired = 0
      const isDone = !this.sample(this.db)
      this.totalSampled += this.sampled
      this.totalExpired += this.expired
      if (isDone || (this.sampled > 0 && (this.expired * 100) / this.sampled <= this.acceptablePercent))
        this.turnToNext()
      clock.refresh()
      if (clock.monotonicUs - startUs < turnUs) continue
      if (turnUs < leftUs) break
      if (this.databasesLeft > 0) {
        this.ranOutOfTime = true
        keyspace.expiredTimeCapReached++
      }
      this.databasesLeft = 0
    }
    this.usedUs += clock.monotonicUs - startUs
    if (this.databasesLeft > 0) return true
    const stalePercent = this.totalSampled === 0 ? 0 : (this.totalExpired / this.totalSampled) * 100
    keyspace.expiredStalePercent = stalePercent * (1 - STALE_KEPT) + keyspace.expiredStalePercent * STALE_KEPT
    return false
  }

  private get acceptablePercent(): number {
    return STALE_PERCENT_ACCEPTABLE - (this.effort - 1)
  }

  private begin(budgetUs: number): boolean {
    const { databases } = this.keyspace
    const count = this.ranOutOfTime ? databases.length : Math.min(DATABASES_PER_CYCLE, databases.length)
    this.ranOutOfTime = false
    this.budgetUs = budgetUs
    this.usedUs = 0
    this.totalSampled = 0
    this.totalExpired = 0
    // One more than there are to look at, which the first turn counts off.
    this.databasesLeft = count + 1
    this.turnToNext()
    return this.goOn()
  }

  /** A cycle that runs out of time in a database leaves it for the end of the next round: the next one has its turn. */
  private turnToNext(): void {
    const { databases } = this.keyspace
    if (--this.databasesLeft > 0) this.db = databases[this.nextDb++ % databases.length]!
  }

  /** Looks at some keys of a database. Returns false if there are none worth looking for. */
  private sample(db: Db): boolean {
    const { expiresSize, expiresSlots } = db
    if (expiresSize === 0) {
      db.averageTtlMs = 0
      return false
    }
    if (expiresSlots > FILL_SLOTS_MIN && (expiresSize * 100) / expiresSlots < FILL_PERCENT_MIN) return false
    const wanted = Math.min(expiresSize, KEYS_PER_LOOP + (KEYS_PER_LOOP / 4) * (this.effort - 1))
    const { nowMs } = this.keyspace.clock
    this.ttlSum = 0
    this.ttlSamples = 0
    const look = (entry: Ref): void => {
      this.sampled++
      const ttlMs = db.expireAtMs(entry) - nowMs
      if (ttlMs < 0) {
        db.expire(entry)
        this.expired++
      } else if (ttlMs > 0) {
        this.ttlSum += ttlMs
        this.ttlSamples++
      }
    }
    for (let buckets = 0; buckets < wanted * BUCKETS_PER_KEY && this.sampled < wanted; buckets++) {
      db.expireCursor = db.scanExpires(db.expireCursor, look)
    }
    if (this.ttlSamples > 0) {
      const average = this.ttlSum / this.ttlSamples
      db.averageTtlMs = db.averageTtlMs === 0 ? average : db.averageTtlMs * AVERAGE_KEPT + average * (1 - AVERAGE_KEPT)
    }
    return true
  }
}
