/**
 * FLUSHALL and FLUSHDB [ASYNC | SYNC]: empty all databases, or the one that is selected. Memory of many keys is freed in
 * steps either way; ASYNC and SYNC decide which statistics it counts in.
 * Propagated as requested, also when there was nothing to delete. Source: Redis command reference (since 1.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { type CommandDefinition, defineCommand } from '../../engine/command.ts'
import { WRITE } from '../../engine/flags.ts'
import type { Session } from '../../engine/session.ts'
import { ERR_SYNTAX } from '../../resp/errors.ts'

const COMMON = { arity: -1, flags: WRITE, acl: ['keyspace', 'dangerous'] } satisfies Partial<CommandDefinition>

export const flushall = defineCommand({
  ...COMMON,
  name: 'FLUSHALL',
  doc: {
    group: 'server',
    since: '1.0.0',
    complexity: 'O(N) where N is the total number of keys in all databases',
    summary: 'Removes all keys of all databases.',
  },
  run(ctx, argv, reply) {
    const isLazy = readMode(ctx, argv)
    if (isLazy === null) return reply.error(ERR_SYNTAX)
    const { keyspace, keyWaiters, watch } = ctx.engine
    for (const db of keyspace.databases) {
      watch.touchAll(db, null)
      keyWaiters.beforeReplaced(db, null)
    }
    keyspace.snapshot?.abandon()
    ctx.dirtied(keyspace.clear(isLazy))
    ctx.engine.onDataFlushed?.()
    ctx.forceEffect()
    reply.ok()
  },
})

export const flushdb = defineCommand({
  ...COMMON,
  name: 'FLUSHDB',
  doc: {
    group: 'server',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of keys in the selected database',
    summary: 'Removes all keys of the selected database.',
  },
  run(ctx, argv, reply) {
    const isLazy = readMode(ctx, argv)
    if (isLazy === null) return reply.error(ERR_SYNTAX)
    ctx.engine.watch.touchAll(ctx.db, null)
    ctx.engine.keyWaiters.beforeReplaced(ctx.db, null)
    ctx.dirtied(ctx.db.clear(isLazy))
    ctx.forceEffect()
    reply.ok()
  },
})

/** Whether to count the memory as freed lazily; null on a syntax error. */
function readMode(ctx: Session, argv: Argv): boolean | null {
  if (argv.count === 1) return ctx.engine.settings.lazyUserFlush
  if (argv.count > 2) return null
  if (argv.is(1, 'ASYNC')) return true
  return argv.is(1, 'SYNC') ? false : null
}
