/**
 * How much memory a server uses, now and at its peak.
 *
 * "Used" is what grows with data and clients: the arena's blocks and the clients' buffers. The program itself (code, heap
 * of V8) shows in the resident set only, which Redis's fields then put down to fragmentation and overhead.
 */
import { memoryUsage } from 'node:process'
import type { Engine } from '../engine/engine.ts'
import { inputMemory, outputMemory } from '../engine/session-memory.ts'

/** Buffers of clients are remembered for as many seconds (CLIENTS_PEAK_MEM_USAGE_SLOTS). */
const RECENT_SECONDS = 8

export class MemoryMeter {
  /** Used when the server was ready, before it held data, and the resident set at that moment. */
  startupBytes = 0
  startupResidentBytes = 0
  peakBytes = 0
  private readonly engine: Engine
  private readonly recentInput = new Float64Array(RECENT_SECONDS)
  private readonly recentOutput = new Float64Array(RECENT_SECONDS)
  private recentSecond = 0

  constructor(engine: Engine) {
    this.engine = engine
  }

  get usedBytes(): number {
    return this.engine.usedMemoryBytes
  }

  /** Of all clients that are no replicas. */
  get clientsBytes(): number {
    return this.engine.clientMemory.totalBytes
  }

  /** Resident set of the process: of all servers in it. */
  residentBytes(): number {
    return memoryUsage.rss()
  }

  /** The server is ready and has no data yet. */
  markStartup(): void {
    this.startupBytes = this.usedBytes
    this.startupResidentBytes = this.residentBytes()
  }

  /** Notes a new peak. */
  updatePeak(): void {
    const { usedBytes } = this
    if (usedBytes > this.peakBytes) this.peakBytes = usedBytes
  }

  /** Adds up the clients' buffers and notes the largest of the second. */
  sampleClients(): void {
    const second = Math.floor(this.engine.clock.nowMs / 1000)
    const slot = second % RECENT_SECONDS
    // Seconds without a sample are over, too.
    for (let passed = Math.min(second - this.recentSecond, RECENT_SECONDS); passed > 0; passed--) {
      const stale = (slot - passed + 1 + RECENT_SECONDS) % RECENT_SECONDS
      this.recentInput[stale] = 0
      this.recentOutput[stale] = 0
    }
    this.recentSecond = second
    const { clientMemory, sessions } = this.engine
    for (const session of sessions.values()) {
      clientMemory.account(session)
      this.recentInput[slot] = Math.max(this.recentInput[slot]!, inputMemory(session))
      this.recentOutput[slot] = Math.max(this.recentOutput[slot]!, outputMemory(session))
    }
  }

  get recentMaxInputBytes(): number {
    return Math.max(...this.recentInput)
  }

  get recentMaxOutputBytes(): number {
    return Math.max(...this.recentOutput)
  }
}
