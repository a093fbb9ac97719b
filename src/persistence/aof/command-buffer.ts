/**
 * Commands as the append-only file has them, gathered until they are written: requests in the form of the protocol.
 * Hot path: npm run bench, group "append-only".
 */
import type { Argv } from '../../base/argv.ts'
import { requestBytesMax, writeRequest } from '../../resp/request-encoder.ts'

const CAPACITY_FIRST = 64 * 1024
/** A larger buffer is not kept once it is written. */
const CAPACITY_KEPT = 1024 * 1024

export class CommandBuffer {
  bytes = new Uint8Array(CAPACITY_FIRST)
  length = 0

  command(argv: Argv): void {
    const neededBytes = requestBytesMax(argv)
    if (this.length + neededBytes > this.bytes.length) this.grow(neededBytes)
    this.length = writeRequest(argv, this.bytes, this.length)
  }

  /** Plain characters. */
  text(text: string): void {
    if (this.length + text.length > this.bytes.length) this.grow(text.length)
    for (let i = 0; i < text.length; i++) this.bytes[this.length++] = text.charCodeAt(i)
  }

  clear(): void {
    this.length = 0
    if (this.bytes.length > CAPACITY_KEPT) this.bytes = new Uint8Array(CAPACITY_FIRST)
  }

  /** Forgets the first bytes. */
  drop(count: number): void {
    this.bytes.copyWithin(0, count, this.length)
    this.length -= count
  }

  private grow(needed: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + needed))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }
}
