/**
 * A save in the background holds exactly what was there when it began, whatever clients do meanwhile. Random writes of
 * every kind between the steps; the file is loaded and compared with a copy taken at the start.
 */
import { describe, expect, test } from 'vitest'
import { Random } from '../../../src/base/random.ts'
import { type Db, stringEncoding } from '../../../src/keyspace/db.ts'
import { NO_KEY } from '../../../src/keyspace/entry.ts'
import type { Keyspace } from '../../../src/keyspace/keyspace.ts'
import { LARGE_BYTES_MIN } from '../../../src/persistence/rdb/snapshot-walk.ts'
import { seededTest } from '../../model/seeded.ts'
import { contentsOf, loadInto } from '../../support/dataset.ts'
import { ticks } from '../../support/memory-files.ts'
import { createTestPersistence, DUMP, type TestPersistence } from '../../support/persistence.ts'

const SEED = 40_417
const DATABASES = 4
const START_MS = 1_700_000_000_000

function key(random: Random): Uint8Array {
  return Buffer.from(random.below(20) === 0 ? String(random.below(300)) : `key:${random.below(2000)}`)
}

function value(random: Random): Uint8Array {
  switch (random.below(random.below(20) === 0 ? 5 : 3)) {
    case 0:
      return Buffer.from(String(random.int32() >> random.below(32)))
    case 1:
      return Buffer.from(random.hex(random.below(200)), 'latin1')
    case 2:
      return Buffer.from('ab'.repeat(random.below(60)))
    case 3:
      // Large, compressible.
      return Buffer.alloc(LARGE_BYTES_MIN + random.below(400_000), 'the quick brown fox ')
    default: {
      // Large, not compressible.
      const bytes = Buffer.alloc(LARGE_BYTES_MIN + random.below(400_000))
      for (let i = 0; i < bytes.length; i += 4) bytes.writeInt32LE(random.int32(), Math.min(i, bytes.length - 4))
      return bytes
    }
  }
}

function set(db: Db, name: Uint8Array, bytes: Uint8Array, keepTtl: boolean): void {
  db.setString(name, 0, name.length, bytes, 0, bytes.length, stringEncoding(bytes, 0, bytes.length), keepTtl)
}

/** One write of a random kind. */
function write(keyspace: Keyspace, random: Random): void {
  const db = keyspace.databases[random.below(DATABASES)]!
  const name = key(random)
  const entry = db.peek(name, 0, name.length)
  const kind = random.below(1000)
  if (kind < 350) set(db, name, value(random), random.below(2) === 0)
  else if (kind === 998) keyspace.swap(random.below(DATABASES), random.below(DATABASES))
  else if (kind === 999) db.clear(random.below(2) === 0)
  else if (entry === NO_KEY) return
  else if (kind < 550) db.remove(entry)
  else if (kind < 650) db.setExpire(entry, START_MS + 1_000_000 + random.below(1_000_000))
  else if (kind < 700) db.persist(entry)
  else if (kind < 800) {
    const length = Math.max(1, db.valueLength(entry) + random.below(200) - 100)
    const resized = db.resizeString(entry, length, 0)
    db.bytesOf(resized)[db.valueAt(resized) + random.below(length)] = random.below(256)
  } else if (kind < 900) {
    const target = keyspace.databases[random.below(DATABASES)]!
    const other = key(random)
    if (target.peek(other, 0, other.length) === NO_KEY) db.moveEntry(entry, target, other, 0, other.length)
  } else if (kind < 960) {
    const other = key(random)
    if (db.peek(other, 0, other.length) === NO_KEY) db.copyEntry(entry, db, other, 0, other.length)
  } else db.setLru(entry, random.below(1 << 24))
}

async function saveAmongWrites(test: TestPersistence, random: Random, writesPerStep: number): Promise<void> {
  const { persistence, engine, scheduler, files } = test
  files.isSlow = random.below(2) === 0
  expect(persistence.startBackgroundSave()).toBe(true)
  for (let step = 0; persistence.state.isSaving; step++) {
    if (step > 1_000_000) throw new Error('no end')
    scheduler.turn()
    for (let i = random.below(writesPerStep + 1); i > 0; i--) write(engine.keyspace, random)
    // The disk is now fast, now slow.
    if (random.below(4) > 0) await files.settle(random.below(5))
    await ticks()
  }
  files.isSlow = false
  await test.drain()
}

describe.each([
  ['without writes', 0],
  ['with some writes', 20],
  ['with many writes', 300],
])('a save in the background %s', (_name, writesPerStep) => {
  seededTest('holds what was there at its start', 3, async (random) => {
    const test = createTestPersistence({ seed: random.int32() >>> 0, databases: DATABASES })
    const { keyspace } = test.engine
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 3000; i++) write(keyspace, random)
      test.settings.compression = random.below(4) > 0
      const before = contentsOf(keyspace)
      await saveAmongWrites(test, random, writesPerStep)
      expect(test.persistence.state.lastSaveFailed).toBe(false)
      const loaded = loadInto(test.files.content(DUMP)!, DATABASES)
      expect(loaded.size).toBe(before.size)
      for (const [name, held] of before) expect(loaded.get(name), name).toBe(held)
      expect(test.files.names).toEqual([DUMP])
      expect(test.files.openFiles).toBe(0)
    }
  })
})

describe('saves that are broken off again and again', () => {
  seededTest('leave the next one right', 2, async (random) => {
    const test = createTestPersistence({ seed: random.int32() >>> 0, databases: DATABASES })
    const { persistence, scheduler, files } = test
    const { keyspace } = test.engine
    for (let i = 0; i < 4000; i++) write(keyspace, random)
    const lastRound = 14
    for (let round = 0; round <= lastRound; round++) {
      expect(persistence.startBackgroundSave()).toBe(true)
      for (let i = random.below(6); i > 0 && persistence.state.isSaving; i--) {
        scheduler.turn()
        for (let j = random.below(40); j > 0; j--) write(keyspace, random)
      }
      // The last one is not broken off.
      if (round < lastRound && random.below(5) > 0) {
        keyspace.snapshot?.abandon()
        // Now and then there is no time to tidy up, so that all epochs come into use.
        for (let i = random.below(3) === 0 ? random.below(60) : 0; i > 0; i--) scheduler.turn()
        await files.settle()
        if (!persistence.state.isSaving) continue
      }
      await test.drain()
      const before = contentsOf(keyspace)
      expect(persistence.startBackgroundSave()).toBe(true)
      for (let i = 0; i < 3; i++) {
        scheduler.turn()
        for (let j = 0; j < 100; j++) write(keyspace, random)
      }
      await test.drain()
      expect(loadInto(files.content(DUMP)!, DATABASES)).toEqual(before)
    }
    expect(files.names).toEqual([DUMP])
  })
})

test('a step is short whatever there is to write', async () => {
  const test = createTestPersistence()
  const { persistence, engine, scheduler, files } = test
  const db = engine.keyspace.databases[0]!
  for (let i = 0; i < 20_000; i++) set(db, Buffer.from(`key:${i}`), Buffer.from('x'.repeat(i % 64)), false)
  for (let i = 0; i < 40; i++) set(db, Buffer.from(`middle:${i}`), Buffer.alloc(60_000, `${i} `), false)
  for (let i = 0; i < 5; i++) set(db, Buffer.from(`large:${i}`), Buffer.alloc(3_000_000, `${i}`), false)
  persistence.startBackgroundSave()
  const { writtenBytes } = { writtenBytes: () => files.files.get('/data/temp-4711.rdb')?.length ?? 0 }
  let steps = 0
  let before = 0
  let keysBefore = 0
  while (persistence.state.isSaving) {
    scheduler.turn()
    // The clock stands still here, so this is the bound by work.
    expect(persistence.state.currentKeysDone - keysBefore).toBeLessThan(2200)
    keysBefore = persistence.state.currentKeysDone
    await ticks()
    await files.settle()
    expect(writtenBytes() - before).toBeLessThan(1_300_000)
    before = writtenBytes()
    steps++
  }
  expect(steps).toBeGreaterThan(200)
})

test('the walk waits while the disk does not keep up, and preserved entries do not', async () => {
  const test = createTestPersistence()
  const { persistence, engine, scheduler, files } = test
  const db = engine.keyspace.databases[0]!
  const random = Random.fromSeed(SEED)
  for (let i = 0; i < 50_000; i++) set(db, Buffer.from(`key:${i}`), Buffer.from(random.hex(100)), false)
  const before = contentsOf(engine.keyspace)
  files.isSlow = true
  persistence.startBackgroundSave()
  let turns = 0
  while (scheduler.turn()) {
    await ticks()
    turns++
  }
  const { currentKeysDone } = persistence.state
  expect(turns).toBeGreaterThan(3)
  // Four buffers of 256 KiB are full.
  expect(currentKeysDone).toBeGreaterThan(5000)
  expect(currentKeysDone).toBeLessThan(20_000)
  for (let i = 0; i < 50_000; i++) db.removeKey(Buffer.from(`key:${i}`), 0, `key:${i}`.length)
  files.isSlow = false
  await test.drain()
  expect(loadInto(files.content(DUMP)!, 16)).toEqual(before)
  expect(persistence.state.lastCowBytes).toBeGreaterThan(3_000_000)
})
