/**
 * The file that a master sends: written under another name as it comes, and given the data file's name when it is whole.
 * Everything fails with a FileError.
 */
import type { FileSystem, WritableFile } from './file-system.ts'

/**
 * As in Redis (REPL_MAX_WRITTEN_BEFORE_FSYNC): so much of it may be in memory only. The disk works while the rest comes, and little is
 * left to be waited for in the end.
 */
const UNSYNCED_BYTES_MAX = 8 * 1024 * 1024

export class ReceivedFile {
  private readonly fileSystem: FileSystem
  private readonly dir: string
  private readonly tempPath: string
  private readonly path: string
  private readonly file: WritableFile
  private position = 0
  /** What was written before this position is on the disk, or on its way there. */
  private syncedTo = 0
  private syncing: Promise<void> | null = null
  /** The system tells of a failure once: whoever asks last must hear of it. */
  private syncFailure: { readonly error: unknown } | null = null
  private isOpen = true
  private isPlaced = false

  constructor(fileSystem: FileSystem, dir: string, tempName: string, fileName: string) {
    this.fileSystem = fileSystem
    this.dir = dir
    this.tempPath = `${dir}/${tempName}`
    this.path = `${dir}/${fileName}`
    this.file = fileSystem.create(this.tempPath)
  }

  write(bytes: Uint8Array, from: number, to: number): void {
    if (from === to) return
    this.file.writeSync(from === 0 ? bytes : bytes.subarray(from, to), to - from, this.position)
    this.position += to - from
    if (this.position - this.syncedTo >= UNSYNCED_BYTES_MAX && this.syncing === null) this.syncing = this.syncEarly()
  }

  /** Waits until it is on the disk. */
  async sync(): Promise<void> {
    await this.syncing
    if (this.syncFailure !== null) throw this.syncFailure.error
    await this.file.sync()
  }

  /** Puts it in the place of the data file. */
  place(): void {
    this.isOpen = false
    this.file.closeSync()
    this.fileSystem.replaceSync(this.tempPath, this.path)
    this.isPlaced = true
  }

  syncFolder(): Promise<void> {
    return this.fileSystem.syncFolder(this.dir)
  }

  private async syncEarly(): Promise<void> {
    this.syncedTo = this.position
    try {
      await this.file.sync()
    } catch (error) {
      this.syncFailure ??= { error }
    }
    this.syncing = null
  }

  /** Nobody wants it any more. */
  discard(): void {
    if (this.isOpen) {
      this.isOpen = false
      this.file.closeSync()
    }
    if (!this.isPlaced) this.fileSystem.removeSync(this.tempPath)
  }
}
