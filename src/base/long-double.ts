/**
 * The 80-bit long double of x86, as far as INCRBYFLOAT and HINCRBYFLOAT need it: Redis reads both operands with strtold,
 * adds them with a 64-bit mantissa and prints `%.17Lf` without trailing zeros. Clients see every digit of that, so the
 * arithmetic is done here in the same format: exactly over bigint, and where plain numbers provably give the same text
 * (addFloatText), over those.
 * Source: Intel SDM volume 1, chapter 4 (double extended precision).
 */
import {
  bitLength,
  FLOAT_DECIMAL,
  FLOAT_INFINITY,
  FLOAT_NAN,
  FLOAT_NONE,
  type RoundedFloat,
  roundFraction,
  scanFloat,
  scannedNumber,
} from './float-scan.ts'
import { isSpace } from './int64-text.ts'

/** Finite: (-1)^negative * mantissa * 2^exponent. Not finite: exponent is Infinity, or NaN. */
export interface LongDouble {
  readonly negative: boolean
  readonly mantissa: bigint
  readonly exponent: number
}

const PRECISION = 64
/** Weight of the last bit of a subnormal, and of the largest number. */
const LOWEST_EXPONENT = -16445
const HIGHEST_EXPONENT = 16320
/** string2ld copies into 5 KiB, one byte of it the NUL: longer texts are refused. */
const TEXT_BYTES_MAX = 5 * 1024 - 1
/** A decimal exponent plus digit count beyond this is out of range whatever the digits are. */
const DECIMAL_EXPONENT_MAX = 5000
const FRACTION_DIGITS = 17
const TEN_17 = 10n ** 17n
/** Below this the sum of two rounded operands stays within half of 10^-17 of the true sum. */
const EXACT_TEXT_BELOW = 32

/** A long double as Redis takes it from a client or a stored string; null when refused ("value is not a valid float"). */
export function parseLongDouble(buf: Uint8Array, start: number, end: number): LongDouble | null {
  if (start >= end || end - start > TEXT_BYTES_MAX || isSpace(buf[start]!)) return null
  const scan = scanFloat(buf, start, end)
  if (scan.end !== end || scan.kind === FLOAT_NONE || scan.kind === FLOAT_NAN) return null
  const { negative } = scan
  if (scan.kind === FLOAT_INFINITY) return { negative, mantissa: 0n, exponent: Number.POSITIVE_INFINITY }
  const { digits, exponent } = scannedNumber(buf, scan)
  if (digits === 0n) return { negative, mantissa: 0n, exponent: 0 }
  const decimal = scan.kind === FLOAT_DECIMAL
  const limit = decimal ? DECIMAL_EXPONENT_MAX : 4 * DECIMAL_EXPONENT_MAX
  const magnitude = exponent + (decimal ? digits.toString().length : bitLength(digits))
  if (magnitude > limit || magnitude < -limit) return null
  const scale = (decimal ? 10n : 2n) ** BigInt(Math.abs(exponent))
  const value = exponent < 0 ? toLongDouble(digits, scale) : toLongDouble(digits * scale, 1n)
  return value.overflow || value.mantissa === 0n
    ? null
    : { negative, mantissa: value.mantissa, exponent: value.exponent }
}

/** The sum, rounded to nearest even; overflow gives an infinity, infinities of two signs give a NaN. */
export function addLongDouble(a: LongDouble, b: LongDouble): LongDouble {
  if (!isFiniteLongDouble(a) || !isFiniteLongDouble(b)) return addNonFinite(a, b)
  const exponent = Math.min(a.exponent, b.exponent)
  const sum = alignedMantissa(a, exponent) + alignedMantissa(b, exponent)
  if (sum === 0n) return { negative: a.negative && b.negative, mantissa: 0n, exponent: 0 }
  const negative = sum < 0n
  const magnitude = negative ? -sum : sum
  const rounded =
    exponent < 0 ? toLongDouble(magnitude, 1n << BigInt(-exponent)) : toLongDouble(magnitude << BigInt(exponent), 1n)
  if (rounded.overflow) return { negative, mantissa: 0n, exponent: Number.POSITIVE_INFINITY }
  return { negative, mantissa: rounded.mantissa, exponent: rounded.exponent }
}

export function isFiniteLongDouble(value: LongDouble): boolean {
  return Number.isFinite(value.exponent)
}

/** ld2string in human mode: `%.17Lf` without trailing zeros, and no minus before a zero. */
export function longDoubleHumanText(value: LongDouble): string {
  if (Number.isNaN(value.exponent)) return value.negative ? '-nan' : 'nan'
  if (!isFiniteLongDouble(value)) return value.negative ? '-inf' : 'inf'
  const scaled = value.mantissa * TEN_17
  return decimalText(
    value.negative,
    (value.exponent < 0 ? shiftHalfEven(scaled, -value.exponent) : scaled << BigInt(value.exponent)).toString(),
    FRACTION_DIGITS,
  )
}

/**
 * The text of the sum of two plain decimals, when plain numbers give it exactly; null when the long way is needed (or an
 * operand is no number at all). Safe for whole numbers below 2^53, and for decimals below 32: reading either operand
 * and adding errs by at most 2^-60 each there, together less than half a unit of the 17th decimal.
 */
export function addFloatText(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): string | null {
  const aDecimals = countDecimals(a, aStart, aEnd)
  const bDecimals = countDecimals(b, bStart, bEnd)
  if (aDecimals < 0 || bDecimals < 0) return null
  const decimals = Math.max(aDecimals, bDecimals)
  const aScaled = scaledDecimal(a, aStart, aEnd) * 10 ** (decimals - aDecimals)
  const bScaled = scaledDecimal(b, bStart, bEnd) * 10 ** (decimals - bDecimals)
  const sum = aScaled + bScaled
  if (!Number.isSafeInteger(aScaled) || !Number.isSafeInteger(bScaled) || !Number.isSafeInteger(sum)) return null
  if (decimals === 0) return String(sum === 0 ? 0 : sum)
  const limit = EXACT_TEXT_BELOW * 10 ** decimals
  if (Math.abs(aScaled) >= limit || Math.abs(bScaled) >= limit || Math.abs(sum) >= limit) return null
  return decimalText(sum < 0, String(Math.abs(sum)), decimals)
}

/** Decimals after the point of an optional minus and at most 15 digits with at most one point among them; -1 for all else. */
function countDecimals(buf: Uint8Array, start: number, end: number): number {
  let at = start
  if (at < end && buf[at] === 0x2d) at++
  const first = at
  if (first >= end || end - first > 16) return -1
  let pointAt = -1
  for (; at < end; at++) {
    const byte = buf[at]!
    if (byte >= 0x30 && byte <= 0x39) continue
    if (byte !== 0x2e || pointAt >= 0 || at === first || at === end - 1) return -1
    pointAt = at
  }
  if (pointAt < 0) return end - first > 15 ? -1 : 0
  return end - pointAt - 1
}

/** The digits, point left out, as a number with the sign. */
function scaledDecimal(buf: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = buf[at]! - 0x30
    if (digit >= 0) value = value * 10 + digit
  }
  return buf[start] === 0x2d ? -value : value
}

function toLongDouble(numerator: bigint, denominator: bigint): RoundedFloat {
  return roundFraction(numerator, denominator, PRECISION, LOWEST_EXPONENT, HIGHEST_EXPONENT)
}

function alignedMantissa(value: LongDouble, exponent: number): bigint {
  const mantissa = value.mantissa << BigInt(value.exponent - exponent)
  return value.negative ? -mantissa : mantissa
}

function addNonFinite(a: LongDouble, b: LongDouble): LongDouble {
  if (Number.isNaN(a.exponent)) return a
  if (Number.isNaN(b.exponent)) return b
  if (isFiniteLongDouble(a)) return b
  if (isFiniteLongDouble(b) || a.negative === b.negative) return a
  // x87 makes its default NaN here, whose sign bit is set.
  return { negative: true, mantissa: 0n, exponent: Number.NaN }
}

/** value / 2^bits, ties to even. */
function shiftHalfEven(value: bigint, bits: number): bigint {
  const width = BigInt(bits)
  const floor = value >> width
  const rest = value - (floor << width)
  const half = 1n << (width - 1n)
  return rest > half || (rest === half && (floor & 1n) === 1n) ? floor + 1n : floor
}

/** Puts the point before the last `decimals` digits, and drops zeros at the end and the minus of a zero. */
function decimalText(negative: boolean, digits: string, decimals: number): string {
  const padded = digits.padStart(decimals + 1, '0')
  const point = padded.length - decimals
  let end = padded.length
  while (end > point && padded.charCodeAt(end - 1) === 0x30) end--
  const text = end === point ? padded.slice(0, point) : padded.slice(0, point) + '.' + padded.slice(point, end)
  return negative && text !== '0' ? '-' + text : text
}
