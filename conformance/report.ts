/** Sets the result of a file against what real Redis passes there and against the named exceptions, and prints it. */
import type { Failure } from './harness-output.ts'
import { countNames, type NameCounts, subtractNames } from './lists.ts'
import type { FileRun } from './run-file.ts'

export interface NamedReason {
  readonly name: string
  readonly reason: string
}

export interface FileVerdict {
  readonly file: string
  readonly seconds: number
  readonly passed: number
  /** How many tests real Redis passes in this file; null when it is not in the reference. */
  readonly referenceCount: number | null
  readonly failed: readonly Failure[]
  /** Left out, failed or not come to, for a reason that stands in exceptions.txt. */
  readonly excepted: readonly NamedReason[]
  /** Passed although they stand in exceptions.txt: the exception can go. */
  readonly needlessExceptions: readonly string[]
  readonly skipped: readonly string[]
  /** Passed by real Redis, but here the file ended or left a block before it came to them. */
  readonly notRun: readonly string[]
  readonly exceptions: readonly string[]
}

/** Files that choose their tests by chance: which of them came is no finding, that none failed is. */
export const RANDOM_FILES: ReadonlySet<string> = new Set(['integration/psync2', 'integration/psync2-reg'])

export function judgeFile(
  run: FileRun,
  reference: NameCounts | null,
  exceptedReasons: ReadonlyMap<string, string>,
): FileVerdict {
  const failed: Failure[] = []
  const excepted: NamedReason[] = []
  for (const failure of run.failed) {
    const reason = exceptedReasons.get(failure.name)
    if (reason === undefined) failed.push(failure)
    else excepted.push({ name: failure.name, reason })
  }
  const skipped: string[] = []
  for (const name of run.skipped) {
    const reason = exceptedReasons.get(name)
    if (reason === undefined) skipped.push(name)
    else excepted.push({ name, reason })
  }
  const seen = countNames([...run.passed, ...run.failed.map((failure) => failure.name), ...run.skipped])
  const notRun: string[] = []
  for (const name of reference === null || RANDOM_FILES.has(run.file) ? [] : subtractNames(reference, seen)) {
    const reason = exceptedReasons.get(name)
    if (reason === undefined) notRun.push(name)
    else excepted.push({ name, reason })
  }
  const unmet = new Set(excepted.map(({ name }) => name))
  return {
    file: run.file,
    seconds: run.seconds,
    passed: run.passed.length,
    referenceCount: reference === null ? null : [...reference.values()].reduce((sum, count) => sum + count, 0),
    failed,
    excepted,
    needlessExceptions: [...exceptedReasons.keys()].filter((name) => run.passed.includes(name) && !unmet.has(name)),
    skipped,
    notRun,
    exceptions: run.exceptions,
  }
}

export function formatFileReport(verdict: FileVerdict, output: string | null): string {
  const counts = [
    `${verdict.passed} passed`,
    `${verdict.failed.length} failed`,
    `${verdict.excepted.length} excepted`,
    `${verdict.skipped.length} skipped`,
    `${verdict.notRun.length} not run`,
  ]
  const of = verdict.referenceCount === null ? 'not in the reference' : `redis-server passes ${verdict.referenceCount}`
  const lines = [`${verdict.file}: ${counts.join(', ')} (${of}; ${verdict.seconds.toFixed(1)} s)`]
  for (const { name, reason } of verdict.failed) lines.push(`    failed    ${name}: ${reason}`)
  for (const exception of verdict.exceptions) lines.push(`    exception ${exception}`)
  for (const name of verdict.notRun) lines.push(`    not run   ${name}`)
  for (const { name, reason } of verdict.excepted) lines.push(`    excepted  ${name}: ${reason}`)
  for (const name of verdict.skipped) lines.push(`    skipped   ${name}`)
  for (const name of verdict.needlessExceptions) lines.push(`    passes, though in exceptions.txt  ${name}`)
  if (output !== null) lines.push(...output.split('\n').map((line) => `    | ${line}`))
  return lines.join('\n')
}

export function formatTotals(verdicts: readonly FileVerdict[]): string {
  const rows = [['file', 'passed', 'failed', 'excepted', 'skipped', 'not run', 'redis-server', 'seconds']]
  const sums = [0, 0, 0, 0, 0, 0, 0]
  for (const verdict of [...verdicts].sort((a, b) => (a.file < b.file ? -1 : 1))) {
    const { passed, failed, excepted, skipped, notRun, referenceCount, seconds } = verdict
    const numbers = [
      passed,
      failed.length,
      excepted.length,
      skipped.length,
      notRun.length,
      referenceCount ?? 0,
      seconds,
    ]
    for (const [index, number] of numbers.entries()) sums[index]! += number
    rows.push([verdict.file, ...numbers.map((number) => String(Math.round(number)))])
  }
  rows.push(['total', ...sums.map((sum) => String(Math.round(sum)))])
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const table = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  '),
  )
  return `${table.join('\n')}\n\n${sums[0]} passed, ${sums[1]! + sums[4]!} failed`
}
