/** Integers among the arguments of connection commands, with the errors that Redis has for what is none. */
import type { Argv } from '../../base/argv.ts'
import { ERR_NOT_INTEGER, type ErrorReply, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const INT32_MIN = -0x8000_0000
const INT32_MAX = 0x7fff_ffff
const ERR_NOT_INT32 = errorReply(`ERR value is out of range, value must between ${INT32_MIN} and ${INT32_MAX}`)

/** An argument as a 64-bit integer; null when it is none, which has been replied. */
export function readInt64(argv: Argv, index: number, reply: ReplyWriter, error: ErrorReply): bigint | null {
  const value = argv.int64(index)
  if (value === null) reply.error(error)
  return value
}

/** As `readInt64`, within the range of a C int. */
export function readInt32(argv: Argv, index: number, reply: ReplyWriter): number | null {
  const value = readInt64(argv, index, reply, ERR_NOT_INTEGER)
  if (value === null) return null
  if (value >= INT32_MIN && value <= INT32_MAX) return Number(value)
  reply.error(ERR_NOT_INT32)
  return null
}
