/**
 * Replication of one server: its role, the history of its data and the stream of commands that makes it, and both sides
 * of the links: replicas that follow (replicas.ts) and the master that is followed (master-link.ts).
 *
 *   clients -> engine -> effects -> buffer -> replicas           as a master
 *   master  -> MasterLink -> engine, buffer -> replicas          as a replica: the stream goes on byte by byte
 *
 * Like the engine it opens no socket and waits for no timer itself: `tick` is called by the cron, `scheduler` gives turns, the
 * network is an interface. So a master, replicas and a network between them run in one process from one seed.
 */
import { Argv } from '../base/argv.ts'
import { clientInfo } from '../engine/client-info.ts'
import { type EffectSink, TO_REPLICAS } from '../engine/effects.ts'
import type { Engine } from '../engine/engine.ts'
import { STALE, WRITE } from '../engine/flags.ts'
import { GATE_REPLICATION } from '../engine/gates.ts'
import type { ReplicaOutput, ReplicationSeam } from '../engine/replication-seam.ts'
import { FROM_MASTER, LOADER, type Session } from '../engine/session.ts'
import { Rate } from '../engine/statistics.ts'
import { commandName } from '../engine/unexpected-error.ts'
import type { Persistence, Scheduler } from '../persistence/persistence.ts'
import type { ReplicationInfo } from '../persistence/rdb/dataset-writer.ts'
import { ERR_MASTERDOWN, ERR_NOREPLICAS, ERR_READONLY, type ErrorReply, errorReply } from '../resp/errors.ts'
import { Failover } from './failover.ts'
import { History } from './history.ts'
import type { Network } from './link.ts'
import { MasterLink } from './master-link.ts'
import { OwnExpires } from './own-expires.ts'
import { Replicas, secondsBetween } from './replicas.ts'
import { ReplicationBuffer } from './replication-buffer.ts'
import type { ReplicationSettings } from './settings.ts'

export interface MasterAddress {
  readonly host: string
  readonly port: number
}

export interface ReplicationParts {
  readonly engine: Engine
  readonly persistence: Persistence
  readonly settings: ReplicationSettings
  readonly scheduler: Scheduler
  readonly network: Network
  /** The port that replicas of ours and our master are told. */
  listeningPort(): number
  /** The role, or whose replica this is, has changed. */
  onRoleChange(): void
  /** A replica has its master's data and follows. */
  onInSync(): void
}

/** What INFO stats tells of replication. */
export interface ReplicationStatistics {
  inputBytes: number
  outputBytes: number
  readonly inputRate: Rate
  readonly outputRate: Rate
}

const ERR_FORCED = errorReply(
  'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
)
const NO_DB = -1
const CRON_MS = 1000
const DISK_ERROR_LOG_MS = 10_000
/** During a failover things go faster. */
const FAILOVER_CRON_MS = 100

export class Replication implements ReplicationSeam, EffectSink {
  readonly engine: Engine
  readonly persistence: Persistence
  readonly settings: ReplicationSettings
  readonly scheduler: Scheduler
  readonly network: Network
  readonly history: History
  readonly replicas: Replicas
  readonly link: MasterLink
  readonly failover: Failover
  readonly ownExpires: OwnExpires
  readonly statistics: ReplicationStatistics
  /** Null while nobody has ever followed. */
  buffer: ReplicationBuffer | null = null
  /** Whom this server follows; null for a master. */
  masterAddress: MasterAddress | null = null
  private readonly parts: ReplicationParts
  /** The offset while there is no buffer. */
  private idleOffset = 0
  /** The database that the stream's last SELECT named. */
  private selectedDb = NO_DB
  private cronMs = Number.NEGATIVE_INFINITY
  private cronLoops = 0
  private diskErrorLoggedMs = 0

  constructor(parts: ReplicationParts) {
    this.parts = parts
    this.engine = parts.engine
    this.persistence = parts.persistence
    this.settings = parts.settings
    this.scheduler = parts.scheduler
    this.network = parts.network
    const { monotonicUs } = parts.engine.clock
    this.statistics = {
      inputBytes: 0,
      outputBytes: 0,
      inputRate: new Rate(monotonicUs),
      outputRate: new Rate(monotonicUs),
    }
    this.history = new History(parts.engine.random)
    this.replicas = new Replicas(this)
    this.link = new MasterLink(this)
    this.failover = new Failover(this)
    this.ownExpires = new OwnExpires(parts.engine.keyspace)
    const { engine, persistence } = parts
    engine.replication = this
    engine.acknowledgingReplicas = (session) => this.replicas.acknowledgedBy(session.writtenOffset)
    engine.buffers.push(memoryOf(this))
    persistence.replicationInfo = () => this.savedInfo()
    persistence.onSaveEnd = (succeeded, isTransfer) => this.replicas.saveEnded(succeeded, isTransfer)
  }

  get isReplica(): boolean {
    return this.masterAddress !== null
  }

  /** master_repl_offset: how many bytes the stream of this history has. */
  get offset(): number {
    return this.buffer === null ? this.idleOffset : this.buffer.end
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    const { statistics, replicas } = this
    statistics.inputBytes = 0
    statistics.outputBytes = 0
    for (const rate of [statistics.inputRate, statistics.outputRate]) rate.reset(this.engine.clock.monotonicUs)
    replicas.fullSyncs = 0
    replicas.partialSyncs = 0
    replicas.refusedPartialSyncs = 0
  }

  listeningPort(): number {
    return this.parts.listeningPort()
  }

  // Life

  /** Before the data file is loaded: a master tells replicas to come what expired while it was away. */
  prepareLoading(): void {
    if (this.isReplica) return
    this.createBacklog(false)
    const command = this.engine.settings.lazyExpire ? 'UNLINK' : 'DEL'
    this.persistence.onExpiredInFile = (dbIndex, key) => this.effect(dbIndex, Argv.of([command, key]), TO_REPLICAS)
  }

  /** The data file is loaded: replicas, or the master, may continue from where it stood. */
  loadedFromFile(): void {
    const { persistence, history } = this
    persistence.onExpiredInFile = null
    const loaded = persistence.loadedReplication
    if (this.isReplica) {
      if (loaded === null) return
      history.id = loaded.id
      this.setOffset(loaded.offset)
      this.link.cacheMyself(loaded.dbIndex)
    } else if (loaded === null) this.dropBacklog()
    else {
      history.secondId = loaded.id
      history.secondOffset = loaded.offset + 1
      this.buffer!.trim()
      this.buffer!.rebase(loaded.offset)
      this.engine.effects.offset = this.offset
      this.replicas.noneSinceMs = this.engine.clock.nowMs
    }
  }

  /** Begins as a replica, as configured; connects with the next round of the cron. */
  startAsReplica(address: MasterAddress): void {
    this.setMaster(address)
    this.link.state = 'connect'
    this.roleChanged()
  }

  close(): void {
    this.masterAddress = null
    this.link.close()
  }

  /** To be called after `settings` were changed. */
  settingsChanged(): void {
    const { buffer, settings } = this
    if (buffer !== null) {
      buffer.backlogBytes = settings.backlogBytes
      buffer.trim()
    }
    this.updateGuards()
    this.replicas.refreshGoodCount()
  }

  // Role

  /** Becomes the replica of a server. */
  follow(address: MasterAddress): void {
    const { engine, link } = this
    const wasMaster = this.masterAddress === null
    this.setMaster(null)
    link.dropMaster()
    engine.blocking.endAll((reply) => reply.error(ERR_FORCED))
    this.setMaster(address)
    link.cancelHandshake(false)
    if (wasMaster) {
      link.discardCached()
      link.cacheMyself()
    }
    link.state = 'connect'
    this.roleChanged()
    engine.log('notice', `Connecting to MASTER ${address.host}:${address.port}`)
    link.connect()
  }

  /** Follows nobody any more. */
  becomeMaster(): void {
    if (this.masterAddress === null) return
    const { engine, link, history } = this
    this.setMaster(null)
    link.dropMaster()
    link.discardCached()
    link.cancelHandshake(false)
    const { offset } = this
    history.shift(offset)
    engine.log(
      'warning',
      `Setting secondary replication ID to ${history.secondId}, valid up to offset: ${history.secondOffset}. New replication ID is ${history.id}`,
    )
    this.replicas.disconnectAll()
    link.state = 'none'
    link.downSinceMs = 0
    this.selectedDb = NO_DB
    this.replicas.noneSinceMs = engine.clock.nowMs
    this.roleChanged()
    // It may have been stopped for a synchronization that did not come to its end.
    this.startAppending()
  }

  /** The link to the master is up or down. */
  linkChanged(): void {
    this.updateGuards()
  }

  /** The data is the master's, and its stream is being applied. */
  inSync(): void {
    this.parts.onInSync()
  }

  /** From here on the log has the new role in its lines. */
  private setMaster(address: MasterAddress | null): void {
    this.masterAddress = address
    this.parts.onRoleChange()
  }

  private roleChanged(): void {
    this.updateGuards()
    this.updateSink()
    this.engine.updateExpireMode()
  }

  /** Writes are looked at closely where they may be refused, everything is while the data may be stale. */
  private updateGuards(): void {
    const { engine, settings, isReplica, link } = this
    const needsReplicas = settings.minReplicas > 0 && settings.minReplicasLagSeconds > 0
    engine.eviction.isOthersBusiness = isReplica && settings.ignoresMaxmemory
    this.ownExpires.setActive(isReplica && !settings.readOnly)
    engine.setGuard(WRITE, isReplica ? settings.readOnly : needsReplicas)
    engine.setGate(GATE_REPLICATION, isReplica && !settings.servesStaleData && link.state !== 'connected')
  }

  // Stream

  /** Begins to keep the stream; with a new history if there was none to continue. */
  createBacklog(isNew: boolean): void {
    const { replicas, settings, history } = this
    if (isNew) history.change()
    this.buffer = new ReplicationBuffer(this.idleOffset, settings.backlogBytes, replicas.all, replicas.isQuiet)
    this.buffer.onBlock = replicas.checkLimits
    this.updateSink()
  }

  /** Nobody can continue from here. There are no replicas. */
  dropBacklog(): void {
    this.idleOffset = this.offset
    this.buffer = null
    this.updateSink()
  }

  /** The stream stands somewhere else: the data is another master's. */
  setOffset(offset: number): void {
    this.idleOffset = offset
    if (this.buffer !== null) this.createBacklog(false)
    this.engine.effects.offset = offset
  }

  forgetSelectedDb(): void {
    this.selectedDb = NO_DB
  }

  effect(dbIndex: number, argv: Argv, targets: number): void {
    const { buffer } = this
    if (buffer === null || !(targets & TO_REPLICAS)) return
    if (dbIndex !== this.selectedDb) this.select(dbIndex)
    buffer.appendCommand(argv)
    this.engine.effects.offset = buffer.end
    if (this.replicas.all.size > 0) this.replicas.scheduleFlush()
  }

  /** A command of the link itself, which concerns no database. */
  feedAlone(parts: readonly string[]): void {
    const { buffer } = this
    if (buffer === null || this.isReplica) return
    buffer.appendCommand(Argv.of(parts))
    this.engine.effects.offset = buffer.end
    this.replicas.scheduleFlush()
  }

  /** DEBUG REPLICATE: a command as it is, for better or worse. */
  feedRaw(argv: Argv): void {
    const { buffer } = this
    if (buffer === null || this.isReplica) return
    buffer.appendCommand(argv)
    this.engine.effects.offset = buffer.end
    this.replicas.scheduleFlush()
  }

  /** The stream of our master goes on to our own replicas. */
  applied(bytes: Uint8Array, start: number, length: number): void {
    const { buffer } = this
    if (buffer === null) return
    buffer.append(bytes, start, length)
    this.engine.effects.offset = buffer.end
    if (this.replicas.all.size > 0) this.replicas.scheduleFlush()
  }

  /** DEBUG CHANGE-REPL-ID. */
  changeHistory(): void {
    this.history.change()
  }

  private select(dbIndex: number): void {
    this.buffer!.appendCommand(Argv.of(['SELECT', String(dbIndex)]))
    this.selectedDb = dbIndex
  }

  /** Only a master makes the stream itself. */
  private updateSink(): void {
    const { effects } = this.engine
    effects.removeSink(this)
    if (this.buffer !== null && !this.isReplica) effects.addSink(this)
    effects.offset = this.offset
  }

  /** Where the data stands, to be saved with it. */
  private savedInfo(): ReplicationInfo | null {
    const { history, offset } = this
    let dbIndex = this.link.dbIndex
    if (!this.isReplica) {
      if (this.buffer === null) return null
      dbIndex = this.selectedDb === NO_DB ? 0 : this.selectedDb
    }
    return dbIndex < 0 ? null : { dbIndex, id: history.id, offset }
  }

  /** Empties all databases before the data of a master is loaded. */
  flushData(): void {
    const { engine, persistence, settings } = this
    for (const db of engine.keyspace.databases) {
      engine.watch.touchAll(db, null)
      engine.keyWaiters.beforeReplaced(db, null)
    }
    engine.keyspace.clear(settings.lazyFlush)
    persistence.functions.clear()
    this.ownExpires.clear()
  }

  /** Some file is kept for its own sake. */
  get isPersistent(): boolean {
    return this.settings.appendsToFile || this.persistence.settings.savePoints.length > 0
  }

  /**
   * A file that came from the master goes if none is kept for its own sake (rdb-del-sync-files). As in Redis, append-only files
   * do not count, for they are off until the data is there, and begin anew then.
   */
  removeReceived(): void {
    const { settings, persistence, engine } = this
    if (!settings.removesSyncFiles || persistence.settings.savePoints.length > 0) return
    engine.log('notice', 'Removing the RDB file obtained from the master. This replica has persistence disabled')
    persistence.removeSaved()
  }

  /** The data is about to be another, and so is the append-only file. */
  stopAppending(): void {
    this.persistence.aof.stop()
  }

  startAppending(): void {
    if (this.settings.appendsToFile) this.persistence.aof.start()
  }

  // What the engine asks and tells

  writeRefusal(session: Session, _flags: number): ErrorReply | null {
    const { settings } = this
    if (this.isReplica) {
      return settings.readOnly && !session.has(FROM_MASTER | LOADER) ? ERR_READONLY : null
    }
    const { minReplicas, minReplicasLagSeconds } = settings
    const isEnough = minReplicas === 0 || minReplicasLagSeconds === 0 || this.replicas.goodCount >= minReplicas
    return isEnough ? null : ERR_NOREPLICAS
  }

  staleRefusal(missing: number): ErrorReply | null {
    return missing & STALE ? ERR_MASTERDOWN : null
  }

  diskFailed(isWrite: boolean): void {
    const { engine, settings } = this
    if (isWrite && !settings.ignoresDiskErrors) {
      engine.fail(new Error('Replica was unable to write command to disk.'), this.link.session)
      return
    }
    const { nowMs } = engine.clock
    if (nowMs <= this.diskErrorLoggedMs + DISK_ERROR_LOG_MS) return
    this.diskErrorLoggedMs = nowMs
    engine.log('warning', 'Replica is applying a command even though it is unable to write to disk.')
  }

  awaitReplicas(session: Session, replicas: bigint): void {
    this.replicas.awaitReplicas(session, replicas)
  }

  stopAwaiting(session: Session): void {
    this.replicas.stopWaiting(session)
  }

  disconnected(session: Session): void {
    if (session.has(FROM_MASTER)) this.link.disconnected(session)
    else this.replicas.disconnected(session)
  }

  drained(session: Session): void {
    this.replicas.drained(session)
  }

  replied(session: Session): void {
    const { engine } = this
    engine.log(
      'warning',
      `Replica generated a reply to command '${commandName(session)}', disconnecting it: ${clientInfo(session)}`,
    )
    engine.close(session, true)
  }

  heard(session: Session): void {
    this.replicas.heard(session)
  }

  outputOf(session: Session): ReplicaOutput {
    return this.replicas.outputOf(session)
  }

  // Time

  sampleRates(): void {
    const { engine, statistics } = this
    statistics.inputRate.sample(statistics.inputBytes, engine.clock.monotonicUs)
    statistics.outputRate.sample(statistics.outputBytes, engine.clock.monotonicUs)
  }

  /** The cron's share: does something once a second, or ten times while a failover is under way. */
  tick(): void {
    const { engine } = this
    const { nowMs } = engine.clock
    this.buffer?.trim()
    if (this.isReplica) {
      if (engine.settings.activeExpire) this.ownExpires.tick()
    } else this.ownExpires.clear()
    const periodMs = this.failover.isUnderWay ? FAILOVER_CRON_MS : CRON_MS
    if (nowMs - this.cronMs < periodMs && nowMs >= this.cronMs) return
    this.cronMs = nowMs
    this.failover.update()
    this.link.tick()
    const { replicas, settings } = this
    if (this.cronLoops % settings.pingSeconds === 0 && replicas.count > 0) {
      // A failover waits until the stream stands still.
      if (!(this.failover.hasEnd && engine.pause.isPaused)) this.feedAlone(['ping'])
    }
    replicas.tick()
    this.forgetOldBacklog()
    replicas.startPending()
    replicas.removeFile()
    replicas.refreshGoodCount()
    this.cronLoops++
  }

  /** Without replicas for long enough a master keeps no backlog; a replica does, since it may be promoted. */
  private forgetOldBacklog(): void {
    const { replicas, settings, engine } = this
    if (replicas.count > 0 || settings.backlogSeconds === 0 || this.buffer === null || this.isReplica) return
    if (secondsBetween(replicas.noneSinceMs, engine.clock.nowMs) <= settings.backlogSeconds) return
    // Writes do not count from here on, so nobody may take this history for complete.
    this.history.change()
    this.dropBacklog()
    engine.log(
      'notice',
      `Replication backlog freed after ${settings.backlogSeconds} seconds without connected replicas.`,
    )
  }
}

function memoryOf(replication: Replication): { readonly usedBytes: number; readonly uncountedBytes: number } {
  return {
    get usedBytes() {
      return replication.buffer?.memoryBytes ?? 0
    },
    get uncountedBytes() {
      const { buffer, settings } = replication
      return buffer === null ? 0 : Math.max(0, buffer.memoryBytes - settings.backlogBytes)
    },
  }
}
