/**
 * createServer: a server inside another program. Its defaults are those of a guest: a free port on loopback, no save
 * points, nothing logged, no signal handlers, and the process is never ended.
 */
import { resolve } from 'node:path'
import { type Clock, SystemClock } from '../base/clock.ts'
import { Random } from '../base/random.ts'
import type { Command, CommandDefinition } from '../engine/command.ts'
import type { Engine } from '../engine/engine.ts'
import { EXPIRE_DELETE } from '../keyspace/entry.ts'
import { PersistenceError } from '../persistence/errors.ts'
import type { ReplyValue } from '../resp/reply-decoder.ts'
import { enterDir } from './config/node-files.ts'
import { applyOptions, ConfigOptionError, type ConfigOptions } from './config/options.ts'
import { ConfigStore } from './config/store.ts'
import { textOf } from './config/text.ts'
import { ServerError } from './errors.ts'
import { ListenError } from './listening.ts'
import { type Argument, LocalClient, type LocalClientOptions } from './local-client.ts'
import { Logger } from './log/logger.ts'
import { FileOrElseSink, type LogSink, SILENT_SINK } from './log/sinks.ts'
import { Server } from './server.ts'
import { userCommand } from './user-command.ts'

/** What only an embedding program can give. */
interface OwnOptions {
  /** False: nothing is listened on, and in-process clients are the only ones. */
  readonly listen?: boolean | undefined
  /** Commands of your own, made by defineCommand. */
  readonly commands?: readonly CommandDefinition[] | undefined
  /** The time that the server lives by; the system's by default. */
  readonly clock?: Clock | undefined
  /** Makes everything that is left to chance the same in each run. */
  readonly seed?: number | undefined
  /** Called with each log line; by default they go to `logfile`, if there is one. */
  readonly onLog?: ((line: string) => void) | undefined
  /**
   * Called when a bug, of the server's or of a command of your own, has stopped this server. By default Node.js prints a
   * warning (process event 'warning').
   */
  readonly onCrash?: ((error: ServerError) => void) | undefined
  /** Called whenever this replica has its master's data and follows it: at first, and after each break of the link. */
  readonly onSync?: (() => void) | undefined
}

/** Parameters of redis.conf in camelCase, and what only an embedding program can give. */
export interface ServerOptions extends ConfigOptions, OwnOptions {}

export interface ServerClock {
  /** Milliseconds since 1970. */
  readonly nowMs: number
  /**
   * Moves the server's time forward: TIME, time-outs and expiry follow at once. Every key whose time has come is gone
   * when it returns.
   */
  advance(ms: number): void
}

export interface EmbeddedServer extends AsyncDisposable {
  /** The TCP port; 0 without one. */
  readonly port: number
  /** What clients connect to: redis://127.0.0.1:port, with the password if there is one; unix:///path without TCP. */
  readonly url: string
  readonly clock: ServerClock
  /** It was closed, by whatever: `close`, SHUTDOWN, a bug. */
  readonly isClosed: boolean
  /** Whether it follows a master (`replicaof`, REPLICAOF) or is one. */
  readonly role: 'master' | 'replica'
  /** Makes a replica a master, with the data it has: REPLICAOF NO ONE. Nothing happens to a master. */
  promote(): void
  /**
   * Runs a command without a socket; rejects with a ReplyError when Redis would answer with an error. All calls share
   * one client: for MULTI, subscriptions and commands that block, take one of your own from `connect`.
   */
  execute<Reply extends ReplyValue = ReplyValue>(...args: readonly Argument[]): Promise<Reply>
  /** A further in-process client with a session of its own. */
  connect(options?: LocalClientOptions): LocalClient
  /** Ends connections, rejects calls that wait, and gives back port, timers and memory. May be called again. */
  close(): Promise<void>
}

type Check = (value: unknown) => boolean
const isFunction: Check = (value) => typeof value === 'function'
const isClock: Check = (value) => {
  const clock = value as Partial<Clock> | null
  return [clock?.refresh, clock?.wallUs, clock?.advance].every(isFunction)
}
const OWN_OPTIONS: ReadonlyMap<string, readonly [isRight: Check, what: string]> = new Map<
  keyof OwnOptions,
  readonly [Check, string]
>([
  ['listen', [(value) => typeof value === 'boolean', 'true or false']],
  ['commands', [Array.isArray, 'a list of commands']],
  ['clock', [isClock, 'a clock, such as new ManualClock(),']],
  ['seed', [Number.isSafeInteger, 'a whole number']],
  ['onLog', [isFunction, 'a function']],
  ['onCrash', [isFunction, 'a function']],
  ['onSync', [isFunction, 'a function']],
])

/**
 * Starts a server in this process. With `dir` or `dbfilename` it begins with the data of the RDB file there, if there is
 * one. Rejects with a ConfigOptionError, or with a ServerError if it can not listen or not load.
 */
export async function createServer(options: ServerOptions = {}): Promise<EmbeddedServer> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigOptionError('O7_INVALID_OPTION', '', 'createServer takes an object of options, as { port: 6379 }')
  }
  const clock = options.clock ?? new SystemClock()
  const parameters = parametersOf(options)
  const isDeaf = options.listen === false
  const config: ConfigStore = new ConfigStore({
    dir: process.cwd(),
    enterDir,
    log: (level, message) => logger.log(level, message),
  })
  applyOptions(config, parameters)
  const { fields } = config
  const sink = new FileOrElseSink(
    () => (fields.logfile === '' ? null : resolve(fields.dir, fields.logfile)),
    options.onLog === undefined ? SILENT_SINK : linesTo(options.onLog),
  )
  const logger: Logger = new Logger(fields, sink, clock, process.pid)
  const commands = (options.commands ?? []).map(commandOf)
  const embedded = new Embedded(clock, options.onCrash)
  const server = new Server({
    config,
    clock,
    random: options.seed === undefined ? Random.fromSystem() : Random.fromSeed(options.seed),
    logger,
    commands: [],
    isGuest: true,
    renames: [],
    showLogo: false,
    // A unix socket alone is no wish for TCP.
    anyPort: !isDeaf && (options.port !== undefined || fields.unixsocket === ''),
    // Whatever lies in the folder that the program happens to run in is not this server's.
    loadsData: options.dir !== undefined || options.dbfilename !== undefined,
    mayBeDeaf: true,
    executable: '',
    modules: [],
    moduleParameters: [],
    removePidFile: null,
    onInSync: () => {
      // The program's own code does not run within what is going on.
      if (options.onSync !== undefined) queueMicrotask(options.onSync)
    },
    onShutdown: () => void embedded.close(),
    onFatal: (error) => embedded.crashed(error),
  })
  for (const [index, command] of commands.entries()) {
    try {
      server.engine.commands.add(command)
    } catch (error) {
      throw wrongCommand(index, error)
    }
  }
  embedded.server = server
  try {
    await server.start()
  } catch (error) {
    await embedded.close()
    if (error instanceof ListenError) throw listenError(error)
    if (error instanceof PersistenceError) throw new ServerError('O7_LOAD', error.message, { cause: error })
    throw error
  }
  return embedded
}

/** The parameters among the options, with what a guest has for those that are not given. */
function parametersOf(options: ServerOptions): ConfigOptions {
  const parameters: Record<string, unknown> = { bind: '127.0.0.1', port: 0, save: '' }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    const own = OWN_OPTIONS.get(name)
    if (own === undefined) parameters[name] = value
    else if (!own[0](value)) {
      throw new ConfigOptionError('O7_INVALID_OPTION', name, `option ${name}: ${own[1]} is needed`)
    }
  }
  if (options.listen === false) {
    for (const name of ['port', 'unixsocket'] as const) {
      if (options[name] === undefined) continue
      throw new ConfigOptionError(
        'O7_INVALID_OPTION',
        name,
        `option ${name}: nothing is listened on with listen: false`,
      )
    }
  }
  return parameters
}

function commandOf(definition: CommandDefinition, index: number): Command {
  try {
    return userCommand(definition)
  } catch (error) {
    throw wrongCommand(index, error)
  }
}

function wrongCommand(index: number, error: unknown): ConfigOptionError {
  const message = error instanceof Error ? error.message : String(error)
  return new ConfigOptionError('O7_INVALID_OPTION', 'commands', `option commands, item ${index}: ${message}`)
}

function linesTo(onLog: (line: string) => void): LogSink {
  return {
    write(text) {
      for (const line of text.replace(/\n$/, '').split('\n')) {
        try {
          onLog(line)
        } catch (error) {
          // A mistake of the program's, which must not look like one of the server's: it goes where such errors go.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
  }
}

class Embedded implements EmbeddedServer {
  readonly clock: ServerClock
  /** Null once closed, so that who keeps the object does not keep the data. */
  server: Server | null = null
  private lastPort = 0
  private client: LocalClient | null = null
  private crash: ServerError | null = null
  private closing: Promise<void> | null = null
  private readonly onCrash: ((error: ServerError) => void) | undefined

  constructor(clock: Clock, onCrash: ((error: ServerError) => void) | undefined) {
    this.onCrash = onCrash
    this.clock = {
      get nowMs() {
        clock.refresh()
        return clock.nowMs
      },
      advance: (ms) => {
        if (!Number.isFinite(ms) || ms < 0) {
          throw new ServerError('O7_INVALID_ARGUMENT', `a clock advances by 0 milliseconds or more, not by ${ms}`)
        }
        const { server } = this
        if (server === null) return clock.advance(ms)
        server.advanceClock(ms)
        expireAll(server.engine)
      },
    }
  }

  get port(): number {
    return this.server?.port ?? this.lastPort
  }

  get url(): string {
    if (this.server === null) throw this.closedBecause()
    const { requirepass, bind, unixsocket, dir } = this.server.config.fields
    const password = requirepass === '' ? '' : `:${encodeURIComponent(textOf(requirepass))}@`
    if (this.port !== 0) return `redis://${password}${hostOf(bind)}:${this.port}`
    if (unixsocket !== '') return `unix://${password}${resolve(dir, unixsocket)}`
    throw new ServerError('O7_NOT_LISTENING', 'this server listens nowhere: execute() and connect() reach it')
  }

  get isClosed(): boolean {
    return this.server === null
  }

  get role(): 'master' | 'replica' {
    if (this.server === null) throw this.closedBecause()
    return this.server.replication.isReplica ? 'replica' : 'master'
  }

  promote(): void {
    if (this.server === null) throw this.closedBecause()
    this.server.replication.becomeMaster()
  }

  execute<Reply extends ReplyValue = ReplyValue>(...args: readonly Argument[]): Promise<Reply> {
    if (this.server === null) return Promise.reject(this.closedBecause())
    // A new one if it was ended, by QUIT or CLIENT KILL.
    if (this.client === null || this.client.isClosed) this.client = this.connect()
    return this.client.execute<Reply>(...args)
  }

  connect(options?: LocalClientOptions): LocalClient {
    if (this.server === null) throw this.closedBecause()
    return new LocalClient(this.server.engine, options, () => (this.server === null ? this.closedBecause() : null))
  }

  close(): Promise<void> {
    this.closing ??= this.end()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** A bug has stopped the server. */
  crashed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    const crash = new ServerError('O7_CRASHED', `a bug stopped the server: ${message}`, { cause: error })
    this.crash = crash
    void this.close()
    const { onCrash } = this
    // The program's own code does not run within a command.
    queueMicrotask(() => {
      if (onCrash !== undefined) onCrash(crash)
      else process.emitWarning(crash)
    })
  }

  private async end(): Promise<void> {
    const { server } = this
    if (server === null) return
    this.lastPort = server.port
    this.server = null
    this.client = null
    await server.close()
    server.weight = weightOf(server.engine.keyspace.arena.heldBytes)
  }

  private closedBecause(): ServerError {
    return this.crash ?? new ServerError('O7_CLOSED', 'the server is closed')
  }
}

/**
 * Removes every key whose time has come. The cron is content with most of them, as Redis is; whoever moves the clock wants
 * to see what follows from it, all of it.
 */
function expireAll({ keyspace, settings, isStopped }: Engine): void {
  if (isStopped || !settings.activeExpire || keyspace.expireMode !== EXPIRE_DELETE) return
  for (const db of keyspace.databases) {
    let cursor = 0
    do {
      cursor = db.scanExpires(cursor, (entry) => {
        if (db.isOverdue(entry)) db.expire(entry)
      })
    } while (cursor !== 0)
  }
}

/** No weight is larger: V8 looks for garbage long before. */
const WEIGHT_BYTES_MAX = 1024 ** 3

/**
 * Makes V8 see what a closed server holds. The pages of an arena are shared memory, which does not count for it, so those
 * of closed servers would pile up: seven of eight that had held 65 MB each were still there, 453 MB. An ordinary buffer
 * counts; it is never touched, so it takes no memory itself, and it goes when the server goes.
 */
function weightOf(bytes: number): ArrayBuffer | null {
  try {
    return new ArrayBuffer(Math.min(bytes, WEIGHT_BYTES_MAX))
  } catch {
    // A process that may not even ask for so much has V8's attention already.
    return null
  }
}

/** The log says what the system said; who embeds a server may not see the log. */
function listenError({ message, cause }: ListenError): ServerError {
  const detail = cause instanceof Error ? ` (${cause.message})` : ''
  return new ServerError('O7_LISTEN', `${message}${detail}`, { cause })
}

/** A host that clients can connect to, out of the addresses that are listened on. */
function hostOf(bind: readonly string[]): string {
  const address = bind.find((candidate) => !candidate.startsWith('-')) ?? bind[0]!.slice(1)
  if (address === '*' || address === '0.0.0.0') return '127.0.0.1'
  if (address === '::*' || address === '::') return '[::1]'
  return address.includes(':') ? `[${address}]` : address
}
