/**
 * ZRANGE key min max [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES], its older forms ZREVRANGE, Z[REV]RANGEBYSCORE and
 * Z[REV]RANGEBYLEX, and ZRANGESTORE destination source ..., which stores what ZRANGE would reply.
 * Reply: the members, with scores if asked for; ZRANGESTORE: how many were stored.
 * Offsets of any size cost nothing, since a range is known by its ranks. Propagated as requested.
 * Source: Redis command reference (since 1.2.0, 1.0.5, 2.8.9, 6.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_OW,
  KEY_RO,
  KEY_UPDATE,
  keyAt,
} from '../../engine/command.ts'
import { DENYOOM, READONLY, WRITE } from '../../engine/flags.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_ZSET, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { ZsetType } from '../../keyspace/types/zset.ts'
import { LexRange, ScoreRange } from '../../keyspace/types/zset-range.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import {
  beginMembers,
  ERR_NOT_LEX_RANGE,
  ERR_NOT_SCORE_RANGE,
  readLong,
  replyMember,
  replyPair,
  storeResult,
} from './value.ts'

const ERR_LIMIT = errorReply('ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX')
const ERR_WITHSCORES = errorReply('ERR syntax error, WITHSCORES not supported in combination with BYLEX')

// What a range is of
const ANY = 0
const RANKS = 1
const SCORES = 2
const BYTES = 3

const COMMON = {
  arity: -4,
  flags: READONLY,
  acl: ['sortedset'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
} satisfies Partial<CommandDefinition>
const COMPLEXITY = 'O(log(N)+M), N being the size of the sorted set and M the number of members returned.'

/** One request: what is asked for, and the ranks that this comes to. */
class RangeRequest {
  of: number
  isReversed: boolean
  withScores = false
  offset = 0
  /** Below 0: all. */
  limit = -1
  first = 0
  last = 0
  readonly scores = new ScoreRange()
  readonly lex = new LexRange()
  /** The ranks [from, to). */
  from = 0
  to = 0

  constructor(of: number, isReversed: boolean) {
    this.of = of
    this.isReversed = isReversed
  }

  /** Reads key, range and options from argv[keyIndex] on. False: there is a mistake, which has been replied. */
  read(argv: Argv, keyIndex: number, mayTurn: boolean, isStore: boolean, reply: ReplyWriter): boolean {
    const mayChoose = this.of === ANY
    for (let i = keyIndex + 3; i < argv.count; i++) {
      if (!isStore && argv.is(i, 'WITHSCORES')) this.withScores = true
      else if (argv.count - i > 2 && argv.is(i, 'LIMIT')) {
        this.offset = readLong(argv, ++i, reply)
        if (Number.isNaN(this.offset)) return false
        this.limit = readLong(argv, ++i, reply)
        if (Number.isNaN(this.limit)) return false
      } else if (mayTurn && !this.isReversed && argv.is(i, 'REV')) this.isReversed = true
      else if (mayChoose && this.of === ANY && argv.is(i, 'BYLEX')) this.of = BYTES
      else if (mayChoose && this.of === ANY && argv.is(i, 'BYSCORE')) this.of = SCORES
      else {
        reply.error(ERR_SYNTAX)
        return false
      }
    }
    if (this.of === ANY) this.of = RANKS
    if (this.limit !== -1 && this.of === RANKS) {
      reply.error(ERR_LIMIT)
      return false
    }
    if (this.withScores && this.of === BYTES) {
      reply.error(ERR_WITHSCORES)
      return false
    }
    return this.readBounds(argv, keyIndex + 1, reply)
  }

  /** Finds the ranks of what is asked for in a sorted set. */
  resolve(zsets: ZsetType, root: Ref, encoding: number): void {
    const length = zsets.length(root, encoding)
    if (this.of === RANKS) {
      const from = Math.max(0, this.first < 0 ? this.first + length : this.first)
      const to = Math.min(length, (this.last < 0 ? this.last + length : this.last) + 1)
      this.from = this.isReversed ? length - to : from
      this.to = this.isReversed ? length - from : to
      return
    }
    if (this.offset < 0) return
    if (this.of === SCORES) {
      zsets.rangeByScore(root, encoding, this.scores)
      if (this.isReversed) zsets.rangeTo = Math.max(zsets.rangeFrom, zsets.rangeTo - this.offset)
      else zsets.rangeFrom = Math.min(zsets.rangeTo, zsets.rangeFrom + this.offset)
    } else zsets.rangeByLex(root, encoding, this.lex, this.offset, this.isReversed)
    this.from = zsets.rangeFrom
    this.to = zsets.rangeTo
    if (this.limit < 0) return
    if (this.isReversed) this.from = Math.max(this.from, this.to - this.limit)
    else this.to = Math.min(this.to, this.from + this.limit)
  }

  private readBounds(argv: Argv, index: number, reply: ReplyWriter): boolean {
    if (this.of === RANKS) {
      this.first = readLong(argv, index, reply)
      if (Number.isNaN(this.first)) return false
      this.last = readLong(argv, index + 1, reply)
      return !Number.isNaN(this.last)
    }
    const min = this.isReversed ? index + 1 : index
    const max = this.isReversed ? index : index + 1
    const isScores = this.of === SCORES
    if (isScores ? this.scores.read(argv, min, max) : this.lex.read(argv, min, max)) return true
    reply.error(isScores ? ERR_NOT_SCORE_RANGE : ERR_NOT_LEX_RANGE)
    return false
  }
}

export const zrange = defineCommand({
  ...COMMON,
  name: 'ZRANGE',
  doc: {
    group: 'sorted-set',
    since: '1.2.0',
    complexity: COMPLEXITY,
    summary: 'Returns the members of a sorted set in a range of ranks, scores or bytes.',
  },
  run: (ctx, argv, reply) => replyRange(ctx, argv, new RangeRequest(ANY, false), true, reply),
})

export const zrevrange = defineCommand({
  ...COMMON,
  name: 'ZREVRANGE',
  doc: {
    group: 'sorted-set',
    since: '1.2.0',
    complexity: COMPLEXITY,
    summary: 'Returns the members of a sorted set in a range of ranks, from the highest score on.',
  },
  run: (ctx, argv, reply) => replyRange(ctx, argv, new RangeRequest(RANKS, true), false, reply),
})

export const zrangebyscore = defineCommand({
  ...COMMON,
  name: 'ZRANGEBYSCORE',
  doc: {
    group: 'sorted-set',
    since: '1.0.5',
    complexity: COMPLEXITY,
    summary: 'Returns the members of a sorted set whose scores are in a range.',
  },
  run: (ctx, argv, reply) => replyRange(ctx, argv, new RangeRequest(SCORES, false), false, reply),
})

export const zrevrangebyscore = defineCommand({
  ...COMMON,
  name: 'ZREVRANGEBYSCORE',
  doc: {
    group: 'sorted-set',
    since: '2.2.0',
    complexity: COMPLEXITY,
    summary: 'Returns the members of a sorted set whose scores are in a range, from the highest score on.',
  },
  run: (ctx, argv, reply) => replyRange(ctx, argv, new RangeRequest(SCORES, true), false, reply),
})

export const zrangebylex = defineCommand({
  ...COMMON,
  name: 'ZRANGEBYLEX',
  doc: {
    group: 'sorted-set',
    since: '2.8.9',
    complexity: COMPLEXITY,
    summary: 'Returns the members of a sorted set, all of equal score, that lie in a range of bytes.',
  },
  run: (ctx, argv, reply) => replyRange(ctx, argv, new RangeRequest(BYTES, false), false, reply),
})

export const zrevrangebylex = defineCommand({
  ...COMMON,
  name: 'ZREVRANGEBYLEX',
  doc: {
    group: 'sorted-set',
    since: '2.8.9',
    complexity: COMPLEXITY,
    summary:
      'Returns the members of a sorted set, all of equal score, that lie in a range of bytes, the last one first.',
  },
  run: (ctx, argv, reply) => replyRange(ctx, argv, new RangeRequest(BYTES, true), false, reply),
})

export const zrangestore = defineCommand({
  name: 'ZRANGESTORE',
  arity: -5,
  flags: WRITE | DENYOOM,
  acl: ['sortedset'],
  keys: [keyAt(1, KEY_OW | KEY_UPDATE), keyAt(2, KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'sorted-set',
    since: '6.2.0',
    complexity: 'O(log(N)+M), N being the size of the sorted set and M the number of members stored.',
    summary: 'Stores a range of the members of a sorted set in another key.',
  },
  run(ctx, argv, reply) {
    const request = new RangeRequest(ANY, false)
    if (!request.read(argv, 2, true, true, reply)) return
    const { db } = ctx
    const { zsets } = db.keyspace
    const entry = db.readTyped(argv, 2, TYPE_ZSET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY) zsets.createSmall()
    else {
      const root = db.rootOf(entry)
      const encoding = db.encodingOf(entry)
      request.resolve(zsets, root, encoding)
      copyRange(zsets, root, encoding, request)
    }
    storeResult(ctx, argv, 1, 'zrangestore', reply)
  },
})

function replyRange(ctx: Session, argv: Argv, request: RangeRequest, mayTurn: boolean, reply: ReplyWriter): void {
  if (!request.read(argv, 1, mayTurn, false, reply)) return
  const { db } = ctx
  const entry = db.readTyped(argv, 1, TYPE_ZSET)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  if (entry === NO_KEY) return reply.array(0)
  const { zsets } = db.keyspace
  const root = db.rootOf(entry)
  const encoding = db.encodingOf(entry)
  request.resolve(zsets, root, encoding)
  const { from, to, withScores, isReversed } = request
  const count = Math.max(0, to - from)
  beginMembers(count, withScores, reply)
  if (count === 0) return
  zsets.seek(root, encoding, isReversed ? to - 1 : from)
  for (let left = count; ; ) {
    if (withScores) replyPair(zsets, reply)
    else replyMember(zsets, reply)
    if (--left === 0) return
    if (isReversed) zsets.previous()
    else zsets.next()
  }
}

/** Makes a sorted set of the members in a range. */
function copyRange(zsets: ZsetType, root: Ref, encoding: number, { from, to }: RangeRequest): void {
  const count = Math.max(0, to - from)
  zsets.create(count, 0)
  if (count === 0) return
  try {
    zsets.seek(root, encoding, from)
    for (let left = count; ; ) {
      zsets.add(zsets.root, zsets.encoding, zsets.score, 0, zsets.bytes, zsets.start, zsets.lengthBytes)
      if (--left === 0) return
      zsets.next()
    }
  } catch (error) {
    zsets.release(zsets.root, zsets.encoding)
    throw error
  }
}
