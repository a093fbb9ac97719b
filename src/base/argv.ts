/**
 * The arguments of one request: offsets into the bytes they came in, nothing copied and no string made.
 *
 *   bytes:  *2\r\n$3\r\nGET\r\n$5\r\nhello\r\n
 *                     ^starts[0]      ^starts[1]      lengths = 3, 5
 *
 * Valid until the handler returns; whoever keeps arguments longer takes `copy()`.
 * Hot path: bench/micro/receive.ts.
 */
import { parseInt64, parseSafeInt } from './int64-text.ts'

const INITIAL_ARGS = 64

export class Argv {
  bytes: Uint8Array = new Uint8Array(0)
  starts = new Int32Array(INITIAL_ARGS)
  lengths = new Int32Array(INITIAL_ARGS)
  /** Arguments with the command's name, so at least 1. */
  count = 0

  /** Arguments made from whole values: in-process callers, transactions, propagated effects. */
  static of(parts: readonly (string | Uint8Array)[]): Argv {
    const argv = new Argv()
    const chunks = parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part))
    let total = 0
    for (const chunk of chunks) total += chunk.length
    argv.bytes = new Uint8Array(total)
    let at = 0
    for (const chunk of chunks) {
      argv.bytes.set(chunk, at)
      argv.push(at, chunk.length)
      at += chunk.length
    }
    return argv
  }

  push(start: number, length: number): void {
    if (this.count === this.starts.length) this.grow()
    this.starts[this.count] = start
    this.lengths[this.count] = length
    this.count++
  }

  /** Length of an argument in bytes. */
  lengthBytes(index: number): number {
    return this.lengths[index]!
  }

  /** A view of an argument: shares its bytes, allocates the view. */
  view(index: number): Uint8Array {
    const start = this.starts[index]!
    return this.bytes.subarray(start, start + this.lengths[index]!)
  }

  /** A copy of an argument's bytes. */
  copyOf(index: number): Uint8Array {
    const start = this.starts[index]!
    return this.bytes.slice(start, start + this.lengths[index]!)
  }

  /** An argument as a string of one character per byte: keys of maps, never for output as UTF-8. */
  latin1(index: number): string {
    const start = this.starts[index]!
    return latin1Slice(this.bytes, start, start + this.lengths[index]!)
  }

  /** An argument decoded as UTF-8. */
  utf8(index: number): string {
    const start = this.starts[index]!
    return utf8Slice(this.bytes, start, start + this.lengths[index]!)
  }

  /** Whether an argument is this word, given in upper case, in any case. As strings of C do, it ends at a zero byte. */
  is(index: number, upper: string): boolean {
    const start = this.starts[index]!
    const { bytes } = this
    const { length } = upper
    const held = this.lengths[index]!
    if (held !== length && (held < length || bytes[start + length] !== 0)) return false
    for (let i = 0; i < length; i++) {
      let c = bytes[start + i]!
      if (c >= 97 && c <= 122) c -= 32
      if (c !== upper.charCodeAt(i)) return false
    }
    return true
  }

  /** An argument as an integer within +-(2^53 - 1), or NaN: what fits nothing larger needs (see `int64`). */
  safeInt(index: number): number {
    const start = this.starts[index]!
    return parseSafeInt(this.bytes, start, start + this.lengths[index]!)
  }

  /** An argument as an integer of 64 bits; null if it is none. */
  int64(index: number): bigint | null {
    const start = this.starts[index]!
    return parseInt64(this.bytes, start, start + this.lengths[index]!)
  }

  /** Sum of the arguments' lengths. */
  totalBytes(): number {
    let total = 0
    for (let i = 0; i < this.count; i++) total += this.lengths[i]!
    return total
  }

  /** An independent copy that holds just the arguments. */
  copy(): Argv {
    const argv = new Argv()
    argv.bytes = new Uint8Array(this.totalBytes())
    let at = 0
    for (let i = 0; i < this.count; i++) {
      const length = this.lengths[i]!
      argv.bytes.set(this.view(i), at)
      argv.push(at, length)
      at += length
    }
    return argv
  }

  /** The arguments from `first` on, sharing the bytes. */
  tail(first: number): Argv {
    const argv = new Argv()
    argv.bytes = this.bytes
    for (let i = first; i < this.count; i++) argv.push(this.starts[i]!, this.lengths[i]!)
    return argv
  }

  private grow(): void {
    const starts = new Int32Array(this.starts.length * 2)
    starts.set(this.starts)
    this.starts = starts
    const lengths = new Int32Array(this.lengths.length * 2)
    lengths.set(this.lengths)
    this.lengths = lengths
  }
}

type Slice = (this: Uint8Array, start: number, end: number) => string
const bufferPrototype = Buffer.prototype as unknown as { latin1Slice: Slice; utf8Slice: Slice }

function latin1Slice(bytes: Uint8Array, start: number, end: number): string {
  return bufferPrototype.latin1Slice.call(bytes, start, end)
}

function utf8Slice(bytes: Uint8Array, start: number, end: number): string {
  return bufferPrototype.utf8Slice.call(bytes, start, end)
}
