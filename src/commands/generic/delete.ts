/**
 * DEL and UNLINK: remove keys. Reply: how many there were. What is costly to free is freed in steps by either.
 * Source: Redis command reference (since 1.0.0, 4.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { type CommandDefinition, defineCommand, KEY_DELETE, KEY_RM, keyRange } from '../../engine/command.ts'
import { FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_GENERIC } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const COMMON = {
  arity: -2,
  acl: ['keyspace'],
  keys: [keyRange(1, -1, 1, KEY_RM | KEY_DELETE)],
} satisfies Partial<CommandDefinition>

export const del = defineCommand({
  ...COMMON,
  name: 'DEL',
  flags: WRITE,
  doc: {
    group: 'generic',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of keys; the elements of large collections are freed later, in steps.',
    summary: 'Removes keys.',
  },
  run: (ctx, argv, reply) => removeKeys(ctx, argv, ctx.engine.settings.lazyUserDel, reply),
})

export const unlink = defineCommand({
  ...COMMON,
  name: 'UNLINK',
  flags: WRITE | FAST,
  doc: {
    group: 'generic',
    since: '4.0.0',
    complexity: 'O(N) where N is the number of keys; the elements of large collections are freed later, in steps.',
    summary: 'Removes keys and leaves it for later to free their memory.',
  },
  run: (ctx, argv, reply) => removeKeys(ctx, argv, true, reply),
})

/** `isLazy` is a matter of statistics. */
function removeKeys(ctx: Session, argv: Argv, isLazy: boolean, reply: ReplyWriter): void {
  const { db } = ctx
  let removed = 0
  for (let i = 1; i < argv.count; i++) {
    if (!db.removeKey(argv.bytes, argv.starts[i]!, argv.lengths[i]!, isLazy)) continue
    ctx.changed(argv, i, NOTIFY_GENERIC, 'del')
    removed++
  }
  reply.integer(removed)
}
