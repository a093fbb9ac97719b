/** The soak, cut short: `npm run soak` goes on for an hour of simulated time. */
import { expect, test } from 'vitest'
import { SEED } from '../support/seed.ts'
import { runSoak } from './soak.ts'
import { verdict } from './verdict.ts'

test('mixed load leaves memory as it must be', async () => {
  const result = await runSoak({ seed: SEED, simulatedMs: 2 * 60_000, requestsPerSecond: 200, checkpoints: 6 })
  expect(verdict(result)).toEqual([])
  expect(result.checkpoints).toHaveLength(6)
  expect(result.checkpoints[5]!.requests).toBeGreaterThan(20_000)
  expect(result.checkpoints[5]!.keys).toBeGreaterThan(100)
  expect(result.expired).toBeGreaterThan(500)
})
