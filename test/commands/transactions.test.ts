/** What the comparison with redis-server (test/compat/transactions.test.ts) does not reach: failures, time, memory. */
import { describe, expect, test } from 'vitest'
import { connectionCommands } from '../../src/commands/connection/index.ts'
import { stringCommands } from '../../src/commands/string/index.ts'
import { transactionCommands } from '../../src/commands/transactions/index.ts'
import { defineCommand } from '../../src/engine/command.ts'
import { WRITE } from '../../src/engine/flags.ts'
import { GATE_LOADING } from '../../src/engine/gates.ts'
import { DENY_BLOCKING } from '../../src/engine/session.ts'
import { ArenaFullError } from '../../src/memory/arena.ts'
import { createTestEngine, TestClient } from '../support/engine.ts'

const doc = { group: 'test', since: '1.0.0', summary: 'For this test.' }

const full = defineCommand({
  name: 'FULL',
  arity: 1,
  flags: WRITE,
  doc,
  run() {
    throw new ArenaFullError('there is no more')
  },
})

const bug = defineCommand({
  name: 'BUG',
  arity: 1,
  flags: 0,
  doc,
  run() {
    throw new Error('a bug')
  },
})

const sleep = defineCommand({
  name: 'SLEEP',
  arity: 2,
  flags: 0,
  doc,
  run(ctx, argv, reply) {
    ctx.engine.clock.advance(argv.safeInt(1))
    reply.ok()
  },
})

const COMMANDS = [...connectionCommands(), ...stringCommands, ...transactionCommands, full, bug, sleep]

describe('EXEC', () => {
  test('goes on after a command that found no memory, whose effects are those that there were', () => {
    const { client, effects } = createTestEngine(COMMANDS)
    client.sendRaw(Buffer.from('MULTI\r\nSET a 1\r\nFULL\r\nSET b 2\r\n'))
    expect(client.send('EXEC')).toBe("*3\r\n+OK\r\n-OOM command not allowed when used memory > 'maxmemory'.\r\n+OK\r\n")
    expect(effects).toEqual(['0:MULTI', '0:SET a 1', '0:SET b 2', '0:EXEC'])
    // Nothing is left nested: the next effect leaves at once.
    effects.length = 0
    client.send('FULL')
    client.send('SET', 'c', '3')
    expect(effects).toEqual(['0:SET c 3'])
  })

  test('ends with a bug, which stops this server and no other', () => {
    const failures: unknown[] = []
    const { engine, client } = createTestEngine(COMMANDS, { onFatal: (error) => failures.push(error) })
    const other = createTestEngine(COMMANDS)
    client.sendRaw(Buffer.from('MULTI\r\nSET a 1\r\nBUG\r\nSET b 2\r\nEXEC\r\n'))
    expect(failures).toEqual([new Error('a bug')])
    expect(engine.isStopped).toBe(true)
    expect(client.send('GET', 'b')).toBe('')
    expect(other.client.send('PING')).toBe('+PONG\r\n')
  })

  test('lets no time pass for the keys', () => {
    const { client, clock } = createTestEngine(COMMANDS)
    const startMs = clock.nowMs
    client.sendRaw(Buffer.from('MULTI\r\nSET k v PX 100\r\nSLEEP 1000\r\nGET k\r\nPTTL_NOT_THERE\r\nDISCARD\r\n'))
    client.sendRaw(Buffer.from('MULTI\r\nSET k v PX 100\r\nSLEEP 1000\r\nGET k\r\n'))
    expect(client.send('EXEC')).toBe('*3\r\n+OK\r\n+OK\r\n$1\r\nv\r\n')
    expect(clock.nowMs).toBe(startMs)
    clock.advance(1000)
    expect(client.send('GET', 'k')).toBe('$-1\r\n')
  })

  test('forbids to block while it runs and not afterwards', () => {
    const { client } = createTestEngine(COMMANDS)
    client.sendRaw(Buffer.from('MULTI\r\nMONITOR\r\n'))
    expect(client.send('EXEC')).toBe("*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n")
    expect(client.session.has(DENY_BLOCKING)).toBe(false)
    expect(client.send('MONITOR')).toBe('+OK\r\n')
  })

  test('is refused while loading if one of its commands is, though EXEC itself is not', () => {
    const { engine, client } = createTestEngine(COMMANDS)
    client.sendRaw(Buffer.from('MULTI\r\nECHO a\r\n'))
    engine.setGate(GATE_LOADING, true)
    expect(client.send('EXEC')).toBe('*1\r\n$1\r\na\r\n')
    engine.setGate(GATE_LOADING, false)
    client.sendRaw(Buffer.from('MULTI\r\nECHO a\r\nGET a\r\n'))
    engine.setGate(GATE_LOADING, true)
    expect(client.send('EXEC')).toBe(
      '-EXECABORT Transaction discarded because of: LOADING Redis is loading the dataset in memory\r\n',
    )
    expect(client.send('GET', 'a')).toBe('-LOADING Redis is loading the dataset in memory\r\n')
    expect(client.send('PING')).toBe('-LOADING Redis is loading the dataset in memory\r\n')
    engine.setGate(GATE_LOADING, false)
    expect(client.send('EXEC')).toBe('-ERR EXEC without MULTI\r\n')
  })
})

describe('a queue', () => {
  test('that will fail is not kept', () => {
    const { client } = createTestEngine(COMMANDS)
    const other = new TestClient(client.session.engine)
    client.sendRaw(Buffer.from('MULTI\r\nGET a\r\nNOPE\r\n'))
    for (let i = 0; i < 100; i++) expect(client.send('SET', 'a', 'x'.repeat(1000))).toBe('+QUEUED\r\n')
    expect(client.session.queue).toHaveLength(1)
    client.send('DISCARD')
    client.send('WATCH', 'a')
    other.send('SET', 'a', '1')
    client.send('MULTI')
    expect(client.send('GET', 'a')).toBe('+QUEUED\r\n')
    expect(client.session.queue).toHaveLength(0)
    expect(client.send('EXEC')).toBe('*-1\r\n')
  })

  test('holds its own copy of the arguments', () => {
    const { client } = createTestEngine(COMMANDS)
    const request = Buffer.from('MULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\nvalue\r\n')
    client.sendRaw(request)
    request.fill(0x21)
    client.send('EXEC')
    expect(client.send('GET', 'a')).toBe('$5\r\nvalue\r\n')
  })

  test('goes with the client', () => {
    const { engine, client } = createTestEngine(COMMANDS)
    client.sendRaw(Buffer.from('WATCH a b c\r\nMULTI\r\nSET a 1\r\n'))
    expect(engine.watch.size).toBe(3)
    engine.disconnect(client.session)
    expect(engine.watch.isEmpty).toBe(true)
    expect(client.session.queue).toHaveLength(0)
  })
})

describe('watched keys', () => {
  test('are forgotten as soon as the transaction is bound to fail', () => {
    const { engine, client } = createTestEngine(COMMANDS)
    const other = new TestClient(engine)
    client.send('WATCH', 'a', 'b', 'c', 'a')
    expect(engine.watch.size).toBe(3)
    other.send('SET', 'b', '1')
    expect(engine.watch.isEmpty).toBe(true)
    client.send('WATCH', 'd')
    expect(engine.watch.isEmpty).toBe(true)
    client.send('MULTI')
    expect(client.send('EXEC')).toBe('*-1\r\n')
    client.send('WATCH', 'd')
    expect(engine.watch.size).toBe(1)
  })

  test('of many clients fail together', () => {
    const { engine, client } = createTestEngine(COMMANDS)
    const watchers = Array.from({ length: 50 }, () => new TestClient(engine))
    for (const [index, watcher] of watchers.entries()) watcher.send('WATCH', 'shared', `own${index}`)
    client.send('SET', 'own7', '1')
    client.send('MULTI')
    client.send('SET', 'shared', '1')
    client.send('EXEC')
    for (const watcher of watchers) {
      watcher.send('MULTI')
      expect(watcher.send('EXEC')).toBe('*-1\r\n')
    }
    expect(engine.watch.isEmpty).toBe(true)
  })

  test('that are removed because their time has come count as changed, by whoever meets them', () => {
    const { engine, client, clock } = createTestEngine(COMMANDS)
    const other = new TestClient(engine)
    client.send('SET', 'k', 'v', 'PX', 100)
    client.send('WATCH', 'k')
    clock.advance(101)
    other.send('GET', 'k')
    client.send('MULTI')
    expect(client.send('EXEC')).toBe('*-1\r\n')
  })
})
