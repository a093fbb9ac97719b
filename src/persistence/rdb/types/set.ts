/**
 * Sets in files and payloads.
 *
 *   2  count string*        hash table
 *  11  string               an intset's bytes
 *  20  string               a listpack's bytes (Redis 7.2; read, not written)
 *
 * Whatever is read comes out in the encoding that this server's limits ask for, as in Redis. Nothing is believed: intsets
 * and listpacks are looked through as a whole, a member that comes twice is an error.
 * Source: Redis's rdb.c; the notes on RDB of Redis 7.2 for type 20.
 */
import { ENCODING_HASHTABLE, ENCODING_INTSET, TYPE_SET } from '../../../keyspace/entry.ts'
import type { Keyspace } from '../../../keyspace/keyspace.ts'
import type { SetType } from '../../../keyspace/types/set.ts'
import type { SetWalk } from '../../../keyspace/types/set-walk.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { INTSET_HEADER_BYTES, isIntset } from '../../../structures/intset.ts'
import { firstElement, isValidListpack, ListpackReader, NO_ELEMENT, nextElement } from '../../../structures/listpack.ts'
import type { RdbSource } from '../rdb-source.ts'
import { SHORT } from '../rdb-source.ts'
import type { RdbWriter } from '../rdb-writer.ts'
import type { RdbTypeCodec, ValueReading, ValueWriting } from '../type-codec.ts'

export const RDB_SET = 2
export const RDB_SET_INTSET = 11
export const RDB_SET_LISTPACK = 20

/** Room for no more members than this is made on the word of a length. */
const RESERVED_MEMBERS_MAX = 1_000_000
/** Members written between two looks at how much was written. */
const MEMBERS_PER_LOOK = 64

export class SetCodec implements RdbTypeCodec {
  readonly type = TYPE_SET
  readonly rdbTypes = [RDB_SET, RDB_SET_INTSET, RDB_SET_LISTPACK]
  private readonly arena: Arena
  private readonly sets: SetType

  constructor({ arena, sets }: Keyspace) {
    this.arena = arena
    this.sets = sets
  }

  rdbTypeOf(_root: Ref, encoding: number): number {
    return encoding === ENCODING_INTSET ? RDB_SET_INTSET : RDB_SET
  }

  write(root: Ref, encoding: number, out: RdbWriter, budgetBytes: number): ValueWriting | null {
    const { arena, sets } = this
    if (encoding === ENCODING_INTSET) {
      out.string(arena.view8(root), arena.at8(root), sets.intsets.sizeBytes(root))
      return null
    }
    out.length(sets.length(root, encoding))
    const writing = new TableWriting(sets.walk(root, encoding), arena)
    return writing.proceed(out, budgetBytes) ? null : writing
  }

  read(rdbType: number): ValueReading {
    if (rdbType === RDB_SET) return new TableReading(this.sets)
    return rdbType === RDB_SET_INTSET ? new IntsetReading(this.sets) : new ListpackReading(this.sets)
  }
}

class TableWriting implements ValueWriting {
  private readonly walk: SetWalk
  private readonly arena: Arena

  constructor(walk: SetWalk, arena: Arena) {
    this.walk = walk
    this.arena = arena
  }

  proceed(out: RdbWriter, budgetBytes: number): boolean {
    const { arena, walk } = this
    const stopBytes = out.writtenBytes + budgetBytes
    do {
      for (let i = 0; i < MEMBERS_PER_LOOK; i++) {
        if (!walk.next()) {
          walk.end()
          return true
        }
        out.stringFrom(walk.bytes, arena.viewData(walk.entry), walk.start, walk.length)
      }
    } while (out.writtenBytes < stopBytes)
    return false
  }

  abandon(): void {
    this.walk.end()
  }
}

/** What the three kinds of reading have in common. */
abstract class SetReading implements ValueReading {
  root: Ref = 0
  encoding = ENCODING_INTSET
  isEmpty = false
  protected readonly sets: SetType

  constructor(sets: SetType) {
    this.sets = sets
  }

  abstract proceed(source: RdbSource): boolean

  discard(): void {
    if (this.root !== 0) this.sets.release(this.root, this.encoding)
    this.root = 0
  }

  /** Goes on with what the sets have just made or changed. */
  protected take(): void {
    this.root = this.sets.root
    this.encoding = this.sets.encoding
  }

  protected add(bytes: Uint8Array, start: number, length: number): boolean {
    if (!this.sets.add(this.root, this.encoding, bytes, start, length)) return false
    this.take()
    return true
  }
}

class TableReading extends SetReading {
  private left = -1

  proceed(source: RdbSource): boolean {
    if (this.left < 0 && !this.begin(source)) return false
    for (; this.left > 0; this.left--) {
      if (!source.readString()) return false
      if (!this.add(source.text.bytes, source.textStart, source.textLength)) {
        throw source.error('RDB_CORRUPT', 'Duplicate set members detected')
      }
      source.setMark()
    }
    return true
  }

  private begin(source: RdbSource): boolean {
    const count = source.readCount()
    if (count === SHORT) return false
    source.setMark()
    this.left = count
    this.isEmpty = count === 0
    const { sets } = this
    if (count <= sets.intsetEntriesMax) sets.createIntset()
    else sets.createTable()
    this.take()
    if (this.encoding === ENCODING_HASHTABLE) {
      // Each member takes a byte at least.
      const possible = source.end - source.at + source.following
      sets.members.reserve(this.root, Math.min(count, possible, RESERVED_MEMBERS_MAX))
    }
    return true
  }
}

class IntsetReading extends SetReading {
  proceed(source: RdbSource): boolean {
    if (!source.readString()) return false
    const { bytes } = source.text
    const end = source.textStart + source.textLength
    if (source.textLength < INTSET_HEADER_BYTES || !isIntset(bytes, source.textStart, end)) {
      throw source.error('RDB_CORRUPT', 'Intset integrity check failed.')
    }
    const { sets } = this
    this.root = sets.intsets.fromBytes(bytes, source.textStart, source.textLength)
    if (sets.intsets.length(this.root) > sets.intsetEntriesMax) {
      sets.convert(this.root)
      this.take()
    }
    return true
  }
}

class ListpackReading extends SetReading {
  proceed(source: RdbSource): boolean {
    if (!source.readString()) return false
    const { bytes } = source.text
    const { textLength, textStart } = source
    if (!isValidListpack(bytes, textStart, textLength, true)) {
      throw source.error('RDB_CORRUPT', 'Set listpack integrity check failed.')
    }
    this.sets.createIntset()
    this.take()
    const reader = new ListpackReader()
    this.isEmpty = true
    for (let at = firstElement(bytes, textStart); at !== NO_ELEMENT; at = nextElement(bytes, at)) {
      reader.readText(bytes, at)
      if (!this.add(reader.bytes, reader.start, reader.length)) {
        throw source.error('RDB_CORRUPT', 'Set listpack integrity check failed.')
      }
      this.isEmpty = false
    }
    return true
  }
}
