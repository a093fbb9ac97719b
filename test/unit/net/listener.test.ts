/**
 * Connections both ways: over native stream handles, and over net.Socket, which serves where handles cannot be used. What
 * clients see must be the same.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SystemClock } from '../../../src/base/clock.ts'
import { Random } from '../../../src/base/random.ts'
import { Engine } from '../../../src/engine/engine.ts'
import { Listener } from '../../../src/net/listener.ts'
import { builtInCommands } from '../../../src/server/built-in-commands.ts'
import { encodeCommand, RespClient } from '../../support/resp-client.ts'

const MIB = 1024 * 1024

async function until(condition: () => boolean, what: string): Promise<void> {
  const startedMs = Date.now()
  while (!condition()) {
    if (Date.now() - startedMs > 20_000) throw new Error(`it never came to this: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

describe.each([
  ['stream handles', false],
  ['net.Socket', true],
])('over %s', (_name, documentedOnly) => {
  let engine: Engine
  let listener: Listener
  let port: number

  beforeEach(async () => {
    engine = new Engine({
      clock: new SystemClock(),
      random: Random.fromSeed(1),
      databases: 16,
      commands: builtInCommands(null),
    })
    listener = new Listener(engine, { backlog: 511, keepaliveSeconds: 300, protectedMode: true, documentedOnly })
    port = await listener.listenTcp('127.0.0.1', 0, false)
  })

  afterEach(async () => {
    listener.closeConnections(true)
    await listener.stopListening()
  })

  test('is what was asked for', () => {
    expect(listener.isFast).toBe(!documentedOnly)
  })

  test.skipIf(documentedOnly)('it is known how much of a long reply has gone', async () => {
    const client = await RespClient.connect({ port })
    await client.call('SET', 'big', 'x'.repeat(32 * MIB))
    const socket = connect(port, '127.0.0.1')
    socket.pause()
    socket.write('GET big\r\n')
    const sink = () => [...engine.sessions.values()].at(-1)!.sink!
    await until(() => sink().queuedBytes > 0, 'the reply is under way')
    const before = sink().untakenBytes!
    expect(before).toBeLessThan(32 * MIB)
    let received = 0
    socket.on('data', (bytes) => {
      received += bytes.length
      if (received > 8 * MIB) socket.pause()
    })
    socket.resume()
    await until(() => sink().untakenBytes! < before, 'some of it was taken')
    expect(sink().queuedBytes).toBeGreaterThan(32 * MIB)
    socket.destroy()
    await client.close()
  })

  test('pipelines are answered in order, in whatever pieces they come', async () => {
    const client = await RespClient.connect({ port })
    const requests = Buffer.concat(
      Array.from({ length: 300 }, (_, i) =>
        encodeCommand(i % 2 === 0 ? ['SET', `k${i}`, `v${i}`] : ['GET', `k${i - 1}`]),
      ),
    )
    for (let at = 0; at < requests.length; ) {
      const length = 1 + ((at * 7919) % 200)
      client.write(requests.subarray(at, at + length))
      at += length
      if (at % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const replies = await client.readMany(300)
    expect(replies.map(String)).toEqual(
      Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? '+OK\r\n' : `$${`v${i - 1}`.length}\r\nv${i - 1}\r\n`)),
    )
    await client.close()
    await until(() => engine.sessions.size === 0, 'no sessions')
  })

  test('short and long replies of one client keep their order, and none is left behind', async () => {
    const client = await RespClient.connect({ port })
    const long = 'x'.repeat(10_000)
    await client.call('SET', 'long', long)
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
    })
    let expected = ''
    for (let i = 0; i < 200; i++) {
      const isLong = i % 3 === 1
      expected += isLong ? `$${long.length}\r\n${long}\r\n` : `$${String(i).length}\r\n${i}\r\n`
      socket.write(encodeCommand(isLong ? ['GET', 'long'] : ['ECHO', String(i)]))
      // Others are served in the same turn.
      if (i % 7 === 0) expect(await client.query('ECHO', `${i}`)).toBe(`${i}`)
    }
    await until(() => received.length >= expected.length, 'all replies are there')
    expect(received).toBe(expected)
    socket.destroy()
    await client.close()
  })

  test('large values go in and come out whole, other clients meanwhile too', async () => {
    const value = Buffer.alloc(24 * MIB)
    for (let i = 0; i < value.length; i += 997) value[i] = i % 251
    const client = await RespClient.connect({ port })
    const other = await RespClient.connect({ port })
    const setting = client.call('SET', 'large', value)
    for (let i = 0; i < 20; i++) expect((await other.call('PING')).toString()).toBe('+PONG\r\n')
    expect((await setting).toString()).toBe('+OK\r\n')
    const reply = await client.call('GET', 'large')
    expect(reply.length).toBe(value.length + `$${value.length}\r\n\r\n`.length)
    expect(reply.subarray(reply.indexOf(10) + 1, -2).equals(value)).toBe(true)
    await Promise.all([client.close(), other.close()])
  })

  test('a client that does not read costs nobody else anything, and gets all of it when it reads', async () => {
    const value = Buffer.alloc(2 * MIB, 'x')
    const client = await RespClient.connect({ port })
    const other = await RespClient.connect({ port })
    await other.call('SET', 'large', value)
    client.pause()
    for (let i = 0; i < 20; i++) client.send('GET', 'large')
    client.send('PING')
    await until(() => [...engine.sessions.values()].some(({ sink }) => sink!.queuedBytes > MIB), 'output is queued')
    expect((await other.call('PING')).toString()).toBe('+PONG\r\n')
    client.resume()
    const replies = await client.readMany(21)
    for (const reply of replies.slice(0, 20)) expect(reply.length).toBe(value.length + '$2097152\r\n\r\n'.length)
    expect(replies[20]!.toString()).toBe('+PONG\r\n')
    expect([...engine.sessions.values()].every(({ sink }) => sink!.queuedBytes === 0)).toBe(true)
    await Promise.all([client.close(), other.close()])
  })

  test('clients that go in the middle of a request or a reply leave nothing behind', async () => {
    const keeper = await RespClient.connect({ port })
    await keeper.call('SET', 'large', Buffer.alloc(4 * MIB, 'x'))
    const sockets = Array.from({ length: 30 }, () => connect(port, '127.0.0.1'))
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    for (const [index, socket] of sockets.entries()) {
      socket.on('error', () => {})
      socket.write(
        index % 2 === 0
          ? '*3\r\n$3\r\nSET\r\n$5\r\nab'
          : Buffer.concat(Array(10).fill(encodeCommand(['GET', 'large']))),
      )
    }
    await until(() => engine.sessions.size === 31, 'all are connected')
    for (const [index, socket] of sockets.entries()) index % 3 === 0 ? socket.resetAndDestroy() : socket.destroy()
    await until(() => engine.sessions.size === 1, 'all are gone')
    expect(listener.connectionCount).toBe(1)
    expect((await keeper.call('PING')).toString()).toBe('+PONG\r\n')
    await keeper.close()
  })

  test('after a protocol error the reply comes, then the end', async () => {
    const client = await RespClient.connect({ port })
    client.write('*1\r\n$4\r\nPING\r\n*x\r\n')
    expect((await client.readToEnd()).toString()).toBe('+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n')
    await until(() => engine.sessions.size === 0, 'no sessions')
  })

  test('QUIT behind a long reply: all of it arrives before the end', async () => {
    const client = await RespClient.connect({ port })
    await client.call('SET', 'large', Buffer.alloc(8 * MIB, 'x'))
    client.send('GET', 'large')
    client.send('QUIT')
    const rest = await client.readToEnd()
    expect(rest.length).toBe(8 * MIB + '$8388608\r\n\r\n+OK\r\n'.length)
    expect(rest.subarray(-5).toString()).toBe('+OK\r\n')
  })

  test('who has sent all and closes its side still gets the answers', async () => {
    const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    const ended = new Promise((resolve) => socket.on('end', resolve))
    socket.write(Buffer.concat([encodeCommand(['SET', 'k', 'v']), encodeCommand(['GET', 'k'])]))
    await until(() => chunks.length > 0, 'answers')
    socket.end()
    await ended
    expect(Buffer.concat(chunks).toString()).toBe('+OK\r\n$1\r\nv\r\n')
    await until(() => engine.sessions.size === 0, 'no sessions')
  })

  test('above maxclients the connection is told so and ends', async () => {
    engine.settings.clientsMax = 2
    const clients = await Promise.all([RespClient.connect({ port }), RespClient.connect({ port })])
    for (const client of clients) await client.call('PING')
    const third = await RespClient.connect({ port })
    expect((await third.readToEnd()).toString()).toBe('-ERR max number of clients reached\r\n')
    await Promise.all(clients.map((client) => client.close()))
  })

  test('addresses are those of the connection', async () => {
    const client = await RespClient.connect({ port })
    await client.call('PING')
    const [session] = engine.sessions.values()
    expect(session!.address).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(session!.localAddress).toBe(`127.0.0.1:${port}`)
    await client.close()
  })

  test.skipIf(process.platform === 'win32')('unix sockets', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'o7-net-'))
    try {
      const path = join(dir, 'redis.sock')
      await listener.listenUnix(path, 0o700)
      const client = await RespClient.connect({ path })
      expect((await client.call('PING')).toString()).toBe('+PONG\r\n')
      expect([...engine.sessions.values()][0]!.address).toBe(`${path}:0`)
      await client.close()
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  test('closing ends all connections at once', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => RespClient.connect({ port })))
    for (const client of clients) await client.call('PING')
    listener.closeConnections(true)
    await Promise.all(clients.map((client) => client.readToEnd()))
    expect([engine.sessions.size, listener.connectionCount]).toEqual([0, 0])
  })
})
