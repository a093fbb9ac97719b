/**
 * Patterns of SORT's BY and GET: `weight_*` is the string in the key that the element makes out of it, `object_*->name`
 * a field of the hash in that key, `#` the element itself. As in C, a zero byte hides an asterisk or arrow behind it.
 */
import { copyBytes } from '../../../base/copy-bytes.ts'
import { endOfCString } from '../../../base/int64-text.ts'
import type { Db } from '../../../keyspace/db.ts'
import { NO_KEY, TYPE_STRING } from '../../../keyspace/entry.ts'

const ASTERISK = 42
const HASH_SIGN = 35
const MINUS = 45
const GREATER = 62
const KEY_BYTES_FIRST = 256

export class SortPattern {
  /** What `find` came to: bytes[start, start + length), until something changes. */
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  length = 0
  private key = new Uint8Array(KEY_BYTES_FIRST)
  private readonly isElement: boolean
  /** What stands before and behind the asterisk in the key; null without an asterisk. */
  private readonly prefix: Uint8Array | null = null
  private readonly suffix: Uint8Array = new Uint8Array(0)
  private readonly field: Uint8Array | null = null

  constructor(pattern: Uint8Array) {
    const end = endOfCString(pattern, 0, pattern.length)
    this.isElement = end === 1 && pattern[0] === HASH_SIGN
    const asterisk = pattern.subarray(0, end).indexOf(ASTERISK)
    if (asterisk < 0) return
    let arrow = -1
    for (let i = asterisk + 1; i + 2 < end && arrow < 0; i++) {
      if (pattern[i] === MINUS && pattern[i + 1] === GREATER) arrow = i
    }
    this.prefix = pattern.slice(0, asterisk)
    this.suffix = pattern.slice(asterisk + 1, arrow < 0 ? pattern.length : arrow)
    if (arrow >= 0) this.field = pattern.slice(arrow + 2)
  }

  /** Finds the string that the pattern leads to from an element, element[start, start + length). False: there is none. */
  find(db: Db, element: Uint8Array, start: number, length: number): boolean {
    if (this.isElement) return this.found(element, start, length)
    const { prefix, suffix, field } = this
    if (prefix === null) return false
    const keyLength = prefix.length + length + suffix.length
    if (this.key.length < keyLength) this.key = new Uint8Array(keyLength)
    const { key } = this
    copyBytes(prefix, 0, key, 0, prefix.length)
    copyBytes(element, start, key, prefix.length, length)
    copyBytes(suffix, 0, key, prefix.length + length, suffix.length)
    const entry = db.readKey(key, 0, keyLength)
    if (entry === NO_KEY) return false
    const type = db.typeOf(entry)
    if (field === null) {
      return type === TYPE_STRING && this.found(db.bytesOf(entry), db.valueAt(entry), db.valueLength(entry))
    }
    const value = db.keyspace.types[type]?.field?.(db.rootOf(entry), db.encodingOf(entry), field) ?? null
    return value !== null && this.found(value, 0, value.length)
  }

  private found(bytes: Uint8Array, start: number, length: number): true {
    this.bytes = bytes
    this.start = start
    this.length = length
    return true
  }
}
