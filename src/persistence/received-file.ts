/**
 * The file that a master sends: written under another name as it comes, and given the data file's name when it is whole.
 * Everything fails with a FileError.
 */
import type { FileSystem, WritableFile } from './file-system.ts'

export class ReceivedFile {
  private readonly fileSystem: FileSystem
  private readonly dir: string
  private readonly tempPath: string
  private readonly path: string
  private readonly file: WritableFile
  private position = 0
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
  }

  /** Waits until it is on the disk. */
  sync(): Promise<void> {
    return this.file.sync()
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

  /** Nobody wants it any more. */
  discard(): void {
    if (this.isOpen) {
      this.isOpen = false
      this.file.closeSync()
    }
    if (!this.isPlaced) this.fileSystem.removeSync(this.tempPath)
  }
}
