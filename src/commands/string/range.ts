/**
 * APPEND, SETRANGE, GETRANGE, SUBSTR: parts of a string. What is changed in place is "raw" from then on.
 * Propagated as requested. Source: Redis command reference.
 */
import type { Argv } from '../../base/argv.ts'
import { copyBytes } from '../../base/copy-bytes.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_INSERT,
  KEY_RO,
  KEY_RW,
  KEY_UPDATE,
} from '../../engine/command.ts'
import { DENYOOM, FAST, READONLY, WRITE } from '../../engine/flags.ts'
import { NOTIFY_STRING } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { ENCODING_RAW, NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_NOT_INTEGER, ERR_STRING_TOO_LONG, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { isBackwards, rangeEnd, rangeStart, readIndex } from './index-range.ts'
import { storeString } from './set.ts'
import { isTooLong } from './string-length.ts'

const ERR_OFFSET = errorReply('ERR offset is out of range')
const NOTHING = new Uint8Array(0)

/** Reply: the new length. A key that did not exist is set as SET would. */
export const append = defineCommand({
  name: 'APPEND',
  arity: 3,
  flags: WRITE | DENYOOM | FAST,
  acl: ['string'],
  keys: [firstKey(KEY_RW | KEY_INSERT)],
  doc: {
    group: 'string',
    since: '2.0.0',
    complexity: 'O(1) amortised, as the string keeps room to grow',
    summary: 'Adds bytes to the end of a string; an absent key counts as empty.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const entry = db.writeString(argv, 1)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const addedBytes = argv.lengths[2]!
    let lengthBytes = addedBytes
    if (entry === NO_KEY) storeString(ctx, argv, 1, 2, false)
    else {
      const heldBytes = db.valueLength(entry)
      lengthBytes = heldBytes + addedBytes
      if (isTooLong(ctx, lengthBytes)) return reply.error(ERR_STRING_TOO_LONG)
      const target = db.resizeString(entry, lengthBytes, ENCODING_RAW)
      copyArgument(argv, 2, db.bytesOf(target), db.valueAt(target) + heldBytes)
    }
    ctx.changed(argv, 1, NOTIFY_STRING, 'append')
    reply.integer(lengthBytes)
  },
})

/** Reply: the new length. A gap before the offset is filled with zeros; an empty value changes nothing and makes no key. */
export const setrange = defineCommand({
  name: 'SETRANGE',
  arity: 4,
  flags: WRITE | DENYOOM,
  acl: ['string'],
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
  doc: {
    group: 'string',
    since: '2.2.0',
    complexity: 'O(M) with M the length of the value, and of the gap before it',
    summary: 'Overwrites part of a string from an offset on, filling a gap with zeros.',
  },
  run(ctx, argv, reply) {
    const offset = readIndex(argv, 2)
    if (Number.isNaN(offset)) return reply.error(ERR_NOT_INTEGER)
    if (offset < 0) return reply.error(ERR_OFFSET)
    const { db } = ctx
    const entry = db.writeString(argv, 1)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const heldBytes = entry === NO_KEY ? 0 : db.valueLength(entry)
    const valueBytes = argv.lengths[3]!
    if (valueBytes === 0) return reply.integer(heldBytes)
    if (isTooLong(ctx, offset + valueBytes)) return reply.error(ERR_STRING_TOO_LONG)
    const lengthBytes = Math.max(heldBytes, offset + valueBytes)
    const target = db.resizeString(entry === NO_KEY ? addEmptyString(ctx, argv) : entry, lengthBytes, ENCODING_RAW)
    copyArgument(argv, 3, db.bytesOf(target), db.valueAt(target) + offset)
    ctx.changed(argv, 1, NOTIFY_STRING, 'setrange')
    reply.integer(lengthBytes)
  },
})

const GETRANGE = {
  arity: 4,
  flags: READONLY,
  acl: ['string'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  run: replyRange,
} satisfies Partial<CommandDefinition>

export const getrange = defineCommand({
  ...GETRANGE,
  name: 'GETRANGE',
  doc: {
    group: 'string',
    since: '2.4.0',
    complexity: 'O(N) where N is the length of the reply',
    summary: 'Returns part of a string, given by its first and last index.',
  },
})

export const substr = defineCommand({
  ...GETRANGE,
  name: 'SUBSTR',
  doc: {
    group: 'string',
    since: '1.0.0',
    complexity: 'O(N) where N is the length of the reply',
    summary: 'The old name of GETRANGE.',
  },
})

function replyRange(ctx: Session, argv: Argv, reply: ReplyWriter): void {
  const start = readIndex(argv, 2)
  if (Number.isNaN(start)) return reply.error(ERR_NOT_INTEGER)
  const end = readIndex(argv, 3)
  if (Number.isNaN(end)) return reply.error(ERR_NOT_INTEGER)
  const { db } = ctx
  const entry = db.readString(argv, 1)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const length = entry === NO_KEY ? 0 : db.valueLength(entry)
  const first = rangeStart(start, length)
  const last = rangeEnd(end, length)
  if (first > last || isBackwards(argv, 2, 3, start, end)) return reply.bulk(NOTHING, 0, 0)
  reply.bulk(db.bytesOf(entry), db.valueAt(entry) + first, last - first + 1)
}

/** A new string of no bytes at argv[1], to be grown at once. Returns its entry. */
function addEmptyString(ctx: Session, argv: Argv): number {
  return ctx.db.setString(argv.bytes, argv.starts[1]!, argv.lengths[1]!, NOTHING, 0, 0, ENCODING_RAW, false)
}

function copyArgument(argv: Argv, index: number, to: Uint8Array, toAt: number): void {
  copyBytes(argv.bytes, argv.starts[index]!, to, toAt, argv.lengths[index]!)
}
