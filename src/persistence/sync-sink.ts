/**
 * Writes an RdbWriter's buffers to a file at once, and to the disk from time to time if asked to.
 */
import type { WritableFile } from './file-system.ts'
import type { RdbSink } from './rdb/rdb-writer.ts'

/** rdb-save-incremental-fsync: as much as Redis. */
const SYNC_INTERVAL_BYTES = 4 * 1024 * 1024

export class SyncSink implements RdbSink {
  private readonly file: WritableFile
  private readonly syncs: boolean
  private position = 0
  private unsyncedBytes = 0

  constructor(file: WritableFile, syncs: boolean) {
    this.file = file
    this.syncs = syncs
  }

  take(bytes: Uint8Array, length: number): Uint8Array {
    this.file.writeSync(bytes, length, this.position)
    this.position += length
    this.unsyncedBytes += length
    if (this.syncs && this.unsyncedBytes >= SYNC_INTERVAL_BYTES) {
      this.unsyncedBytes = 0
      this.file.syncSync()
    }
    return bytes
  }
}
