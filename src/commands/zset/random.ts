/**
 * ZRANDMEMBER key [count [WITHSCORES]]: members chosen evenly; a negative count may choose one several times.
 * Source: Redis command reference (since 6.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import { INT64_MAX, INT64_MIN } from '../../base/int64-text.ts'
import { defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { READONLY } from '../../engine/flags.ts'
import { CLOSE_ASAP, type Session } from '../../engine/session.ts'
import { ENCODING_LISTPACK, NO_KEY, TYPE_ZSET, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { ZsetType } from '../../keyspace/types/zset.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { readInt64 } from '../connection/read-integer.ts'
import { beginMembers, replyMember, replyPair } from './value.ts'

const ERR_COUNT_MIN = errorReply(`ERR value is out of range, value must between -${INT64_MAX} and ${INT64_MAX}`)
const ERR_RANGE = errorReply('ERR value is out of range')
/** With scores the reply has twice as many elements, whose number must fit. */
const COUNT_WITH_SCORES_MAX = INT64_MAX / 2n
/** Members are chosen one by one, and looked for among those that were, if there are so many times as many. */
const SPARSE_RATIO = 3

export const zrandmember = defineCommand({
  name: 'ZRANDMEMBER',
  arity: -2,
  flags: READONLY,
  acl: ['sortedset'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'sorted-set',
    since: '6.2.0',
    complexity: 'O(N*log(M)), N being the number of members returned and M the size of the sorted set.',
    summary: 'Returns members of a sorted set chosen at random.',
  },
  run(ctx, argv, reply) {
    if (argv.count > 2) return replyCount(ctx, argv, reply)
    const { db } = ctx
    const { zsets, random } = db.keyspace
    const entry = db.readTyped(argv, 1, TYPE_ZSET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY) return reply.null()
    zsets.seekRandom(db.rootOf(entry), db.encodingOf(entry), random)
    replyMember(zsets, reply)
  },
})

function replyCount(ctx: Session, argv: Argv, reply: ReplyWriter): void {
  const exact = readInt64(argv, 2, reply, ERR_NOT_INTEGER)
  if (exact === null) return
  if (exact === INT64_MIN) return reply.error(ERR_COUNT_MIN)
  if (argv.count > 4 || (argv.count === 4 && !argv.is(3, 'WITHSCORES'))) return reply.error(ERR_SYNTAX)
  const withScores = argv.count === 4
  if (withScores && (exact < -COUNT_WITH_SCORES_MAX || exact > COUNT_WITH_SCORES_MAX)) return reply.error(ERR_RANGE)
  const { db } = ctx
  const { zsets } = db.keyspace
  const entry = db.readTyped(argv, 1, TYPE_ZSET)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  if (entry === NO_KEY || exact === 0n) return reply.array(0)
  const root = db.rootOf(entry)
  const encoding = db.encodingOf(entry)
  const count = Number(exact)
  if (count < 0 || count === 1) return replyRepeating(ctx, zsets, root, encoding, Math.abs(count), withScores, reply)
  const size = zsets.length(root, encoding)
  beginMembers(Math.min(count, size), withScores, reply)
  // All of them come from the end, as in Redis.
  if (count >= size) replyRanks(zsets, root, encoding, withScores, size, reply)
  else if (encoding === ENCODING_LISTPACK || count * SPARSE_RATIO > size) {
    replySelection(ctx, zsets, root, encoding, count, withScores, reply)
  } else {
    const chosen = new Set<number>()
    while (chosen.size < count) {
      const rank = db.keyspace.random.below(size)
      if (chosen.has(rank)) continue
      chosen.add(rank)
      zsets.seek(root, encoding, rank)
      replyOne(zsets, withScores, reply)
    }
  }
}

function replyRepeating(
  ctx: Session,
  zsets: ZsetType,
  root: Ref,
  encoding: number,
  count: number,
  withScores: boolean,
  reply: ReplyWriter,
): void {
  beginMembers(count, withScores, reply)
  const { random } = ctx.db.keyspace
  for (let left = count; left > 0 && !ctx.has(CLOSE_ASAP); left--) {
    zsets.seekRandom(root, encoding, random)
    replyOne(zsets, withScores, reply)
  }
}

function replyRanks(
  zsets: ZsetType,
  root: Ref,
  encoding: number,
  withScores: boolean,
  size: number,
  reply: ReplyWriter,
): void {
  for (let more = zsets.seek(root, encoding, size - 1); more; more = zsets.previous())
    replyOne(zsets, withScores, reply)
}

/** Goes through all members and takes each with the chance that it must have. */
function replySelection(
  ctx: Session,
  zsets: ZsetType,
  root: Ref,
  encoding: number,
  count: number,
  withScores: boolean,
  reply: ReplyWriter,
): void {
  const { random } = ctx.db.keyspace
  let wanted = count
  let left = zsets.length(root, encoding)
  for (let more = zsets.seek(root, encoding, 0); more && wanted > 0; more = zsets.next()) {
    if (random.below(left--) >= wanted) continue
    wanted--
    replyOne(zsets, withScores, reply)
  }
}

function replyOne(zsets: ZsetType, withScores: boolean, reply: ReplyWriter): void {
  if (withScores) replyPair(zsets, reply)
  else replyMember(zsets, reply)
}
