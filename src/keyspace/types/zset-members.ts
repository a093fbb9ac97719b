/**
 * Members of a large sorted set: found by name in a hash table and by place in an ordered tree, both of which hold refs
 * of the same blocks.
 *
 *   root (8 bytes)               member
 *    0 i32 table   ref            0 i32 length of the name
 *    4 i32 tree    ref            4 f64 score
 *                                12 name
 *
 * Members are ordered by score, those of equal score by their bytes.
 * Invariants: a member is in both or in neither, in the tree with the score in its block. No score is NaN.
 * When memory ends, what would add or move a member throws and leaves everything as it was.
 * Where it differs from Redis: there a member is a dictEntry, a skiplist node and an sds.
 */
import { copyBytes } from '../../base/copy-bytes.ts'
import type { KeyHash } from '../../base/hash.ts'
import { type Arena, ArenaFullError, type Ref } from '../../memory/arena.ts'
import { HashTable, KEY_BYTES_MAX, type TableRef } from '../../structures/hash-table.ts'
import { type ItemOrder, OrderedTree, type TreeRef } from '../../structures/ordered-tree.ts'
import { sortItems } from '../../structures/sort-items.ts'

declare const memberRef: unique symbol
/** Address of a member's block. */
export type MemberRef = Ref & { readonly [memberRef]?: never }

const ROOT_BYTES = 8
const TABLE = 0
const TREE = 1
const SCORE_BYTE = 4
const SCORE_WORD = 1
const HEADER_BYTES = 12
/** Buckets, or leaves, that are freed in one step. */
const BUCKETS_PER_STEP = 4
const LEAVES_PER_STEP = 16

export const NO_MEMBER = 0

/** Where scores go as two words, low first: a writer of files. */
export interface WordSink {
  words(low: number, high: number): void
}

export class ZsetMembers implements ItemOrder {
  readonly table: HashTable
  readonly tree: OrderedTree
  private readonly arena: Arena

  constructor(arena: Arena, hash: KeyHash) {
    this.arena = arena
    this.table = new HashTable(arena, hash, HEADER_BYTES)
    this.tree = new OrderedTree(arena, this)
  }

  /** A sorted set without members. Throws ArenaFullError. */
  create(): Ref {
    const { arena } = this
    const root = arena.allocate(ROOT_BYTES)
    let table: TableRef = 0
    let tree: TreeRef
    try {
      table = this.table.create()
      tree = this.tree.create()
    } catch (error) {
      if (table !== 0) this.table.destroy(table)
      arena.release(root)
      throw error
    }
    const words = arena.view32(root)
    const at = arena.at32(root)
    words[at + TABLE] = table
    words[at + TREE] = tree
    return root
  }

  release(root: Ref): void {
    while (this.releaseSome(root));
  }

  /** As ValueType.releaseSome: first members and table, then the tree. */
  releaseSome(root: Ref): boolean {
    const { arena, table } = this
    const words = arena.view32(root)
    const at = arena.at32(root)
    for (let step = 0; words[at + TABLE] !== 0 && step < BUCKETS_PER_STEP; step++) {
      if (!table.dismantle(words[at + TABLE]!)) words[at + TABLE] = 0
      for (let i = 0; i < table.scannedCount; i++) arena.release(table.scanned[i]!)
    }
    if (words[at + TABLE] !== 0) return true
    for (let step = 0; step < LEAVES_PER_STEP; step++) {
      if (this.tree.dismantle(words[at + TREE]!)) continue
      arena.release(root)
      return false
    }
    return true
  }

  tableOf(root: Ref): TableRef {
    return this.arena.view32(root)[this.arena.at32(root) + TABLE]!
  }

  treeOf(root: Ref): TreeRef {
    return this.arena.view32(root)[this.arena.at32(root) + TREE]!
  }

  count(root: Ref): number {
    return this.tree.count(this.treeOf(root))
  }

  hashOf(bytes: Uint8Array, start: number, length: number): number {
    return this.table.hashOf(bytes, start, length)
  }

  /** The member of this name, or NO_MEMBER. */
  find(root: Ref, hash: number, bytes: Uint8Array, start: number, length: number): MemberRef {
    return this.table.find(this.tableOf(root), hash, bytes, start, length)
  }

  scoreOf(member: MemberRef): number {
    return this.arena.viewData(member).getFloat64(this.arena.at8(member) + SCORE_BYTE, true)
  }

  /** Hands out the score's two words. */
  writeScore(member: MemberRef, out: WordSink): void {
    const words = this.arena.view32(member)
    const at = this.arena.at32(member) + SCORE_WORD
    out.words(words[at]!, words[at + 1]!)
  }

  /** The page that holds a member's name. */
  bytesOf(member: MemberRef): Uint8Array {
    return this.arena.view8(member)
  }

  nameAt(member: MemberRef): number {
    return this.arena.at8(member) + HEADER_BYTES
  }

  nameLength(member: MemberRef): number {
    return this.arena.view32(member)[this.arena.at32(member)]!
  }

  /** Makes a member that belongs to no sorted set. Throws ArenaFullError. */
  make(score: number, bytes: Uint8Array, start: number, length: number): MemberRef {
    if (length > KEY_BYTES_MAX) throw new ArenaFullError(`a member of ${length} bytes is above the maximum`)
    const { arena } = this
    const member = arena.allocate(HEADER_BYTES + length)
    arena.view32(member)[arena.at32(member)] = length
    this.putScore(member, score)
    copyBytes(bytes, start, arena.view8(member), arena.at8(member) + HEADER_BYTES, length)
    return member
  }

  putScore(member: MemberRef, score: number): void {
    this.arena.viewData(member).setFloat64(this.arena.at8(member) + SCORE_BYTE, score, true)
  }

  /** Makes a member and adds it to the tree alone. Throws ArenaFullError. */
  private addToTree(root: Ref, score: number, bytes: Uint8Array, start: number, length: number): MemberRef {
    const member = this.make(score, bytes, start, length)
    try {
      this.tree.insert(this.treeOf(root), score, member)
    } catch (error) {
      this.arena.release(member)
      throw error
    }
    return member
  }

  /** Adds a member, which is not there. Throws ArenaFullError. */
  add(root: Ref, hash: number, score: number, bytes: Uint8Array, start: number, length: number): void {
    const member = this.addToTree(root, score, bytes, start, length)
    this.putInTable(root, hash, score, member)
  }

  /** As `add`, straight after a `find` that did not find the member. Hot. */
  addMissed(root: Ref, hash: number, score: number, bytes: Uint8Array, start: number, length: number): void {
    const member = this.addToTree(root, score, bytes, start, length)
    try {
      this.table.insertMissed(this.tableOf(root), hash, member)
    } catch (error) {
      this.takeBack(root, score, member)
      throw error
    }
  }

  /** As `add`, of a member that comes behind all others. */
  append(root: Ref, hash: number, score: number, bytes: Uint8Array, start: number, length: number): void {
    const member = this.make(score, bytes, start, length)
    const tree = this.treeOf(root)
    try {
      this.tree.append(tree, score, member)
    } catch (error) {
      this.arena.release(member)
      throw error
    }
    this.putInTable(root, hash, score, member)
  }

  /** Gives a member another score. Throws ArenaFullError. */
  setScore(root: Ref, member: MemberRef, score: number): void {
    this.tree.move(this.treeOf(root), this.scoreOf(member), member, score)
    this.putScore(member, score)
  }

  /** Adds a member, which is not there, to the table alone: `order` is to follow. Throws ArenaFullError. */
  addUnordered(root: Ref, hash: number, score: number, bytes: Uint8Array, start: number, length: number): void {
    const member = this.make(score, bytes, start, length)
    try {
      this.table.insert(this.tableOf(root), hash, member)
    } catch (error) {
      this.arena.release(member)
      throw error
    }
  }

  /** Removes the member that the last `find` found from the table alone. */
  removeUnordered(root: Ref, member: MemberRef): void {
    this.table.removeFound(this.tableOf(root))
    this.arena.release(member)
  }

  /** Puts all members into the tree, which is empty. Throws ArenaFullError. */
  order(root: Ref): void {
    const { table, tree } = this
    const tableRef = this.tableOf(root)
    const treeRef = this.treeOf(root)
    const items = new Int32Array(table.count(tableRef))
    const scores = new Float64Array(items.length)
    let count = 0
    for (let position = 0; position >= 0; ) {
      position = table.walk(tableRef, position)
      for (let i = 0; i < table.scannedCount; i++) {
        const member = table.scanned[i]!
        items[count] = member
        scores[count++] = this.scoreOf(member)
      }
    }
    sortItems(scores, items, count, this)
    for (let i = 0; i < count; i++) tree.append(treeRef, scores[i]!, items[i]!)
  }

  /** Removes the member that the last `find` found. */
  removeFound(root: Ref, member: MemberRef): void {
    this.table.removeFound(this.tableOf(root))
    this.tree.remove(this.treeOf(root), this.scoreOf(member), member)
    this.arena.release(member)
  }

  /** Removes `count` members from the one at `rank` on. */
  removeRange(root: Ref, rank: number, count: number): void {
    const { arena, table, tree } = this
    const treeRef = this.treeOf(root)
    const tableRef = this.tableOf(root)
    const { removed } = tree
    for (let left = count; left > 0; ) {
      const taken = tree.removeRun(treeRef, rank, left)
      for (let i = 0; i < taken; i++) {
        if (table.findEntry(tableRef, removed[i]!)) table.removeFound(tableRef)
        arena.release(removed[i]!)
      }
      left -= taken
    }
  }

  /** An independent copy. Throws ArenaFullError. */
  copy(root: Ref): Ref {
    const { table, tree } = this
    const made = this.create()
    try {
      table.reserve(this.tableOf(made), this.count(root))
      tree.seekFirst(this.treeOf(root))
      while (tree.item !== 0) {
        const member = tree.item
        const bytes = this.bytesOf(member)
        const at = this.nameAt(member)
        const length = this.nameLength(member)
        this.append(made, this.hashOf(bytes, at, length), tree.score, bytes, at, length)
        tree.next()
      }
    } catch (error) {
      this.release(made)
      throw error
    }
    return made
  }

  /** As ValueType.leaves. */
  leaves(root: Ref): boolean {
    const { arena, table, tree } = this
    if (arena.leaves(root) || table.leaves(this.tableOf(root)) || arena.leaves(this.treeOf(root))) return true
    for (tree.seekFirst(this.treeOf(root)); tree.item !== 0; tree.next()) {
      if (arena.leaves(tree.item) || arena.leaves(tree.node)) return true
    }
    return false
  }

  /** Bytes of all blocks; the members' are reckoned from the first `samples` of them, 0 = all. */
  sizeBytes(root: Ref, samples: number): number {
    const { arena, tree } = this
    const treeRef = this.treeOf(root)
    const count = this.count(root)
    const looked = samples === 0 ? count : Math.min(samples, count)
    let bytes = 0
    tree.seekFirst(treeRef)
    for (let i = 0; i < looked; i++) {
      bytes += arena.capacity(tree.item)
      tree.next()
    }
    const members = looked === 0 ? 0 : (bytes / looked) * count
    return Math.round(ROOT_BYTES + this.table.sizeBytes(this.tableOf(root)) + tree.sizeBytes(treeRef) + members)
  }

  /** Names of members in the order of their bytes. Hot when scores are equal. */
  compareItems(a: Ref, b: Ref): number {
    const { arena } = this
    const aLength = arena.view32(a)[arena.at32(a)]!
    const bLength = arena.view32(b)[arena.at32(b)]!
    const aData = arena.viewData(a)
    const bData = arena.viewData(b)
    let aAt = arena.at8(a) + HEADER_BYTES
    let bAt = arena.at8(b) + HEADER_BYTES
    const common = Math.min(aLength, bLength)
    const whole = aAt + (common & ~3)
    for (; aAt < whole; aAt += 4, bAt += 4) {
      const difference = aData.getUint32(aAt) - bData.getUint32(bAt)
      if (difference !== 0) return difference
    }
    for (const end = aAt + (common & 3); aAt < end; aAt++, bAt++) {
      const difference = aData.getUint8(aAt) - bData.getUint8(bAt)
      if (difference !== 0) return difference
    }
    return aLength - bLength
  }

  /** Completes adding a member that is in the tree already, or takes it out again. */
  private putInTable(root: Ref, hash: number, score: number, member: MemberRef): void {
    try {
      this.table.insert(this.tableOf(root), hash, member)
    } catch (error) {
      this.takeBack(root, score, member)
      throw error
    }
  }

  private takeBack(root: Ref, score: number, member: MemberRef): void {
    this.tree.remove(this.treeOf(root), score, member)
    this.arena.release(member)
  }
}
