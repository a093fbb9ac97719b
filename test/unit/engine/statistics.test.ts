import { expect, test } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { Statistics } from '../../../src/engine/statistics.ts'

test('rates are those since the server started, however long the machine has been running', () => {
  const clock = { nowMs: 0, monotonicUs: 1e12, refresh() {}, wallUs: () => 0, advance() {} } satisfies Clock
  const statistics = new Statistics(clock)
  statistics.inputBytes = 1_000_000
  expect(statistics.sampleRates()).toBe(false)
  clock.monotonicUs += 100_000
  expect(statistics.sampleRates()).toBe(true)
  // The mean of 16 samples, of which there is one.
  expect(statistics.inputRate.perSecond()).toBe(10_000_000 / 16)
  expect(statistics.outputRate.perSecond()).toBe(0)
  statistics.reset()
  expect(statistics.inputRate.perSecond()).toBe(0)
})
