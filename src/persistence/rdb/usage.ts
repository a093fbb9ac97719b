/**
 * How recently or frequently a key was used, as files and RESTORE say it: whole seconds without use, or the LFU counter.
 * Figures as Redis's objectSetLRUOrLFU.
 */
import type { Keyspace } from '../../keyspace/keyspace.ts'
import { lfuWithCounter } from '../../keyspace/lfu.ts'
import { lruWithIdle } from '../../keyspace/lru.ts'

/** What maxmemory-policy keeps of a key's use. */
export type KeyUsage = 'none' | 'lru' | 'lfu'

/** The entry's 24 bits for what was said, or -1 if it does not matter under this policy. Below 0 stands for not said. */
export function usageField(keyspace: Keyspace, usage: KeyUsage, idle: number, frequency: number): number {
  if (usage === 'lfu') return frequency >= 0 ? lfuWithCounter(frequency, keyspace) : -1
  if (idle < 0) return -1
  return lruWithIdle(idle, keyspace)
}
