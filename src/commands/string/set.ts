/**
 * SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds | KEEPTTL]
 * Reply: OK; null when NX or XX did not hold; with GET the old value or null.
 * Propagated as SET key value PXAT when there is an expire time, without GET otherwise.
 * Source: Redis command reference, SET (since 1.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { defineCommand, firstKey, KEY_ACCESS, KEY_RW, KEY_UPDATE, KEY_VARIABLE_FLAGS } from '../../engine/command.ts'
import { DENYOOM, WRITE } from '../../engine/flags.ts'
import { keysOfSet } from '../../engine/key-functions.ts'
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { stringEncoding } from '../../keyspace/db.ts'
import { NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_SYNTAX, ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { NO_EXPIRE_TIME, readExpireTime } from './expire-time.ts'

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
    store(ctx, argv, false)
    reply.ok()
  },
})

/** Sets argv[1] to argv[2] and tells everyone. */
function store(ctx: Session, argv: Argv, keepTtl: boolean): void {
  const { bytes, starts, lengths } = argv
  const valueStart = starts[2]!
  const valueLength = lengths[2]!
  ctx.db.setString(
    bytes,
    starts[1]!,
    lengths[1]!,
    bytes,
    valueStart,
    valueLength,
    stringEncoding(bytes, valueStart, valueLength),
    keepTtl,
  )
  ctx.changed(argv, 1, NOTIFY_STRING, 'set')
}

function setWithOptions(ctx: Session, argv: Argv, reply: ReplyWriter): void {
  let onlyNew = false
  let onlyOld = false
  let wantsOld = false
  let keepTtl = false
  let expireIndex = 0
  for (let i = 3; i < argv.count; i++) {
    const isLast = i === argv.count - 1
    if (argv.is(i, 'NX') && !onlyOld) onlyNew = true
    else if (argv.is(i, 'XX') && !onlyNew) onlyOld = true
    else if (argv.is(i, 'GET')) wantsOld = true
    else if (argv.is(i, 'KEEPTTL') && expireIndex === 0) keepTtl = true
    else if (
      (argv.is(i, 'EX') || argv.is(i, 'PX') || argv.is(i, 'EXAT') || argv.is(i, 'PXAT')) &&
      !keepTtl &&
      !isLast
    ) {
      // The same unit may be given again, another may not.
      if (expireIndex !== 0 && !sameWord(argv, expireIndex, i)) return reply.error(ERR_SYNTAX)
      expireIndex = i
      i++
    } else return reply.error(ERR_SYNTAX)
  }
  let expireAtMs = NO_EXPIRE_TIME
  if (expireIndex !== 0) {
    expireAtMs = readExpireTime(ctx, argv, expireIndex, reply)
    if (expireAtMs === NO_EXPIRE_TIME) return
  }
  const { db } = ctx
  if (wantsOld) {
    const old = db.readString(argv, 1)
    if (old === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (old === NO_KEY) reply.null()
    else reply.bulk(db.bytesOf(old), db.valueAt(old), db.valueLength(old))
  }
  const found = db.write(argv, 1) !== NO_KEY
  if ((onlyNew && found) || (onlyOld && !found)) {
    if (!wantsOld) reply.null()
    return
  }
  store(ctx, argv, keepTtl)
  if (expireAtMs !== NO_EXPIRE_TIME) {
    db.setExpire(db.peekOverdue(argv.bytes, argv.starts[1]!, argv.lengths[1]!), expireAtMs)
    ctx.notify(NOTIFY_GENERIC, 'expire', db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
    ctx.replaceEffect(['SET', argv.view(1), argv.view(2), 'PXAT', String(expireAtMs)])
  } else if (wantsOld) {
    const parts: Uint8Array[] = []
    for (let i = 0; i < argv.count; i++) if (i < 3 || !argv.is(i, 'GET')) parts.push(argv.view(i))
    ctx.replaceEffect(parts)
  }
  if (!wantsOld) reply.ok()
}

function sameWord(argv: Argv, first: number, second: number): boolean {
  return argv.latin1(first).toUpperCase() === argv.latin1(second).toUpperCase()
}
