/**
 * Zipmaps: how Redis before 2.6 kept small hashes. They are only read, out of old data files and payloads.
 *
 *   | pairs u8 | field | value | field | value | ... | 0xff |
 *
 *   field = | length | bytes |          value = | length | free u8 | bytes | `free` unused bytes |
 *   length = u8 below 254, or 0xfe (0xff before a value) and u32 little endian, 254 at least
 *   pairs: 254 means that they must be counted
 *
 * Invariants: `open` looks at everything before the first field is handed out. A map without pairs is refused, as is
 * whatever Redis refuses.
 * Cost: two passes over the bytes; no allocation.
 * Where it differs: a length and a free count whose sum passes 2^32 wrap around in Redis's check; here they are too long.
 * Sources: 1. redis.io, "RDB file format"; 2. zipmap.c's opening comment and behaviour of Redis 7.0.15.
 */
const END = 0xff
const BIG_LENGTH = 0xfe
/** A count of pairs that says nothing: they must be counted. */
const COUNT_UNKNOWN = 0xfe

/** Reads one zipmap after the other: fields and values in turn, as ZiplistReader does. */
export class ZipmapReader {
  /** Fields and values of the map that is open. */
  count = 0
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  length = 0
  /** Elements of zipmaps are strings. */
  readonly isInteger = false

  private at = 0
  private end = 0
  /** What comes next is a value. */
  private valueFollows = false

  /** Checks bytes[start, end), all of it, and goes before its first field. False: this is no zipmap. */
  open(bytes: Uint8Array, start: number, end: number): boolean {
    this.count = 0
    this.end = 0
    this.valueFollows = false
    const last = end - 1
    if (end - start < 2 || bytes[last] !== END) return false
    this.bytes = bytes
    let at = start + 1
    let pairs = 0
    while (bytes[at] !== END) {
      at = this.behindString(at, last, false)
      if (at < 0) return false
      at = this.behindString(at, last, true)
      if (at < 0) return false
      pairs++
    }
    if (at !== last || pairs === 0) return false
    const announced = bytes[start]!
    if (announced !== COUNT_UNKNOWN && announced !== pairs) return false
    this.count = pairs * 2
    this.at = start + 1
    this.end = last
    return true
  }

  /** Goes to the next field or value; false if there is none. */
  next(): boolean {
    if (this.at >= this.end) return false
    this.at = this.behindString(this.at, this.end, this.valueFollows)
    this.valueFollows = !this.valueFollows
    return true
  }

  /** Where the string at `at` ends; -1 if that is behind `last`. Sets `start` and `length`. */
  private behindString(at: number, last: number, isValue: boolean): number {
    const { bytes } = this
    let length = bytes[at]!
    let dataAt = at + 1
    if (length >= BIG_LENGTH) {
      dataAt += 4
      if (dataAt > last) return -1
      length = (bytes[at + 1]! | (bytes[at + 2]! << 8) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 24)) >>> 0
      if (length < BIG_LENGTH) return -1
    }
    if (dataAt > last) return -1
    let freeBytes = 0
    if (isValue) freeBytes = bytes[dataAt++]!
    this.start = dataAt
    this.length = length
    const behind = dataAt + length + freeBytes
    return behind > last ? -1 : behind
  }
}
