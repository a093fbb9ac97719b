/**
 * INCRBYFLOAT: adds in the 80-bit format that Redis uses, so that every digit of the reply is the same.
 * Reply: the new value, a bulk string in both protocols. Stored as text, never as an integer.
 * Mistakes in the key's value are found before those in the argument.
 * Propagated as SET with the result, since other machines may round otherwise.
 * Source: Redis command reference, INCRBYFLOAT (since 2.6.0).
 */
import { latin1Bytes } from '../../base/byte-text.ts'
import {
  addFloatText,
  addLongDouble,
  isFiniteLongDouble,
  longDoubleHumanText,
  parseLongDouble,
} from '../../base/long-double.ts'
import { defineCommand, firstKey, KEY_ACCESS, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { DENYOOM, FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_STRING } from '../../engine/notifications.ts'
import { EMBSTR_BYTES_MAX, ENCODING_EMBSTR, ENCODING_RAW, NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_NOT_FLOAT, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'

const ERR_NOT_FINITE = errorReply('ERR increment would produce NaN or Infinity')
/** What an absent key counts as. */
const ZERO = latin1Bytes('0')

export const incrbyfloat = defineCommand({
  name: 'INCRBYFLOAT',
  arity: 3,
  flags: WRITE | DENYOOM | FAST,
  acl: ['string'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_UPDATE)],
  doc: {
    group: 'string',
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'Adds a decimal number to the number in a key; an absent key counts as 0.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const entry = db.writeString(argv, 1)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const held = entry === NO_KEY ? ZERO : db.bytesOf(entry)
    const heldStart = entry === NO_KEY ? 0 : db.valueAt(entry)
    const heldEnd = entry === NO_KEY ? ZERO.length : heldStart + db.valueLength(entry)
    const byStart = argv.starts[2]!
    const byEnd = byStart + argv.lengths[2]!
    let text = addFloatText(held, heldStart, heldEnd, argv.bytes, byStart, byEnd)
    if (text === null) {
      const value = parseLongDouble(held, heldStart, heldEnd)
      const by = value === null ? null : parseLongDouble(argv.bytes, byStart, byEnd)
      if (value === null || by === null) return reply.error(ERR_NOT_FLOAT)
      const sum = addLongDouble(value, by)
      if (!isFiniteLongDouble(sum)) return reply.error(ERR_NOT_FINITE)
      text = longDoubleHumanText(sum)
    }
    const bytes = latin1Bytes(text)
    const encoding = bytes.length <= EMBSTR_BYTES_MAX ? ENCODING_EMBSTR : ENCODING_RAW
    db.setString(argv.bytes, argv.starts[1]!, argv.lengths[1]!, bytes, 0, bytes.length, encoding, true)
    ctx.changed(argv, 1, NOTIFY_STRING, 'incrbyfloat')
    reply.bulkBytes(bytes)
    if (ctx.engine.effects.isActive) ctx.replaceEffect(['SET', argv.view(1), bytes, 'KEEPTTL'])
  },
})
