/**
 * Several clients of one server, some of them waiting: what one step, a request of one of them, makes each of them receive,
 * and what is propagated and announced meanwhile. Crowds of real redis-server and of our engine tell it in one form:
 *
 *   const crowd = await RedisCrowd.gather(3)
 *   await crowd.step(0, [['BLPOP', 'a', '0']])
 *   const { replies } = await crowd.step(1, [['RPUSH', 'a', 'x']])     // replies[0]: what client 0 got now
 */
import { connect, type Socket } from 'node:net'
import { connectionCommands } from '../../src/commands/connection/index.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { listCommands } from '../../src/commands/list/index.ts'
import { serverCommands } from '../../src/commands/server/index.ts'
import { setCommands } from '../../src/commands/set/index.ts'
import { streamCommands } from '../../src/commands/stream/index.ts'
import { stringCommands } from '../../src/commands/string/index.ts'
import { transactionCommands } from '../../src/commands/transactions/index.ts'
import { zsetCommands } from '../../src/commands/zset/index.ts'
import { parseNotifyFlags } from '../../src/engine/notifications.ts'
import { BLOCKED } from '../../src/engine/session.ts'
import { CaptureSink, createTestEngine, TestClient, type TestEngine } from './engine.ts'
import { ReplicationTap, showEffect, TAPPED } from './propagation.ts'
import { type RedisProcess, startServer } from './redis-process.ts'
import { decodeReply, encodeCommand, ReplyScanner, type RespClient, type RespValue } from './resp-client.ts'

/** Requests that a client sends at once. CLIENT-ID:n among their words stands for the id of the n-th client. */
export type Requests = readonly (readonly string[])[]

export interface Step {
  /** What each client received, as it came over the wire. */
  readonly replies: readonly string[]
  /** Which clients wait now. */
  readonly waiting: readonly number[]
  readonly effects: readonly string[]
  readonly events: readonly string[]
}

export interface Crowd {
  step(client: number, requests: Requests): Promise<Step>
  close(): Promise<void>
}

const EVENTS = '__keyevent@*__:*'
const EVENT_CLASSES = 'EAn'
const MARKER_CHANNEL = 'o7-test-marker'
const POLL_MS = 1

function encode(requests: Requests, ids: readonly number[]): Buffer {
  const known = (word: string) => word.replace(/^CLIENT-ID:(\d+)$/, (_, index: string) => String(ids[Number(index)]))
  return Buffer.concat(
    requests.map((words) => encodeCommand(words.map(known).map((word) => Buffer.from(word, 'latin1')))),
  )
}

/** HELLO tells the client's id, which differs between servers. */
function withoutId(reply: string): string {
  return reply.replace(/(\$2\r\nid\r\n:)\d+/g, '$1n')
}

function showEvent(channel: string, key: string): string {
  const [, db, event] = /^__keyevent@(\d+)__:(.*)$/.exec(channel)!
  return showEffect(db!, [event!, key])
}

/** Clients of real redis-server. */
export class RedisCrowd implements Crowd {
  private readonly server: RedisProcess
  private readonly tap: ReplicationTap
  private readonly events: RespClient
  private readonly control: RespClient
  private readonly sockets: readonly Socket[]
  private readonly received: Buffer[]
  private readonly ids: readonly number[]
  private markers = 0

  private constructor(
    server: RedisProcess,
    tap: ReplicationTap,
    events: RespClient,
    control: RespClient,
    sockets: readonly Socket[],
    ids: readonly number[],
  ) {
    this.server = server
    this.tap = tap
    this.events = events
    this.control = control
    this.sockets = sockets
    this.ids = ids
    this.received = sockets.map(() => Buffer.alloc(0))
    sockets.forEach((socket, index) => {
      socket.on('data', (chunk) => {
        this.received[index] = Buffer.concat([this.received[index]!, chunk])
      })
      socket.on('error', () => {})
    })
  }

  static async gather(size: number): Promise<RedisCrowd> {
    const server = await startServer({
      server: 'redis',
      directives: {
        'notify-keyspace-events': EVENT_CLASSES,
        'enable-debug-command': 'yes',
        ...TAPPED,
      },
    })
    const tap = await ReplicationTap.attach(server.port)
    const events = await server.connect()
    await events.call('PSUBSCRIBE', EVENTS)
    await events.call('SUBSCRIBE', MARKER_CHANNEL)
    const control = await server.connect()
    const sockets: Socket[] = []
    const ids: number[] = []
    for (let i = 0; i < size; i++) {
      const socket = connect({ port: server.port, host: '127.0.0.1' })
      socket.write(encodeCommand(['CLIENT', 'ID']))
      const reply = await new Promise<Buffer>((done) => socket.once('data', done))
      ids.push(Number(decodeReply(reply)))
      sockets.push(socket)
    }
    return new RedisCrowd(server, tap, events, control, sockets, ids)
  }

  async step(client: number, requests: Requests): Promise<Step> {
    const before = await this.fieldsOf(client)
    const bytes = encode(requests, this.ids)
    this.sockets[client]!.write(bytes)
    for (;;) {
      const { flags, unread } = await this.fieldsOf(client)
      // Who waits keeps what it is sent; anyone else has answered, or has begun to wait.
      if (before.flags.includes('b')) {
        if (unread === before.unread + bytes.length) break
      } else if (flags.includes('b') || this.countReplies(client) === requests.length) break
      await new Promise((done) => setTimeout(done, POLL_MS))
    }
    const marker = String(++this.markers)
    await this.control.call('PUBLISH', MARKER_CHANNEL, marker)
    const events: string[] = []
    for (;;) {
      const message = decodeReply(await this.events.readAny()) as RespValue[]
      if (message[0] === 'message' && message[2] === marker) break
      events.push(showEvent(String(message[2]), String(message[3])))
    }
    const effects = await this.tap.readTo(marker)
    const waiting: number[] = []
    for (let i = 0; i < this.ids.length; i++) if ((await this.fieldsOf(i)).flags.includes('b')) waiting.push(i)
    const replies = this.received.map((received) => withoutId(received.toString('latin1')))
    this.received.fill(Buffer.alloc(0))
    return { replies, waiting, effects, events }
  }

  async close(): Promise<void> {
    this.tap.close()
    for (const socket of this.sockets) socket.destroy()
    await this.server.stop()
  }

  private async fieldsOf(client: number): Promise<{ flags: string; unread: number }> {
    const line = String(await this.control.query('CLIENT', 'LIST', 'ID', this.ids[client]!))
    return { flags: / flags=(\S+)/.exec(line)?.[1] ?? '', unread: Number(/ qbuf=(\d+)/.exec(line)?.[1] ?? 0) }
  }

  private countReplies(client: number): number {
    const scanner = new ReplyScanner()
    let count = 0
    for (let rest = this.received[client]!; rest.length > 0; count++) {
      const size = scanner.endOfReply(rest, rest.length)
      if (size < 0) break
      rest = rest.subarray(size)
    }
    return count
  }
}

/** Clients of our engine. */
export class EngineCrowd implements Crowd {
  readonly test: TestEngine
  private readonly clients: TestClient[]
  private readonly eventSink = new CaptureSink()

  constructor(size: number) {
    this.test = createTestEngine([
      ...connectionCommands(),
      ...transactionCommands,
      ...genericCommands,
      ...stringCommands,
      ...listCommands,
      ...setCommands,
      ...zsetCommands,
      ...streamCommands(),
      ...serverCommands,
    ])
    const { engine } = this.test
    engine.settings.notifyFlags = parseNotifyFlags(EVENT_CLASSES)
    engine.settingsChanged()
    engine.pubsub.subscribe(engine.connect(this.eventSink), 'pattern', EVENTS)
    this.clients = Array.from({ length: size }, () => new TestClient(engine))
  }

  step(client: number, requests: Requests): Promise<Step> {
    const ids = this.clients.map(({ session }) => session.id)
    const own = this.clients[client]!.sendRaw(encode(requests, ids))
    const replies = this.clients.map(({ sink }, index) => withoutId(index === client ? own : sink.take()))
    const waiting = this.clients.flatMap(({ session }, index) => (session.has(BLOCKED) ? [index] : []))
    return Promise.resolve({ replies, waiting, effects: this.takeEffects(), events: this.takeEvents() })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  private takeEffects(): string[] {
    return this.test.effects.splice(0)
  }

  private takeEvents(): string[] {
    const events: string[] = []
    const scanner = new ReplyScanner()
    for (let rest = Buffer.from(this.eventSink.take(), 'latin1'); rest.length > 0; ) {
      const size = scanner.endOfReply(rest, rest.length)
      const [, , channel, key] = decodeReply(rest.subarray(0, size)) as string[]
      events.push(showEvent(channel!, key!))
      rest = rest.subarray(size)
    }
    return events
  }
}
