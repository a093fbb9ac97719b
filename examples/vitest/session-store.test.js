/**
 * Tests that need time to pass, without waiting for it.
 *
 *   npx vitest run --root examples/vitest
 */
import { expect, test } from 'vitest'
import { useRedis } from './redis.js'
import { SessionStore } from './session-store.js'

const redis = useRedis()
const MINUTE = 60_000

test('a session is there until it was not used for half an hour', async () => {
  const sessions = new SessionStore(redis.client)
  await sessions.save('abc', { user: 'Ada' })

  redis.server.clock.advance(29 * MINUTE)
  expect(await sessions.load('abc')).toEqual({ user: 'Ada' })

  redis.server.clock.advance(29 * MINUTE)
  expect(await sessions.load('abc')).toEqual({ user: 'Ada' })

  redis.server.clock.advance(31 * MINUTE)
  expect(await sessions.load('abc')).toBe(null)
})

test('each test begins with an empty server', async () => {
  expect(await redis.client.dbSize()).toBe(0)
})
