/** The figures are those of redis.conf: the counter after so many hits, by lfu-log-factor. */
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Random } from '../../../src/base/random.ts'
import { Keyspace } from '../../../src/keyspace/keyspace.ts'
import { lfuAfterAccess, lfuCounter, lfuInitial } from '../../../src/keyspace/lfu.ts'

function create() {
  const clock = new ManualClock()
  return { clock, keyspace: new Keyspace(clock, Random.fromSeed(5), 1) }
}

/** The counter of a key after so many hits, averaged over a few keys. */
function counterAfter(keyspace: Keyspace, hits: number): number {
  const keys = hits > 10_000 ? 5 : 40
  let sum = 0
  for (let key = 0; key < keys; key++) {
    let lru = lfuInitial(keyspace)
    for (let i = 0; i < hits; i++) lru = lfuAfterAccess(lru, keyspace)
    sum += lfuCounter(lru, keyspace)
  }
  return sum / keys
}

describe('the LFU counter', () => {
  test.each([
    [0, 100, 104, 1],
    [0, 1000, 255, 0],
    [1, 100, 18, 2],
    [1, 1000, 49, 3],
    [1, 100_000, 255, 0],
    [10, 100, 10, 1],
    [10, 1000, 18, 2],
    [10, 100_000, 142, 9],
    [100, 100, 8, 2],
    [100, 1000, 11, 2],
    [100, 100_000, 49, 4],
  ])('with factor %i and %i hits is about %i', (factor, hits, expected, tolerance) => {
    const { keyspace } = create()
    keyspace.lfuLogFactor = factor
    expect(Math.abs(counterAfter(keyspace, hits) - expected)).toBeLessThanOrEqual(tolerance)
  })

  test('starts at 5 and falls by one each lfu-decay-time minutes', () => {
    const { keyspace, clock } = create()
    const lru = lfuInitial(keyspace)
    expect(lfuCounter(lru, keyspace)).toBe(5)
    clock.advance(3 * 60_000)
    expect(lfuCounter(lru, keyspace)).toBe(2)
    clock.advance(10 * 60_000)
    expect(lfuCounter(lru, keyspace)).toBe(0)
    keyspace.lfuDecayMinutes = 10
    expect(lfuCounter(lru, keyspace)).toBe(4)
    keyspace.lfuDecayMinutes = 0
    expect(lfuCounter(lru, keyspace)).toBe(5)
  })

  test('the minutes begin anew every 45 days', () => {
    const { keyspace, clock } = create()
    clock.nowMs = 0xffff * 60_000
    const lru = lfuInitial(keyspace)
    clock.advance(2 * 60_000)
    expect(lfuCounter(lru, keyspace)).toBe(4)
  })
})
