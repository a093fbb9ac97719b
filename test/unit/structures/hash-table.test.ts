import { describe, expect, test } from 'vitest'
import { KeyHash } from '../../../src/base/hash.ts'
import { Random } from '../../../src/base/random.ts'
import { Arena, type Ref } from '../../../src/memory/arena.ts'
import { HashTable, type TableRef } from '../../../src/structures/hash-table.ts'

const HEADER_BYTES = 12

function createTable() {
  const arena = new Arena()
  const table = new HashTable(arena, new KeyHash(3, 4), HEADER_BYTES)
  const ref: TableRef = table.create()
  const add = (name: string): Ref => {
    const key = Buffer.from(name)
    // Whoever adds has looked first; that moves a rehash on.
    expect(table.find(ref, table.hashOf(key, 0, key.length), key, 0, key.length)).toBe(0)
    const entry = arena.allocate(HEADER_BYTES + key.length)
    arena.view32(entry)[arena.at32(entry)] = key.length
    arena.view8(entry).set(key, arena.at8(entry) + HEADER_BYTES)
    table.insert(ref, table.hashOf(key, 0, key.length), entry)
    return entry
  }
  const find = (name: string): Ref => {
    const key = Buffer.from(name)
    return table.find(ref, table.hashOf(key, 0, key.length), key, 0, key.length)
  }
  return { arena, table, ref, add, find }
}

describe('hash table', () => {
  test('keys that differ in length, in one byte or not at all', () => {
    const { find, add, table, ref } = createTable()
    const names = ['', 'a', 'aa', 'ab', 'b', '\0', '\0\0', 'a\0', 'x'.repeat(1000), `${'x'.repeat(999)}y`]
    const entries = names.map(add)
    expect(names.map(find)).toEqual(entries)
    expect(find('x'.repeat(999))).toBe(0)
    expect(table.count(ref)).toBe(names.length)
  })

  test('insertion alone keeps chains short', () => {
    const { table, ref, arena } = createTable()
    for (let i = 0; i < 20_000; i++) {
      const key = Buffer.from(`k${i}`)
      const entry = arena.allocate(HEADER_BYTES + key.length)
      arena.view32(entry)[arena.at32(entry)] = key.length
      arena.view8(entry).set(key, arena.at8(entry) + HEADER_BYTES)
      table.insert(ref, table.hashOf(key, 0, key.length), entry)
    }
    while (table.rehashBuckets(ref, 100));
    expect(table.slotCount(ref, 0)).toBeGreaterThan(20_000)
    expect(table.chainHistogram(ref, 0).length).toBeLessThan(40)
  })

  test('what a walk knows of hashes finds the same keys in tables of no more buckets, at any stage of a rehash', () => {
    const { table, ref, arena, add } = createTable()
    const other = table.create()
    const copied = new Map<string, Ref>()
    let found = 0
    let wrong = 0
    for (let i = 0; i < 4000; i++) {
      const entry = add(`key:${i}`)
      if (i % 3 === 0) {
        const name = `key:${i}`
        const copy = arena.allocate(HEADER_BYTES + name.length)
        arena.view8(copy).copyWithin(arena.at8(copy), arena.at8(entry), arena.at8(entry) + HEADER_BYTES + name.length)
        table.insert(other, table.hashOfEntry(copy), copy)
        copied.set(name, copy)
      }
      if (i % 97 !== 0) continue
      table.pauseRehash(ref)
      let walked = 0
      for (let position = 0; position >= 0; ) {
        position = table.walk(ref, position)
        const { walkedBits } = table
        const hashes = table.walkedHashes.slice(0, table.scannedCount)
        for (const [index, walkedEntry] of table.scanned.slice(0, table.scannedCount).entries()) {
          walked++
          const whole = table.hashOfEntry(walkedEntry)
          const start = table.keyAt(walkedEntry)
          const key = arena.view8(walkedEntry).subarray(start, start + table.keyLength(walkedEntry))
          const copy = copied.get(String.fromCharCode(...key)) ?? 0
          const isKnown = table.isFoundBy(other, walkedBits)
          const partial = hashes[index]!
          if (partial !== ((whole & 0xff00_0000) | (whole & ((1 << walkedBits) - 1)))) wrong++
          if (table.findSame(other, whole, walkedEntry) !== copy) wrong++
          if (!isKnown) continue
          if (table.findSame(other, partial, walkedEntry) !== copy) wrong++
          found++
        }
      }
      table.resumeRehash(ref)
      expect(walked).toBe(i + 1)
    }
    expect(wrong).toBe(0)
    expect(found).toBeGreaterThan(20_000)
  })

  test('random chooses evenly, at rest and in the middle of a rehash', () => {
    const { table, ref, add } = createTable()
    const random = Random.fromSeed(7)
    const chiSquare = (entries: readonly Ref[]) => {
      const draws = entries.length * 200
      const counts = new Map(entries.map((entry) => [entry, 0]))
      for (let i = 0; i < draws; i++) {
        const entry = table.random(ref, random)
        counts.set(entry, counts.get(entry)! + 1)
      }
      let sum = 0
      for (const count of counts.values()) sum += (count - 200) ** 2 / 200
      return sum / (entries.length - 1)
    }
    const entries = Array.from({ length: 79 }, (_, i) => add(`key${i}`))
    while (table.rehashBuckets(ref, 100));
    // The mean of chi-square by its degrees of freedom is 1, its deviation here 0.16.
    expect(chiSquare(entries)).toBeLessThan(1.7)
    while (!table.isRehashing(ref)) entries.push(add(`key${entries.length}`))
    table.rehashBuckets(ref, 3)
    expect(table.isRehashing(ref)).toBe(true)
    expect(chiSquare(entries)).toBeLessThan(1.7)
  })

  test('random finds the one entry of a large table', () => {
    const { table, ref, add } = createTable()
    table.reserve(ref, 500_000)
    const entry = add('needle')
    expect(table.random(ref, Random.fromSeed(1))).toBe(entry)
  })

  test('a reserved table takes its entries without rehashing, and an emptied one shrinks', () => {
    const { table, ref, add, find, arena } = createTable()
    table.reserve(ref, 40_000)
    const slots = table.slotCount(ref, 0)
    expect(slots).toBeGreaterThan(40_000)
    const names = Array.from({ length: 40_000 }, (_, i) => `k${i}`)
    const entries = names.map(add)
    expect(table.isRehashing(ref)).toBe(false)
    expect(table.slotCount(ref, 0)).toBe(slots)
    expect(table.usedIn(ref, 0)).toBe(40_000)
    for (const [i, name] of names.entries()) {
      if (i === 5) continue
      find(name)
      table.removeFound(ref)
      arena.release(entries[i]!)
    }
    while (table.rehashBuckets(ref, 100));
    expect(table.slotCount(ref, 0)).toBeLessThan(100)
    expect(find('k5')).toBe(entries[5])
  })

  test('a rehash that shrinks never maps more than eight buckets to one', () => {
    const { table, ref, add } = createTable()
    table.reserve(ref, 100_000)
    add('only')
    let factor = 1
    while (table.rehashBuckets(ref, 1)) factor = Math.max(factor, table.slotCount(ref, 0) / table.slotCount(ref, 1))
    expect(factor).toBe(8)
    expect(table.slotCount(ref, 0)).toBe(12)
  })

  test('the histogram counts every entry', () => {
    const { table, ref, add } = createTable()
    for (let i = 0; i < 500; i++) add(`k${i}`)
    const total = ([0, 1] as const)
      .map((which) => table.chainHistogram(ref, which).reduce((sum, chains, held) => sum + chains * held, 0))
      .reduce((sum, held) => sum + held)
    expect(total).toBe(500)
    expect(table.sizeBytes(ref)).toBeGreaterThan(48 + (500 / 12) * 64)
  })

  test('a paused table neither grows nor shrinks', () => {
    const { table, ref, add, find } = createTable()
    table.pauseRehash(ref)
    for (let i = 0; i < 200; i++) add(`k${i}`)
    expect(table.slotCount(ref, 0)).toBe(12)
    expect(table.childCount(ref)).toBe(16)
    expect(table.rehashBuckets(ref, 10)).toBe(false)
    table.resumeRehash(ref)
    add('one more')
    expect(table.isRehashing(ref)).toBe(true)
    for (let i = 0; i < 200; i++) expect(find(`k${i}`)).not.toBe(0)
  })
})
