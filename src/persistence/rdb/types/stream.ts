/**
 * Streams in files and payloads.
 *
 *   15 19 21  nodes (string(master id, 16 bytes) string(listpack))*  entries  last id
 *   19 21     first id  greatest deleted id  entries ever added
 *             groups (string(name) last id
 *   19 21       entries read
 *               pending (id(16 bytes) time(8, little endian) deliveries)*
 *               consumers (string(name) seen(8, little endian)
 *   21            active(8, little endian)
 *                 pending (id(16 bytes))*)*)*
 *
 * Counts, deliveries and the two halves of other ids are lengths. Written is 19. Nothing is believed: nodes are looked
 * through as a whole, and what is pending belongs to exactly one consumer of its group.
 * Where it differs from Redis: a number of entries that the nodes do not have is refused; so are entries whose marks
 * contradict the counts of their node. The time at which a consumer was last active (21) is passed over.
 * Sources: 1. Redis's rdb.c. 2. The notes on RDB of Redis 7.2 for type 21.
 */
import { ENCODING_STREAM, TYPE_STREAM } from '../../../keyspace/entry.ts'
import type { Keyspace } from '../../../keyspace/keyspace.ts'
import type { StreamType } from '../../../keyspace/types/stream.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { IdCursor } from '../../../structures/id-tree.ts'
import { listpackBytes } from '../../../structures/listpack.ts'
import { ID_BYTES, StreamId } from '../../../structures/stream-id.ts'
import { isValidNode, liveCount } from '../../../structures/stream-node.ts'
import type { RdbSource } from '../rdb-source.ts'
import { SHORT } from '../rdb-source.ts'
import type { RdbWriter } from '../rdb-writer.ts'
import type { RdbTypeCodec, ValueReading, ValueWriting } from '../type-codec.ts'

export const RDB_STREAM_LISTPACKS = 15
export const RDB_STREAM_LISTPACKS_2 = 19
export const RDB_STREAM_LISTPACKS_3 = 21

const TIME_BYTES = 8
/** Pending entries written between two looks at how much was written. */
const PENDING_PER_LOOK = 64
const ENTRIES_MAX = 0xffff_ffff

export class StreamCodec implements RdbTypeCodec {
  readonly type = TYPE_STREAM
  readonly rdbTypes = [RDB_STREAM_LISTPACKS, RDB_STREAM_LISTPACKS_2, RDB_STREAM_LISTPACKS_3]
  private readonly keyspace: Keyspace

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  rdbTypeOf(): number {
    return RDB_STREAM_LISTPACKS_2
  }

  write(root: Ref, _encoding: number, out: RdbWriter, budgetBytes: number): ValueWriting | null {
    const writing = new StreamWriting(this.keyspace, root)
    return writing.proceed(out, budgetBytes) ? null : writing
  }

  read(rdbType: number): ValueReading {
    return new StreamReading(this.keyspace, rdbType)
  }
}

class StreamWriting implements ValueWriting {
  private readonly arena: Arena
  private readonly streams: StreamType
  private readonly root: Ref
  private readonly id = new StreamId()
  private readonly idBytes = new Uint8Array(ID_BYTES)
  private readonly parts: Iterator<void>
  private out!: RdbWriter
  private stopBytes = 0

  constructor({ arena, streams }: Keyspace, root: Ref) {
    this.arena = arena
    this.streams = streams
    this.root = root
    this.parts = this.all()
  }

  proceed(out: RdbWriter, budgetBytes: number): boolean {
    this.out = out
    this.stopBytes = out.writtenBytes + budgetBytes
    return this.parts.next().done === true
  }

  /** Writes everything, and rests whenever it has written enough. */
  private *all(): Generator<void, void> {
    const { arena, streams, root, id, idBytes } = this
    const { tree, groups } = streams
    const cursor = new IdCursor()
    this.out.length(tree.count(root))
    for (let goesOn = tree.seekFirst(root, cursor); goesOn; goesOn = tree.next(cursor)) {
      const node = tree.value(cursor)
      const bytes = arena.view8(node)
      const start = arena.at8(node)
      tree.readId(cursor, id)
      id.writeBytes(idBytes, 0)
      this.out.string(idBytes, 0, ID_BYTES)
      this.out.stringFrom(bytes, arena.viewData(node), start, listpackBytes(bytes, start))
      if (this.isEnough) yield
    }
    this.out.length(streams.length(root))
    streams.readLastId(root, id)
    this.idLengths()
    streams.readFirstId(root, id)
    this.idLengths()
    streams.readDeletedId(root, id)
    this.idLengths()
    this.out.length64(streams.entriesAdded(root))
    this.out.length(groups.count(root))
    for (let i = 0; i < groups.count(root); i++) {
      const group = groups.at(root, i)
      const names = groups.groupNames
      this.out.string(arena.view8(group), names.nameAt(group), names.nameLength(group))
      groups.readLastId(group, id)
      this.idLengths()
      this.out.length64(BigInt.asUintN(64, groups.entriesRead(group)))
      yield* this.pending(group, true)
      yield* this.consumers(group)
    }
  }

  private *consumers(group: Ref): Generator<void, void> {
    const { arena } = this
    const { groups } = this.streams
    const names = groups.consumerNames
    this.out.length(groups.consumerCount(group))
    for (let i = 0; i < groups.consumerCount(group); i++) {
      const consumer = groups.consumerAt(group, i)
      this.out.string(arena.view8(consumer), names.nameAt(consumer), names.nameLength(consumer))
      this.out.words(groups.seenLow(consumer), groups.seenHigh(consumer))
      yield* this.pending(consumer, false)
    }
  }

  /** What is pending for a group, with all that is known of it, or for a consumer. */
  private *pending(owner: Ref, isGroup: boolean): Generator<void, void> {
    const { id, idBytes } = this
    const { tree, groups } = this.streams
    const cursor = new IdCursor()
    let written = 0
    this.out.length(tree.count(owner))
    for (let goesOn = tree.seekFirst(owner, cursor); goesOn; goesOn = tree.next(cursor)) {
      tree.readId(cursor, id)
      id.writeBytes(idBytes, 0)
      this.out.raw(idBytes, 0, ID_BYTES)
      if (isGroup) {
        const pending = tree.value(cursor)
        this.out.words(groups.deliveredLow(pending), groups.deliveredHigh(pending))
        this.out.length64(BigInt.asUintN(64, groups.deliveries(pending)))
      }
      if (++written % PENDING_PER_LOOK === 0 && this.isEnough) yield
    }
    if (this.isEnough) yield
  }

  private idLengths(): void {
    const { id, out } = this
    out.length64((BigInt(id.msHigh >>> 0) << 32n) | BigInt(id.msLow >>> 0))
    out.length64((BigInt(id.seqHigh >>> 0) << 32n) | BigInt(id.seqLow >>> 0))
  }

  private get isEnough(): boolean {
    return this.out.writtenBytes >= this.stopBytes
  }
}

/** Reads one part; false: it is not there yet. */
type Part = (source: RdbSource) => boolean

class StreamReading implements ValueReading {
  readonly root: Ref
  readonly encoding = ENCODING_STREAM
  /** A stream without entries is a value like any other. */
  readonly isEmpty = false
  private readonly streams: StreamType
  private readonly arena: Arena
  private readonly nowMs: number
  private readonly isFirstVersion: boolean
  private readonly hasActiveTime: boolean
  private readonly id = new StreamId()
  private isWhole = false
  private isDiscarded = false
  private part: Part = this.readNodeCount
  /** Nodes, groups, pending entries of a group, consumers, pending entries of a consumer that are still to come. */
  private nodes = 0
  private groups = 0
  private groupPending = 0
  private consumers = 0
  private consumerPending = 0
  private entries = 0
  private group: Ref = 0
  private consumer: Ref = 0

  constructor({ arena, streams, clock }: Keyspace, rdbType: number) {
    this.arena = arena
    this.streams = streams
    this.nowMs = clock.nowMs
    this.isFirstVersion = rdbType === RDB_STREAM_LISTPACKS
    this.hasActiveTime = rdbType === RDB_STREAM_LISTPACKS_3
    this.root = streams.create()
  }

  proceed(source: RdbSource): boolean {
    while (!this.isWhole) {
      if (!this.part(source)) return false
      source.setMark()
    }
    return true
  }

  discard(): void {
    if (!this.isDiscarded) this.streams.release(this.root)
    this.isDiscarded = true
  }

  private readNodeCount(source: RdbSource): boolean {
    const count = source.readCount()
    if (count === SHORT) return false
    this.nodes = count
    this.part = count > 0 ? this.readNode : this.readFacts
    return true
  }

  private readNode(source: RdbSource): boolean {
    const { arena, streams, id } = this
    if (!source.readString()) return false
    if (source.textLength !== ID_BYTES) {
      throw source.error('RDB_CORRUPT', 'Stream node key entry is not the size of a stream ID')
    }
    id.readBytes(source.text.bytes, source.textStart)
    if (!source.readString()) return false
    const { text, textStart, textLength } = source
    if (!isValidNode(streams.reader, text.bytes, textStart, textLength)) {
      throw source.error('RDB_CORRUPT', 'Stream listpack integrity check failed.')
    }
    const node = arena.allocate(textLength)
    text.copy(textStart, arena.view8(node), arena.viewData(node), arena.at8(node), textLength)
    this.entries += liveCount(streams.reader, text.bytes, textStart)
    if (!streams.addListpack(this.root, id, node)) {
      throw source.error('RDB_CORRUPT', 'Listpack re-added with existing key')
    }
    if (--this.nodes === 0) this.part = this.readFacts
    return true
  }

  private readFacts(source: RdbSource): boolean {
    const { streams, root, id } = this
    const length = source.readCount()
    if (length === SHORT || !this.readIdLengths(source)) return false
    if (length !== this.entries || length > ENTRIES_MAX) {
      throw source.error('RDB_CORRUPT', 'Stream length inconsistent with rax entries')
    }
    streams.setLength(root, length)
    streams.setLastId(root, id)
    if (this.isFirstVersion) {
      streams.setEntriesAdded(root, BigInt(length))
      streams.readEdgeId(root, true, true, id)
      streams.setFirstId(root, id)
    } else {
      if (!this.readIdLengths(source)) return false
      streams.setFirstId(root, id)
      if (!this.readIdLengths(source)) return false
      streams.setDeletedId(root, id)
      const added = source.readCount64()
      if (added === null) return false
      streams.setEntriesAdded(root, added)
    }
    this.part = this.readGroupCount
    return true
  }

  private readGroupCount(source: RdbSource): boolean {
    const count = source.readCount()
    if (count === SHORT) return false
    this.groups = count
    this.nextGroup()
    return true
  }

  private readGroup(source: RdbSource): boolean {
    const { streams, root, id } = this
    if (!source.readString()) return false
    const { text, textStart, textLength } = source
    if (!this.readIdLengths(source)) return false
    let read: bigint | null
    if (this.isFirstVersion) read = streams.entriesUpTo(root, id)
    else {
      read = source.readCount64()
      if (read === null) return false
    }
    const count = source.readCount()
    if (count === SHORT) return false
    this.group = streams.groups.create(root, text.bytes, textStart, textLength, id, -1, -1)
    if (this.group === 0) throw source.error('RDB_CORRUPT', 'Duplicated consumer group name')
    streams.groups.setEntriesRead(this.group, read)
    this.groupPending = count
    this.part = count > 0 ? this.readGroupPending : this.readConsumerCount
    return true
  }

  private readGroupPending(source: RdbSource): boolean {
    const { id } = this
    const { groups } = this.streams
    if (!source.has(ID_BYTES + TIME_BYTES)) return false
    id.readBytes(source.bytes, source.at)
    source.at += ID_BYTES
    const low = source.readInt32()
    const high = source.readInt32()
    const deliveries = source.readCount64()
    if (deliveries === null) return false
    if (groups.findPending(this.group, id) !== 0) {
      throw source.error('RDB_CORRUPT', 'Duplicated global PEL entry loading stream consumer group')
    }
    const pending = groups.addPending(this.group, id, 0, this.nowMs)
    groups.setPendingWords(pending, low, high, deliveries)
    if (--this.groupPending === 0) this.part = this.readConsumerCount
    return true
  }

  private readConsumerCount(source: RdbSource): boolean {
    const count = source.readCount()
    if (count === SHORT) return false
    this.consumers = count
    this.nextConsumer(source)
    return true
  }

  private readConsumer(source: RdbSource): boolean {
    const { groups } = this.streams
    if (!source.readString()) return false
    const { text, textStart, textLength } = source
    if (!source.has(this.hasActiveTime ? 2 * TIME_BYTES : TIME_BYTES)) return false
    const low = source.readInt32()
    const high = source.readInt32()
    if (this.hasActiveTime) source.at += TIME_BYTES
    const count = source.readCount()
    if (count === SHORT) return false
    this.consumer = groups.createConsumer(this.group, text.bytes, textStart, textLength, 0)
    if (this.consumer === 0) throw source.error('RDB_CORRUPT', 'Duplicate stream consumer detected.')
    groups.setSeenWords(this.consumer, low, high)
    this.consumerPending = count
    if (count > 0) this.part = this.readConsumerPending
    else this.nextConsumer(source)
    return true
  }

  private readConsumerPending(source: RdbSource): boolean {
    const { id } = this
    const { groups } = this.streams
    if (!source.has(ID_BYTES)) return false
    id.readBytes(source.bytes, source.at)
    source.at += ID_BYTES
    const pending = groups.findPending(this.group, id)
    if (pending === 0) throw source.error('RDB_CORRUPT', 'Consumer entry not found in group global PEL')
    if (groups.consumerOf(pending) !== 0) {
      throw source.error('RDB_CORRUPT', 'Stream consumer PEL entry already has a consumer assigned')
    }
    groups.assign(pending, id, this.consumer)
    if (--this.consumerPending === 0) this.nextConsumer(source)
    return true
  }

  /** A consumer is whole: the next one, or the next group. */
  private nextConsumer(source: RdbSource): void {
    if (this.consumers-- > 0) {
      this.part = this.readConsumer
      return
    }
    if (!this.streams.groups.isEachAssigned(this.group)) {
      throw source.error('RDB_CORRUPT', 'Stream CG PEL entry without consumer')
    }
    this.nextGroup()
  }

  private nextGroup(): void {
    if (this.groups-- > 0) this.part = this.readGroup
    else this.isWhole = true
  }

  private readIdLengths(source: RdbSource): boolean {
    const ms = source.readCount64()
    if (ms === null) return false
    const seq = source.readCount64()
    if (seq === null) return false
    this.id.setMs(ms)
    this.id.setSeq(seq)
    return true
  }
}
