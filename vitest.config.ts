import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { chooseSeed } from './test/support/seed.ts'

const seed = chooseSeed(process.env)
console.log(`What is left to chance is drawn from O7_SEED=${seed}, which repeats it`)

export default defineConfig({
  define: { __O7_VERSION__: JSON.stringify('0.1.0-test') },
  // Examples import the library by its name, and are tested with its sources.
  resolve: { alias: { 'o7-is': fileURLToPath(new URL('src/index.ts', import.meta.url)) } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/provide-redis.ts'],
    pool: 'forks',
    env: { O7_SEED: String(seed) },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
