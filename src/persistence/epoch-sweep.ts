/**
 * Brings all entries to the current epoch, in steps. Snapshots that did not end leave entries of several epochs behind, and
 * there are only four (see Keyspace.nextEpoch): after each of them this tidies up, long before a third one could follow.
 */
import type { Keyspace } from '../keyspace/keyspace.ts'

const BUCKETS_PER_STEP = 512

export class EpochSweep {
  private readonly keyspace: Keyspace
  private readonly epochBits: number
  private swaps: number
  private dbIndex = 0
  private cursor = 0

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
    this.epochBits = keyspace.epochBits
    this.swaps = keyspace.swaps
  }

  /** Whether a snapshot has begun since, which makes this one pointless. */
  get isOutdated(): boolean {
    return this.keyspace.epochBits !== this.epochBits || this.keyspace.snapshot !== null
  }

  /** Goes on a bit. True: all entries are of one epoch. */
  step(): boolean {
    const { keyspace } = this
    // Databases that changed places may have hidden keys from the sweep.
    if (keyspace.swaps !== this.swaps) {
      this.swaps = keyspace.swaps
      this.dbIndex = 0
      this.cursor = 0
    }
    const { table } = keyspace
    for (let buckets = 0; buckets < BUCKETS_PER_STEP; buckets++) {
      const db = keyspace.databases[this.dbIndex]
      if (db === undefined) {
        keyspace.settleEpochs()
        return true
      }
      this.cursor = db.gather(this.cursor)
      for (let i = 0; i < table.scannedCount; i++) db.claimForSnapshot(table.scanned[i]!)
      if (this.cursor === 0) this.dbIndex++
    }
    return false
  }

  /** All of it at once. */
  finish(): void {
    while (!this.step()) {
      // Each step does its part.
    }
  }
}
