/**
 * Random tests that can be repeated: each run counts on from the seed of all tests, and a failing one prints its own.
 * O7_MODEL_RUNS=n makes more runs than a test suite has time for.
 */
import { test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { SEED } from '../support/seed.ts'

export function seededTest(name: string, runs: number, body: (random: Random) => void | Promise<void>): void {
  const count = Number(process.env.O7_MODEL_RUNS ?? runs)
  test(name, { timeout: 60_000 + count * 10_000 }, async () => {
    for (let run = 0; run < count; run++) {
      try {
        await body(Random.fromSeed(SEED + run))
      } catch (error) {
        console.log(`${name}: repeat with O7_SEED=${SEED + run} O7_MODEL_RUNS=1`)
        throw error
      }
    }
  })
}

/** One of these, chosen evenly. */
export function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)]!
}
