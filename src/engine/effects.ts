/**
 * The effect stream: what a server did to its data, as commands that have the same result anywhere and at any time.
 * Replication and the append-only file listen to it; tests compare it with what real Redis propagates.
 *
 * A command's effect is the request itself unless its handler said otherwise (expiry as DEL, INCRBYFLOAT as SET, ...).
 * Several effects of one command or transaction come wrapped in MULTI and EXEC.
 */
import { Argv } from '../base/argv.ts'

export interface EffectSink {
  /** The argv is valid during the call only. */
  effect(dbIndex: number, argv: Argv): void
}

interface PendingEffect {
  readonly dbIndex: number
  readonly argv: Argv
}

const MULTI = Argv.of(['MULTI'])
const EXEC = Argv.of(['EXEC'])

export class EffectStream {
  private readonly sinks: EffectSink[] = []
  private pending: PendingEffect[] = []

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
  add(dbIndex: number, argv: Argv): void {
    if (this.sinks.length > 0) this.pending.push({ dbIndex, argv })
  }

  /** Hands on all effects gathered since the last flush. */
  flush(): void {
    const { pending } = this
    if (pending.length === 0) return
    this.pending = []
    const wrapped = pending.length > 1
    if (wrapped) this.emit(pending[0]!.dbIndex, MULTI)
    for (const { dbIndex, argv } of pending) this.emit(dbIndex, argv)
    if (wrapped) this.emit(pending[pending.length - 1]!.dbIndex, EXEC)
  }

  private emit(dbIndex: number, argv: Argv): void {
    for (const sink of this.sinks) sink.effect(dbIndex, argv)
  }
}
