/**
 * An ordered map from 128-bit ids to refs: the nodes of a stream, and the pending entries of groups and consumers.
 * A B+ tree whose leaves are chained.
 *
 *   tree, the first five words of a block that its owner goes on behind:
 *     0 root   1 first leaf   2 last leaf   3 entries   4 height (0 = empty, 1 = the root is a leaf)
 *   node: | begin | end | previous leaf | next leaf | entry ... |
 *   entry, five words: | ms high | ms low | seq high | seq low | value: a ref, in inner nodes a child |
 *
 * Entries of a node stand at [begin, end), so that taking from the front, which is what trimming and acknowledging do,
 * moves nothing. The id of a child in an inner node is a lower bound of the ids below it; that of the first child does
 * not count, as if it were the least.
 * Invariants: ids ascend along the chain; no node but the root of an empty tree is empty; every node but a root that is a
 * leaf has a block of NODE_BYTES, that one has what it needs.
 * Cost: find, insert and remove O(log n), appending and both ends O(1); 20 bytes per entry when appended, which fills
 * nodes completely, and 27 on average otherwise.
 * Maximums: 2^31 - 1 entries.
 * Where it differs from Redis: rax, a radix tree, with a block per entry and for each path that branches.
 * Hot path: bench/micro/stream.ts. Source: Comer, The Ubiquitous B-Tree (1979).
 */
import { type Arena, ArenaFullError, type Ref } from '../memory/arena.ts'
import { StreamId } from './stream-id.ts'

/** A block that begins with a tree. */
export type IdTreeRef = Ref

export const TREE_WORDS = 5
const ROOT = 0
const FIRST = 1
const LAST = 2
const COUNT = 3
const HEIGHT = 4

const NODE_BEGIN = 0
const NODE_END = 1
const NODE_PREVIOUS = 2
const NODE_NEXT = 3
const NODE_WORDS = 4
const ENTRY_WORDS = 5
const ENTRY_VALUE = 4
/** A size class of the arena. */
const NODE_BYTES = 1280
const NODE_ENTRIES = Math.floor((NODE_BYTES / 4 - NODE_WORDS) / ENTRY_WORDS)
/** Below this many entries a node looks for a neighbour to join. */
const SPARSE_ENTRIES = NODE_ENTRIES >> 2
/** Neighbours join if they have no more together: there is room for others, or the next entries would part them again. */
const JOINED_ENTRIES_MAX = NODE_ENTRIES - SPARSE_ENTRIES
const HEIGHT_MAX = 16
const LEAST = new StreamId()

/** A place in a tree. Dead after a change to the tree other than `IdTree.setValue`. */
export class IdCursor {
  /** 0: no place. */
  leaf: Ref = 0
  index = 0

  get isAt(): boolean {
    return this.leaf !== 0
  }
}

export class IdTree {
  private readonly arena: Arena
  /** The way from the root to a leaf: nodes, and which entry was taken in each. */
  private readonly pathNodes = new Int32Array(HEIGHT_MAX)
  private readonly pathIndexes = new Int32Array(HEIGHT_MAX)
  /** Where `makeRoom` has found or made room. */
  private placeNode: Ref = 0
  private placeIndex = 0
  private readonly bound = new StreamId()

  constructor(arena: Arena) {
    this.arena = arena
  }

  /** Makes the first words of a block an empty tree. */
  begin(tree: IdTreeRef): void {
    const { arena } = this
    const at = arena.at32(tree)
    arena.view32(tree).fill(0, at, at + TREE_WORDS)
  }

  count(tree: IdTreeRef): number {
    return this.arena.view32(tree)[this.arena.at32(tree) + COUNT]!
  }

  /** The value of an id, or 0. */
  find(tree: IdTreeRef, id: StreamId): Ref {
    const { arena } = this
    const leaf = this.descend(tree, id)
    if (leaf === 0) return 0
    const words = arena.view32(leaf)
    const at = arena.at32(leaf)
    const index = lowerBound(words, at, id)
    if (index === words[at + NODE_END] || !isAtEntry(words, entryAt(at, index), id)) return 0
    return words[entryAt(at, index) + ENTRY_VALUE]!
  }

  /** Adds an entry. Returns 0, or the value that the id has already: then nothing changes. Throws ArenaFullError. */
  insert(tree: IdTreeRef, id: StreamId, value: Ref): Ref {
    const { arena } = this
    const treeWords = arena.view32(tree)
    const treeAt = arena.at32(tree)
    const last = treeWords[treeAt + LAST]!
    if (last === 0) {
      this.addFirst(tree, id, value)
      return 0
    }
    const words = arena.view32(last)
    const at = arena.at32(last)
    const end = words[at + NODE_END]!
    const order = compareEntry(words, entryAt(at, end - 1), id)
    if (order === 0) return words[entryAt(at, end - 1) + ENTRY_VALUE]!
    if (order < 0 && end < this.capacity(last)) {
      putEntry(words, entryAt(at, end), id, value)
      words[at + NODE_END] = end + 1
      treeWords[treeAt + COUNT]!++
      return 0
    }
    return this.insertSlow(tree, id, value)
  }

  /** Removes an id and returns its value, or 0 if it is not there. */
  remove(tree: IdTreeRef, id: StreamId): Ref {
    const { arena } = this
    const leaf = this.descend(tree, id)
    if (leaf === 0) return 0
    const words = arena.view32(leaf)
    const at = arena.at32(leaf)
    const index = lowerBound(words, at, id)
    if (index === words[at + NODE_END] || !isAtEntry(words, entryAt(at, index), id)) return 0
    const value = words[entryAt(at, index) + ENTRY_VALUE]!
    const height = this.height(tree)
    this.pathIndexes[height - 1] = index
    this.takeOut(words, at, index)
    arena.view32(tree)[arena.at32(tree) + COUNT]!--
    this.settle(tree, height - 1)
    return value
  }

  /** Takes out all entries of the first leaf of a tree that is not empty. Their values are the caller's. */
  removeFirstLeaf(tree: IdTreeRef): void {
    const { arena, pathNodes, pathIndexes } = this
    const treeWords = arena.view32(tree)
    const treeAt = arena.at32(tree)
    const leafLevel = this.height(tree) - 1
    let node = treeWords[treeAt + ROOT]!
    if (leafLevel === 0) {
      arena.release(node)
      this.begin(tree)
      return
    }
    treeWords[treeAt + COUNT]! -= this.leafCount(tree)
    for (let level = 0; level < leafLevel; level++) {
      const words = arena.view32(node)
      const at = arena.at32(node)
      pathNodes[level] = node
      pathIndexes[level] = words[at + NODE_BEGIN]!
      node = words[entryAt(at, words[at + NODE_BEGIN]!) + ENTRY_VALUE]!
    }
    this.dropChild(tree, leafLevel, pathIndexes[leafLevel - 1]!, node, true)
  }

  // Places

  seekFirst(tree: IdTreeRef, cursor: IdCursor): boolean {
    const { arena } = this
    const leaf = arena.view32(tree)[arena.at32(tree) + FIRST]!
    cursor.leaf = leaf
    if (leaf === 0) return false
    cursor.index = arena.view32(leaf)[arena.at32(leaf) + NODE_BEGIN]!
    return true
  }

  seekLast(tree: IdTreeRef, cursor: IdCursor): boolean {
    const { arena } = this
    const leaf = arena.view32(tree)[arena.at32(tree) + LAST]!
    cursor.leaf = leaf
    if (leaf === 0) return false
    cursor.index = arena.view32(leaf)[arena.at32(leaf) + NODE_END]! - 1
    return true
  }

  /** The first entry that is not below an id. */
  seekAtLeast(tree: IdTreeRef, id: StreamId, cursor: IdCursor): boolean {
    const { arena } = this
    const leaf = this.descend(tree, id)
    cursor.leaf = leaf
    if (leaf === 0) return false
    const words = arena.view32(leaf)
    const at = arena.at32(leaf)
    cursor.index = lowerBound(words, at, id)
    if (cursor.index < words[at + NODE_END]!) return true
    cursor.index--
    return this.next(cursor)
  }

  /** The last entry that is not above an id. */
  seekAtMost(tree: IdTreeRef, id: StreamId, cursor: IdCursor): boolean {
    const { arena } = this
    const leaf = this.descend(tree, id)
    cursor.leaf = leaf
    if (leaf === 0) return false
    const words = arena.view32(leaf)
    const at = arena.at32(leaf)
    cursor.index = lowerBound(words, at, id)
    if (cursor.index < words[at + NODE_END]! && isAtEntry(words, entryAt(at, cursor.index), id)) return true
    return this.previous(cursor)
  }

  /** Goes one on. False: there is no more, and the cursor is nowhere. */
  next(cursor: IdCursor): boolean {
    const { arena } = this
    const words = arena.view32(cursor.leaf)
    const at = arena.at32(cursor.leaf)
    if (++cursor.index < words[at + NODE_END]!) return true
    const leaf = words[at + NODE_NEXT]!
    cursor.leaf = leaf
    if (leaf === 0) return false
    cursor.index = arena.view32(leaf)[arena.at32(leaf) + NODE_BEGIN]!
    return true
  }

  /** Goes one back. */
  previous(cursor: IdCursor): boolean {
    const { arena } = this
    const words = arena.view32(cursor.leaf)
    const at = arena.at32(cursor.leaf)
    if (--cursor.index >= words[at + NODE_BEGIN]!) return true
    const leaf = words[at + NODE_PREVIOUS]!
    cursor.leaf = leaf
    if (leaf === 0) return false
    cursor.index = arena.view32(leaf)[arena.at32(leaf) + NODE_END]! - 1
    return true
  }

  readId(cursor: IdCursor, id: StreamId): void {
    const { arena } = this
    id.read(arena.view32(cursor.leaf), entryAt(arena.at32(cursor.leaf), cursor.index))
  }

  value(cursor: IdCursor): Ref {
    const { arena } = this
    return arena.view32(cursor.leaf)[entryAt(arena.at32(cursor.leaf), cursor.index) + ENTRY_VALUE]!
  }

  setValue(cursor: IdCursor, value: Ref): void {
    const { arena } = this
    arena.view32(cursor.leaf)[entryAt(arena.at32(cursor.leaf), cursor.index) + ENTRY_VALUE] = value
  }

  // The whole

  /** Frees the tree's nodes; values are the caller's. */
  release(tree: IdTreeRef): void {
    while (this.dropLeaf(tree)) {}
  }

  /**
   * Frees the first leaf of a tree that nobody looks up anything in any more, with the last one everything else. Returns
   * whether there was one. Before, a cursor from `seekFirst` reaches its values: as many as `leafCount` says.
   */
  dropLeaf(tree: IdTreeRef): boolean {
    const { arena } = this
    const words = arena.view32(tree)
    const at = arena.at32(tree)
    const leaf = words[at + FIRST]!
    if (leaf === 0) return false
    const next = arena.view32(leaf)[arena.at32(leaf) + NODE_NEXT]!
    words[at + FIRST] = next
    arena.release(leaf)
    if (next === 0) {
      if (words[at + HEIGHT]! > 1) this.releaseInner(words[at + ROOT]!, words[at + HEIGHT]!)
      this.begin(tree)
    }
    return true
  }

  /** Entries of the first leaf. */
  leafCount(tree: IdTreeRef): number {
    const { arena } = this
    const leaf = arena.view32(tree)[arena.at32(tree) + FIRST]!
    if (leaf === 0) return 0
    const at = arena.at32(leaf)
    return arena.view32(leaf)[at + NODE_END]! - arena.view32(leaf)[at + NODE_BEGIN]!
  }

  /** Bytes of the tree's nodes. */
  sizeBytes(tree: IdTreeRef): number {
    const { arena } = this
    const root = arena.view32(tree)[arena.at32(tree) + ROOT]!
    return root === 0 ? 0 : this.nodeBytes(root, this.height(tree))
  }

  private nodeBytes(node: Ref, height: number): number {
    const { arena } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    const begin = words[at + NODE_BEGIN]!
    const end = words[at + NODE_END]!
    if (height === 1) return arena.capacity(node)
    // All leaves of such a tree are alike.
    if (height === 2) return arena.capacity(node) + (end - begin) * NODE_BYTES
    let total = arena.capacity(node)
    for (let i = begin; i < end; i++) total += this.nodeBytes(words[entryAt(at, i) + ENTRY_VALUE]!, height - 1)
    return total
  }

  private releaseInner(node: Ref, height: number): void {
    const { arena } = this
    if (height > 2) {
      const words = arena.view32(node)
      const at = arena.at32(node)
      for (let i = words[at + NODE_BEGIN]!; i < words[at + NODE_END]!; i++) {
        this.releaseInner(words[entryAt(at, i) + ENTRY_VALUE]!, height - 1)
      }
    }
    arena.release(node)
  }

  private height(tree: IdTreeRef): number {
    return this.arena.view32(tree)[this.arena.at32(tree) + HEIGHT]!
  }

  /** Entries that a node's block has room for. */
  private capacity(node: Ref): number {
    return Math.floor(((this.arena.capacity(node) >> 2) - NODE_WORDS) / ENTRY_WORDS)
  }

  /** The leaf where an id is or would be, and the way to it. 0: the tree is empty. */
  private descend(tree: IdTreeRef, id: StreamId): Ref {
    const { arena, pathNodes, pathIndexes } = this
    const treeWords = arena.view32(tree)
    const treeAt = arena.at32(tree)
    let node = treeWords[treeAt + ROOT]!
    const height = treeWords[treeAt + HEIGHT]!
    for (let level = 0; level < height - 1; level++) {
      const words = arena.view32(node)
      const at = arena.at32(node)
      const index = childIndex(words, at, id)
      pathNodes[level] = node
      pathIndexes[level] = index
      node = words[entryAt(at, index) + ENTRY_VALUE]!
    }
    if (height > 0) pathNodes[height - 1] = node
    return node
  }

  private allocateNode(entries: number): Ref {
    const { arena } = this
    const bytes = (NODE_WORDS + entries * ENTRY_WORDS) << 2
    const node = arena.allocate(entries >= NODE_ENTRIES ? NODE_BYTES : bytes)
    const at = arena.at32(node)
    arena.view32(node).fill(0, at, at + NODE_WORDS)
    return node
  }

  private addFirst(tree: IdTreeRef, id: StreamId, value: Ref): void {
    const { arena } = this
    const leaf = this.allocateNode(1)
    const at = arena.at32(leaf)
    const words = arena.view32(leaf)
    putEntry(words, entryAt(at, 0), id, value)
    words[at + NODE_END] = 1
    const treeWords = arena.view32(tree)
    const treeAt = arena.at32(tree)
    treeWords[treeAt + ROOT] = leaf
    treeWords[treeAt + FIRST] = leaf
    treeWords[treeAt + LAST] = leaf
    treeWords[treeAt + COUNT] = 1
    treeWords[treeAt + HEIGHT] = 1
  }

  private insertSlow(tree: IdTreeRef, id: StreamId, value: Ref): Ref {
    const { arena } = this
    const leaf = this.descend(tree, id)
    const words = arena.view32(leaf)
    const at = arena.at32(leaf)
    const index = lowerBound(words, at, id)
    if (index < words[at + NODE_END]! && isAtEntry(words, entryAt(at, index), id)) {
      return words[entryAt(at, index) + ENTRY_VALUE]!
    }
    this.makeRoom(tree, this.height(tree) - 1, index, id)
    this.put(this.placeNode, this.placeIndex, id, value)
    arena.view32(tree)[arena.at32(tree) + COUNT]!++
    return 0
  }

  /**
   * Sees to it that the path's node at `level`, or one that takes part of its entries, has room for an entry in front of the
   * one at `index`: at `placeIndex` of `placeNode`. All that can fail happens before anything is changed.
   */
  private makeRoom(tree: IdTreeRef, level: number, index: number, id: StreamId): void {
    const { arena } = this
    const node = this.pathNodes[level]!
    const words = arena.view32(node)
    const at = arena.at32(node)
    const end = words[at + NODE_END]!
    this.placeNode = node
    this.placeIndex = index
    if (words[at + NODE_BEGIN]! > 0 || end < this.capacity(node)) return
    const height = this.height(tree)
    if (height === 1 && arena.capacity(node) < NODE_BYTES) {
      this.growRoot(tree, node)
      this.placeNode = this.pathNodes[0]!
      return
    }
    const isLeaf = level === height - 1
    // What is appended fills nodes: the new entry begins the next one.
    const isAppended = index === end && (!isLeaf || words[at + NODE_NEXT] === 0)
    const cut = isAppended ? end : end >> 1
    const key = new StreamId()
    if (isAppended) key.copyFrom(id)
    else key.read(words, entryAt(at, cut))
    const sibling = this.allocateNode(NODE_ENTRIES)
    try {
      if (level === 0) this.addRoot(tree, node)
      const parent = level === 0 ? 0 : level - 1
      this.makeRoom(tree, parent, this.pathIndexes[parent]! + 1, key)
    } catch (error) {
      arena.release(sibling)
      throw error
    }
    const to = arena.view32(sibling)
    const toAt = arena.at32(sibling)
    copyEntries(words, entryAt(at, cut), to, entryAt(toAt, 0), end - cut)
    to[toAt + NODE_END] = end - cut
    words[at + NODE_END] = cut
    if (isLeaf) this.linkBehind(tree, node, sibling)
    this.put(this.placeNode, this.placeIndex, key, sibling)
    const isBehind = isAppended || index > cut
    this.placeNode = isBehind ? sibling : node
    this.placeIndex = isBehind ? index - cut : index
  }

  /** Puts an entry in front of the one at `index`: the node has room at one end or the other. */
  private put(node: Ref, index: number, id: StreamId, value: Ref): void {
    const { arena } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    const begin = words[at + NODE_BEGIN]!
    const end = words[at + NODE_END]!
    const isFull = end === this.capacity(node)
    if (isFull && index === end) {
      // Entries come at the end and go at the front: all the room there is goes to the end.
      moveEntries(words, entryAt(at, begin), entryAt(at, 0), end - begin)
      putEntry(words, entryAt(at, end - begin), id, value)
      words[at + NODE_BEGIN] = 0
      words[at + NODE_END] = end - begin + 1
    } else if (begin > 0 && (isFull || index - begin < end - index)) {
      moveEntries(words, entryAt(at, begin), entryAt(at, begin - 1), index - begin)
      words[at + NODE_BEGIN] = begin - 1
      putEntry(words, entryAt(at, index - 1), id, value)
    } else {
      moveEntries(words, entryAt(at, index), entryAt(at, index + 1), end - index)
      words[at + NODE_END] = end + 1
      putEntry(words, entryAt(at, index), id, value)
    }
  }

  /** A larger block for a root that is a leaf. */
  private growRoot(tree: IdTreeRef, node: Ref): void {
    const grown = this.allocateNode(Math.min(NODE_ENTRIES, 2 * this.capacity(node) + 1))
    this.replaceRootLeaf(tree, node, grown)
  }

  /** A smaller block for a root that is a leaf, unless memory has ended: what is being removed is gone already. */
  private shrinkRoot(tree: IdTreeRef, node: Ref, entries: number): void {
    try {
      this.replaceRootLeaf(tree, node, this.allocateNode(entries))
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error
    }
  }

  /** Moves a root that is a leaf to another block. */
  private replaceRootLeaf(tree: IdTreeRef, node: Ref, target: Ref): void {
    const { arena } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    const begin = words[at + NODE_BEGIN]!
    const count = words[at + NODE_END]! - begin
    const to = arena.view32(target)
    const toAt = arena.at32(target)
    copyEntries(words, entryAt(at, begin), to, entryAt(toAt, 0), count)
    to[toAt + NODE_END] = count
    const treeWords = arena.view32(tree)
    const treeAt = arena.at32(tree)
    treeWords[treeAt + ROOT] = target
    treeWords[treeAt + FIRST] = target
    treeWords[treeAt + LAST] = target
    this.pathNodes[0] = target
    arena.release(node)
  }

  /** A new root above the old one; the path gets one longer at its start. */
  private addRoot(tree: IdTreeRef, old: Ref): void {
    const { arena, pathNodes, pathIndexes } = this
    const root = this.allocateNode(NODE_ENTRIES)
    const words = arena.view32(root)
    const at = arena.at32(root)
    const treeWords = arena.view32(tree)
    const treeAt = arena.at32(tree)
    const height = treeWords[treeAt + HEIGHT]!
    putEntry(words, entryAt(at, 0), LEAST, old)
    words[at + NODE_END] = 1
    treeWords[treeAt + ROOT] = root
    treeWords[treeAt + HEIGHT] = height + 1
    pathNodes.copyWithin(1, 0, height)
    pathIndexes.copyWithin(1, 0, height)
    pathNodes[0] = root
    pathIndexes[0] = 0
  }

  private linkBehind(tree: IdTreeRef, leaf: Ref, added: Ref): void {
    const { arena } = this
    const words = arena.view32(leaf)
    const at = arena.at32(leaf)
    const next = words[at + NODE_NEXT]!
    const addedWords = arena.view32(added)
    const addedAt = arena.at32(added)
    addedWords[addedAt + NODE_PREVIOUS] = leaf
    addedWords[addedAt + NODE_NEXT] = next
    words[at + NODE_NEXT] = added
    if (next === 0) arena.view32(tree)[arena.at32(tree) + LAST] = added
    else arena.view32(next)[arena.at32(next) + NODE_PREVIOUS] = added
  }

  private unlink(tree: IdTreeRef, leaf: Ref): void {
    const { arena } = this
    const words = arena.view32(leaf)
    const at = arena.at32(leaf)
    const previous = words[at + NODE_PREVIOUS]!
    const next = words[at + NODE_NEXT]!
    const treeWords = arena.view32(tree)
    const treeAt = arena.at32(tree)
    if (previous === 0) treeWords[treeAt + FIRST] = next
    else arena.view32(previous)[arena.at32(previous) + NODE_NEXT] = next
    if (next === 0) treeWords[treeAt + LAST] = previous
    else arena.view32(next)[arena.at32(next) + NODE_PREVIOUS] = previous
  }

  /** Takes an entry out of a node, moving the fewer of the others. */
  private takeOut(words: Int32Array, at: number, index: number): void {
    const begin = words[at + NODE_BEGIN]!
    const end = words[at + NODE_END]!
    if (index - begin < end - index) {
      moveEntries(words, entryAt(at, begin), entryAt(at, begin + 1), index - begin)
      words[at + NODE_BEGIN] = begin + 1
    } else {
      moveEntries(words, entryAt(at, index + 1), entryAt(at, index), end - index - 1)
      words[at + NODE_END] = end - 1
    }
  }

  /** After an entry was taken out of the path's node at `level`: no node is empty, or sparse beside another. */
  private settle(tree: IdTreeRef, level: number): void {
    const { arena, pathNodes, pathIndexes } = this
    const node = pathNodes[level]!
    const words = arena.view32(node)
    const at = arena.at32(node)
    const count = words[at + NODE_END]! - words[at + NODE_BEGIN]!
    const height = this.height(tree)
    const isLeaf = level === height - 1
    if (level === 0) {
      if (!isLeaf) {
        if (count === 1) this.lowerRoot(tree, node)
      } else if (count === 0) {
        arena.release(node)
        this.begin(tree)
      } else if (count << 2 <= this.capacity(node) && this.capacity(node) > 4) {
        this.shrinkRoot(tree, node, count << 1)
      }
      return
    }
    if (count >= SPARSE_ENTRIES) return
    const parent = pathNodes[level - 1]!
    const index = pathIndexes[level - 1]!
    const parentWords = arena.view32(parent)
    const parentAt = arena.at32(parent)
    if (count === 0) this.dropChild(tree, level, index, node, isLeaf)
    else if (index + 1 < parentWords[parentAt + NODE_END]!) {
      const right = parentWords[entryAt(parentAt, index + 1) + ENTRY_VALUE]!
      if (this.canJoin(node, right)) {
        this.bound.read(parentWords, entryAt(parentAt, index + 1))
        this.join(node, right, isLeaf)
        this.dropChild(tree, level, index + 1, right, isLeaf)
      }
    } else if (index > parentWords[parentAt + NODE_BEGIN]!) {
      const left = parentWords[entryAt(parentAt, index - 1) + ENTRY_VALUE]!
      if (this.canJoin(left, node)) {
        this.bound.read(parentWords, entryAt(parentAt, index))
        this.join(left, node, isLeaf)
        this.dropChild(tree, level, index, node, isLeaf)
      }
    }
  }

  private dropChild(tree: IdTreeRef, level: number, index: number, child: Ref, isLeaf: boolean): void {
    const { arena, pathNodes } = this
    if (isLeaf) this.unlink(tree, child)
    arena.release(child)
    const parent = pathNodes[level - 1]!
    this.takeOut(arena.view32(parent), arena.at32(parent), index)
    this.settle(tree, level - 1)
  }

  /** A root with one child is not needed, nor is that child if it has but one. */
  private lowerRoot(tree: IdTreeRef, root: Ref): void {
    const { arena } = this
    const treeWords = arena.view32(tree)
    const treeAt = arena.at32(tree)
    let node = root
    let height = treeWords[treeAt + HEIGHT]!
    while (height > 1) {
      const words = arena.view32(node)
      const at = arena.at32(node)
      const begin = words[at + NODE_BEGIN]!
      if (words[at + NODE_END]! - begin > 1) break
      const child = words[entryAt(at, begin) + ENTRY_VALUE]!
      arena.release(node)
      node = child
      height--
    }
    treeWords[treeAt + ROOT] = node
    treeWords[treeAt + HEIGHT] = height
  }

  private canJoin(left: Ref, right: Ref): boolean {
    return this.nodeCount(left) + this.nodeCount(right) <= JOINED_ENTRIES_MAX
  }

  private nodeCount(node: Ref): number {
    const at = this.arena.at32(node)
    const words = this.arena.view32(node)
    return words[at + NODE_END]! - words[at + NODE_BEGIN]!
  }

  /** Moves the entries of `right`, whose lower bound is `bound`, behind those of `left`. */
  private join(left: Ref, right: Ref, isLeaf: boolean): void {
    const { arena } = this
    const words = arena.view32(left)
    const at = arena.at32(left)
    const begin = words[at + NODE_BEGIN]!
    const count = words[at + NODE_END]! - begin
    moveEntries(words, entryAt(at, begin), entryAt(at, 0), count)
    const from = arena.view32(right)
    const fromAt = arena.at32(right)
    const fromBegin = from[fromAt + NODE_BEGIN]!
    const moved = from[fromAt + NODE_END]! - fromBegin
    copyEntries(from, entryAt(fromAt, fromBegin), words, entryAt(at, count), moved)
    // The id of a first child did not count and may be too great.
    if (!isLeaf) this.bound.write(words, entryAt(at, count))
    words[at + NODE_BEGIN] = 0
    words[at + NODE_END] = count + moved
  }
}

function entryAt(nodeAt: number, index: number): number {
  return nodeAt + NODE_WORDS + index * ENTRY_WORDS
}

function putEntry(words: Int32Array, at: number, id: StreamId, value: Ref): void {
  words[at] = id.msHigh
  words[at + 1] = id.msLow
  words[at + 2] = id.seqHigh
  words[at + 3] = id.seqLow
  words[at + ENTRY_VALUE] = value
}

/** Below, at or above zero as the entry's id is below, at or above `id`. */
function compareEntry(words: Int32Array, at: number, id: StreamId): number {
  let own = words[at]!
  let other = id.msHigh
  if (own === other) {
    own = words[at + 1]!
    other = id.msLow
    if (own === other) {
      own = words[at + 2]!
      other = id.seqHigh
      if (own === other) {
        own = words[at + 3]!
        other = id.seqLow
        if (own === other) return 0
      }
    }
  }
  return own >>> 0 < other >>> 0 ? -1 : 1
}

function isAtEntry(words: Int32Array, at: number, id: StreamId): boolean {
  return (
    words[at + 3] === id.seqLow && words[at + 1] === id.msLow && words[at + 2] === id.seqHigh && words[at] === id.msHigh
  )
}

/** Index of the first entry that is not below an id, or the node's end. */
function lowerBound(words: Int32Array, at: number, id: StreamId): number {
  let low = words[at + NODE_BEGIN]!
  let high = words[at + NODE_END]!
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareEntry(words, entryAt(at, middle), id) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of the child under which an id belongs. */
function childIndex(words: Int32Array, at: number, id: StreamId): number {
  let low = words[at + NODE_BEGIN]! + 1
  let high = words[at + NODE_END]!
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareEntry(words, entryAt(at, middle), id) <= 0) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Within one node, where ranges may overlap. Loops: copyWithin goes word by word in shared memory as well, after a call. */
function moveEntries(words: Int32Array, from: number, to: number, count: number): void {
  const length = count * ENTRY_WORDS
  if (to < from) for (let i = 0; i < length; i++) words[to + i] = words[from + i]!
  else for (let i = length - 1; i >= 0; i--) words[to + i] = words[from + i]!
}

function copyEntries(from: Int32Array, fromAt: number, to: Int32Array, toAt: number, count: number): void {
  const length = count * ENTRY_WORDS
  for (let i = 0; i < length; i++) to[toAt + i] = from[fromAt + i]!
}
