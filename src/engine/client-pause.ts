/**
 * CLIENT PAUSE: requests wait until a moment on the clock, all of them or those that write. While it lasts no key is
 * removed by expiry, so that the data stands still.
 */
import { EXPIRE_DELETE, EXPIRE_HIDE } from '../keyspace/entry.ts'
import type { Engine } from './engine.ts'
import { GATE_PAUSED } from './gates.ts'
import { BLOCKED, POSTPONED, type Session } from './session.ts'

export type PauseKind = 'write' | 'all'

export class ClientPause {
  private kind: PauseKind | null = null
  private untilMs = 0
  private readonly waiting = new Set<Session>()
  private readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
  }

  get isPaused(): boolean {
    return this.kind !== null
  }

  /** A second pause may only make the first longer or wider. */
  start(kind: PauseKind, untilMs: number): void {
    this.kind = this.kind === 'all' ? 'all' : kind
    this.untilMs = Math.max(this.untilMs, untilMs)
    this.engine.setGate(GATE_PAUSED, true)
    if (this.engine.keyspace.expireMode === EXPIRE_DELETE) this.engine.keyspace.expireMode = EXPIRE_HIDE
  }

  end(): void {
    if (this.kind === null) return
    this.kind = null
    this.untilMs = 0
    this.engine.setGate(GATE_PAUSED, false)
    if (this.engine.keyspace.expireMode === EXPIRE_HIDE) this.engine.keyspace.expireMode = EXPIRE_DELETE
    const sessions = [...this.waiting]
    this.waiting.clear()
    for (const session of sessions) {
      session.flags &= ~(BLOCKED | POSTPONED)
      this.engine.resume(session)
    }
  }

  /** Whether a command must wait. */
  holds(mayWrite: boolean): boolean {
    return this.kind === 'all' || (this.kind === 'write' && mayWrite)
  }

  postpone(session: Session): void {
    session.flags |= BLOCKED | POSTPONED
    this.waiting.add(session)
  }

  forget(session: Session): void {
    this.waiting.delete(session)
  }

  /** The cron's share: ends a pause whose time has come. */
  tick(): void {
    if (this.kind !== null && this.engine.clock.nowMs > this.untilMs) this.end()
  }
}
