/**
 * CLIENT PAUSE: requests wait until a moment on the clock, all of them or those that write. While it lasts no key is
 * removed by expiry, so that the data stands still.
 */
import type { Engine } from './engine.ts'
import { GATE_PAUSED } from './gates.ts'
import { BLOCKED, POSTPONED, type Session } from './session.ts'

export type PauseKind = 'write' | 'all'

/** Who asked: CLIENT PAUSE, or the server itself. One does not end the other's pause. */
export type PausePurpose = 'command' | 'shutdown' | 'failover' | 'migration'

interface Pause {
  kind: PauseKind
  untilMs: number
}

export class ClientPause {
  private readonly pauses = new Map<PausePurpose, Pause>()
  /** The widest of them. */
  private kind: PauseKind | null = null
  private readonly waiting = new Set<Session>()
  private readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
  }

  get isPaused(): boolean {
    return this.kind !== null
  }

  /** A second pause for the same purpose may only make the first longer or wider. One that is over already is none. */
  start(kind: PauseKind, untilMs: number, purpose: PausePurpose = 'command'): void {
    const pause = this.pauses.get(purpose)
    if (pause === undefined) this.pauses.set(purpose, { kind, untilMs })
    else {
      if (kind === 'all') pause.kind = kind
      pause.untilMs = Math.max(pause.untilMs, untilMs)
    }
    if (this.pauses.get(purpose)!.untilMs < this.engine.clock.nowMs) this.pauses.delete(purpose)
    this.update()
  }

  end(purpose: PausePurpose = 'command'): void {
    if (this.pauses.delete(purpose)) this.update()
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

  /** The cron's share: ends pauses whose time has come. */
  tick(): void {
    for (const [purpose, { untilMs }] of this.pauses) if (this.engine.clock.nowMs > untilMs) this.end(purpose)
  }

  private update(): void {
    const { engine, kind: before } = this
    this.kind = null
    for (const { kind } of this.pauses.values()) if (this.kind !== 'all') this.kind = kind
    engine.setGate(GATE_PAUSED, this.kind !== null)
    engine.updateExpireMode()
    // Fewer commands have to wait than before: who waits is asked again.
    if (before === this.kind || before === null || this.kind === 'all') return
    const sessions = [...this.waiting]
    this.waiting.clear()
    for (const session of sessions) {
      session.flags &= ~(BLOCKED | POSTPONED)
      engine.resume(session)
    }
  }
}
