/** What the comparison with redis-server (test/compat/connection.test.ts) does not reach: state behind the replies, order, in-process clients. */
import { describe, expect, test } from 'vitest'
import { connectionCommands } from '../../src/commands/connection/index.ts'
import { pubsubCommands } from '../../src/commands/pubsub/index.ts'
import { stringCommands } from '../../src/commands/string/index.ts'
import { transactionCommands } from '../../src/commands/transactions/index.ts'
import { EMBEDDED } from '../../src/engine/session.ts'
import { createTestEngine, TestClient } from '../support/engine.ts'

const COMMANDS = [...connectionCommands(), ...pubsubCommands, ...stringCommands, ...transactionCommands]

function setup(password = '') {
  const made = createTestEngine(COMMANDS)
  made.engine.settings.password = password
  made.engine.settings.slowlogUsec = 0
  made.engine.settingsChanged()
  return { ...made, connect: () => new TestClient(made.engine) }
}

describe('passwords', () => {
  test('show neither to monitors nor in the slow log', () => {
    const { engine, connect } = setup('sesame')
    const monitor = connect()
    monitor.send('AUTH', 'sesame')
    monitor.send('MONITOR')
    const client = connect()
    client.send('AUTH', 'secret1')
    client.send('auth', 'default', 'secret2')
    client.send('HELLO', '3', 'AUTH', 'default', 'secret3')
    client.send('HELLO', '3', 'SETNAME', 'n', 'AUTH', 'default', 'sesame', 'NOPE')
    client.send('ECHO', 'sesame street')
    const seen = monitor.sink.take().replace(/\+\d+\.\d+ /g, '')
    expect(seen.split('\r\n')).toEqual([
      '[0 ] "AUTH" "(redacted)"',
      '[0 ] "auth" "(redacted)" "(redacted)"',
      '[0 ] "HELLO" "3" "AUTH" "(redacted)" "(redacted)"',
      '[0 ] "HELLO" "3" "SETNAME" "n" "AUTH" "(redacted)" "(redacted)" "NOPE"',
      '[0 ] "ECHO" "sesame street"',
      '',
    ])
    const logged = engine.slowlog
      .newest(-1)
      .map(({ args }) => args.map((arg) => Buffer.from(arg).toString('latin1')).join(' '))
    expect(logged.join('\n')).not.toMatch(/secret|sesame(?! street)/)
    expect(logged).toContain('auth (redacted) (redacted)')
  })

  test('may hold any bytes', () => {
    const { connect } = setup('abc\0d\xff')
    const client = connect()
    for (const wrong of ['abc', 'abc\0d', 'abc\0d\xfe', 'abc\0d\xff\0', '']) {
      expect(client.send('AUTH', Buffer.from(wrong, 'latin1'))).toMatch(/^-WRONGPASS/)
    }
    expect(client.send('AUTH', Buffer.from('abc\0d\xff', 'latin1'))).toBe('+OK\r\n')
    expect(client.send('AUTH', 'nope')).toMatch(/^-WRONGPASS/)
    expect(client.send('PING')).toBe('+PONG\r\n')
  })

  test('HELLO authenticates before it refuses the rest, and keeps the protocol when it fails', () => {
    const { connect } = setup('sesame')
    const client = connect()
    expect(client.send('HELLO', '3')).toMatch(/^-NOAUTH HELLO must be called/)
    expect(client.session.protocol).toBe(2)
    expect(client.send('HELLO', '3', 'AUTH', 'default', 'sesame', 'SETNAME', 'a b')).toMatch(/^-ERR Client names/)
    expect(client.session.protocol).toBe(2)
    expect(client.send('GET', 'x')).toBe('$-1\r\n')
  })
})

test('HELLO describes the server it is of', () => {
  const commands = connectionCommands({
    role: () => 'replica',
    replyModules(reply) {
      reply.array(1)
      reply.bulkText('shop')
    },
  })
  const { client } = createTestEngine(commands)
  const reply = client.send('HELLO', 3)
  expect(reply).toContain('$4\r\nrole\r\n$7\r\nreplica\r\n$7\r\nmodules\r\n*1\r\n$4\r\nshop\r\n')
  expect(reply).toMatch(/^%7\r\n/)
})

describe('CLIENT', () => {
  const ids = (reply: string): number[] => [...reply.matchAll(/id=(\d+) /g)].map(([, id]) => Number(id))

  test('LIST by type and id', () => {
    const { client, connect } = setup()
    const [subscriber, pattern, monitor, plain] = [connect(), connect(), connect(), connect()]
    subscriber.send('SUBSCRIBE', 'a')
    pattern.send('PSUBSCRIBE', 'a')
    monitor.send('MONITOR')
    const id = (of: TestClient): number => of.session.id
    expect(ids(client.send('CLIENT', 'LIST'))).toEqual([client, subscriber, pattern, monitor, plain].map(id))
    expect(ids(client.send('CLIENT', 'LIST', 'TYPE', 'pubsub'))).toEqual([subscriber, pattern].map(id))
    expect(ids(client.send('CLIENT', 'LIST', 'TYPE', 'NORMAL'))).toEqual([client, monitor, plain].map(id))
    expect(ids(client.send('CLIENT', 'LIST', 'TYPE', 'replica'))).toEqual([])
    expect(ids(client.send('CLIENT', 'LIST', 'ID', id(plain), 999, id(monitor), id(plain)))).toEqual(
      [plain, monitor, plain].map(id),
    )
    expect(client.send('CLIENT', 'LIST', 'ID', id(monitor))).toContain(' flags=O ')
    expect(client.send('CLIENT', 'LIST', 'ID', id(pattern))).toContain(' flags=P ')
  })

  test('KILL by several filters at once', () => {
    const { engine, client, connect } = setup()
    const [first, second, third] = [connect(), connect(), connect()]
    second.send('SUBSCRIBE', 'a')
    third.send('SUBSCRIBE', 'a')
    for (const [index, { session }] of [client, first, second, third].entries()) {
      session.address = `10.0.0.${index}:1`
      session.localAddress = '10.0.0.9:6379'
    }
    expect(client.send('CLIENT', 'KILL', 'TYPE', 'pubsub', 'ID', first.session.id)).toBe(':0\r\n')
    expect(client.send('CLIENT', 'KILL', 'TYPE', 'pubsub', 'ADDR', '10.0.0.2:1', 'USER', 'default')).toBe(':1\r\n')
    expect([first, second, third].map(({ sink }) => sink.closed)).toEqual([false, true, false])
    expect(client.send('CLIENT', 'KILL', 'LADDR', '10.0.0.9:6379', 'SKIPME', 'no')).toBe(':3\r\n')
    expect([client, first, third].map(({ sink }) => sink.closed)).toEqual([true, true, true])
    expect(engine.sessions.size).toBe(0)
  })

  test('KILL without SKIPME spares who asks, in the new form only', () => {
    const { client } = setup()
    client.session.address = '10.0.0.1:1'
    expect(client.send('CLIENT', 'KILL', 'ADDR', '10.0.0.1:1')).toBe(':0\r\n')
    expect(client.sink.closed).toBe(false)
    expect(client.send('CLIENT', 'KILL', '10.0.0.1:1')).toBe('+OK\r\n')
    expect(client.sink.closed).toBe(true)
  })

  test('UNPAUSE lets clients go on after its own batch, in the order in which they came', () => {
    const { engine, client, connect } = setup()
    const order: string[] = []
    const waiting = [connect(), connect(), connect()]
    for (const [index, one] of [client, ...waiting].entries()) {
      const { sink } = one
      const sendReplies = sink.sendReplies.bind(sink)
      sink.sendReplies = (reply) => {
        order.push(String(index))
        sendReplies(reply)
      }
    }
    client.send('CLIENT', 'PAUSE', 100_000, 'WRITE')
    for (const [index, one] of waiting.entries()) one.send('APPEND', 'k', index)
    expect(order).toEqual(['0'])
    const replies = client.sendRaw(Buffer.from('CLIENT UNPAUSE\r\nGET k\r\nCLIENT LIST\r\n'))
    expect(replies).toMatch(/^\+OK\r\n\$-1\r\n/)
    expect(replies.match(/ flags=u /g)).toHaveLength(3)
    expect(order).toEqual(['0', '0', '1', '2', '3'])
    expect(client.send('GET', 'k')).toBe('$3\r\n012\r\n')
    expect(engine.pause.isPaused).toBe(false)
  })

  test('a client that leaves during a pause is forgotten with its command', () => {
    const { engine, client, connect } = setup()
    client.send('CLIENT', 'PAUSE', 100_000, 'WRITE')
    const gone = connect()
    gone.send('SET', 'k', 'v')
    engine.disconnect(gone.session)
    client.send('CLIENT', 'UNPAUSE')
    expect(client.send('GET', 'k')).toBe('$-1\r\n')
  })

  test('a client that is killed by a client that goes on before it has said its last', () => {
    const { client, connect } = setup()
    const [killer, victim] = [connect(), connect()]
    client.send('CLIENT', 'PAUSE', 100_000)
    killer.send('CLIENT', 'KILL', 'ID', victim.session.id)
    victim.send('SET', 'k', 'v')
    client.session.engine.pause.end()
    expect(killer.sink.take()).toBe(':1\r\n')
    expect(victim.sink.closed).toBe(true)
    expect(victim.sink.take()).toBe('')
    expect(client.send('GET', 'k')).toBe('$-1\r\n')
  })

  test('a pause holds back pipelines as they are, and more that comes meanwhile', () => {
    const { client, connect } = setup()
    const other = connect()
    client.send('CLIENT', 'PAUSE', 100_000)
    expect(other.sendRaw(Buffer.from('SET a 1\r\nINCR a\r\nGE'))).toBe('')
    expect(other.sendRaw(Buffer.from('T a\r\nINCR a\r\n'))).toBe('')
    client.session.engine.pause.end()
    expect(other.sink.take()).toBe('+OK\r\n:2\r\n$1\r\n2\r\n:3\r\n')
    expect(other.session.inbox).toBe(null)
  })
})

test('RESET forgets all that a client has set up', () => {
  const { engine, client, connect } = setup()
  const other = connect()
  client.sendRaw(
    Buffer.from(
      'HELLO 3\r\nSELECT 5\r\nCLIENT SETNAME n\r\nWATCH a\r\nSUBSCRIBE c\r\nPSUBSCRIBE p\r\nSSUBSCRIBE s\r\nMONITOR\r\n',
    ),
  )
  expect(client.send('RESET')).toBe('+RESET\r\n')
  const { session } = client
  expect(session.db.index).toBe(0)
  expect(session.protocol).toBe(2)
  expect(session.name).toBe('')
  expect([session.flags, session.gate]).toEqual([other.session.flags, other.session.gate])
  expect(engine.watch.isEmpty).toBe(true)
  expect(engine.pubsub.isDeaf).toBe(true)
  expect(engine.pubsub.shardChannels.size).toBe(0)
  expect(engine.monitors.size).toBe(0)
})

test('RESET leaves a client within the process what it is', () => {
  const { engine, connect } = setup('sesame')
  const inside = connect()
  inside.session.setFlag(EMBEDDED)
  inside.session.protocol = 3
  engine.setAuthenticated(inside.session, true)
  expect(inside.send('RESET')).toBe('+RESET\r\n')
  expect(inside.send('GET', 'k')).toBe('_\r\n')
})
