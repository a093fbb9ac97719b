import { defineConfig } from 'vitest/config'

export default defineConfig({
  define: { __O7_VERSION__: JSON.stringify('0.1.0-test') },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/provide-redis.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
