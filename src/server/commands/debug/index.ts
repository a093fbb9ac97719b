/**
 * DEBUG: what tests and the curious need. Guarded by enable-debug-command.
 * Source: Redis command reference, DEBUG (since 1.0.0), and DEBUG HELP of redis-server 7.0.15. What is not here concerns
 * parts that are not there: the cluster bus, jemalloc, and restarting the process by itself.
 */
import { type Command, defineCommand } from '../../../engine/command.ts'
import { ADMIN, LOADING, NOSCRIPT, PROTECTED, STALE } from '../../../engine/flags.ts'
import { replyHelp } from '../../../engine/help.ts'
import { replySubcommandError } from '../../../engine/subcommand-error.ts'
import type { Server } from '../../server.ts'
import { serverOf } from '../host.ts'
import type { DebugSubcommand } from './arguments.ts'
import { digest, digestValue } from './digest.ts'
import { htstats, htstatsKey, listpack, object, populate, quicklist, sdslen } from './keys.ts'
import { processSubcommands } from './process.ts'
import { error, protocol } from './protocol.ts'

const SUBCOMMANDS: readonly DebugSubcommand[] = [
  ...processSubcommands,
  digest,
  digestValue,
  error,
  htstats,
  htstatsKey,
  listpack,
  object,
  populate,
  protocol,
  quicklist,
  sdslen,
].sort((a, b) => (a.name < b.name ? -1 : 1))
const BY_NAME: ReadonlyMap<string, DebugSubcommand> = new Map(
  SUBCOMMANDS.map((subcommand) => [subcommand.name, subcommand]),
)
const HELP = SUBCOMMANDS.flatMap(({ help }) => help)

export function debugCommands(server: Server | null): readonly Command[] {
  return [
    defineCommand({
      name: 'DEBUG',
      arity: -2,
      flags: ADMIN | NOSCRIPT | LOADING | STALE | PROTECTED,
      doc: {
        group: 'server',
        since: '1.0.0',
        complexity: 'Depends on subcommand.',
        summary: 'Tools for tests and for looking inside.',
      },
      run(ctx, argv, reply) {
        if (argv.count === 2 && argv.is(1, 'HELP')) return replyHelp(reply, 'DEBUG', HELP)
        const subcommand = BY_NAME.get(argv.latin1(1).toUpperCase())
        if (subcommand === undefined || argv.count < subcommand.countMin || argv.count > subcommand.countMax) {
          return replySubcommandError(argv, reply)
        }
        subcommand.run(serverOf(server), ctx, argv, reply)
      },
    }),
  ]
}
