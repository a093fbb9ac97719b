/**
 * Active expiry: removes overdue keys that nobody asks for, by sampling the expires tables with bounded time.
 *
 * A slow cycle runs with the cron and takes up to a quarter of its period; while it cannot keep up, fast cycles of a
 * millisecond run in between. A database is left when less than a tenth of what was sampled was overdue. Method and
 * figures are Redis's (expire.c, activeExpireCycle), so that INFO's numbers mean the same.
 */
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
/** Loops between two looks at the clock. */
const LOOPS_PER_LOOK = 16
/** Of a new average time to live, this share of the old one stays. */
const AVERAGE_KEPT = 0.98
const STALE_KEPT = 0.95

export class ExpireCycle {
  /** active-expire-effort, 1 to 10: samples more, takes longer, accepts less. */
  effort = 1
  private readonly keyspace: Keyspace
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
  }

  /** Whether fast cycles are worth while. */
  get isBehind(): boolean {
    return this.ranOutOfTime || this.keyspace.expiredStalePercent >= STALE_PERCENT_ACCEPTABLE - (this.effort - 1)
  }

  /** The cron's share, `hz` times a second. Returns the time taken, microseconds. */
  slow(hz: number): number {
    const percent = SLOW_CYCLE_PERCENT + 2 * (this.effort - 1)
    return this.run(Math.max(1, (percent * 1e6) / hz / 100))
  }

  /** A short cycle between the slow ones. Returns the time taken, microseconds. */
  fast(): number {
    const budgetUs = FAST_CYCLE_US + (FAST_CYCLE_US / 4) * (this.effort - 1)
    const { clock } = this.keyspace
    clock.refresh()
    if (!this.isBehind || clock.monotonicUs < this.fastStartedUs + budgetUs * 2) return 0
    this.fastStartedUs = clock.monotonicUs
    return this.run(budgetUs)
  }

  private run(budgetUs: number): number {
    const { keyspace } = this
    const { clock, databases } = keyspace
    clock.refresh()
    const startUs = clock.monotonicUs
    const databasesMax = this.ranOutOfTime ? databases.length : Math.min(DATABASES_PER_CYCLE, databases.length)
    this.ranOutOfTime = false
    let totalSampled = 0
    let totalExpired = 0
    for (let i = 0; i < databasesMax && !this.ranOutOfTime; i++) {
      // Counted up first: a cycle that ends early goes on with the next database.
      const db = databases[this.nextDb++ % databases.length]!
      let loops = 0
      do {
        this.sampled = 0
        this.expired = 0
        if (!this.sample(db)) break
        totalSampled += this.sampled
        totalExpired += this.expired
        if (++loops % LOOPS_PER_LOOK === 0) {
          clock.refresh()
          if (clock.monotonicUs - startUs > budgetUs) {
            this.ranOutOfTime = true
            keyspace.expiredTimeCapReached++
            break
          }
        }
      } while (this.sampled === 0 || (this.expired * 100) / this.sampled > STALE_PERCENT_ACCEPTABLE - (this.effort - 1))
    }
    clock.refresh()
    const stalePercent = totalSampled === 0 ? 0 : (totalExpired / totalSampled) * 100
    keyspace.expiredStalePercent = stalePercent * (1 - STALE_KEPT) + keyspace.expiredStalePercent * STALE_KEPT
    return clock.monotonicUs - startUs
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
    for (let buckets = 0; buckets < wanted * 20 && this.sampled < wanted; buckets++) {
      db.expireCursor = db.scanExpires(db.expireCursor, (entry) => {
        this.sampled++
        const ttlMs = db.expireAtMs(entry) - nowMs
        if (ttlMs < 0) {
          db.expire(entry)
          this.expired++
        } else {
          this.ttlSum += ttlMs
          this.ttlSamples++
        }
      })
    }
    if (this.ttlSamples > 0) {
      const average = this.ttlSum / this.ttlSamples
      db.averageTtlMs = db.averageTtlMs === 0 ? average : db.averageTtlMs * AVERAGE_KEPT + average * (1 - AVERAGE_KEPT)
    }
    return true
  }
}
