/** The longest string that commands may make. */
import { FROM_MASTER, LOADER, type Session } from '../../engine/session.ts'

/** Whether a string of this length is too long (proto-max-bulk-len). A master and a file that is loaded are obeyed. */
export function isTooLong(ctx: Session, lengthBytes: number): boolean {
  return lengthBytes > ctx.engine.settings.bulkBytesMax && !ctx.has(FROM_MASTER | LOADER)
}
