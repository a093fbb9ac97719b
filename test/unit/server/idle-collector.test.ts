/** When V8 is asked to collect: only in quiet times, and only after what is worth it. */
import { beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { GATE_LOADING } from '../../../src/engine/gates.ts'
import { IdleCollector } from '../../../src/server/idle-collector.ts'
import type { Server } from '../../../src/server/server.ts'

const MIB = 1024 * 1024

const clock = new ManualClock()
const statistics = { commands: 0, inputBytes: 0, outputBytes: 0 }
const arena = { heldBytes: 0 }
const engine = { clock, statistics, gate: 0, keyspace: { arena } }
const persistence = { isBusy: false }
let asked = 0
const server = { engine, persistence, logger: { debug: () => asked++ } }
let collector: IdleCollector

/** Rounds of the cron for so long; how often V8 was asked. */
function pass(ms: number, each: () => void = () => {}): number {
  asked = 0
  for (let passed = 0; passed < ms; passed += 100) {
    clock.advance(100)
    each()
    collector.tick()
  }
  return asked
}

beforeEach(() => {
  collector = new IdleCollector(server as unknown as Server)
  Object.assign(statistics, { commands: 0, inputBytes: 0, outputBytes: 0 })
  arena.heldBytes = 0
  engine.gate = 0
  persistence.isBusy = false
})

test('what starting left is collected once, after half a second', () => {
  expect(pass(400)).toBe(0)
  expect(pass(200)).toBe(1)
  expect(pass(60_000)).toBe(0)
})

test('never while commands come, data is loaded or something is saved', () => {
  expect(pass(5000, () => statistics.commands++)).toBe(0)
  engine.gate = GATE_LOADING
  expect(pass(5000)).toBe(0)
  engine.gate = 0
  persistence.isBusy = true
  expect(pass(5000)).toBe(0)
  persistence.isBusy = false
  expect(pass(1000)).toBe(1)
})

test.each([
  ['many commands', () => (statistics.commands += 10_000)],
  ['much that came in', () => (statistics.inputBytes += 16 * MIB)],
  ['much that went out', () => (statistics.outputBytes += 16 * MIB)],
  ['data that was given up', () => (arena.heldBytes -= 16 * MIB)],
])('again after %s, not after less', (_name, work) => {
  arena.heldBytes = 100 * MIB
  pass(1000)
  statistics.commands += 9999
  statistics.inputBytes += 8 * MIB
  arena.heldBytes -= 8 * MIB
  expect(pass(1000)).toBe(0)
  work()
  expect(pass(1000)).toBe(1)
})

test('CONFIG RESETSTAT does not put it off', () => {
  statistics.commands = 1_000_000
  statistics.inputBytes = 1000 * MIB
  pass(1000)
  Object.assign(statistics, { commands: 1, inputBytes: 10 })
  pass(1000)
  statistics.commands += 10_000
  expect(pass(1000)).toBe(1)
})
