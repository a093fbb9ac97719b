/**
 * The programs o7-check-rdb and o7-check-aof: arguments, output and exit codes as redis-check-rdb and redis-check-aof have them.
 */
import { writeSync } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { utf8AsLatin1 } from '../base/byte-text.ts'
import { SystemClock } from '../base/clock.ts'
import { Random } from '../base/random.ts'
import { REDIS_VERSION } from '../base/version.ts'
import { Keyspace } from '../keyspace/keyspace.ts'
import { AofChecker, type AofCheckHost, CheckExit } from '../persistence/aof/aof-checker.ts'
import { FileError, type ReadableFile } from '../persistence/file-system.ts'
import { RdbChecker } from '../persistence/rdb/rdb-checker.ts'
import { RdbCodecs } from '../persistence/rdb/type-codec.ts'
import { dataTypeCodecs } from '../persistence/rdb/types/index.ts'
import { nodeFileSystem } from './file-system.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Returns the exit code. */
export async function checkRdb(args: readonly string[], program: string): Promise<number> {
  const [path] = args
  if (path === undefined || args.length !== 1) {
    process.stderr.write(`Usage: ${program} <rdb-file-name>\n`)
    return 1
  }
  if (path === '-v' || path === '--version') {
    print(`redis-check-rdb ${REDIS_VERSION}\n`)
    return 0
  }
  const { keyspace, codecs } = reading()
  let file: ReadableFile
  try {
    file = nodeFileSystem.openForReading(path)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    print(`[offset 0] Checking RDB file ${utf8AsLatin1(path)}\n`)
    return 1
  }
  return new RdbChecker(file, codecs, keyspace, (line) => print(`${line}\n`)).check(utf8AsLatin1(path)) ? 0 : 1
}

/** Returns the exit code. */
export async function checkAof(args: readonly string[], program: string): Promise<number> {
  const path = args.at(-1)
  const isFix = args.length === 2 && args[0] === '--fix'
  const isCut = args.length === 3 && args[0] === '--truncate-to-timestamp'
  if (path === undefined || (args.length !== 1 && !isFix && !isCut)) {
    print(`Usage: ${program} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n`)
    return 1
  }
  if (isCut && !/^\s*[+-]?\d+$/.test(args[1]!)) {
    print('Invalid timestamp, aborting...\n')
    return 1
  }
  const host: AofCheckHost = { ...reading(), fileSystem: nodeFileSystem, print, ask, log }
  try {
    await new AofChecker(host, { fixes: isFix, timestamp: isCut ? BigInt(args[1]!.trim()) : 0n }).check(path)
    return 0
  } catch (error) {
    if (!(error instanceof CheckExit)) throw error
    return error.code
  }
}

/** What values are read into, to be freed at once. */
function reading(): { keyspace: Keyspace; codecs: RdbCodecs } {
  const keyspace = new Keyspace(new SystemClock(), Random.fromSystem(), 1)
  return { keyspace, codecs: new RdbCodecs(dataTypeCodecs(keyspace)) }
}

/** One character per byte; at once, so that nothing is lost when the process ends. */
function print(text: string): void {
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

async function ask(question: string): Promise<string> {
  print(question)
  const lines = createInterface({ input: process.stdin })
  try {
    for await (const line of lines) return line
    return ''
  } finally {
    lines.close()
  }
}

/** As a server's log that has not been set up. */
function log(message: string): void {
  const now = new Date(new SystemClock().nowMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${two(now.getDate())} ${MONTHS[now.getMonth()]} ${now.getFullYear()}`
  const time = `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`
  print(
    `${process.pid}:C ${day} ${time}.${String(now.getMilliseconds()).padStart(3, '0')} # ${utf8AsLatin1(message)}\n`,
  )
}

/** As C's argv[0]. */
export function programName(): string {
  return basename(process.argv[1] ?? '')
}
