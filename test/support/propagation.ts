/**
 * What a command does beside its reply: what is propagated to replicas, and which keyspace events are published.
 * Observers tell it of real redis-server (a fake replica reads the replication stream) and of our engine, in one form,
 * so that a test compares them for whole lists of commands:
 *
 *   const observers = await startObservers()
 *   await expectSameEffects(observers, 'SET k v EX 100', 'GETEX k PERSIST', 'WAIT-MS 5', 'GET "a key"')
 *   await observers.close()
 */
import { connect, type Socket } from 'node:net'
import { expect } from 'vitest'
import type { Argv } from '../../src/base/argv.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { splitArgsText } from '../../src/base/quoting.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { createServer, defineCommand, type EmbeddedServer, type ServerOptions } from '../../src/index.ts'
import { CaptureSink, TestClient } from './engine.ts'
import { type DirectiveValue, type RedisProcess, startServer } from './redis-process.ts'
import { decodeReply, ReplyScanner, type RespClient, type RespValue, showReply } from './resp-client.ts'

export interface Observation {
  /** Raw. */
  readonly reply: Buffer
  /** In order: "db:WORD argument ...", with a transaction's MULTI and EXEC. */
  readonly effects: readonly string[]
  /** In order: "db:event key". */
  readonly events: readonly string[]
}

export interface Observer {
  run(args: readonly (string | Uint8Array)[]): Promise<Observation>
  close(): Promise<void>
}

export interface ObserverOptions {
  /** redis.conf directives for both servers. */
  readonly directives?: Readonly<Record<string, DirectiveValue>>
  readonly protocol?: 2 | 3
}

/** Every class of events, those for missed and new keys too. */
const EVENT_CLASSES = 'EAmn'
const DIRECTIVES: Readonly<Record<string, DirectiveValue>> = {
  'notify-keyspace-events': EVENT_CLASSES,
  'enable-debug-command': 'yes',
}
/** What lets a tap alone be the replica: nothing but effects is sent to it, and it may be silent for however long a test takes. */
export const TAPPED: Readonly<Record<string, DirectiveValue>> = {
  'repl-diskless-sync': 'no',
  'repl-ping-replica-period': 3600,
  'repl-timeout': 86_400,
}
const MARKER_CHANNEL = 'o7-test-marker'
/** Moments this near to each other are taken for the same, given as so many seconds from now to both servers. */
const CLOCK_TOLERANCE_MS = 5000n
/** Numbers from here on (the year 2001) are moments in milliseconds. */
const MOMENT_MS_MIN = 1_000_000_000_000n

function showWord(word: string): string {
  return /^[!#-~]+$/.test(word) ? word : showReply(Buffer.from(word, 'latin1'))
}

export function showEffect(dbIndex: number | string, words: readonly string[]): string {
  return `${dbIndex}:${words.map(showWord).join(' ')}`
}

/** Plays a replica: asks for a full synchronisation, skips the RDB payload and cuts the stream into commands. */
export class ReplicationTap {
  private readonly socket: Socket
  private readonly scanner = new ReplyScanner()
  private held: Buffer = Buffer.alloc(0)
  private dbIndex = '0'
  private readonly commands: (readonly string[])[] = []
  private state: 'handshake' | 'payload-header' | 'payload' | 'stream' = 'handshake'
  private payloadLeft = 0
  private wake: () => void = () => {}
  private failure: Error | null = null

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.held = Buffer.concat([this.held, chunk])
      this.advance()
      this.wake()
    })
    socket.on('close', () => {
      this.failure ??= new Error('the master closed the connection')
      this.wake()
    })
    socket.on('error', (error) => {
      this.failure = error
    })
  }

  /** Attaches to a server; resolves when its stream flows. */
  static async attach(port: number): Promise<ReplicationTap> {
    const socket = connect({ port, host: '127.0.0.1' })
    const tap = new ReplicationTap(socket)
    socket.write('PSYNC ? -1\r\n')
    await tap.until(() => tap.state === 'stream')
    return tap
  }

  /** Everything propagated up to a PUBLISH to the marker channel with this message, as shown effects. */
  async readTo(marker: string): Promise<string[]> {
    const isMarker = (words: readonly string[]) => words[0] === 'PUBLISH' && words[2] === marker
    await this.until(() => this.commands.some(isMarker))
    const end = this.commands.findIndex(isMarker)
    const effects: string[] = []
    for (const words of this.commands.splice(0, end + 1).slice(0, end)) {
      if (words[0] === 'SELECT') this.dbIndex = words[1]!
      else effects.push(showEffect(this.dbIndex, words))
    }
    return effects
  }

  close(): void {
    this.socket.destroy()
  }

  private async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.failure !== null) throw this.failure
      await new Promise<void>((done) => {
        this.wake = done
      })
    }
  }

  private advance(): void {
    while (this.state === 'handshake' || this.state === 'payload-header') {
      const lineEnd = this.held.indexOf('\n')
      if (lineEnd < 0) return
      const line = this.held.toString('latin1', 0, lineEnd).trimEnd()
      this.held = this.held.subarray(lineEnd + 1)
      // Empty lines keep the connection alive while the payload is made.
      if (line === '') continue
      if (this.state === 'handshake') {
        if (!line.startsWith('+FULLRESYNC')) this.failure = new Error(`PSYNC was answered by ${line}`)
        this.state = 'payload-header'
      } else {
        this.payloadLeft = Number(line.slice(1))
        if (!Number.isSafeInteger(this.payloadLeft)) this.failure = new Error(`no payload length: ${line}`)
        this.state = 'payload'
      }
    }
    if (this.state === 'payload') {
      const skipped = Math.min(this.payloadLeft, this.held.length)
      this.payloadLeft -= skipped
      this.held = this.held.subarray(skipped)
      if (this.payloadLeft > 0) return
      this.state = 'stream'
    }
    for (;;) {
      const size = this.scanner.endOfReply(this.held, this.held.length)
      if (size < 0) return
      this.commands.push(decodeReply(this.held.subarray(0, size)) as string[])
      this.held = this.held.subarray(size)
    }
  }
}

/** Real redis-server. */
export class RedisObserver implements Observer {
  private readonly server: RedisProcess
  private readonly client: RespClient
  private readonly marker: RespClient
  private readonly events: RespClient
  private readonly tap: ReplicationTap
  private markers = 0

  private constructor(
    server: RedisProcess,
    client: RespClient,
    marker: RespClient,
    events: RespClient,
    tap: ReplicationTap,
  ) {
    this.server = server
    this.client = client
    this.marker = marker
    this.events = events
    this.tap = tap
  }

  static async start(options: ObserverOptions = {}): Promise<RedisObserver> {
    const server = await startServer({
      server: 'redis',
      directives: {
        ...DIRECTIVES,
        ...TAPPED,
        ...options.directives,
      },
    })
    const tap = await ReplicationTap.attach(server.port)
    const events = await server.connect()
    await events.call('PSUBSCRIBE', '__keyevent@*__:*')
    await events.call('SUBSCRIBE', MARKER_CHANNEL)
    const client = await server.connect()
    // Keys expire when a command meets them, not when a cron does.
    await client.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0)
    if (options.protocol === 3) await client.call('HELLO', 3)
    return new RedisObserver(server, client, await server.connect(), events, tap)
  }

  async run(args: readonly (string | Uint8Array)[]): Promise<Observation> {
    const reply = await this.client.call(...args)
    const marker = String(++this.markers)
    await this.marker.call('PUBLISH', MARKER_CHANNEL, marker)
    const events: string[] = []
    for (;;) {
      const message = decodeReply(await this.events.readAny()) as RespValue[]
      if (message[0] === 'message' && message[2] === marker) break
      events.push(showEvent(String(message[2]), String(message[3])))
    }
    return { reply, effects: await this.tap.readTo(marker), events }
  }

  async close(): Promise<void> {
    this.tap.close()
    await this.server.stop()
  }
}

/** Our server in this process; its clock stands still during a command and follows the system's between them. */
export class EngineObserver implements Observer {
  private readonly server: EmbeddedServer
  private readonly client: TestClient
  private readonly clock: ManualClock
  private readonly eventSink = new CaptureSink()
  private effects: string[] = []

  private constructor(server: EmbeddedServer, engine: Engine, clock: ManualClock, protocol: 2 | 3) {
    this.server = server
    this.clock = clock
    engine.effects.addSink({
      effect: (dbIndex: number, argv: Argv) => {
        const words = Array.from({ length: argv.count }, (_, index) => argv.latin1(index))
        this.effects.push(showEffect(dbIndex, words))
      },
    })
    engine.pubsub.subscribe(engine.connect(this.eventSink), 'pattern', '__keyevent@*__:*')
    this.client = new TestClient(engine)
    this.client.session.protocol = protocol
  }

  static async start(options: ObserverOptions = {}): Promise<EngineObserver> {
    const clock = new ManualClock(Date.now())
    let engine: Engine | null = null
    // A command of our own is handed the engine, which the server keeps to itself.
    const reveal = defineCommand({
      name: 'REVEAL',
      arity: 1,
      flags: 0,
      doc: { group: 'server', since: '1.0.0', summary: 'For this test.' },
      run(ctx, _argv, reply) {
        engine = ctx.engine
        reply.ok()
      },
    })
    const directives = { ...DIRECTIVES, ...options.directives }
    const server = await createServer({
      ...Object.fromEntries(Object.entries(directives).map(([name, value]) => [camelCase(name), value])),
      port: 0,
      clock,
      commands: [reveal],
    } as ServerOptions)
    await server.execute('REVEAL')
    await server.execute('DEBUG', 'SET-ACTIVE-EXPIRE', '0')
    return new EngineObserver(server, engine!, clock, options.protocol ?? 2)
  }

  run(args: readonly (string | Uint8Array)[]): Promise<Observation> {
    this.clock.nowMs = Date.now()
    const reply = Buffer.from(this.client.send(...args), 'latin1')
    const effects = this.effects
    this.effects = []
    return Promise.resolve({ reply, effects, events: this.takeEvents() })
  }

  close(): Promise<void> {
    return this.server.close()
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

/** As embedding options are named: "notify-keyspace-events" is notifyKeyspaceEvents. */
function camelCase(directive: string): string {
  return directive.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

function showEvent(channel: string, key: string): string {
  const [, db, event] = /^__keyevent@(\d+)__:(.*)$/.exec(channel)!
  return showEffect(db!, [event!, key])
}

export interface Observers {
  readonly theirs: RedisObserver
  readonly ours: EngineObserver
  close(): Promise<void>
}

export async function startObservers(options: ObserverOptions = {}): Promise<Observers> {
  const theirs = await RedisObserver.start(options)
  const ours = await EngineObserver.start(options)
  return {
    theirs,
    ours,
    close: async () => {
      await Promise.all([theirs.close(), ours.close()])
    },
  }
}

/**
 * Runs commands on both and expects the same replies, effects and events of each. A command is a line, quoted as for
 * redis-cli, or its arguments; "WAIT-MS n" lets time pass. Moments that both computed from their own clocks may differ a little.
 */
export async function expectSameEffects(
  observers: Observers,
  ...commands: readonly (string | readonly (string | Uint8Array)[])[]
): Promise<void> {
  for (const command of commands) {
    const args = typeof command === 'string' ? splitArgsText(command)! : command
    if (args[0] === 'WAIT-MS') {
      await new Promise((done) => setTimeout(done, Number(args[1])))
      continue
    }
    const theirs = await observers.theirs.run(args)
    const ours = await observers.ours.run(args)
    const shown = args.map((arg) => showWord(Buffer.from(arg).toString('latin1'))).join(' ')
    expect({ command: shown, ...shownObservation(ours) }).toEqual({
      command: shown,
      ...shownObservation(theirs),
      effects: effectsLike(theirs, ours),
    })
  }
}

function shownObservation({ reply, effects, events }: Observation): object {
  return { reply: showReply(reply), effects, events }
}

/** The effects with those moments replaced that differ from another observation's by no more than the servers' clocks may. */
export function effectsLike({ effects }: Observation, model: Observation): string[] {
  return effects.map((effect, index) => withMomentsOf(effect, model.effects[index]))
}

/** The text with its moments replaced by those of `model` where they are near enough. */
function withMomentsOf(text: string, model: string | undefined): string {
  const words = text.split(' ')
  const modelWords = (model ?? '').split(' ')
  return words.map((word, index) => (areNearMoments(word, modelWords[index]) ? modelWords[index]! : word)).join(' ')
}

function areNearMoments(word: string, other: string | undefined): boolean {
  if (other === undefined || !/^\d{13,19}$/.test(word) || !/^\d{13,19}$/.test(other)) return false
  const apart = BigInt(word) - BigInt(other)
  return BigInt(word) >= MOMENT_MS_MIN && apart <= CLOCK_TOLERANCE_MS && -apart <= CLOCK_TOLERANCE_MS
}
