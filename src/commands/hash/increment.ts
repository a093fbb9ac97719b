/**
 * HINCRBY, HINCRBYFLOAT: numbers in fields; an absent field counts as 0. A field keeps its expire time.
 * HINCRBY is propagated as requested, HINCRBYFLOAT as HSET with the result since other machines may round otherwise;
 * a field that expires is set by HSETEX with KEEPTTL instead.
 * Mistakes in the argument are found before those in the hash. Source: Redis command reference.
 */
import type { Argv } from '../../base/argv.ts'
import { latin1Bytes } from '../../base/byte-text.ts'
import { INT64_MAX, INT64_MIN, parseInt64, parseSafeInt, writeInt, writeInt64 } from '../../base/int64-text.ts'
import {
  addFloatText,
  addLongDouble,
  isFiniteLongDouble,
  longDoubleHumanText,
  parseLongDouble,
} from '../../base/long-double.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_RW,
  KEY_UPDATE,
} from '../../engine/command.ts'
import { DENYOOM, FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_HASH } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_HASH, WRONG_TYPE } from '../../keyspace/entry.ts'
import { NO_EXPIRE } from '../../keyspace/types/hash.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_FLOAT, ERR_NOT_INTEGER, ERR_OVERFLOW, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import { ABSENT, dropIfEmpty, EXPIRED, FOUND, lookUp, makeHash, settleExpired } from './open-hash.ts'

const ERR_HASH_NOT_INTEGER = errorReply('ERR hash value is not an integer')
const ERR_HASH_NOT_FLOAT = errorReply('ERR hash value is not a float')
const ERR_ARGUMENT_NOT_FINITE = errorReply('ERR value is NaN or Infinity')
const ERR_NOT_FINITE = errorReply('ERR increment would produce NaN or Infinity')
/** What an absent field counts as. */
const ZERO = { bytes: latin1Bytes('0'), start: 0, length: 1 }

const COMMON = {
  arity: 4,
  flags: WRITE | DENYOOM | FAST,
  acl: ['hash'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_UPDATE)],
} satisfies Partial<CommandDefinition>

export const hincrby = defineCommand({
  ...COMMON,
  name: 'HINCRBY',
  doc: {
    group: 'hash',
    since: '2.0.0',
    complexity: 'O(1)',
    summary: 'Adds a whole number to the number in a field of a hash.',
  },
  run(ctx, argv, reply) {
    const { db, engine } = ctx
    const { hashes } = db.keyspace
    const byStart = argv.starts[3]!
    const byEnd = byStart + argv.lengths[3]!
    const by = parseSafeInt(argv.bytes, byStart, byEnd)
    const bigBy = Number.isNaN(by) ? parseInt64(argv.bytes, byStart, byEnd) : null
    if (Number.isNaN(by) && bigBy === null) return reply.error(ERR_NOT_INTEGER)
    let entry = db.writeTyped(argv, 1, TYPE_HASH)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const found = entry === NO_KEY ? ABSENT : lookUp(db, entry, argv, 2)
    let held = 0
    let bigHeld: bigint | null = null
    if (found === FOUND) {
      const { bytes, start, length } = hashes.valueText
      held = parseSafeInt(bytes, start, start + length)
      if (Number.isNaN(held)) {
        bigHeld = parseInt64(bytes, start, start + length)
        if (bigHeld === null) return reply.error(ERR_HASH_NOT_INTEGER)
      }
    } else if (found === EXPIRED && settleExpired(db, entry)) entry = NO_KEY
    const sum = held + by
    if (Number.isSafeInteger(sum)) {
      store(ctx, argv, entry, engine.numberText, writeInt(engine.numberText, 0, sum))
      reply.integer(sum)
    } else {
      const bigSum = (bigHeld ?? BigInt(held)) + (bigBy ?? BigInt(by))
      if (bigSum > INT64_MAX || bigSum < INT64_MIN) return reply.error(ERR_OVERFLOW)
      store(ctx, argv, entry, engine.numberText, writeInt64(engine.numberText, 0, bigSum))
      reply.integer64(bigSum)
    }
    ctx.changed(argv, 1, NOTIFY_HASH, 'hincrby')
  },
})

export const hincrbyfloat = defineCommand({
  ...COMMON,
  name: 'HINCRBYFLOAT',
  doc: {
    group: 'hash',
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'Adds a decimal number to the number in a field of a hash.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { hashes } = db.keyspace
    const byStart = argv.starts[3]!
    const byEnd = byStart + argv.lengths[3]!
    const by = parseLongDouble(argv.bytes, byStart, byEnd)
    if (by === null) return reply.error(ERR_NOT_FLOAT)
    if (!isFiniteLongDouble(by)) return reply.error(ERR_ARGUMENT_NOT_FINITE)
    let entry = db.writeTyped(argv, 1, TYPE_HASH)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const found = entry === NO_KEY ? ABSENT : lookUp(db, entry, argv, 2)
    if (found === EXPIRED && settleExpired(db, entry)) entry = NO_KEY
    const held = found === FOUND ? hashes.valueText : ZERO
    const heldEnd = held.start + held.length
    let text = addFloatText(held.bytes, held.start, heldEnd, argv.bytes, byStart, byEnd)
    if (text === null) {
      const value = parseLongDouble(held.bytes, held.start, heldEnd)
      if (value === null) return reply.error(ERR_HASH_NOT_FLOAT)
      const sum = addLongDouble(value, by)
      if (!isFiniteLongDouble(sum)) return reply.error(ERR_NOT_FINITE)
      text = longDoubleHumanText(sum)
    }
    const expires = found === FOUND && hashes.expireAtMs !== NO_EXPIRE
    const bytes = latin1Bytes(text)
    store(ctx, argv, entry, bytes, bytes.length)
    ctx.changed(argv, 1, NOTIFY_HASH, 'hincrbyfloat')
    reply.bulkBytes(bytes)
    if (!ctx.engine.effects.isActive) return
    if (expires) ctx.replaceEffect(['HSETEX', argv.view(1), 'KEEPTTL', 'FIELDS', '1', argv.view(2), bytes])
    else ctx.replaceEffect(['HSET', argv.view(1), argv.view(2), bytes])
  },
})

/** Sets the field at argv[2], in a new hash if `entry` is NO_KEY. Its expire time stays. */
function store(ctx: Session, argv: Argv, entry: Ref, text: Uint8Array, length: number): void {
  const { db } = ctx
  let target = entry
  if (entry === NO_KEY) target = makeHash(db, argv, argv.count)
  else db.beforeChange(entry)
  try {
    db.keyspace.hashes.set(db, target, argv.bytes, argv.starts[2]!, argv.lengths[2]!, text, 0, length, true)
  } catch (error) {
    dropIfEmpty(db, argv)
    throw error
  }
}
