/**
 * All databases of one server, with what they share: arena, hash seed, clock, the counters that INFO shows, and the
 * snapshot that may be under way.
 */
import type { Clock } from '../base/clock.ts'
import { KeyHash } from '../base/hash.ts'
import type { Random } from '../base/random.ts'
import { Arena, type Ref } from '../memory/arena.ts'
import { HashTable, type TableRef } from '../structures/hash-table.ts'
import { HyperLogLog } from '../structures/hyperloglog.ts'
import { Db } from './db.ts'
import { Defragmenter } from './defragmenter.ts'
import { EncodingLimits } from './encoding-limits.ts'
import {
  ENTRY_HEADER_BYTES,
  EPOCH_MASK,
  EPOCH_SHIFT,
  EXPIRE_DELETE,
  META_ENCODING_MASK,
  META_ENCODING_SHIFT,
  META_TYPE_MASK,
  rootWord,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
  WORD_META,
} from './entry.ts'
import { LazyFree } from './lazy-free.ts'
import { lruClockAt } from './lru.ts'
import { HashType } from './types/hash.ts'
import { ListType } from './types/list.ts'
import { SetType } from './types/set.ts'
import { StreamType } from './types/stream.ts'
import { ZsetType } from './types/zset.ts'
import type { ValueType } from './value-type.ts'

/** What the engine wants to hear of. Called while the entry still exists. */
export interface KeyspaceListener {
  /** A key is removed because its time has come: to be propagated as DEL and announced. */
  expired(db: Db, entry: Ref): void
  /** A read found nothing. */
  missed(db: Db, bytes: Uint8Array, start: number, length: number): void
  /** A field of a hash is removed because its time has come: to be propagated as HDEL. */
  fieldExpired(db: Db, entry: Ref, bytes: Uint8Array, start: number, length: number): void
  /** Fields of the hash in this key were removed so, to be announced; with the last of them the key went. */
  fieldsExpired(db: Db, key: Uint8Array, isGone: boolean): void
  /** A key was added. Told only while `announcesNew` is set. */
  added(db: Db, bytes: Uint8Array, start: number, length: number): void
  /** A stream is about to be removed, renamed or replaced. Told only while `announcesStreams` is set. */
  streamGone(db: Db, entry: Ref): void
}

/** A point-in-time walk over the data (BGSAVE, full sync). It is handed each entry before a write changes it. */
export interface Snapshot {
  /** Writes the entry out unless this snapshot already has it. */
  preserve(db: Db, entry: Ref): void
  /** A database was emptied: takes its tables if it still needs their entries, and gives them to `lazyFree` in the end. */
  adopt(db: Db, keys: TableRef, expires: TableRef, isLazy: boolean): boolean
  /** Two databases have exchanged their contents. */
  swapped(first: number, second: number): void
  /** Ends without success: nothing is preserved from here on. To be called before all databases are emptied. */
  abandon(): void
}

const EPOCH_MAX = EPOCH_MASK >>> EPOCH_SHIFT
const ALL_EPOCHS = (1 << (EPOCH_MAX + 1)) - 1

export class Keyspace {
  /** Holds entries, values and tables of the databases and nothing else: it is given up as a whole when all are emptied. */
  readonly arena = new Arena()
  /** Of keys, and of the members and fields of large collections. */
  readonly hash: KeyHash
  readonly table: HashTable
  readonly databases: Db[] = []
  readonly lazyFree: LazyFree
  readonly defragmenter: Defragmenter
  readonly types: (ValueType | undefined)[] = []
  readonly lists: ListType
  readonly sets: SetType
  readonly hashes: HashType
  readonly zsets: ZsetType
  readonly streams: StreamType
  readonly hyperloglog = new HyperLogLog()
  /** Up to what size values stay in their compact encodings. */
  readonly limits = new EncodingLimits()
  readonly clock: Clock
  readonly random: Random
  listener: KeyspaceListener | null = null
  announcesNew = false
  announcesStreams = false
  snapshot: Snapshot | null = null
  /** Epoch of the newest snapshot: entries made now carry it, so that a walk under way passes over them. In place (shifted). */
  epochBits = 0
  /** Which of the four epochs entries may carry, as bits. */
  private epochsInUse = 1
  /** Snapshots so far, also those that did not end: where Redis would have forked. */
  snapshotsBegun = 0
  /** How often databases were exchanged. */
  swaps = 0
  /** Databases outside `databases` have data in the arena: another data set is being loaded. */
  hasGuests = false
  expireMode = EXPIRE_DELETE
  /** Told of each expire time that is set, unless a master or a file sets it. */
  expireObserver: ((db: Db, entry: Ref) => void) | null = null

  /** Redis's LRU clock: seconds, 24 bits. */
  lruClock = 0
  /** Whether small integers count as one shared object: not while eviction has to know of each key when it was used. */
  sharesIntegers = true
  /** maxmemory-policy is one of the LFU ones. */
  lfu = false
  lfuLogFactor = 10
  lfuDecayMinutes = 1

  hits = 0
  misses = 0
  expiredKeys = 0
  /** Fields of hashes whose time came. */
  expiredFields = 0
  expiredStalePercent = 0
  expiredTimeCapReached = 0
  /** Writes since the last save, as INFO's rdb_changes_since_last_save counts them. */
  dirty = 0

  constructor(clock: Clock, random: Random, databases: number, types: readonly ValueType[] = []) {
    this.clock = clock
    this.random = random
    this.hash = new KeyHash(random.int32(), random.int32())
    this.table = new HashTable(this.arena, this.hash, ENTRY_HEADER_BYTES)
    this.lazyFree = new LazyFree(this)
    this.defragmenter = new Defragmenter(this)
    this.lists = new ListType(this)
    this.types[TYPE_LIST] = this.lists
    this.sets = new SetType(this)
    this.types[TYPE_SET] = this.sets
    this.hashes = new HashType(this)
    this.types[TYPE_HASH] = this.hashes
    this.zsets = new ZsetType(this)
    this.types[TYPE_ZSET] = this.zsets
    this.streams = new StreamType(this)
    this.types[TYPE_STREAM] = this.streams
    for (const type of types) this.types[type.type] = type
    for (let index = 0; index < databases; index++) this.databases.push(new Db(this, index))
    this.updateLruClock()
  }

  updateLruClock(): void {
    this.lruClock = lruClockAt(this.clock.nowMs)
  }

  /**
   * Begins an epoch: every entry that exists now is seen as not yet written by the snapshot. Returns false if no epoch is
   * free: after three snapshots that did not end, entries of all four may be about, until `settleEpochs`.
   */
  nextEpoch(): boolean {
    const current = this.epochBits >>> EPOCH_SHIFT
    for (let step = 1; step <= EPOCH_MAX; step++) {
      const epoch = (current + step) & EPOCH_MAX
      if ((this.epochsInUse & (1 << epoch)) !== 0) continue
      this.epochsInUse |= 1 << epoch
      this.epochBits = epoch << EPOCH_SHIFT
      this.snapshotsBegun++
      return true
    }
    return false
  }

  /** Every entry is known to carry the current epoch: a snapshot has seen all of them. */
  settleEpochs(): void {
    this.epochsInUse = 1 << (this.epochBits >>> EPOCH_SHIFT)
  }

  /** Whether `nextEpoch` will find one. */
  get hasFreeEpoch(): boolean {
    return this.epochsInUse !== ALL_EPOCHS
  }

  /** Whether entries of older epochs may be left over from snapshots that did not end. */
  get hasStaleEpochs(): boolean {
    return this.epochsInUse !== 1 << (this.epochBits >>> EPOCH_SHIFT)
  }

  /** Keys in all databases. */
  keyCount(): number {
    let total = 0
    for (const db of this.databases) total += db.size
    return total
  }

  /** Empties all databases; a snapshot under way ends. Returns how many keys went. */
  clear(isLazy = false): number {
    if (this.snapshot !== null) this.snapshot.abandon()
    let removed = 0
    for (const db of this.databases) if (db.size > 0) removed += db.clear(isLazy)
    this.settleEpochs()
    return removed
  }

  /** Gives up all memory at once: the keys of all databases are to go. */
  resetArena(isLazy: boolean): void {
    this.lazyFree.forget(isLazy ? this.keyCount() : 0)
    this.arena.reset()
    for (const db of this.databases) db.beginEmpty()
  }

  /** Frees an entry, which is in no table any more, and its value. `isLazy`: lazy freeing was asked for, which is counted. */
  releaseEntry(entry: Ref, isLazy = false): void {
    const { arena } = this
    const words = arena.view32(entry)
    const at = arena.at32(entry)
    const meta = words[at + WORD_META]!
    const type = meta & META_TYPE_MASK
    if (type !== TYPE_STRING) {
      const encoding = (meta & META_ENCODING_MASK) >>> META_ENCODING_SHIFT
      this.lazyFree.release(this.types[type]!, words[at + rootWord(words[at]!)]!, encoding, isLazy)
    }
    arena.release(entry)
  }

  /** Exchanges the contents of two databases; who had selected one now sees the other's keys. */
  swap(first: number, second: number): void {
    this.databases[first]!.exchange(this.databases[second]!)
    this.swaps++
    if (this.snapshot !== null) this.snapshot.swapped(first, second)
  }
}
