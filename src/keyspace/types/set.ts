/**
 * Sets: an intset while all members are whole numbers and there are few of them, else a hash table whose entries are
 *
 *   0 i32 member length
 *   4 member bytes
 *
 * Operations take a value as (root, encoding). One that changes it leaves what it is from then on in `root` and
 * `encoding`, which the caller writes to the key's entry; so values that no key has yet are made in the same way.
 * Maximum: 2^29 - 1 bytes per member.
 * Where it differs from Redis: dictEntry and member are two blocks there; a table here has a dozen refs to a cache line.
 * Hot path: bench/micro/set.ts.
 */
import { copyBytes } from '../../base/copy-bytes.ts'
import { INT64_TEXT_BYTES_MAX } from '../../base/int64-text.ts'
import type { Random } from '../../base/random.ts'
import { TextPool } from '../../base/text-pool.ts'
import { type Arena, ArenaFullError, type Ref } from '../../memory/arena.ts'
import { HashTable, KEY_BYTES_MAX, type TableRef } from '../../structures/hash-table.ts'
import { Intset } from '../../structures/intset.ts'
import type { Digest } from '../digest.ts'
import type { EncodingLimits } from '../encoding-limits.ts'
import { ENCODING_HASHTABLE, ENCODING_INTSET, TYPE_SET } from '../entry.ts'
import type { Keyspace } from '../keyspace.ts'
import type { Sortable, ValueType } from '../value-type.ts'
import { SetWalk } from './set-walk.ts'

const HEADER_BYTES = 4
/** Redis's limit, whatever is configured. */
const INTSET_ENTRIES_MAX = 1 << 30
/** A table with fewer members than buckets makes choosing slow: it is to be smaller before a quarter of those are gone. */
const REHASH_BUCKETS_PER_PICK = 4
/** Members up to this length are copied word by word. */
const WORD_COPY_BYTES_MAX = 96

export class SetType implements ValueType {
  readonly type = TYPE_SET
  readonly name = 'set'
  readonly members: HashTable
  readonly intsets: Intset
  /** The value that was last changed or made. */
  root: Ref = 0
  encoding = ENCODING_INTSET
  /** The member that was last picked: pickedBytes[pickedStart, + pickedLength), valid until anything allocates. */
  pickedBytes: Uint8Array
  pickedStart = 0
  pickedLength = 0
  readonly sortable: Sortable = {
    isOrdered: false,
    elements: (root, encoding, first, count) => this.elements(root, encoding, first, count),
  }
  private readonly arena: Arena
  private readonly limits: EncodingLimits
  private readonly text = new Uint8Array(INT64_TEXT_BYTES_MAX)
  /** Where the picked member is: its place in the intset, or its entry. */
  private pickedAt = 0

  constructor({ arena, hash, limits }: Keyspace) {
    this.arena = arena
    this.limits = limits
    this.members = new HashTable(arena, hash, HEADER_BYTES)
    this.intsets = new Intset(arena)
    this.pickedBytes = this.text
  }

  /** How many members may be in an intset. */
  get intsetEntriesMax(): number {
    return Math.min(this.limits.setMaxIntsetEntries, INTSET_ENTRIES_MAX)
  }

  // Making

  /** Makes a set without members of the encoding that one beginning with this member has. */
  createFor(bytes: Uint8Array, start: number, length: number): void {
    if (this.intsets.parse(bytes, start, length)) this.createIntset()
    else this.createTable()
  }

  createIntset(): void {
    this.root = this.intsets.create()
    this.encoding = ENCODING_INTSET
  }

  createTable(): void {
    this.root = this.members.create()
    this.encoding = ENCODING_HASHTABLE
  }

  // Members

  length(root: Ref, encoding: number): number {
    return encoding === ENCODING_INTSET ? this.intsets.length(root) : this.members.count(root)
  }

  /** Hot. */
  has(root: Ref, encoding: number, bytes: Uint8Array, start: number, length: number): boolean {
    if (encoding === ENCODING_HASHTABLE) {
      const { members } = this
      return members.find(root, members.hashOf(bytes, start, length), bytes, start, length) !== 0
    }
    const { intsets } = this
    return intsets.parse(bytes, start, length) && intsets.find(root, intsets.high, intsets.low) >= 0
  }

  /** Adds a member. Returns false if it was there. Hot. */
  add(root: Ref, encoding: number, bytes: Uint8Array, start: number, length: number): boolean {
    this.root = root
    this.encoding = encoding
    if (encoding === ENCODING_HASHTABLE) {
      return this.addToTable(root, this.members.hashOf(bytes, start, length), bytes, start, length)
    }
    const { intsets } = this
    if (intsets.parse(bytes, start, length)) return this.addNumber(root, intsets.high, intsets.low)
    this.convertWith(root, bytes, start, length)
    return true
  }

  /** Adds the member at which a walk over another set stands. Returns false if it was there. */
  addWalked(root: Ref, encoding: number, walk: SetWalk): boolean {
    this.root = root
    this.encoding = encoding
    if (encoding === ENCODING_HASHTABLE) {
      return this.addToTable(root, walk.hash(), walk.bytes, walk.start, walk.length)
    }
    if (walk.isNumber()) return this.addNumber(root, walk.high, walk.low)
    this.convertWith(root, walk.bytes, walk.start, walk.length)
    return true
  }

  /** Adds a number to an intset, which becomes a table when it is too long. Returns false if it was there. */
  addNumber(root: Ref, high: number, low: number): boolean {
    const { intsets } = this
    const index = intsets.find(root, high, low)
    if (index >= 0) return false
    this.root = intsets.insert(root, ~index, high, low)
    if (intsets.length(this.root) > this.intsetEntriesMax) this.convert(this.root)
    return true
  }

  /** Adds a member whose hash is known to a hash table. Returns false if it was there. */
  addToTable(table: TableRef, hash: number, bytes: Uint8Array, start: number, length: number): boolean {
    const { members } = this
    if (members.find(table, hash, bytes, start, length) !== 0) return false
    const entry = this.makeEntry(bytes, start, length)
    try {
      members.insertMissed(table, hash, entry)
    } catch (error) {
      this.arena.release(entry)
      throw error
    }
    return true
  }

  /** Removes a member. Returns false if it was not there. Hot. */
  remove(root: Ref, encoding: number, bytes: Uint8Array, start: number, length: number): boolean {
    this.root = root
    this.encoding = encoding
    if (encoding === ENCODING_HASHTABLE) {
      const { members } = this
      const entry = members.find(root, members.hashOf(bytes, start, length), bytes, start, length)
      if (entry === 0) return false
      members.removeFound(root)
      this.arena.release(entry)
      return true
    }
    const { intsets } = this
    if (!intsets.parse(bytes, start, length)) return false
    const index = intsets.find(root, intsets.high, intsets.low)
    if (index < 0) return false
    this.root = intsets.remove(root, index)
    return true
  }

  /** Chooses a member, each as likely as any other. The set must have one. */
  pick(root: Ref, encoding: number, random: Random): void {
    if (encoding === ENCODING_HASHTABLE) {
      const entry = this.members.random(root, random)
      this.pickedAt = entry
      this.pickedBytes = this.arena.view8(entry)
      this.pickedStart = this.memberAt(entry)
      this.pickedLength = this.memberLength(entry)
    } else this.pickAt(root, random.below(this.intsets.length(root)))
  }

  /** Picks the element at a place of an intset. */
  pickAt(root: Ref, index: number): void {
    const { intsets, text } = this
    intsets.get(root, index)
    this.pickedAt = index
    this.pickedBytes = text
    this.pickedStart = 0
    this.pickedLength = intsets.writeText(text, 0)
  }

  /** Which member was picked: equal for equal members of a set that has not changed. */
  get pickedId(): number {
    return this.pickedAt
  }

  /** Removes the member that was picked just now; its bytes are dead then, unless it came from an intset. */
  removePicked(root: Ref, encoding: number): void {
    this.root = root
    this.encoding = encoding
    if (encoding === ENCODING_INTSET) {
      this.root = this.intsets.remove(root, this.pickedAt)
      return
    }
    const { members } = this
    members.removeFound(root)
    this.arena.release(this.pickedAt)
    // Nobody looks for members, so this is what moves a table that has become sparse to a smaller one.
    members.rehashBuckets(root, REHASH_BUCKETS_PER_PICK)
  }

  /** Walks over all members. Whoever begins it ends it; nothing is added or removed meanwhile. */
  walk(root: Ref, encoding: number): SetWalk {
    return new SetWalk(this, this.arena, root, encoding)
  }

  /** First byte of a table's member in its page. */
  memberAt(entry: Ref): number {
    return this.arena.at8(entry) + HEADER_BYTES
  }

  memberLength(entry: Ref): number {
    return this.arena.view32(entry)[this.arena.at32(entry)]!
  }

  // As a type

  release(root: Ref, encoding: number): void {
    while (this.releaseSome(root, encoding));
  }

  freeEffort(root: Ref, encoding: number): number {
    return encoding === ENCODING_INTSET ? 1 : this.members.count(root)
  }

  releaseSome(root: Ref, encoding: number): boolean {
    const { arena, members } = this
    if (encoding === ENCODING_INTSET) {
      arena.release(root)
      return false
    }
    const goesOn = members.dismantle(root)
    for (let i = 0; i < members.scannedCount; i++) arena.release(members.scanned[i]!)
    return goesOn
  }

  relocate(root: Ref, encoding: number, position: number): number {
    return encoding === ENCODING_INTSET ? -1 : this.members.relocateBlocks(root, position)
  }

  copy(root: Ref, encoding: number): Ref {
    if (encoding === ENCODING_INTSET) return this.intsets.copy(root)
    const { members } = this
    const copy = members.create()
    const walk = this.walk(root, encoding)
    try {
      members.reserve(copy, members.count(root))
      while (walk.next()) this.insert(copy, walk.hash(), walk.bytes, walk.start, walk.length)
    } catch (error) {
      this.release(copy, encoding)
      throw error
    } finally {
      walk.end()
    }
    return copy
  }

  sizeBytes(root: Ref, encoding: number, samples: number): number {
    const { arena, members } = this
    if (encoding === ENCODING_INTSET) return arena.capacity(root)
    const most = samples === 0 ? Number.POSITIVE_INFINITY : samples
    let sampled = 0
    let sampledBytes = 0
    const walk = this.walk(root, encoding)
    while (sampled < most && walk.next()) {
      sampledBytes += arena.capacity(walk.entry)
      sampled++
    }
    walk.end()
    return members.sizeBytes(root) + (sampled === 0 ? 0 : Math.floor((sampledBytes / sampled) * members.count(root)))
  }

  digest(root: Ref, encoding: number, digest: Digest): void {
    const walk = this.walk(root, encoding)
    while (walk.next()) {
      walk.spell()
      digest.add(walk.bytes, walk.start, walk.start + walk.length)
    }
    walk.end()
  }

  table(root: Ref, encoding: number): TableRef {
    return encoding === ENCODING_HASHTABLE ? root : 0
  }

  private elements(root: Ref, encoding: number, first: number, count: number): TextPool {
    const elements = new TextPool(count)
    const walk = this.walk(root, encoding)
    for (let i = 0; elements.count < count && walk.next(); i++) {
      if (i < first) continue
      walk.spell()
      elements.push(walk.bytes, walk.start, walk.length)
    }
    walk.end()
    return elements
  }

  /** Makes a hash table of an intset. */
  convert(root: Ref): void {
    this.replaceByTable(root, this.tableOf(root))
  }

  /** As `convert`, with one more member, which is no number. */
  private convertWith(root: Ref, bytes: Uint8Array, start: number, length: number): void {
    const table = this.tableOf(root)
    try {
      this.insert(table, this.members.hashOf(bytes, start, length), bytes, start, length)
    } catch (error) {
      this.release(table, ENCODING_HASHTABLE)
      throw error
    }
    this.replaceByTable(root, table)
  }

  private replaceByTable(root: Ref, table: TableRef): void {
    this.arena.release(root)
    this.root = table
    this.encoding = ENCODING_HASHTABLE
  }

  /** A hash table of an intset's elements, which stays. */
  private tableOf(root: Ref): TableRef {
    const { intsets, members, text } = this
    const table = members.create()
    try {
      const length = intsets.length(root)
      members.reserve(table, length)
      for (let i = 0; i < length; i++) {
        intsets.get(root, i)
        const textLength = intsets.writeText(text, 0)
        this.insert(table, members.hashOf(text, 0, textLength), text, 0, textLength)
      }
    } catch (error) {
      this.release(table, ENCODING_HASHTABLE)
      throw error
    }
    return table
  }

  /** Adds a member that is not there to a table. */
  private insert(table: TableRef, hash: number, bytes: Uint8Array, start: number, length: number): void {
    const entry = this.makeEntry(bytes, start, length)
    try {
      this.members.insert(table, hash, entry)
    } catch (error) {
      this.arena.release(entry)
      throw error
    }
  }

  /** Hot. */
  private makeEntry(bytes: Uint8Array, start: number, length: number): Ref {
    if (length > KEY_BYTES_MAX) throw new ArenaFullError(`a member of ${length} bytes is above the maximum`)
    const { arena } = this
    const entry = arena.allocate(HEADER_BYTES + length)
    const words = arena.view32(entry)
    const at = arena.at32(entry)
    words[at] = length
    if (length <= WORD_COPY_BYTES_MAX) {
      const whole = length & ~3
      let from = start
      let to = at
      for (const end = start + whole; from < end; from += 4) {
        words[++to] = bytes[from]! | (bytes[from + 1]! << 8) | (bytes[from + 2]! << 16) | (bytes[from + 3]! << 24)
      }
      if (whole < length) {
        let last = bytes[from]!
        if (length - whole > 1) last |= bytes[from + 1]! << 8
        if (length - whole > 2) last |= bytes[from + 2]! << 16
        words[to + 1] = last
      }
    } else copyBytes(bytes, start, arena.view8(entry), arena.at8(entry) + HEADER_BYTES, length)
    return entry
  }
}
