/**
 * What SCAN, SSCAN, HSCAN and ZSCAN have in common: the cursor, MATCH, COUNT, and for SCAN alone TYPE.
 */
import type { Argv } from '../../base/argv.ts'
import { globMatch } from '../../base/glob.ts'
import { endOfCString, isSpace, strtoull } from '../../base/int64-text.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { readInt64 } from '../connection/read-integer.ts'

export const ERR_CURSOR = errorReply('ERR invalid cursor')
/** Buckets looked at for each element that is wanted, at most: in a table that is nearly empty a call ends without enough. */
export const BUCKETS_PER_ELEMENT = 10
const COUNT_DEFAULT = 10
const ASTERISK = 42
const CURSOR_MASK = 0xffff_ffffn

export interface ScanOptions {
  count: number
  /** Index of the pattern among the arguments; 0 = all match. */
  patternIndex: number
  /** Lower case; null = all types. */
  type: string | null
}

/**
 * A cursor, of which the table looks at the low bits only; null if it is none. As C's strtoul reads it: with a sign, and
 * up to a zero byte.
 */
export function readScanCursor(argv: Argv, index: number): number | null {
  const start = argv.starts[index]!
  const end = endOfCString(argv.bytes, start, start + argv.lengths[index]!)
  if (start < end && isSpace(argv.bytes[start]!)) return null
  const read = strtoull(argv.bytes, start, end)
  if (read.outOfRange || (read.end !== end && start !== end)) return null
  return Number(read.value & CURSOR_MASK)
}

/** The options from argv[first] on; null when there is a mistake, which has been replied. TYPE is none unless `takesType`. */
export function readScanOptions(argv: Argv, first: number, takesType: boolean, reply: ReplyWriter): ScanOptions | null {
  const options: ScanOptions = { count: COUNT_DEFAULT, patternIndex: 0, type: null }
  for (let i = first; i < argv.count; i += 2) {
    const hasValue = i + 1 < argv.count
    if (argv.is(i, 'COUNT') && hasValue) {
      const count = readInt64(argv, i + 1, reply, ERR_NOT_INTEGER)
      if (count === null) return null
      if (count < 1n) {
        reply.error(ERR_SYNTAX)
        return null
      }
      options.count = Number(count)
    } else if (argv.is(i, 'MATCH') && hasValue) {
      const isAll = argv.lengthBytes(i + 1) === 1 && argv.bytes[argv.starts[i + 1]!] === ASTERISK
      options.patternIndex = isAll ? 0 : i + 1
    } else if (takesType && argv.is(i, 'TYPE') && hasValue) {
      const start = argv.starts[i + 1]!
      const length = endOfCString(argv.bytes, start, start + argv.lengths[i + 1]!) - start
      options.type = argv
        .latin1(i + 1)
        .slice(0, length)
        .toLowerCase()
    } else {
      reply.error(ERR_SYNTAX)
      return null
    }
  }
  return options
}

/** Whether text[start, start + length) matches the pattern of the options, if there is one. */
export function matchesPattern(
  argv: Argv,
  { patternIndex }: ScanOptions,
  text: Uint8Array,
  start: number,
  length: number,
): boolean {
  if (patternIndex === 0) return true
  const patternStart = argv.starts[patternIndex]!
  const patternEnd = patternStart + argv.lengths[patternIndex]!
  return globMatch(argv.bytes, patternStart, patternEnd, text, start, start + length, false)
}
