/** Where the append-only files stand, as INFO shows it. Times are Unix seconds; -1 stands for none. */
export class AofState {
  rewriteIsScheduled = false
  rewriteStartSeconds = -1
  lastRewriteSeconds = -1
  lastRewriteFailed = false
  rewrites = 0
  consecutiveFailures = 0
  lastCowBytes = 0
  /** Sizes of base and increments, and what they were when the last rewrite ended. */
  currentBytes = 0
  baseBytes = 0
  /** How often a write could not wait for an fsync. */
  delayedFsyncs = 0
  /** Of the last write and the last fsync: what went wrong. */
  writeError: string | null = null
  fsyncError: string | null = null

  resetStatistics(): void {
    this.rewrites = 0
    this.delayedFsyncs = 0
  }
}
