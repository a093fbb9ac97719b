/** Replies of HELP subcommands. */
import type { ReplyWriter } from '../resp/reply-writer.ts'

/** `lines` is Redis's text between the heading and the entry for HELP itself. */
export function replyHelp(reply: ReplyWriter, commandName: string, lines: readonly string[]): void {
  reply.statuses([
    `${commandName.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
    ...lines,
    'HELP',
    '    Prints this help.',
  ])
}
