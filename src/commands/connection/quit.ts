/**
 * QUIT and RESET: the end of a connection, and its beginning once more.
 * Source: Redis command reference, QUIT (since 1.0.0), RESET (since 6.2.0).
 */
import { defineCommand } from '../../engine/command.ts'
import { ALLOW_BUSY, FAST, IN_SUBSCRIBED, LOADING, NO_AUTH, NOSCRIPT, NOT_QUEUED, STALE } from '../../engine/flags.ts'
import {
  EMBEDDED,
  FROM_MASTER,
  MONITOR,
  REPLICA,
  REPLY_OFF,
  REPLY_SKIP,
  REPLY_SKIP_NEXT,
} from '../../engine/session.ts'
import { errorReply } from '../../resp/errors.ts'
import { DEFAULT_USER } from './authenticate.ts'

const FLAGS = NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY | NOT_QUEUED | IN_SUBSCRIBED
const ERR_NOT_NORMAL = errorReply('ERR can only reset normal client connections')

export const quit = defineCommand({
  name: 'QUIT',
  arity: -1,
  flags: FLAGS,
  acl: ['connection'],
  doc: { group: 'connection', since: '1.0.0', complexity: 'O(1)', summary: 'Closes the connection.' },
  run(ctx, _argv, reply) {
    reply.ok()
    ctx.engine.close(ctx, false)
  },
})

export const reset = defineCommand({
  name: 'RESET',
  arity: 1,
  flags: FLAGS,
  acl: ['connection'],
  doc: {
    group: 'connection',
    since: '6.2.0',
    complexity: 'O(1)',
    summary: 'Makes the connection what it was when it was opened.',
  },
  run(ctx, _argv, reply) {
    if (ctx.has(REPLICA | FROM_MASTER)) return reply.error(ERR_NOT_NORMAL)
    const { engine } = ctx
    engine.monitors.delete(ctx)
    ctx.clearFlag(MONITOR | REPLY_OFF | REPLY_SKIP_NEXT)
    ctx.db = engine.keyspace.databases[0]!
    const isEmbedded = ctx.has(EMBEDDED)
    ctx.protocol = isEmbedded ? 3 : 2
    reply.protocol = ctx.protocol
    ctx.user = DEFAULT_USER
    engine.setAuthenticated(ctx, isEmbedded || engine.settings.password === '')
    engine.discardTransaction(ctx)
    engine.pubsub.removeSession(ctx)
    ctx.name = ''
    if (!ctx.has(REPLY_SKIP)) engine.unmute()
    reply.status('RESET')
  },
})
