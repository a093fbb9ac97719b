/**
 * One save while clients are served: walks the data in steps, writes a temporary file, and puts it in the place of the
 * old one when it is whole and on the disk.
 *
 *   walk -> BackgroundFile -> fsync, close -> rename -> fsync of the folder -> onEnd
 *
 * Until the file has its name the save can be discarded and leaves nothing behind; from then on it has as good as succeeded.
 */
import type { LogLevel } from '../engine/engine.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import { BackgroundFile, BUFFER_BYTES } from './background-file.ts'
import { FileError, type FileSystem, type WritableFile } from './file-system.ts'
import type { DatasetInfo } from './rdb/dataset-writer.ts'
import { SnapshotWalk, type WalkOptions } from './rdb/snapshot-walk.ts'
import type { RdbCodecs } from './rdb/type-codec.ts'

/** A file and where it comes from, as the log speaks of them: names without the folder. */
export interface SavePlace {
  readonly dir: string
  readonly fileName: string
  readonly tempName: string
}

export interface SaveParts {
  readonly keyspace: Keyspace
  readonly codecs: RdbCodecs
  readonly fileSystem: FileSystem
  readonly info: DatasetInfo
  readonly walk: WalkOptions
  readonly incrementalSync: boolean
  log(level: LogLevel, message: string): void
}

export interface SaveEvents {
  /** There is work for `step` again. */
  onWork(): void
  /** The data has gone: the save cannot end. */
  onAbandon(): void
  /** It is over. What went wrong is logged. */
  onEnd(succeeded: boolean): void
}

/** What `step` answers if there is nothing to do before `onWork`. */
export const IDLE = -1

export function pathOf(place: SavePlace, name: string): string {
  return `${place.dir}/${name}`
}

/** The temporary file; null, with a line in the log, if it cannot be made. */
export function createTempFile(parts: Pick<SaveParts, 'fileSystem' | 'log'>, place: SavePlace): WritableFile | null {
  try {
    return parts.fileSystem.create(pathOf(place, place.tempName))
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    parts.log(
      'warning',
      `Failed opening the temp RDB file ${place.tempName} (in server root dir ${place.dir}) for saving: ${error.message}`,
    )
    return null
  }
}

export function renameFailure(place: SavePlace, error: FileError): string {
  return `Error moving temp DB file ${place.tempName} on the final destination ${place.fileName} (in server root dir ${place.dir}): ${error.message}`
}

export function writeFailure(operation: string, error: FileError): string {
  return `Write error saving DB on disk(${operation}): ${error.message}`
}

export class BackgroundSave {
  readonly walk: SnapshotWalk
  private readonly parts: SaveParts
  private readonly place: SavePlace
  private readonly events: SaveEvents
  private readonly file: BackgroundFile
  private isWalked = false
  /** The file is in its place. */
  private isPlaced = false
  private isOver = false

  /** The data is saved as it is now. */
  constructor(parts: SaveParts, place: SavePlace, file: WritableFile, events: SaveEvents) {
    this.parts = parts
    this.place = place
    this.events = events
    this.file = new BackgroundFile(file, parts.incrementalSync, {
      onProgress: () => this.events.onWork(),
      onEnd: (error, operation) => void this.fileEnded(error, operation),
    })
    this.walk = new SnapshotWalk(
      parts.keyspace,
      parts.codecs,
      this.file,
      new Uint8Array(BUFFER_BYTES),
      parts.info,
      parts.walk,
      () => events.onAbandon(),
    )
  }

  /** Does about `budgetUs` of the work. Returns after how many milliseconds to come back (0: soon), or IDLE. */
  step(budgetUs: number): number {
    if (this.isWalked || this.isOver || this.file.isBehind) return IDLE
    if (this.walk.step(budgetUs)) {
      this.isWalked = true
      this.file.end()
      return IDLE
    }
    return this.walk.takeDelayMs()
  }

  /** Ends the save without success, unless the file is in its place already. Returns whether it did. */
  discard(): boolean {
    if (this.isPlaced || this.isOver) return false
    this.isOver = true
    this.walk.stop()
    this.file.discard()
    this.removeTempFile()
    return true
  }

  removeTempFile(): void {
    try {
      this.parts.fileSystem.removeSync(pathOf(this.place, this.place.tempName))
    } catch (error) {
      // The save has ended one way or another; a file that stays is no reason for more.
      if (!(error instanceof FileError)) throw error
    }
  }

  /** Never rejects. */
  private async fileEnded(error: FileError | null, operation: string): Promise<void> {
    if (this.isOver) return
    if (error !== null) {
      this.fail(writeFailure(operation, error))
      return
    }
    const { fileSystem, log } = this.parts
    const { place } = this
    try {
      fileSystem.replaceSync(pathOf(place, place.tempName), pathOf(place, place.fileName))
      this.isPlaced = true
    } catch (renameError) {
      this.fail(renameFailure(place, asFileError(renameError)))
      return
    }
    try {
      await fileSystem.syncFolder(place.dir)
    } catch (syncError) {
      this.fail(writeFailure('fsyncFileDir', asFileError(syncError)))
      return
    }
    log('notice', 'DB saved on disk')
    this.isOver = true
    this.events.onEnd(true)
  }

  private fail(message: string): void {
    this.parts.log('warning', message)
    this.isOver = true
    this.walk.stop()
    this.removeTempFile()
    this.events.onEnd(false)
  }
}

function asFileError(error: unknown): FileError {
  return error instanceof FileError ? error : new FileError('', String(error))
}
