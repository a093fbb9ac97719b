/**
 * An engine with persistence on a disk in memory, moved by hand: for tests of saving and loading without sockets and files.
 */

import { stringCommands } from '../../src/commands/string/index.ts'
import type { Command } from '../../src/engine/command.ts'
import type { ValueType } from '../../src/keyspace/value-type.ts'
import { persistenceCommands } from '../../src/persistence/commands/index.ts'
import type { FileSystem } from '../../src/persistence/file-system.ts'
import { Persistence, type Scheduler } from '../../src/persistence/persistence.ts'
import type { RdbTypeCodec } from '../../src/persistence/rdb/type-codec.ts'
import { PersistenceSettings } from '../../src/persistence/settings.ts'
import { createTestEngine, type TestEngine } from './engine.ts'
import { MemoryFiles, ticks } from './memory-files.ts'

export const DIR = '/data'
export const DUMP = `${DIR}/dump.rdb`

/** Runs what it was given when the test says so. */
export class ManualScheduler implements Scheduler {
  /** What waits, with the milliseconds that it wants to wait. */
  readonly waiting: { ms: number; run: () => void }[] = []

  soon(run: () => void): void {
    this.waiting.push({ ms: 0, run })
  }

  after(ms: number, run: () => void): void {
    this.waiting.push({ ms, run })
  }

  /** Runs the first that waits. False: nothing did. */
  turn(): boolean {
    const next = this.waiting.shift()
    next?.run()
    return next !== undefined
  }
}

export interface TestPersistence extends TestEngine {
  persistence: Persistence
  settings: PersistenceSettings
  files: MemoryFiles
  scheduler: ManualScheduler
  /** Log lines as "level message". */
  log: string[]
  /** Goes on until nothing is left to do. */
  drain(): Promise<void>
}

export interface TestPersistenceOptions {
  readonly seed?: number
  readonly commands?: readonly Command[]
  readonly files?: MemoryFiles
  /** Instead of `files`. */
  readonly fileSystem?: FileSystem
  readonly databases?: number
  readonly types?: readonly ValueType[]
  readonly codecs?: readonly RdbTypeCodec[]
  readonly onFatal?: (error: unknown) => void
}

export function createTestPersistence(options: TestPersistenceOptions = {}): TestPersistence {
  const log: string[] = []
  const files = options.files ?? new MemoryFiles()
  const scheduler = new ManualScheduler()
  const test = createTestEngine(
    [...stringCommands, ...persistenceCommands(() => persistence), ...(options.commands ?? [])],
    {
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      databases: options.databases ?? 16,
      types: options.types ?? [],
      log: (level, message) => log.push(`${level} ${message}`),
      ...(options.onFatal === undefined ? {} : { onFatal: options.onFatal }),
    },
  )
  const settings = new PersistenceSettings()
  settings.dir = DIR
  settings.pid = 4711
  const persistence: Persistence = new Persistence(
    test.engine,
    { fileSystem: options.fileSystem ?? files, scheduler },
    settings,
    options.codecs,
  )
  const drain = async () => {
    do await ticks()
    while (scheduler.turn() || (await files.settle()) > 0)
  }
  return { ...test, persistence, settings, files, scheduler, log, drain }
}
