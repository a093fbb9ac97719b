import { describe, expect, test } from 'vitest'
import { connectionCommands } from '../../../src/commands/connection/index.ts'
import { pubsubCommands } from '../../../src/commands/pubsub/index.ts'
import { stringCommands } from '../../../src/commands/string/index.ts'
import { ClientsCron } from '../../../src/engine/clients-cron.ts'
import { createTestEngine, TestClient } from '../../support/engine.ts'
import { SlowSink } from '../../support/slow-sink.ts'

const COMMANDS = [...connectionCommands(), ...pubsubCommands, ...stringCommands]

function setup() {
  const log: string[] = []
  const test = createTestEngine(COMMANDS, { log: (level, message) => log.push(`${level}: ${message}`) })
  const cron = new ClientsCron(test.engine)
  /** As many rounds of the cron as there are in that time. */
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= 100) {
      test.clock.advance(Math.min(left, 100))
      cron.tick()
    }
  }
  const field = (client: TestClient, name: string): number =>
    Number(new RegExp(` ${name}=(\\d+)`).exec(test.client.send('CLIENT', 'LIST', 'ID', client.session.id))![1])
  return { ...test, log, cron, pass, field, connect: () => new TestClient(test.engine) }
}

describe('timeout', () => {
  test('closes who is idle for longer, and nobody else', () => {
    const { engine, client, pass, connect, log } = setup()
    const subscriber = connect()
    subscriber.send('SUBSCRIBE', 'a')
    const monitor = connect()
    monitor.send('MONITOR')
    const idle = connect()
    const waiting = connect()
    client.send('CLIENT', 'PAUSE', 1_000_000, 'WRITE')
    waiting.send('SET', 'a', '1')
    pass(100_000)
    expect(idle.sink.closed).toBe(false)
    engine.settings.idleSecondsMax = 10
    client.send('PING')
    idle.send('PING')
    pass(10_000)
    client.send('PING')
    expect(idle.sink.closed).toBe(false)
    pass(1000)
    expect(idle.sink.closed).toBe(true)
    expect(engine.sessions.has(idle.session.id)).toBe(false)
    for (const other of [client, subscriber, monitor, waiting]) expect(other.sink.closed).toBe(false)
    expect(log.filter((line) => line.endsWith('Closing idle client'))).toEqual(['verbose: Closing idle client'])
  })

  test('does not take a client for idle that reads a long reply', () => {
    const { engine, client, pass } = setup()
    engine.settings.idleSecondsMax = 10
    const sink = new SlowSink()
    const session = engine.connect(sink)
    client.send('SET', 'big', 'x'.repeat(1_000_000))
    const request = Buffer.from('GET big\r\n')
    engine.receive(session, request, request.length)
    for (let i = 0; i < 10; i++) {
      pass(8000)
      expect(sink.closed).toBe('no')
      sink.queuedBytes -= 1000
    }
    pass(10_000)
    expect(sink.closed).toBe('no')
    // The rest nobody reads.
    pass(3000)
    expect(sink.closed).toBe('at once')
  })

  test('half a request does not keep a client from being idle', () => {
    const { engine, pass, connect } = setup()
    engine.settings.idleSecondsMax = 10
    const silent = connect()
    silent.sendRaw(Buffer.from('*2\r\n$4\r\nECHO\r\n$10\r\n01234'))
    pass(11_000)
    expect(silent.sink.closed).toBe(true)
    expect(silent.session.inbox).toBe(null)
  })

  test('many clients each have their turn about once a second', () => {
    const { engine, pass, connect } = setup()
    const many = Array.from({ length: 500 }, connect)
    engine.settings.idleSecondsMax = 1
    pass(6000)
    expect(many.filter(({ sink }) => !sink.closed).length).toBe(0)
    expect(engine.sessions.size).toBe(0)
  })

  test('the cron goes on when there is nobody, and after somebody has come', () => {
    const { engine, pass, client, connect } = setup()
    engine.settings.idleSecondsMax = 1
    engine.close(client.session, true)
    pass(1000)
    const late = connect()
    pass(3000)
    expect(late.sink.closed).toBe(true)
  })
})

describe('query buffers', () => {
  test('an idle client has none', () => {
    const { pass, field, connect } = setup()
    const other = connect()
    other.send('PING')
    expect(field(other, 'qbuf-free')).toBe(20_474)
    pass(2000)
    expect(field(other, 'qbuf-free')).toBe(20_474)
    pass(1000)
    expect(field(other, 'qbuf-free')).toBe(0)
    expect(field(other, 'idle')).toBe(3)
  })

  test('one that was large becomes small when only little is sent', () => {
    const { pass, field, connect } = setup()
    const other = connect()
    const request = Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$400000\r\n${'A'.repeat(400_000)}\r\n`)
    for (let at = 0; at < request.length; at += 65_536) other.sendRaw(request.subarray(at, at + 65_536))
    expect(field(other, 'qbuf-free')).toBeGreaterThan(400_000)
    for (let i = 0; i < 3; i++) {
      other.send('SET', 'x', 'A'.repeat(100))
      pass(100)
    }
    expect(field(other, 'qbuf-free')).toBe(20_474)
    expect(other.session.spareInbox).toBe(null)
  })

  test('one that is used again for as much is kept', () => {
    const { pass, connect } = setup()
    const other = connect()
    const request = Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$400000\r\n${'A'.repeat(400_000)}\r\n`)
    const buffers = new Set<Uint8Array>()
    for (let i = 0; i < 20; i++) {
      for (let at = 0; at < request.length; at += 65_536) other.sendRaw(request.subarray(at, at + 65_536))
      buffers.add(other.session.spareInbox!.bytes)
      pass(100)
    }
    expect(buffers.size).toBe(1)
  })

  test('half a request is kept, in what it needs', () => {
    const { pass, field, connect } = setup()
    const other = connect()
    const first = `*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$400000\r\n${'A'.repeat(50_000)}`
    other.sendRaw(Buffer.from(first.slice(0, 1000)))
    other.sendRaw(Buffer.from(first.slice(1000)))
    expect(other.session.inbox!.bytes.length).toBeGreaterThan(400_000)
    pass(10_000)
    expect(other.session.inbox!.bytes.length).toBeLessThan(51_000)
    expect(field(other, 'qbuf')).toBe(50_000)
    expect(field(other, 'argv-mem')).toBe(4)
    expect(other.sendRaw(Buffer.from('A'.repeat(350_000)))).toBe('')
    expect(other.sendRaw(Buffer.from('\r\nSTRLEN x\r\n'))).toBe('+OK\r\n:400000\r\n')
  })
})

describe('reply buffers', () => {
  test('shrink while little is sent, and grow with what is sent', () => {
    const { engine, client, pass, field, connect } = setup()
    const other = connect()
    other.send('PING')
    expect([field(other, 'rbs'), field(other, 'rbp')]).toEqual([16_384, 16_384])
    pass(200)
    expect([field(other, 'rbs'), field(other, 'rbp')]).toEqual([1024, 0])
    client.send('SET', 'big', 'x'.repeat(32_768))
    const sizes: number[] = []
    for (let i = 0; i < 6; i++) {
      other.send('GET', 'big')
      pass(100)
      sizes.push(field(other, 'rbs'))
    }
    expect(sizes).toEqual([2048, 4096, 8192, 16_384, 16_384, 16_384])
    other.send('GET', 'big')
    // The peak is forgotten after five seconds, and then nothing needs so much.
    pass(6000)
    expect(field(other, 'rbs')).toBe(1024)
    expect(engine.statistics.replyBufferExpands).toBeGreaterThanOrEqual(4)
    expect(engine.statistics.replyBufferShrinks).toBeGreaterThanOrEqual(2)
  })

  test('have sizes that an allocator gives, and stay when told so', () => {
    const { engine, client, pass, field, connect } = setup()
    const other = connect()
    client.send('SET', 'k', 'x'.repeat(3000))
    engine.settings.replyBufferPeakResetMs = 0
    pass(100)
    engine.settings.replyBufferPeakResetMs = -1
    other.send('GET', 'k')
    pass(100)
    // One byte more than the peak, in steps of a quarter of the power of two below.
    expect(field(other, 'rbp')).toBe(3009)
    expect(field(other, 'rbs')).toBe(3072)
    pass(100_000)
    expect(field(other, 'rbs')).toBe(3072)
    engine.settings.replyBufferResizing = false
    engine.settings.replyBufferPeakResetMs = 0
    pass(100_000)
    expect(field(other, 'rbs')).toBe(3072)
  })
})
