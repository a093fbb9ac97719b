/**
 * Gives memory back that is held by few blocks on many pages, as after most keys of a large database went: the emptiest
 * pages are chosen to be left (Arena.startCompaction), and one walk over all keys moves what lies there. In steps, so that
 * nobody waits; what large values consist of comes in steps of its own.
 *
 *   begin -> step, step ... -> the walk is over -> begin, while it helps
 *
 * Not moved are blocks whose owners nobody meets on this walk: the inside of large sorted sets and streams, and fields of
 * hashes that expire. Their pages stay; a pass that emptied none says that more of them would not help.
 * Where it differs from Redis: there jemalloc is asked for each block whether moving it would help (defrag.c).
 */
import { PAGE_BYTES, type Ref } from '../memory/arena.ts'
import type { TableRef } from '../structures/hash-table.ts'
import type { Db } from './db.ts'
import { NO_KEY, TYPE_MODULE, TYPE_STRING } from './entry.ts'
import type { Keyspace } from './keyspace.ts'

/** Buckets, and blocks, between two looks at the clock. */
const BUCKETS_PER_LOOK = 8
const BLOCKS_PER_LOOK = 200

interface LargeValue {
  readonly db: Db
  readonly key: Uint8Array
  readonly type: number
  readonly encoding: number
  position: number
}

export class Defragmenter {
  /** As INFO shows them: keys of which something was moved, and others that were visited. */
  keyHits = 0
  keyMisses = 0
  /** Pages that the last pass emptied were more than what it moved fills. */
  wasFruitful = false
  /** active-defrag-max-scan-fields: values of more effort are moved in steps of their own, or not if their type cannot. */
  atOnceEffortMax = 1000
  private readonly keyspace: Keyspace
  private dbIndex = 0
  /** 0: keys, 1: the table of those that expire. */
  private tableIndex = 0
  private position = 0
  private movedBefore = 0
  private leftBefore = 0
  private readonly large: LargeValue[] = []

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  get isRunning(): boolean {
    return this.keyspace.arena.isCompacting
  }

  /** Begins a pass. Returns whether there is anything to move. */
  begin(): boolean {
    this.dbIndex = 0
    this.tableIndex = 0
    this.position = 0
    this.large.length = 0
    const { arena } = this.keyspace
    this.movedBefore = arena.relocatedBytes
    this.leftBefore = arena.leftPages
    return arena.startCompaction()
  }

  /** Ends the pass where it is. */
  stop(): void {
    this.large.length = 0
    this.keyspace.arena.endCompaction()
  }

  /** Goes on until `stopUs` of the monotonic clock. Returns false when the pass is over. */
  step(stopUs: number): boolean {
    const { arena, clock, databases } = this.keyspace
    while (arena.isCompacting) {
      const enough = arena.relocatedBlocks + arena.stayedBlocks + BLOCKS_PER_LOOK
      for (let i = 0; i < BUCKETS_PER_LOOK && arena.relocatedBlocks + arena.stayedBlocks < enough; i++) {
        if (this.large.length > 0) this.moveLarge()
        else if (this.dbIndex < databases.length) this.moveBucket(databases[this.dbIndex]!)
        else {
          const leftBytes = (arena.leftPages - this.leftBefore) * PAGE_BYTES
          this.wasFruitful = leftBytes > arena.relocatedBytes - this.movedBefore
          this.stop()
          return false
        }
      }
      clock.refresh()
      if (clock.monotonicUs >= stopUs) return arena.isCompacting
    }
    return false
  }

  private moveBucket(db: Db): void {
    const { table } = this.keyspace
    const ref: TableRef = db.tables()[this.tableIndex]!.table
    const move = this.tableIndex === 0 ? (entry: Ref) => this.moveKey(db, entry) : null
    this.position = table.relocate(ref, this.position, move)
    if (this.position >= 0) return
    this.position = 0
    this.tableIndex ^= 1
    if (this.tableIndex === 0) this.dbIndex++
  }

  private moveKey(db: Db, entry: Ref): Ref {
    const { arena } = this.keyspace
    const before = arena.relocatedBlocks
    const moved = db.relocated(entry)
    const type = db.typeOf(moved)
    if (type !== TYPE_STRING && type !== TYPE_MODULE) this.moveValue(db, moved)
    if (arena.relocatedBlocks > before) this.keyHits++
    else this.keyMisses++
    return moved
  }

  private moveValue(db: Db, entry: Ref): void {
    const { arena, types } = this.keyspace
    const type = types[db.typeOf(entry)]!
    const encoding = db.encodingOf(entry)
    const root = db.rootOf(entry)
    if (type.relocate === undefined) {
      if ((type.freeEffort?.(root, encoding) ?? 1) > this.atOnceEffortMax) return
      if (type.leaves === undefined || !type.leaves(root, encoding)) {
        arena.stayedBlocks++
        return
      }
      const usedBytes = arena.usedBytes
      let copy: Ref
      try {
        copy = type.copy(root, encoding)
      } catch {
        // There is no memory for it: it stays.
        return
      }
      arena.relocatedBlocks++
      arena.relocatedBytes += arena.usedBytes - usedBytes
      db.setRoot(entry, copy)
      type.release(root, encoding)
      return
    }
    const moved = arena.moved(root)
    if (moved !== root) db.setRoot(entry, moved)
    let position = type.relocate(moved, encoding, 0)
    if (position < 0) return
    if ((type.freeEffort?.(moved, encoding) ?? 1) <= this.atOnceEffortMax) {
      while (position >= 0) position = type.relocate(moved, encoding, position)
      return
    }
    this.large.push({ db, key: db.keyBytes(entry), type: type.type, encoding, position })
  }

  /** The next part of a large value, if it is still what it was. */
  private moveLarge(): void {
    const { large, keyspace } = this
    const value = large[large.length - 1]!
    const { db, key, type, encoding } = value
    const entry = db.peekOverdue(key, 0, key.length)
    if (entry !== NO_KEY && db.typeOf(entry) === type && db.encodingOf(entry) === encoding) {
      value.position = keyspace.types[type]!.relocate!(db.rootOf(entry), encoding, value.position)
      if (value.position >= 0) return
    }
    large.pop()
  }
}
