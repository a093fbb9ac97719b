/**
 * HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT key time [NX | XX | GT | LT] FIELDS numfields field [field ...]
 * Reply for each field: 1 it will expire then, 0 the condition forbids it, 2 the time is past and the field was removed,
 * -2 there is no such field.
 * Propagated as HPEXPIREAT with the fields that were set, and as HDEL for each that was removed.
 * Source: Redis command reference (since 7.4.0).
 */
import type { Argv } from '../../base/argv.ts'
import { type CommandDefinition, defineCommand, firstKey, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { DENYOOM, FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_HASH } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_HASH, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import {
  ERR_FIELDS_NOT_ABOVE_ZERO,
  MILLISECONDS,
  NO_TIME,
  readFields,
  readFieldTime,
  SECONDS,
} from './field-arguments.ts'
import { removeIfEmptied } from './open-hash.ts'
import { isExpiryAllowed, NO_CONDITION, REMOVED, readCondition, setFieldExpire } from './set-field-expire.ts'

const CONDITION_UNMET = 0
const NO_SUCH_FIELD = -2

const COMMON = {
  arity: -6,
  flags: WRITE | DENYOOM | FAST,
  acl: ['hash'],
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
} satisfies Partial<CommandDefinition>
const DOC = { group: 'hash', since: '7.4.0', complexity: 'O(N) where N is the number of specified fields' }

export const hexpire = defineCommand({
  ...COMMON,
  name: 'HEXPIRE',
  doc: { ...DOC, summary: 'Lets fields of a hash expire after some seconds.' },
  run: (ctx, argv, reply) => expireFields(ctx, argv, SECONDS, true, 'hexpire', reply),
})

export const hpexpire = defineCommand({
  ...COMMON,
  name: 'HPEXPIRE',
  doc: { ...DOC, summary: 'Lets fields of a hash expire after some milliseconds.' },
  run: (ctx, argv, reply) => expireFields(ctx, argv, MILLISECONDS, true, 'hpexpire', reply),
})

export const hexpireat = defineCommand({
  ...COMMON,
  name: 'HEXPIREAT',
  doc: { ...DOC, summary: 'Lets fields of a hash expire at a Unix time in seconds.' },
  run: (ctx, argv, reply) => expireFields(ctx, argv, SECONDS, false, 'hexpireat', reply),
})

export const hpexpireat = defineCommand({
  ...COMMON,
  name: 'HPEXPIREAT',
  doc: { ...DOC, summary: 'Lets fields of a hash expire at a Unix time in milliseconds.' },
  run: (ctx, argv, reply) => expireFields(ctx, argv, MILLISECONDS, false, 'hpexpireat', reply),
})

function expireFields(
  ctx: Session,
  argv: Argv,
  unitMs: number,
  isRelative: boolean,
  command: string,
  reply: ReplyWriter,
): void {
  const { db } = ctx
  const { hashes } = db.keyspace
  const entry = db.writeTyped(argv, 1, TYPE_HASH)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const atMs = readFieldTime(argv, 2, unitMs, isRelative ? ctx.nowMs : 0, command, reply)
  if (atMs === NO_TIME) return
  const condition = readCondition(argv, 3)
  const first = readFields(argv, condition === NO_CONDITION ? 3 : 4, ERR_FIELDS_NOT_ABOVE_ZERO, reply)
  if (first === 0) return
  reply.array(argv.count - first)
  const effect: (string | Uint8Array)[] = []
  let removed = 0
  if (entry !== NO_KEY) {
    db.beforeChange(entry)
    hashes.allowExpiry(db, entry)
  }
  for (let i = first; i < argv.count; i++) {
    if (
      entry === NO_KEY ||
      !hashes.has(db.rootOf(entry), db.encodingOf(entry), argv.bytes, argv.starts[i]!, argv.lengths[i]!)
    ) {
      reply.integer(NO_SUCH_FIELD)
    } else if (!isExpiryAllowed(db, entry, argv, i, condition, atMs)) reply.integer(CONDITION_UNMET)
    else {
      const outcome = setFieldExpire(ctx, entry, argv, i, atMs)
      if (outcome === REMOVED) removed++
      else effect.push(argv.view(i))
      reply.integer(outcome)
    }
  }
  const changes = removed + effect.length
  if (entry === NO_KEY || changes === 0) return ctx.suppressEffect()
  ctx.changed(argv, 1, NOTIFY_HASH, removed > 0 ? 'hdel' : 'hexpire')
  ctx.dirtied(changes - 1)
  removeIfEmptied(ctx, argv, entry)
  if (effect.length === 0) return ctx.suppressEffect()
  if (!ctx.engine.effects.isActive) return
  const words = condition === NO_CONDITION ? ['FIELDS'] : [argv.latin1(3), 'FIELDS']
  ctx.replaceEffect(['HPEXPIREAT', argv.view(1), String(atMs), ...words, String(effect.length), ...effect])
}
