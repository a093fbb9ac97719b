/** The soak, cut short: `npm run soak` goes on for an hour of simulated time. */
import { expect, test } from 'vitest'
import { runSoak } from './soak.ts'
import { verdict } from './verdict.ts'

test('mixed load leaves memory as it must be', async () => {
  const seed = Date.now() % 1_000_000
  console.log(`soak: seed ${seed}`)
  const result = await runSoak({ seed, simulatedMs: 2 * 60_000, requestsPerSecond: 200, checkpoints: 6 })
  expect(verdict(result)).toEqual([])
  expect(result.checkpoints).toHaveLength(6)
  expect(result.checkpoints[5]!.requests).toBeGreaterThan(20_000)
  expect(result.checkpoints[5]!.keys).toBeGreaterThan(100)
  expect(result.expired).toBeGreaterThan(500)
})
