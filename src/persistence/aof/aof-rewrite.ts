/**
 * One rewrite: the data as it is at the start, written to a temporary file while clients go on. What becomes of the file then
 * is append-only.ts's business.
 */
import { BackgroundFile, BUFFER_BYTES } from '../background-file.ts'
import { IDLE, type SaveEvents, type SaveParts } from '../background-save.ts'
import { FileError, type FileSystem, type WritableFile } from '../file-system.ts'
import type { Persistence, SaveJob } from '../persistence.ts'
import { SnapshotWalk } from '../rdb/snapshot-walk.ts'

export class AofRewrite implements SaveJob {
  readonly walk: SnapshotWalk
  readonly tempName: string
  readonly tempPath: string
  readonly isRdb: boolean
  private readonly file: BackgroundFile
  private readonly fileSystem: FileSystem
  private readonly persistence: Persistence
  private isWalked = false
  private isOver = false

  /** `onEnd`: whether the file is whole and on the disk; null if the data went while it was written. */
  static start(
    persistence: Persistence,
    fileSystem: FileSystem,
    onEnd: (succeeded: boolean | null) => void,
  ): AofRewrite | null {
    const { dir, pid, tempSuffix } = persistence.settings
    const tempName = `temp-rewriteaof-bg-${pid}${tempSuffix}.aof`
    const tempPath = `${dir}/${tempName}`
    let file: WritableFile
    try {
      file = fileSystem.create(tempPath)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      persistence.engine.log(
        'warning',
        `Opening the temp file for AOF rewrite in rewriteAppendOnlyFile(): ${error.message}`,
      )
      return null
    }
    let rewrite: AofRewrite | null = null
    persistence.startRewrite((parts, events) => {
      rewrite = new AofRewrite(persistence, fileSystem, file, tempName, tempPath, parts, events)
      return rewrite
    }, onEnd)
    return rewrite
  }

  private constructor(
    persistence: Persistence,
    fileSystem: FileSystem,
    file: WritableFile,
    tempName: string,
    tempPath: string,
    parts: SaveParts,
    events: SaveEvents,
  ) {
    this.persistence = persistence
    this.fileSystem = fileSystem
    this.tempName = tempName
    this.tempPath = tempPath
    this.isRdb = persistence.settings.usesRdbBase
    this.file = new BackgroundFile(file, persistence.settings.incrementalRewriteSync, {
      onProgress: () => events.onWork(),
      onEnd: (error) => this.ended(error, events),
    })
    const nowSeconds = Math.floor(parts.info.nowMs / 1000)
    this.walk = new SnapshotWalk(
      parts.keyspace,
      parts.codecs,
      this.file,
      new Uint8Array(BUFFER_BYTES),
      { ...parts.info, isAofBase: true },
      this.isRdb
        ? parts.walk
        : { ...parts.walk, commands: { timestampSeconds: persistence.settings.timestamps ? nowSeconds : -1 } },
      () => events.onAbandon(),
    )
  }

  get cowBytes(): number {
    return this.walk.cowBytes
  }

  step(budgetUs: number): number {
    if (this.isWalked || this.isOver || this.file.isBehind) return IDLE
    if (this.walk.step(budgetUs)) {
      this.isWalked = true
      this.file.end()
      return IDLE
    }
    return this.walk.takeDelayMs()
  }

  discard(): boolean {
    if (this.isOver) return false
    this.isOver = true
    this.walk.stop()
    this.file.discard()
    this.removeTempFile()
    return true
  }

  /** Ends it from outside; nobody is told. */
  kill(): void {
    this.persistence.killSave()
  }

  /** At once, since the next rewrite uses the name again; the blocks of a file still open are freed when it is closed. */
  removeTempFile(): void {
    try {
      this.fileSystem.removeSync(this.tempPath)
    } catch (error) {
      // It has ended one way or another; a file that stays is no reason for more.
      if (!(error instanceof FileError)) throw error
    }
  }

  private ended(error: FileError | null, events: SaveEvents): void {
    if (this.isOver) return
    this.isOver = true
    if (error !== null) {
      this.persistence.engine.log('warning', `Write error writing append only file on disk: ${error.message}`)
      this.walk.stop()
      this.removeTempFile()
    } else {
      this.persistence.engine.log('notice', `Successfully created the temporary AOF base file ${this.tempName}`)
    }
    events.onEnd(error === null)
  }
}
