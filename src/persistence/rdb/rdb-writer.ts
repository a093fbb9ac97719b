/**
 * Writes the parts that RDB files and payloads are made of into a buffer, and hands full buffers to a sink.
 *
 *   writer --fills--> buffer --full--> sink.take(buffer) --> the buffer to fill next
 *
 * A sink that is done with the bytes at once returns the same buffer; one that writes in the background returns another.
 * The checksum is taken over whole buffers, not part by part.
 * Cost: strings are copied once, straight from where they lie; a compressed one twice.
 * Hot path: bench/micro/rdb.ts. Source: format.ts.
 */
import { latin1Bytes } from '../../base/byte-text.ts'
import { copyBytes } from '../../base/copy-bytes.ts'
import { Crc64 } from '../../base/crc64.ts'
import { parseSafeInt } from '../../base/int64-text.ts'
import { LzfCompressor } from '../../base/lzf.ts'
import { CopySource, copyWords, WORD_COPY_BYTES_MAX } from '../../base/word-copy.ts'
import {
  COMPRESSION_SAVES_BYTES_MIN,
  ENCODED_INT8,
  ENCODED_INT16,
  ENCODED_INT32,
  ENCODED_LZF,
  INTEGER_TEXT_BYTES_MAX,
  UNCOMPRESSED_BYTES_MAX,
} from './format.ts'

export interface RdbSink {
  /** Takes bytes[0, length) and returns a buffer of any size that may be filled. */
  take(bytes: Uint8Array, length: number): Uint8Array
}

export interface RdbWriterOptions {
  /** rdbcompression. */
  readonly compression: boolean
  /** rdbchecksum. */
  readonly checksum: boolean
}

/** No part that is written without asking for room in between is longer than this. */
const PART_BYTES_MAX = 16
/** LibLZF's limit, and Redis's for a string. */
const COMPRESSED_BYTES_MAX = 2 ** 29
/** A larger space for compressing is not kept. */
const SCRATCH_BYTES_KEPT = 256 * 1024
const SCRATCH_BYTES_FIRST = 4096

export class RdbWriter {
  private buffer: Uint8Array
  private data: DataView
  private at = 0
  private handedBytes = 0
  private readonly sink: RdbSink
  private readonly options: RdbWriterOptions
  private readonly lzf: LzfCompressor
  private readonly crc = new Crc64()
  private readonly scratch = new CopySource(new Uint8Array(SCRATCH_BYTES_FIRST))
  private readonly other = new CopySource(this.scratch.bytes)

  /** `lzf` may be shared with others: its table is large. */
  constructor(sink: RdbSink, buffer: Uint8Array, options: RdbWriterOptions, lzf = new LzfCompressor()) {
    this.sink = sink
    this.buffer = buffer
    this.data = dataOf(buffer)
    this.options = options
    this.lzf = lzf
  }

  /** How much was written so far. */
  get writtenBytes(): number {
    return this.handedBytes + this.at
  }

  byte(value: number): void {
    if (this.at === this.buffer.length) this.flush()
    this.buffer[this.at++] = value
  }

  length(value: number): void {
    if (this.buffer.length - this.at < PART_BYTES_MAX) this.flush()
    this.at = putLength(this.buffer, this.at, value)
  }

  /** As `length`, of a number that a double may not hold. */
  length64(value: bigint): void {
    if (value <= Number.MAX_SAFE_INTEGER) {
      this.length(Number(value))
      return
    }
    if (this.buffer.length - this.at < PART_BYTES_MAX) this.flush()
    this.buffer[this.at] = 0x81
    this.data.setBigUint64(this.at + 1, value)
    this.at += 9
  }

  /** Eight bytes, little endian, from two words. */
  words(low: number, high: number): void {
    if (this.buffer.length - this.at < PART_BYTES_MAX) this.flush()
    this.data.setInt32(this.at, low, true)
    this.data.setInt32(this.at + 4, high, true)
    this.at += 8
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array, start: number, length: number): void {
    this.other.use(bytes)
    this.copy(bytes, this.other.data, start, length)
  }

  /** A string in its shortest form, as Redis chooses it. */
  string(bytes: Uint8Array, start: number, length: number): void {
    this.other.use(bytes)
    this.stringFrom(bytes, this.other.data, start, length)
  }

  /** As `string`; `data` is the DataView of the bytes. Hot. */
  stringFrom(bytes: Uint8Array, data: DataView, start: number, length: number): void {
    if (length <= INTEGER_TEXT_BYTES_MAX) {
      const value = parseSafeInt(bytes, start, start + length)
      if (value === (value | 0)) {
        this.integer(value)
        return
      }
    } else if (
      length > UNCOMPRESSED_BYTES_MAX &&
      this.options.compression &&
      this.compressed(bytes, data, start, length)
    ) {
      return
    }
    this.length(length)
    this.copy(bytes, data, start, length)
  }

  /** A string as it is, of whatever length. */
  plainString(bytes: Uint8Array, start: number, length: number): void {
    this.length(length)
    this.raw(bytes, start, length)
  }

  /** What stands before a compressed string's bytes. */
  compressedHeader(compressedBytes: number, plainBytes: number): void {
    this.byte(0xc0 | ENCODED_LZF)
    this.length(compressedBytes)
    this.length(plainBytes)
  }

  /** Short texts of ours: names of AUX fields and their values. */
  text(text: string): void {
    const bytes = latin1Bytes(text)
    this.string(bytes, 0, bytes.length)
  }

  /** The checksum of everything so far, in the eight bytes that end a file; zero if it is not wanted. Nothing may follow. */
  checksum(): void {
    if (this.buffer.length - this.at < PART_BYTES_MAX) this.flush()
    const { buffer, at } = this
    if (this.options.checksum) {
      this.crc.update(buffer, 0, at)
      this.crc.writeLittleEndian(buffer, at)
    } else buffer.fill(0, at, at + 8)
    this.at = at + 8
  }

  /** Hands on what is in the buffer. */
  flush(): void {
    const { buffer, at } = this
    if (at === 0) return
    if (this.options.checksum) this.crc.update(buffer, 0, at)
    this.at = 0
    this.handedBytes += at
    const next = this.sink.take(buffer, at)
    if (next === buffer) return
    this.buffer = next
    this.data = dataOf(next)
  }

  private integer(value: number): void {
    if (this.buffer.length - this.at < PART_BYTES_MAX) this.flush()
    const { buffer, data, at } = this
    if (value === (value << 24) >> 24) {
      buffer[at] = 0xc0 | ENCODED_INT8
      buffer[at + 1] = value
      this.at = at + 2
    } else if (value === (value << 16) >> 16) {
      buffer[at] = 0xc0 | ENCODED_INT16
      data.setInt16(at + 1, value, true)
      this.at = at + 3
    } else {
      buffer[at] = 0xc0 | ENCODED_INT32
      data.setInt32(at + 1, value, true)
      this.at = at + 5
    }
  }

  /** Writes the string compressed if that makes it shorter by the least that is worth it. */
  private compressed(bytes: Uint8Array, data: DataView, start: number, length: number): boolean {
    if (length > COMPRESSED_BYTES_MAX) return false
    const room = length - COMPRESSION_SAVES_BYTES_MIN
    const { scratch } = this
    if (scratch.bytes.length < room) scratch.use(new Uint8Array(room))
    const compressedBytes = this.lzf.compress(bytes, start, start + length, scratch.bytes, 0, room, data)
    if (compressedBytes > 0) {
      this.compressedHeader(compressedBytes, length)
      this.copy(scratch.bytes, scratch.data, 0, compressedBytes)
    }
    if (scratch.bytes.length > SCRATCH_BYTES_KEPT) scratch.use(new Uint8Array(SCRATCH_BYTES_FIRST))
    return compressedBytes > 0
  }

  private copy(bytes: Uint8Array, data: DataView, start: number, length: number): void {
    if (length <= WORD_COPY_BYTES_MAX && length <= this.buffer.length - this.at) {
      copyWords(data, start, this.data, this.at, length)
      this.at += length
    } else this.copySlow(bytes, start, length)
  }

  private copySlow(bytes: Uint8Array, start: number, length: number): void {
    let from = start
    const end = start + length
    while (from < end) {
      if (this.at === this.buffer.length) this.flush()
      const count = Math.min(end - from, this.buffer.length - this.at)
      copyBytes(bytes, from, this.buffer, this.at, count)
      this.at += count
      from += count
    }
  }
}

function dataOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Writes a length to out[at ...); returns the offset behind it. */
function putLength(out: Uint8Array, at: number, length: number): number {
  if (length < 64) {
    out[at] = length
    return at + 1
  }
  if (length < 16_384) {
    out[at] = 0x40 | (length >> 8)
    out[at + 1] = length
    return at + 2
  }
  if (length < 0x1_0000_0000) {
    out[at] = 0x80
    putBigEndian32(out, at + 1, length)
    return at + 5
  }
  out[at] = 0x81
  putBigEndian32(out, at + 1, Math.floor(length / 0x1_0000_0000))
  putBigEndian32(out, at + 5, length % 0x1_0000_0000)
  return at + 9
}

function putBigEndian32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24
  out[at + 1] = value >>> 16
  out[at + 2] = value >>> 8
  out[at + 3] = value
}
