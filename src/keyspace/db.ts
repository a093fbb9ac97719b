/**
 * One database: keys with values and expire times. Everything that changes data goes through here, so that expiry,
 * snapshots and memory are right whatever command asked.
 *
 * A database may become several tables (one per cluster slot): nothing outside this folder knows how many there are.
 * Entries move when they grow: a ref is dead after any call here that writes.
 * Hot path: bench/micro/receive.ts.
 */
import type { Argv } from '../base/argv.ts'
import { copyBytes, zeroBytes } from '../base/copy-bytes.ts'
import { isInt64, parseSafeInt } from '../base/int64-text.ts'
import { type CopySource, copyWords, WORD_COPY_BYTES_MAX } from '../base/word-copy.ts'
import { ArenaFullError, type Ref } from '../memory/arena.ts'
import { HAS_EXTRA, KEY_BYTES_MAX, KEY_LENGTH_MASK, type TableRef } from '../structures/hash-table.ts'
import {
  EMBSTR_BYTES_MAX,
  ENCODING_EMBSTR,
  ENCODING_INT,
  ENCODING_RAW,
  ENTRY_HEADER_BYTES,
  EPOCH_MASK,
  EXPIRE_DELETE,
  EXPIRE_IGNORE,
  headBytes,
  LONG_SLACK,
  META_ENCODING_MASK,
  META_ENCODING_SHIFT,
  META_LRU_SHIFT,
  META_SLACK,
  META_TYPE_MASK,
  NO_KEY,
  rootWord,
  TYPE_STREAM,
  TYPE_STRING,
  WORD_EXPIRE,
  WORD_KEY,
  WORD_META,
  WRONG_TYPE,
} from './entry.ts'
import { FieldExpiryIndex } from './field-expiry-index.ts'
import type { Keyspace } from './keyspace.ts'
import { lfuAfterAccess, lfuInitial } from './lfu.ts'
import { isHashWithExpiry } from './types/hash-encodings.ts'

/** From so many keys on, emptying the last database that has any gives up the whole arena instead of each block. */
const RESET_KEYS_MIN = 1000
const TWO_32 = 0x1_0000_0000
/** For the root's ref behind a key: 4 bytes and up to 3 before it, so that it stands at a multiple of 4. */
const ROOT_BYTES = 7
/** The last bytes of a block with much slack, which say how much. */
const LONG_SLACK_BYTES = 8

/** Milliseconds since 1970, up to 2^63 - 1: a bigint where a double is not exact. */
export type UnixTimeMs = number | bigint

/** What OBJECT ENCODING would say of a string just set. */
export function stringEncoding(bytes: Uint8Array, start: number, length: number): number {
  if (length <= 20) {
    const first = bytes[start]!
    if (((first >= 48 && first <= 57) || first === 45) && isInt64(bytes, start, start + length)) return ENCODING_INT
  }
  return length <= EMBSTR_BYTES_MAX ? ENCODING_EMBSTR : ENCODING_RAW
}

/** Where values go: the reply writer, seen from below it. */
export interface ValueSink {
  /** `data`: the DataView of `bytes`, if there is one. */
  bulk(bytes: Uint8Array, start: number, length: number, data?: DataView | null): void
}

export class Db {
  readonly keyspace: Keyspace
  readonly index: number
  /** Average time to live in milliseconds, estimated by the active expiry cycle. */
  averageTtlMs = 0
  /** Where the active expiry cycle stands. */
  expireCursor = 0
  /** The hashes that have fields that expire. */
  fieldExpiry: FieldExpiryIndex
  private keys: TableRef = 0
  private expires: TableRef = 0

  constructor(keyspace: Keyspace, index: number) {
    this.keyspace = keyspace
    this.index = index
    this.fieldExpiry = new FieldExpiryIndex(keyspace)
    this.beginEmpty()
  }

  get size(): number {
    return this.keyspace.table.count(this.keys)
  }

  get expiresSize(): number {
    return this.keyspace.table.count(this.expires)
  }

  /** Slots of the table of expire times, free and taken. */
  get expiresSlots(): number {
    const { table } = this.keyspace
    return table.slotCount(this.expires, 0) + table.slotCount(this.expires, 1)
  }

  // Finding

  /** The entry of a key for a reading command, or NO_KEY. Counts hits and misses, touches the LRU field. */
  read(argv: Argv, index: number): Ref {
    return this.readKey(argv.bytes, argv.starts[index]!, argv.lengths[index]!)
  }

  /** As `read`, of a key that is no argument. */
  readKey(bytes: Uint8Array, start: number, length: number): Ref {
    const { keyspace } = this
    const { arena, table } = keyspace
    const entry = table.find(this.keys, table.hashOf(bytes, start, length), bytes, start, length)
    const words = arena.view32(entry)
    const at = arena.at32(entry)
    if (entry === 0 || (words[at]! < 0 && this.isGone(entry))) {
      keyspace.misses++
      if (keyspace.listener !== null) keyspace.listener.missed(this, bytes, start, length)
      return NO_KEY
    }
    keyspace.hits++
    const meta = words[at + WORD_META]!
    const lru = keyspace.lfu ? lfuAfterAccess(meta >>> META_LRU_SHIFT, keyspace) : keyspace.lruClock
    words[at + WORD_META] = (meta & 0xff) | (lru << META_LRU_SHIFT)
    return entry
  }

  /** As `read`, and the LRU field stays: EXISTS, TTL and others that look at a key without using it. */
  look(argv: Argv, index: number): Ref {
    const { keyspace } = this
    const start = argv.starts[index]!
    const length = argv.lengths[index]!
    const entry = this.peek(argv.bytes, start, length)
    if (entry !== NO_KEY) keyspace.hits++
    else {
      keyspace.misses++
      if (keyspace.listener !== null) keyspace.listener.missed(this, argv.bytes, start, length)
    }
    return entry
  }

  /** As `read`, of a key that must be a string if it exists: NO_KEY, WRONG_TYPE or the entry. */
  readString(argv: Argv, index: number): Ref {
    return this.readTyped(argv, index, TYPE_STRING)
  }

  /** As `read`, of a key that must have a type if it exists: NO_KEY, WRONG_TYPE or the entry. */
  readTyped(argv: Argv, index: number, type: number): Ref {
    const entry = this.read(argv, index)
    return entry !== 0 && (this.wordOf(entry, WORD_META) & META_TYPE_MASK) !== type ? WRONG_TYPE : entry
  }

  /**
   * The entry of a key for a writing command, or NO_KEY: an overdue key then makes room, also where reading only hides it.
   * Touches the LRU field; counts nothing.
   */
  write(argv: Argv, index: number): Ref {
    const entry = this.peekForWrite(argv.bytes, argv.starts[index]!, argv.lengths[index]!)
    if (entry !== 0) this.touch(entry)
    return entry
  }

  /** As `write`, of a key that must be a string if it exists. */
  writeString(argv: Argv, index: number): Ref {
    return this.writeTyped(argv, index, TYPE_STRING)
  }

  /** As `write`, of a key that must have a type if it exists: NO_KEY, WRONG_TYPE or the entry. Hot. */
  writeTyped(argv: Argv, index: number, type: number): Ref {
    const { keyspace } = this
    const { arena } = keyspace
    const entry = this.peekOverdue(argv.bytes, argv.starts[index]!, argv.lengths[index]!)
    if (entry === 0) return NO_KEY
    const words = arena.view32(entry)
    const at = arena.at32(entry)
    if (words[at]! < 0 && this.makesRoom(entry)) return NO_KEY
    const meta = words[at + WORD_META]!
    const lru = keyspace.lfu ? lfuAfterAccess(meta >>> META_LRU_SHIFT, keyspace) : keyspace.lruClock
    words[at + WORD_META] = (meta & 0xff) | (lru << META_LRU_SHIFT)
    return (meta & META_TYPE_MASK) === type ? entry : WRONG_TYPE
  }

  /** The entry of a key, or NO_KEY if it is absent or overdue; no counter and no LRU field changes. */
  peek(bytes: Uint8Array, start: number, length: number): Ref {
    const { table } = this.keyspace
    const entry = table.find(this.keys, table.hashOf(bytes, start, length), bytes, start, length)
    if (entry !== 0 && this.wordOf(entry, WORD_KEY) < 0 && this.isGone(entry)) return NO_KEY
    return entry
  }

  /** As `peek`, and an overdue key makes room, also where reading only hides it. */
  peekForWrite(bytes: Uint8Array, start: number, length: number): Ref {
    const entry = this.peekOverdue(bytes, start, length)
    return entry !== 0 && this.wordOf(entry, WORD_KEY) < 0 && this.makesRoom(entry) ? NO_KEY : entry
  }

  /** As `peek`, but an overdue key is returned as well. */
  peekOverdue(bytes: Uint8Array, start: number, length: number): Ref {
    const { table } = this.keyspace
    return table.find(this.keys, table.hashOf(bytes, start, length), bytes, start, length)
  }

  /** A key chosen evenly that is not overdue, or NO_KEY. */
  randomKey(): Ref {
    const { keyspace } = this
    // Where overdue keys are hidden and not deleted there may be no others: give up after Redis's number of tries.
    const triesMax = this.expiresSize === this.size ? 100 : Number.POSITIVE_INFINITY
    for (let tries = 1; ; tries++) {
      const entry = keyspace.table.random(this.keys, keyspace.random)
      if (entry === 0 || this.wordOf(entry, WORD_KEY) >= 0) return entry
      if (keyspace.expireMode === EXPIRE_IGNORE || !this.isOverdue(entry)) return entry
      if (keyspace.expireMode === EXPIRE_DELETE) this.expire(entry)
      else if (tries >= triesMax) return entry
    }
  }

  /** An entry chosen evenly, overdue or not: sampling by eviction and DEBUG. */
  sample(): Ref {
    return this.keyspace.table.random(this.keys, this.keyspace.random)
  }

  /** As `sample`, of the keys that have an expire time. */
  sampleExpires(): Ref {
    return this.keyspace.table.random(this.expires, this.keyspace.random)
  }

  /** Gathers about `wanted` entries in `table.scanned` (HashTable.sampleNeighbours): what eviction chooses from. */
  sampleSome(wanted: number, fromExpires: boolean): number {
    const { table, random } = this.keyspace
    return table.sampleNeighbours(fromExpires ? this.expires : this.keys, wanted, random)
  }

  // Entries

  typeOf(entry: Ref): number {
    return this.wordOf(entry, WORD_META) & META_TYPE_MASK
  }

  encodingOf(entry: Ref): number {
    return (this.wordOf(entry, WORD_META) & META_ENCODING_MASK) >>> META_ENCODING_SHIFT
  }

  /** The 24 bits that LRU or LFU keep. */
  lruOf(entry: Ref): number {
    return this.wordOf(entry, WORD_META) >>> META_LRU_SHIFT
  }

  setLru(entry: Ref, lru: number): void {
    const { arena } = this.keyspace
    const at = arena.at32(entry) + WORD_META
    const words = arena.view32(entry)
    words[at] = (words[at]! & 0xff) | (lru << META_LRU_SHIFT)
  }

  keyLength(entry: Ref): number {
    return this.wordOf(entry, WORD_KEY) & KEY_LENGTH_MASK
  }

  /** Where the key's bytes begin in `bytesOf(entry)`. */
  keyAt(entry: Ref): number {
    return this.keyspace.table.keyAt(entry)
  }

  /** The page that holds the entry. */
  bytesOf(entry: Ref): Uint8Array {
    return this.keyspace.arena.view8(entry)
  }

  /** A copy of the key. */
  keyBytes(entry: Ref): Uint8Array {
    const at = this.keyAt(entry)
    return this.bytesOf(entry).slice(at, at + this.keyLength(entry))
  }

  /** Ref of the value, types other than string. */
  rootOf(entry: Ref): Ref {
    const { arena } = this.keyspace
    const words = arena.view32(entry)
    const at = arena.at32(entry)
    return words[at + rootWord(words[at]!)]!
  }

  setRoot(entry: Ref, root: Ref): void {
    const { arena } = this.keyspace
    const words = arena.view32(entry)
    const at = arena.at32(entry)
    words[at + rootWord(words[at]!)] = root
  }

  setEncoding(entry: Ref, encoding: number): void {
    const { arena } = this.keyspace
    const at = arena.at32(entry) + WORD_META
    const words = arena.view32(entry)
    words[at] = (words[at]! & ~META_ENCODING_MASK) | (encoding << META_ENCODING_SHIFT)
  }

  /** Length of a string's value in bytes. */
  valueLength(entry: Ref): number {
    const word = this.wordOf(entry, WORD_KEY)
    return this.usedBytes(entry) - headBytes(word) - (word & KEY_LENGTH_MASK)
  }

  /** Where a string's value begins in `bytesOf(entry)`. */
  valueAt(entry: Ref): number {
    return this.keyAt(entry) + this.keyLength(entry)
  }

  /** Hands out a string's value: what a reading command does with it, in one look at the entry. Hot. */
  writeValue(entry: Ref, out: ValueSink): void {
    const { arena } = this.keyspace
    const words = arena.view32(entry)
    const at = arena.at32(entry)
    const word = words[at]!
    const bytes = arena.view8(entry)
    const head = headBytes(word) + (word & KEY_LENGTH_MASK)
    let used = arena.capacity(entry)
    if ((words[at + WORD_META]! & META_SLACK) !== 0) used -= slackAt(bytes, words, arena.at8(entry) + used)
    out.bulk(bytes, arena.at8(entry) + head, used - head, arena.viewData(entry))
  }

  /** A view of a string's value, dead after the next write. */
  valueView(entry: Ref): Uint8Array {
    const at = this.valueAt(entry)
    return this.bytesOf(entry).subarray(at, at + this.valueLength(entry))
  }

  /** Unix time in milliseconds at which the entry expires, or -1. Rounded where a double cannot hold it. */
  expireAtMs(entry: Ref): number {
    const { arena } = this.keyspace
    const words = arena.view32(entry)
    const at = arena.at32(entry)
    if (words[at]! >= 0) return -1
    return words[at + WORD_EXPIRE + 1]! * TWO_32 + (words[at + WORD_EXPIRE]! >>> 0)
  }

  /** As `expireAtMs`, and exact: what is shown, saved and copied. */
  exactExpireAtMs(entry: Ref): UnixTimeMs {
    const rounded = this.expireAtMs(entry)
    if (Number.isSafeInteger(rounded)) return rounded
    const { arena } = this.keyspace
    const words = arena.view32(entry)
    const at = arena.at32(entry) + WORD_EXPIRE
    return (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]! >>> 0)
  }

  /** Bytes of the entry's own block. */
  blockBytes(entry: Ref): number {
    return this.keyspace.arena.capacity(entry)
  }

  // Strings

  /**
   * Sets a key to a string, whatever it held, and returns its entry. The expire time goes unless `keepTtl`.
   * `encoding` as from `stringEncoding`.
   */
  setString(
    key: Uint8Array,
    keyStart: number,
    keyLength: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
    encoding: number,
    keepTtl: boolean,
  ): Ref {
    const { keyspace } = this
    const { arena, table } = keyspace
    const hash = table.hashOf(key, keyStart, keyLength)
    let old = table.find(this.keys, hash, key, keyStart, keyLength)
    // An overdue key goes with all that follows from it, and its expire time is not one to keep.
    if (old !== 0 && this.wordOf(old, WORD_KEY) < 0 && this.isOverdue(old) && keyspace.expireMode !== EXPIRE_IGNORE) {
      this.expire(old)
      old = 0
    }
    if (old === 0) {
      const entry = this.allocateEntry(key, keyStart, keyLength, ENTRY_HEADER_BYTES, valueLength)
      this.putMeta(entry, TYPE_STRING | (encoding << META_ENCODING_SHIFT) | this.initialLru())
      this.putValue(entry, ENTRY_HEADER_BYTES + keyLength, value, valueStart, valueLength)
      this.insertEntry(hash, entry)
      if (keyspace.announcesNew) this.announceNew(key, keyStart, keyLength)
      return entry
    }
    if (keyspace.snapshot !== null) keyspace.snapshot.preserve(this, old)
    const words = arena.view32(old)
    const at = arena.at32(old)
    const hasExpire = words[at]! < 0
    if ((words[at + WORD_META]! & META_TYPE_MASK) !== TYPE_STRING || (hasExpire && !keepTtl)) {
      return this.replaceWithString(old, key, keyStart, keyLength, value, valueStart, valueLength, encoding, keepTtl)
    }
    const head = headBytes(words[at]!) + keyLength
    let entry = old
    if (arena.capacity(old) !== arena.capacityFor(head + valueLength)) {
      entry = arena.allocate(head + valueLength)
      copyBytes(arena.view8(old), arena.at8(old), arena.view8(entry), arena.at8(entry), head)
      table.replaceFound(entry)
      if (hasExpire) this.replaceInExpires(old, entry)
    }
    // A value made anew is as recently used as a new key's; how frequently it is used goes on counting.
    const lruBits = keyspace.lfu ? words[at + WORD_META]! & ~0xff : this.initialLru()
    this.putMeta(entry, TYPE_STRING | (encoding << META_ENCODING_SHIFT) | lruBits)
    this.putValue(entry, head, value, valueStart, valueLength)
    if (entry !== old) arena.release(old)
    return entry
  }

  /**
   * Gives a string another length and returns its entry, perhaps moved: what it held stays, up to the shorter of both
   * lengths, and new bytes are zero. The bytes may then be written in place.
   */
  resizeString(entry: Ref, lengthBytes: number, encoding: number): Ref {
    const { keyspace } = this
    const { arena, table } = keyspace
    if (keyspace.snapshot !== null) keyspace.snapshot.preserve(this, entry)
    const head = this.valueAt(entry) - arena.at8(entry)
    const heldBytes = this.valueLength(entry)
    let target = entry
    // A string that grows once is likely to grow again, so it may keep up to half of its block unused before it moves.
    if (head + lengthBytes > arena.capacity(entry) || head + lengthBytes < arena.capacity(entry) >> 1) {
      const room = lengthBytes > heldBytes && heldBytes > 0 ? growthRoom(lengthBytes) : 0
      target = arena.allocate(head + lengthBytes + room)
      copyBytes(
        arena.view8(entry),
        arena.at8(entry),
        arena.view8(target),
        arena.at8(target),
        head + Math.min(heldBytes, lengthBytes),
      )
      table.findEntry(this.keys, entry)
      table.replaceFound(target)
      if (this.wordOf(entry, WORD_KEY) < 0) this.replaceInExpires(entry, target)
      arena.release(entry)
    }
    const at = arena.at8(target) + head
    if (lengthBytes > heldBytes) zeroBytes(arena.view8(target), at + heldBytes, lengthBytes - heldBytes)
    this.setUsed(target, head + lengthBytes)
    this.setEncoding(target, encoding)
    return target
  }

  /** The number that a string is the text of, or NaN if it is not that of a safe integer. Hot. */
  numberOf(entry: Ref): number {
    const { arena } = this.keyspace
    const at = arena.at8(entry)
    const head = headBytes(this.wordOf(entry, WORD_KEY)) + this.keyLength(entry)
    return parseSafeInt(arena.view8(entry), at + head, at + this.usedBytes(entry))
  }

  /**
   * Gives a string other bytes, which do not lie in it, and returns its entry, perhaps moved. Its expire time stays. Hot
   * where the length stays too, as that of a counter mostly does.
   */
  rewriteString(entry: Ref, value: Uint8Array, valueStart: number, valueLength: number, encoding: number): Ref {
    const { arena, snapshot } = this.keyspace
    const word = this.wordOf(entry, WORD_KEY)
    const head = headBytes(word) + (word & KEY_LENGTH_MASK)
    let target = entry
    if (this.usedBytes(entry) !== head + valueLength) target = this.resizeString(entry, valueLength, encoding)
    else {
      if (snapshot !== null) snapshot.preserve(this, entry)
      this.setEncoding(entry, encoding)
    }
    copyBytes(value, valueStart, arena.view8(target), arena.at8(target) + head, valueLength)
    return target
  }

  // Other types

  /** Adds a key of a type other than string, known to be absent, and returns its entry. */
  addValue(key: Uint8Array, keyStart: number, keyLength: number, type: number, encoding: number, root: Ref): Ref {
    const hash = this.keyspace.table.hashOf(key, keyStart, keyLength)
    const entry = this.allocateEntry(key, keyStart, keyLength, ENTRY_HEADER_BYTES, ROOT_BYTES)
    this.putMeta(entry, type | (encoding << META_ENCODING_SHIFT) | this.initialLru())
    this.setRoot(entry, root)
    this.insertEntry(hash, entry)
    this.trackIfFieldsExpire(entry)
    if (this.keyspace.announcesNew) this.announceNew(key, keyStart, keyLength)
    return entry
  }

  /** Sets a key to a value of a type other than string, whatever it held, and returns its entry. The expire time goes. */
  setValue(key: Uint8Array, keyStart: number, keyLength: number, type: number, encoding: number, root: Ref): Ref {
    const { keyspace } = this
    const { table } = keyspace
    const old = this.peekForWrite(key, keyStart, keyLength)
    if (old === NO_KEY) return this.addValue(key, keyStart, keyLength, type, encoding, root)
    if (keyspace.announcesStreams) this.announceStreamGone(old)
    if (keyspace.snapshot !== null) keyspace.snapshot.preserve(this, old)
    const lru = keyspace.lfu ? lfuAfterAccess(this.lruOf(old), keyspace) : keyspace.lruClock
    const entry = this.allocateEntry(key, keyStart, keyLength, ENTRY_HEADER_BYTES, ROOT_BYTES)
    this.putMeta(entry, type | (encoding << META_ENCODING_SHIFT) | (lru << META_LRU_SHIFT))
    this.setRoot(entry, root)
    if (this.wordOf(old, WORD_KEY) < 0 && table.findEntry(this.expires, old)) table.removeFound(this.expires)
    table.findEntry(this.keys, old)
    table.replaceFound(entry)
    this.untrackFieldExpiry(old)
    this.trackIfFieldsExpire(entry)
    keyspace.releaseEntry(old, keyspace.lazyFree.serverDel)
    return entry
  }

  /**
   * Makes an entry as a file or another server has it, which is in no table until `link` adds it. `value` is a string's
   * length, its bytes being the caller's to write, or the root of another type. `hasExpire` is false for a key that stays;
   * the two words of the expire time are low first. `lru` below 0 stands for just used.
   */
  makeUnlinked(
    key: CopySource,
    keyStart: number,
    keyLength: number,
    type: number,
    encoding: number,
    value: number,
    hasExpire: boolean,
    expireLow: number,
    expireHigh: number,
    lru: number,
  ): Ref {
    const { arena, epochBits } = this.keyspace
    if (keyLength > KEY_BYTES_MAX) throw new ArenaFullError(`a key of ${keyLength} bytes is above the maximum`)
    const word = keyLength | epochBits | (hasExpire ? HAS_EXTRA : 0)
    const head = headBytes(word)
    const entry = arena.allocate(head + keyLength + (type === TYPE_STRING ? value : ROOT_BYTES))
    const words = arena.view32(entry)
    const at = arena.at32(entry)
    words[at] = word
    words[at + WORD_META] =
      type | (encoding << META_ENCODING_SHIFT) | (lru < 0 ? this.initialLru() : lru << META_LRU_SHIFT)
    if (type === TYPE_STRING) this.setUsed(entry, head + keyLength + value)
    else words[at + rootWord(word)] = value
    if (hasExpire) {
      words[at + WORD_EXPIRE] = expireLow
      words[at + WORD_EXPIRE + 1] = expireHigh
    }
    key.copy(keyStart, arena.view8(entry), arena.viewData(entry), arena.at8(entry) + head, keyLength)
    return entry
  }

  /** Adds an entry that `makeUnlinked` made, under its key's hash; nobody is told. False: the name is taken. Throws ArenaFullError. */
  link(entry: Ref, hash: number): boolean {
    const { table } = this.keyspace
    if (!table.insertNew(this.keys, hash, entry)) return false
    this.trackIfFieldsExpire(entry)
    if (this.wordOf(entry, WORD_KEY) >= 0) return true
    try {
      table.insert(this.expires, hash, entry)
    } catch (error) {
      if (table.findEntry(this.keys, entry)) table.removeFound(this.keys)
      this.untrackFieldExpiry(entry)
      throw error
    }
    return true
  }

  /** Fetches what `link` needs of the table. Several of these before several links take the time of the slowest. */
  prefetch(hash: number): number {
    return this.keyspace.table.touch(this.keys, hash)
  }

  /** Notes that a hash has fields that expire, */
  trackFieldExpiry(entry: Ref): void {
    this.fieldExpiry.add(entry)
  }

  /** and that it has none any more. */
  untrackFieldExpiry(entry: Ref): void {
    if (isHashWithExpiry(this.wordOf(entry, WORD_META))) this.fieldExpiry.remove(entry)
  }

  /** To be called before a value of a type other than string is changed in place. */
  beforeChange(entry: Ref): void {
    const { snapshot } = this.keyspace
    if (snapshot !== null) snapshot.preserve(this, entry)
  }

  // Keys

  /** Removes a key. The entry must be this database's. `isLazy`: its value counts as freed lazily if that takes long. */
  remove(entry: Ref, isLazy = this.keyspace.lazyFree.serverDel): void {
    const { keyspace } = this
    if (keyspace.announcesStreams) this.announceStreamGone(entry)
    if (keyspace.snapshot !== null) keyspace.snapshot.preserve(this, entry)
    this.unlink(entry)
    keyspace.releaseEntry(entry, isLazy)
  }

  /** Removes a key by name, overdue or not. Returns whether it was there; one that expires by this call was not. */
  removeKey(bytes: Uint8Array, start: number, length: number, isLazy = this.keyspace.lazyFree.serverDel): boolean {
    const entry = this.peekOverdue(bytes, start, length)
    if (entry === NO_KEY) return false
    if (this.wordOf(entry, WORD_KEY) < 0 && this.keyspace.expireMode === EXPIRE_DELETE && this.isGone(entry))
      return false
    this.remove(entry, isLazy)
    return true
  }

  /**
   * Gives a value another name, in this database or another, with its expire time and LRU field; the new name must be
   * free. Returns the new entry.
   */
  moveEntry(entry: Ref, target: Db, key: Uint8Array, keyStart: number, keyLength: number): Ref {
    const { keyspace } = this
    if (keyspace.snapshot !== null) keyspace.snapshot.preserve(this, entry)
    const moved = target.cloneShell(entry, key, keyStart, keyLength, this.rootOf(entry))
    if (keyspace.announcesStreams) this.announceStreamGone(entry)
    this.unlink(entry)
    keyspace.arena.release(entry)
    return moved
  }

  /** Copies a value to a free name in `target`, with its expire time. Returns the new entry. */
  copyEntry(entry: Ref, target: Db, key: Uint8Array, keyStart: number, keyLength: number): Ref {
    const type = this.typeOf(entry)
    if (type === TYPE_STRING) return target.cloneShell(entry, key, keyStart, keyLength, 0)
    const encoding = this.encodingOf(entry)
    const valueType = this.keyspace.types[type]!
    const root = valueType.copy(this.rootOf(entry), encoding)
    try {
      return target.cloneShell(entry, key, keyStart, keyLength, root)
    } catch (error) {
      valueType.release(root, encoding)
      throw error
    }
  }

  /** Sets when a key expires. Returns its entry, perhaps moved. */
  setExpire(entry: Ref, atMs: UnixTimeMs): Ref {
    const { keyspace } = this
    const { arena } = keyspace
    if (keyspace.snapshot !== null) keyspace.snapshot.preserve(this, entry)
    let target = entry
    if (this.wordOf(entry, WORD_KEY) >= 0) {
      target = this.reshaped(entry, true)
      this.insertInExpires(keyspace.table.hashOfEntry(target), target)
      this.replaceInKeys(entry, target)
    }
    const words = arena.view32(target)
    const at = arena.at32(target) + WORD_EXPIRE
    if (typeof atMs === 'bigint') {
      words[at] = Number(BigInt.asIntN(32, atMs))
      words[at + 1] = Number(BigInt.asIntN(32, atMs >> 32n))
    } else {
      const high = Math.floor(atMs / TWO_32)
      words[at] = (atMs - high * TWO_32) | 0
      words[at + 1] = high
    }
    if (keyspace.expireObserver !== null && keyspace.expireMode !== EXPIRE_IGNORE) keyspace.expireObserver(this, target)
    return target
  }

  /** Makes a key stay. Returns its entry, perhaps moved. */
  persist(entry: Ref): Ref {
    const { keyspace } = this
    const { table } = keyspace
    if (this.wordOf(entry, WORD_KEY) >= 0) return entry
    if (keyspace.snapshot !== null) keyspace.snapshot.preserve(this, entry)
    const target = this.reshaped(entry, false)
    if (table.findEntry(this.expires, entry)) table.removeFound(this.expires)
    this.replaceInKeys(entry, target)
    return target
  }

  isOverdue(entry: Ref): boolean {
    const atMs = this.expireAtMs(entry)
    return atMs >= 0 && this.keyspace.clock.nowMs > atMs
  }

  /** Removes an overdue key and tells the listener. */
  expire(entry: Ref): void {
    const { keyspace } = this
    keyspace.expiredKeys++
    // The listener sees the key; another command of its making may not run in between.
    if (keyspace.listener !== null) keyspace.listener.expired(this, entry)
    this.remove(entry, keyspace.lazyFree.expire)
  }

  // Walking

  /** Calls `visit` for every entry of the bucket at `cursor`; returns the next cursor, 0 at the end. `visit` may remove the entry it is given. */
  scan(cursor: number, visit: (entry: Ref) => void): number {
    return this.scanTable(this.keys, cursor, visit)
  }

  scanExpires(cursor: number, visit: (entry: Ref) => void): number {
    return this.scanTable(this.expires, cursor, visit)
  }

  /** As `scan`, without a call per entry: they stand in `table.scanned` until anything is looked up, added or removed. */
  gather(cursor: number): number {
    return this.keyspace.table.scan(this.keys, cursor)
  }

  /** Calls `visit` once for every entry. `visit` may remove the entry it is given and may add none. */
  forEach(visit: (entry: Ref) => void): void {
    const { table } = this.keyspace
    table.pauseRehash(this.keys)
    let cursor = 0
    do cursor = this.scan(cursor, visit)
    while (cursor !== 0)
    table.resumeRehash(this.keys)
  }

  /**
   * Empties the database and returns how many keys went. The memory of many keys follows in steps; `isLazy` says whether
   * that was asked for, which is a matter of statistics alone.
   */
  clear(isLazy = false): number {
    const { keyspace } = this
    const { size } = this
    if (keyspace.snapshot === null && size > RESET_KEYS_MIN && !keyspace.hasGuests && keyspace.keyCount() === size) {
      keyspace.resetArena(isLazy)
      return size
    }
    const { keys, expires } = this
    this.fieldExpiry.clear()
    this.beginEmpty()
    // A snapshot that has not written these keys yet keeps them until it has.
    if (keyspace.snapshot === null || !keyspace.snapshot.adopt(this, keys, expires, isLazy)) {
      keyspace.lazyFree.add(keys, expires, isLazy)
    }
    return size
  }

  /** Gives everything back in steps; the database is not to be used any more. */
  dismantle(): void {
    this.keyspace.lazyFree.add(this.keys, this.expires, true)
  }

  /** Makes new tables; the old ones are somebody else's to free. */
  beginEmpty(): void {
    const { table } = this.keyspace
    this.keys = table.create()
    this.expires = table.create()
    this.averageTtlMs = 0
    this.expireCursor = 0
    this.fieldExpiry.forget()
  }

  exchange(other: Db): void {
    const { keys, expires, averageTtlMs, expireCursor, fieldExpiry } = this
    this.keys = other.keys
    this.expires = other.expires
    this.averageTtlMs = other.averageTtlMs
    this.expireCursor = other.expireCursor
    this.fieldExpiry = other.fieldExpiry
    other.keys = keys
    other.expires = expires
    other.averageTtlMs = averageTtlMs
    other.expireCursor = expireCursor
    other.fieldExpiry = fieldExpiry
  }

  /** Makes room for a number of keys known beforehand (loading). */
  reserve(keys: number, expires: number): void {
    this.keyspace.table.reserve(this.keys, keys)
    this.keyspace.table.reserve(this.expires, expires)
  }

  /** Goes on with a rehash under way, if any: the cron's share. Returns true while there is more to do. */
  rehash(buckets: number): boolean {
    const { table } = this.keyspace
    const keysGoOn = table.rehashBuckets(this.keys, buckets)
    this.fieldExpiry.rehash(buckets)
    return table.rehashBuckets(this.expires, buckets) || keysGoOn
  }

  /**
   * Moves an entry out of a page that is to be left. Returns where it is now, for the table of keys; the other tables know.
   * Not while a snapshot is under way, which may look at entries by their place.
   */
  relocated(entry: Ref): Ref {
    const { arena } = this.keyspace
    const target = arena.relocated(entry)
    if (target === 0) return entry
    if (this.wordOf(entry, WORD_KEY) < 0) this.replaceInExpires(entry, target)
    if (isHashWithExpiry(this.wordOf(entry, WORD_META))) this.fieldExpiry.replace(entry, target)
    arena.release(entry)
    return target
  }

  /** Facts on the tables, for DEBUG HTSTATS and MEMORY STATS. */
  tables(): { name: string; table: TableRef }[] {
    return [
      { name: 'keys', table: this.keys },
      { name: 'expires', table: this.expires },
    ]
  }

  /** Marks the entry as written by the newest snapshot. Returns false if it already was. */
  claimForSnapshot(entry: Ref): boolean {
    const { arena, epochBits } = this.keyspace
    const words = arena.view32(entry)
    const at = arena.at32(entry)
    if ((words[at]! & EPOCH_MASK) === epochBits) return false
    words[at] = (words[at]! & ~EPOCH_MASK) | epochBits
    return true
  }

  private wordOf(entry: Ref, word: number): number {
    const { arena } = this.keyspace
    return arena.view32(entry)[arena.at32(entry) + word]!
  }

  /** Whether an entry that has an expire time counts as absent; deletes it where that is this server's to do. */
  private isGone(entry: Ref): boolean {
    const { expireMode } = this.keyspace
    if (expireMode === EXPIRE_IGNORE || !this.isOverdue(entry)) return false
    if (expireMode === EXPIRE_DELETE) this.expire(entry)
    return true
  }

  /** Whether an entry that has an expire time goes before a command writes to its key, and then removes it. */
  private makesRoom(entry: Ref): boolean {
    if (this.keyspace.expireMode === EXPIRE_IGNORE || !this.isOverdue(entry)) return false
    this.expire(entry)
    return true
  }

  private announceStreamGone(entry: Ref): void {
    if (this.typeOf(entry) === TYPE_STREAM) this.keyspace.listener?.streamGone(this, entry)
  }

  private trackIfFieldsExpire(entry: Ref): void {
    if (!isHashWithExpiry(this.wordOf(entry, WORD_META))) return
    if (this.keyspace.hashes.expiring.expiringCount(this.rootOf(entry)) > 0) this.fieldExpiry.add(entry)
  }

  private announceNew(key: Uint8Array, keyStart: number, keyLength: number): void {
    this.keyspace.listener?.added(this, key, keyStart, keyLength)
  }

  private touch(entry: Ref): void {
    const { keyspace } = this
    const { arena } = keyspace
    const at = arena.at32(entry) + WORD_META
    const words = arena.view32(entry)
    const lru = keyspace.lfu ? lfuAfterAccess(words[at]! >>> META_LRU_SHIFT, keyspace) : keyspace.lruClock
    words[at] = (words[at]! & 0xff) | (lru << META_LRU_SHIFT)
  }

  private initialLru(): number {
    const { keyspace } = this
    return (keyspace.lfu ? lfuInitial(keyspace) : keyspace.lruClock) << META_LRU_SHIFT
  }

  /** A block for a key and `valueLength` further bytes, with the key in it behind `head` bytes. */
  private allocateEntry(key: Uint8Array, keyStart: number, keyLength: number, head: number, valueLength: number): Ref {
    if (keyLength > KEY_BYTES_MAX) throw new ArenaFullError(`a key of ${keyLength} bytes is above the maximum`)
    const { arena } = this.keyspace
    const entry = arena.allocate(head + keyLength + valueLength)
    arena.view32(entry)[arena.at32(entry) + WORD_KEY] = keyLength | this.keyspace.epochBits
    this.copyIn(key, keyStart, entry, head, keyLength)
    return entry
  }

  /** Copies bytes into an entry, `at` bytes behind its beginning. */
  private copyIn(from: Uint8Array, start: number, entry: Ref, at: number, length: number): void {
    const { arena, table } = this.keyspace
    const data = length >= 8 && length <= WORD_COPY_BYTES_MAX ? table.hash.dataViews.of(from) : null
    if (data !== null) copyWords(data, start, arena.viewData(entry), arena.at8(entry) + at, length)
    else copyBytes(from, start, arena.view8(entry), arena.at8(entry) + at, length)
  }

  /** Puts a new entry into the table, or frees it when memory has ended. */
  private insertEntry(hash: number, entry: Ref): void {
    const { arena, table } = this.keyspace
    try {
      table.insert(this.keys, hash, entry)
    } catch (error) {
      arena.release(entry)
      throw error
    }
  }

  /** As `insertEntry`, for an entry that is in no table but perhaps that of the keys. */
  private insertInExpires(hash: number, entry: Ref): void {
    const { arena, table } = this.keyspace
    try {
      table.insert(this.expires, hash, entry)
    } catch (error) {
      arena.release(entry)
      throw error
    }
  }

  private putMeta(entry: Ref, meta: number): void {
    const { arena } = this.keyspace
    arena.view32(entry)[arena.at32(entry) + WORD_META] = meta
  }

  private putValue(entry: Ref, head: number, value: Uint8Array, valueStart: number, valueLength: number): void {
    this.copyIn(value, valueStart, entry, head, valueLength)
    this.setUsed(entry, head + valueLength)
  }

  /** Bytes from the beginning of a string's block to the end of its value. */
  private usedBytes(entry: Ref): number {
    const { arena } = this.keyspace
    const capacity = arena.capacity(entry)
    const words = arena.view32(entry)
    if ((words[arena.at32(entry) + WORD_META]! & META_SLACK) === 0) return capacity
    return capacity - slackAt(arena.view8(entry), words, arena.at8(entry) + capacity)
  }

  /** Says where the value of a string ends, by what is left of its block. */
  private setUsed(entry: Ref, usedBytes: number): void {
    const { arena } = this.keyspace
    const capacity = arena.capacity(entry)
    const slack = capacity - usedBytes
    const words = arena.view32(entry)
    const metaAt = arena.at32(entry) + WORD_META
    if (slack === 0) {
      words[metaAt]! &= ~META_SLACK
      return
    }
    words[metaAt]! |= META_SLACK
    const end = arena.at8(entry) + capacity
    arena.view8(entry)[end - 1] = Math.min(slack, LONG_SLACK)
    if (slack >= LONG_SLACK) words[(end - LONG_SLACK_BYTES) >> 2] = slack
  }

  private replaceWithString(
    old: Ref,
    key: Uint8Array,
    keyStart: number,
    keyLength: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
    encoding: number,
    keepTtl: boolean,
  ): Ref {
    const { table } = this.keyspace
    if (this.keyspace.announcesStreams) this.announceStreamGone(old)
    const hadExpire = this.wordOf(old, WORD_KEY) < 0
    const head = headBytes(keepTtl && hadExpire ? HAS_EXTRA : 0)
    // The new entry is whole before the old one goes: key or value may lie in it.
    const entry = this.allocateEntry(key, keyStart, keyLength, head, valueLength)
    // How frequently a key is used outlives its value.
    const lruBits = this.keyspace.lfu ? this.lruOf(old) << META_LRU_SHIFT : this.initialLru()
    this.putMeta(entry, TYPE_STRING | (encoding << META_ENCODING_SHIFT) | lruBits)
    this.putValue(entry, head + keyLength, value, valueStart, valueLength)
    if (head > ENTRY_HEADER_BYTES) {
      this.copyExpire(old, entry)
      this.replaceInExpires(old, entry)
    } else if (hadExpire && table.findEntry(this.expires, old)) table.removeFound(this.expires)
    table.findEntry(this.keys, old)
    table.replaceFound(entry)
    this.untrackFieldExpiry(old)
    this.keyspace.releaseEntry(old, this.keyspace.lazyFree.serverDel)
    return entry
  }

  /** A new entry with another's type, encoding, LRU field, expire time and value, under a name that is free here. */
  private cloneShell(entry: Ref, key: Uint8Array, keyStart: number, keyLength: number, root: Ref): Ref {
    const { arena, table } = this.keyspace
    const isString = this.typeOf(entry) === TYPE_STRING
    const valueLength = isString ? this.valueLength(entry) : ROOT_BYTES
    const hasExpire = this.wordOf(entry, WORD_KEY) < 0
    const head = headBytes(hasExpire ? HAS_EXTRA : 0)
    const clone = this.allocateEntry(key, keyStart, keyLength, head, valueLength)
    this.putMeta(clone, this.wordOf(entry, WORD_META))
    if (hasExpire) this.copyExpire(entry, clone)
    if (isString) this.putValue(clone, head + keyLength, this.bytesOf(entry), this.valueAt(entry), valueLength)
    else this.setRoot(clone, root)
    const hash = table.hashOf(key, keyStart, keyLength)
    if (hasExpire) {
      this.insertInExpires(hash, clone)
    }
    try {
      table.insert(this.keys, hash, clone)
    } catch (error) {
      if (hasExpire && table.findEntry(this.expires, clone)) table.removeFound(this.expires)
      arena.release(clone)
      throw error
    }
    this.trackIfFieldsExpire(clone)
    if (this.keyspace.announcesNew) this.announceNew(key, keyStart, keyLength)
    return clone
  }

  /** Gives an entry made with room for it the expire time of another. */
  private copyExpire(from: Ref, to: Ref): void {
    const { arena } = this.keyspace
    const fromWords = arena.view32(from)
    const fromAt = arena.at32(from)
    const words = arena.view32(to)
    const at = arena.at32(to)
    words[at]! |= HAS_EXTRA
    words[at + WORD_EXPIRE] = fromWords[fromAt + WORD_EXPIRE]!
    words[at + WORD_EXPIRE + 1] = fromWords[fromAt + WORD_EXPIRE + 1]!
  }

  /** A copy of an entry with or without room for an expire time, to take its place. */
  private reshaped(entry: Ref, withExpire: boolean): Ref {
    const { arena } = this.keyspace
    const word = this.wordOf(entry, WORD_KEY)
    const newWord = withExpire ? word | HAS_EXTRA : word & ~HAS_EXTRA
    const newHead = headBytes(newWord)
    const isString = this.typeOf(entry) === TYPE_STRING
    const keyLength = word & KEY_LENGTH_MASK
    const bodyBytes = keyLength + (isString ? this.valueLength(entry) : 0)
    const target = arena.allocate(newHead + bodyBytes + (isString ? 0 : ROOT_BYTES))
    const words = arena.view32(target)
    const at = arena.at32(target)
    words[at] = newWord
    words[at + WORD_META] = this.wordOf(entry, WORD_META)
    copyBytes(
      arena.view8(entry),
      arena.at8(entry) + headBytes(word),
      arena.view8(target),
      arena.at8(target) + newHead,
      bodyBytes,
    )
    if (isString) this.setUsed(target, newHead + bodyBytes)
    else words[at + rootWord(newWord)] = this.rootOf(entry)
    return target
  }

  /** Puts an entry in another's place and frees that one, not its value. */
  private replaceInKeys(old: Ref, entry: Ref): void {
    const { arena, table } = this.keyspace
    table.findEntry(this.keys, old)
    table.replaceFound(entry)
    if (isHashWithExpiry(this.wordOf(old, WORD_META))) this.fieldExpiry.replace(old, entry)
    arena.release(old)
  }

  private replaceInExpires(old: Ref, entry: Ref): void {
    const { table } = this.keyspace
    if (table.findEntry(this.expires, old)) table.replaceFound(entry)
  }

  private unlink(entry: Ref): void {
    const { table } = this.keyspace
    if (this.wordOf(entry, WORD_KEY) < 0 && table.findEntry(this.expires, entry)) table.removeFound(this.expires)
    if (table.findEntry(this.keys, entry)) table.removeFound(this.keys)
    this.untrackFieldExpiry(entry)
  }

  private scanTable(tableRef: TableRef, cursor: number, visit: (entry: Ref) => void): number {
    const { table } = this.keyspace
    const next = table.scan(tableRef, cursor)
    const { scannedCount } = table
    // `visit` may scan or look up itself: what was collected is copied first.
    const entries = table.scanned.slice(0, scannedCount)
    for (let i = 0; i < scannedCount; i++) visit(entries[i]!)
    return next
  }
}

/** Length of the slack of a block that has some and ends at `end`. */
function slackAt(bytes: Uint8Array, words: Int32Array, end: number): number {
  const slack = bytes[end - 1]!
  return slack < LONG_SLACK ? slack : words[(end - LONG_SLACK_BYTES) >> 2]!
}

/** Extra bytes for a string that grows: as sds, its length again up to 1 MiB. */
function growthRoom(lengthBytes: number): number {
  return Math.min(lengthBytes, 1024 * 1024)
}
