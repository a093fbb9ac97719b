/**
 * Keys that clients of a writable replica have given an expire time. A replica waits for its master to say which keys are
 * gone, but of these the master knows nothing; so they are remembered, and removed when their time has come.
 * Source: Redis, expire.c (slaveKeysWithExpire).
 */
import type { Db } from '../keyspace/db.ts'
import { NO_KEY } from '../keyspace/entry.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import type { Ref } from '../memory/arena.ts'

/** Keys looked at in one round. */
const KEYS_PER_ROUND = 256

export class OwnExpires {
  private readonly keyspace: Keyspace
  /** By name, one character per byte: the databases. */
  private readonly keys = new Map<string, Set<Db>>()

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  /** slave_expires_tracked_keys. */
  get size(): number {
    return this.keys.size
  }

  /** Begins or stops to remember. */
  setActive(isActive: boolean): void {
    this.keyspace.expireObserver = isActive ? this.note : null
  }

  clear(): void {
    this.keys.clear()
  }

  /** Removes what is overdue, some at a time. */
  tick(): void {
    let left = KEYS_PER_ROUND
    // Those that are put back at the end are not seen again.
    left = Math.min(left, this.keys.size)
    for (const [name, databases] of this.keys) {
      if (left-- === 0) return
      const key = Buffer.from(name, 'latin1')
      for (const db of databases) {
        const entry = db.peekOverdue(key, 0, key.length)
        const lasts = entry !== NO_KEY && db.expireAtMs(entry) !== -1
        if (lasts && !db.isOverdue(entry)) continue
        if (lasts) db.expire(entry)
        databases.delete(db)
      }
      this.keys.delete(name)
      // To the end of the queue: the others have their turn first.
      if (databases.size > 0) this.keys.set(name, databases)
    }
  }

  private readonly note = (db: Db, entry: Ref): void => {
    const name = Buffer.from(db.keyBytes(entry)).toString('latin1')
    const databases = this.keys.get(name)
    if (databases === undefined) this.keys.set(name, new Set([db]))
    else databases.add(db)
  }
}
