/**
 * SETBIT, GETBIT: single bits of a string. Bit 0 is the highest bit of the first byte.
 * Source: Redis command reference (since 2.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import { defineCommand, firstKey, KEY_ACCESS, KEY_RO, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { DENYOOM, FAST, READONLY, WRITE } from '../../engine/flags.ts'
import { NOTIFY_STRING } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { ENCODING_RAW, NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_BIT_OFFSET, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import { NO_OFFSET, readBitOffset } from './bit-offset.ts'

const ERR_BIT = errorReply('ERR bit is not an integer or out of range')
const NOTHING = new Uint8Array(0)

/**
 * Reply: the bit that was there. The string grows with zeros up to the bit. Setting a bit to what it is changes nothing,
 * and nothing is propagated, unless the string grew for it.
 */
export const setbit = defineCommand({
  name: 'SETBIT',
  arity: 4,
  flags: WRITE | DENYOOM,
  acl: ['bitmap'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_UPDATE)],
  doc: {
    group: 'bitmap',
    since: '2.2.0',
    complexity: 'O(1)',
    summary: 'Sets or clears a bit of a string and returns what it was.',
  },
  run(ctx, argv, reply) {
    const offset = readBitOffset(ctx, argv, 2)
    if (offset === NO_OFFSET) return reply.error(ERR_BIT_OFFSET)
    const bit = argv.safeInt(3)
    if (bit !== 0 && bit !== 1) return reply.error(ERR_BIT)
    const { db } = ctx
    const found = db.writeString(argv, 1)
    if (found === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const byte = Math.floor(offset / 8)
    const grows = found === NO_KEY || byte >= db.valueLength(found)
    const entry = openBytes(ctx, argv, found, byte + 1)
    const bytes = db.bytesOf(entry)
    const index = db.valueAt(entry) + byte
    const mask = 0x80 >>> (offset & 7)
    const held = bytes[index]!
    const old = (held & mask) === 0 ? 0 : 1
    if (grows || old !== bit) {
      bytes[index] = bit === 1 ? held | mask : held & ~mask
      ctx.changed(argv, 1, NOTIFY_STRING, 'setbit')
    }
    reply.integer(old)
  },
})

export const getbit = defineCommand({
  name: 'GETBIT',
  arity: 3,
  flags: READONLY | FAST,
  acl: ['bitmap'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: { group: 'bitmap', since: '2.2.0', complexity: 'O(1)', summary: 'Returns a bit of a string; 0 beyond its end.' },
  run(ctx, argv, reply) {
    const offset = readBitOffset(ctx, argv, 2)
    if (offset === NO_OFFSET) return reply.error(ERR_BIT_OFFSET)
    const { db } = ctx
    const entry = db.readString(argv, 1)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const byte = Math.floor(offset / 8)
    if (entry === NO_KEY || byte >= db.valueLength(entry)) return reply.integer(0)
    reply.integer((db.bytesOf(entry)[db.valueAt(entry) + byte]! >>> (7 - (offset & 7))) & 1)
  },
})

/**
 * The string at argv[1] (`found`, or NO_KEY), "raw" and at least this long, ready to be written in place: made or grown
 * with zeros. Nobody is told. Returns its entry.
 */
export function openBytes(ctx: Session, argv: Argv, found: Ref, lengthBytes: number): Ref {
  const { db } = ctx
  const entry =
    found === NO_KEY
      ? db.setString(argv.bytes, argv.starts[1]!, argv.lengths[1]!, NOTHING, 0, 0, ENCODING_RAW, false)
      : found
  return db.resizeString(entry, Math.max(lengthBytes, db.valueLength(entry)), ENCODING_RAW)
}
