/**
 * The LRU field: the time of last use by Redis's LRU clock, which counts seconds in 24 bits and so begins anew every 194
 * days. Everything goes by the clock as it last was set (LRU_CLOCK() in Redis): with one that is read again for
 * each use, a field could lie after the clock that it is compared with.
 */
import { LRU_MASK } from './entry.ts'
import type { Keyspace } from './keyspace.ts'

const LRU_CLOCK_RESOLUTION_MS = 1000

export function lruClockAt(nowMs: number): number {
  return Math.floor(nowMs / LRU_CLOCK_RESOLUTION_MS) & LRU_MASK
}

/** Whole seconds since an entry with this field was used. When the clock has begun anew, one too few: as Redis counts them. */
export function lruIdleSeconds(lru: number, { lruClock }: Keyspace): number {
  return lruClock >= lru ? lruClock - lru : lruClock + LRU_MASK - lru
}

/** The field of a key that was last used so many seconds ago. */
export function lruWithIdle(idleSeconds: number, { lruClock }: Keyspace): number {
  const moment = lruClock - idleSeconds
  return (moment < 0 ? moment + LRU_MASK : moment) & LRU_MASK
}
