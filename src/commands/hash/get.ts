/**
 * HGET, HMGET, HEXISTS, HSTRLEN, HLEN: fields of a hash. An absent key is a hash without fields.
 * HLEN counts fields whose time has come and that nobody has asked for yet, as Redis does.
 * Hot path: HGET. Source: Redis command reference.
 */
import type { Argv } from '../../base/argv.ts'
import { type CommandDefinition, defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { FAST, READONLY } from '../../engine/flags.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_HASH, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { EXPIRED, FOUND, isThere, lookUp, settleExpired } from './open-hash.ts'

const COMMON = { flags: READONLY | FAST, acl: ['hash'] } satisfies Partial<CommandDefinition>

export const hget = defineCommand({
  ...COMMON,
  name: 'HGET',
  arity: 3,
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: { group: 'hash', since: '2.0.0', complexity: 'O(1)', summary: 'Returns the value of a field in a hash.' },
  run(ctx, argv, reply) {
    const { db } = ctx
    const entry = db.readTyped(argv, 1, TYPE_HASH)
    if (entry === NO_KEY) return reply.null()
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (!isThere(db, entry, argv, 2)) return reply.null()
    const { valueText } = db.keyspace.hashes
    reply.bulk(valueText.bytes, valueText.start, valueText.length)
  },
})

export const hmget = defineCommand({
  ...COMMON,
  name: 'HMGET',
  arity: -3,
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'hash',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of fields asked for.',
    summary: 'Returns the values of several fields in a hash.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const entry = db.readTyped(argv, 1, TYPE_HASH)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    reply.array(argv.count - 2)
    replyFields(ctx, argv, entry, 2, reply)
  },
})

export const hexists = defineCommand({
  ...COMMON,
  name: 'HEXISTS',
  arity: 3,
  keys: [firstKey(KEY_RO)],
  doc: { group: 'hash', since: '2.0.0', complexity: 'O(1)', summary: 'Tells whether a hash has a field.' },
  run(ctx, argv, reply) {
    const entry = openOrZero(ctx, argv, reply)
    if (entry !== NO_KEY) reply.integer(isThere(ctx.db, entry, argv, 2) ? 1 : 0)
  },
})

export const hstrlen = defineCommand({
  ...COMMON,
  name: 'HSTRLEN',
  arity: 3,
  keys: [firstKey(KEY_RO)],
  doc: {
    group: 'hash',
    since: '3.2.0',
    complexity: 'O(1)',
    summary: "Returns the length in bytes of a field's value in a hash.",
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const entry = openOrZero(ctx, argv, reply)
    if (entry !== NO_KEY) reply.integer(isThere(db, entry, argv, 2) ? db.keyspace.hashes.valueText.length : 0)
  },
})

export const hlen = defineCommand({
  ...COMMON,
  name: 'HLEN',
  arity: 2,
  keys: [firstKey(KEY_RO)],
  doc: { group: 'hash', since: '2.0.0', complexity: 'O(1)', summary: 'Counts the fields in a hash.' },
  run(ctx, argv, reply) {
    const { db } = ctx
    const entry = openOrZero(ctx, argv, reply)
    if (entry !== NO_KEY) reply.integer(db.keyspace.hashes.length(db.rootOf(entry), db.encodingOf(entry)))
  },
})

/** Replies the values of the fields from argv[first] on, null for those that are absent. */
function replyFields(ctx: Session, argv: Argv, entry: Ref, first: number, reply: ReplyWriter): void {
  const { db } = ctx
  const { hashes } = db.keyspace
  let expired = 0
  for (let i = first; i < argv.count; i++) {
    const found = entry === NO_KEY ? 0 : lookUp(db, entry, argv, i)
    if (found === FOUND) reply.bulk(hashes.valueText.bytes, hashes.valueText.start, hashes.valueText.length)
    else reply.null()
    if (found === EXPIRED) expired++
  }
  if (expired > 0) settleExpired(db, entry)
}

/** The entry of a hash, or NO_KEY, and then it has been replied: 0, or that the type is wrong. */
function openOrZero(ctx: Session, argv: Argv, reply: ReplyWriter): Ref {
  const entry = ctx.db.readTyped(argv, 1, TYPE_HASH)
  if (entry === NO_KEY) reply.integer(0)
  else if (entry === WRONG_TYPE) reply.error(ERR_WRONGTYPE)
  return entry === WRONG_TYPE ? NO_KEY : entry
}
