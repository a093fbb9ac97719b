/**
 * Streams: entries by id in listpacks of Redis's own bytes, found through a tree (see stream-layout.ts), and consumer groups
 * (stream-groups.ts). Which entry goes into which node, what trimming leaves and which ids are remembered is exactly as
 * in Redis, so that DUMP, files and digests are equal.
 * Hot path: bench/micro/stream.ts.
 */
import type { Argv } from '../../base/argv.ts'
import { copyBytes } from '../../base/copy-bytes.ts'
import { type Arena, ArenaFullError, type Ref } from '../../memory/arena.ts'
import { IdCursor, IdTree } from '../../structures/id-tree.ts'
import {
  elementEquals,
  endOf,
  isEnd,
  LISTPACK_EMPTY_BYTES,
  LISTPACK_HEADER_BYTES,
  ListpackEncoder,
  Listpacks,
  listpackBytes,
  setHeaderBytes,
  setHeaderCount,
  skipElement,
  writeEmptyListpack,
} from '../../structures/listpack.ts'
import { ID_TEXT_BYTES_MAX, StreamId, StreamIdText, unsigned64 } from '../../structures/stream-id.ts'
import {
  entryCount,
  FLAG_DELETED,
  FLAG_SAME_FIELDS,
  firstEntry,
  liveCount,
  masterFieldsAt,
  NodeReader,
  readEntryId,
  readLastId,
} from '../../structures/stream-node.ts'
import type { Digest } from '../digest.ts'
import { TYPE_STREAM } from '../entry.ts'
import type { Keyspace } from '../keyspace.ts'
import type { ValueType } from '../value-type.ts'
import { addOne, StreamGroups } from './stream-groups.ts'
import { StreamIterator } from './stream-iterator.ts'
import {
  STREAM_ADDED,
  STREAM_DELETED_ID,
  STREAM_FIRST_ID,
  STREAM_GROUP_COUNT,
  STREAM_GROUPS,
  STREAM_LAST_ID,
  STREAM_LENGTH,
  STREAM_WORDS,
} from './stream-layout.ts'
import { radixNodeCount } from './stream-radix.ts'

/** The fields and values of one entry, and a node, can be no larger (Redis's STREAM_LISTPACK_MAX_SIZE). */
const NODE_BYTES_MAX = 2 ** 30
/** Encoding and backlen of a text, and all of an integer, take no more beside the text itself. */
const ELEMENT_BYTES_MAX = 11
/** Count, deleted, fields, zero of a master entry; flags, two differences, fields, elements of an entry. */
const MASTER_INTEGERS = 4
const ENTRY_INTEGERS = 5
/** Nodes that `releaseSome` frees at a time come by leaves of the tree. Up to so many, their radix tree is counted. */
const COUNTED_NODES_MAX = 64
/** A new node begins with the size of the one before, up to this. */
const NODE_BYTES_FIRST_MAX = 65_536
const DOT = 0x2e

export const TRIM_NONE = 0
export const TRIM_MAXLEN = 1
export const TRIM_MINID = 2

/** What XADD and XTRIM are to leave. */
export interface Trim {
  strategy: number
  /** MAXLEN: this many entries. */
  maxLength: number
  /** MINID: none below. */
  readonly minId: StreamId
  /** Whole nodes go, or nothing. */
  isApproximate: boolean
  /** At most so many entries go; 0 = no limit. */
  limit: number
}

export class StreamType implements ValueType {
  readonly type = TYPE_STREAM
  readonly name = 'stream'
  readonly tree: IdTree
  readonly groups: StreamGroups
  readonly listpacks: Listpacks
  readonly reader = new NodeReader()
  /** For commands, while they run. */
  readonly entries: StreamIterator
  readonly newId = new StreamId()
  readonly idText = new StreamIdText()
  private readonly arena: Arena
  private readonly keyspace: Keyspace
  private readonly encoder = new ListpackEncoder()
  /** For what this class looks up by itself. */
  private readonly iterator: StreamIterator
  private readonly cursor = new IdCursor()
  private readonly masterId = new StreamId()
  private readonly scratchId = new StreamId()
  private readonly otherId = new StreamId()

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
    this.arena = keyspace.arena
    this.tree = new IdTree(this.arena)
    this.groups = new StreamGroups(this.arena, this.tree)
    this.listpacks = new Listpacks(this.arena)
    this.iterator = this.createIterator()
    this.entries = this.createIterator()
  }

  createIterator(): StreamIterator {
    return new StreamIterator(this.arena, this.tree)
  }

  /** The page that holds a block. */
  bytesOf(ref: Ref): Uint8Array {
    return this.arena.view8(ref)
  }

  /** An empty stream. */
  create(): Ref {
    const { arena } = this
    const root = arena.allocate(STREAM_WORDS * 4)
    const at = arena.at32(root)
    arena.view32(root).fill(0, at, at + STREAM_WORDS)
    return root
  }

  // Facts

  length(root: Ref): number {
    return this.word(root, STREAM_LENGTH) >>> 0
  }

  setLength(root: Ref, length: number): void {
    this.setWord(root, STREAM_LENGTH, length)
  }

  nodeCount(root: Ref): number {
    return this.tree.count(root)
  }

  radixNodeCount(root: Ref): number {
    return radixNodeCount(this.tree, root)
  }

  readLastId(root: Ref, id: StreamId): void {
    id.read(this.arena.view32(root), this.arena.at32(root) + STREAM_LAST_ID)
  }

  setLastId(root: Ref, id: StreamId): void {
    id.write(this.arena.view32(root), this.arena.at32(root) + STREAM_LAST_ID)
  }

  readFirstId(root: Ref, id: StreamId): void {
    id.read(this.arena.view32(root), this.arena.at32(root) + STREAM_FIRST_ID)
  }

  setFirstId(root: Ref, id: StreamId): void {
    id.write(this.arena.view32(root), this.arena.at32(root) + STREAM_FIRST_ID)
  }

  readDeletedId(root: Ref, id: StreamId): void {
    id.read(this.arena.view32(root), this.arena.at32(root) + STREAM_DELETED_ID)
  }

  setDeletedId(root: Ref, id: StreamId): void {
    id.write(this.arena.view32(root), this.arena.at32(root) + STREAM_DELETED_ID)
  }

  /** Entries that were ever added: 64 bits, unsigned. */
  entriesAdded(root: Ref): bigint {
    return unsigned64(this.word(root, STREAM_ADDED + 1), this.word(root, STREAM_ADDED))
  }

  setEntriesAdded(root: Ref, count: bigint): void {
    this.setWord(root, STREAM_ADDED, Number(BigInt.asIntN(32, count)))
    this.setWord(root, STREAM_ADDED + 1, Number(BigInt.asIntN(32, count >> 32n)))
  }

  private hasEntriesAdded(root: Ref): boolean {
    return (this.word(root, STREAM_ADDED) | this.word(root, STREAM_ADDED + 1)) !== 0
  }

  /** The first or last entry's id, perhaps a deleted one's; without any the greatest, or the least id. */
  readEdgeId(root: Ref, isFirst: boolean, skipsDeleted: boolean, id: StreamId): void {
    const { iterator } = this
    iterator.begin(root, null, null, !isFirst, skipsDeleted)
    if (iterator.next()) id.copyFrom(iterator.id)
    else if (isFirst) id.setGreatest()
    else id.setLeast()
  }

  /** The id of the last entry that is not deleted. */
  readLastLiveId(root: Ref, id: StreamId): void {
    this.readEdgeId(root, false, true, id)
  }

  has(root: Ref, id: StreamId): boolean {
    this.iterator.begin(root, id, id, false)
    return this.iterator.next()
  }

  /** Whether an entry from `start` on was deleted while others before it stayed: then counting is no help. */
  hasGapFrom(root: Ref, start: StreamId): boolean {
    const deleted = this.scratchId
    this.readDeletedId(root, deleted)
    if (this.length(root) === 0 || deleted.isZero) return false
    this.readFirstId(root, this.otherId)
    return this.otherId.compare(deleted) <= 0 && start.compare(deleted) <= 0
  }

  /** How many entries were added up to an id, deleted ones included, or -1 if nobody knows. */
  entriesUpTo(root: Ref, id: StreamId): bigint {
    const added = this.entriesAdded(root)
    if (added === 0n) return 0n
    const { scratchId } = this
    this.readLastId(root, scratchId)
    const order = id.compare(scratchId)
    const length = this.length(root)
    if (length === 0 && order <= 0) return BigInt.asIntN(64, added)
    if (order === 0) return BigInt.asIntN(64, added)
    if (order > 0) return -1n
    const first = this.otherId
    this.readFirstId(root, first)
    this.readDeletedId(root, scratchId)
    if (scratchId.isZero || scratchId.compare(first) < 0) {
      const fromFirst = id.compare(first)
      if (fromFirst < 0) return BigInt.asIntN(64, added - BigInt(length))
      if (fromFirst === 0) return BigInt.asIntN(64, added - BigInt(length) + 1n)
    }
    return -1n
  }

  /** A group is given an entry beyond its last one: it goes on to there. */
  advanceGroup(root: Ref, group: Ref, id: StreamId): void {
    const { groups } = this
    if (groups.knowsEntriesRead(group) && !this.hasGapFrom(root, id)) groups.countEntryRead(group)
    else if (this.hasEntriesAdded(root)) groups.setEntriesRead(group, this.entriesUpTo(root, id))
    groups.setLastId(group, id)
  }

  /** Entries that a group has still to be given, or null if nobody knows. */
  lag(root: Ref, group: Ref): bigint | null {
    const added = this.entriesAdded(root)
    if (added === 0n) return 0n
    const id = this.masterId
    this.groups.readLastId(group, id)
    if (this.groups.knowsEntriesRead(group) && !this.hasGapFrom(root, id)) {
      return BigInt.asIntN(64, added - this.groups.entriesRead(group))
    }
    const read = this.entriesUpTo(root, id)
    return read === -1n ? null : BigInt.asIntN(64, added - read)
  }

  // Adding

  /** Whether an entry of so many bytes is too large for any node. */
  isTooLarge(argv: Argv, first: number, fields: number): boolean {
    return this.payloadBytes(argv, first, fields) > NODE_BYTES_MAX
  }

  /**
   * Adds an entry with the fields and values from argv[first] on. Its id must be above the last one, and its size have
   * been looked at. Throws ArenaFullError: then nothing has changed.
   */
  append(root: Ref, id: StreamId, argv: Argv, first: number, fields: number): void {
    const { arena, tree, cursor, masterId } = this
    const payload = this.payloadBytes(argv, first, fields)
    const room = payload + (fields * 2 + ENTRY_INTEGERS) * ELEMENT_BYTES_MAX
    let usualBytes = 0
    if (tree.seekLast(root, cursor)) {
      const node = tree.value(cursor)
      if (!this.isFull(node, payload)) {
        tree.readId(cursor, masterId)
        this.appendTo(masterId, id, argv, first, fields, room)
        this.countAdded(root, id)
        return
      }
      usualBytes = listpackBytes(arena.view8(node), arena.at8(node))
      this.shrink(cursor, node)
    }
    this.addNode(root, id, argv, first, fields, payload + room, usualBytes)
    this.countAdded(root, id)
  }

  private payloadBytes(argv: Argv, first: number, fields: number): number {
    let total = 0
    for (let i = first; i < first + fields * 2; i++) total += argv.lengths[i]!
    return total
  }

  private countAdded(root: Ref, id: StreamId): void {
    const words = this.arena.view32(root)
    const at = this.arena.at32(root)
    id.write(words, at + STREAM_LAST_ID)
    addOne(words, at + STREAM_ADDED)
    const length = (words[at + STREAM_LENGTH]! + 1) | 0
    words[at + STREAM_LENGTH] = length
    if (length === 1) id.write(words, at + STREAM_FIRST_ID)
  }

  /** Whether an entry whose texts have so many bytes must begin another node. */
  private isFull(node: Ref, payload: number): boolean {
    const { arena, reader } = this
    const { streamNodeMaxBytes, streamNodeMaxEntries } = this.keyspace.limits
    const bytes = arena.view8(node)
    const start = arena.at8(node)
    const limit = streamNodeMaxBytes === 0 || streamNodeMaxBytes > NODE_BYTES_MAX ? NODE_BYTES_MAX : streamNodeMaxBytes
    if (listpackBytes(bytes, start) + payload >= limit) return true
    return streamNodeMaxEntries > 0 && entryCount(reader, bytes, start) >= streamNodeMaxEntries
  }

  /** A full node keeps no room for more. */
  private shrink(cursor: IdCursor, node: Ref): void {
    const { arena } = this
    const bytes = listpackBytes(arena.view8(node), arena.at8(node))
    if (arena.capacity(node) === arena.capacityFor(bytes)) return
    try {
      const fitted = arena.allocate(bytes)
      copyBytes(arena.view8(node), arena.at8(node), arena.view8(fitted), arena.at8(fitted), bytes)
      this.tree.setValue(cursor, fitted)
      arena.release(node)
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error
    }
  }

  /** Adds a node whose master entry has the fields of its first one. */
  private addNode(
    root: Ref,
    id: StreamId,
    argv: Argv,
    first: number,
    fields: number,
    room: number,
    usualBytes: number,
  ): void {
    const { arena, tree, encoder } = this
    const needed = room + LISTPACK_EMPTY_BYTES + (MASTER_INTEGERS + fields) * ELEMENT_BYTES_MAX
    const node = arena.allocate(Math.max(needed, Math.min(usualBytes, NODE_BYTES_FIRST_MAX)))
    const bytes = arena.view8(node)
    const data = arena.viewData(node)
    const start = arena.at8(node)
    writeEmptyListpack(bytes, start)
    let at = start + LISTPACK_HEADER_BYTES
    at = putSmall(bytes, at, 1)
    at = putSmall(bytes, at, 0)
    at = this.putInteger(bytes, data, at, fields)
    for (let i = first; i < first + fields * 2; i += 2) {
      encoder.text(argv.bytes, argv.starts[i]!, argv.lengths[i]!)
      encoder.write(bytes, data, at)
      at += encoder.total
    }
    at = putSmall(bytes, at, 0)
    this.putEntry(node, at, id, id, argv, first, fields, true, fields + MASTER_INTEGERS)
    let held: Ref
    try {
      held = tree.insert(root, id, node)
    } catch (error) {
      arena.release(node)
      throw error
    }
    if (held === 0) return
    // XSETID may have gone back before entries that are all deleted: their node has this name.
    tree.seekAtMost(root, id, this.cursor)
    tree.setValue(this.cursor, node)
    arena.release(held)
  }

  /** Adds an entry to the node where the cursor is. */
  private appendTo(master: StreamId, id: StreamId, argv: Argv, first: number, fields: number, room: number): void {
    const { arena, tree, cursor, reader } = this
    this.makeRoom(cursor, room)
    let node = tree.value(cursor)
    let bytes = arena.view8(node)
    let start = arena.at8(node)
    const live = liveCount(reader, bytes, start)
    if (live < 127 && bytes[start + LISTPACK_HEADER_BYTES]! < 0x80) bytes[start + LISTPACK_HEADER_BYTES] = live + 1
    else {
      this.setLiveCount(cursor, live + 1, live, room)
      node = tree.value(cursor)
      bytes = arena.view8(node)
      start = arena.at8(node)
    }
    const hasSameFields = this.hasSameFields(bytes, masterFieldsAt(bytes, start), argv, first, fields)
    const held = bytes[start + 4]! | (bytes[start + 5]! << 8)
    this.putEntry(node, endOf(bytes, start), master, id, argv, first, fields, hasSameFields, held)
  }

  /** A count that takes more bytes than before, or fewer in a foreign node: then there may be no room any more. */
  private setLiveCount(cursor: IdCursor, live: number, before: number, room: number): void {
    const { arena, tree, listpacks } = this
    const set = (count: number): void => {
      const node = tree.value(cursor)
      tree.setValue(cursor, listpacks.replaceInteger(node, arena.at8(node) + LISTPACK_HEADER_BYTES, count))
    }
    set(live)
    try {
      this.makeRoom(cursor, room)
    } catch (error) {
      set(before)
      throw error
    }
  }

  private hasSameFields(bytes: Uint8Array, fieldsAt: number, argv: Argv, first: number, fields: number): boolean {
    if (this.reader.int(bytes, fieldsAt) !== fields) return false
    let at = skipElement(bytes, fieldsAt)
    for (let i = first; i < first + fields * 2; i += 2) {
      if (!elementEquals(bytes, at, argv.bytes, argv.starts[i]!, argv.lengths[i]!)) return false
      at = skipElement(bytes, at)
    }
    return true
  }

  /** Writes an entry over the end mark at `at`, with the header; there is room. `held`: elements before it. */
  private putEntry(
    node: Ref,
    at: number,
    master: StreamId,
    id: StreamId,
    argv: Argv,
    first: number,
    fields: number,
    hasSameFields: boolean,
    held: number,
  ): void {
    const { arena, encoder } = this
    const bytes = arena.view8(node)
    const data = arena.viewData(node)
    let to = putSmall(bytes, at, hasSameFields ? FLAG_SAME_FIELDS : 0)
    const ms = id.msBeyond(master)
    to = Number.isNaN(ms) ? this.putWide(bytes, data, to, id.bigMsBeyond(master)) : this.putInteger(bytes, data, to, ms)
    const seq = id.seqBeyond(master)
    to = Number.isNaN(seq)
      ? this.putWide(bytes, data, to, id.bigSeqBeyond(master))
      : this.putInteger(bytes, data, to, seq)
    if (!hasSameFields) to = this.putInteger(bytes, data, to, fields)
    for (let i = hasSameFields ? first + 1 : first; i < first + fields * 2; i += hasSameFields ? 2 : 1) {
      encoder.text(argv.bytes, argv.starts[i]!, argv.lengths[i]!)
      encoder.write(bytes, data, to)
      to += encoder.total
    }
    const elements = hasSameFields ? fields + 3 : fields * 2 + 4
    to = this.putInteger(bytes, data, to, elements)
    bytes[to] = 0xff
    const start = arena.at8(node)
    setHeaderBytes(bytes, start, to + 1 - start)
    if (held !== 0xffff) setHeaderCount(bytes, start, held + elements + 1)
  }

  private putInteger(bytes: Uint8Array, data: DataView, at: number, value: number): number {
    if (value >= 0 && value < 128) return putSmall(bytes, at, value)
    const { encoder } = this
    encoder.integer(value)
    encoder.write(bytes, data, at)
    return at + encoder.total
  }

  private putWide(bytes: Uint8Array, data: DataView, at: number, value: bigint): number {
    const { encoder } = this
    encoder.bigInteger(value)
    encoder.write(bytes, data, at)
    return at + encoder.total
  }

  /** Sees to it that the node where the cursor is has room for so many bytes more. */
  private makeRoom(cursor: IdCursor, room: number): void {
    const { arena, tree } = this
    const node = tree.value(cursor)
    const held = listpackBytes(arena.view8(node), arena.at8(node))
    if (held + room <= arena.capacity(node)) return
    const limit = this.keyspace.limits.streamNodeMaxBytes
    const wanted = Math.max(held + room, limit > 0 ? Math.min(2 * held, limit) : 2 * held)
    const larger = arena.allocate(wanted)
    copyBytes(arena.view8(node), arena.at8(node), arena.view8(larger), arena.at8(larger), held)
    tree.setValue(cursor, larger)
    arena.release(node)
  }

  // Removing

  /** Deletes an entry. False: it is not there. */
  delete(root: Ref, id: StreamId): boolean {
    const { arena, tree, iterator, reader } = this
    iterator.begin(root, id, id, false)
    if (!iterator.next()) return false
    const { node } = iterator
    const listpack = tree.value(node)
    const bytes = arena.view8(listpack)
    const live = liveCount(reader, bytes, arena.at8(listpack))
    if (live === 1) {
      tree.readId(node, this.masterId)
      tree.remove(root, this.masterId)
      arena.release(listpack)
    } else {
      const marked = this.mark(listpack, iterator.entryAt, iterator.flags)
      tree.setValue(node, this.countDeleted(marked, 1))
    }
    this.setLength(root, this.length(root) - 1)
    return true
  }

  /** Marks the entry at a position as deleted; returns the node. */
  private mark(node: Ref, entry: number, flags: number): Ref {
    const bytes = this.arena.view8(node)
    if (bytes[entry]! >= 0x80) return this.listpacks.replaceInteger(node, entry, flags | FLAG_DELETED)
    bytes[entry] = flags | FLAG_DELETED
    return node
  }

  /** Counts entries of a node as deleted instead of live; returns the node. */
  private countDeleted(node: Ref, count: number): Ref {
    const { arena, listpacks, reader } = this
    const at = arena.at8(node) + LISTPACK_HEADER_BYTES
    let target = listpacks.replaceInteger(node, at, reader.int(arena.view8(node), at) - count)
    const deletedAt = skipElement(arena.view8(target), arena.at8(target) + LISTPACK_HEADER_BYTES)
    target = listpacks.replaceInteger(target, deletedAt, reader.int(arena.view8(target), deletedAt) + count)
    return target
  }

  /** Removes entries from the front; returns how many. */
  trim(root: Ref, trim: Trim): number {
    if (trim.strategy === TRIM_NONE) return 0
    const { arena, tree, cursor, reader, masterId } = this
    const isByLength = trim.strategy === TRIM_MAXLEN
    // The usual case first.
    const before = this.length(root)
    if (isByLength && before > 0 && before <= trim.maxLength) return 0
    let removed = 0
    while (tree.seekFirst(root, cursor)) {
      const length = this.length(root)
      if (isByLength && length <= trim.maxLength) break
      const node = tree.value(cursor)
      const bytes = arena.view8(node)
      const start = arena.at8(node)
      const live = liveCount(reader, bytes, start)
      if (trim.limit > 0 && removed + live > trim.limit) break
      tree.readId(cursor, masterId)
      let isWhole = isByLength && length - live >= trim.maxLength
      if (!isByLength) {
        this.scratchId.setLeast()
        readLastId(reader, bytes, start, masterId, this.scratchId)
        isWhole = this.scratchId.compare(trim.minId) < 0
      }
      if (isWhole) {
        const leafLive = this.wholeLeaf(root, trim, live, removed)
        if (leafLive > 0) this.removeLeaf(root)
        else {
          tree.remove(root, masterId)
          arena.release(node)
        }
        this.setLength(root, length - (leafLive || live))
        removed += leafLive || live
        continue
      }
      if (!trim.isApproximate) removed += this.trimNode(root, cursor, node, trim)
      break
    }
    this.settleFirstId(root, removed > 0)
    return removed
  }

  /**
   * Whether all nodes of the tree's first leaf go, the first of which has `live` entries and does: how many entries they have
   * together, or 0. Many nodes go many times faster that way.
   */
  private wholeLeaf(root: Ref, trim: Trim, live: number, removed: number): number {
    const { arena, tree, cursor, reader, masterId, scratchId } = this
    const nodes = tree.leafCount(root)
    const last = cursor.index + nodes - 1
    const spare = this.length(root) - trim.maxLength
    const isByLength = trim.strategy === TRIM_MAXLEN
    // Nodes are much alike: mostly this is seen without a look at them.
    if (isByLength && live * nodes > spare) return 0
    if (!isByLength) {
      const first = cursor.index
      cursor.index = last
      tree.readId(cursor, masterId)
      const node = tree.value(cursor)
      scratchId.setLeast()
      readLastId(reader, arena.view8(node), arena.at8(node), masterId, scratchId)
      cursor.index = first
      tree.readId(cursor, masterId)
      if (scratchId.compare(trim.minId) >= 0) return 0
    }
    let total = 0
    for (; cursor.index <= last; cursor.index++) {
      const node = tree.value(cursor)
      total += liveCount(reader, arena.view8(node), arena.at8(node))
    }
    cursor.index = last - nodes + 1
    if (isByLength && total > spare) return 0
    return trim.limit > 0 && removed + total > trim.limit ? 0 : total
  }

  /** Removes the nodes of the tree's first leaf. */
  private removeLeaf(root: Ref): void {
    const { arena, tree, cursor } = this
    let left = tree.leafCount(root)
    for (tree.seekFirst(root, cursor); left > 0; left--, cursor.index++) arena.release(tree.value(cursor))
    tree.removeFirstLeaf(root)
  }

  /** Marks entries of the first node as deleted. */
  private trimNode(root: Ref, cursor: IdCursor, first: Ref, trim: Trim): number {
    const { arena, reader, masterId, scratchId } = this
    const isByLength = trim.strategy === TRIM_MAXLEN
    const length = this.length(root)
    let node = first
    let removed = 0
    const start = arena.at8(node)
    const masterFields = reader.int(arena.view8(node), masterFieldsAt(arena.view8(node), start))
    let offset = firstEntry(reader, arena.view8(node), start) - start
    for (;;) {
      const bytes = arena.view8(node)
      const entry = arena.at8(node) + offset
      if (isEnd(bytes, entry)) break
      const flags = reader.int(bytes, entry)
      if (isByLength) {
        if (length - removed <= trim.maxLength) break
      } else {
        readEntryId(reader, bytes, entry, masterId, scratchId)
        if (scratchId.compare(trim.minId) >= 0) break
      }
      let at = skipElement(bytes, skipElement(bytes, skipElement(bytes, entry)))
      let elements = masterFields
      if ((flags & FLAG_SAME_FIELDS) === 0) {
        elements = reader.int(bytes, at) * 2
        at = skipElement(bytes, at)
      }
      for (let i = 0; i <= elements; i++) at = skipElement(bytes, at)
      // Flags keep their size when they are set, unless a foreign node had them in more bytes than they need.
      const heldBytes = listpackBytes(bytes, arena.at8(node))
      const behind = at - arena.at8(node)
      if ((flags & FLAG_DELETED) === 0) {
        node = this.mark(node, entry, flags)
        removed++
      }
      offset = behind - (heldBytes - listpackBytes(arena.view8(node), arena.at8(node)))
    }
    this.setLength(root, length - removed)
    this.tree.setValue(cursor, node)
    if (removed > 0) this.tree.setValue(cursor, this.countDeleted(node, removed))
    return removed
  }

  /** After entries were removed: which is the first one now. `mayDiffer`: it may be another. */
  settleFirstId(root: Ref, mayDiffer: boolean): void {
    const id = this.scratchId
    if (this.length(root) === 0) id.setLeast()
    else if (mayDiffer) this.readEdgeId(root, true, true, id)
    else return
    this.setFirstId(root, id)
  }

  // As a value

  release(root: Ref): void {
    while (this.releaseSome(root)) {}
  }

  freeEffort(root: Ref): number {
    const nodes = this.tree.count(root)
    const groups = this.groups.count(root)
    const pending = groups > 0 ? this.tree.count(this.groups.at(root, 0)) : 0
    return (nodes <= COUNTED_NODES_MAX ? this.radixNodeCount(root) : nodes) + groups * (1 + pending)
  }

  releaseSome(root: Ref): boolean {
    const { arena, tree, cursor, groups } = this
    let left = tree.leafCount(root)
    if (left > 0) {
      for (tree.seekFirst(root, cursor); left > 0; left--, cursor.index++) arena.release(tree.value(cursor))
      tree.dropLeaf(root)
      return true
    }
    const count = groups.count(root)
    if (count > 0) {
      if (!groups.releaseSome(groups.at(root, count - 1))) this.setWord(root, STREAM_GROUP_COUNT, count - 1)
      return true
    }
    const index = this.word(root, STREAM_GROUPS)
    if (index !== 0) arena.release(index)
    arena.release(root)
    return false
  }

  copy(root: Ref): Ref {
    const { arena, tree, listpacks, scratchId } = this
    const copy = this.create()
    const cursor = new IdCursor()
    try {
      for (let goesOn = tree.seekFirst(root, cursor); goesOn; goesOn = tree.next(cursor)) {
        tree.readId(cursor, scratchId)
        this.addListpack(copy, scratchId, listpacks.copy(tree.value(cursor)))
      }
      this.groups.copyAll(root, copy)
    } catch (error) {
      this.release(copy)
      throw error
    }
    const at = arena.at32(root)
    arena
      .view32(copy)
      .set(arena.view32(root).subarray(at + STREAM_LENGTH, at + STREAM_WORDS), arena.at32(copy) + STREAM_LENGTH)
    return copy
  }

  /** Adds a node that is ready. False: there is one of this master id, and the node is freed. Throws ArenaFullError. */
  addListpack(root: Ref, master: StreamId, node: Ref): boolean {
    let held: Ref
    try {
      held = this.tree.insert(root, master, node)
    } catch (error) {
      this.arena.release(node)
      throw error
    }
    if (held !== 0) this.arena.release(node)
    return held === 0
  }

  /** Of groups only the first block is asked. */
  leaves(root: Ref): boolean {
    const { arena, tree, cursor } = this
    if (arena.leaves(root) || arena.leaves(arena.view32(root)[arena.at32(root) + STREAM_GROUPS]!)) return true
    for (let goesOn = tree.seekFirst(root, cursor); goesOn; goesOn = tree.next(cursor)) {
      if (arena.leaves(cursor.leaf) || arena.leaves(tree.value(cursor))) return true
    }
    return false
  }

  sizeBytes(root: Ref, _encoding: number, samples: number): number {
    const { arena, tree, cursor } = this
    const nodes = tree.count(root)
    let looked = 0
    let bytes = 0
    for (let goesOn = tree.seekFirst(root, cursor); goesOn; goesOn = tree.next(cursor)) {
      if (samples > 0 && looked === samples) break
      bytes += arena.capacity(tree.value(cursor))
      looked++
    }
    // The last node is seldom full: the average is for the others.
    if (looked < nodes && tree.seekLast(root, cursor)) {
      bytes = Math.floor(bytes / looked) * (nodes - 1) + arena.capacity(tree.value(cursor))
    }
    return arena.capacity(root) + tree.sizeBytes(root) + bytes + this.groups.sizeBytes(root)
  }

  digest(root: Ref, _encoding: number, digest: Digest): void {
    const iterator = this.createIterator()
    const text = new Uint8Array(ID_TEXT_BYTES_MAX)
    iterator.begin(root, null, null, false)
    while (iterator.next()) {
      const length = iterator.id.format(text, 0)
      text[text.indexOf(0x2d)] = DOT
      digest.mix(text, 0, length)
      for (let i = 0; i < iterator.fieldCount; i++) {
        iterator.nextField()
        const { field, value } = iterator
        digest.mix(field.bytes, field.start, field.start + field.length)
        digest.mix(value.bytes, value.start, value.start + value.length)
      }
    }
  }

  private word(ref: Ref, word: number): number {
    return this.arena.view32(ref)[this.arena.at32(ref) + word]!
  }

  private setWord(ref: Ref, word: number, value: number): void {
    this.arena.view32(ref)[this.arena.at32(ref) + word] = value
  }
}

/** Writes an integer of 0 to 127. */
function putSmall(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value
  bytes[at + 1] = 1
  return at + 2
}
