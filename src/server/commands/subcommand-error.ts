/** The error of commands that take their subcommands apart themselves. */
import type { Argv } from '../../base/argv.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { cString } from '../config/text.ts'

const ECHO_BYTES_MAX = 128

export function replySubcommandError(argv: Argv, reply: ReplyWriter): void {
  const subcommand = cString(argv.latin1(1)).slice(0, ECHO_BYTES_MAX)
  const command = cString(argv.latin1(0)).toUpperCase()
  reply.errorText(`ERR unknown subcommand or wrong number of arguments for '${subcommand}'. Try ${command} HELP.`)
}
