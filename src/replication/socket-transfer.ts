/**
 * A snapshot straight from the walk over the data to the sockets of replicas, all of them fed from one walk.
 *
 *   "$EOF:" <40 random characters> CR LF   the data as an RDB file   the same 40 characters
 *
 * The walk stops while a replica is behind, so a slow one holds up the others, as in Redis; the cron drops one that takes
 * nothing for repl-timeout. What clients change meanwhile is handed over in any case and waits on the sockets.
 * Source: Redis, replication.c (rdbPipeReadHandler) and rdb.c (rdbSaveToSlavesSockets).
 */
import { latin1Bytes } from '../base/byte-text.ts'
import { IDLE, type SaveEvents, type SaveParts } from '../persistence/background-save.ts'
import type { SaveJob } from '../persistence/persistence.ts'
import type { RdbSink } from '../persistence/rdb/rdb-writer.ts'
import { SnapshotWalk } from '../persistence/rdb/snapshot-walk.ts'
import type { AttachedReplica } from './attached-replica.ts'

export const EOF_MARK_LENGTH = 40
const BUFFER_BYTES = 128 * 1024
/** The walk stops when so much waits for a replica. */
const BEHIND_BYTES = 1024 * 1024

export class SocketTransfer implements SaveJob, RdbSink {
  readonly walk: SnapshotWalk
  private readonly events: SaveEvents
  private readonly replicas: Set<AttachedReplica>
  private readonly mark: Uint8Array
  private readonly log: SaveParts['log']
  private readonly sent: (bytes: number) => void
  private isWalked = false
  private isOver = false

  /** `sent` is told of bytes handed to the network. */
  constructor(
    parts: SaveParts,
    events: SaveEvents,
    replicas: readonly AttachedReplica[],
    mark: string,
    sent: (bytes: number) => void,
  ) {
    this.events = events
    this.replicas = new Set(replicas)
    this.mark = latin1Bytes(mark)
    this.log = parts.log
    this.sent = sent
    this.sendToAll(latin1Bytes(`$EOF:${mark}\r\n`))
    const { keyspace, codecs, info, walk } = parts
    this.walk = new SnapshotWalk(keyspace, codecs, this, new Uint8Array(BUFFER_BYTES), info, walk, events.onAbandon)
  }

  step(budgetUs: number): number {
    if (this.isOver) return IDLE
    if (this.isWalked) {
      this.endIfTaken()
      return IDLE
    }
    if (this.isBehind()) return IDLE
    if (this.walk.step(budgetUs)) {
      this.isWalked = true
      this.sendToAll(this.mark)
      this.endIfTaken()
      return IDLE
    }
    return this.walk.takeDelayMs()
  }

  discard(): boolean {
    this.isOver = true
    this.walk.stop()
    return true
  }

  take(bytes: Uint8Array, length: number): Uint8Array {
    this.sendToAll(bytes.subarray(0, length))
    // What no socket holds on to may be filled again.
    for (const replica of this.replicas) if (replica.queuedBytes() > 0) return new Uint8Array(BUFFER_BYTES)
    return bytes
  }

  /** The network has taken all that waited for a replica. */
  drained(): void {
    if (!this.isOver) this.events.onWork()
  }

  has(replica: AttachedReplica): boolean {
    return this.replicas.has(replica)
  }

  /** A replica is gone. Returns whether nobody is left. */
  drop(replica: AttachedReplica): boolean {
    if (this.isOver || !this.replicas.delete(replica)) return false
    if (this.replicas.size > 0) {
      this.events.onWork()
      return false
    }
    if (this.isWalked) this.isOver = true
    return true
  }

  private isBehind(): boolean {
    for (const replica of this.replicas) if (replica.queuedBytes() >= BEHIND_BYTES) return true
    return false
  }

  private endIfTaken(): void {
    for (const replica of this.replicas) if (replica.queuedBytes() > 0) return
    this.isOver = true
    this.log('warning', `Diskless rdb transfer, done reading from pipe, ${this.replicas.size} replicas still up.`)
    this.events.onEnd(true)
  }

  private sendToAll(bytes: Uint8Array): void {
    for (const replica of this.replicas) {
      replica.session.sink?.send(bytes)
      this.sent(bytes.length)
    }
  }
}
