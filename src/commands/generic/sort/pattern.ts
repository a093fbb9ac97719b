/**
 * Patterns of SORT's BY and GET: `weight_*` is the string in the key that the element makes out of it, `object_*->name`
 * a field of the hash in that key, `#` the element itself. As in C, a zero byte hides an asterisk or arrow behind it.
 */
import { endOfCString } from '../../../base/int64-text.ts'
import type { Db } from '../../../keyspace/db.ts'
import { NO_KEY, TYPE_STRING } from '../../../keyspace/entry.ts'

const ASTERISK = 42
const HASH_SIGN = 35
const MINUS = 45
const GREATER = 62

export class SortPattern {
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

  /** The string that the pattern leads to from an element, as a copy; null if there is none. */
  valueFor(db: Db, element: Uint8Array): Uint8Array | null {
    if (this.isElement) return element
    const { prefix, suffix, field } = this
    if (prefix === null) return null
    const key = new Uint8Array(prefix.length + element.length + suffix.length)
    key.set(prefix)
    key.set(element, prefix.length)
    key.set(suffix, prefix.length + element.length)
    const entry = db.readKey(key, 0, key.length)
    if (entry === NO_KEY) return null
    const type = db.typeOf(entry)
    if (field === null) return type === TYPE_STRING ? db.valueView(entry).slice() : null
    return db.keyspace.types[type]?.field?.(db.rootOf(entry), db.encodingOf(entry), field) ?? null
  }
}
