/**
 * What the benchmarks of commands share: an engine of its own that takes requests as the network gives them, each batch at
 * the start of one shared read buffer, drops the replies, and says what an operation costs in CPU time.
 */
import { SystemClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { OutputSink, Session } from '../../src/engine/session.ts'
import type { ReplyWriter } from '../../src/resp/reply-writer.ts'
import { builtInCommands } from '../../src/server/built-in-commands.ts'

const READ_BUFFER_BYTES = 65_536
const DASH = 0x2d
const FREE_US = 100_000
const NAME_WIDTH = 56

/** Lets replies go. An error among them is a mistake of the benchmark's. */
class DiscardSink implements OutputSink {
  readonly queuedBytes = 0
  readonly queuedChunks = 0

  sendReplies(reply: ReplyWriter): void {
    if (reply.buffer[0] === DASH) throw new Error(Buffer.from(reply.takeBytes()).toString())
    reply.clear()
  }

  send(): void {}

  close(): void {
    throw new Error('the engine closed the connection')
  }

  setReading(): void {}
}

function encode(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`
}

/** Pipelines of `depth` requests, `count` requests in all. */
export function pipelines(count: number, depth: number, args: () => readonly string[]): Buffer[] {
  const made: Buffer[] = []
  for (let i = 0; i < count; i += depth) {
    made.push(Buffer.from(Array.from({ length: depth }, () => encode(args())).join(''), 'latin1'))
  }
  return made
}

export class CommandHarness {
  readonly random: Random
  private readonly engine: Engine
  private readonly session: Session
  private readonly readBuffer = new Uint8Array(READ_BUFFER_BYTES)
  private readonly best = new Map<string, { readonly cost: number; readonly unit: 'ns' | 'ms' }>()

  constructor(seed: number) {
    this.random = Random.fromSeed(seed)
    this.engine = new Engine({
      clock: new SystemClock(),
      random: this.random,
      databases: 16,
      commands: builtInCommands(null),
    })
    this.session = this.engine.connect(new DiscardSink())
  }

  readonly receive = (requests: Buffer): void => {
    requests.copy(this.readBuffer)
    this.engine.receive(this.session, this.readBuffer, requests.length)
  }

  send(...args: string[]): void {
    this.receive(Buffer.from(encode(args), 'latin1'))
  }

  /** Frees what commands have left to be freed later. */
  settle(): void {
    while (this.engine.keyspace.lazyFree.step(FREE_US));
  }

  /** Nanoseconds for each of `count` operations; the best of all times that are called the same. */
  timed(name: string, count: number, run: () => void): void {
    this.note(name, (cpuTimeOf(run) * 1000) / count, 'ns')
  }

  /** Milliseconds for the whole; the best of all times that are called the same. */
  timedWhole(name: string, run: () => void): void {
    this.note(name, cpuTimeOf(run) / 1000, 'ms')
  }

  print(): void {
    for (const [name, { cost, unit }] of this.best) {
      console.log(`${name.padEnd(NAME_WIDTH)} ${cost.toFixed(unit === 'ms' ? 2 : 0).padStart(8)} ${unit}`)
    }
  }

  private note(name: string, cost: number, unit: 'ns' | 'ms'): void {
    const before = this.best.get(name)
    if (before === undefined || cost < before.cost) this.best.set(name, { cost, unit })
  }
}

/** Microseconds of all threads. */
function cpuTimeOf(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return user + system
}
