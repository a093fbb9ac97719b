/**
 * Sets as commands meet them, requests to replies without a socket: single members of a set of some hundred thousand, met
 * in random order so that the caches miss as they do in a server, and two sets of 100,000 combined.
 * Run: node scripts/run-ts.mjs bench/micro/set.ts
 */
import { CommandHarness, pipelines } from './command-harness.ts'

const MEMBERS = 400_000
const DEPTH = 16
const COMBINED = 100_000
const ROUNDS = 5
const SEED = 3

const harness = new CommandHarness(SEED)
const element = (): string => `element:${String(harness.random.below(MEMBERS)).padStart(12, '0')}`
const adding = pipelines(MEMBERS, DEPTH, () => ['SADD', 'myset', element()])
const asking = pipelines(MEMBERS, DEPTH, () => ['SISMEMBER', 'myset', element()])
const removing = pipelines(MEMBERS, DEPTH, () => ['SREM', 'myset', element()])
const popping = pipelines(MEMBERS, DEPTH, () => ['SPOP', 'myset'])
for (let round = 0; round < ROUNDS; round++) {
  harness.send('DEL', 'myset')
  harness.settle()
  harness.timed('SADD, to a growing set', MEMBERS, () => adding.forEach(harness.receive))
  harness.timed('SADD, a member that is there', MEMBERS, () => adding.forEach(harness.receive))
  harness.timed('SISMEMBER', MEMBERS, () => asking.forEach(harness.receive))
  harness.timed('SREM', MEMBERS, () => removing.forEach(harness.receive))
  for (const batch of adding) harness.receive(batch)
  harness.timed('SPOP, until none is left', MEMBERS, () => popping.forEach(harness.receive))
}
for (const [name, first] of [
  ['a', 0],
  ['b', COMBINED / 2],
] as const) {
  for (let i = 0; i < COMBINED; i += 100) {
    harness.send('SADD', name, ...Array.from({ length: 100 }, (_, j) => `element:${first + i + j}`))
  }
}
for (let round = 0; round < 3 * ROUNDS; round++) {
  harness.timedWhole('SINTER of two sets of 100,000', () => harness.send('SINTER', 'a', 'b'))
  harness.timedWhole('SUNION of two sets of 100,000', () => harness.send('SUNION', 'a', 'b'))
  harness.timedWhole('SDIFF of two sets of 100,000', () => harness.send('SDIFF', 'a', 'b'))
  harness.timedWhole('SINTERSTORE of two sets of 100,000', () => harness.send('SINTERSTORE', 'c', 'a', 'b'))
  harness.timedWhole('SUNIONSTORE of two sets of 100,000', () => harness.send('SUNIONSTORE', 'c', 'a', 'b'))
  harness.timedWhole('SMEMBERS of 100,000', () => harness.send('SMEMBERS', 'a'))
}
harness.print()
