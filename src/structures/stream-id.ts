/**
 * Ids of stream entries: 128 bits, milliseconds and a sequence number of 64 bits each, both unsigned.
 *
 *   text:   <ms>-<seq>          in words: | ms high | ms low | seq high | seq low |, int32 each
 *   in files and as keys: 16 bytes, big endian
 *
 * They are kept as four words, so that nothing is allocated for the usual ones; a bigint is made only where text or
 * arithmetic goes beyond 2^53.
 * Source: Redis documentation, "Redis Streams", entry IDs.
 */
import { endOfCString, parseUint64, writeInt64, writeUint } from '../base/int64-text.ts'
import { dataOf } from '../base/word-copy.ts'

export const ID_WORDS = 4
export const ID_BYTES = 16
/** Two numbers of 20 digits and a dash. */
export const ID_TEXT_BYTES_MAX = 41
/** Longer texts are no ids, whatever they say. */
const ID_ARGUMENT_BYTES_MAX = 127
/** So many digits are a safe integer. */
const SAFE_DIGITS = 15
const TWO_32 = 0x1_0000_0000
/** High words below it make a safe integer. */
const SAFE_HIGH = 0x20_0000
const DASH = 0x2d
const PLUS = 0x2b
const STAR = 0x2a
const DIGIT_0 = 0x30

/** What `StreamId.parse` answers. */
export const ID_INVALID = 0
export const ID_WHOLE = 1
/** `<ms>-*`: the sequence number is to be found. */
export const ID_AUTO_SEQUENCE = 2

/** How a text may be spelled. */
export const ID_STRICT = 0
/** "-" and "+" stand for the least and the greatest id. */
export const ID_WITH_ENDS = 1
/** `<ms>-*` is allowed. */
export const ID_WITH_AUTO = 2

export class StreamId {
  msHigh = 0
  msLow = 0
  seqHigh = 0
  seqLow = 0

  static of(ms: number | bigint, seq: number | bigint): StreamId {
    const id = new StreamId()
    id.setMs(BigInt(ms))
    id.setSeq(BigInt(seq))
    return id
  }

  set(msHigh: number, msLow: number, seqHigh: number, seqLow: number): void {
    this.msHigh = msHigh
    this.msLow = msLow
    this.seqHigh = seqHigh
    this.seqLow = seqLow
  }

  copyFrom(other: StreamId): void {
    this.msHigh = other.msHigh
    this.msLow = other.msLow
    this.seqHigh = other.seqHigh
    this.seqLow = other.seqLow
  }

  setLeast(): void {
    this.set(0, 0, 0, 0)
  }

  setGreatest(): void {
    this.set(-1, -1, -1, -1)
  }

  setMs(ms: bigint): void {
    this.msHigh = Number(BigInt.asIntN(32, ms >> 32n))
    this.msLow = Number(BigInt.asIntN(32, ms))
  }

  setSeq(seq: bigint): void {
    this.seqHigh = Number(BigInt.asIntN(32, seq >> 32n))
    this.seqLow = Number(BigInt.asIntN(32, seq))
  }

  /** A moment, as a clock has it, with a sequence number of 0. */
  setMoment(ms: number): void {
    this.msHigh = (ms / TWO_32) | 0
    // `|` takes a double modulo 2^32, and faster than `%`.
    this.msLow = ms | 0
    this.seqHigh = 0
    this.seqLow = 0
  }

  get isZero(): boolean {
    return (this.msHigh | this.msLow | this.seqHigh | this.seqLow) === 0
  }

  get isGreatest(): boolean {
    return (this.msHigh & this.msLow & this.seqHigh & this.seqLow) === -1
  }

  get hasGreatestSeq(): boolean {
    return (this.seqHigh & this.seqLow) === -1
  }

  hasMs(other: StreamId): boolean {
    return this.msLow === other.msLow && this.msHigh === other.msHigh
  }

  equals(other: StreamId): boolean {
    return this.compare(other) === 0
  }

  /** Below, at or above zero as this id is below, at or above another. */
  compare(other: StreamId): number {
    if (this.msHigh !== other.msHigh) return this.msHigh >>> 0 < other.msHigh >>> 0 ? -1 : 1
    if (this.msLow !== other.msLow) return this.msLow >>> 0 < other.msLow >>> 0 ? -1 : 1
    if (this.seqHigh !== other.seqHigh) return this.seqHigh >>> 0 < other.seqHigh >>> 0 ? -1 : 1
    if (this.seqLow !== other.seqLow) return this.seqLow >>> 0 < other.seqLow >>> 0 ? -1 : 1
    return 0
  }

  /** The next id. False: there was none, and it is 0-0 now. */
  increment(): boolean {
    this.seqLow = (this.seqLow + 1) | 0
    if (this.seqLow !== 0) return true
    this.seqHigh = (this.seqHigh + 1) | 0
    if (this.seqHigh !== 0) return true
    this.msLow = (this.msLow + 1) | 0
    if (this.msLow !== 0) return true
    this.msHigh = (this.msHigh + 1) | 0
    return this.msHigh !== 0
  }

  /** The id before. False: there was none, and it is the greatest now. */
  decrement(): boolean {
    const wasLeast = this.isZero
    this.seqLow = (this.seqLow - 1) | 0
    if (this.seqLow !== -1) return true
    this.seqHigh = (this.seqHigh - 1) | 0
    if (this.seqHigh !== -1) return true
    this.msLow = (this.msLow - 1) | 0
    if (this.msLow !== -1) return true
    this.msHigh = (this.msHigh - 1) | 0
    return !wasLeast
  }

  read(words: Int32Array, at: number): void {
    this.msHigh = words[at]!
    this.msLow = words[at + 1]!
    this.seqHigh = words[at + 2]!
    this.seqLow = words[at + 3]!
  }

  write(words: Int32Array, at: number): void {
    words[at] = this.msHigh
    words[at + 1] = this.msLow
    words[at + 2] = this.seqHigh
    words[at + 3] = this.seqLow
  }

  readBytes(bytes: Uint8Array, at: number): void {
    this.msHigh = bigEndian32(bytes, at)
    this.msLow = bigEndian32(bytes, at + 4)
    this.seqHigh = bigEndian32(bytes, at + 8)
    this.seqLow = bigEndian32(bytes, at + 12)
  }

  writeBytes(bytes: Uint8Array, at: number): void {
    putBigEndian32(bytes, at, this.msHigh)
    putBigEndian32(bytes, at + 4, this.msLow)
    putBigEndian32(bytes, at + 8, this.seqHigh)
    putBigEndian32(bytes, at + 12, this.seqLow)
  }

  /** Adds a signed number of 64 bits to the milliseconds, wrapping: NaN asks for `big`. */
  addMs(delta: number, big: bigint): void {
    if (delta === 0) return
    if (Number.isNaN(delta)) {
      this.setMs((unsigned64(this.msHigh, this.msLow) + big) & 0xffff_ffff_ffff_ffffn)
      return
    }
    const low = (this.msLow >>> 0) + (delta >>> 0)
    this.msLow = low | 0
    this.msHigh = (this.msHigh + (Math.floor(delta / TWO_32) | 0) + (low >= TWO_32 ? 1 : 0)) | 0
  }

  /** As `addMs`, to the sequence number. */
  addSeq(delta: number, big: bigint): void {
    if (delta === 0) return
    if (Number.isNaN(delta)) {
      this.setSeq((unsigned64(this.seqHigh, this.seqLow) + big) & 0xffff_ffff_ffff_ffffn)
      return
    }
    const low = (this.seqLow >>> 0) + (delta >>> 0)
    this.seqLow = low | 0
    this.seqHigh = (this.seqHigh + (Math.floor(delta / TWO_32) | 0) + (low >= TWO_32 ? 1 : 0)) | 0
  }

  /** Milliseconds of this id less those of another, as a signed number of 64 bits: NaN beyond +-(2^53 - 1). */
  msBeyond(other: StreamId): number {
    return difference(this.msHigh, this.msLow, other.msHigh, other.msLow)
  }

  seqBeyond(other: StreamId): number {
    return difference(this.seqHigh, this.seqLow, other.seqHigh, other.seqLow)
  }

  bigMsBeyond(other: StreamId): bigint {
    return BigInt.asIntN(64, unsigned64(this.msHigh, this.msLow) - unsigned64(other.msHigh, other.msLow))
  }

  bigSeqBeyond(other: StreamId): bigint {
    return BigInt.asIntN(64, unsigned64(this.seqHigh, this.seqLow) - unsigned64(other.seqHigh, other.seqLow))
  }

  /** Reads bytes[start, start + length); `form` is one of ID_STRICT, ID_WITH_ENDS, ID_WITH_AUTO. A text without a sequence number gets the least or the greatest. */
  parse(bytes: Uint8Array, start: number, length: number, form: number, isMissingSeqGreatest: boolean): number {
    if (this.parsePlain(bytes, start, start + length)) return ID_WHOLE
    if (length > ID_ARGUMENT_BYTES_MAX) return ID_INVALID
    const end = endOfCString(bytes, start, start + length)
    if (end - start === 1 && (bytes[start] === DASH || bytes[start] === PLUS)) {
      if (form !== ID_WITH_ENDS) return ID_INVALID
      if (bytes[start] === DASH) this.setLeast()
      else this.setGreatest()
      return ID_WHOLE
    }
    let dash = start
    while (dash < end && bytes[dash] !== DASH) dash++
    const ms = parseUint64(bytes, start, dash)
    if (ms === null) return ID_INVALID
    this.setMs(ms)
    if (dash === end) {
      this.seqHigh = isMissingSeqGreatest ? -1 : 0
      this.seqLow = this.seqHigh
      return ID_WHOLE
    }
    if (form === ID_WITH_AUTO && end - dash === 2 && bytes[dash + 1] === STAR) {
      this.seqHigh = 0
      this.seqLow = 0
      return ID_AUTO_SEQUENCE
    }
    const seq = parseUint64(bytes, dash + 1, end)
    if (seq === null) return ID_INVALID
    this.setSeq(seq)
    return ID_WHOLE
  }

  /** Writes the text to out[at ...); returns the offset behind it. */
  format(out: Uint8Array, at: number): number {
    const dash = formatUnsigned64(out, at, this.msHigh, this.msLow)
    out[dash] = DASH
    return formatUnsigned64(out, dash + 1, this.seqHigh, this.seqLow)
  }

  toString(): string {
    return `${unsigned64(this.msHigh, this.msLow)}-${unsigned64(this.seqHigh, this.seqLow)}`
  }

  /** `<ms>-<seq>` of digits without leading zeros, up to 15 each. */
  private parsePlain(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start
    let ms = 0
    for (; at < end && bytes[at] !== DASH; at++) {
      const digit = bytes[at]! - DIGIT_0
      if (digit < 0 || digit > 9) return false
      ms = ms * 10 + digit
    }
    const dash = at
    if (dash === start || dash - start > SAFE_DIGITS || dash === end || end - dash - 1 > SAFE_DIGITS) return false
    if (end - dash < 2) return false
    let seq = 0
    for (at++; at < end; at++) {
      const digit = bytes[at]! - DIGIT_0
      if (digit < 0 || digit > 9) return false
      seq = seq * 10 + digit
    }
    this.setMoment(ms)
    this.seqHigh = (seq / TWO_32) | 0
    this.seqLow = seq | 0
    return true
  }
}

/** Ids as text, one after the other: neighbours often have their milliseconds in common, whose digits stay. */
export class StreamIdText {
  readonly bytes = new Uint8Array(ID_TEXT_BYTES_MAX)
  readonly data = dataOf(this.bytes)
  private msHigh = 0
  private msLow = 0
  /** Where the sequence number begins. 0: nothing was written yet. */
  private seqAt = 0

  /** Writes an id to the start of `bytes`; returns its length. */
  write(id: StreamId): number {
    if (id.msLow !== this.msLow || id.msHigh !== this.msHigh || this.seqAt === 0) {
      this.msLow = id.msLow
      this.msHigh = id.msHigh
      const dash = formatUnsigned64(this.bytes, 0, id.msHigh, id.msLow)
      this.bytes[dash] = DASH
      this.seqAt = dash + 1
    }
    const { seqAt } = this
    if (id.seqHigh !== 0 || id.seqLow >>> 0 > 9) return formatUnsigned64(this.bytes, seqAt, id.seqHigh, id.seqLow)
    this.bytes[seqAt] = DIGIT_0 + id.seqLow
    return seqAt + 1
  }
}

/** Writes a number of 64 bits in decimal; returns the offset behind it. */
export function formatUnsigned64(out: Uint8Array, at: number, high: number, low: number): number {
  if (high >>> 0 < SAFE_HIGH) return writeUint(out, at, high * TWO_32 + (low >>> 0))
  return writeInt64(out, at, unsigned64(high, low))
}

export function unsigned64(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

export function signed64(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0)
}

function difference(high: number, low: number, otherHigh: number, otherLow: number): number {
  const lowDifference = (low >>> 0) - (otherLow >>> 0)
  const highDifference = (high - otherHigh - (lowDifference < 0 ? 1 : 0)) | 0
  const value = highDifference * TWO_32 + (lowDifference < 0 ? lowDifference + TWO_32 : lowDifference)
  return Number.isSafeInteger(value) ? value : Number.NaN
}

function bigEndian32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

function putBigEndian32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
