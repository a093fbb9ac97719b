/**
 * The reply writer: RESP2 and RESP3 straight into one output buffer, for sockets and in-process callers alike.
 *
 *   buffer   | reply reply reply ...                      |
 *            0                        position            length
 *   chunks   what filled earlier buffers, and gaps for headers whose count is not known yet (null until then)
 *
 * The replies of one batch of pipelined requests gather here and leave together. A reply larger than the buffer goes
 * on in further chunks; nothing is copied twice.
 * Hot path: bench/micro/receive.ts. Source: RESP3 specification (github.com/redis/redis-specifications).
 */
import { copyBytes } from '../base/copy-bytes.ts'
import { double17g } from '../base/double-text.ts'
import { intTextLength, writeInt } from '../base/int64-text.ts'
import { copyWords, dataOf, WORD_COPY_BYTES_MAX } from '../base/word-copy.ts'
import type { ErrorReply } from './errors.ts'

const BUFFER_BYTES = 64 * 1024
/** Up to this size values are copied by a loop right here: the crossing point measured on Node 20. */
const COPY_LOOP_BYTES_MAX = 96
/** The longest header: type byte, 20 digits, line end. */
const HEADER_BYTES = 24
/** What is longer before the first space is no error code, and counts as ERR. */
const CODE_BYTES_MAX = 31
const CR = 13
const LF = 10
/** Little-endian: "\r\n"; a digit and that behind a type's byte; "$0\r\n" and "$00\r". */
const CRLF = 0x0a0d
const SHORT_LINE = 0x0a0d_3000
const SHORT_BULK = 0x0a0d_3024
const MEDIUM_BULK = 0x0d30_3024

export type Chunk = Uint8Array | null

/** Counts error replies as INFO errorstats and commandstats want them. */
/** Told the first word of an error, and all of it without its dash. */
export type ErrorListener = (code: string, text: string) => void

export class ReplyWriter {
  buffer: Uint8Array<ArrayBuffer> = new Uint8Array(BUFFER_BYTES)
  private data = dataOf(this.buffer)
  position = 0
  /** Full buffers before `buffer`, in order. */
  chunks: Chunk[] = []
  chunkBytes = 0
  /** Protocol of the client that is served: 2 or 3. */
  protocol = 2
  /** How many error replies were written; INFO and command statistics compare it. */
  errors = 0
  onError: ErrorListener | null = null

  /** Bytes waiting. */
  get pendingBytes(): number {
    return this.chunkBytes + this.position
  }

  /** A reply that is ready on the wire, CRLF included. */
  raw(bytes: Uint8Array): void {
    this.append(bytes, 0, bytes.length)
  }

  ok(): void {
    if (this.position + 5 > this.buffer.length) this.turn(5)
    const { buffer, position } = this
    buffer[position] = 43
    buffer[position + 1] = 79
    buffer[position + 2] = 75
    buffer[position + 3] = CR
    buffer[position + 4] = LF
    this.position = position + 5
  }

  /** A simple string. `text` holds no line end. */
  status(text: string): void {
    this.line(43, text)
  }

  error(error: ErrorReply): void {
    this.errors++
    if (this.onError !== null) this.onError(error.code, error.text)
    this.append(error.bytes, 0, error.bytes.length)
  }

  /** An error made for this request: code, a space and the message, one character per byte. Line ends become spaces. */
  errorText(text: string): void {
    this.errors++
    const space = text.indexOf(' ')
    if (this.onError !== null) this.onError(space > 0 && space < CODE_BYTES_MAX ? text.slice(0, space) : 'ERR', text)
    this.line(45, /[\r\n]/.test(text) ? text.replace(/[\r\n]+$/, '').replace(/[\r\n]/g, ' ') : text)
  }

  /** A whole number within +-(2^53 - 1). */
  integer(value: number): void {
    this.header(58, value)
  }

  integer64(value: bigint): void {
    this.line(58, value.toString())
  }

  /** Null: of RESP3, or RESP2's null bulk string. */
  null(): void {
    if (this.protocol === 3) this.line(95, '')
    else this.line(36, '-1')
  }

  /** Null where RESP2 has a null array. */
  nullArray(): void {
    if (this.protocol === 3) this.line(95, '')
    else this.line(42, '-1')
  }

  /** A bulk string: bytes[start, start + length), whose DataView `data` is, if there is one. Hot. */
  bulk(bytes: Uint8Array, start: number, length: number, data: DataView | null = null): void {
    if (this.position + length + HEADER_BYTES + 2 > this.buffer.length) {
      this.bulkSlow(bytes, start, length)
      return
    }
    const { buffer, data: out } = this
    let at = this.position
    if (length < 10) {
      out.setInt32(at, SHORT_BULK + (length << 8), true)
      at += 4
    } else if (length < 100) {
      const tens = (length / 10) | 0
      out.setInt32(at, MEDIUM_BULK + (tens << 8) + ((length - tens * 10) << 16), true)
      buffer[at + 4] = LF
      at += 5
    } else {
      buffer[at] = 36
      at = writeDigits(buffer, at + 1, length)
      out.setInt16(at, CRLF, true)
      at += 2
    }
    if (data !== null && length >= 8 && length <= WORD_COPY_BYTES_MAX) copyWords(data, start, out, at, length)
    else if (length <= COPY_LOOP_BYTES_MAX) for (let i = 0; i < length; i++) buffer[at + i] = bytes[start + i]!
    else copyBytes(bytes, start, buffer, at, length)
    at += length
    out.setInt16(at, CRLF, true)
    this.position = at + 2
  }

  bulkBytes(bytes: Uint8Array): void {
    this.bulk(bytes, 0, bytes.length)
  }

  /** A bulk string from text, encoded as UTF-8. */
  bulkText(text: string): void {
    const bytes = Buffer.from(text, 'utf8')
    this.bulk(bytes, 0, bytes.length)
  }

  /** A bulk string of one byte per character. */
  bulkLatin1(text: string): void {
    const bytes = Buffer.from(text, 'latin1')
    this.bulk(bytes, 0, bytes.length)
  }

  /** A safe integer as a bulk string. */
  bulkInteger(value: number): void {
    const length = intTextLength(value)
    if (this.position + length + HEADER_BYTES + 2 > this.buffer.length) this.turn(length + HEADER_BYTES + 2)
    this.header(36, length)
    const at = writeInt(this.buffer, this.position, value)
    this.buffer[at] = CR
    this.buffer[at + 1] = LF
    this.position = at + 2
  }

  array(count: number): void {
    this.header(42, count)
  }

  /** A map of `pairs` pairs; in RESP2 a flat array. */
  map(pairs: number): void {
    if (this.protocol === 3) this.header(37, pairs)
    else this.header(42, pairs * 2)
  }

  set(count: number): void {
    this.header(this.protocol === 3 ? 126 : 42, count)
  }

  /** Attributes come before the reply they describe; RESP2 has none, so callers ask `protocol` first. */
  attribute(pairs: number): void {
    this.header(124, pairs)
  }

  /** An out-of-band message; in RESP2 an array. */
  push(count: number): void {
    this.header(this.protocol === 3 ? 62 : 42, count)
  }

  /** A double; in RESP2 a bulk string. */
  double(value: number): void {
    if (this.protocol === 3) this.line(44, double17g(value))
    else this.bulkText(double17g(value))
  }

  /** A number whose text is already made (long doubles): RESP3 double, RESP2 bulk string. */
  doubleFromText(text: string): void {
    if (this.protocol === 3) this.line(44, text)
    else this.bulkText(text)
  }

  boolean(value: boolean): void {
    if (this.protocol === 3) this.line(35, value ? 't' : 'f')
    else this.header(58, value ? 1 : 0)
  }

  /** A big number from its decimal digits; in RESP2 a bulk string. */
  bigNumber(digits: string): void {
    if (this.protocol === 3) this.line(40, digits)
    else this.bulkText(digits)
  }

  /** Text with a three-letter format ("txt", "mkd"); in RESP2 a bulk string. */
  verbatim(text: string, format: string): void {
    const bytes = Buffer.from(text, 'latin1')
    if (this.protocol === 2) {
      this.bulk(bytes, 0, bytes.length)
      return
    }
    this.line(61, String(bytes.length + 4))
    this.bytesOfText(`${format}:`)
    this.append(bytes, 0, bytes.length)
    this.bytesOfText('\r\n')
  }

  /** HELP replies: an array of simple strings. */
  statuses(lines: readonly string[]): void {
    this.array(lines.length)
    for (const line of lines) this.status(line)
  }

  /** Leaves room for a header that is written later by one of the `fill...` methods, and returns its place. */
  gap(): number {
    this.closeChunk()
    this.chunks.push(null)
    return this.chunks.length - 1
  }

  fillArray(gap: number, count: number): void {
    this.fill(gap, `*${count}\r\n`)
  }

  fillMap(gap: number, pairs: number): void {
    this.fill(gap, this.protocol === 3 ? `%${pairs}\r\n` : `*${pairs * 2}\r\n`)
  }

  fillSet(gap: number, count: number): void {
    this.fill(gap, this.protocol === 3 ? `~${count}\r\n` : `*${count}\r\n`)
  }

  fillPush(gap: number, count: number): void {
    this.fill(gap, this.protocol === 3 ? `>${count}\r\n` : `*${count}\r\n`)
  }

  /** Forgets all that is waiting. */
  clear(): void {
    this.position = 0
    if (this.chunks.length > 0) this.chunks = []
    this.chunkBytes = 0
    this.shrink()
  }

  /** When nothing is waiting: gives up a buffer that was made for one large reply. */
  shrink(): void {
    if (this.buffer.length > BUFFER_BYTES && this.pendingBytes === 0) this.setBuffer(new Uint8Array(BUFFER_BYTES))
  }

  /** Throws away what came after a mark taken by `mark()`: CLIENT REPLY OFF, and commands that are started again. */
  mark(): ReplyMark {
    return { chunks: this.chunks.length, chunkBytes: this.chunkBytes, position: this.position }
  }

  rollback(mark: ReplyMark): void {
    if (this.chunks.length > mark.chunks) {
      // The bytes before the mark left with the first chunk closed after it.
      const kept = mark.position === 0 ? null : this.chunks[mark.chunks]!
      this.chunks.length = mark.chunks
      if (kept !== null) {
        if (this.buffer.length < mark.position) this.setBuffer(new Uint8Array(mark.position))
        this.buffer.set(kept.subarray(0, mark.position))
      }
    }
    this.chunkBytes = mark.chunkBytes
    this.position = mark.position
  }

  /** Everything that is waiting as chunks of their own, which the caller then owns. */
  take(): Uint8Array[] {
    this.closeChunk()
    const taken = this.chunks.filter((chunk): chunk is Uint8Array => chunk !== null)
    this.chunks = []
    this.chunkBytes = 0
    return taken.length > 1 ? joinSmall(taken) : taken
  }

  /** Everything that is waiting as one array of bytes. */
  takeBytes(): Uint8Array {
    if (this.chunks.length === 0 && this.buffer.length <= BUFFER_BYTES) {
      const bytes = this.buffer.slice(0, this.position)
      this.position = 0
      return bytes
    }
    const chunks = this.take()
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
  }

  /** Moves the buffer's few bytes, which are all that waits, to where `data` leads; returns how many there were. */
  moveTo(data: DataView): number {
    const { position } = this
    copyWords(this.data, 0, data, 0, position)
    this.position = 0
    return position
  }

  /** Gives `buffer` to whoever still sends from it and goes on with another. */
  replaceBuffer(buffer: Uint8Array<ArrayBuffer>): void {
    this.setBuffer(buffer)
    this.position = 0
  }

  /** Copies bytes as they are. */
  append(bytes: Uint8Array, start: number, length: number): void {
    if (this.position + length > this.buffer.length) this.turn(length)
    const { buffer, position } = this
    if (length <= COPY_LOOP_BYTES_MAX) for (let i = 0; i < length; i++) buffer[position + i] = bytes[start + i]!
    else copyBytes(bytes, start, buffer, position, length)
    this.position = position + length
  }

  private setBuffer(buffer: Uint8Array<ArrayBuffer>): void {
    this.buffer = buffer
    this.data = dataOf(buffer)
  }

  private bytesOfText(text: string): void {
    if (this.position + text.length > this.buffer.length) this.turn(text.length)
    const { buffer, position } = this
    for (let i = 0; i < text.length; i++) buffer[position + i] = text.charCodeAt(i)
    this.position = position + text.length
  }

  private line(type: number, text: string): void {
    if (this.position + text.length + 3 > this.buffer.length) this.turn(text.length + 3)
    const { buffer } = this
    let at = this.position
    buffer[at++] = type
    for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i)
    buffer[at++] = CR
    buffer[at++] = LF
    this.position = at
  }

  private header(type: number, value: number): void {
    if (value < 0 || value > 0x7fff_ffff) {
      this.line(type, String(value))
      return
    }
    if (this.position + HEADER_BYTES > this.buffer.length) this.turn(HEADER_BYTES)
    const { buffer, data, position } = this
    if (value < 10) {
      data.setInt32(position, (SHORT_LINE | type) + (value << 8), true)
      this.position = position + 4
      return
    }
    buffer[position] = type
    const at = writeDigits(buffer, position + 1, value)
    data.setInt16(at, CRLF, true)
    this.position = at + 2
  }

  private bulkSlow(bytes: Uint8Array, start: number, length: number): void {
    this.header(36, length)
    this.append(bytes, start, length)
    this.bytesOfText('\r\n')
  }

  private fill(gap: number, text: string): void {
    const bytes = new Uint8Array(Buffer.from(text, 'latin1'))
    this.chunks[gap] = bytes
    this.chunkBytes += bytes.length
  }

  /** Closes the buffer into the chunks and opens one with room for `wanted` bytes. */
  private turn(wanted: number): void {
    this.closeChunk()
    if (wanted > this.buffer.length) this.setBuffer(new Uint8Array(wanted + HEADER_BYTES))
  }

  private closeChunk(): void {
    if (this.position === 0) return
    if (this.position < this.buffer.length >> 1) this.chunks.push(this.buffer.slice(0, this.position))
    else {
      this.chunks.push(this.buffer.subarray(0, this.position))
      this.setBuffer(new Uint8Array(BUFFER_BYTES))
    }
    this.chunkBytes += this.position
    this.position = 0
  }
}

export interface ReplyMark {
  readonly chunks: number
  readonly chunkBytes: number
  readonly position: number
}

/** Gaps leave many small chunks behind: together they make few writes. */
function joinSmall(chunks: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = []
  let small: Uint8Array[] = []
  let smallBytes = 0
  const close = (): void => {
    if (small.length > 0) joined.push(small.length === 1 ? small[0]! : Buffer.concat(small, smallBytes))
    small = []
    smallBytes = 0
  }
  for (const chunk of chunks) {
    if (smallBytes + chunk.length > BUFFER_BYTES) close()
    small.push(chunk)
    smallBytes += chunk.length
  }
  close()
  return joined
}

/** Decimal digits of a whole number in [0, 2^31). */
function writeDigits(buffer: Uint8Array, start: number, value: number): number {
  const end = start + digitsOf(value)
  let rest = value
  for (let at = end - 1; at >= start; at--) {
    const next = (rest / 10) | 0
    buffer[at] = 48 + rest - next * 10
    rest = next
  }
  return end
}

function digitsOf(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4
  if (value < 100_000_000) return value < 1_000_000 ? (value < 100_000 ? 5 : 6) : value < 10_000_000 ? 7 : 8
  return value < 1_000_000_000 ? 9 : 10
}
