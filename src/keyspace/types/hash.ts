/**
 * Hashes: fields with values, a few in one listpack, many in a table, and those of which fields may expire in two tables.
 *
 *   listpack       root = block with Redis's own bytes: field, value, field, value ...
 *   hashtable      root = table (field-table.ts)
 *   with expiry    root = shell of two tables (expiring-fields.ts); shown as "listpackex" while it is as small as a listpack
 *                  may be, then as "hashtable", as Redis 7.4 names them
 *
 * What was found or iterated stands in `fieldText` and `valueText`, valid until the next call here or anything that allocates.
 * Operations that may move a value take database and entry and leave the entry's ref as it is.
 * Hot path: find and set.
 */
import type { Argv } from '../../base/argv.ts'
import type { Random } from '../../base/random.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import type { TableRef } from '../../structures/hash-table.ts'
import {
  findElement,
  firstElement,
  LISTPACK_BYTES_SAFE,
  LISTPACK_EMPTY_BYTES,
  ListpackReader,
  Listpacks,
  listpackBytes,
  listpackCount,
  NO_ELEMENT,
  nextElement,
  seekElement,
  skipElement,
} from '../../structures/listpack.ts'
import type { Db } from '../db.ts'
import type { Digest } from '../digest.ts'
import { Digest as FieldDigest } from '../digest.ts'
import type { EncodingLimits } from '../encoding-limits.ts'
import { ENCODING_HASHTABLE, ENCODING_LISTPACK, EXPIRE_DELETE, EXPIRE_IGNORE, TYPE_HASH } from '../entry.ts'
import type { Keyspace } from '../keyspace.ts'
import type { ValueType } from '../value-type.ts'
import { ExpiringFields } from './expiring-fields.ts'
import { type FieldRef, FieldTable, NO_FIELD } from './field-table.ts'
import { ENCODING_HASHTABLE_EX, ENCODING_LISTPACK_EX, hasFieldExpiry } from './hash-encodings.ts'

/** A field's expire time when it has none. */
export const NO_EXPIRE = -1

/** A listpack that comes from outside has a field twice. */
export class DuplicateFieldError extends Error {
  override readonly name = 'DuplicateFieldError'
}

/** A stretch of bytes somewhere. */
export interface Text {
  bytes: Uint8Array
  start: number
  length: number
}

/** Fields and buckets that a turn of the walk over overdue fields takes. */
const WALK_FIELDS = 128

const EXPIRE_MARK = new Uint8Array(Buffer.from('!!hexpire!!'))

export class HashType implements ValueType {
  readonly type = TYPE_HASH
  readonly name = 'hash'
  readonly fields: FieldTable
  readonly expiring: ExpiringFields
  readonly listpacks: Listpacks
  private readonly keyspace: Keyspace
  private readonly arena: Arena
  private readonly limits: EncodingLimits

  /** What `find`, `next` and `pick` came upon. */
  fieldText: Text
  valueText: Text
  /** Its expire time, or NO_EXPIRE. */
  expireAtMs = NO_EXPIRE
  /** Of hashes in tables: its entry. */
  fieldRef: FieldRef = NO_FIELD

  private readonly fieldReader = new ListpackReader()
  private readonly valueReader = new ListpackReader()
  private readonly ownField: Text = { bytes: new Uint8Array(0), start: 0, length: 0 }
  private readonly ownValue: Text = { bytes: new Uint8Array(0), start: 0, length: 0 }

  /** The hash went when its fields' expiry was settled last. */
  private isSettledGone = false

  // The iteration under way.
  private iterated: Ref = 0
  private isListpack = false
  private at = 0
  private cursor = 0
  private scanned: Int32Array = new Int32Array(0)
  private scannedAt = 0
  private scannedCount = 0

  constructor(keyspace: Keyspace) {
    const { arena } = keyspace
    this.keyspace = keyspace
    this.arena = arena
    this.limits = keyspace.limits
    this.fields = new FieldTable(arena, keyspace.hash)
    this.expiring = new ExpiringFields(arena, this.fields)
    this.listpacks = new Listpacks(arena)
    this.fieldText = this.ownField
    this.valueText = this.ownValue
  }

  // Reading

  /** Fields, those included whose time has come and that are still there. */
  length(root: Ref, encoding: number): number {
    if (encoding === ENCODING_LISTPACK) return listpackCount(this.arena.view8(root), this.arena.at8(root)) >>> 1
    return this.fields.table.count(this.fieldsOf(root, encoding))
  }

  /** The table of all fields, of a hash that is no listpack. */
  fieldsOf(root: Ref, encoding: number): TableRef {
    return hasFieldExpiry(encoding) ? this.expiring.fieldsOf(root) : root
  }

  /** Looks for a field, overdue or not; its value stands in `valueText` then, its expire time in `expireAtMs`. Hot. */
  find(root: Ref, encoding: number, bytes: Uint8Array, start: number, length: number): boolean {
    const { arena } = this
    if (encoding === ENCODING_LISTPACK) {
      const list = arena.view8(root)
      const at = findElement(list, firstElement(list, arena.at8(root)), bytes, start, length, 1)
      if (at === NO_ELEMENT) return false
      this.valueReader.readText(list, skipElement(list, at))
      this.valueText = this.valueReader
      this.expireAtMs = NO_EXPIRE
      return true
    }
    const field = this.fields.find(this.fieldsOf(root, encoding), bytes, start, length)
    if (field === NO_FIELD) return false
    this.useValue(field)
    return true
  }

  /** Whether a field is there, overdue or not. */
  has(root: Ref, encoding: number, bytes: Uint8Array, start: number, length: number): boolean {
    if (encoding !== ENCODING_LISTPACK) {
      return this.fields.find(this.fieldsOf(root, encoding), bytes, start, length) !== NO_FIELD
    }
    const list = this.arena.view8(root)
    return findElement(list, firstElement(list, this.arena.at8(root)), bytes, start, length, 1) !== NO_ELEMENT
  }

  /** Whether the field that was found counts as absent: its time has come. */
  get isOverdue(): boolean {
    const { expireAtMs, keyspace } = this
    return expireAtMs !== NO_EXPIRE && expireAtMs < keyspace.clock.nowMs && keyspace.expireMode !== EXPIRE_IGNORE
  }

  /** Fields that do not count as absent. */
  presentLength(root: Ref, encoding: number): number {
    const { keyspace } = this
    const length = this.length(root, encoding)
    if (!hasFieldExpiry(encoding) || keyspace.expireMode === EXPIRE_IGNORE) return length
    return length - this.expiring.countBefore(root, keyspace.clock.nowMs)
  }

  /** Begins to go over all fields with `next`. Nothing may be looked up or changed in between, here or in another hash. */
  iterate(root: Ref, encoding: number): void {
    this.isListpack = encoding === ENCODING_LISTPACK
    if (this.isListpack) {
      this.iterated = root
      this.at = firstElement(this.arena.view8(root), this.arena.at8(root))
      return
    }
    this.iterated = this.fieldsOf(root, encoding)
    this.cursor = 0
    this.at = 0
    this.scannedAt = 0
    this.scannedCount = 0
  }

  /** The next field: into `fieldText`, `valueText` and `expireAtMs`. False behind the last. */
  next(): boolean {
    if (this.isListpack) return this.nextPair()
    const { table } = this.fields
    while (this.scannedAt === this.scannedCount) {
      if (this.at !== 0 && this.cursor === 0) return false
      this.at = 1
      this.cursor = table.scan(this.iterated, this.cursor)
      table.fetchScanned()
      this.scanned = table.scanned
      this.scannedAt = 0
      this.scannedCount = table.scannedCount
    }
    this.useEntry(this.scanned[this.scannedAt++]!)
    return true
  }

  /** Takes the field at an index of a listpack's pairs: into `fieldText` and `valueText`. */
  pickPair(root: Ref, index: number): void {
    const list = this.arena.view8(root)
    this.usePair(list, seekElement(list, this.arena.at8(root), index * 2))
  }

  /** Where the pairs of a listpack begin, for `pickAt`: for whoever takes many by chance. */
  pairPlaces(root: Ref): Int32Array {
    const list = this.arena.view8(root)
    const places = new Int32Array(this.length(root, ENCODING_LISTPACK))
    let at = firstElement(list, this.arena.at8(root))
    for (let i = 0; i < places.length; i++) {
      places[i] = at
      at = skipElement(list, skipElement(list, at))
    }
    return places
  }

  pickAt(root: Ref, place: number): void {
    this.usePair(this.arena.view8(root), place)
  }

  /** Takes a field of a table chosen evenly. */
  pickRandom(root: Ref, encoding: number, random: Random): void {
    this.useEntry(this.fields.table.random(this.fieldsOf(root, encoding), random))
  }

  /** Takes an entry of a table: field, value and expire time. */
  useEntry(field: FieldRef): void {
    const { fields, ownField } = this
    ownField.bytes = fields.bytesOf(field)
    ownField.start = fields.fieldAt(field)
    ownField.length = fields.fieldLength(field)
    this.fieldText = ownField
    this.useValue(field)
  }

  // Writing. The caller has called db.beforeChange.

  /** An empty hash: the root of a listpack with room for so many bytes of elements. */
  create(roomBytes = 0): Ref {
    return this.listpacks.create(LISTPACK_EMPTY_BYTES + roomBytes)
  }

  /** Gives back what a listpack's block is larger than it needs to be. */
  trim(db: Db, entry: Ref): void {
    if (db.encodingOf(entry) !== ENCODING_LISTPACK) return
    const { arena, listpacks } = this
    const root = db.rootOf(entry)
    if (arena.capacityFor(listpacks.bytes(root)) >= arena.capacity(root)) return
    db.setRoot(entry, listpacks.copy(root))
    listpacks.release(root)
  }

  /** Converts a hash that arguments from `first` on are about to make too large for a listpack. */
  makeRoom(db: Db, entry: Ref, argv: Argv, first: number): void {
    const encoding = db.encodingOf(entry)
    if (encoding !== ENCODING_LISTPACK && encoding !== ENCODING_LISTPACK_EX) return
    const { hashMaxListpackValueBytes } = this.limits
    const { lengths, count } = argv
    let sum = 0
    for (let i = first; i < count; i++) {
      if (lengths[i]! > hashMaxListpackValueBytes) return this.enlarge(db, entry)
      sum += lengths[i]!
    }
    if (encoding !== ENCODING_LISTPACK) return
    const root = db.rootOf(entry)
    if (listpackBytes(this.arena.view8(root), this.arena.at8(root)) + sum > LISTPACK_BYTES_SAFE) this.enlarge(db, entry)
  }

  /** Sets a field and returns whether it is new. An expire time that it had goes unless `keepsExpire`. Hot. */
  set(
    db: Db,
    entry: Ref,
    field: Uint8Array,
    fieldStart: number,
    fieldLength: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
    keepsExpire = false,
  ): boolean {
    const encoding = db.encodingOf(entry)
    if (encoding === ENCODING_HASHTABLE) {
      return this.fields.set(db.rootOf(entry), field, fieldStart, fieldLength, value, valueStart, valueLength)
    }
    const { hashMaxListpackValueBytes } = this.limits
    if (
      encoding !== ENCODING_HASHTABLE_EX &&
      (fieldLength > hashMaxListpackValueBytes || valueLength > hashMaxListpackValueBytes)
    ) {
      this.enlarge(db, entry)
      return this.set(db, entry, field, fieldStart, fieldLength, value, valueStart, valueLength, keepsExpire)
    }
    const root = db.rootOf(entry)
    if (encoding !== ENCODING_LISTPACK) {
      const { expiring } = this
      const isNew = expiring.set(root, field, fieldStart, fieldLength, value, valueStart, valueLength, keepsExpire)
      this.settleExpiry(db, entry, root)
      if (encoding === ENCODING_LISTPACK_EX && this.length(root, encoding) > this.limits.hashMaxListpackEntries) {
        this.enlarge(db, entry)
      }
      return isNew
    }
    const { listpacks, arena } = this
    const list = arena.view8(root)
    const at = findElement(list, firstElement(list, arena.at8(root)), field, fieldStart, fieldLength, 1)
    if (at !== NO_ELEMENT) {
      const replaced = listpacks.replace(root, skipElement(list, at), value, valueStart, valueLength)
      if (replaced !== root) db.setRoot(entry, replaced)
    } else {
      // Field and value come in together or, when memory ends, not at all: the field is written last.
      const grown = listpacks.append(root, value, valueStart, valueLength)
      if (grown !== root) db.setRoot(entry, grown)
      const whole = this.insertField(db, entry, grown, field, fieldStart, fieldLength)
      if (whole !== grown) db.setRoot(entry, whole)
    }
    if (this.length(db.rootOf(entry), encoding) > this.limits.hashMaxListpackEntries) this.enlarge(db, entry)
    return at === NO_ELEMENT
  }

  /** Removes a field, overdue or not. Returns whether it was there. A hash that is empty then is the caller's to remove. */
  remove(db: Db, entry: Ref, bytes: Uint8Array, start: number, length: number): boolean {
    const encoding = db.encodingOf(entry)
    const root = db.rootOf(entry)
    if (encoding === ENCODING_HASHTABLE) return this.fields.remove(root, bytes, start, length)
    if (encoding === ENCODING_LISTPACK) {
      const list = this.arena.view8(root)
      const at = findElement(list, firstElement(list, this.arena.at8(root)), bytes, start, length, 1)
      if (at === NO_ELEMENT) return false
      const shorter = this.listpacks.removeFrom(root, at, 2)
      if (shorter !== root) db.setRoot(entry, shorter)
      return true
    }
    const field = this.fields.find(this.expiring.fieldsOf(root), bytes, start, length)
    if (field === NO_FIELD) return false
    this.removeEntry(db, entry, field)
    return true
  }

  /** Removes a field of a hash with expiry by its entry. */
  removeEntry(db: Db, entry: Ref, field: FieldRef): void {
    const root = db.rootOf(entry)
    this.expiring.remove(root, field)
    this.settleExpiry(db, entry, root)
  }

  /** Gives a hash the form in which fields can expire. */
  allowExpiry(db: Db, entry: Ref): void {
    const encoding = db.encodingOf(entry)
    if (hasFieldExpiry(encoding)) return
    if (encoding === ENCODING_HASHTABLE) {
      db.setRoot(entry, this.expiring.create(db.rootOf(entry)))
      db.setEncoding(entry, ENCODING_HASHTABLE_EX)
      return
    }
    const list = db.rootOf(entry)
    const root = this.expiring.create(this.tableOf(list))
    db.setRoot(entry, root)
    db.setEncoding(entry, ENCODING_LISTPACK_EX)
    this.listpacks.release(list)
  }

  // Fields whose time has come

  /** Removes such a field, which is told as HDEL. `settleExpired` is to follow once all have gone that are to go. */
  expireField(db: Db, entry: Ref, field: FieldRef): void {
    const { fields, keyspace } = this
    keyspace.expiredFields++
    keyspace.listener?.fieldExpired(db, entry, fields.bytesOf(field), fields.fieldAt(field), fields.fieldLength(field))
    db.beforeChange(entry)
    this.removeEntry(db, entry, field)
  }

  /** Announces that fields have expired, and removes the hash if no field is left. Returns whether it went. */
  settleExpired(db: Db, entry: Ref): boolean {
    const { keyspace } = this
    const key = db.keyBytes(entry)
    const isGone = this.length(db.rootOf(entry), db.encodingOf(entry)) === 0
    this.isSettledGone = isGone
    if (isGone) db.remove(entry, keyspace.lazyFree.expire)
    keyspace.listener?.fieldsExpired(db, key, isGone)
    return isGone
  }

  /** Removes all fields whose time has come, where that is this server's to do. Returns whether the hash went with them. */
  expireOverdue(db: Db, entry: Ref): boolean {
    const { keyspace } = this
    if (!hasFieldExpiry(db.encodingOf(entry)) || keyspace.expireMode !== EXPIRE_DELETE) return false
    if (!this.hasOverdue(db, entry)) return false
    this.expireUntil(db, entry, Number.POSITIVE_INFINITY)
    return this.isSettledGone
  }

  /** Whether some field of a hash with expiry may be overdue. */
  hasOverdue(db: Db, entry: Ref): boolean {
    return this.expiring.earliest(db.rootOf(entry)) < this.keyspace.clock.nowMs
  }

  /** Removes fields that are overdue until a moment of the monotonic clock. Returns whether all have gone. */
  expireUntil(db: Db, entry: Ref, stopUs: number): boolean {
    const { keyspace, expiring } = this
    const { clock } = keyspace
    const { nowMs } = clock
    let expired = 0
    const expire = (field: FieldRef): void => {
      this.expireField(db, entry, field)
      expired++
    }
    let isRest = true
    this.isSettledGone = false
    while (isRest && clock.monotonicUs < stopUs) {
      isRest = expiring.walkOverdue(db.rootOf(entry), nowMs, WALK_FIELDS, WALK_FIELDS, expire)
      if (stopUs !== Number.POSITIVE_INFINITY) clock.refresh()
    }
    if (expired > 0) this.settleExpired(db, entry)
    return !isRest
  }

  /** Sets when a field expires, of a hash that allows it. The field's ref is dead. */
  setExpire(db: Db, entry: Ref, field: FieldRef, atMs: number): void {
    const root = db.rootOf(entry)
    this.expiring.setExpire(root, field, atMs)
    if (this.expiring.expiringCount(root) === 1) db.trackFieldExpiry(entry)
  }

  /** Takes away a field's expire time. The field's ref is dead. */
  persist(db: Db, entry: Ref, field: FieldRef): void {
    const root = db.rootOf(entry)
    this.expiring.persist(root, field)
    this.settleExpiry(db, entry, root)
  }

  /** Makes a hash one that is not small. */
  enlarge(db: Db, entry: Ref): void {
    if (db.encodingOf(entry) === ENCODING_LISTPACK_EX) return db.setEncoding(entry, ENCODING_HASHTABLE_EX)
    const list = db.rootOf(entry)
    const table = this.tableOf(list)
    db.setRoot(entry, table)
    db.setEncoding(entry, ENCODING_HASHTABLE)
    this.listpacks.release(list)
  }

  // As a type of the keyspace

  release(root: Ref, encoding: number): void {
    if (encoding === ENCODING_LISTPACK) this.listpacks.release(root)
    else while (this.releaseSome(root, encoding));
  }

  freeEffort(root: Ref, encoding: number): number {
    return encoding === ENCODING_LISTPACK ? 1 : this.length(root, encoding)
  }

  releaseSome(root: Ref, encoding: number): boolean {
    if (hasFieldExpiry(encoding)) return this.expiring.releaseSome(root)
    const { table } = this.fields
    const goesOn = table.dismantle(root)
    for (let i = 0; i < table.scannedCount; i++) this.arena.release(table.scanned[i]!)
    return goesOn
  }

  /** Fields that expire are in two tables; those stay where they are. */
  relocate(root: Ref, encoding: number, position: number): number {
    if (encoding === ENCODING_LISTPACK || hasFieldExpiry(encoding)) return -1
    return this.fields.table.relocateBlocks(root, position)
  }

  copy(root: Ref, encoding: number): Ref {
    const { fields, expiring } = this
    const { table } = fields
    if (encoding === ENCODING_LISTPACK) return this.listpacks.copy(root)
    const source = this.fieldsOf(root, encoding)
    const target = table.create()
    const shell = hasFieldExpiry(encoding) ? expiring.create(target) : 0
    try {
      table.reserve(target, table.count(source))
      fields.forEach(source, (field) => {
        const copied = fields.clone(field)
        if (shell === 0) fields.insert(target, table.hashOfEntry(copied), copied)
        else expiring.addEntry(shell, copied)
      })
    } catch (error) {
      this.release(shell === 0 ? target : shell, encoding)
      throw error
    }
    return shell === 0 ? target : shell
  }

  sizeBytes(root: Ref, encoding: number, samples: number): number {
    const { arena, fields } = this
    if (encoding === ENCODING_LISTPACK) return arena.capacity(root)
    const { table } = fields
    const tableRef = this.fieldsOf(root, encoding)
    const shellBytes = hasFieldExpiry(encoding) ? this.expiring.shellBytes(root) : table.sizeBytes(root)
    const count = table.count(tableRef)
    const wanted = samples === 0 ? count : Math.min(samples, count)
    let sampled = 0
    let sum = 0
    let cursor = 0
    do {
      cursor = table.scan(tableRef, cursor)
      for (let i = 0; i < table.scannedCount && sampled < wanted; i++, sampled++) {
        sum += fields.blockBytes(table.scanned[i]!)
      }
    } while (cursor !== 0 && sampled < wanted)
    return shellBytes + (sampled === 0 ? 0 : Math.round((sum / sampled) * count))
  }

  table(root: Ref, encoding: number): TableRef {
    return encoding === ENCODING_LISTPACK ? 0 : this.fieldsOf(root, encoding)
  }

  digest(root: Ref, encoding: number, digest: Digest): void {
    const one = new FieldDigest()
    this.iterate(root, encoding)
    while (this.next()) {
      const { fieldText: field, valueText: value } = this
      one.clear()
      one.mix(field.bytes, field.start, field.start + field.length)
      one.mix(value.bytes, value.start, value.start + value.length)
      if (this.expireAtMs !== NO_EXPIRE) one.add(EXPIRE_MARK, 0, EXPIRE_MARK.length)
      digest.add(one.bytes, 0, one.bytes.length)
    }
  }

  field(root: Ref, encoding: number, field: Uint8Array): Uint8Array | null {
    if (!this.find(root, encoding, field, 0, field.length) || this.isOverdue) return null
    const { bytes, start, length } = this.valueText
    return bytes.slice(start, start + length)
  }

  /** A table with the pairs of a listpack, which stays. Throws ArenaFullError, or DuplicateFieldError. */
  tableOf(list: Ref): TableRef {
    const { fields, arena } = this
    const { table } = fields
    const made = table.create()
    try {
      table.reserve(made, listpackCount(arena.view8(list), arena.at8(list)) >>> 1)
      this.iterate(list, ENCODING_LISTPACK)
      while (this.nextPair()) {
        const { fieldText: field, valueText: value } = this
        const isNew = fields.add(made, field.bytes, field.start, field.length, value.bytes, value.start, value.length)
        if (!isNew) throw new DuplicateFieldError('a hash in a listpack has a field twice')
      }
    } catch (error) {
      this.release(made, ENCODING_HASHTABLE)
      throw error
    }
    return made
  }

  /** Puts the field in front of the value that was just appended; takes the value away again when memory ends. */
  private insertField(db: Db, entry: Ref, list: Ref, field: Uint8Array, start: number, length: number): Ref {
    const { listpacks } = this
    const valueAt = listpacks.at
    try {
      return listpacks.insertBefore(list, valueAt, field, start, length)
    } catch (error) {
      const restored = listpacks.remove(list, valueAt)
      if (restored !== list) db.setRoot(entry, restored)
      throw error
    }
  }

  /** The database keeps a list of hashes that have fields that expire. */
  private settleExpiry(db: Db, entry: Ref, root: Ref): void {
    if (this.expiring.expiringCount(root) === 0) db.untrackFieldExpiry(entry)
  }

  private nextPair(): boolean {
    const { at } = this
    if (at === NO_ELEMENT) return false
    const list = this.arena.view8(this.iterated)
    const valueAt = this.usePair(list, at)
    this.at = nextElement(list, valueAt)
    return true
  }

  /** Returns where the value stands. */
  private usePair(list: Uint8Array, at: number): number {
    const { fieldReader, valueReader } = this
    const valueAt = skipElement(list, at)
    fieldReader.readText(list, at)
    valueReader.readText(list, valueAt)
    this.fieldText = fieldReader
    this.valueText = valueReader
    this.expireAtMs = NO_EXPIRE
    return valueAt
  }

  private useValue(field: FieldRef): void {
    const { fields, ownValue } = this
    ownValue.bytes = fields.bytesOf(field)
    ownValue.start = fields.valueAt(field)
    ownValue.length = fields.valueLength(field)
    this.valueText = ownValue
    this.expireAtMs = fields.expireAtMs(field)
    this.fieldRef = field
  }
}
