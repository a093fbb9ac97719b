/**
 * The latency monitor: events that took longer than latency-monitor-threshold, one sample per second and event, the
 * last 160 of each. Source: Redis documentation, "Redis latency monitoring".
 */
import type { Clock } from '../base/clock.ts'
import type { EngineSettings } from './settings.ts'

/** LATENCY_TS_LEN. */
const SAMPLES_MAX = 160

export interface LatencySample {
  timeSeconds: number
  latencyMs: number
}

export interface LatencySeries {
  /** Oldest first. */
  readonly samples: LatencySample[]
  maxMs: number
}

export class LatencyMonitor {
  readonly events = new Map<string, LatencySeries>()
  private readonly settings: EngineSettings
  private readonly clock: Clock

  constructor(settings: EngineSettings, clock: Clock) {
    this.settings = settings
    this.clock = clock
  }

  /** Records an event if it is long enough to matter. */
  sample(event: string, durationMs: number): void {
    const { latencyMonitorMs } = this.settings
    const latencyMs = Math.floor(durationMs)
    if (latencyMonitorMs <= 0 || latencyMs < latencyMonitorMs) return
    let series = this.events.get(event)
    if (series === undefined) this.events.set(event, (series = { samples: [], maxMs: 0 }))
    if (latencyMs > series.maxMs) series.maxMs = latencyMs
    const timeSeconds = Math.floor(this.clock.nowMs / 1000)
    const last = series.samples.at(-1)
    if (last !== undefined && last.timeSeconds === timeSeconds) {
      if (latencyMs > last.latencyMs) last.latencyMs = latencyMs
      return
    }
    series.samples.push({ timeSeconds, latencyMs })
    if (series.samples.length > SAMPLES_MAX) series.samples.shift()
  }

  /** Forgets events by name, in any case; all when none is given. Returns how many were forgotten. */
  reset(names: readonly string[]): number {
    const { events } = this
    const { size } = events
    if (names.length === 0) events.clear()
    const wanted = new Set(names.map((name) => name.toLowerCase()))
    for (const event of [...events.keys()]) if (wanted.has(event.toLowerCase())) events.delete(event)
    return size - events.size
  }
}
