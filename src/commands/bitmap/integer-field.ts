/**
 * Integers of 1 to 64 bits at any bit of a string, and what happens when a value does not fit.
 *
 * Fields of up to 32 bits are numbers; wider ones are bigints, and so are the sums that a double might not hold. There the
 * comparisons are done in 64 bits with wrapping, as C does them: a signed SET far below a 63-bit field counts as an
 * overflow upwards in Redis, and clients see that with OVERFLOW SAT.
 */
import { readField, writeField } from './bits.ts'

export const OVERFLOW_WRAP = 0
export const OVERFLOW_SATURATE = 1
export const OVERFLOW_FAIL = 2

/** Fields up to this width are numbers. */
const PLAIN_WIDTH_MAX = 32
/** Operands below this, and their sums with plain fields, are exact as numbers. */
const PLAIN_OPERAND_BELOW = 2 ** 52

export interface FieldType {
  readonly signed: boolean
  readonly width: number
}

/** A number for fields of up to 32 bits, else a bigint. */
export type FieldValue = number | bigint

export function readInteger(
  bytes: Uint8Array,
  at: number,
  end: number,
  offset: number,
  { signed, width }: FieldType,
): FieldValue {
  if (width <= PLAIN_WIDTH_MAX) {
    const value = readField(bytes, at, end, offset, width)
    return signed && value >= 2 ** (width - 1) ? value - 2 ** width : value
  }
  const high = readField(bytes, at, end, offset, width - 32)
  const low = readField(bytes, at, end, offset + width - 32, 32)
  const value = (BigInt(high) << 32n) | BigInt(low)
  return signed ? BigInt.asIntN(width, value) : value
}

/** The field must lie inside the string, and the value be one of its type. */
export function writeInteger(
  bytes: Uint8Array,
  at: number,
  offset: number,
  { width }: FieldType,
  value: FieldValue,
): void {
  if (typeof value === 'number') {
    writeField(bytes, at, offset, width, value < 0 ? value + 2 ** width : value)
    return
  }
  const unsigned = BigInt.asUintN(width, value)
  writeField(bytes, at, offset, width - 32, Number(unsigned >> 32n))
  writeField(bytes, at, offset + width - 32, 32, Number(unsigned & 0xffff_ffffn))
}

/** What a SET of `value` (64 bits, signed) stores, or null when it does not fit and must not be changed. */
export function fitField(value: number | bigint, type: FieldType, overflow: number): FieldValue | null {
  if (!isPlain(value, type)) return sumWide(BigInt(value), 0n, type, overflow)
  // A negative value is a huge unsigned one.
  if (!type.signed && value < 0) return limited(value, type, overflow, 2 ** type.width - 1)
  return sumPlain(value, type, overflow)
}

/** What an INCRBY of `increment` stores, or null when the sum does not fit and must not be changed. */
export function sumField(
  held: FieldValue,
  increment: number | bigint,
  type: FieldType,
  overflow: number,
): FieldValue | null {
  if (typeof held === 'number' && isPlain(increment, type)) return sumPlain(held + increment, type, overflow)
  return sumWide(BigInt(held), BigInt(increment), type, overflow)
}

function isPlain(operand: number | bigint, { width }: FieldType): operand is number {
  return width <= PLAIN_WIDTH_MAX && typeof operand === 'number' && Math.abs(operand) < PLAIN_OPERAND_BELOW
}

function sumPlain(sum: number, type: FieldType, overflow: number): number | null {
  const max = type.signed ? 2 ** (type.width - 1) - 1 : 2 ** type.width - 1
  const min = type.signed ? -max - 1 : 0
  if (sum > max) return limited(sum, type, overflow, max)
  return sum < min ? limited(sum, type, overflow, min) : sum
}

function limited(sum: number, { signed, width }: FieldType, overflow: number, limit: number): number | null {
  if (overflow === OVERFLOW_FAIL) return null
  if (overflow === OVERFLOW_SATURATE) return limit
  const range = 2 ** width
  const wrapped = ((sum % range) + range) % range
  return signed && wrapped >= range / 2 ? wrapped - range : wrapped
}

function sumWide(value: bigint, increment: bigint, type: FieldType, overflow: number): FieldValue | null {
  const { signed, width } = type
  const held = signed ? value : BigInt.asUintN(64, value)
  const max = signed ? (1n << BigInt(width - 1)) - 1n : (1n << BigInt(width)) - 1n
  const min = signed ? -max - 1n : 0n
  const room = BigInt.asIntN(64, max - held)
  const roomBelow = BigInt.asIntN(64, min - held)
  let limit: bigint | null = null
  if (signed) {
    const narrow = width !== 64
    if (held > max || (narrow && increment > room) || (held >= 0n && increment > 0n && increment > room)) limit = max
    else if (
      held < min ||
      (narrow && increment < roomBelow) ||
      (held < 0n && increment < 0n && increment < roomBelow)
    ) {
      limit = min
    }
  } else if (held > max || (increment > 0n && increment > room)) limit = max
  else if (increment < 0n && increment < roomBelow) limit = min
  let result = held + increment
  if (limit !== null) {
    if (overflow === OVERFLOW_FAIL) return null
    if (overflow === OVERFLOW_SATURATE) result = limit
    else result = signed ? BigInt.asIntN(width, result) : BigInt.asUintN(width, result)
  }
  return width <= PLAIN_WIDTH_MAX ? Number(result) : result
}
