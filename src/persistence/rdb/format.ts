/**
 * The RDB format: numbers that are on disks and wires all over the world. They are append-only.
 *
 *   file     = "REDIS" version(4 digits) record* EOF crc64(8, little endian; from version 5, 0 = not computed)
 *   record   = opcode and what belongs to it
 *            | [EXPIRETIME_MS time(8, little endian)] [IDLE length | FREQ byte] type key(string) value
 *   length   = 00xxxxxx                     6 bits
 *            | 01xxxxxx byte                14 bits, high first
 *            | 10000000 byte[4]             32 bits, big endian
 *            | 10000001 byte[8]             64 bits, big endian
 *   string   = length byte[length]
 *            | 11000000 byte[1] | 11000001 byte[2] | 11000010 byte[4]   an integer, little endian, signed
 *            | 11000011 length(compressed) length(plain) byte[compressed]   LZF
 *   payload  = type value version(2, little endian) crc64(8, little endian)   what DUMP gives, without a key
 *
 * Maximums: lengths are 64 bits here; a key is refused above 2^29 - 1 bytes, a string above what a block of the arena holds.
 * Where it differs from Redis 7.0: versions 11 and 12 (Redis 7.2 to 8.0) are read as well. Version 10 is written.
 * Sources: 1. rdb.h and rdb.c of Redis 7.0.15. 2. The RDB notes of Redis 7.2 and 7.4 for opcodes 244, 20 to 25.
 */

/** Written, by files and payloads. */
export const RDB_VERSION = 10
/** Written when fields of a hash expire: Redis 7.4 can read it. */
export const RDB_VERSION_WITH_FIELD_EXPIRY = 12
/** The newest that is read. */
export const RDB_VERSION_MAX = 12
/** The checksum was added in this version. */
export const RDB_VERSION_WITH_CHECKSUM = 5

export const OPCODE_SLOT_INFO = 244
export const OPCODE_FUNCTION2 = 245
/** Functions as two release candidates of 7.0 wrote them. */
export const OPCODE_FUNCTION = 246
export const OPCODE_MODULE_AUX = 247
export const OPCODE_IDLE = 248
export const OPCODE_FREQ = 249
export const OPCODE_AUX = 250
export const OPCODE_RESIZEDB = 251
export const OPCODE_EXPIRETIME_MS = 252
export const OPCODE_EXPIRETIME = 253
export const OPCODE_SELECTDB = 254
export const OPCODE_EOF = 255

/** Kinds of strings that are not stored as they are: the low bits of a first byte 11xxxxxx. */
export const ENCODED_INT8 = 0
export const ENCODED_INT16 = 1
export const ENCODED_INT32 = 2
export const ENCODED_LZF = 3

// Parts of a module's value
export const MODULE_EOF = 0
export const MODULE_SINT = 1
export const MODULE_UINT = 2
export const MODULE_FLOAT = 3
export const MODULE_DOUBLE = 4
export const MODULE_STRING = 5

export const RDB_STRING = 0
export const RDB_MODULE_PRE_GA = 6
export const RDB_MODULE = 7
/** The first of the types that only Redis 7.4 and later know. */
/** The first type that redis-check-rdb 7.0.15 has no name for. */
const RDB_STREAM_2 = 19
export const RDB_HASH_METADATA_PRE_GA = 22
export const RDB_HASH_METADATA = 24
export const RDB_HASH_LISTPACK_EX = 25

/** What values are called in messages; where redis-check-rdb has a name, it is that. */
const TYPE_NAMES: readonly (string | undefined)[] = [
  'string',
  'list-linked',
  'set-hashtable',
  'zset-v1',
  'hash-hashtable',
  'zset-v2',
  'module-pre-release',
  'module-value',
  undefined,
  'hash-zipmap',
  'list-ziplist',
  'set-intset',
  'zset-ziplist',
  'hash-ziplist',
  'quicklist',
  'stream',
  'hash-listpack',
  'zset-listpack',
  'quicklist-v2',
  'stream-v2',
  'set-listpack',
  'stream-v3',
  'hash-hashtable-md-pre-release',
  'hash-listpack-ex-pre-release',
  'hash-hashtable-md',
  'hash-listpack-ex',
]

/** The name of a value's type, or undefined if no known version has such a type. */
export function rdbTypeName(type: number): string | undefined {
  return TYPE_NAMES[type]
}

/** What redis-check-rdb calls it: it does not know the newest types, streams of 7.0 among them. */
export function reportedTypeName(type: number): string {
  return (type < RDB_STREAM_2 && TYPE_NAMES[type]) || 'unknown'
}

/** Strings up to this length are tried as integers. */
export const INTEGER_TEXT_BYTES_MAX = 11
/** Strings above this length are compressed where that saves at least four bytes. */
export const UNCOMPRESSED_BYTES_MAX = 20
export const COMPRESSION_SAVES_BYTES_MIN = 4
