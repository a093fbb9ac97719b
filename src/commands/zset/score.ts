/**
 * ZSCORE, ZMSCORE, ZCARD, ZCOUNT, ZLEXCOUNT, ZRANK, ZREVRANK: what is known of single members and of how many there are.
 * Source: Redis command reference (since 1.2.0, 2.0.0, 2.8.9, 6.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import { type CommandDefinition, defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { FAST, READONLY } from '../../engine/flags.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_ZSET, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { ZsetType } from '../../keyspace/types/zset.ts'
import { LexRange, ScoreRange } from '../../keyspace/types/zset-range.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { ERR_NOT_LEX_RANGE, ERR_NOT_SCORE_RANGE, replyScore } from './value.ts'

const COMMON = {
  flags: READONLY | FAST,
  acl: ['sortedset'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
} satisfies Partial<CommandDefinition>

export const zscore = defineCommand({
  ...COMMON,
  name: 'ZSCORE',
  arity: 3,
  doc: {
    group: 'sorted-set',
    since: '1.2.0',
    complexity: 'O(1)',
    summary: 'Returns the score of a member of a sorted set.',
  },
  run({ db }, argv, reply) {
    const entry = db.readTyped(argv, 1, TYPE_ZSET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY) return reply.null()
    const { bytes, starts, lengths } = argv
    const { zsets } = db.keyspace
    replyFound(zsets, zsets.scoreOf(db.rootOf(entry), db.encodingOf(entry), bytes, starts[2]!, lengths[2]!), reply)
  },
})

export const zmscore = defineCommand({
  ...COMMON,
  name: 'ZMSCORE',
  arity: -3,
  doc: {
    group: 'sorted-set',
    since: '6.2.0',
    complexity: 'O(N), N being the number of members asked for.',
    summary: 'Returns the scores of members of a sorted set.',
  },
  run({ db }, argv, reply) {
    const entry = db.readTyped(argv, 1, TYPE_ZSET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    reply.array(argv.count - 2)
    const { zsets } = db.keyspace
    const { bytes, starts, lengths } = argv
    for (let i = 2; i < argv.count; i++) {
      if (entry === NO_KEY) reply.null()
      else
        replyFound(zsets, zsets.scoreOf(db.rootOf(entry), db.encodingOf(entry), bytes, starts[i]!, lengths[i]!), reply)
    }
  },
})

export const zcard = defineCommand({
  ...COMMON,
  name: 'ZCARD',
  arity: 2,
  keys: [firstKey(KEY_RO)],
  doc: {
    group: 'sorted-set',
    since: '1.2.0',
    complexity: 'O(1)',
    summary: 'Returns how many members a sorted set has.',
  },
  run({ db }, argv, reply) {
    const entry = db.readTyped(argv, 1, TYPE_ZSET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    reply.integer(entry === NO_KEY ? 0 : db.keyspace.zsets.length(db.rootOf(entry), db.encodingOf(entry)))
  },
})

export const zcount = defineCommand({
  ...COMMON,
  name: 'ZCOUNT',
  arity: 4,
  doc: {
    group: 'sorted-set',
    since: '2.0.0',
    complexity: 'O(log(N)), N being the size of the sorted set.',
    summary: 'Returns how many members of a sorted set have a score in a range.',
  },
  run(ctx, argv, reply) {
    const range = new ScoreRange()
    if (!range.read(argv, 2, 3)) return reply.error(ERR_NOT_SCORE_RANGE)
    const entry = open(ctx, argv, reply)
    if (entry === NO_KEY) return
    const { zsets } = ctx.db.keyspace
    zsets.rangeByScore(ctx.db.rootOf(entry), ctx.db.encodingOf(entry), range)
    reply.integer(zsets.rangeTo - zsets.rangeFrom)
  },
})

export const zlexcount = defineCommand({
  ...COMMON,
  name: 'ZLEXCOUNT',
  arity: 4,
  doc: {
    group: 'sorted-set',
    since: '2.8.9',
    complexity: 'O(log(N)), N being the size of the sorted set.',
    summary: 'Returns how many members of a sorted set, all of equal score, lie in a range of bytes.',
  },
  run(ctx, argv, reply) {
    const range = new LexRange()
    if (!range.read(argv, 2, 3)) return reply.error(ERR_NOT_LEX_RANGE)
    const entry = open(ctx, argv, reply)
    if (entry === NO_KEY) return
    const { zsets } = ctx.db.keyspace
    zsets.rangeByLex(ctx.db.rootOf(entry), ctx.db.encodingOf(entry), range, 0, false)
    reply.integer(zsets.rangeTo - zsets.rangeFrom)
  },
})

export const zrank = defineCommand({
  ...COMMON,
  name: 'ZRANK',
  arity: 3,
  doc: {
    group: 'sorted-set',
    since: '2.0.0',
    complexity: 'O(log(N)), N being the size of the sorted set.',
    summary: 'Returns the rank of a member of a sorted set, from the lowest score on.',
  },
  run: (ctx, argv, reply) => replyRank(ctx, argv, false, reply),
})

export const zrevrank = defineCommand({
  ...COMMON,
  name: 'ZREVRANK',
  arity: 3,
  doc: {
    group: 'sorted-set',
    since: '2.0.0',
    complexity: 'O(log(N)), N being the size of the sorted set.',
    summary: 'Returns the rank of a member of a sorted set, from the highest score on.',
  },
  run: (ctx, argv, reply) => replyRank(ctx, argv, true, reply),
})

function replyRank({ db }: Session, argv: Argv, isReversed: boolean, reply: ReplyWriter): void {
  const entry = db.readTyped(argv, 1, TYPE_ZSET)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  if (entry === NO_KEY) return reply.null()
  const { zsets } = db.keyspace
  const root = db.rootOf(entry)
  const encoding = db.encodingOf(entry)
  const rank = zsets.rankOf(root, encoding, argv.bytes, argv.starts[2]!, argv.lengths[2]!)
  if (rank < 0) reply.null()
  else reply.integer(isReversed ? zsets.length(root, encoding) - 1 - rank : rank)
}

function replyFound(zsets: ZsetType, score: number, reply: ReplyWriter): void {
  if (Number.isNaN(score)) reply.null()
  else replyScore(zsets, score, reply)
}

/** The entry of the key, or NO_KEY when that has been replied. */
function open({ db }: Session, argv: Argv, reply: ReplyWriter): Ref {
  const entry = db.readTyped(argv, 1, TYPE_ZSET)
  if (entry === NO_KEY) reply.integer(0)
  if (entry !== WRONG_TYPE) return entry
  reply.error(ERR_WRONGTYPE)
  return NO_KEY
}
