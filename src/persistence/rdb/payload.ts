/**
 * DUMP payloads: a value without its key, with version and checksum behind it (see format.ts).
 * Source: Redis's createDumpPayload and verifyDumpPayload.
 */
import { Crc64 } from '../../base/crc64.ts'
import type { LzfCompressor } from '../../base/lzf.ts'
import type { Db } from '../../keyspace/db.ts'
import { TYPE_STRING } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import {
  RDB_HASH_METADATA_PRE_GA,
  RDB_STRING,
  RDB_VERSION,
  RDB_VERSION_MAX,
  RDB_VERSION_WITH_FIELD_EXPIRY,
} from './format.ts'
import { type RdbSink, RdbWriter } from './rdb-writer.ts'
import type { RdbCodecs } from './type-codec.ts'

const VERSION_BYTES = 2
const CHECKSUM_BYTES = 8
export const FOOTER_BYTES = VERSION_BYTES + CHECKSUM_BYTES
/** Type and length of a string. */
const HEAD_BYTES_MAX = 16
const COLLECTION_BYTES_FIRST = 4096
const MORE_BYTES_MIN = 64
const MORE_BYTES_MAX = 1024 * 1024

export interface PayloadOptions {
  readonly codecs: RdbCodecs
  /** rdbcompression. */
  readonly compression: boolean
  readonly lzf: LzfCompressor
}

/** The payload of an entry's value. */
export function dumpPayload(db: Db, entry: Ref, { codecs, compression, lzf }: PayloadOptions): Uint8Array {
  const type = db.typeOf(entry)
  const isString = type === TYPE_STRING
  const room = isString ? db.valueLength(entry) + HEAD_BYTES_MAX : COLLECTION_BYTES_FIRST
  const gathered = new Gathered(room + FOOTER_BYTES)
  const writer = new RdbWriter(gathered, gathered.buffer, { compression, checksum: false }, lzf)
  const rdbType = isString ? RDB_STRING : codecs.forType(type)!.rdbTypeOf(db.rootOf(entry), db.encodingOf(entry))
  const version = rdbType < RDB_HASH_METADATA_PRE_GA ? RDB_VERSION : RDB_VERSION_WITH_FIELD_EXPIRY
  writer.byte(rdbType)
  writeValue(writer, db, entry, codecs)
  writer.byte(version & 255)
  writer.byte(version >> 8)
  writer.flush()
  const payload = gathered.whole(CHECKSUM_BYTES)
  const crc = new Crc64()
  crc.update(payload, 0, payload.length - CHECKSUM_BYTES)
  crc.writeLittleEndian(payload, payload.length - CHECKSUM_BYTES)
  return payload
}

/** Length of an entry's value in a file or payload, without its type. */
export function serializedLength(db: Db, entry: Ref, { codecs, compression, lzf }: PayloadOptions): number {
  const buffer = new Uint8Array(COLLECTION_BYTES_FIRST)
  const writer = new RdbWriter({ take: () => buffer }, buffer, { compression, checksum: false }, lzf)
  writeValue(writer, db, entry, codecs)
  return writer.writtenBytes
}

function writeValue(writer: RdbWriter, db: Db, entry: Ref, codecs: RdbCodecs): void {
  const type = db.typeOf(entry)
  if (type === TYPE_STRING) writer.string(db.bytesOf(entry), db.valueAt(entry), db.valueLength(entry))
  else codecs.forType(type)!.write(db.rootOf(entry), db.encodingOf(entry), writer, Number.POSITIVE_INFINITY)
}

/** Whether bytes[start, end) has a version that can be read and a checksum that is right, or not asked for. */
export function isPayloadIntact(bytes: Uint8Array, start: number, end: number, skipsChecksum: boolean): boolean {
  if (end - start < FOOTER_BYTES) return false
  const footer = end - FOOTER_BYTES
  if ((bytes[footer]! | (bytes[footer + 1]! << 8)) > RDB_VERSION_MAX) return false
  if (skipsChecksum) return true
  const crc = new Crc64()
  crc.update(bytes, start, footer + VERSION_BYTES)
  return crc.equalsLittleEndian(bytes, footer + VERSION_BYTES)
}

/** Keeps all that is written. */
class Gathered implements RdbSink {
  readonly buffer: Uint8Array
  private readonly chunks: Uint8Array[] = []
  private sizeBytes = 0

  constructor(sizeBytes: number) {
    this.buffer = new Uint8Array(sizeBytes)
  }

  take(bytes: Uint8Array, length: number): Uint8Array {
    this.chunks.push(bytes.subarray(0, length))
    this.sizeBytes += length
    // Small when all is written, which is most often the case here.
    return new Uint8Array(Math.min(MORE_BYTES_MAX, Math.max(MORE_BYTES_MIN, this.sizeBytes)))
  }

  /** Everything in one piece, with room behind it. */
  whole(roomBytes: number): Uint8Array {
    const first = this.chunks[0]!
    // The usual case: it all fitted into the buffer, with the room.
    if (this.chunks.length === 1 && first.length + roomBytes <= first.buffer.byteLength) {
      return new Uint8Array(first.buffer, 0, first.length + roomBytes)
    }
    const whole = new Uint8Array(this.sizeBytes + roomBytes)
    let at = 0
    for (const chunk of this.chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    return whole
  }
}
