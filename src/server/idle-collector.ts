/**
 * Has V8 collect its garbage when the server has nothing to do. By itself V8 does so when its heap or the buffers beside it
 * have grown, and a quiet server makes neither grow: what starting, loading and compiling left in the heap would stay for
 * good, and so would the buffers of large replies and the pages of deleted data, which may be far more.
 *
 * V8 is asked by way of a buffer that is made and dropped: nobody touches it, so it takes no memory, but it counts, and
 * makes V8 begin a collection in steps of less than a millisecond. A forced one would stop the server for 10 ms and more.
 */
import { GATE_LOADING } from '../engine/gates.ts'
import type { Server } from './server.ts'

/** No command for so long. */
const QUIET_MS = 500
/** What is worth a collection: so many commands, or so many bytes that came, went, or were given up by the data. */
const COMMANDS = 10_000
const BYTES = 16 * 1024 * 1024
/** Above what V8 lets buffers grow by before it acts (64 MiB). */
const BUFFER_BYTES = 128 * 1024 * 1024

export class IdleCollector {
  private readonly server: Server
  private commandsSeen = 0
  private quietSinceMs: number
  /** As of the last collection. To start with, what starting has left is worth one. */
  private commands = -COMMANDS
  private trafficBytes = 0
  /** The most that the data has held since then. */
  private heldBytes = 0
  /** Held for a moment, lest the buffer be left out for having no use. */
  dropped: ArrayBuffer | null = null

  constructor(server: Server) {
    this.server = server
    this.quietSinceMs = server.engine.clock.nowMs
  }

  tick(): void {
    const { engine, persistence } = this.server
    const { commands } = engine.statistics
    const { nowMs } = engine.clock
    const { heldBytes } = engine.keyspace.arena
    if (heldBytes > this.heldBytes) this.heldBytes = heldBytes
    const isBusy = commands !== this.commandsSeen || persistence.isBusy || (engine.gate & GATE_LOADING) !== 0
    this.commandsSeen = commands
    if (isBusy || nowMs < this.quietSinceMs) this.quietSinceMs = nowMs
    if (nowMs - this.quietSinceMs < QUIET_MS || !this.isWorthwhile()) return
    const { inputBytes, outputBytes } = engine.statistics
    this.commands = commands
    this.trafficBytes = inputBytes + outputBytes
    this.heldBytes = heldBytes
    this.askForCollection()
  }

  private isWorthwhile(): boolean {
    const { engine } = this.server
    const { commands, inputBytes, outputBytes } = engine.statistics
    const traffic = inputBytes + outputBytes
    // CONFIG RESETSTAT makes them fewer.
    if (commands < this.commands) this.commands = commands
    if (traffic < this.trafficBytes) this.trafficBytes = traffic
    return (
      commands - this.commands >= COMMANDS ||
      traffic - this.trafficBytes >= BYTES ||
      this.heldBytes - engine.keyspace.arena.heldBytes >= BYTES
    )
  }

  private askForCollection(): void {
    this.server.logger.debug('The server is quiet, and V8 is asked to collect its garbage')
    try {
      this.dropped = new ArrayBuffer(BUFFER_BYTES)
    } catch {
      // A process that may not even ask for so much has V8's attention already.
    }
    this.dropped = null
  }
}
