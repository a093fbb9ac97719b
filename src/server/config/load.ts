/**
 * Reads the configuration: a file with its includes, standard input, the options of the command line, in this order and
 * as one text, so that later lines win and line numbers in errors are those of Redis.
 */
import { REDIS_VERSION } from '../../base/version.ts'
import { OBSOLETE_DIRECTIVES } from './registry.ts'
import { type ConfigStore, findParameter } from './store.ts'
import { cString, lowerAscii, splitLine, textOf } from './text.ts'

/** What configuration files may say beside parameters. Answers are null, or the error. Arguments are byte strings. */
export interface DirectiveHandlers {
  renameCommand(from: string, to: string): string | null
  /** `user name rule ...`. */
  user(args: readonly string[]): string | null
  loadModule(path: string, args: readonly string[]): void
  /** A name with a dot: a parameter of a module, kept until the module asks for it. */
  moduleParameter(name: string, value: string): void
}

/** The file system as far as the configuration needs it. Paths are absolute; errors are the system's words. */
export interface ConfigFiles {
  /** Contents as a byte string. Throws FileError. */
  read(path: string): string
  /** Paths that match a pattern, sorted; none if nothing does. */
  glob(pattern: string): readonly string[]
  /** Null, or why nothing can be appended to this file. */
  refusesAppend(path: string): string | null
  resolve(from: string, path: string): string
}

export class FileError extends Error {
  /** "ENOENT" and the like. */
  readonly code: string
  constructor(message: string, code: string) {
    super(message)
    this.name = 'FileError'
    this.code = code
  }
}

/** The server cannot start with this configuration. What Redis would say of it, and where. */
export class ConfigFileError extends Error {
  readonly code = 'O7_CONFIG_FILE'
  /** To standard error, as it is; null when there is a line for the log instead. */
  readonly block: string | null
  /** A line for the log, at level warning. */
  readonly logLine: string | null

  constructor(message: string, block: string | null, logLine: string | null) {
    super(message)
    this.name = 'ConfigFileError'
    this.block = block
    this.logLine = logLine
  }
}

export interface ConfigSource {
  /** As given; may hold wildcards. */
  readonly file?: string | null
  /** What came through standard input, as a byte string; null = not asked for. */
  readonly standardInput?: string | null
  /** Lines of directives, as a byte string (see arguments.ts). */
  readonly options?: string | null
}

/** Includes that are nested deeper than this can only be a circle. */
const INCLUDE_DEPTH_MAX = 100

export function loadConfig(
  store: ConfigStore,
  files: ConfigFiles,
  handlers: DirectiveHandlers,
  { file, standardInput, options }: ConfigSource,
): void {
  const loader = new Loader(store, files, handlers)
  let text = file ? loader.readAll(file) : ''
  if (standardInput !== undefined && standardInput !== null) {
    store.warn('Reading config from stdin')
    text += dropHidden(standardInput)
  }
  if (options !== undefined && options !== null) text += `\n${options}`
  loader.load(text, 0)
}

/** A zero byte hides the rest of its line, the line's end included. */
function dropHidden(text: string): string {
  return text.includes('\0') ? text.replace(/\0[^\n]*\n?/g, '') : text
}

class Loader {
  private readonly store: ConfigStore
  private readonly files: ConfigFiles
  private readonly handlers: DirectiveHandlers

  constructor(store: ConfigStore, files: ConfigFiles, handlers: DirectiveHandlers) {
    this.store = store
    this.files = files
    this.handlers = handlers
  }

  /** The contents of a file, or of all files that match, one after the other. */
  readAll(path: string): string {
    const { files, store } = this
    const absolute = files.resolve(store.fields.dir, path)
    const paths = /[*?[]/.test(path) ? files.glob(absolute) : [absolute]
    let text = ''
    for (const each of paths) {
      try {
        text += files.read(each)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        const shown = each === absolute ? path : each
        const line = `Fatal error, can't open config file '${shown}': ${error.message}`
        throw new ConfigFileError(line, null, line)
      }
    }
    return dropHidden(text)
  }

  load(text: string, depth: number): void {
    const { store, files } = this
    store.isReadingFile = true
    const lines = text === '' ? [] : text.split('\n')
    for (const [index, raw] of lines.entries()) {
      const line = raw.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
      if (line === '' || line.startsWith('#')) continue
      const reason = this.obey(line, depth)
      if (reason !== null) throw fatal(reason, index + 1, line)
    }
    const { logfile, dir } = store.fields
    if (logfile !== '') {
      const reason = files.refusesAppend(files.resolve(dir, logfile))
      if (reason !== null) throw fatal(`Can't open the log file: ${reason}`)
    }
    if (store.fields.clusterEnabled && store.fields.replicaof !== null) {
      throw fatal('replicaof directive not allowed in cluster mode')
    }
    // As in Redis this is not set back after an include: below it, each save line replaces the ones before.
    store.isReadingFile = false
  }

  private obey(line: string, depth: number): string | null {
    const words = splitLine(line)
    if (words === null) return 'Unbalanced quotes in configuration line'
    if (words.length === 0) return null
    const name = lowerAscii(words[0]!)
    const args = words.slice(1)
    const { store, handlers } = this
    const target = findParameter(cString(name))
    if (target !== undefined) return store.directive(target, args)
    if (OBSOLETE_DIRECTIVES.has(name) && args.length === 1) return null
    if (name === 'include' && args.length === 1) {
      if (depth === INCLUDE_DEPTH_MAX) return 'Includes are nested too deeply'
      this.load(this.readAll(textOf(args[0]!)), depth + 1)
      return null
    }
    if (name === 'rename-command' && args.length === 2) return handlers.renameCommand(args[0]!, args[1]!)
    if (name === 'user' && args.length >= 1) return handlers.user(args)
    if (name === 'loadmodule' && args.length >= 1) {
      handlers.loadModule(args[0]!, args.slice(1))
      return null
    }
    if (name.includes('.')) {
      if (args.length === 0) return 'Module config specified without value'
      handlers.moduleParameter(name, args.join(' '))
      return null
    }
    if (name === 'sentinel') return args.length === 0 ? null : 'sentinel directive while not in sentinel mode'
    return 'Bad directive or wrong number of arguments'
  }
}

function fatal(reason: string, lineNumber?: number, line?: string): ConfigFileError {
  const where = lineNumber === undefined ? '' : `Reading the configuration file, at line ${lineNumber}\n>>> '${line}'\n`
  const block = `\n*** FATAL CONFIG FILE ERROR (Redis ${REDIS_VERSION}) ***\n${where}${reason}\n`
  return new ConfigFileError(
    lineNumber === undefined ? reason : `${reason} (configuration line ${lineNumber}: ${line})`,
    block,
    null,
  )
}
