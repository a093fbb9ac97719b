/**
 * Active expiry of hash fields: removes overdue ones that nobody asks for. Each turn goes on through the hashes that have
 * fields that expire; one in which nothing is due costs a comparison. Where Redis keeps them sorted by time
 * (activeExpireHashFieldCycle), here a walk that never ends finds them, and is given more turns while it finds much.
 */
import type { Db } from './db.ts'
import type { Keyspace } from './keyspace.ts'

/** Of the hashes looked at, more than this share had something due: it is worth going on. */
const STALE_SHARE_MIN = 0.1
/** Hashes between two looks at the clock. */
const HASHES_PER_LOOK = 64

export class FieldExpireCycle {
  private readonly keyspace: Keyspace
  private nextDb = 0
  private looked = 0
  private stale = 0

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  /** Takes a turn. Returns true if another one soon is worth while: time ran out while there was much to do. */
  turn(budgetUs: number): boolean {
    const { clock, databases } = this.keyspace
    clock.refresh()
    const stopUs = clock.monotonicUs + budgetUs
    this.looked = 0
    this.stale = 0
    for (let i = 0; i < databases.length; i++) {
      const db = databases[this.nextDb % databases.length]!
      if (!db.fieldExpiry.isEmpty && !this.walk(db, stopUs)) return this.stale > this.looked * STALE_SHARE_MIN
      this.nextDb = (this.nextDb + 1) % databases.length
    }
    return false
  }

  /** Goes on to the end of a database's hashes. Returns false if time ran out before. */
  private walk(db: Db, stopUs: number): boolean {
    const { clock, table, hashes } = this.keyspace
    const { fieldExpiry } = db
    let untilLook = HASHES_PER_LOOK
    do {
      const from = fieldExpiry.cursor
      fieldExpiry.gather()
      const entries = table.scanned.slice(0, table.scannedCount)
      for (const entry of entries) {
        this.looked++
        if (!hashes.hasOverdue(db, entry)) continue
        this.stale++
        if (!hashes.expireUntil(db, entry, stopUs)) {
          // The rest of it is met again, as are the others of its bucket.
          fieldExpiry.cursor = from
          return false
        }
      }
      untilLook -= entries.length
      if (untilLook > 0) continue
      untilLook = HASHES_PER_LOOK
      clock.refresh()
      if (clock.monotonicUs >= stopUs && fieldExpiry.cursor !== 0) return false
    } while (fieldExpiry.cursor !== 0)
    return true
  }
}
