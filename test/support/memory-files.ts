/**
 * A disk in memory for tests of persistence, which does what real ones do wrong: fails, is full, is slow. Calls that do
 * not wait end when the test says so (`settle`), in order.
 */
import {
  type AppendFile,
  FileError,
  type FileSystem,
  type FilesClaim,
  type ReadableFile,
  type WritableFile,
} from '../../src/persistence/file-system.ts'

export type FileOperation = 'open' | 'create' | 'read' | 'write' | 'sync' | 'close' | 'rename' | 'remove' | 'syncFolder'

interface StoredFile {
  bytes: Uint8Array
  length: number
  /** How much survives a loss of power. */
  syncedLength: number
}

export class MemoryFiles implements FileSystem {
  readonly files = new Map<string, StoredFile>()
  readonly folders = new Set<string>()
  /** Every operation in order, as "operation path". */
  readonly journal: string[] = []
  /** Bytes that may still be written before the disk is full. */
  freeBytes = Number.POSITIVE_INFINITY
  /** Bytes that a read returns at most. */
  readBytesMax = Number.POSITIVE_INFINITY
  /** Time that pauseSync was asked for. */
  pausedMs = 0
  openFiles = 0
  /** While true, calls that do not wait end by `settle` only. */
  isSlow = false
  private readonly waiting: (() => void)[] = []
  private readonly failures = new Map<FileOperation, FileError>()

  /** The operation fails from now on; null: it works again. */
  fail(operation: FileOperation, error: FileError | null): void {
    if (error === null) this.failures.delete(operation)
    else this.failures.set(operation, error)
  }

  /** Lets up to `count` calls that wait come to their end. Returns how many there were. */
  async settle(count = Number.POSITIVE_INFINITY): Promise<number> {
    let settled = 0
    for (; settled < count && this.waiting.length > 0; settled++) {
      this.waiting.shift()!()
      await ticks()
    }
    return settled
  }

  /** Puts a file there. */
  put(path: string, bytes: Uint8Array): void {
    this.files.set(path, { bytes: new Uint8Array(bytes), length: bytes.length, syncedLength: bytes.length })
  }

  /** A file's content, or null. */
  content(path: string): Uint8Array | null {
    const file = this.files.get(path)
    return file === undefined ? null : file.bytes.slice(0, file.length)
  }

  get names(): string[] {
    return [...this.files.keys()].sort()
  }

  openForReading(path: string): ReadableFile {
    this.note('open', path)
    const file = this.files.get(path)
    if (file === undefined) throw new FileError('ENOENT', 'No such file or directory')
    this.openFiles++
    let at = 0
    return {
      sizeBytes: file.length,
      seek: (position) => {
        at = position
      },
      readSync: (into, offset) => {
        this.note('read', path)
        const count = Math.min(into.length - offset, file.length - at, this.readBytesMax)
        into.set(file.bytes.subarray(at, at + count), offset)
        at += count
        return count
      },
      closeSync: () => {
        this.note('close', path)
        this.openFiles--
      },
    }
  }

  openForAppending(path: string): AppendFile {
    this.note('open', path)
    const file = this.files.get(path) ?? { bytes: new Uint8Array(1024), length: 0, syncedLength: 0 }
    this.files.set(path, file)
    this.openFiles++
    const syncSync = () => {
      this.note('sync', path)
      file.syncedLength = file.length
    }
    const closeSync = () => {
      this.note('close', path)
      this.openFiles--
    }
    return {
      sizeBytes: file.length,
      appendSync: (bytes, start, end, position) => {
        this.note('write', path)
        const length = Math.min(end - start, this.freeBytes)
        if (length === 0 && end > start) throw new FileError('ENOSPC', 'No space left on device')
        this.freeBytes -= length
        grow(file, position + length)
        file.bytes.set(bytes.subarray(start, start + length), position)
        file.length = Math.max(file.length, position + length)
        return length
      },
      truncateSync: (sizeBytes) => {
        this.freeBytes += file.length - sizeBytes
        file.length = sizeBytes
      },
      syncSync,
      sync: () => this.later(syncSync),
      closeSync,
      close: () => this.later(closeSync),
    }
  }

  /** By another server, which is there no more when these files are looked at again. */
  isClaimed = false

  claimFiles(): FilesClaim | null {
    return this.isClaimed ? null : { release() {} }
  }

  kindOf(path: string): 'file' | 'folder' | null {
    if (this.files.has(path)) return 'file'
    return this.folders.has(path) ? 'folder' : null
  }

  sizeOf(path: string): number {
    const file = this.files.get(path)
    if (file === undefined) throw new FileError('ENOENT', 'No such file or directory')
    return file.length
  }

  listSync(path: string): string[] {
    const prefix = `${path}/`
    return this.names
      .filter((name) => name.startsWith(prefix) && !name.slice(prefix.length).includes('/'))
      .map((name) => name.slice(prefix.length))
  }

  makeFolderSync(path: string): void {
    this.note('create', path)
    this.folders.add(path)
  }

  truncateSync(path: string, sizeBytes: number): void {
    const file = this.files.get(path)
    if (file === undefined) throw new FileError('ENOENT', 'No such file or directory')
    file.length = sizeBytes
  }

  create(path: string): WritableFile {
    this.note('create', path)
    const file: StoredFile = { bytes: new Uint8Array(1024), length: 0, syncedLength: 0 }
    this.files.set(path, file)
    this.openFiles++
    const writeSync = (bytes: Uint8Array, length: number, position: number) => {
      this.note('write', path)
      if (length > this.freeBytes) throw new FileError('ENOSPC', 'No space left on device')
      this.freeBytes -= length
      const end = position + length
      grow(file, end)
      file.bytes.set(bytes.subarray(0, length), position)
      file.length = Math.max(file.length, end)
    }
    const syncSync = () => {
      this.note('sync', path)
      file.syncedLength = file.length
    }
    const closeSync = () => {
      this.note('close', path)
      this.openFiles--
    }
    return {
      writeSync,
      write: (bytes, length, position) => {
        // The buffer belongs to the write until it ends: what it holds then is what is written.
        return this.later(() => writeSync(bytes, length, position))
      },
      syncSync,
      sync: () => this.later(syncSync),
      closeSync,
      close: () => this.later(closeSync),
    }
  }

  replaceSync(from: string, to: string): void {
    this.note('rename', to)
    const file = this.files.get(from)
    if (file === undefined) throw new FileError('ENOENT', 'No such file or directory')
    this.files.delete(from)
    this.files.set(to, file)
  }

  removeSync(path: string): void {
    this.note('remove', path)
    this.files.delete(path)
  }

  remove(path: string): Promise<void> {
    return this.later(() => this.removeSync(path))
  }

  syncFolderSync(path: string): void {
    this.note('syncFolder', path)
  }

  syncFolder(path: string): Promise<void> {
    return this.later(() => this.syncFolderSync(path))
  }

  pauseSync(ms: number): void {
    this.pausedMs += ms
  }

  private later(action: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          action()
          resolve()
        } catch (error) {
          reject(error)
        }
      }
      if (this.isSlow) this.waiting.push(run)
      else run()
    })
  }

  private note(operation: FileOperation, path: string): void {
    this.journal.push(`${operation} ${path}`)
    const error = this.failures.get(operation)
    if (error !== undefined) throw error
  }
}

function grow(file: StoredFile, end: number): void {
  if (end <= file.bytes.length) return
  const larger = new Uint8Array(Math.max(end, file.bytes.length * 2))
  larger.set(file.bytes.subarray(0, file.length))
  file.bytes = larger
}

/** Lets everything happen that waits for nothing but promises. */
export async function ticks(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
