/** The group that a command names by its key and the group's name. */
import type { Argv } from '../../base/argv.ts'
import type { Session } from '../../engine/session.ts'
import { echoText } from '../../engine/subcommand-error.ts'
import { NO_KEY } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

/** The group argv[nameIndex] of the stream that was found, or 0. */
export function findGroup(ctx: Session, argv: Argv, entry: Ref, nameIndex: number): Ref {
  if (entry === NO_KEY) return 0
  const { groups } = ctx.db.keyspace.streams
  return groups.find(ctx.db.rootOf(entry), argv.bytes, argv.starts[nameIndex]!, argv.lengths[nameIndex]!)
}

/** As commands on what is pending say that argv[1] is no key or argv[2] no group of it. */
export function replyNoGroup(argv: Argv, reply: ReplyWriter): void {
  const key = echoText(argv, 1, Number.POSITIVE_INFINITY)
  const group = echoText(argv, 2, Number.POSITIVE_INFINITY)
  reply.errorText(`NOGROUP No such key '${key}' or consumer group '${group}'`)
}

/** As XGROUP and XINFO say that argv[3] is no group of argv[2]. */
export function replyNoGroupOfKey(argv: Argv, reply: ReplyWriter): void {
  const key = echoText(argv, 2, Number.POSITIVE_INFINITY)
  const group = echoText(argv, 3, Number.POSITIVE_INFINITY)
  reply.errorText(`NOGROUP No such consumer group '${group}' for key name '${key}'`)
}
