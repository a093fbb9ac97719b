/**
 * The append-only files of one server: every change goes to the end of the newest increment, and loading them all gives the
 * data back.
 *
 *   off -> (CONFIG SET appendonly yes) -> waiting for the first base -> on
 *
 *   effect -> buffer -> end of the turn: one write -> [always: fsync] -> replies leave
 *
 * Replies to what was recorded are held back by the engine (ReplyGuard) until it is written, with `appendfsync always` until it is
 * on the disk. A thread waits for that, and all that was recorded meanwhile shares the next fsync (commit-gathering.ts), so that
 * clients that wrote nothing need not wait; the server itself does where there are none (commit-blocking.ts).
 *
 * A rewrite walks over the data in steps, as a save does (SnapshotWalk), while changes go to a new increment. When it is whole and
 * on the disk, one manifest names the new base and the increments since.
 *
 * Invariants: `written` bytes of the increment are whole commands; what a manifest names is on the disk before the manifest is.
 * Replies, log lines, file names and rules are those of Redis 7.0.15 (aof.c). Where it differs: there, everybody always
 * waits for the fsync of `always`; a rewrite that loses its data to FLUSHALL begins again.
 * Hot path (`effect`): npm run bench.
 */
import type { Argv } from '../../base/argv.ts'
import { type EffectSink, TO_FILE } from '../../engine/effects.ts'
import type { BufferMemory, ReplyGuard } from '../../engine/engine.ts'
import { GATE_LOADING } from '../../engine/gates.ts'
import { PersistenceError } from '../errors.ts'
import { type AppendFile, FileError } from '../file-system.ts'
import type { Persistence, PersistenceShell } from '../persistence.ts'
import { AofFolder } from './aof-folder.ts'
import { type LoadOutcome, loadAppendOnlyFiles } from './aof-loading.ts'
import { AofRewrite } from './aof-rewrite.ts'
import { AofState } from './aof-state.ts'
import { CommandBuffer } from './command-buffer.ts'
import { CommitBlocking } from './commit-blocking.ts'
import { CommitGathering } from './commit-gathering.ts'

/** As in Redis: an fsync that takes longer than this does not keep the next write waiting. */
const POSTPONED_SECONDS_MAX = 2
const ERROR_LOG_SECONDS = 30
/** After so many failed rewrites in a row the automatic ones wait, each time twice as long. */
const FAILURES_MAX = 3
const DELAY_MINUTES_MAX = 60
/**
 * The increment must be on the disk before the next one is begun, and everybody waits for that. So what is more than this is
 * synced before, which may have to be said again for what is written meanwhile.
 */
const UNSYNCED_BYTES_MAX = 256 * 1024
const EARLY_SYNCS_MAX = 4

export class AppendOnly implements EffectSink, ReplyGuard, BufferMemory {
  readonly state = new AofState()
  readonly folder: AofFolder
  phase: 'off' | 'waiting' | 'on' = 'off'
  /** Bytes that were recorded, and up to where replies may leave; both only grow. */
  recorded = 0
  safe = 0
  /** Up to here it is on the disk: what WAITAOF waits for. */
  synced = 0
  /** Told when `synced` has grown. */
  readonly syncWaiters = new Set<() => void>()
  private readonly persistence: Persistence
  private readonly shell: PersistenceShell
  private readonly buffer = new CommandBuffer()
  private file: AppendFile | null = null
  /** Length of the increment, and how much of it is on the disk. */
  private written = 0
  private writtenAndSynced = 0
  private selectedDb = -1
  private timestampSeconds = 0
  private isScheduled = false
  private isSyncing = false
  private readonly gathering: CommitGathering
  private readonly blocking = new CommitBlocking()
  private lastSyncSeconds = 0
  private postponedSinceSeconds = 0
  private errorLoggedSeconds = 0
  private retriedSeconds = 0
  private rewrite: AofRewrite | null = null
  /** A rewrite begins as soon as most of the increment is on the disk. */
  private isPreparing = false
  /** The base of the rewrite is in its place, and what it replaces is not yet removed. */
  private isPlaced = false
  private nextDelayMinutes = 0
  private nextRewriteSeconds = 0
  private isClosed = false

  constructor(persistence: Persistence, shell: PersistenceShell) {
    this.persistence = persistence
    this.shell = shell
    this.gathering = new CommitGathering(shell.scheduler, this.turn)
    this.folder = new AofFolder({
      get settings() {
        return persistence.settings
      },
      fileSystem: shell.fileSystem,
      log: (level, message) => persistence.engine.log(level, message),
    })
  }

  get usedBytes(): number {
    return this.phase === 'off' ? 0 : this.buffer.bytes.length
  }

  get uncountedBytes(): number {
    return this.usedBytes
  }

  get bufferedBytes(): number {
    return this.buffer.length
  }

  get isFsyncPending(): boolean {
    return this.isSyncing
  }

  get isRewriting(): boolean {
    return this.rewrite !== null || this.isPreparing
  }

  /** What writing clients are told; null while all is well. */
  get error(): string | null {
    return this.phase === 'off' ? null : (this.state.writeError ?? this.state.fsyncError)
  }

  // Recording

  /** Hot. */
  effect(dbIndex: number, argv: Argv, targets: number): void {
    if ((targets & TO_FILE) === 0 || (this.phase === 'waiting' && this.rewrite === null)) return
    const { buffer, persistence } = this
    const before = buffer.length
    if (persistence.settings.timestamps) this.stamp()
    if (dbIndex !== this.selectedDb) this.select(dbIndex)
    buffer.command(argv)
    this.recorded += buffer.length - before
    // With the client under way, there are so many: if it is too early, somebody else will come, or the time.
    if (this.isScheduled || this.isTooEarly(persistence.engine.heldClients + 1)) return
    this.isScheduled = true
    this.shell.scheduler.soon(this.turn)
  }

  /** Writes what was recorded. With `force`, also while an fsync is under way. */
  flush(force: boolean): void {
    const { file, buffer, persistence } = this
    if (file === null) return
    const { fsyncPolicy } = persistence.settings
    if (buffer.length === 0) {
      this.syncIfDue()
      return
    }
    if (!force && this.isTooEarly(persistence.engine.heldClients)) return
    if (fsyncPolicy === 'everysec' && this.isSyncing && !force && this.mayPostpone()) {
      this.release(this.recorded)
      return
    }
    if (!this.write(file)) {
      if (fsyncPolicy !== 'always') this.release(this.recorded)
      return
    }
    if (fsyncPolicy !== 'always' || this.isSyncHeldUp) {
      this.release(this.recorded)
      this.syncIfDue()
    } else if (!force && this.mayBlock()) this.syncBlocking(file)
    else this.startSync()
  }

  /** The cron's share: writes that were put off, fsyncs that are due, rewrites. */
  cron(): void {
    if (this.isClosed || this.persistence.state.isLoading) return
    const { state } = this
    const nowSeconds = this.nowSeconds()
    if (this.phase !== 'off') {
      const retries = state.writeError !== null && nowSeconds !== this.retriedSeconds
      if (retries) this.retriedSeconds = nowSeconds
      if (this.buffer.length === 0 || retries || state.writeError === null) this.flush(false)
    }
    if (this.persistence.isBusy || this.isRewriting) return
    if (state.rewriteIsScheduled) {
      if (!this.isLimited()) this.startRewrite()
    } else this.rewriteIfGrown()
  }

  // Life

  /** Loads the files that are there when the server starts. Rejects with a PersistenceError when everything is said in the log. */
  async loadAtStart(): Promise<void> {
    const { engine } = this.persistence
    const { folder } = this
    // Loading may cut the last file.
    if (this.shell.fileSystem.kindOf(folder.path) === 'folder' && !folder.tryClaim()) {
      throw new PersistenceError('AOF', -1, 'the append-only files are in use by another server')
    }
    folder.load()
    const startUs = this.nowUs()
    engine.setGate(GATE_LOADING, true)
    let outcome: LoadOutcome
    try {
      outcome = await this.load(true)
    } finally {
      engine.setGate(GATE_LOADING, false)
    }
    if (outcome === 'failed') throw new PersistenceError('AOF', -1, 'loading the append-only file failed')
    if (outcome === 'absent' || outcome === 'stopped') return
    engine.log('notice', `DB loaded from append only file: ${((this.nowUs() - startUs) / 1e6).toFixed(3)} seconds`)
  }

  /** Opens the newest increment after loading, and makes what is missing. Throws a PersistenceError. */
  openAtStart(): void {
    const { persistence, folder } = this
    const { engine, settings } = persistence
    const { fileSystem } = this.shell
    const refuse = (message: string) => new PersistenceError('AOF', -1, message)
    if (!folder.tryCreate()) throw refuse("can't open the append-only folder")
    const manifest = folder.manifest.copy()
    const hadIncrement = manifest.increments.length > 0
    if (manifest.isEmpty) {
      const name = manifest.nextBase(settings.appendFileName, settings.usesRdbBase)
      if (!persistence.writeBase(folder.pathOf(name))) throw refuse("can't write the base of the append-only files")
      engine.log('notice', `Creating AOF base file ${name} on server start`)
    }
    const name = hadIncrement ? manifest.increments.at(-1)!.name : manifest.nextIncrement(settings.appendFileName)
    try {
      this.file = fileSystem.openForAppending(folder.pathOf(name))
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      engine.log('warning', `Can't open the append-only file ${name}: ${error.message}`)
      throw refuse(error.message)
    }
    if (!folder.persist(manifest)) throw refuse("can't write the AOF manifest")
    this.written = this.file.sizeBytes
    this.writtenAndSynced = this.written
    engine.log('notice', `${hadIncrement ? 'Opening' : 'Creating'} AOF incr file ${name} on server start`)
    folder.removeHistory()
    this.begin('on')
  }

  /** appendonly was switched on while the server runs. False: it is not possible, which is logged. */
  start(): boolean {
    const { persistence, state } = this
    const { engine } = persistence
    if (this.phase !== 'off') return true
    this.begin('waiting')
    if (persistence.isBusy && this.rewrite === null) {
      state.rewriteIsScheduled = true
      engine.log(
        'warning',
        'AOF was enabled but there is already another background operation. An AOF background was scheduled to start when possible.',
      )
    } else if (engine.isNested) {
      state.rewriteIsScheduled = true
      engine.log(
        'warning',
        'AOF was enabled during a transaction. An AOF background was scheduled to start when possible.',
      )
    } else {
      if (this.rewrite !== null) {
        engine.log(
          'warning',
          'AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and starting a rewrite now.',
        )
        this.killRewrite()
      }
      if (!this.startRewrite()) {
        this.end()
        engine.log(
          'warning',
          "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the above logs for more info about the error.",
        )
        return false
      }
    }
    if (state.fsyncError !== null) {
      engine.log('warning', 'AOF reopen, just ignore the AOF fsync error in bio job')
      state.fsyncError = null
    }
    if (state.writeError !== null) {
      engine.log('warning', 'AOF reopen, just ignore the last error.')
      state.writeError = null
    }
    persistence.settingsChanged()
    return true
  }

  /** appendonly was switched off while the server runs, or the server ends. */
  stop(): void {
    if (this.phase === 'off') return
    this.killRewrite()
    this.syncAndClose()
    this.state.rewriteIsScheduled = false
    this.end()
    this.persistence.settingsChanged()
  }

  /** Everything recorded goes to the disk, now. False: that failed. */
  syncNow(): boolean {
    const { file } = this
    if (file === null) return true
    this.flush(true)
    try {
      file.syncSync()
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      this.persistence.engine.log('warning', `Fail to fsync the AOF file: ${error.message}.`)
      return false
    }
    if (this.buffer.length > 0) return false
    this.writtenAndSynced = this.written
    this.lastSyncSeconds = this.nowSeconds()
    this.nowSynced(this.recorded)
    return true
  }

  /** DEBUG LOADAOF. False: it failed; what is in the databases is of no use. */
  reload(): boolean {
    if (this.phase !== 'off') this.flush(true)
    const { engine } = this.persistence
    for (const db of engine.keyspace.databases) {
      if (!engine.watch.isEmpty) engine.watch.touchAll(db, null)
      db.clear(false)
    }
    this.persistence.functions.clear()
    const { phase } = this
    try {
      this.folder.load()
      this.folder.removeHistory()
      const outcome = this.loadSync()
      return outcome !== 'failed'
    } catch (error) {
      if (!(error instanceof PersistenceError)) throw error
      return false
    } finally {
      this.phase = phase
    }
  }

  close(): void {
    if (this.isClosed) return
    this.killRewrite()
    this.syncAndClose()
    this.isClosed = true
    this.end()
  }

  // Rewriting

  /** Begins to write a new base, or prepares to. False: not now; why is logged. */
  startRewrite(): boolean {
    if (this.persistence.isBusy || this.isPlaced || this.isPreparing) return false
    if (this.phase === 'on' && this.file !== null && this.written - this.writtenAndSynced > UNSYNCED_BYTES_MAX) {
      this.isPreparing = true
      void this.prepareRewrite(this.file)
      return true
    }
    return this.beginRewrite()
  }

  /** Never rejects. */
  private async prepareRewrite(file: AppendFile): Promise<void> {
    const { persistence, state } = this
    try {
      for (let i = 0; i < EARLY_SYNCS_MAX && this.written - this.writtenAndSynced > UNSYNCED_BYTES_MAX; i++) {
        const { written } = this
        await file.sync()
        if (!this.isPreparing || this.file !== file) return
        this.writtenAndSynced = Math.max(this.writtenAndSynced, written)
      }
    } catch (error) {
      if (!this.isPreparing || this.file !== file) return
      this.isPreparing = false
      state.lastRewriteFailed = true
      state.consecutiveFailures++
      this.syncFailed(error)
      return
    }
    this.isPreparing = false
    try {
      // A save may have begun meanwhile.
      if (persistence.isBusy) state.rewriteIsScheduled = true
      else this.beginRewrite()
    } catch (error) {
      persistence.engine.fail(error, null)
    }
  }

  private beginRewrite(): boolean {
    const { persistence, state, folder } = this
    const { engine } = persistence
    const fail = () => {
      state.lastRewriteFailed = true
      if (this.phase === 'off') folder.unclaim()
      return false
    }
    if (!folder.tryCreate()) return fail()
    this.selectedDb = -1
    this.flush(true)
    if (this.phase !== 'off' && !this.openIncrement()) return fail()
    const rewrite = AofRewrite.start(persistence, this.shell.fileSystem, (succeeded) => this.rewriteEnded(succeeded))
    state.rewrites++
    if (rewrite === null) {
      state.consecutiveFailures++
      return fail()
    }
    this.rewrite = rewrite
    engine.log('notice', `Background append only file rewriting started by pid ${persistence.settings.pid}`)
    state.rewriteIsScheduled = false
    state.rewriteStartSeconds = this.nowSeconds()
    return true
  }

  /** Ends a rewrite under way without success, and without blame; one whose base is in its place has succeeded. */
  killRewrite(): void {
    const { rewrite, persistence } = this
    this.isPreparing = false
    if (rewrite === null) return
    if (this.isPlaced) {
      this.endPlaced()
      return
    }
    persistence.engine.log('notice', `Killing running AOF rewrite child: ${persistence.settings.pid}`)
    this.rewrite = null
    rewrite.kill()
    if (this.phase === 'off') this.folder.unclaim()
    this.state.rewriteStartSeconds = -1
  }

  private rewriteEnded(succeeded: boolean | null): void {
    const { state, folder, rewrite, persistence } = this
    const { engine } = persistence
    if (rewrite === null) return
    state.lastCowBytes = rewrite.cowBytes
    if (succeeded === null) {
      // The data has gone under it: what is there now is soon written.
      engine.log('warning', 'Background AOF rewrite terminated by signal 10')
      state.rewriteIsScheduled = true
    } else if (!succeeded) engine.log('warning', 'Background AOF rewrite terminated with error')
    else engine.log('notice', 'Background AOF rewrite terminated with success')
    const isInPlace = succeeded === true && this.placeBase(rewrite)
    if (succeeded !== null) {
      state.lastRewriteFailed = !isInPlace
      if (isInPlace) state.consecutiveFailures = 0
      else state.consecutiveFailures++
    }
    if (isInPlace) {
      if (this.phase === 'waiting') this.phase = 'on'
      this.isPlaced = true
      // Each of the two manifests waits for the disk several times. Clients have a turn of the event loop between them.
      this.shell.scheduler.soon(() => this.shell.scheduler.soon(this.endPlaced))
      return
    }
    this.rewrite = null
    rewrite.removeTempFile()
    if (this.phase === 'waiting') {
      this.buffer.clear()
      this.dropFile()
      folder.removeTempIncrement()
      this.release(this.recorded)
      state.rewriteIsScheduled = true
    }
    this.noteRewriteEnd()
  }

  /** The last of a rewrite that has succeeded. */
  private readonly endPlaced = (): void => {
    if (!this.isPlaced) return
    const { engine } = this.persistence
    this.isPlaced = false
    this.rewrite = null
    try {
      this.folder.removeHistory()
    } catch (error) {
      engine.fail(error, null)
      return
    }
    engine.log('notice', 'Background AOF rewrite finished successfully')
    this.noteRewriteEnd()
  }

  private noteRewriteEnd(): void {
    const { state } = this
    if (this.phase === 'off') this.folder.unclaim()
    state.lastRewriteSeconds = this.nowSeconds() - state.rewriteStartSeconds
    state.rewriteStartSeconds = -1
  }

  /** The new base, whole and on the disk, gets its name, and a manifest that names it. */
  private placeBase(rewrite: AofRewrite): boolean {
    const { folder, persistence, state } = this
    const { engine, settings } = persistence
    const { fileSystem } = this.shell
    const manifest = folder.manifest.copy()
    const base = manifest.nextBase(settings.appendFileName, rewrite.isRdb)
    const basePath = folder.pathOf(base)
    try {
      this.timed('aof-rename', () => fileSystem.replaceSync(rewrite.tempPath, basePath))
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      engine.log(
        'warning',
        `Error trying to rename the temporary AOF base file ${rewrite.tempName} into ${basePath}: ${error.message}`,
      )
      return false
    }
    engine.log('notice', `Successfully renamed the temporary AOF base file ${rewrite.tempName} into ${base}`)
    let increment = ''
    if (this.phase === 'waiting') {
      const temp = folder.tempIncrementName
      increment = manifest.nextIncrement(settings.appendFileName)
      const path = folder.pathOf(increment)
      try {
        // What was recorded meanwhile is part of the data from now on.
        this.flush(true)
        this.timed('aof-rename', () => fileSystem.replaceSync(folder.pathOf(temp), path))
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        engine.log(
          'warning',
          `Error trying to rename the temporary AOF incr file ${folder.pathOf(temp)} into ${path}: ${error.message}`,
        )
        folder.remove(basePath)
        return false
      }
      engine.log('notice', `Successfully renamed the temporary AOF incr file ${temp} into ${increment}`)
    }
    manifest.retireIncrements(this.phase !== 'off')
    if (!folder.persist(manifest)) {
      folder.remove(basePath)
      if (increment !== '') folder.remove(folder.pathOf(increment))
      return false
    }
    if (this.phase !== 'off') {
      state.currentBytes = this.sizeOf(base) + this.written
      state.baseBytes = state.currentBytes
    }
    return true
  }

  /** From here on changes go to a new increment. */
  private openIncrement(): boolean {
    const { folder, persistence, file: old } = this
    const { engine, settings } = persistence
    const { fileSystem } = this.shell
    const isTemporary = this.phase === 'waiting'
    const manifest = folder.manifest.copy()
    const name = isTemporary ? folder.tempIncrementName : manifest.nextIncrement(settings.appendFileName)
    let file: AppendFile
    try {
      fileSystem.removeSync(folder.pathOf(name))
      file = fileSystem.openForAppending(folder.pathOf(name))
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      engine.log('warning', `Can't open the append-only file ${name}: ${error.message}`)
      return false
    }
    // What comes later must not be on the disk before what came earlier.
    if (old !== null && !this.syncNow()) {
      file.closeSync()
      return false
    }
    if (!isTemporary && !folder.persist(manifest)) {
      file.closeSync()
      return false
    }
    engine.log('notice', `Creating AOF incr file ${name} on background rewrite`)
    old?.close().catch(() => {})
    this.file = file
    this.written = 0
    this.writtenAndSynced = 0
    return true
  }

  private rewriteIfGrown(): void {
    const { state, persistence } = this
    const { rewritePercent, rewriteBytesMin } = persistence.settings
    if (this.phase !== 'on' || rewritePercent === 0 || state.currentBytes <= rewriteBytesMin) return
    const growth = Math.floor((state.currentBytes * 100) / (state.baseBytes || 1)) - 100
    if (growth < rewritePercent || this.isLimited()) return
    persistence.engine.log('notice', `Starting automatic rewriting of AOF on ${growth}% growth`)
    this.startRewrite()
  }

  private isLimited(): boolean {
    const { state } = this
    if (state.consecutiveFailures < FAILURES_MAX) {
      this.nextDelayMinutes = 0
      this.nextRewriteSeconds = 0
      return false
    }
    const nowSeconds = this.nowSeconds()
    if (this.nextRewriteSeconds !== 0) {
      if (nowSeconds < this.nextRewriteSeconds) return true
      this.nextRewriteSeconds = 0
      return false
    }
    this.nextDelayMinutes = Math.min(DELAY_MINUTES_MAX, this.nextDelayMinutes === 0 ? 1 : this.nextDelayMinutes * 2)
    this.nextRewriteSeconds = nowSeconds + this.nextDelayMinutes * 60
    this.persistence.engine.log(
      'warning',
      `Background AOF rewrite has repeatedly failed and triggered the limit, will retry in ${this.nextDelayMinutes} minutes`,
    )
    return true
  }

  // Writing

  private readonly turn = (): void => {
    this.isScheduled = false
    if (this.isClosed) return
    try {
      this.flush(false)
    } catch (error) {
      this.persistence.engine.fail(error, null)
    }
  }

  /** Writes the buffer. False: not all of it could be written, and it stays. */
  private write(file: AppendFile): boolean {
    const { buffer, state, persistence } = this
    const { engine } = persistence
    const { length } = buffer
    const isTimed = engine.settings.latencyMonitorMs > 0
    const startUs = isTimed ? this.nowUs() : 0
    if (persistence.settings.flushDelayUs > 0) this.shell.fileSystem.pauseSync(persistence.settings.flushDelayUs / 1000)
    let count = 0
    let failure: FileError | null = null
    try {
      count = file.appendSync(buffer.bytes, 0, length, this.written)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      failure = error
    }
    if (isTimed) this.sampleWrite((this.nowUs() - startUs) / 1000)
    this.postponedSinceSeconds = 0
    if (count < length) {
      this.writeFailed(file, count, failure)
      return false
    }
    if (state.writeError !== null) {
      engine.log('warning', 'AOF write error looks solved, Redis can write again.')
      state.writeError = null
      persistence.settingsChanged()
    }
    this.written += length
    state.currentBytes += length
    buffer.clear()
    return true
  }

  private writeFailed(file: AppendFile, count: number, failure: FileError | null): void {
    const { buffer, state, persistence } = this
    const { engine, settings } = persistence
    const nowSeconds = this.nowSeconds()
    const canLog = nowSeconds - this.errorLoggedSeconds > ERROR_LOG_SECONDS
    if (canLog) this.errorLoggedSeconds = nowSeconds
    let kept = count
    if (failure !== null) {
      if (canLog) engine.log('warning', `Error writing to the AOF file: ${failure.message}`)
    } else {
      if (canLog) {
        engine.log(
          'warning',
          `Short write while writing to the AOF file: (nwritten=${count}, expected=${buffer.length})`,
        )
      }
      try {
        file.truncateSync(this.written)
        kept = 0
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        if (canLog) {
          engine.log(
            'warning',
            `Could not remove short write from the append-only file.  Redis may refuse to load the AOF the next time it starts.  ftruncate: ${error.message}`,
          )
        }
      }
    }
    const message = failure?.message ?? 'No space left on device'
    if (settings.fsyncPolicy === 'always') {
      const text = "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting..."
      engine.log('warning', text)
      this.giveUp(failure?.code ?? 'ENOSPC', text)
      return
    }
    state.writeError = message
    persistence.settingsChanged()
    if (kept === 0) return
    this.written += kept
    state.currentBytes += kept
    buffer.drop(kept)
  }

  /** With `always`: whether what was recorded waits for the fsync under way, or for more clients to share the next. */
  private isTooEarly(clients: number): boolean {
    if (this.persistence.settings.fsyncPolicy !== 'always') return false
    return this.isSyncing || this.gathering.waitsAt(clients)
  }

  /** An fsync is under way: whether the write may wait for it. */
  private mayPostpone(): boolean {
    const nowSeconds = this.nowSeconds()
    if (this.postponedSinceSeconds === 0) {
      this.postponedSinceSeconds = nowSeconds
      return true
    }
    if (nowSeconds - this.postponedSinceSeconds < POSTPONED_SECONDS_MAX) return true
    this.state.delayedFsyncs++
    this.persistence.engine.log(
      'notice',
      'Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for fsync to complete, this may slow down Redis.',
    )
    return false
  }

  /** no-appendfsync-on-rewrite while something is being written in the background. */
  private get isSyncHeldUp(): boolean {
    return this.persistence.settings.noSyncOnRewrite && this.persistence.isBusy
  }

  private syncIfDue(): void {
    const { fsyncPolicy } = this.persistence.settings
    if (this.writtenAndSynced === this.written || this.isSyncing || this.isSyncHeldUp || fsyncPolicy === 'no') return
    if (fsyncPolicy === 'everysec') {
      const nowSeconds = this.nowSeconds()
      if (nowSeconds <= this.lastSyncSeconds) return
      this.lastSyncSeconds = nowSeconds
    }
    this.startSync()
  }

  /** Nobody but those who wait for this fsync would notice that the server waits for it. */
  private mayBlock(): boolean {
    const { engine } = this.persistence
    return this.blocking.mayBlock(engine.statistics.reads, engine.heldClients, this.nowUs())
  }

  /** With `always`: an fsync that the server waits for. */
  private syncBlocking(file: AppendFile): void {
    const startUs = this.nowUs()
    try {
      file.syncSync()
    } catch (error) {
      this.syncFailed(error)
      return
    }
    this.syncSucceeded(file, this.written)
    this.fsyncOfAlwaysEnded(startUs)
    this.nowSynced(this.recorded)
  }

  private syncSucceeded(file: AppendFile, written: number): void {
    const { state, persistence } = this
    if (this.file === file) this.writtenAndSynced = Math.max(this.writtenAndSynced, written)
    if (state.fsyncError === null) return
    state.fsyncError = null
    persistence.settingsChanged()
  }

  private fsyncOfAlwaysEnded(startUs: number): void {
    const endUs = this.nowUs()
    this.blocking.took(endUs - startUs)
    this.persistence.engine.latency.sample('aof-fsync-always', (endUs - startUs) / 1000)
    this.lastSyncSeconds = this.nowSeconds()
  }

  private startSync(): void {
    const { file, written, persistence } = this
    const recorded = this.recorded - this.buffer.length
    if (file === null) return
    this.isSyncing = true
    this.gathering.end()
    const startUs = this.nowUs()
    file.sync().then(
      () => {
        this.isSyncing = false
        this.syncSucceeded(file, written)
        const clients = persistence.engine.heldClients
        this.nowSynced(recorded)
        if (this.isClosed) return
        if (persistence.settings.fsyncPolicy === 'always') {
          this.fsyncOfAlwaysEnded(startUs)
          this.gathering.begin(clients)
        }
        this.turn()
      },
      (error: unknown) => {
        this.isSyncing = false
        this.syncFailed(error)
      },
    )
  }

  private nowSynced(recorded: number): void {
    if (recorded > this.synced) this.synced = recorded
    this.release(recorded)
    for (const waiter of this.syncWaiters) waiter()
  }

  private syncFailed(error: unknown): void {
    const { persistence, state } = this
    const { engine, settings } = persistence
    if (this.isClosed || this.phase === 'off') return
    if (!(error instanceof FileError)) {
      engine.fail(error, null)
      return
    }
    if (settings.fsyncPolicy === 'always') {
      const text = `Can't persist AOF for fsync error when the AOF fsync policy is 'always': ${error.message}. Exiting...`
      engine.log('warning', text)
      this.giveUp(error.code, text)
      return
    }
    if (state.fsyncError === null) engine.log('warning', `Fail to fsync the AOF file: ${error.message}`)
    state.fsyncError = error.message
    persistence.settingsChanged()
  }

  /** What was acknowledged must be on the disk, and it cannot be: the server ends. */
  private giveUp(code: string, message: string): void {
    this.isClosed = true
    this.persistence.engine.fail(new PersistenceError(code, -1, message), null)
  }

  private release(recorded: number): void {
    if (recorded <= this.safe) return
    this.safe = recorded
    this.persistence.engine.releaseReplies()
  }

  private select(dbIndex: number): void {
    const text = String(dbIndex)
    this.buffer.text(`*2\r\n$6\r\nSELECT\r\n$${text.length}\r\n${text}\r\n`)
    this.selectedDb = dbIndex
  }

  private stamp(): void {
    const nowSeconds = Math.floor(this.persistence.engine.clock.nowMs / 1000)
    if (nowSeconds <= this.timestampSeconds) return
    this.timestampSeconds = nowSeconds
    this.buffer.text(`#TS:${nowSeconds}\r\n`)
  }

  private begin(phase: 'waiting' | 'on'): void {
    const { engine } = this.persistence
    this.phase = phase
    this.selectedDb = -1
    this.lastSyncSeconds = this.nowSeconds()
    engine.effects.addSink(this)
    engine.buffers.push(this)
    engine.replyGuard = this
  }

  private end(): void {
    const { engine } = this.persistence
    this.phase = 'off'
    this.folder.unclaim()
    this.selectedDb = -1
    this.buffer.clear()
    this.safe = this.recorded
    engine.releaseReplies()
    engine.effects.removeSink(this)
    const index = engine.buffers.indexOf(this)
    if (index >= 0) engine.buffers.splice(index, 1)
    if (engine.replyGuard === this) engine.replyGuard = null
  }

  private syncAndClose(): void {
    if (this.file === null) return
    this.syncNow()
    this.dropFile()
  }

  private dropFile(): void {
    try {
      this.file?.closeSync()
    } catch (error) {
      if (!(error instanceof FileError)) throw error
    }
    this.file = null
    this.written = 0
    this.writtenAndSynced = 0
  }

  private sizeOf(name: string): number {
    try {
      return this.timed('aof-fstat', () => this.shell.fileSystem.sizeOf(this.folder.pathOf(name)))
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      this.persistence.engine.log('warning', `Unable to obtain the AOF file ${name} length. stat: ${error.message}`)
      return 0
    }
  }

  // Loading

  private async load(yields: boolean): Promise<LoadOutcome> {
    const steps = loadAppendOnlyFiles(this.persistence, this.shell.fileSystem, this.folder, this.state)
    for (;;) {
      const step = steps.next()
      if (step.done === true) return step.value
      if (this.isClosed || this.persistence.engine.isStopped) {
        steps.return('stopped')
        return 'stopped'
      }
      if (!yields) continue
      await new Promise<void>((resolve) => {
        if (step.value > 0) this.shell.scheduler.after(step.value, resolve)
        else this.shell.scheduler.soon(resolve)
      })
    }
  }

  private loadSync(): LoadOutcome {
    const steps = loadAppendOnlyFiles(this.persistence, this.shell.fileSystem, this.folder, this.state)
    for (;;) {
      const step = steps.next()
      if (step.done === true) return step.value
      this.shell.fileSystem.pauseSync(step.value)
    }
  }

  private sampleWrite(ms: number): void {
    const { latency } = this.persistence.engine
    if (this.isSyncing && this.persistence.settings.fsyncPolicy === 'everysec') {
      latency.sample('aof-write-pending-fsync', ms)
    } else latency.sample(this.persistence.isBusy ? 'aof-write-active-child' : 'aof-write-alone', ms)
    latency.sample('aof-write', ms)
  }

  private timed<Result>(event: string, action: () => Result): Result {
    const startUs = this.nowUs()
    const result = action()
    this.persistence.engine.latency.sample(event, (this.nowUs() - startUs) / 1000)
    return result
  }

  private nowSeconds(): number {
    const { clock } = this.persistence.engine
    clock.refresh()
    return Math.floor(clock.nowMs / 1000)
  }

  private nowUs(): number {
    const { clock } = this.persistence.engine
    clock.refresh()
    return clock.monotonicUs
  }
}
