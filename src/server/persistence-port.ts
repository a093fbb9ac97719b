/** What the server asks of persistence: facts for INFO, saving at shutdown, DEBUG RELOAD. */
import type { Db } from '../keyspace/db.ts'
import type { Ref } from '../memory/arena.ts'
import type { ErrorReply } from '../resp/errors.ts'

/** Times are Unix seconds or seconds; -1 stands for none. */
export interface PersistenceFacts {
  readonly isLoading: boolean
  readonly loadingStartSeconds: number
  readonly loadingTotalBytes: number
  readonly loadingLoadedBytes: number
  readonly loadingUsedMemory: number
  readonly isSaving: boolean
  readonly lastSaveSeconds: number
  readonly lastSaveFailed: boolean
  readonly lastSaveDurationSeconds: number
  readonly saveStartSeconds: number
  readonly saves: number
  readonly lastCowBytes: number
  readonly currentCowBytes: number
  readonly currentCowPeakBytes: number
  readonly currentKeysDone: number
  readonly currentKeysTotal: number
  readonly lastLoadKeysExpired: number
  readonly lastLoadKeysLoaded: number
}

export interface ReloadOptions {
  /** Write the file first. */
  readonly save: boolean
  /** Empty the databases before loading. */
  readonly flush: boolean
  /** Keys that are there already are replaced. */
  readonly merge: boolean
}

export interface PersistencePort {
  readonly state: PersistenceFacts
  /** The final save, in steps. Resolves to whether it succeeded; what went wrong is logged. */
  saveInSteps(): Promise<boolean>
  /** Ends a save in the background, as if its process were killed. */
  endBackgroundSave(): void
  /** Removes files of a save that will not end. */
  discardTemporaryFiles(): void
  /** DEBUG RELOAD: null, or the error for the client. */
  reload(options: ReloadOptions): ErrorReply | null
  /** Bytes of a value in an RDB file. */
  serializedLength(db: Db, entry: Ref): number
}
