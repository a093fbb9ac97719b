/** Ends of a server that somebody asked for, to be reported like bugs: DEBUG ASSERT, PANIC, OOM, SEGFAULT, and SIGABRT. */
export type CrashKind = 'assertion' | 'panic' | 'signal'

export class Crash extends Error {
  override readonly name = 'Crash'
  readonly kind: CrashKind
  /** Number of the signal, for that kind. */
  readonly signal: number

  constructor(kind: CrashKind, message: string, signal = 0) {
    super(message)
    this.kind = kind
    this.signal = signal
  }
}
