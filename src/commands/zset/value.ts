/** What commands on sorted sets have in common. */
import type { Argv } from '../../base/argv.ts'
import { writeDouble17g } from '../../base/double-text.ts'
import { parseInt64 } from '../../base/int64-text.ts'
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import type { Db } from '../../keyspace/db.ts'
import type { ZsetType } from '../../keyspace/types/zset.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, type ErrorReply, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

export const ERR_NOT_SCORE_RANGE = errorReply('ERR min or max is not a float')
export const ERR_NOT_LEX_RANGE = errorReply('ERR min or max not valid string range item')
export const ERR_NOT_POSITIVE = errorReply('ERR value is out of range, must be positive')

/** An argument as a 64-bit integer, rounded beyond 2^53; NaN when it is none, which has been replied. */
export function readLong(argv: Argv, index: number, reply: ReplyWriter, error = ERR_NOT_INTEGER): number {
  const value = argv.safeInt(index)
  if (!Number.isNaN(value)) return value
  const start = argv.starts[index]!
  const large = parseInt64(argv.bytes, start, start + argv.lengths[index]!)
  if (large !== null) return Number(large)
  reply.error(error)
  return Number.NaN
}

/** As `readLong`, of a number that must be `min` or more. */
export function readLongFrom(argv: Argv, index: number, min: number, reply: ReplyWriter, error: ErrorReply): number {
  const value = readLong(argv, index, reply, error)
  if (value >= min || Number.isNaN(value)) return value
  reply.error(error)
  return Number.NaN
}

/** Writes what became of a key's sorted set to its entry. */
export function keepChanges(db: Db, entry: Ref): void {
  const { zsets } = db.keyspace
  if (db.rootOf(entry) !== zsets.root) db.setRoot(entry, zsets.root)
  if (db.encodingOf(entry) !== zsets.encoding) db.setEncoding(entry, zsets.encoding)
}

/** Replies the member that was come to. */
export function replyMember(zsets: ZsetType, reply: ReplyWriter): void {
  reply.bulk(zsets.bytes, zsets.start, zsets.lengthBytes)
}

/** Replies the member that was come to, and its score: a pair in RESP3, flat in RESP2. */
export function replyPair(zsets: ZsetType, reply: ReplyWriter): void {
  if (reply.protocol === 3) reply.array(2)
  reply.bulk(zsets.bytes, zsets.start, zsets.lengthBytes)
  replyScore(zsets, zsets.score, reply)
}

/** As `reply.double`, and for clients of RESP2 without making a string. Hot. */
export function replyScore(zsets: ZsetType, score: number, reply: ReplyWriter): void {
  if (reply.protocol === 3) reply.double(score)
  else reply.bulk(zsets.text, 0, writeDouble17g(zsets.text, 0, score))
}

/** Begins a reply of members, or of such pairs. */
export function beginMembers(count: number, withScores: boolean, reply: ReplyWriter): void {
  reply.array(withScores && reply.protocol === 2 ? count * 2 : count)
}

/**
 * Stores what a command has computed as a value of its own, `zsets.root` of `zsets.encoding`, under argv[keyIndex], or
 * removes that key if there is nothing to store: -1 members. Replies their number.
 */
export function storeResult(ctx: Session, argv: Argv, keyIndex: number, event: string, reply: ReplyWriter): void {
  const { db } = ctx
  const { zsets } = db.keyspace
  const { bytes } = argv
  const start = argv.starts[keyIndex]!
  const length = argv.lengths[keyIndex]!
  const { root, encoding } = zsets
  const count = zsets.length(root, encoding)
  if (count > 0) {
    try {
      db.setValue(bytes, start, length, zsets.type, encoding, root)
    } catch (error) {
      zsets.release(root, encoding)
      throw error
    }
    ctx.changedKey(bytes, start, length, NOTIFY_ZSET, event)
  } else {
    zsets.release(root, encoding)
    if (db.removeKey(bytes, start, length)) ctx.changedKey(bytes, start, length, NOTIFY_GENERIC, 'del')
  }
  reply.integer(count)
}
