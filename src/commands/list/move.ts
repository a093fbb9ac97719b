/**
 * LMOVE source destination LEFT | RIGHT LEFT | RIGHT, and RPOPLPUSH, its older form: move an element from an end of a list to
 * an end of another. Reply: the element. Propagated as requested. Source: Redis command reference.
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
import { DENYOOM, WRITE } from '../../engine/flags.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_LIST, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { HEAD, moveElement, readEndName, TAIL } from './operations.ts'

const MOVE = {
  flags: WRITE | DENYOOM,
  acl: ['list'],
  keys: [keyAt(1, KEY_RW | KEY_ACCESS | KEY_DELETE), keyAt(2, KEY_RW | KEY_INSERT)],
} satisfies Partial<CommandDefinition>

export const lmove = defineCommand({
  ...MOVE,
  name: 'LMOVE',
  arity: 5,
  doc: {
    group: 'list',
    since: '6.2.0',
    complexity: 'O(1)',
    summary: 'Moves an element from an end of a list to an end of another.',
  },
  run(ctx, argv, reply) {
    const fromTail = readEndName(argv, 3, reply)
    if (fromTail === null) return
    const toTail = readEndName(argv, 4, reply)
    if (toTail === null) return
    moveBetween(ctx, argv, fromTail, toTail, reply)
  },
})

export const rpoplpush = defineCommand({
  ...MOVE,
  name: 'RPOPLPUSH',
  arity: 3,
  doc: {
    group: 'list',
    since: '1.2.0',
    complexity: 'O(1)',
    summary: 'Moves an element from the right end of a list to the left end of another.',
  },
  run: (ctx, argv, reply) => moveBetween(ctx, argv, TAIL, HEAD, reply),
})

/** Moves an element from the list at argv[1] to the one at argv[2]. Replies null if there is none to move. */
export function moveBetween(ctx: Session, argv: Argv, fromTail: boolean, toTail: boolean, reply: ReplyWriter): void {
  const { db } = ctx
  const source = db.writeTyped(argv, 1, TYPE_LIST)
  if (source === NO_KEY) return reply.null()
  if (source === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const target = db.writeTyped(argv, 2, TYPE_LIST)
  if (target === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const { bytes, starts, lengths } = argv
  moveElement(
    ctx,
    source,
    bytes,
    starts[1]!,
    lengths[1]!,
    fromTail,
    target,
    bytes,
    starts[2]!,
    lengths[2]!,
    toTail,
    reply,
  )
}
