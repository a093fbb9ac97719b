/**
 * BGREWRITEAOF.
 * Source: Redis command reference; aof.c for the replies.
 */
import { type Command, defineCommand } from '../../engine/command.ts'
import { ADMIN, NO_ASYNC_LOADING, NOSCRIPT } from '../../engine/flags.ts'
import { errorReply } from '../../resp/errors.ts'
import type { Persistence } from '../persistence.ts'

const ERR_REWRITING = errorReply('ERR Background append only file rewriting already in progress')
const ERR_CANNOT = errorReply(
  "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
)

export function rewriteCommands(persistence: () => Persistence): readonly Command[] {
  return [
    defineCommand({
      name: 'BGREWRITEAOF',
      arity: 1,
      flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
      doc: {
        group: 'server',
        since: '1.0.0',
        complexity: 'O(1)',
        summary: 'Writes the append-only file anew, as short as possible, while clients go on.',
      },
      run(ctx, _argv, reply) {
        const { aof, isBusy } = persistence()
        if (aof.isRewriting) return reply.error(ERR_REWRITING)
        if (isBusy || ctx.engine.isNested) {
          aof.state.rewriteIsScheduled = true
          // Who asks by hand does not wait for earlier failures.
          aof.state.consecutiveFailures = 0
          reply.status('Background append only file rewriting scheduled')
        } else if (aof.startRewrite()) reply.status('Background append only file rewriting started')
        else reply.error(ERR_CANNOT)
      },
    }),
  ]
}
