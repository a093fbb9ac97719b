/** Everyday use of ioredis, against the program and an embedded server; and redis-server, to know that it is right. */
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createServer, type EmbeddedServer } from '../../src/index.ts'
import { hasRedisServer, startServer } from '../support/redis-process.ts'

const clients: Redis[] = []

interface Options {
  db?: number
  connectionName?: string
  password?: string
  retryStrategy?: () => number
  maxRetriesPerRequest?: null
  autoResubscribe?: boolean
  protocol?: 2 | 3
}

function connect(port: number, options: Options = {}): Redis {
  const client = new Redis(port, '127.0.0.1', options)
  client.on('error', () => {})
  clients.push(client)
  return client
}

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})

interface Target {
  readonly port: number
  close(): Promise<unknown>
}

async function spawned(server: string): Promise<Target> {
  const process = await startServer({ server })
  return { port: process.port, close: () => process.stop() }
}

const kinds: Record<string, () => Promise<Target>> = {
  'the program': () => spawned('o7'),
  'an embedded server': () => createServer(),
  ...(hasRedisServer() ? { 'redis-server': () => spawned('redis') } : {}),
}

describe.each(Object.entries(kinds))('%s', (_name, start) => {
  let server: Target
  let redis: Redis

  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server.close())
  beforeEach(async () => {
    redis = connect(server.port)
    await redis.flushall()
  })

  test('is ready as far as ioredis can tell (INFO, persistence, loading)', async () => {
    await once(connect(server.port), 'ready')
    expect(await redis.ping()).toBe('PONG')
    expect(await redis.info('server')).toMatch(/^redis_version:7\.0\.15\r$/m)
  })

  test('strings, numbers, bytes, expiry', async () => {
    expect(await redis.set('user:1', 'Ada')).toBe('OK')
    expect(await redis.get('user:1')).toBe('Ada')
    expect(await redis.get('user:2')).toBe(null)
    expect(await redis.set('lock', 'me', 'PX', 60_000, 'NX')).toBe('OK')
    expect(await redis.set('lock', 'you', 'PX', 60_000, 'NX')).toBe(null)
    expect(await redis.pttl('lock')).toBeGreaterThan(50_000)
    expect(await redis.incrby('visits', 41)).toBe(41)
    expect(await redis.incr('visits')).toBe(42)
    expect(await redis.incrbyfloat('price', 1.5)).toBe('1.5')
    expect(await redis.mset({ a: '1', b: '2' })).toBe('OK')
    expect(await redis.mget('a', 'b', 'c')).toEqual(['1', '2', null])
    const bytes = Buffer.from([0, 255, 13, 10, 36])
    await redis.set(bytes, bytes)
    expect(await redis.getBuffer(bytes)).toEqual(bytes)
    expect(await redis.setbit('flags', 7, 1)).toBe(0)
    expect(await redis.bitcount('flags')).toBe(1)
    expect(await redis.expire('user:1', 100)).toBe(1)
    expect(await redis.ttl('user:1')).toBe(100)
    expect(await redis.persist('user:1')).toBe(1)
    expect(await redis.del('a', 'b', 'c')).toBe(2)
    expect(await redis.exists('a', 'user:1')).toBe(1)
    expect(await redis.type('user:1')).toBe('string')
    expect(await redis.rename('user:1', 'user:3')).toBe('OK')
    expect((await redis.keys('user:*')).sort()).toEqual(['user:3'])
  })

  test('errors reject with the text of Redis', async () => {
    await redis.set('text', 'abc')
    await expect(redis.incr('text')).rejects.toThrow('ERR value is not an integer or out of range')
    await expect(redis.call('NOPE', 'x')).rejects.toThrow("ERR unknown command 'NOPE', with args beginning with: 'x' ")
  })

  test('pipelines', async () => {
    const pipeline = redis.pipeline()
    for (let i = 0; i < 1000; i++) pipeline.set(`key:${i}`, `value:${i}`)
    for (let i = 0; i < 1000; i++) pipeline.get(`key:${i}`)
    pipeline.incr('key:0')
    const replies = (await pipeline.exec())!
    expect(replies).toHaveLength(2001)
    expect(replies.slice(0, 1000).every(([error, reply]) => error === null && reply === 'OK')).toBe(true)
    expect(replies.slice(1000, 2000).map(([, reply]) => reply)).toEqual(
      Array.from({ length: 1000 }, (_, i) => `value:${i}`),
    )
    expect(replies[2000]![0]?.message).toBe('ERR value is not an integer or out of range')
  })

  test('MULTI, EXEC, WATCH', async () => {
    expect(await redis.multi().set('n', 1).incr('n').get('n').exec()).toEqual([
      [null, 'OK'],
      [null, 2],
      [null, '2'],
    ])
    const other = connect(server.port)
    await redis.watch('n')
    await other.set('n', 10)
    expect(await redis.multi().incr('n').exec()).toBe(null)
    await redis.watch('n')
    expect(await redis.multi().incr('n').exec()).toEqual([[null, 11]])
  })

  test('publish and subscribe', async () => {
    const subscriber = connect(server.port)
    const messages: string[] = []
    const arrived = new Promise<void>((resolve) => {
      subscriber.on('message', (channel, message) => messages.push(`${channel}: ${message}`))
      subscriber.on('pmessage', (pattern, channel, message) => {
        messages.push(`${pattern} ${channel}: ${message}`)
        if (message === 'last') resolve()
      })
    })
    expect(await subscriber.subscribe('news', 'weather')).toBe(2)
    expect(await subscriber.psubscribe('n?ws')).toBe(3)
    expect(await redis.publish('news', 'hello')).toBe(2)
    expect(await redis.publish('other', 'nobody')).toBe(0)
    await redis.publish('news', 'last')
    await arrived
    expect(messages).toEqual(['news: hello', 'n?ws news: hello', 'news: last', 'n?ws news: last'])
    expect(await redis.pubsub('CHANNELS')).toEqual(expect.arrayContaining(['news', 'weather']))
    expect(await subscriber.unsubscribe('news', 'weather')).toBe(1)
    expect(await subscriber.punsubscribe('n?ws')).toBe(0)
    expect(await subscriber.get('free again')).toBe(null)
  })

  test('keyspace events', async () => {
    await redis.config('SET', 'notify-keyspace-events', 'Ex')
    const subscriber = connect(server.port)
    const expired = new Promise<string>((resolve) => subscriber.on('message', (_channel, key) => resolve(key)))
    await subscriber.subscribe('__keyevent@0__:expired')
    await redis.set('session', 'x', 'PX', 20)
    expect(await expired).toBe('session')
    await redis.config('SET', 'notify-keyspace-events', '')
  })

  test('scanStream meets every key once it has been around', async () => {
    const pipeline = redis.pipeline()
    for (let i = 0; i < 3000; i++) pipeline.set(`scan:${i}`, i)
    await pipeline.exec()
    const found = new Set<string>()
    for await (const keys of redis.scanStream({ match: 'scan:*', count: 100 })) {
      for (const key of keys as string[]) found.add(key)
    }
    expect(found.size).toBe(3000)
  })

  test('large values both ways', async () => {
    const value = Buffer.alloc(20 * 1024 * 1024)
    for (let i = 0; i < value.length; i += 4096) value.writeUInt32LE(i, i)
    await redis.set('large', value)
    const back = (await redis.getBuffer('large'))!
    expect(back.equals(value)).toBe(true)
    expect(await redis.strlen('large')).toBe(value.length)
  })

  test('many clients with many commands in parallel', async () => {
    const all = Array.from({ length: 50 }, () => connect(server.port))
    const replies = await Promise.all(
      all.flatMap((client) => Array.from({ length: 200 }, () => client.incr('counter'))),
    )
    expect(new Set(replies).size).toBe(10_000)
    expect(Math.max(...replies)).toBe(10_000)
    expect(await redis.get('counter')).toBe('10000')
  })

  test('databases, names and CLIENT', async () => {
    const named = connect(server.port, { db: 5, connectionName: 'worker-7' })
    await named.set('k', 'in 5')
    expect(await redis.get('k')).toBe(null)
    expect(await named.client('GETNAME')).toBe('worker-7')
    expect(await redis.client('LIST')).toMatch(/name=worker-7 .*db=5 /)
    await redis.client('SETNAME', 'me')
    expect(await redis.client('GETNAME')).toBe('me')
  })

  test('RESP3: messages arrive on the connection that sends commands', async () => {
    const resp3 = connect(server.port, { protocol: 3 })
    expect(await resp3.client('INFO')).toMatch(/ resp=3(?:\n|$| )/)
    const message = once(resp3, 'message')
    await resp3.subscribe('news')
    expect(await resp3.set('while', 'subscribed')).toBe('OK')
    expect(await redis.publish('news', 'hello')).toBe(1)
    expect(await message).toEqual(['news', 'hello'])
    expect(await resp3.get('while')).toBe('subscribed')
    expect(await resp3.get('none')).toBe(null)
    const config = await resp3.config('GET', 'maxclients')
    expect(config).toEqual(['maxclients', '10000'])
  })

  test('MONITOR', async () => {
    const monitor = await connect(server.port).monitor()
    const seen = new Promise<string[]>((resolve) => monitor.on('monitor', (_time, args) => resolve(args)))
    await redis.set('watched', 'x')
    expect(await seen).toEqual(['set', 'watched', 'x'])
    monitor.disconnect()
  })
})

describe('a server that goes away and comes back', () => {
  let server: EmbeddedServer

  afterEach(() => server.close())

  test('clients reconnect, and subscribe and select again', async () => {
    server = await createServer()
    const { port } = server
    const retryStrategy = () => 20
    const redis = connect(port, { retryStrategy, db: 3, maxRetriesPerRequest: null })
    const subscriber = connect(port, { retryStrategy, autoResubscribe: true })
    await redis.set('k', 'before')
    await subscriber.subscribe('news')
    await server.close()
    // Asked for while nobody is there: answered once somebody is.
    const pending = redis.get('k')
    const subscribed = once(subscriber, 'ready')
    server = await createServer({ port })
    expect(await pending).toBe(null)
    await subscribed
    expect(await redis.set('k', 'after')).toBe('OK')
    expect(await redis.client('LIST')).toMatch(/ db=3 .*cmd=client\|list/)
    const message = once(subscriber, 'message')
    while ((await redis.publish('news', 'hello again')) === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await message).toEqual(['news', 'hello again'])
  })

  test('a password is asked for and given', async () => {
    server = await createServer({ requirepass: 'secret' })
    await expect(connect(server.port).get('k')).rejects.toThrow('NOAUTH')
    const withPassword = connect(server.port, { password: 'secret' })
    expect(await withPassword.set('k', 'v')).toBe('OK')
    const byUrl = new Redis(server.url)
    clients.push(byUrl)
    expect(await byUrl.get('k')).toBe('v')
  })
})
