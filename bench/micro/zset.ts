/**
 * Sorted sets as commands meet them, requests to replies without a socket: members of a sorted set of a hundred thousand and of a
 * million, in random order so that the caches miss as they do in a server, and two sorted sets of 100,000 combined.
 * Run: node scripts/run-ts.mjs bench/micro/zset.ts
 */
import { SystemClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { OutputSink } from '../../src/engine/session.ts'
import type { ReplyWriter } from '../../src/resp/reply-writer.ts'
import { builtInCommands } from '../../src/server/built-in-commands.ts'

const DEPTH = 16
const COMBINED = 100_000
const ROUNDS = Number(process.argv[2] ?? 3)

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

for (const members of [100_000, 1_000_000]) {
  const digits = (): string => String(random.below(members)).padStart(12, '0')
  const adding = batches(members, () => ['ZADD', 'myzset', digits(), `element:${digits()}`])
  const asking = batches(members, () => ['ZSCORE', 'myzset', `element:${digits()}`])
  const ranking = batches(members / 4, () => ['ZRANK', 'myzset', `element:${digits()}`])
  const removing = batches(members / 4, () => ['ZREM', 'myzset', `element:${digits()}`])
  const popping = batches(members / 4, () => ['ZPOPMIN', 'myzset'])
  const set = `sorted set of ${members.toLocaleString('en')}`
  for (let round = 0; round < ROUNDS; round++) {
    send('DEL', 'myzset')
    while (engine.keyspace.lazyFree.step(100_000));
    timed(`ZADD, to a growing ${set}`, members, () => adding.forEach(receive))
    timed(`ZADD, the same to a ${set}`, members, () => adding.forEach(receive))
    adding.reverse()
    for (const batch of adding) receive(batch)
    const others = batches(members, () => ['ZADD', 'myzset', digits(), `element:${digits()}`])
    timed(`ZADD, other scores to a ${set}`, members, () => others.forEach(receive))
    timed(`ZSCORE in a ${set}`, members, () => asking.forEach(receive))
    timed(`ZRANK in a ${set}`, members / 4, () => ranking.forEach(receive))
    timed(`ZREM from a ${set}`, members / 4, () => removing.forEach(receive))
    timed(`ZPOPMIN from a ${set}`, members / 4, () => popping.forEach(receive))
  }
}
for (const [name, first] of [
  ['a', 0],
  ['b', COMBINED / 2],
] as const) {
  for (let i = 0; i < COMBINED; i += 100) {
    const pairs = Array.from({ length: 100 }, (_, j) => [String(random.below(COMBINED)), `element:${first + i + j}`])
    send('ZADD', name, ...pairs.flat())
  }
}
for (let round = 0; round < 3 * ROUNDS; round++) {
  timed('ZUNIONSTORE of two (100,000)', 1e6, () => send('ZUNIONSTORE', 'c', '2', 'a', 'b'))
  timed('ZINTERSTORE of two (100,000)', 1e6, () => send('ZINTERSTORE', 'c', '2', 'a', 'b'))
  timed('ZDIFFSTORE of two (100,000)', 1e6, () => send('ZDIFFSTORE', 'c', '2', 'a', 'b'))
  timed('ZRANGE 0 -1 WITHSCORES (100,000)', 1e6, () => send('ZRANGE', 'a', '0', '-1', 'WITHSCORES'))
}
for (const [name, nanoseconds] of best) {
  const isWhole = name.includes('(100,000)')
  console.log(`${name.padEnd(56)} ${nanoseconds.toFixed(isWhole ? 2 : 0).padStart(8)} ${isWhole ? 'ms' : 'ns'}`)
}
