/**
 * What is left of emptied databases: their tables, no longer reachable, whose entries are freed in steps so that nobody
 * waits for them. Redis leaves this to a thread (lazyfree.c); here it is a share of the cron.
 */
import type { TableRef } from '../structures/hash-table.ts'
import type { Keyspace } from './keyspace.ts'

/** Fewer keys than this are freed at once: it takes less than 0.2 ms. */
const AT_ONCE_KEYS_MAX = 1000
/** Buckets freed between two looks at the clock. */
const BUCKETS_PER_LOOK = 16

interface Remains {
  readonly keys: TableRef
  /** 0 once it is freed. */
  expires: TableRef
  /** Keys when it was added, if a client asked for lazy freeing: counted in the statistics. */
  readonly countedKeys: number
}

export class LazyFree {
  /** As INFO shows them: lazyfree_pending_objects and lazyfreed_objects. */
  pendingObjects = 0
  freedObjects = 0
  private readonly keyspace: Keyspace
  private readonly queue: Remains[] = []

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  get isIdle(): boolean {
    return this.queue.length === 0
  }

  add(keys: TableRef, expires: TableRef, isLazy: boolean): void {
    const { table } = this.keyspace
    const count = table.count(keys)
    this.queue.push({ keys, expires, countedKeys: isLazy ? count : 0 })
    if (isLazy) this.pendingObjects += count
    if (count < AT_ONCE_KEYS_MAX && this.queue.length === 1) this.step(Number.POSITIVE_INFINITY)
  }

  /** Frees for `budgetUs` microseconds. Returns true while there is more. */
  step(budgetUs: number): boolean {
    const { clock } = this.keyspace
    const stopUs = clock.monotonicUs + budgetUs
    while (this.queue.length > 0) {
      for (let i = 0; i < BUCKETS_PER_LOOK; i++) if (!this.freeBucket()) break
      clock.refresh()
      if (clock.monotonicUs >= stopUs) break
    }
    return this.queue.length > 0
  }

  /** The whole arena has gone, and `objects` keys with it whose lazy freeing was asked for. */
  forget(objects: number): void {
    this.freedObjects += this.pendingObjects + objects
    this.pendingObjects = 0
    this.queue.length = 0
  }

  /** Frees the next bucket of the oldest remains. Returns false if that was its last. */
  private freeBucket(): boolean {
    const { keyspace, queue } = this
    const { table } = keyspace
    const remains = queue[0]!
    if (remains.expires !== 0) {
      // Its entries are those of the other table.
      if (!table.dismantle(remains.expires)) remains.expires = 0
      return true
    }
    const goesOn = table.dismantle(remains.keys)
    for (let i = 0; i < table.scannedCount; i++) keyspace.releaseEntry(table.scanned[i]!)
    if (goesOn) return true
    this.pendingObjects -= remains.countedKeys
    this.freedObjects += remains.countedKeys
    queue.shift()
    return false
  }
}
