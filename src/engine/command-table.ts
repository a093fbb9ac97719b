/**
 * The commands of one server, found from the bytes of a request in any case, with the figures kept for each.
 * Hot path: bench/micro/receive.ts.
 */
import type { Argv } from '../base/argv.ts'
import { HdrHistogram } from '../base/hdr-histogram.ts'
import type { Command, Handler } from './command.ts'
import { BLOCKING, FAST, MODULE } from './flags.ts'

const INITIAL_SLOTS = 1024
/** 2^32 divided by the golden ratio, and a shift that leaves the upper bits of the product, which depend on all letters. */
const HASH_FACTOR = 0x9e37_79b1
const HASH_SHIFT = 18
/** Longer calls count as one second, as in Redis's histograms. */
const LATENCY_NS_MAX = 1_000_000_000

/** A command in one server: the shared declaration and this server's statistics. */
export class CommandEntry {
  readonly command: Command
  /** The module that brought it; null for the server's own. */
  readonly module: string | null
  readonly run: Handler
  readonly flags: number
  readonly arity: number
  /** Name in upper-case bytes, as compared with requests. */
  nameBytes: Uint8Array
  readonly subcommands: Map<string, CommandEntry> | null
  calls = 0
  /** Time spent, microseconds. */
  usec = 0
  rejectedCalls = 0
  failedCalls = 0
  /** Costs little whatever its arguments: timed together with others of its kind (see Engine). */
  readonly sharesTime: boolean
  /** Made at the first call, when latency tracking is on. */
  latency: HdrHistogram | null = null
  /** Calls of the batch under way that share its time (see CommandTiming). */
  unsettledCalls = 0

  constructor(command: Command, module: string | null) {
    this.command = command
    this.module = module
    this.run = command.run ?? unreachable
    this.flags = module === null ? command.flags : command.flags | MODULE
    this.arity = command.arity
    const isSmall = (command.flags & FAST) !== 0 || command.doc.complexity === 'O(1)'
    // How long a command took that has to wait is known when its waiting is over.
    this.sharesTime = isSmall && (command.flags & BLOCKING) === 0
    this.nameBytes = bytesOfName(command.name)
    this.subcommands =
      command.subcommands.length === 0
        ? null
        : new Map(command.subcommands.map((child) => [child.name.toUpperCase(), new CommandEntry(child, module)]))
  }

  /** Counts calls that took `usec` each in the latency histogram. */
  recordMany(usec: number, calls: number): void {
    this.latency ??= new HdrHistogram(1, LATENCY_NS_MAX, 2)
    this.latency.record(Math.min(LATENCY_NS_MAX, Math.max(1, Math.round(usec * 1000))), calls)
  }

  resetStatistics(): void {
    this.calls = 0
    this.usec = 0
    this.rejectedCalls = 0
    this.failedCalls = 0
    this.latency = null
    if (this.subcommands !== null) for (const child of this.subcommands.values()) child.resetStatistics()
  }
}

const unreachable: Handler = () => {
  throw new Error('a container command was run without a subcommand')
}

export class CommandTable {
  private slots: (CommandEntry | null)[] = new Array<CommandEntry | null>(INITIAL_SLOTS).fill(null)
  private mask = INITIAL_SLOTS - 1
  private readonly byName = new Map<string, CommandEntry>()

  constructor(commands: readonly Command[]) {
    for (const command of commands) this.put(command, null)
    this.rebuild()
  }

  /** Adds a command, of a module if one is named. Throws when the name is taken. */
  add(command: Command, module: string | null = null): CommandEntry {
    const entry = this.put(command, module)
    this.rebuild()
    return entry
  }

  /** Lets a command answer to another name only, or to none when `to` is empty (rename-command). */
  rename(from: string, to: string): void {
    const name = from.toUpperCase()
    const entry = this.byName.get(name)
    if (entry === undefined) throw new TypeError(`there is no command ${name}`)
    this.byName.delete(name)
    if (to !== '') {
      entry.nameBytes = bytesOfName(to)
      this.byName.set(to.toUpperCase(), entry)
    }
    this.rebuild()
  }

  remove(name: string): boolean {
    const removed = this.byName.delete(name.toUpperCase())
    if (removed) this.rebuild()
    return removed
  }

  /** All top-level commands. */
  entries(): IterableIterator<CommandEntry> {
    return this.byName.values()
  }

  get size(): number {
    return this.byName.size
  }

  /** A command by name, "config|get" for subcommands, in any case. */
  byFullName(fullName: string): CommandEntry | null {
    const [name, child, more] = fullName.toUpperCase().split('|')
    const entry = this.byName.get(name!) ?? null
    if (child === undefined || entry === null) return entry
    return more === undefined ? (entry.subcommands?.get(child) ?? null) : null
  }

  /** The command that a request names, subcommands not resolved; null if there is none. Hot. */
  lookup(argv: Argv): CommandEntry | null {
    const { bytes } = argv
    const start = argv.starts[0]!
    const length = argv.lengths[0]!
    const { slots, mask } = this
    for (let slot = hashOfName(bytes, start, length) & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]!
      if (entry === null) return null
      const name = entry.nameBytes
      if (name.length !== length) continue
      let i = 0
      while (i < length && isSameLetter(bytes[start + i]!, name[i]!)) i++
      if (i === length) return entry
    }
  }

  private put(command: Command, module: string | null): CommandEntry {
    const name = command.name.toUpperCase()
    if (this.byName.has(name)) throw new TypeError(`command ${name} is already there`)
    const entry = new CommandEntry(command, module)
    this.byName.set(name, entry)
    return entry
  }

  private rebuild(): void {
    let capacity = INITIAL_SLOTS
    while (capacity < this.byName.size * 4) capacity *= 2
    this.slots = new Array<CommandEntry | null>(capacity).fill(null)
    this.mask = capacity - 1
    for (const entry of this.byName.values()) {
      let slot = hashOfName(entry.nameBytes, 0, entry.nameBytes.length) & this.mask
      while (this.slots[slot] !== null) slot = (slot + 1) & this.mask
      this.slots[slot] = entry
    }
  }
}

/** As an array of the kind that requests come in, so that what compares them sees one kind only. */
function bytesOfName(name: string): Uint8Array {
  return new Uint8Array(Buffer.from(name.toUpperCase(), 'latin1'))
}

/** Of the length and four letters in any case, which tell nearly all commands apart. */
function hashOfName(bytes: Uint8Array, start: number, length: number): number {
  if (length === 0) return 0
  const ends = ((bytes[start]! & 0xdf) << 24) | (bytes[start + length - 1]! & 0xdf)
  const inner = ((bytes[start + (length > 1 ? 1 : 0)]! & 0xdf) << 16) | ((bytes[start + (length >> 1)]! & 0xdf) << 8)
  return Math.imul((ends | inner) ^ (length << 20), HASH_FACTOR) >>> HASH_SHIFT
}

/** Whether a byte is this character of an upper-case name, in any case. */
function isSameLetter(byte: number, upper: number): boolean {
  return byte === upper || (byte === upper + 32 && upper >= 65 && upper <= 90)
}
