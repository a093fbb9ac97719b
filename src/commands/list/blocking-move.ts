/**
 * BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout, and BRPOPLPUSH source destination timeout, its older form: move an
 * element to another list, and wait for one if there is none. Reply: the element, null when the time is over.
 * Propagated as LMOVE or RPOPLPUSH when it happens. Source: Redis command reference (since 6.2.0, 2.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import {
  type CommandDefinition,
  defineCommand,
  KEY_ACCESS,
  KEY_DELETE,
  KEY_INSERT,
  KEY_RW,
  keyAt,
} from '../../engine/command.ts'
import { BLOCKING, DENYOOM, NOSCRIPT, WRITE } from '../../engine/flags.ts'
import { mayWait } from '../../engine/key-waiters.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_LIST, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { readTimeout } from '../generic/blocking-timeout.ts'
import { moveBetween } from './move.ts'
import { HEAD, readEndName, TAIL } from './operations.ts'

const MOVE = {
  flags: WRITE | DENYOOM | NOSCRIPT | BLOCKING,
  acl: ['list'],
  keys: [keyAt(1, KEY_RW | KEY_ACCESS | KEY_DELETE), keyAt(2, KEY_RW | KEY_INSERT)],
} satisfies Partial<CommandDefinition>

type Effect = (argv: Argv, isServed: boolean) => (string | Uint8Array)[]

export const blmove = defineCommand({
  ...MOVE,
  name: 'BLMOVE',
  arity: 6,
  doc: {
    group: 'list',
    since: '6.2.0',
    complexity: 'O(1)',
    summary: 'Moves an element from an end of a list to an end of another, waiting for one if need be.',
  },
  run(ctx, argv, reply) {
    const fromTail = readEndName(argv, 3, reply)
    if (fromTail === null) return
    const toTail = readEndName(argv, 4, reply)
    if (toTail === null) return
    move(ctx, argv, 5, fromTail, toTail, reply, (held, isServed) => [
      'LMOVE',
      held.view(1),
      held.view(2),
      isServed ? endName(fromTail) : held.view(3),
      isServed ? endName(toTail) : held.view(4),
    ])
  },
})

export const brpoplpush = defineCommand({
  ...MOVE,
  name: 'BRPOPLPUSH',
  arity: 4,
  doc: {
    group: 'list',
    since: '2.2.0',
    complexity: 'O(1)',
    summary: 'Moves an element from the right end of a list to the left end of another, waiting for one if need be.',
  },
  run: (ctx, argv, reply) => move(ctx, argv, 3, TAIL, HEAD, reply, (held) => ['RPOPLPUSH', held.view(1), held.view(2)]),
})

function move(
  ctx: Session,
  argv: Argv,
  timeoutIndex: number,
  fromTail: boolean,
  toTail: boolean,
  reply: ReplyWriter,
  effect: Effect,
): void {
  const untilMs = readTimeout(ctx, argv, timeoutIndex, reply)
  if (Number.isNaN(untilMs)) return
  const { keyspace } = ctx.engine
  const source = ctx.db.writeTyped(argv, 1, TYPE_LIST)
  if (source === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  if (source !== NO_KEY) {
    const { dirty } = keyspace
    moveBetween(ctx, argv, fromTail, toTail, reply)
    if (keyspace.dirty !== dirty && ctx.engine.effects.isActive) ctx.replaceEffect(effect(argv, false))
    return
  }
  if (!mayWait(ctx)) return reply.null()
  ctx.engine.keyWaiters.wait(ctx, argv, 1, 1, untilMs, {
    type: TYPE_LIST,
    serve(session, held, _keyIndex, out) {
      const { dirty } = keyspace
      moveBetween(session, held, fromTail, toTail, out)
      if (keyspace.dirty !== dirty) {
        session.addEffect(effect(held, true))
        // What was pushed and moved on at once counts as one change.
        keyspace.dirty = dirty
      }
      return true
    },
  })
}

function endName(isTail: boolean): string {
  return isTail ? 'right' : 'left'
}
