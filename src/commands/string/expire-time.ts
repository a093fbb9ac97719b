/**
 * The options EX, PX, EXAT and PXAT as SET, SETEX, GETEX and others take them: a moment as Unix milliseconds.
 */
import type { Argv } from '../../base/argv.ts'
import { INT64_MAX, parseInt64 } from '../../base/int64-text.ts'
import type { Session } from '../../engine/session.ts'
import type { UnixTimeMs } from '../../keyspace/db.ts'
import { ERR_NOT_INTEGER } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

/** Not one of the options. */
export const UNIT_NONE = 0
export const UNIT_EX = 1
export const UNIT_PX = 2
export const UNIT_EXAT = 3
export const UNIT_PXAT = 4

export const NO_EXPIRE_TIME = -1

/** Below this, milliseconds and a moment that many seconds from now are exact as numbers. */
const PLAIN_BELOW = 4e12

/** Which of the options the argument is. */
export function expireUnit(argv: Argv, index: number): number {
  if (argv.is(index, 'EX')) return UNIT_EX
  if (argv.is(index, 'PX')) return UNIT_PX
  if (argv.is(index, 'EXAT')) return UNIT_EXAT
  return argv.is(index, 'PXAT') ? UNIT_PXAT : UNIT_NONE
}

/**
 * Reads the number at argv[index], for the command of this name. Writes the error and returns NO_EXPIRE_TIME if it is not a whole number or not a
 * moment after 1970 that 64 bits can hold.
 */
export function readExpireTime(
  ctx: Session,
  argv: Argv,
  index: number,
  unit: number,
  command: string,
  reply: ReplyWriter,
): UnixTimeMs {
  const given = argv.safeInt(index)
  if (!(given > 0 && given < PLAIN_BELOW)) return readExpireTimeSlow(ctx, argv, index, unit, command, reply)
  const ms = unit === UNIT_EX || unit === UNIT_EXAT ? given * 1000 : given
  return unit === UNIT_EX || unit === UNIT_PX ? ms + ctx.nowMs : ms
}

function readExpireTimeSlow(
  ctx: Session,
  argv: Argv,
  index: number,
  unit: number,
  command: string,
  reply: ReplyWriter,
): UnixTimeMs {
  const start = argv.starts[index]!
  const given = parseInt64(argv.bytes, start, start + argv.lengths[index]!)
  if (given === null) {
    reply.error(ERR_NOT_INTEGER)
    return NO_EXPIRE_TIME
  }
  const ms = unit === UNIT_EX || unit === UNIT_EXAT ? given * 1000n : given
  const atMs = unit === UNIT_EX || unit === UNIT_PX ? ms + BigInt(ctx.nowMs) : ms
  if (given <= 0n || ms > INT64_MAX || atMs > INT64_MAX) {
    reply.errorText(`ERR invalid expire time in '${command}' command`)
    return NO_EXPIRE_TIME
  }
  return atMs
}
