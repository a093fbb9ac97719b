/**
 * EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT key time [NX | XX | GT | LT], and PERSIST.
 * Reply: 1 if the expire time changed, else 0. A moment that is past deletes the key.
 * Propagated as PEXPIREAT with the options as they were given, or as DEL (UNLINK with lazyfree-lazy-expire).
 * Source: Redis command reference (since 1.0.0, 2.6.0, 1.2.0, 2.6.0, 2.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import { INT64_MAX, INT64_MIN } from '../../base/int64-text.ts'
import { type CommandDefinition, defineCommand, firstKey, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_GENERIC } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { echoText } from '../../engine/subcommand-error.ts'
import type { Db, UnixTimeMs } from '../../keyspace/db.ts'
import { EXPIRE_DELETE, NO_KEY } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { readInt64 } from '../connection/read-integer.ts'

const ERR_NX_WITH_OTHERS = errorReply('ERR NX and XX, GT or LT options at the same time are not compatible')
const ERR_GT_WITH_LT = errorReply('ERR GT and LT options at the same time are not compatible')

const NX = 1
const XX = 2
const GT = 4
const LT = 8

const COMMON = {
  arity: -3,
  flags: WRITE | FAST,
  acl: ['keyspace'],
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
} satisfies Partial<CommandDefinition>

export const expire = defineCommand({
  ...COMMON,
  name: 'EXPIRE',
  doc: {
    group: 'generic',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Sets how many seconds a key has to live.',
  },
  run: (ctx, argv, reply) => setExpireTime(ctx, argv, 'expire', true, true, reply),
})

export const pexpire = defineCommand({
  ...COMMON,
  name: 'PEXPIRE',
  doc: {
    group: 'generic',
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'Sets how many milliseconds a key has to live.',
  },
  run: (ctx, argv, reply) => setExpireTime(ctx, argv, 'pexpire', true, false, reply),
})

export const expireat = defineCommand({
  ...COMMON,
  name: 'EXPIREAT',
  doc: {
    group: 'generic',
    since: '1.2.0',
    complexity: 'O(1)',
    summary: 'Sets the Unix time, in seconds, at which a key expires.',
  },
  run: (ctx, argv, reply) => setExpireTime(ctx, argv, 'expireat', false, true, reply),
})

export const pexpireat = defineCommand({
  ...COMMON,
  name: 'PEXPIREAT',
  doc: {
    group: 'generic',
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'Sets the Unix time, in milliseconds, at which a key expires.',
  },
  run: (ctx, argv, reply) => setExpireTime(ctx, argv, 'pexpireat', false, false, reply),
})

export const persist = defineCommand({
  ...COMMON,
  name: 'PERSIST',
  arity: 2,
  doc: { group: 'generic', since: '2.2.0', complexity: 'O(1)', summary: 'Removes the expire time of a key.' },
  run(ctx, argv, reply) {
    const { db } = ctx
    const entry = db.write(argv, 1)
    if (entry === NO_KEY || db.expireAtMs(entry) === -1) return reply.integer(0)
    db.persist(entry)
    ctx.changed(argv, 1, NOTIFY_GENERIC, 'persist')
    reply.integer(1)
  },
})

function setExpireTime(
  ctx: Session,
  argv: Argv,
  name: string,
  isRelative: boolean,
  inSeconds: boolean,
  reply: ReplyWriter,
): void {
  const conditions = argv.count > 3 ? readConditions(argv, reply) : 0
  if (conditions === null) return
  const atMs = readTime(ctx, argv, name, isRelative, inSeconds, reply)
  if (atMs === null) return
  const { db } = ctx
  const entry = db.write(argv, 1)
  if (entry === NO_KEY || (conditions !== 0 && !isAllowed(db, entry, conditions, atMs))) return reply.integer(0)
  const { effects, settings } = ctx.engine
  if (atMs <= ctx.nowMs && db.keyspace.expireMode === EXPIRE_DELETE) {
    db.remove(entry, settings.lazyExpire)
    ctx.changed(argv, 1, NOTIFY_GENERIC, 'del')
    if (effects.isActive) ctx.replaceEffect([settings.lazyExpire ? 'UNLINK' : 'DEL', argv.view(1)])
  } else {
    db.setExpire(entry, atMs)
    ctx.changed(argv, 1, NOTIFY_GENERIC, 'expire')
    if (effects.isActive && (isRelative || inSeconds)) replaceByMoment(ctx, argv, atMs)
  }
  reply.integer(1)
}

function replaceByMoment(ctx: Session, argv: Argv, atMs: UnixTimeMs): void {
  const parts: (string | Uint8Array)[] = ['PEXPIREAT', argv.view(1), String(atMs)]
  for (let i = 3; i < argv.count; i++) parts.push(argv.view(i))
  ctx.replaceEffect(parts)
}

/** Bits of the options; null on an error, which has been replied. */
function readConditions(argv: Argv, reply: ReplyWriter): number | null {
  let conditions = 0
  for (let i = 3; i < argv.count; i++) {
    if (argv.is(i, 'NX')) conditions |= NX
    else if (argv.is(i, 'XX')) conditions |= XX
    else if (argv.is(i, 'GT')) conditions |= GT
    else if (argv.is(i, 'LT')) conditions |= LT
    else {
      reply.errorText(`ERR Unsupported option ${echoText(argv, i, argv.lengthBytes(i))}`)
      return null
    }
  }
  if (conditions & NX && conditions !== NX) reply.error(ERR_NX_WITH_OTHERS)
  else if (conditions & GT && conditions & LT) reply.error(ERR_GT_WITH_LT)
  else return conditions
  return null
}

/** The moment as Unix milliseconds, a bigint where a number would not be exact; null on an error, which has been replied. */
function readTime(
  ctx: Session,
  argv: Argv,
  name: string,
  isRelative: boolean,
  inSeconds: boolean,
  reply: ReplyWriter,
): UnixTimeMs | null {
  const { nowMs } = ctx
  const given = argv.safeInt(2)
  const atMs = (inSeconds ? given * 1000 : given) + (isRelative ? nowMs : 0)
  if (Number.isSafeInteger(atMs)) return atMs
  const exact = readInt64(argv, 2, reply, ERR_NOT_INTEGER)
  if (exact === null) return null
  const ms = inSeconds ? exact * 1000n : exact
  const exactAtMs = isRelative ? ms + BigInt(nowMs) : ms
  if (ms < INT64_MIN || ms > INT64_MAX || exactAtMs > INT64_MAX) {
    reply.errorText(`ERR invalid expire time in '${name}' command`)
    return null
  }
  return exactAtMs
}

/** A key without an expire time counts as one that never expires. */
function isAllowed(db: Db, entry: Ref, conditions: number, atMs: UnixTimeMs): boolean {
  const current = db.exactExpireAtMs(entry)
  if (conditions & NX && current !== -1) return false
  if (conditions & XX && current === -1) return false
  if (conditions & GT && (current === -1 || atMs <= current)) return false
  return !(conditions & LT) || current === -1 || atMs < current
}
