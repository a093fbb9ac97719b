import { expect, test } from 'vitest'
import { Argv } from '../../../src/base/argv.ts'
import { Random } from '../../../src/base/random.ts'
import { stringCommands } from '../../../src/commands/string/index.ts'
import { transactionCommands } from '../../../src/commands/transactions/index.ts'
import { CommandQueue } from '../../../src/engine/command-queue.ts'
import { CommandTable } from '../../../src/engine/command-table.ts'
import { sessionMemory } from '../../../src/engine/session-memory.ts'
import { createTestEngine } from '../../support/engine.ts'
import { SEED } from '../../support/seed.ts'

const COMMANDS = [...stringCommands, ...transactionCommands]

function words(argv: Argv): string[] {
  return Array.from({ length: argv.count }, (_, i) => argv.latin1(i))
}

test('gives back what was put in, in order', () => {
  const random = Random.fromSeed(SEED)
  const entries = [...new CommandTable(COMMANDS).entries()]
  const queue = new CommandQueue()
  const expected: unknown[] = []
  let totalBytes = 0
  let total = 0
  for (let i = 0; i < 2000; i++) {
    const sizeMax = random.below(100) === 0 ? 200_000 : 40
    const count = 1 + random.below(i % 100 === 0 ? 300 : 5)
    const argv = Argv.of(Array.from({ length: count }, (_, k) => String(k % 10).repeat(random.below(sizeMax / count))))
    const entry = entries[random.below(entries.length)]!
    queue.push(entry, argv)
    expected.push([entry, words(argv)])
    totalBytes += argv.totalBytes()
    total += argv.count
    argv.bytes.fill(0x21)
  }
  const found: unknown[] = []
  queue.each((entry, argv) => found.push([entry, words(argv)]) > 0)
  expect(found).toEqual(expected)
  expect(queue).toMatchObject({ length: 2000, argumentBytes: totalBytes, arguments: total })
  expect(queue.heldBytes).toBeGreaterThan(totalBytes)
})

test('stops when it is told to', () => {
  const queue = new CommandQueue()
  const [entry] = new CommandTable(COMMANDS).entries()
  for (let i = 0; i < 10; i++) queue.push(entry!, Argv.of(['GET', String(i)]))
  const found: string[] = []
  queue.each((_, argv) => found.push(argv.latin1(1)) < 3)
  expect(found).toEqual(['0', '1', '2'])
})

test('costs little more than the bytes of small commands', () => {
  const { client } = createTestEngine(COMMANDS)
  client.send('MULTI')
  const request = Buffer.from('INCR counter\r\n'.repeat(1000))
  for (let i = 0; i < 100; i++) client.sendRaw(request)
  expect(client.session.queue).toHaveLength(100_000)
  expect(sessionMemory(client.session)).toBeLessThan(100_000 * 48)
  expect(client.send('EXEC').endsWith(':99999\r\n:100000\r\n')).toBe(true)
  expect(sessionMemory(client.session)).toBeLessThan(100_000)
})
