/** XINFO: what there is to know of a stream, its groups and their consumers. Source: Redis command reference (since 5.0.0). */
import type { Argv } from '../../base/argv.ts'
import { parseInt64 } from '../../base/int64-text.ts'
import { type CommandDefinition, defineCommand, KEY_ACCESS, KEY_RO, keyAt } from '../../engine/command.ts'
import { LOADING, READONLY, STALE } from '../../engine/flags.ts'
import { replyHelp } from '../../engine/help.ts'
import type { Session } from '../../engine/session.ts'
import { replySubcommandError } from '../../engine/subcommand-error.ts'
import { NO_KEY, TYPE_STREAM, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { StreamType } from '../../keyspace/types/stream.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NO_SUCH_KEY, ERR_NOT_INTEGER, ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { IdCursor } from '../../structures/id-tree.ts'
import { StreamId, signed64 } from '../../structures/stream-id.ts'
import { replyEntriesFrom } from './deliver.ts'
import { replyEntry, replyId } from './ids.ts'
import { findGroup, replyNoGroupOfKey } from './lookup.ts'
import { replyConsumerName } from './pending.ts'

/** Entries, and pending ones of each group and consumer, that FULL shows unless told otherwise. */
const FULL_COUNT = 10
const HELP = [
  'CONSUMERS <key> <groupname>',
  '    Show consumers of <groupname>.',
  'GROUPS <key>',
  '    Show the stream consumer groups.',
  'STREAM <key> [FULL [COUNT <count>]',
  '    Show information about the stream.',
]
const COMMON = {
  flags: READONLY,
  acl: ['stream'],
  keys: [keyAt(2, KEY_RO | KEY_ACCESS)],
} satisfies Partial<CommandDefinition>
const doc = (summary: string, complexity = 'O(1)') => ({ group: 'stream', since: '5.0.0', complexity, summary })

const stream: CommandDefinition = {
  ...COMMON,
  name: 'STREAM',
  arity: -3,
  doc: doc('Describes a stream.'),
  run(ctx, argv, reply) {
    const entry = openStream(ctx, argv, reply)
    if (entry === NO_KEY) return
    const { streams } = ctx.db.keyspace
    const root = ctx.db.rootOf(entry)
    if (argv.count === 3) return replyStream(streams, root, reply)
    if ((argv.count !== 4 && argv.count !== 6) || !argv.is(3, 'FULL')) return replySubcommandError(argv, reply)
    let count = FULL_COUNT
    if (argv.count === 6) {
      if (!argv.is(4, 'COUNT')) return replySubcommandError(argv, reply)
      const given = parseInt64(argv.bytes, argv.starts[5]!, argv.starts[5]! + argv.lengths[5]!)
      if (given === null) return reply.error(ERR_NOT_INTEGER)
      if (given >= 0) count = Number(given)
    }
    replyFullStream(streams, root, count, reply)
  },
}

const groups: CommandDefinition = {
  ...COMMON,
  name: 'GROUPS',
  arity: 3,
  doc: doc('Lists the consumer groups of a stream.'),
  run(ctx, argv, reply) {
    const entry = openStream(ctx, argv, reply)
    if (entry === NO_KEY) return
    const { streams } = ctx.db.keyspace
    const root = ctx.db.rootOf(entry)
    const count = streams.groups.count(root)
    reply.array(count)
    for (let i = 0; i < count; i++) {
      const group = streams.groups.at(root, i)
      reply.map(6)
      reply.bulkText('name')
      replyGroupName(streams, group, reply)
      replyCount('consumers', streams.groups.consumerCount(group), reply)
      replyCount('pending', streams.tree.count(group), reply)
      replyProgress(streams, root, group, reply)
    }
  },
}

const consumers: CommandDefinition = {
  ...COMMON,
  name: 'CONSUMERS',
  arity: 4,
  doc: doc('Lists the consumers of a consumer group.'),
  run(ctx, argv, reply) {
    const entry = openStream(ctx, argv, reply)
    if (entry === NO_KEY) return
    const group = findGroup(ctx, argv, entry, 3)
    if (group === 0) return replyNoGroupOfKey(argv, reply)
    const { streams } = ctx.db.keyspace
    const count = streams.groups.consumerCount(group)
    reply.array(count)
    for (let i = 0; i < count; i++) {
      const consumer = streams.groups.consumerAt(group, i)
      reply.map(3)
      reply.bulkText('name')
      replyConsumerName(streams, consumer, reply)
      replyCount('pending', streams.tree.count(consumer), reply)
      reply.bulkText('idle')
      const idle = BigInt(ctx.nowMs) - seenMs(streams, consumer)
      reply.integer64(idle < 0n ? 0n : idle)
    }
  },
}

const help: CommandDefinition = {
  acl: ['stream'],
  name: 'HELP',
  arity: 2,
  flags: LOADING | STALE,
  doc: doc('Lists the subcommands.'),
  run: (_ctx, _argv, reply) => replyHelp(reply, 'XINFO', HELP),
}

export const xinfo = defineCommand({
  name: 'XINFO',
  arity: -2,
  flags: 0,
  doc: doc('Holds the commands that describe streams.', 'That of the subcommand.'),
  subcommands: [consumers, groups, help, stream],
})

/** The stream argv[2], or NO_KEY: there is none, which has been replied. */
function openStream(ctx: Session, argv: Argv, reply: ReplyWriter): Ref {
  const entry = ctx.db.readTyped(argv, 2, TYPE_STREAM)
  if (entry === NO_KEY) reply.error(ERR_NO_SUCH_KEY)
  else if (entry === WRONG_TYPE) reply.error(ERR_WRONGTYPE)
  else return entry
  return NO_KEY
}

function replyStream(streams: StreamType, root: Ref, reply: ReplyWriter): void {
  reply.map(10)
  replyHead(streams, root, reply)
  replyCount('groups', streams.groups.count(root), reply)
  reply.bulkText('first-entry')
  replyEdge(streams, root, false, reply)
  reply.bulkText('last-entry')
  replyEdge(streams, root, true, reply)
}

function replyHead(streams: StreamType, root: Ref, reply: ReplyWriter): void {
  const id = new StreamId()
  replyCount('length', streams.length(root), reply)
  replyCount('radix-tree-keys', streams.nodeCount(root), reply)
  replyCount('radix-tree-nodes', streams.radixNodeCount(root), reply)
  reply.bulkText('last-generated-id')
  streams.readLastId(root, id)
  replyId(streams, id, reply)
  reply.bulkText('max-deleted-entry-id')
  streams.readDeletedId(root, id)
  replyId(streams, id, reply)
  reply.bulkText('entries-added')
  reply.integer64(BigInt.asIntN(64, streams.entriesAdded(root)))
  reply.bulkText('recorded-first-entry-id')
  streams.readFirstId(root, id)
  replyId(streams, id, reply)
}

function replyEdge(streams: StreamType, root: Ref, isLast: boolean, reply: ReplyWriter): void {
  const { entries } = streams
  entries.begin(root, null, null, isLast)
  if (entries.next()) replyEntry(streams, entries, reply)
  else reply.null()
}

function replyFullStream(streams: StreamType, root: Ref, count: number, reply: ReplyWriter): void {
  reply.map(9)
  replyHead(streams, root, reply)
  reply.bulkText('entries')
  replyEntriesFrom(streams, root, null, count, reply)
  reply.bulkText('groups')
  const groupCount = streams.groups.count(root)
  reply.array(groupCount)
  for (let i = 0; i < groupCount; i++) replyFullGroup(streams, root, streams.groups.at(root, i), count, reply)
}

function replyFullGroup(streams: StreamType, root: Ref, group: Ref, count: number, reply: ReplyWriter): void {
  reply.map(7)
  reply.bulkText('name')
  replyGroupName(streams, group, reply)
  replyProgress(streams, root, group, reply)
  replyCount('pel-count', streams.tree.count(group), reply)
  reply.bulkText('pending')
  replyPending(streams, group, count, true, reply)
  reply.bulkText('consumers')
  const consumerCount = streams.groups.consumerCount(group)
  reply.array(consumerCount)
  for (let i = 0; i < consumerCount; i++) {
    const consumer = streams.groups.consumerAt(group, i)
    reply.map(4)
    reply.bulkText('name')
    replyConsumerName(streams, consumer, reply)
    reply.bulkText('seen-time')
    reply.integer64(seenMs(streams, consumer))
    replyCount('pel-count', streams.tree.count(consumer), reply)
    reply.bulkText('pending')
    replyPending(streams, consumer, count, false, reply)
  }
}

/** What is pending for a group, or a consumer, whose name is then known. */
function replyPending(streams: StreamType, owner: Ref, count: number, isGroup: boolean, reply: ReplyWriter): void {
  const { tree } = streams
  const total = tree.count(owner)
  let left = count === 0 ? total : Math.min(count, total)
  const cursor = new IdCursor()
  const id = new StreamId()
  reply.array(left)
  for (tree.seekFirst(owner, cursor); left > 0; left--, tree.next(cursor)) {
    const pending = tree.value(cursor)
    tree.readId(cursor, id)
    reply.array(isGroup ? 4 : 3)
    replyId(streams, id, reply)
    if (isGroup) replyConsumerName(streams, streams.groups.consumerOf(pending), reply)
    reply.integer64(streams.groups.exactDelivered(pending))
    reply.integer64(streams.groups.deliveries(pending))
  }
}

/** How far a group has come. */
function replyProgress(streams: StreamType, root: Ref, group: Ref, reply: ReplyWriter): void {
  const id = new StreamId()
  streams.groups.readLastId(group, id)
  reply.bulkText('last-delivered-id')
  replyId(streams, id, reply)
  reply.bulkText('entries-read')
  if (streams.groups.knowsEntriesRead(group)) reply.integer64(streams.groups.entriesRead(group))
  else reply.null()
  reply.bulkText('lag')
  const lag = streams.lag(root, group)
  if (lag === null) reply.null()
  else reply.integer64(lag)
}

function replyGroupName(streams: StreamType, group: Ref, reply: ReplyWriter): void {
  const { groupNames } = streams.groups
  reply.bulk(streams.bytesOf(group), groupNames.nameAt(group), groupNames.nameLength(group))
}

function replyCount(name: string, count: number, reply: ReplyWriter): void {
  reply.bulkText(name)
  reply.integer(count)
}

function seenMs({ groups: all }: StreamType, consumer: Ref): bigint {
  return signed64(all.seenHigh(consumer), all.seenLow(consumer))
}
