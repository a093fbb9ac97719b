/**
 * Loads the files that a manifest names: the base, RDB or commands, and the increments in their order.
 *
 * A generator, so that one form serves the start of a server, where clients have an answer in between, and DEBUG LOADAOF,
 * where everybody waits: it yields milliseconds to pause, 0 for a turn.
 * Rules and log lines are Redis's (loadAppendOnlyFiles and loadSingleAppendOnlyFile in aof.c): a transaction counts when it is whole,
 * a file that ends within a command is cut there if aof-load-truncated allows it and it is the last one.
 */
import { resolve } from '../../engine/dispatch.ts'
import type { LogLevel } from '../../engine/engine.ts'
import { DENY_BLOCKING, IN_MULTI, LOADER, Session } from '../../engine/session.ts'
import { panicOnError } from '../../engine/unexpected-error.ts'
import { EXPIRE_IGNORE } from '../../keyspace/entry.ts'
import { ArenaFullError } from '../../memory/arena.ts'
import { PersistenceError } from '../errors.ts'
import { FileError, type FileSystem, type ReadableFile } from '../file-system.ts'
import type { Persistence } from '../persistence.ts'
import type { AofFolder } from './aof-folder.ts'
import { AofReader, BAD, COMMAND, END } from './aof-reader.ts'
import type { AofState } from './aof-state.ts'

/** absent: there are none. empty: they hold nothing. stopped: the server ends. */
export type LoadOutcome = 'loaded' | 'absent' | 'empty' | 'truncated' | 'failed' | 'stopped'
type FileOutcome = 'loaded' | 'empty' | 'absent' | 'truncated' | 'failed'
type Steps<Result> = Generator<number, Result, void>

/** Commands between two looks at the world. */
const COMMANDS_PER_TURN = 1024
const SIGNATURE = [82, 69, 68, 73, 83]
const DELAY_US_MIN = 1000

export function* loadAppendOnlyFiles(
  persistence: Persistence,
  fileSystem: FileSystem,
  folder: AofFolder,
  state: AofState,
): Steps<LoadOutcome> {
  const { engine } = persistence
  folder.upgrade()
  const { manifest } = folder
  if (manifest.isEmpty) return 'absent'
  let totalBytes = 0
  let baseBytes = 0
  for (const { name, type } of manifest.files) {
    try {
      const sizeBytes = fileSystem.sizeOf(folder.pathOf(name))
      totalBytes += sizeBytes
      if (type === 'b') baseBytes = sizeBytes
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      engine.log('warning', `Unable to obtain the AOF file ${name} length. stat: ${error.message}`)
      return 'failed'
    }
  }
  if (totalBytes === 0) return 'empty'
  const finish = persistence.beginAofLoading(totalBytes)
  let outcome: LoadOutcome = 'loaded'
  try {
    const loading = new AofLoading(persistence, fileSystem, folder)
    for (const [index, { name, type }] of manifest.files.entries()) {
      const isLast = index === manifest.files.length - 1
      const startUs = now(persistence)
      const result = yield* loading.file(name)
      if (result === 'loaded' || (result === 'truncated' && isLast)) {
        const seconds = ((now(persistence) - startUs) / 1e6).toFixed(3)
        engine.log('notice', `DB loaded from ${type === 'b' ? 'base' : 'incr'} file ${name}: ${seconds} seconds`)
      }
      if (result === 'truncated' && !isLast) {
        engine.log('warning', 'Fatal error: the truncated file is not the last file')
        return 'failed'
      }
      if (result === 'failed' || result === 'absent') return 'failed'
      outcome = result === 'truncated' ? 'truncated' : 'loaded'
    }
    state.currentBytes = totalBytes
    state.baseBytes = baseBytes
    return outcome
  } finally {
    finish()
  }
}

class AofLoading {
  private readonly persistence: Persistence
  private readonly fileSystem: FileSystem
  private readonly folder: AofFolder
  /** Of the files before. */
  private doneBytes = 0

  constructor(persistence: Persistence, fileSystem: FileSystem, folder: AofFolder) {
    this.persistence = persistence
    this.fileSystem = fileSystem
    this.folder = folder
  }

  *file(name: string): Steps<FileOutcome> {
    let file: ReadableFile
    try {
      file = this.fileSystem.openForReading(this.folder.pathOf(name))
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      if (error.code === 'ENOENT') {
        this.log('warning', `The append log file ${name} doesn't exist: ${error.message}`)
        return 'absent'
      }
      this.log('warning', `Fatal error: can't open the append log file ${name} for reading: ${error.message}`)
      return 'failed'
    }
    try {
      if (file.sizeBytes === 0) return 'empty'
      const offset = this.isRdb(file) ? yield* this.rdbPart(file, name) : 0
      if (offset < 0) return 'failed'
      return yield* this.commands(file, name, offset)
    } catch (error) {
      if (error instanceof FileError) {
        this.log('warning', `Unrecoverable error reading the append only file ${name}: ${error.message}`)
        return 'failed'
      }
      if (error instanceof ArenaFullError) {
        this.log('warning', `Out of memory reading the append only file ${name}: ${error.message}`)
        return 'failed'
      }
      throw error
    } finally {
      this.doneBytes += file.sizeBytes
      file.closeSync()
    }
  }

  private isRdb(file: ReadableFile): boolean {
    const head = new Uint8Array(SIGNATURE.length)
    let length = 0
    while (length < head.length) {
      const count = file.readSync(head, length)
      if (count === 0) return false
      length += count
    }
    return SIGNATURE.every((byte, index) => head[index] === byte)
  }

  /** Returns where the commands begin, or -1. */
  private *rdbPart(file: ReadableFile, name: string): Steps<number> {
    const isOld = name === this.persistence.settings.appendFileName
    this.log('notice', isOld ? 'Reading RDB preamble from AOF file...' : 'Reading RDB base file on AOF loading...')
    file.seek(0)
    try {
      const end = yield* this.persistence.loadRdbPart(file, this.doneBytes)
      if (isOld) this.log('notice', 'Reading the remaining AOF tail...')
      return end
    } catch (error) {
      if (!(error instanceof PersistenceError)) throw error
      this.log(
        'warning',
        isOld
          ? `Error reading the RDB preamble of the AOF file ${name}, AOF loading aborted`
          : `Error reading the RDB base file ${name}, AOF loading aborted`,
      )
      return -1
    }
  }

  private *commands(file: ReadableFile, name: string, start: number): Steps<FileOutcome> {
    const { persistence } = this
    const { engine, settings } = persistence
    const reader = new AofReader(file, start)
    const client = loaderOf(persistence)
    let valid = start
    let validBeforeMulti = start
    let owedDelayUs = 0
    for (let loops = 0; ; loops++) {
      if (loops % COMMANDS_PER_TURN === 0) {
        this.noteProgress(reader.offset)
        yield 0
        engine.clock.refresh()
      }
      const status = reader.next()
      if (status === BAD) {
        this.log(
          'warning',
          `Bad file format reading the append only file ${name}: make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>`,
        )
        return 'failed'
      }
      if (status !== COMMAND) {
        if (status === END && !client.has(IN_MULTI)) break
        if (status === END) this.log('warning', `Revert incomplete MULTI/EXEC transaction in AOF file ${name}`)
        // Also when it ends within a command: what is appended later must not become part of the transaction.
        return this.endsEarly(name, client.has(IN_MULTI) ? validBeforeMulti : valid)
      }
      const { argv } = reader
      const entry = resolve(engine.commands.lookup(argv), argv)
      if (entry === null) {
        this.log('warning', `Unknown command '${argv.latin1(0)}' reading the append only file ${name}`)
        return 'failed'
      }
      const { fullName } = entry.command
      if (fullName === 'multi') validBeforeMulti = valid
      if (client.has(IN_MULTI) && fullName !== 'exec') client.queue.push(entry, argv)
      else engine.replay(client, entry, argv)
      valid = reader.offset
      if (settings.keyLoadDelayUs <= 0) continue
      owedDelayUs += settings.keyLoadDelayUs
      if (owedDelayUs < DELAY_US_MIN) continue
      yield owedDelayUs / 1000
      owedDelayUs = 0
    }
    this.noteProgress(reader.offset)
    return 'loaded'
  }

  /** The file ends where it should not, and is whole up to `valid`. */
  private endsEarly(name: string, valid: number): FileOutcome {
    if (this.persistence.settings.loadsTruncated) {
      this.log('warning', `!!! Warning: short read while loading the AOF file ${name}!!!`)
      this.log('warning', `!!! Truncating the AOF ${name} at offset ${valid} !!!`)
      try {
        this.fileSystem.truncateSync(this.folder.pathOf(name), valid)
        this.log('warning', `AOF ${name} loaded anyway because aof-load-truncated is enabled`)
        return 'truncated'
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        this.log('warning', `Error truncating the AOF file ${name}: ${error.message}`)
      }
    }
    this.log(
      'warning',
      `Unexpected end of file reading the append only file ${name}. You can: 1) Make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration option to yes and restart the server.`,
    )
    return 'failed'
  }

  private noteProgress(offset: number): void {
    this.persistence.state.loadingLoadedBytes = this.doneBytes + offset
  }

  private log(level: LogLevel, message: string): void {
    this.persistence.engine.log(level, message)
  }
}

/** Who executes: a client that nobody sees. */
function loaderOf({ engine, settings }: Persistence): Session {
  const session = new Session(engine, 0, engine.keyspace.databases[0]!)
  session.authenticated = true
  session.flags = LOADER | DENY_BLOCKING
  session.onUnexpectedError = () => {
    if (settings.panicsOnErrors) panicOnError(engine, session)
  }
  engine.keyspace.expireMode = EXPIRE_IGNORE
  return session
}

function now({ engine }: Persistence): number {
  engine.clock.refresh()
  return engine.clock.monotonicUs
}
