/**
 * Sorted sets as commands meet them, requests to replies without a socket: members of a sorted set of a hundred thousand and of a
 * million, in random order so that the caches miss as they do in a server, and two sorted sets of 100,000 combined.
 * Run: node scripts/run-ts.mjs bench/micro/zset.ts
 */
import { CommandHarness, pipelines } from './command-harness.ts'

const DEPTH = 16
const COMBINED = 100_000
const ROUNDS = Number(process.argv[2] ?? 3)
const SEED = 3

const harness = new CommandHarness(SEED)
for (const members of [100_000, 1_000_000]) {
  const digits = (): string => String(harness.random.below(members)).padStart(12, '0')
  const adding = pipelines(members, DEPTH, () => ['ZADD', 'myzset', digits(), `element:${digits()}`])
  const asking = pipelines(members, DEPTH, () => ['ZSCORE', 'myzset', `element:${digits()}`])
  const ranking = pipelines(members / 4, DEPTH, () => ['ZRANK', 'myzset', `element:${digits()}`])
  const removing = pipelines(members / 4, DEPTH, () => ['ZREM', 'myzset', `element:${digits()}`])
  const popping = pipelines(members / 4, DEPTH, () => ['ZPOPMIN', 'myzset'])
  const set = `sorted set of ${members.toLocaleString('en')}`
  for (let round = 0; round < ROUNDS; round++) {
    harness.send('DEL', 'myzset')
    harness.settle()
    harness.timed(`ZADD, to a growing ${set}`, members, () => adding.forEach(harness.receive))
    harness.timed(`ZADD, the same to a ${set}`, members, () => adding.forEach(harness.receive))
    adding.reverse()
    for (const batch of adding) harness.receive(batch)
    const others = pipelines(members, DEPTH, () => ['ZADD', 'myzset', digits(), `element:${digits()}`])
    harness.timed(`ZADD, other scores to a ${set}`, members, () => others.forEach(harness.receive))
    harness.timed(`ZSCORE in a ${set}`, members, () => asking.forEach(harness.receive))
    harness.timed(`ZRANK in a ${set}`, members / 4, () => ranking.forEach(harness.receive))
    harness.timed(`ZREM from a ${set}`, members / 4, () => removing.forEach(harness.receive))
    harness.timed(`ZPOPMIN from a ${set}`, members / 4, () => popping.forEach(harness.receive))
  }
}
for (const [name, first] of [
  ['a', 0],
  ['b', COMBINED / 2],
] as const) {
  for (let i = 0; i < COMBINED; i += 100) {
    const pairs = Array.from({ length: 100 }, (_, j) => [
      String(harness.random.below(COMBINED)),
      `element:${first + i + j}`,
    ])
    harness.send('ZADD', name, ...pairs.flat())
  }
}
for (let round = 0; round < 3 * ROUNDS; round++) {
  harness.timedWhole('ZUNIONSTORE of two (100,000)', () => harness.send('ZUNIONSTORE', 'c', '2', 'a', 'b'))
  harness.timedWhole('ZINTERSTORE of two (100,000)', () => harness.send('ZINTERSTORE', 'c', '2', 'a', 'b'))
  harness.timedWhole('ZDIFFSTORE of two (100,000)', () => harness.send('ZDIFFSTORE', 'c', '2', 'a', 'b'))
  harness.timedWhole('ZRANGE 0 -1 WITHSCORES (100,000)', () => harness.send('ZRANGE', 'a', '0', '-1', 'WITHSCORES'))
}
harness.print()
