/**
 * The grammar of C's strtod and strtold over bytes, and correct rounding of an exact fraction into a binary float of any
 * precision. double-text.ts and long-double.ts stand on it; it decides nothing about what Redis accepts.
 * Sources: ISO C 7.22.1.3 (subject sequence of strtod); IEEE 754 (round to nearest, ties to even; gradual underflow).
 */
import { digitValue, isSpace } from './int64-text.ts'

export const FLOAT_NONE = 0
export const FLOAT_DECIMAL = 1
export const FLOAT_HEX = 2
export const FLOAT_INFINITY = 3
export const FLOAT_NAN = 4

export interface FloatScan {
  readonly kind: 0 | 1 | 2 | 3 | 4
  readonly negative: boolean
  /** Where the number's own text starts: after spaces, sign and 0x. */
  readonly digitsStart: number
  /** Offset after the last byte that belongs to the number; the start of the input for FLOAT_NONE. */
  readonly end: number
  /** For finite numbers: the power of ten or two that scales the digits read as a whole number. */
  readonly exponent: number
  /** Where the digits end and the exponent, if there is one, begins. */
  readonly digitsEnd: number
}

const DOT = 0x2e
const LOWER_E = 0x65
const LOWER_P = 0x70
const LOWER_X = 0x78
const UNDERSCORE = 0x5f
/** Beyond any exponent that matters, and still exact to add to. */
const EXPONENT_MAX = 1_000_000_000
/** The smallest subnormal long double has 11,495 significant decimal digits. */
const SIGNIFICANT_DIGITS_MAX = 12_000

export function scanFloat(buf: Uint8Array, start: number, end: number): FloatScan {
  let at = start
  while (at < end && isSpace(buf[at]!)) at++
  const negative = at < end && buf[at] === 0x2d
  if (negative || (at < end && buf[at] === 0x2b)) at++
  if (startsWithWord(buf, at, end, 'inf')) {
    const stop = at + (startsWithWord(buf, at, end, 'infinity') ? 8 : 3)
    return { kind: FLOAT_INFINITY, negative, digitsStart: at, digitsEnd: stop, end: stop, exponent: 0 }
  }
  if (startsWithWord(buf, at, end, 'nan')) {
    const stop = endOfNan(buf, at + 3, end)
    return { kind: FLOAT_NAN, negative, digitsStart: at, digitsEnd: stop, end: stop, exponent: 0 }
  }
  if (at + 2 < end && buf[at] === 0x30 && (buf[at + 1]! | 0x20) === LOWER_X && startsDigits(buf, at + 2, end, 16))
    return scanDigits(buf, at + 2, end, negative, 16)
  if (startsDigits(buf, at, end, 10)) return scanDigits(buf, at, end, negative, 10)
  return { kind: FLOAT_NONE, negative: false, digitsStart: start, digitsEnd: start, end: start, exponent: 0 }
}

export interface ScannedNumber {
  readonly digits: bigint
  /** The power of ten or two that scales the digits. */
  readonly exponent: number
}

/**
 * A finite scan as a whole number and its scale. Exact up to 12,000 significant digits, more than any rounding to 80 bits
 * can depend on; of the digits after those only whether one is not zero is kept, as a last digit 1.
 */
export function scannedNumber(buf: Uint8Array, scan: FloatScan): ScannedNumber {
  const hex = scan.kind === FLOAT_HEX
  let text = hex ? '0x0' : '0'
  let kept = 0
  let dropped = 0
  let sticky = false
  for (let at = scan.digitsStart; at < scan.digitsEnd; at++) {
    const byte = buf[at]!
    if (byte === DOT || (byte === 0x30 && kept === 0)) continue
    if (kept < SIGNIFICANT_DIGITS_MAX) {
      text += String.fromCharCode(byte)
      kept++
    } else {
      dropped++
      if (byte !== 0x30) sticky = true
    }
  }
  const digitWeight = hex ? 4 : 1
  if (!sticky) return { digits: BigInt(text), exponent: scan.exponent + dropped * digitWeight }
  return { digits: BigInt(text + '1'), exponent: scan.exponent + (dropped - 1) * digitWeight }
}

export interface RoundedFloat {
  /** The value is mantissa * 2^exponent. */
  readonly mantissa: bigint
  readonly exponent: number
  readonly overflow: boolean
  /** Rounding lost something and the result lies below the normal numbers: C's ERANGE. */
  readonly underflow: boolean
}

/**
 * numerator / denominator, rounded to nearest even into a binary float of `precision` bits whose last bit weighs at least
 * 2^lowestExponent and at most 2^highestExponent.
 */
export function roundFraction(
  numerator: bigint,
  denominator: bigint,
  precision: number,
  lowestExponent: number,
  highestExponent: number,
): RoundedFloat {
  if (numerator === 0n) return { mantissa: 0n, exponent: 0, overflow: false, underflow: false }
  // The quotient has `precision` bits at this exponent, or one more.
  let exponent = bitLength(numerator) - bitLength(denominator) - precision
  const mayBeSubnormal = exponent < lowestExponent
  if (exponent < lowestExponent) exponent = lowestExponent
  const top = exponent < 0 ? numerator << BigInt(-exponent) : numerator
  const bottom = exponent > 0 ? denominator << BigInt(exponent) : denominator
  let floor = top / bottom
  const rest = top - floor * bottom
  let exact = rest === 0n
  let up: boolean
  if (floor >> BigInt(precision) !== 0n) {
    // Its last bit is the half to round by, and what is left of the division breaks the tie.
    const half = (floor & 1n) === 1n
    floor >>= 1n
    exponent++
    up = half && (!exact || (floor & 1n) === 1n)
    exact &&= !half
  } else {
    const twice = rest * 2n
    up = twice > bottom || (twice === bottom && (floor & 1n) === 1n)
  }
  let mantissa = up ? floor + 1n : floor
  if (mantissa >> BigInt(precision) !== 0n) {
    mantissa >>= 1n
    exponent++
  }
  const underflow = !exact && mayBeSubnormal && isTinyAfterRounding(numerator, denominator, precision, lowestExponent)
  return { mantissa, exponent, overflow: exponent > highestExponent, underflow }
}

/**
 * Whether the value lies below the smallest normal number by more than the rounding of one more bit would mend: x86 calls a
 * result tiny when it would be so even with an unlimited exponent range.
 */
function isTinyAfterRounding(
  numerator: bigint,
  denominator: bigint,
  precision: number,
  lowestExponent: number,
): boolean {
  // The smallest normal number minus a quarter of its last bit.
  const scaled = numerator << BigInt(-lowestExponent + 2)
  return scaled < denominator * ((1n << BigInt(precision + 1)) - 1n)
}

export function bitLength(value: bigint): number {
  const high = value >> 32n
  if (high === 0n) return 32 - Math.clz32(Number(value))
  if (high <= 0xffff_ffffn) return 64 - Math.clz32(Number(high))
  const hex = value.toString(16)
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28
}

function startsDigits(buf: Uint8Array, at: number, end: number, base: number): boolean {
  if (at >= end) return false
  if (digitValue(buf[at]!) < base) return true
  return buf[at] === DOT && at + 1 < end && digitValue(buf[at + 1]!) < base
}

function scanDigits(buf: Uint8Array, start: number, end: number, negative: boolean, base: 10 | 16): FloatScan {
  let at = start
  while (at < end && digitValue(buf[at]!) < base) at++
  let fractionDigits = 0
  if (at < end && buf[at] === DOT) {
    const point = at++
    while (at < end && digitValue(buf[at]!) < base) at++
    fractionDigits = at - point - 1
  }
  const digitsEnd = at
  const written = scanExponent(buf, at, end, base === 16 ? LOWER_P : LOWER_E)
  return {
    kind: base === 16 ? FLOAT_HEX : FLOAT_DECIMAL,
    negative,
    digitsStart: start,
    digitsEnd,
    end: written.end,
    exponent: written.value - fractionDigits * (base === 16 ? 4 : 1),
  }
}

function scanExponent(buf: Uint8Array, start: number, end: number, letter: number): { value: number; end: number } {
  if (start >= end || (buf[start]! | 0x20) !== letter) return { value: 0, end: start }
  let at = start + 1
  const negative = at < end && buf[at] === 0x2d
  if (negative || (at < end && buf[at] === 0x2b)) at++
  if (at >= end || digitValue(buf[at]!) > 9) return { value: 0, end: start }
  let value = 0
  for (; at < end && digitValue(buf[at]!) <= 9; at++)
    if (value < EXPONENT_MAX) value = value * 10 + digitValue(buf[at]!)
  value = Math.min(value, EXPONENT_MAX)
  return { value: negative ? -value : value, end: at }
}

function startsWithWord(buf: Uint8Array, at: number, end: number, lower: string): boolean {
  if (end - at < lower.length) return false
  for (let i = 0; i < lower.length; i++) if ((buf[at + i]! | 0x20) !== lower.charCodeAt(i)) return false
  return true
}

/** nan may carry letters, digits and underscores in parentheses. */
function endOfNan(buf: Uint8Array, at: number, end: number): number {
  if (buf[at] !== 0x28 || at >= end) return at
  let stop = at + 1
  while (stop < end && (digitValue(buf[stop]!) < 36 || buf[stop] === UNDERSCORE)) stop++
  return stop < end && buf[stop] === 0x29 ? stop + 1 : at
}
