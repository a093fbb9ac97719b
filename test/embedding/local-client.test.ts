/** In-process clients: replies, messages and waiting as over a socket, in the order in which they were asked for. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createServer, type EmbeddedServer, ManualClock, ReplyError, type ReplyValue } from '../../src/index.ts'

let server: EmbeddedServer

beforeEach(async () => {
  server = await createServer({ listen: false, clock: new ManualClock() })
})

afterEach(() => server.close())

/** After whatever is under way and what follows from it. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('subscriptions', () => {
  test('SUBSCRIBE resolves to how many there are, messages go to onPush', async () => {
    const messages: ReplyValue[] = []
    const client = server.connect({ onPush: (message) => messages.push(message) })
    expect(await client.execute('SUBSCRIBE', 'news', 'weather')).toBe(2)
    expect(await client.execute('PSUBSCRIBE', 'n*')).toBe(3)
    expect(await server.execute('PUBLISH', 'news', 'first')).toBe(2)
    expect(await client.execute('UNSUBSCRIBE', 'news')).toBe(2)
    expect(await server.execute('PUBLISH', 'news', 'second')).toBe(1)
    expect(await client.execute('UNSUBSCRIBE')).toBe(1)
    expect(await client.execute('PUNSUBSCRIBE')).toBe(0)
    expect(await client.execute('UNSUBSCRIBE')).toBe(0)
    await settled()
    expect(messages).toEqual([
      ['message', 'news', 'first'],
      ['pmessage', 'n*', 'news', 'first'],
      ['pmessage', 'n*', 'news', 'second'],
    ])
  })

  test('replies keep to their requests between subscriptions and messages', async () => {
    const client = server.connect({ onPush: () => {} })
    const replies = await Promise.all([
      client.execute('PING', '1'),
      client.execute('SUBSCRIBE', 'a', 'b', 'c'),
      client.execute('PUBLISH', 'a', 'x'),
      client.execute('UNSUBSCRIBE'),
      client.execute('PING', '2'),
      client.execute('SSUBSCRIBE', 's'),
      client.execute('PING', '3'),
    ])
    expect(replies).toEqual(['1', 3, 1, 0, '2', 1, '3'])
  })

  test('a listener may send requests', async () => {
    const seen: ReplyValue[] = []
    const client = server.connect({
      onPush(message) {
        const [, , text] = message as readonly string[]
        client.execute('APPEND', 'log', text!).then((length) => seen.push(length))
      },
    })
    await client.execute('SUBSCRIBE', 'news')
    const publishing = Array.from({ length: 10 }, (_, i) => server.execute('PUBLISH', 'news', i))
    expect(await Promise.all(publishing)).toEqual(Array.from({ length: 10 }, () => 1))
    await settled()
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(await server.execute('GET', 'log')).toBe('0123456789')
  })

  test('key events arrive, those of expiry as soon as the clock has been moved', async () => {
    await server.execute('CONFIG', 'SET', 'notify-keyspace-events', 'Ex$')
    const messages: ReplyValue[] = []
    const client = server.connect({ onPush: (message) => messages.push(message) })
    await client.execute('PSUBSCRIBE', '__keyevent@0__:*')
    await server.execute('SET', 'session', 'x', 'EX', 60)
    server.clock.advance(61_000)
    await settled()
    expect(messages).toEqual([
      ['pmessage', '__keyevent@0__:*', '__keyevent@0__:set', 'session'],
      ['pmessage', '__keyevent@0__:*', '__keyevent@0__:expired', 'session'],
    ])
  })
})

describe('transactions', () => {
  test('MULTI and EXEC; errors within are values', async () => {
    const client = server.connect()
    await client.execute('SET', 'text', 'abc')
    expect(await client.execute('MULTI')).toBe('OK')
    expect(await client.execute('INCR', 'n')).toBe('QUEUED')
    expect(await client.execute('INCR', 'text')).toBe('QUEUED')
    const replies = await client.execute<readonly ReplyValue[]>('EXEC')
    expect(replies[0]).toBe(1)
    expect(replies[1]).toBeInstanceOf(ReplyError)
    expect(replies[1]).toMatchObject({ code: 'ERR' })
  })

  test('WATCH sees what others change', async () => {
    const client = server.connect()
    await client.execute('WATCH', 'stock')
    await server.execute('SET', 'stock', 5)
    await client.execute('MULTI')
    await client.execute('SET', 'stock', 4)
    expect(await client.execute('EXEC')).toBe(null)
    expect(await server.execute('GET', 'stock')).toBe('5')
  })

  test('sessions are apart: SELECT, MULTI and names of one are not those of another', async () => {
    const client = server.connect()
    await client.execute('SELECT', 3)
    await client.execute('CLIENT', 'SETNAME', 'worker')
    await client.execute('MULTI')
    expect(await server.execute('SET', 'k', 'v')).toBe('OK')
    expect(await server.execute('CLIENT', 'GETNAME')).toBe(null)
    expect(await client.execute('GET', 'k')).toBe('QUEUED')
    expect(await client.execute('EXEC')).toEqual([null])
  })
})

describe('without a reply', () => {
  test('CLIENT REPLY OFF: every call resolves to null, nothing hangs', async () => {
    const client = server.connect()
    expect(await client.execute('CLIENT', 'REPLY', 'OFF')).toBe(null)
    expect(await client.execute('SET', 'k', 'v')).toBe(null)
    expect(await client.execute('CLIENT', 'REPLY', 'ON')).toBe('OK')
    expect(await client.execute('GET', 'k')).toBe('v')
  })

  test('RESP2 by HELLO, and back', async () => {
    const messages: ReplyValue[] = []
    const client = server.connect({ onPush: (message) => messages.push(message) })
    await client.execute('HELLO', 2)
    expect(await client.execute('GET', 'none')).toBe(null)
    await client.execute('SUBSCRIBE', 'news')
    await server.execute('PUBLISH', 'news', 'x')
    await settled()
    expect(messages).toEqual([['message', 'news', 'x']])
    await client.execute('UNSUBSCRIBE')
    await client.execute('HELLO', 3)
    expect(await client.execute('CONFIG', 'GET', 'port')).toEqual(new Map([['port', '0']]))
  })
})

describe('waiting', () => {
  test('requests behind one that waits keep their order', async () => {
    const client = server.connect()
    await server.execute('CLIENT', 'PAUSE', 10_000)
    const replies: ReplyValue[] = []
    const all = ['a', 'b', 'c'].map((word) => client.execute('ECHO', word).then((reply) => replies.push(reply)))
    await settled()
    expect(replies).toEqual([])
    server.clock.advance(10_001)
    await Promise.all(all)
    expect(replies).toEqual(['a', 'b', 'c'])
  })

  test('a client that is closed rejects its own calls only', async () => {
    const client = server.connect()
    await server.execute('CLIENT', 'PAUSE', 10_000)
    const waiting = client.execute('PING')
    const other = server.execute('PING')
    client.close()
    client.close()
    await expect(waiting).rejects.toMatchObject({ code: 'O7_CLOSED', message: 'the client is closed' })
    await expect(client.execute('PING')).rejects.toMatchObject({ code: 'O7_CLOSED' })
    server.clock.advance(10_001)
    expect(await other).toBe('PONG')
    expect(client.isClosed).toBe(true)
  })

  test('CLIENT KILL ends it', async () => {
    const client = server.connect()
    const id = await client.execute<number>('CLIENT', 'ID')
    expect(await server.execute('CLIENT', 'KILL', 'ID', id)).toBe(1)
    expect(client.isClosed).toBe(true)
    await expect(client.execute('PING')).rejects.toMatchObject({ code: 'O7_CLOSED', message: 'the client is closed' })
  })
})

describe('replies that wait for the append-only file', () => {
  let dir: string

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'o7-local-'))
  })

  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  test.each(['always', 'everysec', 'no'] as const)(
    'belong to their requests with appendfsync %s',
    async (appendfsync) => {
      await using appending = await createServer({ listen: false, dir, appendonly: true, appendfsync })
      expect(await appending.execute('SET', 'n', 1)).toBe('OK')
      expect(await appending.execute('GET', 'n')).toBe('1')
      expect(await Promise.all([2, 3, 4].map(() => appending.execute('INCR', 'n')))).toEqual([2, 3, 4])
      await expect(appending.execute('LPUSH', 'n', 'x')).rejects.toMatchObject({ code: 'WRONGTYPE' })

      const messages: ReplyValue[] = []
      const client = appending.connect({ onPush: (message) => messages.push(message) })
      await appending.execute('CONFIG', 'SET', 'notify-keyspace-events', 'E$')
      const replies = [
        client.execute('SET', 'a', 1),
        client.execute('SUBSCRIBE', '__keyevent@0__:set'),
        client.execute('APPEND', 'a', 'bc'),
        client.execute('SET', 'a', 2),
        client.execute('BLPOP', 'list', 0),
        client.execute('GET', 'a'),
      ]
      expect(await Promise.all(replies.slice(0, 4))).toEqual(['OK', 1, 3, 'OK'])
      expect(await appending.execute('RPUSH', 'list', 'x')).toBe(1)
      expect(await Promise.all(replies.slice(4))).toEqual([['list', 'x'], '2'])
      await settled()
      expect(messages).toEqual([['message', '__keyevent@0__:set', 'a']])
      await client.execute('UNSUBSCRIBE')
      expect(await client.execute('CLIENT', 'REPLY', 'OFF')).toBe(null)
      expect(await client.execute('SET', 'a', 3)).toBe(null)
      expect(await client.execute('CLIENT', 'REPLY', 'ON')).toBe('OK')
    },
  )

  test('are rejections if the server is closed before', async () => {
    const appending = await createServer({ listen: false, dir, appendonly: true, appendfsync: 'always' })
    const client = appending.connect()
    const calls = [client.execute('SET', 'k', 1), client.execute('SET', 'k', 2)]
    const settling = Promise.allSettled(calls)
    await appending.close()
    for (const call of await settling) {
      if (call.status === 'rejected') expect(call.reason).toMatchObject({ code: 'O7_CLOSED' })
      else expect(call.value).toBe('OK')
    }
  })
})

test('large values and many replies in one go', async () => {
  const value = Buffer.alloc(3 * 1024 * 1024, 'x')
  const client = server.connect({ buffers: true })
  await client.execute('SET', 'large', value)
  expect(value.equals(await client.execute<Buffer>('GET', 'large'))).toBe(true)
  await client.execute('MULTI')
  for (let i = 0; i < 4; i++) await client.execute('GET', 'large')
  expect((await client.execute<readonly Buffer[]>('EXEC')).map(({ length }) => length)).toEqual(
    Array.from({ length: 4 }, () => value.length),
  )
})
