/**
 * A file that is written while clients are served: takes full buffers from an RdbWriter, writes one at a time, and reads
 * nothing back.
 *
 *   take(buffer) -> queue -> one write under way -> buffer comes back to be filled again
 *
 * The walk that fills it stops while `isBehind`, so it needs a few buffers however slow the disk is. What it cannot stop
 * are entries that clients are about to change: these are taken in any case. At worst that is all that was in the databases
 * at the start, as it is the worst case of a fork's copied pages; but long before, at SYNC_BYTES_MIN, buffers are written
 * without waiting for their turn: the writing clients then go as fast as the disk does, and memory stays bounded.
 *
 * Invariants: each buffer has its place in the file from the moment it was taken, so it does not matter which is written
 * first. `onProgress` is called after each write, `onEnd` exactly once unless discarded.
 */
import { FileError, type WritableFile } from './file-system.ts'
import type { RdbSink } from './rdb/rdb-writer.ts'

export const BUFFER_BYTES = 256 * 1024
/** The walk stops here: four buffers, enough for the disk to have work while the walk is held up. */
const BEHIND_BYTES = 4 * BUFFER_BYTES
/** Buffers beyond this are written at once. */
const SYNC_BYTES_MIN = 64 * 1024 * 1024
/** rdb-save-incremental-fsync: as much as Redis. */
const SYNC_INTERVAL_BYTES = 4 * 1024 * 1024
const SPARE_BUFFERS_MAX = 2

interface Chunk {
  readonly bytes: Uint8Array
  readonly length: number
  readonly position: number
}

export interface BackgroundFileEvents {
  onProgress(): void
  /** The file is whole and on the disk, or it failed: `operation` names what, as Redis's log does. */
  onEnd(error: FileError | null, operation: string): void
}

export class BackgroundFile implements RdbSink {
  private readonly file: WritableFile
  private readonly syncs: boolean
  private readonly events: BackgroundFileEvents
  private readonly queue: Chunk[] = []
  private readonly spare: Uint8Array[] = []
  private queuedBytes = 0
  private position = 0
  private unsyncedBytes = 0
  /** `run` is at it. */
  private isBusy = false
  private isEnding = false
  /** Failed, discarded or done: nothing more is written. */
  private isOver = false

  /** `syncs`: the bytes go to the disk on the way, not all at the end. */
  constructor(file: WritableFile, syncs: boolean, events: BackgroundFileEvents) {
    this.file = file
    this.syncs = syncs
    this.events = events
  }

  /** Whether whoever can wait should. */
  get isBehind(): boolean {
    return this.queuedBytes >= BEHIND_BYTES
  }

  take(bytes: Uint8Array, length: number): Uint8Array {
    if (this.isOver) return bytes
    this.queue.push({ bytes, length, position: this.position })
    this.position += length
    this.queuedBytes += length
    if (this.queuedBytes > SYNC_BYTES_MIN) this.writeQueue()
    if (!this.isBusy) void this.run()
    return this.spare.pop() ?? new Uint8Array(BUFFER_BYTES)
  }

  /** Nothing more is taken: when everything is written, the file goes to the disk. */
  end(): void {
    this.isEnding = true
    if (!this.isBusy) void this.run()
  }

  /** Writes nothing more and closes the file as soon as that is possible. */
  discard(): void {
    if (this.isOver) return
    this.isOver = true
    this.queue.length = 0
    if (!this.isBusy) void this.run()
  }

  /** Writes until the queue is empty, and ends if it is time. Never rejects: errors are reported. */
  private async run(): Promise<void> {
    this.isBusy = true
    let operation = 'rdbSaveRio'
    try {
      for (let chunk = this.queue.shift(); chunk !== undefined && !this.isOver; chunk = this.queue.shift()) {
        await this.file.write(chunk.bytes, chunk.length, chunk.position)
        await this.wrote(chunk)
        if (!this.isOver) this.events.onProgress()
      }
      if (!this.isOver && !this.isEnding) {
        this.isBusy = false
        return
      }
      operation = 'fsync'
      if (!this.isOver) await this.file.sync()
    } catch (error) {
      this.fail(error, operation)
    }
    try {
      await this.file.close()
    } catch (error) {
      this.fail(error, 'fclose')
    }
    if (this.isOver) return
    this.isOver = true
    this.events.onEnd(null, '')
  }

  private async wrote(chunk: Chunk): Promise<void> {
    this.queuedBytes -= chunk.length
    this.unsyncedBytes += chunk.length
    if (this.spare.length < SPARE_BUFFERS_MAX && chunk.bytes.length === BUFFER_BYTES) this.spare.push(chunk.bytes)
    if (!this.syncs || this.unsyncedBytes < SYNC_INTERVAL_BYTES || this.isOver) return
    this.unsyncedBytes = 0
    await this.file.sync()
  }

  /** Writes all that waits, now. */
  private writeQueue(): void {
    try {
      for (const chunk of this.queue) {
        this.file.writeSync(chunk.bytes, chunk.length, chunk.position)
        this.queuedBytes -= chunk.length
      }
      this.queue.length = 0
    } catch (error) {
      this.fail(error, 'rdbSaveRio')
    }
  }

  private fail(error: unknown, operation: string): void {
    if (this.isOver) return
    this.isOver = true
    this.queue.length = 0
    this.events.onEnd(error instanceof FileError ? error : new FileError('', String(error)), operation)
  }
}
