/** Everyday use of node-redis with RESP2 and RESP3; and redis-server, to know that it is right. */
import { createClient, ErrorReply, RESP_TYPES, WatchError } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createServer, type EmbeddedServer } from '../../src/index.ts'
import { hasRedisServer, startServer } from '../support/redis-process.ts'

const opened: { readonly isOpen: boolean; destroy(): void }[] = []

interface Options {
  readonly database?: number
  readonly name?: string
  readonly password?: string
}

async function connect(port: number, RESP: 2 | 3, options: Options = {}) {
  const client = createClient({
    ...options,
    RESP,
    socket: { port, host: '127.0.0.1', reconnectStrategy: 20 },
  })
  client.on('error', () => {})
  opened.push(client)
  await client.connect()
  return client
}

type Client = Awaited<ReturnType<typeof connect>>

afterEach(() => {
  for (const client of opened.splice(0)) if (client.isOpen) client.destroy()
})

interface Target {
  readonly port: number
  close(): Promise<unknown>
}

async function spawned(server: string): Promise<Target> {
  const process = await startServer({ server })
  return { port: process.port, close: () => process.stop() }
}

const kinds: (readonly [name: string, start: () => Promise<Target>])[] = [
  ['the program', () => spawned('o7')],
  ['an embedded server', () => createServer()],
]
if (hasRedisServer()) kinds.push(['redis-server', () => spawned('redis')])

const cases = kinds.flatMap(([name, start]) => ([2, 3] as const).map((protocol) => ({ name, start, protocol })))

describe.each(cases)('$name, RESP$protocol', ({ start, protocol }) => {
  let server: Target
  let redis: Client

  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server.close())
  beforeEach(async () => {
    redis = await connect(server.port, protocol)
    await redis.flushAll()
  })

  test('strings, numbers, bytes, expiry', async () => {
    expect(await redis.set('user:1', 'Ada', { expiration: { type: 'EX', value: 100 } })).toBe('OK')
    expect(await redis.get('user:1')).toBe('Ada')
    expect(await redis.ttl('user:1')).toBeGreaterThan(90)
    expect(await redis.set('user:1', 'Bob', { condition: 'NX' })).toBe(null)
    expect(await redis.set('user:1', 'Bob', { GET: true })).toBe('Ada')
    expect(await redis.ttl('user:1')).toBe(-1)
    expect(await redis.incrBy('visits', 42)).toBe(42)
    expect(await redis.incrByFloat('price', 0.1)).toBe('0.1')
    expect(await redis.mSet({ a: '1', b: '2' })).toBe('OK')
    expect(await redis.mGet(['a', 'b', 'c'])).toEqual(['1', '2', null])
    const bytes = Buffer.from([0, 255, 13, 10, 36])
    await redis.set('bytes', bytes)
    const raw = redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    expect(await raw.get('bytes')).toEqual(bytes)
    expect(await redis.getRange('user:1', 0, 1)).toBe('Bo')
    expect(await redis.setBit('flags', 3, 1)).toBe(0)
    expect(await redis.bitCount('flags')).toBe(1)
    expect(await redis.del(['a', 'b', 'c'])).toBe(2)
    expect(await redis.exists('a')).toBe(0)
    expect(await redis.type('user:1')).toBe('string')
    expect(await redis.copy('user:1', 'user:2')).toBe(1)
    expect((await redis.keys('user:*')).sort()).toEqual(['user:1', 'user:2'])
  })

  test('errors reject with the text of Redis', async () => {
    await redis.set('text', 'abc')
    const error = await redis.incr('text').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ErrorReply)
    expect((error as Error).message).toBe('ERR value is not an integer or out of range')
  })

  test('maps of CONFIG GET come as objects in both protocols', async () => {
    const settings = await redis.configGet('slowlog-*')
    expect({ ...settings }).toEqual({ 'slowlog-log-slower-than': '10000', 'slowlog-max-len': '128' })
    expect(await redis.configSet('slowlog-max-len', '64')).toBe('OK')
    expect({ ...(await redis.configGet('slowlog-max-len')) }).toEqual({ 'slowlog-max-len': '64' })
    await redis.configSet('slowlog-max-len', '128')
  })

  test('commands sent together are pipelined and answered in order', async () => {
    const replies = await Promise.all(Array.from({ length: 2000 }, () => redis.incr('n')))
    expect(replies).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1))
  })

  test('MULTI, EXEC, WATCH', async () => {
    expect(await redis.multi().set('n', '1').incr('n').get('n').exec()).toEqual(['OK', 2, '2'])
    const other = await connect(server.port, protocol)
    await redis.watch('n')
    await other.set('n', '10')
    await expect(redis.multi().incr('n').exec()).rejects.toBeInstanceOf(WatchError)
    await redis.watch('n')
    expect(await redis.multi().incr('n').exec()).toEqual([11])
  })

  test('publish and subscribe; with RESP3 on a connection that goes on with commands', async () => {
    const subscriber = await connect(server.port, protocol)
    const messages: string[] = []
    let last: () => void = () => {}
    const arrived = new Promise<void>((resolve) => (last = resolve))
    await subscriber.subscribe(['news', 'weather'], (message, channel) => messages.push(`${channel}: ${message}`))
    await subscriber.pSubscribe('n?ws', (message, channel) => {
      messages.push(`n?ws ${channel}: ${message}`)
      if (message === 'last') last()
    })
    if (protocol === 3) expect(await subscriber.set('while', 'subscribed')).toBe('OK')
    expect(await redis.publish('news', 'hello')).toBe(2)
    expect(await redis.publish('other', 'nobody')).toBe(0)
    await redis.publish('news', 'last')
    await arrived
    expect(messages).toEqual(['news: hello', 'n?ws news: hello', 'news: last', 'n?ws news: last'])
    await subscriber.unsubscribe()
    await subscriber.pUnsubscribe()
    expect(await subscriber.get('free again')).toBe(null)
  })

  test('sharded publish and subscribe', async () => {
    const subscriber = await connect(server.port, protocol)
    const message = new Promise<string>((resolve) => {
      subscriber.sSubscribe('orders', (text) => resolve(text))
    })
    while ((await redis.sPublish('orders', 'first')) === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await message).toBe('first')
  })

  test('keyspace events', async () => {
    await redis.configSet('notify-keyspace-events', 'Kx')
    const subscriber = await connect(server.port, protocol)
    const expired = new Promise<string>((resolve) => {
      subscriber.pSubscribe('__keyspace@0__:*', (event, channel) => resolve(`${channel} ${event}`))
    })
    await subscriber.ping()
    await redis.set('session', 'x', { expiration: { type: 'PX', value: 20 } })
    expect(await expired).toBe('__keyspace@0__:session expired')
    await redis.configSet('notify-keyspace-events', '')
  })

  test('scanIterator meets every key', async () => {
    await Promise.all(Array.from({ length: 3000 }, (_, i) => redis.set(`scan:${i}`, String(i))))
    const found = new Set<string>()
    for await (const keys of redis.scanIterator({ MATCH: 'scan:*', COUNT: 100 })) {
      for (const key of keys) found.add(key)
    }
    expect(found.size).toBe(3000)
  })

  test('large values both ways', async () => {
    const value = Buffer.alloc(10 * 1024 * 1024)
    for (let i = 0; i < value.length; i += 4096) value.writeUInt32LE(i, i)
    await redis.set('large', value)
    const raw = redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    expect(value.equals((await raw.get('large'))!)).toBe(true)
  })

  test('many clients in parallel', async () => {
    const all = await Promise.all(Array.from({ length: 30 }, () => connect(server.port, protocol)))
    const replies = await Promise.all(
      all.flatMap((client) => Array.from({ length: 100 }, () => client.incr('counter'))),
    )
    expect(new Set(replies).size).toBe(3000)
    expect(await redis.get('counter')).toBe('3000')
  })

  test('databases, names and CLIENT', async () => {
    const named = await connect(server.port, protocol, { database: 5, name: 'worker-7' })
    await named.set('k', 'in 5')
    expect(await redis.get('k')).toBe(null)
    expect(await named.clientGetName()).toBe('worker-7')
    const info = await named.clientInfo()
    expect(info).toMatchObject({ name: 'worker-7', db: 5, resp: protocol })
    const all = await redis.clientList()
    expect(all.some(({ name, db }) => name === 'worker-7' && db === 5)).toBe(true)
    const id = await named.clientId()
    expect(await redis.clientKill({ filter: 'ID', id })).toBe(1)
  })

  test('INFO, TIME, DBSIZE, OBJECT ENCODING', async () => {
    expect(await redis.info('server')).toMatch(/redis_version:7\.0\.15/)
    expect(Math.abs(Number((await redis.time())[0]) - Date.now() / 1000)).toBeLessThan(5)
    await redis.set('n', '42')
    expect(await redis.dbSize()).toBe(1)
    expect(await redis.objectEncoding('n')).toBe('int')
    expect(await redis.sendCommand(['ECHO', 'raw'])).toBe('raw')
  })
})

describe.each([2, 3] as const)('a server that goes away and comes back, RESP%d', (protocol) => {
  let server: EmbeddedServer

  afterEach(() => server.close())

  test('clients reconnect, subscribe and select again', async () => {
    server = await createServer()
    const { port } = server
    const redis = await connect(port, protocol, { database: 3 })
    const subscriber = await connect(port, protocol)
    const messages: string[] = []
    await subscriber.subscribe('news', (message) => messages.push(message))
    await redis.set('k', 'before')
    const gone = new Promise((resolve) => redis.once('reconnecting', resolve))
    await server.close()
    await gone
    const pending = redis.get('k')
    server = await createServer({ port })
    expect(await pending).toBe(null)
    expect((await redis.clientInfo()).db).toBe(3)
    while ((await redis.publish('news', 'again')) === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await subscriber.unsubscribe()
    expect(messages).toContain('again')
  })

  test('a password is asked for and given, by URL as well', async () => {
    server = await createServer({ requirepass: 'secret' })
    await expect((await connect(server.port, 2)).get('k')).rejects.toThrow('NOAUTH')
    const redis = await connect(server.port, protocol, { password: 'secret' })
    expect(await redis.set('k', 'v')).toBe('OK')
    const byUrl = createClient({ url: server.url, RESP: protocol })
    opened.push(byUrl)
    await byUrl.connect()
    expect(await byUrl.get('k')).toBe('v')
  })
})
