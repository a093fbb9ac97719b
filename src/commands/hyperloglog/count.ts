/**
 * PFADD, PFCOUNT, PFMERGE: how many different elements there were, roughly, without keeping them.
 * Source: Redis command reference (since 2.8.9).
 */
import type { Argv } from '../../base/argv.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_INSERT,
  KEY_RO,
  KEY_RW,
  keyRange,
} from '../../engine/command.ts'
import { DENYOOM, FAST, MAY_REPLICATE, READONLY, WRITE } from '../../engine/flags.ts'
import { NOTIFY_STRING } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import {
  cacheCount,
  cachedCount,
  HLL_CHANGED,
  HLL_CORRUPT,
  HLL_DENSE,
  hllEncoding,
  invalidateCount,
  raiseDense,
} from '../../structures/hyperloglog.ts'
import { checked, ERR_CORRUPT, load, opened, store } from './values.ts'

const ACL = { acl: ['hyperloglog'] } satisfies Partial<CommandDefinition>

/** PFADD key [element ...]: reply 1 if the key was made or its estimate may have changed, else 0. */
export const pfadd = defineCommand({
  ...ACL,
  name: 'PFADD',
  arity: -2,
  flags: WRITE | DENYOOM | FAST,
  keys: [firstKey(KEY_RW | KEY_INSERT)],
  doc: {
    group: 'hyperloglog',
    since: '2.8.9',
    complexity: 'O(1) to add every element.',
    summary: 'Adds elements to a HyperLogLog, which is made if there is none.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const entry = checked(db, db.writeString(argv, 1), reply)
    if (entry === WRONG_TYPE) return
    const isDense = entry !== NO_KEY && hllEncoding(db.bytesOf(entry), db.valueAt(entry)) === HLL_DENSE
    const changes = isDense ? addInPlace(ctx, argv, entry) : addToSparse(ctx, argv, entry)
    if (changes === HLL_CORRUPT) return reply.error(ERR_CORRUPT)
    if (changes > 0) {
      ctx.changed(argv, 1, NOTIFY_STRING, 'pfadd')
      ctx.dirtied(changes - 1)
    }
    reply.integer(changes > 0 ? 1 : 0)
  },
})

/** Returns how many elements raised a register. */
function addInPlace(ctx: Session, argv: Argv, found: Ref): number {
  const { db } = ctx
  const hll = db.keyspace.hyperloglog
  const entry = opened(db, found)
  const bytes = db.bytesOf(entry)
  const at = db.valueAt(entry)
  let changes = 0
  for (let i = 2; i < argv.count; i++) {
    hll.hash(argv.bytes, argv.starts[i]!, argv.lengths[i]!)
    if (raiseDense(bytes, at, hll.index, hll.rank)) changes++
  }
  if (changes > 0) invalidateCount(bytes, at)
  return changes
}

/** As `addInPlace`, of a sparse value or NO_KEY, whose making counts as a change; HLL_CORRUPT if it was found to be so on the way. */
function addToSparse(ctx: Session, argv: Argv, entry: Ref): number {
  const { db } = ctx
  const hll = db.keyspace.hyperloglog
  const { hllSparseMaxBytes } = db.keyspace.limits
  if (entry === NO_KEY) hll.clear()
  else load(hll, db, entry)
  let changes = entry === NO_KEY ? 1 : 0
  let isCorrupt = false
  for (let i = 2; i < argv.count && !isCorrupt; i++) {
    hll.hash(argv.bytes, argv.starts[i]!, argv.lengths[i]!)
    const result = hll.raise(hll.index, hll.rank, hllSparseMaxBytes)
    if (result === HLL_CHANGED) changes++
    else isCorrupt = result === HLL_CORRUPT
  }
  if (changes > 0) {
    // What was added before the corruption was found stays.
    if (!isCorrupt) invalidateCount(hll.bytes, 0)
    store(ctx, argv, 1, entry, hll)
  } else opened(db, entry)
  return isCorrupt ? HLL_CORRUPT : changes
}

/**
 * PFCOUNT key [key ...]: the estimate, of all keys together if there are several. A single key keeps its estimate until
 * it changes; that this is written into the value is propagated.
 */
export const pfcount = defineCommand({
  ...ACL,
  name: 'PFCOUNT',
  arity: -2,
  flags: READONLY | MAY_REPLICATE,
  keys: [keyRange(1, -1, 1, KEY_RW | KEY_ACCESS)],
  doc: {
    group: 'hyperloglog',
    since: '2.8.9',
    complexity:
      'O(1) with a very small average constant time when called with a single key. O(N) with N being the number of keys, and much bigger constant times, when called with multiple keys.',
    summary: 'Returns roughly how many different elements were added to HyperLogLogs.',
  },
  run(ctx, argv, reply) {
    if (argv.count > 2) return countTogether(ctx, argv, reply)
    const { db } = ctx
    const found = checked(db, db.readString(argv, 1), reply)
    if (found === WRONG_TYPE) return
    if (found === NO_KEY) return reply.integer(0)
    const entry = opened(db, found)
    const bytes = db.bytesOf(entry)
    const at = db.valueAt(entry)
    const cached = cachedCount(bytes, at)
    if (cached !== null) return reply.integer64(cached)
    const count = db.keyspace.hyperloglog.count(bytes, at, db.valueLength(entry))
    if (count === null) return reply.error(ERR_CORRUPT)
    cacheCount(bytes, at, count)
    ctx.touched(db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
    ctx.dirtied(1)
    reply.integer64(count)
  },
})

function countTogether(ctx: Session, argv: Argv, reply: ReplyWriter): void {
  const { db } = ctx
  const hll = db.keyspace.hyperloglog
  hll.clearRegisters()
  for (let i = 1; i < argv.count; i++) {
    const entry = checked(db, db.readString(argv, i), reply)
    if (entry === WRONG_TYPE) return
    if (entry === NO_KEY) continue
    if (!hll.merge(db.bytesOf(entry), db.valueAt(entry), db.valueLength(entry))) return reply.error(ERR_CORRUPT)
  }
  reply.integer64(hll.countRegisters())
}

/** PFMERGE destkey [sourcekey ...]: the destination then has the elements of all, its own included. */
export const pfmerge = defineCommand({
  ...ACL,
  name: 'PFMERGE',
  arity: -2,
  flags: WRITE | DENYOOM,
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_INSERT), keyRange(2, -1, 1, KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'hyperloglog',
    since: '2.8.9',
    complexity: 'O(N) to merge N HyperLogLogs, but with high constant times.',
    summary: 'Merges HyperLogLogs into one.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const hll = db.keyspace.hyperloglog
    hll.clearRegisters()
    let becomesDense = false
    for (let i = 1; i < argv.count; i++) {
      const entry = checked(db, db.readString(argv, i), reply)
      if (entry === WRONG_TYPE) return
      if (entry === NO_KEY) continue
      const bytes = db.bytesOf(entry)
      const at = db.valueAt(entry)
      if (hllEncoding(bytes, at) === HLL_DENSE) becomesDense = true
      if (!hll.merge(bytes, at, db.valueLength(entry))) return reply.error(ERR_CORRUPT)
    }
    const entry = db.write(argv, 1)
    if (entry === NO_KEY) hll.clear()
    else load(hll, db, entry)
    // What was merged without complaint is not corrupt.
    if (becomesDense) hll.makeDense()
    hll.raiseToMerged(db.keyspace.limits.hllSparseMaxBytes)
    invalidateCount(hll.bytes, 0)
    store(ctx, argv, 1, entry, hll)
    ctx.changed(argv, 1, NOTIFY_STRING, 'pfadd')
    reply.ok()
  },
})
