/**
 * The request parser: RESP arrays of bulk strings and inline commands, as a machine that stops at any byte and goes on
 * when more have come, never starting again. It copies nothing: the result is an Argv over the buffer it was given.
 *
 *   multibulk   *<count>\r\n ( $<length>\r\n <bytes>\r\n ){count}
 *   inline      words separated by spaces, with quotes and escapes, ended by \n or \r\n
 *
 * Maximums: 2^31 - 1 arguments; `limits.bulkBytesMax` per argument (proto-max-bulk-len); 64 KiB for an inline request
 * or a length line. Before authentication 10 arguments of 16 KiB each, so that a stranger cannot make the server hold memory.
 * A zero byte ends the search for a line end, as it does for the string functions of C: such a line waits for more
 * until it is too long. Errors are Redis's own texts; after one of them the connection is closed.
 * Hot path: bench/micro/receive.ts. Source: RESP specification; Redis networking.c for limits and error texts.
 */

import { Argv } from '../base/argv.ts'
import { parseInt64, parseSafeInt } from '../base/int64-text.ts'
import { splitArgs } from '../base/quoting.ts'

export const INCOMPLETE = 0
export const COMPLETE = 1
export const PROTOCOL_ERROR = -1

const CR = 13
const LF = 10
const STAR = 42
const DOLLAR = 36
/** Redis's PROTO_INLINE_MAX_SIZE. */
const LINE_BYTES_MAX = 64 * 1024
const COUNT_MAX = 0x7fff_ffff
const UNAUTHENTICATED_COUNT_MAX = 10
const UNAUTHENTICATED_BULK_BYTES_MAX = 16_384

export interface ParserLimits {
  /** proto-max-bulk-len. */
  bulkBytesMax: number
}

export class RequestParser {
  readonly argv = new Argv()
  /** Where the next request, or the unread rest of this one, begins. */
  position = 0
  /** Reply text after PROTOCOL_ERROR, without its leading "-ERR ". */
  error = ''
  /** What the log says of that error. */
  errorDetail = ''
  /** Set while the client has yet to authenticate. */
  unauthenticated = false
  /** A master's stream has no limit on its arguments. */
  isMaster = false
  /** Whether the request under way came as an array. */
  isMultibulk = false

  private readonly limits: ParserLimits
  private argumentsLeft = 0
  private bulkBytes = -1

  constructor(limits: ParserLimits) {
    this.limits = limits
  }

  /** True between requests: nothing of an unfinished one is held. */
  get isIdle(): boolean {
    return this.argumentsLeft === 0
  }

  /** Bytes that the argument under way still needs beyond `position`, 0 when unknown: lets the caller size its buffer once. */
  get wantedBytes(): number {
    return this.bulkBytes < 0 ? 0 : this.bulkBytes + 2
  }

  /** Forgets an unfinished request. */
  reset(): void {
    this.argumentsLeft = 0
    this.bulkBytes = -1
    this.argv.count = 0
  }

  /** The unfinished request's bytes have moved: arguments read so far lie `by` bytes lower. */
  shift(by: number): void {
    const { starts, count } = this.argv
    for (let i = 0; i < count; i++) starts[i]! -= by
    this.position -= by
  }

  /** Reads bytes[this.position, end) up to the end of one request. COMPLETE with an argv.count of 0 is an empty request. */
  parse(bytes: Uint8Array, end: number): number {
    const { argv } = this
    if (this.argumentsLeft === 0) {
      if (this.parseSmall(bytes, end)) return COMPLETE
      argv.count = 0
      if (bytes[this.position] !== STAR) return this.parseInline(bytes, end)
      this.isMultibulk = true
      const status = this.parseCount(bytes, end)
      if (status !== COMPLETE || this.argumentsLeft === 0) return status
    }
    argv.bytes = bytes
    let at = this.position
    let left = this.argumentsLeft
    let length = this.bulkBytes
    while (left > 0) {
      if (length < 0) {
        // The common case first: one to three digits and a line end that is all here.
        if (at + 4 <= end && bytes[at] === DOLLAR) {
          let digit = bytes[at + 1]! - 48
          let p = at + 2
          if (digit >= 0 && digit <= 9 && (digit !== 0 || bytes[p] === CR)) {
            let value = digit
            while (p < end && (digit = bytes[p]! - 48) >= 0 && digit <= 9 && p < at + 5) {
              value = value * 10 + digit
              p++
            }
            if (p + 1 < end && bytes[p] === CR) {
              length = value
              at = p + 2
            }
          }
        }
        if (length < 0) {
          this.position = at
          this.argumentsLeft = left
          this.bulkBytes = -1
          const status = this.parseLength(bytes, end)
          if (status !== COMPLETE) return status
          at = this.position
          length = this.bulkBytes
        }
      }
      if (at + length + 2 > end) {
        this.position = at
        this.argumentsLeft = left
        this.bulkBytes = length
        return INCOMPLETE
      }
      argv.push(at, length)
      at += length + 2
      length = -1
      left--
    }
    this.position = at
    this.argumentsLeft = 0
    this.bulkBytes = -1
    return COMPLETE
  }

  /**
   * The common request, all of it here: up to 99 arguments of up to 99 bytes. Keeps nothing if it is another, which the
   * rest of `parse` then reads.
   */
  private parseSmall(bytes: Uint8Array, end: number): boolean {
    const { starts, lengths } = this.argv
    let at = this.position
    if (at + 4 > end || bytes[at] !== STAR) return false
    let count = bytes[at + 1]! - 48
    if (count < 1 || count > 9) return false
    if (bytes[at + 2] === CR) at += 4
    else {
      const digit = bytes[at + 2]! - 48
      if (digit < 0 || digit > 9 || bytes[at + 3] !== CR) return false
      count = count * 10 + digit
      if (count > starts.length || this.unauthenticated) return false
      at += 5
    }
    for (let i = 0; i < count; i++) {
      if (at + 5 > end || bytes[at] !== DOLLAR) return false
      let length = bytes[at + 1]! - 48
      if (length < 0 || length > 9) return false
      if (bytes[at + 2] === CR) at += 4
      else {
        const digit = bytes[at + 2]! - 48
        if (length === 0 || digit < 0 || digit > 9 || bytes[at + 3] !== CR) return false
        length = length * 10 + digit
        at += 5
      }
      starts[i] = at
      lengths[i] = length
      at += length + 2
    }
    if (at > end) return false
    this.argv.bytes = bytes
    this.argv.count = count
    this.position = at
    this.isMultibulk = true
    return true
  }

  private parseCount(bytes: Uint8Array, end: number): number {
    const start = this.position
    const digit = bytes[start + 1]! - 48
    if (start + 3 < end && digit >= 1 && digit <= 9 && bytes[start + 2] === CR) {
      this.argumentsLeft = digit
      this.position = start + 4
      return COMPLETE
    }
    const lineEnd = findLineEnd(bytes, start, end)
    if (lineEnd < 0) {
      if (end - start > LINE_BYTES_MAX) return this.fail('too big mbulk count string', 'too big mbulk count string')
      return INCOMPLETE
    }
    if (lineEnd + 1 >= end) return INCOMPLETE
    const count = parseCountText(bytes, start + 1, lineEnd)
    if (!(count <= COUNT_MAX)) return this.fail('invalid multibulk length', 'invalid mbulk count')
    if (this.unauthenticated && count > UNAUTHENTICATED_COUNT_MAX) {
      return this.fail('unauthenticated multibulk length', 'unauth mbulk count')
    }
    this.position = lineEnd + 2
    this.argumentsLeft = Math.max(0, count)
    return COMPLETE
  }

  private parseLength(bytes: Uint8Array, end: number): number {
    const start = this.position
    const lineEnd = findLineEnd(bytes, start, end)
    if (lineEnd < 0) {
      if (end - start > LINE_BYTES_MAX) return this.fail('too big bulk count string', 'too big bulk count string')
      return INCOMPLETE
    }
    if (lineEnd + 1 >= end) return INCOMPLETE
    if (bytes[start] !== DOLLAR) {
      return this.fail(`expected '$', got '${String.fromCharCode(bytes[start]!)}'`, 'expected $ but got something else')
    }
    const length = parseSafeInt(bytes, start + 1, lineEnd)
    if (!(length >= 0) || (length > this.limits.bulkBytesMax && !this.isMaster)) {
      return this.fail('invalid bulk length', 'invalid bulk length')
    }
    if (this.unauthenticated && length > UNAUTHENTICATED_BULK_BYTES_MAX) {
      return this.fail('unauthenticated bulk length', 'unauth bulk length')
    }
    this.position = lineEnd + 2
    this.bulkBytes = length
    return COMPLETE
  }

  private parseInline(bytes: Uint8Array, end: number): number {
    this.isMultibulk = false
    const start = this.position
    const newline = bytes.subarray(start, end).indexOf(LF)
    if (newline < 0 || bytes.subarray(start, start + newline).includes(0)) {
      if (end - start > LINE_BYTES_MAX) return this.fail('too big inline request', 'too big inline request')
      return INCOMPLETE
    }
    const lineEnd = newline > 0 && bytes[start + newline - 1] === CR ? start + newline - 1 : start + newline
    const words = splitArgs(bytes, start, lineEnd)
    if (words === null) return this.fail('unbalanced quotes in request', 'unbalanced quotes in inline request')
    this.position = start + newline + 1
    const made = Argv.of(words)
    const { argv } = this
    argv.bytes = made.bytes
    for (let i = 0; i < made.count; i++) argv.push(made.starts[i]!, made.lengths[i]!)
    return COMPLETE
  }

  private fail(error: string, detail: string): number {
    this.reset()
    this.error = `Protocol error: ${error}`
    this.errorDetail = detail
    return PROTOCOL_ERROR
  }
}

/** The index of the first CR, or -1. */
function findLineEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (bytes[at] === CR) return at
    if (bytes[at] === 0) return -1
  }
  return -1
}

/** A count of arguments: exact up to 2^53, and on the right side of the limits beyond. NaN for what is no 64-bit integer. */
function parseCountText(bytes: Uint8Array, start: number, end: number): number {
  const count = parseSafeInt(bytes, start, end)
  if (!Number.isNaN(count)) return count
  const large = parseInt64(bytes, start, end)
  return large === null ? Number.NaN : Number(large)
}
