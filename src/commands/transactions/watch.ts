/**
 * WATCH key [key ...], UNWATCH: a transaction that fails when somebody changes a key. See engine/watch.ts.
 * Source: Redis command reference, WATCH (since 2.2.0).
 */
import { defineCommand, KEY_RO } from '../../engine/command.ts'
import { ALLOW_BUSY, FAST, LOADING, NOSCRIPT, NOT_QUEUED, STALE } from '../../engine/flags.ts'
import { DIRTY_CAS, IN_MULTI } from '../../engine/session.ts'
import { errorReply } from '../../resp/errors.ts'

const FLAGS = NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY
const ERR_WATCH_IN_MULTI = errorReply('ERR WATCH inside MULTI is not allowed')

export const watch = defineCommand({
  name: 'WATCH',
  arity: -2,
  flags: FLAGS | NOT_QUEUED,
  acl: ['transaction'],
  keys: [
    {
      flags: KEY_RO,
      begin: { kind: 'index', index: 1 },
      find: { kind: 'range', lastKey: -1, step: 1, limit: 0 },
    },
  ],
  doc: {
    group: 'transactions',
    since: '2.2.0',
    complexity: 'O(1) for each key',
    summary: 'Lets the next EXEC succeed only if these keys do not change before.',
  },
  run(ctx, argv, reply) {
    if (ctx.has(IN_MULTI)) return reply.error(ERR_WATCH_IN_MULTI)
    // Who will fail anyway need not watch more.
    if (!ctx.has(DIRTY_CAS)) {
      for (let i = 1; i < argv.count; i++) ctx.engine.watch.watch(ctx, ctx.db, argv.copyOf(i))
    }
    reply.ok()
  },
})

export const unwatch = defineCommand({
  name: 'UNWATCH',
  arity: 1,
  flags: FLAGS,
  acl: ['transaction'],
  doc: { group: 'transactions', since: '2.2.0', complexity: 'O(1)', summary: 'Forgets all watched keys.' },
  run(ctx, _argv, reply) {
    ctx.engine.watch.unwatchAll(ctx)
    ctx.clearFlag(DIRTY_CAS)
    reply.ok()
  },
})
