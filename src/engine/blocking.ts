/**
 * Clients that wait inside a command: for a key to be filled, for replicas, for a moment. Their further input is kept
 * until the waiting ends: by what they wait for (`answer`), by time (`tick`), by CLIENT UNBLOCK, or by their leaving.
 *
 *   engine.blocking.block(session, { untilMs, timedOut: (reply) => reply.integer(0) })
 *
 * What they wait for is the business of whoever blocks them; `ended` tells that it is over, however it came.
 */
import type { Argv } from '../base/argv.ts'
import { ERR_UNBLOCKED } from '../resp/errors.ts'
import type { ReplyWriter } from '../resp/reply-writer.ts'
import type { Engine } from './engine.ts'
import { BLOCKED, REPLY_SKIP, REPLY_SKIP_NEXT, type Session } from './session.ts'

export interface Waiting {
  /** The last Unix millisecond of the waiting; 0 = it does not end by itself. */
  readonly untilMs: number
  /** Writes the reply for a client that waits no longer: its time has come, or CLIENT UNBLOCK said so. */
  timedOut(reply: ReplyWriter): void
  /** The request, which counts as the client's memory as long as it waits. */
  readonly argv?: Argv
  /** The client waits no more. It may be gone; nothing may be sent to it here. */
  ended?(): void
}

export class Blocking {
  private readonly engine: Engine
  private readonly waiting = new Map<Session, Waiting>()
  /** Nobody's time comes earlier. */
  private earliestMs = Number.POSITIVE_INFINITY

  constructor(engine: Engine) {
    this.engine = engine
  }

  get size(): number {
    return this.waiting.size
  }

  /** Clients that wait until a moment at most. */
  get timedCount(): number {
    let count = 0
    for (const { untilMs } of this.waiting.values()) if (untilMs !== 0) count++
    return count
  }

  /** When `tick` has something to do, at the latest; infinite if nobody waits for a moment. */
  get nextMs(): number {
    return this.earliestMs
  }

  /** To be called by a handler instead of replying. Not within MULTI or a script: there it answers as if time were over. */
  block(session: Session, waiting: Waiting): void {
    session.setFlag(BLOCKED)
    session.unblock = (reason) => {
      if (reason === 'timeout') this.answer(session, waiting.timedOut)
      else this.answer(session, (reply) => reply.error(ERR_UNBLOCKED))
    }
    session.waitArgv = waiting.argv ?? null
    session.waitUsec = 0
    this.waiting.set(session, waiting)
    if (waiting.untilMs !== 0 && waiting.untilMs < this.earliestMs) this.earliestMs = waiting.untilMs
  }

  /** Answers a client that waits, and lets it go on. */
  answer(session: Session, write: (reply: ReplyWriter) => void): void {
    const { engine } = this
    this.forget(session)
    session.clearFlag(BLOCKED)
    engine.sendReply(session, write)
    // The reply that CLIENT REPLY SKIP was about is skipped by now.
    const skipsNext = session.has(REPLY_SKIP_NEXT)
    session.clearFlag(REPLY_SKIP | REPLY_SKIP_NEXT)
    if (skipsNext) session.setFlag(REPLY_SKIP)
    engine.resume(session)
  }

  /** Ends all waiting: each client gets an error, and its connection is closed. */
  endAll(write: (reply: ReplyWriter) => void): void {
    const { engine } = this
    for (const session of [...this.waiting.keys()]) {
      this.forget(session)
      session.sink?.send(engine.encode(session.protocol, write))
      engine.close(session, false)
    }
  }

  /** The client is gone. */
  forget(session: Session): void {
    const waiting = this.waiting.get(session)
    if (waiting === undefined) return
    this.waiting.delete(session)
    session.unblock = null
    session.waitArgv = null
    waiting.ended?.()
  }

  /** The cron's share, and to be called when the clock has been moved: ends what has waited long enough. */
  tick(): void {
    const { nowMs } = this.engine.clock
    if (nowMs <= this.earliestMs) return
    this.earliestMs = Number.POSITIVE_INFINITY
    for (const [session, { untilMs, timedOut }] of this.waiting) {
      if (untilMs === 0) continue
      if (untilMs < nowMs) this.answer(session, timedOut)
      else if (untilMs < this.earliestMs) this.earliestMs = untilMs
    }
  }
}
