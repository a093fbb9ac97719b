/**
 * The master side: replicas that follow this server, from PSYNC to the stream, and what is held against them.
 *
 *   SYNC/PSYNC --partial--> online
 *              --full--> wait-start -> (snapshot begins, FULLRESYNC) -> wait-end -> [send-bulk] -> online
 *
 * A snapshot goes to a file that is then sent (disk), or straight to the sockets; whoever waits when it begins gets it, and
 * who comes later joins one on disk. While it lasts the stream is kept for them. Rules, order and log lines are Redis's.
 * Source: Redis 7.0, replication.c.
 */
import type { Argv } from '../base/argv.ts'
import { latin1Bytes } from '../base/byte-text.ts'
import { clientInfo } from '../engine/client-info.ts'
import { GATE_REPLICA } from '../engine/gates.ts'
import { isAboveOutputLimit } from '../engine/output-limits.ts'
import { NO_OUTPUT, type ReplicaOutput } from '../engine/replication-seam.ts'
import { CLOSE_AFTER_REPLY, CLOSE_ASAP, MONITOR, REPLICA, type Session } from '../engine/session.ts'
import { Keyspace } from '../keyspace/keyspace.ts'
import { FileError, type ReadableFile } from '../persistence/file-system.ts'
import { AttachedReplica, NOT_READING } from './attached-replica.ts'
import type { Replication } from './replication.ts'
import { EOF_MARK_LENGTH, SocketTransfer } from './socket-transfer.ts'

/** A replica's socket is given more while less than this waits there. */
const QUEUE_BYTES_MAX = 64 * 1024
const PIECE_BYTES_MAX = 256 * 1024
const FILE_PIECE_BYTES = 64 * 1024
/** Bytes of a file that are sent to a replica before others have their turn. */
const FILE_TURN_BYTES = 512 * 1024
const LF = new Uint8Array([10])

interface Sending {
  readonly replica: AttachedReplica
  readonly file: ReadableFile
  leftBytes: number
}

interface Waiter {
  readonly wanted: bigint
  readonly offset: number
}

export class Replicas {
  /** Of INFO stats. */
  fullSyncs = 0
  partialSyncs = 0
  refusedPartialSyncs = 0
  /** Replicas online that are not behind by more than min-replicas-max-lag. */
  goodCount = 0
  /** Since when there has been none, Unix milliseconds. */
  noneSinceMs: number
  /** In the order in which they came. */
  readonly all = new Set<AttachedReplica>()
  private readonly replication: Replication
  /** Whatever a client has told by REPLCONF. */
  private readonly told = new Map<Session, AttachedReplica>()
  private readonly sendings = new Map<AttachedReplica, Sending>()
  private readonly waiting = new Map<Session, Waiter>()
  private transfer: SocketTransfer | null = null
  private wantsAcks = false
  private isFlushing = false
  private removesFile = false

  constructor(replication: Replication) {
    this.replication = replication
    this.noneSinceMs = replication.engine.clock.nowMs
  }

  get count(): number {
    return this.all.size
  }

  /** No piece of the stream waits on a socket. */
  readonly isQuiet = (): boolean => {
    for (const replica of this.all) if (replica.queuedBytes() > 0) return false
    return true
  }

  /** What is known of a client that talks as a replica does. */
  about(session: Session): AttachedReplica {
    let replica = this.told.get(session)
    if (replica === undefined) {
      replica = new AttachedReplica(session)
      this.told.set(session, replica)
    }
    return replica
  }

  /** What is known of a client, if it has told anything. */
  known(session: Session): AttachedReplica | undefined {
    return this.told.get(session)
  }

  // SYNC and PSYNC

  /** Answers SYNC, and PSYNC whose offset has been read. */
  sync(ctx: Session, argv: Argv, psyncOffset: bigint | null): void {
    const { engine } = this.replication
    const replica = this.about(ctx)
    if (psyncOffset !== null) {
      const id = argv.latin1(1)
      if (this.continueFrom(replica, id, psyncOffset)) {
        this.partialSyncs++
        return
      }
      if (!id.startsWith('?')) this.refusedPartialSyncs++
    } else replica.isOld = true
    this.fullSyncs++
    this.attach(replica, 'wait-start')
    const { settings } = this.replication
    if (settings.disablesNoDelay) ctx.sink?.setNoDelay?.(false)
    if (this.all.size === 1 && this.replication.buffer === null) {
      this.replication.createBacklog(true)
      const { id, secondId } = this.replication.history
      engine.log('notice', `Replication backlog created, my new replication IDs are '${id}' and '${secondId}'`)
    }
    this.joinSnapshot(replica)
  }

  /** Lets a replica go on from where it was, if what it lacks is still there. */
  private continueFrom(replica: AttachedReplica, id: string, offset: bigint): boolean {
    const { engine, history, buffer } = this.replication
    const asked = id.toLowerCase()
    const isSecond = asked === history.secondId && offset <= BigInt(history.secondOffset)
    if (asked !== history.id && !isSecond) {
      if (id.startsWith('?')) engine.log('notice', `Full resync requested by replica ${replica.name}`)
      else if (asked === history.secondId) {
        engine.log(
          'notice',
          `Partial resynchronization not accepted: Requested offset for second ID was ${offset}, but I can reply up to ${history.secondOffset}`,
        )
      } else {
        engine.log(
          'notice',
          `Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '${id}', my replication IDs are '${history.id}' and '${history.secondId}')`,
        )
      }
      return false
    }
    if (buffer === null || offset < BigInt(buffer.start + 1) || offset > BigInt(buffer.end + 1)) {
      engine.log(
        'notice',
        `Unable to partial resync with replica ${replica.name} for lack of backlog (Replica request was: ${offset}).`,
      )
      if (offset > BigInt(this.replication.offset)) {
        engine.log(
          'warning',
          `Warning: replica ${replica.name} tried to PSYNC with an offset that is greater than the master replication offset.`,
        )
      }
      return false
    }
    this.attach(replica, 'online')
    replica.startsOnAck = false
    replica.ackMs = engine.clock.nowMs
    this.sendNow(replica, latin1Bytes(replica.knowsPsync2 ? `+CONTINUE ${history.id}\r\n` : '+CONTINUE\r\n'))
    replica.position = Number(offset) - 1
    const length = buffer.end - replica.position
    engine.log(
      'notice',
      `Partial resynchronization request from ${replica.name} accepted. Sending ${length} bytes of backlog starting from offset ${offset}.`,
    )
    this.refreshGoodCount()
    this.scheduleFlush()
    return true
  }

  private attach(replica: AttachedReplica, state: 'wait-start' | 'online'): void {
    const { session } = replica
    session.setFlag(REPLICA)
    session.gate |= GATE_REPLICA
    replica.state = state
    replica.position = NOT_READING
    this.all.add(replica)
  }

  private joinSnapshot(replica: AttachedReplica): void {
    const { engine, persistence, settings } = this.replication
    if (persistence.state.isSaving && !persistence.isTransferring) {
      const other = this.findFeeding(replica)
      if (other === null) {
        engine.log('notice', "Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC")
        return
      }
      this.setUp(replica, other.startPosition)
      engine.log('notice', 'Waiting for end of BGSAVE for SYNC')
    } else if (persistence.state.isSaving) {
      engine.log('notice', 'Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC')
    } else if (settings.diskless && replica.takesEof && settings.disklessDelaySeconds > 0) {
      engine.log('notice', 'Delay next BGSAVE for diskless SYNC')
    } else if (engine.keyspace.snapshot === null) this.startSnapshot(replica.takesEof, replica)
    else {
      engine.log('notice', 'No BGSAVE in progress, but another BG operation is active. BGSAVE for replication delayed')
    }
  }

  /** A replica whose snapshot on disk another may share: the stream since its start is kept. */
  private findFeeding(replica: AttachedReplica): AttachedReplica | null {
    for (const other of this.all) {
      if (other.state !== 'wait-end' || (other.rdbOnly && !replica.rdbOnly)) continue
      const isAble = (replica.takesEof || !other.takesEof) && (replica.knowsPsync2 || !other.knowsPsync2)
      return isAble && replica.request === other.request ? other : null
    }
    return null
  }

  /** From here on the stream is kept for it. */
  private setUp(replica: AttachedReplica, position: number): void {
    const { history } = this.replication
    replica.startPosition = position
    replica.state = 'wait-end'
    if (!replica.rdbOnly) replica.position = position
    // The stream must say anew which database is meant.
    this.replication.forgetSelectedDb()
    if (!replica.isOld) this.sendNow(replica, latin1Bytes(`+FULLRESYNC ${history.id} ${position}\r\n`))
  }

  // Snapshots

  /** The cron's share: begins a snapshot for those who wait, when they have waited long enough for others to come. */
  startPending(): void {
    const { engine, persistence, settings } = this.replication
    if (persistence.state.isSaving || engine.keyspace.snapshot !== null) return
    let first: AttachedReplica | null = null
    let idleSeconds = 0
    let waiting = 0
    let allTakeEof = true
    for (const replica of this.all) {
      if (replica.state !== 'wait-start') continue
      first ??= replica
      if (replica.request !== first.request) continue
      idleSeconds = Math.max(idleSeconds, secondsBetween(replica.session.lastInteractionMs, engine.clock.nowMs))
      waiting++
      allTakeEof &&= replica.takesEof
    }
    if (first === null) return
    const { diskless, disklessReplicasMax, disklessDelaySeconds } = settings
    if (
      !diskless ||
      (disklessReplicasMax > 0 && waiting >= disklessReplicasMax) ||
      idleSeconds >= disklessDelaySeconds
    ) {
      this.startSnapshot(allTakeEof, first)
    }
  }

  /** Begins a snapshot for all that wait and want the same as `like`. */
  private startSnapshot(allTakeEof: boolean, like: AttachedReplica): void {
    const { engine, persistence, settings } = this.replication
    const isFiltered = !like.wantsData || !like.wantsFunctions
    const isDiskless = (settings.diskless || isFiltered || settings.keepsOffDisk) && allTakeEof
    engine.log('notice', `Starting BGSAVE for SYNC with target: ${isDiskless ? 'replicas sockets' : 'disk'}`)
    const replicas = [...this.all].filter(({ state, request }) => state === 'wait-start' && request === like.request)
    if (persistence.replicationInfo() === null) {
      engine.log(
        'warning',
        "BGSAVE for replication: replication information not available, can't generate the RDB file right now. Try later.",
      )
      this.refuseAll(replicas)
      return
    }
    const position = this.replication.offset
    if (isDiskless) this.startTransfer(replicas, position)
    else if (persistence.startBackgroundSave()) {
      if (settings.removesSyncFiles) this.removesFile = true
      for (const replica of replicas) this.setUp(replica, position)
    } else this.refuseAll(replicas)
  }

  private startTransfer(replicas: readonly AttachedReplica[], position: number): void {
    const { engine, persistence, statistics } = this.replication
    for (const replica of replicas) {
      this.setUp(replica, position)
      replica.stuckMs = 0
    }
    const mark = engine.random.hex(EOF_MARK_LENGTH)
    const { wantsData, wantsFunctions } = replicas[0]!
    persistence.startTransfer((parts, events) => {
      // Of a filtered snapshot the data is that of an empty server.
      const { clock, random, keyspace } = engine
      const source = wantsData ? keyspace : new Keyspace(clock, random, keyspace.databases.length)
      const info = wantsFunctions ? parts.info : { ...parts.info, functions: [] }
      const transfer = new SocketTransfer({ ...parts, keyspace: source, info }, events, replicas, mark, (bytes) => {
        statistics.outputBytes += bytes
      })
      this.transfer = transfer
      return transfer
    })
  }

  private refuseAll(replicas: readonly AttachedReplica[]): void {
    const { engine } = this.replication
    engine.log('warning', 'BGSAVE for replication failed')
    for (const replica of replicas) {
      this.detach(replica)
      replica.session.clearFlag(REPLICA)
      engine.send(replica.session, (reply) => reply.errorText("ERR BGSAVE failed, replication can't continue"))
      if (replica.session === engine.activeSession) replica.session.setFlag(CLOSE_AFTER_REPLY)
      else engine.close(replica.session, false)
    }
  }

  /** A save is over: those who waited for it go on. */
  saveEnded(succeeded: boolean, isTransfer: boolean): void {
    const { engine, persistence } = this.replication
    this.transfer = null
    for (const replica of [...this.all]) {
      if (replica.state !== 'wait-end') continue
      if (!succeeded) {
        engine.close(replica.session, true)
        engine.log('warning', 'SYNC failed. BGSAVE child returned an error')
      } else if (isTransfer) {
        engine.log(
          'notice',
          `Streamed RDB transfer with replica ${replica.name} succeeded (socket). Waiting for REPLCONF ACK from slave to enable streaming`,
        )
        replica.startsOnAck = true
        if (!this.putOnline(replica)) engine.close(replica.session, false)
      } else {
        let file: ReadableFile
        try {
          file = persistence.openSaved()
        } catch (error) {
          if (!(error instanceof FileError)) throw error
          engine.close(replica.session, true)
          engine.log('warning', `SYNC failed. Can't open/stat DB after BGSAVE: ${error.message}`)
          continue
        }
        replica.state = 'send-bulk'
        this.sendings.set(replica, { replica, file, leftBytes: file.sizeBytes })
        this.sendNow(replica, latin1Bytes(`$${file.sizeBytes}\r\n`))
        this.sendFile(replica)
      }
    }
    this.startPending()
  }

  /** Goes on sending a file, as far as the network takes it. */
  private sendFile(replica: AttachedReplica): void {
    const sending = this.sendings.get(replica)
    if (sending === undefined) return
    const { engine, scheduler, statistics } = this.replication
    for (let turnBytes = 0; sending.leftBytes > 0; ) {
      if (replica.queuedBytes() > 0) return
      if (turnBytes >= FILE_TURN_BYTES) {
        scheduler.soon(() => this.sendFile(replica))
        return
      }
      const piece = new Uint8Array(Math.min(FILE_PIECE_BYTES, sending.leftBytes))
      let count: number
      try {
        count = sending.file.readSync(piece, 0)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        engine.log('warning', `Read error sending DB to replica: ${error.message}`)
        engine.close(replica.session, true)
        return
      }
      if (count === 0) {
        engine.log('warning', 'Read error sending DB to replica: premature EOF')
        engine.close(replica.session, true)
        return
      }
      sending.leftBytes -= count
      turnBytes += count
      statistics.outputBytes += count
      replica.session.sink?.send(piece.subarray(0, count))
      if (!this.sendings.has(replica)) return
    }
    this.endSending(replica)
    if (this.putOnline(replica)) this.scheduleFlush()
    else engine.close(replica.session, false)
  }

  private endSending(replica: AttachedReplica): void {
    this.sendings.get(replica)?.file.closeSync()
    this.sendings.delete(replica)
  }

  /** It has the data. False: that was all it wanted. */
  private putOnline(replica: AttachedReplica): boolean {
    const { engine } = this.replication
    if (replica.rdbOnly) {
      replica.state = 'sent'
      engine.log('notice', `RDB transfer completed, rdb only replica (${replica.name}) should be disconnected asap`)
      return false
    }
    replica.state = 'online'
    replica.ackMs = engine.clock.nowMs
    this.refreshGoodCount()
    engine.log('notice', `Synchronization with replica ${replica.name} succeeded`)
    return true
  }

  // The stream

  /** Something was added to the stream: it is sent once all who are at it have had their turn. */
  scheduleFlush(): void {
    if (this.isFlushing) return
    this.isFlushing = true
    this.replication.scheduler.soon(this.flush)
  }

  /** Sends what there is, and asks for acknowledgements if somebody waits for them. */
  private readonly flush = (): void => {
    this.isFlushing = false
    if (this.replication.engine.isStopped) return
    this.answerWaiting()
    this.sendAcksRequest()
    for (const replica of this.all) if (replica.isStreaming) this.feed(replica)
    this.replication.buffer?.trim()
    this.replication.failover.update()
  }

  private feed(replica: AttachedReplica): void {
    const { buffer, statistics } = this.replication
    const { sink } = replica.session
    if (buffer === null || sink === null) return
    while (replica.state === 'online' && sink.queuedBytes < QUEUE_BYTES_MAX) {
      const piece = buffer.piece(replica.position, PIECE_BYTES_MAX)
      if (piece === null) return
      replica.position += piece.length
      statistics.outputBytes += piece.length
      sink.send(piece)
    }
  }

  /** A block of the stream was filled: who is too far behind is given up. */
  readonly checkLimits = (): void => {
    const { engine, settings } = this.replication
    for (const replica of this.all) {
      if (replica.position === NOT_READING || replica.session.has(CLOSE_ASAP)) continue
      const limit = engine.settings.outputLimits.replica
      // A backlog shorter than the limit would let replicas continue that are then thrown out.
      const hardBytes = limit.hardBytes === 0 ? 0 : Math.max(limit.hardBytes, settings.backlogBytes)
      const usedBytes = this.outputBytes(replica)
      if (!isAboveOutputLimit(replica.session, { ...limit, hardBytes }, usedBytes)) continue
      engine.log(
        'warning',
        `Client ${clientInfo(replica.session)} scheduled to be closed ASAP for overcoming of output buffer limits.`,
      )
      engine.statistics.outputLimitDisconnections++
      replica.session.setFlag(CLOSE_ASAP)
      // A command is under way that adds to the stream.
      this.replication.scheduler.soon(() => this.drop(replica))
    }
  }

  /** Memory of a replica's part of the stream. */
  outputBytes(replica: AttachedReplica): number {
    const { buffer } = this.replication
    return buffer === null || replica.position === NOT_READING ? 0 : buffer.memoryFrom(replica.position)
  }

  outputOf(session: Session): ReplicaOutput {
    const { buffer } = this.replication
    const replica = this.told.get(session)
    if (buffer === null || replica === undefined || replica.position === NOT_READING) return NO_OUTPUT
    return { blocks: buffer.blocksFrom(replica.position), bytes: buffer.memoryFrom(replica.position) }
  }

  /** Ends a replica that may be marked as closed already. */
  drop(replica: AttachedReplica): void {
    const { session } = replica
    session.clearFlag(CLOSE_ASAP)
    this.replication.engine.close(session, true)
  }

  /** All replicas have to come anew: the history has changed. */
  disconnectAll(): void {
    for (const replica of [...this.all]) this.replication.engine.close(replica.session, true)
  }

  // What replicas tell

  acknowledge(replica: AttachedReplica, offset: number): void {
    if (offset > replica.ackOffset) replica.ackOffset = offset
    replica.ackMs = this.replication.engine.clock.nowMs
    if (replica.startsOnAck && replica.state === 'online') {
      replica.startsOnAck = false
      this.scheduleFlush()
    }
    this.answerWaiting()
    if (this.replication.failover.isUnderWay) this.scheduleFlush()
  }

  heard(session: Session): void {
    const replica = this.told.get(session)
    if (replica !== undefined) replica.ackMs = this.replication.engine.clock.nowMs
  }

  drained(session: Session): void {
    const replica = this.told.get(session)
    if (replica === undefined) return
    if (replica.state === 'send-bulk') this.sendFile(replica)
    else if (replica.state === 'online' && replica.isStreaming) this.feed(replica)
    else if (replica.state === 'wait-end') this.transfer?.drained()
  }

  disconnected(session: Session): void {
    const replica = this.told.get(session)
    if (replica === undefined) return
    const { engine } = this.replication
    if (session.has(REPLICA) && !session.has(MONITOR) && !engine.isStopped) {
      engine.log('warning', `Connection with replica ${replica.name} lost.`)
    }
    this.told.delete(session)
    this.detach(replica)
  }

  private detach(replica: AttachedReplica): void {
    const { engine, persistence, scheduler } = this.replication
    const wasWaiting = replica.state === 'wait-end'
    replica.state = 'none'
    replica.position = NOT_READING
    this.endSending(replica)
    if (!this.all.delete(replica)) return
    if (this.all.size === 0) this.noneSinceMs = engine.clock.nowMs
    this.refreshGoodCount()
    this.replication.buffer?.trim()
    const { transfer } = this
    if (wasWaiting && transfer === null) this.endUselessSave()
    if (transfer === null || !transfer.drop(replica)) return
    engine.log('warning', 'Diskless rdb transfer, last replica dropped, killing fork child.')
    // The walk may be at it.
    scheduler.soon(() => {
      if (this.transfer === transfer) persistence.killSave()
    })
  }

  /** A file that was being written for replicas is of no use once none waits for it, unless data is to be saved anyway. */
  private endUselessSave(): void {
    const { persistence, scheduler } = this.replication
    const isUseless = () => {
      if (!persistence.state.isSaving || persistence.isTransferring || persistence.settings.savePoints.length > 0)
        return false
      for (const { state } of this.all) if (state === 'wait-end') return false
      return true
    }
    if (!isUseless()) return
    scheduler.soon(() => {
      if (isUseless()) persistence.killSave()
    })
  }

  // WAIT

  /** How many have so much of the stream. */
  acknowledgedBy(offset: number): number {
    let count = 0
    for (const replica of this.all) if (replica.state === 'online' && replica.ackOffset >= offset) count++
    return count
  }

  awaitReplicas(session: Session, wanted: bigint): void {
    // Redis keeps the number in 32 bits, so what is lost above them may let the client go at once.
    this.waiting.set(session, { wanted: BigInt.asIntN(32, wanted), offset: session.writtenOffset })
    this.wantsAcks = true
    this.scheduleFlush()
  }

  stopWaiting(session: Session): void {
    this.waiting.delete(session)
  }

  private answerWaiting(): void {
    const { blocking } = this.replication.engine
    for (const [session, { wanted, offset }] of this.waiting) {
      const count = this.acknowledgedBy(offset)
      if (count < wanted) continue
      this.waiting.delete(session)
      blocking.answer(session, (reply) => reply.integer(count))
    }
  }

  /** Not while clients are paused, since the stream is to stand still then. */
  private sendAcksRequest(): void {
    if (!this.wantsAcks || this.replication.engine.pause.isPaused) return
    this.wantsAcks = false
    this.askForAcks()
  }

  // Time

  refreshGoodCount(): void {
    const { engine, settings } = this.replication
    if (settings.minReplicas === 0 || settings.minReplicasLagSeconds === 0) return
    let good = 0
    for (const replica of this.all) {
      if (replica.state !== 'online') continue
      if (secondsBetween(replica.ackMs, engine.clock.nowMs) <= settings.minReplicasLagSeconds) good++
    }
    this.goodCount = good
  }

  /** Once a second: signs of life for those who wait, and an end for those who give none. */
  tick(): void {
    const { engine, persistence, settings } = this.replication
    const { nowMs } = engine.clock
    for (const replica of [...this.all]) {
      const { state } = replica
      if (state === 'wait-start' || (state === 'wait-end' && !persistence.isTransferring)) this.sendNow(replica, LF)
      if (state === 'online') {
        if (replica.isOld || secondsBetween(replica.ackMs, nowMs) <= settings.timeoutSeconds) continue
        engine.log('warning', `Disconnecting timedout replica (streaming sync): ${replica.name}`)
        engine.close(replica.session, true)
      } else if (state === 'wait-end' && this.transfer?.has(replica)) this.tickTransfer(replica, nowMs)
    }
    if (this.wantsAcks || this.waiting.size > 0) this.scheduleFlush()
  }

  private tickTransfer(replica: AttachedReplica, nowMs: number): void {
    const { engine, settings } = this.replication
    const queued = replica.queuedBytes()
    if (queued === 0 || queued < replica.stuckBytes) replica.stuckMs = 0
    replica.stuckBytes = queued
    if (queued === 0) return
    if (replica.stuckMs === 0) replica.stuckMs = nowMs
    if (secondsBetween(replica.stuckMs, nowMs) <= settings.timeoutSeconds) return
    engine.log('warning', `Disconnecting timedout replica (full sync): ${replica.name}`)
    engine.close(replica.session, true)
  }

  /** A file that was made for replicas alone goes once none needs it (rdb-del-sync-files). */
  removeFile(): void {
    const { engine, persistence, settings } = this.replication
    if (!settings.removesSyncFiles) {
      this.removesFile = false
      return
    }
    if (!this.removesFile || this.replication.isPersistent) return
    for (const { state } of this.all)
      if (state === 'wait-start' || state === 'wait-end' || state === 'send-bulk') return
    this.removesFile = false
    engine.log('notice', 'Removing the RDB file used to feed replicas in a persistence-less instance')
    persistence.removeSaved()
  }

  /** Whether every replica has said that it has the whole stream. */
  haveAll(): boolean {
    const { offset } = this.replication
    for (const replica of this.all) if (replica.ackOffset !== offset) return false
    return true
  }

  /** Asks all replicas how far they are. */
  askForAcks(): void {
    this.replication.feedAlone(['REPLCONF', 'GETACK', '*'])
  }

  /** Before the server ends: who has not got everything. */
  logLagging(): void {
    const { engine, offset } = this.replication
    let lagging = 0
    for (const replica of this.all) {
      if (replica.ackOffset === offset) continue
      lagging++
      const lag = replica.state === 'online' ? secondsBetween(replica.ackMs, engine.clock.nowMs) : 0
      engine.log(
        'warning',
        `Lagging replica ${replica.name} reported offset ${offset - replica.ackOffset} behind master, lag=${lag}, state=${replica.stateName}.`,
      )
    }
    if (this.all.size === 0) return
    engine.log('notice', `${this.all.size - lagging} of ${this.all.size} replicas are in sync when shutting down.`)
  }

  /** Memory of what waits for replicas on their sockets, and of the stream behind the backlog. */
  clientsBytes(): number {
    let bytes = 0
    for (const replica of this.all) bytes += replica.queuedBytes()
    return bytes
  }

  private sendNow(replica: AttachedReplica, bytes: Uint8Array): void {
    this.replication.statistics.outputBytes += bytes.length
    replica.session.sink?.send(bytes)
  }
}

export function secondsBetween(fromMs: number, toMs: number): number {
  return Math.floor(toMs / 1000) - Math.floor(fromMs / 1000)
}
