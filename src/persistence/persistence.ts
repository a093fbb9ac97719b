/**
 * Saving and loading of one server: SAVE, BGSAVE, save points, the file at start, DEBUG RELOAD. When what happens, and
 * what is said of it; the format is in rdb/, files are behind file-system.ts, time is the scheduler's.
 *
 *   idle -> startBackgroundSave -> step, step, ... -> saved or failed -> idle
 *
 * One save at a time. It goes on by `step`, which the scheduler calls as long as there is work; tests call it themselves.
 * Replies, log lines and the state's rules are Redis's (rdb.c, serverCron). Where it differs: the "child" of the log is
 * this process, and a save that cannot begin is noticed at once, not by the next cron.
 */
import { LzfCompressor } from '../base/lzf.ts'
import type { Engine } from '../engine/engine.ts'
import { GATE_DISK_ERROR, GATE_LOADING } from '../engine/gates.ts'
import type { Db } from '../keyspace/db.ts'
import { EXPIRE_DELETE, EXPIRE_IGNORE } from '../keyspace/entry.ts'
import { ArenaFullError, type Ref } from '../memory/arena.ts'
import { ERR_MISCONF, type ErrorReply, errorReply } from '../resp/errors.ts'
import { AppendOnly } from './aof/append-only.ts'
import {
  BackgroundSave,
  createTempFile,
  IDLE,
  pathOf,
  renameFailure,
  type SaveEvents,
  type SaveParts,
  type SavePlace,
  writeFailure,
} from './background-save.ts'
import { EpochSweep } from './epoch-sweep.ts'
import { PersistenceError } from './errors.ts'
import { FileError, type FileSystem, type ReadableFile } from './file-system.ts'
import { type DatasetInfo, DatasetWriter, type ReplicationInfo } from './rdb/dataset-writer.ts'
import { FunctionLibraries } from './rdb/functions.ts'
import { dumpPayload, type PayloadOptions, serializedLength } from './rdb/payload.ts'
import { RdbError } from './rdb/rdb-error.ts'
import { LOADED, NEEDS_INPUT, RdbLoader, type RdbLoadOptions } from './rdb/rdb-loader.ts'
import { RdbWriter } from './rdb/rdb-writer.ts'
import type { SnapshotWalk } from './rdb/snapshot-walk.ts'
import { testDelayUs } from './rdb/test-delay.ts'
import { RdbCodecs, type RdbTypeCodec } from './rdb/type-codec.ts'
import { dataTypeCodecs } from './rdb/types/index.ts'
import { ReceivedFile } from './received-file.ts'
import type { PersistenceSettings } from './settings.ts'
import { PersistenceState } from './state.ts'
import { SyncSink } from './sync-sink.ts'

export interface Scheduler {
  /** Calls `run` when clients have had their turn. */
  soon(run: () => void): void
  after(ms: number, run: () => void): void
}

export interface PersistenceShell {
  readonly fileSystem: FileSystem
  readonly scheduler: Scheduler
  /** What INFO shows as used_memory, for the file's used-mem; the arena's share by default. */
  usedMemoryBytes?(): number
}

/** A walk over the data and what becomes of its bytes: a file, or whatever replication makes of it. */
export interface SaveJob {
  readonly walk: SnapshotWalk
  /** Does about `budgetUs` of the work. Returns after how many milliseconds to come back (0: soon), or IDLE. */
  step(budgetUs: number): number
  /** Ends it without success. False: it has as good as succeeded. */
  discard(): boolean
}

/** Where a data set that is being loaded stood in a replication. */
export interface LoadedReplication {
  readonly id: string
  readonly offset: number
  readonly dbIndex: number
}

export interface StreamLoadOptions {
  /** Infinity if it is not known. */
  readonly totalBytes: number
  /** Where the data goes; the server's databases by default. */
  readonly databases?: readonly Db[]
  readonly functions?: FunctionLibraries
  /** Clients see the old data meanwhile. */
  readonly isAsync: boolean
}

export interface StreamLoad {
  readonly loader: RdbLoader
  noteProgress(): void
  /** It is over, well or not. */
  finish(): LoadedReplication | null
}

export interface ReloadOptions {
  /** Write the file first. */
  readonly save: boolean
  /** Empty the databases before loading. */
  readonly flush: boolean
  /** Keys that are there already are replaced. */
  readonly merge: boolean
}

/** As Redis: after a failure, save points wait this long before they try again (CONFIG_BGSAVE_RETRY_DELAY). */
const RETRY_DELAY_SECONDS = 5
/**
 * How long a save in the background works at a stretch. A client waits this long for it at most, and half of it on average
 * for each request that it sends alone; so it is short while there are clients that ask for anything.
 */
const QUIET_STEP_US = 250
const BUSY_STEP_US = 100
/**
 * Beside busy clients the save pauses after so many steps. A process that never rests shares its processor by the system's
 * time slices, several milliseconds each; one that does leaves room for whoever else serves or asks: clients on the same
 * machine, threads that write to the disk.
 */
const BUSY_STEPS = 20
const PAUSE_MS = 1
/**
 * As long as the code is cold, each step is followed by a pause. It becomes hot within some 30 ms of work, for which the
 * engine's threads compile for 200 ms.
 */
const COLD_STEPS = 300
const WRITE_BUFFER_BYTES = 256 * 1024
const DELAY_US_MIN = 1000

/** Clients see no more than this; what went wrong is in the log. */
const ERR_SAVE = errorReply('ERR')
const ERR_RELOAD = errorReply('ERR Error trying to load the RDB dump')

/** Who waits for the save under way. */
type SavePurpose =
  | { readonly kind: 'background' }
  /** The base of the append-only files; `onEnd` is told null if the data went meanwhile. */
  | { readonly kind: 'rewrite'; readonly onEnd: (succeeded: boolean | null) => void }
  /** Its bytes go to replicas. */
  | { readonly kind: 'transfer' }
  | { readonly kind: 'awaited'; readonly resolve: (succeeded: boolean) => void }

export class Persistence {
  readonly engine: Engine
  readonly settings: PersistenceSettings
  readonly state: PersistenceState
  readonly codecs: RdbCodecs
  readonly aof: AppendOnly
  /** Function libraries of the file. */
  readonly functions = new FunctionLibraries()
  /** Where this server stands in a replication, to be saved with the data. */
  replicationInfo: () => ReplicationInfo | null = () => null
  /** A save in the background is over: of a file, or of a transfer to replicas. */
  onSaveEnd: ((succeeded: boolean, isTransfer: boolean) => void) | null = null
  /** A key of the file that is loaded at start was dropped because its time had come. */
  onExpiredInFile: ((dbIndex: number, key: Uint8Array) => void) | null = null
  /** Where the data that was loaded at start stood in a replication; null if nothing says so. */
  loadedReplication: LoadedReplication | null = null
  private readonly shell: PersistenceShell
  private readonly lzf = new LzfCompressor()
  private current: SaveJob | null = null
  private purpose: SavePurpose = { kind: 'background' }
  /** A save was announced and its file could not be made: it ends at the next step. */
  private hasFailedToStart = false
  /** Only so that fetching has a result that somebody could want. */
  fetched = 0
  private dirtyBefore = 0
  /** Commands executed before the last step. */
  private commandsSeen = 0
  /** Steps beside busy clients so far, in all saves. */
  private busySteps = 0
  private sweep: EpochSweep | null = null
  private isScheduled = false
  private isClosed = false

  constructor(
    engine: Engine,
    shell: PersistenceShell,
    settings: PersistenceSettings,
    codecs: readonly RdbTypeCodec[] = [],
  ) {
    this.engine = engine
    this.shell = shell
    this.settings = settings
    this.codecs = new RdbCodecs([...dataTypeCodecs(engine.keyspace), ...codecs])
    this.state = new PersistenceState(Math.floor(engine.clock.nowMs / 1000))
    this.aof = new AppendOnly(this, shell)
    this.settingsChanged()
  }

  /** To be called after `settings` were changed. */
  settingsChanged(): void {
    const { stopWritesOnError, savePoints } = this.settings
    const { engine, aof } = this
    const saveFails = stopWritesOnError && savePoints.length > 0 && this.state.lastSaveFailed
    engine.diskError = saveFails || aof.error === null ? ERR_MISCONF : aofError(aof.error)
    engine.setGate(GATE_DISK_ERROR, saveFails || aof.error !== null)
  }

  // Saving

  /** Saves while everybody waits. What goes wrong is logged. */
  save(): boolean {
    const { engine, settings, state } = this
    const { fileSystem } = this.shell
    // A save in the background has the usual name.
    const place = this.place(this.current === null ? '' : '-sync')
    const parts = this.saveParts()
    const file = createTempFile(parts, place)
    if (file === null) return false
    const temp = pathOf(place, place.tempName)
    let operation = 'rdbSaveRio'
    let isOpen = true
    try {
      this.writeAll(new SyncSink(file, settings.incrementalSync), parts)
      operation = 'fsync'
      file.syncSync()
      operation = 'fclose'
      isOpen = false
      file.closeSync()
      operation = 'rename'
      fileSystem.replaceSync(temp, pathOf(place, place.fileName))
      operation = 'fsyncFileDir'
      fileSystem.syncFolderSync(place.dir)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      engine.log('warning', operation === 'rename' ? renameFailure(place, error) : writeFailure(operation, error))
      attempt(() => {
        if (isOpen) file.closeSync()
      })
      attempt(() => fileSystem.removeSync(temp))
      return false
    }
    engine.log('notice', 'DB saved on disk')
    engine.keyspace.dirty = 0
    this.dirtyBefore = 0
    state.lastSaveSeconds = this.nowSeconds()
    state.lastSaveFailed = false
    this.settingsChanged()
    return true
  }

  /** Begins to save in the background. False: a save is under way. */
  startBackgroundSave(): boolean {
    if (this.state.isSaving || this.current !== null) return false
    const { state, engine } = this
    state.saves++
    this.dirtyBefore = engine.keyspace.dirty
    state.lastTrySeconds = this.nowSeconds()
    state.isSaving = true
    state.saveStartSeconds = state.lastTrySeconds
    engine.log('notice', `Background saving started by pid ${this.settings.pid}`)
    this.begin({ kind: 'background' })
    return true
  }

  /**
   * Begins to hand the data, as it is now, to whoever makes a job of it. The caller has seen to it that no snapshot is under
   * way.
   */
  startTransfer(create: (parts: SaveParts, events: SaveEvents) => SaveJob): void {
    const { state, engine } = this
    engine.log('notice', `Background RDB transfer started by pid ${this.settings.pid}`)
    state.isSaving = true
    state.saveStartSeconds = this.nowSeconds()
    this.purpose = { kind: 'transfer' }
    this.beginJob((events) => create(this.saveParts(), events))
  }

  /** Something is being written in the background, and nothing else can be. */
  get isBusy(): boolean {
    return this.current !== null || this.hasFailedToStart || this.engine.keyspace.snapshot !== null
  }

  /** Begins to write the data, as it is now, as the base of the append-only files. */
  startRewrite(
    create: (parts: SaveParts, events: SaveEvents) => SaveJob,
    onEnd: (succeeded: boolean | null) => void,
  ): void {
    this.purpose = { kind: 'rewrite', onEnd }
    this.beginJob((events) => create(this.saveParts(), events))
  }

  /** Writes the data to a file while everybody waits: the first base of the append-only files. False: that failed. */
  writeBase(path: string): boolean {
    const { engine, settings } = this
    const { fileSystem } = this.shell
    const { dir, pid, tempSuffix } = settings
    const tempName = `temp-rewriteaof-${pid}${tempSuffix}.aof`
    const temp = `${dir}/${tempName}`
    try {
      const file = fileSystem.create(temp)
      try {
        const parts = this.saveParts()
        // Commands for an empty data set are none.
        if (settings.usesRdbBase) {
          const info = { ...parts.info, isAofBase: true }
          this.writeAll(new SyncSink(file, settings.incrementalRewriteSync), { ...parts, info })
        }
        file.syncSync()
      } finally {
        file.closeSync()
      }
      fileSystem.replaceSync(temp, path)
      return true
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      engine.log('warning', `Write error writing append only file on disk: ${error.message}`)
      attempt(() => fileSystem.removeSync(temp))
      return false
    }
  }

  /** Whether the save under way goes to replicas and not to a file. */
  get isTransferring(): boolean {
    return this.current !== null && this.purpose.kind === 'transfer'
  }

  /** BGSAVE SCHEDULE: begins as soon as the cron finds that it can. */
  scheduleBackgroundSave(): void {
    this.state.isScheduled = true
  }

  /**
   * Saves in steps, for those who wait but want to hear signals meanwhile: the last save of a server. Writes by clients are
   * possible; they are not in the file.
   */
  saveInSteps(): Promise<boolean> {
    this.killBackgroundSave()
    this.dirtyBefore = this.engine.keyspace.dirty
    return new Promise((resolve) => this.begin({ kind: 'awaited', resolve }))
  }

  /** One step, as long as what clients do allows. */
  private stepOf(save: SaveJob): number {
    const { commands } = this.engine.statistics
    const isBusy = commands !== this.commandsSeen
    this.commandsSeen = commands
    const waitMs = save.step(isBusy ? BUSY_STEP_US : QUIET_STEP_US)
    if (waitMs !== 0 || !isBusy) return waitMs
    this.busySteps++
    if (this.busySteps > COLD_STEPS && this.busySteps % BUSY_STEPS !== 0) return 0
    return PAUSE_MS
  }

  /** Ends a save in the background without success, because the server ends. */
  endBackgroundSave(): void {
    if (!this.state.isSaving) return
    this.engine.log('warning', 'There is a child saving an .rdb. Killing it!')
    this.killBackgroundSave()
  }

  /** Removes the files of saves that will not end. */
  discardTemporaryFiles(): void {
    this.current?.discard()
  }

  /** Ends whatever is being saved, since the data is about to be replaced. */
  killSave(): void {
    this.killBackgroundSave()
  }

  /** All databases were emptied by a client: what was being saved is gone, and the file is to say so. */
  dataFlushed(): void {
    this.killBackgroundSave()
    if (this.settings.savePoints.length > 0 && !this.state.isLoading) this.save()
  }

  /** The cron's share: save points, and a save that was put off. */
  cron(): void {
    const { state, engine, settings } = this
    const nowSeconds = this.nowSeconds()
    const mayTry = nowSeconds - state.lastTrySeconds > RETRY_DELAY_SECONDS || !state.lastSaveFailed
    this.aof.cron()
    if (this.isBusy || state.isSaving || !mayTry || state.isLoading) return
    for (const { seconds, changes } of settings.savePoints) {
      if (engine.keyspace.dirty < changes || nowSeconds - state.lastSaveSeconds <= seconds) continue
      engine.log('notice', `${changes} changes in ${seconds} seconds. Saving...`)
      this.startBackgroundSave()
      return
    }
    if (state.isScheduled && this.startBackgroundSave()) state.isScheduled = false
  }

  /** Does a bit of what there is to do. Returns after how many milliseconds to come back, or IDLE until there is work. */
  step(): number {
    const { current, state } = this
    if (this.hasFailedToStart) {
      this.hasFailedToStart = false
      this.ended(false)
    } else if (current !== null) {
      const waitMs = this.stepOf(current)
      state.currentKeysDone = current.walk.keysDone
      state.currentCowBytes = current.walk.cowBytes
      state.currentCowPeakBytes = current.walk.cowBytes
      return waitMs
    }
    return this.tidy() ? IDLE : 0
  }

  // Loading

  /**
   * Loads the file that is there when the server starts, if there is one, and lets clients have an answer (-LOADING) from
   * time to time. Rejects with a PersistenceError when everything is said in the log.
   */
  async loadAtStart(): Promise<void> {
    const file = this.openFile()
    if (file === null) return
    const startUs = this.nowUs()
    const loader = await this.loadInSteps(file, false)
    if (loader === null) return
    this.loadedReplication = replicationOf(loader)
    this.engine.log('notice', `DB loaded from disk: ${((this.nowUs() - startUs) / 1e6).toFixed(3)} seconds`)
  }

  /**
   * Loads the file under its usual name, which a master has sent; what was there before is gone already. Null if there is none or
   * the server ends meanwhile. Rejects with a PersistenceError when everything is said in the log.
   */
  async loadReceived(): Promise<{ readonly replication: LoadedReplication | null } | null> {
    const file = this.openFile()
    const loader = file === null ? null : await this.loadInSteps(file, true)
    return loader === null ? null : { replication: replicationOf(loader) }
  }

  /** Begins to load a data set that comes in pieces: the caller gives them to the loader, and calls `finish` at the end. */
  beginStream({ totalBytes, databases, functions, isAsync }: StreamLoadOptions): StreamLoad {
    const { engine, state } = this
    const { keyspace } = engine
    this.resetLoading(Number.isFinite(totalBytes) ? totalBytes : 0)
    state.isLoading = !isAsync
    state.isAsyncLoading = isAsync
    if (isAsync) engine.setAsyncLoading(true)
    else engine.setGate(GATE_LOADING, true)
    if (databases === undefined) keyspace.expireMode = EXPIRE_IGNORE
    const options = { ...this.loadOptions(), dropsExpired: false, replaces: false, databases }
    const loader = new RdbLoader(keyspace, functions === undefined ? options : { ...options, functions }, totalBytes)
    return {
      loader,
      noteProgress: () => this.noteProgress(loader),
      finish: () => {
        this.noteProgress(loader)
        state.isLoading = false
        state.isAsyncLoading = false
        if (isAsync) engine.setAsyncLoading(false)
        else engine.setGate(GATE_LOADING, false)
        if (databases === undefined) keyspace.expireMode = engine.restingExpireMode
        return replicationOf(loader)
      },
    }
  }

  /** The data file, for those who send it. Throws a FileError. */
  openSaved(): ReadableFile {
    return this.shell.fileSystem.openForReading(pathOf(this.place(''), this.settings.fileName))
  }

  /** Removes the data file. */
  removeSaved(): void {
    attempt(() => this.shell.fileSystem.removeSync(pathOf(this.place(''), this.settings.fileName)))
  }

  /** A file that is to become the data file. Throws a FileError. */
  receiveFile(): ReceivedFile {
    const { dir, fileName, pid, tempSuffix } = this.settings
    return new ReceivedFile(this.shell.fileSystem, dir, `temp-${this.nowSeconds()}.${pid}${tempSuffix}.rdb`, fileName)
  }

  /** Writes what is wrong with a stream that was being loaded to the log. */
  streamFailed(error: unknown, loader: RdbLoader): void {
    const { log } = this.engine
    if (error instanceof RdbError) {
      log('warning', `Internal error in RDB reading offset ${error.offset} -> ${error.message}`)
      log('warning', 'Failure loading rdb format from socket, assuming connection error, resuming operation.')
    } else if (error instanceof ArenaFullError) {
      log('warning', `Internal error in RDB reading offset ${loader.offset} -> ${error.message}`)
    } else throw error
  }

  /** The whole of a file, while clients have an answer (-LOADING) from time to time. Closes it. */
  private async loadInSteps(file: ReadableFile, isReceived: boolean): Promise<RdbLoader | null> {
    const { engine, settings } = this
    const { scheduler } = this.shell
    const { loader, finish } = this.beginLoading(file, false)
    engine.setGate(GATE_LOADING, true)
    try {
      const interval = settings.loadingIntervalBytes || Number.POSITIVE_INFINITY
      while (!this.loadSome(loader, file, interval)) {
        const delayMs = loader.owedDelayUs / 1000
        loader.owedDelayUs = 0
        await new Promise<void>((resolve) => {
          if (delayMs > 0) scheduler.after(delayMs, resolve)
          else scheduler.soon(resolve)
        })
        if (this.isClosed || engine.isStopped) return null
      }
    } catch (error) {
      throw this.loadingFailed(error, loader, isReceived)
    } finally {
      engine.setGate(GATE_LOADING, false)
      finish()
      file.closeSync()
    }
    return loader
  }

  /** DEBUG RELOAD. Null, or the error for the client. */
  reload({ save, flush, merge }: ReloadOptions): ErrorReply | null {
    const { engine } = this
    if (save && !this.save()) return ERR_SAVE
    if (flush) {
      for (const db of engine.keyspace.databases) {
        if (!engine.watch.isEmpty) engine.watch.touchAll(db, null)
        engine.keyWaiters.beforeReplaced(db, null)
        db.clear(false)
      }
      this.functions.clear()
    }
    let file: ReadableFile | null
    try {
      file = this.openFile()
    } catch (error) {
      if (!(error instanceof PersistenceError)) throw error
      return ERR_RELOAD
    }
    if (file === null) return ERR_RELOAD
    const { loader, finish } = this.beginLoading(file, merge)
    try {
      while (!this.loadSome(loader, file, Number.POSITIVE_INFINITY)) {
        this.shell.fileSystem.pauseSync(loader.owedDelayUs / 1000)
        loader.owedDelayUs = 0
      }
    } catch (error) {
      this.loadingFailed(error, loader)
      return ERR_RELOAD
    } finally {
      finish()
      file.closeSync()
    }
    engine.log('warning', 'DB reloaded by DEBUG RELOAD')
    return null
  }

  /** DEBUG OBJECT's serializedlength: how long a value would be in a file. */
  serializedLength(db: Db, entry: Ref): number {
    return serializedLength(db, entry, this.payloadOptions())
  }

  /** What DUMP replies. */
  dump(db: Db, entry: Ref): Uint8Array {
    return dumpPayload(db, entry, this.payloadOptions())
  }

  /** Stops whatever is under way and leaves nothing behind. */
  close(): void {
    this.aof.close()
    this.isClosed = true
    this.killBackgroundSave()
  }

  private payloadOptions(): PayloadOptions {
    return { codecs: this.codecs, compression: this.settings.compression, lzf: this.lzf }
  }

  private begin(purpose: SavePurpose): void {
    this.purpose = purpose
    const place = this.place('')
    const parts = this.saveParts()
    const file = createTempFile(parts, place)
    if (file === null) {
      this.hasFailedToStart = true
      this.schedule()
      return
    }
    this.beginJob((events) => new BackgroundSave(parts, place, file, events))
  }

  private beginJob(create: (events: SaveEvents) => SaveJob): void {
    const { keyspace } = this.engine
    // Only if several snapshots were broken off faster than the sweep could follow.
    if (!keyspace.hasFreeEpoch) new EpochSweep(keyspace).finish()
    const save: SaveJob = create({
      onWork: () => this.schedule(),
      onAbandon: () => this.killBackgroundSave(),
      onEnd: (succeeded) => {
        if (this.current === save) this.ended(succeeded)
      },
    })
    this.current = save
    this.state.currentKeysTotal = save.walk.keysTotal
    this.schedule()
  }

  /** The save under way is over, by itself. */
  private ended(succeeded: boolean): void {
    const { engine, state, purpose } = this
    const { kind } = purpose
    if (kind === 'transfer') {
      if (succeeded) engine.log('notice', 'Background RDB transfer terminated with success')
      else engine.log('warning', 'Background transfer error')
    } else if (kind === 'rewrite') {
      // Its owner says what there is to say.
    } else if (succeeded) {
      engine.keyspace.dirty -= this.dirtyBefore
      state.lastSaveSeconds = this.nowSeconds()
      state.lastSaveFailed = false
    } else if (kind === 'background') state.lastSaveFailed = true
    if (kind === 'background') {
      if (succeeded) engine.log('notice', 'Background saving terminated with success')
      else engine.log('warning', 'Background saving error')
    }
    this.forgetSave()
    this.settingsChanged()
    this.tellEnd(purpose, succeeded)
  }

  /** Ends a save under way from outside: no failure that counts, as when Redis kills its child. */
  private killBackgroundSave(): void {
    const { current, engine, purpose } = this
    if (current === null) return
    if (!current.discard()) {
      // Its file is in place; what is missing is that this is on the disk.
      attempt(() => this.shell.fileSystem.syncFolderSync(this.settings.dir))
      this.ended(true)
      return
    }
    if (purpose.kind === 'background') engine.log('warning', 'Background saving terminated by signal 10')
    if (purpose.kind === 'transfer') engine.log('warning', 'Background transfer terminated by signal 10')
    this.forgetSave()
    this.tellEnd(purpose, false, true)
  }

  private tellEnd(purpose: SavePurpose, succeeded: boolean, wasKilled = false): void {
    if (purpose.kind === 'awaited') purpose.resolve(succeeded)
    else if (purpose.kind === 'rewrite') purpose.onEnd(wasKilled ? null : succeeded)
    else if (!this.isClosed) this.onSaveEnd?.(succeeded, purpose.kind === 'transfer')
  }

  private forgetSave(): void {
    const { state, current } = this
    if (current !== null) state.lastCowBytes = current.walk.cowBytes
    this.current = null
    if (state.isSaving) state.lastSaveDurationSeconds = this.nowSeconds() - state.saveStartSeconds
    state.isSaving = false
    state.saveStartSeconds = -1
    state.currentKeysDone = 0
    state.currentKeysTotal = 0
    state.currentCowBytes = 0
    state.currentCowPeakBytes = 0
    this.schedule()
  }

  /** Tidies up after a snapshot that did not end. True: nothing is left to do. */
  private tidy(): boolean {
    const { keyspace } = this.engine
    if (!keyspace.hasStaleEpochs || keyspace.snapshot !== null) {
      this.sweep = null
      return true
    }
    if (this.sweep === null || this.sweep.isOutdated) this.sweep = new EpochSweep(keyspace)
    return this.sweep.step()
  }

  private schedule(): void {
    if (this.isScheduled || this.isClosed) return
    this.isScheduled = true
    this.shell.scheduler.soon(this.run)
  }

  private readonly run = (): void => {
    this.isScheduled = false
    if (this.isClosed || this.engine.isStopped) return
    try {
      const waitMs = this.step()
      if (waitMs === IDLE) return
      if (waitMs <= 0) {
        this.schedule()
        return
      }
      this.isScheduled = true
      this.shell.scheduler.after(waitMs, this.run)
    } catch (error) {
      this.engine.fail(error, null)
    }
  }

  private writeAll(sink: SyncSink, parts: SaveParts): void {
    const { keyspace } = this.engine
    const { compression, checksum, keyDelayUs } = parts.walk
    const writer = new RdbWriter(sink, new Uint8Array(WRITE_BUFFER_BYTES), { compression, checksum }, this.lzf)
    const dataset = new DatasetWriter(keyspace, this.codecs, writer, parts.info)
    const { table } = keyspace
    let owedDelayUs = 0
    for (const db of keyspace.databases) {
      let cursor = 0
      do {
        cursor = db.gather(cursor)
        this.fetched = table.fetchScanned()
        for (let i = 0; i < table.scannedCount; i++) {
          dataset.entry(db.index, db, table.scanned[i]!)
          if (keyDelayUs === 0) continue
          owedDelayUs += testDelayUs(keyDelayUs, keyspace.random)
          if (owedDelayUs < DELAY_US_MIN) continue
          this.shell.fileSystem.pauseSync(owedDelayUs / 1000)
          owedDelayUs = 0
        }
      } while (cursor !== 0)
    }
    dataset.finish()
  }

  private saveParts(): SaveParts {
    const { engine, settings } = this
    engine.clock.refresh()
    const info: DatasetInfo = {
      nowMs: engine.clock.nowMs,
      usedMemoryBytes: this.shell.usedMemoryBytes?.() ?? engine.keyspace.arena.usedBytes,
      isAofBase: false,
      replication: this.replicationInfo(),
      functions: this.functions.all,
      usage: settings.usage,
    }
    return {
      keyspace: engine.keyspace,
      codecs: this.codecs,
      fileSystem: this.shell.fileSystem,
      info,
      walk: {
        compression: settings.compression,
        checksum: settings.checksum,
        keyDelayUs: settings.keySaveDelayUs,
        lzf: this.lzf,
      },
      incrementalSync: settings.incrementalSync,
      log: engine.log,
    }
  }

  private place(suffix: string): SavePlace {
    const { dir, fileName, pid, tempSuffix } = this.settings
    return { dir, fileName, tempName: `temp-${pid}${tempSuffix}${suffix}.rdb` }
  }

  /** The file to load; null if there is none. */
  private openFile(): ReadableFile | null {
    const { fileSystem } = this.shell
    try {
      return fileSystem.openForReading(pathOf(this.place(''), this.settings.fileName))
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      if (error.code === 'ENOENT') return null
      const message = `Fatal error loading the DB: ${error.message}. Exiting.`
      this.engine.log('warning', message)
      throw new PersistenceError(error.code, -1, message)
    }
  }

  private beginLoading(file: ReadableFile, replaces: boolean): { loader: RdbLoader; finish: () => void } {
    const { engine, state } = this
    const { keyspace } = engine
    const { expireMode } = keyspace
    this.resetLoading(file.sizeBytes)
    state.isLoading = true
    keyspace.expireMode = EXPIRE_IGNORE
    const options = {
      ...this.loadOptions(),
      dropsExpired: expireMode === EXPIRE_DELETE,
      replaces,
      onDropped: this.onExpiredInFile ?? undefined,
    }
    const loader = new RdbLoader(keyspace, options, file.sizeBytes)
    const finish = () => {
      this.noteProgress(loader)
      state.isLoading = false
      // Not what it was before: the role may have changed meanwhile.
      keyspace.expireMode = engine.restingExpireMode
    }
    return { loader, finish }
  }

  /** Append-only files of that size are about to be loaded. Returns what to call when they are, or cannot be. */
  beginAofLoading(totalBytes: number): () => void {
    const { engine, state } = this
    const { keyspace } = engine
    this.resetLoading(totalBytes)
    state.isLoading = true
    keyspace.expireMode = EXPIRE_IGNORE
    return () => {
      state.isLoading = false
      keyspace.expireMode = engine.restingExpireMode
    }
  }

  /**
   * Loads an RDB file that begins an append-only one, or is its base; `doneBytes` were loaded before. Yields milliseconds to pause.
   * Returns where it ends. Throws a PersistenceError when everything is said in the log.
   */
  *loadRdbPart(file: ReadableFile, doneBytes: number): Generator<number, number, void> {
    const { settings, state } = this
    const options = { ...this.loadOptions(), dropsExpired: false, replaces: false }
    const loader = new RdbLoader(this.engine.keyspace, options, file.sizeBytes)
    try {
      while (!this.loadSome(loader, file, settings.loadingIntervalBytes || Number.POSITIVE_INFINITY)) {
        state.loadingLoadedBytes = doneBytes + loader.offset
        yield loader.owedDelayUs / 1000
        loader.owedDelayUs = 0
      }
      this.noteProgress(loader)
      state.loadingLoadedBytes = doneBytes + loader.offset
      return loader.offset
    } catch (error) {
      throw this.loadingFailed(error, loader)
    }
  }

  private resetLoading(totalBytes: number): void {
    const { state } = this
    state.loadingStartSeconds = this.nowSeconds()
    state.loadingTotalBytes = totalBytes
    state.loadingLoadedBytes = 0
    state.loadingUsedMemory = 0
    state.lastLoadKeysLoaded = 0
    state.lastLoadKeysExpired = 0
  }

  private loadOptions(): Omit<RdbLoadOptions, 'dropsExpired' | 'replaces'> {
    const { settings } = this
    return {
      codecs: this.codecs,
      functions: this.functions,
      checksum: settings.checksum && !settings.skipsChecksum,
      usage: settings.usage,
      keyDelayUs: settings.keyLoadDelayUs,
      log: this.engine.log,
    }
  }

  /** Loads up to about `bytesMax`, or until key-load-delay wants a pause. True: that was all. */
  private loadSome(loader: RdbLoader, file: ReadableFile, bytesMax: number): boolean {
    const pauseAt = loader.offset + bytesMax
    for (;;) {
      const status = loader.run(pauseAt - loader.offset)
      if (status === LOADED) return true
      if (status !== NEEDS_INPUT) {
        this.noteProgress(loader)
        return false
      }
      loader.makeRoom()
      const count = file.readSync(loader.window, loader.roomStart)
      if (count === 0) loader.endOfInput()
      loader.received(count)
    }
  }

  private noteProgress(loader: RdbLoader): void {
    const { state } = this
    state.loadingLoadedBytes = loader.offset
    state.loadingUsedMemory = loader.usedMemoryBytes
    state.lastLoadKeysLoaded = loader.keysLoaded
    state.lastLoadKeysExpired = loader.keysExpired
    const { arena } = this.engine.keyspace
    arena.heldBytesPeak = Math.max(arena.heldBytesPeak, arena.heldBytes)
  }

  /** Says what went wrong, in Redis's words where it has any. `isReceived`: the server goes on and asks its master again. */
  private loadingFailed(error: unknown, loader: RdbLoader, isReceived = false): PersistenceError {
    const { log } = this.engine
    if (error instanceof RdbError) {
      const { code, message, offset } = error
      if (code === 'RDB_SHORT_READ') {
        log('warning', 'Short read or OOM loading DB. Unrecoverable error, aborting now.')
      }
      if (code === 'RDB_BAD_SIGNATURE' || code === 'RDB_BAD_VERSION') {
        log('warning', message)
        if (isReceived) return new PersistenceError(code, offset, 'Invalid argument')
        log('warning', 'Fatal error loading the DB: Invalid argument. Exiting.')
      } else if (code === 'RDB_DATABASE_OUT_OF_RANGE') log('warning', message)
      else {
        log('warning', `Internal error in RDB reading offset ${offset} -> ${message}`)
        for (const line of loader.report(error)) log('warning', line)
        if (!isReceived) log('warning', 'Terminating server after rdb file reading failure.')
      }
      return new PersistenceError(code, offset, message)
    }
    if (error instanceof ArenaFullError) {
      log('warning', 'Short read or OOM loading DB. Unrecoverable error, aborting now.')
      log('warning', `Internal error in RDB reading offset ${loader.offset} -> ${error.message}`)
      return new PersistenceError('OUT_OF_MEMORY', loader.offset, error.message)
    }
    if (error instanceof FileError) {
      const message = `Fatal error loading the DB: ${error.message}. Exiting.`
      log('warning', message)
      return new PersistenceError(error.code, loader.offset, message)
    }
    throw error
  }

  private nowSeconds(): number {
    const { clock } = this.engine
    clock.refresh()
    return Math.floor(clock.nowMs / 1000)
  }

  private nowUs(): number {
    const { clock } = this.engine
    clock.refresh()
    return clock.monotonicUs
  }
}

function replicationOf(loader: RdbLoader): LoadedReplication | null {
  const { replicationId: id, replicationOffset: offset, replicationDbIndex: dbIndex } = loader
  return id === '' || offset === -1 || dbIndex === -1 ? null : { id, offset, dbIndex }
}

function aofError(reason: string): ErrorReply {
  return errorReply(`MISCONF Errors writing to the AOF file: ${reason}`)
}

function attempt(action: () => void): void {
  try {
    action()
  } catch (error) {
    if (!(error instanceof FileError)) throw error
  }
}
