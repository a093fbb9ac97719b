/**
 * Goes over the entries of a stream within a range of ids, in either direction. Reads the nodes in place: nothing is
 * allocated, and the stream must not change meanwhile, save its groups.
 */
import type { Arena, Ref } from '../../memory/arena.ts'
import { IdCursor, type IdTree } from '../../structures/id-tree.ts'
import { elementBefore, isEnd, ListpackReader, lastElement, skipElement } from '../../structures/listpack.ts'
import { StreamId } from '../../structures/stream-id.ts'
import { FLAG_DELETED, FLAG_SAME_FIELDS, masterFieldsAt, NodeReader } from '../../structures/stream-node.ts'

/** No entry: a new node is to be opened. */
const NOWHERE = 0

export class StreamIterator {
  /** Of the entry that `next` found. */
  readonly id = new StreamId()
  fieldCount = 0
  flags = 0
  /** Where the entry begins in its node, and that node's place in the tree. */
  entryAt = NOWHERE
  readonly node = new IdCursor()
  /** What `nextField` read. */
  readonly field = new ListpackReader()
  readonly value = new ListpackReader()

  private readonly arena: Arena
  private readonly tree: IdTree
  private readonly reader = new NodeReader()
  private readonly start = new StreamId()
  private readonly end = new StreamId()
  private readonly masterId = new StreamId()
  private isReversed = false
  private skipsDeleted = true
  private isOpened = false
  private bytes: Uint8Array = new Uint8Array(0)
  /** The count of the master entry's fields, and the first of them. */
  private masterFields = 0
  private masterAt = 0
  /** The next element of the entry. */
  private at = 0
  private fieldsLeft = 0
  private masterField = 0

  constructor(arena: Arena, tree: IdTree) {
    this.arena = arena
    this.tree = tree
  }

  /** Begins with the entries of `root` from `start` to `end`, both included; null is no bound. */
  begin(root: Ref, start: StreamId | null, end: StreamId | null, isReversed: boolean, skipsDeleted = true): void {
    if (start === null) this.start.setLeast()
    else this.start.copyFrom(start)
    if (end === null) this.end.setGreatest()
    else this.end.copyFrom(end)
    this.isReversed = isReversed
    this.skipsDeleted = skipsDeleted
    this.entryAt = NOWHERE
    this.isOpened = false
    const { tree, node } = this
    if (isReversed) {
      if (this.end.isZero || !tree.seekAtMost(root, this.end, node)) tree.seekLast(root, node)
    } else if (this.start.isZero || !tree.seekAtMost(root, this.start, node)) tree.seekFirst(root, node)
  }

  /** Finds the next entry. False: there is none. */
  next(): boolean {
    return this.isReversed ? this.nextReversed() : this.nextForward()
  }

  /** Reads the next field of the entry into `field` and `value`. There must be one. */
  nextField(): void {
    const { bytes } = this
    if ((this.flags & FLAG_SAME_FIELDS) !== 0) {
      this.field.readText(bytes, this.masterField)
      this.masterField = skipElement(bytes, this.masterField)
    } else {
      this.field.readText(bytes, this.at)
      this.at = skipElement(bytes, this.at)
    }
    this.value.readText(bytes, this.at)
    this.at = skipElement(bytes, this.at)
    this.fieldsLeft--
  }

  private nextForward(): boolean {
    for (;;) {
      let at: number
      if (this.entryAt === NOWHERE) {
        if (!this.openNode()) return false
        at = this.masterAt
        for (let i = 0; i < this.masterFields; i++) at = skipElement(this.bytes, at)
        // The master entry ends with a zero.
        at = skipElement(this.bytes, at)
      } else at = this.behindEntry()
      while (!isEnd(this.bytes, at)) {
        this.readEntry(at)
        if (!this.isPassedOver() && this.id.compare(this.start) >= 0) {
          return this.id.compare(this.end) <= 0
        }
        at = this.behindEntry()
      }
      this.entryAt = NOWHERE
    }
  }

  private nextReversed(): boolean {
    for (;;) {
      let count: number
      if (this.entryAt === NOWHERE) {
        if (!this.openNode()) return false
        count = lastElement(this.bytes, this.arena.at8(this.tree.value(this.node)))
      } else count = elementBefore(this.bytes, this.entryAt)
      for (;;) {
        const elements = this.reader.int(this.bytes, count)
        if (elements === 0) break
        let at = count
        for (let i = 0; i < elements; i++) at = elementBefore(this.bytes, at)
        this.readEntry(at)
        if (!this.isPassedOver() && this.id.compare(this.end) <= 0) {
          return this.id.compare(this.start) >= 0
        }
        count = elementBefore(this.bytes, at)
      }
      this.entryAt = NOWHERE
    }
  }

  /** Opens the first node, or the one behind that which is open. */
  private openNode(): boolean {
    const { tree, node, arena } = this
    if (!node.isAt) return false
    if (this.isOpened && !(this.isReversed ? tree.previous(node) : tree.next(node))) return false
    this.isOpened = true
    tree.readId(node, this.masterId)
    const listpack = tree.value(node)
    this.bytes = arena.view8(listpack)
    const fieldsAt = masterFieldsAt(this.bytes, arena.at8(listpack))
    this.masterFields = this.reader.int(this.bytes, fieldsAt)
    this.masterAt = skipElement(this.bytes, fieldsAt)
    return true
  }

  private isPassedOver(): boolean {
    return this.skipsDeleted && (this.flags & FLAG_DELETED) !== 0
  }

  /** Reads the entry at a position up to its first field. */
  private readEntry(entry: number): void {
    const { bytes, reader, id } = this
    this.entryAt = entry
    this.flags = reader.int(bytes, entry)
    let at = skipElement(bytes, entry)
    id.copyFrom(this.masterId)
    const ms = reader.int(bytes, at)
    id.addMs(ms, Number.isNaN(ms) ? reader.wide : 0n)
    at = skipElement(bytes, at)
    const seq = reader.int(bytes, at)
    id.addSeq(seq, Number.isNaN(seq) ? reader.wide : 0n)
    at = skipElement(bytes, at)
    if ((this.flags & FLAG_SAME_FIELDS) !== 0) {
      this.fieldCount = this.masterFields
      this.masterField = this.masterAt
    } else {
      this.fieldCount = reader.int(bytes, at)
      at = skipElement(bytes, at)
    }
    this.at = at
    this.fieldsLeft = this.fieldCount
  }

  /** The position behind the entry that was read, whatever of its fields was. */
  private behindEntry(): number {
    const { bytes } = this
    let { at } = this
    const elements = (this.flags & FLAG_SAME_FIELDS) !== 0 ? this.fieldsLeft : this.fieldsLeft * 2
    // The last element counts those of the entry.
    for (let i = 0; i <= elements; i++) at = skipElement(bytes, at)
    return at
  }
}
