/**
 * LPUSH, RPUSH and, for lists that exist, LPUSHX and RPUSHX: add elements at an end. Reply: the new length.
 * Propagated as requested. Source: Redis command reference.
 */
import type { Argv } from '../../base/argv.ts'
import { type CommandDefinition, defineCommand, firstKey, KEY_INSERT, KEY_RW } from '../../engine/command.ts'
import { DENYOOM, FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_LIST } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { ENCODING_QUICKLIST, NO_KEY, TYPE_LIST, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { HEAD, pushEvent, TAIL } from './operations.ts'

const PUSH = {
  arity: -3,
  flags: WRITE | DENYOOM | FAST,
  acl: ['list'],
  keys: [firstKey(KEY_RW | KEY_INSERT)],
} satisfies Partial<CommandDefinition>
const COMPLEXITY = 'O(1) for each element'

export const lpush = defineCommand({
  ...PUSH,
  name: 'LPUSH',
  doc: { group: 'list', since: '1.0.0', complexity: COMPLEXITY, summary: 'Adds elements to the left end of a list.' },
  run: (ctx, argv, reply) => push(ctx, argv, HEAD, false, reply),
})

export const rpush = defineCommand({
  ...PUSH,
  name: 'RPUSH',
  doc: { group: 'list', since: '1.0.0', complexity: COMPLEXITY, summary: 'Adds elements to the right end of a list.' },
  run: (ctx, argv, reply) => push(ctx, argv, TAIL, false, reply),
})

export const lpushx = defineCommand({
  ...PUSH,
  name: 'LPUSHX',
  doc: {
    group: 'list',
    since: '2.2.0',
    complexity: COMPLEXITY,
    summary: 'Adds elements to the left end of a list that exists.',
  },
  run: (ctx, argv, reply) => push(ctx, argv, HEAD, true, reply),
})

export const rpushx = defineCommand({
  ...PUSH,
  name: 'RPUSHX',
  doc: {
    group: 'list',
    since: '2.2.0',
    complexity: COMPLEXITY,
    summary: 'Adds elements to the right end of a list that exists.',
  },
  run: (ctx, argv, reply) => push(ctx, argv, TAIL, true, reply),
})

function push(ctx: Session, argv: Argv, isTail: boolean, mustExist: boolean, reply: ReplyWriter): void {
  const { db } = ctx
  const { lists } = db.keyspace
  const { bytes, starts, lengths, count } = argv
  const entry = db.writeTyped(argv, 1, TYPE_LIST)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  let root: Ref
  if (entry !== NO_KEY) {
    db.beforeChange(entry)
    root = db.rootOf(entry)
    for (let i = 2; i < count; i++) lists.push(root, isTail, bytes, starts[i]!, lengths[i]!)
  } else {
    if (mustExist) return reply.integer(0)
    root = lists.create()
    try {
      for (let i = 2; i < count; i++) lists.push(root, isTail, bytes, starts[i]!, lengths[i]!)
      db.addValue(bytes, starts[1]!, lengths[1]!, TYPE_LIST, ENCODING_QUICKLIST, root)
    } catch (error) {
      lists.release(root)
      throw error
    }
  }
  reply.integer(lists.length(root))
  ctx.dirtied(count - 3)
  ctx.changed(argv, 1, NOTIFY_LIST, pushEvent(isTail))
}
