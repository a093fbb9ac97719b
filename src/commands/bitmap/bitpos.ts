/**
 * BITPOS key bit [start [end [BYTE | BIT]]]. Reply: the position of the first bit with that value, counted from the
 * start of the string, or -1. Without an end given the string counts as followed by zeros, so a zero is always found.
 * Source: Redis command reference, BITPOS (since 2.8.7).
 */
import { defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { READONLY } from '../../engine/flags.ts'
import { NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import { rangeEnd, rangeStart, readIndex } from '../string/index-range.ts'
import { findBit } from './bits.ts'

const ERR_BIT_ARGUMENT = errorReply('ERR The bit argument must be 1 or 0.')

export const bitpos = defineCommand({
  name: 'BITPOS',
  arity: -3,
  flags: READONLY,
  acl: ['bitmap'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'bitmap',
    since: '2.8.7',
    complexity: 'O(N) where N is the length of the range',
    summary: 'Finds the first one or zero in a string or in part of it.',
  },
  run(ctx, argv, reply) {
    const bit = readIndex(argv, 2)
    if (Number.isNaN(bit)) return reply.error(ERR_NOT_INTEGER)
    if (bit !== 0 && bit !== 1) return reply.error(ERR_BIT_ARGUMENT)
    const { db } = ctx
    const entry = db.readString(argv, 1)
    if (entry === NO_KEY) return reply.integer(-bit)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (argv.count > 6) return reply.error(ERR_SYNTAX)
    const length = db.valueLength(entry)
    let start = 0
    let end = -1
    let byBit = false
    if (argv.count > 3) {
      start = readIndex(argv, 3)
      if (Number.isNaN(start)) return reply.error(ERR_NOT_INTEGER)
      byBit = argv.count === 6 && argv.is(5, 'BIT')
      if (argv.count === 6 && !byBit && !argv.is(5, 'BYTE')) return reply.error(ERR_SYNTAX)
    }
    const endGiven = argv.count > 4
    if (endGiven) {
      end = readIndex(argv, 4)
      if (Number.isNaN(end)) return reply.error(ERR_NOT_INTEGER)
    }
    const units = byBit ? length * 8 : length
    const first = rangeStart(start, units)
    const last = rangeEnd(end, units)
    if (first > last) return reply.integer(-1)
    const firstBit = byBit ? first : first * 8
    const lastBit = byBit ? last : last * 8 + 7
    const words = db.keyspace.arena.view32(entry)
    const found = findBit(words, db.bytesOf(entry), db.valueAt(entry), firstBit, lastBit, bit)
    reply.integer(found < 0 && bit === 0 && !endGiven ? lastBit + 1 : found)
  },
})
