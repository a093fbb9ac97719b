/**
 * Random tests that can be repeated: the seed of the first run is printed, each further run counts on from it.
 * O7_SEED=n sets it, O7_MODEL_RUNS=n makes more runs than a test suite has time for.
 */
import { randomInt } from 'node:crypto'
import { test } from 'vitest'
import { Random } from '../../src/base/random.ts'

export function seededTest(name: string, runs: number, body: (random: Random) => void | Promise<void>): void {
  const count = Number(process.env.O7_MODEL_RUNS ?? runs)
  test(name, { timeout: 60_000 + count * 10_000 }, async () => {
    const seed = Number(process.env.O7_SEED ?? randomInt(2 ** 32))
    console.log(`${name}: O7_SEED=${seed}`)
    for (let run = 0; run < count; run++) {
      try {
        await body(Random.fromSeed(seed + run))
      } catch (error) {
        console.log(`${name}: repeat with O7_SEED=${seed + run} O7_MODEL_RUNS=1`)
        throw error
      }
    }
  })
}

/** One of these, chosen evenly. */
export function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)]!
}
