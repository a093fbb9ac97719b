/**
 * A keyspace against plain Maps: values, expire times, exchanged databases, snapshots that must show the moment of their
 * beginning, memory that ends in the middle of an operation, and memory that all comes back.
 */
import { expect } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import type { Random } from '../../src/base/random.ts'
import { type Db, stringEncoding } from '../../src/keyspace/db.ts'
import type { Digest } from '../../src/keyspace/digest.ts'
import {
  ENCODING_EMBSTR,
  ENCODING_LISTPACK,
  ENCODING_RAW,
  EXPIRE_DELETE,
  EXPIRE_HIDE,
  EXPIRE_IGNORE,
  NO_KEY,
  TYPE_LIST,
  TYPE_STRING,
} from '../../src/keyspace/entry.ts'
import { Keyspace, type Snapshot } from '../../src/keyspace/keyspace.ts'
import type { ValueType } from '../../src/keyspace/value-type.ts'
import { type Arena, ArenaFullError, type Ref } from '../../src/memory/arena.ts'
import type { TableRef } from '../../src/structures/hash-table.ts'
import { oneOf, seededTest } from './seeded.ts'

const DATABASES = 3

interface Held {
  readonly type: number
  readonly value: string
  readonly encoding: number
  /** -1 = stays. */
  readonly expireAtMs: number | bigint
}

type Contents = Map<string, Held>

interface RunningScan {
  readonly index: number
  /** Keyspace.swaps at its start. */
  readonly swaps: number
  cursor: number
  /** There since the scan began. */
  readonly due: Set<string>
  readonly seen: Set<string>
}

/** Lists that are one block with a length and bytes: enough of a type to see that values are kept, copied and freed. */
class BlobType implements ValueType {
  readonly type = TYPE_LIST
  readonly name = 'list'
  live = 0
  arena!: Arena

  create(text: string): Ref {
    const root = this.arena.allocate(4 + text.length)
    this.arena.view32(root)[this.arena.at32(root)] = text.length
    this.arena.view8(root).set(Buffer.from(text, 'latin1'), this.arena.at8(root) + 4)
    this.live++
    return root
  }

  textOf(root: Ref): string {
    const at = this.arena.at8(root) + 4
    const length = this.arena.view32(root)[this.arena.at32(root)]!
    return Buffer.from(this.arena.view8(root).slice(at, at + length)).toString('latin1')
  }

  release(root: Ref): void {
    this.arena.release(root)
    this.live--
  }

  copy(root: Ref): Ref {
    return this.create(this.textOf(root))
  }

  sizeBytes(root: Ref): number {
    return this.arena.capacity(root)
  }

  digest(root: Ref, _encoding: number, digest: Digest): void {
    const text = Buffer.from(this.textOf(root), 'latin1')
    digest.mix(text, 0, text.length)
  }

  length(root: Ref): number {
    return this.arena.view32(root)[this.arena.at32(root)]!
  }
}

class World {
  readonly clock = new ManualClock()
  readonly lists = new BlobType()
  readonly keyspace: Keyspace
  readonly contents: Contents[] = []
  /** Names that the keyspace reported as expired since the last look. */
  readonly expired: string[] = []
  readonly baseBytes: number
  scan: RunningScan | null = null
  private refusals = 0

  constructor(random: Random) {
    this.keyspace = new Keyspace(this.clock, random, DATABASES, [this.lists])
    this.lists.arena = this.keyspace.arena
    for (let i = 0; i < DATABASES; i++) this.contents.push(new Map())
    this.baseBytes = this.keyspace.arena.usedBytes
    this.keyspace.listener = {
      expired: (db, entry) => this.expired.push(`${db.index}:${Buffer.from(db.keyBytes(entry)).toString('latin1')}`),
      missed: () => {},
      added: () => {},
      streamGone: () => {},
      fieldExpired: () => {},
      fieldsExpired: () => {},
    }
    const { arena } = this.keyspace
    const allocate = arena.allocate.bind(arena)
    arena.allocate = (sizeBytes) => {
      if (this.refusals > 0 && --this.refusals === 0) throw new ArenaFullError('none for now')
      return allocate(sizeBytes)
    }
  }

  /** Runs `body` with memory ending at the nth allocation. Returns whether it ended there. */
  starving(nth: number, body: () => void): boolean {
    this.refusals = nth
    try {
      body()
      return false
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error
      return true
    } finally {
      this.refusals = 0
    }
  }

  isOverdue(held: Held): boolean {
    return held.expireAtMs >= 0 && this.clock.nowMs > held.expireAtMs
  }

  /** What `peek` would make of a key in a mode of expiry: overdue keys go from the model as well. */
  lookUp(index: number, name: string): Held | undefined {
    const held = this.contents[index]!.get(name)
    if (held === undefined || !this.isOverdue(held) || this.keyspace.expireMode === EXPIRE_IGNORE) return held
    if (this.keyspace.expireMode === EXPIRE_DELETE) this.expectExpired(index, name)
    return undefined
  }

  /** As `lookUp`, for `peekForWrite` and for a string that is set: what is hidden from readers makes room for writers. */
  lookUpForWrite(index: number, name: string): Held | undefined {
    const held = this.contents[index]!.get(name)
    if (held === undefined || !this.isOverdue(held) || this.keyspace.expireMode === EXPIRE_IGNORE) return held
    this.expectExpired(index, name)
    return undefined
  }

  expectExpired(index: number, name: string): void {
    expect(this.expired.shift()).toBe(`${index}:${name}`)
    this.forget(index, name)
  }

  /** A key has gone: a scan under way need not show it, not even if it comes back. */
  forget(index: number, name: string): void {
    this.contents[index]!.delete(name)
    if (this.scan?.index === index) this.scan.due.delete(name)
  }

  heldOf(db: Db, entry: Ref): Held {
    const type = db.typeOf(entry)
    return {
      type,
      value: type === TYPE_STRING ? textOf(db.valueView(entry)) : this.lists.textOf(db.rootOf(entry)),
      encoding: db.encodingOf(entry),
      expireAtMs: db.exactExpireAtMs(entry),
    }
  }

  check(): void {
    const { keyspace, contents } = this
    for (const [index, db] of keyspace.databases.entries()) {
      const expected = contents[index]!
      expect(db.size).toBe(expected.size)
      expect(db.expiresSize).toBe([...expected.values()].filter((held) => held.expireAtMs !== -1).length)
      const seen = new Set<string>()
      db.forEach((entry) => {
        const name = textOf(db.keyBytes(entry))
        seen.add(name)
        expect(this.heldOf(db, entry), name).toEqual(expected.get(name))
        const key = Buffer.from(name, 'latin1')
        if (db.peekOverdue(key, 0, key.length) !== entry) throw new Error(`${name} is not found`)
      })
      expect(seen.size).toBe(expected.size)
      const expiring = new Set<Ref>()
      let cursor = 0
      do cursor = db.scanExpires(cursor, (entry) => expiring.add(entry))
      while (cursor !== 0)
      for (const entry of expiring) expect(this.heldOf(db, entry)).toEqual(expected.get(textOf(db.keyBytes(entry))))
      expect(expiring.size).toBe(db.expiresSize)
    }
    const lists = contents.flatMap((one) => [...one.values()]).filter((held) => held.type === TYPE_LIST).length
    if (keyspace.lazyFree.isIdle) expect(this.lists.live).toBe(lists)
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

/** Collects a moment of the keyspace as BGSAVE does, in steps and by being told of changes. */
class Recorder implements Snapshot {
  readonly found: Contents[] = []
  isOver = false
  private readonly world: World
  private readonly expected: Contents[]
  private readonly startIndex: number[]
  private readonly cursors: number[]
  private section = 0

  constructor(world: World) {
    this.world = world
    expect(world.keyspace.nextEpoch()).toBe(true)
    this.expected = world.contents.map((one) => new Map(one))
    this.startIndex = world.contents.map((_, index) => index)
    this.cursors = world.contents.map(() => 0)
    for (let i = 0; i < DATABASES; i++) this.found.push(new Map())
    world.keyspace.snapshot = this
  }

  preserve(db: Db, entry: Ref): void {
    if (!db.claimForSnapshot(entry)) return
    const found = this.found[this.startIndex[db.index]!]!
    const name = textOf(db.keyBytes(entry))
    expect(found.has(name), name).toBe(false)
    found.set(name, this.world.heldOf(db, entry))
  }

  adopt(db: Db, keys: TableRef): boolean {
    const { table } = this.world.keyspace
    let cursor = 0
    do {
      cursor = table.scan(keys, cursor)
      for (let i = 0; i < table.scannedCount; i++) this.preserve(db, table.scanned[i]!)
    } while (cursor !== 0)
    return false
  }

  swapped(first: number, second: number): void {
    const { startIndex } = this
    ;[startIndex[first], startIndex[second]] = [startIndex[second]!, startIndex[first]!]
  }

  abandon(): void {
    this.isOver = true
    this.world.keyspace.snapshot = null
  }

  step(): void {
    const db = this.world.keyspace.databases[this.startIndex.indexOf(this.section)]!
    const entries: Ref[] = []
    this.cursors[this.section] = db.scan(this.cursors[this.section]!, (entry) => entries.push(entry))
    for (const entry of entries) this.preserve(db, entry)
    if (this.cursors[this.section] !== 0 || ++this.section < DATABASES) return
    expect(this.found).toEqual(this.expected)
    this.world.keyspace.settleEpochs()
    this.abandon()
  }
}

function someText(random: Random): string {
  const length = oneOf(random, [0, 1, 5, 20, 44, 45, 100, 700, 3000])
  if (random.below(4) === 0) return String(random.int32())
  return Buffer.from(Array.from({ length }, () => random.below(256))).toString('latin1')
}

function someTime(random: Random, nowMs: number): number | bigint {
  if (random.below(12) === 0) return 2n ** 62n + BigInt(random.below(1000)) * 3n
  return nowMs + oneOf(random, [-5, 0, 3, 50, 2000, 100_000, 2 ** 33])
}

/** A further step of the scan under way, or the first of one of database `index`. */
function scanStep(world: World, index: number): void {
  const { keyspace, contents } = world
  world.scan ??= { index, swaps: keyspace.swaps, cursor: 0, due: new Set(contents[index]!.keys()), seen: new Set() }
  const { scan } = world
  if (scan.swaps !== keyspace.swaps) {
    world.scan = null
    return
  }
  const db = keyspace.databases[scan.index]!
  scan.cursor = db.scan(scan.cursor, (entry) => scan.seen.add(textOf(db.keyBytes(entry))))
  if (scan.cursor !== 0) return
  expect([...scan.due].filter((name) => !scan.seen.has(name))).toEqual([])
  world.scan = null
}

seededTest('a keyspace behaves as Maps do', 8, (random) => {
  const world = new World(random)
  const { keyspace, clock, contents, lists } = world
  const names = Array.from({ length: oneOf(random, [8, 60, 500]) }, (_, i) => `k${i}`.padEnd(random.below(25), '_'))
  let recorder: Recorder | null = null

  const set = (db: Db, name: string, value: string, keepTtl: boolean): Ref => {
    const key = Buffer.from(name, 'latin1')
    const bytes = Buffer.from(value, 'latin1')
    const encoding = stringEncoding(bytes, 0, bytes.length)
    return db.setString(key, 0, key.length, bytes, 0, bytes.length, encoding, keepTtl)
  }
  /** An operation that changes nothing when memory ends in it. */
  const attempt = (body: () => void, done: () => void) => {
    const nth = random.below(8) === 0 ? 1 + random.below(3) : 0
    if (!world.starving(nth, body)) done()
  }

  for (let step = 0; step < 6000; step++) {
    const index = random.below(DATABASES)
    const db = keyspace.databases[index]!
    const model = contents[index]!
    const name = oneOf(random, names)
    const key = Buffer.from(name, 'latin1')
    const peek = () => db.peekForWrite(key, 0, key.length)
    switch (random.below(18)) {
      case 0:
      case 1:
      case 2: {
        const value = someText(random)
        const keepTtl = random.below(3) === 0
        peek()
        const written = world.lookUpForWrite(index, name)
        attempt(
          () => set(db, name, value, keepTtl),
          () => {
            const bytes = Buffer.from(value, 'latin1')
            const expireAtMs = keepTtl ? (written?.expireAtMs ?? -1) : -1
            const encoding = stringEncoding(bytes, 0, bytes.length)
            model.set(name, { type: TYPE_STRING, value, encoding, expireAtMs })
          },
        )
        break
      }
      case 3: {
        const entry = peek()
        const held = world.lookUpForWrite(index, name)
        if (held?.type !== TYPE_STRING) break
        const length = Math.max(0, oneOf(random, [0, held.value.length + 1, held.value.length * 2, 300, 44]))
        attempt(
          () => db.resizeString(entry, length, ENCODING_RAW),
          () => {
            const value = held.value.slice(0, length).padEnd(length, '\0')
            model.set(name, { ...held, value, encoding: ENCODING_RAW })
          },
        )
        break
      }
      case 4: {
        const entry = peek()
        if (world.lookUpForWrite(index, name) !== undefined || entry !== NO_KEY) break
        const value = someText(random)
        const root = lists.create(value)
        const failed = world.starving(random.below(6), () =>
          db.addValue(key, 0, key.length, TYPE_LIST, ENCODING_LISTPACK, root),
        )
        if (failed) lists.release(root)
        else model.set(name, { type: TYPE_LIST, value, encoding: ENCODING_LISTPACK, expireAtMs: -1 })
        break
      }
      case 5:
      case 6:
      case 7: {
        const entry = peek()
        const held = world.lookUpForWrite(index, name)
        if (held === undefined) break
        const expireAtMs = someTime(random, clock.nowMs)
        attempt(
          () => db.setExpire(entry, expireAtMs),
          () => model.set(name, { ...held, expireAtMs }),
        )
        break
      }
      case 8: {
        const entry = peek()
        const held = world.lookUpForWrite(index, name)
        if (held === undefined) break
        attempt(
          () => db.persist(entry),
          () => model.set(name, { ...held, expireAtMs: -1 }),
        )
        break
      }
      case 9:
      case 10: {
        const target = random.below(DATABASES)
        const newName = oneOf(random, names)
        const newKey = Buffer.from(newName, 'latin1')
        const entry = peek()
        const held = world.lookUpForWrite(index, name)
        if (held === undefined || (target === index && newName === name)) break
        keyspace.databases[target]!.peekForWrite(newKey, 0, newKey.length)
        if (world.lookUpForWrite(target, newName) !== undefined) break
        const isMove = random.below(2) === 0
        attempt(
          () => {
            if (isMove) db.moveEntry(entry, keyspace.databases[target]!, newKey, 0, newKey.length)
            else db.copyEntry(entry, keyspace.databases[target]!, newKey, 0, newKey.length)
          },
          () => {
            if (isMove) world.forget(index, name)
            contents[target]!.set(newName, held)
          },
        )
        break
      }
      case 11:
      case 12: {
        const there = db.removeKey(key, 0, key.length)
        const held = model.get(name)
        const expires = held !== undefined && world.isOverdue(held) && keyspace.expireMode === EXPIRE_DELETE
        if (expires) world.expectExpired(index, name)
        expect(there).toBe(held !== undefined && !expires)
        world.forget(index, name)
        break
      }
      case 13: {
        const entry = db.peek(key, 0, key.length)
        const held = world.lookUp(index, name)
        if (held === undefined) expect(entry).toBe(NO_KEY)
        else expect(world.heldOf(db, entry)).toEqual(held)
        break
      }
      case 14:
        clock.advance(oneOf(random, [0, 1, 20, 1500]))
        if (random.below(10) === 0) keyspace.expireMode = oneOf(random, [EXPIRE_DELETE, EXPIRE_HIDE, EXPIRE_IGNORE])
        break
      case 15:
        if (recorder?.isOver === false) recorder.step()
        else if (random.below(4) === 0 && !keyspace.hasStaleEpochs) recorder = new Recorder(world)
        break
      case 16:
        scanStep(world, index)
        break
      default:
        switch (random.below(40)) {
          case 0:
            expect(db.clear(random.below(2) === 0)).toBe(model.size)
            model.clear()
            world.scan = null
            break
          case 1: {
            const other = random.below(DATABASES)
            if (other === index) break
            keyspace.swap(index, other)
            contents[index] = contents[other]!
            contents[other] = model
            break
          }
          case 2: {
            const entry = db.randomKey()
            while (world.expired.length > 0) world.expectExpired(index, world.expired[0]!.slice(2))
            if (entry === NO_KEY) expect(model.size).toBe(0)
            else expect(world.heldOf(db, entry)).toEqual(model.get(textOf(db.keyBytes(entry))))
            break
          }
          case 3:
            if (random.below(4) !== 0) break
            expect(keyspace.clear(random.below(2) === 0)).toBe(contents.reduce((sum, one) => sum + one.size, 0))
            for (const one of contents) one.clear()
            world.scan = null
            break
          default:
            for (const one of keyspace.databases) one.rehash(random.below(5))
            keyspace.lazyFree.step(0)
        }
    }
    if (world.expired.length > 0) expect(world.expired).toEqual([])
    if (step % 200 === 0) world.check()
  }
  while (recorder?.isOver === false) recorder.step()
  world.check()
  // All memory comes back: key by key here, with clear() below.
  keyspace.expireMode = EXPIRE_IGNORE
  for (const [index, db] of keyspace.databases.entries()) {
    for (const name of contents[index]!.keys()) {
      const key = Buffer.from(name, 'latin1')
      expect(db.removeKey(key, 0, key.length)).toBe(true)
    }
    while (db.rehash(100));
  }
  while (keyspace.lazyFree.step(1000));
  expect(lists.live).toBe(0)
  expect(keyspace.arena.usedBytes).toBe(world.baseBytes)
  for (const name of names) set(oneOf(random, keyspace.databases), name, someText(random), false)
  keyspace.clear()
  expect(keyspace.arena.usedBytes).toBe(world.baseBytes)
})

seededTest('many keys go at once or in steps, and all memory comes back', 2, (random) => {
  const world = new World(random)
  const { keyspace } = world
  const fill = (db: Db, keys: number) => {
    const value = Buffer.from('some value')
    for (let i = 0; i < keys; i++) {
      const key = Buffer.from(`key:${i}`)
      const entry = db.setString(key, 0, key.length, value, 0, value.length, ENCODING_EMBSTR, false)
      if (i % 3 === 0) db.setExpire(entry, world.clock.nowMs + 1e9)
    }
  }
  const [first, second] = keyspace.databases as [Db, Db, Db]
  const keys = 1500 + random.below(60_000)
  fill(first, keys)
  expect(first.clear(true)).toBe(keys)
  expect(keyspace.arena.usedBytes, 'the last keys: nothing is left').toBe(world.baseBytes)
  expect(keyspace.lazyFree).toMatchObject({ pendingObjects: 0, freedObjects: keys, isIdle: true })

  fill(second, 1)
  fill(first, keys)
  const usedBytes = keyspace.arena.usedBytes
  expect(first.clear(true)).toBe(keys)
  expect(first.size + first.expiresSize).toBe(0)
  expect(keyspace.lazyFree.pendingObjects).toBe(keys)
  let steps = 0
  while (keyspace.lazyFree.step(0)) steps++
  expect(steps).toBeGreaterThan(keys / 12 / 16 / 3)
  expect(keyspace.lazyFree).toMatchObject({ pendingObjects: 0, freedObjects: keys * 2, isIdle: true })
  expect(keyspace.arena.usedBytes).toBeLessThan(usedBytes)
  fill(first, 10)
  expect(first.clear()).toBe(10)
  expect(second.clear()).toBe(1)
  expect(keyspace.arena.usedBytes).toBe(world.baseBytes)

  fill(first, keys)
  fill(second, keys)
  expect(first.clear()).toBe(keys)
  keyspace.lazyFree.step(0)
  expect(keyspace.clear()).toBe(keys)
  expect(keyspace.arena.usedBytes, 'the remains of the first went with the second').toBe(world.baseBytes)
  expect(keyspace.lazyFree).toMatchObject({ pendingObjects: 0, freedObjects: keys * 2, isIdle: true })
})
