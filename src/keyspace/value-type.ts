/**
 * What the keyspace must know of a type beside strings to own its values. Each data type gives one of these; COPY,
 * DUMP, OBJECT, MEMORY and the removal of keys find it by the entry's type number.
 */
import type { Ref } from '../memory/arena.ts'
import type { Digest } from './digest.ts'
import type { TableRef } from '../structures/hash-table.ts'

export interface ValueType {
  /** Redis's type number. */
  readonly type: number
  /** As TYPE names it. */
  readonly name: string
  /** Frees the value. */
  release(root: Ref, encoding: number): void
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
]

export function encodingName(encoding: number): string {
  return ENCODING_NAMES[encoding] ?? 'unknown'
}
