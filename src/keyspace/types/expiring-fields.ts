/**
 * A hash of which fields may expire: all fields in one table, those that expire in a second one as well.
 *
 *   root (32 bytes)
 *    0 i32 fields    table of all fields (field-table.ts)
 *    4 i32 expires   table of those that have an expire time: the same entries
 *    8 f64 earliest  no field expires before this, Unix milliseconds; Infinity: none expires
 *   16 f64 found     the earliest seen by the walk over `expires` under way
 *   24 i32 cursor    of that walk
 *
 * `earliest` is a lower bound: a field that goes, or is to live longer, leaves it as it is, and a whole walk that finds
 * what is overdue corrects it. So a hash nothing is due in costs one comparison, whatever its size.
 * Where it differs from Redis: buckets by time (ebuckets) for fields and for hashes there.
 */
import type { Arena, Ref } from '../../memory/arena.ts'
import type { TableRef } from '../../structures/hash-table.ts'
import { type FieldRef, type FieldTable, NO_FIELD } from './field-table.ts'

const ROOT_BYTES = 32
const WORD_FIELDS = 0
const WORD_EXPIRES = 1
const WORD_CURSOR = 6
const AT_EARLIEST = 8
const AT_FOUND = 16

export class ExpiringFields {
  private readonly arena: Arena
  private readonly fieldTable: FieldTable
  private overdue = new Int32Array(64)

  constructor(arena: Arena, fieldTable: FieldTable) {
    this.arena = arena
    this.fieldTable = fieldTable
  }

  /** Makes a root of a table of fields none of which expires. The table is the root's from then on. */
  create(fields: TableRef): Ref {
    const { arena } = this
    const root = arena.allocate(ROOT_BYTES)
    let expires: TableRef
    try {
      expires = this.fieldTable.table.create()
    } catch (error) {
      arena.release(root)
      throw error
    }
    const words = arena.view32(root)
    const at = arena.at32(root)
    words[at + WORD_FIELDS] = fields
    words[at + WORD_EXPIRES] = expires
    words[at + WORD_CURSOR] = 0
    this.setEarliest(root, Number.POSITIVE_INFINITY)
    this.setFound(root, Number.POSITIVE_INFINITY)
    return root
  }

  fieldsOf(root: Ref): TableRef {
    return this.arena.view32(root)[this.arena.at32(root) + WORD_FIELDS]!
  }

  expiresOf(root: Ref): TableRef {
    return this.arena.view32(root)[this.arena.at32(root) + WORD_EXPIRES]!
  }

  /** How many fields have an expire time. */
  expiringCount(root: Ref): number {
    return this.fieldTable.table.count(this.expiresOf(root))
  }

  /** No field expires before this. */
  earliest(root: Ref): number {
    return this.arena.viewData(root).getFloat64(this.arena.at8(root) + AT_EARLIEST, true)
  }

  /** The exact time at which the first field expires, Infinity if none does. Walks over all that expire. */
  exactEarliest(root: Ref): number {
    let earliest = Number.POSITIVE_INFINITY
    this.fieldTable.forEach(this.expiresOf(root), (field) => {
      earliest = Math.min(earliest, this.fieldTable.expireAtMs(field))
    })
    return earliest
  }

  /** How many fields expire before a moment. */
  countBefore(root: Ref, moment: number): number {
    let count = 0
    if (this.earliest(root) >= moment) return 0
    this.fieldTable.forEach(this.expiresOf(root), (field) => {
      if (this.fieldTable.expireAtMs(field) < moment) count++
    })
    return count
  }

  /** Sets a field. Its expire time goes unless `keepsExpire`. Returns whether it is new. */
  set(
    root: Ref,
    field: Uint8Array,
    fieldStart: number,
    fieldLength: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
    keepsExpire: boolean,
  ): boolean {
    const { fieldTable, arena } = this
    const { table } = fieldTable
    const fields = this.fieldsOf(root)
    const hash = table.hashOf(field, fieldStart, fieldLength)
    const held = table.find(fields, hash, field, fieldStart, fieldLength)
    if (held === NO_FIELD) {
      fieldTable.insert(
        fields,
        hash,
        fieldTable.make(field, fieldStart, fieldLength, value, valueStart, valueLength, false),
      )
      return true
    }
    const hadExpire = fieldTable.hasExpire(held)
    const staysExpiring = hadExpire && keepsExpire
    if (hadExpire === staysExpiring && fieldTable.overwrite(held, value, valueStart, valueLength)) return false
    const entry = fieldTable.make(field, fieldStart, fieldLength, value, valueStart, valueLength, staysExpiring)
    table.replaceFound(entry)
    if (staysExpiring) {
      fieldTable.writeExpireAt(entry, fieldTable.expireAtMs(held))
      if (table.findEntry(this.expiresOf(root), held)) table.replaceFound(entry)
    } else if (hadExpire) this.dropFromExpires(root, held)
    arena.release(held)
    return false
  }

  /** Adds an entry that `FieldTable.make` or `clone` made, unless its field is there. Returns whether it was added. */
  addEntry(root: Ref, entry: FieldRef): boolean {
    const { table } = this.fieldTable
    const hash = table.hashOfEntry(entry)
    const fields = this.fieldsOf(root)
    if (!table.insertNew(fields, hash, entry)) return false
    if (!this.fieldTable.hasExpire(entry)) return true
    try {
      table.insert(this.expiresOf(root), hash, entry)
    } catch (error) {
      if (table.findEntry(fields, entry)) table.removeFound(fields)
      throw error
    }
    this.lowerEarliest(root, this.fieldTable.expireAtMs(entry))
    return true
  }

  /** Sets when a field expires. Its ref is dead. */
  setExpire(root: Ref, field: FieldRef, atMs: number): void {
    const { fieldTable, arena } = this
    const { table } = fieldTable
    if (fieldTable.hasExpire(field)) fieldTable.writeExpireAt(field, atMs)
    else {
      const entry = fieldTable.reshaped(field, true)
      fieldTable.writeExpireAt(entry, atMs)
      fieldTable.insert(this.expiresOf(root), table.hashOfEntry(entry), entry)
      table.findEntry(this.fieldsOf(root), field)
      table.replaceFound(entry)
      arena.release(field)
    }
    this.lowerEarliest(root, atMs)
  }

  /** Takes away a field's expire time, which it has. Its ref is dead. */
  persist(root: Ref, field: FieldRef): void {
    const { fieldTable, arena } = this
    const { table } = fieldTable
    const entry = fieldTable.reshaped(field, false)
    this.dropFromExpires(root, field)
    table.findEntry(this.fieldsOf(root), field)
    table.replaceFound(entry)
    arena.release(field)
  }

  /** Removes a field, which is there. */
  remove(root: Ref, field: FieldRef): void {
    const { fieldTable, arena } = this
    const { table } = fieldTable
    if (fieldTable.hasExpire(field)) this.dropFromExpires(root, field)
    const fields = this.fieldsOf(root)
    if (table.findEntry(fields, field)) table.removeFound(fields)
    arena.release(field)
  }

  /**
   * Goes on with the walk over the fields that expire, and calls `expire` for those found overdue, which removes each.
   * Ends behind `foundMax` of them or `bucketsMax` buckets. Returns true while fields that are overdue may be left.
   */
  walkOverdue(
    root: Ref,
    nowMs: number,
    foundMax: number,
    bucketsMax: number,
    expire: (field: FieldRef) => void,
  ): boolean {
    const { fieldTable, arena } = this
    const { table } = fieldTable
    const expires = this.expiresOf(root)
    let found = 0
    for (let buckets = 0; buckets < bucketsMax && found < foundMax; buckets++) {
      if (table.count(expires) === 0) {
        this.resetWalk(root)
        this.setEarliest(root, Number.POSITIVE_INFINITY)
        return false
      }
      if (this.earliest(root) >= nowMs) return false
      const next = table.scan(expires, arena.view32(root)[arena.at32(root) + WORD_CURSOR]!)
      let overdue = 0
      let earliest = this.found(root)
      for (let i = 0; i < table.scannedCount; i++) {
        const field = table.scanned[i]!
        const atMs = fieldTable.expireAtMs(field)
        if (atMs >= nowMs) earliest = Math.min(earliest, atMs)
        else {
          if (overdue === this.overdue.length) this.overdue = grown(this.overdue)
          this.overdue[overdue++] = field
        }
      }
      this.setFound(root, earliest)
      arena.view32(root)[arena.at32(root) + WORD_CURSOR] = next
      // What `expire` tells others may look at the hash: what was scanned is kept apart.
      for (let i = 0; i < overdue; i++) expire(this.overdue[i]!)
      found += overdue
      if (next !== 0) continue
      // Everything that was there from start to end has been seen, and what came since has lowered both bounds.
      this.setEarliest(root, this.found(root))
      this.resetWalk(root)
    }
    return this.earliest(root) < nowMs
  }

  /** Frees the root and its tables, not the entries. */
  releaseShell(root: Ref): void {
    const { table } = this.fieldTable
    table.destroy(this.expiresOf(root))
    table.destroy(this.fieldsOf(root))
    this.arena.release(root)
  }

  /** Frees a part. Returns false when the last one has gone. */
  releaseSome(root: Ref): boolean {
    const { arena } = this
    const { table } = this.fieldTable
    const words = arena.view32(root)
    const at = arena.at32(root)
    if (words[at + WORD_EXPIRES] !== 0) {
      if (!table.dismantle(words[at + WORD_EXPIRES]!)) words[at + WORD_EXPIRES] = 0
      return true
    }
    const goesOn = table.dismantle(words[at + WORD_FIELDS]!)
    for (let i = 0; i < table.scannedCount; i++) arena.release(table.scanned[i]!)
    if (!goesOn) arena.release(root)
    return goesOn
  }

  /** Bytes of root and tables. */
  shellBytes(root: Ref): number {
    const { table } = this.fieldTable
    return this.arena.capacity(root) + table.sizeBytes(this.fieldsOf(root)) + table.sizeBytes(this.expiresOf(root))
  }

  private dropFromExpires(root: Ref, field: FieldRef): void {
    const { table } = this.fieldTable
    const expires = this.expiresOf(root)
    if (table.findEntry(expires, field)) table.removeFound(expires)
  }

  private lowerEarliest(root: Ref, atMs: number): void {
    if (atMs < this.earliest(root)) this.setEarliest(root, atMs)
    if (atMs < this.found(root)) this.setFound(root, atMs)
  }

  private resetWalk(root: Ref): void {
    this.arena.view32(root)[this.arena.at32(root) + WORD_CURSOR] = 0
    this.setFound(root, Number.POSITIVE_INFINITY)
  }

  private setEarliest(root: Ref, atMs: number): void {
    this.arena.viewData(root).setFloat64(this.arena.at8(root) + AT_EARLIEST, atMs, true)
  }

  private found(root: Ref): number {
    return this.arena.viewData(root).getFloat64(this.arena.at8(root) + AT_FOUND, true)
  }

  private setFound(root: Ref, atMs: number): void {
    this.arena.viewData(root).setFloat64(this.arena.at8(root) + AT_FOUND, atMs, true)
  }
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2)
  larger.set(array)
  return larger
}
