/**
 * The data set that a master sends at the start, in one of two ways, whichever form the master chose for it:
 *
 *   to disk:    bytes -> file beside the data file -> in its place -> loaded from there
 *   to parser:  bytes -> loader -> the databases, emptied before; or (swapdb) others, which take their place at the end
 *
 * A receiver says how much of its input it has taken; what is left belongs to the stream of commands. It reports its end by
 * `loaded` or `failed`, once.
 */
import { latin1Bytes } from '../base/byte-text.ts'
import type { Engine } from '../engine/engine.ts'
import { Db } from '../keyspace/db.ts'
import { PersistenceError } from '../persistence/errors.ts'
import { FileError } from '../persistence/file-system.ts'
import type { LoadedReplication, Persistence, Scheduler, StreamLoad } from '../persistence/persistence.ts'
import { FunctionLibraries } from '../persistence/rdb/functions.ts'
import { LOADED, NEEDS_INPUT } from '../persistence/rdb/rdb-loader.ts'
import type { ReceivedFile } from '../persistence/received-file.ts'
import { EOF_MARK_LENGTH } from './socket-transfer.ts'

export interface ReceiverHost {
  readonly engine: Engine
  readonly persistence: Persistence
  readonly scheduler: Scheduler
  /** The data of another master takes over: who followed us must come anew. */
  attachToNewMaster(): void
  stopAppending(): void
  /** Empties all databases. */
  flushData(): void
  setReading(reading: boolean): void
  /** The data file was the master's, and is needed no more. */
  fileRead(): void
  loaded(replication: LoadedReplication | null): void
  /** What went wrong is logged. */
  failed(): void
  /** Input that came together with the end of the data, after `loaded`. */
  follows(bytes: Uint8Array): void
}

export interface DataReceiver {
  /** Takes bytes[from, to), or less; returns where it stopped. */
  take(bytes: Uint8Array, from: number, to: number): number
  /** Everything has come and is being loaded: the master's end of the link does not matter any more. */
  readonly isLoading: boolean
  /** The link is gone, or the master is not wanted any more. */
  cancel(): void
  /** The other side has ended the link while data was missing: true if that is logged. */
  cutShort(): boolean
}

/** How the data ends: after so many bytes, or with a mark. */
export type DataEnd =
  | { readonly kind: 'size'; readonly bytes: number }
  | { readonly kind: 'mark'; readonly mark: string }

/** Bytes taken by a loader at a stretch. */
const LOAD_TURN_BYTES = 1024 * 1024

export class FileReceiver implements DataReceiver {
  isLoading = false
  private readonly host: ReceiverHost
  private readonly file: ReceivedFile
  private leftBytes: number
  private readonly mark: Uint8Array | null
  /** What may be the mark. */
  private held: Uint8Array = new Uint8Array(0)
  private isOver = false

  constructor(host: ReceiverHost, file: ReceivedFile, end: DataEnd) {
    this.host = host
    this.file = file
    this.leftBytes = end.kind === 'size' ? end.bytes : Number.POSITIVE_INFINITY
    this.mark = end.kind === 'mark' ? latin1Bytes(end.mark) : null
  }

  take(bytes: Uint8Array, from: number, to: number): number {
    if (this.isLoading) return from
    const until = Math.min(to, from + this.leftBytes)
    try {
      if (this.mark === null) this.file.write(bytes, from, until)
      else this.writeHolding(bytes, from, until)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      this.host.engine.log(
        'warning',
        `Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA synchronization: ${error.message}`,
      )
      this.fail()
      return to
    }
    this.leftBytes -= until - from
    if (this.leftBytes === 0 || this.isAtMark()) void this.finish()
    return until
  }

  cancel(): void {
    this.isOver = true
    if (!this.isLoading) this.discard()
  }

  cutShort(): boolean {
    return false
  }

  private isAtMark(): boolean {
    const { mark, held } = this
    return mark !== null && held.length === mark.length && mark.every((byte, i) => byte === held[i])
  }

  /** Writes all but the last bytes, which may be the mark. */
  private writeHolding(bytes: Uint8Array, from: number, to: number): void {
    const { held, file } = this
    const length = to - from
    if (length >= EOF_MARK_LENGTH) {
      file.write(held, 0, held.length)
      file.write(bytes, from, to - EOF_MARK_LENGTH)
      this.held = bytes.slice(to - EOF_MARK_LENGTH, to)
      return
    }
    const all = new Uint8Array(held.length + length)
    all.set(held)
    all.set(bytes.subarray(from, to), held.length)
    const keep = Math.max(0, all.length - EOF_MARK_LENGTH)
    file.write(all, 0, keep)
    this.held = all.slice(keep)
  }

  /** Never rejects. */
  private async finish(): Promise<void> {
    const { host, file } = this
    const { engine, persistence } = host
    this.isLoading = true
    host.setReading(false)
    try {
      let action = 'sync the temp DB to disk'
      try {
        await file.sync()
        if (this.isOver || engine.isStopped) return this.discard()
        if (persistence.state.isSaving) {
          engine.log(
            'notice',
            `Replica is about to load the RDB file received from the master, but there is a pending RDB child running. Killing process ${persistence.settings.pid} and removing its temp file to avoid any race`,
          )
        }
        host.stopAppending()
        persistence.killSave()
        host.attachToNewMaster()
        engine.log('notice', 'MASTER <-> REPLICA sync: Flushing old data')
        host.flushData()
        engine.log('notice', 'MASTER <-> REPLICA sync: Loading DB in memory')
        action = `rename the temp DB into ${persistence.settings.fileName}`
        file.place()
        action = `sync DB directory ${persistence.settings.dir}`
        const synced = file.syncFolder()
        const loaded = await persistence.loadReceived()
        await synced
        if (this.isOver || engine.isStopped) return
        host.fileRead()
        host.loaded(loaded?.replication ?? null)
      } catch (error) {
        if (this.isOver || engine.isStopped) return
        if (error instanceof FileError) {
          engine.log('warning', `Failed trying to ${action} in MASTER <-> REPLICA synchronization: ${error.message}`)
        } else if (error instanceof PersistenceError) {
          engine.log('warning', `Failed trying to load the MASTER synchronization DB from disk: ${error.message}`)
          host.flushData()
        } else throw error
        this.fail()
        if (error instanceof PersistenceError) host.fileRead()
      }
    } catch (error) {
      engine.fail(error, null)
    }
  }

  private fail(): void {
    if (this.isOver) return
    this.isOver = true
    this.discard()
    this.host.failed()
  }

  private discard(): void {
    try {
      this.file.discard()
    } catch (error) {
      if (!(error instanceof FileError)) throw error
    }
  }
}

export class StreamReceiver implements DataReceiver {
  readonly isLoading = false
  private readonly host: ReceiverHost
  private readonly load: StreamLoad
  private readonly mark: string | null
  /** The databases that take over at the end; null if the data goes to those in use. */
  private readonly guests: readonly Db[] | null
  private readonly functions = new FunctionLibraries()
  private pushedBytes = 0
  private leftBytes: number
  private isLoaded = false
  private heldMark = ''
  private isOver = false
  private isPaused = false

  /** `isAsync`: clients may go on reading the old data. */
  constructor(host: ReceiverHost, end: DataEnd, swaps: boolean, isAsync: boolean) {
    this.host = host
    const { engine, persistence } = host
    const { keyspace } = engine
    this.mark = end.kind === 'mark' ? end.mark : null
    this.leftBytes = end.kind === 'size' ? end.bytes : Number.POSITIVE_INFINITY
    host.stopAppending()
    persistence.killSave()
    if (swaps) {
      keyspace.hasGuests = true
      this.guests = keyspace.databases.map((_, index) => new Db(keyspace, index))
    } else {
      this.guests = null
      host.attachToNewMaster()
      engine.log('notice', 'MASTER <-> REPLICA sync: Flushing old data')
      host.flushData()
    }
    engine.log('notice', 'MASTER <-> REPLICA sync: Loading DB in memory')
    this.load = persistence.beginStream({
      totalBytes: this.leftBytes,
      isAsync,
      ...(this.guests === null ? {} : { databases: this.guests, functions: this.functions }),
    })
  }

  take(bytes: Uint8Array, from: number, to: number): number {
    if (this.isLoaded) return this.takeMark(bytes, from, to)
    const until = Math.min(to, from + this.leftBytes)
    const { loader } = this.load
    const before = this.pushedBytes
    loader.push(bytes, from, until)
    this.pushedBytes += until - from
    this.leftBytes -= until - from
    if (!this.isPaused) this.proceed()
    if (this.isOver || !this.isLoaded) return until
    // What the loader has not taken is not its own.
    return this.takeMark(bytes, from + loader.offset - before, to)
  }

  cancel(): void {
    if (this.isOver) return
    this.isOver = true
    this.load.finish()
    this.discardData()
  }

  cutShort(): boolean {
    if (this.isOver || this.isLoaded) return false
    try {
      this.load.loader.endOfInput()
    } catch (error) {
      this.loadFailed(error)
      return true
    }
    return false
  }

  /** Loads what has come. */
  private proceed(): void {
    const { host, load } = this
    const { loader } = load
    try {
      for (;;) {
        const status = loader.run(LOAD_TURN_BYTES)
        load.noteProgress()
        if (status === LOADED) {
          this.isLoaded = true
          if (this.mark === null) this.succeed()
          return
        }
        if (loader.owedDelayUs > 0) {
          const delayMs = loader.owedDelayUs / 1000
          loader.owedDelayUs = 0
          this.isPaused = true
          host.setReading(false)
          host.scheduler.after(delayMs, () => this.goOn())
          return
        }
        if (status === NEEDS_INPUT) break
      }
      if (this.leftBytes === 0) loader.endOfInput()
    } catch (error) {
      this.loadFailed(error)
    }
  }

  /** After a pause that key-load-delay asked for. */
  private goOn(): void {
    if (this.isOver || this.host.engine.isStopped) return
    this.isPaused = false
    this.host.setReading(true)
    this.proceed()
    if (!this.isLoaded || this.isOver) return
    // The mark came during the pause.
    const { rest } = this.load.loader
    const taken = this.takeMark(rest, 0, rest.length)
    if (taken < rest.length) this.host.follows(rest.subarray(taken))
  }

  private takeMark(bytes: Uint8Array, from: number, to: number): number {
    const { mark } = this
    if (mark === null || this.isOver) return from
    const until = Math.min(to, from + mark.length - this.heldMark.length)
    this.heldMark += Buffer.from(bytes.subarray(from, until)).toString('latin1')
    if (this.heldMark.length < mark.length) return until
    if (this.heldMark === mark) this.succeed()
    else {
      this.host.engine.log('warning', 'Replication stream EOF marker is broken')
      this.fail()
    }
    return until
  }

  private succeed(): void {
    const { host, guests } = this
    const { engine, persistence } = host
    const { keyspace, keyWaiters, watch } = engine
    this.isOver = true
    if (guests !== null) {
      host.attachToNewMaster()
      engine.log('notice', 'MASTER <-> REPLICA sync: Swapping active DB with loaded DB')
      keyspace.snapshot?.abandon()
      for (const [index, db] of keyspace.databases.entries()) {
        const guest = guests[index]!
        if (!watch.isEmpty) watch.touchAll(db, guest)
        keyWaiters.beforeReplaced(db, guest)
        db.exchange(guest)
        keyWaiters.replaced(db)
      }
      for (const guest of guests) guest.dismantle()
      keyspace.hasGuests = false
      persistence.functions.replaceWith(this.functions)
      engine.log('notice', 'MASTER <-> REPLICA sync: Discarding old DB in background')
    }
    keyspace.dirty++
    host.loaded(this.load.finish())
  }

  private loadFailed(error: unknown): void {
    const { engine, persistence } = this.host
    persistence.streamFailed(error, this.load.loader)
    engine.log('warning', 'Failed trying to load the MASTER synchronization DB from socket: Input/output error')
    this.fail()
  }

  private fail(): void {
    if (this.isOver) return
    this.isOver = true
    this.load.finish()
    this.host.failed()
    this.discardData()
    if (this.guests !== null) {
      this.host.engine.log('notice', 'MASTER <-> REPLICA sync: Discarding temporary DB in background')
    }
  }

  private discardData(): void {
    const { guests, host } = this
    if (guests === null) host.flushData()
    else {
      for (const guest of guests) guest.dismantle()
      host.engine.keyspace.hasGuests = false
    }
  }
}
