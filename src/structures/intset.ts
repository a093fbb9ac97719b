/**
 * Intsets: sorted sets of whole numbers in one block, byte for byte as Redis has them in memory, files and payloads.
 *
 *    0 u32 width    bytes per element: 2, 4 or 8
 *    4 u32 length   number of elements
 *    8 int[length]  ascending, none twice
 *
 * All little endian. The width is that of the widest number ever added; it never shrinks again, as in Redis. A number is
 * handed about as two words, `high` and `low`, so that 64 bits need no bigint: those of a number that fits 32 bits are its
 * sign and itself.
 *
 * Invariants: elements ascend strictly; a block is at most twice as large as what it holds (below 16 bytes aside).
 * Maximum: what fits into one block, 2^28 - 3 elements of 64 bits.
 * Cost: finding takes log2(length) steps; adding and removing move what lies behind.
 * Where it differs from Redis: blocks grow by size classes, not by each element.
 * Hot path: bench/micro/set.ts. Source: Redis's intset.c.
 */
import { ByteMover } from '../base/byte-mover.ts'
import { copyBytes } from '../base/copy-bytes.ts'
import { parseInt64, parseSafeInt, writeInt, writeInt64 } from '../base/int64-text.ts'
import { type Arena, ArenaFullError, BLOCK_BYTES_MAX, type Ref } from '../memory/arena.ts'

declare const intsetRef: unique symbol
/** Address of an intset. */
export type IntsetRef = Ref & { readonly [intsetRef]?: never }

export const INTSET_HEADER_BYTES = 8
const HEADER_WORDS = 2
const WIDTH_WORD = 0
const LENGTH_WORD = 1
const WIDTH_16 = 2
const WIDTH_32 = 4
const WIDTH_64 = 8
const TWO_32 = 0x1_0000_0000

export class Intset {
  /** The number that was last parsed or got. */
  high = 0
  low = 0
  private readonly arena: Arena
  private readonly mover = new ByteMover()

  constructor(arena: Arena) {
    this.arena = arena
  }

  /** An intset without elements. */
  create(): IntsetRef {
    const { arena } = this
    const ref = arena.allocate(INTSET_HEADER_BYTES)
    const words = arena.view32(ref)
    const at = arena.at32(ref)
    words[at + WIDTH_WORD] = WIDTH_16
    words[at + LENGTH_WORD] = 0
    return ref
  }

  /** An intset of these bytes, which `isIntset` has approved. */
  fromBytes(bytes: Uint8Array, start: number, sizeBytes: number): IntsetRef {
    const { arena } = this
    const ref = arena.allocate(sizeBytes)
    copyBytes(bytes, start, arena.view8(ref), arena.at8(ref), sizeBytes)
    return ref
  }

  copy(ref: IntsetRef): IntsetRef {
    const { arena } = this
    return this.fromBytes(arena.view8(ref), arena.at8(ref), this.sizeBytes(ref))
  }

  length(ref: IntsetRef): number {
    const { arena } = this
    return arena.view32(ref)[arena.at32(ref) + LENGTH_WORD]!
  }

  /** Bytes per element. */
  width(ref: IntsetRef): number {
    const { arena } = this
    return arena.view32(ref)[arena.at32(ref) + WIDTH_WORD]!
  }

  /** How long the intset is in a payload. */
  sizeBytes(ref: IntsetRef): number {
    return INTSET_HEADER_BYTES + this.length(ref) * this.width(ref)
  }

  /** Reads text as a number into `high` and `low`. False: it is none that an intset takes. */
  parse(bytes: Uint8Array, start: number, length: number): boolean {
    const value = parseSafeInt(bytes, start, start + length)
    if (value === (value | 0)) {
      this.low = value | 0
      this.high = this.low >> 31
      return true
    }
    if (!Number.isNaN(value)) {
      this.high = Math.floor(value / TWO_32)
      this.low = value | 0
      return true
    }
    return this.parseLarge(bytes, start, length)
  }

  /** The place of a number, or ~n where n is the place that it would have. Hot. */
  find(ref: IntsetRef, high: number, low: number): number {
    const { arena } = this
    const words = arena.view32(ref)
    const at = arena.at32(ref)
    const length = words[at + LENGTH_WORD]!
    const width = words[at + WIDTH_WORD]!
    if (widthOf(high, low) > width) return high < 0 ? ~0 : ~length
    if (width === WIDTH_16) return find16(arena.viewData(ref), arena.at8(ref) + INTSET_HEADER_BYTES, length, low)
    if (width === WIDTH_32) return find32(words, at + HEADER_WORDS, length, low)
    return find64(words, at + HEADER_WORDS, length, high, low)
  }

  /** Adds a number that is not there: `index` is the place that `find` told. Returns the intset, perhaps moved. */
  insert(ref: IntsetRef, index: number, high: number, low: number): IntsetRef {
    const { arena } = this
    const length = this.length(ref)
    const width = this.width(ref)
    const newWidth = Math.max(width, widthOf(high, low))
    const sizeBytes = INTSET_HEADER_BYTES + (length + 1) * newWidth
    // Beyond, the length of the block would not be one.
    if (sizeBytes > BLOCK_BYTES_MAX) throw new ArenaFullError('an intset is full')
    const target = sizeBytes <= arena.capacity(ref) ? ref : arena.allocate(sizeBytes)
    const start = arena.at8(target) + INTSET_HEADER_BYTES
    if (newWidth > width) {
      const shift = index === 0 ? 1 : 0
      // From the last on, since an element may move to where others were.
      for (let i = length - 1; i >= 0; i--) {
        this.get(ref, i)
        this.put(target, newWidth, i + shift, this.high, this.low)
      }
    } else {
      const split = index * width
      const from = arena.at8(ref) + INTSET_HEADER_BYTES
      if (target !== ref) copyBytes(arena.view8(ref), from, arena.view8(target), start, split)
      const rest = (length - index) * width
      if (target === ref) {
        this.mover.move(arena.view8(ref), arena.viewData(ref), start + split, start + split + width, rest)
      } else copyBytes(arena.view8(ref), from + split, arena.view8(target), start + split + width, rest)
    }
    this.put(target, newWidth, index, high, low)
    const words = arena.view32(target)
    const at = arena.at32(target)
    words[at + WIDTH_WORD] = newWidth
    words[at + LENGTH_WORD] = length + 1
    if (target !== ref) arena.release(ref)
    return target
  }

  /** Removes the element at a place. Returns the intset, perhaps moved. */
  remove(ref: IntsetRef, index: number): IntsetRef {
    const { arena } = this
    const words = arena.view32(ref)
    const length = words[arena.at32(ref) + LENGTH_WORD]! - 1
    const width = this.width(ref)
    const at = arena.at8(ref) + INTSET_HEADER_BYTES + index * width
    this.mover.move(arena.view8(ref), arena.viewData(ref), at + width, at, (length - index) * width)
    words[arena.at32(ref) + LENGTH_WORD] = length
    const sizeBytes = INTSET_HEADER_BYTES + length * width
    if (sizeBytes > arena.capacity(ref) >> 1) return ref
    let smaller: IntsetRef
    try {
      smaller = this.fromBytes(arena.view8(ref), arena.at8(ref), sizeBytes)
    } catch (error) {
      // It can stay where it is.
      if (error instanceof ArenaFullError) return ref
      throw error
    }
    arena.release(ref)
    return smaller
  }

  /** Reads the element at a place into `high` and `low`. */
  get(ref: IntsetRef, index: number): void {
    const { arena } = this
    const words = arena.view32(ref)
    const at = arena.at32(ref)
    const width = words[at + WIDTH_WORD]!
    if (width === WIDTH_64) {
      this.low = words[at + HEADER_WORDS + 2 * index]!
      this.high = words[at + HEADER_WORDS + 2 * index + 1]!
      return
    }
    this.low =
      width === WIDTH_32
        ? words[at + HEADER_WORDS + index]!
        : arena.viewData(ref).getInt16(arena.at8(ref) + INTSET_HEADER_BYTES + 2 * index, true)
    this.high = this.low >> 31
  }

  /** Writes the number in `high` and `low` as text to out[at ...). Returns the offset behind it. */
  writeText(out: Uint8Array, at: number): number {
    const { high, low } = this
    if (high === low >> 31) return writeInt(out, at, low)
    const value = high * TWO_32 + (low >>> 0)
    if (Number.isSafeInteger(value)) return writeInt(out, at, value)
    return writeInt64(out, at, (BigInt(high) << 32n) | BigInt(low >>> 0))
  }

  private parseLarge(bytes: Uint8Array, start: number, length: number): boolean {
    const value = parseInt64(bytes, start, start + length)
    if (value === null) return false
    this.high = Number(BigInt.asIntN(32, value >> 32n))
    this.low = Number(BigInt.asIntN(32, value))
    return true
  }

  private put(ref: IntsetRef, width: number, index: number, high: number, low: number): void {
    const { arena } = this
    const words = arena.view32(ref)
    const at = arena.at32(ref) + HEADER_WORDS
    if (width === WIDTH_64) {
      words[at + 2 * index] = low
      words[at + 2 * index + 1] = high
    } else if (width === WIDTH_32) words[at + index] = low
    else arena.viewData(ref).setInt16(arena.at8(ref) + INTSET_HEADER_BYTES + 2 * index, low, true)
  }
}

/**
 * Whether bytes[start, end) are an intset with at least one element: of a known width, as long as it says, strictly
 * ascending. Nothing is believed that was not looked at.
 */
export function isIntset(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < INTSET_HEADER_BYTES) return false
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const width = data.getUint32(start, true)
  const length = data.getUint32(start + 4, true)
  if (width !== WIDTH_16 && width !== WIDTH_32 && width !== WIDTH_64) return false
  if (length === 0 || INTSET_HEADER_BYTES + length * width !== end - start) return false
  let at = start + INTSET_HEADER_BYTES + width
  if (width === WIDTH_16) {
    for (; at < end; at += 2) if (data.getInt16(at - 2, true) >= data.getInt16(at, true)) return false
  } else if (width === WIDTH_32) {
    for (; at < end; at += 4) if (data.getInt32(at - 4, true) >= data.getInt32(at, true)) return false
  } else {
    for (; at < end; at += 8) {
      const high = data.getInt32(at - 4, true)
      const nextHigh = data.getInt32(at + 4, true)
      if (high > nextHigh || (high === nextHigh && data.getUint32(at - 8, true) >= data.getUint32(at, true)))
        return false
    }
  }
  return true
}

function widthOf(high: number, low: number): number {
  if (high !== low >> 31) return WIDTH_64
  return low === (low << 16) >> 16 ? WIDTH_16 : WIDTH_32
}

/** Numbers often come in ascending order: the last element is looked at first. */
function find16(data: DataView, start: number, length: number, value: number): number {
  let first = 0
  let last = length - 1
  if (length > 0 && value > data.getInt16(start + 2 * last, true)) return ~length
  while (first <= last) {
    const middle = (first + last) >>> 1
    const held = data.getInt16(start + 2 * middle, true)
    if (held === value) return middle
    if (held < value) first = middle + 1
    else last = middle - 1
  }
  return ~first
}

function find32(words: Int32Array, start: number, length: number, value: number): number {
  let first = 0
  let last = length - 1
  if (length > 0 && value > words[start + last]!) return ~length
  while (first <= last) {
    const middle = (first + last) >>> 1
    const held = words[start + middle]!
    if (held === value) return middle
    if (held < value) first = middle + 1
    else last = middle - 1
  }
  return ~first
}

function find64(words: Int32Array, start: number, length: number, high: number, low: number): number {
  let first = 0
  let last = length - 1
  const unsignedLow = low >>> 0
  while (first <= last) {
    const middle = (first + last) >>> 1
    const heldHigh = words[start + 2 * middle + 1]!
    const heldLow = words[start + 2 * middle]! >>> 0
    if (heldHigh === high && heldLow === unsignedLow) return middle
    if (heldHigh < high || (heldHigh === high && heldLow < unsignedLow)) first = middle + 1
    else last = middle - 1
  }
  return ~first
}
