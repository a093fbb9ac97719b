/**
 * INCR, DECR, INCRBY, DECRBY: whole numbers of 64 bits, kept as their decimal text. Reply: the new value.
 * Propagated as requested. Hot path: bench/micro/receive.ts. Source: Redis command reference (since 1.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { INT64_MAX, INT64_MIN, parseInt64, writeInt, writeInt64 } from '../../base/int64-text.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_RW,
  KEY_UPDATE,
} from '../../engine/command.ts'
import { DENYOOM, FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_STRING } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { ENCODING_INT, NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, ERR_OVERFLOW, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const ERR_DECREMENT_OVERFLOW = errorReply('ERR decrement would overflow')
const COMMON = {
  flags: WRITE | DENYOOM | FAST,
  acl: ['string'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_UPDATE)],
} satisfies Partial<CommandDefinition>

export const incr = defineCommand({
  ...COMMON,
  name: 'INCR',
  arity: 2,
  doc: {
    group: 'string',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Adds one to the number in a key; an absent key counts as 0.',
  },
  run: (ctx, argv, reply) => add(ctx, argv, 1, reply),
})

export const decr = defineCommand({
  ...COMMON,
  name: 'DECR',
  arity: 2,
  doc: {
    group: 'string',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Takes one from the number in a key; an absent key counts as 0.',
  },
  run: (ctx, argv, reply) => add(ctx, argv, -1, reply),
})

export const incrby = defineCommand({
  ...COMMON,
  name: 'INCRBY',
  arity: 3,
  doc: { group: 'string', since: '1.0.0', complexity: 'O(1)', summary: 'Adds a whole number to the number in a key.' },
  run(ctx, argv, reply) {
    const by = argv.safeInt(2)
    if (!Number.isNaN(by)) add(ctx, argv, by, reply)
    else addLarge(ctx, argv, argument(argv), reply)
  },
})

export const decrby = defineCommand({
  ...COMMON,
  name: 'DECRBY',
  arity: 3,
  doc: {
    group: 'string',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Takes a whole number from the number in a key.',
  },
  run(ctx, argv, reply) {
    const by = argv.safeInt(2)
    if (!Number.isNaN(by)) return add(ctx, argv, -by, reply)
    const large = argument(argv)
    if (large === INT64_MIN) return reply.error(ERR_DECREMENT_OVERFLOW)
    addLarge(ctx, argv, large === null ? null : -large, reply)
  },
})

function argument(argv: Argv): bigint | null {
  return parseInt64(argv.bytes, argv.starts[2]!, argv.starts[2]! + argv.lengths[2]!)
}

/** Numbers that a double holds exactly need no bigint. Hot path: bench/micro/receive.ts. */
function add(ctx: Session, argv: Argv, by: number, reply: ReplyWriter): void {
  const { db } = ctx
  const entry = db.writeString(argv, 1)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const sum = (entry === NO_KEY ? 0 : db.numberOf(entry)) + by
  if (!Number.isSafeInteger(sum)) return addLarge(ctx, argv, BigInt(by), reply)
  store(ctx, argv, entry, writeInt(ctx.engine.numberText, 0, sum))
  reply.integer(sum)
}

/** `by` is null when the argument was no number at all. */
function addLarge(ctx: Session, argv: Argv, by: bigint | null, reply: ReplyWriter): void {
  if (by === null) return reply.error(ERR_NOT_INTEGER)
  const { db } = ctx
  const entry = db.writeString(argv, 1)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  let held: bigint | null = 0n
  if (entry !== NO_KEY) {
    const at = db.valueAt(entry)
    held = parseInt64(db.bytesOf(entry), at, at + db.valueLength(entry))
  }
  if (held === null) return reply.error(ERR_NOT_INTEGER)
  const sum = held + by
  if (sum > INT64_MAX || sum < INT64_MIN) return reply.error(ERR_OVERFLOW)
  store(ctx, argv, entry, writeInt64(ctx.engine.numberText, 0, sum))
  reply.integer64(sum)
}

/** Sets the key to the first `length` bytes of the engine's number text. `entry` is what was found of it. */
function store(ctx: Session, argv: Argv, entry: Ref, length: number): void {
  const { db } = ctx
  const { numberText } = ctx.engine
  if (entry === NO_KEY) {
    db.setString(argv.bytes, argv.starts[1]!, argv.lengths[1]!, numberText, 0, length, ENCODING_INT, true)
  } else db.rewriteString(entry, numberText, 0, length, ENCODING_INT)
  ctx.changed(argv, 1, NOTIFY_STRING, 'incrby')
}
