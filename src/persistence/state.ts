/**
 * Where saving and loading stand: what INFO persistence shows and save points go by. Times are Unix seconds; -1 stands
 * for none.
 */
export class PersistenceState {
  /** Of the last success. A server that starts counts as saved. */
  lastSaveSeconds: number
  lastSaveFailed = false
  /** When a save in the background was last tried. */
  lastTrySeconds = 0
  lastSaveDurationSeconds = -1
  saveStartSeconds = -1
  isSaving = false
  /** BGSAVE is to begin as soon as it can. */
  isScheduled = false
  saves = 0
  /** Bytes of entries written out early because clients changed them: what copy-on-write is to a fork. */
  lastCowBytes = 0
  currentCowBytes = 0
  currentCowPeakBytes = 0
  currentKeysDone = 0
  currentKeysTotal = 0

  isLoading = false
  /** The data of a master is being loaded beside the data that clients see. */
  isAsyncLoading = false
  loadingStartSeconds = 0
  loadingTotalBytes = 0
  loadingLoadedBytes = 0
  loadingUsedMemory = 0
  lastLoadKeysExpired = 0
  lastLoadKeysLoaded = 0

  constructor(nowSeconds: number) {
    this.lastSaveSeconds = nowSeconds
  }
}
