/**
 * ioredis with an embedded server: a pipeline, a transaction, messages.
 *
 *   node examples/ioredis/queue.js
 */
import { Redis } from 'ioredis'
import { createServer } from 'o7-is'

const server = await createServer()
const redis = new Redis(server.url)
const listener = new Redis(server.url)

// Everything in one round trip.
const pipeline = redis.pipeline()
for (let i = 1; i <= 1000; i++) pipeline.set(`job:${i}`, `payload ${i}`, 'EX', 3600)
await pipeline.exec()
console.log('keys:', await redis.dbsize())

// All or nothing.
const [[, taken], [, done]] = await redis.multi().getdel('job:1').incr('jobs:done').exec()
console.log('taken:', taken, '| done:', done)

// Messages.
const message = new Promise((resolve) => listener.on('message', (channel, text) => resolve(`${channel}: ${text}`)))
await listener.subscribe('jobs')
await redis.publish('jobs', 'job 1 is done')
console.log('heard:', await message)

// An hour passes at once.
server.clock.advance(3_600_001)
console.log('job 2 after an hour:', await redis.get('job:2'))

redis.disconnect()
listener.disconnect()
await server.close()
