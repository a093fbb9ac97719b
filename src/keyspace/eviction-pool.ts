/**
 * Which key to give up next: Redis's approximation of LRU, LFU and time to live (evict.c). Each choice samples a few keys
 * of every database, keeps the best candidates seen so far in a small pool sorted by score, and takes the best that still exists.
 *
 *   sample -> pool of 16, worst first -> best
 *
 * Keys of the pool are copies: what was sampled may be gone or moved when its turn comes. Scores are Redis's: seconds
 * without use, 255 less the decayed frequency, or how soon the key expires.
 */
import type { Ref } from '../memory/arena.ts'
import type { Db } from './db.ts'
import { NO_KEY } from './entry.ts'
import type { Keyspace } from './keyspace.ts'
import { lfuCounter } from './lfu.ts'
import { lruIdleSeconds } from './lru.ts'

/** As in Redis (EVPOOL_SIZE, EVPOOL_CACHED_SDS_SIZE). */
const POOL_SIZE = 16
const KEPT_KEY_BYTES = 255

export type EvictionOrder = 'lru' | 'lfu' | 'ttl' | 'random'

class Candidate {
  score = 0
  /** Negative: the place is free. */
  dbIndex = -1
  keyLength = 0
  key: Uint8Array
  private readonly kept: Uint8Array

  constructor() {
    this.kept = new Uint8Array(KEPT_KEY_BYTES)
    this.key = this.kept
  }

  fill(score: number, db: Db, entry: Ref): void {
    const length = db.keyLength(entry)
    const at = db.keyAt(entry)
    const bytes = db.bytesOf(entry)
    this.key = length <= KEPT_KEY_BYTES ? this.kept : new Uint8Array(length)
    for (let i = 0; i < length; i++) this.key[i] = bytes[at + i]!
    this.keyLength = length
    this.score = score
    this.dbIndex = db.index
  }

  clear(): void {
    this.dbIndex = -1
    this.score = 0
    this.key = this.kept
  }
}

export class EvictionPool {
  /** Of the key chosen by `next`. */
  dbIndex = 0
  private readonly keyspace: Keyspace
  /** Filled from the front; best last. */
  private readonly pool: Candidate[] = Array.from({ length: POOL_SIZE }, () => new Candidate())
  private nextDb = 0

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  /** The entry to remove next, of the database `dbIndex`; NO_KEY if there is none that may go. */
  next(order: EvictionOrder, onlyVolatile: boolean, samples: number): Ref {
    if (order === 'random') return this.nextRandom(onlyVolatile)
    for (;;) {
      let keys = 0
      for (const db of this.keyspace.databases) {
        const size = onlyVolatile ? db.expiresSize : db.size
        if (size === 0) continue
        keys += size
        this.populate(db, order, onlyVolatile, samples)
      }
      if (keys === 0) return NO_KEY
      const entry = this.takeBest(onlyVolatile)
      if (entry !== NO_KEY) return entry
    }
  }

  /** What was gathered by another order is no measure for this one. */
  clear(): void {
    for (const candidate of this.pool) candidate.clear()
  }

  private nextRandom(onlyVolatile: boolean): Ref {
    const { databases } = this.keyspace
    for (let tries = databases.length; tries > 0; tries--) {
      this.nextDb = (this.nextDb + 1) % databases.length
      const db = databases[this.nextDb]!
      const entry = onlyVolatile ? db.sampleExpires() : db.sample()
      if (entry === NO_KEY) continue
      this.dbIndex = this.nextDb
      return entry
    }
    return NO_KEY
  }

  private populate(db: Db, order: EvictionOrder, onlyVolatile: boolean, samples: number): void {
    const { table } = this.keyspace
    const start = db.sampleSome(samples, onlyVolatile)
    const { scanned, scannedCount } = table
    for (let i = 0; i < Math.min(samples, scannedCount); i++) {
      const entry = scanned[(start + i) % scannedCount]!
      this.offer(this.score(db, entry, order), db, entry)
    }
  }

  private score(db: Db, entry: Ref, order: EvictionOrder): number {
    const { keyspace } = this
    if (order === 'ttl') return -db.expireAtMs(entry)
    const lru = db.lruOf(entry)
    if (order === 'lfu') return 255 - lfuCounter(lru, keyspace)
    return lruIdleSeconds(lru, keyspace)
  }

  private offer(score: number, db: Db, entry: Ref): void {
    const { pool } = this
    const last = POOL_SIZE - 1
    let at = 0
    while (at < POOL_SIZE && pool[at]!.dbIndex >= 0 && pool[at]!.score < score) at++
    const isFull = pool[last]!.dbIndex >= 0
    // Worse than all that are here.
    if (at === 0 && isFull) return
    if (at < POOL_SIZE && pool[at]!.dbIndex < 0) {
      pool[at]!.fill(score, db, entry)
      return
    }
    let free: Candidate
    if (!isFull) {
      free = pool[last]!
      for (let i = last; i > at; i--) pool[i] = pool[i - 1]!
    } else {
      // The worst makes room.
      at--
      free = pool[0]!
      for (let i = 0; i < at; i++) pool[i] = pool[i + 1]!
    }
    pool[at] = free
    free.fill(score, db, entry)
  }

  private takeBest(onlyVolatile: boolean): Ref {
    for (let at = POOL_SIZE - 1; at >= 0; at--) {
      const candidate = this.pool[at]!
      if (candidate.dbIndex < 0) continue
      const db = this.keyspace.databases[candidate.dbIndex]!
      const entry = db.peekOverdue(candidate.key, 0, candidate.keyLength)
      this.dbIndex = candidate.dbIndex
      candidate.clear()
      if (entry === NO_KEY || (onlyVolatile && db.expireAtMs(entry) < 0)) continue
      return entry
    }
    return NO_KEY
  }
}
