/** Waiting for keys that grow, and of which a client may want only a part: with a type that has nothing but a length. */
import { beforeEach, describe, expect, test } from 'vitest'
import { genericCommands } from '../../../src/commands/generic/index.ts'
import { serverCommands } from '../../../src/commands/server/index.ts'
import { stringCommands } from '../../../src/commands/string/index.ts'
import { transactionCommands } from '../../../src/commands/transactions/index.ts'
import { type Command, defineCommand } from '../../../src/engine/command.ts'
import { mayWait } from '../../../src/engine/key-waiters.ts'
import { ENCODING_STREAM, NO_KEY, TYPE_STREAM } from '../../../src/keyspace/entry.ts'
import type { ValueType } from '../../../src/keyspace/value-type.ts'
import { createTestEngine, TestClient, type TestEngine } from '../../support/engine.ts'

const GONE = '-UNBLOCKED the stream key no longer exists\r\n'

/** Its root is its length. */
const LENGTHS: ValueType = {
  type: TYPE_STREAM,
  name: 'stream',
  release: () => {},
  copy: (root) => root,
  sizeBytes: () => 0,
  digest: () => {},
  length: (root) => root,
  freeEffort: () => 1,
  releaseSome: () => true,
}
const DEFINITION = { arity: -2, flags: 0, doc: { group: 'stream', since: '1.0.0', summary: 'For tests.' } } as const

/** GROW key: makes it longer by one. */
const grow = defineCommand({
  ...DEFINITION,
  name: 'GROW',
  run({ db, engine }, argv, reply) {
    const { bytes, starts, lengths } = argv
    const entry = db.write(argv, 1)
    const length = entry === NO_KEY ? 1 : db.rootOf(entry) + 1
    if (entry === NO_KEY) db.addValue(bytes, starts[1]!, lengths[1]!, TYPE_STREAM, ENCODING_STREAM, length)
    else db.setRoot(entry, length)
    engine.keyWaiters.signal(db, bytes, starts[1]!, lengths[1]!, TYPE_STREAM)
    reply.integer(length)
  },
})

/** AWAIT length NEEDED|ANY key [key ...]: waits until one is longer than that, and replies key and length. */
const awaitLength = defineCommand({
  ...DEFINITION,
  name: 'AWAIT',
  run(ctx, argv, reply) {
    const least = argv.safeInt(1)
    if (!mayWait(ctx)) return reply.nullArray()
    ctx.engine.keyWaiters.wait(ctx, argv, 3, argv.count - 3, 0, {
      type: TYPE_STREAM,
      needsKey: argv.is(2, 'NEEDED'),
      serve({ db }, held, keyIndex, out) {
        const length = db.rootOf(db.peek(held.bytes, held.starts[keyIndex]!, held.lengths[keyIndex]!))
        if (length <= least) return false
        out.array(2)
        out.bulk(held.bytes, held.starts[keyIndex]!, held.lengths[keyIndex]!)
        out.integer(length)
        return true
      },
    })
  },
})

let server: TestEngine
let writer: TestClient
let waiter: TestClient

beforeEach(() => {
  const commands: Command[] = [
    ...transactionCommands,
    ...genericCommands,
    ...stringCommands,
    ...serverCommands,
    grow,
    awaitLength,
  ]
  server = createTestEngine(commands, { types: [LENGTHS] })
  writer = server.client
  waiter = new TestClient(server.engine)
})

function waits(...args: string[]): TestClient {
  const client = new TestClient(server.engine)
  expect(client.send('AWAIT', ...args)).toBe('')
  return client
}

test('all who want it are served from one key, the others wait on', () => {
  const clients = ['0', '1', '0', '2'].map((length) => waits(length, 'ANY', 'k'))
  const taken = () => clients.map(({ sink }) => sink.take())
  writer.send('GROW', 'k')
  expect(taken()).toEqual(['*2\r\n$1\r\nk\r\n:1\r\n', '', '*2\r\n$1\r\nk\r\n:1\r\n', ''])
  writer.send('GROW', 'k')
  expect(taken()).toEqual(['', '*2\r\n$1\r\nk\r\n:2\r\n', '', ''])
  writer.send('MULTI')
  for (let i = 0; i < 5; i++) writer.send('GROW', 'k')
  expect(taken()).toEqual(['', '', '', ''])
  writer.send('EXEC')
  expect(taken()).toEqual(['', '', '', '*2\r\n$1\r\nk\r\n:7\r\n'])
  expect(server.engine.keyspace.announcesStreams).toBe(false)
})

describe('who needs the key hears when it goes', () => {
  beforeEach(() => {
    writer.send('GROW', 'k')
    writer.send('GROW', 'k')
  })

  test.each([
    ['DEL k'],
    ['UNLINK k'],
    ['SET k x'],
    ['RENAME k other'],
    ['MOVE k 1'],
    ['PEXPIRE k -1'],
    ['FLUSHDB'],
    ['FLUSHALL'],
    ['SWAPDB 0 1'],
    ['SET s x', 'RENAME s k'],
    ['SET s x', 'COPY s k REPLACE'],
    ['MULTI', 'DEL k', 'SET k x', 'EXEC'],
  ])('%s %s %s %s', (...lines) => {
    const needs = waits('5', 'NEEDED', 'other', 'k')
    const any = waits('5', 'ANY', 'k')
    for (const line of lines) writer.send(...line.split(' '))
    expect(needs.sink.take()).toBe(GONE)
    expect(any.sink.take()).toBe('')
    expect(server.engine.commands.byFullName('await')!.failedCalls).toBe(1)
  })

  test('when its time comes', () => {
    const needs = waits('5', 'NEEDED', 'k')
    writer.send('PEXPIRE', 'k', '100')
    server.clock.advance(101)
    writer.send('EXISTS', 'k')
    expect(needs.sink.take()).toBe(GONE)
  })

  test('when its time comes and no command is there to see it', () => {
    const needs = waits('5', 'NEEDED', 'k')
    const { engine } = server
    writer.send('PEXPIRE', 'k', '100')
    server.clock.advance(101)
    engine.keyspace.databases[0]!.peek(Buffer.from('k'), 0, 1)
    expect(needs.sink.take()).toBe('')
    engine.serveReadyKeys()
    expect(needs.sink.take()).toBe(GONE)
  })

  test.each([
    ['of another type that was there before', 'SET s x', 'DEL s'],
    ['in another database', 'COPY k k DB 1', 'SWAPDB 0 1'],
    ['that is there again', 'MULTI', 'DEL k', 'GROW k', 'EXEC'],
  ])('not one %s', (_, ...lines) => {
    const needs = waits('5', 'NEEDED', 'k')
    for (const line of lines) writer.send(...line.split(' '))
    expect(needs.sink.take()).toBe('')
  })
})

test('a database that others take the place of has its keys ready', () => {
  const client = waits('0', 'ANY', 'a', 'k')
  waiter.session.db = server.engine.keyspace.databases[1]!
  waiter.send('GROW', 'k')
  expect(client.sink.take()).toBe('')
  waiter.send('SWAPDB', '0', '1')
  expect(client.sink.take()).toBe('*2\r\n$1\r\nk\r\n:1\r\n')
})

test('nobody waits within a transaction', () => {
  waiter.send('MULTI')
  waiter.send('AWAIT', '0', 'ANY', 'k')
  expect(waiter.send('EXEC')).toBe('*1\r\n*-1\r\n')
})
