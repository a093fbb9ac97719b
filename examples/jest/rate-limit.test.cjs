/**
 * Tests that need time to pass, without waiting for it.
 *
 *   npx jest --rootDir examples/jest
 */
const { isAllowed } = require('./rate-limit.cjs')
const { useRedis } = require('./redis.cjs')

const redis = useRedis()

test('three calls a minute', async () => {
  const results = []
  for (let i = 0; i < 4; i++) results.push(await isAllowed(redis.client, 'ada', 3, 60))
  expect(results).toEqual([true, true, true, false])
  expect(await isAllowed(redis.client, 'bob', 3, 60)).toBe(true)

  redis.server.clock.advance(61_000)
  expect(await isAllowed(redis.client, 'ada', 3, 60)).toBe(true)
})

test('each test begins with an empty server', async () => {
  expect(await redis.client.dbsize()).toBe(0)
})
