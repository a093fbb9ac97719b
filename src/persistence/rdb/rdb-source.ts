/**
 * Where RDB data is read from: a window over a stream whose bytes come in pieces, or a whole payload.
 *
 *   bytes:  | read ... | mark ... at ... | not yet there ... |
 *                                        end                  <- `following` bytes behind it
 *
 * A reading method that needs bytes which are not there yet answers "short" (-1 or false) and notes in `wanted` how far
 * the window must reach; the caller goes back to the mark and tries again when it does. So whoever reads keeps no state
 * but what a mark separates, and a stream can be cut anywhere.
 *
 * Invariants: `at` never passes `end`. No length is believed before it was compared with what can still come, so that
 * nothing is allocated for bytes that are not there; what LZF promises is bounded by what it can reach.
 * Cost: no copy, except of integers and of what LZF unpacks.
 * Hot path: bench/micro/rdb.ts. Source: format.ts.
 */
import { writeInt } from '../../base/int64-text.ts'
import { lzfDecompressData } from '../../base/lzf.ts'
import { CopySource } from '../../base/word-copy.ts'
import { BLOCK_BYTES_MAX } from '../../memory/arena.ts'
import { ENCODED_INT8, ENCODED_INT16, ENCODED_INT32, ENCODED_LZF } from './format.ts'
import { RdbError, type RdbErrorCode } from './rdb-error.ts'

/** Answer of `readLength`: the bytes are not there yet. */
export const SHORT = -1
/** `readLength` answers ENCODED - n for a string of the encoding n. */
export const ENCODED = -2

/** Three bytes of LZF stand for 264 at most. */
const LZF_GROWTH_MAX = 88
const INTEGER_TEXT_BYTES = 12
/** Redis's RDB_LENERR. */
const UNKNOWN_LENGTH = 2n ** 64n - 1n
const PLAIN_BYTES_KEPT = 1024 * 1024
/** Headroom below the arena's largest block for a key and its header: the sum must be an allocation that is possible. */
const STRING_BYTES_MAX = BLOCK_BYTES_MAX - 0x2000_0000

export class RdbSource {
  /** The window. Set by `useWindow`. */
  bytes: Uint8Array = new Uint8Array(0)
  /** The same, to copy from. */
  readonly window = new CopySource(this.bytes)
  at = 0
  end = 0
  /** Offset of bytes[0] in the stream. */
  base = 0
  /** How many bytes can come behind `end`: 0 for a payload, Infinity when nobody knows. */
  following = 0
  /** Where a reader that ran short begins again; what lies before it is done with. */
  mark = 0
  /** How far the window must reach before it is worth trying again. */
  wanted = 0
  private isPayload = false

  // What `readString` found.
  text: CopySource = this.window
  textStart = 0
  textLength = 0

  // What `readCompressedHeader` found.
  compressedBytes = 0
  plainBytes = 0

  private readonly digits = new CopySource(new Uint8Array(INTEGER_TEXT_BYTES))
  private readonly plain = new CopySource(new Uint8Array(0))

  useWindow(bytes: Uint8Array): void {
    this.bytes = bytes
    this.window.use(bytes)
  }

  /** Reads bytes[start, end) as all that there is. */
  usePayload(bytes: Uint8Array, start: number, end: number): void {
    this.useWindow(bytes)
    this.isPayload = true
    this.base = -start
    this.at = start
    this.mark = start
    this.end = end
    this.following = 0
  }

  /** What was read so far is taken. */
  setMark(): void {
    this.mark = this.at
  }

  /** Offset in the stream of what is read next. */
  get offset(): number {
    return this.base + this.at
  }

  /** Whether `count` bytes are there. Throws if they never will be. */
  has(count: number): boolean {
    return this.end - this.at >= count || this.isShort(count)
  }

  readByte(): number {
    if (this.at >= this.end) {
      this.isShort(1)
      return SHORT
    }
    return this.bytes[this.at++]!
  }

  /** A length, ENCODED - n, or SHORT. */
  readLength(): number {
    const { bytes, at } = this
    if (at >= this.end) {
      this.isShort(1)
      return SHORT
    }
    const first = bytes[at]!
    if (first < 64) {
      this.at = at + 1
      return first
    }
    if (first < 128) {
      if (!this.has(2)) return SHORT
      this.at = at + 2
      return ((first & 63) << 8) | bytes[at + 1]!
    }
    if (first >= 192) {
      this.at = at + 1
      return ENCODED - (first & 63)
    }
    if (first === 128) {
      if (!this.has(5)) return SHORT
      this.at = at + 5
      return bigEndian32(bytes, at + 1)
    }
    if (first === 129) {
      if (!this.has(9)) return SHORT
      this.at = at + 9
      // Above 2^53 it is rounded: no such length can be met anyway.
      return bigEndian32(bytes, at + 1) * 0x1_0000_0000 + bigEndian32(bytes, at + 5)
    }
    throw this.error('RDB_CORRUPT', `Unknown length encoding ${first >>> 6} in rdbLoadLen()`)
  }

  /** A length where no string can stand: one that looks encoded is taken by its low bits, as Redis does. Or SHORT. */
  readCount(): number {
    const length = this.readLength()
    return length <= ENCODED ? ENCODED - length : length
  }

  /**
   * As `readCount`, exactly. Null: short. For counts of which Redis asks only whether their bytes were there: in a payload one
   * of an unknown encoding is what its reader answers then. In a file it ends the loading at once.
   */
  readCount64(): bigint | null {
    const { bytes, at } = this
    if (this.isPayload && at < this.end && bytes[at]! > 129 && bytes[at]! < 192) {
      this.at = at + 1
      return UNKNOWN_LENGTH
    }
    const count = this.readCount()
    if (count === SHORT) return null
    if (this.at - at < 9) return BigInt(count)
    return (BigInt(bigEndian32(bytes, at + 1)) << 32n) | BigInt(bigEndian32(bytes, at + 5))
  }

  /** Four bytes that are there, little endian. */
  readInt32(): number {
    const value = this.int32At(this.at)
    this.at += 4
    return value
  }

  int32At(at: number): number {
    const { bytes } = this
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
  }

  /** Passes over bytes. False: short. */
  skip(count: number): boolean {
    if (!this.has(count)) return false
    this.at += count
    return true
  }

  /** A string, whatever its encoding, into `text`, which is valid until the next string is read. False: short. */
  readString(): boolean {
    const length = this.readLength()
    if (length < 0) return length !== SHORT && this.readEncoded(ENCODED - length)
    this.checkStringLength(length)
    if (!this.has(length)) return false
    this.text = this.window
    this.textStart = this.at
    this.textLength = length
    this.at += length
    return true
  }

  /** As `readString`, behind a length that named an encoding. */
  readEncoded(encoding: number): boolean {
    if (encoding !== ENCODED_LZF) return this.readIntegerText(encoding)
    if (!this.readCompressedHeader()) return false
    const { plainBytes } = this
    const { plain } = this
    // What a single large value needed is not kept for ever.
    if (plain.bytes.length < plainBytes || plain.bytes.length > PLAIN_BYTES_KEPT) plain.use(new Uint8Array(plainBytes))
    this.unpack(plain.data, 0)
    this.text = plain
    this.textStart = 0
    this.textLength = plainBytes
    return true
  }

  /** The lengths of a compressed string, whose bytes are there when this answers true. */
  readCompressedHeader(): boolean {
    const compressedBytes = this.readCount()
    if (compressedBytes === SHORT) return false
    const plainBytes = this.readCount()
    if (plainBytes === SHORT) return false
    if (compressedBytes > this.end - this.at + this.following) this.isShort(compressedBytes)
    if (plainBytes > compressedBytes * LZF_GROWTH_MAX) throw this.error('RDB_CORRUPT', 'Invalid LZF compressed string')
    this.checkStringLength(plainBytes)
    if (!this.has(compressedBytes)) return false
    this.compressedBytes = compressedBytes
    this.plainBytes = plainBytes
    return true
  }

  /**
   * Unpacks the compressed string whose header was read to out[at, at + plainBytes). LibLZF answers 0 to bad data, so Redis
   * takes any bytes for a string whose length is said to be 0.
   */
  unpack(out: DataView, at: number): void {
    const { compressedBytes, plainBytes } = this
    const end = this.at + compressedBytes
    if (plainBytes > 0 && lzfDecompressData(this.window.data, this.at, end, out, at, at + plainBytes) !== plainBytes) {
      throw this.error('RDB_CORRUPT', 'Invalid LZF compressed string')
    }
    this.at += compressedBytes
  }

  /** Passes over the compressed string whose header was read, after it was found to be one. */
  readUnwanted(): void {
    this.plain.use(new Uint8Array(this.plainBytes))
    this.unpack(this.plain.data, 0)
  }

  /** Refuses lengths that no value can have, before anything is allocated for them. */
  checkStringLength(length: number): void {
    if (length > STRING_BYTES_MAX) {
      if (length > this.end - this.at + this.following) this.isShort(length)
      throw this.error('RDB_CORRUPT', `A string of ${length} bytes is too large`)
    }
  }

  error(code: RdbErrorCode, message: string): RdbError {
    return new RdbError(code, this.offset, message)
  }

  private readIntegerText(encoding: number): boolean {
    const { bytes, at } = this
    let value: number
    if (encoding === ENCODED_INT8) {
      if (!this.has(1)) return false
      value = (bytes[at]! << 24) >> 24
      this.at = at + 1
    } else if (encoding === ENCODED_INT16) {
      if (!this.has(2)) return false
      value = ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16
      this.at = at + 2
    } else if (encoding === ENCODED_INT32) {
      if (!this.has(4)) return false
      value = this.readInt32()
    } else throw this.error('RDB_CORRUPT', `Unknown RDB string encoding type ${encoding}`)
    this.text = this.digits
    this.textStart = 0
    this.textLength = writeInt(this.digits.bytes, 0, value)
    return true
  }

  private isShort(count: number): false {
    if (count > this.end - this.at + this.following) {
      throw this.error('RDB_SHORT_READ', 'Unexpected EOF reading RDB file')
    }
    this.wanted = this.at + count
    return false
  }
}

function bigEndian32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
