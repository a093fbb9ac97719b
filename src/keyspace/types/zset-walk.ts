/**
 * A walk over the members of a sorted set, one by one and in no order that matters, for commands that combine several:
 *
 *   const walk = new ZsetWalk(zsets, arena, root, encoding)
 *   while (walk.next()) ...
 *   walk.end()
 *
 * Other sorted sets may change meanwhile, this one may not. Members of a table come in the order of memory, a bucket at a
 * time, whose blocks are fetched side by side.
 */
import type { Arena, Ref } from '../../memory/arena.ts'
import { ListpackReader, NO_ELEMENT } from '../../structures/listpack.ts'
import { ENCODING_LISTPACK } from '../entry.ts'
import type { ZsetType } from './zset.ts'

/** Entries of a bucket without further ones. */
const BATCH_MIN = 12

export class ZsetWalk {
  /** The member: bytes[start, start + length). */
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  length = 0
  score = 0
  /** Only so that fetching has a result that somebody could want. */
  fetched = 0
  private readonly zsets: ZsetType
  private readonly arena: Arena
  private readonly root: Ref
  private readonly isSmall: boolean
  private readonly reader = new ListpackReader()
  /** Listpack: the next member. */
  private at = NO_ELEMENT
  /** Table: the entries of a bucket, and the next bucket. */
  private batch = new Int32Array(BATCH_MIN)
  private batchAt = 0
  private batchEnd = 0
  private bucket = 0

  constructor(zsets: ZsetType, arena: Arena, root: Ref, encoding: number) {
    this.zsets = zsets
    this.arena = arena
    this.root = root
    this.isSmall = encoding === ENCODING_LISTPACK
    if (this.isSmall) this.at = zsets.small.first(root)
    else zsets.members.table.pauseRehash(zsets.members.tableOf(root))
  }

  /** Goes to the next member. False: there is none. */
  next(): boolean {
    if (this.isSmall) return this.nextOfListpack()
    while (this.batchAt === this.batchEnd) if (!this.fetchBucket()) return false
    const { members } = this.zsets
    const member = this.batch[this.batchAt++]!
    this.bytes = members.bytesOf(member)
    this.start = members.nameAt(member)
    this.length = members.nameLength(member)
    this.score = members.scoreOf(member)
    return true
  }

  /** To be called once, also after the last member. */
  end(): void {
    const { members } = this.zsets
    if (!this.isSmall) members.table.resumeRehash(members.tableOf(this.root))
  }

  private nextOfListpack(): boolean {
    const { at, reader, root } = this
    if (at === NO_ELEMENT) return false
    const { small } = this.zsets
    reader.readText(this.arena.view8(root), at)
    this.bytes = reader.bytes
    this.start = reader.start
    this.length = reader.length
    this.score = small.scoreAt(root, at)
    this.at = small.next(root, at)
    return true
  }

  /** False: there is no further bucket. */
  private fetchBucket(): boolean {
    if (this.bucket < 0) return false
    const { members } = this.zsets
    const { table } = members
    this.bucket = table.walk(members.tableOf(this.root), this.bucket)
    this.fetched = table.fetchScanned()
    const { scanned, scannedCount } = table
    if (scannedCount > this.batch.length) this.batch = new Int32Array(scanned.length)
    for (let i = 0; i < scannedCount; i++) this.batch[i] = scanned[i]!
    this.batchAt = 0
    this.batchEnd = scannedCount
    return true
  }
}
