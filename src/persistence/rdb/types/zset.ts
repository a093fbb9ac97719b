/**
 * Sorted sets in RDB data.
 *
 *    3  count (member score)*    before 4.0 (read): the score as text, its length in a byte; 253 = nan, 254 = inf, 255 = -inf
 *    5  count (member score)*    the last member first; the score as eight bytes of a double, little endian
 *   12  string                   a ziplist's bytes (before 7.0; read)
 *   17  string                   a listpack's bytes
 *
 * What is read gets the encoding that this server's limits ask for, as in Redis. Nothing is believed: a member that comes
 * twice and a score that is no number are errors.
 * Where it differs from Redis: it takes a listpack with the score nan, which then has no place in any order.
 * Source: Redis's rdb.c, and observed bytes of Redis 7.0.15.
 */
import { strtod } from '../../../base/double-text.ts'
import { ENCODING_LISTPACK, ENCODING_SKIPLIST, TYPE_ZSET } from '../../../keyspace/entry.ts'
import type { Keyspace } from '../../../keyspace/keyspace.ts'
import type { ZsetType } from '../../../keyspace/types/zset.ts'
import { NO_MEMBER } from '../../../keyspace/types/zset-members.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { findElement, isValidListpack, NO_ELEMENT } from '../../../structures/listpack.ts'
import { ZiplistReader } from '../../../structures/ziplist.ts'
import { type RdbSource, SHORT } from '../rdb-source.ts'
import type { RdbWriter } from '../rdb-writer.ts'
import type { RdbTypeCodec, ValueReading, ValueWriting } from '../type-codec.ts'

const RDB_ZSET = 3
const RDB_ZSET_2 = 5
const RDB_ZSET_ZIPLIST = 12
const RDB_ZSET_LISTPACK = 17

const TEXT_NAN = 253
const TEXT_INFINITY = 254
const TEXT_MINUS_INFINITY = 255
const DOUBLE_BYTES = 8
/** Room for no more members than this is made on the word of a count. */
const RESERVED_MEMBERS_MAX = 1_000_000
/** Up to so many members each is compared with all others to find out whether one comes twice. */
const COMPARED_MEMBERS_MAX = 32

export class ZsetCodec implements RdbTypeCodec {
  readonly type = TYPE_ZSET
  readonly rdbTypes = [RDB_ZSET, RDB_ZSET_2, RDB_ZSET_ZIPLIST, RDB_ZSET_LISTPACK]
  private readonly keyspace: Keyspace

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  rdbTypeOf(_root: Ref, encoding: number): number {
    return encoding === ENCODING_LISTPACK ? RDB_ZSET_LISTPACK : RDB_ZSET_2
  }

  write(root: Ref, encoding: number, out: RdbWriter, budgetBytes: number): ValueWriting | null {
    const { arena, zsets } = this.keyspace
    if (encoding === ENCODING_LISTPACK) {
      out.string(arena.view8(root), arena.at8(root), zsets.small.listpacks.bytes(root))
      return null
    }
    out.length(zsets.length(root, encoding))
    const writing = new MembersWriting(arena, zsets, root)
    return writing.proceed(out, budgetBytes) ? null : writing
  }

  read(rdbType: number): ValueReading {
    if (rdbType === RDB_ZSET || rdbType === RDB_ZSET_2) return new PairsReading(this.keyspace, rdbType === RDB_ZSET_2)
    return new ListReading(this.keyspace, rdbType === RDB_ZSET_ZIPLIST)
  }
}

/** Members from the last to the first. The sorted set stands still meanwhile. */
class MembersWriting implements ValueWriting {
  private readonly arena: Arena
  private readonly zsets: ZsetType
  private readonly root: Ref
  /** How many are still to be written: the next one's rank is one less. */
  private left: number

  constructor(arena: Arena, zsets: ZsetType, root: Ref) {
    this.arena = arena
    this.zsets = zsets
    this.root = root
    this.left = zsets.length(root, ENCODING_SKIPLIST)
  }

  proceed(out: RdbWriter, budgetBytes: number): boolean {
    const { arena } = this
    const { members } = this.zsets
    const { tree } = members
    const stopBytes = out.writtenBytes + budgetBytes
    tree.seekRank(members.treeOf(this.root), this.left - 1)
    while (this.left > 0 && out.writtenBytes < stopBytes) {
      const member = tree.item
      const data = arena.viewData(member)
      out.stringFrom(arena.view8(member), data, members.nameAt(member), members.nameLength(member))
      members.writeScore(member, out)
      this.left--
      tree.previous()
    }
    return this.left === 0
  }
}

/** What both kinds of reading have in common. */
abstract class ZsetReading implements ValueReading {
  root: Ref = 0
  encoding = ENCODING_SKIPLIST
  isEmpty = false
  protected readonly zsets: ZsetType

  constructor({ zsets }: Keyspace) {
    this.zsets = zsets
  }

  abstract proceed(source: RdbSource): boolean

  discard(): void {
    if (this.root !== 0) this.zsets.release(this.root, this.encoding)
    this.root = 0
  }

  protected settle(): void {
    this.root = this.zsets.root
    this.encoding = this.zsets.encoding
  }
}

class PairsReading extends ZsetReading {
  private readonly isBinary: boolean
  private left = -1
  private longest = 0
  private total = 0

  constructor(keyspace: Keyspace, isBinary: boolean) {
    super(keyspace)
    this.isBinary = isBinary
  }

  proceed(source: RdbSource): boolean {
    const { zsets } = this
    const { members } = zsets
    if (this.left < 0) {
      const count = source.readCount()
      if (count === SHORT) return false
      this.left = count
      this.isEmpty = count === 0
      this.root = members.create()
      members.table.reserve(members.tableOf(this.root), Math.min(count, RESERVED_MEMBERS_MAX))
      source.setMark()
    }
    for (; this.left > 0; this.left--) {
      if (!source.readString()) return false
      const { bytes } = source.text
      const { textStart, textLength } = source
      const score = this.isBinary ? readDouble(source) : readDoubleText(source)
      if (score === null) return false
      if (Number.isNaN(score)) throw source.error('RDB_CORRUPT', 'Zset with NAN score detected')
      const hash = members.hashOf(bytes, textStart, textLength)
      if (members.find(this.root, hash, bytes, textStart, textLength) !== NO_MEMBER) {
        throw source.error('RDB_CORRUPT', 'Duplicate zset fields detected')
      }
      members.add(this.root, hash, score, bytes, textStart, textLength)
      this.longest = Math.max(this.longest, textLength)
      this.total += textLength
      source.setMark()
    }
    zsets.shrink(this.root, this.encoding, this.longest, this.total)
    this.settle()
    return true
  }
}

/** A listpack, as it is if this server would keep it so, or a ziplist that becomes one. */
class ListReading extends ZsetReading {
  private readonly keyspace: Keyspace
  private readonly isZiplist: boolean

  constructor(keyspace: Keyspace, isZiplist: boolean) {
    super(keyspace)
    this.keyspace = keyspace
    this.isZiplist = isZiplist
    this.encoding = ENCODING_LISTPACK
  }

  proceed(source: RdbSource): boolean {
    if (!source.readString()) return false
    const { zsets } = this
    const { listpacks } = zsets.small
    if (!this.take(source) || (listpacks.count(this.root) & 1) !== 0 || !this.isSound()) {
      const kind = this.isZiplist ? 'ziplist' : 'listpack'
      throw source.error('RDB_CORRUPT', `Zset ${kind} integrity check failed.`)
    }
    const count = zsets.small.count(this.root)
    this.isEmpty = count === 0
    if (count > this.keyspace.limits.zsetMaxListpackEntries) {
      const large = zsets.largeOf(this.root)
      listpacks.release(this.root)
      this.root = large
      this.encoding = ENCODING_SKIPLIST
    }
    source.setMark()
    return true
  }

  /** Makes a listpack of the string that was read. False: it is not what it should be. */
  private take({ text, textStart, textLength }: RdbSource): boolean {
    const { listpacks } = this.zsets.small
    if (!this.isZiplist) {
      if (!isValidListpack(text.bytes, textStart, textLength, true)) return false
      this.root = listpacks.fromBytes(text.bytes, textStart, textLength)
      return true
    }
    const reader = new ZiplistReader()
    if (!reader.open(text.bytes, textStart, textStart + textLength)) return false
    this.root = listpacks.create(textLength)
    while (reader.next()) this.root = listpacks.append(this.root, reader.bytes, reader.start, reader.length)
    return true
  }

  /** No member comes twice, and all scores have a place in an order. */
  private isSound(): boolean {
    const { root } = this
    const { small } = this.zsets
    const bytes = this.keyspace.arena.view8(root)
    const seen = small.count(root) > COMPARED_MEMBERS_MAX ? new Set<string>() : null
    let count = 0
    for (let at = small.first(root); at !== NO_ELEMENT; count++) {
      if (Number.isNaN(small.scoreAt(root, at))) return false
      small.readMember(root, at)
      const { member } = small
      at = small.next(root, at)
      if (seen === null) {
        if (findElement(bytes, at, member.bytes, member.start, member.length, 1) !== NO_ELEMENT) return false
        continue
      }
      seen.add(Buffer.from(member.bytes.subarray(member.start, member.start + member.length)).toString('latin1'))
    }
    return seen === null || seen.size === count
  }
}

/** Null: short. */
function readDouble(source: RdbSource): number | null {
  if (!source.has(DOUBLE_BYTES)) return null
  const value = source.window.data.getFloat64(source.at, true)
  source.at += DOUBLE_BYTES
  return value
}

/** Null: short. */
function readDoubleText(source: RdbSource): number | null {
  const length = source.readByte()
  if (length === SHORT) return null
  if (length === TEXT_NAN) return Number.NaN
  if (length === TEXT_INFINITY) return Number.POSITIVE_INFINITY
  if (length === TEXT_MINUS_INFINITY) return Number.NEGATIVE_INFINITY
  if (!source.has(length)) return null
  const { bytes, at } = source
  source.at += length
  const read = strtod(bytes, at, at + length)
  // What C's sscanf does not find leaves the score undefined there.
  return read.end === at ? Number.NaN : read.value
}
