/**
 * When the next fsync of `appendfsync always` is to begin. Clients that have their replies write again at once, so whoever
 * begins as soon as an fsync ends leaves them to the one after: each then serves half of the clients, and they wait twice.
 *
 *   fsync ends -> replies leave -> [ most of those clients have written again, or time is up ] -> fsync
 *
 * So it waits until as many are there as were, less a few that may be slow; a millisecond at most, and after waiting in vain not
 * for the next fsyncs, twice as many each time. Clients that wrote nothing know nothing of this.
 * Where it differs from Redis: there, the fsync keeps everybody from being read meanwhile, which has the same effect.
 */
import type { Scheduler } from '../persistence.ts'

/** Of the clients that were there: how many are enough. */
const ENOUGH = 7 / 8
/** As short as timers are. */
const WAIT_MS = 1
const SKIPPED_MAX = 64

export class CommitGathering {
  private readonly scheduler: Scheduler
  private readonly onTimeout: () => void
  /** So many clients are enough; 0 = nobody is waited for. */
  private wanted = 0
  /** Counts the times that clients were waited for. */
  private round = 0
  private timerIsSet = false
  /** How many fsyncs to begin without waiting, and how many it were the last time. */
  private toSkip = 0
  private skipped = 0

  constructor(scheduler: Scheduler, onTimeout: () => void) {
    this.scheduler = scheduler
    this.onTimeout = onTimeout
  }

  /** An fsync has ended. `clients`: how many waited for it, or wait for the next. */
  begin(clients: number): void {
    if (this.toSkip > 0) {
      this.toSkip--
      return
    }
    this.wanted = Math.ceil(clients * ENOUGH)
    this.round++
    if (this.wanted > 0 && !this.timerIsSet) this.setTimer()
  }

  /** Whether to wait for others when so many clients are there. */
  waitsAt(clients: number): boolean {
    return clients < this.wanted
  }

  /** The fsync begins. */
  end(): void {
    if (this.wanted > 0) this.skipped = 0
    this.wanted = 0
  }

  /** One timer at a time: where fsyncs are quick, many rounds pass before it is up. */
  private setTimer(): void {
    const { round } = this
    this.timerIsSet = true
    this.scheduler.after(WAIT_MS, () => {
      this.timerIsSet = false
      if (this.wanted === 0) return
      if (this.round !== round) {
        this.setTimer()
        return
      }
      this.wanted = 0
      this.skipped = Math.min(SKIPPED_MAX, Math.max(1, this.skipped * 2))
      this.toSkip = this.skipped
      this.onTimeout()
    })
  }
}
