/**
 * CLIENT PAUSE, UNPAUSE, UNBLOCK, REPLY: when clients are served, and whether they are answered.
 * Source: Redis command reference, CLIENT (since 2.4.0).
 */
import { Argv } from '../../../base/argv.ts'
import type { CommandDefinition } from '../../../engine/command.ts'
import { BLOCKED, REPLY_OFF, REPLY_SKIP, REPLY_SKIP_NEXT, type UnblockReason } from '../../../engine/session.ts'
import { replySubcommandError } from '../../../engine/subcommand-error.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, errorReply } from '../../../resp/errors.ts'
import type { ReplyWriter } from '../../../resp/reply-writer.ts'
import { readInt64 } from '../read-integer.ts'
import { ADMIN_FLAGS, doc, FLAGS } from './shared.ts'

const NO_ARGUMENTS = new Argv()
const ERR_PAUSE_MODE = errorReply('ERR CLIENT PAUSE mode must be WRITE or ALL')
const ERR_TIMEOUT = errorReply('ERR timeout is not an integer or out of range')
const ERR_TIMEOUT_NEGATIVE = errorReply('ERR timeout is negative')
const ERR_UNBLOCK_REASON = errorReply('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR')

export const pause: CommandDefinition = {
  name: 'PAUSE',
  arity: -3,
  flags: ADMIN_FLAGS,
  acl: ['connection'],
  doc: doc('2.9.50', 'O(1)', 'Makes clients wait for some time, all of them or those that write.'),
  run(ctx, argv, reply) {
    if (argv.count > 4) return replySubcommandError(argv, reply)
    const onlyWrites = argv.count === 4 && argv.is(3, 'WRITE')
    if (argv.count === 4 && !onlyWrites && !argv.is(3, 'ALL')) return reply.error(ERR_PAUSE_MODE)
    const untilMs = readDeadline(argv, 2, ctx.nowMs, reply)
    if (untilMs === null) return
    ctx.engine.pause.start(onlyWrites ? 'write' : 'all', untilMs)
    reply.ok()
  },
}

export const unpause: CommandDefinition = {
  name: 'UNPAUSE',
  arity: 2,
  flags: ADMIN_FLAGS,
  acl: ['connection'],
  doc: doc('6.2.0', 'O(N) where N is the number of clients that wait', 'Ends a pause.'),
  run(ctx, _argv, reply) {
    ctx.engine.pause.end()
    reply.ok()
  },
}

export const unblock: CommandDefinition = {
  name: 'UNBLOCK',
  arity: -3,
  flags: ADMIN_FLAGS,
  acl: ['connection'],
  doc: doc(
    '5.0.0',
    'O(log N) where N is the number of clients',
    'Ends the waiting of a client that a command has blocked.',
  ),
  run(ctx, argv, reply) {
    if (argv.count > 4) return replySubcommandError(argv, reply)
    let reason: UnblockReason = 'timeout'
    if (argv.count === 4) {
      if (argv.is(3, 'ERROR')) reason = 'error'
      else if (!argv.is(3, 'TIMEOUT')) return reply.error(ERR_UNBLOCK_REASON)
    }
    const id = readInt64(argv, 2, reply, ERR_NOT_INTEGER)
    if (id === null) return
    const target = ctx.engine.sessions.get(Number(id))
    // Who waits for the end of a pause has nothing that could be ended for it alone.
    if (target === undefined || !target.has(BLOCKED) || target.unblock === null) return reply.integer(0)
    target.unblock(reason)
    // However it ends, what the target was waiting in has failed. Its arguments are gone by now, also for the slow log.
    ctx.engine.timing.countUnblocked(target, NO_ARGUMENTS, 0, true)
    reply.integer(1)
  },
}

/** Dropping replies is the dispatcher's work; here it is switched, at once for what a transaction still has to say. */
export const reply: CommandDefinition = {
  name: 'REPLY',
  arity: 3,
  flags: FLAGS,
  acl: ['connection'],
  doc: doc('3.2.0', 'O(1)', 'Switches replies on or off, or leaves out the next.'),
  run(ctx, argv, out) {
    const { engine } = ctx
    if (argv.is(2, 'ON')) {
      ctx.clearFlag(REPLY_OFF | REPLY_SKIP)
      engine.unmute()
      out.ok()
    } else if (argv.is(2, 'OFF')) {
      ctx.setFlag(REPLY_OFF)
      engine.mute()
    } else if (argv.is(2, 'SKIP')) {
      if (!ctx.has(REPLY_OFF)) ctx.setFlag(REPLY_SKIP_NEXT)
    } else out.error(ERR_SYNTAX)
  },
}

/** Milliseconds from now as a point in time; 0 stays 0. Null for what is no time, which has been replied. */
function readDeadline(argv: Argv, index: number, nowMs: number, out: ReplyWriter): number | null {
  const ms = readInt64(argv, index, out, ERR_TIMEOUT)
  if (ms === null) return null
  if (ms < 0n) {
    out.error(ERR_TIMEOUT_NEGATIVE)
    return null
  }
  // Beyond the end of time Redis's arithmetic begins anew in the past.
  return ms === 0n ? 0 : Number(BigInt.asIntN(64, ms + BigInt(nowMs)))
}
