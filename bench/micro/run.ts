/**
 * npm run bench:micro [-- OPTION ...]: micro-benchmarks in this process, without sockets: nanoseconds of CPU time (of
 * all threads, so that other work on the machine does not count) and allocated bytes per operation. Figures of one machine and one Node version compare with each other and with nothing else.
 *
 *   --only TEXT      only benches whose name contains TEXT
 *   --rounds N       rounds per bench (default 9); the figure is their median
 *   --save FILE      keep the figures
 *   --against FILE   compare with kept figures; exit code 1 when one is slower by more than --tolerance (default 0.1)
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type MicroBench, receiveBenches } from './receive.ts'

/** All of them; a bench file is named after the function that it measures. */
const BENCHES: readonly MicroBench[] = [...receiveBenches()]

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '9' },
    save: { type: 'string' },
    against: { type: 'string' },
    tolerance: { type: 'string', default: '0.1' },
  },
})

/** One round takes about this long, so that a timer's or a scheduler's step does not matter. */
const ROUND_MS = 60
const WARM_UP_MS = 300
/** At least: a bench goes through all that it has prepared, so that tables have grown to their size. */
const WARM_UP_OPERATIONS = 300_000
/** Operations per sample of allocation: few enough that the garbage collector seldom comes in between. */
const ALLOCATION_SAMPLE = 5000
const ALLOCATION_SAMPLES = 15

interface Figures {
  readonly nanoseconds: number
  readonly allocatedBytes: number
}

function medianOf(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!
}

function measure(bench: MicroBench, rounds: number): Figures {
  const run = bench.prepare()
  let perRound = 1000
  for (let spentMs = 0, warmedUp = 0; spentMs < WARM_UP_MS || warmedUp < WARM_UP_OPERATIONS; ) {
    const startMs = performance.now()
    const done = run(perRound)
    const tookMs = performance.now() - startMs
    spentMs += tookMs
    warmedUp += done
    perRound = Math.max(1000, Math.round((done * ROUND_MS) / Math.max(tookMs, 0.1)))
  }
  const timings: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    const done = run(perRound)
    const { user, system } = process.cpuUsage(before)
    timings.push(((user + system) * 1000) / done)
  }
  // A sample with a collection in it shows less than was allocated, or less than nothing: those are left out.
  const allocations: number[] = []
  for (let sample = 0; sample < ALLOCATION_SAMPLES; sample++) {
    const before = process.memoryUsage().heapUsed
    const done = run(ALLOCATION_SAMPLE)
    const grown = process.memoryUsage().heapUsed - before
    if (grown >= 0) allocations.push(grown / done)
  }
  return { nanoseconds: medianOf(timings), allocatedBytes: allocations.length === 0 ? NaN : medianOf(allocations) }
}

const rounds = Number(options.rounds)
const tolerance = Number(options.tolerance)
if (!(rounds >= 1) || !(tolerance >= 0)) throw new Error('--rounds and --tolerance need numbers')
const kept: Record<string, Figures> =
  options.against === undefined ? {} : JSON.parse(readFileSync(options.against, 'utf8'))
const found: Record<string, Figures> = {}
const chosen = BENCHES.filter(({ name }) => name.includes(options.only))
if (chosen.length === 0) throw new Error(`no bench with ${options.only} in its name`)
const width = Math.max(...chosen.map(({ name }) => name.length))
console.log(
  `${'bench'.padEnd(width)}  ns/operation  bytes/operation${options.against === undefined ? '' : '   before  ratio'}`,
)
let slower = 0
for (const bench of chosen) {
  const figures = measure(bench, rounds)
  found[bench.name] = figures
  const cells = [
    bench.name.padEnd(width),
    figures.nanoseconds.toFixed(1).padStart(12),
    figures.allocatedBytes.toFixed(1).padStart(15),
  ]
  const before = kept[bench.name]
  if (before !== undefined) {
    const ratio = figures.nanoseconds / before.nanoseconds
    if (ratio > 1 + tolerance) slower++
    cells.push(before.nanoseconds.toFixed(1).padStart(7), ratio.toFixed(2).padStart(5))
  }
  console.log(cells.join('  '))
}
if (options.save !== undefined) writeFileSync(options.save, `${JSON.stringify(found, null, 2)}\n`)
if (slower > 0) {
  console.error(`${slower} slower by more than ${tolerance * 100} %`)
  process.exitCode = 1
}
