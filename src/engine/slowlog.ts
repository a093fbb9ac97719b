/**
 * The slow log: commands that took longer than slowlog-log-slower-than, newest first, shortened as Redis shortens them.
 */
import type { Argv } from '../base/argv.ts'
import type { CommandEntry } from './command-table.ts'
import { SKIP_SLOWLOG } from './flags.ts'
import type { Session } from './session.ts'
import type { EngineSettings } from './settings.ts'

/** SLOWLOG_ENTRY_MAX_ARGC and SLOWLOG_ENTRY_MAX_STRING. */
const ARGUMENTS_MAX = 32
const ARGUMENT_BYTES_MAX = 128

export interface SlowlogEntry {
  readonly id: number
  /** Unix time in seconds. */
  readonly timeSeconds: number
  readonly usec: number
  readonly args: readonly Uint8Array[]
  readonly address: string
  readonly clientName: string
}

export class Slowlog {
  private entries: SlowlogEntry[] = []
  private nextId = 0
  private readonly settings: EngineSettings

  constructor(settings: EngineSettings) {
    this.settings = settings
  }

  add(session: Session, entry: CommandEntry, argv: Argv, usec: number): void {
    if ((entry.flags & SKIP_SLOWLOG) !== 0) return
    this.entries.unshift({
      id: this.nextId++,
      timeSeconds: Math.floor(session.nowMs / 1000),
      usec: Math.round(usec),
      args: shortened(argv),
      address: session.address,
      clientName: session.name,
    })
    this.trim()
  }

  /** The newest entries, all of them when `count` is negative. */
  newest(count: number): readonly SlowlogEntry[] {
    return count < 0 ? this.entries : this.entries.slice(0, count)
  }

  get length(): number {
    return this.entries.length
  }

  clear(): void {
    this.entries = []
  }

  /** Keeps slowlog-max-len entries. */
  trim(): void {
    const { slowlogEntriesMax } = this.settings
    if (this.entries.length > slowlogEntriesMax) this.entries.length = slowlogEntriesMax
  }
}

function shortened(argv: Argv): Uint8Array[] {
  const count = Math.min(argv.count, ARGUMENTS_MAX)
  const args: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    if (i === count - 1 && count !== argv.count) {
      args.push(Buffer.from(`... (${argv.count - count + 1} more arguments)`))
    } else if (argv.lengthBytes(i) > ARGUMENT_BYTES_MAX) {
      const more = argv.lengthBytes(i) - ARGUMENT_BYTES_MAX
      args.push(Buffer.concat([argv.view(i).subarray(0, ARGUMENT_BYTES_MAX), Buffer.from(`... (${more} more bytes)`)]))
    } else args.push(argv.copyOf(i))
  }
  return args
}
