/** The LRU clock of 24 bits, and what becomes of idle times when it begins anew. */
import { expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Random } from '../../../src/base/random.ts'
import { LRU_MASK } from '../../../src/keyspace/entry.ts'
import { Keyspace } from '../../../src/keyspace/keyspace.ts'
import { lruClockAt, lruIdleSeconds, lruWithIdle } from '../../../src/keyspace/lru.ts'

function keyspaceAt(nowMs: number): Keyspace {
  return new Keyspace(new ManualClock(nowMs), Random.fromSeed(5), 1)
}

test('the clock counts seconds and begins anew after 2^24', () => {
  expect(lruClockAt(1999)).toBe(1)
  expect(lruClockAt(LRU_MASK * 1000 + 999)).toBe(LRU_MASK)
  expect(lruClockAt(LRU_MASK * 1000 + 1000)).toBe(0)
})

test('a field made of an idle time tells that idle time, over the end of the clock too', () => {
  for (const clock of [5000, 1000, 999, 0, LRU_MASK]) {
    const keyspace = keyspaceAt(clock * 1000)
    expect(lruIdleSeconds(lruWithIdle(1000, keyspace), keyspace)).toBe(1000)
  }
})

test('a use before the clock began anew counts one second too few, as in Redis', () => {
  expect(lruIdleSeconds(LRU_MASK - 9, keyspaceAt(10_000))).toBe(19)
})
