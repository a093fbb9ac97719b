import { describe, expect, test } from 'vitest'
import { connectionCommands } from '../../../src/commands/connection/index.ts'
import { pubsubCommands } from '../../../src/commands/pubsub/index.ts'
import { stringCommands } from '../../../src/commands/string/index.ts'
import { transactionCommands } from '../../../src/commands/transactions/index.ts'
import { ClientsCron } from '../../../src/engine/clients-cron.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import type { Session } from '../../../src/engine/session.ts'
import { createTestEngine, type TestEngine } from '../../support/engine.ts'
import { SlowSink } from '../../support/slow-sink.ts'

const COMMANDS = [...connectionCommands(), ...pubsubCommands, ...stringCommands, ...transactionCommands]
const BLOCK_BYTES = 20_464

interface Slow {
  readonly sink: SlowSink
  readonly session: Session
  send(text: string): void
}

interface Setup extends TestEngine {
  readonly cron: ClientsCron
  readonly log: string[]
  connect(): Slow
}

function setup(): Setup {
  const log: string[] = []
  const test = createTestEngine(COMMANDS, { log: (level, message) => log.push(`${level}: ${message}`) })
  const { engine } = test
  // Redis counts time from its start as well; a clock at zero would hide mistakes.
  test.clock.advance(5000)
  return {
    ...test,
    log,
    cron: new ClientsCron(engine),
    connect() {
      const sink = new SlowSink()
      const session = engine.connect(sink)
      const send = (text: string): void => {
        const bytes = Buffer.from(text, 'latin1')
        engine.receive(session, bytes, bytes.length)
      }
      return { sink, session, send }
    },
  }
}

function limit(engine: Engine, type: 'normal' | 'pubsub', hardBytes: number, softBytes = 0, softSeconds = 0): void {
  engine.settings.outputLimits = {
    ...engine.settings.outputLimits,
    [type]: { hardBytes, softBytes, softSeconds },
  }
  engine.settingsChanged()
}

describe('the hard limit', () => {
  test('closes a subscriber that does not read, once whole blocks reach it', () => {
    const { engine, client, connect, log } = setup()
    limit(engine, 'pubsub', 100_000)
    const slow = connect()
    slow.send('SUBSCRIBE a\r\n')
    const message = 'x'.repeat(1000)
    let sent = 0
    while (slow.sink.closed === 'no') {
      client.send('PUBLISH', 'a', message)
      sent++
    }
    // The first 16 KiB are free, the rest fills blocks; the fifth passes the limit.
    const bytes = slow.sink.queuedBytes
    expect(bytes).toBeGreaterThan(16_384 + 4 * BLOCK_BYTES)
    expect(bytes).toBeLessThan(16_384 + 4 * BLOCK_BYTES + 2000)
    expect(slow.sink.closed).toBe('at once')
    expect(engine.sessions.has(slow.session.id)).toBe(false)
    expect(client.send('PUBLISH', 'a', message)).toBe(':0\r\n')
    expect(log).toHaveLength(1)
    expect(log[0]).toMatch(
      /^warning: Client id=\d+ addr= .* flags=P .* omem=102520 tot-mem=\d+ events=rw cmd=subscribe .* scheduled to be closed ASAP for overcoming of output buffer limits\.$/,
    )
    expect(engine.statistics.outputLimitDisconnections).toBe(1)
    expect(sent).toBeGreaterThan(90)
  })

  test('counts messages of the batch under way, before they are handed to the network', () => {
    const { engine, client, connect } = setup()
    limit(engine, 'pubsub', 1_000_000)
    const slow = connect()
    slow.send('SUBSCRIBE a\r\n')
    client.send('SET', 'unrelated', 'v')
    const publish = `PUBLISH a ${'x'.repeat(10_000)}\r\n`
    const replies = client.sendRaw(Buffer.from(publish.repeat(300)))
    expect(slow.sink.closed).toBe('at once')
    expect(slow.session.outboxBytes).toBe(0)
    expect(replies.startsWith(':1\r\n'.repeat(90))).toBe(true)
    expect(replies.endsWith(':0\r\n'.repeat(100))).toBe(true)
  })

  test('closes a normal client without a byte of a reply that is too long', () => {
    const { engine, client, connect } = setup()
    limit(engine, 'normal', 100_000)
    client.send('SET', 'big', 'x'.repeat(150_000))
    const reader = connect()
    reader.send('GET big\r\nSET after 1\r\n')
    expect(reader.sink.closed).toBe('at once')
    expect(reader.sink.read()).toBe('')
    expect(client.send('GET', 'after')).toBe('$-1\r\n')
  })

  test.each(['GET big\r\n', 'GET half\r\n', 'GET small\r\n', 'PING\r\nGET small\r\n'])(
    'costs no other client its reply, wherever it was passed: %j',
    (request) => {
      const { engine, client, connect } = setup()
      limit(engine, 'normal', 100_000)
      client.send('SET', 'big', 'x'.repeat(150_000))
      client.send('SET', 'half', 'x'.repeat(75_000))
      client.send('SET', 'small', 'x'.repeat(1000))
      const reader = connect()
      for (let i = 0; i < 1000 && reader.sink.closed === 'no'; i++) reader.send(request)
      expect(reader.sink.closed).toBe('at once')
      expect(client.send('ECHO', 'first')).toBe('$5\r\nfirst\r\n')
      expect(client.send('ECHO', 'second')).toBe('$6\r\nsecond\r\n')
    },
  )

  test('lets a pipeline run until its replies are too many, and then no further', () => {
    const { engine, client, connect } = setup()
    limit(engine, 'normal', 100_000)
    client.send('SET', 'big', 'x'.repeat(10_000))
    const reader = connect()
    reader.send(Array.from({ length: 20 }, (_, i) => `GET big\r\nSET n ${i}\r\n`).join(''))
    expect(reader.sink.closed).toBe('at once')
    expect(reader.sink.read()).toBe('')
    expect(client.send('GET', 'n')).toBe('$1\r\n8\r\n')
  })

  test('does not interrupt a transaction', () => {
    const { engine, client, connect } = setup()
    limit(engine, 'normal', 100_000)
    client.send('SET', 'big', 'x'.repeat(150_000))
    const reader = connect()
    reader.send('MULTI\r\nSET a 1\r\nGET big\r\nSET b 2\r\nEXEC\r\nSET c 3\r\n')
    expect(reader.sink.closed).toBe('at once')
    expect(reader.sink.read()).toBe('')
    expect(client.send('MGET', 'a', 'b', 'c')).toBe('*3\r\n$1\r\n1\r\n$1\r\n2\r\n$-1\r\n')
  })

  test('is not passed any further by the rest of a transaction', () => {
    const { engine, client, connect, log } = setup()
    limit(engine, 'normal', 100_000)
    client.send('SET', 'big', 'x'.repeat(150_000))
    const reader = connect()
    reader.send(`MULTI\r\n${'GET big\r\n'.repeat(50)}SET a 1\r\nEXEC\r\n`)
    expect(reader.sink.closed).toBe('at once')
    expect(log).toHaveLength(1)
    expect(Number(/ omem=(\d+)/.exec(log[0]!)![1])).toBeLessThan(200_000)
    expect(client.send('GET', 'a')).toBe('$1\r\n1\r\n')
    expect(client.send('ECHO', 'next')).toBe('$4\r\nnext\r\n')
  })

  test('does not concern replies that stay below it', () => {
    const { engine, client, connect } = setup()
    limit(engine, 'normal', 100_000)
    client.send('SET', 'big', 'x'.repeat(60_000))
    const reader = connect()
    for (let i = 0; i < 10; i++) {
      reader.send('GET big\r\n')
      expect(reader.sink.read()).toBe(`$60000\r\n${'x'.repeat(60_000)}\r\n`)
    }
    expect(reader.sink.closed).toBe('no')
  })
})

describe('the soft limit', () => {
  test('closes after the time has passed with more output', () => {
    const { engine, client, clock, connect } = setup()
    limit(engine, 'pubsub', 0, 100_000, 3)
    const slow = connect()
    slow.send('SUBSCRIBE a\r\n')
    client.send('PUBLISH', 'a', 'x'.repeat(150_000))
    expect(slow.sink.closed).toBe('no')
    clock.advance(3900)
    client.send('PUBLISH', 'a', 'x')
    expect(slow.sink.closed).toBe('no')
    clock.advance(200)
    client.send('PUBLISH', 'a', 'x')
    expect(slow.sink.closed).toBe('at once')
  })

  test('closes without another byte, by the cron', () => {
    const { engine, client, clock, connect, cron, log } = setup()
    limit(engine, 'pubsub', 0, 100_000, 3)
    const slow = connect()
    slow.send('SUBSCRIBE a\r\n')
    client.send('PUBLISH', 'a', 'x'.repeat(150_000))
    for (const step of [1000, 1000, 1000]) {
      clock.advance(step)
      cron.tick()
      expect(slow.sink.closed).toBe('no')
    }
    clock.advance(1000)
    cron.tick()
    expect(slow.sink.closed).toBe('at once')
    expect(log.at(-1)).toMatch(/^warning: Client id=.* closed for overcoming of output buffer limits\.$/)
  })

  test('begins anew when the client has read', () => {
    const { engine, client, clock, connect, cron } = setup()
    limit(engine, 'pubsub', 0, 100_000, 3)
    const slow = connect()
    slow.send('SUBSCRIBE a\r\n')
    client.send('PUBLISH', 'a', 'x'.repeat(150_000))
    clock.advance(3000)
    slow.sink.read()
    client.send('PUBLISH', 'a', 'x'.repeat(50_000))
    client.send('PUBLISH', 'a', 'x'.repeat(150_000))
    clock.advance(3000)
    cron.tick()
    expect(slow.sink.closed).toBe('no')
    clock.advance(1000)
    cron.tick()
    expect(slow.sink.closed).toBe('at once')
  })
})

describe('a client without a limit', () => {
  test('is not read from while it leaves too much unread, and goes on when it has read', () => {
    const { engine, client, connect } = setup()
    client.send('SET', 'big', 'x'.repeat(10_000_000))
    const reader = connect()
    for (let i = 0; i < 14; i++) reader.send('GET big\r\n')
    expect(reader.sink.isReading).toBe(false)
    const held = reader.sink.queuedBytes
    // What was on its way is kept, not executed.
    reader.send('GET big\r\nPING\r\n')
    expect(reader.sink.queuedBytes).toBe(held)
    reader.sink.read()
    engine.drained(reader.session)
    expect(reader.sink.isReading).toBe(true)
    expect(reader.sink.read().endsWith('x\r\n+PONG\r\n')).toBe(true)
  })

  test('gets long pipelines in parts', () => {
    const { client, connect } = setup()
    client.send('SET', 'big', 'x'.repeat(100_000))
    const reader = connect()
    reader.send('GET big\r\n'.repeat(30))
    expect(reader.sink.writes).toBeGreaterThan(8)
    expect(reader.sink.read()).toBe(`$100000\r\n${'x'.repeat(100_000)}\r\n`.repeat(30))
  })
})

describe('a client that has yet to authenticate', () => {
  test('may leave next to nothing unread', () => {
    const { engine, client, connect } = setup()
    engine.settings.password = 'sesame'
    engine.settingsChanged()
    const stranger = connect()
    stranger.send('GET x\r\n'.repeat(400))
    expect(stranger.sink.closed).toBe('no')
    stranger.send('GET x\r\n'.repeat(400))
    expect(stranger.sink.closed).toBe('at once')
    const known = connect()
    known.send('AUTH sesame\r\n')
    known.send('GET x\r\n'.repeat(4000))
    expect(known.sink.closed).toBe('no')
    // Who came while there was no password stays.
    expect(client.send('GET', 'x')).toBe('$-1\r\n')
  })

  test('is asked again when a password comes back', () => {
    const { engine, connect } = setup()
    const setPassword = (password: string): void => {
      engine.settings.password = password
      engine.settingsChanged()
    }
    setPassword('sesame')
    const stranger = connect()
    const ask = (text: string): string => {
      stranger.send(text)
      return stranger.sink.read()
    }
    expect(ask('GET x\r\n')).toMatch(/^-NOAUTH/)
    setPassword('')
    expect(ask('GET x\r\n')).toBe('$-1\r\n')
    expect(ask('HELLO 3\r\n')).toMatch(/^-NOAUTH HELLO must be called/)
    setPassword('other')
    expect(ask('GET x\r\n')).toMatch(/^-NOAUTH/)
    expect(ask('AUTH other\r\n')).toBe('+OK\r\n')
    expect(ask('GET x\r\n')).toBe('$-1\r\n')
  })
})

describe('messages', () => {
  test('are encoded once for all clients of a protocol version', () => {
    const { client, connect } = setup()
    const subscribers = Array.from({ length: 100 }, (_, i) => {
      const slow = connect()
      if (i % 2 === 0) slow.send('HELLO 3\r\n')
      slow.send('SUBSCRIBE a\r\n')
      slow.sink.read()
      return slow
    })
    const sent: Uint8Array[] = []
    for (const { sink } of subscribers) {
      sink.send = (bytes) => {
        sent.push(bytes)
      }
    }
    expect(client.send('PUBLISH', 'a', 'hello')).toBe(':100\r\n')
    expect(sent).toHaveLength(100)
    expect(new Set(sent).size).toBe(2)
  })

  test('of one batch leave in few writes, in order', () => {
    const { client, connect } = setup()
    const slow = connect()
    slow.send('SUBSCRIBE a\r\n')
    slow.sink.read()
    slow.sink.writes = 0
    const count = 5000
    client.sendRaw(Buffer.from(Array.from({ length: count }, (_, i) => `PUBLISH a ${i}\r\n`).join('')))
    expect(slow.sink.writes).toBeLessThan(10)
    const expected = Array.from(
      { length: count },
      (_, i) => `*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$${String(i).length}\r\n${i}\r\n`,
    ).join('')
    expect(slow.sink.read()).toBe(expected)
  })

  test('larger than a write go as they are', () => {
    const { client, connect } = setup()
    const slow = connect()
    slow.send('SUBSCRIBE a\r\n')
    slow.sink.read()
    const sizes = [10, 100_000, 10, 40_000, 40_000, 70_000, 1]
    const messages = sizes.map((size, i) => String(i).repeat(size))
    client.sendRaw(Buffer.from(messages.map((message) => `PUBLISH a ${message}\r\n`).join('')))
    const expected = messages.map((message) => `*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$${message.length}\r\n${message}\r\n`)
    expect(slow.sink.read()).toBe(expected.join(''))
  })

  test('to a client that is closed meanwhile are dropped with it', () => {
    const { engine, client, connect } = setup()
    const slow = connect()
    slow.send('SUBSCRIBE a\r\n')
    slow.sink.read()
    client.sendRaw(Buffer.from(`PUBLISH a 1\r\nCLIENT KILL ID ${slow.session.id}\r\nPUBLISH a 2\r\n`))
    expect(slow.sink.closed).toBe('at once')
    expect(slow.sink.read()).toBe('')
    expect(engine.pubsub.channels.size).toBe(0)
  })
})
