/**
 * Arguments that the commands on fields' expire times share: `FIELDS numfields field [field ...]` at the end of a request,
 * and times. Texts of errors are those of Redis 8.0.
 */
import type { Argv } from '../../base/argv.ts'
import { parseInt64 } from '../../base/int64-text.ts'
import { ERR_NOT_INTEGER, type ErrorReply, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const ERR_NO_FIELDS_WORD = errorReply('ERR Mandatory argument FIELDS is missing or not at the right position')
const ERR_FIELDS_NUMBER = errorReply('ERR The `numfields` parameter must match the number of arguments')
export const ERR_FIELDS_NOT_POSITIVE = errorReply('ERR Number of fields must be a positive integer')
export const ERR_FIELDS_NOT_ABOVE_ZERO = errorReply('ERR Parameter `numFields` should be greater than 0')
const ERR_TIME_NEGATIVE = errorReply('ERR invalid expire time, must be >= 0')

/** Redis keeps 46 bits of a field's expire time, in milliseconds. */
const FIELD_EXPIRE_MS_MAX = 2 ** 46 - 1

export const MILLISECONDS = 1
export const SECONDS = 1000

/** The time given at argv[index] could not be used, which has been replied. */
export const NO_TIME = -1

/**
 * Checks that `FIELDS numfields field ...` stands from argv[index] to the end. Returns the index of the first field, or 0
 * when it has replied a mistake, `notPositive` for a number that is none.
 */
export function readFields(argv: Argv, index: number, notPositive: ErrorReply, reply: ReplyWriter): number {
  if (index + 1 >= argv.count || !argv.is(index, 'FIELDS')) {
    reply.error(ERR_NO_FIELDS_WORD)
    return 0
  }
  const start = argv.starts[index + 1]!
  const count = parseInt64(argv.bytes, start, start + argv.lengths[index + 1]!)
  if (count === null || count < 1n) {
    reply.error(notPositive)
    return 0
  }
  if (count !== BigInt(argv.count - index - 2)) {
    reply.error(ERR_FIELDS_NUMBER)
    return 0
  }
  return index + 2
}

/**
 * The time at argv[index] as Unix milliseconds, given in units of `unitMs` after `baseMs`; NO_TIME when there was a
 * mistake, which has been replied.
 */
export function readFieldTime(
  argv: Argv,
  index: number,
  unitMs: number,
  baseMs: number,
  command: string,
  reply: ReplyWriter,
): number {
  const start = argv.starts[index]!
  const given = parseInt64(argv.bytes, start, start + argv.lengths[index]!)
  if (given === null) reply.error(ERR_NOT_INTEGER)
  else if (given < 0n) reply.error(ERR_TIME_NEGATIVE)
  else {
    // A number too large to be exact is far above the maximum.
    const atMs = Number(given) * unitMs + baseMs
    if (atMs <= FIELD_EXPIRE_MS_MAX) return atMs
    reply.errorText(`ERR invalid expire time in '${command}' command`)
  }
  return NO_TIME
}
