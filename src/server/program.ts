/**
 * The life of the program around its one server.
 */
import { spawn } from 'node:child_process'
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { SystemClock } from '../base/clock.ts'
import { Random } from '../base/random.ts'
import { O7_VERSION, REDIS_GIT_DIRTY, REDIS_GIT_SHA1, REDIS_VERSION } from '../base/version.ts'
import { parseArguments } from './arguments.ts'
import { ConfigFileError, loadConfig } from './config/load.ts'
import { enterDir, NODE_CONFIG_FILES } from './config/node-files.ts'
import { expandProcTitle, procTitleVariables } from './config/proc-title.ts'
import { ConfigStore } from './config/store.ts'
import { Logger } from './log/logger.ts'
import { FileOrElseSink, StreamSink } from './log/sinks.ts'
import { Server } from './server.ts'

/** Set for the process that runs in the background. */
const DAEMON_VARIABLE = 'O7_DAEMON'
const DEFAULT_PID_FILE = '/var/run/redis.pid'

/** Runs until the server ends; the process then exits by itself or by `process.exitCode`. */
export async function runProgram(args: readonly string[]): Promise<void> {
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
    new FileOrElseSink(() => config.fields.logfile || null, new StreamSink(process.stdout)),
    clock,
    process.pid,
  )
  const modules: { path: string; args: readonly string[] }[] = []
  try {
    config.configFile = commandLine.configFile
    loadConfig(
      config,
      NODE_CONFIG_FILES,
      {
        renameCommand: () => 'No such command in rename-command',
        user: () => 'access control lists are not there yet: use requirepass',
        loadModule: (path, moduleArgs) => void modules.push({ path, args: moduleArgs }),
        moduleParameter: () => {},
      },
      {
        file: commandLine.configFile,
        standardInput: commandLine.readsStandardInput ? readFileSync(0, 'latin1') : null,
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
  if (fields.daemonize && process.env[DAEMON_VARIABLE] === undefined) return daemonize()

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

  const server = new Server({
    config,
    clock,
    random: Random.fromSystem(),
    logger,
    commands: [],
    showLogo: process.stdout.isTTY === true && fields.logfile === '',
    anyPort: false,
    mayBeDeaf: false,
    executable: process.argv[1] ?? '',
    onShutdown: () => exit(0),
    onFatal: () => exit(1),
  })
  const exit = (code: number): void => {
    if (fields.daemonize || fields.pidfile !== '') removePidFile(fields.pidfile || DEFAULT_PID_FILE)
    process.exit(code)
  }
  if (fields.daemonize || fields.pidfile !== '') writePidFile(fields.pidfile || DEFAULT_PID_FILE)
  if (fields.setProcTitle) {
    const title = expandProcTitle(fields.procTitleTemplate, procTitleVariables('o7-redis', fields, config.configFile))
    if (title !== null) process.title = title
  }
  followSignals(server, exit)
  try {
    await server.start()
  } catch (error) {
    logger.warning(error instanceof Error ? error.message : String(error))
    exit(1)
  }
}

function followSignals(server: Server, exit: (code: number) => void): void {
  let isStopping = false
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    if (isStopping && signal === 'SIGINT') {
      server.logger.warning('You insist... exiting now.')
      exit(1)
    }
    server.logger.warning(`Received ${signal} scheduling shutdown...`)
    isStopping = true
    isStopping = server.shutdown({})
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  // A terminal that closes does not end a server.
  process.on('SIGHUP', () => {})
}

/** Starts this program again, detached, and ends. The child cannot be a fork, but nobody can tell. */
function daemonize(): void {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, [DAEMON_VARIABLE]: '1' },
  })
  child.unref()
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
