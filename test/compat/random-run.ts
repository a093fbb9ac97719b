/**
 * npm run differential [-- OPTION ...]: random commands to real redis-server and to the built o7-redis, compared.
 *
 *   --count N        commands per protocol (default 200,000)
 *   --seed N         replays a run, or one round of it; without it a new seed is drawn and printed
 *   --protocol 2|3   one protocol only
 *   --embedded       ours runs in this process instead of as a program
 *   --only NAME,...  requests of these commands only
 *
 * Exit code 1 on the first difference, which is printed with a short history that shows it.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { commandNames, DifferenceError, isAvailable, runDifferential, type Subject } from '../support/differential.ts'
import { EmbeddedSubject, ProcessSubject } from '../support/differential-subjects.ts'
import { ALL_GENERATORS } from '../support/generators.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '200000' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    protocol: { type: 'string' },
    embedded: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
})
const only = values.only.toUpperCase().split(',').filter(Boolean)
const ours: Subject = values.embedded ? new EmbeddedSubject() : new ProcessSubject('o7')
const theirs: Subject = new ProcessSubject('redis')

try {
  const commands = await commandNames(ours)
  const wanted = ALL_GENERATORS.filter(({ name }) => only.length === 0 || only.includes(name))
  const generators = wanted.filter((generator) => isAvailable(generator, commands))
  const missing = new Set(wanted.filter((generator) => !generators.includes(generator)).map(({ name }) => name))
  if (missing.size > 0) console.log(`not there yet, and left out: ${[...missing].join(' ')}`)
  console.log(`seed ${values.seed}`)
  for (const protocol of [2, 3] as const) {
    if (values.protocol !== undefined && values.protocol !== String(protocol)) continue
    const startMs = performance.now()
    const seed = Number(values.seed)
    const result = await runDifferential({
      ours,
      theirs,
      generators,
      commands,
      protocol,
      seed,
      count: Number(values.count),
    })
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
    console.log(
      `RESP${protocol}: ${result.commands} commands (${result.counts.size} names) in ${result.rounds} rounds, none differing, ${seconds} s`,
    )
  }
} catch (error) {
  if (!(error instanceof DifferenceError)) throw error
  console.error(error.message)
  process.exitCode = 1
} finally {
  await Promise.all([ours.stop(), theirs.stop()])
}
