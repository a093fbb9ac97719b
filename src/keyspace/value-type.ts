/**
 * What the keyspace must know of a type beside strings to own its values. Each data type gives one of these; COPY,
 * DUMP, OBJECT, MEMORY and the removal of keys find it by the entry's type number.
 */
import type { TextPool } from '../base/text-pool.ts'
import type { Ref } from '../memory/arena.ts'
import type { TableRef } from '../structures/hash-table.ts'
import type { Db } from './db.ts'
import type { Digest } from './digest.ts'
import { TYPE_STRING } from './entry.ts'

export interface ValueType {
  /** Redis's type number. */
  readonly type: number
  /** As TYPE names it. */
  readonly name: string
  /** Frees the value at once. */
  release(root: Ref, encoding: number): void
  /**
   * What it takes to free the value, as Redis reckons it (lazyfreeGetFreeEffort): elements of hash tables and sorted sets
   * that are not one block, nodes of lists and streams. Left out: always 1. What is above some hundreds is not freed by
   * `release` but in steps by `releaseSome`, whatever removed it (see lazy-free.ts).
   */
  freeEffort?(root: Ref, encoding: number): number
  /**
   * Frees a part of a value that nobody can reach any more: some dozen blocks, a few microseconds. Called again with the
   * same root while it returns true; with false the last part has gone, and the root with it. What it has to remember stands
   * in the value's own blocks (HashTable.dismantle does so). Values that have parts give this and `freeEffort`.
   */
  releaseSome?(root: Ref, encoding: number): boolean
  /**
   * Moves blocks of the value, beside its root, out of pages that are to be left (Arena.relocated): a part of it, from
   * `position` on, which is 0 at first. Returns the position of the next part, -1 after the last. Types and encodings that
   * are one block alone return -1 at once. Left out, a value is moved as a copy if
   * `leaves` says so, unless it is large.
   */
  relocate?(root: Ref, encoding: number, position: number): number
  /** Whether blocks of the value are in pages that are to be left. Given by types that have no `relocate`. */
  leaves?(root: Ref, encoding: number): boolean
  /** An independent copy of the value. */
  copy(root: Ref, encoding: number): Ref
  /** Bytes of the value's blocks; large collections are sampled with `samples` elements, 0 = all. */
  sizeBytes(root: Ref, encoding: number, samples: number): number
  /** Adds the value to a digest, as Redis's xorObjectDigest does for the type. */
  digest(root: Ref, encoding: number, digest: Digest): void
  /** Elements, for lazy freeing's decision and DEBUG. */
  length(root: Ref, encoding: number): number
  /** The hash table that a value is kept in, for DEBUG; 0 if it is not. Types without such an encoding leave it out. */
  table?(root: Ref, encoding: number): TableRef
  /** For SORT: types whose elements it sorts. */
  readonly sortable?: Sortable
  /** For SORT with a pattern like key->field: the value of a field, or null. */
  field?(root: Ref, encoding: number, field: Uint8Array): Uint8Array | null
  /** For SORT with STORE: a value of this type that holds these elements in this order. */
  fromElements?(elements: TextPool): { readonly root: Ref; readonly encoding: number }
}

export interface Sortable {
  /** The elements have an order of their own, which SORT keeps when it is told not to sort. */
  readonly isOrdered: boolean
  /** What becomes of a value that is sorted. The entry's ref stays. */
  prepare?(db: Db, entry: Ref): void
  /** Copies of the elements from `first` on, at most `count`, in the value's own order; from its end if `isReversed`. */
  elements(root: Ref, encoding: number, first: number, count: number, isReversed: boolean): TextPool
  /** All elements if they are kept as whole numbers, none beyond +-(2^53 - 1); else null. */
  wholeNumbers?(root: Ref, encoding: number): Float64Array | null
}

/** As TYPE names a type. */
export function typeName(types: readonly (ValueType | undefined)[], type: number): string {
  return type === TYPE_STRING ? 'string' : types[type]!.name
}

const ENCODING_NAMES: readonly string[] = [
  'raw',
  'int',
  'hashtable',
  'zipmap',
  'linkedlist',
  'ziplist',
  'intset',
  'skiplist',
  'embstr',
  'quicklist',
  'stream',
  'listpack',
  'listpackex',
  'hashtable',
]

export function encodingName(encoding: number): string {
  return ENCODING_NAMES[encoding] ?? 'unknown'
}
