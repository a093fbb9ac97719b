/**
 * Ziplists: how Redis before 7.0 kept small lists, hashes and sorted sets. They are only read, out of old data files and
 * payloads, and become listpacks: nothing here writes one.
 *
 *   | total bytes u32 | offset of the last entry u32 | entries u16 | entry ... | 0xff |      all little endian
 *
 *   entry = | length of the entry before it: u8, or 0xfe and u32 | encoding | data |
 *     00nnnnnn                 string of n bytes
 *     01nnnnnn nnnnnnnn        string of n bytes, big endian
 *     10...... u32             string, its length in the next 4 bytes, big endian
 *     11000000 i16, 11010000 i32, 11100000 i64, 11110000 i24, 11111110 i8
 *     1111vvvv                 the integer v - 1, v of 1 to 13
 *
 * Invariants: `open` looks at every entry before the first is handed out, so `next` reads nothing that is not there and
 * what is not a ziplist is refused as a whole, for the reasons for which Redis refuses it when it converts one.
 * Cost: two passes over the bytes; no allocation but for 64-bit integers.
 * Sources: 1. redis.io, "RDB file format"; 2. ziplist.c's opening comment and behaviour of Redis 7.0.15.
 */
import { INT64_TEXT_BYTES_MAX, writeInt, writeInt64 } from '../base/int64-text.ts'

const HEADER_BYTES = 10
const END_BYTES = 1
const END = 0xff
const BIG_LENGTH = 0xfe
/** A count of entries that says nothing: they must be counted. */
const COUNT_UNKNOWN = 0xffff

const KIND_MASK = 0xc0
const STRING_6_BITS = 0x00
const STRING_14_BITS = 0x40
const STRING_32_BITS = 0x80
const INT_16 = 0xc0
const INT_32 = 0xd0
const INT_64 = 0xe0
const INT_24 = 0xf0
const INT_8 = 0xfe
const IMMEDIATE_FIRST = 0xf1
const IMMEDIATE_LAST = 0xfd

/**
 * Reads one ziplist after the other:
 *
 *   if (!reader.open(bytes, start, end)) throw ...
 *   while (reader.next()) append(reader.bytes, reader.start, reader.length)
 */
export class ZiplistReader {
  /** Entries of the ziplist that is open. */
  count = 0
  // The element that `next` came to: its bytes, decimal text if it is an integer.
  bytes: Uint8Array
  start = 0
  length = 0
  /** The element was kept as an integer. */
  isInteger = false

  private readonly digits = new Uint8Array(INT64_TEXT_BYTES_MAX)
  private list: Uint8Array
  private view: DataView
  private at = 0
  private end = 0
  // The entry that `decode` looked at.
  private dataAt = 0
  private dataLength = 0
  private encoding = 0

  constructor() {
    this.bytes = this.digits
    this.list = this.digits
    this.view = new DataView(this.digits.buffer)
  }

  /** Checks bytes[start, end), all of it, and goes before its first element. False: this is no ziplist. */
  open(bytes: Uint8Array, start: number, end: number): boolean {
    this.count = 0
    this.at = 0
    this.end = 0
    if (end - start < HEADER_BYTES + END_BYTES) return false
    this.list = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const { view } = this
    const last = end - END_BYTES
    if (view.getUint32(start, true) !== end - start || bytes[last] !== END) return false
    const tail = start + view.getUint32(start + 4, true)
    if (tail > last) return false
    const announced = view.getUint16(start + 8, true)

    this.end = last
    let at = start + HEADER_BYTES
    let before = -1
    let count = 0
    while (bytes[at] !== END) {
      if (!this.decode(at, before < 0 ? 0 : at - before)) return this.refuse()
      before = at
      at = this.dataAt + this.dataLength
      count++
    }
    if (at !== last || (before >= 0 && before !== tail)) return this.refuse()
    if (announced !== COUNT_UNKNOWN && announced !== count) return this.refuse()
    this.count = count
    this.at = start + HEADER_BYTES
    return true
  }

  /** Goes to the next element; false if there is none. */
  next(): boolean {
    const { at } = this
    if (at >= this.end) return false
    this.decode(at, -1)
    const { encoding, dataAt, dataLength } = this
    this.at = dataAt + dataLength
    this.isInteger = (encoding & KIND_MASK) === KIND_MASK
    if (this.isInteger) {
      this.bytes = this.digits
      this.start = 0
      this.length = this.writeDigits(encoding, dataAt)
    } else {
      this.bytes = this.list
      this.start = dataAt
      this.length = dataLength
    }
    return true
  }

  private refuse(): false {
    this.at = 0
    this.end = 0
    return false
  }

  /** Finds encoding and data of the entry at `at`, which must lie before `end` and follow one of `beforeBytes` bytes; -1: it does. */
  private decode(at: number, beforeBytes: number): boolean {
    const { list, view, end } = this
    let encodingAt = at + 1
    if (list[at]! < BIG_LENGTH) {
      if (beforeBytes >= 0 && list[at] !== beforeBytes) return false
    } else {
      encodingAt = at + 5
      if (encodingAt > end || (beforeBytes >= 0 && view.getUint32(at + 1, true) !== beforeBytes)) return false
    }
    if (encodingAt >= end) return false
    const encoding = list[encodingAt]!
    this.encoding = encoding
    let dataAt = encodingAt + 1
    let length: number
    switch (encoding & KIND_MASK) {
      case STRING_6_BITS:
        length = encoding & 0x3f
        break
      case STRING_14_BITS:
        dataAt++
        if (dataAt > end) return false
        length = ((encoding & 0x3f) << 8) | list[encodingAt + 1]!
        break
      case STRING_32_BITS:
        dataAt += 4
        if (dataAt > end) return false
        length = view.getUint32(encodingAt + 1, false)
        break
      default:
        length = integerBytes(encoding)
        if (length < 0) return false
    }
    this.dataAt = dataAt
    this.dataLength = length
    return dataAt + length <= end
  }

  private writeDigits(encoding: number, at: number): number {
    const { view, digits } = this
    switch (encoding) {
      case INT_8:
        return writeInt(digits, 0, view.getInt8(at))
      case INT_16:
        return writeInt(digits, 0, view.getInt16(at, true))
      case INT_24:
        return writeInt(digits, 0, (view.getInt8(at + 2) << 16) | view.getUint16(at, true))
      case INT_32:
        return writeInt(digits, 0, view.getInt32(at, true))
      case INT_64:
        return writeInt64(digits, 0, view.getBigInt64(at, true))
      default:
        return writeInt(digits, 0, encoding - IMMEDIATE_FIRST)
    }
  }
}

/** Bytes of an integer's data, -1 if there is no such encoding. */
function integerBytes(encoding: number): number {
  switch (encoding) {
    case INT_8:
      return 1
    case INT_16:
      return 2
    case INT_24:
      return 3
    case INT_32:
      return 4
    case INT_64:
      return 8
    default:
      return encoding >= IMMEDIATE_FIRST && encoding <= IMMEDIATE_LAST ? 0 : -1
  }
}
