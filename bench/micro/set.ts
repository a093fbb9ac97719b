/**
 * Sets as commands meet them, requests to replies without a socket: single members of a set of some hundred thousand, met
 * in random order so that the caches miss as they do in a server, and two sets of 100,000 combined.
 * Run: node scripts/run-ts.mjs bench/micro/set.ts
 */
import { SystemClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { OutputSink } from '../../src/engine/session.ts'
import type { ReplyWriter } from '../../src/resp/reply-writer.ts'
import { builtInCommands } from '../../src/server/built-in-commands.ts'

const MEMBERS = 400_000
const DEPTH = 16
const COMBINED = 100_000
const ROUNDS = 5

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

const random = Random.fromSeed(3)
const engine = new Engine({ clock: new SystemClock(), random, databases: 16, commands: builtInCommands(null) })
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

/** Batches of a command, one for each of `count` draws. */
function batches(count: number, args: () => readonly string[]): Buffer[] {
  const made: Buffer[] = []
  for (let i = 0; i < count; i += DEPTH) {
    made.push(Buffer.from(Array.from({ length: DEPTH }, () => encode(args())).join(''), 'latin1'))
  }
  return made
}

const best = new Map<string, number>()

function timed(name: string, operations: number, run: () => void): void {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, ((user + system) * 1000) / operations))
}

const element = (): string => `element:${String(random.below(MEMBERS)).padStart(12, '0')}`
const adding = batches(MEMBERS, () => ['SADD', 'myset', element()])
const asking = batches(MEMBERS, () => ['SISMEMBER', 'myset', element()])
const removing = batches(MEMBERS, () => ['SREM', 'myset', element()])
const popping = batches(MEMBERS, () => ['SPOP', 'myset'])
for (let round = 0; round < ROUNDS; round++) {
  send('DEL', 'myset')
  while (engine.keyspace.lazyFree.step(100_000));
  timed('SADD, to a growing set', MEMBERS, () => adding.forEach(receive))
  timed('SADD, a member that is there', MEMBERS, () => adding.forEach(receive))
  timed('SISMEMBER', MEMBERS, () => asking.forEach(receive))
  timed('SREM', MEMBERS, () => removing.forEach(receive))
  for (const batch of adding) receive(batch)
  timed('SPOP, until none is left', MEMBERS, () => popping.forEach(receive))
}
for (const [name, first] of [
  ['a', 0],
  ['b', COMBINED / 2],
] as const) {
  for (let i = 0; i < COMBINED; i += 100) {
    send('SADD', name, ...Array.from({ length: 100 }, (_, j) => `element:${first + i + j}`))
  }
}
for (let round = 0; round < 3 * ROUNDS; round++) {
  timed('SINTER of two sets of 100,000', 1e6, () => send('SINTER', 'a', 'b'))
  timed('SUNION of two sets of 100,000', 1e6, () => send('SUNION', 'a', 'b'))
  timed('SDIFF of two sets of 100,000', 1e6, () => send('SDIFF', 'a', 'b'))
  timed('SINTERSTORE of two sets of 100,000', 1e6, () => send('SINTERSTORE', 'c', 'a', 'b'))
  timed('SUNIONSTORE of two sets of 100,000', 1e6, () => send('SUNIONSTORE', 'c', 'a', 'b'))
  timed('SMEMBERS of 100,000', 1e6, () => send('SMEMBERS', 'a'))
}
for (const [name, nanoseconds] of best) {
  const isWhole = name.includes('100,000')
  console.log(`${name.padEnd(40)} ${nanoseconds.toFixed(isWhole ? 2 : 0).padStart(10)} ${isWhole ? 'ms' : 'ns'}`)
}
