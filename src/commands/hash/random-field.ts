/**
 * HRANDFIELD key [count [WITHVALUES]]: fields chosen by chance, with a negative count the same one perhaps several times.
 * The ways to choose are Redis's: all of them evenly distributed, the cheapest by how many are wanted of how many.
 * Fields whose time has come go first. Source: Redis command reference (since 6.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import { parseInt64 } from '../../base/int64-text.ts'
import { defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { READONLY } from '../../engine/flags.ts'
import { CLOSE_ASAP, type Session } from '../../engine/session.ts'
import { ENCODING_LISTPACK, NO_KEY, TYPE_HASH, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { HashType } from '../../keyspace/types/hash.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const LONG_MAX = 0x7fff_ffff_ffff_ffffn
const ERR_COUNT_RANGE = errorReply(`ERR value is out of range, value must between -${LONG_MAX} and ${LONG_MAX}`)
const ERR_OUT_OF_RANGE = errorReply('ERR value is out of range')
/** From a hash less than so many times as large as the count, those that are not wanted are struck out. */
const STRIKE_OUT_RATIO = 3
/** How often a client that is to be closed is noticed. */
const LOOK_EVERY = 1024

export const hrandfield = defineCommand({
  name: 'HRANDFIELD',
  arity: -2,
  flags: READONLY,
  acl: ['hash'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'hash',
    since: '6.2.0',
    complexity: 'O(N) where N is the number of fields returned',
    summary: 'Returns fields of a hash chosen by chance.',
  },
  run(ctx, argv, reply) {
    if (argv.count === 2) return replyOne(ctx, argv, reply)
    const start = argv.starts[2]!
    const count = parseInt64(argv.bytes, start, start + argv.lengths[2]!)
    if (count === null) return reply.error(ERR_NOT_INTEGER)
    if (count < -LONG_MAX) return reply.error(ERR_COUNT_RANGE)
    const withValues = argv.count === 4
    if (argv.count > 4 || (withValues && !argv.is(3, 'WITHVALUES'))) return reply.error(ERR_SYNTAX)
    if (withValues && (count < -LONG_MAX / 2n || count > LONG_MAX / 2n)) return reply.error(ERR_OUT_OF_RANGE)
    replySeveral(ctx, argv, Number(count), withValues, reply)
  },
})

/** Opens the hash for reading without fields whose time has come: its entry, NO_KEY or WRONG_TYPE. */
function open(ctx: Session, argv: Argv): Ref {
  const { db } = ctx
  const entry = db.readTyped(argv, 1, TYPE_HASH)
  if (entry === NO_KEY || entry === WRONG_TYPE) return entry
  return db.keyspace.hashes.expireOverdue(db, entry) ? NO_KEY : entry
}

function replyOne(ctx: Session, argv: Argv, reply: ReplyWriter): void {
  const { db } = ctx
  const { hashes, random } = db.keyspace
  const entry = open(ctx, argv)
  if (entry === NO_KEY) return reply.null()
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const root = db.rootOf(entry)
  const encoding = db.encodingOf(entry)
  if (encoding === ENCODING_LISTPACK) hashes.pickPair(root, random.below(hashes.length(root, encoding)))
  else hashes.pickRandom(root, encoding, random)
  const { fieldText } = hashes
  reply.bulk(fieldText.bytes, fieldText.start, fieldText.length)
}

function replySeveral(ctx: Session, argv: Argv, count: number, withValues: boolean, reply: ReplyWriter): void {
  const { db } = ctx
  const { hashes } = db.keyspace
  const entry = open(ctx, argv)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  if (entry === NO_KEY || count === 0) return reply.array(0)
  const root = db.rootOf(entry)
  const encoding = db.encodingOf(entry)
  const size = hashes.length(root, encoding)
  const replied = count < 0 ? -count : Math.min(count, size)
  reply.array(withValues && reply.protocol === 2 ? replied * 2 : replied)
  if (count < 0 || count === 1) replyRepeated(ctx, root, encoding, replied, withValues, reply)
  else if (count >= size) {
    hashes.iterate(root, encoding)
    while (hashes.next()) replyFound(hashes, withValues, reply)
  } else if (encoding === ENCODING_LISTPACK) replySelection(ctx, root, size, count, withValues, reply)
  else if (count * STRIKE_OUT_RATIO > size) replyLeftOver(ctx, root, encoding, size, count, withValues, reply)
  else replyDistinct(ctx, root, encoding, count, withValues, reply)
}

/** Each chosen anew. */
function replyRepeated(
  ctx: Session,
  root: Ref,
  encoding: number,
  count: number,
  withValues: boolean,
  reply: ReplyWriter,
): void {
  const { hashes, random } = ctx.db.keyspace
  const places = encoding === ENCODING_LISTPACK ? hashes.pairPlaces(root) : null
  for (let i = 0; i < count; i++) {
    if (places === null) hashes.pickRandom(root, encoding, random)
    else hashes.pickAt(root, places[random.below(places.length)]!)
    replyFound(hashes, withValues, reply)
    if (i % LOOK_EVERY === 0 && ctx.has(CLOSE_ASAP)) return
  }
}

/** One walk in which each field is taken with the chance that what is still wanted has among what is still to come. */
function replySelection(
  ctx: Session,
  root: Ref,
  size: number,
  count: number,
  withValues: boolean,
  reply: ReplyWriter,
): void {
  const { hashes, random } = ctx.db.keyspace
  let wanted = count
  hashes.iterate(root, ENCODING_LISTPACK)
  for (let left = size; wanted > 0 && hashes.next(); left--) {
    if (random.below(left) >= wanted) continue
    replyFound(hashes, withValues, reply)
    wanted--
  }
}

/** All of them less some chosen by chance. */
function replyLeftOver(
  ctx: Session,
  root: Ref,
  encoding: number,
  size: number,
  count: number,
  withValues: boolean,
  reply: ReplyWriter,
): void {
  const { hashes, random } = ctx.db.keyspace
  const fields = new Int32Array(size)
  let left = 0
  hashes.iterate(root, encoding)
  while (hashes.next()) fields[left++] = hashes.fieldRef
  while (left > count) fields[random.below(left)] = fields[--left]!
  for (let i = 0; i < left; i++) {
    hashes.useEntry(fields[i]!)
    replyFound(hashes, withValues, reply)
  }
}

/** Chosen until enough of them are different. */
function replyDistinct(
  ctx: Session,
  root: Ref,
  encoding: number,
  count: number,
  withValues: boolean,
  reply: ReplyWriter,
): void {
  const { hashes, random } = ctx.db.keyspace
  const chosen = new Set<number>()
  while (chosen.size < count) {
    hashes.pickRandom(root, encoding, random)
    if (chosen.has(hashes.fieldRef)) continue
    chosen.add(hashes.fieldRef)
    replyFound(hashes, withValues, reply)
  }
}

function replyFound(hashes: HashType, withValues: boolean, reply: ReplyWriter): void {
  const { fieldText, valueText } = hashes
  if (withValues && reply.protocol > 2) reply.array(2)
  reply.bulk(fieldText.bytes, fieldText.start, fieldText.length)
  if (withValues) reply.bulk(valueText.bytes, valueText.start, valueText.length)
}
