/**
 * Streams as commands meet them, requests to replies without a socket: adding, adding to a stream that is kept short, reading
 * and acknowledging as a member of a group, and what ends long streams.
 * Run: node scripts/run-ts.mjs bench/micro/stream.ts
 */
import { SystemClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { OutputSink } from '../../src/engine/session.ts'
import type { ReplyWriter } from '../../src/resp/reply-writer.ts'
import { builtInCommands } from '../../src/server/built-in-commands.ts'

const DEPTH = 16
const COUNT = 400_000
const ROUNDS = 4

class DiscardSink implements OutputSink {
  readonly queuedBytes = 0
  readonly queuedChunks = 0

  sendReplies(reply: ReplyWriter): void {
    if (reply.buffer[0] === 0x2d) throw new Error(Buffer.from(reply.takeBytes()).toString())
    reply.clear()
  }

  send(): void {}
  close(): void {}
  setReading(): void {}
}

const engine = new Engine({
  clock: new SystemClock(),
  random: Random.fromSeed(3),
  databases: 16,
  commands: builtInCommands(null),
})
const session = engine.connect(new DiscardSink())
const readBuffer = Buffer.alloc(65_536)

function encode(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`
}

function receive(batch: Buffer): void {
  batch.copy(readBuffer)
  engine.receive(session, readBuffer, batch.length)
}

function send(...args: string[]): void {
  receive(Buffer.from(encode(args), 'latin1'))
}

const best = new Map<string, number>()

/** Nanoseconds for each of `count` things that `run` does. */
function measure(name: string, count: number, run: () => void): void {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  const ns = ((user + system) * 1000) / count
  best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, ns))
}

/** A command in batches, `count` times. */
function repeat(count: number, args: readonly string[]): () => void {
  const batch = Buffer.from(encode(args).repeat(DEPTH), 'latin1')
  return () => {
    for (let i = 0; i < count; i += DEPTH) receive(batch)
  }
}

for (let round = 0; round < ROUNDS; round++) {
  send('FLUSHALL')
  measure('XADD s * myfield xxx', COUNT, repeat(COUNT, ['XADD', 's', '*', 'myfield', 'xxx']))
  measure(
    'XADD t MAXLEN ~ 1000 * a 1 b 2',
    COUNT,
    repeat(COUNT, ['XADD', 't', 'MAXLEN', '~', '1000', '*', 'a', '1', 'b', '2']),
  )
  measure('XRANGE s - + COUNT 10, per entry', 200_000, repeat(20_000, ['XRANGE', 's', '-', '+', 'COUNT', '10']))
  send('XGROUP', 'CREATE', 's', 'g', '0')
  measure(
    'XREADGROUP COUNT 10, per entry',
    COUNT,
    repeat(COUNT / 10, ['XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', '10', 'STREAMS', 's', '>']),
  )
  send('COPY', 's', 'copy')
  measure('COPY, per entry with its pending one', COUNT, () => send('COPY', 's', 'copy', 'REPLACE'))
  measure('XGROUP DELCONSUMER, per pending entry', COUNT, () => send('XGROUP', 'DELCONSUMER', 's', 'g', 'c'))
  measure('XTRIM MAXLEN 0, per entry', COUNT, () => send('XTRIM', 's', 'MAXLEN', '0'))
  measure('DEL, per entry with its pending one', COUNT, () => {
    send('DEL', 'copy')
    while (engine.keyspace.lazyFree.step(1000)) {}
  })
}
for (const [name, ns] of best) console.log(`${ns.toFixed(0).padStart(6)} ns  ${name}`)
