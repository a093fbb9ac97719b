/**
 * GET, GETSET, GETDEL, GETEX, STRLEN: the value of a string, and what may be done to the key besides.
 * WRONGTYPE for other types. Source: Redis command reference.
 */
import type { Argv } from '../../base/argv.ts'
import { defineCommand, firstKey, KEY_ACCESS, KEY_DELETE, KEY_RO, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { DENYOOM, FAST, READONLY, WRITE } from '../../engine/flags.ts'
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { EXPIRE_DELETE, NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_SYNTAX, ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { expireUnit, NO_EXPIRE_TIME, readExpireTime, UNIT_EXAT, UNIT_NONE, UNIT_PXAT } from './expire-time.ts'
import { storeString } from './set.ts'

export const get = defineCommand({
  name: 'GET',
  arity: 2,
  flags: READONLY | FAST,
  acl: ['string'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: { group: 'string', since: '1.0.0', complexity: 'O(1)', summary: 'Returns the value of a string key.' },
  run(ctx, argv, reply) {
    replyValue(ctx, argv, reply)
  },
})

/** Propagated as SET. */
export const getset = defineCommand({
  name: 'GETSET',
  arity: 3,
  flags: WRITE | DENYOOM | FAST,
  acl: ['string'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_UPDATE)],
  doc: {
    group: 'string',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Sets a key to a string and returns the string that it held before.',
  },
  run(ctx, argv, reply) {
    if (replyValue(ctx, argv, reply) === WRONG_TYPE) return
    storeString(ctx, argv, 1, 2, false)
    ctx.changed(argv, 1, NOTIFY_STRING, 'set')
    if (ctx.engine.effects.isActive) ctx.replaceEffect(['SET', argv.view(1), argv.view(2)])
  },
})

/** Propagated as DEL, or UNLINK with lazyfree-lazy-user-del. */
export const getdel = defineCommand({
  name: 'GETDEL',
  arity: 2,
  flags: WRITE | FAST,
  acl: ['string'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_DELETE)],
  doc: {
    group: 'string',
    since: '6.2.0',
    complexity: 'O(1)',
    summary: 'Deletes a string key and returns the value that it held.',
  },
  run(ctx, argv, reply) {
    const entry = replyValue(ctx, argv, reply)
    if (entry !== NO_KEY && entry !== WRONG_TYPE) remove(ctx, argv, entry, ctx.engine.settings.lazyUserDel)
  },
})

/**
 * GETEX key [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds | PERSIST]
 * The expire time is looked at only when there is a string. A moment that is past deletes the key.
 * Propagated as what it did: PEXPIREAT, PERSIST, DEL (UNLINK with lazyfree-lazy-expire), or nothing.
 */
export const getex = defineCommand({
  name: 'GETEX',
  arity: -2,
  flags: WRITE | FAST,
  acl: ['string'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_UPDATE)],
  doc: {
    group: 'string',
    since: '6.2.0',
    complexity: 'O(1)',
    summary: 'Returns the value of a string key and sets or removes its expire time.',
  },
  run(ctx, argv, reply) {
    let persist = false
    let unit = UNIT_NONE
    let timeIndex = 0
    for (let i = 2; i < argv.count; i++) {
      if (argv.is(i, 'PERSIST') && unit === UNIT_NONE) persist = true
      else {
        const found = expireUnit(argv, i)
        const allowed = found !== UNIT_NONE && !persist && (unit === UNIT_NONE || unit === found)
        if (!allowed || i === argv.count - 1) return reply.error(ERR_SYNTAX)
        unit = found
        timeIndex = ++i
      }
    }
    const { db } = ctx
    const entry = db.readString(argv, 1)
    if (entry === NO_KEY) return reply.null()
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const expireAtMs = unit === UNIT_NONE ? NO_EXPIRE_TIME : readExpireTime(ctx, argv, timeIndex, unit, 'getex', reply)
    if (unit !== UNIT_NONE && expireAtMs === NO_EXPIRE_TIME) return
    db.writeValue(entry, reply)
    const isAbsolute = unit === UNIT_EXAT || unit === UNIT_PXAT
    if (isAbsolute && expireAtMs <= ctx.nowMs && db.keyspace.expireMode === EXPIRE_DELETE) {
      remove(ctx, argv, entry, ctx.engine.settings.lazyExpire)
    } else if (unit !== UNIT_NONE) {
      db.setExpire(entry, expireAtMs)
      ctx.changed(argv, 1, NOTIFY_GENERIC, 'expire')
      if (ctx.engine.effects.isActive) ctx.replaceEffect(['PEXPIREAT', argv.view(1), String(expireAtMs)])
    } else if (persist && db.expireAtMs(entry) >= 0) {
      db.persist(entry)
      ctx.changed(argv, 1, NOTIFY_GENERIC, 'persist')
      if (ctx.engine.effects.isActive) ctx.replaceEffect(['PERSIST', argv.view(1)])
    }
  },
})

export const strlen = defineCommand({
  name: 'STRLEN',
  arity: 2,
  flags: READONLY | FAST,
  acl: ['string'],
  keys: [firstKey(KEY_RO)],
  doc: { group: 'string', since: '2.2.0', complexity: 'O(1)', summary: 'Returns the length of a string in bytes.' },
  run(ctx, argv, reply) {
    const entry = ctx.db.readString(argv, 1)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    reply.integer(entry === NO_KEY ? 0 : ctx.db.valueLength(entry))
  },
})

/** Replies as GET does and returns the entry, NO_KEY or WRONG_TYPE. */
function replyValue(ctx: Session, argv: Argv, reply: ReplyWriter): Ref {
  const { db } = ctx
  const entry = db.readString(argv, 1)
  if (entry === NO_KEY) reply.null()
  else if (entry === WRONG_TYPE) reply.error(ERR_WRONGTYPE)
  else db.writeValue(entry, reply)
  return entry
}

function remove(ctx: Session, argv: Argv, entry: Ref, lazily: boolean): void {
  ctx.db.remove(entry)
  ctx.changed(argv, 1, NOTIFY_GENERIC, 'del')
  if (ctx.engine.effects.isActive) ctx.replaceEffect([lazily ? 'UNLINK' : 'DEL', argv.view(1)])
}
