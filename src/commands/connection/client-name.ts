/** Names of clients, for CLIENT SETNAME and HELLO. */
import type { Argv } from '../../base/argv.ts'
import type { Session } from '../../engine/session.ts'
import { errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const ERR_NAME = errorReply('ERR Client names cannot contain spaces, newlines or special characters.')

/** Names the client; an empty name takes the name away. Returns false for a name that may not be, which has been replied. */
export function setClientName(ctx: Session, argv: Argv, index: number, reply: ReplyWriter): boolean {
  const name = argv.latin1(index)
  if (/[^!-~]/.test(name)) {
    reply.error(ERR_NAME)
    return false
  }
  ctx.name = name
  return true
}
