/**
 * 64-bit integers as decimal text, read and written as bytes, with the rules of Redis's string2ll, ll2string, string2ull
 * and memtoull. Numbers that a double holds exactly stay JavaScript numbers and cost no allocation; only the rest, up to
 * the full signed 64-bit range, goes through bigint.
 *
 * Hot path: bench/micro/base-text.ts (parseSafeInt, isInt64, writeInt, writeUint).
 */

/** Longest text of an int64: a sign and 19 digits. */
export const INT64_TEXT_BYTES_MAX = 20
export const INT64_MAX = 0x7fff_ffff_ffff_ffffn
export const INT64_MIN = -0x8000_0000_0000_0000n
export const UINT64_MAX = 0xffff_ffff_ffff_ffffn

const MINUS = 0x2d
const PLUS = 0x2b
const ZERO = 0x30
const INT64_MAX_DIGITS = '9223372036854775807'
/** Digits that always fit a double exactly, one more with a check (2^53 - 1 has 16). */
const SAFE_DIGITS_MAX = 16
const TEN_9 = 1_000_000_000
const TEN_8 = 100_000_000

/** Whether the bytes are the canonical text of an int64: no plus, no leading zero, no space, no "-0". */
export function isInt64(buf: Uint8Array, start: number, end: number): boolean {
  let at = start
  const negative = at < end && buf[at] === MINUS
  if (negative) at++
  const digits = end - at
  if (digits === 1 && !negative && buf[at] === ZERO) return true
  if (digits < 1 || digits > 19) return false
  if (buf[at] === ZERO) return false
  for (let i = at; i < end; i++) {
    const digit = buf[i]! - ZERO
    if (digit < 0 || digit > 9) return false
  }
  return digits < 19 || fitsAsNineteenDigits(buf, at, negative)
}

/** The number, or NaN when the text is not canonical or lies beyond +-(2^53 - 1): ask parseInt64 then. */
export function parseSafeInt(buf: Uint8Array, start: number, end: number): number {
  let at = start
  let byte = buf[at]!
  if (end - at === 1) {
    byte -= ZERO
    return byte >= 0 && byte <= 9 ? byte : Number.NaN
  }
  let negative = false
  if (byte === MINUS) {
    negative = true
    byte = buf[++at]!
  }
  const digits = end - at
  if (digits < 1 || digits > SAFE_DIGITS_MAX || byte === ZERO) return Number.NaN
  // The first nine digits stay within int32 arithmetic, the others need a double.
  const smallEnd = digits > 9 ? at + 9 : end
  let small = 0
  for (; at < smallEnd; at++) {
    const digit = buf[at]! - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    small = (small * 10 + digit) | 0
  }
  if (at === end) return negative ? -small : small
  let value = small
  for (; at < end; at++) {
    const digit = buf[at]! - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  if (value > Number.MAX_SAFE_INTEGER) return Number.NaN
  return negative ? -value : value
}

/** The number, over the whole int64 range, or null when the text is not canonical or out of range. */
export function parseInt64(buf: Uint8Array, start: number, end: number): bigint | null {
  const safe = parseSafeInt(buf, start, end)
  if (!Number.isNaN(safe)) return BigInt(safe)
  if (!isInt64(buf, start, end)) return null
  const negative = buf[start] === MINUS
  const magnitude = bigDigits(buf, negative ? start + 1 : start, end)
  return negative ? -magnitude : magnitude
}

/**
 * An unsigned 64-bit number as string2ull reads it: canonical int64 text that is not negative, or else whatever C's
 * strtoull takes as a whole (leading spaces, a plus, and a minus that wraps). Ends at a NUL, as C strings do.
 */
export function parseUint64(buf: Uint8Array, start: number, end: number): bigint | null {
  const stop = endOfCString(buf, start, end)
  const signed = parseInt64(buf, start, stop)
  if (signed !== null) return signed < 0n ? null : signed
  const read = strtoull(buf, start, stop)
  if (read.outOfRange || read.end !== stop || stop === start) return null
  return read.value
}

export interface IntegerRead {
  readonly value: bigint
  /** Offset after the last byte used; the start when nothing could be converted. */
  readonly end: number
  /** C's ERANGE: the value is the limit that was passed. */
  readonly outOfRange: boolean
}

/** C's strtoll: optional spaces and sign, then as many digits of the base (0 guesses it from a prefix) as there are. */
export function strtoll(buf: Uint8Array, start: number, end: number, base = 10): IntegerRead {
  const read = scanInteger(buf, start, end, base)
  const value = read.negative ? -read.magnitude : read.magnitude
  if (value > INT64_MAX) return { value: INT64_MAX, end: read.end, outOfRange: true }
  if (value < INT64_MIN) return { value: INT64_MIN, end: read.end, outOfRange: true }
  return { value, end: read.end, outOfRange: false }
}

/** C's strtoull: as strtoll, and a minus wraps around 2^64. */
export function strtoull(buf: Uint8Array, start: number, end: number, base = 10): IntegerRead {
  const read = scanInteger(buf, start, end, base)
  if (read.magnitude > UINT64_MAX) return { value: UINT64_MAX, end: read.end, outOfRange: true }
  return {
    value: BigInt.asUintN(64, read.negative ? -read.magnitude : read.magnitude),
    end: read.end,
    outOfRange: false,
  }
}

/**
 * An amount of memory as redis.conf spells it: digits and a unit (none or b, k, kb, m, mb, g, gb, any case), or null.
 * Quirks kept: no digits at all is zero, digits beyond 2^64 saturate, and the product wraps around 2^64.
 */
export function parseMemorySize(text: string): bigint | null {
  const nul = text.indexOf('\0')
  const parts = /^([0-9]*)(b|k|kb|m|mb|g|gb|)$/i.exec(nul < 0 ? text : text.slice(0, nul))
  // C copies the digits into 128 bytes, one of them the NUL.
  if (parts === null || parts[1]!.length >= 128) return null
  const digits = BigInt(parts[1] || '0')
  return BigInt.asUintN(64, (digits > UINT64_MAX ? UINT64_MAX : digits) * unitBytes(parts[2]!.toLowerCase()))
}

function unitBytes(unit: string): bigint {
  switch (unit) {
    case 'k':
      return 1000n
    case 'kb':
      return 1024n
    case 'm':
      return 1_000_000n
    case 'mb':
      return 1_048_576n
    case 'g':
      return 1_000_000_000n
    case 'gb':
      return 1_073_741_824n
    default:
      return 1n
  }
}

/** Writes a safe integer; returns the offset after it. */
export function writeInt(out: Uint8Array, at: number, value: number): number {
  if (value < 0) {
    out[at] = MINUS
    return writeUint(out, at + 1, -value)
  }
  return writeUint(out, at, value)
}

/** Writes a safe integer that is not negative; returns the offset after it. */
export function writeUint(out: Uint8Array, at: number, value: number): number {
  if (value < TEN_9) {
    const end = at + digitsOfSmall(value)
    fillDigits(out, at, end, value)
    return end
  }
  // At most 16 digits: up to eight in front, eight behind.
  const high = Math.floor(value / TEN_8)
  const middle = at + digitsOfSmall(high)
  fillDigits(out, at, middle, high)
  fillDigits(out, middle, middle + 8, value - high * TEN_8)
  return middle + 8
}

/** Writes an int64 (or uint64); returns the offset after it. */
export function writeInt64(out: Uint8Array, at: number, value: bigint): number {
  const text = value.toString()
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i)
  return at + text.length
}

/** Bytes that writeInt would write. */
export function intTextLength(value: number): number {
  if (value < 0) return 1 + intTextLength(-value)
  if (value < TEN_9) return digitsOfSmall(value)
  return 8 + digitsOfSmall(Math.floor(value / TEN_8))
}

/** Digits of an integer in [0, 10^9). */
function digitsOfSmall(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4
  if (value < 1_000_000) return value < 100_000 ? 5 : 6
  return value < 10_000_000 ? 7 : value < TEN_8 ? 8 : 9
}

/** Fills out[at, end) with the digits of a 31-bit integer, zeros in front. */
function fillDigits(out: Uint8Array, at: number, end: number, value: number): void {
  let rest = value | 0
  for (let i = end - 1; i >= at; i--) {
    const tenth = (rest / 10) | 0
    out[i] = ZERO + rest - tenth * 10
    rest = tenth
  }
}

function fitsAsNineteenDigits(buf: Uint8Array, at: number, negative: boolean): boolean {
  for (let i = 0; i < 19; i++) {
    const limit = INT64_MAX_DIGITS.charCodeAt(i)
    const byte = buf[at + i]!
    if (byte !== limit) return byte < limit || (negative && i === 18 && byte === limit + 1)
  }
  return true
}

/** Up to 20 decimal digits, already checked, as a bigint. */
function bigDigits(buf: Uint8Array, start: number, end: number): bigint {
  let high = 0
  let at = start
  const split = end - 9
  for (; at < split; at++) high = high * 10 + buf[at]! - ZERO
  let low = 0
  for (; at < end; at++) low = low * 10 + buf[at]! - ZERO
  return BigInt(high) * 1_000_000_000n + BigInt(low)
}

/** Where a C function that is handed these bytes as a string would stop reading. */
export function endOfCString(buf: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) if (buf[at] === 0) return at
  return end
}

/** isspace() of the C locale. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

function scanInteger(
  buf: Uint8Array,
  start: number,
  end: number,
  base: number,
): { negative: boolean; magnitude: bigint; end: number } {
  let at = start
  while (at < end && isSpace(buf[at]!)) at++
  const negative = at < end && buf[at] === MINUS
  if (negative || (at < end && buf[at] === PLUS)) at++
  let radix = base
  if ((base === 0 || base === 16) && hasHexPrefix(buf, at, end)) {
    at += 2
    radix = 16
  } else if (base === 0) {
    radix = at < end && buf[at] === ZERO ? 8 : 10
  }
  const first = at
  let magnitude = 0n
  const big = BigInt(radix)
  for (; at < end; at++) {
    const digit = digitValue(buf[at]!)
    if (digit >= radix) break
    // Past the limit only the number of digits still matters.
    if (magnitude <= UINT64_MAX) magnitude = magnitude * big + BigInt(digit)
  }
  return { negative, magnitude, end: at === first ? start : at }
}

function hasHexPrefix(buf: Uint8Array, at: number, end: number): boolean {
  return at + 2 < end && buf[at] === ZERO && (buf[at + 1]! | 0x20) === 0x78 && digitValue(buf[at + 2]!) < 16
}

/** The value of a digit or letter as C counts bases, 36 for anything else. */
export function digitValue(byte: number): number {
  if (byte >= ZERO && byte <= 0x39) return byte - ZERO
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x7a ? lower - 0x61 + 10 : 36
}
