/**
 * The LFU field: | minutes of the last decay : 16 | logarithmic counter : 8 |, Redis's own scheme and figures
 * (evict.c: a new key starts at 5, a counter decays by one per lfu-decay-time minutes, and grows with a chance of
 * 1 / ((counter - 5) * lfu-log-factor + 1)).
 */
import type { Keyspace } from './keyspace.ts'

const LFU_INITIAL = 5
const MINUTES_MASK = 0xffff

function minutesNow(keyspace: Keyspace): number {
  return Math.floor(keyspace.clock.nowMs / 60_000) & MINUTES_MASK
}

export function lfuInitial(keyspace: Keyspace): number {
  return (minutesNow(keyspace) << 8) | LFU_INITIAL
}

/** The counter as it stands now, decayed. */
export function lfuCounter(lru: number, keyspace: Keyspace): number {
  const counter = lru & 255
  if (keyspace.lfuDecayMinutes === 0) return counter
  const now = minutesNow(keyspace)
  const last = lru >>> 8
  // When the minutes have begun anew, one too few: as Redis counts them.
  const elapsedMinutes = now >= last ? now - last : MINUTES_MASK - last + now
  return Math.max(0, counter - Math.floor(elapsedMinutes / keyspace.lfuDecayMinutes))
}

/** The field of a key whose counter is known. */
export function lfuWithCounter(counter: number, keyspace: Keyspace): number {
  return (minutesNow(keyspace) << 8) | counter
}

export function lfuAfterAccess(lru: number, keyspace: Keyspace): number {
  let counter = lfuCounter(lru, keyspace)
  if (counter < 255) {
    const base = Math.max(0, counter - LFU_INITIAL)
    if (keyspace.random.float() < 1 / (base * keyspace.lfuLogFactor + 1)) counter++
  }
  return (minutesNow(keyspace) << 8) | counter
}
