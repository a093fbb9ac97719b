/**
 * What nobody can reach any more and is costly to free: large values that were removed, and the tables of emptied
 * databases. It is freed in steps, so that nobody waits for it. Redis leaves this to a thread if asked to (lazyfree.c);
 * here it is a share of the cron, whoever asked or not, and asking is a matter of statistics.
 *
 *   DEL, UNLINK, SET, expiry ... -> release() -> values  (the newest first)   \
 *   FLUSHDB, snapshots           -> add()     -> tables  (the oldest first)   / step()
 *
 * Values found in a table are freed before the table goes on, so little waits at any time beside what was removed.
 */
import type { Ref } from '../memory/arena.ts'
import type { TableRef } from '../structures/hash-table.ts'
import { META_ENCODING_MASK, META_ENCODING_SHIFT, META_TYPE_MASK, rootWord, TYPE_STRING, WORD_META } from './entry.ts'
import type { Keyspace } from './keyspace.ts'
import type { ValueType } from './value-type.ts'

/** Fewer keys than this are freed at once, unless there are large values among them: it takes less than 0.2 ms. */
const AT_ONCE_KEYS_MAX = 1000
/** Values of no greater effort are freed where they are removed: it takes about 20 microseconds. */
const AT_ONCE_EFFORT_MAX = 256
/** Above this effort Redis frees lazily where that is asked for, and counts it (LAZYFREE_THRESHOLD). */
const LAZY_EFFORT_MIN = 64
/** Buckets and parts of values freed between two looks at the clock. */
const PARTS_PER_LOOK = 16

interface Tables {
  readonly keys: TableRef
  /** 0 once it is freed. */
  expires: TableRef
  /** Keys when it was added, if a client asked for lazy freeing: counted in the statistics. */
  readonly countedKeys: number
}

interface Value {
  readonly type: ValueType
  readonly root: Ref
  readonly encoding: number
  readonly isCounted: boolean
}

export class LazyFree {
  /** lazyfree-lazy-server-del: values that commands replace or empty count as freed lazily. */
  serverDel = false
  /** lazyfree-lazy-expire: so do those of keys whose time has come. */
  expire = false
  /** As INFO shows them: lazyfree_pending_objects and lazyfreed_objects. */
  pendingObjects = 0
  freedObjects = 0
  private readonly keyspace: Keyspace
  private readonly tables: Tables[] = []
  private readonly values: Value[] = []

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  get isIdle(): boolean {
    return this.tables.length === 0 && this.values.length === 0
  }

  /** Frees a value of a type other than string: at once if it is small, else in steps. `isLazy`: that was asked for. */
  release(type: ValueType, root: Ref, encoding: number, isLazy: boolean): void {
    this.releaseValue(type, root, encoding, isLazy, AT_ONCE_EFFORT_MAX)
  }

  /** Takes over the tables of an emptied database. */
  add(keys: TableRef, expires: TableRef, isLazy: boolean): void {
    const { table } = this.keyspace
    const count = table.count(keys)
    this.tables.push({ keys, expires, countedKeys: isLazy ? count : 0 })
    if (isLazy) this.pendingObjects += count
    if (count >= AT_ONCE_KEYS_MAX || this.tables.length > 1) return
    while (this.values.length === 0 && this.tables.length > 0) this.freeBucket()
  }

  /** Frees for `budgetUs` microseconds. Returns true while there is more. */
  step(budgetUs: number): boolean {
    const { clock } = this.keyspace
    clock.refresh()
    const stopUs = clock.monotonicUs + budgetUs
    while (!this.isIdle) {
      for (let i = 0; i < PARTS_PER_LOOK && !this.isIdle; i++) {
        if (this.values.length > 0) this.freePart()
        else this.freeBucket()
      }
      clock.refresh()
      if (clock.monotonicUs >= stopUs) break
    }
    return !this.isIdle
  }

  /** The whole arena has gone, and `objects` keys with it whose lazy freeing was asked for. */
  forget(objects: number): void {
    this.freedObjects += this.pendingObjects + objects
    this.pendingObjects = 0
    this.tables.length = 0
    this.values.length = 0
  }

  private releaseValue(type: ValueType, root: Ref, encoding: number, isLazy: boolean, atOnceMax: number): void {
    const effort = type.freeEffort === undefined ? 1 : type.freeEffort(root, encoding)
    const isCounted = isLazy && effort > LAZY_EFFORT_MIN
    if (effort > atOnceMax && type.releaseSome !== undefined) {
      if (isCounted) this.pendingObjects++
      this.values.push({ type, root, encoding, isCounted })
      return
    }
    type.release(root, encoding)
    if (isCounted) this.freedObjects++
  }

  /** Frees a part of the newest value. */
  private freePart(): void {
    const { values } = this
    const { type, root, encoding, isCounted } = values[values.length - 1]!
    if (type.releaseSome!(root, encoding)) return
    values.pop()
    if (!isCounted) return
    this.pendingObjects--
    this.freedObjects++
  }

  /** Frees the next bucket of the oldest tables. */
  private freeBucket(): void {
    const { keyspace, tables } = this
    const { arena, table } = keyspace
    const remains = tables[0]!
    if (remains.expires !== 0) {
      // Its entries are those of the other table.
      if (!table.dismantle(remains.expires)) remains.expires = 0
      return
    }
    const goesOn = table.dismantle(remains.keys)
    // Freeing a value may use the table's list.
    const entries = table.scanned.slice(0, table.scannedCount)
    for (const entry of entries) {
      const words = arena.view32(entry)
      const at = arena.at32(entry)
      const meta = words[at + WORD_META]!
      const type = meta & META_TYPE_MASK
      if (type !== TYPE_STRING) {
        const encoding = (meta & META_ENCODING_MASK) >>> META_ENCODING_SHIFT
        this.releaseValue(keyspace.types[type]!, words[at + rootWord(words[at]!)]!, encoding, false, LAZY_EFFORT_MIN)
      }
      arena.release(entry)
    }
    if (goesOn) return
    this.pendingObjects -= remains.countedKeys
    this.freedObjects += remains.countedKeys
    tables.shift()
  }
}
