/**
 * maxmemory: before commands, and in turns of its own while more is to be freed than one command should wait for, keys are
 * given up until memory is within the limit. Rules, order and figures are Redis's (performEvictions in evict.c).
 *
 * Not counted is what grows because of eviction itself, or else it would never end: output of replicas, and what the
 * append-only file has yet to write (`Engine.buffers`).
 */
import { Argv } from '../base/argv.ts'
import { NO_KEY } from '../keyspace/entry.ts'
import { type EvictionOrder, EvictionPool } from '../keyspace/eviction-pool.ts'
import type { Engine } from './engine.ts'
import { GATE_LOADING } from './gates.ts'
import { NOTIFY_EVICTED } from './notifications.ts'

export type EvictionPolicy =
  | 'noeviction'
  | 'allkeys-lru'
  | 'allkeys-lfu'
  | 'allkeys-random'
  | 'volatile-lru'
  | 'volatile-lfu'
  | 'volatile-random'
  | 'volatile-ttl'

/** Memory is within its limit, or there is nothing that asks for more. */
export const EVICT_OK = 0
/** More is to be freed, in turns. */
export const EVICT_RUNNING = 1
/** Nothing is left that may be freed. */
export const EVICT_FAIL = 2
export type EvictionResult = typeof EVICT_OK | typeof EVICT_RUNNING | typeof EVICT_FAIL

/** Keys removed between two looks at the clock. */
const KEYS_PER_LOOK = 16
/** maxmemory-eviction-tenacity: up to 10 a linear share of this, above it 15 % more with each step, at 100 without end. */
const LINEAR_TENACITY_MAX = 10
const LINEAR_LIMIT_US = 500
const LIMIT_GROWTH = 1.15

export class Eviction {
  policy: EvictionPolicy = 'noeviction'
  /** maxmemory-samples. */
  samples = 5
  /** maxmemory-eviction-tenacity. */
  tenacity = 10
  /** lazyfree-lazy-eviction. */
  isLazy = false
  /** A replica whose data is its master's business. */
  isOthersBusiness = false
  evictedKeys = 0
  /** There is more to free than could be done at once: `goOn` is to be called soon. */
  onPending: (() => void) | null = null
  private readonly engine: Engine
  private readonly pool: EvictionPool
  private isPending = false
  /** Since when memory is above its limit and could not be brought below, monotonic microseconds; negative = it is not. */
  private exceededSinceUs = -1
  private exceededUs = 0

  constructor(engine: Engine) {
    this.engine = engine
    this.pool = new EvictionPool(engine.keyspace)
  }

  /** maxmemory-policy has changed, perhaps. */
  setPolicy(policy: EvictionPolicy): void {
    if (policy !== this.policy) this.pool.clear()
    this.policy = policy
  }

  /** How much must be freed; 0 while memory is within the limit. */
  excessBytes(): number {
    const { engine } = this
    const { maxmemoryBytes } = engine.settings
    if (maxmemoryBytes === 0) return 0
    const usedBytes = engine.usedMemoryBytes
    if (usedBytes <= maxmemoryBytes) return 0
    return Math.max(0, usedBytes - engine.uncountedMemoryBytes - maxmemoryBytes)
  }

  /** Frees what is too much, for a bounded time. */
  perform(): EvictionResult {
    // While data is loaded, or stands still for a pause, nothing is removed.
    const { gate, pause } = this.engine
    if ((gate & GATE_LOADING) !== 0 || pause.isPaused || this.isOthersBusiness) return EVICT_OK
    const result = this.excessBytes() === 0 ? EVICT_OK : this.policy === 'noeviction' ? EVICT_FAIL : this.evict()
    this.note(result)
    return result
  }

  /** The turn that `onPending` asked for. Returns whether there is more to do. */
  goOn(): boolean {
    this.isPending = false
    return this.perform() === EVICT_RUNNING
  }

  /** Begins to free in turns, after the limit was made smaller. */
  start(): void {
    if (this.isPending) return
    this.isPending = true
    this.onPending?.()
  }

  /** total_eviction_exceeded_time and current_eviction_exceeded_time, milliseconds. */
  get exceededMs(): { total: number; current: number } {
    const currentUs = this.exceededSinceUs < 0 ? 0 : this.engine.clock.monotonicUs - this.exceededSinceUs
    return { total: Math.floor((this.exceededUs + currentUs) / 1000), current: Math.floor(currentUs / 1000) }
  }

  resetStatistics(): void {
    this.evictedKeys = 0
    this.exceededSinceUs = -1
    this.exceededUs = 0
  }

  private evict(): EvictionResult {
    const { engine, policy } = this
    const { clock, keyspace, latency } = engine
    const { lazyFree } = keyspace
    clock.refresh()
    keyspace.updateLruClock()
    const startUs = clock.monotonicUs
    const stopUs = startUs + timeLimitUs(this.tenacity)
    const onlyVolatile = policy.startsWith('volatile')
    const order = policy.slice(policy.indexOf('-') + 1) as EvictionOrder
    let result: EvictionResult = EVICT_OK
    for (let keys = 1; this.excessBytes() > 0; keys++) {
      if (!lazyFree.isIdle) {
        // What is gone already comes first: its memory returns in steps.
        lazyFree.step(Math.max(0, stopUs - clock.monotonicUs))
        if (clock.monotonicUs < stopUs) continue
        result = EVICT_RUNNING
        break
      }
      const entry = this.pool.next(order, onlyVolatile, this.samples)
      if (entry === NO_KEY) {
        result = EVICT_FAIL
        break
      }
      this.remove(this.pool.dbIndex, entry)
      if (keys % KEYS_PER_LOOK !== 0) continue
      clock.refresh()
      if (clock.monotonicUs > stopUs) {
        if (this.excessBytes() > 0) result = EVICT_RUNNING
        break
      }
    }
    if (result === EVICT_RUNNING) this.start()
    clock.refresh()
    latency.sample('eviction-cycle', (clock.monotonicUs - startUs) / 1000)
    return result
  }

  private remove(dbIndex: number, entry: number): void {
    const { engine, isLazy } = this
    const { keyspace, effects, latency } = engine
    const db = keyspace.databases[dbIndex]!
    const key = db.keyBytes(entry)
    const isTimed = engine.settings.latencyMonitorMs > 0
    if (isTimed) engine.clock.refresh()
    const startUs = engine.clock.monotonicUs
    db.remove(entry, isLazy)
    if (isTimed) {
      engine.clock.refresh()
      latency.sample('eviction-del', (engine.clock.monotonicUs - startUs) / 1000)
    }
    this.evictedKeys++
    if (!engine.watch.isEmpty) engine.watch.touch(db, key, 0, key.length)
    if (engine.settings.notifyFlags & NOTIFY_EVICTED) {
      engine.notify(NOTIFY_EVICTED, 'evicted', db, key, 0, key.length)
    }
    if (!effects.isActive) return
    effects.add(dbIndex, Argv.of([isLazy ? 'UNLINK' : 'DEL', key]))
    effects.flush(false)
  }

  private note(result: EvictionResult): void {
    const { monotonicUs } = this.engine.clock
    if (result !== EVICT_OK) {
      if (this.exceededSinceUs < 0) this.exceededSinceUs = monotonicUs
    } else if (this.exceededSinceUs >= 0) {
      this.exceededUs += monotonicUs - this.exceededSinceUs
      this.exceededSinceUs = -1
    }
  }
}

function timeLimitUs(tenacity: number): number {
  if (tenacity <= LINEAR_TENACITY_MAX) return (LINEAR_LIMIT_US / LINEAR_TENACITY_MAX) * tenacity
  if (tenacity < 100) return LINEAR_LIMIT_US * LIMIT_GROWTH ** (tenacity - LINEAR_TENACITY_MAX)
  return Number.POSITIVE_INFINITY
}
