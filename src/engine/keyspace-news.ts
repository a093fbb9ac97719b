/**
 * What follows from what the keyspace does by itself: keys and fields that expire, keys that are looked for in vain or
 * added, streams that go. Others have to hear of it: replicas and files, WATCH, subscribers, clients that wait for keys.
 */
import { Argv } from '../base/argv.ts'
import type { Db } from '../keyspace/db.ts'
import type { KeyspaceListener } from '../keyspace/keyspace.ts'
import type { Ref } from '../memory/arena.ts'
import type { Engine } from './engine.ts'
import { GATE_LOADING } from './gates.ts'
import { NOTIFY_EXPIRED, NOTIFY_GENERIC, NOTIFY_HASH, NOTIFY_KEY_MISS, NOTIFY_NEW } from './notifications.ts'

export class KeyspaceNews implements KeyspaceListener {
  private readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
  }

  expired(db: Db, entry: Ref): void {
    const { effects, settings, watch } = this.engine
    const at = db.keyAt(entry)
    const length = db.keyLength(entry)
    const bytes = db.bytesOf(entry)
    if (effects.isActive) {
      effects.add(db.index, Argv.of([settings.lazyExpire ? 'UNLINK' : 'DEL', bytes.slice(at, at + length)]))
    }
    if (!watch.isEmpty) watch.expired(db, bytes, at, length)
    this.publish(NOTIFY_EXPIRED, 'expired', db, bytes, at, length)
    this.engine.flushLoneEffects()
  }

  fieldExpired(db: Db, entry: Ref, bytes: Uint8Array, start: number, length: number): void {
    const { effects } = this.engine
    if (effects.isActive) {
      effects.add(db.index, Argv.of(['HDEL', db.keyBytes(entry), bytes.slice(start, start + length)]))
    }
    this.engine.flushLoneEffects()
  }

  fieldsExpired(db: Db, key: Uint8Array, isGone: boolean): void {
    const { watch } = this.engine
    if (!watch.isEmpty) watch.touch(db, key, 0, key.length)
    this.publish(NOTIFY_HASH, 'hexpired', db, key, 0, key.length)
    if (isGone) this.publish(NOTIFY_GENERIC, 'del', db, key, 0, key.length)
  }

  missed(db: Db, bytes: Uint8Array, start: number, length: number): void {
    this.publish(NOTIFY_KEY_MISS, 'keymiss', db, bytes, start, length)
  }

  added(db: Db, bytes: Uint8Array, start: number, length: number): void {
    const { gate, keyWaiters } = this.engine
    if ((gate & GATE_LOADING) !== 0) return
    if (!keyWaiters.isEmpty) keyWaiters.added(db, bytes, start, length)
    this.publish(NOTIFY_NEW, 'new', db, bytes, start, length)
  }

  streamGone(db: Db, entry: Ref): void {
    this.engine.keyWaiters.streamGone(db, entry)
  }

  private publish(eventClass: number, event: string, db: Db, bytes: Uint8Array, start: number, length: number): void {
    const { engine } = this
    if (engine.settings.notifyFlags & eventClass) engine.notify(eventClass, event, db, bytes, start, length)
  }
}
