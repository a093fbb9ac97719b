/**
 * A point-in-time image of all databases, written in steps while clients go on: no fork, and no second copy of the data.
 *
 *   databases:  | written ............ | cursor -> not yet ............ |
 *                                          ^ a write comes here: preserve() writes the old value first
 *
 * Every entry carries the epoch of the newest snapshot that has it (keyspace/entry.ts). Walk and preserve() claim an
 * entry by that mark before they write it, so each is written exactly once, and those made since count as written.
 * Cursors are those of SCAN, so tables may grow and shrink meanwhile; the few entries they show twice are claimed already.
 *
 * A large value is written over several steps. What has to be preserved between its parts goes to a side buffer, which
 * follows when it is whole. If the value itself is about to change, strings are copied in one go (a copy of memory, no
 * compression), and collections are finished.
 *
 * Databases may be exchanged during the walk: entries are written under the number that their database had at the
 * start. An entry written early brings its own change of database into the file.
 *
 * Invariants: between two steps no entry is claimed that is not written, except the large one. Whoever empties all databases calls
 * `abandon` first; of a database that is emptied alone the walk keeps the tables until it has passed them.
 * Cost: a step takes about as long as it is told to; a write to an entry not yet reached pays for writing it. The walk is not affected by
 * how much is written meanwhile, and at most what was there at the start is buffered (see background-file.ts for the bound).
 * Where it differs from Redis: there a child process has the memory as it was, at the price of fork and of copied pages.
 * Hot path: bench/micro/rdb.ts.
 */
import { copyBytes } from '../../base/copy-bytes.ts'
import { type LzfCompressor, LzfJob } from '../../base/lzf.ts'
import type { Db } from '../../keyspace/db.ts'
import { TYPE_STRING } from '../../keyspace/entry.ts'
import type { Keyspace, Snapshot } from '../../keyspace/keyspace.ts'
import type { Ref } from '../../memory/arena.ts'
import type { TableRef } from '../../structures/hash-table.ts'
import { CommandDataset } from '../aof/command-dataset.ts'
import { type DatasetInfo, DatasetWriter } from './dataset-writer.ts'
import { COMPRESSION_SAVES_BYTES_MIN } from './format.ts'
import { type RdbSink, RdbWriter, type RdbWriterOptions } from './rdb-writer.ts'
import { testDelayUs } from './test-delay.ts'
import type { RdbCodecs, ValueWriting } from './type-codec.ts'

export interface WalkOptions extends RdbWriterOptions {
  /** rdb-key-save-delay, microseconds. */
  readonly keyDelayUs: number
  /** Shared by all who compress. */
  readonly lzf: LzfCompressor
  /** Commands are written instead of an RDB file. */
  readonly commands?: { readonly timestampSeconds: number }
}

/** What an entry costs beside its bytes, in bytes that could be compressed in that time. */
const ENTRY_WORK = 128
/** Limit of a step beside time, since no clock need move in a test: bytes of keys and values, and ENTRY_WORK for each. */
const STEP_WORK_MAX = 256 * 1024
/** The clock is read once for so much work: ten entries. More take milliseconds while the code is cold, and the clients wait. */
const CLOCK_WORK = 2 * 1024
/** Values above this length are written in parts. */
export const LARGE_BYTES_MIN = 64 * 1024
/** Bytes of a large value that a step compresses, or copies. */
const COMPRESS_BYTES_PER_STEP = 64 * 1024
const COPY_BYTES_PER_STEP = 512 * 1024
/** LibLZF's limit. */
const COMPRESSED_BYTES_MAX = 2 ** 29
const DELAY_US_MIN = 1000
/** Whoever wants the walk to end does not wait longer. */
const DELAY_US_MAX = 1_000_000
const SIDE_BUFFER_BYTES = 64 * 1024

interface Adopted {
  readonly db: Db
  readonly keys: TableRef
  readonly expires: TableRef
  readonly isLazy: boolean
}

/** A value that is being written over several steps. */
interface LargeValue {
  readonly entry: Ref
  readonly db: Db
  readonly dbIndex: number
  /** Compresses the string, of which nothing is written yet. */
  job: LzfJob | null
  compressed: Uint8Array
  /** Bytes that are being written: source[at, end). */
  source: Uint8Array
  at: number
  end: number
  /** Whether `source` is the arena itself. */
  isInPlace: boolean
  collection: ValueWriting | null
}

export class SnapshotWalk implements Snapshot {
  keysDone = 0
  readonly keysTotal: number
  /** Bytes of the entries that were written early. */
  cowBytes = 0
  /** Time that rdb-key-save-delay asks for and that has not been spent, microseconds. */
  private owedDelayUs = 0
  private readonly keyspace: Keyspace
  private readonly dataset: DatasetWriter
  /** Takes the dataset's place. */
  private readonly commands: CommandDataset | null
  private readonly main: RdbWriter
  private readonly options: WalkOptions
  private readonly onAbandon: () => void
  /** By number of a database as it is now: its number at the start. */
  private readonly startIndex: number[]
  /** By number at the start: how far its keys are written. */
  private readonly cursors: number[]
  private readonly done: boolean[]
  /** By number at the start: tables of a database that was emptied, with whatever database gives access to entries. */
  private readonly adopted: (Adopted | undefined)[] = []
  private section = 0
  /** Only so that fetching has a result that somebody could want. */
  fetched = 0
  /** What the step under way has cost. */
  private work = 0
  private isOver = false
  private large: LargeValue | null = null
  private readonly side: SideBuffer

  /**
   * Begins: the image is of this moment. Throws if no epoch is free (see Keyspace.nextEpoch). `onAbandon` is told when the
   * data is about to go, and the walk with it.
   */
  constructor(
    keyspace: Keyspace,
    codecs: RdbCodecs,
    sink: RdbSink,
    buffer: Uint8Array,
    info: DatasetInfo,
    options: WalkOptions,
    onAbandon: () => void,
  ) {
    this.keyspace = keyspace
    this.options = options
    this.onAbandon = onAbandon
    this.main = new RdbWriter(sink, buffer, options, options.lzf)
    this.side = new SideBuffer(options)
    const { commands, compression, lzf } = options
    const { functions } = info
    this.commands =
      commands === undefined
        ? null
        : new CommandDataset(this.main, { codecs, compression, lzf, functions, ...commands })
    this.dataset = new DatasetWriter(keyspace, codecs, commands === undefined ? this.main : this.side.writer, info)
    this.keysTotal = keyspace.keyCount()
    this.startIndex = keyspace.databases.map((_, index) => index)
    this.cursors = keyspace.databases.map(() => 0)
    this.done = keyspace.databases.map((db) => db.size === 0)
    if (!keyspace.nextEpoch()) throw new Error('no epoch is free for a snapshot')
    keyspace.snapshot = this
  }

  get writtenBytes(): number {
    return this.main.writtenBytes
  }

  /** Writes on for about `budgetUs`. Returns true when the end of the file is written. */
  step(budgetUs: number): boolean {
    if (this.isOver) return true
    // An entry that was written early has cost no less.
    if (this.owedDelayUs >= DELAY_US_MIN) return false
    const { clock } = this.keyspace
    clock.refresh()
    const stopUs = clock.monotonicUs + budgetUs
    let lookAtWork = CLOCK_WORK
    this.work = 0
    if (this.large !== null && !this.continueLarge()) return false
    while (this.section < this.done.length) {
      if (this.done[this.section]) this.section++
      else this.writeBucket(this.section)
      if (this.isStepOver()) return false
      if (this.work < lookAtWork) continue
      lookAtWork = this.work + CLOCK_WORK
      clock.refresh()
      if (clock.monotonicUs >= stopUs) return false
    }
    if (this.commands !== null) this.commands.finish()
    else this.dataset.finish()
    this.stop()
    this.keyspace.settleEpochs()
    return true
  }

  /** How long to wait before the next step, milliseconds: what rdb-key-save-delay asks for, in portions. */
  takeDelayMs(): number {
    const delayUs = Math.min(this.owedDelayUs, DELAY_US_MAX)
    this.owedDelayUs -= delayUs
    return delayUs / 1000
  }

  // What the keyspace tells

  preserve(db: Db, entry: Ref): void {
    if (!db.claimForSnapshot(entry)) {
      if (this.large !== null && entry === this.large.entry) this.detachLarge(this.large)
      return
    }
    this.cowBytes += db.blockBytes(entry)
    this.preserveClaimed(this.startIndex[db.index]!, db, entry)
  }

  adopt(db: Db, keys: TableRef, expires: TableRef, isLazy: boolean): boolean {
    const index = this.startIndex[db.index]!
    // What was emptied before, or is written already, holds nothing that is missing.
    if (this.done[index] || this.adopted[index] !== undefined) return false
    this.adopted[index] = { db, keys, expires, isLazy }
    return true
  }

  swapped(first: number, second: number): void {
    const { startIndex } = this
    const index = startIndex[first]!
    startIndex[first] = startIndex[second]!
    startIndex[second] = index
  }

  abandon(): void {
    if (this.isOver) return
    this.stop()
    this.onAbandon()
  }

  /** Ends the walk where it is: nobody wants the file any more. */
  stop(): void {
    this.isOver = true
    this.large?.collection?.abandon?.()
    this.large = null
    for (let index = 0; index < this.adopted.length; index++) this.release(index)
    if (this.keyspace.snapshot === this) this.keyspace.snapshot = null
  }

  /** Writes the entries of one bucket, or those that are left of it. */
  private writeBucket(index: number): void {
    const { keyspace, dataset, options } = this
    const { table } = keyspace
    const adopted = this.adopted[index]
    const db = adopted?.db ?? keyspace.databases[this.startIndex.indexOf(index)]!
    const from = this.cursors[index]!
    const cursor = adopted === undefined ? db.gather(from) : table.scan(adopted.keys, from)
    const { scanned, scannedCount } = table
    this.fetched = table.fetchScanned()
    for (let i = 0; i < scannedCount; i++) {
      const entry = scanned[i]!
      if (!db.claimForSnapshot(entry)) continue
      this.keysDone++
      this.work += ENTRY_WORK + db.blockBytes(entry)
      if (options.keyDelayUs !== 0) this.owedDelayUs += testDelayUs(options.keyDelayUs, keyspace.random)
      if (this.commands !== null) this.commands.entry(index, db, entry)
      else if (db.typeOf(entry) === TYPE_STRING) {
        if (db.valueLength(entry) < LARGE_BYTES_MIN) dataset.entry(index, db, entry)
        else this.beginLargeString(index, db, entry)
      } else {
        dataset.key(index, db, entry)
        const writing = dataset.collection(db, entry, COPY_BYTES_PER_STEP)
        if (writing !== null) this.large = { ...largeValue(index, db, entry), collection: writing }
      }
      // The rest of the bucket is found again: the cursor stays.
      if (this.isStepOver()) return
    }
    this.cursors[index] = cursor
    if (cursor !== 0) return
    this.done[index] = true
    this.release(index)
  }

  /** Gives back the tables of a database that was emptied. */
  private release(index: number): void {
    const adopted = this.adopted[index]
    if (adopted === undefined) return
    this.adopted[index] = undefined
    this.keyspace.lazyFree.add(adopted.keys, adopted.expires, adopted.isLazy)
  }

  private isStepOver(): boolean {
    return this.large !== null || this.owedDelayUs >= DELAY_US_MIN || this.work >= STEP_WORK_MAX
  }

  /** Writes an entry that was claimed because somebody is about to change it. */
  private preserveClaimed(index: number, db: Db, entry: Ref): void {
    const { dataset, large, options, keyspace } = this
    this.keysDone++
    if (options.keyDelayUs !== 0) this.owedDelayUs += testDelayUs(options.keyDelayUs, keyspace.random)
    if (this.commands !== null) {
      this.commands.entry(index, db, entry)
      return
    }
    // Nothing may come between the parts of a value.
    if (large !== null && large.job === null) dataset.writer = this.side.writer
    if (db.typeOf(entry) === TYPE_STRING && db.valueLength(entry) >= LARGE_BYTES_MIN) {
      // Somebody waits: compressing would take longer than copying by a factor of 30.
      dataset.key(index, db, entry)
      dataset.writer.plainString(db.bytesOf(entry), db.valueAt(entry), db.valueLength(entry))
    } else dataset.entry(index, db, entry)
    dataset.writer = this.main
  }

  // Large values

  private beginLargeString(index: number, db: Db, entry: Ref): void {
    const large = largeValue(index, db, entry)
    const length = db.valueLength(entry)
    this.large = large
    if (this.options.compression && length <= COMPRESSED_BYTES_MAX) {
      const start = db.valueAt(entry)
      large.compressed = new Uint8Array(length - COMPRESSION_SAVES_BYTES_MIN)
      large.job = new LzfJob(db.bytesOf(entry), start, start + length, large.compressed, 0, large.compressed.length)
    } else this.beginPlain(large)
  }

  /** Goes on with the large value. True: it is written. */
  private continueLarge(): boolean {
    const large = this.large!
    if (large.collection !== null) {
      if (!large.collection.proceed(this.main, COPY_BYTES_PER_STEP)) return false
    } else if (large.job !== null) {
      const compressedBytes = large.job.proceed(COMPRESS_BYTES_PER_STEP)
      if (compressedBytes < 0) return false
      large.job = null
      if (compressedBytes > 0) this.beginCompressed(large, compressedBytes)
      else this.beginPlain(large)
      return false
    } else {
      const count = Math.min(COPY_BYTES_PER_STEP, large.end - large.at)
      this.main.raw(large.source, large.at, count)
      large.at += count
      if (large.at < large.end) return false
    }
    this.large = null
    this.side.moveTo(this.main)
    return true
  }

  private beginCompressed(large: LargeValue, compressedBytes: number): void {
    const { db, entry } = large
    this.dataset.key(large.dbIndex, db, entry)
    this.main.compressedHeader(compressedBytes, db.valueLength(entry))
    large.source = large.compressed
    large.at = 0
    large.end = compressedBytes
    large.isInPlace = false
  }

  private beginPlain(large: LargeValue): void {
    const { db, entry } = large
    large.compressed = NO_BYTES
    this.dataset.key(large.dbIndex, db, entry)
    this.main.length(db.valueLength(entry))
    large.source = db.bytesOf(entry)
    large.at = db.valueAt(entry)
    large.end = large.at + db.valueLength(entry)
    large.isInPlace = true
  }

  /** The entry of the large value is about to change: what is left of the value is made independent of it. */
  private detachLarge(large: LargeValue): void {
    if (large.collection !== null) {
      large.collection.proceed(this.main, Number.POSITIVE_INFINITY)
      this.large = null
      this.side.moveTo(this.main)
      return
    }
    if (large.job !== null) {
      large.job = null
      this.beginPlain(large)
    }
    if (!large.isInPlace) return
    this.cowBytes += large.end - large.at
    const copy = new Uint8Array(large.end - large.at)
    copyBytes(large.source, large.at, copy, 0, copy.length)
    large.source = copy
    large.at = 0
    large.end = copy.length
    large.isInPlace = false
  }
}

const NO_BYTES = new Uint8Array(0)

function largeValue(dbIndex: number, db: Db, entry: Ref): LargeValue {
  return {
    entry,
    db,
    dbIndex,
    job: null,
    compressed: NO_BYTES,
    source: NO_BYTES,
    at: 0,
    end: 0,
    isInPlace: false,
    collection: null,
  }
}

/** What is written while a large value has the file. */
class SideBuffer implements RdbSink {
  readonly writer: RdbWriter
  private chunks: Uint8Array[] = []

  constructor({ compression, lzf }: WalkOptions) {
    this.writer = new RdbWriter(this, new Uint8Array(SIDE_BUFFER_BYTES), { compression, checksum: false }, lzf)
  }

  take(bytes: Uint8Array, length: number): Uint8Array {
    this.chunks.push(bytes.subarray(0, length))
    return new Uint8Array(SIDE_BUFFER_BYTES)
  }

  moveTo(main: RdbWriter): void {
    this.writer.flush()
    for (const chunk of this.chunks) main.raw(chunk, 0, chunk.length)
    this.chunks = []
  }
}
