/**
 * npm run bench [-- OPTION ...]: measures our server beside redis-server and writes docs/benchmarks.md, .svg and .json.
 *
 *   --only a,b       groups to run, of those in groups/index.ts; what the report says of the others stays
 *   --rounds N       rounds per group (default 5)
 *   --requests N     requests per sample of redis-benchmark instead of its own for each depth
 *   --scale F        factor for all numbers of requests and keys, for a quick look
 *   --server FILE    our program (default bin/o7-redis)
 *   --reference FILE theirs (default redis-server)
 *   --write          write the report even if the rounds were fewer or smaller than by default
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform, release } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { findProgram } from '../../test/support/redis-process.ts'
import { GROUPS } from './groups/index.ts'
import type { Bench, BenchSettings, Group } from './measurement.ts'
import { readRecord, recordedResults, withResults, writeRecord } from './record.ts'
import { type Environment, formatGroup, formatReport, type GroupResult, plotRatios } from './report.ts'

const ROOT = process.cwd()

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string' },
    scale: { type: 'string', default: '1' },
    server: { type: 'string', default: 'bin/o7-redis' },
    reference: { type: 'string', default: 'redis-server' },
    write: { type: 'boolean', default: false },
  },
})

function positiveNumber(text: string, option: string): number {
  const number = Number(text)
  if (!Number.isFinite(number) || number <= 0) throw new Error(`--${option} needs a positive number, not ${text}`)
  return number
}

function programPath(name: string): string {
  const path = name.includes('/') ? resolve(name) : findProgram(name)
  if (path === null || !existsSync(path)) throw new Error(`there is no ${name}`)
  return path
}

function versionOf(program: string): string {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  return (/o7-is=(\S+)/.exec(stdout) ?? /v=(\S+)/.exec(stdout))?.[1] ?? 'of unknown version'
}

/** Rounds of all steps, in each round on both servers, and the one that begins changes from round to round. */
async function runGroup(
  group: Group,
  rounds: number,
  environment: Environment,
  programs: readonly [string, string],
  settings: BenchSettings,
): Promise<GroupResult> {
  const samples = group.measurements.map(() => [[], []] as [number[], number[]])
  const benches: Bench[] = []
  try {
    for (const program of programs) benches.push(await group.open(program, settings))
    const stepCount = benches[0]!.steps.length
    for (let round = 0; round < rounds; round++) {
      for (let step = 0; step < stepCount; step++) {
        for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) {
          const sample = await benches[side]!.steps[step]!.run()
          for (const [id, figure] of Object.entries(sample)) {
            const index = group.measurements.findIndex((measurement) => measurement.id === id)
            if (index < 0) throw new Error(`${group.id} declares no measurement ${id}`)
            samples[index]![side]!.push(figure)
          }
        }
      }
      process.stderr.write(`${group.id}: round ${round + 1} of ${rounds}\n`)
    }
  } finally {
    for (const bench of benches) await bench.close()
  }
  const results = group.measurements.map((measurement, index) => {
    const [ours, theirs] = samples[index]!
    if (ours.length !== rounds || theirs.length !== rounds)
      throw new Error(`${group.id} gave no figure for ${measurement.id}`)
    return { measurement, ours, theirs }
  })
  return { group, rounds, environment, results }
}

async function main(): Promise<void> {
  const provided = spawnSync(process.execPath, [join(ROOT, 'scripts/provide-redis.mjs')], { stdio: 'inherit' })
  if (provided.status !== 0) throw new Error('there is no redis-server to compare with')
  const chosenIds = options.only?.split(',').map((id) => id.trim()) ?? GROUPS.map((group) => group.id)
  const unknown = chosenIds.filter((id) => !GROUPS.some((group) => group.id === id))
  if (unknown.length > 0)
    throw new Error(`no group ${unknown.join(', ')}; there are ${GROUPS.map((group) => group.id).join(', ')}`)
  const programs = [programPath(options.server), programPath(options.reference)] as const
  const rounds = positiveNumber(options.rounds, 'rounds')
  const settings: BenchSettings = {
    scale: positiveNumber(options.scale, 'scale'),
    requests: options.requests === undefined ? null : positiveNumber(options.requests, 'requests'),
  }
  const environment: Environment = {
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: cpus().length,
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version.slice(1),
    ourVersion: versionOf(programs[0]),
    theirVersion: versionOf(programs[1]),
    date: new Date().toISOString().slice(0, 10),
  }
  const results: GroupResult[] = []
  for (const group of GROUPS.filter(({ id }) => chosenIds.includes(id))) {
    const result = await runGroup(group, rounds, environment, programs, settings)
    results.push(result)
    console.log(`${formatGroup(result)}\n`)
  }
  const isFull = settings.scale === 1 && settings.requests === null && rounds >= 5
  if (!isFull && !options.write) {
    console.log(
      'docs/benchmarks.md is left as it is: the rounds were fewer or smaller than its own (--write writes it all the same).',
    )
    return
  }
  const docs = join(ROOT, 'docs')
  mkdirSync(docs, { recursive: true })
  const record = withResults(readRecord(join(docs, 'benchmarks.json')), results)
  const recorded = recordedResults(record, GROUPS)
  writeRecord(join(docs, 'benchmarks.json'), record)
  writeFileSync(join(docs, 'benchmarks.md'), formatReport(recorded))
  writeFileSync(join(docs, 'benchmarks.svg'), plotRatios(recorded))
  console.log('Written: docs/benchmarks.md, docs/benchmarks.svg, docs/benchmarks.json')
}

process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
try {
  await main()
} catch (error) {
  console.error(`bench: ${(error as Error).message}`)
  process.exitCode = 1
}
