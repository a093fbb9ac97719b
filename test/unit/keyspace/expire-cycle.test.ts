import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Random } from '../../../src/base/random.ts'
import { ENCODING_EMBSTR } from '../../../src/keyspace/entry.ts'
import { ExpireCycle } from '../../../src/keyspace/expire-cycle.ts'
import { Keyspace } from '../../../src/keyspace/keyspace.ts'

/** Each look at it takes so long. */
class TickingClock extends ManualClock {
  usPerLook = 0

  override refresh(): void {
    this.monotonicUs += this.usPerLook
  }
}

function create(databases = 16) {
  const clock = new TickingClock()
  const keyspace = new Keyspace(clock, Random.fromSeed(3), databases)
  const cycle = new ExpireCycle(keyspace)
  const add = (dbIndex: number, count: number, ttlMs: number, prefix = `${ttlMs}:`) => {
    const db = keyspace.databases[dbIndex]!
    for (let i = 0; i < count; i++) {
      const key = Buffer.from(`${prefix}${i}`)
      const entry = db.setString(key, 0, key.length, key, 0, key.length, ENCODING_EMBSTR, false)
      if (ttlMs > 0) db.setExpire(entry, clock.nowMs + ttlMs)
    }
    return db
  }
  return { clock, keyspace, cycle, add }
}

/** A slow cycle with all of its turns. */
function whole(cycle: ExpireCycle, hz: number): void {
  for (let goesOn = cycle.slow(hz); goesOn; goesOn = cycle.goOn());
}

describe('active expiry', () => {
  test('removes what is overdue and nothing else, whatever its database', () => {
    const { clock, keyspace, cycle, add } = create()
    for (const index of [0, 7, 15]) {
      add(index, 3000, 100)
      add(index, 1000, 0, 'stays:')
    }
    expect(cycle.slow(10)).toBe(false)
    expect(keyspace.expiredKeys).toBe(0)
    clock.advance(101)
    cycle.slow(10)
    expect(keyspace.expiredKeys).toBeGreaterThan(8000)
    // What is left is so little that it may wait, and its table too sparse to be searched before it has shrunk.
    for (let i = 0; i < 50; i++) {
      for (const db of keyspace.databases) db.rehash(1000)
      cycle.slow(10)
    }
    const sizes = [0, 7, 15].map((index) => keyspace.databases[index]!).map((db) => [db.size, db.expiresSize])
    expect(sizes).toEqual([
      [1000, 0],
      [1000, 0],
      [1000, 0],
    ])
    expect(keyspace.expiredKeys).toBe(9000)
    expect(keyspace.expiredTimeCapReached).toBe(0)
  })

  test('leaves a database once little of it is overdue', () => {
    const { clock, cycle, add } = create()
    add(0, 200, 100)
    const db = add(0, 20_000, 1_000_000)
    clock.advance(101)
    cycle.slow(10)
    // About one key in a hundred is overdue: one look is enough, for now.
    expect(db.size).toBeGreaterThan(20_150)
    for (let i = 0; i < 3000; i++) cycle.slow(10)
    expect(db.size, 'the rest follows').toBe(20_000)
  })

  test('works in turns of a millisecond and stops at its share of the period', () => {
    const { clock, keyspace, cycle, add } = create(1)
    const db = add(0, 50_000, 100)
    clock.advance(101)
    clock.usPerLook = 90
    let turns = 1
    let lastUs = clock.monotonicUs
    let longestUs = 0
    for (let goesOn = cycle.slow(10); goesOn; goesOn = cycle.goOn()) {
      longestUs = Math.max(longestUs, clock.monotonicUs - lastUs)
      lastUs = clock.monotonicUs
      turns++
    }
    expect(longestUs).toBeLessThan(1300)
    expect(turns).toBeGreaterThanOrEqual(20)
    expect(cycle.usedUs).toBeGreaterThanOrEqual(25_000)
    expect(cycle.usedUs).toBeLessThan(26_000)
    expect(keyspace.expiredTimeCapReached).toBe(1)
    expect(cycle.isBehind).toBe(true)
    expect(db.size).toBeGreaterThan(0)
    // At twice the frequency it has half of the time; more effort has more.
    whole(cycle, 20)
    expect(cycle.usedUs).toBeLessThan(13_500)
    cycle.effort = 10
    whole(cycle, 10)
    expect(cycle.usedUs).toBeGreaterThanOrEqual(43_000)
    for (let i = 0; i < 100 && db.size > 0; i++) {
      whole(cycle, 10)
      db.rehash(10_000)
    }
    expect(db.size).toBe(0)
  })

  test('fast cycles run only while slow ones cannot keep up, and not one after the other', () => {
    const { clock, keyspace, cycle, add } = create(1)
    const db = add(0, 20_000, 100)
    expect(cycle.fast(), 'nothing to catch up with').toBe(false)
    clock.advance(101)
    expect(cycle.isBehind).toBe(false)
    clock.usPerLook = 500
    whole(cycle, 10)
    expect(cycle.isBehind).toBe(true)
    const { size } = db
    clock.advance(10)
    cycle.fast()
    expect(cycle.usedUs).toBeGreaterThanOrEqual(1000)
    expect(cycle.usedUs).toBeLessThan(2500)
    expect(db.size).toBeLessThan(size)
    const { expiredKeys } = keyspace
    clock.usPerLook = 0
    expect(cycle.fast(), 'just now there was one').toBe(false)
    expect(keyspace.expiredKeys).toBe(expiredKeys)
  })

  test('a cycle that ran out of time gives the next database its turn', () => {
    const { clock, keyspace, cycle, add } = create(3)
    for (const index of [0, 1, 2]) add(index, 20_000, 100)
    clock.advance(101)
    clock.usPerLook = 500
    const sizes = () => keyspace.databases.map((db) => db.size)
    const begun: number[][] = []
    for (let i = 0; i < 3; i++) {
      const before = sizes()
      whole(cycle, 10)
      begun.push(sizes().flatMap((size, index) => (size < before[index]! ? [index] : [])))
    }
    expect(begun).toEqual([[0], [1], [2]])
  })

  test('the average time to live follows what is sampled', () => {
    const { clock, cycle, add } = create(1)
    const db = add(0, 500, 100_000)
    for (let i = 0; i < 400; i++) cycle.slow(10)
    expect(db.averageTtlMs).toBeGreaterThan(99_000)
    expect(db.averageTtlMs).toBeLessThanOrEqual(100_000)
    clock.advance(50_000)
    for (let i = 0; i < 400; i++) cycle.slow(10)
    expect(db.averageTtlMs).toBeGreaterThan(49_900)
    expect(db.averageTtlMs).toBeLessThan(51_000)
    clock.advance(60_000)
    cycle.slow(10)
    expect(db.size).toBe(0)
    cycle.slow(10)
    expect(db.averageTtlMs).toBe(0)
  })

  test('the share of overdue keys is estimated', () => {
    const { clock, keyspace, cycle, add } = create(1)
    add(0, 1000, 100)
    clock.advance(101)
    cycle.slow(10)
    expect(keyspace.expiredStalePercent).toBeCloseTo(5, 1)
    for (let i = 0; i < 200; i++) cycle.slow(10)
    expect(keyspace.expiredStalePercent).toBeLessThan(0.01)
  })
})
