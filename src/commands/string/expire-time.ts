/**
 * The options EX, PX, EXAT and PXAT as SET, GETEX and others take them: a moment as Unix milliseconds.
 */
import type { Argv } from '../../base/argv.ts'
import { INT64_MAX, parseInt64 } from '../../base/int64-text.ts'
import type { Session } from '../../engine/session.ts'
import { ERR_NOT_INTEGER } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

export const NO_EXPIRE_TIME = -1

/**
 * Reads the number behind the option at argv[index]. Writes the error and returns NO_EXPIRE_TIME if it is not a whole
 * number or not a moment after 1970 that 64 bits can hold.
 */
export function readExpireTime(ctx: Session, argv: Argv, index: number, reply: ReplyWriter): number {
  const start = argv.starts[index + 1]!
  const given = parseInt64(argv.bytes, start, start + argv.lengths[index + 1]!)
  if (given === null) {
    reply.error(ERR_NOT_INTEGER)
    return NO_EXPIRE_TIME
  }
  const inSeconds = argv.is(index, 'EX') || argv.is(index, 'EXAT')
  const isRelative = argv.is(index, 'EX') || argv.is(index, 'PX')
  const ms = inSeconds ? given * 1000n : given
  const atMs = isRelative ? ms + BigInt(ctx.nowMs) : ms
  if (given <= 0n || ms > INT64_MAX || atMs > INT64_MAX) {
    reply.errorText(`ERR invalid expire time in '${ctx.lastCommand!.command.fullName}' command`)
    return NO_EXPIRE_TIME
  }
  return Number(atMs)
}
