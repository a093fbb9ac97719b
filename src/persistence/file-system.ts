/**
 * The files that persistence needs, as an interface: node:fs stands behind it in a server (server/file-system.ts), and in
 * tests whatever a disk can do wrong.
 *
 * Everything that happens while clients are served has a form that does not wait; the others are for SAVE and the like,
 * which stop the server by their nature. All of them fail with a FileError.
 */

/** What the system said: its code ("ENOSPC"), and its words in `message` as the C library has them. */
export class FileError extends Error {
  override readonly name = 'FileError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export interface ReadableFile {
  readonly sizeBytes: number
  /** The next read begins at `position`. */
  seek(position: number): void
  /** Reads the next bytes to into[at ...), as many as there is room for or the file has; 0 at its end. */
  readSync(into: Uint8Array, at: number): number
  closeSync(): void
}

export interface WritableFile {
  /** Writes bytes[0, length) at `position` of the file. */
  writeSync(bytes: Uint8Array, length: number, position: number): void
  write(bytes: Uint8Array, length: number, position: number): Promise<void>
  /** Waits until the bytes written are on the disk. */
  syncSync(): void
  sync(): Promise<void>
  closeSync(): void
  close(): Promise<void>
}

/** A file that only grows, or is cut. */
export interface AppendFile {
  /** How much it held when it was opened. */
  readonly sizeBytes: number
  /** Writes bytes[start, end) at `position`, its end. Returns how many; a FileError if none could be. */
  appendSync(bytes: Uint8Array, start: number, end: number, position: number): number
  truncateSync(sizeBytes: number): void
  syncSync(): void
  sync(): Promise<void>
  closeSync(): void
  close(): Promise<void>
}

/** The right to use files that no other server may use at the same time. */
export interface FilesClaim {
  release(): void
}

export interface FileSystem {
  /** Claims the files of a name in a folder that is there. Null: another server has them. */
  claimFiles(folder: string, name: string): FilesClaim | null
  openForReading(path: string): ReadableFile
  /** A file with what it holds, or a new one. */
  openForAppending(path: string): AppendFile
  /** What has this name; null if nothing has. */
  kindOf(path: string): 'file' | 'folder' | null
  sizeOf(path: string): number
  /** Names in a folder, without those of folders. */
  listSync(path: string): string[]
  /** No error if it is there. */
  makeFolderSync(path: string): void
  truncateSync(path: string, sizeBytes: number): void
  /** A new file, or an old one emptied. */
  create(path: string): WritableFile
  /**
   * Gives a file another name, in place of whatever has it. Does not wait for the old file's blocks to be freed, which
   * takes long for a large one.
   */
  replaceSync(from: string, to: string): void
  /** No error if there is no such file. */
  removeSync(path: string): void
  /** As `removeSync`, without waiting. */
  remove(path: string): Promise<void>
  /** Waits until a folder's changed entries are on the disk. */
  syncFolderSync(path: string): void
  syncFolder(path: string): Promise<void>
  /** Stops everything for a while: the test directives that make SAVE slow ask for that. */
  pauseSync(ms: number): void
}
