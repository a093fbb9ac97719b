/**
 * ZREM, ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX: members leave a sorted set, which goes with the last one.
 * Reply: how many. Propagated as requested. A range that is all of a sorted set goes as a whole, and is freed in steps.
 * Source: Redis command reference (since 1.2.0, 2.0.0, 2.8.9).
 */
import type { Argv } from '../../base/argv.ts'
import { type CommandDefinition, defineCommand, firstKey, KEY_DELETE, KEY_RW } from '../../engine/command.ts'
import { FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_ZSET, WRONG_TYPE } from '../../keyspace/entry.ts'
import { LexRange, ScoreRange } from '../../keyspace/types/zset-range.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { ERR_NOT_LEX_RANGE, ERR_NOT_SCORE_RANGE, keepChanges, readLong } from './value.ts'

const COMMON = {
  acl: ['sortedset'],
  keys: [firstKey(KEY_RW | KEY_DELETE)],
} satisfies Partial<CommandDefinition>
const RANGE_COMPLEXITY = 'O(log(N)+M), N being the size of the sorted set and M the number of members removed.'

export const zrem = defineCommand({
  ...COMMON,
  name: 'ZREM',
  arity: -3,
  flags: WRITE | FAST,
  doc: {
    group: 'sorted-set',
    since: '1.2.0',
    complexity: 'O(M*log(N)), N being the size of the sorted set and M the number of members to remove.',
    summary: 'Removes members from a sorted set, which goes with the last one.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { zsets } = db.keyspace
    const entry = db.writeTyped(argv, 1, TYPE_ZSET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY) return reply.integer(0)
    db.beforeChange(entry)
    const encoding = db.encodingOf(entry)
    let root = db.rootOf(entry)
    let left = zsets.length(root, encoding)
    let removed = 0
    for (let i = 2; i < argv.count && left > 0; i++) {
      if (!zsets.remove(root, encoding, argv.bytes, argv.starts[i]!, argv.lengths[i]!)) continue
      removed++
      left--
      if (zsets.root === root) continue
      root = zsets.root
      db.setRoot(entry, root)
    }
    if (removed > 0) announce(ctx, argv, entry, 'zrem', removed, left)
    reply.integer(removed)
  },
})

export const zremrangebyrank = defineCommand({
  ...COMMON,
  name: 'ZREMRANGEBYRANK',
  arity: 4,
  flags: WRITE,
  doc: {
    group: 'sorted-set',
    since: '2.0.0',
    complexity: RANGE_COMPLEXITY,
    summary: 'Removes the members of a sorted set from one rank to another.',
  },
  run(ctx, argv, reply) {
    const first = readLong(argv, 2, reply)
    if (Number.isNaN(first)) return
    const last = readLong(argv, 3, reply)
    if (Number.isNaN(last)) return
    const entry = open(ctx, argv, reply)
    if (entry === NO_KEY) return
    const { db } = ctx
    const length = db.keyspace.zsets.length(db.rootOf(entry), db.encodingOf(entry))
    const from = Math.max(0, first < 0 ? first + length : first)
    const to = Math.min(length, (last < 0 ? last + length : last) + 1)
    removeRange(ctx, argv, entry, 'zremrangebyrank', from, to, reply)
  },
})

export const zremrangebyscore = defineCommand({
  ...COMMON,
  name: 'ZREMRANGEBYSCORE',
  arity: 4,
  flags: WRITE,
  doc: {
    group: 'sorted-set',
    since: '1.2.0',
    complexity: RANGE_COMPLEXITY,
    summary: 'Removes the members of a sorted set whose scores are in a range.',
  },
  run(ctx, argv, reply) {
    const range = new ScoreRange()
    if (!range.read(argv, 2, 3)) return reply.error(ERR_NOT_SCORE_RANGE)
    const entry = open(ctx, argv, reply)
    if (entry === NO_KEY) return
    const { db } = ctx
    const { zsets } = db.keyspace
    zsets.rangeByScore(db.rootOf(entry), db.encodingOf(entry), range)
    removeRange(ctx, argv, entry, 'zremrangebyscore', zsets.rangeFrom, zsets.rangeTo, reply)
  },
})

export const zremrangebylex = defineCommand({
  ...COMMON,
  name: 'ZREMRANGEBYLEX',
  arity: 4,
  flags: WRITE,
  doc: {
    group: 'sorted-set',
    since: '2.8.9',
    complexity: RANGE_COMPLEXITY,
    summary: 'Removes the members of a sorted set, all of equal score, that lie in a range of bytes.',
  },
  run(ctx, argv, reply) {
    const range = new LexRange()
    if (!range.read(argv, 2, 3)) return reply.error(ERR_NOT_LEX_RANGE)
    const entry = open(ctx, argv, reply)
    if (entry === NO_KEY) return
    const { db } = ctx
    const { zsets } = db.keyspace
    zsets.rangeByLex(db.rootOf(entry), db.encodingOf(entry), range, 0, false)
    removeRange(ctx, argv, entry, 'zremrangebylex', zsets.rangeFrom, zsets.rangeTo, reply)
  },
})

/** The entry of the key, or NO_KEY when that has been replied. */
function open({ db }: Session, argv: Argv, reply: ReplyWriter): Ref {
  const entry = db.writeTyped(argv, 1, TYPE_ZSET)
  if (entry === NO_KEY) reply.integer(0)
  if (entry !== WRONG_TYPE) return entry
  reply.error(ERR_WRONGTYPE)
  return NO_KEY
}

function removeRange(
  ctx: Session,
  argv: Argv,
  entry: Ref,
  event: string,
  from: number,
  to: number,
  reply: ReplyWriter,
): void {
  if (from >= to) return reply.integer(0)
  const { db } = ctx
  const { zsets } = db.keyspace
  const root = db.rootOf(entry)
  const encoding = db.encodingOf(entry)
  const left = zsets.length(root, encoding) - (to - from)
  db.beforeChange(entry)
  if (left > 0) {
    zsets.removeRange(root, encoding, from, to - from)
    keepChanges(db, entry)
  }
  announce(ctx, argv, entry, event, to - from, left)
  reply.integer(to - from)
}

function announce(ctx: Session, argv: Argv, entry: Ref, event: string, removed: number, left: number): void {
  const { db } = ctx
  if (left === 0) db.remove(entry)
  ctx.changed(argv, 1, NOTIFY_ZSET, event)
  if (left === 0) ctx.notify(NOTIFY_GENERIC, 'del', db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
  ctx.dirtied(removed - 1)
}
