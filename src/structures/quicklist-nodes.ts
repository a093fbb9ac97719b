/**
 * The nodes of quicklists (see quicklist.ts): a header block each, and an entry block with a listpack or one large element.
 *
 *   header, 8 words   | previous | next | entry | size | count | flags | offset | capacity |
 *   entry             | free | listpack of `size` bytes | free |          packed
 *                     ^0     ^offset                           ^capacity
 *                     | `size` bytes |                                    plain: one element
 *                     | LZF, `offset` bytes long |                        compressed: unpacks to `size` bytes
 *
 * A listpack has room on both sides, so that pushing and popping at either end moves nothing.
 * Invariants: size and count are those of the listpack's header; a packed node has at least one element but while it is
 * being made. Whatever needs memory asks for it before it changes anything.
 * Cost: ends O(1) amortised; editing in the middle moves the shorter side.
 * Where it differs from Redis: there a push at the head moves the whole listpack, and each change reallocates it.
 * Hot path: LPUSH, RPUSH, LPOP, RPOP of bench/server.
 * Source: observed behaviour of redis-server 7.0.15; list-max-listpack-size and list-compress-depth in redis.conf.
 */
import { ByteMover } from '../base/byte-mover.ts'
import { copyBytes } from '../base/copy-bytes.ts'
import { LzfCompressor, lzfDecompress } from '../base/lzf.ts'
import { copyWords, WORD_COPY_BYTES_MAX } from '../base/word-copy.ts'
import type { Arena, Ref } from '../memory/arena.ts'
import {
  elementBefore,
  elementBytes,
  isEnd,
  LISTPACK_EMPTY_BYTES,
  LISTPACK_HEADER_BYTES,
  ListpackEncoder,
  listpackCount,
  setHeader,
  setHeaderBytes,
  setHeaderCount,
  skipElement,
  writeEmptyListpack,
} from './listpack.ts'

declare const nodeRef: unique symbol
export type QuicklistNodeRef = Ref & { readonly [nodeRef]?: never }

/** Words of a node's header. */
export const NODE_PREVIOUS = 0
export const NODE_NEXT = 1
const ENTRY = 2
const SIZE = 3
export const NODE_COUNT = 4
const FLAGS = 5
const OFFSET = 6
const CAPACITY = 7
const NODE_BYTES = 32

/** One large element instead of a listpack. */
export const PLAIN = 1
/** The entry is compressed. */
export const COMPRESSED = 2
/** Was compressed until somebody edited it, and is to be again. */
export const RECOMPRESS = 4
/** Stays as it is for now. */
export const DONT_COMPRESS = 8

/** Redis's limits: smaller entries are not compressed, nor those that would not get smaller by more than this. */
const COMPRESS_BYTES_MIN = 48
const COMPRESS_SAVES_BYTES_MIN = 8
/** A block that is less than a quarter full gives room back, down to this size. */
const SHRINK_CAPACITY_MIN = 128
/** So many bytes are moved rather than slack being redistributed. */
const MOVE_BYTES_MAX = 256
/** Blocks grow by half up to this size, that of a full node by default, and then just as needed. */
const GROWTH_BYTES_MAX = 8192
const SCRATCH_BYTES_KEPT = 256 * 1024
/** Bytes of a node with a list-max-listpack-size of -1; each further step doubles them. */
const FILL_BYTES = 4096
/** No node that is limited by its number of elements becomes larger. */
export const SAFE_BYTES_MAX = 8192
/** What Redis reckons an element needs beside its bytes. */
const ELEMENT_OVERHEAD_BYTES = 8
const END_MARK = 0xff

/** Where a node's listpack or element can be read: in the arena, or unpacked in bytes of this object's own. */
export class NodeView {
  bytes: Uint8Array
  /** The DataView of the bytes, where there is one. */
  data: DataView | null = null
  start = 0
  length = 0
  /** One large element instead of a listpack. */
  isPlain = false
  private own: Uint8Array<ArrayBuffer> = new Uint8Array(0)

  constructor() {
    this.bytes = this.own
  }

  /** Room for bytes of its own. */
  room(length: number): Uint8Array {
    if (this.own.length < length || this.own.length > SCRATCH_BYTES_KEPT) this.own = new Uint8Array(length)
    return this.own
  }
}

export class QuicklistNodes {
  /** Holds the element that is written by `push` and `insert`. */
  readonly encoder = new ListpackEncoder()
  private readonly arena: Arena
  private readonly mover = new ByteMover()
  private lzf: LzfCompressor | null = null
  private packed: Uint8Array<ArrayBuffer> = new Uint8Array(0)

  constructor(arena: Arena) {
    this.arena = arena
  }

  previous(node: QuicklistNodeRef): QuicklistNodeRef {
    return this.word(node, NODE_PREVIOUS)
  }

  next(node: QuicklistNodeRef): QuicklistNodeRef {
    return this.word(node, NODE_NEXT)
  }

  setPrevious(node: QuicklistNodeRef, previous: QuicklistNodeRef): void {
    this.setWord(node, NODE_PREVIOUS, previous)
  }

  setNext(node: QuicklistNodeRef, next: QuicklistNodeRef): void {
    this.setWord(node, NODE_NEXT, next)
  }

  /** Bytes of its listpack or element. */
  size(node: QuicklistNodeRef): number {
    return this.word(node, SIZE)
  }

  count(node: QuicklistNodeRef): number {
    return this.word(node, NODE_COUNT)
  }

  flags(node: QuicklistNodeRef): number {
    return this.word(node, FLAGS)
  }

  setFlags(node: QuicklistNodeRef, flags: number): void {
    this.setWord(node, FLAGS, flags)
  }

  isPlain(node: QuicklistNodeRef): boolean {
    return (this.word(node, FLAGS) & PLAIN) !== 0
  }

  /** Bytes of both blocks. */
  blockBytes(node: QuicklistNodeRef): number {
    return NODE_BYTES + this.arena.capacity(this.word(node, ENTRY))
  }

  /** A node without neighbours, with the element that the encoder holds, and room on the side where it is to grow. */
  createWithElement(capacityBytes: number, isTail: boolean): QuicklistNodeRef {
    const { encoder } = this
    const node = this.create(Math.max(capacityBytes, LISTPACK_EMPTY_BYTES + encoder.total), LISTPACK_EMPTY_BYTES, 0, 0)
    const { arena } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    words[at + OFFSET] = isTail ? 0 : words[at + CAPACITY]! - LISTPACK_EMPTY_BYTES - encoder.total
    writeEmptyListpack(arena.view8(words[at + ENTRY]!), arena.at8(words[at + ENTRY]!) + words[at + OFFSET]!)
    this.push(node, true)
    return node
  }

  /** A node without neighbours, with bytes that are a valid listpack. */
  createFromListpack(bytes: Uint8Array, start: number, length: number): QuicklistNodeRef {
    const node = this.create(length, length, 0, 0)
    this.copyIn(node, bytes, start, length)
    // Counting may write, and the bytes are not ours.
    const entry = this.word(node, ENTRY)
    this.setWord(node, NODE_COUNT, listpackCount(this.arena.view8(entry), this.arena.at8(entry)))
    return node
  }

  /** A node without neighbours, with one element that is not in a listpack. */
  createPlain(bytes: Uint8Array, start: number, length: number): QuicklistNodeRef {
    const node = this.create(length, length, 1, PLAIN)
    this.copyIn(node, bytes, start, length)
    return node
  }

  /** A copy without neighbours, with no more room than it needs. */
  copy(node: QuicklistNodeRef): QuicklistNodeRef {
    const flags = this.flags(node) & (PLAIN | COMPRESSED)
    const offset = this.word(node, OFFSET)
    const isCompressed = (flags & COMPRESSED) !== 0
    const heldBytes = isCompressed ? offset : this.size(node)
    const made = this.create(heldBytes, this.size(node), this.count(node), flags)
    if (isCompressed) this.setWord(made, OFFSET, offset)
    const from = this.word(node, ENTRY)
    const to = this.word(made, ENTRY)
    this.copyBetween(from, isCompressed ? 0 : offset, to, 0, heldBytes)
    return made
  }

  /** Moves a node's blocks out of pages that are to be left; its neighbours know. Returns where it is now. */
  relocate(node: QuicklistNodeRef): QuicklistNodeRef {
    const { arena } = this
    arena.view32(node)[arena.at32(node) + ENTRY] = arena.moved(arena.view32(node)[arena.at32(node) + ENTRY]!)
    const moved = arena.moved(node)
    if (moved === node) return node
    const words = arena.view32(moved)
    const at = arena.at32(moved)
    const previous = words[at + NODE_PREVIOUS]!
    const next = words[at + NODE_NEXT]!
    if (previous !== 0) arena.view32(previous)[arena.at32(previous) + NODE_NEXT] = moved
    if (next !== 0) arena.view32(next)[arena.at32(next) + NODE_PREVIOUS] = moved
    return moved
  }

  release(node: QuicklistNodeRef): void {
    this.arena.release(this.word(node, ENTRY))
    this.arena.release(node)
  }

  /** Where to read the node's listpack or element. A compressed one is unpacked into bytes of the view and stays as it is. */
  view(node: QuicklistNodeRef, view: NodeView): void {
    const { arena } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    const entry = words[at + ENTRY]!
    const size = words[at + SIZE]!
    const flags = words[at + FLAGS]!
    view.length = size
    view.isPlain = (flags & PLAIN) !== 0
    if ((flags & COMPRESSED) === 0) {
      view.bytes = arena.view8(entry)
      view.data = arena.viewData(entry)
      view.start = arena.at8(entry) + words[at + OFFSET]!
      return
    }
    const room = view.room(size)
    const start = arena.at8(entry)
    lzfDecompress(arena.view8(entry), start, start + words[at + OFFSET]!, room, 0, size)
    view.bytes = room
    view.data = null
    view.start = 0
  }

  /** A compressed node's own bytes, as they go into files. */
  viewCompressed(node: QuicklistNodeRef, view: NodeView): void {
    const { arena } = this
    const entry = this.word(node, ENTRY)
    view.bytes = arena.view8(entry)
    view.data = arena.viewData(entry)
    view.start = arena.at8(entry)
    view.length = this.word(node, OFFSET)
  }

  /**
   * Adds the element that the encoder holds, of so many bytes, to an end of a node. False: the node is full, or it is a plain
   * one. Hot.
   */
  pushWithin(node: QuicklistNodeRef, isTail: boolean, fill: number, length: number): boolean {
    const { arena } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    const flags = words[at + FLAGS]!
    if ((flags & PLAIN) !== 0 || !allowsElement(fill, words[at + SIZE]!, words[at + NODE_COUNT]!, length)) return false
    if ((flags & COMPRESSED) !== 0) this.decompress(node, false)
    this.push(node, isTail)
    return true
  }

  /** Adds the element that the encoder holds to an end of a packed node. Hot. */
  push(node: QuicklistNodeRef, isTail: boolean): void {
    const { arena, encoder } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    const { total } = encoder
    const size = words[at + SIZE]!
    if (isTail) {
      if (words[at + OFFSET]! + size + total > words[at + CAPACITY]!) this.relayout(node, size - 1, total)
    } else if (words[at + OFFSET]! >= total) words[at + OFFSET]! -= total
    else this.relayout(node, LISTPACK_HEADER_BYTES, total)
    const entry = words[at + ENTRY]!
    const bytes = arena.view8(entry)
    const data = arena.viewData(entry)
    const start = arena.at8(entry) + words[at + OFFSET]!
    encoder.write(bytes, data, isTail ? start + size - 1 : start + LISTPACK_HEADER_BYTES)
    const newSize = size + total
    bytes[start + newSize - 1] = END_MARK
    words[at + SIZE] = newSize
    const count = words[at + NODE_COUNT]! + 1
    words[at + NODE_COUNT] = count
    setHeader(data, start, newSize, count)
  }

  /** Removes the element at an end of a packed node that has more than one. Hot. */
  drop(node: QuicklistNodeRef, isTail: boolean): void {
    const { arena } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    const entry = words[at + ENTRY]!
    const bytes = arena.view8(entry)
    const data = arena.viewData(entry)
    const size = words[at + SIZE]!
    let start = arena.at8(entry) + words[at + OFFSET]!
    let newSize: number
    if (isTail) {
      const last = elementBefore(bytes, start + size - 1)
      bytes[last] = END_MARK
      newSize = last + 1 - start
    } else {
      const length = elementBytes(bytes, start + LISTPACK_HEADER_BYTES)
      start += length
      newSize = size - length
      words[at + OFFSET]! += length
    }
    words[at + SIZE] = newSize
    const count = words[at + NODE_COUNT]! - 1
    words[at + NODE_COUNT] = count
    setHeader(data, start, newSize, count)
    if (newSize < words[at + CAPACITY]! >> 2) this.shrink(node)
  }

  /** Writes the element that the encoder holds in front of `offset` bytes into the listpack, over `replaced` bytes there. */
  insert(node: QuicklistNodeRef, offset: number, replaced: number): void {
    const { arena, encoder } = this
    const { total } = encoder
    if (total > replaced) this.makeGap(node, offset, total - replaced)
    const words = arena.view32(node)
    const at = arena.at32(node)
    const entry = words[at + ENTRY]!
    const size = words[at + SIZE]!
    const bytes = arena.view8(entry)
    const data = arena.viewData(entry)
    const start = arena.at8(entry) + words[at + OFFSET]!
    if (total < replaced) {
      const behind = offset + replaced
      this.mover.move(bytes, data, start + behind, start + offset + total, size - behind)
    }
    encoder.write(bytes, data, start + offset)
    const newSize = size + total - replaced
    words[at + SIZE] = newSize
    if (replaced === 0) words[at + NODE_COUNT]! += 1
    setHeaderBytes(bytes, start, newSize)
    setHeaderCount(bytes, start, words[at + NODE_COUNT]!)
    if (newSize < words[at + CAPACITY]! >> 2) this.shrink(node)
  }

  /** Removes the `removed` elements between two offsets into the listpack. */
  cut(node: QuicklistNodeRef, from: number, to: number, removed: number): void {
    const { arena } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    const entry = words[at + ENTRY]!
    const bytes = arena.view8(entry)
    const data = arena.viewData(entry)
    let start = arena.at8(entry) + words[at + OFFSET]!
    const size = words[at + SIZE]!
    const gap = to - from
    if (from < size - to) {
      const moved = from - LISTPACK_HEADER_BYTES
      this.mover.move(bytes, data, start + LISTPACK_HEADER_BYTES, start + LISTPACK_HEADER_BYTES + gap, moved)
      start += gap
      words[at + OFFSET]! += gap
    } else this.mover.move(bytes, data, start + to, start + from, size - to)
    words[at + SIZE] = size - gap
    words[at + NODE_COUNT]! -= removed
    setHeaderBytes(bytes, start, size - gap)
    setHeaderCount(bytes, start, words[at + NODE_COUNT]!)
    if (size - gap < words[at + CAPACITY]! >> 2) this.shrink(node)
  }

  /** A node of the elements behind an offset into the listpack (`isAfter`), or of those before it. The node itself stays. */
  partOf(node: QuicklistNodeRef, offset: number, isAfter: boolean): QuicklistNodeRef {
    const { arena } = this
    const size = this.size(node)
    const from = isAfter ? offset : LISTPACK_HEADER_BYTES
    const to = isAfter ? size - 1 : offset
    const total = to - from + LISTPACK_EMPTY_BYTES
    const inFront = this.countBefore(node, offset)
    const count = isAfter ? this.count(node) - inFront : inFront
    const room = total + this.encoder.total
    const part = this.create(room, total, count, 0)
    this.setWord(part, OFFSET, isAfter ? this.word(part, CAPACITY) - total : 0)
    const entry = this.word(part, ENTRY)
    const start = this.word(part, OFFSET)
    this.copyBetween(
      this.word(node, ENTRY),
      this.word(node, OFFSET) + from,
      entry,
      start + LISTPACK_HEADER_BYTES,
      to - from,
    )
    const bytes = arena.view8(entry)
    const at = arena.at8(entry) + start
    bytes[at + total - 1] = END_MARK
    setHeaderBytes(bytes, at, total)
    setHeaderCount(bytes, at, count)
    return part
  }

  /** How many elements stand before an offset into a packed node's listpack. */
  countBefore(node: QuicklistNodeRef, offset: number): number {
    const { arena } = this
    const entry = this.word(node, ENTRY)
    const bytes = arena.view8(entry)
    const start = arena.at8(entry) + this.word(node, OFFSET)
    let count = 0
    for (
      let at = start + LISTPACK_HEADER_BYTES;
      at < start + offset && !isEnd(bytes, at);
      at = skipElement(bytes, at)
    ) {
      count++
    }
    return count
  }

  /** Appends the elements of `other`, which stays; both are packed and not compressed. */
  append(node: QuicklistNodeRef, other: QuicklistNodeRef): void {
    const { arena } = this
    const added = this.size(other) - LISTPACK_EMPTY_BYTES
    const size = this.size(node)
    this.makeGap(node, size - 1, added)
    const words = arena.view32(node)
    const at = arena.at32(node)
    const entry = words[at + ENTRY]!
    const offset = words[at + OFFSET]!
    this.copyBetween(
      this.word(other, ENTRY),
      this.word(other, OFFSET) + LISTPACK_HEADER_BYTES,
      entry,
      offset + size - 1,
      added,
    )
    const bytes = arena.view8(entry)
    const start = arena.at8(entry) + offset
    bytes[start + size + added - 1] = END_MARK
    words[at + SIZE] = size + added
    words[at + NODE_COUNT]! += this.count(other)
    setHeaderBytes(bytes, start, size + added)
    setHeaderCount(bytes, start, words[at + NODE_COUNT]!)
  }

  /** Gives up room that the entry does not need, if there is memory to do so: the node is not expected to grow. */
  fit(node: QuicklistNodeRef): void {
    if ((this.flags(node) & COMPRESSED) === 0) this.moveToBlock(node, this.size(node))
  }

  /** Compresses the entry if that is worth it and there is memory to do so. */
  compress(node: QuicklistNodeRef): void {
    const { arena } = this
    const flags = this.flags(node)
    if ((flags & (COMPRESSED | DONT_COMPRESS)) !== 0) return
    this.setFlags(node, flags & ~RECOMPRESS)
    const size = this.size(node)
    if (size < COMPRESS_BYTES_MIN) return
    if (this.packed.length < size || this.packed.length > SCRATCH_BYTES_KEPT) this.packed = new Uint8Array(size)
    this.lzf ??= new LzfCompressor()
    const entry = this.word(node, ENTRY)
    const start = arena.at8(entry) + this.word(node, OFFSET)
    const { packed } = this
    const length = this.lzf.compress(arena.view8(entry), start, start + size, packed, 0, size)
    if (length === 0 || length + COMPRESS_SAVES_BYTES_MIN >= size) return
    let block: Ref
    try {
      block = arena.allocate(length)
    } catch {
      return
    }
    copyBytes(packed, 0, arena.view8(block), arena.at8(block), length)
    arena.release(entry)
    this.setWord(node, ENTRY, block)
    this.setWord(node, OFFSET, length)
    this.setWord(node, CAPACITY, arena.capacity(block))
    this.setFlags(node, (flags & ~RECOMPRESS) | COMPRESSED)
  }

  /** Unpacks the entry. `isForUse`: only to be edited, it is to be compressed again then. */
  decompress(node: QuicklistNodeRef, isForUse: boolean): void {
    const { arena } = this
    const flags = this.flags(node)
    if ((flags & COMPRESSED) === 0) return
    const size = this.size(node)
    const block = arena.allocate(size)
    const entry = this.word(node, ENTRY)
    const start = arena.at8(entry)
    const end = start + this.word(node, OFFSET)
    const to = arena.at8(block)
    lzfDecompress(arena.view8(entry), start, end, arena.view8(block), to, to + size)
    arena.release(entry)
    this.setWord(node, ENTRY, block)
    this.setWord(node, OFFSET, 0)
    this.setWord(node, CAPACITY, arena.capacity(block))
    this.setFlags(node, (flags & ~(COMPRESSED | RECOMPRESS)) | (isForUse ? RECOMPRESS : 0))
  }

  private create(capacityBytes: number, size: number, count: number, flags: number): QuicklistNodeRef {
    const { arena } = this
    const entry = arena.allocate(capacityBytes)
    let node: QuicklistNodeRef
    try {
      node = arena.allocate(NODE_BYTES)
    } catch (error) {
      arena.release(entry)
      throw error
    }
    const words = arena.view32(node)
    const at = arena.at32(node)
    words[at + NODE_PREVIOUS] = 0
    words[at + NODE_NEXT] = 0
    words[at + ENTRY] = entry
    words[at + SIZE] = size
    words[at + NODE_COUNT] = count
    words[at + FLAGS] = flags
    words[at + OFFSET] = 0
    words[at + CAPACITY] = arena.capacity(entry)
    return node
  }

  private copyIn(node: QuicklistNodeRef, bytes: Uint8Array, start: number, length: number): void {
    const entry = this.word(node, ENTRY)
    copyBytes(bytes, start, this.arena.view8(entry), this.arena.at8(entry), length)
  }

  /** Makes room for `total` bytes in front of an offset into the listpack; size and header stay as they are. */
  private makeGap(node: QuicklistNodeRef, offset: number, total: number): void {
    const { arena } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    const size = words[at + SIZE]!
    const frontRoom = words[at + OFFSET]!
    const backRoom = words[at + CAPACITY]! - frontRoom - size
    const isFrontCheap = offset < size - offset
    const cheap = isFrontCheap ? offset : size - offset
    const dear = size - cheap
    const hasCheap = (isFrontCheap ? frontRoom : backRoom) >= total
    const hasDear = dear <= MOVE_BYTES_MAX && (isFrontCheap ? backRoom : frontRoom) >= total
    if (!hasCheap && !hasDear) {
      this.relayout(node, offset, total)
      return
    }
    const entry = words[at + ENTRY]!
    const bytes = arena.view8(entry)
    const data = arena.viewData(entry)
    const start = arena.at8(entry) + frontRoom
    if (isFrontCheap === hasCheap) {
      this.mover.move(bytes, data, start, start - total, offset)
      words[at + OFFSET] = frontRoom - total
    } else this.mover.move(bytes, data, start + offset, start + offset + total, size - offset)
  }

  /**
   * As `makeGap`, where no side has the room: gives the listpack another place in its block, or a larger block. Room that is
   * left goes to where it was asked for, or to both sides if it comes and goes.
   */
  private relayout(node: QuicklistNodeRef, offset: number, total: number): void {
    const { arena } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    const size = words[at + SIZE]!
    const oldOffset = words[at + OFFSET]!
    const entry = words[at + ENTRY]!
    const needed = size + total
    const slack = words[at + CAPACITY]! - needed
    if (slack >= 0 && (slack >= size >> 2 || size >= GROWTH_BYTES_MAX)) {
      const newOffset = slack >> 1
      const bytes = arena.view8(entry)
      const data = arena.viewData(entry)
      const base = arena.at8(entry)
      const back = size - offset
      const moveBack = newOffset >= oldOffset
      if (moveBack) this.mover.move(bytes, data, base + oldOffset + offset, base + newOffset + offset + total, back)
      this.mover.move(bytes, data, base + oldOffset, base + newOffset, offset)
      if (!moveBack) this.mover.move(bytes, data, base + oldOffset + offset, base + newOffset + offset + total, back)
      words[at + OFFSET] = newOffset
      return
    }
    const wanted = needed + (needed >> 1)
    const larger = arena.allocate(wanted <= GROWTH_BYTES_MAX ? wanted : Math.max(needed, GROWTH_BYTES_MAX))
    const capacity = arena.capacity(larger)
    const newOffset = offset < size - offset ? capacity - needed : 0
    this.copyBetween(entry, oldOffset, larger, newOffset, offset)
    this.copyBetween(entry, oldOffset + offset, larger, newOffset + offset + total, size - offset)
    arena.release(entry)
    words[at + ENTRY] = larger
    words[at + OFFSET] = newOffset
    words[at + CAPACITY] = capacity
  }

  private shrink(node: QuicklistNodeRef): void {
    if (this.word(node, CAPACITY) >= SHRINK_CAPACITY_MIN) this.moveToBlock(node, this.size(node) * 2)
  }

  /** Moves the entry to a block for so many bytes if that is a smaller one. */
  private moveToBlock(node: QuicklistNodeRef, capacityBytes: number): void {
    const { arena } = this
    if (arena.capacityFor(capacityBytes) >= this.word(node, CAPACITY)) return
    let smaller: Ref
    try {
      smaller = arena.allocate(capacityBytes)
    } catch {
      return
    }
    const entry = this.word(node, ENTRY)
    const size = this.size(node)
    const capacity = arena.capacity(smaller)
    const offset = (capacity - size) >> 1
    this.copyBetween(entry, this.word(node, OFFSET), smaller, offset, size)
    arena.release(entry)
    this.setWord(node, ENTRY, smaller)
    this.setWord(node, OFFSET, offset)
    this.setWord(node, CAPACITY, capacity)
  }

  private copyBetween(from: Ref, fromAt: number, to: Ref, toAt: number, length: number): void {
    const { arena } = this
    const source = arena.at8(from) + fromAt
    const target = arena.at8(to) + toAt
    if (length <= WORD_COPY_BYTES_MAX) copyWords(arena.viewData(from), source, arena.viewData(to), target, length)
    else copyBytes(arena.view8(from), source, arena.view8(to), target, length)
  }

  private word(node: QuicklistNodeRef, word: number): number {
    const { arena } = this
    return arena.view32(node)[arena.at32(node) + word]!
  }

  private setWord(node: QuicklistNodeRef, word: number, value: number): void {
    const { arena } = this
    arena.view32(node)[arena.at32(node) + word] = value
  }
}

/** Whether Redis would add an element of so many bytes to a node of a list with this list-max-listpack-size. */
export function allowsElement(fill: number, sizeBytes: number, count: number, length: number): boolean {
  const size = sizeBytes + length + ELEMENT_OVERHEAD_BYTES
  return fill < 0 ? size <= fillBytes(fill) : size <= SAFE_BYTES_MAX && count < fill
}

/** The most bytes of a node where list-max-listpack-size is negative. */
export function fillBytes(fill: number): number {
  return FILL_BYTES << (-fill - 1)
}
