/**
 * The setup to copy: a server and a client for each test file, empty before each test.
 *
 *   const redis = useRedis()
 *   test('...', async () => {
 *     await redis.client.set('key', 'value')
 *     redis.server.clock.advance(1000)
 *   })
 */
import { createServer } from 'o7-is'
import { createClient } from 'redis'
import { afterAll, beforeAll, beforeEach } from 'vitest'

export function useRedis(options) {
  const held = {}
  beforeAll(async () => {
    held.server = await createServer(options)
    held.client = await createClient({ url: held.server.url }).connect()
  })
  beforeEach(() => held.server.execute('FLUSHALL'))
  afterAll(async () => {
    await held.client?.close()
    await held.server?.close()
  })
  return held
}
