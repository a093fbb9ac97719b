/**
 * LZF, the compression of strings in RDB files and DUMP payloads. The compressor makes the very bytes that Redis's build of
 * LibLZF (3.6: HLOG 16, VERY_FAST) makes with a clean hash table, so that payloads can be compared byte by byte.
 *
 *   000LLLLL                     L + 1 literal bytes follow (1..32)
 *   LLLooooo oooooooo            copy L + 2 bytes (3..8) from o + 1 bytes back; L is 1..6
 *   111ooooo LLLLLLLL oooooooo   copy L + 9 bytes (9..264) from o + 1 bytes back (1..8192)
 *
 * Cost: one hash probe per input byte that is not part of a copy. A compressor owns a table of 256 KiB; it is not cleared
 * between calls, since entries of earlier calls lie below the base of the present one and count as empty.
 * Hot path of RDB saving: bench/micro/base-checksums.ts. Source: Marc Lehmann's LibLZF.
 */
import { copyWords, dataOf } from './word-copy.ts'

const HASH_BITS = 16
const HASH_MASK = (1 << HASH_BITS) - 1
const LITERALS_MAX = 32
const OFFSET_MAX = 8192
const COPY_MAX = 264
/** The base starts over, with a cleared table, before positions could leave int32. */
const BASE_MAX = 0x3fff_ffff

// How far a compression is: offsets in input and output, and the length of the run of literals that is open. And where the
// match that was found last repeats.
const IP = 0
const OP = 1
const LITERALS = 2
const REF = 3

export class LzfCompressor {
  private readonly table = new Int32Array(HASH_MASK + 1)
  private readonly progress = new Int32Array(4)
  private base = 1

  /**
   * Compresses input[start, end) into out[outStart, outEnd): the bytes written, or 0 when they do not fit there (RDB stores
   * the string as it is then; it offers four bytes less than the string has). At most 2^29 bytes at once, Redis's own
   * limit for a string. `data` is the DataView of the input.
   */
  compress(
    input: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    outStart: number,
    outEnd: number,
    data = dataOf(input),
  ): number {
    const length = end - start
    if (length <= 0 || outEnd <= outStart) return 0
    if (this.base > BASE_MAX - length) {
      this.table.fill(0)
      this.base = 1
    }
    // What the table holds for offset i of this input is base + i.
    const delta = this.base - start
    this.base += length
    const { progress, table } = this
    progress[IP] = start
    // The byte before a run of literals is set when the run ends.
    progress[OP] = outStart + 1
    progress[LITERALS] = 0
    if (!compressUpTo(end, progress, table, delta, input, data, start, end, out, outEnd)) return 0
    return finish(progress, input, end, out, outStart, outEnd)
  }
}

/**
 * Compresses one long input in several goes, with the same result as LzfCompressor. The input must not change before the
 * last of them.
 */
export class LzfJob {
  private readonly table = new Int32Array(HASH_MASK + 1)
  private readonly progress = new Int32Array(4)
  private readonly input: Uint8Array
  private readonly data: DataView
  private readonly start: number
  private readonly end: number
  private readonly out: Uint8Array
  private readonly outStart: number
  private readonly outEnd: number

  /** As LzfCompressor.compress. */
  constructor(input: Uint8Array, start: number, end: number, out: Uint8Array, outStart: number, outEnd: number) {
    this.input = input
    this.data = dataOf(input)
    this.start = start
    this.end = end
    this.out = out
    this.outStart = outStart
    this.outEnd = outEnd
    this.progress[IP] = start
    this.progress[OP] = outStart + 1
  }

  /** Reads about `bytes` more. Below 0: there is more to do; else as LzfCompressor.compress. */
  proceed(bytes: number): number {
    const { progress, table, input, data, start, end, out, outStart, outEnd } = this
    if (outEnd <= outStart) return 0
    const until = Math.min(end, progress[IP]! + bytes)
    if (!compressUpTo(until, progress, table, 1 - start, input, data, start, end, out, outEnd)) return 0
    return until < end ? -1 : finish(progress, input, end, out, outStart, outEnd)
  }
}

/**
 * Compresses the positions before `until`, as far as they are not the last two. False: it does not fit. Literals are
 * written when the match that ends them is found, so that of what cannot be shortened nothing is written at all.
 */
function compressUpTo(
  until: number,
  progress: Int32Array,
  table: Int32Array,
  delta: number,
  input: Uint8Array,
  data: DataView,
  start: number,
  end: number,
  out: Uint8Array,
  outEnd: number,
): boolean {
  const lastTriple = Math.min(until, end - 2)
  let ip = progress[IP]!
  while (ip < lastTriple) {
    const from = ip
    ip = findMatch(progress, table, delta, data, start, from, lastTriple)
    if (ip > from && !putLiterals(progress, input, from, ip, out, outEnd)) return false
    if (ip === lastTriple) break
    let op = progress[OP]!
    const literals = progress[LITERALS]!
    if (op - (literals === 0 ? 1 : 0) + 4 >= outEnd) return false
    if (literals === 0) op--
    else out[op - literals - 1] = literals - 1
    const ref = progress[REF]!
    const back = ip - ref - 1
    const copyMax = Math.min(end - ip - 2, COPY_MAX)
    const length = matchLength(input, ref, ip, copyMax)
    const code = length - 2
    if (code < 7) {
      out[op++] = (back >> 8) | (code << 5)
    } else {
      out[op++] = (back >> 8) | 0xe0
      out[op++] = code - 7
    }
    out[op++] = back
    progress[OP] = op + 1
    progress[LITERALS] = 0
    ip += length
    if (ip >= end - 2) break
    // Of the positions inside the copy only the last two are remembered.
    for (let at = ip - 2; at < ip; at++) table[hashOf(tripleAt(data, at))] = at + delta
  }
  progress[IP] = ip
  return true
}

/**
 * Where the next match begins, what it matches in progress[REF]; `lastTriple` if there is none before. Hot: four positions
 * for each read of a word.
 */
function findMatch(
  progress: Int32Array,
  table: Int32Array,
  delta: number,
  data: DataView,
  start: number,
  from: number,
  lastTriple: number,
): number {
  let ip = from
  for (; ip + 4 <= lastTriple; ip += 4) {
    const first = data.getInt32(ip, false)
    const second = data.getInt16(ip + 4, false)
    let triple = first >>> 8
    let slot = hashOf(triple)
    let ref = (table[slot]! - delta) | 0
    table[slot] = (ip + delta) | 0
    if (ref > start && isMatch(progress, data, ref, ip, triple)) return ip
    triple = first & 0xff_ffff
    slot = hashOf(triple)
    ref = (table[slot]! - delta) | 0
    table[slot] = (ip + 1 + delta) | 0
    if (ref > start && isMatch(progress, data, ref, ip + 1, triple)) return ip + 1
    triple = ((first << 8) | ((second >>> 8) & 0xff)) & 0xff_ffff
    slot = hashOf(triple)
    ref = (table[slot]! - delta) | 0
    table[slot] = (ip + 2 + delta) | 0
    if (ref > start && isMatch(progress, data, ref, ip + 2, triple)) return ip + 2
    triple = ((first << 16) | (second & 0xffff)) & 0xff_ffff
    slot = hashOf(triple)
    ref = (table[slot]! - delta) | 0
    table[slot] = (ip + 3 + delta) | 0
    if (ref > start && isMatch(progress, data, ref, ip + 3, triple)) return ip + 3
  }
  for (; ip < lastTriple; ip++) {
    const triple = tripleAt(data, ip)
    const slot = hashOf(triple)
    const ref = (table[slot]! - delta) | 0
    table[slot] = (ip + delta) | 0
    if (ref > start && isMatch(progress, data, ref, ip, triple)) return ip
  }
  return lastTriple
}

/** Whether the triple at `ip` stands at `ref` too, and near enough. LibLZF takes a reference to the first byte for an empty slot. */
function isMatch(progress: Int32Array, data: DataView, ref: number, ip: number, triple: number): boolean {
  if (ip - ref - 1 >= OFFSET_MAX || tripleAt(data, ref) !== triple) return false
  progress[REF] = ref
  return true
}

function tripleAt(data: DataView, at: number): number {
  return (data.getUint8(at) << 16) | data.getUint16(at + 1, false)
}

/** Goes on with the run of literals that is open: input[from, to), which is not empty. False: they do not fit. */
function putLiterals(
  progress: Int32Array,
  input: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  outEnd: number,
): boolean {
  let op = progress[OP]!
  let literals = progress[LITERALS]!
  const others = to - from - 1
  if (op + others + Math.floor((literals + others) / LITERALS_MAX) >= outEnd) return false
  for (let ip = from; ip < to; ip++) {
    out[op++] = input[ip]!
    if (++literals === LITERALS_MAX) {
      out[op - LITERALS_MAX - 1] = LITERALS_MAX - 1
      literals = 0
      op++
    }
  }
  progress[OP] = op
  progress[LITERALS] = literals
  return true
}

/** Writes what is left of the input as it is: the bytes written in all, or 0 if they do not fit. */
function finish(
  progress: Int32Array,
  input: Uint8Array,
  end: number,
  out: Uint8Array,
  outStart: number,
  outEnd: number,
): number {
  let ip = progress[IP]!
  let op = progress[OP]!
  let literals = progress[LITERALS]!
  if (op + 3 > outEnd) return 0
  while (ip < end) {
    out[op++] = input[ip++]!
    if (++literals === LITERALS_MAX) {
      out[op - LITERALS_MAX - 1] = LITERALS_MAX - 1
      literals = 0
      op++
    }
  }
  if (literals === 0) op--
  else out[op - literals - 1] = literals - 1
  return op - outStart
}

function hashOf(triple: number): number {
  return ((triple >>> (24 - HASH_BITS)) - Math.imul(triple, 5)) & HASH_MASK
}

/**
 * How many bytes to copy, three of which are known to match. `copyMax` is two less than what may be compared, and the
 * library stops by it in its own way: bytes 3 to 18 are compared without asking, if there are more than 16.
 */
function matchLength(input: Uint8Array, ref: number, ip: number, copyMax: number): number {
  let length = 2
  if (copyMax > 16) {
    while (length < 18) {
      length++
      if (input[ref + length] !== input[ip + length]) return length
    }
  }
  do length++
  while (length < copyMax && input[ref + length] === input[ip + length])
  return length
}

/**
 * Decompresses input[start, end) into out[outStart, outEnd): the bytes written, or -1 when the data is bad or does not fit.
 * Never reads or writes outside the two ranges.
 */
export function lzfDecompress(
  input: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  outStart: number,
  outEnd: number,
): number {
  return lzfDecompressData(dataOf(input), start, end, dataOf(out), outStart, outEnd)
}

/** As `lzfDecompress`, for those who have the DataViews: several bytes are copied at once through them. */
export function lzfDecompressData(
  input: DataView,
  start: number,
  end: number,
  out: DataView,
  outStart: number,
  outEnd: number,
): number {
  let ip = start
  let op = outStart
  while (ip < end) {
    const control = input.getUint8(ip++)
    if (control < 32) {
      const count = control + 1
      if (op + count > outEnd || ip + count > end) return -1
      copyWords(input, ip, out, op, count)
      ip += count
      op += count
      continue
    }
    if (ip >= end) return -1
    let length = (control >> 5) + 2
    if (length === 9) {
      length += input.getUint8(ip++)
      if (ip >= end) return -1
    }
    const back = (((control & 31) << 8) | input.getUint8(ip++)) + 1
    if (op + length > outEnd || op - back < outStart) return -1
    // A copy may run into what it writes, that is how repetition is spelled: words may be copied only from far enough.
    if (back >= 4) copyWords(out, op - back, out, op, length)
    else if (back === 1) repeatByte(out, op, length)
    else for (let i = 0; i < length; i++) out.setUint8(op + i, out.getUint8(op + i - back))
    op += length
  }
  return op - outStart
}

/** Writes the byte before `at` again and again. */
function repeatByte(out: DataView, at: number, length: number): void {
  const byte = out.getUint8(at - 1)
  const word = Math.imul(byte, 0x0101_0101)
  const whole = length & ~3
  for (let i = 0; i < whole; i += 4) out.setInt32(at + i, word, true)
  for (let i = whole; i < length; i++) out.setUint8(at + i, byte)
}
