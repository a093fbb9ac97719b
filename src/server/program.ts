/**
 * The life of the program around its one server.
 */
import { spawn } from 'node:child_process'
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import { SystemClock } from '../base/clock.ts'
import { Random } from '../base/random.ts'
import { O7_VERSION, REDIS_GIT_DIRTY, REDIS_GIT_SHA1, REDIS_VERSION } from '../base/version.ts'
import { GATE_LOADING } from '../engine/gates.ts'
import { PersistenceError } from '../persistence/errors.ts'
import { parseArguments } from './arguments.ts'
import { builtInCommands } from './built-in-commands.ts'
import { ConfigFileError, loadConfig } from './config/load.ts'
import { enterDir, NODE_CONFIG_FILES } from './config/node-files.ts'
import { expandProcTitle, procTitleVariables } from './config/proc-title.ts'
import { ConfigStore } from './config/store.ts'
import { textOf } from './config/text.ts'
import { Crash } from './crash.ts'
import { acceptUserLine } from './default-user.ts'
import { Logger } from './log/logger.ts'
import { FileOrElseSink, StreamSink } from './log/sinks.ts'
import type { ModuleRequest } from './modules.ts'
import { Server } from './server.ts'
import type { ShutdownFlags } from './shutdown.ts'

/** Set for the process that runs in the background. */
const DAEMON_VARIABLE = 'O7_DAEMON'
const DEFAULT_PID_FILE = '/var/run/redis.pid'

/** Runs until the server ends, which calls `endProcess`. Where there is nothing to run, `process.exitCode` is set. */
export async function runProgram(args: readonly string[], endProcess: (code: number) => never): Promise<void> {
  const commandLine = parseArguments(args, process.cwd())
  if (commandLine.kind === 'exit') {
    process.stdout.write(commandLine.stdout)
    process.stderr.write(commandLine.stderr)
    process.exitCode = commandLine.code
    return
  }
  const clock = new SystemClock()
  const config: ConfigStore = new ConfigStore({
    dir: process.cwd(),
    enterDir,
    log: (level, message) => logger.log(level, message),
  })
  const logger: Logger = new Logger(
    config.fields,
    new FileOrElseSink(() => logPath(config), new StreamSink(process.stdout)),
    clock,
    process.pid,
  )
  const standardInput = commandLine.readsStandardInput ? readFileSync(0, 'latin1') : null
  const userLines: (readonly string[])[] = []
  const renames: (readonly [from: string, to: string])[] = []
  const modules: ModuleRequest[] = []
  const moduleParameters: (readonly [name: string, value: string])[] = []
  try {
    config.configFile = commandLine.configFile
    loadConfig(
      config,
      NODE_CONFIG_FILES,
      {
        renameCommand: (from, to) => renameRefusal(renames, from, to),
        user: (words) => {
          userLines.push(words)
          return null
        },
        loadModule: (path, moduleArgs) => void modules.push({ path: textOf(path), args: moduleArgs.map(textOf) }),
        moduleParameter: (name, value) => void moduleParameters.push([textOf(name), textOf(value)]),
      },
      {
        file: commandLine.configFile,
        standardInput,
        options: commandLine.options,
      },
    )
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error
    if (error.block !== null) process.stderr.write(error.block)
    if (error.logLine !== null) logger.warning(error.logLine)
    process.exitCode = 1
    return
  }
  const { fields } = config
  for (const words of userLines) {
    const refusal = acceptUserLine(words, fields.requirepass)
    if (refusal === null) continue
    logger.warning(`Cannot start with "user ${words.join(' ')}": ${refusal}`)
    process.exitCode = 1
    return
  }
  if (fields.daemonize && process.env[DAEMON_VARIABLE] === undefined) return daemonize(standardInput)

  logger.warning('oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo')
  logger.warning(
    `Redis version=${REDIS_VERSION}, bits=64, commit=${REDIS_GIT_SHA1}, modified=${REDIS_GIT_DIRTY}, pid=${process.pid}, just started (o7-is ${O7_VERSION})`,
  )
  if (args.length === 0) {
    logger.warning(
      'Warning: no config file specified, using the default config. In order to specify a config file use o7-redis /path/to/redis.conf',
    )
  } else logger.warning('Configuration loaded')
  process.chdir(fields.dir)
  const pidFile =
    fields.daemonize || fields.pidfile !== '' ? resolve(fields.dir, fields.pidfile || DEFAULT_PID_FILE) : null

  const server = new Server({
    config,
    clock,
    random: Random.fromSystem(),
    logger,
    commands: [],
    isGuest: false,
    renames,
    showLogo: process.stdout.isTTY === true && fields.logfile === '',
    anyPort: false,
    loadsData: true,
    mayBeDeaf: false,
    executable: process.argv[1] ?? '',
    modules,
    moduleParameters,
    removePidFile: pidFile === null ? null : () => removePidFile(pidFile),
    onShutdown: () => exit(0),
    onFatal: () => exit(1),
  })
  const exit = (code: number): void => {
    if (pidFile !== null) removePidFile(pidFile)
    endProcess(code)
  }
  if (pidFile !== null) writePidFile(pidFile)
  if (fields.setProcTitle) {
    showTitle(config)
    config.onChange(['proc-title-template'], () => showTitle(config))
  }
  followSignals(server, exit)
  try {
    await server.start()
  } catch (error) {
    // What is wrong with the data file is in the log already, and the last line is what people and scripts look at.
    if (!(error instanceof PersistenceError)) logger.warning(error instanceof Error ? error.message : String(error))
    exit(1)
  }
}

/** Signals only ask; the cron acts. Lines are those of Redis's signal handlers, which have a form of their own. */
function followSignals(server: Server, exit: (code: number) => void): void {
  const { logger, shutdown, config, engine } = server
  const log = (message: string) =>
    logger.raw('warning', `${process.pid}:signal-handler (${Math.floor(engine.clock.wallUs() / 1e6)}) ${message}\n`)
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    if (shutdown.isAskedFor && signal === 'SIGINT') {
      log('You insist... exiting now.')
      server.persistence.discardTemporaryFiles()
      exit(1)
    }
    const isLoading = (engine.gate & GATE_LOADING) !== 0
    log(
      isLoading
        ? 'Received shutdown signal during loading, scheduling shutdown.'
        : `Received ${signal} scheduling shutdown...`,
    )
    const { shutdownOnSigint, shutdownOnSigterm } = config.fields
    shutdown.request(new Set(signal === 'SIGINT' ? shutdownOnSigint : shutdownOnSigterm) as ShutdownFlags)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  // What nobody caught, in a timer or a module's own work, is a bug like any other.
  process.on('uncaughtException', (error) => engine.fail(error, null))
  process.on('SIGABRT', () => server.crash(new Crash('signal', 'SIGABRT', constants.signals.SIGABRT)))
  // A terminal that closes does not end a server, nor does an alarm.
  process.on('SIGHUP', () => {})
  process.on('SIGALRM', () => {})
}

/** Starts this program again, detached, and ends. The child cannot be a fork, but nobody can tell. */
function daemonize(standardInput: string | null): void {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: [standardInput === null ? 'ignore' : 'pipe', 'ignore', 'ignore'],
    env: { ...process.env, [DAEMON_VARIABLE]: '1' },
  })
  child.stdin?.end(standardInput, 'latin1')
  child.unref()
}

/** The log file as an absolute path, or null for standard output. */
function logPath({ fields }: ConfigStore): string | null {
  return fields.logfile === '' ? null : resolve(fields.dir, fields.logfile)
}

/** Names the process for ps and top. Node cuts a title at the length of the command line. */
function showTitle({ fields, configFile }: ConfigStore): void {
  const title = expandProcTitle(fields.procTitleTemplate, procTitleVariables('o7-redis', fields, configFile))
  if (title !== null) process.title = title
}

/** Notes a rename-command line; null if it can be followed. */
function renameRefusal(renames: (readonly [string, string])[], from: string, to: string): string | null {
  const names = new Set(builtInCommands(null).map((command) => command.name.toUpperCase()))
  for (const [earlier, later] of renames) {
    names.delete(earlier.toUpperCase())
    if (later !== '') names.add(later.toUpperCase())
  }
  if (!names.has(from.toUpperCase())) return 'No such command in rename-command'
  if (to !== '' && names.has(to.toUpperCase())) return 'Target command name already exists'
  renames.push([from, to])
  return null
}

/** Written as well as can be: a server that cannot write it still runs, as Redis does. */
function writePidFile(path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`)
  } catch {
    // See above.
  }
}

function removePidFile(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It was never written, or somebody removed it.
  }
}
