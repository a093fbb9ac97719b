/**
 * Copies of many short texts, each with a view of its own, in few large buffers: a buffer for each would cost more than all
 * else that is done with it. Views of neighbours share their buffer, which stays as long as one of them.
 */
import { copyBytes } from './copy-bytes.ts'

const CHUNK_BYTES = 256 * 1024

export class PackedTexts {
  private chunk = new Uint8Array(0)
  private used = 0

  /** A copy of bytes[start, start + length). */
  copy(bytes: Uint8Array, start: number, length: number): Uint8Array {
    if (this.used + length > this.chunk.length) {
      this.chunk = new Uint8Array(Math.max(CHUNK_BYTES, length))
      this.used = 0
    }
    const { chunk, used } = this
    copyBytes(bytes, start, chunk, used, length)
    this.used = used + length
    return chunk.subarray(used, used + length)
  }
}
