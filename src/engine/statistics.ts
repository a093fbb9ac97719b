/**
 * Counters of one server that no other part owns, as INFO shows them and CONFIG RESETSTAT clears them.
 */
import type { Clock } from '../base/clock.ts'

/** Kinds of errors counted apart; more of them share nothing, new ones are dropped (Redis stops at 128 too). */
const ERROR_KINDS_MAX = 128
const SAMPLES = 16
const SAMPLE_INTERVAL_US = 100_000

/** A rate per second, averaged over the last samples of 100 ms, as INFO's instantaneous_* fields. */
export class Rate {
  private readonly samples = new Float64Array(SAMPLES)
  private at = 0
  private lastCount = 0
  private lastUs: number

  constructor(nowUs: number) {
    this.lastUs = nowUs
  }

  sample(count: number, nowUs: number): void {
    const elapsedUs = nowUs - this.lastUs
    this.samples[this.at] = elapsedUs > 0 ? ((count - this.lastCount) * 1e6) / elapsedUs : 0
    this.at = (this.at + 1) % SAMPLES
    this.lastCount = count
    this.lastUs = nowUs
  }

  perSecond(): number {
    let sum = 0
    for (const sample of this.samples) sum += sample
    return sum / SAMPLES
  }

  reset(nowUs: number): void {
    this.samples.fill(0)
    this.lastCount = 0
    this.lastUs = nowUs
  }
}

export class Statistics {
  commands = 0
  connections = 0
  rejectedConnections = 0
  inputBytes = 0
  outputBytes = 0
  /** Batches received from clients, and replies handed to the network. */
  reads = 0
  writes = 0
  totalErrorReplies = 0
  /** Of those, the ones that should not have been: of a master's commands, or a file's. */
  unexpectedErrors = 0
  outputLimitDisconnections = 0
  queryBufferDisconnections = 0
  /** How often reply buffers were made smaller or larger (see ClientsCron). */
  replyBufferShrinks = 0
  replyBufferExpands = 0
  /** Time of active expiry cycles, microseconds. */
  expireCycleUs = 0
  /** Payloads of RESTORE that were checked in depth. */
  dumpPayloadSanitizations = 0
  /** By first word of the error, in order of appearance. */
  readonly errors = new Map<string, number>()
  readonly commandRate: Rate
  readonly inputRate: Rate
  readonly outputRate: Rate
  private sampledUs = 0
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
    this.sampledUs = clock.monotonicUs
    this.commandRate = new Rate(this.sampledUs)
    this.inputRate = new Rate(this.sampledUs)
    this.outputRate = new Rate(this.sampledUs)
  }

  countError(code: string): void {
    this.totalErrorReplies++
    const count = this.errors.get(code)
    if (count !== undefined) this.errors.set(code, count + 1)
    else if (this.errors.size < ERROR_KINDS_MAX) this.errors.set(code, 1)
  }

  /** The cron's share. Returns whether it was time for a sample. */
  sampleRates(): boolean {
    const nowUs = this.clock.monotonicUs
    if (nowUs - this.sampledUs < SAMPLE_INTERVAL_US) return false
    this.sampledUs = nowUs
    this.commandRate.sample(this.commands, nowUs)
    this.inputRate.sample(this.inputBytes, nowUs)
    this.outputRate.sample(this.outputBytes, nowUs)
    return true
  }

  reset(): void {
    this.commands = 0
    this.connections = 0
    this.rejectedConnections = 0
    this.inputBytes = 0
    this.outputBytes = 0
    this.reads = 0
    this.writes = 0
    this.totalErrorReplies = 0
    this.unexpectedErrors = 0
    this.outputLimitDisconnections = 0
    this.queryBufferDisconnections = 0
    this.replyBufferShrinks = 0
    this.replyBufferExpands = 0
    this.expireCycleUs = 0
    this.dumpPayloadSanitizations = 0
    this.errors.clear()
    for (const rate of [this.commandRate, this.inputRate, this.outputRate]) rate.reset(this.clock.monotonicUs)
  }
}
