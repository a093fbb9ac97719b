/**
 * The folder of the append-only files: its manifest on the disk, and the files that the manifest names.
 *
 * A manifest is replaced as a whole, and what it names is on the disk before it is: after a loss of power there is either the old
 * one or the new one, and all of its files. Log lines are Redis's (aof.c).
 */
import type { LogLevel } from '../../engine/engine.ts'
import { PersistenceError } from '../errors.ts'
import { FileError, type FileSystem, type FilesClaim } from '../file-system.ts'
import type { PersistenceSettings } from '../settings.ts'
import { AofManifest, ManifestError } from './manifest.ts'

export interface AofFolderHost {
  readonly settings: PersistenceSettings
  readonly fileSystem: FileSystem
  log(level: LogLevel, message: string): void
}

export class AofFolder {
  manifest = new AofManifest()
  private readonly host: AofFolderHost
  private claim: FilesClaim | null = null
  private claimedPath = ''

  constructor(host: AofFolderHost) {
    this.host = host
  }

  get path(): string {
    const { dir, appendFolder } = this.host.settings
    return `${dir}/${appendFolder}`
  }

  pathOf(name: string): string {
    return `${this.path}/${name}`
  }

  get manifestName(): string {
    return `${this.host.settings.appendFileName}.manifest`
  }

  /** Increments are gathered here until the first rewrite after AOF was switched on has ended. */
  get tempIncrementName(): string {
    return `temp-${this.host.settings.appendFileName}.incr`
  }

  /** Reads the manifest that is there, if there is one. Throws a PersistenceError when everything is said in the log. */
  load(): void {
    const { fileSystem, log, settings } = this.host
    this.manifest = new AofManifest()
    if (fileSystem.kindOf(this.path) !== 'folder') {
      log('debug', `The AOF directory ${settings.appendFolder} doesn't exist`)
      return
    }
    const path = this.pathOf(this.manifestName)
    if (fileSystem.kindOf(path) === null) {
      log('debug', `The AOF manifest file ${this.manifestName} doesn't exist`)
      return
    }
    this.manifest = readManifest(path, fileSystem, log)
  }

  /** Makes the folder if it is not there. Throws a FileError. */
  create(): void {
    const { fileSystem, settings } = this.host
    const kind = fileSystem.kindOf(this.path)
    if (kind === 'folder') return
    if (kind !== null) throw new FileError('ENOTDIR', 'Not a directory')
    fileSystem.makeFolderSync(this.path)
    fileSystem.syncFolderSync(settings.dir)
  }

  /** Keeps other servers from using these files as long as this one does. False: one does already, which is logged. */
  tryClaim(): boolean {
    if (this.claim !== null && this.claimedPath === this.path) return true
    this.unclaim()
    const { fileSystem, settings, log } = this.host
    this.claim = fileSystem.claimFiles(this.path, settings.appendFileName)
    this.claimedPath = this.path
    if (this.claim !== null) return true
    log(
      'warning',
      `The append-only files ${settings.appendFileName} in ${this.path} are in use by another server. Each needs its own dir, appenddirname or appendfilename.`,
    )
    return false
  }

  /** Others may use the files. */
  unclaim(): void {
    this.claim?.release()
    this.claim = null
  }

  /** As `create`, and claims the files; what is wrong is logged. */
  tryCreate(): boolean {
    try {
      this.create()
      return this.tryClaim()
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      const { settings, log } = this.host
      log('warning', `Can't open or create append-only dir ${settings.appendFolder}: ${error.message}`)
      return false
    }
  }

  /** Puts a manifest in the place of the one on the disk, and uses it. False: it failed, which is logged. */
  persist(manifest: AofManifest): boolean {
    if (manifest.isDirty && !this.write(manifest.format())) return false
    manifest.isDirty = false
    this.manifest = manifest
    return true
  }

  /** Removes files that are history, unless they are to be kept. */
  removeHistory(): void {
    const { settings, log } = this.host
    const { manifest } = this
    if (settings.keepsHistory || manifest.history.length === 0) return
    for (const { name } of manifest.history) {
      log('notice', `Removing the history file ${name} in the background`)
      this.remove(this.pathOf(name))
    }
    const cleaned = manifest.copy()
    cleaned.history = []
    cleaned.isDirty = true
    this.persist(cleaned)
  }

  removeTempIncrement(): void {
    const { log, fileSystem } = this.host
    log('notice', `Removing the temp incr aof file ${this.tempIncrementName} in the background`)
    try {
      // The name is soon used again.
      fileSystem.removeSync(this.pathOf(this.tempIncrementName))
    } catch (error) {
      if (!(error instanceof FileError)) throw error
    }
  }

  /** Removes a file when there is time. */
  remove(path: string): void {
    // A file that stays does no harm.
    this.host.fileSystem.remove(path).catch(() => {})
  }

  /**
   * Takes over a file of the time before there were manifests: it becomes the base. Throws a PersistenceError when
   * everything is said in the log.
   */
  upgrade(): void {
    const { fileSystem, settings, log } = this.host
    const { appendFileName, dir } = settings
    const old = `${dir}/${appendFileName}`
    if (fileSystem.kindOf(old) !== 'file') return
    const { manifest } = this
    const target = this.pathOf(appendFileName)
    const isHalfDone =
      manifest.base !== null &&
      manifest.increments.length === 0 &&
      manifest.base.name === appendFileName &&
      fileSystem.kindOf(target) === null
    if (fileSystem.kindOf(this.path) === 'folder' && !manifest.isEmpty && !isHalfDone) return
    if (!this.tryCreate()) throw new PersistenceError('AOF_FOLDER', -1, "can't create the append-only folder")
    const upgraded = manifest.copy()
    upgraded.base = { name: appendFileName, seq: 1, type: 'b' }
    upgraded.baseSeq = 1
    upgraded.isDirty = true
    if (!this.persist(upgraded)) throw new PersistenceError('AOF_MANIFEST', -1, "can't write the AOF manifest")
    try {
      fileSystem.replaceSync(old, target)
      fileSystem.syncFolderSync(this.path)
      fileSystem.syncFolderSync(dir)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      const message = `Error trying to move the old AOF file ${appendFileName} into dir ${settings.appendFolder}: ${error.message}`
      log('warning', message)
      throw new PersistenceError(error.code, -1, message)
    }
    log(
      'notice',
      `Successfully migrated an old-style AOF file (${appendFileName}) into the AOF directory (${settings.appendFolder}).`,
    )
  }

  private write(content: Uint8Array): boolean {
    const { fileSystem, log } = this.host
    const name = this.manifestName
    const tempName = `temp-${name}`
    const temp = this.pathOf(tempName)
    let doing = `Can't open the AOF manifest file ${tempName}: `
    let ending = ''
    try {
      const file = fileSystem.create(temp)
      try {
        doing = `Error trying to write the temporary AOF manifest file ${tempName}: `
        file.writeSync(content, content.length, 0)
        doing = `Fail to fsync the temp AOF file ${tempName}: `
        ending = '.'
        file.syncSync()
      } finally {
        file.closeSync()
      }
      doing = `Fail to fsync AOF directory ${this.pathOf(name)}: `
      // What it names has its place before it has its own.
      fileSystem.syncFolderSync(this.path)
      doing = `Error trying to rename the temporary AOF manifest file ${tempName} into ${name}: `
      ending = ''
      fileSystem.replaceSync(temp, this.pathOf(name))
      doing = `Fail to fsync AOF directory ${this.pathOf(name)}: `
      ending = '.'
      fileSystem.syncFolderSync(this.path)
      return true
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      log('warning', `${doing}${error.message}${ending}`)
      return false
    }
  }
}

/** A manifest file. Throws a PersistenceError when everything is said in the log. */
export function readManifest(
  path: string,
  fileSystem: FileSystem,
  log: (level: LogLevel, message: string) => void,
): AofManifest {
  let content: Uint8Array
  try {
    content = readWhole(path, fileSystem)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    const message = `Fatal error: can't open the AOF manifest file ${path} for reading: ${error.message}`
    log('warning', message)
    throw new PersistenceError(error.code, -1, message)
  }
  try {
    return AofManifest.parse(content)
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error
    log('warning', '\n*** FATAL AOF MANIFEST FILE ERROR ***\n')
    if (error.line !== null) {
      log('warning', `Reading the manifest file, at line ${error.lineNumber}\n`)
      log('warning', `>>> '${error.line}'\n`)
    }
    log('warning', `${error.message}\n`)
    throw new PersistenceError('AOF_MANIFEST', -1, error.message)
  }
}

function readWhole(path: string, fileSystem: FileSystem): Uint8Array {
  const file = fileSystem.openForReading(path)
  try {
    const content = new Uint8Array(file.sizeBytes)
    let length = 0
    while (length < content.length) {
      const count = file.readSync(content, length)
      if (count === 0) break
      length += count
    }
    return content.subarray(0, length)
  } finally {
    file.closeSync()
  }
}
