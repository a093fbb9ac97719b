/**
 * The hash table against a Map, with its layout checked from outside: every entry in its home bucket's chain with its
 * tag, no bucket with a child that is not full, counters that add up. Scans run beside all other operations and must
 * return whatever was there from their start to their end. Memory ends now and then and nothing may come of it.
 */
import { describe, expect } from 'vitest'
import { KeyHash } from '../../src/base/hash.ts'
import type { Random } from '../../src/base/random.ts'
import { Arena, ArenaFullError, type Ref } from '../../src/memory/arena.ts'
import { HashTable, type TableRef } from '../../src/structures/hash-table.ts'
import { oneOf, seededTest } from './seeded.ts'

const HEADER_BYTES = 12
const SLOTS = 12
const SEGMENT_EXPONENT = 14
const TAGS_AT = 12
const CHILD_AT = 15
const IN_CHILDREN_AT = 9

/** Only a few different hashes, so that chains grow long. */
class PoorHash extends KeyHash {
  override ofData(buf: Uint8Array, data: DataView | null, start: number, length: number): number {
    return super.ofData(buf, data, start, length) & 0x8100_0007
  }
}

/** Refuses memory for a while when it is told to. */
class MeagreArena extends Arena {
  refusals = 0

  override allocate(sizeBytes: number): Ref {
    if (this.refusals > 0) {
      this.refusals--
      throw new ArenaFullError('none for now')
    }
    return super.allocate(sizeBytes)
  }
}

/** As `expect(actual).toBe(expected)`, which is too slow for millions of calls. */
function same(actual: number | undefined, expected: number | undefined): void {
  if (actual !== expected) expect(actual).toBe(expected)
}

interface RunningScan {
  cursor: number
  /** Present since the scan began. */
  readonly due: Set<string>
  readonly seen: Set<string>
}

class Model {
  readonly arena = new MeagreArena()
  readonly table: HashTable
  readonly ref: TableRef
  readonly entries = new Map<string, Ref>()
  readonly keys: string[] = []
  scan: RunningScan | null = null
  scansDone = 0
  private readonly hash: KeyHash

  constructor(hash: KeyHash) {
    this.hash = hash
    this.table = new HashTable(this.arena, hash, HEADER_BYTES)
    this.ref = this.table.create()
  }

  hashOf(key: Uint8Array): number {
    return this.table.hashOf(key, 0, key.length)
  }

  find(name: string): Ref {
    const key = Buffer.from(name, 'latin1')
    return this.table.find(this.ref, this.hashOf(key), key, 0, key.length)
  }

  /** An entry of its own, half of them with the extra bytes before the key. */
  newEntry(name: string, hasExtra: boolean): Ref {
    const key = Buffer.from(name, 'latin1')
    const head = HEADER_BYTES + (hasExtra ? 8 : 0)
    const entry = this.arena.allocate(head + key.length)
    this.arena.view32(entry)[this.arena.at32(entry)] = hasExtra ? key.length | (1 << 31) : key.length
    this.arena.view8(entry).set(key, this.arena.at8(entry) + head)
    return entry
  }

  insert(name: string, hasExtra: boolean, viaLoader: boolean): void {
    same(this.find(name), 0)
    const entry = this.newEntry(name, hasExtra)
    const key = Buffer.from(name, 'latin1')
    try {
      if (viaLoader) expect(this.table.insertNew(this.ref, this.hashOf(key), entry)).toBe(true)
      else if (hasExtra) this.table.insertMissed(this.ref, this.hashOf(key), entry)
      else this.table.insert(this.ref, this.hashOf(key), entry)
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error
      this.arena.release(entry)
      return
    }
    this.entries.set(name, entry)
    this.keys.push(name)
  }

  /** What a loader does with a key that is there. */
  insertAgain(name: string): void {
    const entry = this.newEntry(name, false)
    const key = Buffer.from(name, 'latin1')
    expect(this.table.insertNew(this.ref, this.hashOf(key), entry)).toBe(false)
    this.arena.release(entry)
  }

  remove(index: number): void {
    const name = this.keys[index]!
    this.keys[index] = this.keys[this.keys.length - 1]!
    this.keys.length--
    same(this.find(name), this.entries.get(name))
    this.table.removeFound(this.ref)
    this.arena.release(this.entries.get(name)!)
    this.entries.delete(name)
    this.scan?.due.delete(name)
  }

  /** Removes what `random` has chosen, where it was found. */
  removeChosen(entry: Ref): void {
    const name = this.nameOf(entry)
    same(this.entries.get(name), entry)
    this.table.removeFound(this.ref)
    this.keys.splice(this.keys.indexOf(name), 1)
    this.arena.release(entry)
    this.entries.delete(name)
    this.scan?.due.delete(name)
  }

  replace(name: string, hasExtra: boolean): void {
    const old = this.find(name)
    same(old, this.entries.get(name))
    const entry = this.newEntry(name, hasExtra)
    expect(this.table.findEntry(this.ref, old)).toBe(true)
    this.table.replaceFound(entry)
    this.arena.release(old)
    this.entries.set(name, entry)
  }

  nameOf(entry: Ref): string {
    const at = this.table.keyAt(entry)
    return Buffer.from(this.arena.view8(entry).slice(at, at + this.table.keyLength(entry))).toString('latin1')
  }

  /** A further step of the scan under way, or the first of a new one. */
  scanStep(): void {
    this.scan ??= { cursor: 0, due: new Set(this.keys), seen: new Set() }
    const { scan } = this
    scan.cursor = this.table.scan(this.ref, scan.cursor)
    const count = this.table.scannedCount
    for (let i = 0; i < count; i++) {
      const entry = this.table.scanned[i]!
      const name = this.nameOf(entry)
      same(this.entries.get(name), entry)
      scan.seen.add(name)
    }
    if (scan.cursor !== 0) return
    expect([...scan.due].filter((name) => !scan.seen.has(name))).toEqual([])
    this.scan = null
    this.scansDone++
  }

  /** What the documented layout promises. */
  check(): void {
    const { arena, ref } = this
    const header = arena.view32(ref)
    const h = arena.at32(ref)
    const [buckets0, buckets1, exponent0, exponent1, used0, used1, rehashAt, children] = header.subarray(h, h + 8)
    let childCount = 0
    let inChildren = 0
    let mistakes = ''
    const used = [0, 0]
    let tableBytes = arena.capacity(ref)
    for (const [which, buckets, exponent] of [
      [0, buckets0!, exponent0!],
      [1, buckets1!, exponent1!],
    ] as const) {
      if (exponent < 0) continue
      const isSplit = exponent > SEGMENT_EXPONENT
      tableBytes += arena.capacity(buckets)
      for (let index = 0; index < 1 << exponent; index++) {
        let first: number = (buckets + index * 8) | 0
        if (isSplit) {
          const segment = arena.view32(buckets)[arena.at32(buckets) + (index >>> SEGMENT_EXPONENT)]!
          if (segment === 0) {
            index |= (1 << SEGMENT_EXPONENT) - 1
            continue
          }
          if ((index & ((1 << SEGMENT_EXPONENT) - 1)) === 0) tableBytes += arena.capacity(segment)
          first = (segment + (index & ((1 << SEGMENT_EXPONENT) - 1)) * 8) | 0
        }
        for (let bucket = first; bucket !== 0; ) {
          const words = arena.view32(bucket)
          const at = arena.at32(bucket)
          let held = 0
          for (let slot = 0; slot < SLOTS; slot++) {
            const entry = words[at + slot]!
            const tag = arena.view8(bucket)[arena.at8(bucket) + TAGS_AT * 4 + slot]!
            if (entry === 0) {
              if (tag !== 0) mistakes += `tag without entry in bucket ${index}; `
              continue
            }
            held++
            const key = Buffer.from(this.nameOf(entry), 'latin1')
            const hash = this.hash.of(key, 0, key.length)
            if (tag !== hash >>> 24) mistakes += `wrong tag in bucket ${index}; `
            if ((hash & ((1 << exponent) - 1)) !== index) mistakes += `entry in foreign bucket ${index}; `
            const moved = exponent1! >= 0 && (hash & ((1 << exponent0!) - 1)) < rehashAt!
            if (which !== (moved ? 1 : 0)) mistakes += `entry of bucket ${index} in table ${which}; `
            if (this.entries.get(this.nameOf(entry)) !== entry) mistakes += `stranger in bucket ${index}; `
          }
          used[which] += held
          if (bucket !== first) inChildren += held
          const child = words[at + CHILD_AT]!
          if (child !== 0) childCount++
          if (child !== 0 && held !== SLOTS) mistakes += `bucket ${index} has a child and room; `
          if (bucket !== first && held === 0) mistakes += `bucket ${index} has an empty child; `
          bucket = child
        }
      }
    }
    expect(mistakes).toBe('')
    expect(header[h + IN_CHILDREN_AT]).toBe(inChildren)
    expect({ used, childCount }).toEqual({ used: [used0, used1], childCount: children })
    expect(this.table.count(ref)).toBe(this.entries.size)
    expect(this.table.isRehashing(ref)).toBe(exponent1! >= 0)
    let entryBytes = 0
    for (const entry of this.entries.values()) entryBytes += arena.capacity(entry)
    expect(arena.usedBytes).toBe(entryBytes + tableBytes + childCount * 64)
  }

  /** Takes everything out, one by one or by dropping the table, and expects all memory back. */
  finish(random: Random): void {
    if (random.below(2) === 0) {
      while (this.keys.length > 0) this.remove(random.below(this.keys.length))
      while (this.table.rehashBuckets(this.ref, 1000));
      expect(this.table.random(this.ref, random)).toBe(0)
      this.check()
      expect(this.table.sizeBytes(this.ref), 'an empty table is small').toBeLessThan(48 + 64 * 3)
    }
    this.table.destroy(this.ref)
    for (const entry of this.entries.values()) this.arena.release(entry)
    expect(this.arena.usedBytes).toBe(0)
  }
}

interface Shape {
  readonly keysMax: number
  readonly steps: number
  readonly checkEvery: number
  readonly reserves: readonly number[]
}

function run(random: Random, hash: KeyHash, shape: Shape): void {
  const model = new Model(hash)
  const { table, ref } = model
  let growth = 0.7
  let serial = 0
  let paused = 0
  for (let step = 0; step < shape.steps; step++) {
    if (step % Math.ceil(shape.steps / 12) === 0) growth = oneOf(random, [0.1, 0.3, 0.55, 0.8, 0.95])
    const { keys } = model
    switch (random.below(12)) {
      case 0:
        if (keys.length > 0) model.replace(oneOf(random, keys), random.below(2) === 0)
        break
      case 1:
        same(model.find(`absent${random.below(1000)}`), 0)
        if (keys.length > 0) model.insertAgain(oneOf(random, keys))
        break
      case 2:
        table.rehashBuckets(ref, random.below(40))
        break
      case 3:
        if (paused === 0 && random.below(10) === 0) {
          table.pauseRehash(ref)
          paused++
        } else if (paused > 0 && random.below(3) === 0) {
          table.resumeRehash(ref)
          paused--
        }
        break
      case 4: {
        const entry = table.random(ref, random)
        if (keys.length === 0) expect(entry).toBe(0)
        else if (random.below(4) > 0) same(model.entries.get(model.nameOf(entry)), entry)
        else model.removeChosen(entry)
        break
      }
      case 5:
        if (random.below(50) === 0) table.reserve(ref, oneOf(random, shape.reserves))
        break
      case 6:
        if (random.below(20) === 0) model.arena.refusals = 1 + random.below(6)
        else if (keys.length > 0) model.find(oneOf(random, keys))
        model.arena.refusals = 0
        break
      case 7:
      case 8:
        model.scanStep()
        break
      default:
        if (random.float() < growth && keys.length < shape.keysMax) {
          const name = `key:${serial++}`.padEnd(random.below(30), '.')
          // Memory may end while the entry is put in, not while it is made.
          const starve = random.below(30) === 0
          if (starve) starved(model, name, random)
          else model.insert(name, random.below(2) === 0, random.below(3) === 0)
        } else if (keys.length > 0) model.remove(random.below(keys.length))
    }
    if (step % shape.checkEvery === 0) model.check()
  }
  while (paused-- > 0) table.resumeRehash(ref)
  while (model.scan !== null) model.scanStep()
  model.check()
  expect(model.scansDone).toBeGreaterThan(0)
  for (const [name, entry] of model.entries) same(model.find(name), entry)
  model.finish(random)
}

/** An insertion, and a few searches, while no memory is to be had. */
function starved(model: Model, name: string, random: Random): void {
  const { arena, table, ref, keys } = model
  expect(model.find(name)).toBe(0)
  const entry = model.newEntry(name, false)
  const key = Buffer.from(name, 'latin1')
  arena.refusals = 1 + random.below(4)
  for (let i = 0; i < 3 && keys.length > 0; i++) {
    const other = oneOf(random, keys)
    expect(model.find(other)).toBe(model.entries.get(other))
  }
  try {
    table.insert(ref, model.hashOf(key), entry)
    model.entries.set(name, entry)
    keys.push(name)
  } catch (error) {
    if (!(error instanceof ArenaFullError)) throw error
    arena.refusals = 0
    expect(model.find(name)).toBe(0)
    arena.release(entry)
  }
  arena.refusals = 0
}

describe('hash table', () => {
  seededTest('small tables, everything checked after each step', 6, (random) => {
    const hash = new KeyHash(random.int32(), random.int32())
    const keysMax = oneOf(random, [3, 12, 30, 300])
    run(random, hash, { keysMax, steps: 2500, checkEvery: 1, reserves: [1, 50, 200, 1000] })
  })

  seededTest('long chains', 4, (random) => {
    const hash = new PoorHash(random.int32(), random.int32())
    run(random, hash, { keysMax: 400, steps: 3000, checkEvery: 5, reserves: [1, 100, 3000] })
  })

  seededTest('large tables with a directory', 1, (random) => {
    const hash = new KeyHash(random.int32(), random.int32())
    const reserves = [200_000, 400_000, 700_000]
    run(random, hash, { keysMax: 30_000, steps: 25_000, checkEvery: 5000, reserves })
  })

  seededTest('growth by insertion alone, past the directory', 1, (random) => {
    const model = new Model(new KeyHash(random.int32(), random.int32()))
    for (let i = 0; i < 200_000; i++) {
      model.insert(`k${i}`, false, false)
      if (i === 170_000) model.check()
    }
    model.check()
    model.finish(random)
  })
})
