/**
 * WATCH: which sessions watch which keys. A watched key that changes, or that was there and has expired, makes the
 * session's next EXEC fail. Costs nothing while nobody watches.
 *
 * A key that was overdue already when it was watched counts as absent: its removal is no change. Once a session is
 * known to fail it watches nothing any more.
 */
import type { Db } from '../keyspace/db.ts'
import { EXPIRE_IGNORE } from '../keyspace/entry.ts'
import { DIRTY_CAS, type Session } from './session.ts'

export interface WatchedKey {
  readonly db: Db
  readonly key: Uint8Array
  /** Latin-1 of the key: what it is found by. */
  readonly name: string
  /** Overdue when it was watched, and still there. */
  wasOverdue: boolean
}

export class WatchTable {
  private readonly byDb = new Map<Db, Map<string, Map<Session, WatchedKey>>>()
  private count = 0

  get isEmpty(): boolean {
    return this.count === 0
  }

  /** Keys watched in all, each counted once for every session that watches it. */
  get size(): number {
    return this.count
  }

  watch(session: Session, db: Db, key: Uint8Array): void {
    const name = Buffer.from(key).toString('latin1')
    let keys = this.byDb.get(db)
    if (keys === undefined) this.byDb.set(db, (keys = new Map()))
    let watchers = keys.get(name)
    if (watchers === undefined) keys.set(name, (watchers = new Map()))
    if (watchers.has(session)) return
    const watched: WatchedKey = { db, key, name, wasOverdue: isOverdue(db, key) }
    watchers.set(session, watched)
    session.watched.push(watched)
    this.count++
  }

  unwatchAll(session: Session): void {
    for (const { db, name } of session.watched) {
      const keys = this.byDb.get(db)!
      const watchers = keys.get(name)!
      watchers.delete(session)
      if (watchers.size === 0) keys.delete(name)
      if (keys.size === 0) this.byDb.delete(db)
      this.count--
    }
    session.watched = []
  }

  /** Whether a key that the session watches has expired since. */
  hasExpired(session: Session): boolean {
    return session.watched.some(({ db, key, wasOverdue }) => !wasOverdue && isOverdue(db, key))
  }

  /** A key has changed. */
  touch(db: Db, bytes: Uint8Array, start: number, length: number): void {
    const watchers = this.watchersOf(db, bytes, start, length)
    if (watchers === undefined) return
    for (const [session, watched] of watchers) {
      if (!watched.wasOverdue) this.fail(session)
      else if (!exists(db, watched.key)) watched.wasOverdue = false
    }
  }

  /** A key's time has come and it is about to be removed. */
  expired(db: Db, bytes: Uint8Array, start: number, length: number): void {
    const watchers = this.watchersOf(db, bytes, start, length)
    if (watchers === undefined) return
    for (const [session, watched] of watchers) {
      if (watched.wasOverdue) watched.wasOverdue = false
      else this.fail(session)
    }
  }

  /** To be called before all keys of a database go (`replacedBy` null), or become those of another database. */
  touchAll(db: Db, replacedBy: Db | null): void {
    const keys = this.byDb.get(db)
    if (keys === undefined) return
    for (const watchers of keys.values()) {
      for (const [session, watched] of watchers) {
        const { key } = watched
        const existed = exists(db, key)
        const willExist = replacedBy !== null && exists(replacedBy, key)
        if (!existed && !willExist) continue
        const willBeOverdue = willExist && isOverdue(replacedBy!, key)
        if (watched.wasOverdue && !willExist) watched.wasOverdue = false
        else if (watched.wasOverdue && willBeOverdue) continue
        else if (!watched.wasOverdue && !existed && willBeOverdue) watched.wasOverdue = true
        else this.fail(session)
      }
    }
  }

  private watchersOf(db: Db, bytes: Uint8Array, start: number, length: number): Map<Session, WatchedKey> | undefined {
    const keys = this.byDb.get(db)
    return keys?.get(Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1'))
  }

  private fail(session: Session): void {
    session.flags |= DIRTY_CAS
    this.unwatchAll(session)
  }
}

function exists(db: Db, key: Uint8Array): boolean {
  return db.peekOverdue(key, 0, key.length) !== 0
}

function isOverdue(db: Db, key: Uint8Array): boolean {
  const entry = db.peekOverdue(key, 0, key.length)
  return entry !== 0 && db.keyspace.expireMode !== EXPIRE_IGNORE && db.isOverdue(entry)
}
