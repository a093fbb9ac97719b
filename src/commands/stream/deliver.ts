/** Entries on their way to clients: as they are, to a consumer for the first time, or to it again. */
import type { Argv } from '../../base/argv.ts'
import { NOTIFY_STREAM } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import type { StreamType } from '../../keyspace/types/stream.ts'
import type { Ref } from '../../memory/arena.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { IdCursor } from '../../structures/id-tree.ts'
import { StreamId } from '../../structures/stream-id.ts'
import { replyEntry, replyId } from './ids.ts'
import { type NamedGroup, propagateClaim, propagateLastId } from './propagate.ts'

/** The entries from `start` on, at most `count`, 0 = all. */
export function replyEntriesFrom(
  streams: StreamType,
  root: Ref,
  start: StreamId | null,
  count: number,
  reply: ReplyWriter,
): void {
  const { entries } = streams
  const gap = reply.gap()
  let found = 0
  entries.begin(root, start, null, false)
  while (entries.next()) {
    replyEntry(streams, entries, reply)
    if (++found === count) break
  }
  reply.fillArray(gap, found)
}

/** The consumer that argv[consumerIndex] names, seen now; announced if it is new. */
export function findOrCreateConsumer(
  ctx: Session,
  group: Ref,
  argv: Argv,
  keyIndex: number,
  consumerIndex: number,
): Ref {
  const { db } = ctx
  const { groups } = db.keyspace.streams
  const { bytes, starts, lengths } = argv
  const held = groups.findConsumer(group, bytes, starts[consumerIndex]!, lengths[consumerIndex]!)
  if (held !== 0) {
    groups.setSeen(held, ctx.nowMs)
    return held
  }
  const made = groups.createConsumer(group, bytes, starts[consumerIndex]!, lengths[consumerIndex]!, ctx.nowMs)
  ctx.dirtied(1)
  ctx.notify(NOTIFY_STREAM, 'xgroup-createconsumer', db, bytes, starts[keyIndex]!, lengths[keyIndex]!)
  return made
}

/** Gives a consumer the entries from `start` on: they become pending for it unless `noAck`, and the group goes on. */
export function deliver(
  ctx: Session,
  named: NamedGroup,
  consumer: Ref,
  start: StreamId,
  count: number,
  noAck: boolean,
  reply: ReplyWriter,
): void {
  const { streams, root, group } = named
  const { entries, groups } = streams
  const last = new StreamId()
  groups.readLastId(group, last)
  const gap = reply.gap()
  let found = 0
  let hasAdvanced = false
  entries.begin(root, start, null, false)
  while (entries.next()) {
    if (entries.id.compare(last) > 0) {
      streams.advanceGroup(root, group, entries.id)
      last.copyFrom(entries.id)
      hasAdvanced = true
    }
    replyEntry(streams, entries, reply)
    if (!noAck) {
      const pending = makePending(ctx, streams, group, consumer, entries.id)
      if (ctx.engine.effects.isActive) propagateClaim(ctx, named, entries.id.toString(), pending)
    }
    if (++found === count) break
  }
  if (noAck && hasAdvanced) propagateLastId(ctx, named)
  reply.fillArray(gap, found)
}

/** Gives a consumer again what is pending for it from `start` on. What is no longer in the stream comes without fields. */
export function deliverAgain(
  ctx: Session,
  streams: StreamType,
  root: Ref,
  consumer: Ref,
  start: StreamId,
  count: number,
  reply: ReplyWriter,
): void {
  const { entries, tree, groups } = streams
  const cursor = new IdCursor()
  const id = new StreamId()
  const gap = reply.gap()
  let found = 0
  for (let goesOn = tree.seekAtLeast(consumer, start, cursor); goesOn; goesOn = tree.next(cursor)) {
    tree.readId(cursor, id)
    entries.begin(root, id, id, false)
    if (entries.next()) {
      replyEntry(streams, entries, reply)
      groups.setDelivered(tree.value(cursor), ctx.nowMs)
      groups.countDelivery(tree.value(cursor))
    } else {
      reply.array(2)
      replyId(streams, id, reply)
      reply.nullArray()
    }
    if (++found === count) break
  }
  reply.fillArray(gap, found)
}

/** Makes an entry pending for a consumer; XGROUP SETID may have gone back to one that is pending already. */
function makePending(ctx: Session, streams: StreamType, group: Ref, consumer: Ref, id: StreamId): Ref {
  const { groups } = streams
  const held = groups.findPending(group, id)
  if (held === 0) return groups.addPending(group, id, consumer, ctx.nowMs)
  groups.assign(held, id, consumer)
  groups.setDelivered(held, ctx.nowMs)
  groups.setDeliveries(held, 1n)
  return held
}
