/**
 * HSET, HMSET, HSETNX: what is set loses its expire time. Propagated as requested.
 * HSET replies how many fields are new, HMSET OK, HSETNX whether the field was set.
 * Hot path: HSET. Source: Redis command reference (since 2.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_INSERT,
  KEY_RW,
  KEY_UPDATE,
} from '../../engine/command.ts'
import { DENYOOM, FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_HASH } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import type { Db } from '../../keyspace/db.ts'
import { ENCODING_HASHTABLE, NO_KEY, TYPE_HASH, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { dropIfEmpty, EXPIRED, FOUND, lookUp, makeHash, openToWrite, settleExpired } from './open-hash.ts'

const COMMON = { flags: WRITE | DENYOOM | FAST, acl: ['hash'] } satisfies Partial<CommandDefinition>
/** What `setFields` returns when it has replied an error. */
const FAILED = -1

export const hset = defineCommand({
  ...COMMON,
  name: 'HSET',
  arity: -4,
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
  doc: {
    group: 'hash',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of fields that are set.',
    summary: 'Sets fields of a hash to values, and makes the hash if there is none.',
  },
  run(ctx, argv, reply) {
    const created = setFields(ctx, argv, 'hset', reply)
    if (created !== FAILED) reply.integer(created)
  },
})

export const hmset = defineCommand({
  ...COMMON,
  name: 'HMSET',
  arity: -4,
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
  doc: {
    group: 'hash',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of fields that are set.',
    summary: 'Sets fields of a hash to values; HSET does the same.',
  },
  run(ctx, argv, reply) {
    if (setFields(ctx, argv, 'hmset', reply) !== FAILED) reply.ok()
  },
})

export const hsetnx = defineCommand({
  ...COMMON,
  name: 'HSETNX',
  arity: 4,
  keys: [firstKey(KEY_RW | KEY_INSERT)],
  doc: {
    group: 'hash',
    since: '2.0.0',
    complexity: 'O(1)',
    summary: 'Sets a field of a hash unless it is there already.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    let entry = db.writeTyped(argv, 1, TYPE_HASH)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry !== NO_KEY) {
      const found = lookUp(db, entry, argv, 2)
      if (found === FOUND) return reply.integer(0)
      if (found === EXPIRED && settleExpired(db, entry)) entry = NO_KEY
    }
    if (entry === NO_KEY) entry = makeHash(db, argv, 2)
    else db.beforeChange(entry)
    fill(db, entry, argv, 2)
    ctx.changed(argv, 1, NOTIFY_HASH, 'hset')
    reply.integer(1)
  },
})

/** Sets the pairs from argv[2] on; returns how many fields are new, or FAILED. */
function setFields(ctx: Session, argv: Argv, command: string, reply: ReplyWriter): number {
  const { count } = argv
  if ((count & 1) === 1) {
    reply.errorText(`ERR wrong number of arguments for '${command}' command`)
    return FAILED
  }
  const entry = openToWrite(ctx, argv, 2)
  if (entry === WRONG_TYPE) {
    reply.error(ERR_WRONGTYPE)
    return FAILED
  }
  const created = fill(ctx.db, entry, argv, 2)
  ctx.changed(argv, 1, NOTIFY_HASH, 'hset')
  if (count > 4) ctx.dirtied((count >> 1) - 2)
  return created
}

/** Puts the pairs from argv[first] on into a hash; returns how many fields are new. */
function fill(db: Db, entry: Ref, argv: Argv, first: number): number {
  const { hashes } = db.keyspace
  const { bytes, starts, lengths, count } = argv
  let created = 0
  if (db.encodingOf(entry) === ENCODING_HASHTABLE) {
    const { fields } = hashes
    const root = db.rootOf(entry)
    for (let i = first; i < count; i += 2) {
      if (fields.set(root, bytes, starts[i]!, lengths[i]!, bytes, starts[i + 1]!, lengths[i + 1]!)) created++
    }
    return created
  }
  try {
    hashes.makeRoom(db, entry, argv, first)
    for (let i = first; i < count; i += 2) {
      if (hashes.set(db, entry, bytes, starts[i]!, lengths[i]!, bytes, starts[i + 1]!, lengths[i + 1]!)) created++
    }
    if (count > first + 2) hashes.trim(db, entry)
  } catch (error) {
    dropIfEmpty(db, argv)
    throw error
  }
  return created
}
