/** A configuration and its commands without a server around them: for tests, alone or beside a real redis-server. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../../src/base/clock.ts'
import { Random } from '../../src/base/random.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { OutputSink } from '../../src/engine/session.ts'
import type { ReplyWriter } from '../../src/resp/reply-writer.ts'
import { configCommands } from '../../src/server/commands/config.ts'
import type { ConfigSource, DirectiveHandlers } from '../../src/server/config/load.ts'
import { loadConfig } from '../../src/server/config/load.ts'
import { enterDir, NODE_CONFIG_FILES, rewriteConfigFile } from '../../src/server/config/node-files.ts'
import type { RewriteExtras } from '../../src/server/config/rewrite.ts'
import { ConfigStore } from '../../src/server/config/store.ts'
import { encodeCommand } from './resp-client.ts'

export class TemporaryFolder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'o7-config-')))

  join(...parts: string[]): string {
    return join(this.path, ...parts)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

export class ConfigHarness {
  readonly store: ConfigStore
  readonly engine: Engine
  readonly logLines: string[] = []
  readonly redacted: number[] = []
  readonly modules: string[][] = []
  readonly users: string[][] = []
  readonly renamed: string[][] = []
  readonly moduleParameters = new Map<string, string>()
  isLoading = false
  isLocal = true
  canWait = true
  statisticsResets = 0
  extras: RewriteExtras = { users: [], modules: [] }

  constructor(dir: string) {
    const log = (level: string, message: string) => {
      if (level === 'warning') this.logLines.push(message)
    }
    this.store = new ConfigStore({ dir, enterDir, log })
    this.engine = new Engine({
      clock: new ManualClock(),
      random: new Random(Uint32Array.of(1, 2, 3, 4)),
      databases: 1,
      commands: configCommands({
        store: this.store,
        setContext: () => ({ isLoading: this.isLoading, isLocal: this.isLocal, canWait: this.canWait }),
        redact: (_session, argIndex) => this.redacted.push(argIndex),
        resetStatistics: () => this.statisticsResets++,
        rewriteFile: () =>
          rewriteConfigFile(this.store, this.extras, { umask: 0o022, random: Random.fromSystem(), log }),
        warn: (message) => log('warning', message),
      }),
    })
  }

  /** Reads a configuration as the program does. */
  load(source: ConfigSource): void {
    const handlers: DirectiveHandlers = {
      renameCommand: (from, to) => {
        if (from === 'nosuch') return 'No such command in rename-command'
        this.renamed.push([from, to])
        return null
      },
      user: (args) => {
        this.users.push([...args])
        return null
      },
      loadModule: (path, args) => {
        this.modules.push([path, ...args])
      },
      moduleParameter: (name, value) => {
        this.moduleParameters.set(name, value)
      },
    }
    loadConfig(this.store, NODE_CONFIG_FILES, handlers, source)
    this.store.configFile = source.file ?? null
  }

  /** Raw reply of a command. */
  async call(...args: (string | Uint8Array)[]): Promise<Buffer> {
    const replies: Buffer[] = []
    let arrived = () => {}
    const sink: OutputSink = {
      queuedBytes: 0,
      queuedChunks: 0,
      sendReplies: (reply: ReplyWriter) => {
        replies.push(Buffer.from(reply.takeBytes()))
        arrived()
      },
      send: (bytes) => {
        replies.push(Buffer.from(bytes))
        arrived()
      },
      close: () => {},
      setReading: () => {},
    }
    const session = this.engine.connect(sink)
    const waiting = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const request = encodeCommand(args)
    this.engine.receive(session, request, request.length)
    if (replies.length === 0) await waiting
    this.engine.disconnect(session)
    return Buffer.concat(replies)
  }

  async text(...args: (string | Uint8Array)[]): Promise<string> {
    return (await this.call(...args)).toString('latin1')
  }
}
