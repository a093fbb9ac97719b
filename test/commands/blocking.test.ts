/** Commands that wait for lists and sorted sets, in process: time, leaving, roles. The order of service is compared with Redis's in test/compat/blocking.test.ts. */
import { beforeEach, describe, expect, test } from 'vitest'
import { connectionCommands } from '../../src/commands/connection/index.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { listCommands } from '../../src/commands/list/index.ts'
import { serverCommands } from '../../src/commands/server/index.ts'
import { stringCommands } from '../../src/commands/string/index.ts'
import { transactionCommands } from '../../src/commands/transactions/index.ts'
import { zsetCommands } from '../../src/commands/zset/index.ts'
import { createTestEngine, TestClient, type TestEngine } from '../support/engine.ts'

const NULL_ARRAY = '*-1\r\n'

let server: TestEngine
let pusher: TestClient
let waiter: TestClient

beforeEach(() => {
  server = createTestEngine([
    ...connectionCommands(),
    ...transactionCommands,
    ...genericCommands,
    ...stringCommands,
    ...listCommands,
    ...zsetCommands,
    ...serverCommands,
  ])
  pusher = server.client
  waiter = new TestClient(server.engine)
})

/** Lets time pass, and the server notice. */
function pass(ms: number): void {
  server.clock.advance(ms)
  server.engine.blocking.tick()
}

describe.each([
  ['BLPOP a 2', 'RPUSH a x', '*2\r\n$1\r\na\r\n$1\r\nx\r\n', 'LPOP a'],
  ['BRPOP b a 2', 'RPUSH a x', '*2\r\n$1\r\na\r\n$1\r\nx\r\n', 'RPOP a'],
  ['BLMOVE a b LEFT RIGHT 2', 'RPUSH a x', '$1\r\nx\r\n', 'LMOVE a b left right'],
  ['BRPOPLPUSH a b 2', 'RPUSH a x', '$1\r\nx\r\n', 'RPOPLPUSH a b'],
  ['BLMPOP 2 1 a LEFT COUNT 5', 'RPUSH a x', '*2\r\n$1\r\na\r\n*1\r\n$1\r\nx\r\n', 'LPOP a 1'],
  ['BZPOPMIN a 2', 'ZADD a 1 x', '*3\r\n$1\r\na\r\n$1\r\nx\r\n$1\r\n1\r\n', 'ZPOPMIN a'],
  ['BZPOPMAX b a 2', 'ZADD a 1 x', '*3\r\n$1\r\na\r\n$1\r\nx\r\n$1\r\n1\r\n', 'ZPOPMAX a'],
  ['BZMPOP 2 1 a MAX', 'ZADD a 1 x', '*2\r\n$1\r\na\r\n*1\r\n*2\r\n$1\r\nx\r\n$1\r\n1\r\n', 'ZPOPMAX a 1'],
])('%s', (request, push, served, effect) => {
  const words = request.split(' ')

  test('is served when there is something', () => {
    expect(waiter.send(...words)).toBe('')
    pusher.send(...push.split(' '))
    expect(waiter.sink.take()).toBe(served)
    expect(server.effects).toEqual([`0:${push}`, `0:${effect}`])
    expect(pusher.send('EXISTS', 'a')).toBe(':0\r\n')
    expect(server.engine.keyWaiters.isEmpty).toBe(true)
  })

  test('waits as long as it said, and not longer', () => {
    waiter.send(...words)
    pass(2000)
    expect(waiter.sink.take()).toBe('')
    pass(1)
    expect(waiter.sink.take()).toBe(NULL_ARRAY)
    pusher.send(...push.split(' '))
    expect(waiter.sink.take()).toBe('')
    expect(pusher.send('EXISTS', 'a')).toBe(':1\r\n')
  })

  test('answers null of RESP3', () => {
    waiter.send('HELLO', '3')
    waiter.send(...words)
    pass(2001)
    expect(waiter.sink.take()).toBe('_\r\n')
  })

  test('waits for ever', () => {
    waiter.send(...words.map((word) => (word === '2' ? '0' : word)))
    pass(1e12)
    expect(waiter.sink.take()).toBe('')
    expect(server.engine.blocking.timedCount).toBe(0)
  })
})

test.each([
  ['0.0001', 1],
  ['0.5', 500],
  ['1.0005', 1001],
  ['1e-400', 1],
  ['0x10', 16_000],
  ['.001', 1],
])('a timeout of %s seconds is %i ms', (timeout, ms) => {
  waiter.send('BLPOP', 'a', timeout)
  pass(ms)
  expect(waiter.sink.take()).toBe('')
  pass(1)
  expect(waiter.sink.take()).toBe(NULL_ARRAY)
})

test('a timeout beyond the end of time never comes', () => {
  waiter.send('BLPOP', 'a', '9223372036854775.807')
  pass(1e14)
  expect(waiter.sink.take()).toBe('')
  expect(server.engine.blocking.timedCount).toBe(1)
})

test('a client that leaves is served nothing, and leaves nothing behind', () => {
  waiter.send('BLPOP', 'a', 'b', '0')
  expect(server.engine.keyspace.announcesNew).toBe(true)
  server.engine.disconnect(waiter.session)
  expect(server.engine.keyspace.announcesNew).toBe(false)
  expect(server.engine.keyWaiters.isEmpty).toBe(true)
  expect(pusher.send('RPUSH', 'a', 'x')).toBe(':1\r\n')
  expect(pusher.send('LLEN', 'a')).toBe(':1\r\n')
})

test('a client that leaves while others are served', () => {
  const others = [new TestClient(server.engine), new TestClient(server.engine)]
  waiter.send('BLPOP', 'a', '0')
  for (const other of others) other.send('BLPOP', 'a', '0')
  server.engine.disconnect(others[0]!.session)
  pusher.send('RPUSH', 'a', 'x', 'y')
  expect(waiter.sink.take()).toContain('x')
  expect(others[1]!.sink.take()).toContain('y')
})

test('a client that wants no reply is served all the same', () => {
  waiter.send('CLIENT', 'REPLY', 'OFF')
  waiter.send('BLPOP', 'a', '0')
  pusher.send('RPUSH', 'a', 'x')
  expect(waiter.sink.take()).toBe('')
  expect(pusher.send('EXISTS', 'a')).toBe(':0\r\n')
  expect(waiter.send('CLIENT', 'REPLY', 'ON')).toBe('+OK\r\n')
})

test('who waits for an event hears of what was popped, while a reply is written', () => {
  const { engine } = server
  const listener = new TestClient(engine)
  engine.settings.notifyFlags = 0xfff
  engine.settingsChanged()
  engine.pubsub.subscribe(waiter.session, 'pattern', '*')
  engine.pubsub.subscribe(listener.session, 'pattern', '*')
  waiter.session.protocol = 3
  waiter.send('BLPOP', 'a', '0')
  pusher.send('RPUSH', 'a', 'x')
  expect(listener.sink.take().match(/lpop|rpush|del/g)).toEqual(['rpush', 'rpush', 'lpop', 'lpop', 'del', 'del'])
  expect(waiter.sink.take()).toMatch(/\*2\r\n\$1\r\na\r\n\$1\r\nx\r\n$/)
})

test('when all waiting is ended, who waited is told and disconnected', () => {
  waiter.send('BLPOP', 'a', '0')
  const idle = new TestClient(server.engine)
  server.engine.blocking.endAll((reply) => reply.errorText('UNBLOCKED force unblock'))
  expect(waiter.sink.take()).toBe('-UNBLOCKED force unblock\r\n')
  expect(waiter.sink.closed).toBe(true)
  expect(idle.sink.closed).toBe(false)
  expect(server.engine.keyWaiters.isEmpty).toBe(true)
})

test('a pause holds those who push, and not the time of those who wait', () => {
  const other = new TestClient(server.engine)
  waiter.send('BLPOP', 'a', '1')
  other.send('BLPOP', 'a', '10')
  new TestClient(server.engine).send('CLIENT', 'PAUSE', '5000', 'WRITE')
  expect(pusher.send('RPUSH', 'a', 'x')).toBe('')
  pass(1001)
  expect(waiter.sink.take()).toBe(NULL_ARRAY)
  pass(4000)
  server.engine.pause.tick()
  expect(pusher.sink.take()).toBe(':1\r\n')
  expect(other.sink.take()).toBe('*2\r\n$1\r\na\r\n$1\r\nx\r\n')
})

test('input that came while a client waited is executed when it waits no more', () => {
  waiter.send('BLPOP', 'a', '0')
  expect(waiter.send('PING')).toBe('')
  expect(waiter.send('BLPOP', 'a', '0')).toBe('')
  expect(waiter.send('PING', 'last')).toBe('')
  pusher.send('RPUSH', 'a', '1')
  expect(waiter.sink.take()).toBe('*2\r\n$1\r\na\r\n$1\r\n1\r\n+PONG\r\n')
  pusher.send('RPUSH', 'a', '2')
  expect(waiter.sink.take()).toBe('*2\r\n$1\r\na\r\n$1\r\n2\r\n$4\r\nlast\r\n')
})

test('a key that is overdue serves nobody', () => {
  waiter.send('BLPOP', 'a', '0')
  pusher.send('SELECT', '1')
  pusher.send('RPUSH', 'a', 'x')
  pusher.send('PEXPIRE', 'a', '10')
  server.clock.advance(11)
  pusher.send('SWAPDB', '0', '1')
  expect(waiter.sink.take()).toBe('')
  expect(server.effects.at(-1)).toBe('0:DEL a')
})

test('CLIENT LIST and the slow log show what waits and what was served', () => {
  const { engine } = server
  engine.settings.slowlogUsec = 0
  engine.settingsChanged()
  waiter.send('BLPOP', 'a', '0')
  expect(pusher.send('CLIENT', 'LIST', 'ID', waiter.session.id)).toMatch(/ flags=b .* argv-mem=7 .* cmd=blpop /)
  const logged = () =>
    engine.slowlog.newest(-1).map(({ args }) => args.map((arg) => Buffer.from(arg).toString()).join(' '))
  expect(logged()).toEqual([expect.stringMatching(/^CLIENT LIST/)])
  pusher.send('RPUSH', 'a', 'x')
  expect(logged().slice(0, 2)).toEqual(['BLPOP a 0', 'RPUSH a x'])
  const { calls, failedCalls } = engine.commands.byFullName('blpop')!
  expect([calls, failedCalls]).toEqual([1, 0])
})

test('ten thousand clients of one key are served one by one', () => {
  const clients = Array.from({ length: 10_000 }, () => new TestClient(server.engine))
  for (const client of clients) client.send('BLPOP', 'a', '0')
  const startMs = performance.now()
  for (let i = 0; i < clients.length; i++) pusher.send('RPUSH', 'a', String(i))
  // Each of them in the time of one, however many wait behind it.
  expect(performance.now() - startMs).toBeLessThan(20_000)
  for (const [i, client] of clients.entries()) expect(client.sink.take()).toContain(`\r\n${i}\r\n`)
})
