/**
 * BITCOUNT key [start end [BYTE | BIT]]. Reply: the number of ones. An absent key answers 0 before the arguments are
 * looked at, and so does a range that runs backwards from the end before its unit is.
 * Source: Redis command reference, BITCOUNT (since 2.6.0).
 */
import { type Command, defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { READONLY } from '../../engine/flags.ts'
import { NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE } from '../../resp/errors.ts'
import { isBackwards, rangeEnd, rangeStart, readIndex } from '../string/index-range.ts'
import { onesOutside } from './bits.ts'
import type { LongBits } from './long-bits.ts'

export const bitcount = (bits: LongBits): Command =>
  defineCommand({
    name: 'BITCOUNT',
    arity: -2,
    flags: READONLY,
    acl: ['bitmap'],
    keys: [firstKey(KEY_RO | KEY_ACCESS)],
    doc: {
      group: 'bitmap',
      since: '2.6.0',
      complexity: 'O(N) where N is the length of the range',
      summary: 'Counts the ones in a string or in part of it.',
    },
    run(ctx, argv, reply) {
      const { db } = ctx
      const entry = db.readString(argv, 1)
      if (entry === NO_KEY) return reply.integer(0)
      if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
      const bytes = db.bytesOf(entry)
      const words = db.keyspace.arena.view32(entry)
      const at = db.valueAt(entry)
      const length = db.valueLength(entry)
      if (argv.count === 2) return reply.integer(bits.countOnes(words, bytes, at, length))
      if (argv.count !== 4 && argv.count !== 5) return reply.error(ERR_SYNTAX)
      const start = readIndex(argv, 2)
      if (Number.isNaN(start)) return reply.error(ERR_NOT_INTEGER)
      const end = readIndex(argv, 3)
      if (Number.isNaN(end)) return reply.error(ERR_NOT_INTEGER)
      if (isBackwards(argv, 2, 3, start, end)) return reply.integer(0)
      const byBit = argv.count === 5 && argv.is(4, 'BIT')
      if (argv.count === 5 && !byBit && !argv.is(4, 'BYTE')) return reply.error(ERR_SYNTAX)
      const units = byBit ? length * 8 : length
      const first = rangeStart(start, units)
      const last = rangeEnd(end, units)
      if (first > last) return reply.integer(0)
      const firstByte = byBit ? Math.floor(first / 8) : first
      const lastByte = byBit ? Math.floor(last / 8) : last
      const ones = bits.countOnes(words, bytes, at + firstByte, lastByte - firstByte + 1)
      reply.integer(byBit ? ones - onesOutside(bytes, at, first, last) : ones)
    },
  })
