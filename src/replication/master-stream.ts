/**
 * The stream of a master as it is applied: bytes become requests, and what was applied goes on to the backlog and our own
 * replicas byte by byte, so that all share one history.
 *
 *   bytes:   | passed on ... | applied | of a transaction | not parsed yet      |
 *            0               start     applied            parser.position       end
 *
 * A transaction counts as applied when it ends: should the link break in the middle, the master sends it again from its
 * MULTI on.
 * Cost: one copy of what comes in, one more into the backlog.
 */
import type { Argv } from '../base/argv.ts'
import type { RequestSource } from '../engine/replication-seam.ts'
import { BLOCKED, IN_MULTI, type Session } from '../engine/session.ts'
import { COMPLETE, INCOMPLETE, RequestParser } from '../resp/request-parser.ts'

/** What a master never sends, so the stream must have lost its place. */
export const INLINE_PROTOCOL = 'Master using the inline protocol. Desync?'
const BUFFER_BYTES = 64 * 1024
const BUFFER_BYTES_KEPT = 1024 * 1024

export interface MasterStreamEvents {
  /** These bytes of the stream have been applied. */
  applied(bytes: Uint8Array, start: number, length: number): void
  /** What comes is no stream of a master; `detail` in the log's words. */
  broken(detail: string): void
}

export class MasterStream implements RequestSource {
  private bytes = new Uint8Array(BUFFER_BYTES)
  private end = 0
  private start = 0
  private appliedTo = 0
  /** Offset of what was passed on. */
  private passedOffset: number
  private readonly parser: RequestParser
  private readonly session: Session
  private readonly events: MasterStreamEvents
  private hasPending = false

  constructor(session: Session, offset: number, events: MasterStreamEvents) {
    this.session = session
    this.passedOffset = offset
    this.events = events
    this.parser = new RequestParser(session.engine.settings)
    this.parser.isMaster = true
  }

  /** How much of the master's stream has been applied. */
  get offset(): number {
    return this.passedOffset + this.appliedTo - this.start
  }

  /** How much has come. */
  get readOffset(): number {
    return this.passedOffset + this.end - this.start
  }

  /** Takes input; what is whole is executed. */
  receive(bytes: Uint8Array, from: number, to: number): void {
    this.makeRoom(to - from)
    this.bytes.set(bytes.subarray(from, to), this.end)
    this.end += to - from
    this.session.engine.pull(this.session)
  }

  next(): Argv | null {
    const argv = this.read()
    if (argv === null) this.passOn()
    return argv
  }

  private read(): Argv | null {
    this.settle()
    const { parser } = this
    while (parser.position < this.end) {
      const status = parser.parse(this.bytes, this.end)
      if (status === INCOMPLETE) return null
      if (status !== COMPLETE) {
        this.events.broken(parser.errorDetail)
        return null
      }
      if (parser.argv.count === 0) continue
      if (!parser.isMultibulk) {
        this.events.broken(INLINE_PROTOCOL)
        return null
      }
      this.hasPending = true
      return parser.argv
    }
    this.settle()
    return null
  }

  /** Hands on what was applied. */
  passOn(): void {
    const length = this.appliedTo - this.start
    if (length > 0) {
      this.passedOffset += length
      const { start } = this
      this.start = this.appliedTo
      this.events.applied(this.bytes, start, length)
    }
    if (this.start === this.end && this.parser.isIdle) {
      this.parser.position = 0
      this.start = 0
      this.appliedTo = 0
      this.end = 0
      if (this.bytes.length > BUFFER_BYTES_KEPT) this.bytes = new Uint8Array(BUFFER_BYTES)
    }
  }

  /** The request before has been executed, unless it has to wait. */
  private settle(): void {
    if (this.session.has(BLOCKED)) return
    if (this.session.has(IN_MULTI)) return
    if (this.hasPending || this.parser.isIdle) this.appliedTo = this.parser.position
    this.hasPending = false
  }

  private makeRoom(length: number): void {
    if (this.end + length <= this.bytes.length) return
    const { start } = this
    const needed = this.end - start + length
    const target =
      needed * 2 <= this.bytes.length ? this.bytes : new Uint8Array(Math.max(needed, this.bytes.length * 2))
    if (target === this.bytes) target.copyWithin(0, start, this.end)
    else target.set(this.bytes.subarray(start, this.end))
    this.bytes = target
    this.parser.shift(start)
    this.appliedTo -= start
    this.end -= start
    this.start = 0
  }
}
