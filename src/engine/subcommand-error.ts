/** Words of a request within error replies, and the error of commands that take their subcommands apart themselves. */
import type { Argv } from '../base/argv.ts'
import type { ReplyWriter } from '../resp/reply-writer.ts'

/** How much of a word an error repeats. */
export const ECHO_BYTES_MAX = 128

/** An argument as C's printf would show it: up to its first zero byte, and not more than so many bytes of it. */
export function echoText(argv: Argv, index: number, bytesMax = ECHO_BYTES_MAX): string {
  const text = argv.latin1(index).slice(0, bytesMax)
  const zero = text.indexOf('\0')
  return zero < 0 ? text : text.slice(0, zero)
}

export function replySubcommandError(argv: Argv, reply: ReplyWriter): void {
  const command = echoText(argv, 0).toUpperCase()
  reply.errorText(
    `ERR unknown subcommand or wrong number of arguments for '${echoText(argv, 1)}'. Try ${command} HELP.`,
  )
}
