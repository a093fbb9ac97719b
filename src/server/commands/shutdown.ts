/**
 * SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]: no reply, unless it fails.
 * Source: Redis command reference, SHUTDOWN (since 1.0.0).
 */
import { type Command, defineCommand } from '../../engine/command.ts'
import { ADMIN, ALLOW_BUSY, LOADING, NO_MULTI, NOSCRIPT, SENTINEL, STALE } from '../../engine/flags.ts'
import { DENY_BLOCKING, type Session } from '../../engine/session.ts'
import { ERR_SYNTAX, errorReply } from '../../resp/errors.ts'
import type { Server } from '../server.ts'
import type { Shutdown, ShutdownFlag } from '../shutdown.ts'
import { answerLater } from './answer-later.ts'
import { serverOf } from './host.ts'

/** Which of its threads takes a signal is the system's choice; on a busy machine that thread may wait for its turn. */
const SIGNAL_DELAY_MS = 30
const FLAGS: readonly ShutdownFlag[] = ['save', 'nosave', 'now', 'force']
const ERR_NOTHING = errorReply('ERR No shutdown in progress.')
const ERR_CANNOT_WAIT = errorReply("ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client")

export function shutdownCommands(server: Server | null): readonly Command[] {
  return [
    defineCommand({
      name: 'SHUTDOWN',
      arity: -1,
      flags: ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | SENTINEL | ALLOW_BUSY,
      doc: {
        group: 'server',
        since: '1.0.0',
        complexity:
          'O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)',
        summary: 'Saves the data if that is wanted, and ends the server.',
      },
      run(ctx, argv, reply) {
        const flags = new Set<ShutdownFlag>()
        let aborts = false
        for (let i = 1; i < argv.count; i++) {
          const flag = FLAGS.find((name) => argv.is(i, name.toUpperCase()))
          if (flag !== undefined) flags.add(flag)
          else if (argv.is(i, 'ABORT')) aborts = true
          else return reply.error(ERR_SYNTAX)
        }
        if ((aborts && flags.size > 0) || (flags.has('save') && flags.has('nosave'))) return reply.error(ERR_SYNTAX)
        const { shutdown } = serverOf(server)
        if (aborts) {
          if (shutdown.abort()) reply.ok()
          else abortLater(ctx, shutdown)
          return
        }
        if (!flags.has('now') && ctx.has(DENY_BLOCKING)) return reply.error(ERR_CANNOT_WAIT)
        shutdown.begin(flags, ctx)
      },
    }),
  ]
}

/** A signal that came before this command may be heard after it: it has its turn first. */
function abortLater(ctx: Session, shutdown: Shutdown): void {
  const signalsHeard = new Promise<void>((resolve) => void setTimeout(resolve, SIGNAL_DELAY_MS))
  answerLater(ctx, signalsHeard, (reply) => {
    if (shutdown.abort()) reply.ok()
    else reply.error(ERR_NOTHING)
  })
}
