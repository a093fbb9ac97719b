/**
 * Quicklists: what Redis keeps lists in. A chain of nodes that hold listpacks, or one large element each.
 *
 *   root, 5 words   | head | tail | count | nodes | fill : 16, compress : 16 |
 *
 *   head -> node <-> node <-> ... <-> node <- tail
 *             listpack  listpack (compressed)  listpack
 *
 * `fill` and `compress` are list-max-listpack-size and list-compress-depth as they were when the list was made. How elements are
 * spread over nodes, and which nodes are compressed, is what redis-server 7.0.15 does: DUMP and DEBUG OBJECT show it.
 * So do the listpacks, byte for byte.
 *
 * Reading unpacks a compressed node aside and leaves it as it is. A list without elements is the caller's to remove.
 * Maximums: 2^32 - 1 elements.
 * Cost: ends O(1); seeking O(nodes) from the nearer end, then O(elements of a node).
 * Where it differs from Redis: a range of nodes that is removed comes off as a list of its own, to be freed in steps.
 * Hot path: LPUSH, RPUSH, LPOP, RPOP, LRANGE of bench/server.
 * Source: observed behaviour of redis-server 7.0.15.
 */
import type { Arena, Ref } from '../memory/arena.ts'
import {
  backlenBytes,
  elementBefore,
  elementEquals,
  encodedBytes,
  isEnd,
  LISTPACK_HEADER_BYTES,
  type ListpackReader,
  NO_ELEMENT,
  nextElement,
  previousElement,
  seekElement,
  skipElement,
} from './listpack.ts'
import {
  allowsElement,
  COMPRESSED,
  DONT_COMPRESS,
  fillBytes,
  NODE_COUNT,
  NODE_NEXT,
  NODE_PREVIOUS,
  NodeView,
  type QuicklistNodeRef,
  QuicklistNodes,
  RECOMPRESS,
  SAFE_BYTES_MAX,
} from './quicklist-nodes.ts'

declare const quicklistRef: unique symbol
export type QuicklistRef = Ref & { readonly [quicklistRef]?: never }

const HEAD = 0
const TAIL = 1
const COUNT = 2
const NODES = 3
const OPTIONS = 4
const ROOT_BYTES = 20

const FILL_MAX = 0x7fff
const FILL_MIN = -5
const COMPRESS_MAX = 0xffff

/** What it takes off when it reckons the size of two nodes together. */
const MERGE_OVERHEAD_BYTES = 11
/** From so many nodes on a new one is made in its full size at once. */
const FULL_SIZE_NODES_MIN = 3
/** First bytes of the elements that most are: texts of up to 63 bytes, behind one byte that says how many. */
const SHORT_TEXT = 0x80
const SHORT_TEXT_END = 0xc0
/** Nodes that one step of freeing frees. */
const RELEASE_NODES = 24

/** Where somebody stands in a list. Edits of the list by other means than this cursor make it worthless. */
export class QuicklistCursor extends NodeView {
  root: QuicklistRef = 0
  /** 0: behind the last element. */
  node: QuicklistNodeRef = 0
  isReversed = false
  /** The element in `bytes`; the beginning of a plain one. */
  at = NO_ELEMENT
}

/** Where elements go. */
export interface ElementSink {
  /** `data`: the DataView of `bytes`, if there is one. */
  bulk(bytes: Uint8Array, start: number, length: number, data?: DataView | null): void
}

export class Quicklists {
  /** DEBUG QUICKLIST-PACKED-THRESHOLD: elements from this size on have a node of their own. */
  plainBytesMin = 2 ** 30
  readonly nodes: QuicklistNodes
  private readonly arena: Arena

  constructor(arena: Arena) {
    this.arena = arena
    this.nodes = new QuicklistNodes(arena)
  }

  /** An empty list, made with list-max-listpack-size and list-compress-depth. */
  create(fill: number, compress: number): QuicklistRef {
    const { arena } = this
    const root = arena.allocate(ROOT_BYTES)
    const words = arena.view32(root)
    const at = arena.at32(root)
    words[at + HEAD] = 0
    words[at + TAIL] = 0
    words[at + COUNT] = 0
    words[at + NODES] = 0
    const fillBits = Math.max(FILL_MIN, Math.min(fill, FILL_MAX)) & 0xffff
    words[at + OPTIONS] = (Math.max(0, Math.min(compress, COMPRESS_MAX)) << 16) | fillBits
    return root
  }

  release(root: QuicklistRef): void {
    while (this.releaseSome(root));
  }

  /** Frees some nodes of a list that nobody uses any more, and the root with the last. True: there is more. */
  releaseSome(root: QuicklistRef): boolean {
    const { nodes } = this
    let node = this.head(root)
    for (let i = 0; node !== 0 && i < RELEASE_NODES; i++) {
      const next = nodes.next(node)
      nodes.release(node)
      node = next
    }
    if (node === 0) this.arena.release(root)
    else this.setWord(root, HEAD, node)
    return node !== 0
  }

  /** Moves some nodes, from the one numbered `position` on, out of pages that are to be left. Returns the next number, -1 after the last. */
  relocate(root: QuicklistRef, position: number): number {
    const { nodes } = this
    let node = this.head(root)
    for (let i = 0; node !== 0 && i < position; i++) node = nodes.next(node)
    for (let i = 0; node !== 0; i++) {
      if (i === RELEASE_NODES) return position + i
      const moved = nodes.relocate(node)
      if (moved !== node) {
        if (this.head(root) === node) this.setWord(root, HEAD, moved)
        if (this.word(root, TAIL) === node) this.setWord(root, TAIL, moved)
      }
      node = nodes.next(moved)
    }
    return -1
  }

  /** An independent copy, node by node. Throws ArenaFullError. */
  copy(root: QuicklistRef): QuicklistRef {
    const { nodes } = this
    const made = this.create(this.fill(root), this.compressDepth(root))
    try {
      for (let node = this.head(root); node !== 0; node = nodes.next(node)) this.link(made, nodes.copy(node))
    } catch (error) {
      this.release(made)
      throw error
    }
    return made
  }

  count(root: QuicklistRef): number {
    return this.word(root, COUNT) >>> 0
  }

  nodeCount(root: QuicklistRef): number {
    return this.word(root, NODES)
  }

  head(root: QuicklistRef): QuicklistNodeRef {
    return this.word(root, HEAD)
  }

  tail(root: QuicklistRef): QuicklistNodeRef {
    return this.word(root, TAIL)
  }

  fill(root: QuicklistRef): number {
    return fillOf(this.word(root, OPTIONS))
  }

  compressDepth(root: QuicklistRef): number {
    return this.word(root, OPTIONS) >>> 16
  }

  /** Bytes of its blocks, reckoned from the first `samples` nodes; 0 = all. */
  sizeBytes(root: QuicklistRef, samples: number): number {
    const { nodes } = this
    let bytes = 0
    let seen = 0
    for (let node = this.head(root); node !== 0 && (samples === 0 || seen < samples); node = nodes.next(node)) {
      bytes += nodes.blockBytes(node)
      seen++
    }
    const rootBytes = this.arena.capacity(root)
    return seen === 0 ? rootBytes : rootBytes + Math.round((bytes / seen) * this.nodeCount(root))
  }

  // Ends

  /** Adds an element at an end. It must not lie in the list. Hot. */
  push(root: QuicklistRef, isTail: boolean, bytes: Uint8Array, start: number, length: number): void {
    const { nodes, arena } = this
    const words = arena.view32(root)
    const at = arena.at32(root)
    const end = words[at + (isTail ? TAIL : HEAD)]!
    if (length >= this.plainBytesMin) {
      this.insertNode(root, end, nodes.createPlain(bytes, start, length), isTail)
      return
    }
    nodes.encoder.text(bytes, start, length)
    if (end === 0 || !nodes.pushWithin(end, isTail, fillOf(words[at + OPTIONS]!), length)) {
      this.pushNode(root, end, isTail)
      return
    }
    words[at + COUNT]! += 1
  }

  /** Shows the element at an end of a list that has some. */
  readEnd(root: QuicklistRef, isTail: boolean, cursor: QuicklistCursor, reader: ListpackReader): void {
    const node = this.word(root, isTail ? TAIL : HEAD)
    cursor.root = root
    cursor.isReversed = isTail
    this.enter(cursor, node)
    this.read(cursor, reader)
  }

  /** Removes the element at an end of a list that has some. Hot. */
  drop(root: QuicklistRef, isTail: boolean): void {
    const { nodes, arena } = this
    const node = this.word(root, isTail ? TAIL : HEAD)
    if (nodes.count(node) === 1) {
      this.deleteNode(root, node)
      return
    }
    if ((nodes.flags(node) & COMPRESSED) !== 0) nodes.decompress(node, false)
    nodes.drop(node, isTail)
    arena.view32(root)[arena.at32(root) + COUNT]! -= 1
  }

  // Walking

  /** Puts the cursor on the element at an index, from the end if negative. False: there is none. */
  seek(cursor: QuicklistCursor, root: QuicklistRef, index: number, isReversed: boolean): boolean {
    const count = this.count(root)
    const first = index < 0 ? index + count : index
    if (!(first >= 0 && first < count)) return false
    const node = this.nodeAt(root, first)
    cursor.root = root
    cursor.isReversed = isReversed
    this.load(cursor, node)
    if (!cursor.isPlain) cursor.at = seekElement(cursor.bytes, cursor.start, this.foundOffset)
    return true
  }

  /** Moves on in the cursor's direction. False: there is no further element. */
  advance(cursor: QuicklistCursor): boolean {
    if (!cursor.isPlain) {
      const { bytes, at } = cursor
      const next = cursor.isReversed ? previousElement(bytes, cursor.start, at) : nextElement(bytes, at)
      if (next !== NO_ELEMENT) {
        cursor.at = next
        return true
      }
    }
    return this.advanceNode(cursor)
  }

  /** Moves on to the next node, whatever is left of this one. False: there is none. */
  advanceNode(cursor: QuicklistCursor): boolean {
    const { nodes } = this
    const next = cursor.isReversed ? nodes.previous(cursor.node) : nodes.next(cursor.node)
    this.leave(cursor)
    if (next === 0) return false
    this.enter(cursor, next)
    return true
  }

  /** The cursor is done with: what it unpacked to edit is compressed again. */
  leave(cursor: QuicklistCursor): void {
    if (cursor.node !== 0) this.recompress(cursor.node)
    cursor.node = 0
  }

  /** Reads the element under the cursor as text. */
  read(cursor: QuicklistCursor, reader: ListpackReader): void {
    if (!cursor.isPlain) {
      reader.readText(cursor.bytes, cursor.at)
      return
    }
    reader.isInteger = false
    reader.bytes = cursor.bytes
    reader.start = cursor.start
    reader.length = cursor.length
  }

  /** Hands out `count` elements from the cursor on in its direction: there are so many. Hot. */
  readSome(cursor: QuicklistCursor, count: number, reader: ListpackReader, out: ElementSink): void {
    for (let left = count; ; ) {
      left = cursor.isPlain ? this.readPlain(cursor, left, reader, out) : readNode(cursor, left, reader, out)
      if (left === 0) return
      this.advanceNode(cursor)
    }
  }

  private readPlain(cursor: QuicklistCursor, wanted: number, reader: ListpackReader, out: ElementSink): number {
    this.read(cursor, reader)
    out.bulk(reader.bytes, reader.start, reader.length)
    return wanted - 1
  }

  /** Whether the element under the cursor is this. */
  equals(cursor: QuicklistCursor, text: Uint8Array, start: number, length: number): boolean {
    if (!cursor.isPlain) return elementEquals(cursor.bytes, cursor.at, text, start, length)
    if (cursor.length !== length) return false
    const { bytes } = cursor
    for (let i = 0; i < length; i++) if (bytes[cursor.start + i] !== text[start + i]) return false
    return true
  }

  // Editing at a cursor

  /** Removes the element under the cursor, which then stands on the next in its direction. False: there is none. */
  deleteAt(cursor: QuicklistCursor): boolean {
    const { nodes } = this
    const { root, node, isReversed } = cursor
    if (cursor.isPlain || nodes.count(node) === 1) {
      const next = isReversed ? nodes.previous(node) : nodes.next(node)
      this.deleteNode(root, node)
      cursor.node = 0
      if (next === 0) return false
      this.enter(cursor, next)
      return true
    }
    const from = cursor.at - cursor.start
    const length = encodedBytes(cursor.bytes, cursor.at)
    const total = length + backlenBytes(length)
    const before = isReversed ? previousElement(cursor.bytes, cursor.start, cursor.at) : NO_ELEMENT
    const beforeOffset = before - cursor.start
    this.openForUse(cursor)
    nodes.cut(node, from, from + total, 1)
    this.addCount(root, -1)
    this.load(cursor, node)
    if (isReversed) {
      if (before === NO_ELEMENT) return this.advanceNode(cursor)
      cursor.at = cursor.start + beforeOffset
      return true
    }
    cursor.at = cursor.start + from
    return isEnd(cursor.bytes, cursor.at) ? this.advanceNode(cursor) : true
  }

  /** Adds an element behind or before the one under the cursor, which is worthless then. */
  insertAt(cursor: QuicklistCursor, isAfter: boolean, bytes: Uint8Array, start: number, length: number): void {
    const { nodes } = this
    const { root, node } = cursor
    const offset = cursor.isPlain ? 0 : cursor.at - cursor.start
    const behind = cursor.isPlain ? 0 : skipElement(cursor.bytes, cursor.at) - cursor.start
    const isAtEnd =
      cursor.isPlain || (isAfter ? isEnd(cursor.bytes, cursor.start + behind) : offset === LISTPACK_HEADER_BYTES)
    const neighbour = isAfter ? nodes.next(node) : nodes.previous(node)
    cursor.node = 0
    if (length >= this.plainBytesMin) {
      const plain = nodes.createPlain(bytes, start, length)
      if (isAtEnd) this.insertNode(root, node, plain, isAfter)
      else this.splitAround(root, node, isAfter ? behind : offset, isAfter, plain)
      return
    }
    nodes.encoder.text(bytes, start, length)
    if (this.allowsInsert(root, node, length)) {
      nodes.decompress(node, true)
      nodes.insert(node, isAfter ? behind : offset, 0)
      this.recompress(node)
      this.addCount(root, 1)
    } else if (isAtEnd && this.allowsInsert(root, neighbour, length)) {
      nodes.decompress(neighbour, true)
      nodes.push(neighbour, !isAfter)
      this.recompress(neighbour)
      this.recompress(node)
      this.addCount(root, 1)
    } else if (isAtEnd) {
      this.insertNode(root, node, nodes.createWithElement(0, isAfter), isAfter)
    } else {
      nodes.decompress(node, true)
      const at = isAfter ? behind : offset
      const part = nodes.partOf(node, at, isAfter)
      nodes.push(part, !isAfter)
      this.cutPart(root, node, at, isAfter)
      this.insertNode(root, node, part, isAfter)
      this.mergeAround(root, node)
    }
  }

  /** Puts another element in the place of the one under the cursor, which is worthless then. */
  replaceAt(cursor: QuicklistCursor, bytes: Uint8Array, start: number, length: number): void {
    const { nodes } = this
    const { root, node } = cursor
    const isLarge = length >= this.plainBytesMin
    if (cursor.isPlain) {
      if (!isLarge) {
        this.insertAt(cursor, true, bytes, start, length)
        this.deleteNode(root, node)
        return
      }
      const plain = nodes.createPlain(bytes, start, length)
      this.replaceNode(root, node, plain)
      this.settle(root, plain)
      return
    }
    const offset = cursor.at - cursor.start
    const encoded = encodedBytes(cursor.bytes, cursor.at)
    const replaced = encoded + backlenBytes(encoded)
    if (!isLarge) {
      nodes.decompress(node, true)
      nodes.encoder.text(bytes, start, length)
      nodes.insert(node, offset, replaced)
      this.settle(root, node)
      cursor.node = 0
      return
    }
    nodes.decompress(node, true)
    nodes.setFlags(node, nodes.flags(node) | DONT_COMPRESS)
    try {
      this.insertAt(cursor, true, bytes, start, length)
    } finally {
      nodes.setFlags(node, nodes.flags(node) & ~DONT_COMPRESS)
    }
    if (nodes.count(node) === 1) {
      this.deleteNode(root, node)
      return
    }
    // It is the last of its node now: the others went behind the large one.
    nodes.drop(node, true)
    this.addCount(root, -1)
    this.settle(root, node)
    const next = nodes.next(node)
    if (next !== 0) this.settle(root, next)
  }

  /**
   * Removes `count` elements from an index on, 0 or more, or as many as there are. Returns 0, or what came off in whole
   * nodes as a list of its own, for the caller to free. Throws ArenaFullError before anything has changed.
   */
  deleteRange(root: QuicklistRef, index: number, count: number): QuicklistRef {
    const { nodes } = this
    const held = this.count(root)
    const extent = Math.min(count, held - index)
    if (!(extent > 0)) return 0
    const first = this.nodeAt(root, index)
    const offset = this.foundOffset
    let chain = first
    let chainIndex = this.foundIndex
    let last: QuicklistNodeRef = 0
    let lastOffset = 0
    let lastIndex = this.nodeCount(root)
    if (index + extent < held) {
      last = this.nodeAt(root, index + extent)
      lastOffset = this.foundOffset
      lastIndex = this.foundIndex
    }
    if (first === last) {
      nodes.decompress(first, true)
      this.cutElements(root, first, offset, extent)
      this.recompress(first)
      return 0
    }
    const isPartial = offset > 0
    if (isPartial) {
      chain = nodes.next(first)
      chainIndex++
    }
    // Memory first: what follows does not fail.
    let detached: QuicklistRef = 0
    try {
      if (isPartial) nodes.decompress(first, true)
      if (lastOffset > 0) nodes.decompress(last, true)
      if (chain !== last) detached = this.create(this.fill(root), 0)
    } catch (error) {
      this.recompress(first)
      if (last !== 0) this.recompress(last)
      throw error
    }
    // It waits for its turn unpacked.
    if (lastOffset > 0) nodes.setFlags(last, nodes.flags(last) | DONT_COMPRESS)
    if (isPartial) {
      this.cutElements(root, first, offset, nodes.count(first) - offset)
      this.recompress(first)
    }
    if (detached !== 0) {
      // All that was there, less what goes on existing, less what goes from the two nodes that stay.
      const elements = this.count(root) - (held - extent) - lastOffset
      this.detach(root, chain, last, lastIndex - chainIndex, elements, detached)
    }
    if (lastOffset > 0) {
      this.cutElements(root, last, 0, lastOffset)
      const isUnpacked = (nodes.flags(last) & RECOMPRESS) !== 0
      nodes.setFlags(last, nodes.flags(last) & ~(RECOMPRESS | DONT_COMPRESS))
      if (isUnpacked) this.keepDepth(root, last)
    }
    return detached
  }

  // Nodes, for files

  /** Adds a node with bytes that are a valid listpack with elements. */
  appendListpack(root: QuicklistRef, bytes: Uint8Array, start: number, length: number): void {
    this.insertNode(root, this.tail(root), this.nodes.createFromListpack(bytes, start, length), true)
  }

  /** Adds a node with one element that is not in a listpack. */
  appendPlain(root: QuicklistRef, bytes: Uint8Array, start: number, length: number): void {
    this.insertNode(root, this.tail(root), this.nodes.createPlain(bytes, start, length), true)
  }

  // Private: nodes in the chain

  /** What `nodeAt` found: the element's index in the node, and the node's in the chain. */
  private foundOffset = 0
  private foundIndex = 0

  /** The node of an element that there is, sought from the nearer end. Hot in long lists. */
  private nodeAt(root: QuicklistRef, index: number): QuicklistNodeRef {
    const { arena } = this
    const count = this.count(root)
    const isForward = index <= (count - 1) / 2
    const link = isForward ? NODE_NEXT : NODE_PREVIOUS
    let node = isForward ? this.head(root) : this.tail(root)
    let left = isForward ? index : count - 1 - index
    let passed = 0
    for (;;) {
      const words = arena.view32(node)
      const at = arena.at32(node)
      const held = words[at + NODE_COUNT]!
      if (left < held) {
        this.foundOffset = isForward ? left : held - 1 - left
        this.foundIndex = isForward ? passed : this.nodeCount(root) - 1 - passed
        return node
      }
      left -= held
      passed++
      node = words[at + link]!
    }
  }

  /** Makes a node the cursor's. */
  private load(cursor: QuicklistCursor, node: QuicklistNodeRef): void {
    cursor.node = node
    this.nodes.view(node, cursor)
    cursor.at = cursor.start
  }

  /** Puts the cursor on the first element of a node in its direction. */
  private enter(cursor: QuicklistCursor, node: QuicklistNodeRef): void {
    this.load(cursor, node)
    if (cursor.isPlain) return
    cursor.at = cursor.isReversed
      ? elementBefore(cursor.bytes, cursor.start + cursor.length - 1)
      : cursor.start + LISTPACK_HEADER_BYTES
  }

  /** Whether Redis would add an element of so many bytes to a node. */
  private allowsInsert(root: QuicklistRef, node: QuicklistNodeRef, length: number): boolean {
    const { nodes } = this
    return (
      node !== 0 && !nodes.isPlain(node) && allowsElement(this.fill(root), nodes.size(node), nodes.count(node), length)
    )
  }

  private allowsMerge(root: QuicklistRef, a: QuicklistNodeRef, b: QuicklistNodeRef): boolean {
    const { nodes } = this
    if (a === 0 || b === 0 || nodes.isPlain(a) || nodes.isPlain(b)) return false
    const size = nodes.size(a) + nodes.size(b) - MERGE_OVERHEAD_BYTES
    const fill = this.fill(root)
    if (fill < 0) return size <= fillBytes(fill)
    return size <= SAFE_BYTES_MAX && nodes.count(a) + nodes.count(b) <= fill
  }

  /** A new node at an end, with the element that the encoder holds. */
  private pushNode(root: QuicklistRef, end: QuicklistNodeRef, isTail: boolean): void {
    const { nodes } = this
    const isLong = this.nodeCount(root) >= FULL_SIZE_NODES_MIN
    const node = nodes.createWithElement(isLong ? Math.min(nodes.size(end), SAFE_BYTES_MAX) : 0, isTail)
    if (end !== 0) nodes.fit(end)
    this.insertNode(root, end, node, isTail)
  }

  /** Puts a node into the chain behind or before another, and sees to what is compressed then. */
  private insertNode(root: QuicklistRef, old: QuicklistNodeRef, node: QuicklistNodeRef, isAfter: boolean): void {
    const { nodes } = this
    if (old === 0) {
      this.setWord(root, HEAD, node)
      this.setWord(root, TAIL, node)
    } else if (isAfter) {
      const next = nodes.next(old)
      nodes.setPrevious(node, old)
      nodes.setNext(node, next)
      nodes.setNext(old, node)
      if (next === 0) this.setWord(root, TAIL, node)
      else nodes.setPrevious(next, node)
    } else {
      const previous = nodes.previous(old)
      nodes.setPrevious(node, previous)
      nodes.setNext(node, old)
      nodes.setPrevious(old, node)
      if (previous === 0) this.setWord(root, HEAD, node)
      else nodes.setNext(previous, node)
    }
    this.setWord(root, NODES, this.nodeCount(root) + 1)
    this.addCount(root, nodes.count(node))
    if (old !== 0) this.settle(root, old)
    this.settle(root, node)
  }

  /** Adds a node at the tail as it is. */
  private link(root: QuicklistRef, node: QuicklistNodeRef): void {
    const { nodes } = this
    const tail = this.tail(root)
    nodes.setPrevious(node, tail)
    if (tail === 0) this.setWord(root, HEAD, node)
    else nodes.setNext(tail, node)
    this.setWord(root, TAIL, node)
    this.setWord(root, NODES, this.nodeCount(root) + 1)
    this.addCount(root, nodes.count(node))
  }

  private replaceNode(root: QuicklistRef, old: QuicklistNodeRef, node: QuicklistNodeRef): void {
    const { nodes } = this
    const previous = nodes.previous(old)
    const next = nodes.next(old)
    nodes.setPrevious(node, previous)
    nodes.setNext(node, next)
    if (previous === 0) this.setWord(root, HEAD, node)
    else nodes.setNext(previous, node)
    if (next === 0) this.setWord(root, TAIL, node)
    else nodes.setPrevious(next, node)
    nodes.release(old)
  }

  private deleteNode(root: QuicklistRef, node: QuicklistNodeRef): void {
    const { nodes } = this
    this.unlink(root, nodes.previous(node), nodes.next(node))
    this.setWord(root, NODES, this.nodeCount(root) - 1)
    this.addCount(root, -nodes.count(node))
    nodes.release(node)
    this.keepDepth(root, 0)
  }

  /** Makes two nodes neighbours; 0 stands for the list's end. */
  private unlink(root: QuicklistRef, previous: QuicklistNodeRef, next: QuicklistNodeRef): void {
    const { nodes } = this
    if (previous === 0) this.setWord(root, HEAD, next)
    else nodes.setNext(previous, next)
    if (next === 0) this.setWord(root, TAIL, previous)
    else nodes.setPrevious(next, previous)
  }

  /** Moves the nodes from `first` up to `behind` to an empty list. */
  private detach(
    root: QuicklistRef,
    first: QuicklistNodeRef,
    behind: QuicklistNodeRef,
    count: number,
    elements: number,
    target: QuicklistRef,
  ): void {
    const { nodes } = this
    const last = behind === 0 ? this.tail(root) : nodes.previous(behind)
    this.unlink(root, nodes.previous(first), behind)
    this.setWord(root, NODES, this.nodeCount(root) - count)
    this.addCount(root, -elements)
    nodes.setPrevious(first, 0)
    nodes.setNext(last, 0)
    this.setWord(target, HEAD, first)
    this.setWord(target, TAIL, last)
    this.setWord(target, NODES, count)
    this.addCount(target, elements)
    // Node by node, as Redis removes them, the list would have come by the length at which all of it is near an end.
    if (this.nodeCount(root) >= this.compressDepth(root) * 2) this.keepDepth(root, 0)
    else for (let node = this.head(root); node !== 0; node = nodes.next(node)) this.unpack(node)
  }

  /** Removes some elements of an unpacked node, not all. */
  private cutElements(root: QuicklistRef, node: QuicklistNodeRef, index: number, count: number): void {
    const { nodes } = this
    const { bytes, start } = this.own(node)
    const from = seekElement(bytes, start, index)
    let to = from
    if (index + count === nodes.count(node)) to = start + nodes.size(node) - 1
    else for (let i = 0; i < count; i++) to = skipElement(bytes, to)
    nodes.cut(node, from - start, to - start, count)
    this.addCount(root, -count)
  }

  /** Removes what `partOf` has copied. */
  private cutPart(root: QuicklistRef, node: QuicklistNodeRef, offset: number, isAfter: boolean): void {
    const { nodes } = this
    const inFront = nodes.countBefore(node, offset)
    const count = isAfter ? nodes.count(node) - inFront : inFront
    if (isAfter) nodes.cut(node, offset, nodes.size(node) - 1, count)
    else nodes.cut(node, LISTPACK_HEADER_BYTES, offset, count)
    this.addCount(root, -count)
  }

  /** Splits a node and puts another between the parts. */
  private splitAround(
    root: QuicklistRef,
    node: QuicklistNodeRef,
    offset: number,
    isAfter: boolean,
    between: QuicklistNodeRef,
  ): void {
    const { nodes } = this
    let part: QuicklistNodeRef
    try {
      nodes.decompress(node, true)
      part = nodes.partOf(node, offset, isAfter)
    } catch (error) {
      nodes.release(between)
      throw error
    }
    this.cutPart(root, node, offset, isAfter)
    this.insertNode(root, node, between, isAfter)
    this.insertNode(root, between, part, isAfter)
  }

  /** Joins nodes around one that was split, where Redis would. */
  private mergeAround(root: QuicklistRef, center: QuicklistNodeRef): void {
    const { nodes } = this
    const previous = nodes.previous(center)
    const next = nodes.next(center)
    const beforePrevious = previous === 0 ? 0 : nodes.previous(previous)
    const afterNext = next === 0 ? 0 : nodes.next(next)
    if (this.allowsMerge(root, beforePrevious, previous)) this.merge(root, beforePrevious, previous)
    if (this.allowsMerge(root, next, afterNext)) this.merge(root, next, afterNext)
    let target = center
    const neighbour = nodes.previous(center)
    if (this.allowsMerge(root, neighbour, center) && this.merge(root, neighbour, center)) target = neighbour
    const behind = nodes.next(target)
    if (this.allowsMerge(root, target, behind)) this.merge(root, target, behind)
  }

  /** Moves the elements of a node to the one before it. False: there is no memory to do so. */
  private merge(root: QuicklistRef, node: QuicklistNodeRef, next: QuicklistNodeRef): boolean {
    const { nodes } = this
    try {
      nodes.decompress(node, false)
      nodes.decompress(next, false)
      nodes.append(node, next)
    } catch {
      return false
    }
    this.addCount(root, nodes.count(next))
    this.deleteNode(root, next)
    this.settle(root, node)
    return true
  }

  // Private: compression

  /** A node was edited: compresses it again, or sees to it that what is to be compressed is. */
  private settle(root: QuicklistRef, node: QuicklistNodeRef): void {
    if ((this.nodes.flags(node) & RECOMPRESS) !== 0) this.compress(node)
    else this.keepDepth(root, node)
  }

  private recompress(node: QuicklistNodeRef): void {
    if ((this.nodes.flags(node) & RECOMPRESS) !== 0) this.compress(node)
  }

  /** Neither end of a list is ever compressed. */
  private compress(node: QuicklistNodeRef): void {
    const { nodes } = this
    if (nodes.previous(node) !== 0 && nodes.next(node) !== 0) nodes.compress(node)
    else nodes.setFlags(node, nodes.flags(node) & ~RECOMPRESS)
  }

  /** Unpacks the nodes near the ends, and compresses those next to them and `node` (0: none) if it lies between. */
  private keepDepth(root: QuicklistRef, node: QuicklistNodeRef): void {
    const depth = this.compressDepth(root)
    if (depth === 0) return
    const { nodes } = this
    const length = this.nodeCount(root)
    if (length === 0 || length < depth * 2) return
    let forward = this.head(root)
    let reverse = this.tail(root)
    let isNearEnd = false
    for (let i = 0; i < depth; i++) {
      this.unpack(forward)
      this.unpack(reverse)
      if (forward === node || reverse === node) isNearEnd = true
      if (forward === reverse || nodes.next(forward) === reverse) return
      forward = nodes.next(forward)
      reverse = nodes.previous(reverse)
    }
    if (node !== 0 && !isNearEnd) this.compress(node)
    this.compress(forward)
    this.compress(reverse)
  }

  /** Unpacks a node if there is memory to do so: it can be read and edited as it is. */
  private unpack(node: QuicklistNodeRef): void {
    try {
      this.nodes.decompress(node, false)
    } catch {
      // It stays compressed.
    }
  }

  /** Unpacks the cursor's node to be edited. */
  private openForUse(cursor: QuicklistCursor): void {
    this.nodes.decompress(cursor.node, true)
  }

  private readonly ownView = new NodeView()

  private own(node: QuicklistNodeRef): NodeView {
    this.nodes.view(node, this.ownView)
    return this.ownView
  }

  private addCount(root: QuicklistRef, change: number): void {
    const { arena } = this
    arena.view32(root)[arena.at32(root) + COUNT]! += change
  }

  private word(root: QuicklistRef, word: number): number {
    const { arena } = this
    return arena.view32(root)[arena.at32(root) + word]!
  }

  private setWord(root: QuicklistRef, word: number, value: number): void {
    const { arena } = this
    arena.view32(root)[arena.at32(root) + word] = value
  }
}

/** list-max-listpack-size, of a root's options. */
function fillOf(options: number): number {
  return (options << 16) >> 16
}

/** Hands out elements from the cursor on, up to `wanted` or the last of the node; returns how many are still wanted. Hot. */
function readNode(cursor: QuicklistCursor, wanted: number, reader: ListpackReader, out: ElementSink): number {
  const { bytes, data, start, isReversed } = cursor
  let left = wanted
  for (let { at } = cursor; at !== NO_ELEMENT && left > 0; left--) {
    const first = bytes[at]!
    if (first >= SHORT_TEXT && first < SHORT_TEXT_END) out.bulk(bytes, at + 1, first - SHORT_TEXT, data)
    else {
      reader.readText(bytes, at)
      out.bulk(reader.bytes, reader.start, reader.length)
    }
    at = isReversed ? previousElement(bytes, start, at) : nextElement(bytes, at)
  }
  return left
}
