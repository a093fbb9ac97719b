/**
 * The lists that stand beside this file, one test a line, fields parted by tabs. A name that a file uses for several
 * tests stands there as often.
 *
 *   reference.txt   FILE  NAME          what redis-server 7.0.15 passes
 *   passing.txt     FILE  NAME          what our server passes; it only grows
 *   exceptions.txt  FILE  NAME  REASON  what our server is not asked to pass yet, or ever: left out of the run, unless the
 *                                       reason begins with "run:", because later tests build on what the test leaves
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** How often each name occurs. */
export type NameCounts = Map<string, number>

/** Names per test file, files in the order of the list. */
export type TestList = Map<string, NameCounts>

export function countNames(names: Iterable<string>): NameCounts {
  const counts: NameCounts = new Map()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

/** The names of `a` that are not in `b`, as often as they are missing. */
export function subtractNames(a: NameCounts, b: NameCounts): string[] {
  const rest: string[] = []
  for (const [name, count] of a) for (let left = count - (b.get(name) ?? 0); left > 0; left--) rest.push(name)
  return rest
}

/** For each name the larger of the two counts. */
export function mergeNames(a: NameCounts, b: NameCounts): NameCounts {
  const merged: NameCounts = new Map(a)
  for (const [name, count] of b) merged.set(name, Math.max(count, merged.get(name) ?? 0))
  return merged
}

/** The names in both, for each the smaller of the two counts. */
export function intersectNames(a: NameCounts, b: NameCounts): NameCounts {
  const both: NameCounts = new Map()
  for (const [name, count] of a) if (b.has(name)) both.set(name, Math.min(count, b.get(name)!))
  return both
}

export function parseTestList(text: string): TestList {
  const list: TestList = new Map()
  for (const [file, name] of parseLines(text, 2)) {
    const counts = list.get(file!) ?? new Map()
    counts.set(name!, (counts.get(name!) ?? 0) + 1)
    list.set(file!, counts)
  }
  return list
}

export function formatTestList(list: TestList, heading: string): string {
  const lines = [`# ${heading}`]
  for (const [file, counts] of list) {
    for (const [name, count] of counts) for (let times = 0; times < count; times++) lines.push(`${file}\t${name}`)
  }
  return `${lines.join('\n')}\n`
}

/** Reasons by file and name. */
export type Exceptions = Map<string, Map<string, string>>

/** The excepted tests of a file that the harness is told to leave out. */
export function namesLeftOut(exceptions: Exceptions, file: string): string[] {
  const reasons = exceptions.get(file) ?? new Map<string, string>()
  return [...reasons].filter(([, reason]) => !reason.startsWith('run:')).map(([name]) => name)
}

export function parseExceptions(text: string): Exceptions {
  const exceptions: Exceptions = new Map()
  for (const [file, name, reason] of parseLines(text, 3)) {
    const reasons = exceptions.get(file!) ?? new Map()
    reasons.set(name!, reason!)
    exceptions.set(file!, reasons)
  }
  return exceptions
}

function parseLines(text: string, fieldCount: number): string[][] {
  const rows: string[][] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('# ')) continue
    const fields = line.split('\t')
    if (fields.length !== fieldCount || fields.some((field) => field === '')) {
      throw new Error(`line ${index + 1} should have ${fieldCount} fields parted by tabs: ${line}`)
    }
    rows.push(fields)
  }
  return rows
}

export function readTextFile(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

export function writeTextFile(path: string, text: string): void {
  writeFileSync(path, text)
}
