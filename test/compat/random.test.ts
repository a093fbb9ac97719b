/**
 * Random commands, the same to real redis-server and to ours over TCP, raw replies compared. Each run draws a new seed
 * and prints it; O7_SEED and O7_COMMANDS replay a run or make it longer. For long runs:
 * npm run differential -- --count 200000
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandNames, isAvailable, PROBES, runDifferential } from '../support/differential.ts'
import { EmbeddedSubject, ProcessSubject } from '../support/differential-subjects.ts'
import { ALL_GENERATORS } from '../support/generators.ts'
import { hasRedisServer } from '../support/redis-process.ts'
import { SEED } from '../support/seed.ts'

/** Commands per protocol. */
const COUNT = Number(process.env.O7_COMMANDS ?? 20_000)
/** Generous: so many commands take a tenth of it on an idle machine. */
const MS_PER_COMMAND = 5

describe.skipIf(!hasRedisServer())(`random commands, seed ${SEED}`, () => {
  const ours = new EmbeddedSubject()
  const theirs = new ProcessSubject('redis')
  let commands: ReadonlySet<string>

  beforeAll(async () => {
    commands = await commandNames(ours)
  })
  afterAll(async () => {
    await Promise.all([ours.stop(), theirs.stop()])
  })

  test('every generator and every question on the data has its command', () => {
    const missing = ALL_GENERATORS.filter((generator) => !isAvailable(generator, commands)).map(({ name }) => name)
    expect([...missing, ...PROBES.filter((name) => !commands.has(name))]).toEqual([])
  })

  test.each([2, 3] as const)(
    'RESP%i: every reply is the same',
    async (protocol) => {
      const generators = ALL_GENERATORS.filter((generator) => isAvailable(generator, commands))
      const result = await runDifferential({ ours, theirs, generators, commands, protocol, seed: SEED, count: COUNT })
      expect(result.commands).toBe(COUNT)
    },
    60_000 + COUNT * MS_PER_COMMAND,
  )
})
