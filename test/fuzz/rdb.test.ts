/**
 * RDB files with wrong bytes: the loader answers with an RdbError or loads what is there; it never fails in another way,
 * never runs on and never allocates more than the file could be worth.
 */
import { describe, expect } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import { Keyspace } from '../../src/keyspace/keyspace.ts'
import { FunctionLibraries } from '../../src/persistence/rdb/functions.ts'
import { RdbError } from '../../src/persistence/rdb/rdb-error.ts'
import { LOADED, NEEDS_INPUT, RdbLoader } from '../../src/persistence/rdb/rdb-loader.ts'
import { seededTest } from '../model/seeded.ts'
import { LOAD_ALL } from '../support/dataset.ts'
import { mutated, noise } from '../support/mutate.ts'
import { createTestPersistence, DUMP } from '../support/persistence.ts'
import { RdbBuilder } from '../support/rdb-builder.ts'

/** Above what a page, the tables and what LZF makes of a small file come to. */
const HELD_BYTES_MAX = 40 * 1024 * 1024

function saved(random: Random): Uint8Array {
  const ours = createTestPersistence({ seed: random.int32() >>> 0 })
  for (let i = random.below(30); i >= 0; i--) {
    ours.client.send('SET', random.hex(random.below(8)), 'ab'.repeat(random.below(200)))
    ours.client.send('SET', String(random.below(1000)), random.hex(random.below(90)), 'PX', 1 + random.below(10 ** 9))
  }
  ours.settings.usage = (['none', 'lru', 'lfu'] as const)[random.below(3)]!
  ours.client.send('SAVE')
  return ours.files.content(DUMP)!
}

function built(): Uint8Array {
  return new RdbBuilder(11)
    .aux('redis-ver', '7.2.0')
    .byte(245)
    .text('#!lua name=x\nreturn')
    .byte(246)
    .text('name')
    .text('lua')
    .length(1)
    .text('about')
    .text('code')
    .raw([247, 0x81, 1, 2, 3, 4, 5, 6, 7, 8, 2, 1, 1, 9, 3, 1, 2, 3, 4, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 1, 65, 0])
    .select(3)
    .sizes(4, 1)
    .raw([244, 1, 2, 3])
    .expireMs(1_800_000_000_000)
    .raw([248, 5])
    .string('a', 'b')
    .raw([253, 0, 0, 0, 0x70, 249, 9, 0, 0xc0, 7, 0xc2, 1, 2, 3, 4])
    .raw([0, 1, 66, 0xc3, 4, 20, 0, 65, 0xe0, 9, 0])
    .string('large', 'x'.repeat(400_000))
    .end()
}

function load(bytes: Uint8Array, random: Random, isLengthKnown: boolean): Keyspace {
  const keyspace = new Keyspace(new ManualClock(), Random.fromSeed(1), 16)
  const loader = new RdbLoader(
    keyspace,
    {
      ...LOAD_ALL,
      functions: new FunctionLibraries(),
      checksum: random.below(3) === 0,
      dropsExpired: random.below(2) === 0,
      replaces: random.below(2) === 0,
    },
    isLengthKnown ? bytes.length : Number.POSITIVE_INFINITY,
  )
  const pieceBytes = 1 + random.below(random.below(2) === 0 ? 10 : bytes.length + 1)
  try {
    let at = 0
    for (let runs = 0; ; runs++) {
      // Each run takes at least a byte, or asks for more.
      if (runs > 3 * bytes.length + 10) throw new Error('it runs on and on')
      const status = loader.run(1 + random.below(5000))
      if (status === LOADED) break
      if (status !== NEEDS_INPUT) continue
      if (at === bytes.length) loader.endOfInput()
      const end = Math.min(bytes.length, at + pieceBytes)
      loader.push(bytes, at, end)
      at = end
    }
  } catch (error) {
    if (!(error instanceof RdbError)) throw error
    expect(error.offset).toBeLessThanOrEqual(bytes.length)
    expect(loader.report(error).length).toBeGreaterThan(3)
  }
  expect(loader.window.length).toBeLessThanOrEqual(4 * 1024 * 1024)
  return keyspace
}

describe('files with wrong bytes', () => {
  seededTest('are refused, or loaded as far as they make sense', 60, (random) => {
    const good = random.below(4) === 0 ? built() : saved(random)
    for (let round = 0; round < 20; round++) {
      const bytes = round === 0 ? Buffer.concat([good.subarray(0, 9), noise(200, random)]) : mutated(good, random)
      const isLengthKnown = random.below(2) === 0
      const keyspace = load(bytes, random, isLengthKnown)
      // Of a stream nobody knows how much is still to come: a large string has its block from the start, untouched until it does.
      if (isLengthKnown) expect(keyspace.arena.heldBytes).toBeLessThan(HELD_BYTES_MAX)
      // What was loaded can be read and removed again.
      for (const db of keyspace.databases) db.forEach((entry) => void db.remove(entry))
      expect(keyspace.keyCount()).toBe(0)
    }
  })
})
