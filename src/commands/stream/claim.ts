/**
 * XCLAIM and XAUTOCLAIM: a consumer takes over entries that are pending for others. Those that are no longer in the stream
 * are pending no more. Propagated as XCLAIM with all that was set. Source: Redis command reference (since 5.0.0, 6.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import { defineCommand, firstKey, KEY_DELETE, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { FAST, WRITE } from '../../engine/flags.ts'
import type { Session } from '../../engine/session.ts'
import { echoText } from '../../engine/subcommand-error.ts'
import { TYPE_STREAM, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { StreamType } from '../../keyspace/types/stream.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_SYNTAX, ERR_WRONGTYPE, type ErrorReply, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { IdCursor } from '../../structures/id-tree.ts'
import { StreamId } from '../../structures/stream-id.ts'
import { findOrCreateConsumer } from './deliver.ts'
import { parseId, readId, readRangeStart, replyEntry, replyId } from './ids.ts'
import { findGroup, replyNoGroup } from './lookup.ts'
import { type NamedGroup, propagateClaim, propagateLastId } from './propagate.ts'

const ERR_CLAIM_IDLE = errorReply('ERR Invalid min-idle-time argument for XCLAIM')
const ERR_AUTOCLAIM_IDLE = errorReply('ERR Invalid min-idle-time argument for XAUTOCLAIM')
const ERR_IDLE = errorReply('ERR Invalid IDLE option argument for XCLAIM')
const ERR_TIME = errorReply('ERR Invalid TIME option argument for XCLAIM')
const ERR_RETRYCOUNT = errorReply('ERR Invalid RETRYCOUNT option argument for XCLAIM')
const ERR_COUNT = errorReply('ERR COUNT must be > 0')
const ERR_COUNT_MEMORY = errorReply('ERR Insufficient memory, failed allocating transient memory, COUNT too high.')
const COUNT_DEFAULT = 100
/** Redis: the greatest long over the size of an id. */
const COUNT_MAX = 576_460_752_303_423_487n
/** Redis keeps room for so many ids of 16 bytes; more than an address space of 47 bits has is not to be had. */
const COUNT_MEMORY_MAX = 2 ** 43
/** Entries that XAUTOCLAIM looks at for each that it may claim. */
const ATTEMPTS_PER_CLAIM = 10

interface ClaimOptions {
  minIdleMs: number
  /** When the entries count as delivered. */
  deliveredMs: number
  /** How often they count as delivered; -1 = once more. */
  deliveries: bigint
  force: boolean
  justId: boolean
}

export const xclaim = defineCommand({
  name: 'XCLAIM',
  arity: -6,
  flags: WRITE | FAST,
  acl: ['stream'],
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
  doc: {
    group: 'stream',
    since: '5.0.0',
    complexity: 'O(log N) for each ID, with N entries pending in the group.',
    summary: 'Gives pending entries of a consumer group to another consumer.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { streams } = db.keyspace
    const entry = db.readTyped(argv, 1, TYPE_STREAM)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const group = findGroup(ctx, argv, entry, 2)
    if (group === 0) return replyNoGroup(argv, reply)
    const minIdle = argv.int64(4)
    if (minIdle === null) return reply.error(ERR_CLAIM_IDLE)
    const ids: StreamId[] = []
    let i = 5
    for (; i < argv.count; i++) {
      const id = new StreamId()
      if (!parseId(argv, i, id)) break
      ids.push(id)
    }
    const lastId = new StreamId()
    const options = readClaimOptions(ctx, argv, i, lastId, reply)
    if (options === null) return
    options.minIdleMs = Math.max(0, Number(minIdle))
    db.beforeChange(entry)
    ctx.suppressEffect()
    const named = { streams, root: db.rootOf(entry), group, key: argv.copyOf(1), name: argv.copyOf(2) }
    const groupId = new StreamId()
    streams.groups.readLastId(group, groupId)
    let hasAdvanced = lastId.compare(groupId) > 0
    if (hasAdvanced) streams.groups.setLastId(group, lastId)
    const gap = reply.gap()
    let consumer: Ref = 0
    let found = 0
    for (const [n, id] of ids.entries()) {
      const held = streams.groups.findPending(group, id)
      if (!streams.has(named.root, id)) {
        if (held === 0) continue
        propagateClaim(ctx, named, argv.copyOf(5 + n), held)
        hasAdvanced = false
        ctx.dirtied(1)
        streams.groups.dropPending(group, id, held)
        continue
      }
      if (held === 0 ? !options.force : isTooFresh(ctx, streams, held, options.minIdleMs)) continue
      if (consumer === 0) consumer = findOrCreateConsumer(ctx, group, argv, 1, 3)
      const pending = held !== 0 ? held : streams.groups.addPending(group, id, consumer, ctx.nowMs)
      streams.groups.assign(pending, id, consumer)
      streams.groups.setDelivered(pending, options.deliveredMs)
      if (options.deliveries >= 0n) streams.groups.setDeliveries(pending, options.deliveries)
      else if (!options.justId) streams.groups.countDelivery(pending)
      replyClaimed(streams, named.root, id, options.justId, reply)
      found++
      propagateClaim(ctx, named, argv.copyOf(5 + n), pending)
      hasAdvanced = false
      ctx.dirtied(1)
    }
    if (hasAdvanced) {
      propagateLastId(ctx, named)
      ctx.dirtied(1)
    }
    reply.fillArray(gap, found)
  },
})

export const xautoclaim = defineCommand({
  name: 'XAUTOCLAIM',
  arity: -6,
  flags: WRITE | FAST,
  acl: ['stream'],
  keys: [firstKey(KEY_RW | KEY_DELETE)],
  doc: {
    group: 'stream',
    since: '6.2.0',
    complexity: 'O(1) if COUNT is small.',
    summary: 'Gives entries that have been pending for a while to a consumer, a part of them at a time.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { streams } = db.keyspace
    const entry = db.readTyped(argv, 1, TYPE_STREAM)
    const minIdle = argv.int64(4)
    if (minIdle === null) return reply.error(ERR_AUTOCLAIM_IDLE)
    const minIdleMs = Math.max(0, Number(minIdle))
    const start = readRangeStart(argv, 5, reply)
    if (start === null) return
    let count = COUNT_DEFAULT
    let justId = false
    for (let i = 6; i < argv.count; i++) {
      if (argv.is(i, 'COUNT') && i + 1 < argv.count) {
        const given = argv.int64(++i)
        if (given === null || given < 1n || given > COUNT_MAX) return reply.error(ERR_COUNT)
        count = Number(given)
      } else if (argv.is(i, 'JUSTID')) justId = true
      else return reply.error(ERR_SYNTAX)
    }
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const group = findGroup(ctx, argv, entry, 2)
    if (group === 0) return replyNoGroup(argv, reply)
    if (count >= COUNT_MEMORY_MAX) return reply.error(ERR_COUNT_MEMORY)
    db.beforeChange(entry)
    ctx.suppressEffect()
    const named = { streams, root: db.rootOf(entry), group, key: argv.copyOf(1), name: argv.copyOf(2) }
    claimFrom(ctx, argv, named, start, minIdleMs, count, justId, reply)
  },
})

/** Replies with where to go on, what was claimed, and what is pending no more since it is no longer in the stream. */
function claimFrom(
  ctx: Session,
  argv: Argv,
  named: NamedGroup,
  start: StreamId,
  minIdleMs: number,
  count: number,
  justId: boolean,
  reply: ReplyWriter,
): void {
  const { streams, root, group } = named
  const { tree, groups } = streams
  const cursor = new IdCursor()
  const deleted: StreamId[] = []
  reply.array(3)
  // What was claimed comes behind the id that is found last.
  const claimed: StreamId[] = []
  let consumer: Ref = 0
  let left = count
  tree.seekAtLeast(group, start, cursor)
  for (let attempts = count * ATTEMPTS_PER_CLAIM; attempts > 0 && left > 0 && cursor.isAt; attempts--) {
    const id = new StreamId()
    tree.readId(cursor, id)
    const pending = tree.value(cursor)
    if (!streams.has(root, id)) {
      propagateClaim(ctx, named, id.toString(), pending)
      ctx.dirtied(1)
      groups.dropPending(group, id, pending)
      deleted.push(id)
      left--
      tree.seekAtLeast(group, id, cursor)
      continue
    }
    tree.next(cursor)
    if (isTooFresh(ctx, streams, pending, minIdleMs)) continue
    if (consumer === 0) consumer = findOrCreateConsumer(ctx, group, argv, 1, 3)
    groups.assign(pending, id, consumer)
    groups.setDelivered(pending, ctx.nowMs)
    if (!justId) groups.countDelivery(pending)
    claimed.push(id)
    left--
    propagateClaim(ctx, named, id.toString(), pending)
    ctx.dirtied(1)
  }
  const next = new StreamId()
  if (cursor.isAt) tree.readId(cursor, next)
  replyId(streams, next, reply)
  reply.array(claimed.length)
  for (const id of claimed) replyClaimed(streams, root, id, justId, reply)
  reply.array(deleted.length)
  for (const id of deleted) replyId(streams, id, reply)
}

/** An entry that is there, or its id alone. */
function replyClaimed(streams: StreamType, root: Ref, id: StreamId, justId: boolean, reply: ReplyWriter): void {
  if (justId) return replyId(streams, id, reply)
  const { entries } = streams
  entries.begin(root, id, id, false)
  entries.next()
  replyEntry(streams, entries, reply)
}

/** Whether an entry was delivered too short a time ago. */
function isTooFresh(ctx: Session, { groups }: StreamType, pending: Ref, minIdleMs: number): boolean {
  return minIdleMs > 0 && ctx.nowMs - groups.deliveredMs(pending) < minIdleMs
}

/** Reads XCLAIM's options from argv[first] on; null: an error was replied. */
function readClaimOptions(
  ctx: Session,
  argv: Argv,
  first: number,
  lastId: StreamId,
  reply: ReplyWriter,
): ClaimOptions | null {
  const options: ClaimOptions = { minIdleMs: 0, deliveredMs: -1, deliveries: -1n, force: false, justId: false }
  for (let i = first; i < argv.count; i++) {
    const hasMore = i + 1 < argv.count
    if (argv.is(i, 'FORCE')) options.force = true
    else if (argv.is(i, 'JUSTID')) options.justId = true
    else if (argv.is(i, 'IDLE') && hasMore) {
      const idle = argv.int64(++i)
      if (idle === null) return refuse(reply, ERR_IDLE)
      options.deliveredMs = ctx.nowMs - Number(idle)
    } else if (argv.is(i, 'TIME') && hasMore) {
      const time = argv.int64(++i)
      if (time === null) return refuse(reply, ERR_TIME)
      options.deliveredMs = Number(time)
    } else if (argv.is(i, 'RETRYCOUNT') && hasMore) {
      const count = argv.int64(++i)
      if (count === null) return refuse(reply, ERR_RETRYCOUNT)
      options.deliveries = count
    } else if (argv.is(i, 'LASTID') && hasMore) {
      if (!readId(argv, ++i, lastId, reply)) return null
    } else {
      reply.errorText(`ERR Unrecognized XCLAIM option '${echoText(argv, i, Number.POSITIVE_INFINITY)}'`)
      return null
    }
  }
  // A moment that cannot be is no reason to fail: clients reckon with clocks of their own.
  if (options.deliveredMs < 0 || options.deliveredMs > ctx.nowMs) options.deliveredMs = ctx.nowMs
  return options
}

function refuse(reply: ReplyWriter, error: ErrorReply): null {
  reply.error(error)
  return null
}
