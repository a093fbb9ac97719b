/**
 * A walk over the members of a set, one by one, with what commands do with each: look it up in other sets, add it to one,
 * reply it. What is asked of a member more than once (its hash, whether it is a number) is found out once.
 *
 *   const walk = sets.walk(root, encoding)
 *   while (walk.next()) ...
 *   walk.end()
 *
 * Other sets may change meanwhile, this one may not. Members of a table come in the order of memory, a bucket at a time,
 * whose entries are fetched side by side.
 */
import { INT64_TEXT_BYTES_MAX } from '../../base/int64-text.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import { ENCODING_HASHTABLE, ENCODING_INTSET } from '../entry.ts'
import type { SetType } from './set.ts'

const UNKNOWN = 0
const YES = 1
const NO = 2
/** Entries of a bucket without further ones. */
const BATCH_MIN = 12

export class SetWalk {
  /** The member as text: bytes[start, start + length). Of an intset's member only after `spell`. */
  bytes: Uint8Array
  start = 0
  length = 0
  /** The DataView of these bytes, if there is one. */
  data: DataView | null = null
  /** The member as a number: always of an intset, else if `isNumber` says so. */
  high = 0
  low = 0
  /** A table's entry. */
  entry: Ref = 0
  /** Only so that fetching has a result that somebody could want. */
  fetched = 0
  private readonly sets: SetType
  private readonly arena: Arena
  private readonly root: Ref
  private readonly encoding: number
  private readonly text = new Uint8Array(INT64_TEXT_BYTES_MAX)
  /** Intset: the next place, and where it ends. */
  private at = 0
  private readonly intsetEnd: number
  /** Table: the entries of a bucket, and the next bucket. */
  private batch = new Int32Array(BATCH_MIN)
  /** As HashTable.walkedHashes. */
  private batchHashes = new Int32Array(BATCH_MIN)
  private batchAt = 0
  private batchEnd = 0
  private bucket = 0
  private hashBits = 0
  private isSpelt = false
  private hasHash = false
  private hashValue = 0
  private numberState = UNKNOWN

  constructor(sets: SetType, arena: Arena, root: Ref, encoding: number) {
    this.sets = sets
    this.arena = arena
    this.root = root
    this.encoding = encoding
    this.bytes = this.text
    if (encoding === ENCODING_HASHTABLE) {
      this.intsetEnd = 0
      sets.members.pauseRehash(root)
    } else this.intsetEnd = sets.intsets.length(root)
  }

  /** Goes to the next member. False: there is none. */
  next(): boolean {
    this.hasHash = false
    if (this.encoding === ENCODING_INTSET) {
      if (this.at === this.intsetEnd) return false
      const { intsets } = this.sets
      intsets.get(this.root, this.at++)
      this.high = intsets.high
      this.low = intsets.low
      this.isSpelt = false
      return true
    }
    while (this.batchAt === this.batchEnd) if (!this.fetchBucket()) return false
    const { arena } = this
    const entry = this.batch[this.batchAt++]!
    this.entry = entry
    this.bytes = arena.view8(entry)
    this.data = arena.viewData(entry)
    this.start = this.sets.memberAt(entry)
    this.length = arena.view32(entry)[arena.at32(entry)]!
    this.numberState = UNKNOWN
    return true
  }

  /** To be called once, also after the last member. */
  end(): void {
    if (this.encoding === ENCODING_HASHTABLE) this.sets.members.resumeRehash(this.root)
  }

  /** Which member this is, as SetType.pickedId has it. */
  get id(): number {
    return this.encoding === ENCODING_INTSET ? this.at - 1 : this.entry
  }

  /** Makes sure that the text is there. */
  spell(): void {
    if (this.encoding === ENCODING_HASHTABLE || this.isSpelt) return
    const { intsets } = this.sets
    intsets.high = this.high
    intsets.low = this.low
    this.length = intsets.writeText(this.text, 0)
    this.isSpelt = true
  }

  /** The hash of the text. */
  hash(): number {
    if (!this.hasHash) {
      this.spell()
      this.hashValue = this.sets.members.hash.ofData(this.bytes, this.data, this.start, this.length)
      this.hasHash = true
    }
    return this.hashValue
  }

  /** Whether the member is a whole number of 64 bits. */
  isNumber(): boolean {
    if (this.encoding === ENCODING_INTSET) return true
    if (this.numberState === UNKNOWN) {
      const { intsets } = this.sets
      this.numberState = intsets.parse(this.bytes, this.start, this.length) ? YES : NO
      this.high = intsets.high
      this.low = intsets.low
    }
    return this.numberState === YES
  }

  /** Whether the member is in another set, too. Hot. */
  isIn(root: Ref, encoding: number): boolean {
    const { members, intsets } = this.sets
    if (encoding === ENCODING_HASHTABLE) {
      if (this.encoding !== ENCODING_HASHTABLE) {
        return members.find(root, this.hash(), this.bytes, this.start, this.length) !== 0
      }
      // A table of as many buckets or more knows enough of its members' hashes.
      const isKnown = !this.hasHash && members.isFoundBy(root, this.hashBits)
      return members.findSame(root, isKnown ? this.batchHashes[this.batchAt - 1]! : this.hash(), this.entry) !== 0
    }
    return this.isNumber() && intsets.find(root, this.high, this.low) >= 0
  }

  /** False: there is no further bucket. */
  private fetchBucket(): boolean {
    if (this.bucket < 0) return false
    const { members } = this.sets
    this.bucket = members.walk(this.root, this.bucket)
    this.fetched = members.fetchScanned()
    const { scanned, scannedCount, walkedHashes } = members
    if (scannedCount > this.batch.length) {
      this.batch = new Int32Array(scanned.length)
      this.batchHashes = new Int32Array(scanned.length)
    }
    const { batch, batchHashes } = this
    for (let i = 0; i < scannedCount; i++) {
      batch[i] = scanned[i]!
      batchHashes[i] = walkedHashes[i]!
    }
    this.hashBits = members.walkedBits
    this.batchAt = 0
    this.batchEnd = scannedCount
    return true
  }
}
