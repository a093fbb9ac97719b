/**
 * A key with its value: one block of the arena.
 *
 *    0 i32 | has expire : 1 | epoch : 2 | key length : 29 |
 *    4 i32 | lru : 24 | encoding : 4 | type : 4 |         as in Redis's object header
 *    8 i32 string: length of the value in bytes; other types: ref of their root
 *   12 i64 expire time, Unix milliseconds, only when "has expire" is set (two words, low first)
 *    . key bytes
 *    . value bytes, strings only
 *
 * A string's value stands behind its key, so that GET reads one block. Integers are kept as their decimal text, which
 * is what clients read and write; their encoding is remembered for OBJECT ENCODING.
 * `epoch` says for which snapshot the entry is already written (see Keyspace.snapshot).
 * Maximums: 2^29 - 1 bytes per key, 512 MiB per string.
 * Where it differs from Redis: dictEntry, sds key, robj and sds value are four blocks there, and the expire time a fifth.
 * Numbers of types and encodings are Redis's (object.c) and are append-only.
 */
export const ENTRY_HEADER_BYTES = 12
export const ENTRY_EXPIRE_BYTES = 8
export const WORD_KEY = 0
export const WORD_META = 1
export const WORD_VALUE = 2
export const WORD_EXPIRE = 3

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

export const META_TYPE_MASK = 0xf
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
