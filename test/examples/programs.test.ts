/** The examples, run as their first lines say, with the built package. */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const require = createRequire(import.meta.url)

async function run(...args: string[]): Promise<string> {
  const env = { ...process.env, NO_COLOR: '1' }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, env, timeout: 50_000 })
  expect(stderr).toBe('')
  return stdout
}

test('ioredis', async () => {
  expect(await run('examples/ioredis/queue.js')).toBe(
    `keys: 1000
taken: payload 1 | done: 1
heard: jobs: job 1 is done
job 2 after an hour: null
`,
  )
})

test('node-redis', async () => {
  expect(await run('examples/node-redis/cache.js')).toBe(
    `first: 144 | second: 144 | computed: 1
expired: square:12
after a minute: 144 | computed: 2
`,
  )
})

test('vitest', async () => {
  const output = await run('node_modules/vitest/vitest.mjs', 'run', '--root', 'examples/vitest')
  expect(output).toMatch(/Tests {2}2 passed \(2\)/)
})

// Jest itself is not among the tools of this checkout. Its globals have the same names and meanings here.
describe('jest', () => {
  vi.stubGlobal('test', test)
  vi.stubGlobal('expect', expect)
  vi.stubGlobal('beforeAll', beforeAll)
  vi.stubGlobal('beforeEach', beforeEach)
  vi.stubGlobal('afterAll', afterAll)
  require('../../examples/jest/rate-limit.test.cjs')
})
