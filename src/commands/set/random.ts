/**
 * SPOP key [count] and SRANDMEMBER key [count]: members chosen by chance, each as likely as any other, removed or not. A
 * negative count of SRANDMEMBER may give one several times.
 * SPOP is propagated as what it removed: SREM of each member, or DEL when the set goes at once.
 * Source: Redis command reference (since 1.0.0, count since 3.2.0 and 2.6.0).
 */
import type { Argv } from '../../base/argv.ts'
import { parseInt64 } from '../../base/int64-text.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_DELETE,
  KEY_RO,
  KEY_RW,
} from '../../engine/command.ts'
import { FAST, READONLY, WRITE } from '../../engine/flags.ts'
import { NOTIFY_GENERIC, NOTIFY_SET } from '../../engine/notifications.ts'
import { CLOSE_ASAP, type Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_SET, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { replyUnion } from './combine.ts'
import { keepChanges } from './members.ts'

const ERR_NOT_POSITIVE = errorReply('ERR value is out of range, must be positive')
const ERR_COUNT_RANGE = errorReply(
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
)
/** When no more than a sixth is to stay, those that stay are chosen instead (Redis's SPOP_MOVE_STRATEGY_MUL). */
const KEEP_RATIO = 5
/** When at least a third is wanted, all are looked at (Redis's SRANDMEMBER_SUB_STRATEGY_MUL). */
const SELECT_RATIO = 3

const COMMON = { arity: -2, acl: ['set'] } satisfies Partial<CommandDefinition>

export const spop = defineCommand({
  ...COMMON,
  name: 'SPOP',
  flags: WRITE | FAST,
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_DELETE)],
  doc: {
    group: 'set',
    since: '1.0.0',
    complexity: 'O(1) without a count, else O(N) where N is the count.',
    summary: 'Removes and returns members chosen by chance.',
  },
  run(ctx, argv, reply) {
    if (argv.count === 3) return popSeveral(ctx, argv, reply)
    if (argv.count > 3) return reply.error(ERR_SYNTAX)
    const { db } = ctx
    const { random, sets } = db.keyspace
    const entry = db.writeTyped(argv, 1, TYPE_SET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY) return reply.null()
    db.beforeChange(entry)
    const root = db.rootOf(entry)
    const encoding = db.encodingOf(entry)
    sets.pick(root, encoding, random)
    reply.bulk(sets.pickedBytes, sets.pickedStart, sets.pickedLength)
    if (ctx.engine.effects.isActive) ctx.replaceEffect(['SREM', argv.view(1), pickedView(ctx)])
    sets.removePicked(root, encoding)
    if (sets.root !== root) db.setRoot(entry, sets.root)
    const isLast = sets.length(sets.root, encoding) === 0
    if (isLast) db.remove(entry)
    ctx.changed(argv, 1, NOTIFY_SET, 'spop')
    if (isLast) ctx.notify(NOTIFY_GENERIC, 'del', db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
  },
})

export const srandmember = defineCommand({
  ...COMMON,
  name: 'SRANDMEMBER',
  flags: READONLY,
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'set',
    since: '1.0.0',
    complexity: 'O(1) without a count, else O(N) where N is the absolute value of the count.',
    summary: 'Returns members chosen by chance.',
  },
  run(ctx, argv, reply) {
    if (argv.count > 3) return reply.error(ERR_SYNTAX)
    const { db } = ctx
    let count = 1
    if (argv.count === 3) {
      const start = argv.starts[2]!
      const value = parseInt64(argv.bytes, start, start + argv.lengths[2]!)
      if (value === null) return reply.error(ERR_NOT_INTEGER)
      if (value === -0x8000_0000_0000_0000n) return reply.error(ERR_COUNT_RANGE)
      count = Number(value)
    }
    const entry = db.readTyped(argv, 1, TYPE_SET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (argv.count === 2) {
      if (entry === NO_KEY) return reply.null()
      return replyPicked(ctx, db.rootOf(entry), db.encodingOf(entry), 1, reply)
    }
    if (entry === NO_KEY || count === 0) return reply.array(0)
    const root = db.rootOf(entry)
    const encoding = db.encodingOf(entry)
    const length = db.keyspace.sets.length(root, encoding)
    if (count < 0 || count === 1) {
      reply.array(Math.abs(count))
      replyPicked(ctx, root, encoding, Math.abs(count), reply)
    } else {
      const wanted = Math.min(count, length)
      reply.array(wanted)
      if (wanted * SELECT_RATIO > length) replySelection(ctx, root, encoding, wanted, length, reply)
      else replyDistinct(ctx, root, encoding, wanted, reply)
    }
  },
})

/** The member that was picked, as a view. */
function pickedView({ db }: Session): Uint8Array {
  const { pickedBytes, pickedLength, pickedStart } = db.keyspace.sets
  return pickedBytes.subarray(pickedStart, pickedStart + pickedLength)
}

function popSeveral(ctx: Session, argv: Argv, reply: ReplyWriter): void {
  const { db } = ctx
  const { sets } = db.keyspace
  const { bytes, starts, lengths } = argv
  const count = positiveCount(argv)
  if (count < 0) return reply.error(ERR_NOT_POSITIVE)
  const entry = db.writeTyped(argv, 1, TYPE_SET)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  if (entry === NO_KEY || count === 0) return reply.set(0)
  const root = db.rootOf(entry)
  const encoding = db.encodingOf(entry)
  const length = sets.length(root, encoding)
  ctx.notify(NOTIFY_SET, 'spop', db, bytes, starts[1]!, lengths[1]!)
  ctx.dirtied(Math.min(count, length))
  if (count >= length) {
    // The reply is that of SUNION, and counts as the use of a key that it is.
    db.read(argv, 1)
    replyUnion(sets, [{ root, encoding, length }], reply)
    db.remove(entry)
    ctx.notify(NOTIFY_GENERIC, 'del', db, bytes, starts[1]!, lengths[1]!)
    if (ctx.engine.effects.isActive) ctx.replaceEffect(['DEL', argv.view(1)])
    ctx.touched(db, bytes, starts[1]!, lengths[1]!)
    return
  }
  db.beforeChange(entry)
  const remaining = length - count
  if (remaining * KEEP_RATIO > count) popPicked(ctx, argv, entry, count, reply)
  else popOthers(ctx, argv, entry, remaining, count, reply)
  ctx.suppressEffect()
  ctx.touched(db, bytes, starts[1]!, lengths[1]!)
}

/** Removes `count` members, one after the other. */
function popPicked(ctx: Session, argv: Argv, entry: Ref, count: number, reply: ReplyWriter): void {
  const { db } = ctx
  const { random, sets } = db.keyspace
  const encoding = db.encodingOf(entry)
  let root = db.rootOf(entry)
  reply.set(count)
  for (let left = count; left > 0; left--) {
    sets.pick(root, encoding, random)
    reply.bulk(sets.pickedBytes, sets.pickedStart, sets.pickedLength)
    propagateRemoval(ctx, argv, sets.pickedBytes, sets.pickedStart, sets.pickedLength)
    sets.removePicked(root, encoding)
    if (sets.root === root) continue
    root = sets.root
    db.setRoot(entry, root)
  }
}

/** Makes a new set of `remaining` members and removes the old one with the others. */
function popOthers(ctx: Session, argv: Argv, entry: Ref, remaining: number, count: number, reply: ReplyWriter): void {
  const { db } = ctx
  const { lazyFree, random, sets } = db.keyspace
  const root = db.rootOf(entry)
  const encoding = db.encodingOf(entry)
  const kept = new Set<number>()
  sets.root = 0
  try {
    while (kept.size < remaining) {
      sets.pick(root, encoding, random)
      const { pickedBytes, pickedId, pickedLength, pickedStart } = sets
      if (kept.has(pickedId)) continue
      kept.add(pickedId)
      if (kept.size === 1) sets.createFor(pickedBytes, pickedStart, pickedLength)
      sets.add(sets.root, sets.encoding, pickedBytes, pickedStart, pickedLength)
    }
  } catch (error) {
    if (sets.root !== 0) sets.release(sets.root, sets.encoding)
    throw error
  }
  keepChanges(db, entry)
  reply.set(count)
  const walk = sets.walk(root, encoding)
  while (walk.next()) {
    if (kept.has(walk.id)) continue
    walk.spell()
    reply.bulk(walk.bytes, walk.start, walk.length)
    propagateRemoval(ctx, argv, walk.bytes, walk.start, walk.length)
  }
  walk.end()
  lazyFree.release(sets, root, encoding, lazyFree.serverDel)
}

function propagateRemoval(ctx: Session, argv: Argv, bytes: Uint8Array, start: number, length: number): void {
  if (ctx.engine.effects.isActive) ctx.addEffect(['SREM', argv.view(1), bytes.subarray(start, start + length)])
}

/** The count at argv[2]; negative if it is none. */
function positiveCount(argv: Argv): number {
  const start = argv.starts[2]!
  const value = parseInt64(argv.bytes, start, start + argv.lengths[2]!)
  return value === null ? -1 : Number(value)
}

/** Members chosen independently of each other. */
function replyPicked(ctx: Session, root: Ref, encoding: number, count: number, reply: ReplyWriter): void {
  const { random, sets } = ctx.db.keyspace
  for (let left = count; left > 0; left--) {
    sets.pick(root, encoding, random)
    reply.bulk(sets.pickedBytes, sets.pickedStart, sets.pickedLength)
    if (ctx.has(CLOSE_ASAP)) break
  }
}

/** Few different members of many. */
function replyDistinct(ctx: Session, root: Ref, encoding: number, wanted: number, reply: ReplyWriter): void {
  const { random, sets } = ctx.db.keyspace
  const chosen = new Set<number>()
  while (chosen.size < wanted) {
    sets.pick(root, encoding, random)
    if (chosen.has(sets.pickedId)) continue
    chosen.add(sets.pickedId)
    reply.bulk(sets.pickedBytes, sets.pickedStart, sets.pickedLength)
  }
}

/** Many different members: each is taken with the probability that makes all choices equally likely. */
function replySelection(
  ctx: Session,
  root: Ref,
  encoding: number,
  wanted: number,
  length: number,
  reply: ReplyWriter,
): void {
  const { random, sets } = ctx.db.keyspace
  const walk = sets.walk(root, encoding)
  let missing = wanted
  for (let left = length; missing > 0 && walk.next(); left--) {
    if (random.below(left) >= missing) continue
    missing--
    walk.spell()
    reply.bulk(walk.bytes, walk.start, walk.length)
  }
  walk.end()
}
