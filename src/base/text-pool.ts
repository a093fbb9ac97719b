/**
 * Many short texts one behind the other in one buffer: where each begins and how long it is stands in two arrays, since an
 * object for each would cost more than all else that is done with it.
 */
import { copyBytes } from './copy-bytes.ts'

const TEXTS_MIN = 16
/** Of short texts, what most take; more is made when it is needed. */
const TEXT_BYTES_EXPECTED = 8
/** The length of what is no text, not even an empty one. */
export const NO_TEXT = -1

export class TextPool {
  bytes: Uint8Array<ArrayBuffer>
  starts: Int32Array<ArrayBuffer>
  lengths: Int32Array<ArrayBuffer>
  count = 0
  private end = 0

  /** `expected`: about how many texts there will be. */
  constructor(expected = 0) {
    const count = Math.max(expected, TEXTS_MIN)
    this.bytes = new Uint8Array(count * TEXT_BYTES_EXPECTED)
    this.starts = new Int32Array(count)
    this.lengths = new Int32Array(count)
  }

  /** Adds a copy of bytes[start, start + length). */
  push(bytes: Uint8Array, start: number, length: number): void {
    const { count, end } = this
    if (end + length > this.bytes.length) this.bytes = grown(this.bytes, new Uint8Array((end + length) * 2))
    if (count === this.starts.length) {
      this.starts = grown(this.starts, new Int32Array(count * 2))
      this.lengths = grown(this.lengths, new Int32Array(count * 2))
    }
    copyBytes(bytes, start, this.bytes, end, length)
    this.starts[count] = end
    this.lengths[count] = length
    this.count = count + 1
    this.end = end + length
  }

  /** Adds what is no text. */
  pushNone(): void {
    this.push(this.bytes, 0, 0)
    this.lengths[this.count - 1] = NO_TEXT
  }

  /** A text; valid until more are added. */
  view(index: number): Uint8Array {
    const start = this.starts[index]!
    return this.bytes.subarray(start, start + this.lengths[index]!)
  }
}

function grown<Values extends Uint8Array | Int32Array>(values: Values, larger: Values): Values {
  larger.set(values)
  return larger
}
