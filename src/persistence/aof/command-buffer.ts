/**
 * Commands as the append-only file has them, gathered until they are written: requests in the form of the protocol.
 * Hot path: npm run bench, group "append-only".
 */
import type { Argv } from '../../base/argv.ts'
import { DataViewCache, dataOf } from '../../base/word-copy.ts'
import { plainRequestBytes, plainRequestStart, requestBytes, writeRequest } from '../../resp/request-encoder.ts'

const CAPACITY_FIRST = 64 * 1024
/** A larger buffer is not kept once it is written. */
const CAPACITY_KEPT = 1024 * 1024

export class CommandBuffer {
  bytes = new Uint8Array(CAPACITY_FIRST)
  length = 0
  private data = dataOf(this.bytes)
  private readonly views = new DataViewCache()

  command(argv: Argv): void {
    const start = plainRequestStart(argv)
    const length = start < 0 ? requestBytes(argv) : plainRequestBytes(argv, start)
    if (this.length + length > this.bytes.length) this.grow(length)
    if (start < 0) writeRequest(argv, this.bytes, this.length)
    else this.views.copy(argv.bytes, start, this.bytes, this.data, this.length, length)
    this.length += length
  }

  /** Plain characters. */
  text(text: string): void {
    if (this.length + text.length > this.bytes.length) this.grow(text.length)
    for (let i = 0; i < text.length; i++) this.bytes[this.length++] = text.charCodeAt(i)
  }

  clear(): void {
    this.length = 0
    if (this.bytes.length > CAPACITY_KEPT) this.use(new Uint8Array(CAPACITY_FIRST))
  }

  /** Forgets the first bytes. */
  drop(count: number): void {
    this.bytes.copyWithin(0, count, this.length)
    this.length -= count
  }

  private grow(needed: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + needed))
    larger.set(this.bytes.subarray(0, this.length))
    this.use(larger)
  }

  private use(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes
    this.data = dataOf(bytes)
  }
}
