/**
 * XREAD and XREADGROUP: entries of several streams behind given ids; with a group, entries that no consumer of it was given
 * yet (">"), or again what is pending for this one. With BLOCK the client waits for some.
 * Reply: for each stream that has any its name and its entries, in RESP3 a map; null if there are none.
 * XREADGROUP is propagated as what it does to the group. Source: Redis command reference (since 5.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import {
  defineCommand,
  type GetKeys,
  KEY_ACCESS,
  KEY_RO,
  type KeyPosition,
  type KeySpec,
} from '../../engine/command.ts'
import { BLOCKING, READONLY, WRITE } from '../../engine/flags.ts'
import { mayWait } from '../../engine/key-waiters.ts'
import type { Session } from '../../engine/session.ts'
import { echoText } from '../../engine/subcommand-error.ts'
import { NO_KEY, TYPE_STREAM, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { StreamId } from '../../structures/stream-id.ts'
import { deliver, deliverAgain, findOrCreateConsumer, replyEntriesFrom } from './deliver.ts'
import { readId } from './ids.ts'
import { propagateConsumer } from './propagate.ts'

const ERR_UNBALANCED = errorReply(
  "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
)
const ERR_GROUP = errorReply('ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.')
const ERR_NOACK = errorReply('ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.')
const ERR_NO_GROUP = errorReply('ERR Missing GROUP option for XREADGROUP')
const ERR_LAST_ID = errorReply(
  'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.',
)
const ERR_NEW_ID = errorReply(
  'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
)
const ERR_TIMEOUT = errorReply('ERR timeout is not an integer or out of range')
const ERR_TIMEOUT_NEGATIVE = errorReply('ERR timeout is negative')
const ERR_GROUP_GONE = errorReply('NOGROUP the consumer group this client was blocked on no longer exists')
/** Who waited is given no more than this unless it said how many it wants. */
const COUNT_AFTER_WAITING = 1000
const NO_WAIT = -1

function streamKeys(startFrom: number): KeySpec {
  return {
    flags: KEY_RO | KEY_ACCESS,
    begin: { kind: 'keyword', keyword: 'STREAMS', startFrom },
    find: { kind: 'range', lastKey: -1, step: 1, limit: 2 },
  }
}

/** Asked when the key spec found a mistake. */
const getKeys: GetKeys = (argv) => {
  let i = 1
  for (; i < argv.count && !argv.is(i, 'STREAMS'); i++) {
    if (argv.is(i, 'BLOCK') || argv.is(i, 'COUNT')) i++
    else if (argv.is(i, 'GROUP')) i += 2
    else if (!argv.is(i, 'NOACK')) return []
  }
  const words = argv.count - i - 1
  if (words <= 0 || words % 2 !== 0) return []
  return Array.from({ length: words / 2 }, (_, n): KeyPosition => [i + 1 + n, 0])
}

export const xread = defineCommand({
  name: 'XREAD',
  arity: -4,
  flags: BLOCKING | READONLY,
  acl: ['stream'],
  keys: [streamKeys(1)],
  getKeys,
  doc: {
    group: 'stream',
    since: '5.0.0',
    complexity:
      'O(N) for each stream with N entries returned. An XADD that ends the waiting of M clients takes O(M) more.',
    summary: 'Returns entries of several streams behind given IDs, and can wait for them.',
  },
  run: (ctx, argv, reply) => run(ctx, argv, false, reply),
})

export const xreadgroup = defineCommand({
  name: 'XREADGROUP',
  arity: -7,
  flags: BLOCKING | WRITE,
  acl: ['stream'],
  keys: [streamKeys(4)],
  getKeys,
  doc: {
    group: 'stream',
    since: '5.0.0',
    complexity:
      'O(N) for each stream with N entries returned. An XADD that ends the waiting of M clients takes O(M) more.',
    summary: 'Returns entries to a consumer of a group, new ones or what is pending for it, and can wait for them.',
  },
  run: (ctx, argv, reply) => run(ctx, argv, true, reply),
})

interface Options {
  /** The last moment of the waiting, 0 = none, or NO_WAIT. */
  untilMs: number
  /** 0: all there are. */
  count: number
  /** Which argument is the first key. */
  keysAt: number
  keys: number
  /** Which argument names the group, the consumer standing behind it; 0 = none. */
  groupAt: number
  noAck: boolean
}

/** Where reading of one stream begins. */
interface Position {
  readonly id: StreamId
  /** ">". */
  readonly isNew: boolean
  readonly group: Ref
}

function run(ctx: Session, argv: Argv, isGroup: boolean, reply: ReplyWriter): void {
  // Whatever is propagated comes from what is done to the group.
  ctx.suppressEffect()
  const options = readOptions(ctx, argv, isGroup, reply)
  if (options === null) return
  const positions: Position[] = []
  for (let i = 0; i < options.keys; i++) {
    const position = readPosition(ctx, argv, options, i, isGroup, reply)
    if (position === null) return
    positions.push(position)
  }
  if (replyStreams(ctx, argv, options, positions, reply)) return
  if (options.untilMs === NO_WAIT || !mayWait(ctx)) return reply.nullArray()
  const count = options.count > 0 ? options.count : COUNT_AFTER_WAITING
  const { keysAt, keys, groupAt, noAck } = options
  ctx.engine.keyWaiters.wait(ctx, argv, keysAt, keys, options.untilMs, {
    type: TYPE_STREAM,
    needsKey: groupAt > 0,
    serve: (session, held, keyIndex, out) =>
      groupAt > 0
        ? serveMember(session, held, keyIndex, groupAt, noAck, count, out)
        : serveReader(session, held, keyIndex, positions[keyIndex - keysAt]!.id, count, out),
  })
}

function readOptions(ctx: Session, argv: Argv, isGroup: boolean, reply: ReplyWriter): Options | null {
  const options: Options = { untilMs: NO_WAIT, count: 0, keysAt: 0, keys: 0, groupAt: 0, noAck: false }
  for (let i = 1; i < argv.count && options.keysAt === 0; i++) {
    const more = argv.count - i - 1
    if (argv.is(i, 'BLOCK') && more > 0) {
      i++
      const timeoutMs = argv.int64(i)
      if (timeoutMs === null) return refuse(reply, ERR_TIMEOUT)
      if (timeoutMs < 0) return refuse(reply, ERR_TIMEOUT_NEGATIVE)
      options.untilMs = timeoutMs === 0n ? 0 : ctx.nowMs + Number(timeoutMs)
    } else if (argv.is(i, 'COUNT') && more > 0) {
      i++
      const count = argv.int64(i)
      if (count === null) return refuse(reply, ERR_NOT_INTEGER)
      options.count = count < 0 ? 0 : Number(count)
    } else if (argv.is(i, 'STREAMS') && more > 0) {
      options.keysAt = i + 1
      if (more % 2 !== 0) return refuse(reply, ERR_UNBALANCED)
      options.keys = more / 2
    } else if (argv.is(i, 'GROUP') && more >= 2) {
      if (!isGroup) return refuse(reply, ERR_GROUP)
      options.groupAt = i + 1
      i += 2
    } else if (argv.is(i, 'NOACK')) {
      if (!isGroup) return refuse(reply, ERR_NOACK)
      options.noAck = true
    } else return refuse(reply, ERR_SYNTAX)
  }
  if (options.keysAt === 0) return refuse(reply, ERR_SYNTAX)
  if (isGroup && options.groupAt === 0) return refuse(reply, ERR_NO_GROUP)
  return options
}

function refuse(reply: ReplyWriter, error: ReturnType<typeof errorReply>): null {
  reply.error(error)
  return null
}

function readPosition(
  ctx: Session,
  argv: Argv,
  options: Options,
  n: number,
  isGroup: boolean,
  reply: ReplyWriter,
): Position | null {
  const { db } = ctx
  const { streams } = db.keyspace
  const keyIndex = options.keysAt + n
  const idIndex = keyIndex + options.keys
  const entry = db.readTyped(argv, keyIndex, TYPE_STREAM)
  if (entry === WRONG_TYPE) return refuse(reply, ERR_WRONGTYPE)
  let group: Ref = 0
  if (isGroup) {
    const { groupAt } = options
    if (entry !== NO_KEY) {
      group = streams.groups.find(db.rootOf(entry), argv.bytes, argv.starts[groupAt]!, argv.lengths[groupAt]!)
    }
    if (group === 0) {
      const key = echoText(argv, keyIndex, Number.POSITIVE_INFINITY)
      const name = echoText(argv, groupAt, Number.POSITIVE_INFINITY)
      reply.errorText(`NOGROUP No such key '${key}' or consumer group '${name}' in XREADGROUP with GROUP option`)
      return null
    }
  }
  const id = new StreamId()
  if (argv.is(idIndex, '$')) {
    if (isGroup) return refuse(reply, ERR_LAST_ID)
    if (entry !== NO_KEY) streams.readLastId(db.rootOf(entry), id)
    return { id, isNew: false, group }
  }
  if (argv.is(idIndex, '>')) {
    if (!isGroup) return refuse(reply, ERR_NEW_ID)
    return { id, isNew: true, group }
  }
  if (!readId(argv, idIndex, id, reply)) return null
  // The greatest id is how Redis remembers ">".
  return { id, isNew: isGroup && id.isGreatest, group }
}

/** Replies with what the streams have. False: nothing, and nothing was written. */
function replyStreams(
  ctx: Session,
  argv: Argv,
  options: Options,
  positions: readonly Position[],
  reply: ReplyWriter,
): boolean {
  const { db } = ctx
  const { streams } = db.keyspace
  const top = new StreamId()
  let gap = 0
  let found = 0
  for (let i = 0; i < options.keys; i++) {
    const keyIndex = options.keysAt + i
    const entry = db.readTyped(argv, keyIndex, TYPE_STREAM)
    if (entry === NO_KEY || entry === WRONG_TYPE) continue
    const root = db.rootOf(entry)
    const { id, isNew, group } = positions[i]!
    if (isNew) streams.groups.readLastId(group, id)
    if (group === 0 || isNew) {
      if (streams.length(root) === 0) continue
      streams.readLastLiveId(root, top)
      if (top.compare(id) <= 0) continue
    }
    if (found++ === 0) gap = reply.gap()
    const start = new StreamId()
    start.copyFrom(id)
    start.increment()
    if (reply.protocol === 2) reply.array(2)
    reply.bulk(argv.bytes, argv.starts[keyIndex]!, argv.lengths[keyIndex]!)
    if (group === 0) {
      replyEntriesFrom(streams, root, start, options.count, reply)
      continue
    }
    db.beforeChange(entry)
    readAsMember(ctx, argv, keyIndex, options.groupAt, root, group, start, options.count, isNew, options.noAck, reply)
    ctx.dirtied(1)
  }
  if (found === 0) return false
  if (reply.protocol === 2) reply.fillArray(gap, found)
  else reply.fillMap(gap, found)
  return true
}

/** Gives a consumer what is new to its group, or again what is pending for it. */
function readAsMember(
  ctx: Session,
  argv: Argv,
  keyIndex: number,
  groupAt: number,
  root: Ref,
  group: Ref,
  start: StreamId,
  count: number,
  isNew: boolean,
  noAck: boolean,
  reply: ReplyWriter,
): void {
  const { streams } = ctx.db.keyspace
  const named = { streams, root, group, key: argv.copyOf(keyIndex), name: argv.copyOf(groupAt) }
  const created = streams.groups.consumerCount(group)
  const consumer = findOrCreateConsumer(ctx, group, argv, keyIndex, groupAt + 1)
  if (noAck && streams.groups.consumerCount(group) > created) propagateConsumer(ctx, named, consumer)
  if (isNew) deliver(ctx, named, consumer, start, count, noAck, reply)
  else deliverAgain(ctx, streams, root, consumer, start, count, reply)
}

/** A client of XREAD that waited: a stream has something behind its id, perhaps. */
function serveReader(
  ctx: Session,
  argv: Argv,
  keyIndex: number,
  id: StreamId,
  count: number,
  reply: ReplyWriter,
): boolean {
  const { db } = ctx
  const { streams } = db.keyspace
  const root = db.rootOf(db.peek(argv.bytes, argv.starts[keyIndex]!, argv.lengths[keyIndex]!))
  const last = new StreamId()
  streams.readLastId(root, last)
  if (last.compare(id) <= 0) return false
  const start = new StreamId()
  start.copyFrom(id)
  start.increment()
  replyHead(argv, keyIndex, reply)
  replyEntriesFrom(streams, root, start, count, reply)
  return true
}

/** A client of XREADGROUP that waited. */
function serveMember(
  ctx: Session,
  argv: Argv,
  keyIndex: number,
  groupAt: number,
  noAck: boolean,
  count: number,
  reply: ReplyWriter,
): boolean {
  const { db } = ctx
  const { streams } = db.keyspace
  const entry = db.peek(argv.bytes, argv.starts[keyIndex]!, argv.lengths[keyIndex]!)
  const root = db.rootOf(entry)
  const group = streams.groups.find(root, argv.bytes, argv.starts[groupAt]!, argv.lengths[groupAt]!)
  if (group === 0) {
    reply.error(ERR_GROUP_GONE)
    return true
  }
  const last = new StreamId()
  const start = new StreamId()
  streams.readLastId(root, last)
  streams.groups.readLastId(group, start)
  if (last.compare(start) <= 0) return false
  start.increment()
  db.beforeChange(entry)
  replyHead(argv, keyIndex, reply)
  readAsMember(ctx, argv, keyIndex, groupAt, root, group, start, count, true, noAck, reply)
  return true
}

/** What stands before the entries of the one stream that ended the waiting. */
function replyHead(argv: Argv, keyIndex: number, reply: ReplyWriter): void {
  if (reply.protocol === 2) {
    reply.array(1)
    reply.array(2)
  } else reply.map(1)
  reply.bulk(argv.bytes, argv.starts[keyIndex]!, argv.lengths[keyIndex]!)
}
