/**
 * createServer: a server inside another program. Its defaults are those of a guest: loopback only, no save points, no
 * data folder of its own, nothing logged, no signal handlers, and the process is never ended.
 */
import { resolve } from 'node:path'
import { type Clock, SystemClock } from '../base/clock.ts'
import { Random } from '../base/random.ts'
import type { Command } from '../engine/command.ts'
import type { ReplyValue } from '../resp/reply-decoder.ts'
import { enterDir } from './config/node-files.ts'
import { applyOptions, type ConfigOptions } from './config/options.ts'
import { ConfigStore } from './config/store.ts'
import { textOf } from './config/text.ts'
import { type Argument, LocalClient, type LocalClientOptions } from './local-client.ts'
import { Logger } from './log/logger.ts'
import { FileOrElseSink, type LogSink, SILENT_SINK } from './log/sinks.ts'
import { Server } from './server.ts'

/** Parameters of redis.conf in camelCase, and what only an embedding program can give. */
export interface ServerOptions extends ConfigOptions {
  /** Commands of your own, made by defineCommand. */
  readonly commands?: readonly Command[]
  /** The time that the server lives by; the system's by default. */
  readonly clock?: Clock
  /** Makes everything that is left to chance the same in each run. */
  readonly seed?: number
  /** Called with each log line; by default they go to `logfile`, if there is one. */
  readonly onLog?: (line: string) => void
}

export interface EmbeddedServer extends AsyncDisposable {
  /** The TCP port, chosen by the system for port 0. */
  readonly port: number
  /** redis://host:port, with the password if there is one. */
  readonly url: string
  /** The server's time. `advance` moves expiry, time-outs and TIME forward at once. */
  readonly clock: { readonly nowMs: number; advance(ms: number): void }
  /** Runs a command without a socket; rejects with a ReplyError. */
  execute(...args: readonly Argument[]): Promise<ReplyValue>
  /** A further in-process client with a session of its own. */
  connect(options?: LocalClientOptions): LocalClient
  /** Ends connections and gives back port, timers and memory. May be called again. */
  close(): Promise<void>
}

const OWN_OPTIONS = new Set(['commands', 'clock', 'seed', 'onLog'])
const GUEST_DEFAULTS: ConfigOptions = { bind: '127.0.0.1', save: '' }

/** Starts a server in this process. Rejects with a ConfigOptionError or with why it cannot listen. */
export async function createServer(options: ServerOptions = {}): Promise<EmbeddedServer> {
  const clock = options.clock ?? new SystemClock()
  const sink: LogSink = options.onLog === undefined ? SILENT_SINK : { write: (text) => options.onLog!(text.trimEnd()) }
  const config = new ConfigStore({
    dir: process.cwd(),
    enterDir,
    log: (level, message) => logger.log(level, message),
  })
  const logger = new Logger(
    config.fields,
    new FileOrElseSink(
      () => (config.fields.logfile === '' ? null : resolve(config.fields.dir, config.fields.logfile)),
      sink,
    ),
    clock,
    process.pid,
  )
  const parameters = Object.fromEntries(Object.entries(options).filter(([name]) => !OWN_OPTIONS.has(name)))
  applyOptions(config, { ...GUEST_DEFAULTS, ...parameters })
  const server = new Server({
    config,
    clock,
    random: options.seed === undefined ? Random.fromSystem() : Random.fromSeed(options.seed),
    logger,
    commands: options.commands ?? [],
    renames: [],
    showLogo: false,
    anyPort: parameters.port !== undefined || parameters.unixsocket === undefined,
    mayBeDeaf: true,
    executable: '',
    modules: [],
    moduleParameters: [],
    removePidFile: null,
    onShutdown: (stopped) => void stopped.close(),
    onFatal: () => {},
  })
  await server.start()
  return new Embedded(server)
}

class Embedded implements EmbeddedServer {
  readonly clock: EmbeddedServer['clock']
  private readonly server: Server
  private client: LocalClient | null = null

  constructor(server: Server) {
    this.server = server
    this.clock = {
      get nowMs() {
        return server.engine.clock.nowMs
      },
      advance: (ms) => server.advanceClock(ms),
    }
  }

  get port(): number {
    return this.server.port
  }

  get url(): string {
    const { requirepass, bind } = this.server.config.fields
    const password = requirepass === '' ? '' : `:${encodeURIComponent(textOf(requirepass))}@`
    const host = bind[0]!.includes(':') ? `[${bind[0]}]` : bind[0]!
    return `redis://${password}${host}:${this.port}`
  }

  execute(...args: readonly Argument[]): Promise<ReplyValue> {
    this.client ??= new LocalClient(this.server.engine)
    return this.client.execute(...args)
  }

  connect(options?: LocalClientOptions): LocalClient {
    return new LocalClient(this.server.engine, options)
  }

  close(): Promise<void> {
    return this.server.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
