/**
 * Text as the configuration handles it: byte strings, that is one character (U+0000 to U+00FF) per byte, so that every
 * value that Redis can store passes through unchanged. JavaScript text comes in and goes out as UTF-8 by the two
 * functions at the top. Numbers are read exactly as Redis reads them, which for historical reasons is in three ways.
 */
import { reprText, splitArgs } from '../../base/quoting.ts'

const INT64_MAX = (1n << 63n) - 1n
const INT64_MIN = -(1n << 63n)
const UINT64_MAX = (1n << 64n) - 1n
/** More digits than this make no number, whatever they are. */
const MEMORY_DIGITS_MAX = 127

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['', 1n],
  ['b', 1n],
  ['k', 1000n],
  ['kb', 1n << 10n],
  ['m', 1_000_000n],
  ['mb', 1n << 20n],
  ['g', 1_000_000_000n],
  ['gb', 1n << 30n],
])

/** The bytes of a text in UTF-8. */
export function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** The text whose UTF-8 form these bytes are. */
export function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** Lower case of A to Z alone, as Redis compares names: other bytes may be parts of UTF-8 characters. */
export function lowerAscii(bytes: string): string {
  return bytes.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** What C sees of a string: up to the first zero byte. */
export function cString(bytes: string): string {
  const end = bytes.indexOf('\0')
  return end < 0 ? bytes : bytes.slice(0, end)
}

/** The words of a configuration line, with quotes and escapes resolved; null when quotes do not match. */
export function splitLine(line: string): string[] | null {
  const bytes = Buffer.from(cString(line), 'latin1')
  const words = splitArgs(bytes, 0, bytes.length)
  return words === null ? null : words.map((word) => Buffer.from(word).toString('latin1'))
}

/** A value in double quotes, so that `splitLine` gives it back. */
export function quote(value: string): string {
  const bytes = Buffer.from(value, 'latin1')
  return reprText(bytes, 0, bytes.length)
}

/** An integer without any liberty: no spaces, no plus, no leading zeros, within 64 bits. Null if it is none. */
export function parseStrictInteger(text: string): bigint | null {
  if (text.length > 20 || !/^(?:0|-?[1-9][0-9]*)$/.test(text)) return null
  const value = BigInt(text)
  return value > INT64_MAX || value < INT64_MIN ? null : value
}

/** An integer as C's strtoll reads it: leading blanks and a sign allowed, clamped to 64 bits, "" is 0. Null on trailing characters. */
export function parseLooseInteger(text: string): bigint | null {
  const digits = /^[ \t-\r]*([+-]?)([0-9]+)$/.exec(cString(text))
  if (digits === null) return cString(text) === '' ? 0n : null
  const value = BigInt(digits[2]!) * (digits[1] === '-' ? -1n : 1n)
  if (value > INT64_MAX) return INT64_MAX
  return value < INT64_MIN ? INT64_MIN : value
}

/** An octal number: as `parseLooseInteger`, but what exceeds 64 bits is none. */
export function parseOctal(text: string): bigint | null {
  const digits = /^[ \t-\r]*([+-]?)([0-7]+)$/.exec(cString(text))
  if (digits === null) return cString(text) === '' ? 0n : null
  const value = BigInt(`0o${digits[2]}`) * (digits[1] === '-' ? -1n : 1n)
  return value > INT64_MAX || value < INT64_MIN ? null : value
}

/**
 * A number of bytes with an optional unit: k, m, g are decimal, kb, mb, gb binary. An unsigned 64-bit number that wraps
 * around when the unit makes it too large; no digits at all are 0. Null if it is none.
 */
export function parseMemory(text: string): bigint | null {
  const bytes = cString(text)
  const digits = /^[0-9]*/.exec(bytes)![0]
  const unit = UNITS.get(lowerAscii(bytes.slice(digits.length)))
  if (unit === undefined || digits.length > MEMORY_DIGITS_MAX) return null
  const number = BigInt(digits === '' ? '0' : digits)
  return BigInt.asUintN(64, (number > UINT64_MAX ? UINT64_MAX : number) * unit)
}

/** The shortest form of a number of bytes in a configuration file. */
export function formatMemory(bytes: bigint): string {
  const signed = BigInt.asIntN(64, bytes)
  for (const unit of ['gb', 'mb', 'kb']) {
    const size = UNITS.get(unit)!
    if (signed !== 0n && signed % size === 0n) return `${signed / size}${unit}`
  }
  return `${signed}`
}

const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?[0-9]+))?$/

/** A floating point number as C's strtod reads it, without blanks around it; null if it is none or out of range. */
export function parseFloating(text: string): number | null {
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  let value: number
  let isZero: boolean
  if (DECIMAL.test(text)) {
    value = Number(text)
    isZero = !/[1-9]/.test(text.replace(/[eE].*/, ''))
  } else {
    const parts = HEXADECIMAL.exec(text)
    if (parts === null || `${parts[2]}${parts[3]}` === '') return null
    const mantissa = `${parts[2]}${parts[3]}`
    isZero = !/[1-9a-fA-F]/.test(mantissa)
    value = Number(`0x${mantissa}`) * 2 ** (Number(parts[4] ?? 0) - 4 * parts[3]!.length)
    if (parts[1] === '-') value = -value
  }
  if (!Number.isFinite(value) || (value === 0 && !isZero)) return null
  return value
}

/** A floating point number with up to six decimals and no superfluous zeros. */
export function formatFloating(value: number): string {
  const text = value.toFixed(6).replace(/\.?0+$/, '')
  return Object.is(value, -0) ? `-${text}` : text
}
