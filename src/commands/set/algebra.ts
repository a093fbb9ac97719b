/**
 * SINTER, SINTERCARD, SINTERSTORE, SUNION, SUNIONSTORE, SDIFF, SDIFFSTORE: sets made of sets. Keys that do not exist are
 * empty sets. Replies: the members, or how many there are, or how many were stored.
 * Propagated as requested. Source: Redis command reference (since 1.0.0, 7.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { parseInt64 } from '../../base/int64-text.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_OW,
  KEY_RO,
  KEY_RW,
  KEY_UPDATE,
  keyRange,
} from '../../engine/command.ts'
import { DENYOOM, READONLY, WRITE } from '../../engine/flags.ts'
import { countedKeys } from '../../engine/key-functions.ts'
import { NOTIFY_GENERIC, NOTIFY_SET } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_SET, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import {
  CountSink,
  intersect,
  ReplySink,
  replyDifference,
  replyUnion,
  SetSink,
  type Source,
  storeDifference,
  storeUnion,
} from './combine.ts'

const ERR_NUMKEYS = errorReply('ERR numkeys should be greater than 0')
const ERR_TOO_MANY_KEYS = errorReply("ERR Number of keys can't be greater than number of args")
const ERR_LIMIT = errorReply("ERR LIMIT can't be negative")

const COMMON = { acl: ['set'] } satisfies Partial<CommandDefinition>
const READING = {
  ...COMMON,
  arity: -2,
  flags: READONLY,
  keys: [keyRange(1, -1, 1, KEY_RO | KEY_ACCESS)],
} satisfies Partial<CommandDefinition>
const STORING = { ...COMMON, arity: -3, flags: WRITE | DENYOOM } satisfies Partial<CommandDefinition>
const SOURCES = keyRange(2, -1, 1, KEY_RO | KEY_ACCESS)
const INTERSECTION_COMPLEXITY =
  'O(N*M) at worst, where N is the number of members of the smallest set and M the number of sets.'
const TOTAL_COMPLEXITY = 'O(N) where N is the number of members of all sets together.'

export const sinter = defineCommand({
  ...READING,
  name: 'SINTER',
  doc: {
    group: 'set',
    since: '1.0.0',
    complexity: INTERSECTION_COMPLEXITY,
    summary: 'Returns the members that all of several sets have.',
  },
  run(ctx, argv, reply) {
    const sources = readSources(ctx, argv, 1, argv.count, reply)
    if (sources === null) return
    if (!isComplete(sources)) return reply.set(0)
    const sink = new ReplySink(reply)
    intersect(ctx.db.keyspace.sets, sources, sink)
    sink.end()
  },
})

export const sintercard = defineCommand({
  ...COMMON,
  name: 'SINTERCARD',
  arity: -3,
  flags: READONLY,
  keys: [
    {
      flags: KEY_RO | KEY_ACCESS,
      begin: { kind: 'index', index: 1 },
      find: { kind: 'keynum', keyNumIndex: 0, firstKey: 1, step: 1 },
    },
  ],
  getKeys: countedKeys(0, 1, 2),
  doc: {
    group: 'set',
    since: '7.0.0',
    complexity: INTERSECTION_COMPLEXITY,
    summary: 'Returns how many members all of several sets have, counting up to a limit.',
  },
  run(ctx, argv, reply) {
    const numkeys = integerAt(argv, 1)
    if (!(numkeys > 0)) return reply.error(ERR_NUMKEYS)
    if (numkeys > argv.count - 2) return reply.error(ERR_TOO_MANY_KEYS)
    let limit = 0
    for (let i = 2 + numkeys; i < argv.count; i += 2) {
      if (!argv.is(i, 'LIMIT') || i + 1 === argv.count) return reply.error(ERR_SYNTAX)
      limit = integerAt(argv, i + 1)
      if (!(limit >= 0)) return reply.error(ERR_LIMIT)
    }
    const sources = readSources(ctx, argv, 2, 2 + numkeys, reply)
    if (sources === null) return
    if (!isComplete(sources)) return reply.integer(0)
    const sink = new CountSink(limit === 0 ? Number.POSITIVE_INFINITY : limit)
    intersect(ctx.db.keyspace.sets, sources, sink)
    reply.integer(sink.count)
  },
})

export const sinterstore = defineCommand({
  ...STORING,
  name: 'SINTERSTORE',
  keys: [firstKey(KEY_RW | KEY_UPDATE), SOURCES],
  doc: {
    group: 'set',
    since: '1.0.0',
    complexity: INTERSECTION_COMPLEXITY,
    summary: 'Stores the members that all of several sets have.',
  },
  run(ctx, argv, reply) {
    const sources = readSources(ctx, argv, 2, argv.count, reply)
    if (sources === null) return
    const { sets } = ctx.db.keyspace
    const sink = new SetSink(sets)
    try {
      if (isComplete(sources)) intersect(sets, sources, sink)
    } catch (error) {
      sink.discard()
      throw error
    }
    store(ctx, argv, sink, 'sinterstore', reply)
  },
})

export const sunion = defineCommand({
  ...READING,
  name: 'SUNION',
  doc: {
    group: 'set',
    since: '1.0.0',
    complexity: TOTAL_COMPLEXITY,
    summary: 'Returns the members that one or another of several sets has.',
  },
  run(ctx, argv, reply) {
    const sources = readSources(ctx, argv, 1, argv.count, reply)
    if (sources !== null) replyUnion(ctx.db.keyspace.sets, existing(sources), reply)
  },
})

export const sunionstore = defineCommand({
  ...STORING,
  name: 'SUNIONSTORE',
  keys: [firstKey(KEY_OW | KEY_UPDATE), SOURCES],
  doc: {
    group: 'set',
    since: '1.0.0',
    complexity: TOTAL_COMPLEXITY,
    summary: 'Stores the members that one or another of several sets has.',
  },
  run(ctx, argv, reply) {
    const sources = readSources(ctx, argv, 2, argv.count, reply)
    if (sources === null) return
    store(ctx, argv, storeUnion(ctx.db.keyspace.sets, existing(sources)), 'sunionstore', reply)
  },
})

export const sdiff = defineCommand({
  ...READING,
  name: 'SDIFF',
  doc: {
    group: 'set',
    since: '1.0.0',
    complexity: TOTAL_COMPLEXITY,
    summary: 'Returns the members of the first set that none of the others has.',
  },
  run(ctx, argv, reply) {
    const sources = readSources(ctx, argv, 1, argv.count, reply)
    if (sources === null) return
    replyDifference(ctx.db.keyspace.sets, sources[0]!, existing(sources.slice(1)), reply)
  },
})

export const sdiffstore = defineCommand({
  ...STORING,
  name: 'SDIFFSTORE',
  keys: [firstKey(KEY_OW | KEY_UPDATE), SOURCES],
  doc: {
    group: 'set',
    since: '1.0.0',
    complexity: TOTAL_COMPLEXITY,
    summary: 'Stores the members of the first set that none of the others has.',
  },
  run(ctx, argv, reply) {
    const sources = readSources(ctx, argv, 2, argv.count, reply)
    if (sources === null) return
    const sink = storeDifference(ctx.db.keyspace.sets, sources[0]!, existing(sources.slice(1)))
    store(ctx, argv, sink, 'sdiffstore', reply)
  },
})

/** The sets at argv[first, end), null for keys that do not exist. Null if one is no set, which has been replied. */
function readSources(
  { db }: Session,
  argv: Argv,
  first: number,
  end: number,
  reply: ReplyWriter,
): (Source | null)[] | null {
  const { sets } = db.keyspace
  const sources: (Source | null)[] = []
  for (let i = first; i < end; i++) {
    const entry = db.readTyped(argv, i, TYPE_SET)
    if (entry === WRONG_TYPE) {
      reply.error(ERR_WRONGTYPE)
      return null
    }
    if (entry === NO_KEY) sources.push(null)
    else {
      const root = db.rootOf(entry)
      const encoding = db.encodingOf(entry)
      sources.push({ root, encoding, length: sets.length(root, encoding) })
    }
  }
  return sources
}

function isComplete(sources: (Source | null)[]): sources is Source[] {
  return !sources.includes(null)
}

function existing(sources: readonly (Source | null)[]): Source[] {
  return sources.filter((source) => source !== null)
}

/** Puts a result at argv[1]; one without members leaves no key there. */
function store(ctx: Session, argv: Argv, sink: SetSink, event: string, reply: ReplyWriter): void {
  const { db } = ctx
  const { bytes } = argv
  const start = argv.starts[1]!
  const length = argv.lengths[1]!
  const count = sink.length
  if (count === 0) {
    sink.discard()
    // Also one whose time is over was there.
    const old = db.peekOverdue(bytes, start, length)
    if (old !== NO_KEY) {
      db.remove(old)
      ctx.changed(argv, 1, NOTIFY_GENERIC, 'del')
    }
    return reply.integer(0)
  }
  try {
    db.setValue(bytes, start, length, TYPE_SET, sink.encoding, sink.root)
  } catch (error) {
    sink.discard()
    throw error
  }
  ctx.changed(argv, 1, NOTIFY_SET, event)
  reply.integer(count)
}

/** The whole number at argv[index], large ones rounded; NaN if it is none. */
function integerAt(argv: Argv, index: number): number {
  const start = argv.starts[index]!
  const value = parseInt64(argv.bytes, start, start + argv.lengths[index]!)
  return value === null ? Number.NaN : Number(value)
}
