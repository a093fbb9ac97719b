/**
 * node-redis with an embedded server, over RESP3: a cache, and a subscription on the same connection.
 *
 *   node examples/node-redis/cache.js
 */
import { createServer } from 'o7-is'
import { createClient } from 'redis'

const server = await createServer({ notifyKeyspaceEvents: 'Ex' })
const redis = await createClient({ url: server.url, RESP: 3 }).connect()

let loads = 0

/** Answers from the cache, else computes and keeps the answer for a minute. */
async function squareOf(number) {
  const key = `square:${number}`
  const held = await redis.get(key)
  if (held !== null) return Number(held)
  loads++
  const square = number * number
  await redis.set(key, square, { expiration: { type: 'EX', value: 60 } })
  return square
}

console.log('first:', await squareOf(12), '| second:', await squareOf(12), '| computed:', loads)

// With RESP3 messages arrive on the connection that sends commands.
const expired = new Promise((resolve) => redis.subscribe('__keyevent@0__:expired', resolve))
await redis.ping()
server.clock.advance(61_000)
console.log('expired:', await expired)
console.log('after a minute:', await squareOf(12), '| computed:', loads)

await redis.close()
await server.close()
