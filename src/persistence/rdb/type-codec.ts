/**
 * How values of a type other than string are written and read. Each data type gives one codec; files, payloads, full syncs
 * and COPY between servers find it by the type's number.
 *
 * A value may be large, and nobody waits for it: writing and reading go in parts.
 */
import type { Ref } from '../../memory/arena.ts'
import type { RdbSource } from './rdb-source.ts'
import type { RdbWriter } from './rdb-writer.ts'

export interface RdbTypeCodec {
  /** The type's number in the keyspace. */
  readonly type: number
  /** Numbers of the RDB types that it reads. */
  readonly rdbTypes: readonly number[]
  /** The RDB type that a value is written as. */
  rdbTypeOf(root: Ref, encoding: number): number
  /** Writes a value. Past about `budgetBytes` it may leave the rest to the writing that it returns. */
  write(root: Ref, encoding: number, out: RdbWriter, budgetBytes: number): ValueWriting | null
  /** Begins to read a value of one of `rdbTypes`. */
  read(rdbType: number): ValueReading
}

/** A value that is written in parts. The value does not change meanwhile: whoever wants to change it has the rest written first. */
export interface ValueWriting {
  /** Writes about `budgetBytes` more. True: the value is whole. */
  proceed(out: RdbWriter, budgetBytes: number): boolean
  /** The rest is not wanted any more: gives back what the writing holds, such as a table's rehashing. */
  abandon?(): void
}

/** A value that is read in parts. */
export interface ValueReading {
  /** Reads what is there, and calls `source.setMark()` behind each part that it has taken. True: the value is whole. */
  proceed(source: RdbSource): boolean
  /** Of a whole value. A collection without elements is no value: the key is passed over. */
  readonly root: Ref
  readonly encoding: number
  readonly isEmpty: boolean
  /** Frees what was read: the value is not wanted, or not whole. */
  discard(): void
}

export class RdbCodecs {
  private readonly byType: (RdbTypeCodec | undefined)[] = []
  private readonly byRdbType: (RdbTypeCodec | undefined)[] = []

  constructor(codecs: readonly RdbTypeCodec[]) {
    for (const codec of codecs) {
      this.byType[codec.type] = codec
      for (const rdbType of codec.rdbTypes) this.byRdbType[rdbType] = codec
    }
  }

  forType(type: number): RdbTypeCodec | undefined {
    return this.byType[type]
  }

  forRdbType(rdbType: number): RdbTypeCodec | undefined {
    return this.byRdbType[rdbType]
  }
}
