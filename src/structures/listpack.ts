/**
 * Listpacks: lists of strings and integers in one run of bytes, Redis's own format, byte for byte.
 *
 *   | total bytes u32 LE | count u16 LE, 65535 = unknown | element ... | 0xff |
 *   element = | encoding and content | backlen |
 *
 *   0xxxxxxx                     integer 0 to 127
 *   10llllll + bytes             string up to 63 bytes
 *   110xxxxx x8                  integer of 13 bits, signed
 *   1110llll l8 + bytes          string up to 4095 bytes
 *   0xf0 u32 LE + bytes          longer string
 *   0xf1 to 0xf4 + LE            integers of 16, 24, 32, 64 bits, signed
 *   backlen: length of what stands before it, 7 bits a byte, to be read backwards (highest bit: another one in front)
 *
 * Reading works on any bytes: functions take (bytes, start) of the listpack or (bytes, at) of an element, where `at` is an
 * index in `bytes`; NO_ELEMENT = 0 stands for none. Editing (`Listpacks`) works on a block of the arena, begins with the
 * listpack's first byte, takes positions in the block's page and returns the ref, which may be another one: positions,
 * views and the old ref are dead then, and `at` of the Listpacks holds the position of the element that was written,
 * or of the one that follows what was removed.
 *
 * A string that is the canonical text of an int64 is always kept as an integer. Reading assumes valid bytes: what
 * comes from outside goes through `isValidListpack` first.
 * Maximums: 1 GiB per listpack is the callers' concern (LISTPACK_BYTES_SAFE).
 * Cost: first, last, next, previous O(1); seek O(n) from the nearer end; edits move what stands behind.
 * Where it differs from Redis: a string whose length makes the element wrap around 2^32 is refused at validation.
 * Sources: 1. Redis, listpack.md (format). 2. redis-server 7.0.15, observed bytes of DUMP.
 */
import { ByteMover } from '../base/byte-mover.ts'
import { copyBytes } from '../base/copy-bytes.ts'
import { INT64_TEXT_BYTES_MAX, isInt64, parseInt64, parseSafeInt, writeInt, writeInt64 } from '../base/int64-text.ts'
import { CopySource, copyWords, WORD_COPY_BYTES_MAX } from '../base/word-copy.ts'
import type { Arena, Ref } from '../memory/arena.ts'

declare const listpackRef: unique symbol
export type ListpackRef = Ref & { readonly [listpackRef]?: never }

export const LISTPACK_HEADER_BYTES = 6
/** Header and end mark. */
export const LISTPACK_EMPTY_BYTES = 7
/** Redis lets no listpack grow beyond this (lpSafeToAdd). */
export const LISTPACK_BYTES_SAFE = 2 ** 30
export const NO_ELEMENT = 0

const COUNT_UNKNOWN = 0xffff
const END = 0xff
const INT16 = 0xf1
const INT24 = 0xf2
const INT32 = 0xf3
const INT64 = 0xf4
const STRING32 = 0xf0
const STRING6_BYTES_MAX = 63
const STRING12_BYTES_MAX = 4095
const TWO_32 = 2 ** 32
/** Up to here a loop is faster than a DataView that has to be made first. */
const LOOP_BYTES_MAX = 64
const BACKLEN_BYTES_MAX = 5

const MINUS = 0x2d
const DIGIT_0 = 0x30
const DIGIT_9 = 0x39

/** Total bytes with header and end mark, as the header has it. */
export function listpackBytes(bytes: Uint8Array, start: number): number {
  return (bytes[start]! | (bytes[start + 1]! << 8) | (bytes[start + 2]! << 16) | (bytes[start + 3]! << 24)) >>> 0
}

/** Elements. Walks over all of them when there are too many for the header; writes the header when they fit again, as Redis does. */
export function listpackCount(bytes: Uint8Array, start: number): number {
  const held = bytes[start + 4]! | (bytes[start + 5]! << 8)
  if (held !== COUNT_UNKNOWN) return held
  let count = 0
  for (let at = start + LISTPACK_HEADER_BYTES; bytes[at] !== END; at = skipElement(bytes, at)) count++
  if (count < COUNT_UNKNOWN) setHeaderCount(bytes, start, count)
  return count
}

export function setHeaderBytes(bytes: Uint8Array, start: number, total: number): void {
  bytes[start] = total
  bytes[start + 1] = total >>> 8
  bytes[start + 2] = total >>> 16
  bytes[start + 3] = total >>> 24
}

export function setHeaderCount(bytes: Uint8Array, start: number, count: number): void {
  const held = Math.min(count, COUNT_UNKNOWN)
  bytes[start + 4] = held
  bytes[start + 5] = held >>> 8
}

/** As `setHeaderBytes` and `setHeaderCount`, through the DataView of the bytes. Hot. */
export function setHeader(data: DataView, start: number, total: number, count: number): void {
  data.setInt32(start, total, true)
  data.setInt16(start + 4, Math.min(count, COUNT_UNKNOWN), true)
}

/** Adds to the header's count, unless it is unknown. */
function addHeaderCount(bytes: Uint8Array, start: number, change: number): void {
  const held = bytes[start + 4]! | (bytes[start + 5]! << 8)
  if (held !== COUNT_UNKNOWN) setHeaderCount(bytes, start, held + change)
}

/** Bytes of an element's encoding and content, without backlen. */
export function encodedBytes(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return 1
  if (first < 0xc0) return 1 + (first & 0x3f)
  if (first < 0xe0) return 2
  if (first < 0xf0) return 2 + (((first & 0xf) << 8) | bytes[at + 1]!)
  if (first === STRING32) return 5 + uint32(bytes, at + 1)
  return first === INT16 ? 3 : first === INT24 ? 4 : first === INT32 ? 5 : first === INT64 ? 9 : 1
}

/** Bytes that a backlen takes for an element of so many bytes. */
export function backlenBytes(encoded: number): number {
  if (encoded <= 127) return 1
  if (encoded < 16_383) return 2
  if (encoded < 2_097_151) return 3
  return encoded < 268_435_455 ? 4 : 5
}

/** Bytes an element would take with its backlen. */
export function elementBytes(bytes: Uint8Array, at: number): number {
  const encoded = encodedBytes(bytes, at)
  return encoded + backlenBytes(encoded)
}

/** The position behind an element: the next one, or the end mark. */
export function skipElement(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return at + 2
  if (first < 0xc0) return at + 2 + (first & 0x3f)
  if (first < 0xe0) return at + 3
  const encoded = encodedBytes(bytes, at)
  return at + encoded + backlenBytes(encoded)
}

/** Whether a position is that of the end mark. */
export function isEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === END
}

/** The position of the end mark. */
export function endOf(bytes: Uint8Array, start: number): number {
  return start + listpackBytes(bytes, start) - 1
}

export function firstElement(bytes: Uint8Array, start: number): number {
  const at = start + LISTPACK_HEADER_BYTES
  return bytes[at] === END ? NO_ELEMENT : at
}

export function lastElement(bytes: Uint8Array, start: number): number {
  return previousElement(bytes, start, endOf(bytes, start))
}

export function nextElement(bytes: Uint8Array, at: number): number {
  const next = skipElement(bytes, at)
  return bytes[next] === END ? NO_ELEMENT : next
}

/** The element in front of another one or of the end mark. */
export function previousElement(bytes: Uint8Array, start: number, at: number): number {
  if (at === start + LISTPACK_HEADER_BYTES) return NO_ELEMENT
  return elementBefore(bytes, at)
}

/** The element that ends where another one or the end mark begins: there must be one. */
export function elementBefore(bytes: Uint8Array, at: number): number {
  let last = at - 1
  let byte = bytes[last]!
  if (byte < 0x80) return at - byte - 1
  let encoded = byte & 0x7f
  let scale = 128
  do {
    last--
    byte = bytes[last]!
    encoded += (byte & 0x7f) * scale
    scale *= 128
  } while (byte >= 0x80)
  return at - encoded - backlenBytes(encoded)
}

/** The element at an index, from the end if negative (-1 is the last); NO_ELEMENT if there are not so many. */
export function seekElement(bytes: Uint8Array, start: number, index: number): number {
  const count = bytes[start + 4]! | (bytes[start + 5]! << 8)
  let steps = index
  let isForward = index >= 0
  if (count !== COUNT_UNKNOWN) {
    if (steps < 0) steps += count
    if (steps < 0 || steps >= count) return NO_ELEMENT
    isForward = steps <= count >> 1
    if (!isForward) steps -= count
  }
  if (isForward) {
    let at = start + LISTPACK_HEADER_BYTES
    for (; steps > 0 && bytes[at] !== END; steps--) at = skipElement(bytes, at)
    return bytes[at] === END ? NO_ELEMENT : at
  }
  let at = lastElement(bytes, start)
  for (; steps < -1 && at !== NO_ELEMENT; steps++) at = previousElement(bytes, start, at)
  return at
}

/** What an element holds. Whoever looks at two elements at a time has two of these. */
export class ListpackReader {
  /** Kept as an integer. After `read`: the text fields are not set then. */
  isInteger = false
  /** The integer, NaN beyond +-(2^53 - 1): ask `bigInteger`. */
  integer = 0
  /** The text: in the listpack itself, or in this reader's own bytes if it had to be written there. */
  bytes: Uint8Array
  start = 0
  length = 0

  private readonly scratch = new Uint8Array(INT64_TEXT_BYTES_MAX)
  /** The two halves of the integer last read. */
  private low = 0
  private high = 0

  constructor() {
    this.bytes = this.scratch
  }

  /** Reads an element; of an integer only its value. */
  read(bytes: Uint8Array, at: number): void {
    const first = bytes[at]!
    if (first < 0x80) {
      this.isInteger = true
      this.integer = first
      this.low = first
      this.high = 0
    } else if (first < 0xc0) this.setText(bytes, at + 1, first & 0x3f)
    else if (first < 0xe0) this.setInt32((((first & 0x1f) << 27) >> 19) | bytes[at + 1]!)
    else if (first < 0xf0) this.setText(bytes, at + 2, ((first & 0xf) << 8) | bytes[at + 1]!)
    else if (first === STRING32) this.setText(bytes, at + 5, uint32(bytes, at + 1))
    else this.readWideInteger(bytes, at, first)
  }

  /** Reads an element as text, whatever it is. */
  readText(bytes: Uint8Array, at: number): void {
    this.read(bytes, at)
    if (this.isInteger) this.formatInteger()
  }

  /** The integer last read, of any size. */
  bigInteger(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low >>> 0)
  }

  /** After `read` of an integer: writes its text. */
  formatInteger(): void {
    const { scratch } = this
    this.bytes = scratch
    this.start = 0
    this.length = Number.isNaN(this.integer)
      ? writeInt64(scratch, 0, this.bigInteger())
      : writeInt(scratch, 0, this.integer)
  }

  private setText(bytes: Uint8Array, start: number, length: number): void {
    this.isInteger = false
    this.bytes = bytes
    this.start = start
    this.length = length
  }

  private setInt32(value: number): void {
    this.isInteger = true
    this.integer = value
    this.low = value
    this.high = value >> 31
  }

  private readWideInteger(bytes: Uint8Array, at: number, first: number): void {
    if (first === INT16) this.setInt32(((bytes[at + 1]! << 16) | (bytes[at + 2]! << 24)) >> 16)
    else if (first === INT24) {
      this.setInt32(((bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >> 8)
    } else if (first === INT32) this.setInt32(uint32(bytes, at + 1) | 0)
    else {
      this.isInteger = true
      this.low = uint32(bytes, at + 1) | 0
      this.high = uint32(bytes, at + 5) | 0
      const value = this.high * TWO_32 + (this.low >>> 0)
      this.integer = Number.isSafeInteger(value) ? value : Number.NaN
    }
  }
}

/** Whether an element's text is this. Allocates only for integers beyond 2^53. */
export function elementEquals(bytes: Uint8Array, at: number, text: Uint8Array, start: number, length: number): boolean {
  const first = bytes[at]!
  if (first >= 0x80 && first < 0xc0) {
    return (first & 0x3f) === length && equalBytes(bytes, at + 1, text, start, length)
  }
  if (first >= 0xe0 && first < 0xf0) {
    const held = ((first & 0xf) << 8) | bytes[at + 1]!
    return held === length && equalBytes(bytes, at + 2, text, start, length)
  }
  if (first === STRING32) {
    return uint32(bytes, at + 1) === length && equalBytes(bytes, at + 5, text, start, length)
  }
  if (length === 0 || length > INT64_TEXT_BYTES_MAX) return false
  const value = parseSafeInt(text, start, start + length)
  if (!Number.isNaN(value)) return integerAt(bytes, at) === value
  if (first !== INT64 || !isInt64(text, start, start + length)) return false
  return parseInt64(text, start, start + length) === int64At(bytes, at)
}

/**
 * The next element from `at` on whose text is this, comparing only every (skip + 1)th; NO_ELEMENT if there is none.
 * `at` may be NO_ELEMENT.
 */
export function findElement(
  bytes: Uint8Array,
  at: number,
  text: Uint8Array,
  start: number,
  length: number,
  skip: number,
): number {
  if (at === NO_ELEMENT) return NO_ELEMENT
  // An integer beyond +-(2^53 - 1) is compared by its text each time: rare.
  const isMaybeInteger = length > 0 && length <= INT64_TEXT_BYTES_MAX && beginsInteger(text[start]!)
  const value = isMaybeInteger ? parseSafeInt(text, start, start + length) : Number.NaN
  const isWide = isMaybeInteger && Number.isNaN(value) && isInt64(text, start, start + length)
  let position = at
  for (;;) {
    const first = bytes[position]!
    if (first === END) return NO_ELEMENT
    if (first < 0x80) {
      if (first === value) return position
      position += 2
    } else if (first < 0xc0) {
      const held = first & 0x3f
      if (held === length && equalBytes(bytes, position + 1, text, start, length)) return position
      position += 2 + held
    } else {
      const isString = (first >= 0xe0 && first < 0xf0) || first === STRING32
      if (isString || isWide) {
        if (elementEquals(bytes, position, text, start, length)) return position
      } else if (isMaybeInteger && integerAt(bytes, position) === value) return position
      position = skipElement(bytes, position)
    }
    for (let skipped = 0; skipped < skip; skipped++) {
      if (bytes[position] === END) return NO_ELEMENT
      position = skipElement(bytes, position)
    }
  }
}

/** The value of an element kept as an integer: inexact beyond +-2^53. */
function integerAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return first
  if (first < 0xe0) return (((first & 0x1f) << 27) >> 19) | bytes[at + 1]!
  if (first === INT16) return ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 24)) >> 16
  if (first === INT24) return ((bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >> 8
  if (first === INT32) return uint32(bytes, at + 1) | 0
  return (uint32(bytes, at + 5) | 0) * TWO_32 + uint32(bytes, at + 1)
}

function int64At(bytes: Uint8Array, at: number): bigint {
  return (BigInt(uint32(bytes, at + 5) | 0) << 32n) | BigInt(uint32(bytes, at + 1))
}

function beginsInteger(byte: number): boolean {
  return (byte >= DIGIT_0 && byte <= DIGIT_9) || byte === MINUS
}

function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

function equalBytes(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}

/** Whether foreign bytes are a listpack: its header and end mark, and each element too if `isDeep`. */
export function isValidListpack(bytes: Uint8Array, start: number, length: number, isDeep: boolean): boolean {
  if (length < LISTPACK_EMPTY_BYTES || start + length > bytes.length) return false
  if (listpackBytes(bytes, start) !== length || bytes[start + length - 1] !== END) return false
  if (!isDeep) return true
  const end = start + length - 1
  let count = 0
  let at = start + LISTPACK_HEADER_BYTES
  while (at < end && bytes[at] !== END) {
    at = validNext(bytes, at, end)
    if (at < 0) return false
    count++
  }
  const held = bytes[start + 4]! | (bytes[start + 5]! << 8)
  return at === end && (held === COUNT_UNKNOWN || held === count)
}

/** The position behind an element of a listpack whose end mark is at `end`, or -1 if the element is not valid. */
export function validNext(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!
  if (first > INT64) return -1
  const lengthBytes = first >= 0xe0 && first < 0xf0 ? 2 : first === STRING32 ? 5 : 1
  if (at + lengthBytes > end) return -1
  const encoded = encodedBytes(bytes, at)
  const backlen = backlenBytes(encoded)
  const next = at + encoded + backlen
  if (next > end) return -1
  // What is read backwards from there must be the length. As Redis does, zeros that seem to stand in front of it are let pass.
  let value = 0
  let scale = 1
  for (let i = 1; i <= BACKLEN_BYTES_MAX; i++) {
    const byte = bytes[next - i]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value === encoded ? next : -1
    scale *= 128
  }
  return -1
}

/**
 * Decides how a text or an integer is kept, and writes it. One per owner; what `text` or `integer` was given stays until
 * the next call.
 */
export class ListpackEncoder {
  /** Bytes of encoding and content, and with the backlen. */
  encoded = 0
  total = 0
  isInteger = false

  private readonly source = new CopySource(new Uint8Array(0))
  private bytes: Uint8Array = this.source.bytes
  private start = 0
  private length = 0
  private low = 0
  private high = 0

  /** Takes a text, which must stay where it is until it was written. */
  text(bytes: Uint8Array, start: number, length: number): void {
    if (length > 0 && length <= INT64_TEXT_BYTES_MAX && beginsInteger(bytes[start]!)) {
      const value = parseSafeInt(bytes, start, start + length)
      if (!Number.isNaN(value)) return this.integer(value)
      if (length > 15 && isInt64(bytes, start, start + length)) {
        return this.bigInteger(parseInt64(bytes, start, start + length)!)
      }
    }
    this.bytes = bytes
    this.isInteger = false
    this.start = start
    this.length = length
    this.encoded = (length <= STRING6_BYTES_MAX ? 1 : length <= STRING12_BYTES_MAX ? 2 : 5) + length
    this.total = this.encoded + backlenBytes(this.encoded)
  }

  /** Takes a safe integer. */
  integer(value: number): void {
    this.isInteger = true
    this.low = value | 0
    this.high = Math.floor(value / TWO_32)
    if (value === this.low) {
      if (value >= 0 && value <= 127) this.encoded = 1
      else if (value >= -4096 && value <= 4095) this.encoded = 2
      else if (value >= -32_768 && value <= 32_767) this.encoded = 3
      else this.encoded = value >= -8_388_608 && value <= 8_388_607 ? 4 : 5
    } else this.encoded = 9
    this.total = this.encoded + 1
  }

  /** Takes an int64. */
  bigInteger(value: bigint): void {
    if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) return this.integer(Number(value))
    this.isInteger = true
    this.low = Number(BigInt.asIntN(32, value))
    this.high = Number(BigInt.asIntN(32, value >> 32n))
    this.encoded = 9
    this.total = 10
  }

  /** Writes the element with its backlen at `at`. */
  write(bytes: Uint8Array, data: DataView, at: number): void {
    if (this.isInteger) this.writeInteger(bytes, at)
    else this.writeText(bytes, data, at)
    writeBacklen(bytes, at + this.encoded, this.encoded)
  }

  private writeText(bytes: Uint8Array, data: DataView, at: number): void {
    const { length } = this
    let content = at
    if (length <= STRING6_BYTES_MAX) bytes[content++] = 0x80 | length
    else if (length <= STRING12_BYTES_MAX) {
      bytes[content++] = 0xe0 | (length >>> 8)
      bytes[content++] = length
    } else {
      bytes[content++] = STRING32
      bytes[content++] = length
      bytes[content++] = length >>> 8
      bytes[content++] = length >>> 16
      bytes[content++] = length >>> 24
    }
    const { source, start } = this
    const from = this.bytes
    if (from !== source.bytes && length <= LOOP_BYTES_MAX) {
      for (let i = 0; i < length; i++) bytes[content + i] = from[start + i]!
      return
    }
    source.use(from)
    source.copy(start, bytes, data, content, length)
  }

  private writeInteger(bytes: Uint8Array, at: number): void {
    const { low, encoded } = this
    if (encoded === 1) bytes[at] = low
    else if (encoded === 2) {
      bytes[at] = 0xc0 | ((low >> 8) & 0x1f)
      bytes[at + 1] = low
    } else {
      bytes[at] = encoded === 9 ? INT64 : INT16 + encoded - 3
      const shared = encoded === 9 ? 5 : encoded
      for (let i = 1; i < shared; i++) bytes[at + i] = low >> ((i - 1) << 3)
      if (encoded !== 9) return
      for (let i = 0; i < 4; i++) bytes[at + 5 + i] = this.high >> (i << 3)
    }
  }
}

export function writeBacklen(bytes: Uint8Array, at: number, encoded: number): void {
  if (encoded <= 127) {
    bytes[at] = encoded
    return
  }
  let rest = encoded
  for (let i = backlenBytes(encoded) - 1; i >= 0; i--) {
    bytes[at + i] = (rest & 0x7f) | (i === 0 ? 0 : 0x80)
    rest = Math.floor(rest / 128)
  }
}

/** An empty listpack. */
export function writeEmptyListpack(bytes: Uint8Array, start: number): void {
  setHeaderBytes(bytes, start, LISTPACK_EMPTY_BYTES)
  bytes[start + 4] = 0
  bytes[start + 5] = 0
  bytes[start + LISTPACK_HEADER_BYTES] = END
}

/** Listpacks that are one block of the arena each. */
export class Listpacks {
  /** After an edit: where the element that was written stands, or the one behind what was removed (NO_ELEMENT: none). */
  at = NO_ELEMENT

  private readonly arena: Arena
  private readonly encoder = new ListpackEncoder()
  private readonly mover = new ByteMover()

  constructor(arena: Arena) {
    this.arena = arena
  }

  /** An empty listpack, with room for so many bytes in all. */
  create(capacityBytes = LISTPACK_EMPTY_BYTES): ListpackRef {
    const ref = this.arena.allocate(Math.max(capacityBytes, LISTPACK_EMPTY_BYTES))
    writeEmptyListpack(this.arena.view8(ref), this.arena.at8(ref))
    return ref
  }

  /** A listpack from bytes that are one. They must not lie in a huge block of the arena. */
  fromBytes(bytes: Uint8Array, start: number, length: number): ListpackRef {
    const ref = this.arena.allocate(length)
    copyBytes(bytes, start, this.arena.view8(ref), this.arena.at8(ref), length)
    return ref
  }

  copy(ref: ListpackRef): ListpackRef {
    const length = this.bytes(ref)
    const made = this.arena.allocate(length)
    this.copyBlock(ref, 0, made, 0, length)
    return made
  }

  release(ref: ListpackRef): void {
    this.arena.release(ref)
  }

  bytes(ref: ListpackRef): number {
    return listpackBytes(this.arena.view8(ref), this.arena.at8(ref))
  }

  count(ref: ListpackRef): number {
    return listpackCount(this.arena.view8(ref), this.arena.at8(ref))
  }

  /** Text that is written must not lie in the listpack that is edited. */
  append(ref: ListpackRef, text: Uint8Array, start: number, length: number): ListpackRef {
    this.encoder.text(text, start, length)
    return this.write(ref, endOf(this.arena.view8(ref), this.arena.at8(ref)), 0)
  }

  appendInteger(ref: ListpackRef, value: number | bigint): ListpackRef {
    this.takeInteger(value)
    return this.write(ref, endOf(this.arena.view8(ref), this.arena.at8(ref)), 0)
  }

  prepend(ref: ListpackRef, text: Uint8Array, start: number, length: number): ListpackRef {
    this.encoder.text(text, start, length)
    return this.write(ref, this.arena.at8(ref) + LISTPACK_HEADER_BYTES, 0)
  }

  prependInteger(ref: ListpackRef, value: number | bigint): ListpackRef {
    this.takeInteger(value)
    return this.write(ref, this.arena.at8(ref) + LISTPACK_HEADER_BYTES, 0)
  }

  /** Writes in front of the element, or of the end mark, at `at`. */
  insertBefore(ref: ListpackRef, at: number, text: Uint8Array, start: number, length: number): ListpackRef {
    this.encoder.text(text, start, length)
    return this.write(ref, at, 0)
  }

  insertIntegerBefore(ref: ListpackRef, at: number, value: number | bigint): ListpackRef {
    this.takeInteger(value)
    return this.write(ref, at, 0)
  }

  insertAfter(ref: ListpackRef, at: number, text: Uint8Array, start: number, length: number): ListpackRef {
    this.encoder.text(text, start, length)
    return this.write(ref, skipElement(this.arena.view8(ref), at), 0)
  }

  insertIntegerAfter(ref: ListpackRef, at: number, value: number | bigint): ListpackRef {
    this.takeInteger(value)
    return this.write(ref, skipElement(this.arena.view8(ref), at), 0)
  }

  replace(ref: ListpackRef, at: number, text: Uint8Array, start: number, length: number): ListpackRef {
    this.encoder.text(text, start, length)
    return this.write(ref, at, elementBytes(this.arena.view8(ref), at))
  }

  replaceInteger(ref: ListpackRef, at: number, value: number | bigint): ListpackRef {
    this.takeInteger(value)
    return this.write(ref, at, elementBytes(this.arena.view8(ref), at))
  }

  /** Removes one element. */
  remove(ref: ListpackRef, at: number): ListpackRef {
    return this.removeFrom(ref, at, 1)
  }

  /** Removes an element and those behind it, `count` in all or as many as there are. */
  removeFrom(ref: ListpackRef, at: number, count: number): ListpackRef {
    const bytes = this.arena.view8(ref)
    let behind = at
    let removed = 0
    for (; removed < count && bytes[behind] !== END; removed++) behind = skipElement(bytes, behind)
    return this.cut(ref, at, behind, removed)
  }

  /** Removes `count` elements from an index on, which may be negative. */
  removeRange(ref: ListpackRef, index: number, count: number): ListpackRef {
    const at = seekElement(this.arena.view8(ref), this.arena.at8(ref), index)
    if (at !== NO_ELEMENT && count > 0) return this.removeFrom(ref, at, count)
    this.at = NO_ELEMENT
    return ref
  }

  /** One listpack of the elements of both, whose refs are dead then. */
  merge(first: ListpackRef, second: ListpackRef): ListpackRef {
    const { arena } = this
    const firstBytes = this.bytes(first)
    const secondBytes = this.bytes(second)
    const count = this.count(first) + this.count(second)
    const total = firstBytes + secondBytes - LISTPACK_EMPTY_BYTES
    const merged = this.withCapacity(first, total, firstBytes)
    this.copyBlock(second, LISTPACK_HEADER_BYTES, merged, firstBytes - 1, secondBytes - LISTPACK_HEADER_BYTES)
    const bytes = arena.view8(merged)
    const start = arena.at8(merged)
    setHeaderBytes(bytes, start, total)
    setHeaderCount(bytes, start, count)
    arena.release(second)
    return merged
  }

  private takeInteger(value: number | bigint): void {
    if (typeof value === 'number') this.encoder.integer(value)
    else this.encoder.bigInteger(value)
  }

  /** Writes what the encoder holds over `replaced` bytes at `at`: an element, or none. */
  private write(ref: ListpackRef, at: number, replaced: number): ListpackRef {
    const { arena, encoder } = this
    const offset = at - arena.at8(ref)
    const held = this.bytes(ref)
    const change = encoder.total - replaced
    const total = held + change
    const moved = change > 0 ? this.withCapacity(ref, total, held) : ref
    const bytes = arena.view8(moved)
    const start = arena.at8(moved)
    const to = start + offset
    const data = arena.viewData(moved)
    this.mover.move(bytes, data, to + replaced, to + encoder.total, held - offset - replaced)
    encoder.write(bytes, data, to)
    setHeaderBytes(bytes, start, total)
    if (replaced === 0) addHeaderCount(bytes, start, 1)
    this.at = to
    if (change >= 0) return moved
    const fitted = this.fitted(moved, total)
    this.at = arena.at8(fitted) + offset
    return fitted
  }

  /** Removes the `removed` elements in [at, behind). */
  private cut(ref: ListpackRef, at: number, behind: number, removed: number): ListpackRef {
    const { arena } = this
    const bytes = arena.view8(ref)
    const start = arena.at8(ref)
    const held = listpackBytes(bytes, start)
    const total = held - (behind - at)
    this.mover.move(bytes, arena.viewData(ref), behind, at, start + held - behind)
    setHeaderBytes(bytes, start, total)
    addHeaderCount(bytes, start, -removed)
    const fitted = this.fitted(ref, total)
    const next = arena.at8(fitted) + (at - start)
    this.at = isEnd(arena.view8(fitted), next) ? NO_ELEMENT : next
    return fitted
  }

  /** The block, or a larger one with its first `held` bytes. */
  private withCapacity(ref: ListpackRef, needed: number, held: number): ListpackRef {
    const { arena } = this
    if (arena.capacity(ref) >= needed) return ref
    const larger = arena.allocate(needed)
    this.copyBlock(ref, 0, larger, 0, held)
    arena.release(ref)
    return larger
  }

  /** The block, or a smaller one that is enough for its bytes, if there is memory for one. */
  private fitted(ref: ListpackRef, total: number): ListpackRef {
    const { arena } = this
    if (arena.capacityFor(total) >= arena.capacity(ref)) return ref
    let smaller: Ref
    try {
      smaller = arena.allocate(total)
    } catch {
      return ref
    }
    this.copyBlock(ref, 0, smaller, 0, total)
    arena.release(ref)
    return smaller
  }

  private copyBlock(from: Ref, fromAt: number, to: Ref, toAt: number, length: number): void {
    const { arena } = this
    const source = arena.at8(from) + fromAt
    const target = arena.at8(to) + toAt
    if (length <= WORD_COPY_BYTES_MAX) copyWords(arena.viewData(from), source, arena.viewData(to), target, length)
    else copyBytes(arena.view8(from), source, arena.view8(to), target, length)
  }
}
