/**
 * Hashes in files and payloads.
 *
 *    4  count (field value)*                        hash table
 *    9  string                                      a zipmap's bytes (Redis before 2.6; read)
 *   13  string                                      a ziplist's bytes (before 7.0; read)
 *   16  string                                      a listpack's bytes
 *   24  earliest(8) count (ttl field value)*        Redis 7.4, some fields expire: ttl is 0, or expire time - earliest + 1
 *   25  earliest(8) string                          the same as a listpack of fields, values and expire times, 0 = none,
 *                                                   those that expire first, sorted by time
 *   22, 23                                          24 and 25 as release candidates wrote them: without the earliest
 *                                                   time, and ttl is the time itself
 *
 * What is read gets the encoding that this server's limits ask for, as in Redis. Nothing is believed: every element is
 * looked at, a field that comes twice is an error. What expires is written as such only while something does.
 * Source: Redis's rdb.c, and observed bytes of Redis 7.0.15.
 */
import { ENCODING_HASHTABLE, ENCODING_LISTPACK, TYPE_HASH } from '../../../keyspace/entry.ts'
import type { Keyspace } from '../../../keyspace/keyspace.ts'
import type { FieldRef } from '../../../keyspace/types/field-table.ts'
import { DuplicateFieldError, type HashType } from '../../../keyspace/types/hash.ts'
import { ENCODING_HASHTABLE_EX, ENCODING_LISTPACK_EX, hasFieldExpiry } from '../../../keyspace/types/hash-encodings.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import type { TableRef } from '../../../structures/hash-table.ts'
import {
  findElement,
  firstElement,
  isValidListpack,
  LISTPACK_BYTES_SAFE,
  LISTPACK_EMPTY_BYTES,
  LISTPACK_HEADER_BYTES,
  ListpackEncoder,
  ListpackReader,
  listpackCount,
  NO_ELEMENT,
  nextElement,
  setHeaderBytes,
  setHeaderCount,
  skipElement,
  writeEmptyListpack,
} from '../../../structures/listpack.ts'
import { ZiplistReader } from '../../../structures/ziplist.ts'
import { ZipmapReader } from '../../../structures/zipmap.ts'
import { RDB_HASH_LISTPACK_EX, RDB_HASH_METADATA, RDB_HASH_METADATA_PRE_GA } from '../format.ts'
import { type RdbSource, SHORT } from '../rdb-source.ts'
import type { RdbWriter } from '../rdb-writer.ts'
import type { RdbTypeCodec, ValueReading, ValueWriting } from '../type-codec.ts'

export const RDB_HASH = 4
export const RDB_HASH_ZIPMAP = 9
export const RDB_HASH_ZIPLIST = 13
export const RDB_HASH_LISTPACK = 16
const RDB_HASH_LISTPACK_EX_PRE_GA = 23

/** Room for no more fields than this is made on the word of a count. */
const RESERVED_FIELDS_MAX = 1_000_000
/** Redis's EB_EXPIRE_TIME_MAX. */
const EXPIRE_TIME_MAX = 2 ** 48 - 2
/** From so many pairs on a listpack's fields are put into a table to find out whether one comes twice. */
const TABLE_PAIRS_MIN = 32
const TWO_32 = 0x1_0000_0000
const NO_EXPIRE = -1

export class HashCodec implements RdbTypeCodec {
  readonly type = TYPE_HASH
  readonly rdbTypes = [
    RDB_HASH,
    RDB_HASH_ZIPMAP,
    RDB_HASH_ZIPLIST,
    RDB_HASH_LISTPACK,
    RDB_HASH_METADATA_PRE_GA,
    RDB_HASH_LISTPACK_EX_PRE_GA,
    RDB_HASH_METADATA,
    RDB_HASH_LISTPACK_EX,
  ]
  private readonly keyspace: Keyspace

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  rdbTypeOf(root: Ref, encoding: number): number {
    const { expiring } = this.keyspace.hashes
    if (encoding === ENCODING_LISTPACK) return RDB_HASH_LISTPACK
    if (!hasFieldExpiry(encoding) || expiring.expiringCount(root) === 0) return RDB_HASH
    return encoding === ENCODING_LISTPACK_EX ? RDB_HASH_LISTPACK_EX : RDB_HASH_METADATA
  }

  write(root: Ref, encoding: number, out: RdbWriter, budgetBytes: number): ValueWriting | null {
    const { arena, hashes } = this.keyspace
    const rdbType = this.rdbTypeOf(root, encoding)
    if (rdbType === RDB_HASH_LISTPACK) {
      out.string(arena.view8(root), arena.at8(root), hashes.listpacks.bytes(root))
      return null
    }
    if (rdbType === RDB_HASH_LISTPACK_EX) {
      const earliest = hashes.expiring.exactEarliest(root)
      const list = new TimedListpack(hashes, root).bytes
      writeTime(out, earliest)
      out.string(list, 0, list.length)
      return null
    }
    const earliest = rdbType === RDB_HASH_METADATA ? hashes.expiring.exactEarliest(root) : NO_EXPIRE
    if (earliest !== NO_EXPIRE) writeTime(out, earliest)
    out.length(hashes.length(root, encoding))
    const writing = new TableWriting(arena, hashes, hashes.fieldsOf(root, encoding), earliest)
    return writing.proceed(out, budgetBytes) ? null : writing
  }

  read(rdbType: number): ValueReading {
    const { keyspace } = this
    switch (rdbType) {
      case RDB_HASH:
        return new PairsReading(keyspace)
      case RDB_HASH_METADATA:
      case RDB_HASH_METADATA_PRE_GA:
        return new TimedPairsReading(keyspace, rdbType === RDB_HASH_METADATA)
      case RDB_HASH_LISTPACK_EX:
      case RDB_HASH_LISTPACK_EX_PRE_GA:
        return new TimedListpackReading(keyspace, rdbType === RDB_HASH_LISTPACK_EX)
      case RDB_HASH_LISTPACK:
        return new ListpackReading(keyspace)
      default:
        return new OldReading(keyspace, rdbType === RDB_HASH_ZIPMAP)
    }
  }
}

function writeTime(out: RdbWriter, atMs: number): void {
  const high = Math.floor(atMs / TWO_32)
  out.words((atMs - high * TWO_32) | 0, high)
}

/** A table's fields bucket by bucket. The table stands still meanwhile. */
class TableWriting implements ValueWriting {
  private readonly arena: Arena
  private readonly hashes: HashType
  private readonly fields: TableRef
  private readonly earliest: number
  private entries = new Int32Array(64)
  private count = 0
  private at = 0
  private cursor = 0
  private hasBegun = false
  private isPaused = true

  constructor(arena: Arena, hashes: HashType, fields: TableRef, earliest: number) {
    this.arena = arena
    this.hashes = hashes
    this.fields = fields
    this.earliest = earliest
    hashes.fields.table.pauseRehash(fields)
  }

  proceed(out: RdbWriter, budgetBytes: number): boolean {
    const stopBytes = out.writtenBytes + budgetBytes
    do {
      while (this.at < this.count) this.writeField(out, this.entries[this.at++]!)
      if (this.hasBegun && this.cursor === 0) {
        this.abandon()
        return true
      }
      this.gather()
    } while (out.writtenBytes < stopBytes)
    return false
  }

  abandon(): void {
    if (!this.isPaused) return
    this.isPaused = false
    this.hashes.fields.table.resumeRehash(this.fields)
  }

  private gather(): void {
    const { table } = this.hashes.fields
    this.cursor = table.scan(this.fields, this.cursor)
    table.fetchScanned()
    this.hasBegun = true
    if (table.scannedCount > this.entries.length) this.entries = new Int32Array(table.scannedCount * 2)
    for (let i = 0; i < table.scannedCount; i++) this.entries[i] = table.scanned[i]!
    this.count = table.scannedCount
    this.at = 0
  }

  private writeField(out: RdbWriter, field: FieldRef): void {
    const { arena, earliest } = this
    const { fields } = this.hashes
    if (earliest !== NO_EXPIRE) {
      const atMs = fields.expireAtMs(field)
      out.length(atMs === NO_EXPIRE ? 0 : atMs - earliest + 1)
    }
    const bytes = arena.view8(field)
    const data = arena.viewData(field)
    out.stringFrom(bytes, data, fields.fieldAt(field), fields.fieldLength(field))
    out.stringFrom(bytes, data, fields.valueAt(field), fields.valueLength(field))
  }
}

/** A small hash of which fields expire as Redis keeps it. */
class TimedListpack {
  readonly bytes: Uint8Array
  private at = LISTPACK_HEADER_BYTES
  private readonly data: DataView
  private readonly encoder = new ListpackEncoder()

  constructor({ fields, expiring }: HashType, root: Ref) {
    const entries: FieldRef[] = []
    fields.forEach(expiring.fieldsOf(root), (field) => {
      entries.push(field)
    })
    const timeOf = (field: FieldRef): number =>
      fields.hasExpire(field) ? fields.expireAtMs(field) : Number.POSITIVE_INFINITY
    // Two that never expire stay as they are: Infinity - Infinity is not a number.
    entries.sort((a, b) => timeOf(a) - timeOf(b) || 0)
    let total = LISTPACK_EMPTY_BYTES
    for (const entry of entries) total += this.measure(fields, entry)
    this.bytes = new Uint8Array(total)
    this.data = new DataView(this.bytes.buffer)
    writeEmptyListpack(this.bytes, 0)
    const { encoder } = this
    for (const entry of entries) {
      const page = fields.bytesOf(entry)
      encoder.text(page, fields.fieldAt(entry), fields.fieldLength(entry))
      this.append()
      encoder.text(page, fields.valueAt(entry), fields.valueLength(entry))
      this.append()
      encoder.integer(fields.hasExpire(entry) ? fields.expireAtMs(entry) : 0)
      this.append()
    }
    this.bytes[this.at] = 0xff
    setHeaderBytes(this.bytes, 0, total)
    setHeaderCount(this.bytes, 0, entries.length * 3)
  }

  private measure(fields: HashType['fields'], entry: FieldRef): number {
    const { encoder } = this
    const page = fields.bytesOf(entry)
    encoder.text(page, fields.fieldAt(entry), fields.fieldLength(entry))
    let total = encoder.total
    encoder.text(page, fields.valueAt(entry), fields.valueLength(entry))
    total += encoder.total
    encoder.integer(fields.hasExpire(entry) ? fields.expireAtMs(entry) : 0)
    return total + encoder.total
  }

  private append(): void {
    this.encoder.write(this.bytes, this.data, this.at)
    this.at += this.encoder.total
  }
}

/** What all kinds of reading have in common: a hash that fields are put into. */
abstract class HashReading implements ValueReading {
  root: Ref = 0
  encoding = ENCODING_LISTPACK
  isEmpty = false
  protected readonly keyspace: Keyspace
  protected readonly hashes: HashType
  /** A longer field or value makes a hash table of the hash. */
  private readonly elementBytesMax: number

  constructor(keyspace: Keyspace, elementBytesMax = keyspace.limits.hashMaxListpackValueBytes) {
    this.keyspace = keyspace
    this.hashes = keyspace.hashes
    this.elementBytesMax = elementBytesMax
  }

  abstract proceed(source: RdbSource): boolean

  discard(): void {
    if (this.root !== 0) this.hashes.release(this.root, this.encoding)
    this.root = 0
  }

  /** Makes an empty hash that is going to hold about so many fields. */
  protected begin(count: number): void {
    const { hashes, keyspace } = this
    if (count <= keyspace.limits.hashMaxListpackEntries) {
      this.root = hashes.create()
      return
    }
    const { table } = hashes.fields
    this.root = table.create()
    this.encoding = ENCODING_HASHTABLE
    table.reserve(this.root, Math.min(count, RESERVED_FIELDS_MAX))
  }

  /** Puts a field into a hash none of which expires. False: it is there already. */
  protected add(
    field: Uint8Array,
    fieldStart: number,
    fieldLength: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
  ): boolean {
    const { hashes, keyspace } = this
    if (this.encoding === ENCODING_LISTPACK) {
      const { arena } = keyspace
      const { elementBytesMax } = this
      const list = arena.view8(this.root)
      const first = firstElement(list, arena.at8(this.root))
      if (findElement(list, first, field, fieldStart, fieldLength, 1) !== NO_ELEMENT) return false
      const isShort = fieldLength <= elementBytesMax && valueLength <= elementBytesMax
      if (isShort && hashes.listpacks.bytes(this.root) + fieldLength + valueLength <= LISTPACK_BYTES_SAFE) {
        this.root = hashes.listpacks.append(this.root, field, fieldStart, fieldLength)
        this.root = hashes.listpacks.append(this.root, value, valueStart, valueLength)
        return true
      }
      this.toTable()
    }
    return hashes.fields.add(this.root, field, fieldStart, fieldLength, value, valueStart, valueLength)
  }

  /** Puts the pairs of the listpack into a table. */
  protected toTable(): void {
    const { hashes } = this
    const list = this.root
    this.root = hashes.tableOf(list)
    this.encoding = ENCODING_HASHTABLE
    hashes.listpacks.release(list)
  }

  /** The string that was read, on its own: the source is about to use its place again. */
  protected copyOf(source: RdbSource): Uint8Array {
    return source.text.bytes.slice(source.textStart, source.textStart + source.textLength)
  }
}

class PairsReading extends HashReading {
  private left = -1
  /** The field whose value is to follow. */
  private field: Uint8Array | null = null

  proceed(source: RdbSource): boolean {
    if (this.left < 0) {
      const count = source.readCount()
      if (count === SHORT) return false
      this.left = count
      this.isEmpty = count === 0
      this.begin(count)
      source.setMark()
    }
    for (; this.left > 0; this.left--) {
      if (this.field === null) {
        if (!source.readString()) return false
        this.field = this.copyOf(source)
        source.setMark()
      }
      if (!source.readString()) return false
      const { field } = this
      if (!this.add(field, 0, field.length, source.text.bytes, source.textStart, source.textLength)) {
        throw source.error('RDB_CORRUPT', 'Hash with dup elements')
      }
      this.field = null
      source.setMark()
    }
    return true
  }
}

/** A listpack, as it is if this server would keep it so. */
class ListpackReading extends HashReading {
  proceed(source: RdbSource): boolean {
    const { hashes, keyspace } = this
    if (!source.readString()) return false
    const { text, textStart, textLength } = source
    if (!isValidListpack(text.bytes, textStart, textLength, true)) {
      throw source.error('RDB_CORRUPT', 'Hash listpack integrity check failed.')
    }
    const elements = listpackCount(text.bytes, textStart)
    if ((elements & 1) !== 0) throw source.error('RDB_CORRUPT', 'Hash listpack integrity check failed.')
    this.isEmpty = elements === 0
    this.root = hashes.listpacks.fromBytes(text.bytes, textStart, textLength)
    const isLarge = elements >>> 1 > keyspace.limits.hashMaxListpackEntries
    try {
      if (isLarge || elements >>> 1 >= TABLE_PAIRS_MIN) {
        const table = hashes.tableOf(this.root)
        if (isLarge) {
          hashes.listpacks.release(this.root)
          this.root = table
          this.encoding = ENCODING_HASHTABLE
        } else hashes.release(table, ENCODING_HASHTABLE)
      } else if (this.hasTwins()) throw new DuplicateFieldError()
    } catch (error) {
      if (!(error instanceof DuplicateFieldError)) throw error
      throw source.error('RDB_CORRUPT', 'Hash listpack integrity check failed.')
    }
    source.setMark()
    return true
  }

  /** Whether a field comes twice among a few. */
  private hasTwins(): boolean {
    const { arena, hashes } = this.keyspace
    const list = arena.view8(this.root)
    hashes.iterate(this.root, ENCODING_LISTPACK)
    let at = firstElement(list, arena.at8(this.root))
    while (hashes.next()) {
      const { bytes, start, length } = hashes.fieldText
      at = nextElement(list, skipElement(list, at))
      if (findElement(list, at, bytes, start, length, 1) !== NO_ELEMENT) return true
    }
    return false
  }
}

/** Zipmaps and ziplists. A ziplist becomes a listpack whatever the lengths in it, as in Redis. */
class OldReading extends HashReading {
  private readonly isZipmap: boolean

  constructor(keyspace: Keyspace, isZipmap: boolean) {
    super(keyspace, isZipmap ? undefined : Number.POSITIVE_INFINITY)
    this.isZipmap = isZipmap
  }

  proceed(source: RdbSource): boolean {
    if (!source.readString()) return false
    const { text, textStart, textLength } = source
    const fields = this.isZipmap ? new ZipmapReader() : new ZiplistReader()
    const values = this.isZipmap ? new ZipmapReader() : new ZiplistReader()
    const end = textStart + textLength
    const isValid = fields.open(text.bytes, textStart, end) && (fields.count & 1) === 0
    if (!isValid) throw source.error('RDB_CORRUPT', this.problem)
    values.open(text.bytes, textStart, end)
    this.isEmpty = fields.count === 0
    this.begin(fields.count >>> 1)
    // One reader stands on the field while the other goes on to its value.
    values.next()
    while (fields.next()) {
      values.next()
      const isNew = this.add(fields.bytes, fields.start, fields.length, values.bytes, values.start, values.length)
      if (!isNew) throw source.error('RDB_CORRUPT', this.problem)
      fields.next()
      values.next()
    }
    source.setMark()
    return true
  }

  private get problem(): string {
    return this.isZipmap ? 'Zipmap integrity check failed.' : 'Hash ziplist integrity check failed.'
  }
}

/** Fields that may expire: kept as such, whether any does. */
abstract class TimedReading extends HashReading {
  protected readonly hasEarliest: boolean
  protected earliest = -1

  constructor(keyspace: Keyspace, hasEarliest: boolean) {
    super(keyspace)
    this.hasEarliest = hasEarliest
  }

  /** False: short. */
  protected readEarliest(source: RdbSource): boolean {
    if (this.earliest >= 0) return true
    this.earliest = 0
    if (!this.hasEarliest) return true
    if (!source.has(8)) {
      this.earliest = -1
      return false
    }
    const low = source.readInt32()
    this.earliest = source.readInt32() * TWO_32 + (low >>> 0)
    // Negative times and times beyond what a number holds exactly are refused with the fields that they make.
    if (this.earliest < 0) throw source.error('RDB_CORRUPT', 'Hash with a negative expire time')
    source.setMark()
    return true
  }

  protected beginTimed(): void {
    const { hashes } = this
    this.root = hashes.expiring.create(hashes.fields.table.create())
    this.encoding = ENCODING_LISTPACK_EX
  }

  protected addTimed(
    source: RdbSource,
    field: Uint8Array,
    fieldStart: number,
    fieldLength: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
    atMs: number,
  ): void {
    const { fields, expiring } = this.hashes
    const { limits, arena } = this.keyspace
    if (!(atMs <= EXPIRE_TIME_MAX)) throw source.error('RDB_CORRUPT', `invalid expireAt time: ${atMs}`)
    const entry = fields.make(field, fieldStart, fieldLength, value, valueStart, valueLength, atMs > 0)
    if (atMs > 0) fields.writeExpireAt(entry, atMs)
    let isNew = false
    try {
      isNew = expiring.addEntry(this.root, entry)
    } finally {
      if (!isNew) arena.release(entry)
    }
    if (!isNew) throw source.error('RDB_CORRUPT', 'Hash with dup elements')
    const { hashMaxListpackValueBytes, hashMaxListpackEntries } = limits
    if (
      fieldLength > hashMaxListpackValueBytes ||
      valueLength > hashMaxListpackValueBytes ||
      this.hashes.length(this.root, this.encoding) > hashMaxListpackEntries
    ) {
      this.encoding = ENCODING_HASHTABLE_EX
    }
  }
}

class TimedPairsReading extends TimedReading {
  private left = -1
  private ttl = -1
  private field: Uint8Array | null = null

  proceed(source: RdbSource): boolean {
    if (!this.readEarliest(source)) return false
    if (this.left < 0) {
      const count = source.readCount()
      if (count === SHORT) return false
      this.left = count
      this.isEmpty = count === 0
      this.beginTimed()
      source.setMark()
    }
    for (; this.left > 0; this.left--) {
      if (this.ttl < 0) {
        const ttl = source.readCount()
        if (ttl === SHORT) return false
        this.ttl = ttl
        source.setMark()
      }
      if (this.field === null) {
        if (!source.readString()) return false
        this.field = this.copyOf(source)
        source.setMark()
      }
      if (!source.readString()) return false
      const { text, textStart, textLength } = source
      const atMs = this.ttl === 0 || !this.hasEarliest ? this.ttl : this.ttl + this.earliest - 1
      this.addTimed(source, this.field, 0, this.field.length, text.bytes, textStart, textLength, atMs)
      this.field = null
      this.ttl = -1
      source.setMark()
    }
    return true
  }
}

class TimedListpackReading extends TimedReading {
  proceed(source: RdbSource): boolean {
    if (!this.readEarliest(source) || !source.readString()) return false
    const { text, textStart, textLength } = source
    const { bytes } = text
    const isValid = isValidListpack(bytes, textStart, textLength, true) && listpackCount(bytes, textStart) % 3 === 0
    if (!isValid) throw source.error('RDB_CORRUPT', 'Hash listpack integrity check failed.')
    const field = new ListpackReader()
    const value = new ListpackReader()
    const time = new ListpackReader()
    this.beginTimed()
    let at = firstElement(bytes, textStart)
    this.isEmpty = at === NO_ELEMENT
    while (at !== NO_ELEMENT) {
      const valueAt = skipElement(bytes, at)
      const timeAt = skipElement(bytes, valueAt)
      field.readText(bytes, at)
      value.readText(bytes, valueAt)
      time.read(bytes, timeAt)
      if (!time.isInteger || !(time.integer >= 0))
        throw source.error('RDB_CORRUPT', 'Hash listpack integrity check failed.')
      const { integer } = time
      this.addTimed(source, field.bytes, field.start, field.length, value.bytes, value.start, value.length, integer)
      at = nextElement(bytes, timeAt)
    }
    source.setMark()
    return true
  }
}
