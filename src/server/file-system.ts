/**
 * The persistence's files on disk (persistence/file-system.ts).
 */
import {
  close,
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  truncateSync,
  unlink,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import {
  type AppendFile,
  FileError,
  type FileSystem,
  type ReadableFile,
  type WritableFile,
} from '../persistence/file-system.ts'
import { systemErrorCode, systemErrorText } from './config/system-error.ts'
import { claimFiles } from './files-claim.ts'

const closeLater = promisify(close)
const syncLater = promisify(fdatasync)
const openLater = promisify(open)
const unlinkLater = promisify(unlink)

export const nodeFileSystem: FileSystem = {
  claimFiles: (folder, name) => inWords(() => claimFiles(folder, name)),
  openForReading: (path) => inWords(() => new NodeReadableFile(openSync(path, 'r'))),
  openForAppending: (path) =>
    inWords(() => new NodeAppendFile(openSync(path, constants.O_WRONLY | constants.O_CREAT, FILE_MODE))),
  kindOf(path) {
    const stat = statSync(path, { throwIfNoEntry: false })
    return stat === undefined ? null : stat.isDirectory() ? 'folder' : 'file'
  },
  sizeOf: (path) => inWords(() => statSync(path).size),
  listSync: (path) =>
    inWords(() =>
      readdirSync(path, { withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map(({ name }) => name),
    ),
  makeFolderSync(path) {
    inWords(() => {
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) mkdirSync(path, FOLDER_MODE)
    })
  },
  truncateSync: (path, sizeBytes) => inWords(() => truncateSync(path, sizeBytes)),
  create: (path) => inWords(() => new NodeWritableFile(openSync(path, 'w'))),
  replaceSync: (from, to) => inWords(() => replace(from, to)),
  removeSync(path) {
    inWords(() => {
      try {
        unlinkSync(path)
      } catch (error) {
        if (systemErrorCode(error) !== 'ENOENT') throw error
      }
    })
  },
  async remove(path) {
    await inWordsLater(async () => {
      try {
        await unlinkLater(path)
      } catch (error) {
        if (systemErrorCode(error) !== 'ENOENT') throw error
      }
    })
  },
  syncFolderSync(path) {
    if (!CAN_SYNC_FOLDERS) return
    inWords(() => {
      const folder = openSync(path, 'r')
      try {
        fsyncSync(folder)
      } finally {
        closeSync(folder)
      }
    })
  },
  async syncFolder(path) {
    if (!CAN_SYNC_FOLDERS) return
    await inWordsLater(async () => {
      const folder = await openLater(path, 'r')
      try {
        await syncLater(folder)
      } finally {
        await closeLater(folder)
      }
    })
  },
  pauseSync(ms) {
    if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  },
}

/** Windows opens no folders, and renames nothing over a file that is open. */
const CAN_SYNC_FOLDERS = process.platform !== 'win32'
const CAN_REPLACE_OPEN_FILES = process.platform !== 'win32'

const FILE_MODE = 0o644
const FOLDER_MODE = 0o755

class NodeReadableFile implements ReadableFile {
  readonly sizeBytes: number
  private readonly fd: number
  private position = 0

  constructor(fd: number) {
    this.fd = fd
    try {
      this.sizeBytes = fstatSync(fd).size
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  readSync(into: Uint8Array, at: number): number {
    const count = inWords(() => readSync(this.fd, into, at, into.length - at, this.position))
    this.position += count
    return count
  }

  seek(position: number): void {
    this.position = position
  }

  closeSync(): void {
    inWords(() => closeSync(this.fd))
  }
}

class NodeWritableFile implements WritableFile {
  private readonly fd: number

  constructor(fd: number) {
    this.fd = fd
  }

  writeSync(bytes: Uint8Array, length: number, position: number): void {
    inWords(() => {
      for (let written = 0; written < length; ) {
        written += writeSync(this.fd, bytes, written, length - written, position + written)
      }
    })
  }

  async write(bytes: Uint8Array, length: number, position: number): Promise<void> {
    await inWordsLater(async () => {
      for (let written = 0; written < length; ) {
        written += await this.writePart(bytes, written, length - written, position + written)
      }
    })
  }

  syncSync(): void {
    inWords(() => fdatasyncSync(this.fd))
  }

  async sync(): Promise<void> {
    await inWordsLater(() => syncLater(this.fd))
  }

  closeSync(): void {
    inWords(() => closeSync(this.fd))
  }

  async close(): Promise<void> {
    await inWordsLater(() => closeLater(this.fd))
  }

  private writePart(bytes: Uint8Array, start: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.fd, bytes, start, length, position, (error, written) => {
        if (error === null) resolve(written)
        else reject(error)
      })
    })
  }
}

class NodeAppendFile implements AppendFile {
  readonly sizeBytes: number
  private readonly fd: number

  constructor(fd: number) {
    this.fd = fd
    try {
      this.sizeBytes = fstatSync(fd).size
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  appendSync(bytes: Uint8Array, start: number, end: number, position: number): number {
    let at = start
    try {
      while (at < end) at += writeSync(this.fd, bytes, at, end - at, position + at - start)
    } catch (error) {
      if (at === start) throw fileError(error)
    }
    return at - start
  }

  truncateSync(sizeBytes: number): void {
    inWords(() => ftruncateSync(this.fd, sizeBytes))
  }

  syncSync(): void {
    inWords(() => fdatasyncSync(this.fd))
  }

  async sync(): Promise<void> {
    await inWordsLater(() => syncLater(this.fd))
  }

  closeSync(): void {
    inWords(() => closeSync(this.fd))
  }

  async close(): Promise<void> {
    await inWordsLater(() => closeLater(this.fd))
  }
}

/** The old file is kept open over the renaming: its blocks are then freed when a thread in the background closes it. */
function replace(from: string, to: string): void {
  let old = -1
  if (CAN_REPLACE_OPEN_FILES) {
    try {
      // Never wait for the other end of a pipe.
      old = openSync(to, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch {
      // There is none, or it cannot be read: it is replaced all the same.
    }
  }
  try {
    renameSync(from, to)
  } finally {
    if (old >= 0) close(old, () => {})
  }
}

function inWords<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw fileError(error)
  }
}

async function inWordsLater<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw fileError(error)
  }
}

function fileError(error: unknown): FileError {
  return error instanceof FileError ? error : new FileError(systemErrorCode(error), systemErrorText(error))
}
