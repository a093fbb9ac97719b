/**
 * How recently or frequently a key was used, as files and RESTORE say it: whole seconds without use, or the LFU counter.
 * Figures as Redis's objectSetLRUOrLFU.
 */
import { LRU_MASK } from '../../keyspace/entry.ts'
import { type Keyspace, LRU_CLOCK_RESOLUTION_MS } from '../../keyspace/keyspace.ts'
import { lfuWithCounter } from '../../keyspace/lfu.ts'

/** What maxmemory-policy keeps of a key's use. */
export type KeyUsage = 'none' | 'lru' | 'lfu'

/** The entry's 24 bits for what was said, or -1 if it does not matter under this policy. Below 0 stands for not said. */
export function usageField(keyspace: Keyspace, usage: KeyUsage, idle: number, frequency: number): number {
  if (usage === 'lfu') return frequency >= 0 ? lfuWithCounter(frequency, keyspace) : -1
  if (idle < 0) return -1
  const moment = lruNow(keyspace) - Math.floor((idle * 1000) / LRU_CLOCK_RESOLUTION_MS)
  return (moment < 0 ? moment + LRU_MASK : moment) & LRU_MASK
}

/** Whole seconds since an entry with this LRU field was used. */
export function idleSeconds(lru: number, keyspace: Keyspace): number {
  const now = lruNow(keyspace)
  const ticks = now >= lru ? now - lru : now + LRU_MASK - lru
  return Math.floor((ticks * LRU_CLOCK_RESOLUTION_MS) / 1000)
}

function lruNow(keyspace: Keyspace): number {
  return Math.floor(keyspace.clock.nowMs / LRU_CLOCK_RESOLUTION_MS) & LRU_MASK
}
