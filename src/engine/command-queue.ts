/**
 * Commands that wait for EXEC. A transaction may be long and its commands small, so they are packed: up to 64 KiB of
 * arguments are one array of bytes, and their lengths one of numbers. An INCR costs some 30 bytes that way, where an
 * Argv of its own costs 900.
 */
import { Argv } from '../base/argv.ts'
import type { CommandEntry } from './command-table.ts'

/** A command with more bytes of arguments has a block of its own size. */
const BLOCK_BYTES = 64 * 1024
/** The first block is smaller: most transactions are short. */
const FIRST_BLOCK_BYTES = 256
/** What an entry costs in an array of them. */
const ENTRY_BYTES = 8

interface Block {
  readonly bytes: Uint8Array
  usedBytes: number
  /** Of each command: the number of its arguments, and their lengths. */
  layout: Int32Array
  usedLayout: number
  readonly entries: CommandEntry[]
}

export class CommandQueue {
  length = 0
  /** Of all commands together. */
  argumentBytes = 0
  arguments = 0
  /** What the blocks take. */
  heldBytes = 0
  private readonly blocks: Block[] = []

  push(entry: CommandEntry, argv: Argv): void {
    const totalBytes = argv.totalBytes()
    const block = this.blockFor(totalBytes)
    this.reserveLayout(block, argv.count + 1)
    block.layout[block.usedLayout++] = argv.count
    for (let i = 0; i < argv.count; i++) {
      const length = argv.lengths[i]!
      block.bytes.set(argv.view(i), block.usedBytes)
      block.usedBytes += length
      block.layout[block.usedLayout++] = length
    }
    block.entries.push(entry)
    this.heldBytes += ENTRY_BYTES
    this.length++
    this.argumentBytes += totalBytes
    this.arguments += argv.count
  }

  /** Hands over the commands in order, until `take` returns false. The arguments are valid during each call only. */
  each(take: (entry: CommandEntry, argv: Argv) => boolean): void {
    const argv = new Argv()
    for (const { bytes, layout, entries } of this.blocks) {
      let at = 0
      let start = 0
      for (const entry of entries) {
        argv.bytes = bytes
        argv.count = 0
        for (let left = layout[at++]!; left > 0; left--) {
          const length = layout[at++]!
          argv.push(start, length)
          start += length
        }
        if (!take(entry, argv)) return
      }
    }
  }

  private blockFor(totalBytes: number): Block {
    const last = this.blocks.at(-1)
    if (last !== undefined && last.usedBytes + totalBytes <= last.bytes.length) return last
    const size = last === undefined ? FIRST_BLOCK_BYTES : Math.min(last.bytes.length * 4, BLOCK_BYTES)
    const block: Block = {
      bytes: new Uint8Array(Math.max(size, totalBytes)),
      usedBytes: 0,
      layout: new Int32Array(16),
      usedLayout: 0,
      entries: [],
    }
    this.blocks.push(block)
    this.heldBytes += block.bytes.length + block.layout.byteLength
    return block
  }

  private reserveLayout(block: Block, numbers: number): void {
    const { layout, usedLayout } = block
    if (usedLayout + numbers <= layout.length) return
    block.layout = new Int32Array(Math.max(layout.length * 2, usedLayout + numbers))
    block.layout.set(layout)
    this.heldBytes += block.layout.byteLength - layout.byteLength
  }
}
