/**
 * Indexes into a string as GETRANGE, BITCOUNT and BITPOS take them: 64 bits wide, counted from the end when negative.
 */
import type { Argv } from '../../base/argv.ts'

/** An index, or NaN if the argument is no 64-bit integer. Beyond 2^53 the nearest double: far outside any string. */
export function readIndex(argv: Argv, index: number): number {
  const safe = argv.safeInt(index)
  if (!Number.isNaN(safe)) return safe
  const given = argv.int64(index)
  return given === null ? Number.NaN : Number(given)
}

/** Whether both indexes count from the end and the second lies before the first: an empty range however long the string is. */
export function isBackwards(argv: Argv, startIndex: number, endIndex: number, start: number, end: number): boolean {
  if (start >= 0 || end >= 0 || start < end) return false
  if (start > end || Number.isSafeInteger(start)) return start > end
  return argv.int64(startIndex)! > argv.int64(endIndex)!
}

/** The first index of a range in a string of this length. */
export function rangeStart(start: number, length: number): number {
  return start < 0 ? Math.max(0, length + start) : start
}

/** The last index of a range in a string of this length: -1 if the string is empty. */
export function rangeEnd(end: number, length: number): number {
  return Math.min(end < 0 ? Math.max(0, length + end) : end, length - 1)
}
