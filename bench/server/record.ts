/**
 * docs/benchmarks.json: the figures behind the report, by group, so that a run of one group replaces that one alone.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Group } from './measurement.ts'
import type { Environment, GroupResult } from './report.ts'

interface RecordedGroup {
  readonly rounds: number
  readonly environment: Environment
  /** By measurement: our figures, then theirs. */
  readonly figures: Readonly<Record<string, readonly [readonly number[], readonly number[]]>>
}

export type BenchRecord = Readonly<Record<string, RecordedGroup>>

export function readRecord(file: string): BenchRecord {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as BenchRecord) : {}
}

export function writeRecord(file: string, record: BenchRecord): void {
  writeFileSync(file, `${JSON.stringify(record, null, 1)}\n`)
}

export function withResults(record: BenchRecord, results: readonly GroupResult[]): BenchRecord {
  const added = results.map(({ group, rounds, environment, results: rows }) => [
    group.id,
    {
      rounds,
      environment,
      figures: Object.fromEntries(rows.map((row) => [row.measurement.id, [row.ours, row.theirs]])),
    },
  ])
  return { ...record, ...Object.fromEntries(added) }
}

/** Recorded groups in the order of `groups`; those with a measurement that was never taken are left out. */
export function recordedResults(record: BenchRecord, groups: readonly Group[]): GroupResult[] {
  const found: GroupResult[] = []
  for (const group of groups) {
    const recorded = record[group.id]
    if (recorded === undefined || group.measurements.some(({ id }) => recorded.figures[id] === undefined)) continue
    const { rounds, environment, figures } = recorded
    const results = group.measurements.map((measurement) => {
      const [ours, theirs] = figures[measurement.id]!
      return { measurement, ours, theirs }
    })
    found.push({ group, rounds, environment, results })
  }
  return found
}
