/**
 * An engine without sockets for tests: a clock that stands still until it is moved, a seeded random source, and
 * clients that send whole commands and get raw replies.
 */
import type { Argv } from '../../src/base/argv.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import type { Command } from '../../src/engine/command.ts'
import { Engine, type EngineOptions } from '../../src/engine/engine.ts'
import type { OutputSink, Session } from '../../src/engine/session.ts'
import type { ReplyWriter } from '../../src/resp/reply-writer.ts'

/** Collects what a session is sent. */
export class CaptureSink implements OutputSink {
  queuedBytes = 0
  queuedChunks = 0
  closed = false
  private chunks: Uint8Array[] = []

  sendReplies(reply: ReplyWriter): void {
    this.chunks.push(reply.takeBytes())
  }

  send(bytes: Uint8Array): void {
    this.chunks.push(bytes)
  }

  close(): void {
    this.closed = true
  }

  setReading(): void {}

  /** Everything sent since the last call, one character per byte. */
  take(): string {
    const text = Buffer.concat(this.chunks).toString('latin1')
    this.chunks = []
    return text
  }
}

export class TestClient {
  readonly session: Session
  readonly sink = new CaptureSink()
  readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
    this.session = engine.connect(this.sink)
  }

  /** Sends one command and returns the raw reply with whatever else has arrived. */
  send(...args: (string | number | Uint8Array)[]): string {
    const parts = args.map((arg) => (typeof arg === 'number' ? String(arg) : arg))
    const chunks: Uint8Array[] = [Buffer.from(`*${parts.length}\r\n`)]
    for (const part of parts) {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part
      chunks.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
    }
    return this.sendRaw(Buffer.concat(chunks))
  }

  /** Sends bytes as they are. */
  sendRaw(bytes: Uint8Array): string {
    this.engine.receive(this.session, bytes, bytes.length)
    return this.sink.take()
  }
}

export interface TestEngine {
  engine: Engine
  clock: ManualClock
  client: TestClient
  /** Effects as text, each "db:WORD arg arg". */
  effects: string[]
}

export function createTestEngine(
  commands: readonly Command[],
  options: Partial<EngineOptions> & { seed?: number } = {},
): TestEngine {
  const clock = new ManualClock()
  const engine = new Engine({
    clock,
    random: Random.fromSeed(options.seed ?? 1),
    databases: 16,
    ...options,
    commands,
  })
  const effects: string[] = []
  engine.effects.addSink({
    effect(dbIndex: number, argv: Argv) {
      const words = Array.from({ length: argv.count }, (_, i) => argv.latin1(i))
      effects.push(`${dbIndex}:${words.join(' ')}`)
    },
  })
  return { engine, clock, client: new TestClient(engine), effects }
}
