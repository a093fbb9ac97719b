/**
 * Encodings of hashes of which fields may expire. Both keep the same structure (hash.ts); the first says that Redis would
 * keep it in one listpack. Like the other numbers of encodings these are append-only.
 */
import { META_ENCODING_MASK, META_ENCODING_SHIFT, META_TYPE_MASK, TYPE_HASH } from '../entry.ts'

/** Redis's number (OBJ_ENCODING_LISTPACK_EX). */
export const ENCODING_LISTPACK_EX = 12
export const ENCODING_HASHTABLE_EX = 13

export function hasFieldExpiry(encoding: number): boolean {
  return encoding >= ENCODING_LISTPACK_EX
}

/** Of an entry's second word: whether it is a hash of which fields may expire. */
export function isHashWithExpiry(meta: number): boolean {
  return (
    (meta & META_TYPE_MASK) === TYPE_HASH && (meta & META_ENCODING_MASK) >>> META_ENCODING_SHIFT >= ENCODING_LISTPACK_EX
  )
}
