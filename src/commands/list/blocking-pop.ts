/**
 * BLPOP key [key ...] timeout, BRPOP, BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]: pop from the first list
 * that has elements, and wait for one if there is none. Reply: the key and what was popped, null when the time is over.
 * Propagated as LPOP or RPOP when it happens. Source: Redis command reference (since 2.0.0, 7.0.0).
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
import { BLOCKING, NOSCRIPT, WRITE } from '../../engine/flags.ts'
import { countedKeys } from '../../engine/key-functions.ts'
import { mayWait } from '../../engine/key-waiters.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_LIST, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { readTimeout } from '../generic/blocking-timeout.ts'
import { HEAD, popElement, popElementsWithKey, TAIL } from './operations.ts'
import { popMultiple, readMultiplePop } from './pop.ts'

const KEY_FLAGS = KEY_RW | KEY_ACCESS | KEY_DELETE
const POP = {
  arity: -3,
  flags: WRITE | NOSCRIPT | BLOCKING,
  acl: ['list'],
  keys: [keyRange(1, -2, 1, KEY_FLAGS)],
} satisfies Partial<CommandDefinition>
const COMPLEXITY = 'O(N) where N is the number of provided keys.'

export const blpop = defineCommand({
  ...POP,
  name: 'BLPOP',
  doc: {
    group: 'list',
    since: '2.0.0',
    complexity: COMPLEXITY,
    summary: 'Takes the leftmost element of the first list that has some, waiting for one if need be.',
  },
  run: (ctx, argv, reply) => pop(ctx, argv, HEAD, reply),
})

export const brpop = defineCommand({
  ...POP,
  name: 'BRPOP',
  doc: {
    group: 'list',
    since: '2.0.0',
    complexity: COMPLEXITY,
    summary: 'Takes the rightmost element of the first list that has some, waiting for one if need be.',
  },
  run: (ctx, argv, reply) => pop(ctx, argv, TAIL, reply),
})

export const blmpop = defineCommand({
  name: 'BLMPOP',
  arity: -5,
  flags: WRITE | BLOCKING,
  acl: ['list'],
  keys: [
    {
      flags: KEY_FLAGS,
      begin: { kind: 'index', index: 2 },
      find: { kind: 'keynum', keyNumIndex: 0, firstKey: 1, step: 1 },
    },
  ],
  getKeys: countedKeys(0, 2, 3),
  doc: {
    group: 'list',
    since: '7.0.0',
    complexity: 'O(N+M) where N is the number of provided keys and M is the number of elements returned.',
    summary: 'Takes elements from an end of the first list that has some, waiting for one if need be.',
  },
  run(ctx, argv, reply) {
    const request = readMultiplePop(argv, 2, reply)
    if (request === null) return
    const untilMs = readTimeout(ctx, argv, 1, reply)
    if (Number.isNaN(untilMs)) return
    const { db } = ctx
    const { keys, isTail, count } = request
    for (let i = 3; i < 3 + keys; i++) {
      const entry = db.writeTyped(argv, i, TYPE_LIST)
      if (entry === NO_KEY) continue
      if (entry === WRONG_TYPE) reply.error(ERR_WRONGTYPE)
      else popMultiple(ctx, argv, i, entry, request, reply)
      return
    }
    if (!mayWait(ctx)) return reply.nullArray()
    ctx.engine.keyWaiters.wait(ctx, argv, 3, keys, untilMs, {
      type: TYPE_LIST,
      serve(session, held, i, out) {
        const entry = session.db.write(held, i)
        const start = held.starts[i]!
        const popped = popElementsWithKey(session, held.bytes, start, held.lengths[i]!, entry, isTail, count, out)
        session.addEffect([isTail ? 'RPOP' : 'LPOP', held.view(i), String(popped)])
        return true
      },
    })
  },
})

function pop(ctx: Session, argv: Argv, isTail: boolean, reply: ReplyWriter): void {
  const last = argv.count - 1
  const untilMs = readTimeout(ctx, argv, last, reply)
  if (Number.isNaN(untilMs)) return
  const { db } = ctx
  for (let i = 1; i < last; i++) {
    const entry = db.writeTyped(argv, i, TYPE_LIST)
    if (entry === NO_KEY) continue
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    popWithKey(ctx, argv, i, entry, isTail, reply)
    if (ctx.engine.effects.isActive) ctx.replaceEffect([isTail ? 'RPOP' : 'LPOP', argv.view(i)])
    return
  }
  if (!mayWait(ctx)) return reply.nullArray()
  ctx.engine.keyWaiters.wait(ctx, argv, 1, last - 1, untilMs, {
    type: TYPE_LIST,
    serve(session, held, i, out) {
      popWithKey(session, held, i, session.db.write(held, i), isTail, out)
      // What was pushed and popped at once counts as one change.
      session.dirtied(-1)
      session.addEffect([isTail ? 'RPOP' : 'LPOP', held.view(i)])
      return true
    },
  })
}

function popWithKey(ctx: Session, argv: Argv, keyIndex: number, entry: Ref, isTail: boolean, reply: ReplyWriter): void {
  const start = argv.starts[keyIndex]!
  const length = argv.lengths[keyIndex]!
  reply.array(2)
  reply.bulk(argv.bytes, start, length)
  popElement(ctx, argv.bytes, start, length, entry, isTail, reply)
}
