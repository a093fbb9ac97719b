/**
 * BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET type offset value | INCRBY type offset increment] ...
 * BITFIELD_RO key [GET type offset] ...
 *
 * Integers of 1 to 64 bits (unsigned: 63) at any bit of a string. The whole request is checked before anything is done;
 * the string then grows up to the last bit that any of its writes may touch, even if all of them fail by OVERFLOW.
 * Reply: per operation the field, the old field (SET), the new one (INCRBY), or null where OVERFLOW FAIL forbade it.
 * Propagated as requested when a field changed, or was written after the string grew.
 * Source: Redis command reference, BITFIELD (since 3.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import { endOfCString, parseInt64, parseSafeInt } from '../../base/int64-text.ts'
import {
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_RO,
  KEY_RW,
  KEY_UPDATE,
  KEY_VARIABLE_FLAGS,
} from '../../engine/command.ts'
import { DENYOOM, FAST, READONLY, WRITE } from '../../engine/flags.ts'
import { keysOfBitfield } from '../../engine/key-functions.ts'
import { NOTIFY_STRING } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_BIT_OFFSET, ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { openBytes } from './bit.ts'
import { NO_OFFSET, readFieldOffset } from './bit-offset.ts'
import {
  type FieldType,
  type FieldValue,
  fitField,
  OVERFLOW_FAIL,
  OVERFLOW_SATURATE,
  OVERFLOW_WRAP,
  readInteger,
  sumField,
  writeInteger,
} from './integer-field.ts'

const ERR_TYPE = errorReply(
  'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
)
const ERR_OVERFLOW_TYPE = errorReply('ERR Invalid OVERFLOW type specified')
const ERR_READ_ONLY = errorReply('ERR BITFIELD_RO only supports the GET subcommand')

const GET = 0
const SET = 1
const INCRBY = 2
const LETTER_I = 105
const LETTER_U = 117

interface Operation {
  readonly kind: typeof GET | typeof SET | typeof INCRBY
  readonly type: FieldType
  readonly offset: number
  /** Value or increment. */
  readonly operand: number | bigint
  readonly overflow: number
}

export const bitfield = defineCommand({
  name: 'BITFIELD',
  arity: -2,
  flags: WRITE | DENYOOM,
  acl: ['bitmap'],
  keys: [firstKey(KEY_RW | KEY_UPDATE | KEY_ACCESS | KEY_VARIABLE_FLAGS)],
  getKeys: keysOfBitfield,
  doc: {
    group: 'bitmap',
    since: '3.2.0',
    complexity: 'O(1) for each operation',
    summary: 'Reads and changes integers of any width inside a string.',
  },
  run: (ctx, argv, reply) => runBitfield(ctx, argv, false, reply),
})

export const bitfieldRo = defineCommand({
  name: 'BITFIELD_RO',
  arity: -2,
  flags: READONLY | FAST,
  acl: ['bitmap'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'bitmap',
    since: '6.0.0',
    complexity: 'O(1) for each operation',
    summary: 'Reads integers of any width inside a string.',
  },
  run: (ctx, argv, reply) => runBitfield(ctx, argv, true, reply),
})

function runBitfield(ctx: Session, argv: Argv, readOnly: boolean, reply: ReplyWriter): void {
  const operations = readOperations(ctx, argv, reply)
  if (operations === null) return
  let lengthBytes = 0
  for (const { kind, type, offset } of operations) {
    if (kind !== GET) lengthBytes = Math.max(lengthBytes, Math.floor((offset + type.width - 1) / 8) + 1)
  }
  if (lengthBytes === 0) replyFields(ctx, argv, operations, reply)
  else if (readOnly) reply.error(ERR_READ_ONLY)
  else changeFields(ctx, argv, operations, lengthBytes, reply)
}

function replyFields(ctx: Session, argv: Argv, operations: readonly Operation[], reply: ReplyWriter): void {
  const { db } = ctx
  const entry = db.readString(argv, 1)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const bytes = db.bytesOf(entry)
  const at = entry === NO_KEY ? 0 : db.valueAt(entry)
  const end = entry === NO_KEY ? 0 : at + db.valueLength(entry)
  reply.array(operations.length)
  for (const { type, offset } of operations) replyInteger(readInteger(bytes, at, end, offset, type), reply)
}

function changeFields(
  ctx: Session,
  argv: Argv,
  operations: readonly Operation[],
  lengthBytes: number,
  reply: ReplyWriter,
): void {
  const { db } = ctx
  const found = db.writeString(argv, 1)
  if (found === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const grows = found === NO_KEY || lengthBytes > db.valueLength(found)
  const entry = openBytes(ctx, argv, found, lengthBytes)
  const bytes = db.bytesOf(entry)
  const at = db.valueAt(entry)
  const end = at + db.valueLength(entry)
  let changes = 0
  reply.array(operations.length)
  for (const { kind, type, offset, operand, overflow } of operations) {
    const held = readInteger(bytes, at, end, offset, type)
    if (kind === GET) {
      replyInteger(held, reply)
      continue
    }
    const next = kind === SET ? fitField(operand, type, overflow) : sumField(held, operand, type, overflow)
    if (next === null) {
      reply.null()
      continue
    }
    replyInteger(kind === SET ? held : next, reply)
    writeInteger(bytes, at, offset, type, next)
    if (grows || held !== next) changes++
  }
  if (changes === 0) return
  ctx.changed(argv, 1, NOTIFY_STRING, 'setbit')
  ctx.dirtied(changes - 1)
}

/** The operations of a request, or null after the error was written. */
function readOperations(ctx: Session, argv: Argv, reply: ReplyWriter): Operation[] | null {
  const operations: Operation[] = []
  let overflow = OVERFLOW_WRAP
  for (let i = 2; i < argv.count; ) {
    const left = argv.count - i - 1
    const kind = argv.is(i, 'GET') ? GET : argv.is(i, 'SET') ? SET : argv.is(i, 'INCRBY') ? INCRBY : -1
    if (kind === -1 && argv.is(i, 'OVERFLOW') && left >= 1) {
      overflow = readOverflow(argv, i + 1)
      if (overflow === -1) return refuse(ERR_OVERFLOW_TYPE, reply)
      i += 2
      continue
    }
    if (kind === -1 || left < (kind === GET ? 2 : 3)) return refuse(ERR_SYNTAX, reply)
    const type = readType(argv, i + 1)
    if (type === null) return refuse(ERR_TYPE, reply)
    const offset = readFieldOffset(ctx, argv, i + 2, type.width)
    if (offset === NO_OFFSET) return refuse(ERR_BIT_OFFSET, reply)
    const operand = kind === GET ? 0 : readOperand(argv, i + 3)
    if (operand === null) return refuse(ERR_NOT_INTEGER, reply)
    operations.push({ kind, type, offset, operand, overflow })
    i += kind === GET ? 3 : 4
  }
  return operations
}

function refuse(error: typeof ERR_SYNTAX, reply: ReplyWriter): null {
  reply.error(error)
  return null
}

function readOperand(argv: Argv, index: number): number | bigint | null {
  const value = argv.safeInt(index)
  if (!Number.isNaN(value)) return value
  const start = argv.starts[index]!
  return parseInt64(argv.bytes, start, start + argv.lengths[index]!)
}

function readOverflow(argv: Argv, index: number): number {
  if (argv.is(index, 'WRAP')) return OVERFLOW_WRAP
  if (argv.is(index, 'SAT')) return OVERFLOW_SATURATE
  return argv.is(index, 'FAIL') ? OVERFLOW_FAIL : -1
}

/** "i16", "u8": up to a zero byte, as C reads it. */
function readType(argv: Argv, index: number): FieldType | null {
  const start = argv.starts[index]!
  const length = argv.lengths[index]!
  const letter = length === 0 ? 0 : argv.bytes[start]
  if (letter !== LETTER_I && letter !== LETTER_U) return null
  const width = parseSafeInt(argv.bytes, start + 1, endOfCString(argv.bytes, start + 1, start + length))
  const signed = letter === LETTER_I
  return width >= 1 && width <= (signed ? 64 : 63) ? { signed, width } : null
}

function replyInteger(value: FieldValue, reply: ReplyWriter): void {
  if (typeof value === 'number') reply.integer(value)
  else reply.integer64(value)
}
