/**
 * WATCH: which sessions watch which keys. A watched key that changes, or that was there and has expired, makes the
 * session's next EXEC fail. Costs nothing while nobody watches.
 */
import type { Db } from '../keyspace/db.ts'
import { DIRTY_CAS, type Session } from './session.ts'

export interface WatchedKey {
  readonly db: Db
  readonly key: Uint8Array
  /** Latin-1 of the key: what it is found by. */
  readonly name: string
  /** It was overdue already when it was watched: its removal is then no change. */
  readonly wasOverdue: boolean
}

export class WatchTable {
  private readonly byDb = new Map<Db, Map<string, Set<Session>>>()
  private count = 0

  get isEmpty(): boolean {
    return this.count === 0
  }

  /** Sessions that watch at least one key are counted by INFO. */
  watch(session: Session, db: Db, key: Uint8Array): void {
    const name = Buffer.from(key).toString('latin1')
    if (session.watched.some((watched) => watched.db === db && watched.name === name)) return
    const entry = db.peekOverdue(key, 0, key.length)
    session.watched.push({ db, key, name, wasOverdue: entry !== 0 && db.isOverdue(entry) })
    let keys = this.byDb.get(db)
    if (keys === undefined) this.byDb.set(db, (keys = new Map()))
    let sessions = keys.get(name)
    if (sessions === undefined) keys.set(name, (sessions = new Set()))
    sessions.add(session)
    this.count++
  }

  unwatchAll(session: Session): void {
    for (const { db, name } of session.watched) {
      const keys = this.byDb.get(db)!
      const sessions = keys.get(name)!
      sessions.delete(session)
      if (sessions.size === 0) keys.delete(name)
      if (keys.size === 0) this.byDb.delete(db)
      this.count--
    }
    session.watched = []
  }

  /** Whether a key that the session watches has expired since. */
  hasExpired(session: Session): boolean {
    return session.watched.some(({ db, key, wasOverdue }) => {
      if (wasOverdue) return false
      const entry = db.peekOverdue(key, 0, key.length)
      return entry !== 0 && db.isOverdue(entry)
    })
  }

  /** A key has changed. */
  touch(db: Db, bytes: Uint8Array, start: number, length: number): void {
    const keys = this.byDb.get(db)
    if (keys === undefined) return
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1')
    const sessions = keys.get(name)
    if (sessions === undefined) return
    for (const session of sessions) this.mark(session, db, name)
  }

  /** All keys of a database go (`replacedBy` null), or become those of another database. */
  touchAll(db: Db, replacedBy: Db | null): void {
    const keys = this.byDb.get(db)
    if (keys === undefined) return
    for (const [name, sessions] of keys) {
      const key = Buffer.from(name, 'latin1')
      const existed = db.peekOverdue(key, 0, key.length) !== 0
      const willExist = replacedBy !== null && replacedBy.peekOverdue(key, 0, key.length) !== 0
      if (!existed && !willExist) continue
      for (const session of sessions) this.mark(session, db, name)
    }
  }

  private mark(session: Session, db: Db, name: string): void {
    const watched = session.watched.find((key) => key.db === db && key.name === name)!
    if (watched.wasOverdue && db.peekOverdue(watched.key, 0, watched.key.length) === 0) return
    session.flags |= DIRTY_CAS
  }
}
