/**
 * Writes entries as commands that make them: the base of an append-only file in its own form (aof-use-rdb-preamble no).
 *
 * Strings as SET, expire times as PEXPIREAT, as Redis writes them. Values of other types as RESTORE of their payload: one command,
 * that every Redis of this or a newer version executes, whatever the encoding. (Redis writes RPUSH, SADD and the like, in
 * parts of 64 elements; the data is the same.)
 */
import { Argv } from '../../base/argv.ts'
import type { Db } from '../../keyspace/db.ts'
import { TYPE_STRING } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { dumpPayload, type PayloadOptions } from '../rdb/payload.ts'
import type { RdbWriter } from '../rdb/rdb-writer.ts'
import { CommandBuffer } from './command-buffer.ts'

export interface CommandDatasetOptions extends PayloadOptions {
  /** Unix seconds for an annotation at the beginning; -1 for none. */
  readonly timestampSeconds: number
  /** Source code of function libraries. */
  readonly functions: readonly Uint8Array[]
}

export class CommandDataset {
  private readonly writer: RdbWriter
  private readonly options: CommandDatasetOptions
  private readonly buffer = new CommandBuffer()
  private dbIndex = -1

  constructor(writer: RdbWriter, options: CommandDatasetOptions) {
    this.writer = writer
    this.options = options
    if (options.timestampSeconds >= 0) this.buffer.text(`#TS:${options.timestampSeconds}\r\n`)
    for (const code of options.functions) this.buffer.command(Argv.of(['FUNCTION', 'LOAD', code]))
    this.pass()
  }

  entry(dbIndex: number, db: Db, entry: Ref): void {
    const { buffer } = this
    if (dbIndex !== this.dbIndex) {
      this.dbIndex = dbIndex
      buffer.command(Argv.of(['SELECT', String(dbIndex)]))
    }
    const key = db.keyBytes(entry)
    if (db.typeOf(entry) === TYPE_STRING) buffer.command(Argv.of(['SET', key, db.valueView(entry)]))
    else buffer.command(Argv.of(['RESTORE', key, '0', dumpPayload(db, entry, this.options)]))
    if (db.expireAtMs(entry) >= 0) buffer.command(Argv.of(['PEXPIREAT', key, String(db.exactExpireAtMs(entry))]))
    this.pass()
  }

  finish(): void {
    this.writer.flush()
  }

  private pass(): void {
    const { buffer } = this
    this.writer.raw(buffer.bytes, 0, buffer.length)
    buffer.clear()
  }
}
