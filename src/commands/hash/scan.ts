/**
 * HSCAN key cursor [MATCH pattern] [COUNT count]: fields and values in portions. What is there from the first call to the
 * last is returned at least once; small hashes are returned whole. Fields whose time has come are left out.
 * Source: Redis command reference (since 2.8.0).
 */
import type { Argv } from '../../base/argv.ts'
import { defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { READONLY } from '../../engine/flags.ts'
import type { Session } from '../../engine/session.ts'
import { ENCODING_LISTPACK, NO_KEY, TYPE_HASH, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ENCODING_LISTPACK_EX } from '../../keyspace/types/hash-encodings.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import {
  BUCKETS_PER_ELEMENT,
  ERR_CURSOR,
  matchesPattern,
  readScanCursor,
  readScanOptions,
  type ScanOptions,
} from '../generic/scan-options.ts'

/** Redis counts fields and values, of which there are two for each bucket that may be looked at. */
const BUCKETS_PER_FIELD = BUCKETS_PER_ELEMENT * 2

export const hscan = defineCommand({
  name: 'HSCAN',
  arity: -3,
  flags: READONLY,
  acl: ['hash'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'hash',
    since: '2.8.0',
    complexity: 'O(1) for a call, O(N) for all calls of a whole iteration over N fields.',
    summary: 'Returns a portion of the fields and values of a hash, and a cursor for the next.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const cursor = readScanCursor(argv, 2)
    if (cursor === null) return reply.error(ERR_CURSOR)
    const entry = db.readTyped(argv, 1, TYPE_HASH)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY) {
      reply.array(2)
      reply.bulkInteger(0)
      reply.array(0)
      return
    }
    const options = readScanOptions(argv, 3, false, reply)
    if (options === null) return
    const encoding = db.encodingOf(entry)
    if (encoding === ENCODING_LISTPACK || encoding === ENCODING_LISTPACK_EX) {
      replyWhole(ctx, argv, options, db.rootOf(entry), encoding, reply)
    } else replyPortion(ctx, argv, options, db.rootOf(entry), encoding, cursor, reply)
  },
})

function replyWhole(
  ctx: Session,
  argv: Argv,
  options: ScanOptions,
  root: Ref,
  encoding: number,
  reply: ReplyWriter,
): void {
  const { hashes } = ctx.db.keyspace
  let count = 0
  hashes.iterate(root, encoding)
  while (hashes.next()) if (isWanted(ctx, argv, options)) count++
  reply.array(2)
  reply.bulkInteger(0)
  reply.array(count * 2)
  hashes.iterate(root, encoding)
  while (hashes.next()) if (isWanted(ctx, argv, options)) replyPair(ctx, reply)
}

function replyPortion(
  ctx: Session,
  argv: Argv,
  options: ScanOptions,
  root: Ref,
  encoding: number,
  cursor: number,
  reply: ReplyWriter,
): void {
  const { hashes } = ctx.db.keyspace
  const { table } = hashes.fields
  const fields = hashes.fieldsOf(root, encoding)
  const found: Ref[] = []
  let next = cursor
  let looked = 0
  let bucketsLeft = options.count * BUCKETS_PER_FIELD
  do {
    next = table.scan(fields, next)
    looked += table.scannedCount
    for (let i = 0; i < table.scannedCount; i++) {
      const field = table.scanned[i]!
      hashes.useEntry(field)
      if (isWanted(ctx, argv, options)) found.push(field)
    }
  } while (next !== 0 && bucketsLeft-- > 0 && looked < options.count)
  reply.array(2)
  reply.bulkInteger(next)
  reply.array(found.length * 2)
  for (const field of found) {
    hashes.useEntry(field)
    replyPair(ctx, reply)
  }
}

function isWanted(ctx: Session, argv: Argv, options: ScanOptions): boolean {
  const { hashes } = ctx.db.keyspace
  const { fieldText } = hashes
  return !hashes.isOverdue && matchesPattern(argv, options, fieldText.bytes, fieldText.start, fieldText.length)
}

function replyPair(ctx: Session, reply: ReplyWriter): void {
  const { fieldText, valueText } = ctx.db.keyspace.hashes
  reply.bulk(fieldText.bytes, fieldText.start, fieldText.length)
  reply.bulk(valueText.bytes, valueText.start, valueText.length)
}
