/**
 * The hash table: keyspace, expires, and later hashes, sets and sorted sets' members. Off-heap, chained by bucket,
 * rehashed in steps, scanned with cursors that survive a rehash.
 *
 *   table (48 bytes)                       bucket (64 bytes, one cache line)
 *    0 i32 buckets0   ref                   0 i32 entry[12]   refs, 0 = free
 *    4 i32 buckets1   ref, while rehashing  48 u8 tag[12]     top 8 bits of the entry's hash
 *    8 i32 exponent0  log2 of the buckets   60 i32 child      ref of a further bucket, 0 = none
 *   12 i32 exponent1  -1 = not rehashing
 *   16 i32 used0      entries
 *   20 i32 used1
 *   24 i32 rehashAt   next bucket of 0 to move
 *   28 i32 children   chained buckets, both tables
 *   32 i32 paused     rehashing is held while > 0
 *   36 i32 inChildren entries in chained buckets, both tables
 *
 *   entry: 0 i32 | hasExtra : 1 | owner's bits : 2 | key length : 29 |, then the owner's header, 8 extra bytes if hasExtra, the key
 *
 * Up to 2^14 buckets lie in one block; more are found through a directory of 1 MiB segments. A rehash makes the
 * segments of table 1 when it reaches them and frees those of table 0 behind it, so a table that grows needs little
 * more than the larger of both, and no step takes longer than it takes to clear 1 MiB.
 *
 * Invariants: only an entry's home bucket (hash & mask, of table 1 when its table-0 bucket has moved) or that bucket's
 * chain holds it; a chain has no empty child at its end. Maximum: 2^29 - 1 bytes per key, 2^26 buckets.
 * When memory ends, `insert` throws and leaves the table as it was; whatever else would allocate is left for later.
 * Cost: find is one cache line for the bucket and one for the entry; 5.3 bytes per entry in full buckets, about 8 on average.
 * Where it differs from Redis: dict.c links entries one by one; grouping twelve refs and their tags in a cache line
 * saves memory and misses (the idea of Swiss tables; Valkey 8.1 took the same way).
 * Sources: 1. Redis dict.c (reverse binary cursor, Pieter Noordhuis). 2. Abseil's Swiss tables design notes.
 */
import type { KeyHash } from '../base/hash.ts'
import type { Random } from '../base/random.ts'
import { type Arena, ArenaFullError, type Ref } from '../memory/arena.ts'

declare const tableRef: unique symbol
/** Address of a table's header. */
export type TableRef = Ref & { readonly [tableRef]?: never }

export const KEY_LENGTH_MASK = 0x1fff_ffff
export const KEY_BYTES_MAX = KEY_LENGTH_MASK
/** Set in an entry's first word (its sign bit) when 8 extra bytes stand before its key. */
export const HAS_EXTRA = 1 << 31
const EXTRA_BYTES = 8

const TABLE_BYTES = 48
const BUCKETS_0 = 0
const BUCKETS_1 = 1
const EXPONENT_0 = 2
const EXPONENT_1 = 3
const USED_0 = 4
const USED_1 = 5
const REHASH_AT = 6
const CHILDREN = 7
const PAUSED = 8
const IN_CHILDREN = 9

const BUCKET_WORDS = 16
const BUCKET_BYTES = 64
const BUCKET_GRANULES = 8
const SLOTS = 12
const TAG_WORD = 12
const CHILD_WORD = 15
/** Buckets of a segment, and the most that do without a directory: 2^14 of them take 1 MiB. */
const SEGMENT_EXPONENT = 14
const SEGMENT_MASK = (1 << SEGMENT_EXPONENT) - 1
const EXPONENT_MAX = 26
/** Entries per bucket that make a table grow: at 10 of 12 one bucket in five has a child. */
const GROW_PER_BUCKET = 10
/** A table with fewer entries than buckets (1 of 12 slots) shrinks. */
const SHRINK_PER_BUCKET = 1
const SHRINK_EXPONENT_STEP = 3
const RANDOM_TRIES_MAX = 1000
const RELOCATE_BUCKETS = 32

export class HashTable {
  /**
   * Where the last successful find was: the word of the slot in `slotView`; where one without success ended: the word of
   * the last bucket of the chain. Dead after any call that writes.
   */
  private slotView: Int32Array = new Int32Array(0)
  private slotAt = 0
  private slotTable = 0
  private slotHome = 0
  private missedInChild = false

  /** Only so that fetching has a result that somebody could want. */
  fetched = 0
  /** What the last `scan` or `walk` found: refs in scanned[0, scannedCount). */
  scanned = new Int32Array(64)
  scannedCount = 0
  /** After `walk`, what the table itself tells of their hashes: the tag on top, and `walkedBits` bits at the bottom. */
  walkedHashes = new Int32Array(64)
  walkedBits = 0

  private readonly arena: Arena
  readonly hash: KeyHash
  private readonly headerBytes: number

  /** `headerBytes`: where an entry's key (or its extra bytes) begins. */
  constructor(arena: Arena, hash: KeyHash, headerBytes: number) {
    this.arena = arena
    this.hash = hash
    this.headerBytes = headerBytes
  }

  create(): TableRef {
    const { arena } = this
    const table = arena.allocate(TABLE_BYTES)
    const buckets = this.allocateZeroed(BUCKET_BYTES)
    const words = arena.view32(table)
    const at = arena.at32(table)
    words.fill(0, at, at + TABLE_BYTES / 4)
    words[at + BUCKETS_0] = buckets
    words[at + EXPONENT_1] = -1
    return table
  }

  /** Frees buckets and header, not the entries. */
  destroy(table: TableRef): void {
    this.dropBuckets(table)
    this.arena.release(table)
  }

  count(table: TableRef): number {
    const words = this.arena.view32(table)
    const at = this.arena.at32(table)
    return words[at + USED_0]! + words[at + USED_1]!
  }

  isRehashing(table: TableRef): boolean {
    return this.arena.view32(table)[this.arena.at32(table) + EXPONENT_1]! >= 0
  }

  /** Number of slots of table 0 and, while rehashing, 1. */
  slotCount(table: TableRef, which: 0 | 1): number {
    const exponent = this.arena.view32(table)[this.arena.at32(table) + EXPONENT_0 + which]!
    return exponent < 0 ? 0 : SLOTS << exponent
  }

  usedIn(table: TableRef, which: 0 | 1): number {
    return this.arena.view32(table)[this.arena.at32(table) + USED_0 + which]!
  }

  childCount(table: TableRef): number {
    return this.arena.view32(table)[this.arena.at32(table) + CHILDREN]!
  }

  /** Bytes of buckets and header. */
  sizeBytes(table: TableRef): number {
    const buckets = (this.slotCount(table, 0) + this.slotCount(table, 1)) / SLOTS
    return TABLE_BYTES + (buckets + this.childCount(table)) * BUCKET_BYTES
  }

  hashOf(buf: Uint8Array, start: number, length: number): number {
    return this.hash.of(buf, start, length)
  }

  /** The entry with this key, or 0. Hot path: bench/micro/hash-table.ts. */
  find(table: TableRef, hash: number, buf: Uint8Array, start: number, length: number): Ref {
    return this.findWith(table, hash, buf, this.hash.dataViews.of(buf), start, length)
  }

  /** As `find`, by the key of an entry that is in another table. */
  findSame(table: TableRef, hash: number, entry: Ref): Ref {
    const { arena } = this
    const bytes = arena.view8(entry)
    return this.findWith(table, hash, bytes, arena.viewData(entry), this.keyAt(entry), this.keyLength(entry))
  }

  /** Whether the top 8 and so many bits at the bottom of a hash are all that `find` looks at in this table. */
  isFoundBy(table: TableRef, bits: number): boolean {
    const header = this.arena.view32(table)
    const h = this.arena.at32(table)
    return header[h + EXPONENT_0]! <= bits && header[h + EXPONENT_1]! <= bits
  }

  private findWith(
    table: TableRef,
    hash: number,
    buf: Uint8Array,
    data: DataView | null,
    start: number,
    length: number,
  ): Ref {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    let which = 0
    let home = hash & ((1 << header[h + EXPONENT_0]!) - 1)
    if (header[h + EXPONENT_1]! >= 0) {
      if (header[h + PAUSED]! === 0) this.rehashStep(table)
      if (header[h + EXPONENT_1]! >= 0 && home < header[h + REHASH_AT]!) which = 1
      home = hash & ((1 << header[h + EXPONENT_0 + which]!) - 1)
    }
    const pattern = Math.imul(hash >>> 24, 0x0101_0101)
    let bucket: Ref = this.bucketRef(header[h + BUCKETS_0 + which]!, header[h + EXPONENT_0 + which]!, home)
    let isChild = false
    for (;;) {
      const view = arena.view32(bucket)
      const at = arena.at32(bucket)
      for (let group = 0; group < 3; group++) {
        const difference = view[at + TAG_WORD + group]! ^ pattern
        // Sets the top bit of each byte that is zero, that is of each tag that matches; it may set one too many, never one too few.
        let matches = (difference - 0x0101_0101) & ~difference & 0x8080_8080
        while (matches !== 0) {
          const slot = at + (group << 2) + ((31 - Math.clz32(matches & -matches)) >>> 3)
          const entry = view[slot]!
          if (entry !== 0 && this.keyEquals(entry, buf, data, start, length)) {
            this.slotView = view
            this.slotAt = slot
            this.slotTable = which
            this.slotHome = home
            return entry
          }
          matches &= matches - 1
        }
      }
      bucket = view[at + CHILD_WORD]!
      if (bucket === 0) {
        this.slotView = view
        this.slotAt = at
        this.slotTable = which
        this.missedInChild = isChild
        return 0
      }
      isChild = true
    }
  }

  /** Puts another entry with the same key where the last find was. */
  replaceFound(entry: Ref): void {
    this.slotView[this.slotAt] = entry
  }

  /** Adds an entry whose key is not in the table. Throws ArenaFullError. */
  insert(table: TableRef, hash: number, entry: Ref): void {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    if (header[h + PAUSED]! === 0) {
      // Whoever only inserts moves a rehash on as well.
      if (header[h + EXPONENT_1]! >= 0) this.rehashStep(table)
      else if (
        header[h + USED_0]! >= GROW_PER_BUCKET << header[h + EXPONENT_0]! &&
        header[h + EXPONENT_0]! < EXPONENT_MAX
      ) {
        this.startRehash(table, header[h + EXPONENT_0]! + 1)
      }
    }
    // Where `find` will look: in table 0 until the home bucket has moved.
    let which = 0
    if (header[h + EXPONENT_1]! >= 0 && (hash & ((1 << header[h + EXPONENT_0]!) - 1)) < header[h + REHASH_AT]!)
      which = 1
    if (!this.insertInto(table, which, hash, entry)) throw new ArenaFullError('no room for a bucket')
    header[h + USED_0 + which]!++
  }

  /**
   * As `insert`, straight after a `find` that did not find the key (making the entry may come between): it goes where
   * that ended.
   */
  insertMissed(table: TableRef, hash: number, entry: Ref): void {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    const exponent = header[h + EXPONENT_0]!
    if (
      header[h + USED_0]! >= GROW_PER_BUCKET << exponent &&
      header[h + EXPONENT_1]! < 0 &&
      header[h + PAUSED]! === 0 &&
      exponent < EXPONENT_MAX
    ) {
      // No bucket moves yet, so the place stays right.
      this.startRehash(table, exponent + 1)
    }
    let view = this.slotView
    let slot = this.slotAt
    let isInChild = this.missedInChild
    const end = slot + SLOTS
    while (slot < end && view[slot] !== 0) slot++
    if (slot === end) {
      const child = this.tryAllocateZeroed(BUCKET_BYTES)
      if (child === 0) throw new ArenaFullError('no room for a bucket')
      view[this.slotAt + CHILD_WORD] = child
      header[h + CHILDREN]!++
      view = arena.view32(child)
      slot = arena.at32(child)
      isInChild = true
    }
    view[slot] = entry
    setTag(view, slot, hash >>> 24)
    if (isInChild) header[h + IN_CHILDREN]!++
    header[h + USED_0 + this.slotTable]!++
  }

  /**
   * Adds an entry unless its key is in the table: one walk over the bucket where `find` and `insert` take two, as a loader
   * wants it. Returns whether it was added.
   */
  insertNew(table: TableRef, hash: number, entry: Ref): boolean {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    if (header[h + EXPONENT_1]! >= 0 || header[h + USED_0]! >= GROW_PER_BUCKET << header[h + EXPONENT_0]!) {
      if (
        this.findWith(
          table,
          hash,
          arena.view8(entry),
          arena.viewData(entry),
          this.keyAt(entry),
          this.keyLength(entry),
        ) !== 0
      )
        return false
      this.insert(table, hash, entry)
      return true
    }
    const exponent = header[h + EXPONENT_0]!
    const pattern = Math.imul(hash >>> 24, 0x0101_0101)
    let bucket: Ref = this.bucketRef(header[h + BUCKETS_0]!, exponent, hash & ((1 << exponent) - 1))
    let freeView: Int32Array | null = null
    let freeSlot = 0
    let freeIsInChild = false
    let isChild = false
    for (;;) {
      const view = arena.view32(bucket)
      const at = arena.at32(bucket)
      for (let group = 0; group < 3; group++) {
        const difference = view[at + TAG_WORD + group]! ^ pattern
        if (((difference - 0x0101_0101) & ~difference & 0x8080_8080) === 0) continue
        for (let slot = at + (group << 2); slot < at + (group << 2) + 4; slot++) {
          if (view[slot] !== 0 && this.sameKey(view[slot]!, entry)) return false
        }
      }
      for (let slot = at; freeView === null && slot < at + SLOTS; slot++) {
        if (view[slot] !== 0) continue
        freeView = view
        freeSlot = slot
        freeIsInChild = isChild
      }
      const child = view[at + CHILD_WORD]!
      if (child === 0) break
      bucket = child
      isChild = true
    }
    if (freeView === null) {
      if (!this.insertInto(table, 0, hash, entry)) throw new ArenaFullError('no room for a bucket')
    } else {
      freeView[freeSlot] = entry
      setTag(freeView, freeSlot, hash >>> 24)
      if (freeIsInChild) header[h + IN_CHILDREN]!++
    }
    header[h + USED_0]!++
    return true
  }

  /** Reads the bucket where a key with this hash belongs. That it is in the processor's cache afterwards is the purpose. */
  touch(table: TableRef, hash: number): number {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    if (header[h + EXPONENT_1]! >= 0) return 0
    const exponent = header[h + EXPONENT_0]!
    const bucket = this.bucketRef(header[h + BUCKETS_0]!, exponent, hash & ((1 << exponent) - 1))
    return arena.view32(bucket)[arena.at32(bucket)]!
  }

  /** Takes the entry of the last find out of the table; the caller frees it. */
  removeFound(table: TableRef): void {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    const which = this.slotTable
    const view = this.slotView
    const hole = this.slotAt
    const holeBucket = hole & ~(BUCKET_WORDS - 1)
    this.clearSlot(view, hole)
    header[h + USED_0 + which]!--
    const first = this.bucketRef(header[h + BUCKETS_0 + which]!, header[h + EXPONENT_0 + which]!, this.slotHome)
    const firstView = arena.view32(first)
    if (firstView[arena.at32(first) + CHILD_WORD]! !== 0) {
      // Whichever of its entries goes, there is one less in the children then.
      header[h + IN_CHILDREN]!--
      this.fillHole(table, first, view, holeBucket, hole)
    }
    this.shrinkIfSparse(table)
  }

  /**
   * Takes a table that nobody uses any more apart, bucket by bucket: the entries of the next one stand in `scanned` and
   * are the caller's. Returns false after the last, when the table itself is gone.
   */
  dismantle(table: TableRef): boolean {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    const buckets = header[h + BUCKETS_0]!
    const exponent = header[h + EXPONENT_0]!
    // The buckets before this one have been rehashed, or taken apart.
    const index = header[h + REHASH_AT]!
    this.scannedCount = 0
    if (this.hasBucket(buckets, exponent, index)) {
      const first = this.bucketRef(buckets, exponent, index)
      this.collect(first)
      this.freeChildren(table, first)
    }
    header[h + REHASH_AT] = index + 1
    if (index + 1 < 1 << exponent) {
      const isSegmentEnd = exponent > SEGMENT_EXPONENT && ((index + 1) & SEGMENT_MASK) === 0
      if (isSegmentEnd) this.freeSegment(buckets, index >>> SEGMENT_EXPONENT)
      return true
    }
    this.freeBuckets(buckets, exponent)
    if (header[h + EXPONENT_1]! < 0) {
      arena.release(table)
      return false
    }
    header[h + BUCKETS_0] = header[h + BUCKETS_1]!
    header[h + EXPONENT_0] = header[h + EXPONENT_1]!
    header[h + EXPONENT_1] = -1
    header[h + REHASH_AT] = 0
    return true
  }

  /** Starts to shrink a table that is mostly empty. */
  private shrinkIfSparse(table: TableRef): void {
    const header = this.arena.view32(table)
    const h = this.arena.at32(table)
    if (header[h + EXPONENT_1]! >= 0 || header[h + PAUSED]! !== 0) return
    const entries = header[h + USED_0]!
    if (header[h + EXPONENT_0] === 0 || entries >= SHRINK_PER_BUCKET << header[h + EXPONENT_0]!) return
    // Not all the way at once: a scan that meets the rehash visits all large buckets that become one small.
    let exponent = Math.max(0, header[h + EXPONENT_0]! - SHRINK_EXPONENT_STEP)
    while ((GROW_PER_BUCKET / 2) << exponent < entries) exponent++
    if (exponent < header[h + EXPONENT_0]!) this.startRehash(table, exponent)
  }

  /** Grows the table at once so that `entries` fit, as a loader that knows its size wants it. */
  reserve(table: TableRef, entries: number): void {
    const header = this.arena.view32(table)
    const h = this.arena.at32(table)
    let exponent = 0
    while (exponent < EXPONENT_MAX && GROW_PER_BUCKET * 2 ** exponent < entries) exponent++
    if (header[h + EXPONENT_1]! >= 0 || exponent <= header[h + EXPONENT_0]!) return
    if (header[h + PAUSED]! !== 0) return
    this.startRehash(table, exponent)
    while (header[h + EXPONENT_1]! >= 0 && this.rehashStep(table));
  }

  pauseRehash(table: TableRef): void {
    this.arena.view32(table)[this.arena.at32(table) + PAUSED]!++
  }

  resumeRehash(table: TableRef): void {
    if (--this.arena.view32(table)[this.arena.at32(table) + PAUSED]! === 0) this.shrinkIfSparse(table)
  }

  /** Moves up to `buckets` buckets, also to a smaller table if most is empty. Returns true while there is more to move. */
  rehashBuckets(table: TableRef, buckets: number): boolean {
    const header = this.arena.view32(table)
    const h = this.arena.at32(table)
    if (header[h + PAUSED]! !== 0) return false
    this.shrinkIfSparse(table)
    for (let moved = 0; moved < buckets && header[h + EXPONENT_1]! >= 0; moved++) {
      if (!this.rehashStep(table)) return false
    }
    return header[h + EXPONENT_1]! >= 0
  }

  /**
   * Collects into `scanned` all entries of the bucket at `cursor` (of both tables while rehashing) and returns the next
   * cursor, 0 at the end. Whatever is in the table from a scan's start to its end is returned at least once.
   */
  scan(table: TableRef, cursor: number): number {
    const header = this.arena.view32(table)
    const h = this.arena.at32(table)
    this.scannedCount = 0
    let small = 0
    let large = 0
    if (header[h + EXPONENT_1]! >= 0) {
      if (header[h + EXPONENT_1]! > header[h + EXPONENT_0]!) large = 1
      else small = 1
    }
    const smallMask = (1 << header[h + EXPONENT_0 + small]!) - 1
    this.collectBucket(table, small, cursor & smallMask)
    if (small === large) return nextCursor(cursor, smallMask)
    // The larger table's buckets that are expansions of the smaller one's.
    const largeMask = (1 << header[h + EXPONENT_0 + large]!) - 1
    let at = cursor >>> 0
    do {
      this.collectBucket(table, large, at & largeMask)
      at = nextCursor(at, largeMask)
    } while ((at & (smallMask ^ largeMask)) !== 0)
    return at
  }

  /**
   * Collects into `scanned` all entries of the bucket at `position`, buckets counted through both tables, and returns the
   * next position, -1 after the last. As neighbours lie in memory, so faster than `scan`; for walks during which nothing is
   * added or removed and rehashing is paused.
   */
  walk(table: TableRef, position: number): number {
    const header = this.arena.view32(table)
    const h = this.arena.at32(table)
    this.scannedCount = 0
    const buckets0 = 1 << header[h + EXPONENT_0]!
    const buckets1 = header[h + EXPONENT_1]! >= 0 ? 1 << header[h + EXPONENT_1]! : 0
    const which = position < buckets0 ? 0 : 1
    const index = which === 0 ? position : position - buckets0
    const exponent = header[h + EXPONENT_0 + which]!
    this.walkedBits = exponent
    const buckets = header[h + BUCKETS_0 + which]!
    if (this.hasBucket(buckets, exponent, index))
      this.collectWithHashes(this.bucketRef(buckets, exponent, index), index)
    return position + 1 < buckets0 + buckets1 ? position + 1 : -1
  }

  private collectWithHashes(first: Ref, index: number): void {
    this.collect(first)
    if (this.walkedHashes.length < this.scanned.length) this.walkedHashes = new Int32Array(this.scanned.length)
    const { arena, walkedHashes } = this
    let count = 0
    for (let bucket = first; bucket !== 0; ) {
      const view = arena.view32(bucket)
      const at = arena.at32(bucket)
      for (let slot = at; slot < at + SLOTS; slot++) {
        if (view[slot] !== 0) walkedHashes[count++] = (tagOf(view, slot) << 24) | index
      }
      bucket = view[at + CHILD_WORD]!
    }
  }

  /**
   * Moves the bucket's blocks at `position`, counted as in `walk`, out of pages that are to be left, and puts what `move`
   * makes of each entry in its place (null: entries are somebody else's). Returns the next position, -1 after the last.
   * `move` may not change this table. If it changed since the last position, some buckets are passed over.
   */
  relocate(table: TableRef, position: number, move: ((entry: Ref) => Ref) | null): number {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    const buckets0 = 1 << header[h + EXPONENT_0]!
    const buckets = buckets0 + (header[h + EXPONENT_1]! >= 0 ? 1 << header[h + EXPONENT_1]! : 0)
    if (position >= buckets) return -1
    const which = position < buckets0 ? 0 : 1
    const index = which === 0 ? position : position - buckets0
    const exponent = header[h + EXPONENT_0 + which]!
    if (index === 0) header[h + BUCKETS_0 + which] = arena.moved(header[h + BUCKETS_0 + which]!)
    const block = header[h + BUCKETS_0 + which]!
    if (this.hasBucket(block, exponent, index)) {
      if (exponent > SEGMENT_EXPONENT && (index & SEGMENT_MASK) === 0) {
        const directory = arena.view32(block)
        const at = arena.at32(block) + (index >>> SEGMENT_EXPONENT)
        directory[at] = arena.moved(directory[at]!)
      }
      this.relocateChain(this.bucketRef(block, exponent, index), move)
    }
    return position + 1 < buckets ? position + 1 : -1
  }

  /** Whether header or first buckets are in a page that is to be left. */
  leaves(table: TableRef): boolean {
    const { arena } = this
    return arena.leaves(table) || arena.leaves(arena.view32(table)[arena.at32(table) + BUCKETS_0]!)
  }

  /** As `relocate`, for entries of one block that nobody else refers to, some dozen buckets at once. */
  relocateBlocks(table: TableRef, position: number): number {
    const move = (entry: Ref): Ref => this.arena.moved(entry)
    let at = position
    for (let i = 0; i < RELOCATE_BUCKETS && at >= 0; i++) at = this.relocate(table, at, move)
    return at
  }

  private relocateChain(first: Ref, move: ((entry: Ref) => Ref) | null): void {
    const { arena } = this
    for (let bucket = first; bucket !== 0; ) {
      const view = arena.view32(bucket)
      const at = arena.at32(bucket)
      for (let slot = at; move !== null && slot < at + SLOTS; slot++) {
        if (view[slot] !== 0) view[slot] = move(view[slot]!)
      }
      bucket = view[at + CHILD_WORD]!
      if (bucket === 0) return
      bucket = arena.moved(bucket)
      view[at + CHILD_WORD] = bucket
    }
  }

  /** Reads a word of each entry that `scan` found, side by side: they are in the processor's cache afterwards. */
  fetchScanned(): number {
    const { arena, scanned } = this
    let fetched = 0
    for (let i = 0; i < this.scannedCount; i++) fetched ^= arena.view32(scanned[i]!)[arena.at32(scanned[i]!)]!
    return fetched
  }

  /**
   * An entry chosen evenly, or 0 when the table is empty. Where it is counts as found: `removeFound` may follow. Of those in
   * chains of three buckets and more, which only a table has that may not grow, the choice is not quite even.
   */
  random(table: TableRef, random: Random): Ref {
    const header = this.arena.view32(table)
    const h = this.arena.at32(table)
    const total = header[h + USED_0]! + header[h + USED_1]!
    if (total === 0) return 0
    const inChildren = header[h + IN_CHILDREN]!
    const isInChild = inChildren > 0 && random.below(total) < inChildren
    // Buckets of table 0 that have moved are empty.
    const first = header[h + EXPONENT_1]! >= 0 ? header[h + REHASH_AT]! : 0
    const buckets0 = 1 << header[h + EXPONENT_0]!
    const buckets1 = header[h + EXPONENT_1]! >= 0 ? 1 << header[h + EXPONENT_1]! : 0
    for (let tries = 0; tries < RANDOM_TRIES_MAX; tries++) {
      const pick = first + random.below(buckets0 - first + buckets1)
      const which = pick < buckets0 ? 0 : 1
      const home = which === 0 ? pick : pick - buckets0
      const entry = isInChild
        ? this.randomInChild(header, h, which, home, random)
        : this.randomAt(header, h, which, home, random)
      if (entry !== 0) return entry
    }
    let cursor = random.below(buckets0)
    for (;;) {
      cursor = this.scan(table, cursor)
      if (this.scannedCount === 0) continue
      const entry = this.scanned[random.below(this.scannedCount)]!
      this.findEntry(table, entry)
      return entry
    }
  }

  /** What a slot chosen evenly of a bucket holds; 0 = nothing. */
  private randomAt(header: Int32Array, h: number, which: 0 | 1, home: number, random: Random): Ref {
    const buckets = header[h + BUCKETS_0 + which]!
    const exponent = header[h + EXPONENT_0 + which]!
    if (!this.hasBucket(buckets, exponent, home)) return 0
    const bucket = this.bucketRef(buckets, exponent, home)
    const view = this.arena.view32(bucket)
    const slot = this.arena.at32(bucket) + random.below(SLOTS)
    this.slotView = view
    this.slotAt = slot
    this.slotTable = which
    this.slotHome = home
    return view[slot]!
  }

  /** As `randomAt`, of the bucket's first child. */
  private randomInChild(header: Int32Array, h: number, which: 0 | 1, home: number, random: Random): Ref {
    const { arena } = this
    const buckets = header[h + BUCKETS_0 + which]!
    const exponent = header[h + EXPONENT_0 + which]!
    if (!this.hasBucket(buckets, exponent, home)) return 0
    const bucket = this.bucketRef(buckets, exponent, home)
    let child = arena.view32(bucket)[arena.at32(bucket) + CHILD_WORD]!
    while (child !== 0) {
      const view = arena.view32(child)
      const at = arena.at32(child)
      const next = view[at + CHILD_WORD]!
      // Of further children each one is as likely as those behind it together.
      if (next === 0 || random.below(2) === 0) {
        this.slotView = view
        this.slotAt = at + random.below(SLOTS)
        this.slotTable = which
        this.slotHome = home
        return view[this.slotAt]!
      }
      child = next
    }
    return 0
  }

  /**
   * Gathers some entries that stand in neighbouring buckets in `scanned`, at least `wanted` unless the table has fewer or is
   * very sparse there: cheap, and with keys spread by their hash as good as a sample of entries chosen one by one. Returns where
   * to begin in `scanned`, as in a ring.
   */
  sampleNeighbours(table: TableRef, wanted: number, random: Random): number {
    const header = this.arena.view32(table)
    const h = this.arena.at32(table)
    this.scannedCount = 0
    const total = header[h + USED_0]! + header[h + USED_1]!
    if (total === 0) return 0
    const buckets0 = 1 << header[h + EXPONENT_0]!
    const buckets1 = header[h + EXPONENT_1]! >= 0 ? 1 << header[h + EXPONENT_1]! : 0
    const first = buckets1 === 0 ? 0 : header[h + REHASH_AT]!
    const buckets = buckets0 - first + buckets1
    const enough = Math.min(wanted, total)
    let pick = random.below(buckets)
    for (let steps = Math.min(buckets, enough * 10); steps > 0 && this.scannedCount < enough; steps--) {
      if (first + pick < buckets0) this.collectBucket(table, 0, first + pick)
      else this.collectBucket(table, 1, first + pick - buckets0)
      if (++pick === buckets) pick = 0
    }
    return this.scannedCount > wanted ? random.below(this.scannedCount) : 0
  }

  /** Number of buckets by how many entries their chain holds, for DEBUG HTSTATS. */
  chainHistogram(table: TableRef, which: 0 | 1): number[] {
    const header = this.arena.view32(table)
    const h = this.arena.at32(table)
    const histogram: number[] = []
    if (header[h + EXPONENT_0 + which]! < 0) return histogram
    for (let at = 0; at < 1 << header[h + EXPONENT_0 + which]!; at++) {
      this.scannedCount = 0
      this.collectBucket(table, which, at)
      histogram[this.scannedCount] = (histogram[this.scannedCount] ?? 0) + 1
    }
    return histogram
  }

  /** First byte of an entry's key in its page. */
  keyAt(entry: Ref): number {
    const extra = this.arena.view32(entry)[this.arena.at32(entry)]! < 0 ? EXTRA_BYTES : 0
    return this.arena.at8(entry) + this.headerBytes + extra
  }

  keyLength(entry: Ref): number {
    return this.arena.view32(entry)[this.arena.at32(entry)]! & KEY_LENGTH_MASK
  }

  hashOfEntry(entry: Ref): number {
    const { arena } = this
    return this.hash.ofData(arena.view8(entry), arena.viewData(entry), this.keyAt(entry), this.keyLength(entry))
  }

  /** Finds the slot that holds exactly this entry (by address), so that it can be replaced or removed. */
  findEntry(table: TableRef, entry: Ref): boolean {
    const { arena } = this
    const hash = this.hashOfEntry(entry)
    const found = this.findWith(
      table,
      hash,
      arena.view8(entry),
      arena.viewData(entry),
      this.keyAt(entry),
      this.keyLength(entry),
    )
    return found === entry
  }

  private sameKey(first: Ref, second: Ref): boolean {
    const { arena } = this
    return this.keyEquals(
      first,
      arena.view8(second),
      arena.viewData(second),
      this.keyAt(second),
      this.keyLength(second),
    )
  }

  private keyEquals(entry: Ref, buf: Uint8Array, data: DataView | null, start: number, length: number): boolean {
    const { arena } = this
    const word = arena.view32(entry)[arena.at32(entry)]!
    if ((word & KEY_LENGTH_MASK) !== length) return false
    const bytes = arena.view8(entry)
    const at = arena.at8(entry) + this.headerBytes + (word < 0 ? EXTRA_BYTES : 0)
    // Keys differ at their end more often than at their start.
    let left = length
    if (data !== null) {
      const held = arena.viewData(entry)
      for (; left >= 4; left -= 4) {
        if (held.getInt32(at + left - 4, true) !== data.getInt32(start + left - 4, true)) return false
      }
    }
    for (let i = left - 1; i >= 0; i--) if (bytes[at + i] !== buf[start + i]) return false
    return true
  }

  /** Hot. The segment must be there: see `hasBucket`. */
  private bucketRef(buckets: Ref, exponent: number, index: number): Ref {
    if (exponent <= SEGMENT_EXPONENT) return (buckets + index * BUCKET_GRANULES) | 0
    const { arena } = this
    const segment = arena.view32(buckets)[arena.at32(buckets) + (index >>> SEGMENT_EXPONENT)]!
    return (segment + (index & SEGMENT_MASK) * BUCKET_GRANULES) | 0
  }

  /** False for buckets of segments that a rehash has not made yet, or freed already. */
  private hasBucket(buckets: Ref, exponent: number, index: number): boolean {
    if (exponent <= SEGMENT_EXPONENT) return true
    return this.arena.view32(buckets)[this.arena.at32(buckets) + (index >>> SEGMENT_EXPONENT)] !== 0
  }

  private allocateZeroed(sizeBytes: number): Ref {
    const { arena } = this
    const block = arena.allocate(sizeBytes)
    const at = arena.at32(block)
    arena.view32(block).fill(0, at, at + (sizeBytes >> 2))
    return block
  }

  /** As `allocateZeroed`; 0 when memory has ended. */
  private tryAllocateZeroed(sizeBytes: number): Ref {
    try {
      return this.allocateZeroed(sizeBytes)
    } catch (error) {
      if (error instanceof ArenaFullError) return 0
      throw error
    }
  }

  /** Makes the segments of table 1 that the buckets of table 0 from `from` on, up to the next segment, move to. */
  private openSegments(table: TableRef, from: number): boolean {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    const directory = header[h + BUCKETS_1]!
    const words = arena.view32(directory)
    const at = arena.at32(directory)
    const buckets1 = 1 << header[h + EXPONENT_1]!
    const step = Math.max(1 << header[h + EXPONENT_0]!, 1 << SEGMENT_EXPONENT)
    for (let target = from & (buckets1 - 1); target < buckets1; target += step) {
      const segment = at + (target >>> SEGMENT_EXPONENT)
      if (words[segment] !== 0) continue
      words[segment] = this.tryAllocateZeroed(BUCKET_BYTES << SEGMENT_EXPONENT)
      if (words[segment] === 0) return false
    }
    return true
  }

  private freeBuckets(buckets: Ref, exponent: number): void {
    const { arena } = this
    if (exponent > SEGMENT_EXPONENT) {
      const words = arena.view32(buckets)
      const at = arena.at32(buckets)
      for (let i = 0; i < 1 << (exponent - SEGMENT_EXPONENT); i++)
        if (words[at + i] !== 0) arena.release(words[at + i]!)
    }
    arena.release(buckets)
  }

  private dropBuckets(table: TableRef): void {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    for (let which = 0; which < 2; which++) {
      const exponent = header[h + EXPONENT_0 + which]!
      if (exponent < 0) continue
      const buckets = header[h + BUCKETS_0 + which]!
      for (let i = 0; header[h + CHILDREN]! > 0 && i < 1 << exponent; i++) {
        if (this.hasBucket(buckets, exponent, i)) this.freeChildren(table, this.bucketRef(buckets, exponent, i))
      }
      this.freeBuckets(buckets, exponent)
    }
  }

  private freeChildren(table: TableRef, first: Ref): void {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    let child = arena.view32(first)[arena.at32(first) + CHILD_WORD]!
    while (child !== 0) {
      const view = arena.view32(child)
      const at = arena.at32(child)
      const next = view[at + CHILD_WORD]!
      for (let slot = at; slot < at + SLOTS; slot++) if (view[slot] !== 0) header[h + IN_CHILDREN]!--
      arena.release(child)
      header[h + CHILDREN]!--
      child = next
    }
  }

  /** Goes on without when memory has ended: chains become longer then. */
  private startRehash(table: TableRef, exponent: number): void {
    const isSplit = exponent > SEGMENT_EXPONENT
    const buckets = this.tryAllocateZeroed(isSplit ? 4 << (exponent - SEGMENT_EXPONENT) : BUCKET_BYTES << exponent)
    if (buckets === 0) return
    const header = this.arena.view32(table)
    const h = this.arena.at32(table)
    header[h + BUCKETS_1] = buckets
    header[h + EXPONENT_1] = exponent
    header[h + USED_1] = 0
    header[h + REHASH_AT] = 0
    if (header[h + USED_0] === 0 && !isSplit) this.finishRehash(table)
  }

  private finishRehash(table: TableRef): void {
    const header = this.arena.view32(table)
    const h = this.arena.at32(table)
    const isShrunk = header[h + EXPONENT_1]! < header[h + EXPONENT_0]!
    this.freeBuckets(header[h + BUCKETS_0]!, header[h + EXPONENT_0]!)
    header[h + BUCKETS_0] = header[h + BUCKETS_1]!
    header[h + EXPONENT_0] = header[h + EXPONENT_1]!
    header[h + USED_0] = header[h + USED_1]!
    header[h + BUCKETS_1] = 0
    header[h + EXPONENT_1] = -1
    header[h + USED_1] = 0
    header[h + REHASH_AT] = 0
    // More may have gone meanwhile. A table that grew is left as it is: it may have been reserved.
    if (isShrunk) this.shrinkIfSparse(table)
  }

  /** Moves one bucket of table 0 to table 1. Returns false, with nothing changed, when memory has ended. */
  private rehashStep(table: TableRef): boolean {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    const from = header[h + REHASH_AT]!
    const exponent = header[h + EXPONENT_0]!
    if ((from & SEGMENT_MASK) === 0 && header[h + EXPONENT_1]! > SEGMENT_EXPONENT && !this.openSegments(table, from)) {
      return false
    }
    const first = this.bucketRef(header[h + BUCKETS_0]!, exponent, from)
    const firstView = arena.view32(first)
    const firstAt = arena.at32(first)
    // All entries are hashed anew: the processor fetches them side by side if they are asked for first.
    let fetched = 0
    for (let slot = firstAt; slot < firstAt + SLOTS; slot++) {
      fetched ^= arena.view32(firstView[slot]!)[arena.at32(firstView[slot]!)]!
    }
    this.fetched = fetched
    let moved = 0
    for (let bucket = first; bucket !== 0; ) {
      const view = arena.view32(bucket)
      const at = arena.at32(bucket)
      for (let slot = 0; slot < SLOTS; slot++) {
        const entry = view[at + slot]!
        if (entry === 0) continue
        if (!this.insertInto(table, 1, this.hashOfEntry(entry), entry)) {
          this.takeBack(table, first, moved)
          return false
        }
        moved++
      }
      bucket = view[at + CHILD_WORD]!
    }
    this.freeChildren(table, first)
    firstView.fill(0, firstAt, firstAt + BUCKET_WORDS)
    header[h + REHASH_AT] = from + 1
    header[h + USED_0]! -= moved
    header[h + USED_1]! += moved
    if (from + 1 === 1 << exponent) this.finishRehash(table)
    else if (((from + 1) & SEGMENT_MASK) === 0) this.freeSegment(header[h + BUCKETS_0]!, from >>> SEGMENT_EXPONENT)
    return true
  }

  /** Frees a segment of table 0, if it is there. */
  private freeSegment(directory: Ref, index: number): void {
    const { arena } = this
    const words = arena.view32(directory)
    const at = arena.at32(directory) + index
    if (words[at] !== 0) arena.release(words[at]!)
    words[at] = 0
  }

  /** Takes the first `count` entries of a chain of table 0 out of table 1 again. */
  private takeBack(table: TableRef, first: Ref, count: number): void {
    this.scannedCount = 0
    this.collect(first)
    for (let i = 0; i < count; i++) {
      const entry = this.scanned[i]!
      const header = this.arena.view32(table)
      const h = this.arena.at32(table)
      const exponent = header[h + EXPONENT_1]!
      const home = this.hashOfEntry(entry) & ((1 << exponent) - 1)
      this.removeByRef(table, this.bucketRef(header[h + BUCKETS_1]!, exponent, home), entry)
    }
  }

  private removeByRef(table: TableRef, first: Ref, entry: Ref): void {
    const { arena } = this
    for (let bucket = first; bucket !== 0; ) {
      const view = arena.view32(bucket)
      const at = arena.at32(bucket)
      for (let slot = at; slot < at + SLOTS; slot++) {
        if (view[slot] !== entry) continue
        this.clearSlot(view, slot)
        if (arena.view32(first)[arena.at32(first) + CHILD_WORD] !== 0) {
          arena.view32(table)[arena.at32(table) + IN_CHILDREN]!--
          this.fillHole(table, first, view, at, slot)
        }
        return
      }
      bucket = view[at + CHILD_WORD]!
    }
  }

  /** Returns false when memory for a further bucket is missing. */
  private insertInto(table: TableRef, which: number, hash: number, entry: Ref): boolean {
    const { arena } = this
    const header = arena.view32(table)
    const h = arena.at32(table)
    const exponent = header[h + EXPONENT_0 + which]!
    let bucket = this.bucketRef(header[h + BUCKETS_0 + which]!, exponent, hash & ((1 << exponent) - 1))
    let isChild = false
    for (;;) {
      const view = arena.view32(bucket)
      const at = arena.at32(bucket)
      for (let slot = 0; slot < SLOTS; slot++) {
        if (view[at + slot] !== 0) continue
        view[at + slot] = entry
        setTag(view, at + slot, hash >>> 24)
        if (isChild) header[h + IN_CHILDREN]!++
        return true
      }
      let child: Ref = view[at + CHILD_WORD]!
      if (child === 0) {
        child = this.tryAllocateZeroed(BUCKET_BYTES)
        if (child === 0) return false
        view[at + CHILD_WORD] = child
        header[h + CHILDREN]!++
      }
      bucket = child
      isChild = true
    }
  }

  private clearSlot(view: Int32Array, slot: number): void {
    view[slot] = 0
    setTag(view, slot, 0)
  }

  /** Moves the last entry of a chain into the hole that a removal left in it, and frees the last child when that empties it. */
  private fillHole(table: TableRef, first: Ref, holeView: Int32Array, holeBucket: number, hole: number): void {
    const { arena } = this
    let parent: Ref = first
    let last: Ref = arena.view32(first)[arena.at32(first) + CHILD_WORD]!
    for (;;) {
      const next = arena.view32(last)[arena.at32(last) + CHILD_WORD]!
      if (next === 0) break
      parent = last
      last = next
    }
    const lastView = arena.view32(last)
    const lastAt = arena.at32(last)
    if (lastView !== holeView || lastAt !== holeBucket) {
      for (let slot = SLOTS - 1; slot >= 0; slot--) {
        if (lastView[lastAt + slot] === 0) continue
        holeView[hole] = lastView[lastAt + slot]!
        setTag(holeView, hole, tagOf(lastView, lastAt + slot))
        this.clearSlot(lastView, lastAt + slot)
        break
      }
    }
    for (let slot = 0; slot < SLOTS; slot++) if (lastView[lastAt + slot] !== 0) return
    arena.view32(parent)[arena.at32(parent) + CHILD_WORD] = 0
    arena.release(last)
    arena.view32(table)[arena.at32(table) + CHILDREN]!--
  }

  /** Adds the entries of a bucket and its children to `scanned`. */
  private collectBucket(table: TableRef, which: number, index: number): void {
    const header = this.arena.view32(table)
    const h = this.arena.at32(table)
    const buckets = header[h + BUCKETS_0 + which]!
    const exponent = header[h + EXPONENT_0 + which]!
    if (this.hasBucket(buckets, exponent, index)) this.collect(this.bucketRef(buckets, exponent, index))
  }

  private collect(first: Ref): void {
    const { arena } = this
    for (let bucket = first; bucket !== 0; ) {
      const view = arena.view32(bucket)
      const at = arena.at32(bucket)
      for (let slot = 0; slot < SLOTS; slot++) {
        const entry = view[at + slot]!
        if (entry === 0) continue
        if (this.scannedCount === this.scanned.length) {
          const larger = new Int32Array(this.scanned.length * 2)
          larger.set(this.scanned)
          this.scanned = larger
        }
        this.scanned[this.scannedCount++] = entry
      }
      bucket = view[at + CHILD_WORD]!
    }
  }
}

/** `slot` is the word index of an entry's slot; buckets are aligned to their size, so its tag's place follows from it. */
function setTag(view: Int32Array, slot: number, tag: number): void {
  const inBucket = slot & (BUCKET_WORDS - 1)
  const word = slot - inBucket + TAG_WORD + (inBucket >> 2)
  const shift = (inBucket & 3) << 3
  view[word] = (view[word]! & ~(0xff << shift)) | (tag << shift)
}

function tagOf(view: Int32Array, slot: number): number {
  const inBucket = slot & (BUCKET_WORDS - 1)
  return (view[slot - inBucket + TAG_WORD + (inBucket >> 2)]! >>> ((inBucket & 3) << 3)) & 0xff
}

/** Adds one to the reversed bits of the cursor under the mask. */
function nextCursor(cursor: number, mask: number): number {
  let v = cursor | ~mask
  v = (reverseBits(v) + 1) | 0
  return reverseBits(v) >>> 0
}

function reverseBits(value: number): number {
  let v = value
  v = ((v >>> 1) & 0x5555_5555) | ((v & 0x5555_5555) << 1)
  v = ((v >>> 2) & 0x3333_3333) | ((v & 0x3333_3333) << 2)
  v = ((v >>> 4) & 0x0f0f_0f0f) | ((v & 0x0f0f_0f0f) << 4)
  v = ((v >>> 8) & 0x00ff_00ff) | ((v & 0x00ff_00ff) << 8)
  return (v >>> 16) | (v << 16)
}
