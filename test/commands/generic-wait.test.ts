/** WAIT, the first command that blocks, and with it what clients see of being blocked. */
import { describe, expect, test } from 'vitest'
import { builtInCommands } from '../../src/server/built-in-commands.ts'
import { createTestEngine, TestClient } from '../support/engine.ts'

function create() {
  const world = createTestEngine(builtInCommands(null))
  const { engine, clock } = world
  return {
    ...world,
    /** Moves the clock and does what the cron would. */
    pass: (ms: number) => {
      clock.advance(ms)
      engine.blocking.tick()
    },
    connect: () => new TestClient(engine),
  }
}

describe('WAIT', () => {
  test('answers at once when enough replicas have everything', () => {
    const { client, engine } = create()
    expect(client.send('WAIT', 0, 0)).toBe(':0\r\n')
    engine.acknowledgingReplicas = () => 2
    expect(client.send('WAIT', 2, 0)).toBe(':2\r\n')
    expect(client.send('WAIT', 1, 100)).toBe(':2\r\n')
    expect(engine.blocking.size).toBe(0)
  })

  test('waits until its time is over, to the millisecond', () => {
    const { client, pass, engine } = create()
    expect(client.send('WAIT', 1, 100)).toBe('')
    pass(100)
    expect(client.sink.take()).toBe('')
    engine.acknowledgingReplicas = () => 7
    pass(1)
    expect(client.sink.take(), 'who has it by then counts').toBe(':7\r\n')
    expect(client.send('PING')).toBe('+PONG\r\n')
  })

  test('without a time it waits for ever, as with one that 64 bits cannot hold', () => {
    for (const timeout of ['0', '9223372036854775807']) {
      const { client, pass, engine } = create()
      expect(client.send('WAIT', 1, timeout)).toBe('')
      pass(2 ** 40)
      expect(client.sink.take()).toBe('')
      expect(engine.blocking.size).toBe(1)
      expect(engine.blocking.nextMs).toBe(Number.POSITIVE_INFINITY)
    }
  })

  test('does not wait within a transaction', () => {
    const { client } = create()
    client.send('MULTI')
    client.send('WAIT', 1, 0)
    expect(client.send('EXEC')).toBe('*1\r\n:0\r\n')
  })

  test('clients end in the order of their times, whoever came first', () => {
    const { pass, connect } = create()
    const [late, early, never] = [connect(), connect(), connect()]
    late!.send('WAIT', 1, 300)
    early!.send('WAIT', 1, 100)
    never!.send('WAIT', 1, 0)
    const answered = () => [late!, early!, never!].map((one) => one.sink.take())
    pass(150)
    expect(answered()).toEqual(['', ':0\r\n', ''])
    pass(200)
    expect(answered()).toEqual([':0\r\n', '', ''])
  })
})

describe('a client that is blocked', () => {
  test('has its further requests executed afterwards, in order, also when it blocks again', () => {
    const { client, pass } = create()
    const pipeline = ['WAIT 1 100', 'SET k v', 'GET k', 'WAIT 1 100', 'GET k'].map((line) => `${line}\r\n`).join('')
    expect(client.sendRaw(Buffer.from(pipeline))).toBe('')
    expect(client.send('STRLEN', 'k')).toBe('')
    pass(101)
    expect(client.sink.take()).toBe(':0\r\n+OK\r\n$1\r\nv\r\n')
    pass(101)
    expect(client.sink.take()).toBe(':0\r\n$1\r\nv\r\n:1\r\n')
  })

  test('can be let go by CLIENT UNBLOCK, as timed out or with an error', () => {
    const { client, connect, engine } = create()
    const other = connect()
    const { id } = client.session
    for (const [how, reply] of [
      [[], ':0\r\n'],
      [['TIMEOUT'], ':0\r\n'],
      [['ERROR'], '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n'],
    ] as const) {
      client.send('WAIT', 1, 0)
      expect(other.send('CLIENT', 'UNBLOCK', id, ...how)).toBe(':1\r\n')
      expect(client.sink.take()).toBe(reply)
      expect(other.send('CLIENT', 'UNBLOCK', id, ...how), 'it is not blocked any more').toBe(':0\r\n')
    }
    expect(engine.blocking.size).toBe(0)
    expect(client.send('PING')).toBe('+PONG\r\n')
  })

  test('may leave', () => {
    const { client, pass, engine } = create()
    client.send('WAIT', 1, 100)
    engine.disconnect(client.session)
    expect(engine.blocking.size).toBe(0)
    pass(200)
    expect(client.sink.take()).toBe('')
  })

  test('may be killed', () => {
    const { client, connect, engine } = create()
    client.send('WAIT', 1, 0)
    expect(connect().send('CLIENT', 'KILL', 'ID', client.session.id)).toBe(':1\r\n')
    expect(client.sink.closed).toBe(true)
    expect(engine.blocking.size).toBe(0)
  })

  test('is told nothing where it asked for no reply, and has its next replies again', () => {
    const { client, pass } = create()
    client.sendRaw(Buffer.from('CLIENT REPLY SKIP\r\nWAIT 1 10\r\nPING\r\n'))
    pass(11)
    expect(client.sink.take()).toBe('+PONG\r\n')
    client.sendRaw(Buffer.from('CLIENT REPLY OFF\r\nWAIT 1 10\r\nPING\r\nCLIENT REPLY ON\r\n'))
    pass(11)
    expect(client.sink.take()).toBe('+OK\r\n')
  })

  test('is shown as blocked', () => {
    const { client, connect, pass } = create()
    const other = connect()
    client.send('WAIT', 1, 50)
    const line = () => other.send('CLIENT', 'LIST', 'ID', client.session.id)
    expect(line()).toMatch(/ flags=b /)
    pass(51)
    expect(line()).toMatch(/ flags=N /)
  })
})
