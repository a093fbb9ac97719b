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
import { Crc64 } from '../../base/crc64.ts'
import { parseSafeInt } from '../../base/int64-text.ts'
import { LzfCompressor } from '../../base/lzf.ts'
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
/** Copied byte by byte up to here, since `set` costs the making of a view. */
const COPY_LOOP_BYTES_MAX = 96
/** LibLZF's limit, and Redis's for a string. */
const COMPRESSED_BYTES_MAX = 2 ** 29
/** A larger space for compressing is not kept. */
const SCRATCH_BYTES_KEPT = 256 * 1024

export class RdbWriter {
  private buffer: Uint8Array
  private at = 0
  private handedBytes = 0
  private readonly sink: RdbSink
  private readonly options: RdbWriterOptions
  private readonly crc = new Crc64()
  private readonly lzf = new LzfCompressor()
  private scratch = new Uint8Array(4096)

  constructor(sink: RdbSink, buffer: Uint8Array, options: RdbWriterOptions) {
    this.sink = sink
    this.buffer = buffer
    this.options = options
  }

  get compresses(): boolean {
    return this.options.compression
  }

  /** How much was written so far. */
  get writtenBytes(): number {
    return this.handedBytes + this.at
  }

  byte(value: number): void {
    if (this.at === this.buffer.length) this.flush()
    this.buffer[this.at++] = value
  }

  /** Bytes as they are, for instance a number in a form of its own. */
  raw(bytes: Uint8Array, start: number, length: number): void {
    if (length <= COPY_LOOP_BYTES_MAX && length <= this.buffer.length - this.at) {
      const { buffer, at } = this
      for (let i = 0; i < length; i++) buffer[at + i] = bytes[start + i]!
      this.at = at + length
    } else this.rawSlow(bytes, start, length)
  }

  length(value: number): void {
    if (this.buffer.length - this.at < PART_BYTES_MAX) this.flush()
    this.at = putLength(this.buffer, this.at, value)
  }

  /** Eight bytes, little endian, from two words. */
  words(low: number, high: number): void {
    if (this.buffer.length - this.at < PART_BYTES_MAX) this.flush()
    const { buffer, at } = this
    for (let i = 0; i < 4; i++) {
      buffer[at + i] = low >>> (8 * i)
      buffer[at + 4 + i] = high >>> (8 * i)
    }
    this.at = at + 8
  }

  /** A string in its shortest form, as Redis chooses it. */
  string(bytes: Uint8Array, start: number, length: number): void {
    if (length <= INTEGER_TEXT_BYTES_MAX) {
      const value = parseSafeInt(bytes, start, start + length)
      if (value === (value | 0)) {
        this.integer(value)
        return
      }
    } else if (length > UNCOMPRESSED_BYTES_MAX && this.options.compression && this.compressed(bytes, start, length))
      return
    this.length(length)
    this.raw(bytes, start, length)
  }

  /** A string that is not to be compressed, and is no integer. */
  plainString(bytes: Uint8Array, start: number, length: number): void {
    this.length(length)
    this.raw(bytes, start, length)
  }

  /** A compressed string, from its compressed bytes. */
  compressedHeader(compressedBytes: number, plainBytes: number): void {
    this.byte(0xc0 | ENCODED_LZF)
    this.length(compressedBytes)
    this.length(plainBytes)
  }

  /** Short texts of ours: names of AUX fields and their values. */
  text(text: string): void {
    const bytes = Buffer.from(text, 'latin1')
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
    this.buffer = this.sink.take(buffer, at)
  }

  private integer(value: number): void {
    if (this.buffer.length - this.at < PART_BYTES_MAX) this.flush()
    const { buffer, at } = this
    if (value === (value << 24) >> 24) {
      buffer[at] = 0xc0 | ENCODED_INT8
      buffer[at + 1] = value
      this.at = at + 2
    } else if (value === (value << 16) >> 16) {
      buffer[at] = 0xc0 | ENCODED_INT16
      buffer[at + 1] = value
      buffer[at + 2] = value >> 8
      this.at = at + 3
    } else {
      buffer[at] = 0xc0 | ENCODED_INT32
      for (let i = 0; i < 4; i++) buffer[at + 1 + i] = value >> (8 * i)
      this.at = at + 5
    }
  }

  /** Writes the string compressed if that makes it shorter by the least that is worth it. */
  private compressed(bytes: Uint8Array, start: number, length: number): boolean {
    if (length > COMPRESSED_BYTES_MAX) return false
    const room = length - COMPRESSION_SAVES_BYTES_MIN
    if (this.scratch.length < room) this.scratch = new Uint8Array(room)
    const { scratch } = this
    const compressedBytes = this.lzf.compress(bytes, start, start + length, scratch, 0, room)
    if (scratch.length > SCRATCH_BYTES_KEPT) this.scratch = new Uint8Array(4096)
    if (compressedBytes === 0) return false
    this.compressedHeader(compressedBytes, length)
    this.raw(scratch, 0, compressedBytes)
    return true
  }

  private rawSlow(bytes: Uint8Array, start: number, length: number): void {
    let from = start
    const end = start + length
    while (from < end) {
      if (this.at === this.buffer.length) this.flush()
      const count = Math.min(end - from, this.buffer.length - this.at)
      this.buffer.set(bytes.subarray(from, from + count), this.at)
      this.at += count
      from += count
    }
  }
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
