/**
 * LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]
 * Reply: the longest common subsequence; its length; or with IDX the ranges that match, last first, and the length.
 * Absent keys count as empty. Keys are looked at before options.
 * Source: Redis command reference, LCS (since 7.0.0).
 */
import { parseInt64 } from '../../base/int64-text.ts'
import { defineCommand, KEY_ACCESS, KEY_RO, keyRange } from '../../engine/command.ts'
import { READONLY } from '../../engine/flags.ts'
import type { Db } from '../../keyspace/db.ts'
import { NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { commonSubsequence, walkBack } from './longest-common-subsequence.ts'

const ERR_NOT_STRINGS = errorReply('ERR The specified keys must contain string values')
const ERR_LEN_AND_IDX = errorReply('ERR If you want both the length and indexes, please just use IDX.')
const ERR_TOO_LONG = errorReply('ERR String too long for LCS')
const ERR_MEMORY = errorReply('ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len')
const LENGTH_MAX = 0xffff_fffe
/** What Redis's table of lengths takes; its limit is kept, so that the same requests succeed. */
const CELL_BYTES = 4

export const lcs = defineCommand({
  name: 'LCS',
  arity: -3,
  flags: READONLY,
  acl: ['string'],
  keys: [keyRange(1, 1, 1, KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'string',
    since: '7.0.0',
    complexity: 'O(N*M) where N and M are the lengths of the strings',
    summary: 'Finds the longest common subsequence of two strings.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const first = db.readString(argv, 1)
    const second = db.readString(argv, 2)
    if (first === WRONG_TYPE || second === WRONG_TYPE) return reply.error(ERR_NOT_STRINGS)
    let wantsRanges = false
    let wantsLength = false
    let withLengths = false
    let minLength = 0n
    for (let i = 3; i < argv.count; i++) {
      if (argv.is(i, 'IDX')) wantsRanges = true
      else if (argv.is(i, 'LEN')) wantsLength = true
      else if (argv.is(i, 'WITHMATCHLEN')) withLengths = true
      else if (argv.is(i, 'MINMATCHLEN') && i < argv.count - 1) {
        i++
        const given = parseInt64(argv.bytes, argv.starts[i]!, argv.starts[i]! + argv.lengths[i]!)
        if (given === null) return reply.error(ERR_NOT_INTEGER)
        minLength = given
      } else return reply.error(ERR_SYNTAX)
    }
    if (wantsLength && wantsRanges) return reply.error(ERR_LEN_AND_IDX)
    const a = bytesOf(db, first)
    const b = bytesOf(db, second)
    if (a.length >= LENGTH_MAX || b.length >= LENGTH_MAX) return reply.error(ERR_TOO_LONG)
    if ((a.length + 1) * (b.length + 1) * CELL_BYTES > ctx.engine.settings.bulkBytesMax) return reply.error(ERR_MEMORY)
    if (wantsLength) return reply.integer(commonSubsequence(a, b, false).length)
    if (wantsRanges) replyRanges(a, b, minLength, withLengths, reply)
    else reply.bulkBytes(subsequenceBytes(a, b))
  },
})

function bytesOf(db: Db, entry: Ref): Uint8Array {
  return entry === NO_KEY ? new Uint8Array(0) : db.valueView(entry)
}

function subsequenceBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const found = commonSubsequence(a, b, true)
  const result = new Uint8Array(found.length)
  let at = found.length
  walkBack(found, a, b, (i, _j, isMatch) => {
    if (isMatch) result[--at] = a[i]!
  })
  return result
}

/** A range of bytes equal in both strings: they end where the walk meets them first, and begin where it leaves them. */
interface Match {
  aStart: number
  bStart: number
  readonly aEnd: number
  readonly bEnd: number
}

function replyRanges(a: Uint8Array, b: Uint8Array, minLength: bigint, withLengths: boolean, reply: ReplyWriter): void {
  const found = commonSubsequence(a, b, true)
  const matches: Match[] = []
  let open: Match | null = null
  walkBack(found, a, b, (i, j, isMatch) => {
    if (!isMatch) open = null
    else if (open !== null) {
      open.aStart = i
      open.bStart = j
    } else matches.push((open = { aStart: i, bStart: j, aEnd: i, bEnd: j }))
  })
  const shown = matches.filter((match) => BigInt(lengthOf(match)) >= minLength)
  reply.map(2)
  reply.bulkText('matches')
  reply.array(shown.length)
  for (const match of shown) {
    reply.array(withLengths ? 3 : 2)
    replyRange(match.aStart, match.aEnd, reply)
    replyRange(match.bStart, match.bEnd, reply)
    if (withLengths) reply.integer(lengthOf(match))
  }
  reply.bulkText('len')
  reply.integer(found.length)
}

function lengthOf(match: Match): number {
  return match.aEnd - match.aStart + 1
}

function replyRange(start: number, end: number, reply: ReplyWriter): void {
  reply.array(2)
  reply.integer(start)
  reply.integer(end)
}
