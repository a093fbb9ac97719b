/**
 * Fields of a large hash: a hash table whose entries hold field and value in one block.
 *
 *   0 i32 | has expire : 1 | 0 : 2 | field length : 29 |
 *   4 i32 value length
 *   8 i64 expire time, Unix milliseconds, only when "has expire" is set (two words, low first)
 *   . field bytes
 *   . value bytes
 *
 * A value that still fits its block's size class is written in place; otherwise the entry moves.
 * A ref of an entry is dead after its field was set or removed. Views are dead after anything that allocates.
 * Where it differs from Redis: dictEntry, field and value are three blocks there.
 */
import { copyBytes } from '../../base/copy-bytes.ts'
import type { KeyHash } from '../../base/hash.ts'
import { copyWords, WORD_COPY_BYTES_MAX } from '../../base/word-copy.ts'
import { type Arena, ArenaFullError, type Ref } from '../../memory/arena.ts'
import { HAS_EXTRA, HashTable, KEY_BYTES_MAX, KEY_LENGTH_MASK, type TableRef } from '../../structures/hash-table.ts'

declare const fieldRef: unique symbol
/** Address of a field's entry. */
export type FieldRef = Ref & { readonly [fieldRef]?: never }

const HEADER_BYTES = 8
const EXPIRE_BYTES = 8
const WORD_VALUE_LENGTH = 1
const WORD_EXPIRE = 2
const TWO_32 = 0x1_0000_0000

export const NO_FIELD = 0

export class FieldTable {
  readonly table: HashTable
  private readonly arena: Arena

  constructor(arena: Arena, hash: KeyHash) {
    this.arena = arena
    this.table = new HashTable(arena, hash, HEADER_BYTES)
  }

  find(fields: TableRef, bytes: Uint8Array, start: number, length: number): FieldRef {
    const { table } = this
    return table.find(fields, table.hashOf(bytes, start, length), bytes, start, length)
  }

  /** The page that holds the entry. */
  bytesOf(field: FieldRef): Uint8Array {
    return this.arena.view8(field)
  }

  fieldAt(field: FieldRef): number {
    return this.arena.at8(field) + headBytes(this.wordOf(field))
  }

  fieldLength(field: FieldRef): number {
    return this.wordOf(field) & KEY_LENGTH_MASK
  }

  valueAt(field: FieldRef): number {
    const word = this.wordOf(field)
    return this.arena.at8(field) + headBytes(word) + (word & KEY_LENGTH_MASK)
  }

  valueLength(field: FieldRef): number {
    return this.arena.view32(field)[this.arena.at32(field) + WORD_VALUE_LENGTH]!
  }

  /** Unix time in milliseconds at which the field expires, or -1. */
  expireAtMs(field: FieldRef): number {
    const words = this.arena.view32(field)
    const at = this.arena.at32(field)
    if (words[at]! >= 0) return -1
    return words[at + WORD_EXPIRE + 1]! * TWO_32 + (words[at + WORD_EXPIRE]! >>> 0)
  }

  hasExpire(field: FieldRef): boolean {
    return this.wordOf(field) < 0
  }

  /** Of a field that has an expire time already. */
  writeExpireAt(field: FieldRef, atMs: number): void {
    const words = this.arena.view32(field)
    const at = this.arena.at32(field) + WORD_EXPIRE
    const high = Math.floor(atMs / TWO_32)
    words[at] = (atMs - high * TWO_32) | 0
    words[at + 1] = high
  }

  /** Sets a field of a hash none of whose fields expires. Returns whether it is new. Hot: HSET. */
  set(
    fields: TableRef,
    field: Uint8Array,
    fieldStart: number,
    fieldLength: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
  ): boolean {
    const { arena, table } = this
    const hash = table.hashOf(field, fieldStart, fieldLength)
    const held = table.find(fields, hash, field, fieldStart, fieldLength)
    if (held === NO_FIELD) {
      const entry = this.make(field, fieldStart, fieldLength, value, valueStart, valueLength, false)
      this.insert(fields, hash, entry)
      return true
    }
    if (!this.overwrite(held, value, valueStart, valueLength)) {
      table.replaceFound(this.make(field, fieldStart, fieldLength, value, valueStart, valueLength, false))
      arena.release(held)
    }
    return false
  }

  /** Adds a field unless it is there. Returns whether it was added. */
  add(
    fields: TableRef,
    field: Uint8Array,
    fieldStart: number,
    fieldLength: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
  ): boolean {
    const { table } = this
    const entry = this.make(field, fieldStart, fieldLength, value, valueStart, valueLength, false)
    const hash = table.hashOf(field, fieldStart, fieldLength)
    try {
      if (table.insertNew(fields, hash, entry)) return true
    } catch (error) {
      this.arena.release(entry)
      throw error
    }
    this.arena.release(entry)
    return false
  }

  /** Writes another value into an entry if its block is the right one for it. */
  overwrite(field: FieldRef, value: Uint8Array, valueStart: number, valueLength: number): boolean {
    const { arena } = this
    const words = arena.view32(field)
    const at = arena.at32(field)
    const head = headBytes(words[at]!) + (words[at]! & KEY_LENGTH_MASK)
    if (words[at + WORD_VALUE_LENGTH] !== valueLength) {
      if (arena.capacity(field) !== arena.capacityFor(head + valueLength)) return false
      words[at + WORD_VALUE_LENGTH] = valueLength
    }
    this.copyIn(value, valueStart, field, head, valueLength)
    return true
  }

  /** Makes an entry that is in no table. With room for an expire time, that is the caller's to write. */
  make(
    field: Uint8Array,
    fieldStart: number,
    fieldLength: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
    hasExpire: boolean,
  ): FieldRef {
    if (fieldLength > KEY_BYTES_MAX) throw new ArenaFullError(`a field of ${fieldLength} bytes is above the maximum`)
    const { arena } = this
    const head = hasExpire ? HEADER_BYTES + EXPIRE_BYTES : HEADER_BYTES
    const entry = arena.allocate(head + fieldLength + valueLength)
    const words = arena.view32(entry)
    const at = arena.at32(entry)
    words[at] = hasExpire ? fieldLength | HAS_EXTRA : fieldLength
    words[at + WORD_VALUE_LENGTH] = valueLength
    this.copyIn(field, fieldStart, entry, head, fieldLength)
    this.copyIn(value, valueStart, entry, head + fieldLength, valueLength)
    return entry
  }

  /** A copy of an entry, with or without room for an expire time, in no table. */
  reshaped(field: FieldRef, hasExpire: boolean): FieldRef {
    const { arena } = this
    const words = arena.view32(field)
    const at = arena.at32(field)
    const head = headBytes(words[at]!)
    const newHead = hasExpire ? HEADER_BYTES + EXPIRE_BYTES : HEADER_BYTES
    const bodyBytes = (words[at]! & KEY_LENGTH_MASK) + words[at + WORD_VALUE_LENGTH]!
    const entry = arena.allocate(newHead + bodyBytes)
    const newWords = arena.view32(entry)
    const newAt = arena.at32(entry)
    newWords[newAt] = hasExpire ? words[at]! | HAS_EXTRA : words[at]! & ~HAS_EXTRA
    newWords[newAt + WORD_VALUE_LENGTH] = words[at + WORD_VALUE_LENGTH]!
    copyBytes(arena.view8(field), arena.at8(field) + head, arena.view8(entry), arena.at8(entry) + newHead, bodyBytes)
    return entry
  }

  /** An exact copy of an entry, in no table. */
  clone(field: FieldRef): FieldRef {
    const hasExpire = this.hasExpire(field)
    const entry = this.reshaped(field, hasExpire)
    if (hasExpire) this.writeExpireAt(entry, this.expireAtMs(field))
    return entry
  }

  /** Puts a new entry into a table, or frees it when memory has ended. */
  insert(fields: TableRef, hash: number, entry: FieldRef): void {
    try {
      this.table.insert(fields, hash, entry)
    } catch (error) {
      this.arena.release(entry)
      throw error
    }
  }

  /** Removes a field of a hash none of whose fields expires. Returns whether it was there. */
  remove(fields: TableRef, bytes: Uint8Array, start: number, length: number): boolean {
    const entry = this.find(fields, bytes, start, length)
    if (entry === NO_FIELD) return false
    this.table.removeFound(fields)
    this.arena.release(entry)
    return true
  }

  /** Calls `visit` once for every entry. `visit` neither looks anything up nor changes anything in these tables. */
  forEach(fields: TableRef, visit: (field: FieldRef) => void): void {
    const { table } = this
    let cursor = 0
    do {
      cursor = table.scan(fields, cursor)
      for (let i = 0; i < table.scannedCount; i++) visit(table.scanned[i]!)
    } while (cursor !== 0)
  }

  /** Bytes of an entry's block. */
  blockBytes(field: FieldRef): number {
    return this.arena.capacity(field)
  }

  /** Copies bytes into an entry, `at` bytes behind its beginning. */
  private copyIn(from: Uint8Array, start: number, entry: FieldRef, at: number, length: number): void {
    const { arena, table } = this
    const data = length >= 8 && length <= WORD_COPY_BYTES_MAX ? table.hash.dataViews.of(from) : null
    if (data !== null) copyWords(data, start, arena.viewData(entry), arena.at8(entry) + at, length)
    else copyBytes(from, start, arena.view8(entry), arena.at8(entry) + at, length)
  }

  private wordOf(field: FieldRef): number {
    return this.arena.view32(field)[this.arena.at32(field)]!
  }
}

function headBytes(word: number): number {
  return word < 0 ? HEADER_BYTES + EXPIRE_BYTES : HEADER_BYTES
}
