/**
 * Offsets of bits as SETBIT, GETBIT and BITFIELD take them: any bit of the longest string allowed.
 */
import type { Argv } from '../../base/argv.ts'
import { parseInt64 } from '../../base/int64-text.ts'
import { FROM_MASTER, LOADER, type Session } from '../../engine/session.ts'

export const NO_OFFSET = -1
const HASH = 35

/** The bit offset at argv[index]; NO_OFFSET if it is no number or too far. A master and a file that is loaded are obeyed. */
export function readBitOffset(ctx: Session, argv: Argv, index: number): number {
  const offset = argv.safeInt(index)
  if (offset >= 0) return checked(ctx, offset)
  const start = argv.starts[index]!
  const given = parseInt64(argv.bytes, start, start + argv.lengths[index]!)
  return given === null || given < 0n ? NO_OFFSET : checked(ctx, Number(given))
}

/** As `readBitOffset`; "#3" is three times `width`. */
export function readFieldOffset(ctx: Session, argv: Argv, index: number, width: number): number {
  const start = argv.starts[index]!
  const length = argv.lengths[index]!
  if (length === 0 || argv.bytes[start] !== HASH) return readBitOffset(ctx, argv, index)
  const given = parseInt64(argv.bytes, start + 1, start + length)
  if (given === null) return NO_OFFSET
  // The product wraps around 64 bits, so that a huge number of fields may mean a small offset.
  const offset = BigInt.asIntN(64, given * BigInt(width))
  return offset < 0n ? NO_OFFSET : checked(ctx, Number(offset))
}

function checked(ctx: Session, offset: number): number {
  const isTooFar = Math.floor(offset / 8) >= ctx.engine.settings.bulkBytesMax && !ctx.has(FROM_MASTER | LOADER)
  return isTooFar ? NO_OFFSET : offset
}
