/**
 * ZPOPMIN key [count], ZPOPMAX key [count], ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]: the members with the lowest or
 * highest scores leave a sorted set, which goes with the last one. Reply: members with their scores.
 * ZMPOP is propagated as ZPOPMIN or ZPOPMAX with the number of members that it took.
 * What blocking commands have in common with these is exported. Hot path: bench/micro/zset.ts.
 * Source: Redis command reference (since 5.0.0, 7.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_DELETE,
  KEY_RW,
} from '../../engine/command.ts'
import { FAST, WRITE } from '../../engine/flags.ts'
import { countedKeys } from '../../engine/key-functions.ts'
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_ZSET, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { ERR_NOT_POSITIVE, keepChanges, readLongFrom, replyScore } from './value.ts'

const ERR_NUMKEYS = errorReply('ERR numkeys should be greater than 0')
const ERR_COUNT = errorReply('ERR count should be greater than 0')
const COMMON = {
  acl: ['sortedset'],
} satisfies Partial<CommandDefinition>
const KEY_FLAGS = KEY_RW | KEY_ACCESS | KEY_DELETE

/** How popped members are replied: all in one array, each a pair in one, or without any array around them. */
export const FLAT = 0
export const PAIRS = 1
export const BARE = 2

export const zpopmin = defineCommand({
  ...COMMON,
  name: 'ZPOPMIN',
  arity: -2,
  flags: WRITE | FAST,
  keys: [firstKey(KEY_FLAGS)],
  doc: {
    group: 'sorted-set',
    since: '5.0.0',
    complexity: 'O(log(N)*M), N being the size of the sorted set and M the number of members removed.',
    summary: 'Removes and returns the members of a sorted set with the lowest scores.',
  },
  run: (ctx, argv, reply) => pop(ctx, argv, false, reply),
})

export const zpopmax = defineCommand({
  ...COMMON,
  name: 'ZPOPMAX',
  arity: -2,
  flags: WRITE | FAST,
  keys: [firstKey(KEY_FLAGS)],
  doc: {
    group: 'sorted-set',
    since: '5.0.0',
    complexity: 'O(log(N)*M), N being the size of the sorted set and M the number of members removed.',
    summary: 'Removes and returns the members of a sorted set with the highest scores.',
  },
  run: (ctx, argv, reply) => pop(ctx, argv, true, reply),
})

export const zmpop = defineCommand({
  ...COMMON,
  name: 'ZMPOP',
  arity: -4,
  flags: WRITE,
  keys: [
    {
      flags: KEY_FLAGS,
      begin: { kind: 'index', index: 1 },
      find: { kind: 'keynum', keyNumIndex: 0, firstKey: 1, step: 1 },
    },
  ],
  getKeys: countedKeys(0, 1, 2),
  doc: {
    group: 'sorted-set',
    since: '7.0.0',
    complexity:
      'O(K) + O(M*log(N)), K being the number of keys, N the size of the sorted set and M the members removed.',
    summary: 'Removes and returns members of the first sorted set that there is, with the lowest or highest scores.',
  },
  run(ctx, argv, reply) {
    const request = readMultiPop(argv, 1, reply)
    if (request === null) return
    for (let i = 2; i < 2 + request.keyCount; i++) {
      const entry = ctx.db.writeTyped(argv, i, TYPE_ZSET)
      if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
      if (entry === NO_KEY) continue
      reply.array(2)
      reply.bulk(argv.bytes, argv.starts[i]!, argv.lengths[i]!)
      const popped = popMembers(ctx, argv, i, entry, request.isMax, request.count, PAIRS, reply)
      ctx.replaceEffect([request.isMax ? 'ZPOPMAX' : 'ZPOPMIN', argv.view(i), String(popped)])
      return
    }
    reply.nullArray()
  },
})

export interface MultiPop {
  readonly keyCount: number
  readonly isMax: boolean
  /** At least 1, rounded beyond 2^53. */
  readonly count: number
}

/** Reads `numkeys key [key ...] MIN | MAX [COUNT count]` from an index on; null: there is a mistake, which has been replied. */
export function readMultiPop(argv: Argv, index: number, reply: ReplyWriter): MultiPop | null {
  const keyCount = readLongFrom(argv, index, 1, reply, ERR_NUMKEYS)
  if (Number.isNaN(keyCount)) return null
  const whereIndex = index + 1 + keyCount
  const isMax = whereIndex < argv.count && argv.is(whereIndex, 'MAX')
  if (whereIndex >= argv.count || (!isMax && !argv.is(whereIndex, 'MIN'))) {
    reply.error(ERR_SYNTAX)
    return null
  }
  let count = -1
  for (let i = whereIndex + 1; i < argv.count; i++) {
    if (count !== -1 || i + 1 === argv.count || !argv.is(i, 'COUNT')) {
      reply.error(ERR_SYNTAX)
      return null
    }
    count = readLongFrom(argv, ++i, 1, reply, ERR_COUNT)
    if (Number.isNaN(count)) return null
  }
  return { keyCount, isMax, count: count === -1 ? 1 : count }
}

/** Hot. */
function pop(ctx: Session, argv: Argv, isMax: boolean, reply: ReplyWriter): void {
  if (argv.count > 3) return reply.error(ERR_SYNTAX)
  let count = 1
  if (argv.count === 3) {
    count = readLongFrom(argv, 2, 0, reply, ERR_NOT_POSITIVE)
    if (Number.isNaN(count)) return
  }
  const entry = ctx.db.writeTyped(argv, 1, TYPE_ZSET)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  if (entry === NO_KEY || count === 0) return reply.array(0)
  popMembers(ctx, argv, 1, entry, isMax, count, argv.count === 3 && reply.protocol === 3 ? PAIRS : FLAT, reply)
}

/**
 * Removes up to `count` members, one at least, from the sorted set that is the value of argv[keyIndex], and replies them
 * with their scores in the form that is asked for. Watchers, events and the count of changes are seen to, the effect is
 * not. Returns how many members were removed.
 */
export function popMembers(
  ctx: Session,
  argv: Argv,
  keyIndex: number,
  entry: Ref,
  isMax: boolean,
  count: number,
  form: number,
  reply: ReplyWriter,
): number {
  const { db } = ctx
  const { zsets } = db.keyspace
  const root = db.rootOf(entry)
  const encoding = db.encodingOf(entry)
  const length = zsets.length(root, encoding)
  const popped = Math.min(count, length)
  if (form !== BARE) reply.array(form === FLAT ? popped * 2 : popped)
  zsets.seek(root, encoding, isMax ? length - 1 : 0)
  for (let left = popped; ; ) {
    if (form === PAIRS) reply.array(2)
    reply.bulk(zsets.bytes, zsets.start, zsets.lengthBytes)
    replyScore(zsets, zsets.score, reply)
    if (--left === 0) break
    if (isMax) zsets.previous()
    else zsets.next()
  }
  db.beforeChange(entry)
  if (popped === length) db.remove(entry)
  else {
    zsets.removeRange(root, encoding, isMax ? length - popped : 0, popped)
    keepChanges(db, entry)
  }
  ctx.changed(argv, keyIndex, NOTIFY_ZSET, isMax ? 'zpopmax' : 'zpopmin')
  if (popped === length) {
    ctx.notify(NOTIFY_GENERIC, 'del', db, argv.bytes, argv.starts[keyIndex]!, argv.lengths[keyIndex]!)
  }
  ctx.dirtied(popped - 1)
  return popped
}
