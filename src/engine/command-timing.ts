/**
 * What commands take, for their statistics, the slow log and the latency monitor.
 *
 * A reading of the clock costs as much as a small command. So fast commands share the time of their run evenly; all others
 * are timed on their own, and every one while the slow log asks for less than a millisecond or the latency monitor is on.
 *
 *   start | fast fast fast | slow | fast fast | end of the batch
 *         ^ a run, shared    alone  ^ a run
 *
 * Hot path: bench/micro/receive.ts.
 */
import type { Argv } from '../base/argv.ts'
import type { Clock } from '../base/clock.ts'
import type { CommandEntry } from './command-table.ts'
import { FAST } from './flags.ts'
import type { LatencyMonitor } from './latency-monitor.ts'
import { BLOCKED, type Session } from './session.ts'
import type { EngineSettings } from './settings.ts'
import type { Slowlog } from './slowlog.ts'

/** Below this slowlog threshold every command is timed on its own. */
const EXACT_USEC = 1000

export class CommandTiming {
  /** Commands are timed one by one, not by run. */
  isExact = false
  private readonly clock: Clock
  private readonly settings: EngineSettings
  private readonly slowlog: Slowlog
  private readonly latency: LatencyMonitor
  private startUs = 0
  /** Commands of the run under way, in the first `unsettledEntries` places: an array that shrinks costs more than it holds. */
  private readonly unsettled: CommandEntry[] = []
  private unsettledEntries = 0
  private unsettledCalls = 0
  private lastSession: Session | null = null
  private lastArgv: Argv | null = null

  constructor(clock: Clock, settings: EngineSettings, slowlog: Slowlog, latency: LatencyMonitor) {
    this.clock = clock
    this.settings = settings
    this.slowlog = slowlog
    this.latency = latency
  }

  settingsChanged(): void {
    const { slowlogUsec, latencyMonitorMs } = this.settings
    this.isExact = (slowlogUsec >= 0 && slowlogUsec < EXACT_USEC) || latencyMonitorMs > 0
  }

  /** Commands begin now; the clock has just been read. */
  start(): void {
    this.startUs = this.clock.monotonicUs
  }

  /** Before a command that is timed on its own. */
  startExact(): void {
    // Without a run to settle, the reading at the end of the previous command serves as the start of this one.
    if (this.unsettledCalls === 0) return
    this.clock.refresh()
    // Its arguments are gone by now, so a run that ends here cannot enter the slow log.
    this.lastArgv = null
    this.settleAt(this.clock.monotonicUs)
  }

  /** Behind it. */
  stopExact(session: Session, entry: CommandEntry, argv: Argv): void {
    const { startUs } = this
    this.clock.refresh()
    this.startUs = this.clock.monotonicUs
    this.account(session, entry, argv, this.clock.monotonicUs - startUs)
  }

  /** A command of the run under way is over. */
  share(session: Session, entry: CommandEntry, argv: Argv): void {
    if (entry.unsettledCalls++ === 0) this.unsettled[this.unsettledEntries++] = entry
    // Who and what matters only for a run of one.
    if (this.unsettledCalls++ === 0) {
      this.lastSession = session
      this.lastArgv = argv
    }
  }

  /** Ends the run under way, if there is one. */
  settle(): void {
    if (this.unsettledCalls === 0) return
    this.clock.refresh()
    this.settleAt(this.clock.monotonicUs)
  }

  /** A command whose client had to wait is over: adds what was left open to its figures. `usec`: what its answer took. */
  countUnblocked(session: Session, argv: Argv, usec: number, hasFailed: boolean): void {
    const entry = session.lastCommand
    if (entry === null) return
    entry.usec += usec
    if (hasFailed) entry.failedCalls++
    this.record(session, entry, argv, session.waitUsec + usec)
    this.latency.sample('command-unblocking', usec / 1000)
  }

  private settleAt(nowUs: number): void {
    const usec = nowUs - this.startUs
    if (this.unsettledCalls === 1) {
      const entry = this.unsettled[0]!
      entry.unsettledCalls = 0
      this.account(this.lastSession!, entry, this.lastArgv, usec)
    } else {
      const share = usec / this.unsettledCalls
      for (let i = 0; i < this.unsettledEntries; i++) {
        const entry = this.unsettled[i]!
        entry.usec += share * entry.unsettledCalls
        if (this.settings.latencyTracking) entry.recordMany(share, entry.unsettledCalls)
        entry.unsettledCalls = 0
      }
    }
    this.unsettledEntries = 0
    this.unsettledCalls = 0
    this.lastSession = null
    this.lastArgv = null
    this.startUs = nowUs
  }

  private account(session: Session, entry: CommandEntry, argv: Argv | null, usec: number): void {
    entry.usec += usec
    // A client that waits has its reply still to come: then it will be known how long its command took.
    if ((session.flags & BLOCKED) !== 0 && session.unblock !== null) session.waitUsec = usec
    else this.record(session, entry, argv, usec)
    const { latencyMonitorMs } = this.settings
    if (latencyMonitorMs > 0) this.latency.sample((entry.flags & FAST) !== 0 ? 'fast-command' : 'command', usec / 1000)
  }

  private record(session: Session, entry: CommandEntry, argv: Argv | null, usec: number): void {
    const { latencyTracking, slowlogUsec } = this.settings
    if (latencyTracking) entry.recordMany(usec, 1)
    if (slowlogUsec >= 0 && usec >= slowlogUsec && argv !== null) this.slowlog.add(session, entry, argv, usec)
  }
}
