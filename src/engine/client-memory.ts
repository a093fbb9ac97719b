/**
 * What all clients together hold in memory, and maxmemory-clients: when it is too much, those that hold most are closed
 * (evictClients in networking.c).
 *
 * Each client's share is brought up to date once a second by the cron, and after each of its batches and whenever output
 * reaches it as well while a limit asks for that (`isTracked`).
 */
import { clientInfo } from './client-info.ts'
import type { Engine } from './engine.ts'
import { clientType } from './output-limits.ts'
import { NO_EVICT, REPLICA, type Session } from './session.ts'
import { sessionMemory } from './session-memory.ts'

/** A limit below this would keep everybody out. */
const LIMIT_BYTES_MIN = 128 * 1024

export class ClientMemory {
  /** Of all clients that are no replicas. */
  totalBytes = 0
  isTracked = false
  evictedClients = 0
  private limitBytes = 0
  private readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** `maxmemoryClients`: bytes, or a negative percentage of maxmemory; 0 = no limit. */
  configure(maxmemoryClients: number, maxmemoryBytes: number): void {
    let limitBytes = maxmemoryClients
    if (maxmemoryClients < 0) limitBytes = Math.floor((maxmemoryBytes * -maxmemoryClients) / 100)
    this.limitBytes = limitBytes <= 0 ? 0 : Math.max(LIMIT_BYTES_MIN, limitBytes)
    this.isTracked = this.limitBytes > 0 || maxmemoryBytes > 0
    if (!this.isTracked) return
    for (const session of this.engine.sessions.values()) this.account(session)
  }

  get isOverLimit(): boolean {
    return this.limitBytes > 0 && this.totalBytes >= this.limitBytes
  }

  /** Brings a client's share up to date. */
  account(session: Session): void {
    const bytes = session.has(REPLICA) ? 0 : sessionMemory(session)
    this.totalBytes += bytes - session.accountedBytes
    session.accountedBytes = bytes
  }

  /** The client is gone. */
  forget(session: Session): void {
    this.totalBytes -= session.accountedBytes
    session.accountedBytes = 0
  }

  /** Closes clients until the others are within the limit. */
  evict(): void {
    const { engine } = this
    const candidates: Session[] = []
    for (const session of engine.sessions.values()) if (mayGo(session)) candidates.push(session)
    // Those whose memory has the same order of magnitude are equal, and the oldest of them goes first.
    candidates.sort((a, b) => magnitude(b) - magnitude(a))
    for (const session of candidates) {
      if (!this.isOverLimit) return
      engine.log('notice', `Evicting client: ${clientInfo(session)}`)
      engine.close(session, true)
      this.evictedClients++
    }
    if (this.isOverLimit) engine.log('warning', 'Over client maxmemory after evicting all evictable clients')
  }
}

function mayGo(session: Session): boolean {
  if (session.has(NO_EVICT) || session.sink === null) return false
  const type = clientType(session)
  return type === 'normal' || type === 'pubsub'
}

function magnitude(session: Session): number {
  return Math.floor(Math.log2(Math.max(1, session.accountedBytes)))
}
