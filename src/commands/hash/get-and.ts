/**
 * HGETDEL and HGETEX: values of fields, and what may be done to the fields besides.
 *
 *   HGETDEL key FIELDS numfields field [field ...]
 *   HGETEX key [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds | PERSIST] FIELDS numfields field [field ...]
 *
 * Reply: a value or null for each field. The type of the key is looked at before the arguments.
 * Propagated as what was done: HDEL, HPEXPIREAT or HPERSIST. Source: Redis command reference (since 8.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { defineCommand, firstKey, KEY_ACCESS, KEY_DELETE, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_HASH } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_HASH, WRONG_TYPE } from '../../keyspace/entry.ts'
import { NO_EXPIRE } from '../../keyspace/types/hash.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { expireUnit, UNIT_EX, UNIT_EXAT, UNIT_NONE, UNIT_PX } from '../string/expire-time.ts'
import {
  ERR_FIELDS_NOT_POSITIVE,
  MILLISECONDS,
  NO_TIME,
  readFields,
  readFieldTime,
  SECONDS,
} from './field-arguments.ts'
import { EXPIRED, FOUND, lookUp, removeIfEmptied } from './open-hash.ts'
import { REMOVED, setFieldExpire } from './set-field-expire.ts'

export const hgetdel = defineCommand({
  name: 'HGETDEL',
  arity: -5,
  flags: WRITE | FAST,
  acl: ['hash'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_DELETE)],
  doc: {
    group: 'hash',
    since: '8.0.0',
    complexity: 'O(N) where N is the number of specified fields',
    summary: 'Returns the values of fields of a hash and removes the fields.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { hashes } = db.keyspace
    const entry = db.writeTyped(argv, 1, TYPE_HASH)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const first = readFields(argv, 2, ERR_FIELDS_NOT_POSITIVE, reply)
    if (first === 0) return
    reply.array(argv.count - first)
    if (entry === NO_KEY) return replyNulls(argv.count - first, reply)
    db.beforeChange(entry)
    let expired = 0
    let removed = 0
    for (let i = first; i < argv.count; i++) {
      const found = replyField(ctx, argv, entry, i, reply)
      if (found === EXPIRED) expired++
      if (found !== FOUND) continue
      hashes.remove(db, entry, argv.bytes, argv.starts[i]!, argv.lengths[i]!)
      removed++
    }
    if (expired > 0) announceExpired(ctx, argv)
    if (removed > 0) {
      ctx.changed(argv, 1, NOTIFY_HASH, 'hdel')
      ctx.dirtied(removed - 1)
      if (ctx.engine.effects.isActive) ctx.replaceEffect(['HDEL', argv.view(1), ...views(argv, first)])
    }
    if (expired + removed > 0) removeIfEmptied(ctx, argv, entry)
  },
})

export const hgetex = defineCommand({
  name: 'HGETEX',
  arity: -5,
  flags: WRITE | FAST,
  acl: ['hash'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_UPDATE)],
  doc: {
    group: 'hash',
    since: '8.0.0',
    complexity: 'O(N) where N is the number of specified fields',
    summary: 'Returns the values of fields of a hash and sets when they expire.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { hashes } = db.keyspace
    const entry = db.writeTyped(argv, 1, TYPE_HASH)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const unit = expireUnit(argv, 2)
    const persists = unit === UNIT_NONE && argv.is(2, 'PERSIST')
    let atMs = NO_EXPIRE
    let fieldsIndex = persists ? 3 : 2
    if (unit !== UNIT_NONE) {
      const isRelative = unit === UNIT_EX || unit === UNIT_PX
      const unitMs = unit === UNIT_EX || unit === UNIT_EXAT ? SECONDS : MILLISECONDS
      atMs = readFieldTime(argv, 3, unitMs, isRelative ? ctx.nowMs : 0, 'hgetex', reply)
      if (atMs === NO_TIME) return
      fieldsIndex = 4
    }
    const first = readFields(argv, fieldsIndex, ERR_FIELDS_NOT_POSITIVE, reply)
    if (first === 0) return
    reply.array(argv.count - first)
    if (entry === NO_KEY) return replyNulls(argv.count - first, reply)
    db.beforeChange(entry)
    if (unit !== UNIT_NONE) hashes.allowExpiry(db, entry)
    let expired = 0
    let removed = 0
    let updated = 0
    for (let i = first; i < argv.count; i++) {
      const found = replyField(ctx, argv, entry, i, reply)
      if (found === EXPIRED) expired++
      if (found !== FOUND) continue
      if (unit !== UNIT_NONE) {
        if (setFieldExpire(ctx, entry, argv, i, atMs) === REMOVED) removed++
        else updated++
      } else if (persists && hashes.expireAtMs !== NO_EXPIRE) {
        hashes.persist(db, entry, hashes.fieldRef)
        updated++
      }
    }
    if (expired > 0) announceExpired(ctx, argv)
    if (updated > 0) {
      ctx.changed(argv, 1, NOTIFY_HASH, persists ? 'hpersist' : 'hexpire')
      ctx.dirtied(updated + removed - 1)
      replaceEffect(ctx, argv, first, atMs)
    } else if (removed > 0) {
      ctx.changed(argv, 1, NOTIFY_HASH, 'hdel')
      ctx.dirtied(removed - 1)
      ctx.suppressEffect()
    }
    if (expired + removed > 0) removeIfEmptied(ctx, argv, entry)
  },
})

/** HPEXPIREAT, or HPERSIST without a time. */
function replaceEffect(ctx: Session, argv: Argv, first: number, atMs: number): void {
  if (!ctx.engine.effects.isActive) return
  const head = atMs === NO_EXPIRE ? ['HPERSIST', argv.view(1)] : ['HPEXPIREAT', argv.view(1), String(atMs)]
  ctx.replaceEffect([...head, 'FIELDS', String(argv.count - first), ...views(argv, first)])
}

/** Replies the value of the field at argv[index], or null, and returns what `lookUp` found. */
function replyField(ctx: Session, argv: Argv, entry: Ref, index: number, reply: ReplyWriter): number {
  const found = lookUp(ctx.db, entry, argv, index)
  const { valueText } = ctx.db.keyspace.hashes
  if (found === FOUND) reply.bulk(valueText.bytes, valueText.start, valueText.length)
  else reply.null()
  return found
}

/** Fields of the hash at argv[1] have expired and are gone. */
function announceExpired(ctx: Session, argv: Argv): void {
  const { db } = ctx
  ctx.touched(db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
  ctx.notify(NOTIFY_HASH, 'hexpired', db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
}

function replyNulls(count: number, reply: ReplyWriter): void {
  for (let i = 0; i < count; i++) reply.null()
}

function views(argv: Argv, first: number): Uint8Array[] {
  return Array.from({ length: argv.count - first }, (_, i) => argv.view(first + i))
}
