/**
 * Lists: quicklists, always (structures/quicklist.ts). The commands' operations on a list's root.
 *
 * What was read stands in `element`, valid until the next call here or anything that allocates; `hold` makes it stay.
 * Hot path: push, replyEnd, drop, replyRange.
 */
import { copyBytes } from '../../base/copy-bytes.ts'
import { TextPool } from '../../base/text-pool.ts'
import type { Ref } from '../../memory/arena.ts'
import { ListpackReader } from '../../structures/listpack.ts'
import { QuicklistCursor, type QuicklistRef, Quicklists } from '../../structures/quicklist.ts'
import type { ValueSink } from '../db.ts'
import type { Digest } from '../digest.ts'
import { ENCODING_QUICKLIST, TYPE_LIST } from '../entry.ts'
import type { Keyspace } from '../keyspace.ts'
import type { Sortable, ValueType } from '../value-type.ts'

/** Lists that commands make without asking the configuration (SORT): list-max-listpack-size and list-compress-depth. */
const PLAIN_FILL = -2
const PLAIN_DEPTH = 0
/** No match that LPOS could report. */
export const NO_MATCH = -1
const HELD_BYTES_KEPT = 64 * 1024
const HELD_BYTES_FIRST = 256

export class ListType implements ValueType {
  readonly type = TYPE_LIST
  readonly name = 'list'
  readonly quicklists: Quicklists
  /** The element that was read last. */
  readonly element = new ListpackReader()
  readonly sortable: Sortable = {
    isOrdered: true,
    elements: (root, _encoding, first, count, isReversed) => this.elements(root, first, count, isReversed),
    wholeNumbers: (root) => this.wholeNumbers(root),
  }

  private readonly keyspace: Keyspace
  private readonly cursor = new QuicklistCursor()
  private held: Uint8Array<ArrayBuffer> = new Uint8Array(HELD_BYTES_FIRST)

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
    this.quicklists = new Quicklists(keyspace.arena)
  }

  // What the keyspace asks of a type

  release(root: Ref): void {
    this.quicklists.release(root)
  }

  freeEffort(root: Ref): number {
    return this.quicklists.nodeCount(root)
  }

  releaseSome(root: Ref): boolean {
    return this.quicklists.releaseSome(root)
  }

  relocate(root: Ref, _encoding: number, position: number): number {
    return this.quicklists.relocate(root, position)
  }

  copy(root: Ref): Ref {
    return this.quicklists.copy(root)
  }

  sizeBytes(root: Ref, _encoding: number, samples: number): number {
    return this.quicklists.sizeBytes(root, samples)
  }

  length(root: Ref): number {
    return this.quicklists.count(root)
  }

  digest(root: Ref, _encoding: number, digest: Digest): void {
    const { quicklists, element } = this
    const cursor = new QuicklistCursor()
    for (let has = quicklists.seek(cursor, root, 0, false); has; has = quicklists.advance(cursor)) {
      quicklists.read(cursor, element)
      digest.mix(element.bytes, element.start, element.start + element.length)
    }
  }

  fromElements(elements: TextPool): { readonly root: Ref; readonly encoding: number } {
    const root = this.quicklists.create(PLAIN_FILL, PLAIN_DEPTH)
    try {
      const { bytes, starts, lengths, count } = elements
      for (let i = 0; i < count; i++) this.quicklists.push(root, true, bytes, starts[i]!, lengths[i]!)
    } catch (error) {
      this.quicklists.release(root)
      throw error
    }
    return { root, encoding: ENCODING_QUICKLIST }
  }

  // What commands do

  /** An empty list, as the configuration says. It is the caller's to remove if it stays empty. */
  create(): QuicklistRef {
    const { limits } = this.keyspace
    return this.quicklists.create(limits.listMaxListpackSize, limits.listCompressDepth)
  }

  /** Adds an element at an end. It must not lie in the list. */
  push(root: QuicklistRef, isTail: boolean, bytes: Uint8Array, start: number, length: number): void {
    this.quicklists.push(root, isTail, bytes, start, length)
  }

  /** Reads the element at an end into `element`. */
  readEnd(root: QuicklistRef, isTail: boolean): void {
    this.quicklists.readEnd(root, isTail, this.cursor, this.element)
  }

  /** Hands out the element at an end. Hot. */
  replyEnd(root: QuicklistRef, isTail: boolean, out: ValueSink): void {
    const { cursor, element } = this
    this.quicklists.readEnd(root, isTail, cursor, element)
    out.bulk(element.bytes, element.start, element.length, element.bytes === cursor.bytes ? cursor.data : null)
  }

  /** Removes the element at an end. */
  drop(root: QuicklistRef, isTail: boolean): void {
    this.quicklists.drop(root, isTail)
  }

  /** Makes `element` independent of the list that it was read from. */
  hold(): void {
    const { element } = this
    const { length } = element
    if (this.held.length < length) this.held = new Uint8Array(Math.max(length, HELD_BYTES_FIRST))
    copyBytes(element.bytes, element.start, this.held, 0, length)
    element.bytes = this.held
    element.start = 0
  }

  /** Forgets what was held if that takes much memory. */
  letGo(): void {
    if (this.held.length > HELD_BYTES_KEPT) this.held = new Uint8Array(HELD_BYTES_FIRST)
  }

  /** Reads the element at an index, from the end if negative, into `element`. False: there is none. */
  readAt(root: QuicklistRef, index: number): boolean {
    const { quicklists, cursor } = this
    if (!quicklists.seek(cursor, root, index, false)) return false
    quicklists.read(cursor, this.element)
    return true
  }

  /** Puts an element in the place of another. False: there is none at this index. */
  replaceAt(root: QuicklistRef, index: number, bytes: Uint8Array, start: number, length: number): boolean {
    const { quicklists, cursor } = this
    if (!quicklists.seek(cursor, root, index, false)) return false
    quicklists.replaceAt(cursor, bytes, start, length)
    return true
  }

  /** Hands out the elements from an index on, which there are, in the list's order or against it. Hot. */
  replyRange(root: QuicklistRef, index: number, count: number, isReversed: boolean, out: ValueSink): void {
    const { quicklists, cursor, element } = this
    if (count <= 0) return
    quicklists.seek(cursor, root, index, isReversed)
    quicklists.readSome(cursor, count, element, out)
  }

  /** Removes elements from an index on. Many of them are freed later, in steps. */
  deleteRange(root: QuicklistRef, index: number, count: number): void {
    const detached = this.quicklists.deleteRange(root, index, count)
    if (detached !== 0) this.keyspace.lazyFree.release(this, detached, ENCODING_QUICKLIST, false)
  }

  /** Removes elements that equal this: `count` of them from the head, or from the tail if negative, or all if 0. Returns how many. */
  deleteEqual(root: QuicklistRef, count: number, bytes: Uint8Array, start: number, length: number): number {
    const { quicklists, cursor } = this
    const countMax = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count)
    let removed = 0
    let has = quicklists.seek(cursor, root, count < 0 ? -1 : 0, count < 0)
    while (has) {
      if (!quicklists.equals(cursor, bytes, start, length)) has = quicklists.advance(cursor)
      else {
        has = quicklists.deleteAt(cursor)
        if (++removed === countMax) break
      }
    }
    quicklists.leave(cursor)
    return removed
  }

  /** Adds an element before or behind the first that equals the pivot. False: there is no such. */
  insertAt(
    root: QuicklistRef,
    isAfter: boolean,
    pivot: Uint8Array,
    pivotStart: number,
    pivotLength: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): boolean {
    const { quicklists, cursor } = this
    for (let has = quicklists.seek(cursor, root, 0, false); has; has = quicklists.advance(cursor)) {
      if (!quicklists.equals(cursor, pivot, pivotStart, pivotLength)) continue
      quicklists.insertAt(cursor, isAfter, bytes, start, length)
      return true
    }
    return false
  }

  /** Where to look for matches: see `nextMatch`. */
  private matchIndex = 0
  private matchesLeft = 0
  private hasMatchCursor = false

  /** Begins a search through at most `lengthMax` elements, from the head or from the tail. */
  beginSearch(root: QuicklistRef, isReversed: boolean, lengthMax: number): void {
    this.matchIndex = 0
    this.matchesLeft = lengthMax
    this.hasMatchCursor = this.quicklists.seek(this.cursor, root, isReversed ? -1 : 0, isReversed)
  }

  /** How many elements stand before the next that equals this, counted from where the search began; or NO_MATCH. */
  nextMatch(bytes: Uint8Array, start: number, length: number): number {
    const { quicklists, cursor } = this
    while (this.hasMatchCursor && this.matchesLeft > 0) {
      const isMatch = quicklists.equals(cursor, bytes, start, length)
      const index = this.matchIndex++
      this.matchesLeft--
      this.hasMatchCursor = quicklists.advance(cursor)
      if (isMatch) return index
    }
    return NO_MATCH
  }

  private elements(root: QuicklistRef, first: number, count: number, isReversed: boolean): TextPool {
    const elements = new TextPool(count)
    if (count <= 0) return elements
    const { quicklists, element } = this
    const cursor = new QuicklistCursor()
    quicklists.seek(cursor, root, isReversed ? this.length(root) - 1 - first : first, isReversed)
    do {
      quicklists.read(cursor, element)
      elements.push(element.bytes, element.start, element.length)
    } while (elements.count < count && quicklists.advance(cursor))
    return elements
  }

  private wholeNumbers(root: QuicklistRef): Float64Array | null {
    const { quicklists, element } = this
    const numbers = new Float64Array(this.length(root))
    const cursor = new QuicklistCursor()
    quicklists.seek(cursor, root, 0, false)
    for (let i = 0; i < numbers.length; i++) {
      if (cursor.isPlain) return null
      element.read(cursor.bytes, cursor.at)
      if (!element.isInteger || Number.isNaN(element.integer)) return null
      numbers[i] = element.integer
      quicklists.advance(cursor)
    }
    return numbers
  }
}
