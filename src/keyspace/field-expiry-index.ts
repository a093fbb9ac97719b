/**
 * The hashes of a database that have fields that expire, for those who look for overdue fields and for whoever must
 * know that there are any. A table like that of expire times: its entries are those of the keys.
 */
import { ArenaFullError, type Ref } from '../memory/arena.ts'
import type { TableRef } from '../structures/hash-table.ts'
import type { Keyspace } from './keyspace.ts'

export class FieldExpiryIndex {
  /** Where the search for overdue fields stands. */
  cursor = 0
  private readonly keyspace: Keyspace
  /** 0: there never was one. */
  private hashes: TableRef = 0

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  get isEmpty(): boolean {
    return this.hashes === 0 || this.keyspace.table.count(this.hashes) === 0
  }

  get size(): number {
    return this.hashes === 0 ? 0 : this.keyspace.table.count(this.hashes)
  }

  /** Without memory for it the hash is left out: its fields expire when somebody asks for them. */
  add(entry: Ref): void {
    const { table } = this.keyspace
    try {
      if (this.hashes === 0) this.hashes = table.create()
      if (!table.findEntry(this.hashes, entry)) table.insert(this.hashes, table.hashOfEntry(entry), entry)
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error
    }
  }

  remove(entry: Ref): void {
    const { table } = this.keyspace
    if (!this.isEmpty && table.findEntry(this.hashes, entry)) table.removeFound(this.hashes)
  }

  /** An entry has moved: `old` is still there. */
  replace(old: Ref, entry: Ref): void {
    const { table } = this.keyspace
    if (!this.isEmpty && table.findEntry(this.hashes, old)) table.replaceFound(entry)
  }

  /** The entries of the next bucket into `table.scanned`. */
  gather(): void {
    const { table } = this.keyspace
    if (this.hashes === 0) table.scannedCount = 0
    else this.cursor = table.scan(this.hashes, this.cursor)
  }

  rehash(buckets: number): boolean {
    return this.hashes !== 0 && this.keyspace.table.rehashBuckets(this.hashes, buckets)
  }

  /** Empties the index. */
  clear(): void {
    if (this.hashes !== 0) this.keyspace.table.destroy(this.hashes)
    this.forget()
  }

  /** The arena has been given up, and the index with it. */
  forget(): void {
    this.hashes = 0
    this.cursor = 0
  }
}
