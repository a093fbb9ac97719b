/**
 * The ordered tree: items in order, with ranks. Off-heap, a B+ tree whose inner nodes count what is below them. It holds
 * sorted sets' members by score; whatever is ordered by a number, and by something else where numbers are equal, fits as well.
 *
 *   tree (32 bytes)              leaf (up to 768 bytes)               inner node (1024 bytes)
 *    0 i32 root     ref           0 u8 start, u8 count, u8 capacity    0 i32 count of children
 *    4 i32 height   0 = a leaf    4 i32 next      ref, 0 = last        8 f64 score[50]  of the first item below child i
 *    8 i32 count    items         8 i32 previous  ref, 0 = first     408 i32 item[50]   the first item below child i
 *   12 i32 first    leaf         16 f64 score[capacity]              608 i32 child[50]  refs
 *   16 i32 last     leaf          . i32 item[capacity]               808 i32 size[50]   items below child i
 *   20 i32 granules of all nodes
 *
 * An item is a word that says nothing to the tree: a ref of the owner's block. Items stand in the order of their scores, and
 * where those are equal (0 and -0 are) in the order that the owner gives. Scores stand in the nodes so that finding a place
 * reads no item's block unless scores are equal.
 * The items of a leaf are slots [start, start + count): there is room at both ends, so that the shorter side moves, and
 * taking the first or the last item moves nothing. A tree of few items is one small leaf, which grows.
 * A leaf that is full is divided in the middle; at either end of the tree a new one is begun instead, so that items that
 * come in order, or in reverse, fill their leaves.
 *
 * Invariants: each node but a root that is a leaf holds something; score[i] and item[i] of an inner node are those of
 * the first item below child i, size[i] their number; a leaf that loses items until it is less than a quarter full is
 * merged or shares with a neighbour. No item is NaN's, none is in a tree twice with the same score.
 * When memory ends, `insert` throws and the tree stays as it was; no other call allocates.
 * Cost: all O(log n), 4 levels for a million items; 12 bytes per item in a full leaf, 18 on average. Maximum 2^31 - 1 items.
 * Where it differs from Redis: t_zset.c has a skiplist, one block per item with 1.33 links of 16 bytes each, whose search
 * reads a cold cache line per step: 20 of them for a million members where this reads 5.
 * Hot path: bench/micro/zset.ts.
 * Sources: 1. R. Bayer, E. McCreight, "Organization and Maintenance of Large Ordered Indexes" (1972). 2. D. Comer, "The
 * Ubiquitous B-Tree" (1979). 3. W. Pugh, "A Skip List Cookbook" (1990), for what it replaces.
 */
import type { Arena, Ref } from '../memory/arena.ts'

declare const treeRef: unique symbol
/** Address of a tree's header. */
export type TreeRef = Ref & { readonly [treeRef]?: never }

/** How items of equal score stand to each other: below 0 if `a` comes before `b`, 0 if they are the same. */
export interface ItemOrder {
  compareItems(a: Ref, b: Ref): number
}

const TREE_BYTES = 32
const ROOT = 0
const HEIGHT = 1
const COUNT = 2
const FIRST = 3
const LAST = 4
const GRANULES = 5

export const LEAF_CAPACITY = 62
const LEAF_HEADER_BYTES = 16
const LEAF_HEADER_WORDS = 4
const NEXT = 1
const PREVIOUS = 2
/** Capacities of a leaf that is alone: what fits into blocks of 64, 112, 224 and 448 bytes. */
const SMALL_CAPACITIES: readonly number[] = [4, 8, 17, 36]
/** A leaf with fewer items has its neighbour's help. */
const LEAF_COUNT_MIN = 15

export const INNER_CAPACITY = 50
const INNER_BYTES = 1024
const INNER_SCORE_BYTES = 8
const INNER_ITEM = 102
const INNER_CHILD = 152
const INNER_SIZE = 202
/** An inner node with fewer children is merged with a neighbour if both fit into one. */
const INNER_COUNT_MIN = 13
/** Enough for 2^31 items even if each inner node had but five children. */
const HEIGHT_MAX = 16

export class OrderedTree {
  /** The item that the last `seek...`, `next` or `previous` came to: 0 if there is none. Dead after any call that writes. */
  item: Ref = 0
  score = 0
  /** What `removeRun` took out: items in removed[0, its result). */
  readonly removed = new Int32Array(LEAF_CAPACITY)

  private readonly arena: Arena
  private readonly order: ItemOrder
  /** Where `item` stands. */
  private leaf: Ref = 0
  private slot = 0
  /** The way from the root to a leaf: inner nodes by their height, and which child was taken. */
  private readonly pathNode = new Int32Array(HEIGHT_MAX)
  private readonly pathIndex = new Int32Array(HEIGHT_MAX)
  /** Where in the leaf the way ends. */
  private place = 0
  /** A way that is needed again. */
  private readonly keptNode = new Int32Array(HEIGHT_MAX)
  private readonly keptIndex = new Int32Array(HEIGHT_MAX)
  /** Nodes were made since this was last reset. */
  private hasSplit = false
  /** Nodes made before anything changes: a leaf, then inner nodes. */
  private readonly spare = new Int32Array(HEIGHT_MAX + 2)
  private spareCount = 0
  /** Two leaves' contents on their way. */
  private readonly heldScores = new Float64Array(2 * LEAF_CAPACITY)
  private readonly heldItems = new Int32Array(2 * LEAF_CAPACITY)

  constructor(arena: Arena, order: ItemOrder) {
    this.arena = arena
    this.order = order
  }

  /** An empty tree. Throws ArenaFullError. */
  create(): TreeRef {
    const { arena } = this
    const tree = arena.allocate(TREE_BYTES)
    let leaf: Ref
    try {
      leaf = arena.allocate(leafBytes(SMALL_CAPACITIES[0]!))
    } catch (error) {
      arena.release(tree)
      throw error
    }
    const words = arena.view32(tree)
    const at = arena.at32(tree)
    words.fill(0, at, at + TREE_BYTES / 4)
    words[at + ROOT] = leaf
    words[at + FIRST] = leaf
    words[at + LAST] = leaf
    words[at + GRANULES] = arena.capacity(leaf) >> 3
    this.setLeaf(leaf, 0, 0, SMALL_CAPACITIES[0]!)
    this.setLinks(leaf, 0, 0)
    return tree
  }

  /** Frees all nodes at once. The items are their owner's. */
  destroy(tree: TreeRef): void {
    while (this.dismantle(tree));
  }

  /**
   * Takes a tree that nobody uses any more apart, one leaf at a time, the inner nodes with the last one. Returns false when
   * the tree itself is gone.
   */
  dismantle(tree: TreeRef): boolean {
    const { arena } = this
    const words = arena.view32(tree)
    const at = arena.at32(tree)
    const leaf = words[at + FIRST]!
    const next = arena.view32(leaf)[arena.at32(leaf) + NEXT]!
    arena.release(leaf)
    words[at + FIRST] = next
    if (next !== 0) return true
    this.releaseInner(words[at + ROOT]!, words[at + HEIGHT]!)
    arena.release(tree)
    return false
  }

  count(tree: TreeRef): number {
    return this.arena.view32(tree)[this.arena.at32(tree) + COUNT]!
  }

  height(tree: TreeRef): number {
    return this.arena.view32(tree)[this.arena.at32(tree) + HEIGHT]!
  }

  /** Bytes of header and nodes. */
  sizeBytes(tree: TreeRef): number {
    return TREE_BYTES + this.arena.view32(tree)[this.arena.at32(tree) + GRANULES]! * 8
  }

  /** The leaf where `item` stands. */
  get node(): Ref {
    return this.leaf
  }

  // Finding. Each of these leaves what it found in `item` and `score`, or 0 in `item`.

  /** The first item whose score is `score` or above; above it only if `isExclusive`. Returns how many come before. */
  seekScore(tree: TreeRef, score: number, isExclusive: boolean): number {
    const { arena } = this
    const words = arena.view32(tree)
    const at = arena.at32(tree)
    let node: Ref = words[at + ROOT]!
    let rank = 0
    for (let height = words[at + HEIGHT]!; height > 0; height--) {
      const data = arena.viewData(node)
      const scores = arena.at8(node) + INNER_SCORE_BYTES
      const nodeWords = arena.view32(node)
      const n = arena.at32(node)
      // The last child whose first item comes before what is sought: the place is in it, or behind its end.
      let low = 0
      let high = nodeWords[n]! - 1
      while (low < high) {
        const middle = (low + high + 1) >>> 1
        const held = data.getFloat64(scores + (middle << 3), true)
        if (held < score || (isExclusive && held === score)) low = middle
        else high = middle - 1
      }
      for (let i = 0; i < low; i++) rank += nodeWords[n + INNER_SIZE + i]!
      node = nodeWords[n + INNER_CHILD + low]!
    }
    const data = arena.viewData(node)
    const head = arena.view32(node)[arena.at32(node)]!
    const scores = arena.at8(node) + LEAF_HEADER_BYTES
    const start = head & 0xff
    let low = start
    let high = start + ((head >>> 8) & 0xff)
    while (low < high) {
      const middle = (low + high) >>> 1
      const held = data.getFloat64(scores + (middle << 3), true)
      if (held < score || (isExclusive && held === score)) low = middle + 1
      else high = middle
    }
    this.comeTo(node, low)
    return rank + low - start
  }

  /**
   * The first item of which `isBefore` is false, in a tree where it is true of all before that one: ranges by what the
   * owner orders items by. Returns how many come before.
   */
  seekWhere(tree: TreeRef, isBefore: (item: Ref) => boolean): number {
    const { arena } = this
    let node: Ref = arena.view32(tree)[arena.at32(tree) + ROOT]!
    let rank = 0
    for (let height = this.height(tree); height > 0; height--) {
      const words = arena.view32(node)
      const n = arena.at32(node)
      let low = 0
      let high = words[n]! - 1
      while (low < high) {
        const middle = (low + high + 1) >>> 1
        if (isBefore(words[n + INNER_ITEM + middle]!)) low = middle
        else high = middle - 1
      }
      for (let i = 0; i < low; i++) rank += words[n + INNER_SIZE + i]!
      node = words[n + INNER_CHILD + low]!
    }
    const words = arena.view32(node)
    const items = this.itemsAt(node)
    const head = words[arena.at32(node)]!
    const start = head & 0xff
    let low = start
    let high = start + ((head >>> 8) & 0xff)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(words[items + middle]!)) low = middle + 1
      else high = middle
    }
    this.comeTo(node, low)
    return rank + low - start
  }

  /** The item with so many before it. */
  seekRank(tree: TreeRef, rank: number): void {
    const { arena } = this
    if (rank < 0 || rank >= this.count(tree)) {
      this.item = 0
      return
    }
    let node: Ref = arena.view32(tree)[arena.at32(tree) + ROOT]!
    let left = rank
    for (let height = this.height(tree); height > 0; height--) {
      const words = arena.view32(node)
      const n = arena.at32(node)
      let index = 0
      for (; left >= words[n + INNER_SIZE + index]!; index++) left -= words[n + INNER_SIZE + index]!
      node = words[n + INNER_CHILD + index]!
    }
    this.take(node, (arena.view32(node)[arena.at32(node)]! & 0xff) + left)
  }

  seekFirst(tree: TreeRef): void {
    const { arena } = this
    const leaf = arena.view32(tree)[arena.at32(tree) + FIRST]!
    const head = arena.view32(leaf)[arena.at32(leaf)]!
    if (((head >>> 8) & 0xff) === 0) this.item = 0
    else this.take(leaf, head & 0xff)
  }

  seekLast(tree: TreeRef): void {
    const { arena } = this
    const leaf = arena.view32(tree)[arena.at32(tree) + LAST]!
    const head = arena.view32(leaf)[arena.at32(leaf)]!
    if (((head >>> 8) & 0xff) === 0) this.item = 0
    else this.take(leaf, (head & 0xff) + ((head >>> 8) & 0xff) - 1)
  }

  /** Goes on to the item behind. */
  next(): void {
    const { arena } = this
    const words = arena.view32(this.leaf)
    const head = words[arena.at32(this.leaf)]!
    if (this.slot + 1 < (head & 0xff) + ((head >>> 8) & 0xff)) this.take(this.leaf, this.slot + 1)
    else this.takeFirstOf(words[arena.at32(this.leaf) + NEXT]!)
  }

  /** Goes back to the item before. */
  previous(): void {
    const { arena } = this
    const words = arena.view32(this.leaf)
    if (this.slot > (words[arena.at32(this.leaf)]! & 0xff)) this.take(this.leaf, this.slot - 1)
    else this.takeLastOf(words[arena.at32(this.leaf) + PREVIOUS]!)
  }

  /** How many items come before this one, which is in the tree. */
  rankOf(tree: TreeRef, score: number, item: Ref): number {
    const leaf = this.descend(tree, score, item, true)
    const { arena } = this
    let rank = this.place - (arena.view32(leaf)[arena.at32(leaf)]! & 0xff)
    for (let height = this.height(tree); height > 0; height--) {
      const node = this.pathNode[height]!
      const words = arena.view32(node)
      const sizes = arena.at32(node) + INNER_SIZE
      for (let i = this.pathIndex[height]! - 1; i >= 0; i--) rank += words[sizes + i]!
    }
    return rank
  }

  // Changing

  /** Adds an item, which is not in the tree with this score. Throws ArenaFullError. */
  insert(tree: TreeRef, score: number, item: Ref): void {
    this.insertAt(tree, this.descend(tree, score, item, false), score, item)
  }

  /** Adds an item that comes behind all others. Throws ArenaFullError. */
  append(tree: TreeRef, score: number, item: Ref): void {
    const { arena } = this
    let node: Ref = arena.view32(tree)[arena.at32(tree) + ROOT]!
    for (let height = this.height(tree); height > 0; height--) {
      const words = arena.view32(node)
      const n = arena.at32(node)
      this.pathNode[height] = node
      this.pathIndex[height] = words[n]! - 1
      node = words[n + INNER_CHILD + words[n]! - 1]!
    }
    const head = arena.view32(node)[arena.at32(node)]!
    this.place = (head & 0xff) + ((head >>> 8) & 0xff)
    this.insertAt(tree, node, score, item)
  }

  /** Takes an item out, which is in the tree. */
  remove(tree: TreeRef, score: number, item: Ref): void {
    this.removeAt(tree, this.descend(tree, score, item, true), 1)
  }

  /** Gives an item another score. Throws ArenaFullError, and the tree is as it was. */
  move(tree: TreeRef, score: number, item: Ref, newScore: number): void {
    const { arena } = this
    const leaf = this.descend(tree, score, item, true)
    const data = arena.viewData(leaf)
    const head = arena.view32(leaf)[arena.at32(leaf)]!
    const start = head & 0xff
    const end = start + ((head >>> 8) & 0xff)
    const { place } = this
    const scores = arena.at8(leaf) + LEAF_HEADER_BYTES
    // Where both neighbours are in the leaf and still are its neighbours, nothing moves.
    if (
      // 0 and -0 are equal: the same place.
      score === newScore ||
      (place > start &&
        place + 1 < end &&
        data.getFloat64(scores + ((place - 1) << 3), true) < newScore &&
        newScore < data.getFloat64(scores + ((place + 1) << 3), true))
    ) {
      data.setFloat64(scores + (place << 3), newScore, true)
      return
    }
    this.keepWay(tree)
    this.hasSplit = false
    this.insert(tree, newScore, item)
    if (this.hasSplit) this.remove(tree, score, item)
    else {
      // Nodes are what they were: only the item's slot in its leaf may be another.
      this.goKeptWay(tree)
      this.findInLeaf(leaf, score, item, true)
      this.removeAt(tree, leaf, 1)
    }
  }

  /**
   * Takes up to `countMax` items out that stand in one leaf, from that at `rank` on, and returns how many: they are in
   * `removed`. Called again with the same rank it goes on behind them.
   */
  removeRun(tree: TreeRef, rank: number, countMax: number): number {
    const leaf = this.descendToRank(tree, rank)
    const { arena, removed, place } = this
    const words = arena.view32(leaf)
    const head = words[arena.at32(leaf)]!
    const count = Math.min(countMax, (head & 0xff) + ((head >>> 8) & 0xff) - place)
    const items = this.itemsAt(leaf)
    for (let i = 0; i < count; i++) removed[i] = words[items + place + i]!
    this.removeAt(tree, leaf, count)
    return count
  }

  /**
   * Notes the way to the place of (score, item), which is that item's or that of the first behind it; returns its leaf. Of an item
   * that is there, no other of its score in the leaf need be read.
   */
  private descend(tree: TreeRef, score: number, item: Ref, isThere: boolean): Ref {
    const { arena, order, pathNode, pathIndex } = this
    const words = arena.view32(tree)
    const at = arena.at32(tree)
    let node: Ref = words[at + ROOT]!
    for (let height = words[at + HEIGHT]!; height > 0; height--) {
      const data = arena.viewData(node)
      const scores = arena.at8(node) + INNER_SCORE_BYTES
      const nodeWords = arena.view32(node)
      const n = arena.at32(node)
      let low = 0
      let high = nodeWords[n]! - 1
      while (low < high) {
        const middle = (low + high + 1) >>> 1
        const held = data.getFloat64(scores + (middle << 3), true)
        if (held < score) low = middle
        else if (held > score || order.compareItems(nodeWords[n + INNER_ITEM + middle]!, item) > 0) high = middle - 1
        else low = middle
      }
      pathNode[height] = node
      pathIndex[height] = low
      node = nodeWords[n + INNER_CHILD + low]!
    }
    this.findInLeaf(node, score, item, isThere)
    return node
  }

  /** Sets `place` to that of (score, item) in a leaf. */
  private findInLeaf(leaf: Ref, score: number, item: Ref, isThere: boolean): void {
    const { arena, order } = this
    const data = arena.viewData(leaf)
    const words = arena.view32(leaf)
    const head = words[arena.at32(leaf)]!
    const scores = arena.at8(leaf) + LEAF_HEADER_BYTES
    const items = arena.at32(leaf) + LEAF_HEADER_WORDS + ((head >>> 16) << 1)
    let low = head & 0xff
    let high = low + ((head >>> 8) & 0xff)
    while (low < high) {
      const middle = (low + high) >>> 1
      const held = data.getFloat64(scores + (middle << 3), true)
      if (held < score) low = middle + 1
      else if (held > score || isThere || order.compareItems(words[items + middle]!, item) >= 0) high = middle
      else low = middle + 1
    }
    if (isThere) while (words[items + low] !== item) low++
    this.place = low
  }

  private keepWay(tree: TreeRef): void {
    for (let h = this.height(tree); h > 0; h--) {
      this.keptNode[h] = this.pathNode[h]!
      this.keptIndex[h] = this.pathIndex[h]!
    }
  }

  private goKeptWay(tree: TreeRef): void {
    for (let h = this.height(tree); h > 0; h--) {
      this.pathNode[h] = this.keptNode[h]!
      this.pathIndex[h] = this.keptIndex[h]!
    }
  }

  private descendToRank(tree: TreeRef, rank: number): Ref {
    const { arena } = this
    let node: Ref = arena.view32(tree)[arena.at32(tree) + ROOT]!
    let left = rank
    for (let height = this.height(tree); height > 0; height--) {
      const words = arena.view32(node)
      const n = arena.at32(node)
      let index = 0
      for (; left >= words[n + INNER_SIZE + index]!; index++) left -= words[n + INNER_SIZE + index]!
      this.pathNode[height] = node
      this.pathIndex[height] = index
      node = words[n + INNER_CHILD + index]!
    }
    this.place = (arena.view32(node)[arena.at32(node)]! & 0xff) + left
    return node
  }

  /** Puts an item where the way ends. Hot. */
  private insertAt(tree: TreeRef, leaf: Ref, score: number, item: Ref): void {
    const { arena } = this
    const head = arena.view32(leaf)[arena.at32(leaf)]!
    if (((head >>> 8) & 0xff) === head >>> 16) {
      this.insertInFull(tree, leaf, score, item)
      return
    }
    this.putInLeaf(leaf, score, item)
    const words = arena.view32(tree)
    const at = arena.at32(tree)
    words[at + COUNT]!++
    const height = words[at + HEIGHT]!
    for (let h = 1; h <= height; h++) {
      const node = this.pathNode[h]!
      arena.view32(node)[arena.at32(node) + INNER_SIZE + this.pathIndex[h]!]!++
    }
    if (this.place === (arena.view32(leaf)[arena.at32(leaf)]! & 0xff)) this.renewFirst(score, item, height)
  }

  /** Opens a slot at `place`, on the shorter side if there is room. `place` is the item's slot afterwards. Hot. */
  private putInLeaf(leaf: Ref, score: number, item: Ref): void {
    const { arena } = this
    const words = arena.view32(leaf)
    const data = arena.viewData(leaf)
    const at = arena.at32(leaf)
    const head = words[at]!
    const capacity = head >>> 16
    const start = head & 0xff
    const count = (head >>> 8) & 0xff
    const scores = arena.at8(leaf) + LEAF_HEADER_BYTES
    const items = at + LEAF_HEADER_WORDS + (capacity << 1)
    let { place } = this
    const before = place - start
    if (start > 0 && (before < count - before || start + count === capacity)) {
      place--
      for (let i = start; i <= place; i++) {
        data.setFloat64(scores + ((i - 1) << 3), data.getFloat64(scores + (i << 3), true), true)
        words[items + i - 1] = words[items + i]!
      }
      words[at] = head + 0x100 - 1
    } else {
      for (let i = start + count; i > place; i--) {
        data.setFloat64(scores + (i << 3), data.getFloat64(scores + ((i - 1) << 3), true), true)
        words[items + i] = words[items + i - 1]!
      }
      words[at] = head + 0x100
    }
    data.setFloat64(scores + (place << 3), score, true)
    words[items + place] = item
    this.place = place
  }

  /** The first item below the nodes of the way has become another. */
  private renewFirst(score: number, item: Ref, height: number): void {
    const { arena } = this
    for (let h = 1; h <= height; h++) {
      const node = this.pathNode[h]!
      const index = this.pathIndex[h]!
      arena.viewData(node).setFloat64(arena.at8(node) + INNER_SCORE_BYTES + (index << 3), score, true)
      arena.view32(node)[arena.at32(node) + INNER_ITEM + index] = item
      if (index !== 0) return
    }
  }

  /** As `insertAt`, with room to be made first. */
  private insertInFull(tree: TreeRef, leaf: Ref, score: number, item: Ref): void {
    const { arena } = this
    const words = arena.view32(leaf)
    const at = arena.at32(leaf)
    const capacity = words[at]! >>> 16
    this.hasSplit = true
    if (capacity < LEAF_CAPACITY) {
      this.insertAt(tree, this.enlarge(tree, leaf, capacity), score, item)
      return
    }
    this.reserve(tree)
    const fresh = this.spare[0]!
    const next = words[at + NEXT]!
    const isAtStart = this.place === 0 && words[at + PREVIOUS] === 0
    const isAtEnd = this.place === capacity && next === 0
    let left = leaf
    let right = fresh
    if (isAtStart) {
      // Items that come in reverse fill it from its end.
      this.setLeaf(fresh, capacity, 0, capacity)
      this.setLinks(fresh, leaf, 0)
      words[at + PREVIOUS] = fresh
      arena.view32(tree)[arena.at32(tree) + FIRST] = fresh
      left = fresh
      right = leaf
      this.place = capacity
      this.putInLeaf(fresh, score, item)
    } else {
      const stay = isAtEnd ? capacity : capacity >> 1
      const moved = capacity - stay
      const start = isAtEnd ? 0 : (capacity - moved) >> 1
      this.holdLeaf(leaf, 0)
      this.setLeaf(fresh, start, moved, capacity)
      this.fillLeaf(fresh, stay)
      this.setLeaf(leaf, 0, stay, capacity)
      this.setLinks(fresh, next, leaf)
      words[at + NEXT] = fresh
      if (next === 0) arena.view32(tree)[arena.at32(tree) + LAST] = fresh
      else arena.view32(next)[arena.at32(next) + PREVIOUS] = fresh
      if (this.place > stay || isAtEnd) {
        this.place += start - stay
        this.putInLeaf(fresh, score, item)
      } else this.putInLeaf(leaf, score, item)
    }
    this.insertChild(tree, left, right, isAtStart, isAtEnd)
  }

  /** On the way up: the child that the way led to has become two, and an item more. */
  private insertChild(tree: TreeRef, lowestLeft: Ref, lowestRight: Ref, isAtStart: boolean, isAtEnd: boolean): void {
    const { arena, pathNode, pathIndex } = this
    const header = arena.view32(tree)
    const t = arena.at32(tree)
    const height = header[t + HEIGHT]!
    header[t + COUNT]!++
    header[t + GRANULES]! += arena.capacity(lowestLeft) >> 3
    let left = lowestLeft
    let right: Ref = lowestRight
    let spares = 1
    for (let h = 1; h <= height; h++) {
      const node = pathNode[h]!
      const index = pathIndex[h]!
      const words = arena.view32(node)
      const at = arena.at32(node)
      if (right === 0) {
        this.setEntry(node, index, left, h - 1)
        left = node
        continue
      }
      const count = words[at]!
      if (count < INNER_CAPACITY) {
        this.setEntry(node, index, left, h - 1)
        this.openEntry(node, index + 1)
        this.setEntry(node, index + 1, right, h - 1)
        left = node
        right = 0
        continue
      }
      const fresh = this.spare[spares++]!
      const freshWords = arena.view32(fresh)
      const freshAt = arena.at32(fresh)
      header[t + GRANULES]! += INNER_BYTES >> 3
      if (isAtStart) {
        freshWords[freshAt] = 1
        this.setEntry(fresh, 0, left, h - 1)
        this.setEntry(node, index, right, h - 1)
        left = fresh
        right = node
        continue
      }
      this.setEntry(node, index, left, h - 1)
      if (isAtEnd) {
        freshWords[freshAt] = 1
        this.setEntry(fresh, 0, right, h - 1)
      } else {
        const stay = count >> 1
        freshWords[freshAt] = count - stay
        this.copyEntries(node, stay, fresh, 0, count - stay)
        words[at] = stay
        const target = index < stay ? node : fresh
        const place = index < stay ? index + 1 : index + 1 - stay
        this.openEntry(target, place)
        this.setEntry(target, place, right, h - 1)
      }
      left = node
      right = fresh
    }
    if (right !== 0) {
      const root = this.spare[spares++]!
      header[t + GRANULES]! += INNER_BYTES >> 3
      arena.view32(root)[arena.at32(root)] = 2
      this.setEntry(root, 0, left, height)
      this.setEntry(root, 1, right, height)
      header[t + ROOT] = root
      header[t + HEIGHT] = height + 1
    }
    this.spareCount = 0
  }

  /** Makes the nodes that an item more will need, along the way that was noted. */
  private reserve(tree: TreeRef): void {
    const { arena, spare } = this
    const height = this.height(tree)
    let inner = 0
    while (inner < height) {
      const node = this.pathNode[inner + 1]!
      if (arena.view32(node)[arena.at32(node)]! < INNER_CAPACITY) break
      inner++
    }
    if (inner === height) inner++
    this.spareCount = 0
    try {
      spare[0] = arena.allocate(leafBytes(LEAF_CAPACITY))
      for (this.spareCount = 1; this.spareCount <= inner; this.spareCount++) {
        spare[this.spareCount] = arena.allocate(INNER_BYTES)
      }
    } catch (error) {
      for (let i = 0; i < this.spareCount; i++) arena.release(spare[i]!)
      throw error
    }
  }

  /** The tree's only leaf in a larger block; `place` goes with it. */
  private enlarge(tree: TreeRef, leaf: Ref, capacity: number): Ref {
    const { arena } = this
    let larger = LEAF_CAPACITY
    for (let i = SMALL_CAPACITIES.length - 1; i >= 0 && SMALL_CAPACITIES[i]! > capacity; i--) {
      larger = SMALL_CAPACITIES[i]!
    }
    const fresh = arena.allocate(leafBytes(larger))
    // Room on the side where the next item goes.
    const start = this.place < capacity >> 1 ? larger - capacity : 0
    this.holdLeaf(leaf, 0)
    this.setLeaf(fresh, start, capacity, larger)
    this.setLinks(fresh, 0, 0)
    this.fillLeaf(fresh, 0)
    const words = arena.view32(tree)
    const at = arena.at32(tree)
    words[at + ROOT] = fresh
    words[at + FIRST] = fresh
    words[at + LAST] = fresh
    words[at + GRANULES] = arena.capacity(fresh) >> 3
    arena.release(leaf)
    this.place += start
    return fresh
  }

  /** Takes `count` items out of a leaf, from `place` on; the way leads there. */
  private removeAt(tree: TreeRef, leaf: Ref, count: number): void {
    const { arena } = this
    const header = arena.view32(tree)
    const t = arena.at32(tree)
    const height = header[t + HEIGHT]!
    const isFirst = this.place === (arena.view32(leaf)[arena.at32(leaf)]! & 0xff)
    const left = this.dropFromLeaf(leaf, count)
    header[t + COUNT]! -= count
    for (let h = 1; h <= height; h++) {
      const node = this.pathNode[h]!
      arena.view32(node)[arena.at32(node) + INNER_SIZE + this.pathIndex[h]!]! -= count
    }
    if (height === 0) return
    if (left < LEAF_COUNT_MIN) this.mend(tree, leaf, isFirst)
    else if (isFirst) {
      const head = arena.view32(leaf)[arena.at32(leaf)]!
      const start = head & 0xff
      const score = arena.viewData(leaf).getFloat64(arena.at8(leaf) + LEAF_HEADER_BYTES + (start << 3), true)
      this.renewFirst(score, arena.view32(leaf)[this.itemsAt(leaf) + start]!, height)
    }
  }

  /** Closes the gap from the shorter side; returns how many items are left. */
  private dropFromLeaf(leaf: Ref, dropped: number): number {
    const { arena, place } = this
    const words = arena.view32(leaf)
    const data = arena.viewData(leaf)
    const at = arena.at32(leaf)
    const head = words[at]!
    const start = head & 0xff
    const count = (head >>> 8) & 0xff
    const end = start + count
    const scores = arena.at8(leaf) + LEAF_HEADER_BYTES
    const items = at + LEAF_HEADER_WORDS + ((head >>> 16) << 1)
    if (place - start < end - place - dropped) {
      for (let i = place - 1; i >= start; i--) {
        data.setFloat64(scores + ((i + dropped) << 3), data.getFloat64(scores + (i << 3), true), true)
        words[items + i + dropped] = words[items + i]!
      }
      words[at] = head - (dropped << 8) + dropped
    } else {
      for (let i = place + dropped; i < end; i++) {
        data.setFloat64(scores + ((i - dropped) << 3), data.getFloat64(scores + (i << 3), true), true)
        words[items + i - dropped] = words[items + i]!
      }
      words[at] = head - (dropped << 8)
    }
    return count - dropped
  }

  /** On the way up from a leaf that holds little or nothing: nodes are merged, freed, and their first items noted anew. */
  private mend(tree: TreeRef, leaf: Ref, wasFirst: boolean): void {
    const { arena, pathNode, pathIndex } = this
    const header = arena.view32(tree)
    const t = arena.at32(tree)
    const height = header[t + HEIGHT]!
    if (header[t + COUNT] === 0) {
      for (let h = 1; h <= height; h++) arena.release(pathNode[h]!)
      header[t + ROOT] = leaf
      header[t + HEIGHT] = 0
      header[t + GRANULES] = arena.capacity(leaf) >> 3
      return
    }
    let child: Ref = leaf
    let isFirstNew = wasFirst
    let isSparse = true
    for (let h = 1; h <= height && (isSparse || isFirstNew); h++) {
      const node = pathNode[h]!
      const index = pathIndex[h]!
      const words = arena.view32(node)
      const at = arena.at32(node)
      if (isSparse && this.nodeCount(child, h - 1) === 0) {
        this.freeNode(tree, child, h - 1)
        this.closeEntry(node, index)
      } else {
        if (isFirstNew) this.setEntry(node, index, child, h - 1)
        if (isSparse && words[at]! > 1) {
          const first = index + 1 < words[at]! ? index : index - 1
          if (h === 1) this.joinLeaves(tree, node, first)
          else this.joinInner(tree, node, first, h - 1)
        }
      }
      isFirstNew = isFirstNew && index === 0
      isSparse = words[at]! < INNER_COUNT_MIN
      child = node
    }
    for (;;) {
      const root = header[t + ROOT]!
      if (header[t + HEIGHT] === 0 || arena.view32(root)[arena.at32(root)]! > 1) return
      header[t + ROOT] = arena.view32(root)[arena.at32(root) + INNER_CHILD]!
      header[t + HEIGHT]!--
      header[t + GRANULES]! -= INNER_BYTES >> 3
      arena.release(root)
    }
  }

  /** Puts two neighbouring leaves into one if they fit, or half of the items into each. */
  private joinLeaves(tree: TreeRef, parent: Ref, index: number): void {
    const { arena } = this
    const words = arena.view32(parent)
    const children = arena.at32(parent) + INNER_CHILD
    const left = words[children + index]!
    const right = words[children + index + 1]!
    const inLeft = this.holdLeaf(left, 0)
    const total = inLeft + this.holdLeaf(right, inLeft)
    const stay = total <= LEAF_CAPACITY ? total : total >> 1
    this.setLeaf(left, (LEAF_CAPACITY - stay) >> 1, stay, LEAF_CAPACITY)
    this.fillLeaf(left, 0)
    this.setEntry(parent, index, left, 0)
    if (stay === total) {
      this.freeNode(tree, right, 0)
      this.closeEntry(parent, index + 1)
      return
    }
    this.setLeaf(right, (LEAF_CAPACITY - total + stay) >> 1, total - stay, LEAF_CAPACITY)
    this.fillLeaf(right, stay)
    this.setEntry(parent, index + 1, right, 0)
  }

  /** Puts two neighbouring inner nodes into one if they fit. */
  private joinInner(tree: TreeRef, parent: Ref, index: number, height: number): void {
    const { arena } = this
    const children = arena.at32(parent) + INNER_CHILD
    const left = arena.view32(parent)[children + index]!
    const right = arena.view32(parent)[children + index + 1]!
    const inLeft = this.nodeCount(left, height)
    const inRight = this.nodeCount(right, height)
    if (inLeft + inRight > INNER_CAPACITY) return
    this.copyEntries(right, 0, left, inLeft, inRight)
    arena.view32(left)[arena.at32(left)] = inLeft + inRight
    this.setEntry(parent, index, left, height)
    this.freeNode(tree, right, height)
    this.closeEntry(parent, index + 1)
  }

  private freeNode(tree: TreeRef, node: Ref, height: number): void {
    const { arena } = this
    const header = arena.view32(tree)
    const t = arena.at32(tree)
    header[t + GRANULES]! -= arena.capacity(node) >> 3
    if (height === 0) {
      const words = arena.view32(node)
      const at = arena.at32(node)
      const next = words[at + NEXT]!
      const previous = words[at + PREVIOUS]!
      if (next === 0) header[t + LAST] = previous
      else arena.view32(next)[arena.at32(next) + PREVIOUS] = previous
      if (previous === 0) header[t + FIRST] = next
      else arena.view32(previous)[arena.at32(previous) + NEXT] = next
    }
    arena.release(node)
  }

  private nodeCount(node: Ref, height: number): number {
    const word = this.arena.view32(node)[this.arena.at32(node)]!
    return height === 0 ? (word >>> 8) & 0xff : word
  }

  /** Notes a child, its first item and how many there are. */
  private setEntry(node: Ref, index: number, child: Ref, childHeight: number): void {
    const { arena } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    const childWords = arena.view32(child)
    const c = arena.at32(child)
    let firstScore: number
    let firstItem: number
    let size = 0
    if (childHeight === 0) {
      const start = childWords[c]! & 0xff
      firstScore = arena.viewData(child).getFloat64(arena.at8(child) + LEAF_HEADER_BYTES + (start << 3), true)
      firstItem = childWords[this.itemsAt(child) + start]!
      size = (childWords[c]! >>> 8) & 0xff
    } else {
      firstScore = arena.viewData(child).getFloat64(arena.at8(child) + INNER_SCORE_BYTES, true)
      firstItem = childWords[c + INNER_ITEM]!
      for (let i = 0; i < childWords[c]!; i++) size += childWords[c + INNER_SIZE + i]!
    }
    arena.viewData(node).setFloat64(arena.at8(node) + INNER_SCORE_BYTES + (index << 3), firstScore, true)
    words[at + INNER_ITEM + index] = firstItem
    words[at + INNER_CHILD + index] = child
    words[at + INNER_SIZE + index] = size
  }

  /** Makes room for an entry; the node is not full. */
  private openEntry(node: Ref, index: number): void {
    const { arena } = this
    const words = arena.view32(node)
    const data = arena.viewData(node)
    const at = arena.at32(node)
    const scores = arena.at8(node) + INNER_SCORE_BYTES
    for (let i = words[at]!; i > index; i--) {
      data.setFloat64(scores + (i << 3), data.getFloat64(scores + ((i - 1) << 3), true), true)
      words[at + INNER_ITEM + i] = words[at + INNER_ITEM + i - 1]!
      words[at + INNER_CHILD + i] = words[at + INNER_CHILD + i - 1]!
      words[at + INNER_SIZE + i] = words[at + INNER_SIZE + i - 1]!
    }
    words[at]!++
  }

  private closeEntry(node: Ref, index: number): void {
    const { arena } = this
    const at = arena.at32(node)
    const count = arena.view32(node)[at]! - 1
    this.copyEntries(node, index + 1, node, index, count - index)
    arena.view32(node)[at] = count
  }

  /** Copies entries; within a node only to an earlier place. */
  private copyEntries(from: Ref, fromIndex: number, to: Ref, toIndex: number, count: number): void {
    const { arena } = this
    const words = arena.view32(from)
    const at = arena.at32(from) + fromIndex
    const toWords = arena.view32(to)
    const toAt = arena.at32(to) + toIndex
    const data = arena.viewData(from)
    const toData = arena.viewData(to)
    const scores = arena.at8(from) + INNER_SCORE_BYTES + (fromIndex << 3)
    const toScores = arena.at8(to) + INNER_SCORE_BYTES + (toIndex << 3)
    for (let i = 0; i < count; i++) {
      toData.setFloat64(toScores + (i << 3), data.getFloat64(scores + (i << 3), true), true)
      toWords[toAt + INNER_ITEM + i] = words[at + INNER_ITEM + i]!
      toWords[toAt + INNER_CHILD + i] = words[at + INNER_CHILD + i]!
      toWords[toAt + INNER_SIZE + i] = words[at + INNER_SIZE + i]!
    }
  }

  private setLeaf(leaf: Ref, start: number, count: number, capacity: number): void {
    this.arena.view32(leaf)[this.arena.at32(leaf)] = start | (count << 8) | (capacity << 16)
  }

  private setLinks(leaf: Ref, next: Ref, previous: Ref): void {
    const words = this.arena.view32(leaf)
    const at = this.arena.at32(leaf)
    words[at + NEXT] = next
    words[at + PREVIOUS] = previous
  }

  /** Reads a leaf's items into what is held, from `at` on; returns how many. */
  private holdLeaf(leaf: Ref, at: number): number {
    const { arena, heldScores, heldItems } = this
    const words = arena.view32(leaf)
    const data = arena.viewData(leaf)
    const head = words[arena.at32(leaf)]!
    const start = head & 0xff
    const count = (head >>> 8) & 0xff
    const scores = arena.at8(leaf) + LEAF_HEADER_BYTES + (start << 3)
    const items = this.itemsAt(leaf) + start
    for (let i = 0; i < count; i++) {
      heldScores[at + i] = data.getFloat64(scores + (i << 3), true)
      heldItems[at + i] = words[items + i]!
    }
    return count
  }

  /** Writes as many items as a leaf's header says, from what is held. */
  private fillLeaf(leaf: Ref, from: number): void {
    const { arena, heldScores, heldItems } = this
    const words = arena.view32(leaf)
    const data = arena.viewData(leaf)
    const head = words[arena.at32(leaf)]!
    const start = head & 0xff
    const count = (head >>> 8) & 0xff
    const scores = arena.at8(leaf) + LEAF_HEADER_BYTES + (start << 3)
    const items = this.itemsAt(leaf) + start
    for (let i = 0; i < count; i++) {
      data.setFloat64(scores + (i << 3), heldScores[from + i]!, true)
      words[items + i] = heldItems[from + i]!
    }
  }

  /** Word index of a leaf's items. */
  private itemsAt(leaf: Ref): number {
    const at = this.arena.at32(leaf)
    return at + LEAF_HEADER_WORDS + ((this.arena.view32(leaf)[at]! >>> 16) << 1)
  }

  private releaseInner(node: Ref, height: number): void {
    if (height === 0) return
    const { arena } = this
    const words = arena.view32(node)
    const at = arena.at32(node)
    if (height > 1) for (let i = 0; i < words[at]!; i++) this.releaseInner(words[at + INNER_CHILD + i]!, height - 1)
    arena.release(node)
  }

  /** Comes to a slot, which may be the one behind a leaf's last. */
  private comeTo(leaf: Ref, slot: number): void {
    const words = this.arena.view32(leaf)
    const head = words[this.arena.at32(leaf)]!
    if (slot < (head & 0xff) + ((head >>> 8) & 0xff)) this.take(leaf, slot)
    else this.takeFirstOf(words[this.arena.at32(leaf) + NEXT]!)
  }

  private takeFirstOf(leaf: Ref): void {
    if (leaf === 0) this.item = 0
    else this.take(leaf, this.arena.view32(leaf)[this.arena.at32(leaf)]! & 0xff)
  }

  private takeLastOf(leaf: Ref): void {
    if (leaf === 0) {
      this.item = 0
      return
    }
    const head = this.arena.view32(leaf)[this.arena.at32(leaf)]!
    this.take(leaf, (head & 0xff) + ((head >>> 8) & 0xff) - 1)
  }

  private take(leaf: Ref, slot: number): void {
    const { arena } = this
    this.leaf = leaf
    this.slot = slot
    this.item = arena.view32(leaf)[this.itemsAt(leaf) + slot]!
    this.score = arena.viewData(leaf).getFloat64(arena.at8(leaf) + LEAF_HEADER_BYTES + (slot << 3), true)
  }
}

function leafBytes(capacity: number): number {
  return LEAF_HEADER_BYTES + capacity * 12
}
