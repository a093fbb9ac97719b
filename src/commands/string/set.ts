/**
 * SET, SETNX, SETEX, PSETEX: a key becomes a string, whatever it held.
 *
 * SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds | KEEPTTL]
 * Reply: OK; null when NX or XX did not hold; with GET the old value or null, and WRONGTYPE if it was no string.
 * Mistakes are found in this order: syntax, the expire time, the old value's type.
 * Propagated as SET key value PXAT when there is an expire time, else as requested without GET.
 * Hot path: bench/micro/receive.ts. Source: Redis command reference (SET since 1.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import {
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_INSERT,
  KEY_OW,
  KEY_RW,
  KEY_UPDATE,
  KEY_VARIABLE_FLAGS,
} from '../../engine/command.ts'
import { DENYOOM, FAST, WRITE } from '../../engine/flags.ts'
import { keysOfSet } from '../../engine/key-functions.ts'
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { stringEncoding, type UnixTimeMs } from '../../keyspace/db.ts'
import { NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_SYNTAX, ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { expireUnit, NO_EXPIRE_TIME, readExpireTime, UNIT_EX, UNIT_NONE, UNIT_PX } from './expire-time.ts'

export const set = defineCommand({
  name: 'SET',
  arity: -3,
  flags: WRITE | DENYOOM,
  acl: ['string'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE_FLAGS)],
  getKeys: keysOfSet,
  doc: { group: 'string', since: '1.0.0', complexity: 'O(1)', summary: 'Sets a key to a string, whatever it held.' },
  run(ctx, argv, reply) {
    if (argv.count > 3) return setWithOptions(ctx, argv, reply)
    storeString(ctx, argv, 1, 2, false)
    ctx.changed(argv, 1, NOTIFY_STRING, 'set')
    reply.ok()
  },
})

export const setnx = defineCommand({
  name: 'SETNX',
  arity: 3,
  flags: WRITE | DENYOOM | FAST,
  acl: ['string'],
  keys: [firstKey(KEY_OW | KEY_INSERT)],
  doc: { group: 'string', since: '1.0.0', complexity: 'O(1)', summary: 'Sets a key to a string if it does not exist.' },
  run(ctx, argv, reply) {
    if (ctx.db.write(argv, 1) !== NO_KEY) return reply.integer(0)
    storeString(ctx, argv, 1, 2, false)
    ctx.changed(argv, 1, NOTIFY_STRING, 'set')
    reply.integer(1)
  },
})

export const setex = defineCommand({
  name: 'SETEX',
  arity: 4,
  flags: WRITE | DENYOOM,
  acl: ['string'],
  keys: [firstKey(KEY_OW | KEY_UPDATE)],
  doc: {
    group: 'string',
    since: '2.0.0',
    complexity: 'O(1)',
    summary: 'Sets a key to a string that expires after a number of seconds.',
  },
  run: (ctx, argv, reply) => setExpiring(ctx, argv, UNIT_EX, 'setex', reply),
})

export const psetex = defineCommand({
  name: 'PSETEX',
  arity: 4,
  flags: WRITE | DENYOOM,
  acl: ['string'],
  keys: [firstKey(KEY_OW | KEY_UPDATE)],
  doc: {
    group: 'string',
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'Sets a key to a string that expires after a number of milliseconds.',
  },
  run: (ctx, argv, reply) => setExpiring(ctx, argv, UNIT_PX, 'psetex', reply),
})

/** Sets the key at argv[keyIndex] to argv[valueIndex]; nobody is told. Returns the entry. Hot. */
export function storeString(ctx: Session, argv: Argv, keyIndex: number, valueIndex: number, keepTtl: boolean): number {
  const { bytes, starts, lengths } = argv
  const { db } = ctx
  // How often a key is used outlives its value; how recently starts anew.
  if (db.keyspace.lfu) db.write(argv, keyIndex)
  const valueStart = starts[valueIndex]!
  const valueLength = lengths[valueIndex]!
  return db.setString(
    bytes,
    starts[keyIndex]!,
    lengths[keyIndex]!,
    bytes,
    valueStart,
    valueLength,
    stringEncoding(bytes, valueStart, valueLength),
    keepTtl,
  )
}

/** As SET with an expire time does, told to everyone. */
function storeExpiring(ctx: Session, argv: Argv, valueIndex: number, expireAtMs: UnixTimeMs): void {
  // The old expire time is overwritten in place.
  const entry = storeString(ctx, argv, 1, valueIndex, true)
  ctx.db.setExpire(entry, expireAtMs)
  ctx.changed(argv, 1, NOTIFY_STRING, 'set')
  ctx.notify(NOTIFY_GENERIC, 'expire', ctx.db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
  if (ctx.engine.effects.isActive) {
    ctx.replaceEffect(['SET', argv.view(1), argv.view(valueIndex), 'PXAT', String(expireAtMs)])
  }
}

function setExpiring(ctx: Session, argv: Argv, unit: number, command: string, reply: ReplyWriter): void {
  const expireAtMs = readExpireTime(ctx, argv, 2, unit, command, reply)
  if (expireAtMs === NO_EXPIRE_TIME) return
  storeExpiring(ctx, argv, 3, expireAtMs)
  reply.ok()
}

function setWithOptions(ctx: Session, argv: Argv, reply: ReplyWriter): void {
  let onlyNew = false
  let onlyOld = false
  let wantsOld = false
  let keepTtl = false
  let unit = UNIT_NONE
  let timeIndex = 0
  for (let i = 3; i < argv.count; i++) {
    if (argv.is(i, 'NX') && !onlyOld) onlyNew = true
    else if (argv.is(i, 'XX') && !onlyNew) onlyOld = true
    else if (argv.is(i, 'GET')) wantsOld = true
    else if (argv.is(i, 'KEEPTTL') && unit === UNIT_NONE) keepTtl = true
    else {
      const found = expireUnit(argv, i)
      // The same unit may be given again, and then the last counts; another may not.
      const allowed = found !== UNIT_NONE && !keepTtl && (unit === UNIT_NONE || unit === found)
      if (!allowed || i === argv.count - 1) return reply.error(ERR_SYNTAX)
      unit = found
      timeIndex = ++i
    }
  }
  const expireAtMs = unit === UNIT_NONE ? NO_EXPIRE_TIME : readExpireTime(ctx, argv, timeIndex, unit, 'set', reply)
  if (unit !== UNIT_NONE && expireAtMs === NO_EXPIRE_TIME) return
  const { db } = ctx
  if (wantsOld) {
    const old = db.readString(argv, 1)
    if (old === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (old === NO_KEY) reply.null()
    else reply.bulk(db.bytesOf(old), db.valueAt(old), db.valueLength(old))
  }
  if (onlyNew || onlyOld) {
    const found = db.write(argv, 1) !== NO_KEY
    if (found === onlyNew) {
      if (!wantsOld) reply.null()
      return
    }
  }
  if (unit !== UNIT_NONE) storeExpiring(ctx, argv, 2, expireAtMs)
  else {
    storeString(ctx, argv, 1, 2, keepTtl)
    ctx.changed(argv, 1, NOTIFY_STRING, 'set')
    if (wantsOld && ctx.engine.effects.isActive) ctx.replaceEffect(withoutGet(argv))
  }
  if (!wantsOld) reply.ok()
}

/** The request as replicas get it: they have nobody to tell the old value. */
function withoutGet(argv: Argv): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let i = 0; i < argv.count; i++) if (i < 3 || !argv.is(i, 'GET')) parts.push(argv.view(i))
  return parts
}
