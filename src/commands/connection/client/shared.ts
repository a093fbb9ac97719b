/** What the subcommands of CLIENT have in common. */
import type { Argv } from '../../../base/argv.ts'
import type { CommandDoc } from '../../../engine/command.ts'
import { ADMIN, LOADING, NOSCRIPT, SENTINEL, STALE } from '../../../engine/flags.ts'
import type { ClientType } from '../../../engine/output-limits.ts'
import { echoText } from '../../../engine/subcommand-error.ts'
import type { ReplyWriter } from '../../../resp/reply-writer.ts'

export const FLAGS = NOSCRIPT | LOADING | STALE | SENTINEL
export const ADMIN_FLAGS = FLAGS | ADMIN

const CLIENT_TYPES: readonly (readonly [word: string, type: ClientType])[] = [
  ['NORMAL', 'normal'],
  ['SLAVE', 'replica'],
  ['REPLICA', 'replica'],
  ['PUBSUB', 'pubsub'],
  ['MASTER', 'master'],
]

export function doc(since: string, complexity: string, summary: string): CommandDoc {
  return { group: 'connection', since, complexity, summary }
}

/** The class of clients that an argument names; null if there is no such, which has been replied. */
export function readClientType(argv: Argv, index: number, reply: ReplyWriter): ClientType | null {
  for (const [word, type] of CLIENT_TYPES) if (argv.is(index, word)) return type
  reply.errorText(`ERR Unknown client type '${echoText(argv, index, argv.lengthBytes(index))}'`)
  return null
}
