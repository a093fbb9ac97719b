/**
 * Commands as the append-only file has them, gathered until they are written: requests in the form of the protocol.
 * Hot path: npm run bench, group "append-only".
 */
import type { Argv } from '../../base/argv.ts'
import { copyBytes } from '../../base/copy-bytes.ts'
import { INT64_TEXT_BYTES_MAX, writeUint } from '../../base/int64-text.ts'

const CAPACITY_FIRST = 64 * 1024
/** A larger buffer is not kept once it is written. */
const CAPACITY_KEPT = 1024 * 1024
/** Type, number, CR and LF. */
const HEAD_BYTES_MAX = INT64_TEXT_BYTES_MAX + 3
const CR = 13
const LF = 10
const STAR = 42
const DOLLAR = 36

export class CommandBuffer {
  bytes = new Uint8Array(CAPACITY_FIRST)
  length = 0

  command(argv: Argv): void {
    const { count, starts, lengths, bytes: from } = argv
    let needed = HEAD_BYTES_MAX + count * (HEAD_BYTES_MAX + 2)
    for (let i = 0; i < count; i++) needed += lengths[i]!
    if (this.length + needed > this.bytes.length) this.grow(needed)
    const { bytes } = this
    let at = head(bytes, this.length, STAR, count)
    for (let i = 0; i < count; i++) {
      const length = lengths[i]!
      at = head(bytes, at, DOLLAR, length)
      copyBytes(from, starts[i]!, bytes, at, length)
      at += length
      bytes[at++] = CR
      bytes[at++] = LF
    }
    this.length = at
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

function head(bytes: Uint8Array, start: number, type: number, count: number): number {
  bytes[start] = type
  let at = start + 1
  if (count < 10) bytes[at++] = 48 + count
  else if (count < 100) {
    const tens = (count / 10) | 0
    bytes[at++] = 48 + tens
    bytes[at++] = 48 + count - tens * 10
  } else at = writeUint(bytes, at, count)
  bytes[at++] = CR
  bytes[at++] = LF
  return at
}
