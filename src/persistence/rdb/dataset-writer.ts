/**
 * Writes a whole RDB file's content: header, AUX fields, functions, databases, end. Who calls it decides in which order
 * entries come; a change of database is written where one happens, so they may come in any.
 *
 * Values go straight from the arena's pages to the buffer. A value that is large is written in parts when the caller says so.
 * Hot path: bench/micro/rdb.ts. Source: format.ts; order and content of the AUX fields as Redis 7.0.15 writes them.
 */
import { latin1Bytes } from '../../base/byte-text.ts'
import { REDIS_VERSION } from '../../base/version.ts'
import type { Db, UnixTimeMs } from '../../keyspace/db.ts'
import { TYPE_STRING } from '../../keyspace/entry.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import { lfuCounter } from '../../keyspace/lfu.ts'
import { lruIdleSeconds } from '../../keyspace/lru.ts'
import type { Ref } from '../../memory/arena.ts'
import {
  OPCODE_AUX,
  OPCODE_EOF,
  OPCODE_EXPIRETIME_MS,
  OPCODE_FREQ,
  OPCODE_FUNCTION2,
  OPCODE_IDLE,
  OPCODE_RESIZEDB,
  OPCODE_SELECTDB,
  RDB_STRING,
  RDB_VERSION,
  RDB_VERSION_WITH_FIELD_EXPIRY,
} from './format.ts'
import type { RdbWriter } from './rdb-writer.ts'
import type { RdbCodecs, ValueWriting } from './type-codec.ts'
import type { KeyUsage } from './usage.ts'

/** Where a file stands in the stream of a replication. */
export interface ReplicationInfo {
  readonly dbIndex: number
  readonly id: string
  readonly offset: number
}

export interface DatasetInfo {
  readonly nowMs: number
  readonly usedMemoryBytes: number
  /** The file is the base of an append-only file. */
  readonly isAofBase: boolean
  readonly replication: ReplicationInfo | null
  /** Sources of function libraries. */
  readonly functions: readonly Uint8Array[]
  readonly usage: KeyUsage
}

const NO_DB = -1

export class DatasetWriter {
  /** May be exchanged between entries, if what is written to the other follows in the file. */
  writer: RdbWriter
  private readonly keyspace: Keyspace
  private readonly codecs: RdbCodecs
  private readonly usage: KeyUsage
  /** Keys, and those with an expire time, of each database as the data set begins. */
  private readonly sizes: readonly { readonly keys: number; readonly expires: number }[]
  private readonly announced: boolean[] = []
  private dbIndex = NO_DB

  /** Writes the header. */
  constructor(keyspace: Keyspace, codecs: RdbCodecs, writer: RdbWriter, info: DatasetInfo) {
    this.keyspace = keyspace
    this.codecs = codecs
    this.writer = writer
    this.usage = info.usage
    this.sizes = keyspace.databases.map((db) => ({ keys: db.size, expires: db.expiresSize }))
    const fieldsExpire = keyspace.databases.some((db) => !db.fieldExpiry.isEmpty)
    const version = fieldsExpire ? RDB_VERSION_WITH_FIELD_EXPIRY : RDB_VERSION
    const magic = latin1Bytes(`REDIS${String(version).padStart(4, '0')}`)
    writer.raw(magic, 0, magic.length)
    this.aux('redis-ver', REDIS_VERSION)
    this.aux('redis-bits', '64')
    this.aux('ctime', String(Math.floor(info.nowMs / 1000)))
    this.aux('used-mem', String(info.usedMemoryBytes))
    const { replication } = info
    if (replication !== null) {
      this.aux('repl-stream-db', String(replication.dbIndex))
      this.aux('repl-id', replication.id)
      this.aux('repl-offset', String(replication.offset))
    }
    this.aux('aof-base', info.isAofBase ? '1' : '0')
    for (const source of info.functions) {
      writer.byte(OPCODE_FUNCTION2)
      writer.string(source, 0, source.length)
    }
  }

  /** Writes a key with its value, as of the database `dbIndex`, which need not be the one that `db` is now. */
  entry(dbIndex: number, db: Db, entry: Ref): void {
    this.key(dbIndex, db, entry)
    if (db.typeOf(entry) === TYPE_STRING) {
      const data = this.keyspace.arena.viewData(entry)
      this.writer.stringFrom(db.bytesOf(entry), data, db.valueAt(entry), db.valueLength(entry))
    } else this.collection(db, entry, Number.POSITIVE_INFINITY)
  }

  /** Writes what stands before a key's value: database, expire time, usage, type, key. */
  key(dbIndex: number, db: Db, entry: Ref): void {
    const { writer } = this
    if (dbIndex !== this.dbIndex) this.select(dbIndex)
    const expireAtMs = db.exactExpireAtMs(entry)
    if (expireAtMs !== -1) this.writeExpireTime(expireAtMs)
    if (this.usage !== 'none') this.writeUsage(db.lruOf(entry))
    const type = db.typeOf(entry)
    writer.byte(
      type === TYPE_STRING ? RDB_STRING : this.codecs.forType(type)!.rdbTypeOf(db.rootOf(entry), db.encodingOf(entry)),
    )
    writer.stringFrom(db.bytesOf(entry), this.keyspace.arena.viewData(entry), db.keyAt(entry), db.keyLength(entry))
  }

  /** Writes the value of another type than string, or the first part of it. */
  collection(db: Db, entry: Ref, budgetBytes: number): ValueWriting | null {
    const codec = this.codecs.forType(db.typeOf(entry))!
    return codec.write(db.rootOf(entry), db.encodingOf(entry), this.writer, budgetBytes)
  }

  /** Writes the end and hands on everything. */
  finish(): void {
    const { writer } = this
    writer.byte(OPCODE_EOF)
    writer.checksum()
    writer.flush()
  }

  private select(dbIndex: number): void {
    const { writer } = this
    this.dbIndex = dbIndex
    writer.byte(OPCODE_SELECTDB)
    writer.length(dbIndex)
    if (this.announced[dbIndex]) return
    this.announced[dbIndex] = true
    writer.byte(OPCODE_RESIZEDB)
    writer.length(this.sizes[dbIndex]!.keys)
    writer.length(this.sizes[dbIndex]!.expires)
  }

  private writeExpireTime(atMs: UnixTimeMs): void {
    const { writer } = this
    writer.byte(OPCODE_EXPIRETIME_MS)
    if (typeof atMs === 'bigint') writer.words(Number(BigInt.asIntN(32, atMs)), Number(BigInt.asIntN(32, atMs >> 32n)))
    else {
      const high = Math.floor(atMs / 0x1_0000_0000)
      writer.words((atMs - high * 0x1_0000_0000) | 0, high)
    }
  }

  private writeUsage(lru: number): void {
    const { writer, keyspace } = this
    if (this.usage === 'lfu') {
      writer.byte(OPCODE_FREQ)
      writer.byte(lfuCounter(lru, keyspace))
    } else {
      writer.byte(OPCODE_IDLE)
      writer.length(lruIdleSeconds(lru, keyspace))
    }
  }

  private aux(name: string, value: string): void {
    this.writer.byte(OPCODE_AUX)
    this.writer.text(name)
    this.writer.text(value)
  }
}
