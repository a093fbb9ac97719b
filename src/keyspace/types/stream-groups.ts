/**
 * Consumer groups of a stream, their consumers and pending entries, off-heap (see stream-layout.ts). What is pending stands
 * in two trees, that of its group and that of its consumer, which share the block that says since when and how often.
 */
import type { Arena, Ref } from '../../memory/arena.ts'
import { IdCursor, type IdTree } from '../../structures/id-tree.ts'
import { NameIndex } from '../../structures/name-index.ts'
import { StreamId, signed64 } from '../../structures/stream-id.ts'
import {
  CONSUMER_NAME_OFFSET,
  CONSUMER_SEEN,
  GROUP_CONSUMER_COUNT,
  GROUP_CONSUMERS,
  GROUP_ENTRIES_READ,
  GROUP_LAST_ID,
  GROUP_NAME_OFFSET,
  PENDING_BYTES,
  PENDING_CONSUMER,
  PENDING_DELIVERIES,
  PENDING_TIME,
  STREAM_GROUP_COUNT,
  STREAM_GROUPS,
} from './stream-layout.ts'

const TWO_32 = 0x1_0000_0000
/** Leaves of trees that `releaseSome` frees at a time. */
const LEAVES_PER_STEP = 8

export class StreamGroups {
  readonly groupNames: NameIndex
  readonly consumerNames: NameIndex
  private readonly arena: Arena
  private readonly tree: IdTree
  private readonly id = new StreamId()
  private readonly cursor = new IdCursor()

  constructor(arena: Arena, tree: IdTree) {
    this.arena = arena
    this.tree = tree
    this.groupNames = new NameIndex(arena, GROUP_NAME_OFFSET)
    this.consumerNames = new NameIndex(arena, CONSUMER_NAME_OFFSET)
  }

  // Groups

  count(stream: Ref): number {
    return this.word(stream, STREAM_GROUP_COUNT)
  }

  /** The n-th group in the order of names. */
  at(stream: Ref, position: number): Ref {
    return this.groupNames.item(this.word(stream, STREAM_GROUPS), position)
  }

  /** The group of a name, or 0. */
  find(stream: Ref, bytes: Uint8Array, start: number, length: number): Ref {
    const index = this.word(stream, STREAM_GROUPS)
    const position = this.groupNames.find(index, this.count(stream), bytes, start, length)
    return position < 0 ? 0 : this.groupNames.item(index, position)
  }

  /** A new group, or 0 if the name is taken. */
  create(
    stream: Ref,
    bytes: Uint8Array,
    start: number,
    length: number,
    lastId: StreamId,
    readHigh: number,
    readLow: number,
  ): Ref {
    const { arena, groupNames } = this
    const index = this.word(stream, STREAM_GROUPS)
    const count = this.count(stream)
    const position = groupNames.find(index, count, bytes, start, length)
    if (position >= 0) return 0
    const group = groupNames.createItem(bytes, start, length)
    this.tree.begin(group)
    const words = arena.view32(group)
    const at = arena.at32(group)
    words[at + GROUP_CONSUMERS] = 0
    words[at + GROUP_CONSUMER_COUNT] = 0
    lastId.write(words, at + GROUP_LAST_ID)
    words[at + GROUP_ENTRIES_READ] = readLow
    words[at + GROUP_ENTRIES_READ + 1] = readHigh
    this.setWord(stream, STREAM_GROUPS, this.insertName(groupNames, index, count, -1 - position, group))
    this.setWord(stream, STREAM_GROUP_COUNT, count + 1)
    return group
  }

  /** Removes a group with all that is pending in it. */
  destroy(stream: Ref, group: Ref): void {
    const { arena, groupNames } = this
    const index = this.word(stream, STREAM_GROUPS)
    const count = this.count(stream)
    const name = arena.view8(group)
    const position = groupNames.find(index, count, name, groupNames.nameAt(group), groupNames.nameLength(group))
    this.setWord(stream, STREAM_GROUPS, groupNames.remove(index, count, position))
    this.setWord(stream, STREAM_GROUP_COUNT, count - 1)
    while (this.releaseSome(group)) {}
  }

  readLastId(group: Ref, id: StreamId): void {
    id.read(this.arena.view32(group), this.arena.at32(group) + GROUP_LAST_ID)
  }

  setLastId(group: Ref, id: StreamId): void {
    id.write(this.arena.view32(group), this.arena.at32(group) + GROUP_LAST_ID)
  }

  /** How many entries were read by the group as if none had been deleted; -1 = nobody knows. */
  entriesRead(group: Ref): bigint {
    return signed64(this.word(group, GROUP_ENTRIES_READ + 1), this.word(group, GROUP_ENTRIES_READ))
  }

  knowsEntriesRead(group: Ref): boolean {
    return (this.word(group, GROUP_ENTRIES_READ) & this.word(group, GROUP_ENTRIES_READ + 1)) !== -1
  }

  setEntriesRead(group: Ref, count: bigint): void {
    this.setWord(group, GROUP_ENTRIES_READ, Number(BigInt.asIntN(32, count)))
    this.setWord(group, GROUP_ENTRIES_READ + 1, Number(BigInt.asIntN(32, count >> 32n)))
  }

  countEntryRead(group: Ref): void {
    addOne(this.arena.view32(group), this.arena.at32(group) + GROUP_ENTRIES_READ)
  }

  // Consumers

  consumerCount(group: Ref): number {
    return this.word(group, GROUP_CONSUMER_COUNT)
  }

  consumerAt(group: Ref, position: number): Ref {
    return this.consumerNames.item(this.word(group, GROUP_CONSUMERS), position)
  }

  findConsumer(group: Ref, bytes: Uint8Array, start: number, length: number): Ref {
    const index = this.word(group, GROUP_CONSUMERS)
    const position = this.consumerNames.find(index, this.consumerCount(group), bytes, start, length)
    return position < 0 ? 0 : this.consumerNames.item(index, position)
  }

  /** A new consumer, or 0 if the name is taken. */
  createConsumer(group: Ref, bytes: Uint8Array, start: number, length: number, seenMs: number): Ref {
    const { consumerNames } = this
    const index = this.word(group, GROUP_CONSUMERS)
    const count = this.consumerCount(group)
    const position = consumerNames.find(index, count, bytes, start, length)
    if (position >= 0) return 0
    const consumer = consumerNames.createItem(bytes, start, length)
    this.tree.begin(consumer)
    this.setSeen(consumer, seenMs)
    this.setWord(group, GROUP_CONSUMERS, this.insertName(consumerNames, index, count, -1 - position, consumer))
    this.setWord(group, GROUP_CONSUMER_COUNT, count + 1)
    return consumer
  }

  /** Removes a consumer; what is pending for it is pending no more. */
  deleteConsumer(group: Ref, consumer: Ref): void {
    const { arena, tree, consumerNames, cursor, id } = this
    for (let goesOn = tree.seekFirst(consumer, cursor); goesOn; goesOn = tree.next(cursor)) {
      tree.readId(cursor, id)
      tree.remove(group, id)
      arena.release(tree.value(cursor))
    }
    tree.release(consumer)
    const index = this.word(group, GROUP_CONSUMERS)
    const count = this.consumerCount(group)
    const name = arena.view8(consumer)
    const length = consumerNames.nameLength(consumer)
    const position = consumerNames.find(index, count, name, consumerNames.nameAt(consumer), length)
    this.setWord(group, GROUP_CONSUMERS, consumerNames.remove(index, count, position))
    this.setWord(group, GROUP_CONSUMER_COUNT, count - 1)
    arena.release(consumer)
  }

  setSeen(consumer: Ref, ms: number): void {
    putMoment(this.arena.view32(consumer), this.arena.at32(consumer) + CONSUMER_SEEN, ms)
  }

  seenLow(consumer: Ref): number {
    return this.word(consumer, CONSUMER_SEEN)
  }

  seenHigh(consumer: Ref): number {
    return this.word(consumer, CONSUMER_SEEN + 1)
  }

  setSeenWords(consumer: Ref, low: number, high: number): void {
    this.setWord(consumer, CONSUMER_SEEN, low)
    this.setWord(consumer, CONSUMER_SEEN + 1, high)
  }

  // Pending entries

  /** Makes an entry pending for the first time. `consumer` 0: for nobody yet, to be followed by `assign`. Throws ArenaFullError. */
  addPending(group: Ref, id: StreamId, consumer: Ref, ms: number): Ref {
    const { arena, tree } = this
    const pending = arena.allocate(PENDING_BYTES)
    const words = arena.view32(pending)
    const at = arena.at32(pending)
    putMoment(words, at + PENDING_TIME, ms)
    words[at + PENDING_DELIVERIES] = 1
    words[at + PENDING_DELIVERIES + 1] = 0
    words[at + PENDING_CONSUMER] = consumer
    let isInGroup = false
    try {
      isInGroup = tree.insert(group, id, pending) === 0
      if (consumer !== 0) tree.insert(consumer, id, pending)
    } catch (error) {
      if (isInGroup) tree.remove(group, id)
      arena.release(pending)
      throw error
    }
    return pending
  }

  /** What is pending of an entry, or 0. */
  findPending(group: Ref, id: StreamId): Ref {
    return this.tree.find(group, id)
  }

  /** Gives a pending entry to a consumer. Throws ArenaFullError. */
  assign(pending: Ref, id: StreamId, consumer: Ref): void {
    const { tree } = this
    const held = this.consumerOf(pending)
    if (held === consumer) return
    tree.insert(consumer, id, pending)
    if (held !== 0) tree.remove(held, id)
    this.setWord(pending, PENDING_CONSUMER, consumer)
  }

  /** The entry is pending no more. */
  dropPending(group: Ref, id: StreamId, pending: Ref): void {
    const consumer = this.consumerOf(pending)
    this.tree.remove(group, id)
    if (consumer !== 0) this.tree.remove(consumer, id)
    this.arena.release(pending)
  }

  consumerOf(pending: Ref): Ref {
    return this.word(pending, PENDING_CONSUMER)
  }

  /** Last delivery in Unix milliseconds, rounded beyond 2^53. */
  deliveredMs(pending: Ref): number {
    return this.word(pending, PENDING_TIME + 1) * TWO_32 + (this.word(pending, PENDING_TIME) >>> 0)
  }

  deliveredLow(pending: Ref): number {
    return this.word(pending, PENDING_TIME)
  }

  deliveredHigh(pending: Ref): number {
    return this.word(pending, PENDING_TIME + 1)
  }

  setDelivered(pending: Ref, ms: number): void {
    putMoment(this.arena.view32(pending), this.arena.at32(pending) + PENDING_TIME, ms)
  }

  exactDelivered(pending: Ref): bigint {
    return signed64(this.word(pending, PENDING_TIME + 1), this.word(pending, PENDING_TIME))
  }

  deliveries(pending: Ref): bigint {
    return signed64(this.word(pending, PENDING_DELIVERIES + 1), this.word(pending, PENDING_DELIVERIES))
  }

  setDeliveries(pending: Ref, count: bigint): void {
    this.setWord(pending, PENDING_DELIVERIES, Number(BigInt.asIntN(32, count)))
    this.setWord(pending, PENDING_DELIVERIES + 1, Number(BigInt.asIntN(32, count >> 32n)))
  }

  countDelivery(pending: Ref): void {
    addOne(this.arena.view32(pending), this.arena.at32(pending) + PENDING_DELIVERIES)
  }

  /** Sets what a file says of a pending entry. */
  setPendingWords(pending: Ref, timeLow: number, timeHigh: number, deliveries: bigint): void {
    this.setWord(pending, PENDING_TIME, timeLow)
    this.setWord(pending, PENDING_TIME + 1, timeHigh)
    this.setDeliveries(pending, deliveries)
  }

  /** Whether all that is pending in a group is so for one of its consumers. */
  isEachAssigned(group: Ref): boolean {
    let assigned = 0
    for (let i = 0; i < this.consumerCount(group); i++) assigned += this.tree.count(this.consumerAt(group, i))
    return assigned === this.tree.count(group)
  }

  // The whole

  /** Independent copies of a stream's groups, for another stream that has none. */
  copyAll(from: Ref, to: Ref): void {
    for (let i = 0; i < this.count(from); i++) this.copyGroup(this.at(from, i), to)
  }

  /** Frees a part of a group that is out of its stream; with false, the group has gone. */
  releaseSome(group: Ref): boolean {
    const { arena, tree, cursor } = this
    for (let step = 0; step < LEAVES_PER_STEP; step++) {
      let left = tree.leafCount(group)
      if (left === 0) break
      for (tree.seekFirst(group, cursor); left > 0; left--, cursor.index++) arena.release(tree.value(cursor))
      tree.dropLeaf(group)
    }
    if (tree.leafCount(group) > 0) return true
    const count = this.consumerCount(group)
    if (count > 0) {
      const consumer = this.consumerAt(group, count - 1)
      for (let step = 0; step < LEAVES_PER_STEP * 4; step++) if (!tree.dropLeaf(consumer)) break
      if (tree.leafCount(consumer) > 0) return true
      arena.release(consumer)
      this.setWord(group, GROUP_CONSUMER_COUNT, count - 1)
      return true
    }
    const index = this.word(group, GROUP_CONSUMERS)
    if (index !== 0) arena.release(index)
    arena.release(group)
    return false
  }

  /** Bytes of all groups with what belongs to them. */
  sizeBytes(stream: Ref): number {
    const { arena, tree } = this
    const groups = this.word(stream, STREAM_GROUPS)
    let total = groups === 0 ? 0 : arena.capacity(groups)
    for (let i = 0; i < this.count(stream); i++) {
      const group = this.at(stream, i)
      const consumers = this.word(group, GROUP_CONSUMERS)
      total += arena.capacity(group) + tree.sizeBytes(group) + tree.count(group) * arena.capacityFor(PENDING_BYTES)
      if (consumers !== 0) total += arena.capacity(consumers)
      for (let j = 0; j < this.consumerCount(group); j++) {
        const consumer = this.consumerAt(group, j)
        total += arena.capacity(consumer) + tree.sizeBytes(consumer)
      }
    }
    return total
  }

  private copyGroup(group: Ref, stream: Ref): void {
    const { arena, tree, groupNames, consumerNames, id } = this
    this.readLastId(group, id)
    const high = this.word(group, GROUP_ENTRIES_READ + 1)
    const low = this.word(group, GROUP_ENTRIES_READ)
    const nameAt = groupNames.nameAt(group)
    const copy = this.create(stream, arena.view8(group), nameAt, groupNames.nameLength(group), id, high, low)
    const copies = new Map<Ref, Ref>()
    for (let i = 0; i < this.consumerCount(group); i++) {
      const consumer = this.consumerAt(group, i)
      const name = arena.view8(consumer)
      const made = this.createConsumer(
        copy,
        name,
        consumerNames.nameAt(consumer),
        consumerNames.nameLength(consumer),
        0,
      )
      this.setSeenWords(made, this.seenLow(consumer), this.seenHigh(consumer))
      copies.set(consumer, made)
    }
    const cursor = new IdCursor()
    for (let goesOn = tree.seekFirst(group, cursor); goesOn; goesOn = tree.next(cursor)) {
      tree.readId(cursor, id)
      const pending = tree.value(cursor)
      const made = this.addPending(copy, id, copies.get(this.consumerOf(pending))!, 0)
      const words = arena.view32(made)
      const at = arena.at32(made)
      const from = arena.view32(pending)
      const fromAt = arena.at32(pending)
      for (let word = 0; word < PENDING_CONSUMER; word++) words[at + word] = from[fromAt + word]!
    }
  }

  /** Adds an item to an index, or frees it when memory has ended. */
  private insertName(names: NameIndex, index: Ref, count: number, position: number, item: Ref): Ref {
    try {
      return names.insert(index, count, position, item)
    } catch (error) {
      this.arena.release(item)
      throw error
    }
  }

  private word(ref: Ref, word: number): number {
    return this.arena.view32(ref)[this.arena.at32(ref) + word]!
  }

  private setWord(ref: Ref, word: number, value: number): void {
    this.arena.view32(ref)[this.arena.at32(ref) + word] = value
  }
}

/** Adds one to a number of 64 bits. */
export function addOne(words: Int32Array, at: number): void {
  const low = (words[at]! + 1) | 0
  words[at] = low
  if (low === 0) words[at + 1]!++
}

function putMoment(words: Int32Array, at: number, ms: number): void {
  words[at] = (ms % TWO_32) | 0
  words[at + 1] = Math.floor(ms / TWO_32)
}
