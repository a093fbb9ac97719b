/**
 * SAVE, BGSAVE and LASTSAVE.
 * Source: Redis command reference; rdb.c for the replies.
 */
import { type Command, defineCommand } from '../../engine/command.ts'
import { ADMIN, FAST, LOADING, NO_ASYNC_LOADING, NO_MULTI, NOSCRIPT, STALE } from '../../engine/flags.ts'
import { ERR_SYNTAX, errorReply } from '../../resp/errors.ts'
import type { Persistence } from '../persistence.ts'

const ERR_SAVING = errorReply('ERR Background save already in progress')
const ERR_BUSY = errorReply(
  "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.",
)
const ERR_SAVE = errorReply('ERR')

export function saveCommands(persistence: () => Persistence): readonly Command[] {
  return [
    defineCommand({
      name: 'SAVE',
      arity: 1,
      flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
      doc: {
        group: 'server',
        since: '1.0.0',
        complexity: 'O(N) where N is the total number of keys in all databases',
        summary: 'Saves all databases to disk while everybody waits.',
      },
      run(_ctx, _argv, reply) {
        const { state } = persistence()
        if (state.isSaving) return reply.error(ERR_SAVING)
        state.saves++
        if (persistence().save()) reply.ok()
        else reply.error(ERR_SAVE)
      },
    }),
    defineCommand({
      name: 'BGSAVE',
      arity: -1,
      flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
      doc: {
        group: 'server',
        since: '1.0.0',
        complexity: 'O(1)',
        summary: 'Saves all databases to disk while clients go on.',
      },
      run(ctx, argv, reply) {
        if (argv.count > 2 || (argv.count === 2 && !argv.is(1, 'SCHEDULE'))) return reply.error(ERR_SYNTAX)
        const { state, isBusy } = persistence()
        if (state.isSaving) return reply.error(ERR_SAVING)
        // What a transaction does is saved as a whole, so the save begins after it.
        if (ctx.engine.isNested || (isBusy && argv.count === 2)) {
          persistence().scheduleBackgroundSave()
          reply.status('Background saving scheduled')
        } else if (isBusy) reply.error(ERR_BUSY)
        else if (persistence().startBackgroundSave()) reply.status('Background saving started')
        else reply.error(ERR_SAVE)
      },
    }),
    defineCommand({
      name: 'LASTSAVE',
      arity: 1,
      flags: LOADING | STALE | FAST,
      acl: ['admin', 'dangerous'],
      tips: ['nondeterministic_output'],
      doc: {
        group: 'server',
        since: '1.0.0',
        complexity: 'O(1)',
        summary: 'Returns when the last successful save ended, as a Unix time.',
      },
      run(_ctx, _argv, reply) {
        reply.integer(persistence().state.lastSaveSeconds)
      },
    }),
  ]
}
