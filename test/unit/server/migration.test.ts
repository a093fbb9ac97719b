/** What MIGRATE propagates, how it is seen to while it goes on, and how long connections are kept: on a moved clock. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { genericCommands } from '../../../src/commands/generic/index.ts'
import type { Command } from '../../../src/engine/command.ts'
import { migrateCommands } from '../../../src/server/commands/migrate.ts'
import { Migration } from '../../../src/server/migration.ts'
import { TestClient } from '../../support/engine.ts'
import { createTestPersistence, type TestPersistence } from '../../support/persistence.ts'

describe('MIGRATE', () => {
  let target: Server
  let port: number
  const sockets: Socket[] = []
  /** What the target answers to each batch of input, and what it was sent. */
  let answer: string
  let received: string
  let source: TestPersistence
  let migration: Migration

  beforeEach(async () => {
    answer = '+OK\r\n+OK\r\n'
    received = ''
    target = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1')
        socket.write(answer)
      })
    })
    target.listen(0, '127.0.0.1')
    await once(target, 'listening')
    port = (target.address() as AddressInfo).port
    const host = {
      get migration(): Migration {
        return migration
      },
    }
    const commands: readonly Command[] = [...migrateCommands(host), ...genericCommands]
    source = createTestPersistence({ commands })
    migration = new Migration(source.engine, () => source.persistence)
  })

  afterEach(async () => {
    migration.close()
    for (const socket of sockets.splice(0)) socket.destroy()
    target.close()
    await once(target, 'close')
  })

  /** Asks and waits for the answer. */
  async function migrate(key: string, ...options: (string | number)[]): Promise<string> {
    const { client } = source
    let reply = client.send('MIGRATE', '127.0.0.1', port, key, 0, 5000, ...options)
    while (reply === '') {
      await new Promise((resolve) => setImmediate(resolve))
      reply = client.sink.take()
    }
    return reply
  }

  test('is propagated as DEL of what was moved', async () => {
    const { client, effects } = source
    client.send('MSET', 'a', '1', 'b', '2', 'c', '3')
    effects.length = 0
    answer = '+OK\r\n+OK\r\n-BUSYKEY no\r\n+OK\r\n'
    expect(await migrate('', 'KEYS', 'a', 'b', 'nothing', 'c')).toBe(
      '-ERR Target instance replied with error: BUSYKEY no\r\n',
    )
    expect(effects).toEqual(['0:DEL a c'])
    answer = '+OK\r\n+OK\r\n'
    expect(await migrate('b', 'COPY')).toBe('+OK\r\n')
    answer = '-no\r\n'
    expect(await migrate('b')).toBe('-ERR Target instance replied with error: no\r\n')
    expect(await migrate('a')).toBe('+NOKEY\r\n')
    expect(effects).toEqual(['0:DEL a c'])
  })

  test('the others wait, expiry too, and go on when it is over', async () => {
    const { client, engine, clock, effects } = source
    const other = new TestClient(engine)
    client.send('SET', 'k', 'v')
    client.send('SET', 'brief', 'v', 'PX', '10')
    answer = ''
    effects.length = 0
    client.send('MIGRATE', '127.0.0.1', port, 'k', 0, 5000)
    while (received === '') await new Promise((resolve) => setImmediate(resolve))
    clock.advance(20)
    expect(other.send('SET', 'k', 'changed')).toBe('')
    expect(effects).toEqual([])
    sockets[0]!.write('+OK\r\n+OK\r\n')
    let reply = ''
    while (reply === '') {
      await new Promise((resolve) => setImmediate(resolve))
      reply = other.sink.take()
    }
    expect(reply).toBe('+OK\r\n')
    expect(client.sink.take()).toBe('+OK\r\n')
    expect(effects).toEqual(['0:DEL k', '0:SET k changed'])
    expect(client.send('GET', 'brief')).toBe('$-1\r\n')
    expect(effects.slice(2)).toEqual(['0:DEL brief'])
  })

  test('who connects holds nobody up, and sends what is there then', async () => {
    const { client, engine } = source
    const other = new TestClient(engine)
    client.send('MSET', 'k', 'old', 'gone', '1')
    client.send('MIGRATE', '127.0.0.1', port, '', 0, 5000, 'KEYS', 'k', 'gone')
    expect(other.send('SET', 'k', 'a new value')).toBe('+OK\r\n')
    expect(other.send('DEL', 'gone')).toBe(':1\r\n')
    while (client.sink.take() === '') await new Promise((resolve) => setImmediate(resolve))
    expect(received).toContain('a new value')
    expect(received).not.toContain('gone')
    // If nothing is left to send, nothing is sent.
    received = ''
    client.send('SET', 'k', 'v')
    client.send('MIGRATE', '127.0.0.1', port, 'k', 0, 5000)
    expect(other.send('DEL', 'k')).toBe(':1\r\n')
    let reply = ''
    while (reply === '') {
      await new Promise((resolve) => setImmediate(resolve))
      reply = client.sink.take()
    }
    expect([reply, received]).toEqual(['+NOKEY\r\n', ''])
  })

  test('a client that leaves does not stop it', async () => {
    const { client, engine, effects } = source
    client.send('SET', 'k', 'v')
    effects.length = 0
    client.send('MIGRATE', '127.0.0.1', port, 'k', 0, 5000)
    engine.close(client.session, true)
    while (effects.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(effects).toEqual(['0:DEL k'])
    expect(engine.pause.isPaused).toBe(false)
  })

  test('connections are kept for ten seconds without use', async () => {
    const { client, clock } = source
    const use = async () => {
      client.send('SET', 'k', 'v')
      answer = received === '' ? '+OK\r\n+OK\r\n' : '+OK\r\n'
      expect(await migrate('k')).toBe('+OK\r\n')
    }
    expect(migration.connections).toBe(0)
    await use()
    expect(migration.connections).toBe(1)
    clock.advance(9000)
    migration.tick()
    await use()
    clock.advance(10_000)
    migration.tick()
    expect([migration.connections, sockets.length]).toEqual([1, 1])
    clock.advance(1000)
    migration.tick()
    expect(migration.connections).toBe(0)
    if (!sockets[0]!.readableEnded) await once(sockets[0]!, 'end')
  })

  test('a kept connection that the target has closed, or has written to, is not used again', async () => {
    const { client } = source
    for (const spoil of [
      (socket: Socket) => socket.destroy(),
      (socket: Socket) => socket.write('-ERR unasked\r\n'),
      (socket: Socket) => socket.write('-ERR unf'),
    ]) {
      answer = '+OK\r\n+OK\r\n'
      client.send('SET', 'k', 'v')
      const before = sockets.length
      expect(await migrate('k')).toBe('+OK\r\n')
      expect(sockets.length).toBe(before + 1)
      spoil(sockets[sockets.length - 1]!)
      // Until it has been noticed.
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
  })
})
