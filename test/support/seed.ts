/**
 * The seed of all that the tests leave to chance: O7_SEED if it is set, for a run that is to be repeated. Otherwise a new
 * one each time, so that every run tries something else; but with CI=true it is made of the code, so that the
 * same code always gets the same verdict. vitest.config.ts chooses it, once for all test files.
 */
import { spawnSync } from 'node:child_process'
import { createHash, randomInt } from 'node:crypto'

const SEED_LIMIT = 2 ** 31

/** What `npx vitest` is to hand on to the test files as O7_SEED. */
export function chooseSeed(env: NodeJS.ProcessEnv): number {
  if (env.O7_SEED !== undefined) return Number(env.O7_SEED)
  return env.CI === 'true' ? seedOfCode() : randomInt(SEED_LIMIT)
}

/** The same for the same sources and tests, whatever else was committed. */
function seedOfCode(): number {
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD:src', 'HEAD:test'], { encoding: 'utf8' })
  return (
    createHash('sha1')
      .update(stdout ?? '')
      .digest()
      .readUInt32BE() % SEED_LIMIT
  )
}

/** Of this run. */
export const SEED = Number(process.env.O7_SEED)
