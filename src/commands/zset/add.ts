/**
 * ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...], ZINCRBY key increment member. Replies: how many
 * members are new, with CH how many are new or have another score, with INCR the new score or null.
 * All scores are read before anything changes. Propagated as requested.
 * Hot path: bench/micro/zset.ts. Source: Redis command reference (since 1.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import { parseDouble } from '../../base/double-text.ts'
import { defineCommand, firstKey, KEY_ACCESS, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { DENYOOM, FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_ZSET } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_ZSET, WRONG_TYPE } from '../../keyspace/entry.ts'
import {
  ADD_GT,
  ADD_INCR,
  ADD_LT,
  ADD_NX,
  ADD_REFUSED,
  ADD_XX,
  MEMBER_ADDED,
  SCORE_NAN,
  SCORE_UPDATED,
  type ZsetType,
} from '../../keyspace/types/zset.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_FLOAT, ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { keepChanges, replyScore } from './value.ts'

const ERR_XX_AND_NX = errorReply('ERR XX and NX options at the same time are not compatible')
const ERR_GT_LT_NX = errorReply('ERR GT, LT, and/or NX options at the same time are not compatible')
const ERR_INCR_PAIRS = errorReply('ERR INCR option supports a single increment-element pair')
export const ERR_SCORE_NAN = errorReply('ERR resulting score is not a number (NaN)')
const OPTION_CH = 1 << 8
const DIGIT_0 = 48
const DIGIT_9 = 57

export const zadd = defineCommand({
  name: 'ZADD',
  arity: -4,
  flags: WRITE | DENYOOM | FAST,
  acl: ['sortedset'],
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
  doc: {
    group: 'sorted-set',
    since: '1.2.0',
    complexity: 'O(log(N)) for each member, N being the size of the sorted set.',
    summary: 'Adds members with their scores to a sorted set, or gives members other scores.',
  },
  run: (ctx, argv, reply) => addMembers(ctx, argv, 0, reply),
})

export const zincrby = defineCommand({
  name: 'ZINCRBY',
  arity: 4,
  flags: WRITE | DENYOOM | FAST,
  acl: ['sortedset'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_UPDATE)],
  doc: {
    group: 'sorted-set',
    since: '1.2.0',
    complexity: 'O(log(N)), N being the size of the sorted set.',
    summary: 'Adds a number to the score of a member of a sorted set.',
  },
  run: (ctx, argv, reply) => addMembers(ctx, argv, ADD_INCR, reply),
})

/** Runs ZADD's arguments; `given` are options that the command stands for. Hot. */
export function addMembers(ctx: Session, argv: Argv, given: number, reply: ReplyWriter): void {
  const { bytes, starts, lengths, count } = argv
  let options = given
  let first = 2
  // A digit begins no option.
  const lead = lengths[2] === 0 ? 0 : bytes[starts[2]!]!
  if (lead < DIGIT_0 || lead > DIGIT_9) {
    for (let option = readOption(argv, first); option !== 0; option = readOption(argv, first)) {
      options |= option
      if (++first === count) break
    }
  }
  const left = count - first
  if (left === 0 || left % 2 === 1) return reply.error(ERR_SYNTAX)
  if (options !== 0) {
    const error = conflict(options, left)
    if (error !== null) return reply.error(error)
  }
  let score = 0
  for (let i = first; i < count; i += 2) {
    score = parseDouble(bytes, starts[i]!, starts[i]! + lengths[i]!)
    if (Number.isNaN(score)) return reply.error(ERR_NOT_FLOAT)
  }
  if (left > 2) score = parseDouble(bytes, starts[first]!, starts[first]! + lengths[first]!)
  const { db } = ctx
  const { zsets } = db.keyspace
  let entry = db.writeTyped(argv, 1, TYPE_ZSET)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)

  let added = 0
  let updated = 0
  let hasScore = false
  if (entry === NO_KEY) {
    if ((options & ADD_XX) !== 0) return options & ADD_INCR ? reply.null() : reply.integer(0)
    entry = addKeyWith(ctx, zsets, argv, score, first + 1)
    added = 1
    hasScore = true
    first += 2
  } else db.beforeChange(entry)

  let root = db.rootOf(entry)
  let encoding = db.encodingOf(entry)
  const conditions = options & ~OPTION_CH
  for (let i = first; i < count; i += 2) {
    if (left > 2) score = parseDouble(bytes, starts[i]!, starts[i]! + lengths[i]!)
    const result = zsets.add(root, encoding, score, conditions, bytes, starts[i + 1]!, lengths[i + 1]!)
    if (result === MEMBER_ADDED) added++
    else if (result === SCORE_UPDATED) updated++
    else if (result === SCORE_NAN) return reply.error(ERR_SCORE_NAN)
    hasScore = result !== ADD_REFUSED
    if (zsets.root === root && zsets.encoding === encoding) continue
    root = zsets.root
    encoding = zsets.encoding
    keepChanges(db, entry)
  }
  if (added + updated > 0) {
    ctx.changed(argv, 1, NOTIFY_ZSET, (options & ADD_INCR) !== 0 ? 'zincr' : 'zadd')
    ctx.dirtied(added + updated - 1)
  }
  if ((options & ADD_INCR) === 0) reply.integer((options & OPTION_CH) !== 0 ? added + updated : added)
  else if (hasScore) replyScore(zsets, zsets.newScore, reply)
  else reply.null()
}

/** Adds the key as a sorted set of one member. Returns its entry. */
function addKeyWith(ctx: Session, zsets: ZsetType, argv: Argv, score: number, memberIndex: number): Ref {
  const { bytes, starts, lengths } = argv
  const start = starts[memberIndex]!
  const length = lengths[memberIndex]!
  zsets.create(1, length)
  try {
    zsets.add(zsets.root, zsets.encoding, score, 0, bytes, start, length)
    return ctx.db.addValue(bytes, starts[1]!, lengths[1]!, TYPE_ZSET, zsets.encoding, zsets.root)
  } catch (error) {
    zsets.release(zsets.root, zsets.encoding)
    throw error
  }
}

function readOption(argv: Argv, index: number): number {
  if (argv.is(index, 'NX')) return ADD_NX
  if (argv.is(index, 'XX')) return ADD_XX
  if (argv.is(index, 'CH')) return OPTION_CH
  if (argv.is(index, 'INCR')) return ADD_INCR
  if (argv.is(index, 'GT')) return ADD_GT
  return argv.is(index, 'LT') ? ADD_LT : 0
}

function conflict(options: number, left: number) {
  const hasNx = (options & ADD_NX) !== 0
  const hasGt = (options & ADD_GT) !== 0
  const hasLt = (options & ADD_LT) !== 0
  if (hasNx && (options & ADD_XX) !== 0) return ERR_XX_AND_NX
  if ((hasGt && hasNx) || (hasLt && hasNx) || (hasGt && hasLt)) return ERR_GT_LT_NX
  return (options & ADD_INCR) !== 0 && left > 2 ? ERR_INCR_PAIRS : null
}
