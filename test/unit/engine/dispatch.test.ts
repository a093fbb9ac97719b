import { describe, expect, test } from 'vitest'
import { connectionCommands } from '../../../src/commands/connection/index.ts'
import { pubsubCommands } from '../../../src/commands/pubsub/index.ts'
import { stringCommands } from '../../../src/commands/string/index.ts'
import { transactionCommands } from '../../../src/commands/transactions/index.ts'
import { defineCommand } from '../../../src/engine/command.ts'
import { NO_MULTI, PROTECTED } from '../../../src/engine/flags.ts'
import { GATE_DISK_ERROR, GATE_LOADING } from '../../../src/engine/gates.ts'
import { EMBEDDED, FROM_MASTER, REPLICA, UNIX_SOCKET } from '../../../src/engine/session.ts'
import { createTestEngine, TestClient } from '../../support/engine.ts'

const debug = defineCommand({
  name: 'DEBUG',
  arity: -2,
  flags: PROTECTED,
  doc: { group: 'server', since: '1.0.0', summary: 'Stands for the real one.' },
  run: (_ctx, _argv, reply) => reply.ok(),
})

const alone = defineCommand({
  name: 'ALONE',
  arity: 1,
  flags: NO_MULTI,
  doc: { group: 'test', since: '1.0.0', summary: 'May not be in a transaction.' },
  run: (_ctx, _argv, reply) => reply.ok(),
})

const COMMANDS = [...connectionCommands(), ...pubsubCommands, ...stringCommands, ...transactionCommands, debug, alone]

describe('protected commands', () => {
  const DENIED = /^-ERR DEBUG command not allowed\. If the enable-debug-command option is set to "local"/

  test.each([
    ['no', '127.0.0.1:5', 0, false],
    ['yes', '10.1.2.3:5', 0, true],
    ['local', '10.1.2.3:5', 0, false],
    ['local', '127.0.0.1:5', 0, true],
    ['local', '127.1.2.3:5', 0, true],
    ['local', '[::1]:5', 0, true],
    ['local', '/tmp/socket:0', UNIX_SOCKET, true],
    ['no', '', EMBEDDED, true],
  ] as const)('with enable-debug-command %s from %s', (allowed, address, flags, isAllowed) => {
    const { engine, client } = createTestEngine(COMMANDS)
    engine.settings.debugCommand = allowed
    client.session.address = address
    client.session.setFlag(flags)
    const reply = client.send('DEBUG', 'x')
    if (isAllowed) expect(reply).toBe('+OK\r\n')
    else expect(reply).toMatch(DENIED)
  })

  test('a wrong number of arguments is found first, a missing password later', () => {
    const { engine, client } = createTestEngine(COMMANDS)
    expect(client.send('DEBUG')).toBe("-ERR wrong number of arguments for 'debug' command\r\n")
    engine.settings.password = 'sesame'
    engine.settingsChanged()
    const stranger = new TestClient(engine)
    expect(stranger.send('DEBUG', 'x')).toMatch(DENIED)
    expect(stranger.send('NOPE')).toMatch(/^-ERR unknown command/)
    expect(stranger.send('GET')).toMatch(/^-ERR wrong number/)
    expect(stranger.send('GET', 'x')).toBe('-NOAUTH Authentication required.\r\n')
  })
})

test('a command that may not be in a transaction aborts it', () => {
  const { client } = createTestEngine(COMMANDS)
  expect(client.send('ALONE')).toBe('+OK\r\n')
  client.send('MULTI')
  expect(client.send('ALONE')).toBe('-ERR Command not allowed inside a transaction\r\n')
  expect(client.send('EXEC')).toBe('-EXECABORT Transaction discarded because of previous errors.\r\n')
})

test('who may not write while the disk fails', () => {
  const { engine, client } = createTestEngine(COMMANDS)
  const master = new TestClient(engine)
  master.session.setFlag(FROM_MASTER)
  client.send('MULTI')
  client.send('SET', 'a', '1')
  engine.setGate(GATE_DISK_ERROR, true)
  expect(client.send('EXEC')).toMatch(
    /^-EXECABORT Transaction discarded because of: MISCONF Redis is configured to save/,
  )
  expect(client.send('SET', 'a', '1')).toMatch(/^-MISCONF /)
  expect(client.send('PING')).toMatch(/^-MISCONF /)
  expect(client.send('GET', 'a')).toBe('$-1\r\n')
  expect(master.send('SET', 'a', '1')).toBe('+OK\r\n')
})

test('what is served while loading', () => {
  const { engine, client } = createTestEngine(COMMANDS)
  const subscriber = new TestClient(engine)
  subscriber.send('SUBSCRIBE', 'a')
  engine.setGate(GATE_LOADING, true)
  expect(client.send('GET', 'a')).toMatch(/^-LOADING /)
  expect(client.send('ECHO', 'a')).toBe('$1\r\na\r\n')
  expect(client.send('CLIENT', 'ID')).toBe(`:${client.session.id}\r\n`)
  expect(client.send('PUBLISH', 'a', 'm')).toBe(':1\r\n')
  // A subscribed client is told what it may send before it is told of the loading.
  expect(subscriber.sink.take()).toContain('message')
  expect(subscriber.send('GET', 'a')).toMatch(/^-ERR Can't execute 'get': only/)
  expect(subscriber.send('PING')).toMatch(/^-LOADING /)
})

test('a replica that asks for data is refused, and no reply is for it', () => {
  const { engine, client } = createTestEngine(COMMANDS)
  client.session.setFlag(REPLICA)
  client.session.gate |= 1 << 4
  for (const command of [
    ['GET', 'a'],
    ['SET', 'a', '1'],
    ['PUBLISH', 'a', 'm'],
  ]) {
    const { totalErrorReplies } = engine.statistics
    expect(client.send(...command)).toBe('')
    expect(engine.statistics.totalErrorReplies).toBe(totalErrorReplies + 1)
  }
  expect(engine.keyspace.keyCount()).toBe(0)
  const { commands } = engine.statistics
  engine.pause.start('all', Number.POSITIVE_INFINITY)
  expect(client.send('PING')).toBe('')
  expect(engine.statistics.commands).toBe(commands + 1)
})

describe('commands that go by no name', () => {
  test('are not remembered as the last command', () => {
    const { client } = createTestEngine(COMMANDS)
    client.send('GET', 'a')
    expect(client.session.lastCommand?.command.fullName).toBe('get')
    client.send('GET')
    expect(client.session.lastCommand?.command.fullName).toBe('get')
    client.send('CLIENT', 'ID')
    expect(client.session.lastCommand?.command.fullName).toBe('client|id')
    client.send('CLIENT', 'NOPE')
    expect(client.session.lastCommand).toBe(null)
  })

  test('POST and Host: close, and are logged once a minute', () => {
    const log: string[] = []
    const { engine, clock } = createTestEngine(COMMANDS, { log: (level, message) => log.push(`${level} ${message}`) })
    for (const line of ['POST / HTTP/1.1\r\n', 'host: x\r\n', 'Host:\r\n']) {
      const browser = new TestClient(engine)
      expect(browser.sendRaw(Buffer.from(`PING\r\n${line}SET a 1\r\n`))).toBe('')
      expect(browser.sink.closed).toBe(true)
    }
    expect(log).toHaveLength(1)
    expect(log[0]).toMatch(/^warning Possible SECURITY ATTACK detected\. /)
    clock.advance(61_000)
    new TestClient(engine).sendRaw(Buffer.from('POST x\r\n'))
    expect(log).toHaveLength(2)
  })
})

describe('CLIENT REPLY OFF', () => {
  test('hides protocol errors too, and QUIT still closes', () => {
    const { engine } = createTestEngine(COMMANDS)
    const [first, second] = [new TestClient(engine), new TestClient(engine)]
    first.send('CLIENT', 'REPLY', 'OFF')
    expect(first.sendRaw(Buffer.from('*x\r\n'))).toBe('')
    expect(first.sink.closed).toBe(true)
    second.send('CLIENT', 'REPLY', 'OFF')
    expect(second.send('QUIT')).toBe('')
    expect(second.sink.closed).toBe(true)
  })

  test('does not let large replies gather', () => {
    const { engine, client } = createTestEngine(COMMANDS)
    client.send('SET', 'big', 'x'.repeat(1_000_000))
    client.send('CLIENT', 'REPLY', 'OFF')
    client.sendRaw(Buffer.from('GET big\r\n'.repeat(50)))
    expect(engine.reply.pendingBytes).toBe(0)
    expect(engine.reply.buffer.length).toBe(64 * 1024)
    expect(client.send('CLIENT', 'REPLY', 'ON')).toBe('+OK\r\n')
  })

  test('does not let those of a transaction gather either', () => {
    let pendingBytes = -1
    const look = defineCommand({
      name: 'LOOK',
      arity: 1,
      flags: 0,
      doc: { group: 'test', since: '1.0.0', summary: 'Looks at the replies so far.' },
      run(ctx, _argv, reply) {
        pendingBytes = ctx.engine.reply.pendingBytes
        reply.ok()
      },
    })
    const { client } = createTestEngine([...COMMANDS, look])
    client.send('SET', 'big', 'x'.repeat(1_000_000))
    const request = `CLIENT REPLY OFF\r\nMULTI\r\n${'GET big\r\n'.repeat(50)}LOOK\r\nEXEC\r\nCLIENT REPLY ON\r\n`
    expect(client.sendRaw(Buffer.from(request))).toBe('+OK\r\n')
    expect(pendingBytes).toBe(0)
  })
})
