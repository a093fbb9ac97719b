/**
 * A key with its value: one block of the arena.
 *
 *    0 i32 | has expire : 1 | epoch : 2 | key length : 29 |
 *    4 i32 | lru : 24 | encoding : 4 | has slack : 1 | type : 3 |         as in Redis's object header
 *    8 i64 expire time, Unix milliseconds, only when "has expire" is set (two words, low first)
 *    . key bytes
 *    . string: value bytes, up to the block's end less its slack; other types: i32 ref of their root, at a multiple of 4
 *    . slack, strings only: the last byte is its length; from 255 on that byte is 255 and the length the i32 8 bytes before the end
 *
 * A string's value stands behind its key, so that GET reads one block. Its length is what the block can hold less the
 * slack, so that no field is spent on it. Integers are kept as their decimal text, which is what clients read and write;
 * their encoding is remembered for OBJECT ENCODING.
 * `epoch` says for which snapshot the entry is already written (see Keyspace.snapshot).
 * Maximums: 2^29 - 1 bytes per key, 512 MiB per string.
 * Where it differs from Redis: dictEntry, sds key, robj and sds value are four blocks there, and the expire time a fifth.
 * Numbers of types and encodings are Redis's (object.c) and are append-only.
 */
import { KEY_LENGTH_MASK } from '../structures/hash-table.ts'

export const ENTRY_HEADER_BYTES = 8
export const ENTRY_EXPIRE_BYTES = 8
export const WORD_KEY = 0
export const WORD_META = 1
export const WORD_EXPIRE = 2

export const TYPE_STRING = 0
export const TYPE_LIST = 1
export const TYPE_SET = 2
export const TYPE_ZSET = 3
export const TYPE_HASH = 4
export const TYPE_MODULE = 5
export const TYPE_STREAM = 6

export const ENCODING_RAW = 0
export const ENCODING_INT = 1
export const ENCODING_HASHTABLE = 2
export const ENCODING_INTSET = 6
export const ENCODING_SKIPLIST = 7
export const ENCODING_EMBSTR = 8
export const ENCODING_QUICKLIST = 9
export const ENCODING_STREAM = 10
export const ENCODING_LISTPACK = 11

export const EPOCH_SHIFT = 29
export const EPOCH_MASK = 3 << EPOCH_SHIFT

export const META_TYPE_MASK = 0x7
export const META_SLACK = 0x8
/** Slack of this length or more is told by a word of its own. */
export const LONG_SLACK = 255
export const META_ENCODING_SHIFT = 4
export const META_ENCODING_MASK = 0xf0
export const META_LRU_SHIFT = 8
export const LRU_MASK = 0xff_ffff

/** Strings up to this length are "embstr" in Redis (OBJ_ENCODING_EMBSTR_SIZE_LIMIT). */
export const EMBSTR_BYTES_MAX = 44

/** Results of opening a key: neither is ever the ref of an entry. */
export const NO_KEY = 0
export const WRONG_TYPE = 1

/** How an overdue key is treated. */
export const EXPIRE_DELETE = 0
/** As absent, but left in place: on replicas and while clients are paused. */
export const EXPIRE_HIDE = 1
/** As present: while loading, and for a master's stream. */
export const EXPIRE_IGNORE = 2

/** Bytes before the key, by the entry's first word. */
export function headBytes(word: number): number {
  return word < 0 ? ENTRY_HEADER_BYTES + ENTRY_EXPIRE_BYTES : ENTRY_HEADER_BYTES
}

/** Where the root's ref stands, types other than string: words from the entry's first. */
export function rootWord(word: number): number {
  return (headBytes(word) + (word & KEY_LENGTH_MASK) + 3) >>> 2
}
