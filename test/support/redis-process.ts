/**
 * Starts a real redis-server, or our own program, for a test: on a free loopback port (or a unix socket), in a temporary
 * folder of its own, with the directives asked for; resolves when it accepts connections; stops it by its process id.
 * Both kinds are started the same way, so a test that compares them changes one word.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RespClient } from './resp-client.ts'

/** `redis` is the redis-server on PATH, `o7` is bin/o7-redis of this checkout; anything else is the path of a program. */
export type ServerKind = 'redis' | 'o7' | (string & {})

export type DirectiveValue = string | number | readonly (string | number)[]

export interface StartOptions {
  readonly server: ServerKind
  /** redis.conf directives; an array is passed as separate arguments. `save ""` is set unless `save` is given. */
  readonly directives?: Readonly<Record<string, DirectiveValue>>
  /** Arguments before the directives, for instance the path of a configuration file. */
  readonly arguments?: readonly string[]
  /** Text of a configuration, fed through standard input (the `-` argument). */
  readonly configText?: string
  /** A port to insist on; without it a free one is looked for. 0 listens on the unix socket alone. */
  readonly port?: number
  /** A folder to work in; it is kept. Without it a temporary one is made and removed at stop. */
  readonly dir?: string
  readonly env?: Readonly<Record<string, string>>
  /** How long to wait for "Ready to accept connections". */
  readonly readyTimeoutMs?: number
}

export interface ExitStatus {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
const PORT_ATTEMPTS_MAX = 8
/** Linux gives 32768 and above by itself, others 49152 and above. */
const PORT_MIN = 10_000
const PORTS = 22_000
/** Processes of one run have process ids that are near each other. */
const PORTS_PER_PROCESS = 97
const READY_TIMEOUT_MS = 30_000
/** How long a server may take to stop on SIGTERM before it is killed. */
const STOP_TIMEOUT_MS = 15_000

/** The path of a program on PATH, or null. */
export function findProgram(name: string): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not in this folder.
    }
  }
  return null
}

/**
 * Whether there is a real redis-server to compare with. For `describe.skipIf(!hasRedisServer())`: the global set-up has
 * provided it where it could, said so where it could not, and failed when CI=true.
 */
export function hasRedisServer(): boolean {
  return findProgram('redis-server') !== null
}

export function serverProgram(kind: ServerKind): string {
  if (kind === 'o7') return join(CHECKOUT, 'bin/o7-redis')
  if (kind !== 'redis') return resolve(kind)
  const path = findProgram('redis-server')
  if (path === null) throw new Error('there is no redis-server on PATH: run node scripts/provide-redis.mjs')
  return path
}

let portsGiven = 0

/**
 * A loopback port that was free a moment ago, and is nobody's for a while: systems give ports above these to those who
 * listen on any and to those who connect, and each process looks from a place of its own, never twice for the same.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < PORTS; attempt++) {
    const port = PORT_MIN + ((process.pid * PORTS_PER_PROCESS + portsGiven++) % PORTS)
    if (await isFree(port)) return port
  }
  throw new Error('there is no free port')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer()
    probe.once('error', () => done(false))
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => done(true)))
  })
}

export class RedisProcess {
  readonly port: number
  readonly dir: string
  /** The path of its unix socket, if directives asked for one. */
  readonly socketPath: string | null
  readonly exited: Promise<ExitStatus>
  private readonly child: ChildProcess
  private readonly keepsDir: boolean
  private output = ''
  private exitStatus: ExitStatus | null = null
  private readonly watchers = new Set<() => void>()
  private readonly killOnExit: () => void

  constructor(child: ChildProcess, port: number, dir: string, socketPath: string | null, keepsDir: boolean) {
    this.child = child
    this.port = port
    this.dir = dir
    this.socketPath = socketPath
    this.keepsDir = keepsDir
    const collect = (chunk: Buffer) => {
      this.output += chunk.toString('latin1')
      this.notify()
    }
    child.stdout!.on('data', collect)
    child.stderr!.on('data', collect)
    this.killOnExit = () => child.kill('SIGKILL')
    process.once('exit', this.killOnExit)
    this.exited = new Promise((done) => {
      const settle = (status: ExitStatus) => {
        process.off('exit', this.killOnExit)
        this.exitStatus = status
        this.notify()
        done(status)
      }
      // 'close' comes after the output has been read to its end, so a final log line is never missed.
      child.once('close', (code, signal) => settle({ code, signal }))
      child.once('error', (error) => {
        this.output += `${error.message}\n`
        settle({ code: null, signal: null })
      })
    })
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the server did not start')
    return this.child.pid
  }

  /** Null while it runs. */
  get status(): ExitStatus | null {
    return this.exitStatus
  }

  /** Everything printed so far, standard output and standard error together. */
  get log(): string {
    return this.output
  }

  /** Waits until the log matches; rejects, showing the log's end, after `timeoutMs` or when the server exits. */
  async waitForLog(pattern: RegExp, timeoutMs = READY_TIMEOUT_MS): Promise<RegExpExecArray> {
    const deadlineMs = performance.now() + timeoutMs
    while (true) {
      const match = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(this.output)
      if (match !== null) return match
      if (this.exitStatus !== null) {
        throw new Error(`the server exited (${JSON.stringify(this.exitStatus)}) before ${pattern}:\n${this.logTail()}`)
      }
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) throw new Error(`no ${pattern} in the log after ${timeoutMs} ms:\n${this.logTail()}`)
      await this.nextOutput(leftMs)
    }
  }

  connect(): Promise<RespClient> {
    if (this.port === 0 && this.socketPath !== null) return RespClient.connect({ path: this.socketPath })
    return RespClient.connect({ port: this.port })
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name)
  }

  /** Ends the server with `name` (SIGTERM), after 15 s with SIGKILL, removes its temporary folder. Safe to call twice. */
  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<ExitStatus> {
    if (this.exitStatus === null) {
      this.child.kill(name)
      this.child.kill('SIGCONT') // A server that a test has stopped would not see the signal.
    }
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    const status = await this.exited
    clearTimeout(timer)
    if (!this.keepsDir) rmSync(this.dir, { recursive: true, force: true })
    return status
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  private logTail(): string {
    return this.output.slice(-4000)
  }

  private notify(): void {
    for (const watcher of [...this.watchers]) watcher()
  }

  private nextOutput(timeoutMs: number): Promise<void> {
    return new Promise((done) => {
      const finish = () => {
        clearTimeout(timer)
        this.watchers.delete(finish)
        done()
      }
      const timer = setTimeout(finish, timeoutMs)
      this.watchers.add(finish)
    })
  }
}

/** Starts the program and returns at once, for tests of what it prints when it refuses to start. */
export function spawnServer(options: StartOptions, port: number): RedisProcess {
  const program = serverProgram(options.server)
  if (!existsSync(program)) throw new Error(`there is no ${program}`)
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'o7-test-'))
  const directives: Record<string, DirectiveValue> = { save: '', ...options.directives, port, dir }
  if (directives.bind === undefined) directives.bind = '127.0.0.1'
  const args = [...(options.arguments ?? [])]
  if (options.configText !== undefined) args.push('-')
  for (const [name, value] of Object.entries(directives)) {
    args.push(`--${name}`, ...(Array.isArray(value) ? value : [value]).map(String))
  }
  const child = spawn(program, args, {
    cwd: dir,
    stdio: [options.configText === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  if (options.configText !== undefined) child.stdin!.end(options.configText)
  const socketPath = directives.unixsocket === undefined ? null : resolve(dir, String(directives.unixsocket))
  return new RedisProcess(child, port, dir, socketPath, options.dir !== undefined)
}

/** Starts a server and resolves when it accepts connections. */
export async function startServer(options: StartOptions): Promise<RedisProcess> {
  for (let attempt = 1; ; attempt++) {
    const server = spawnServer(options, options.port ?? (await findFreePort()))
    try {
      await server.waitForLog(/ready to accept connections/i, options.readyTimeoutMs ?? READY_TIMEOUT_MS)
      return server
    } catch (error) {
      await server.stop('SIGKILL')
      // Between the search for a free port and its use another process may have taken it.
      const portWasTaken = /address already in use|failed listening on port/i.test(server.log)
      if (!portWasTaken || options.port !== undefined || attempt === PORT_ATTEMPTS_MAX) throw error
    }
  }
}
