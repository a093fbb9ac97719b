/**
 * XPENDING key group: how much is pending, between which ids, for whom.
 * XPENDING key group [IDLE ms] start end count [consumer]: what is pending, for whom, since when, and how often delivered.
 * Source: Redis command reference (since 5.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { READONLY } from '../../engine/flags.ts'
import type { Session } from '../../engine/session.ts'
import { TYPE_STREAM, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { StreamType } from '../../keyspace/types/stream.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { IdCursor } from '../../structures/id-tree.ts'
import { StreamId } from '../../structures/stream-id.ts'
import { readRangeEnd, readRangeStart, replyId } from './ids.ts'
import { findGroup, replyNoGroup } from './lookup.ts'

interface Filter {
  readonly minIdleMs: number
  readonly start: StreamId
  readonly end: StreamId
  readonly count: number
  /** Which argument names the consumer; 0 = none does. */
  readonly consumerAt: number
}

export const xpending = defineCommand({
  name: 'XPENDING',
  arity: -3,
  flags: READONLY,
  acl: ['stream'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'stream',
    since: '5.0.0',
    complexity:
      'O(N) for N entries returned, or looked at when IDLE is given. The overview takes O(1), and O(N) more for N consumers.',
    summary: 'Returns what is pending in a consumer group.',
  },
  run(ctx, argv, reply) {
    if (argv.count !== 3 && (argv.count < 6 || argv.count > 9)) return reply.error(ERR_SYNTAX)
    let filter: Filter | null = null
    if (argv.count > 3) {
      filter = readFilter(argv, reply)
      if (filter === null) return
    }
    const entry = ctx.db.readTyped(argv, 1, TYPE_STREAM)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const group = findGroup(ctx, argv, entry, 2)
    if (group === 0) return replyNoGroup(argv, reply)
    const { streams } = ctx.db.keyspace
    if (filter === null) replyOverview(streams, group, reply)
    else replyPending(ctx, streams, group, argv, filter, reply)
  },
})

function readFilter(argv: Argv, reply: ReplyWriter): Filter | null {
  let at = 3
  let minIdleMs = 0
  if (argv.is(3, 'IDLE')) {
    const idle = argv.int64(4)
    if (idle === null) {
      reply.error(ERR_NOT_INTEGER)
      return null
    }
    if (argv.count < 8) {
      reply.error(ERR_SYNTAX)
      return null
    }
    minIdleMs = Number(idle)
    at = 5
  }
  const count = argv.int64(at + 2)
  if (count === null) {
    reply.error(ERR_NOT_INTEGER)
    return null
  }
  const start = readRangeStart(argv, at, reply)
  if (start === null) return null
  const end = readRangeEnd(argv, at + 1, reply)
  if (end === null) return null
  return { minIdleMs, start, end, count: Math.max(0, Number(count)), consumerAt: at + 3 < argv.count ? at + 3 : 0 }
}

function replyOverview(streams: StreamType, group: Ref, reply: ReplyWriter): void {
  const { tree, groups } = streams
  reply.array(4)
  reply.integer(tree.count(group))
  if (tree.count(group) === 0) {
    reply.null()
    reply.null()
    reply.nullArray()
    return
  }
  const cursor = new IdCursor()
  const id = new StreamId()
  tree.seekFirst(group, cursor)
  tree.readId(cursor, id)
  replyId(streams, id, reply)
  tree.seekLast(group, cursor)
  tree.readId(cursor, id)
  replyId(streams, id, reply)
  const gap = reply.gap()
  let found = 0
  for (let i = 0; i < groups.consumerCount(group); i++) {
    const consumer = groups.consumerAt(group, i)
    if (tree.count(consumer) === 0) continue
    reply.array(2)
    replyConsumerName(streams, consumer, reply)
    reply.bulkInteger(tree.count(consumer))
    found++
  }
  reply.fillArray(gap, found)
}

function replyPending(
  ctx: Session,
  streams: StreamType,
  group: Ref,
  argv: Argv,
  filter: Filter,
  reply: ReplyWriter,
): void {
  const { tree, groups } = streams
  const { consumerAt, minIdleMs } = filter
  let pel = group
  if (consumerAt > 0) {
    pel = groups.findConsumer(group, argv.bytes, argv.starts[consumerAt]!, argv.lengths[consumerAt]!)
    if (pel === 0) return reply.array(0)
  }
  const cursor = new IdCursor()
  const id = new StreamId()
  const gap = reply.gap()
  let found = 0
  for (let goesOn = tree.seekAtLeast(pel, filter.start, cursor); goesOn; goesOn = tree.next(cursor)) {
    if (found === filter.count) break
    tree.readId(cursor, id)
    if (id.compare(filter.end) > 0) break
    const pending = tree.value(cursor)
    const idleMs = ctx.nowMs - groups.deliveredMs(pending)
    if (minIdleMs !== 0 && idleMs < minIdleMs) continue
    reply.array(4)
    replyId(streams, id, reply)
    replyConsumerName(streams, groups.consumerOf(pending), reply)
    reply.integer(Math.max(0, idleMs))
    reply.integer64(groups.deliveries(pending))
    found++
  }
  reply.fillArray(gap, found)
}

export function replyConsumerName(streams: StreamType, consumer: Ref, reply: ReplyWriter): void {
  const { consumerNames } = streams.groups
  reply.bulk(streams.bytesOf(consumer), consumerNames.nameAt(consumer), consumerNames.nameLength(consumer))
}
