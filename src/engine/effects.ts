/**
 * The effect stream: what a server did to its data, as commands that have the same result anywhere and at any time.
 * Replication and the append-only file listen to it; tests compare it with what real Redis propagates.
 *
 * A command's effect is the request itself unless its handler said otherwise (expiry as DEL, INCRBYFLOAT as SET, ...).
 * Several effects of one command or transaction come wrapped in MULTI and EXEC.
 */
import { Argv } from '../base/argv.ts'

/** Whom an effect concerns: messages are for replicas alone, since they leave no trace in the data. */
export const TO_REPLICAS = 1 << 0
export const TO_FILE = 1 << 1
export const TO_ALL = TO_REPLICAS | TO_FILE

export interface EffectSink {
  /** The argv is valid during the call only. `targets`: bits TO_*. */
  effect(dbIndex: number, argv: Argv, targets: number): void
}

interface PendingEffect {
  readonly dbIndex: number
  readonly argv: Argv
  readonly targets: number
}

const MULTI = Argv.of(['MULTI'])
const EXEC = Argv.of(['EXEC'])

export class EffectStream {
  private readonly sinks: EffectSink[] = []
  private pending: PendingEffect[] = []
  /** How much of the stream to the replicas has been made: kept by whoever makes it. */
  offset = 0

  /** False: nobody listens and nothing needs to be built. */
  get isActive(): boolean {
    return this.sinks.length > 0
  }

  addSink(sink: EffectSink): void {
    this.sinks.push(sink)
  }

  removeSink(sink: EffectSink): void {
    const index = this.sinks.indexOf(sink)
    if (index >= 0) this.sinks.splice(index, 1)
  }

  /** An effect of the command or transaction under way. `argv` must stay as it is until `flush`. */
  add(dbIndex: number, argv: Argv, targets = TO_ALL): void {
    if (this.sinks.length > 0) this.pending.push({ dbIndex, argv, targets })
  }

  get hasPending(): boolean {
    return this.pending.length > 0
  }

  /** As `add`, of the last effect before `flush`: if it is the only one, nothing needs to be kept. Hot. */
  addLast(dbIndex: number, argv: Argv, targets: number): void {
    if (this.pending.length > 0) this.pending.push({ dbIndex, argv, targets })
    else this.emit(dbIndex, argv, targets)
  }

  /**
   * Hands on all effects gathered since the last flush. Several of them belong together unless the command that had them
   * merely came across keys whose time was over (`isWhole` false).
   */
  flush(isWhole = true): void {
    const { pending } = this
    if (pending.length === 0) return
    this.pending = []
    const wrapped = isWhole && pending.length > 1
    if (wrapped) this.emit(pending[0]!.dbIndex, MULTI, TO_ALL)
    for (const { dbIndex, argv, targets } of pending) this.emit(dbIndex, argv, targets)
    if (wrapped) this.emit(pending[pending.length - 1]!.dbIndex, EXEC, TO_ALL)
  }

  /** Forgets what was gathered: a file that is replayed is not propagated. */
  drop(): void {
    if (this.pending.length > 0) this.pending = []
  }

  private emit(dbIndex: number, argv: Argv, targets: number): void {
    const { sinks } = this
    for (let i = 0; i < sinks.length; i++) sinks[i]!.effect(dbIndex, argv, targets)
  }
}
