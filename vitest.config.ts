import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  define: { __O7_VERSION__: JSON.stringify('0.1.0-test') },
  // Examples import the library by its name, and are tested with its sources.
  resolve: { alias: { 'o7-is': fileURLToPath(new URL('src/index.ts', import.meta.url)) } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/provide-redis.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
