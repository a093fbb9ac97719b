/**
 * Where a string ends is told by what is left of its block: every length around the block sizes, written, grown, shrunk
 * and given an expire time.
 */
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Random } from '../../../src/base/random.ts'
import { type Db, stringEncoding } from '../../../src/keyspace/db.ts'
import { ENCODING_RAW } from '../../../src/keyspace/entry.ts'
import { Keyspace } from '../../../src/keyspace/keyspace.ts'
import type { Ref } from '../../../src/memory/arena.ts'

const SLAB = 64 * 1024
const PAGE = 4 * 1024 * 1024
const LENGTHS = [
  ...Array.from({ length: 700 }, (_, length) => length),
  ...[1024, 8192, 16_384, 21_840, 32_768, SLAB, 2 * SLAB, PAGE, PAGE + 4096].flatMap((size) =>
    [0, 1, 7, 8, 11, 12, 19, 254, 255, 256, 300].map((less) => size - less),
  ),
]

function pattern(length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + length) & 0xff
  return bytes
}

describe('strings of any length', () => {
  const keyspace = new Keyspace(new ManualClock(1_000_000), Random.fromSeed(1), 1)
  const db = keyspace.databases[0]!
  const key = Buffer.from('key')

  function set(value: Uint8Array, keepTtl = false): Ref {
    const encoding = stringEncoding(value, 0, value.length)
    return db.setString(key, 0, key.length, value, 0, value.length, encoding, keepTtl)
  }

  function held(database: Db, name: Uint8Array): Buffer {
    return Buffer.from(database.valueView(database.peek(name, 0, name.length)))
  }

  test('are read as they were written', () => {
    for (const length of LENGTHS) {
      const value = pattern(length)
      set(value)
      expect(held(db, key).equals(value), `length ${length}`).toBe(true)
    }
  })

  test('keep their value when they are given an expire time and lose it', () => {
    for (const length of LENGTHS) {
      const value = pattern(length)
      const entry = db.setExpire(set(value), 2_000_000)
      expect(held(db, key).equals(value), `length ${length}, with a time`).toBe(true)
      set(value, true)
      expect(db.expireAtMs(db.peek(key, 0, key.length))).toBe(2_000_000)
      db.persist(db.peek(key, 0, key.length))
      expect(held(db, key).equals(value), `length ${length}, without`).toBe(true)
      expect(entry).not.toBe(0)
    }
  })

  test('grow with zeros behind them and shrink', () => {
    for (const length of LENGTHS) {
      const value = pattern(length)
      set(value)
      for (const resized of [length + 1, length + 9, length + 300, Math.max(1, length - 1), Math.max(1, length >> 2)]) {
        const before = held(db, key)
        db.resizeString(db.peek(key, 0, key.length), resized, ENCODING_RAW)
        const expected = Buffer.alloc(resized)
        before.copy(expected)
        expect(held(db, key).equals(expected), `length ${before.length} to ${resized}`).toBe(true)
      }
    }
  })

  test('are copied and renamed', () => {
    const other = Buffer.from('a longer name')
    for (const length of LENGTHS) {
      const value = pattern(length)
      db.copyEntry(set(value), db, other, 0, other.length)
      expect(held(db, other).equals(value), `length ${length}, copied`).toBe(true)
      db.removeKey(key, 0, key.length)
      db.moveEntry(db.peek(other, 0, other.length), db, key, 0, key.length)
      expect(held(db, key).equals(value), `length ${length}, renamed`).toBe(true)
    }
    db.removeKey(key, 0, key.length)
    expect(db.size).toBe(0)
  })
})
