/**
 * One server: the engine, what surrounds it, and its life from start to end. The only place that sees everything.
 *
 *   create -> start (listen, load, accept) -> run -> shutdown or close
 *
 * Nothing here ends the process: the program does (cli.ts), an embedding application decides for itself.
 */
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Command } from '../engine/command.ts'
import { Engine } from '../engine/engine.ts'
import type { Session } from '../engine/session.ts'
import { Listener } from '../net/listener.ts'
import { TcpNetwork } from '../net/replication-network.ts'
import { PersistenceError } from '../persistence/errors.ts'
import type { FileSystem } from '../persistence/file-system.ts'
import { Persistence } from '../persistence/persistence.ts'
import { PersistenceSettings } from '../persistence/settings.ts'
import { Replication } from '../replication/replication.ts'
import { ReplicationSettings } from '../replication/settings.ts'
import { applyConfig } from './apply-config.ts'
import { builtInCommands } from './built-in-commands.ts'
import type { ConfigStore } from './config/store.ts'
import { systemErrorText } from './config/system-error.ts'
import type { Crash } from './crash.ts'
import { logCrash } from './crash-report.ts'
import { Cron } from './cron.ts'
import { nodeFileSystem } from './file-system.ts'
import { openListeners } from './listening.ts'
import type { Logger } from './log/logger.ts'
import { logGreeting } from './log/logo.ts'
import { MemoryMeter } from './memory-meter.ts'
import { Migration } from './migration.ts'
import { ModuleError, type ModuleParameters, type ModuleRequest, Modules } from './modules.ts'
import { createScheduler } from './scheduler.ts'
import { Shutdown } from './shutdown.ts'
import { checkBacklog, fitClientsAtStart } from './system-limits.ts'

/** Whoever asks for less has probably left out the unit. */
const SUSPICIOUS_MAXMEMORY_BYTES = 1024 * 1024

export interface ServerParts {
  readonly config: ConfigStore
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Commands beside the built-in ones. */
  readonly commands: readonly Command[]
  /** Where files are; the disk by default. */
  readonly fileSystem?: FileSystem
  /** Several servers may live in this process: their temporary files need names of their own. */
  readonly isGuest: boolean
  /** rename-command: from, to; an empty name takes the command away. */
  readonly renames: readonly (readonly [from: string, to: string])[]
  /** Show the logo even without always-show-logo (a terminal is watching). */
  readonly showLogo: boolean
  /** Port 0 stands for any free port; to the program it means no TCP. */
  readonly anyPort: boolean
  /** Whether to begin with the data that `dir` and `dbfilename` lead to. */
  readonly loadsData: boolean
  /** May run without listening anywhere: in-process clients only. */
  readonly mayBeDeaf: boolean
  /** Path of the program, for INFO; empty when embedded. */
  readonly executable: string
  /** Modules to load at start, and the parameters that they may take. */
  readonly modules: readonly ModuleRequest[]
  readonly moduleParameters: ModuleParameters
  /** This server has its master's data and follows it. */
  readonly onInSync?: () => void
  /** Null if there is no pid file. */
  readonly removePidFile: (() => void) | null
  /** SHUTDOWN has done its part: the program ends, an embedded server closes. */
  readonly onShutdown: (server: Server) => void
  /** A bug has stopped this server. */
  readonly onFatal: (error: unknown) => void
}

export class Server {
  readonly parts: ServerParts
  readonly config: ConfigStore
  readonly logger: Logger
  readonly engine: Engine
  readonly listener: Listener
  readonly cron: Cron
  readonly memory: MemoryMeter
  readonly modules: Modules
  readonly replication: Replication
  readonly shutdown: Shutdown
  readonly persistence: Persistence
  readonly migration: Migration
  readonly startedMs: number
  /** Identifies this run, 40 hexadecimal digits. */
  readonly runId: string
  /** The port listened on, 0 without TCP. */
  port = 0
  /** Of a closed server: stands for its memory with V8, see create-server.ts. */
  weight: ArrayBuffer | null = null
  private closing: Promise<void> | null = null

  constructor(parts: ServerParts) {
    this.parts = parts
    this.config = parts.config
    this.logger = parts.logger
    const { clock, random, logger } = parts
    this.startedMs = clock.nowMs
    this.runId = random.hex(40)
    const { fields } = this.config
    this.engine = new Engine({
      clock,
      random,
      databases: fields.databases,
      commands: [...builtInCommands(this), ...parts.commands],
      log: (level, message) => logger.log(level, message),
      isLogged: (level) => logger.isOn(level),
      onFatal: (error, session) => this.fatal(error, session),
    })
    for (const [from, to] of parts.renames) this.engine.commands.rename(from, to)
    this.listener = new Listener(this.engine, {
      backlog: fields.tcpBacklog,
      keepaliveSeconds: fields.tcpKeepalive,
      protectedMode: fields.protectedMode,
    })
    const scheduler = createScheduler(() => this.listener.sendReplies())
    this.memory = new MemoryMeter(this.engine)
    this.persistence = new Persistence(
      this.engine,
      {
        fileSystem: parts.fileSystem ?? nodeFileSystem,
        scheduler,
        usedMemoryBytes: () => this.memory.usedBytes,
      },
      new PersistenceSettings(),
    )
    this.replication = new Replication({
      engine: this.engine,
      persistence: this.persistence,
      settings: new ReplicationSettings(),
      scheduler,
      network: new TcpNetwork({
        sourceAddress: () => this.config.fields.bindSourceAddr || null,
        keepaliveSeconds: () => this.config.fields.tcpKeepalive,
        describe: systemErrorText,
      }),
      listeningPort: () => this.port,
      onRoleChange: () => this.roleChanged(),
      onInSync: () => parts.onInSync?.(),
    })
    this.migration = new Migration(this.engine, () => this.persistence)
    this.engine.onDataFlushed = () => this.persistence.dataFlushed()
    this.modules = new Modules({ commands: this.engine.commands, logger, directory: () => fields.dir })
    this.shutdown = new Shutdown(this)
    this.cron = new Cron(this)
    applyConfig(this)
  }

  /** Starts to listen, loads the data and accepts clients. Rejects with an error that says what is in the way. */
  async start(): Promise<void> {
    const { logger, config } = this
    const { fields } = config
    logger.role = fields.replicaof === null ? 'M' : 'S'
    logger.notice('monotonic clock: POSIX clock_gettime')
    if (!this.parts.isGuest) fitClientsAtStart(this)
    this.port = await openListeners(this)
    // A port that the system chose becomes part of the configuration.
    if (this.port !== 0 && this.port !== fields.port) config.assign('port', String(this.port))
    logGreeting(logger, fields.alwaysShowLogo || this.parts.showLogo, {
      mode: 'standalone',
      port: this.port,
      pid: process.pid,
    })
    if (!this.parts.isGuest) checkBacklog(this)
    logger.warning('Server initialized')
    const refusal = await this.modules.loadAtStart(this.parts.modules, this.parts.moduleParameters)
    if (refusal !== null) throw new ModuleError(refusal)
    this.memory.markStartup()
    this.cron.start()
    const { persistence, replication } = this
    if (fields.replicaof !== null) replication.startAsReplica(fields.replicaof)
    if (fields.appendonly) {
      if (this.parts.loadsData) await persistence.aof.loadAtStart()
      if (!this.engine.isStopped) persistence.aof.openAtStart()
    } else if (this.parts.loadsData) {
      replication.prepareLoading()
      await persistence.loadAtStart()
      if (!this.engine.isStopped) replication.loadedFromFile()
    }
    if (this.port !== 0) logger.notice('Ready to accept connections')
    if (fields.unixsocket !== '') {
      logger.notice(`The server is now ready to accept connections at ${fields.unixsocket}`)
    }
    if (fields.maxmemory > 0 && fields.maxmemory < SUSPICIOUS_MAXMEMORY_BYTES) {
      logger.warning(
        `WARNING: You specified a maxmemory value that is less than 1MB (current value is ${fields.maxmemory} bytes). Are you sure this is what you really want?`,
      )
    }
  }

  /** Moves the clock and does at once what that makes due. */
  advanceClock(ms: number): void {
    this.engine.clock.advance(ms)
    this.cron.tick()
  }

  /** This server follows another master, or none any more: log and configuration say so. */
  private roleChanged(): void {
    const { masterAddress } = this.replication
    this.logger.role = masterAddress === null ? 'M' : 'S'
    if (masterAddress === null) this.config.assign('replicaof', 'no', 'one')
    else this.config.assign('replicaof', masterAddress.host, String(masterAddress.port))
  }

  /** Stops at once with a report, as after a bug. */
  crash(crash: Crash): void {
    this.engine.fail(crash, null)
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    const { engine } = this
    engine.statistics.reset()
    for (const entry of engine.commands.entries()) entry.resetStatistics()
    const { keyspace } = engine
    engine.eviction.resetStatistics()
    engine.clientMemory.evictedClients = 0
    this.cron.defrag.resetStatistics()
    keyspace.hits = 0
    keyspace.misses = 0
    keyspace.expiredKeys = 0
    keyspace.expiredStalePercent = 0
    keyspace.expiredTimeCapReached = 0
    keyspace.lazyFree.freedObjects = 0
    keyspace.snapshotsBegun = 0
    this.persistence.state.saves = 0
    this.replication.resetStatistics()
    this.persistence.aof.state.resetStatistics()
  }

  /** Stops at once, without saving. Idempotent; resolves when no handle is left open. */
  close(): Promise<void> {
    this.closing ??= this.closeAll()
    return this.closing
  }

  private async closeAll(): Promise<void> {
    this.cron.stop()
    // Who was answered has a right to find it again.
    this.persistence.aof.close()
    const stopped = this.listener.stopListening()
    for (const session of [...this.engine.sessions.values()]) this.engine.close(session, false)
    this.listener.closeConnections(true)
    this.engine.stop()
    this.migration.close()
    this.replication.close()
    this.persistence.close()
    await stopped
  }

  private fatal(error: unknown, session: Session | null): void {
    // An operational fault has been logged by who met it.
    if (!(error instanceof PersistenceError)) logCrash(this, error, session)
    // Before the callers are rejected, so that they can be told why.
    this.parts.onFatal(error)
    void this.close()
  }
}
