/**
 * The stream of commands that replicas get: what is still needed of it, in blocks that all replicas and the backlog share.
 *
 *   blocks:   [ ........ | ........ | ........ | .....    ]
 *              ^start       ^reader    ^reader        ^end
 *
 * Positions count the bytes of the stream before them, so `end` is what Redis calls master_repl_offset, and the byte after
 * a position p has the offset p + 1. `start` follows `end` at the distance of the backlog's size, but no block goes that a
 * reader has still to send: a slow replica makes the backlog longer, within its output limit.
 *
 * Blocks hold at least 16 KiB and at most a sixteenth of the backlog if that is more; they are filled in order and never
 * changed behind `end`, so pieces of them can be queued on sockets as they are. A command is written in one go where it
 * fits, and copied from the request as it came where that is already what would be written.
 * Invariants: blocks are adjacent; all but the last are full; start <= every reader's position <= end.
 * Cost: appending copies each byte once, however many replicas there are.
 * Where it differs from Redis: there blocks are reference-counted; here the readers are few and are asked.
 * Hot path: bench/server (CPU per SET with a replica). Source: Redis 7.0, replication.c (replBufBlock).
 */
import type { Argv } from '../base/argv.ts'
import { copyBytes } from '../base/copy-bytes.ts'
import { DataViewCache, dataOf } from '../base/word-copy.ts'
import {
  encodeRequest,
  plainRequestBytes,
  plainRequestStart,
  requestBytes,
  writeRequest,
} from '../resp/request-encoder.ts'

/** PROTO_REPLY_CHUNK_BYTES: blocks are not smaller. */
const BLOCK_BYTES_MIN = 16 * 1024
const BACKLOG_BLOCKS = 16
/** What Redis counts for a block beside its bytes. */
export const BLOCK_OVERHEAD_BYTES = 64

interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly data: DataView
  /** Position of its first byte. */
  readonly start: number
  used: number
}

/** Who reads the stream: a replica. */
export interface StreamReader {
  /** What was handed to the network; infinite for one that is not to get the stream. */
  readonly position: number
}

export class ReplicationBuffer {
  /** Position after the last byte. */
  end: number
  /** How much is kept for those who come back (repl-backlog-size). */
  backlogBytes: number
  /** Told when a block was begun: the time to look at who is behind. */
  onBlock: (() => void) | null = null
  private blocks: Block[] = []
  /** Blocks before this one are gone. */
  private first = 0
  private tail: Block | null = null
  private startPosition: number
  private readonly readers: Iterable<StreamReader>
  /** Whether no piece of a block waits on a socket, so that a block may be filled anew. */
  private readonly isQuiet: () => boolean
  private spare: Uint8Array<ArrayBuffer> | null = null
  private readonly views = new DataViewCache()

  constructor(end: number, backlogBytes: number, readers: Iterable<StreamReader>, isQuiet: () => boolean) {
    this.end = end
    this.startPosition = end
    this.backlogBytes = backlogBytes
    this.readers = readers
    this.isQuiet = isQuiet
  }

  /** Position before the first byte that is kept. */
  get start(): number {
    return this.startPosition
  }

  /** How many bytes are kept: repl_backlog_histlen. */
  get length(): number {
    return this.end - this.startPosition
  }

  get blockCount(): number {
    return this.blocks.length - this.first
  }

  /** Memory of all blocks, as Redis counts it. */
  get memoryBytes(): number {
    let bytes = 0
    for (let i = this.first; i < this.blocks.length; i++) bytes += this.blocks[i]!.bytes.length + BLOCK_OVERHEAD_BYTES
    return bytes
  }

  /** Memory of the blocks from the one at `position` on: the output buffer of a reader that is there. */
  memoryFrom(position: number): number {
    let bytes = 0
    for (let i = this.blocks.length - this.blocksFrom(position); i < this.blocks.length; i++) {
      bytes += this.blocks[i]!.bytes.length + BLOCK_OVERHEAD_BYTES
    }
    return bytes
  }

  /** How many blocks that are. */
  blocksFrom(position: number): number {
    let i = this.blocks.length - 1
    while (i > this.first && this.blocks[i]!.start > position) i--
    return this.blocks.length - Math.max(i, this.first)
  }

  /** Adds a command. Hot. */
  appendCommand(argv: Argv): void {
    const { tail } = this
    const start = plainRequestStart(argv)
    const length = start < 0 ? requestBytes(argv) : plainRequestBytes(argv, start)
    if (tail !== null && tail.bytes.length - tail.used >= length) {
      const { bytes, data, used } = tail
      if (start < 0) writeRequest(argv, bytes, used)
      else this.views.copy(argv.bytes, start, bytes, data, used, length)
      tail.used = used + length
      this.end += length
    } else if (start < 0) this.append(encodeRequest(argv), 0, length)
    else this.append(argv.bytes, start, length)
  }

  /** Adds bytes as they are. */
  append(bytes: Uint8Array, start: number, length: number): void {
    let at = start
    let left = length
    while (left > 0) {
      let { tail } = this
      if (tail === null || tail.used === tail.bytes.length) tail = this.addBlock(left)
      const count = Math.min(left, tail.bytes.length - tail.used)
      copyBytes(bytes, at, tail.bytes, tail.used, count)
      tail.used += count
      this.end += count
      at += count
      left -= count
    }
  }

  /** The bytes after a position, as far as they lie in one block; null at the end. They stay as they are. */
  piece(position: number, bytesMax: number): Uint8Array | null {
    if (position >= this.end) return null
    const block = this.blocks[this.indexOf(position)]!
    const from = position - block.start
    return block.bytes.subarray(from, Math.min(block.used, from + bytesMax))
  }

  /** The last bytes of the stream, for logs. */
  latest(bytesMax: number): Uint8Array {
    const from = Math.max(this.startPosition, this.end - bytesMax)
    const bytes = new Uint8Array(this.end - from)
    for (let at = from; at < this.end; ) {
      const piece = this.piece(at, this.end - at)!
      bytes.set(piece, at - from)
      at += piece.length
    }
    return bytes
  }

  /** Lets go of blocks that neither the backlog nor a reader needs. */
  trim(): void {
    if (this.length <= this.backlogBytes) return
    let least = Number.POSITIVE_INFINITY
    for (const reader of this.readers) if (reader.position < least) least = reader.position
    while (this.first < this.blocks.length - 1) {
      const block = this.blocks[this.first]!
      const end = block.start + block.used
      // A reader holds on to the block that it is in.
      if (least < end || this.end - end <= this.backlogBytes) break
      if (this.spare === null && this.isQuiet()) this.spare = block.bytes
      this.first++
      this.startPosition = end
    }
    if (this.first > BACKLOG_BLOCKS && this.first > this.blocks.length >> 1) {
      this.blocks = this.blocks.slice(this.first)
      this.first = 0
    }
  }

  /** Counts the stream on from another number: what was added while loading follows what the file holds. */
  rebase(by: number): void {
    this.blocks = this.blocks.slice(this.first).map((block) => ({ ...block, start: block.start + by }))
    this.first = 0
    this.tail = this.blocks[this.blocks.length - 1] ?? null
    this.startPosition += by
    this.end += by
  }

  private addBlock(wanted: number): Block {
    const limit = Math.max(Math.floor(this.backlogBytes / BACKLOG_BLOCKS), BLOCK_BYTES_MIN)
    const size = Math.min(Math.max(wanted, BLOCK_BYTES_MIN), limit)
    const { spare } = this
    const isUsable = spare !== null && spare.length === size
    if (isUsable) this.spare = null
    const bytes = isUsable ? spare : new Uint8Array(size)
    const block: Block = { bytes, data: dataOf(bytes), start: this.end, used: 0 }
    this.blocks.push(block)
    this.tail = block
    this.onBlock?.()
    this.trim()
    return block
  }

  /** The block that has the byte after a position. */
  private indexOf(position: number): number {
    let low = this.first
    let high = this.blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.blocks[middle]!.start <= position) low = middle
      else high = middle - 1
    }
    return low
  }
}
