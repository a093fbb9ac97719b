/**
 * A disk in memory that loses power: it knows what was on it for sure, and what was only on its way.
 *
 *   file:    | on the disk | writes and cuts since the last fsync ... |
 *   folder:  | on the disk | names made, changed and removed since its last fsync ... |
 *
 * `imageAfterCut` is a disk as it may be found after power comes back: of each file and each folder some of what was on its way,
 * from the oldest on, the last of it perhaps torn; nothing that was synced is missing. Calls that do not wait end when the test says
 * so, in any order.
 */
import type { Random } from '../../src/base/random.ts'
import {
  type AppendFile,
  FileError,
  type FileSystem,
  type FilesClaim,
  type ReadableFile,
  type WritableFile,
} from '../../src/persistence/file-system.ts'

type FileChange = { readonly position: number; readonly bytes: Uint8Array } | { readonly size: number }

class Inode {
  content: Uint8Array = new Uint8Array(0)
  durable: Uint8Array = new Uint8Array(0)
  pending: FileChange[] = []

  change(change: FileChange): void {
    this.content = applied(this.content, change)
    this.pending.push(change)
  }

  sync(): void {
    this.durable = this.content
    this.pending = []
  }

  afterCut(random: Random): Uint8Array {
    let content = this.durable
    const kept = random.below(this.pending.length + 1)
    for (const change of this.pending.slice(0, kept)) content = applied(content, change)
    const torn = this.pending[kept]
    if (torn !== undefined && 'bytes' in torn && random.below(2) === 0) {
      content = applied(content, { ...torn, bytes: torn.bytes.slice(0, random.below(torn.bytes.length + 1)) })
    }
    return content
  }
}

function applied(content: Uint8Array, change: FileChange): Uint8Array {
  if ('size' in change) return content.slice(0, change.size)
  const { position, bytes } = change
  const result = new Uint8Array(Math.max(content.length, position + bytes.length))
  result.set(content)
  result.set(bytes, position)
  return result
}

/** A name given to a file, or taken away. */
interface NameChange {
  readonly path: string
  readonly inode: Inode | null
  /** Another name that the file loses by that. */
  readonly from?: string
}

export class PowerCutFiles implements FileSystem {
  /** How often the disk was asked to do something. */
  operations = 0
  /** Told of each operation, before it happens. */
  onOperation: (() => void) | null = null
  private readonly names = new Map<string, Inode>()
  private readonly folders = new Set<string>(['/data'])
  private readonly durableNames = new Map<string, Inode>()
  private readonly durableFolders = new Set<string>(['/data'])
  private pendingNames: NameChange[] = []
  private readonly waiting: (() => void)[] = []
  private readonly random: Random

  constructor(random: Random) {
    this.random = random
  }

  /** A disk as it may be after a loss of power now. */
  imageAfterCut(): PowerCutFiles {
    const { random } = this
    const image = new PowerCutFiles(random)
    const names = new Map(this.durableNames)
    const byFolder = new Map<string, number>()
    // What a folder has on its way comes in order; folders know nothing of each other.
    for (const change of this.pendingNames) {
      const folder = folderOf(change.path)
      const left = byFolder.get(folder) ?? random.below(this.pendingNames.length + 1)
      byFolder.set(folder, left - 1)
      if (left > 0) applyName(names, change)
    }
    for (const folder of this.durableFolders) image.folders.add(folder)
    for (const folder of this.folders) if (random.below(2) === 0) image.folders.add(folder)
    for (const folder of image.folders) image.durableFolders.add(folder)
    const copies = new Map<Inode, Inode>()
    for (const [path, inode] of names) {
      if (!image.folders.has(folderOf(path))) continue
      let copy = copies.get(inode)
      if (copy === undefined) {
        copy = new Inode()
        copy.content = inode.afterCut(random)
        copy.durable = copy.content
        copies.set(inode, copy)
      }
      image.names.set(path, copy)
      image.durableNames.set(path, copy)
    }
    return image
  }

  /** Lets one of the calls that wait come to its end. False: there was none. */
  settleOne(): boolean {
    if (this.waiting.length === 0) return false
    this.waiting.splice(this.random.below(this.waiting.length), 1)[0]!()
    return true
  }

  get list(): string[] {
    return [...this.names].map(([path, { content }]) => `${path} ${content.length}`)
  }

  contentOf(path: string): Uint8Array | undefined {
    return this.names.get(path)?.content
  }

  openForReading(path: string): ReadableFile {
    const { content } = this.inodeOf(path)
    let at = 0
    return {
      sizeBytes: content.length,
      seek: (position) => {
        at = position
      },
      readSync: (into, offset) => {
        const count = Math.max(0, Math.min(into.length - offset, content.length - at))
        into.set(content.subarray(at, at + count), offset)
        at += count
        return count
      },
      closeSync() {},
    }
  }

  openForAppending(path: string): AppendFile {
    let inode = this.names.get(path)
    if (inode === undefined) {
      this.note()
      inode = new Inode()
      this.rename({ path, inode })
    }
    const file = inode
    return {
      sizeBytes: file.content.length,
      appendSync: (bytes, start, end, position) => {
        this.note()
        file.change({ position, bytes: bytes.slice(start, end) })
        return end - start
      },
      truncateSync: (size) => {
        this.note()
        file.change({ size })
      },
      ...this.ending(file),
    }
  }

  create(path: string): WritableFile {
    this.note()
    const file = this.names.get(path) ?? new Inode()
    if (this.names.has(path)) file.change({ size: 0 })
    else this.rename({ path, inode: file })
    const writeSync = (bytes: Uint8Array, length: number, position: number) => {
      this.note()
      file.change({ position, bytes: bytes.slice(0, length) })
    }
    return {
      writeSync,
      write: (bytes, length, position) => this.later(() => writeSync(bytes, length, position)),
      ...this.ending(file),
    }
  }

  kindOf(path: string): 'file' | 'folder' | null {
    return this.names.has(path) ? 'file' : this.folders.has(path) ? 'folder' : null
  }

  sizeOf(path: string): number {
    return this.inodeOf(path).content.length
  }

  listSync(path: string): string[] {
    return [...this.names.keys()].filter((name) => folderOf(name) === path).map((name) => name.slice(path.length + 1))
  }

  claimFiles(): FilesClaim {
    return { release() {} }
  }

  makeFolderSync(path: string): void {
    this.note()
    this.folders.add(path)
  }

  truncateSync(path: string, size: number): void {
    this.note()
    this.inodeOf(path).change({ size })
  }

  replaceSync(from: string, path: string): void {
    this.note()
    this.rename({ path, inode: this.inodeOf(from), from })
  }

  removeSync(path: string): void {
    this.note()
    if (this.names.has(path)) this.rename({ path, inode: null })
  }

  remove(path: string): Promise<void> {
    return this.later(() => this.removeSync(path))
  }

  syncFolderSync(path: string): void {
    this.note()
    for (const folder of this.folders) if (folderOf(folder) === path) this.durableFolders.add(folder)
    let left: NameChange[] = []
    for (const change of this.pendingNames) {
      if (folderOf(change.path) === path) {
        applyName(this.durableNames, change)
        // A file that has moved here is not to be found where it was made.
        left = left.filter(({ path: made, inode }) => made !== change.from || inode !== change.inode)
      } else left.push(change)
    }
    this.pendingNames = left
  }

  syncFolder(path: string): Promise<void> {
    return this.later(() => this.syncFolderSync(path))
  }

  pauseSync(): void {}

  private ending(file: Inode) {
    const syncSync = () => {
      this.note()
      file.sync()
    }
    return {
      syncSync,
      sync: () => this.later(syncSync),
      closeSync() {},
      close: () => this.later(() => {}),
    }
  }

  private rename(change: NameChange): void {
    applyName(this.names, change)
    this.pendingNames.push(change)
  }

  private inodeOf(path: string): Inode {
    const inode = this.names.get(path)
    if (inode === undefined) throw new FileError('ENOENT', 'No such file or directory')
    return inode
  }

  private later(action: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(() => {
        action()
        resolve()
      })
    })
  }

  private note(): void {
    this.operations++
    this.onOperation?.()
  }
}

function applyName(names: Map<string, Inode>, { path, inode, from }: NameChange): void {
  if (from !== undefined) names.delete(from)
  if (inode === null) names.delete(path)
  else names.set(path, inode)
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
