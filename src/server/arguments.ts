/**
 * The command line: `o7-redis [/path/to/redis.conf] [--directive value ...] [-]`, taken apart as redis-server does it.
 * Directives become lines of a configuration that is read after the file and standard input.
 */
import { isAbsolute, resolve, sep } from 'node:path'
import {
  ALLOCATOR,
  O7_VERSION,
  REDIS_BUILD_ID,
  REDIS_GIT_DIRTY,
  REDIS_GIT_SHA1,
  REDIS_VERSION,
} from '../base/version.ts'
import { bytesOf, quote, splitLine } from './config/text.ts'

export interface RunRequest {
  readonly kind: 'run'
  /** Absolute path of the configuration file, or null. */
  readonly configFile: string | null
  /** "-" was given: configuration comes through standard input too. */
  readonly readsStandardInput: boolean
  /** Directives as lines, a byte string; null when there were no arguments at all. */
  readonly options: string | null
}

/** Nothing to run: print this and exit. */
export interface ExitRequest {
  readonly kind: 'exit'
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export type CommandLine = RunRequest | ExitRequest

/**
 * @param args the arguments without the program's name
 * @param cwd the directory that relative paths start from
 */
export function parseArguments(args: readonly string[], cwd: string): CommandLine {
  const first = args[0]
  if (first === undefined) return { kind: 'run', configFile: null, readsStandardInput: false, options: null }
  if (args.includes('--sentinel'))
    return refuse('Sentinel mode is not supported: run redis-sentinel beside this server.')
  if (first === '-v' || first === '--version') return { kind: 'exit', code: 0, stdout: versionLine(), stderr: '' }
  if (first === '-h' || first === '--help') return { kind: 'exit', code: 1, stdout: '', stderr: USAGE }
  if (first === '--test-memory' || first === '--check-system') {
    return refuse(`${first} is not supported: it tests the machine, and this program has no means to do so.`)
  }
  let rest = args
  let configFile: string | null = null
  if (!first.startsWith('-')) {
    configFile = absolutePath(cwd, first)
    rest = args.slice(1)
  }
  return { kind: 'run', configFile, ...collectOptions(rest, configFile === null) }
}

function collectOptions(
  args: readonly string[],
  startsWithFirst: boolean,
): { readsStandardInput: boolean; options: string } {
  let options = ''
  let readsStandardInput = false
  // An option's first value may look like an option itself, so the next word is taken as such only after a value.
  let hasValue = true
  for (const [index, arg] of args.entries()) {
    const isLast = index === args.length - 1
    if (arg === '-' && (isLast || (index === 0 && startsWithFirst))) {
      readsStandardInput = true
    } else if (hasValue && arg.startsWith('--')) {
      if (options !== '') options += '\n'
      options += `${bytesOf(arg.slice(2))} `
      // Name and value may come in one argument: "--port 6380".
      hasValue = splitLine(bytesOf(arg))?.length !== 1
      const next = args[index + 1]
      if (!hasValue && arg.toLowerCase() === '--save' && (isLast || next!.startsWith('--'))) {
        // What a list of save points that is empty leaves behind.
        options += '""'
        hasValue = !isLast
      }
    } else {
      options += `${quote(bytesOf(arg))} `
      hasValue = true
    }
  }
  return { readsStandardInput, options }
}

/** Makes a path absolute without touching more of it than leading "../" steps, since the result is shown to users. */
export function absolutePath(cwd: string, path: string): string {
  let rest = path.replace(/^[ \r\n\t]+|[ \r\n\t]+$/g, '')
  if (sep === '\\') return isAbsolute(rest) ? rest : resolve(cwd, rest)
  if (rest.startsWith('/')) return rest
  let base = cwd.endsWith('/') ? cwd : `${cwd}/`
  while (rest.startsWith('../')) {
    rest = rest.slice(3)
    if (base !== '/') base = base.replace(/[^/]+\/$/, '')
  }
  return base + rest
}

function versionLine(): string {
  const build = `sha=${REDIS_GIT_SHA1}:${REDIS_GIT_DIRTY} malloc=${ALLOCATOR} bits=64 build=${REDIS_BUILD_ID}`
  return `Redis server v=${REDIS_VERSION} ${build} o7-is=${O7_VERSION}\n`
}

function refuse(reason: string): ExitRequest {
  return { kind: 'exit', code: 1, stdout: '', stderr: `${reason}\n` }
}

const USAGE = `Usage: o7-redis [/path/to/redis.conf] [options] [-]
       o7-redis - (read config from stdin)
       o7-redis -v or --version
       o7-redis -h or --help

Examples:
       o7-redis (run the server with default conf)
       echo 'maxmemory 128mb' | o7-redis -
       o7-redis /etc/redis/6379.conf
       o7-redis --port 7777
       o7-redis --port 7777 --save 900 1 --loadmodule ./my-commands.js
       o7-redis /etc/myredis.conf --loglevel verbose -
       o7-redis /etc/myredis.conf --loglevel verbose
`
