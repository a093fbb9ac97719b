import { expect, test } from 'vitest'
import { ManualClock, SystemClock } from '../../../src/base/clock.ts'

test('the system clock is neither behind nor ahead of Date.now()', () => {
  const clock = new SystemClock()
  let behind = 0
  let ahead = 0
  let worst = 0
  const rounds = 200_000
  for (let i = 0; i < rounds; i++) {
    const beforeMs = Date.now()
    clock.refresh()
    const afterMs = Date.now()
    if (clock.nowMs < beforeMs) behind++
    if (clock.nowMs > afterMs) ahead++
    worst = Math.max(worst, Math.abs(clock.nowMs - beforeMs) - (afterMs - beforeMs))
  }
  expect(worst).toBeLessThan(2)
  // A millisecond's end may be seen a few microseconds late or early.
  expect(behind).toBeLessThan(rounds / 20)
  expect(ahead).toBeLessThan(rounds / 20)
  const beforeMs = Date.now()
  const wallMs = clock.wallUs() / 1000
  expect(wallMs).toBeGreaterThan(beforeMs - 50)
  expect(wallMs).toBeLessThan(Date.now() + 50)
})

test('a clock that is moved forward stays so', () => {
  for (const clock of [new SystemClock(), new ManualClock()]) {
    const { nowMs, monotonicUs } = clock
    clock.advance(60_000)
    clock.refresh()
    expect(clock.nowMs - nowMs).toBeGreaterThanOrEqual(60_000)
    expect(clock.nowMs - nowMs).toBeLessThan(65_000)
    expect(clock.monotonicUs - monotonicUs).toBeGreaterThanOrEqual(60_000_000)
    expect(clock.wallUs()).toBeGreaterThanOrEqual(clock.nowMs * 1000)
  }
})
