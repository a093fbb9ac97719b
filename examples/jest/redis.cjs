/**
 * The setup to copy: a server and a client for each test file, empty before each test.
 *
 *   const redis = useRedis()
 *   test('...', async () => {
 *     await redis.client.set('key', 'value')
 *     redis.server.clock.advance(1000)
 *   })
 */
const { createServer } = require('o7-is')
const { Redis } = require('ioredis')

exports.useRedis = function useRedis(options) {
  const held = {}
  beforeAll(async () => {
    held.server = await createServer(options)
    held.client = new Redis(held.server.url)
  })
  beforeEach(() => held.server.execute('FLUSHALL'))
  afterAll(async () => {
    held.client?.disconnect()
    await held.server?.close()
  })
  return held
}
