/**
 * BZPOPMIN key [key ...] timeout, BZPOPMAX, BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]: pop from the first
 * sorted set that has members, and wait for one if there is none. Reply: the key, members and scores; null when the time is
 * over. Propagated as ZPOPMIN or ZPOPMAX when it happens. Source: Redis command reference (since 5.0.0, 7.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import {
  type CommandDefinition,
  defineCommand,
  KEY_ACCESS,
  KEY_DELETE,
  KEY_RW,
  keyRange,
} from '../../engine/command.ts'
import { BLOCKING, FAST, NOSCRIPT, WRITE } from '../../engine/flags.ts'
import { countedKeys } from '../../engine/key-functions.ts'
import { mayWait } from '../../engine/key-waiters.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_ZSET, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { readTimeout } from '../generic/blocking-timeout.ts'
import { BARE, PAIRS, popMembers, readMultiPop } from './pop.ts'

const KEY_FLAGS = KEY_RW | KEY_ACCESS | KEY_DELETE
const POP = {
  arity: -3,
  flags: WRITE | NOSCRIPT | FAST | BLOCKING,
  acl: ['sortedset'],
  keys: [keyRange(1, -2, 1, KEY_FLAGS)],
} satisfies Partial<CommandDefinition>
const COMPLEXITY = 'O(log(N)) with N being the number of elements in the sorted set.'

export const bzpopmin = defineCommand({
  ...POP,
  name: 'BZPOPMIN',
  doc: {
    group: 'sorted-set',
    since: '5.0.0',
    complexity: COMPLEXITY,
    summary:
      'Takes the member with the lowest score of the first sorted set that there is, waiting for one if need be.',
  },
  run: (ctx, argv, reply) => pop(ctx, argv, false, reply),
})

export const bzpopmax = defineCommand({
  ...POP,
  name: 'BZPOPMAX',
  doc: {
    group: 'sorted-set',
    since: '5.0.0',
    complexity: COMPLEXITY,
    summary:
      'Takes the member with the highest score of the first sorted set that there is, waiting for one if need be.',
  },
  run: (ctx, argv, reply) => pop(ctx, argv, true, reply),
})

export const bzmpop = defineCommand({
  name: 'BZMPOP',
  arity: -5,
  flags: WRITE | BLOCKING,
  acl: ['sortedset'],
  keys: [
    {
      flags: KEY_FLAGS,
      begin: { kind: 'index', index: 2 },
      find: { kind: 'keynum', keyNumIndex: 0, firstKey: 1, step: 1 },
    },
  ],
  getKeys: countedKeys(0, 2, 3),
  doc: {
    group: 'sorted-set',
    since: '7.0.0',
    complexity:
      'O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.',
    summary:
      'Takes members of the first sorted set that there is by lowest or highest score, waiting for one if need be.',
  },
  run(ctx, argv, reply) {
    const request = readMultiPop(argv, 2, reply)
    if (request === null) return
    const untilMs = readTimeout(ctx, argv, 1, reply)
    if (Number.isNaN(untilMs)) return
    const { keyCount, isMax, count } = request
    for (let i = 3; i < 3 + keyCount; i++) {
      const entry = ctx.db.writeTyped(argv, i, TYPE_ZSET)
      if (entry === NO_KEY) continue
      if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
      const popped = popCounted(ctx, argv, i, entry, isMax, count, reply)
      ctx.replaceEffect([effectName(isMax), argv.view(i), String(popped)])
      return
    }
    if (!mayWait(ctx)) return reply.nullArray()
    ctx.engine.keyWaiters.wait(ctx, argv, 3, keyCount, untilMs, {
      type: TYPE_ZSET,
      serve(session, held, i, out) {
        const popped = popCounted(session, held, i, session.db.write(held, i), isMax, count, out)
        session.addEffect([effectName(isMax), held.view(i), String(popped)])
        return true
      },
    })
  },
})

function pop(ctx: Session, argv: Argv, isMax: boolean, reply: ReplyWriter): void {
  const last = argv.count - 1
  const untilMs = readTimeout(ctx, argv, last, reply)
  if (Number.isNaN(untilMs)) return
  for (let i = 1; i < last; i++) {
    const entry = ctx.db.writeTyped(argv, i, TYPE_ZSET)
    if (entry === NO_KEY) continue
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    popOne(ctx, argv, i, entry, isMax, reply)
    if (ctx.engine.effects.isActive) ctx.replaceEffect([effectName(isMax), argv.view(i)])
    return
  }
  if (!mayWait(ctx)) return reply.nullArray()
  ctx.engine.keyWaiters.wait(ctx, argv, 1, last - 1, untilMs, {
    type: TYPE_ZSET,
    serve(session, held, i, out) {
      popOne(session, held, i, session.db.write(held, i), isMax, out)
      session.addEffect([effectName(isMax), held.view(i)])
      return true
    },
  })
}

/** Replies the key, the member and its score. */
function popOne(ctx: Session, argv: Argv, keyIndex: number, entry: Ref, isMax: boolean, reply: ReplyWriter): void {
  reply.array(3)
  reply.bulk(argv.bytes, argv.starts[keyIndex]!, argv.lengths[keyIndex]!)
  popMembers(ctx, argv, keyIndex, entry, isMax, 1, BARE, reply)
}

/** Replies the key and an array of pairs; returns how many. */
function popCounted(
  ctx: Session,
  argv: Argv,
  keyIndex: number,
  entry: Ref,
  isMax: boolean,
  count: number,
  reply: ReplyWriter,
): number {
  reply.array(2)
  reply.bulk(argv.bytes, argv.starts[keyIndex]!, argv.lengths[keyIndex]!)
  return popMembers(ctx, argv, keyIndex, entry, isMax, count, PAIRS, reply)
}

function effectName(isMax: boolean): string {
  return isMax ? 'ZPOPMAX' : 'ZPOPMIN'
}
