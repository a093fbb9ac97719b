/** Arguments as DEBUG takes them: mostly with the leniency of C. */
import type { Argv } from '../../../base/argv.ts'
import { parseInt64, strtoll } from '../../../base/int64-text.ts'
import type { Session } from '../../../engine/session.ts'
import { ERR_NOT_INTEGER, errorReply } from '../../../resp/errors.ts'
import type { ReplyWriter } from '../../../resp/reply-writer.ts'
import type { Server } from '../../server.ts'

/** One subcommand; the counts include DEBUG and its name. */
export interface DebugSubcommand {
  readonly name: string
  readonly countMin: number
  readonly countMax: number
  /** Lines of HELP. */
  readonly help: readonly string[]
  run(server: Server, ctx: Session, argv: Argv, reply: ReplyWriter): void
}

const ERR_NOT_POSITIVE = errorReply('ERR value is out of range, must be positive')

/** C's atoi: what digits there are at the start, 0 without any. */
export function atoi(argv: Argv, index: number): number {
  const start = argv.starts[index]!
  return Number(BigInt.asIntN(32, strtoll(argv.bytes, start, start + argv.lengthBytes(index)).value))
}

/** A whole number; null after an error reply. */
export function integerAt(argv: Argv, index: number, reply: ReplyWriter): number | null {
  const start = argv.starts[index]!
  const value = parseInt64(argv.bytes, start, start + argv.lengthBytes(index))
  if (value !== null) return Number(value)
  reply.error(ERR_NOT_INTEGER)
  return null
}

/** A whole number of 0 or more; null after an error reply. */
export function positiveAt(argv: Argv, index: number, reply: ReplyWriter): number | null {
  const start = argv.starts[index]!
  const value = parseInt64(argv.bytes, start, start + argv.lengthBytes(index))
  if (value !== null && value >= 0n) return Number(value)
  reply.error(ERR_NOT_POSITIVE)
  return null
}
