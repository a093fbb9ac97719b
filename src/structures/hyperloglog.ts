/**
 * HyperLogLog: how many different elements were added, to within 0.81 %, in at most 12 KiB. It is kept as a string, in
 * Redis's own bytes.
 *
 *   | "HYLL" | encoding u8: 0 dense, 1 sparse | 3 bytes, zero | cached count i64, little endian | registers ... |
 *
 *   The highest bit of the cached count says that it is out of date.
 *   dense:   16384 registers of 6 bits, the first in the lowest bits of the first byte: 12288 bytes
 *   sparse:  00llllll            l + 1 registers are 0
 *            01llllll llllllll   l + 1 registers are 0 (high byte first)
 *            1vvvvvll            l + 1 registers are v + 1
 *
 * An element's hash (64 bits) names a register by its lowest 14 bits; the register keeps the largest rank, which is one
 * more than the number of zeros that the other 50 bits end with. A sparse value becomes dense when a rank passes 32, or
 * when it would grow above hll-sparse-max-bytes.
 * Invariants: a value is only read within its bytes, whatever they are; where a two-byte opcode is cut off its second
 * byte counts as zero, as it does in Redis. What a corrupt value becomes is not Redis's where that wrote behind its end.
 * Cost: adding to a dense value is O(1), to a sparse one it walks over the opcodes; counting walks over all registers.
 * Sources: 1. Flajolet, Fusy, Gandouet, Meunier: "HyperLogLog" (2007); 2. Ertl: "New cardinality estimation algorithms for
 * HyperLogLog sketches" (arXiv:1702.01284); 3. Appleby: MurmurHash2, 64-bit; 4. redis.io, "HyperLogLog".
 */
import { latin1Bytes } from '../base/byte-text.ts'

export const HLL_DENSE = 0
export const HLL_SPARSE = 1
export const HLL_REGISTERS = 16384
export const HLL_REGISTER_MAX = 63
export const HLL_HEADER_BYTES = 16
export const HLL_DENSE_BYTES = HLL_HEADER_BYTES + (HLL_REGISTERS * 6) / 8

const INDEX_BITS = 14
const HASH_BITS = 64 - INDEX_BITS
const ENCODING_AT = 4
const CACHE_AT = 8
/** The byte with the bit that says whether the cached count is out of date. */
const CACHE_STALE_AT = 15
const CACHE_STALE = 0x80
/** 0.5 / ln 2 */
const ALPHA_INFINITE = 0.7213475204444817

// Sparse opcodes
const KIND_MASK = 0xc0
const ZERO = 0x00
const XZERO = 0x40
const VALUE = 0x80
const ZERO_LENGTH_MAX = 64
const VALUE_MAX = 32
const VALUE_LENGTH_MAX = 4
/** An XZERO split in the middle: XZERO, VALUE, XZERO. */
const SPLIT_BYTES_MAX = 5
/** How many opcodes are looked at to join equal ones, beginning before the one that changed. */
const JOIN_OPCODES = 5

// MurmurHash64A
const SEED = 0xadc83b19
const MUL_HIGH = 0xc6a4a793 | 0
const MUL_LOW = 0x5bd1e995
const MUL_LOW_0 = MUL_LOW & 0xffff
const MUL_LOW_1 = MUL_LOW >>> 16

/** Results of setting a register. */
export const HLL_UNCHANGED = 0
export const HLL_CHANGED = 1
export const HLL_CORRUPT = -1

const RANKS = HLL_REGISTER_MAX + 1
const EMPTY_SPARSE_BYTES = HLL_HEADER_BYTES + 2

/** Whether these bytes are a HyperLogLog, as far as their header says. */
export function isHyperLogLog(bytes: Uint8Array, start: number, length: number): boolean {
  if (length < HLL_HEADER_BYTES) return false
  // "HYLL"
  if (bytes[start] !== 72 || bytes[start + 1] !== 89 || bytes[start + 2] !== 76 || bytes[start + 3] !== 76) return false
  const encoding = bytes[start + ENCODING_AT]!
  return encoding === HLL_SPARSE || (encoding === HLL_DENSE && length === HLL_DENSE_BYTES)
}

export function hllEncoding(bytes: Uint8Array, start: number): number {
  return bytes[start + ENCODING_AT]!
}

/** The cached count, or null if it is out of date. */
export function cachedCount(bytes: Uint8Array, start: number): bigint | null {
  if ((bytes[start + CACHE_STALE_AT]! & CACHE_STALE) !== 0) return null
  let count = 0n
  for (let i = 7; i >= 0; i--) count = (count << 8n) | BigInt(bytes[start + CACHE_AT + i]!)
  return count
}

export function cacheCount(bytes: Uint8Array, start: number, count: bigint): void {
  for (let i = 0; i < 8; i++) bytes[start + CACHE_AT + i] = Number((count >> BigInt(i * 8)) & 0xffn)
}

export function invalidateCount(bytes: Uint8Array, start: number): void {
  bytes[start + CACHE_STALE_AT] = bytes[start + CACHE_STALE_AT]! | CACHE_STALE
}

/** A register of a dense value that begins at `start`. */
export function denseRegister(bytes: Uint8Array, start: number, index: number): number {
  const bit = index * 6
  const at = start + HLL_HEADER_BYTES + (bit >>> 3)
  return ((bytes[at]! | ((bytes[at + 1] ?? 0) << 8)) >>> (bit & 7)) & HLL_REGISTER_MAX
}

/** Raises a register of a dense value; false if it is that high already. */
export function raiseDense(bytes: Uint8Array, start: number, index: number, rank: number): boolean {
  if (denseRegister(bytes, start, index) >= rank) return false
  setDense(bytes, start, index, rank)
  return true
}

export function setDense(bytes: Uint8Array, start: number, index: number, rank: number): void {
  const bit = index * 6
  const shift = bit & 7
  const at = start + HLL_HEADER_BYTES + (bit >>> 3)
  bytes[at] = (bytes[at]! & ~(HLL_REGISTER_MAX << shift)) | (rank << shift)
  // The last register has no part in a second byte.
  if (shift > 2) {
    bytes[at + 1] = (bytes[at + 1]! & ~(HLL_REGISTER_MAX >>> (8 - shift))) | (rank >>> (8 - shift))
  }
}

/** Sparse opcodes as text: PFDEBUG DECODE. */
export function decodeSparse(bytes: Uint8Array, start: number, length: number): string {
  const end = start + length
  const words: string[] = []
  for (let at = start + HLL_HEADER_BYTES; at < end; at += opcodeBytes(bytes[at]!)) {
    const run = runLength(bytes, at, end)
    const opcode = bytes[at]!
    if (opcode >= VALUE) words.push(`v:${rankOf(opcode)},${run}`)
    else words.push(`${opcode < XZERO ? 'z' : 'Z'}:${run}`)
  }
  return words.join(' ')
}

/** The workbench of one server: hashes elements, changes values, counts. */
export class HyperLogLog {
  // What `hash` found.
  index = 0
  rank = 0

  /** The value that is worked on after `load` or `clear`. */
  bytes = new Uint8Array(0)
  length = 0

  /** The largest rank of each register, of what was merged since `clearRegisters`. */
  readonly registers = new Uint8Array(HLL_REGISTERS)
  /** How many registers have each rank: four counts apart, since one that was just raised is not ready to be raised again. */
  private readonly histogram = new Int32Array(4 * RANKS)
  private readonly split = new Uint8Array(SPLIT_BYTES_MAX)
  private high = 0
  private low = 0

  /** Finds an element's register and rank. */
  hash(bytes: Uint8Array, start: number, length: number): void {
    const rest = length & 7
    const end = start + length - rest
    // seed ^ length * m
    this.multiply(0, length)
    let high = this.high
    let low = this.low ^ SEED
    for (let at = start; at < end; at += 8) {
      this.multiply(word(bytes, at + 4), word(bytes, at))
      // k ^= k >>> 47
      this.multiply(this.high, this.low ^ (this.high >>> 15))
      this.multiply(high ^ this.high, low ^ this.low)
      high = this.high
      low = this.low
    }
    if (rest > 0) {
      for (let i = rest - 1; i >= 4; i--) high ^= bytes[end + i]! << ((i - 4) * 8)
      for (let i = Math.min(rest, 4) - 1; i >= 0; i--) low ^= bytes[end + i]! << (i * 8)
      this.multiply(high, low)
      high = this.high
      low = this.low
    }
    this.multiply(high, low ^ (high >>> 15))
    high = this.high
    low = this.low ^ (high >>> 15)

    this.index = low & (HLL_REGISTERS - 1)
    const restLow = (low >>> INDEX_BITS) | (high << (32 - INDEX_BITS))
    const restHigh = (high >>> INDEX_BITS) | (1 << (HASH_BITS - 32))
    this.rank = 1 + (restLow !== 0 ? trailingZeros(restLow) : 32 + trailingZeros(restHigh))
  }

  // Values on the workbench

  /** Begins with a value that has no elements. */
  clear(): void {
    this.reserve(EMPTY_SPARSE_BYTES)
    this.length = EMPTY_SPARSE_BYTES
    const { bytes } = this
    bytes.fill(0, 0, EMPTY_SPARSE_BYTES)
    bytes.set(MAGIC)
    bytes[ENCODING_AT] = HLL_SPARSE
    writeZeros(bytes, HLL_HEADER_BYTES, HLL_REGISTERS)
  }

  /** Begins with a copy of a value. */
  load(bytes: Uint8Array, start: number, length: number): void {
    this.reserve(length)
    this.bytes.set(bytes.subarray(start, start + length))
    this.length = length
  }

  get isDense(): boolean {
    return this.bytes[ENCODING_AT] === HLL_DENSE
  }

  /** Raises a register. Returns HLL_CHANGED, HLL_UNCHANGED if it is that high already, or HLL_CORRUPT. */
  raise(index: number, rank: number, sparseBytesMax: number): number {
    if (!this.isDense) return this.raiseSparse(index, rank, sparseBytesMax)
    return raiseDense(this.bytes, 0, index, rank) ? HLL_CHANGED : HLL_UNCHANGED
  }

  /** Raises the registers to those that were merged, the value's own among them, as one after the other would be. */
  raiseToMerged(sparseBytesMax: number): void {
    const { registers } = this
    for (let index = 0; index < HLL_REGISTERS && !this.isDense; index++) {
      const rank = registers[index]!
      if (rank !== 0 && this.raise(index, rank, sparseBytesMax) === HLL_CORRUPT) return
    }
    if (!this.isDense) return
    const { bytes } = this
    for (let at = HLL_HEADER_BYTES, index = 0; index < HLL_REGISTERS; at += 3, index += 4) {
      const second = registers[index + 1]!
      const third = registers[index + 2]!
      bytes[at] = registers[index]! | (second << 6)
      bytes[at + 1] = (second >>> 2) | (third << 4)
      bytes[at + 2] = (third >>> 4) | (registers[index + 3]! << 2)
    }
  }

  /** Makes the value dense; false if it is corrupt, and then it stays as it is. */
  makeDense(): boolean {
    if (this.isDense) return true
    const { bytes: sparse, length } = this
    const dense = new Uint8Array(HLL_DENSE_BYTES)
    dense.set(sparse.subarray(0, HLL_HEADER_BYTES))
    dense[ENCODING_AT] = HLL_DENSE
    let index = 0
    for (let at = HLL_HEADER_BYTES; at < length; at += opcodeBytes(sparse[at]!)) {
      const run = runLength(sparse, at, length)
      if (index + run > HLL_REGISTERS) return false
      const opcode = sparse[at]!
      if (opcode >= VALUE) for (let i = index; i < index + run; i++) setDense(dense, 0, i, rankOf(opcode))
      index += run
    }
    if (index !== HLL_REGISTERS) return false
    this.bytes = dense
    this.length = HLL_DENSE_BYTES
    return true
  }

  // Registers

  clearRegisters(): void {
    this.registers.fill(0)
  }

  /** Raises `registers` to those of a value; false if it is corrupt. */
  merge(bytes: Uint8Array, start: number, length: number): boolean {
    const { registers } = this
    if (hllEncoding(bytes, start) === HLL_DENSE) {
      for (let at = start + HLL_HEADER_BYTES, index = 0; index < HLL_REGISTERS; at += 3, index += 4) {
        const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)
        const second = (word >>> 6) & 63
        const third = (word >>> 12) & 63
        if ((word & 63) > registers[index]!) registers[index] = word & 63
        if (second > registers[index + 1]!) registers[index + 1] = second
        if (third > registers[index + 2]!) registers[index + 2] = third
        if (word >>> 18 > registers[index + 3]!) registers[index + 3] = word >>> 18
      }
      return true
    }
    const end = start + length
    let index = 0
    for (let at = start + HLL_HEADER_BYTES; at < end; at += opcodeBytes(bytes[at]!)) {
      const run = runLength(bytes, at, end)
      if (index + run > HLL_REGISTERS) return false
      const opcode = bytes[at]!
      if (opcode >= VALUE) {
        const value = rankOf(opcode)
        for (let i = index; i < index + run; i++) if (value > registers[i]!) registers[i] = value
      }
      index += run
    }
    return index === HLL_REGISTERS
  }

  // Counting

  /** The estimate for a value; null if it is corrupt. */
  count(bytes: Uint8Array, start: number, length: number): bigint | null {
    const { histogram } = this
    histogram.fill(0)
    if (hllEncoding(bytes, start) === HLL_DENSE) {
      const end = start + HLL_DENSE_BYTES
      for (let at = start + HLL_HEADER_BYTES; at < end; at += 3) {
        const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)
        histogram[word & 63]!++
        histogram[RANKS + ((word >>> 6) & 63)]!++
        histogram[2 * RANKS + ((word >>> 12) & 63)]!++
        histogram[3 * RANKS + (word >>> 18)]!++
      }
    } else if (!this.countSparse(bytes, start + HLL_HEADER_BYTES, start + length)) return null
    return this.estimate()
  }

  /** The estimate for what was merged. */
  countRegisters(): bigint {
    const { histogram, registers } = this
    histogram.fill(0)
    for (let index = 0; index < HLL_REGISTERS; index += 4) {
      histogram[registers[index]!]!++
      histogram[RANKS + registers[index + 1]!]!++
      histogram[2 * RANKS + registers[index + 2]!]!++
      histogram[3 * RANKS + registers[index + 3]!]!++
    }
    return this.estimate()
  }

  private countSparse(bytes: Uint8Array, first: number, end: number): boolean {
    const { histogram } = this
    let index = 0
    for (let at = first; at < end; at += opcodeBytes(bytes[at]!)) {
      const run = runLength(bytes, at, end)
      index += run
      if (index > HLL_REGISTERS) return false
      const opcode = bytes[at]!
      const value = opcode >= VALUE ? rankOf(opcode) : 0
      histogram[value] = histogram[value]! + run
    }
    return index === HLL_REGISTERS
  }

  private estimate(): bigint {
    const { histogram } = this
    for (let rank = 0; rank < RANKS; rank++) {
      const others = histogram[RANKS + rank]! + histogram[2 * RANKS + rank]! + histogram[3 * RANKS + rank]!
      histogram[rank] = histogram[rank]! + others
    }
    const m = HLL_REGISTERS
    let z = m * tau((m - histogram[HASH_BITS + 1]!) / m)
    for (let rank = HASH_BITS; rank >= 1; rank--) {
      z += histogram[rank]!
      z *= 0.5
    }
    z += m * sigma(histogram[0]! / m)
    const estimate = Math.round((ALPHA_INFINITE * m * m) / z)
    // Registers that no element can have made: Redis's conversion of what is infinite.
    return Number.isFinite(estimate) ? BigInt(estimate) : -0x8000_0000_0000_0000n
  }

  // Sparse values

  private raiseSparse(index: number, rank: number, sparseBytesMax: number): number {
    if (rank > VALUE_MAX) return this.promote(index, rank)
    this.reserve(this.length + SPLIT_BYTES_MAX)
    const { bytes, length, split } = this

    // The opcode that covers the register, and the one before it.
    let at = HLL_HEADER_BYTES
    let before = at
    let first = 0
    let run = 0
    while (at < length) {
      run = runLength(bytes, at, length)
      if (index < first + run) break
      before = at
      at += opcodeBytes(bytes[at]!)
      first += run
    }
    if (at >= length) return HLL_CORRUPT

    const opcode = bytes[at]!
    const isValue = opcode >= VALUE
    if (isValue && rankOf(opcode) >= rank) return HLL_UNCHANGED
    if (run === 1 && (opcode & KIND_MASK) !== XZERO) bytes[at] = valueOpcode(rank, 1)
    else {
      // What covers several registers is split into what comes before ours, ours, and what comes behind it.
      const ahead = index - first
      const behind = first + run - 1 - index
      let n = 0
      if (ahead > 0) n = isValue ? writeValue(split, n, rankOf(opcode), ahead) : writeZeros(split, n, ahead)
      n = writeValue(split, n, rank, 1)
      if (behind > 0) n = isValue ? writeValue(split, n, rankOf(opcode), behind) : writeZeros(split, n, behind)
      const oldBytes = opcodeBytes(opcode)
      const growth = n - oldBytes
      if (growth > 0 && length + growth > sparseBytesMax) return this.promote(index, rank)
      bytes.copyWithin(at + n, at + oldBytes, length)
      for (let i = 0; i < n; i++) bytes[at + i] = split[i]!
      this.length = length + growth
    }
    this.join(before)
    invalidateCount(bytes, 0)
    return HLL_CHANGED
  }

  /** Joins neighbouring opcodes of one value, among the few from `at` on. */
  private join(at: number): void {
    const { bytes } = this
    for (let opcodes = 0; opcodes < JOIN_OPCODES && at < this.length; opcodes++) {
      const opcode = bytes[at]!
      if (opcode < VALUE) {
        at += opcodeBytes(opcode)
        continue
      }
      const next = at + 1 < this.length ? bytes[at + 1]! : 0
      if (next >= VALUE && rankOf(next) === rankOf(opcode)) {
        const run = (opcode & 3) + (next & 3) + 2
        if (run <= VALUE_LENGTH_MAX) {
          bytes[at + 1] = valueOpcode(rankOf(opcode), run)
          bytes.copyWithin(at, at + 1, this.length)
          this.length--
          continue
        }
      }
      at++
    }
  }

  private promote(index: number, rank: number): number {
    if (!this.makeDense()) return HLL_CORRUPT
    return raiseDense(this.bytes, 0, index, rank) ? HLL_CHANGED : HLL_UNCHANGED
  }

  private reserve(bytesMin: number): void {
    if (this.bytes.length >= bytesMin) return
    const { bytes } = this
    this.bytes = new Uint8Array(Math.max(bytesMin, bytes.length * 2, HLL_DENSE_BYTES))
    this.bytes.set(bytes)
  }

  /** (high, low) times the hash's factor, modulo 2^64, into `high` and `low`. */
  private multiply(high: number, low: number): void {
    const low0 = low & 0xffff
    const low1 = low >>> 16
    const middle0 = Math.imul(low0, MUL_LOW_1)
    const middle1 = Math.imul(low1, MUL_LOW_0)
    const carry = (Math.imul(low0, MUL_LOW_0) >>> 16) + (middle0 & 0xffff) + (middle1 & 0xffff)
    const above = Math.imul(low1, MUL_LOW_1) + (middle0 >>> 16) + (middle1 >>> 16) + (carry >>> 16)
    this.high = (above + Math.imul(low, MUL_HIGH) + Math.imul(high, MUL_LOW)) | 0
    this.low = Math.imul(low, MUL_LOW)
  }
}

const MAGIC = latin1Bytes('HYLL')

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

function trailingZeros(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}

function opcodeBytes(opcode: number): number {
  return (opcode & KIND_MASK) === XZERO ? 2 : 1
}

/** Registers that the opcode at `at` covers. */
function runLength(bytes: Uint8Array, at: number, end: number): number {
  const opcode = bytes[at]!
  if (opcode >= VALUE) return (opcode & 3) + 1
  if (opcode < XZERO) return opcode + 1
  return (((opcode & 0x3f) << 8) | (at + 1 < end ? bytes[at + 1]! : 0)) + 1
}

function rankOf(opcode: number): number {
  return ((opcode >>> 2) & 0x1f) + 1
}

function valueOpcode(value: number, run: number): number {
  return VALUE | ((value - 1) << 2) | (run - 1)
}

function writeValue(out: Uint8Array, at: number, value: number, run: number): number {
  out[at] = valueOpcode(value, run)
  return at + 1
}

function writeZeros(out: Uint8Array, at: number, run: number): number {
  if (run <= ZERO_LENGTH_MAX) {
    out[at] = ZERO | (run - 1)
    return at + 1
  }
  out[at] = XZERO | ((run - 1) >>> 8)
  out[at + 1] = (run - 1) & 0xff
  return at + 2
}

function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY
  let power = x
  let y = 1
  let z = x
  for (;;) {
    power *= power
    const before = z
    z += power * y
    if (z === before) return z
    y += y
  }
}

function tau(x: number): number {
  if (x === 0 || x === 1) return 0
  let root = x
  let y = 1
  let z = 1 - x
  for (;;) {
    root = Math.sqrt(root)
    const before = z
    y *= 0.5
    z -= (1 - root) * (1 - root) * y
    if (z === before) return z / 3
  }
}
