/**
 * How long a blocking command may wait: seconds with a fraction, 0 for ever. As Redis reads them: rounded up to
 * milliseconds with the precision of a long double, and refused as negative when they do not fit 63 bits.
 */
import type { Argv } from '../../base/argv.ts'
import { bitLength } from '../../base/float-scan.ts'
import { INT64_MAX } from '../../base/int64-text.ts'
import { type LongDouble, parseLongDouble } from '../../base/long-double.ts'
import type { Session } from '../../engine/session.ts'
import { errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

export const ERR_TIMEOUT_NEGATIVE = errorReply('ERR timeout is negative')
const ERR_TIMEOUT_NOT_FLOAT = errorReply('ERR timeout is not a float or out of range')
const MS_PER_SECOND = 1000
const MS_PER_SECOND_64 = 1000n
/** So large that a sum with the time of day overflows: Redis waits for ever then. */
const MS_MAX = 2 ** 62
/** Bits of a long double's mantissa. */
const PRECISION = 64

/** The last Unix millisecond of the waiting, 0 if it does not end by itself, Infinity if it never comes; NaN: the error was written. */
export function readTimeout(ctx: Session, argv: Argv, index: number, reply: ReplyWriter): number {
  const seconds = argv.safeInt(index)
  let ms: number
  if (seconds >= 0 && seconds <= Number.MAX_SAFE_INTEGER / MS_PER_SECOND) ms = seconds * MS_PER_SECOND
  else {
    const start = argv.starts[index]!
    const value = parseLongDouble(argv.bytes, start, start + argv.lengths[index]!)
    if (value === null) {
      reply.error(ERR_TIMEOUT_NOT_FLOAT)
      return Number.NaN
    }
    ms = ceilMs(value)
    if (ms < 0) {
      reply.error(ERR_TIMEOUT_NEGATIVE)
      return Number.NaN
    }
  }
  if (ms === 0) return 0
  return ms > MS_MAX ? Number.POSITIVE_INFINITY : ctx.nowMs + ms
}

/** Milliseconds, -1 for those that are negative or too many. */
function ceilMs({ negative, mantissa, exponent }: LongDouble): number {
  if (!Number.isFinite(exponent)) return -1
  let product = mantissa * MS_PER_SECOND_64
  let shift = exponent
  const excess = bitLength(product) - PRECISION
  if (excess > 0) {
    product = roundedShift(product, BigInt(excess))
    shift += excess
  }
  if (negative) return product >> BigInt(Math.max(0, -shift)) > 0n ? -1 : 0
  const ms = shift >= 0 ? product << BigInt(shift) : (product + (1n << BigInt(-shift)) - 1n) >> BigInt(-shift)
  return ms > INT64_MAX ? -1 : Number(ms)
}

/** Without the last bits, to the nearest, to even. */
function roundedShift(value: bigint, bits: bigint): bigint {
  const half = 1n << (bits - 1n)
  const rest = value & ((1n << bits) - 1n)
  const floor = value >> bits
  return rest > half || (rest === half && (floor & 1n) === 1n) ? floor + 1n : floor
}
