/**
 * HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME, HPERSIST key FIELDS numfields field [field ...]
 * Reply for each field: -2 there is no such field, -1 it does not expire; otherwise the time that is left to it, or its
 * moment; from HPERSIST 1 for a field that stays from now on.
 * Source: Redis command reference (since 7.4.0).
 */
import type { Argv } from '../../base/argv.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_RO,
  KEY_RW,
  KEY_UPDATE,
} from '../../engine/command.ts'
import { FAST, READONLY, WRITE } from '../../engine/flags.ts'
import { NOTIFY_HASH } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import type { Db } from '../../keyspace/db.ts'
import { NO_KEY, TYPE_HASH, WRONG_TYPE } from '../../keyspace/entry.ts'
import { NO_EXPIRE } from '../../keyspace/types/hash.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { ERR_FIELDS_NOT_POSITIVE, readFields } from './field-arguments.ts'

const NO_SUCH_FIELD = -2
const NO_TIME_TO_LIVE = -1
const PERSISTED = 1

const COMMON = {
  arity: -5,
  flags: READONLY | FAST,
  acl: ['hash'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
} satisfies Partial<CommandDefinition>
const DOC = { group: 'hash', since: '7.4.0', complexity: 'O(N) where N is the number of specified fields' }

export const httl = defineCommand({
  ...COMMON,
  name: 'HTTL',
  doc: { ...DOC, summary: 'Returns how many seconds fields of a hash have left.' },
  run: (ctx, argv, reply) => replyTimes(ctx, argv, true, ctx.nowMs, reply),
})

export const hpttl = defineCommand({
  ...COMMON,
  name: 'HPTTL',
  doc: { ...DOC, summary: 'Returns how many milliseconds fields of a hash have left.' },
  run: (ctx, argv, reply) => replyTimes(ctx, argv, false, ctx.nowMs, reply),
})

export const hexpiretime = defineCommand({
  ...COMMON,
  name: 'HEXPIRETIME',
  doc: { ...DOC, summary: 'Returns at which Unix time in seconds fields of a hash expire.' },
  run: (ctx, argv, reply) => replyTimes(ctx, argv, true, 0, reply),
})

export const hpexpiretime = defineCommand({
  ...COMMON,
  name: 'HPEXPIRETIME',
  doc: { ...DOC, summary: 'Returns at which Unix time in milliseconds fields of a hash expire.' },
  run: (ctx, argv, reply) => replyTimes(ctx, argv, false, 0, reply),
})

/** Propagated as requested. */
export const hpersist = defineCommand({
  name: 'HPERSIST',
  arity: -5,
  flags: WRITE | FAST,
  acl: ['hash'],
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
  doc: { ...DOC, summary: 'Takes the expire times of fields of a hash away.' },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { hashes } = db.keyspace
    const entry = db.writeTyped(argv, 1, TYPE_HASH)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const first = readFields(argv, 2, ERR_FIELDS_NOT_POSITIVE, reply)
    if (first === 0) return
    reply.array(argv.count - first)
    let persisted = 0
    for (let i = first; i < argv.count; i++) {
      const expireAtMs = expireTimeOf(db, entry, argv, i)
      if (expireAtMs >= 0) {
        if (persisted++ === 0) db.beforeChange(entry)
        hashes.persist(db, entry, hashes.fieldRef)
      }
      reply.integer(expireAtMs >= 0 ? PERSISTED : expireAtMs)
    }
    if (persisted > 0) ctx.changed(argv, 1, NOTIFY_HASH, 'hpersist')
  },
})

function replyTimes(ctx: Session, argv: Argv, inSeconds: boolean, baseMs: number, reply: ReplyWriter): void {
  const { db } = ctx
  const entry = db.readTyped(argv, 1, TYPE_HASH)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const first = readFields(argv, 2, ERR_FIELDS_NOT_POSITIVE, reply)
  if (first === 0) return
  reply.array(argv.count - first)
  for (let i = first; i < argv.count; i++) {
    const expireAtMs = expireTimeOf(db, entry, argv, i)
    if (expireAtMs < 0) reply.integer(expireAtMs)
    else reply.integer(inSeconds ? Math.floor((expireAtMs + 999 - baseMs) / 1000) : expireAtMs - baseMs)
  }
}

/** When the field at argv[index] expires, NO_TIME_TO_LIVE or NO_SUCH_FIELD. An overdue field is none, and stays. */
function expireTimeOf(db: Db, entry: Ref, argv: Argv, index: number): number {
  if (entry === NO_KEY) return NO_SUCH_FIELD
  const { hashes } = db.keyspace
  const start = argv.starts[index]!
  if (!hashes.find(db.rootOf(entry), db.encodingOf(entry), argv.bytes, start, argv.lengths[index]!))
    return NO_SUCH_FIELD
  if (hashes.expireAtMs === NO_EXPIRE) return NO_TIME_TO_LIVE
  return hashes.isOverdue ? NO_SUCH_FIELD : hashes.expireAtMs
}
