/**
 * Bits of byte ranges: counting, searching, combining, fields. Bit 0 is the highest bit of the first byte.
 *
 * Ranges lie anywhere in a page of the arena, which can be seen as bytes and as 32-bit words at once; long ones are
 * worked on by words. Counting adds sixteen words into bit-sliced sums before it counts once (Harley and Seal).
 * Hot path: bench/micro/bits.ts. Source: H. S. Warren, "Hacker's Delight", chapter 5.
 */
import { copyBytes } from '../../base/copy-bytes.ts'

export const OP_AND = 0
export const OP_OR = 1
export const OP_XOR = 2
/** Of the first source alone. */
export const OP_NOT = 3

const COUNT_WORDS = 8
/** How many bytes are compared, or brought to a word boundary, at a time. */
const CHUNK_BYTES = 8192
const ZEROS = Buffer.alloc(CHUNK_BYTES)
const ONES = Buffer.alloc(CHUNK_BYTES, 0xff)

/** Number of ones in bytes[at, at + length); `words` is the same memory. */
export function countOnes(words: Int32Array, bytes: Uint8Array, at: number, length: number): number {
  const end = at + length
  let ones = 0
  let i = at
  for (; i < end && (i & 3) !== 0; i++) ones += onesOfWord(bytes[i]!)
  ones += onesOfWords(words, i >>> 2, (end - i) >>> 2)
  for (i += (end - i) & ~3; i < end; i++) ones += onesOfWord(bytes[i]!)
  return ones
}

function onesOfWord(word: number): number {
  let v = word - ((word >>> 1) & 0x5555_5555)
  v = (v & 0x3333_3333) + ((v >>> 2) & 0x3333_3333)
  return Math.imul((v + (v >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}

function onesOfWords(words: Int32Array, first: number, count: number): number {
  let eights = 0
  // Each holds, per bit, how many ones are not yet counted, of weight 1, 2 and 4.
  let ones = 0
  let twos = 0
  let fours = 0
  let i = first
  const end = first + count
  for (; i + COUNT_WORDS <= end; i += COUNT_WORDS) {
    let a = words[i]!
    let b = words[i + 1]!
    let half = ones ^ a
    let twosA = (ones & a) | (half & b)
    ones = half ^ b
    a = words[i + 2]!
    b = words[i + 3]!
    half = ones ^ a
    let twosB = (ones & a) | (half & b)
    ones = half ^ b
    half = twos ^ twosA
    const foursA = (twos & twosA) | (half & twosB)
    twos = half ^ twosB
    a = words[i + 4]!
    b = words[i + 5]!
    half = ones ^ a
    twosA = (ones & a) | (half & b)
    ones = half ^ b
    a = words[i + 6]!
    b = words[i + 7]!
    half = ones ^ a
    twosB = (ones & a) | (half & b)
    ones = half ^ b
    half = twos ^ twosA
    const foursB = (twos & twosA) | (half & twosB)
    twos = half ^ twosB
    half = fours ^ foursA
    eights += onesOfWord((fours & foursA) | (half & foursB))
    fours = half ^ foursB
  }
  let total = eights * 8 + onesOfWord(fours) * 4 + onesOfWord(twos) * 2 + onesOfWord(ones)
  for (; i < end; i++) total += onesOfWord(words[i]!)
  return total
}

/** Number of ones before bit `firstBit` in its byte and behind bit `lastBit` in its byte, counted from bytes[at]. */
export function onesOutside(bytes: Uint8Array, at: number, firstBit: number, lastBit: number): number {
  const first = bytes[at + Math.floor(firstBit / 8)]!
  const last = bytes[at + Math.floor(lastBit / 8)]!
  return onesOfWord(first >>> (8 - (firstBit & 7))) + onesOfWord(last & (0x7f >>> (lastBit & 7)))
}

/** The first of the bits firstBit .. lastBit that is `bit`, counted from bytes[at]; -1 if there is none. */
export function findBit(
  words: Int32Array,
  bytes: Uint8Array,
  at: number,
  firstBit: number,
  lastBit: number,
  bit: number,
): number {
  // What is looked for is made a one, so that a byte or word without it is zero.
  const flip = bit === 1 ? 0 : -1
  let byte = Math.floor(firstBit / 8)
  const lastByte = Math.floor(lastBit / 8)
  let found = (bytes[at + byte]! ^ flip) & (0xff >>> (firstBit & 7))
  if (found === 0) {
    const end = at + lastByte + 1
    const index = skipBytes(words, bytes, at + byte + 1, end, flip)
    if (index === end) return -1
    byte = index - at
    found = (bytes[index]! ^ flip) & 0xff
  }
  const position = byte * 8 + Math.clz32(found) - 24
  return position <= lastBit ? position : -1
}

/** The first index in [from, end) whose byte is not that of `flip` (all zeros or all ones), or `end`. */
function skipBytes(words: Int32Array, bytes: Uint8Array, from: number, end: number, flip: number): number {
  const skipped = flip & 0xff
  let i = from
  for (; i < end && (i & 3) !== 0; i++) if (bytes[i] !== skipped) return i
  const uniform = flip === 0 ? ZEROS : ONES
  while (end - i >= CHUNK_BYTES && uniform.equals(bytes.subarray(i, i + CHUNK_BYTES))) i += CHUNK_BYTES
  if (i < end) {
    let word = i >>> 2
    const wordEnd = end >>> 2
    while (word < wordEnd && words[word] === flip) word++
    i = word << 2
  }
  for (; i < end; i++) if (bytes[i] !== skipped) return i
  return end
}

/** Bytes of a page of the arena, or none. */
export interface ByteRange {
  readonly bytes: Uint8Array
  readonly at: number
  readonly length: number
}

/**
 * The bitwise operation on all sources, into `result`, which is plain memory from a word boundary on, as long as the
 * longest of them, and zero. Shorter sources count as followed by zeros.
 */
export function combine(op: number, result: Uint8Array, sources: readonly ByteRange[]): void {
  if (op === OP_NOT) return invert(result, sources[0]!)
  const words = new Int32Array(result.buffer, result.byteOffset, result.length >>> 2)
  const chunk = new Uint8Array(CHUNK_BYTES)
  const chunkWords = new Int32Array(chunk.buffer)
  // Part after part through all sources, so that the parts stay in the processor's first-level cache.
  for (let done = 0; done < result.length; done += CHUNK_BYTES) {
    const count = Math.min(result.length - done, CHUNK_BYTES)
    for (let i = 0; i < sources.length; i++) {
      const { bytes, at, length } = sources[i]!
      const held = Math.max(0, Math.min(length - done, count))
      if (i === 0) {
        copyBytes(bytes, at + done, result, done, held)
        continue
      }
      copyBytes(bytes, at + done, chunk, 0, held)
      combineWords(op, words, done >>> 2, chunkWords, held >>> 2)
      for (let k = held & ~3; k < held; k++) result[done + k] = combineByte(op, result[done + k]!, chunk[k]!)
      if (op === OP_AND) result.fill(0, done + held, done + count)
    }
  }
}

function combineWords(op: number, target: Int32Array, first: number, source: Int32Array, count: number): void {
  if (op === OP_AND) for (let i = 0; i < count; i++) target[first + i]! &= source[i]!
  else if (op === OP_OR) for (let i = 0; i < count; i++) target[first + i]! |= source[i]!
  else for (let i = 0; i < count; i++) target[first + i]! ^= source[i]!
}

function combineByte(op: number, one: number, other: number): number {
  if (op === OP_AND) return one & other
  return op === OP_OR ? one | other : one ^ other
}

function invert(result: Uint8Array, { bytes, at, length }: ByteRange): void {
  copyBytes(bytes, at, result, 0, length)
  const words = new Int32Array(result.buffer, result.byteOffset, length >>> 2)
  for (let i = 0; i < words.length; i++) words[i] = ~words[i]!
  for (let i = words.length << 2; i < length; i++) result[i] = ~result[i]!
}

/** The unsigned number in `width` bits (1 to 32) from bit `offset` on; bytes from `end` on count as zero. */
export function readField(bytes: Uint8Array, at: number, end: number, offset: number, width: number): number {
  const skipped = offset & 7
  let index = at + Math.floor(offset / 8)
  // At most 7 + 32 bits: five bytes, which a double holds exactly.
  let value = 0
  let bits = 0
  while (bits < skipped + width) {
    value = value * 256 + (index < end ? bytes[index]! : 0)
    bits += 8
    index++
  }
  return Math.floor(value / 2 ** (bits - skipped - width)) % 2 ** width
}

/** Writes the unsigned number `value` into `width` bits (1 to 32) from bit `offset` on. */
export function writeField(bytes: Uint8Array, at: number, offset: number, width: number, value: number): void {
  let rest = value
  let left = width
  let index = at + Math.floor((offset + width - 1) / 8)
  // From the last byte backwards: the first one written may hold bits behind the field, the last one bits before it.
  let shift = 7 - ((offset + width - 1) & 7)
  while (left > 0) {
    const count = Math.min(8 - shift, left)
    const mask = ((1 << count) - 1) << shift
    bytes[index] = (bytes[index]! & ~mask) | ((rest << shift) & mask)
    rest = Math.floor(rest / (1 << count))
    left -= count
    shift = 0
    index--
  }
}
