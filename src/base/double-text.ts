/**
 * Doubles as text, as Redis reads them (string2d over strtod) and prints them (`%.17g`, d2string, `%.Nf`).
 * JavaScript parses and prints decimal doubles correctly rounded, so most of the work is its own; what differs is C's
 * grammar (hex floats, inf, nan), C's layout of exponents, and ties: C's printf rounds them to even, JavaScript up.
 *
 * Hot path: bench/micro/base-text.ts (parseDouble, writeDouble17g, writeDouble).
 */
import {
  bitLength,
  FLOAT_DECIMAL,
  FLOAT_INFINITY,
  FLOAT_NAN,
  FLOAT_NONE,
  roundFraction,
  type ScannedNumber,
  scanFloat,
  scannedNumber,
} from './float-scan.ts'
import { endOfCString, isSpace, writeInt, writeInt64 } from './int64-text.ts'

/** Longest text of writeDouble17g and writeDouble: -1.2345678901234567e-308 has 24 bytes. */
export const DOUBLE_TEXT_BYTES_MAX = 24

/** 2^53 and more cannot come out of 15 digits, and both they and 10^15 are exact, so one division rounds once. */
const EXACT_DIGITS_MAX = 15
const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17]
const DBL_MIN = 2.2250738585072014e-308
const DOUBLE_PRECISION = 53
const DOUBLE_LOWEST_EXPONENT = -1074
const DOUBLE_HIGHEST_EXPONENT = 971
/** More than the exponents of all doubles span. */
const HEX_EXPONENT_SPAN = 2300
/** Up to here the text is handed to Number() as it stands. */
const SHORT_TEXT_BYTES = 1000
/** d2string prints integers up to here as integers: (double)(LLONG_MAX / 2). */
const INTEGER_TEXT_MAX = 2 ** 62

/**
 * A double as Redis takes it from a client: the whole text, no space before it, out of range refused, nan refused.
 * NaN means refused ("value is not a valid float").
 */
export function parseDouble(buf: Uint8Array, start: number, end: number): number {
  const simple = parseSimpleDecimal(buf, start, end)
  if (!Number.isNaN(simple)) return simple
  if (start >= end || isSpace(buf[start]!)) return Number.NaN
  const read = strtod(buf, start, end)
  if (read.end !== end) return Number.NaN
  if (read.outOfRange && (read.value === 0 || !Number.isFinite(read.value))) return Number.NaN
  return read.value
}

/**
 * A double as the bounds of ZRANGEBYSCORE and the like take it: strtod over the C string that the bytes hold, which must
 * be used up; spaces in front and values out of range are taken. NaN means refused.
 */
export function parseDoubleLenient(buf: Uint8Array, start: number, end: number): number {
  const simple = parseSimpleDecimal(buf, start, end)
  if (!Number.isNaN(simple)) return simple
  const stop = endOfCString(buf, start, end)
  const read = strtod(buf, start, stop)
  return read.end === stop ? read.value : Number.NaN
}

export interface DoubleRead {
  readonly value: number
  /** Offset after the last byte used; the start when nothing could be converted. */
  readonly end: number
  /** C's ERANGE: overflow to infinity, or underflow that lost digits. */
  readonly outOfRange: boolean
}

/** C's strtod. The range must not hold a NUL that the caller wants honoured: see endOfCString. */
export function strtod(buf: Uint8Array, start: number, end: number): DoubleRead {
  const scan = scanFloat(buf, start, end)
  if (scan.kind === FLOAT_NONE) return { value: 0, end: start, outOfRange: false }
  if (scan.kind === FLOAT_NAN) return { value: Number.NaN, end: scan.end, outOfRange: false }
  let magnitude: number
  let outOfRange = false
  if (scan.kind === FLOAT_INFINITY) {
    magnitude = Number.POSITIVE_INFINITY
  } else if (scan.kind === FLOAT_DECIMAL) {
    // Number() rounds correctly however many digits there are, but it wants them as one string.
    const short = scan.end - scan.digitsStart <= SHORT_TEXT_BYTES
    const number = short ? null : scannedNumber(buf, scan)
    magnitude = Number(
      number === null ? asciiText(buf, scan.digitsStart, scan.end) : `${number.digits}e${number.exponent}`,
    )
    if (magnitude === Number.POSITIVE_INFINITY) outOfRange = true
    else if (magnitude <= DBL_MIN) outOfRange = losesDigits(number ?? scannedNumber(buf, scan))
  } else {
    const { digits, exponent: written } = scannedNumber(buf, scan)
    // An exponent so large that the digits no longer matter is brought down to where the arithmetic is small.
    const limit = bitLength(digits) + HEX_EXPONENT_SPAN
    const exponent = Math.max(-limit, Math.min(limit, written))
    const rounded = roundFraction(
      exponent > 0 ? digits << BigInt(exponent) : digits,
      exponent < 0 ? 1n << BigInt(-exponent) : 1n,
      DOUBLE_PRECISION,
      DOUBLE_LOWEST_EXPONENT,
      DOUBLE_HIGHEST_EXPONENT,
    )
    outOfRange = rounded.overflow || rounded.underflow
    magnitude = rounded.overflow ? Number.POSITIVE_INFINITY : Number(rounded.mantissa) * 2 ** rounded.exponent
  }
  return { value: scan.negative ? -magnitude : magnitude, end: scan.end, outOfRange }
}

/** printf's `%.17g`, which is what addReplyDouble and score texts are made of (inf, -inf and nan included). */
export function double17g(value: number): string {
  if (Number.isInteger(value) && value < 1e15 && value > -1e15) return Object.is(value, -0) ? '-0' : String(value)
  if (!Number.isFinite(value)) return nonFiniteText(value)
  const magnitude = Math.abs(value)
  if (magnitude < 0x20_0000_0000_0000 && Number.isInteger(magnitude * 0x200_0000)) return dyadic17g(value, magnitude)
  const text = magnitude.toExponential(16)
  return layOut(value < 0, text[0]! + text.slice(2, 18), Number(text.slice(19)))
}

/** Writes `%.17g`; returns the offset after it. */
export function writeDouble17g(out: Uint8Array, at: number, value: number): number {
  if (Number.isInteger(value) && value < 1e15 && value > -1e15 && !Object.is(value, -0)) return writeInt(out, at, value)
  return writeAscii(out, at, double17g(value))
}

/** d2string: integers of up to 62 bits digit for digit, everything else `%.17g`. */
export function doubleText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) <= INTEGER_TEXT_MAX && !Object.is(value, -0))
    return BigInt(value).toString()
  return double17g(value)
}

/** Writes what doubleText returns; returns the offset after it. */
export function writeDouble(out: Uint8Array, at: number, value: number): number {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return writeInt(out, at, value)
  if (Number.isInteger(value) && Math.abs(value) <= INTEGER_TEXT_MAX && value !== 0)
    return writeInt64(out, at, BigInt(value))
  return writeAscii(out, at, double17g(value))
}

/** printf's `%.<decimals>f`: the exact binary value rounded to nearest, ties to even. */
export function fixedText(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return nonFiniteText(value)
  const magnitude = Math.abs(value)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (magnitude >= 1e21) return sign + BigInt(magnitude).toString() + (decimals > 0 ? '.' + '0'.repeat(decimals) : '')
  // A tie is a value with exactly one binary digit, and so exactly one decimal, more than is printed.
  if ((magnitude * 2 ** (decimals + 1)) % 2 !== 1) return sign + magnitude.toFixed(decimals)
  const exact = magnitude.toFixed(decimals + 1)
  const down = exact.slice(0, decimals === 0 ? -2 : -1)
  return sign + (isOddDigit(down, down.length - 1) ? magnitude.toFixed(decimals) : down)
}

/** fixedpoint_d2string: scales, rounds the product to an integer, and puts the point back (GEODIST). */
export function fixedPointText(value: number, decimals: number): string {
  const product = value * POWERS_OF_TEN[decimals]!
  // llrint gives the lowest int64 for what it cannot hold.
  const scaled = Math.abs(product) < 2 ** 63 ? BigInt(roundHalfEven(product)) : -(2n ** 63n)
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(decimals + 1, '0')
  return (scaled < 0n ? '-' : '') + digits.slice(0, -decimals) + '.' + digits.slice(-decimals)
}

/** Digits with at most one point and a minus in front, 15 digits at most; NaN for everything else. */
function parseSimpleDecimal(buf: Uint8Array, start: number, end: number): number {
  let at = start
  const negative = at < end && buf[at] === 0x2d
  if (negative) at++
  if (at >= end || end - at > EXACT_DIGITS_MAX) return Number.NaN
  let value = 0
  let pointAt = -1
  for (; at < end; at++) {
    const digit = buf[at]! - 0x30
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit
    } else {
      // A point needs digits on both sides here; strtod takes it without, and more slowly.
      if (digit !== -2 || pointAt >= 0 || at === end - 1 || at === start + (negative ? 1 : 0)) return Number.NaN
      pointAt = at
    }
  }
  if (pointAt >= 0) value /= POWERS_OF_TEN[end - pointAt - 1]!
  return negative ? -value : value
}

function losesDigits({ digits, exponent }: ScannedNumber): boolean {
  if (digits === 0n) return false
  // Far below the smallest double there is nothing left to compare.
  if (exponent < -20_000) return true
  return roundFraction(
    exponent > 0 ? digits * 10n ** BigInt(exponent) : digits,
    exponent < 0 ? 10n ** BigInt(-exponent) : 1n,
    DOUBLE_PRECISION,
    DOUBLE_LOWEST_EXPONENT,
    DOUBLE_HIGHEST_EXPONENT,
  ).underflow
}

/**
 * `%.17g` of a value with at most 25 binary digits after the point. It has one decimal for each of them, so its digits are
 * those of the whole number m * 5^k: quick when a double holds that, and a tie when it has 18 digits and ends in 5. With more
 * than 25 binary digits m * 5^k is beyond 10^18, so that no other value can be a tie.
 */
function dyadic17g(value: number, magnitude: number): string {
  let whole = magnitude
  let decimals = 0
  while (!Number.isInteger(whole)) {
    whole *= 2
    decimals++
  }
  const product = whole * 5 ** decimals
  if (product <= Number.MAX_SAFE_INTEGER) {
    const digits = String(product)
    return layOut(value < 0, digits, digits.length - 1 - decimals)
  }
  const text = magnitude.toExponential(16)
  const exponent = Number(text.slice(19))
  const roundedUp = text[0]! + text.slice(2, 18)
  if (product < 0.9e17 || product > 1.1e18) return layOut(value < 0, roundedUp, exponent)
  // 25 decimals and 16 whole digits at most: 60 digits are the exact value.
  const exact = magnitude.toExponential(60)
  const tie = exact[18] === '5' && /^0*e/.test(exact.slice(19))
  if (!tie || isOddDigit(exact, 17)) return layOut(value < 0, roundedUp, exponent)
  // Rounding down keeps the digits, and so the exponent of the exact value.
  return layOut(value < 0, exact[0]! + exact.slice(2, 18), Number(exact.slice(exact.indexOf('e') + 1)))
}

/** Puts point, exponent and sign to up to 17 digits, of which the first weighs 10^exponent, as C's `%g` does. */
function layOut(negative: boolean, digits: string, exponent: number): string {
  const sign = negative ? '-' : ''
  let length = digits.length
  while (length > 1 && digits.charCodeAt(length - 1) === 0x30) length--
  if (exponent < -4 || exponent >= 17) {
    const power = Math.abs(exponent)
    const mantissa = length === 1 ? digits[0] : digits[0] + '.' + digits.slice(1, length)
    return sign + mantissa + (exponent < 0 ? 'e-' : 'e+') + (power < 10 ? '0' + power : power)
  }
  if (exponent < 0) return sign + '0.' + '0'.repeat(-exponent - 1) + digits.slice(0, length)
  const whole = exponent + 1
  if (whole >= length) return sign + digits.slice(0, length) + '0'.repeat(whole - length)
  return sign + digits.slice(0, whole) + '.' + digits.slice(whole, length)
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest > 0.5 || (rest === 0.5 && floor % 2 !== 0)) return floor + 1
  return floor
}

function isOddDigit(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 1) === 1
}

function nonFiniteText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  return value > 0 ? 'inf' : '-inf'
}

function asciiText(buf: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at++) text += String.fromCharCode(buf[at]!)
  return text
}

function writeAscii(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i)
  return at + text.length
}
