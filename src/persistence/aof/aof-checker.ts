/**
 * Checks append-only files, and cuts off what is wrong at the end of the last one when it is told to: o7-check-aof.
 * Lines, offsets, verdicts and exit codes are those of redis-check-aof 7.0.15, old single files and RDB preambles included.
 */

import { utf8AsLatin1 } from '../../base/byte-text.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import { PersistenceError } from '../errors.ts'
import { FileError, type FileSystem, type ReadableFile } from '../file-system.ts'
import { RdbChecker } from '../rdb/rdb-checker.ts'
import type { RdbCodecs } from '../rdb/type-codec.ts'
import { readManifest } from './aof-folder.ts'

export interface AofCheckOptions {
  /** --fix: what is wrong at the end is cut off, after a question. */
  readonly fixes: boolean
  /** --truncate-to-timestamp, Unix seconds; 0 without. */
  readonly timestamp: bigint
}

export interface AofCheckHost {
  readonly fileSystem: FileSystem
  readonly codecs: RdbCodecs
  readonly keyspace: Keyspace
  /** One character per byte. */
  print(text: string): void
  /** Asks on the terminal; the answer without its line end. */
  ask(question: string): Promise<string>
  log(message: string): void
}

/** The program is to end with this code; what there is to say has been said. */
export class CheckExit extends Error {
  readonly code: number

  constructor(code: number) {
    super(`exit code ${code}`)
    this.code = code
  }
}

type Verdict = 'ok' | 'empty' | 'truncated' | 'cut at timestamp'

const LINE_BYTES_MAX = 127
const ANNOTATION_BYTES_MAX = 1023
const MANIFEST_LINE_BYTES_MAX = 1024
const BUFFER_BYTES = 256 * 1024
const LF = 10
const RDB_HEADER_BYTES_MIN = 8

export class AofChecker {
  private readonly host: AofCheckHost
  private readonly options: AofCheckOptions
  /** Of all files so far, as in Redis; with bytes of the file in it, so one character per byte. */
  private error = ''
  private line = 1
  private isInMulti = 0

  constructor(host: AofCheckHost, options: AofCheckOptions) {
    this.host = host
    this.options = options
  }

  /** Checks a manifest with all its files, or a single file. Throws CheckExit when something is wrong. */
  async check(path: string): Promise<void> {
    if (this.isManifest(path)) await this.checkAll(path)
    else {
      const hasPreamble = this.isRdb(path)
      this.print('Start checking Old-Style AOF')
      const verdict = await this.checkFile(path, path, true, hasPreamble)
      this.report('', path, verdict)
    }
  }

  private async checkAll(path: string): Promise<void> {
    const { fileSystem } = this.host
    this.print('Start checking Multi Part AOF')
    let manifest: ReturnType<typeof readManifest>
    try {
      manifest = readManifest(path, fileSystem, (_level, message) => this.host.log(message))
    } catch (error) {
      if (!(error instanceof PersistenceError)) throw error
      throw new CheckExit(1)
    }
    const slash = path.lastIndexOf('/')
    const folder = slash < 0 ? '.' : slash === 0 ? '' : path.slice(0, slash)
    const { base, increments, files } = manifest
    const isLast = (name: string) => files.at(-1)!.name === name
    if (base !== null) {
      const basePath = `${folder}/${base.name}`
      const hasPreamble = this.isRdb(basePath)
      this.print(`Start to check BASE AOF (${hasPreamble ? 'RDB' : 'RESP'} format).`)
      this.report('BASE ', base.name, await this.checkFile(base.name, basePath, isLast(base.name), hasPreamble))
    }
    if (increments.length > 0) {
      this.print('Start to check INCR files.')
      for (const { name } of increments) {
        this.report('INCR ', name, await this.checkFile(name, `${folder}/${name}`, isLast(name), false))
      }
    }
    this.print('All AOF files and manifest are valid')
  }

  private report(kind: string, name: string, verdict: Verdict): void {
    if (verdict === 'ok') this.print(`${kind}AOF ${name} is valid`)
    else if (verdict === 'empty') this.print(`${kind}AOF ${name} is empty`)
    else if (verdict === 'truncated') this.print(`Successfully truncated AOF ${name}`)
    else this.print(`Successfully truncated AOF ${name} to timestamp ${this.options.timestamp}`)
  }

  private async checkFile(name: string, path: string, isLast: boolean, hasPreamble: boolean): Promise<Verdict> {
    const { fileSystem } = this.host
    let file: ReadableFile
    try {
      file = fileSystem.openForReading(path)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      return this.exit(`Cannot open file ${path}: ${error.message}, aborting...`)
    }
    try {
      if (file.sizeBytes === 0) return 'empty'
      return await this.checkOpen(name, path, file, isLast, hasPreamble)
    } finally {
      file.closeSync()
    }
  }

  private async checkOpen(
    name: string,
    path: string,
    file: ReadableFile,
    isLast: boolean,
    hasPreamble: boolean,
  ): Promise<Verdict> {
    const { host, options } = this
    let start = 0
    if (hasPreamble) {
      const checker = new RdbChecker(file, host.codecs, host.keyspace, (line) => host.print(`${line}\n`))
      if (!checker.check(utf8AsLatin1(name))) return this.exit('RDB preamble of AOF file is not sane, aborting.')
      this.print('RDB preamble is OK, proceeding with AOF tail...')
      start = checker.endOffset
    }
    const input = new Input(file, start)
    this.isInMulti = 0
    let valid = start
    for (;;) {
      if (this.isInMulti === 0) valid = input.offset
      const type = input.peek()
      if (type < 0) break
      if (type === 35) {
        const cutAt = this.annotation(input, path, isLast)
        if (cutAt >= 0) {
          this.truncate(path, cutAt, `Failed to truncate AOF ${path} to timestamp ${options.timestamp}`)
          return 'cut at timestamp'
        }
      } else if (type === 42) {
        if (!this.command(input, path)) break
      } else {
        this.print(`AOF ${name} format error`)
        break
      }
    }
    if (input.hasEnded && this.isInMulti !== 0 && this.error === '') {
      this.setError(input.partOffset, 'Reached EOF before reading EXEC for MULTI')
    }
    if (this.error !== '') host.print(`${this.error}\n`)
    const { sizeBytes } = file
    const excess = sizeBytes - valid
    if (excess === 0 && options.timestamp !== 0n) {
      this.print(`Truncate nothing in AOF ${name} to timestamp ${options.timestamp}`)
      return 'ok'
    }
    this.print(
      `AOF analyzed: filename=${name}, size=${sizeBytes}, ok_up_to=${valid}, ok_up_to_line=${this.line}, diff=${excess}`,
    )
    if (excess <= 0) return 'ok'
    if (!options.fixes) return this.exit(`AOF ${name} is not valid. Use the --fix option to try fixing it.`)
    if (!isLast) return this.exit(`Failed to truncate AOF ${name} because it is not the last file`)
    this.print(`This will shrink the AOF ${name} from ${sizeBytes} bytes, with ${excess} bytes, to ${valid} bytes`)
    if (!/^y/i.test(await host.ask('Continue? [y/N]: '))) return this.exit('Aborting...')
    this.truncate(path, valid, `Failed to truncate AOF ${name}`)
    return 'truncated'
  }

  /** Where to cut because what follows is too new; -1: go on. */
  private annotation(input: Input, path: string, isLast: boolean): number {
    const { timestamp } = this.options
    const at = input.offset
    const text = input.line(ANNOTATION_BYTES_MAX)
    if (timestamp === 0n || !text.startsWith('#TS:')) return -1
    const digits = /^#TS:\s*([+-]?\d*)\r/.exec(text)
    if (digits === null) return this.exit('Invalid timestamp annotation')
    if (BigInt(digits[1] === '' ? '0' : digits[1]!) <= timestamp) return -1
    if (at === 0) return this.exit(`AOF ${path} has nothing before timestamp ${timestamp}, aborting...`)
    if (isLast) return at
    this.print(
      `Failed to truncate AOF ${path} to timestamp ${timestamp} to offset ${at} because it is not the last file.`,
    )
    return this.exit(
      'If you insist, please delete all files after this file according to the manifest file and delete the corresponding records in manifest file manually. Then re-run redis-check-aof.',
    )
  }

  private command(input: Input, path: string): boolean {
    const count = this.number(input, '*')
    if (count === null) return false
    for (let i = 0; i < count; i++) {
      const length = this.number(input, '$')
      if (length === null) return false
      if (length < 0) {
        return this.setError(
          input.partOffset,
          `Expected to read string of ${length} bytes, which is not in the suitable range`,
        )
      }
      input.beginPart()
      const { text, read, end } = input.bytes(length + 2)
      if (read !== length + 2) {
        return this.setError(input.partOffset, `Expected to read ${length + 2} bytes, got ${read} bytes`)
      }
      if (!this.newline(input, end)) return false
      if (i > 0) continue
      const name = text.toLowerCase()
      if (name === 'multi' && this.isInMulti++ !== 0) {
        return this.setError(input.partOffset, `Unexpected MULTI in AOF ${utf8AsLatin1(path)}`)
      }
      if (name === 'exec' && --this.isInMulti !== 0) {
        return this.setError(input.partOffset, `Unexpected EXEC in AOF ${utf8AsLatin1(path)}`)
      }
    }
    return true
  }

  private number(input: Input, prefix: string): number | null {
    input.beginPart()
    const text = input.line(LINE_BYTES_MAX)
    if (text === '') return null
    if (text[0] !== prefix) {
      this.setError(input.partOffset, `Expected prefix '${prefix}', got: '${text[0]}'`)
      return null
    }
    const digits = /^\s*[+-]?\d+/.exec(text.slice(1))?.[0] ?? ''
    return this.newline(input, text.slice(1 + digits.length)) ? Number(digits) : null
  }

  private newline(input: Input, text: string): boolean {
    if (text.startsWith('\r\n')) {
      this.line++
      return true
    }
    const hex = (index: number) => {
      const code = index < text.length ? text.charCodeAt(index) : 0
      // A char of C has a sign.
      return code > 127 ? `ffffff${code.toString(16)}` : code.toString(16).padStart(2, '0')
    }
    return this.setError(input.partOffset, `Expected \\r\\n, got: ${hex(0)}${hex(1)}`)
  }

  private setError(offset: number, message: string): false {
    this.error = `0x${offset.toString(16).padStart(16)}: ${message}`
    return false
  }

  private truncate(path: string, sizeBytes: number, failure: string): void {
    try {
      this.host.fileSystem.truncateSync(path, sizeBytes)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      this.exit(failure)
    }
  }

  private isRdb(path: string): boolean {
    return this.peekInto(path, (file) => {
      if (file.sizeBytes < RDB_HEADER_BYTES_MIN) return false
      const { text, end } = new Input(file, 0).bytes(5)
      return text + end === 'REDIS'
    })
  }

  private isManifest(path: string): boolean {
    return this.peekInto(path, (file) => {
      const input = new Input(file, 0)
      for (;;) {
        const line = input.line(MANIFEST_LINE_BYTES_MAX)
        if (line === '') return false
        if (line.startsWith('file')) return true
      }
    })
  }

  private peekInto(path: string, look: (file: ReadableFile) => boolean): boolean {
    try {
      const file = this.host.fileSystem.openForReading(path)
      try {
        return file.sizeBytes > 0 && look(file)
      } finally {
        file.closeSync()
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      return this.exit(`Cannot open file ${path}: ${error.message}`)
    }
  }

  private print(line: string): void {
    this.host.print(`${utf8AsLatin1(line)}\n`)
  }

  private exit(line: string): never {
    this.print(line)
    throw new CheckExit(1)
  }
}

/** Reads as the C library does. */
class Input {
  hasEnded = false
  /** Where the part under way began. */
  partOffset = 0
  private readonly file: ReadableFile
  private readonly buffer = new Uint8Array(BUFFER_BYTES)
  private at = 0
  private end = 0
  private base: number

  constructor(file: ReadableFile, offset: number) {
    this.file = file
    this.base = offset
    file.seek(offset)
  }

  get offset(): number {
    return this.base + this.at
  }

  beginPart(): void {
    this.partOffset = this.offset
  }

  /** The next byte, which stays; -1 at the end. */
  peek(): number {
    return this.at < this.end || this.fill() ? this.buffer[this.at]! : -1
  }

  /** A line with its end, or as much of it as `bytesMax`; empty at the end. */
  line(bytesMax: number): string {
    let text = ''
    while (text.length < bytesMax) {
      const byte = this.peek()
      if (byte < 0) break
      this.at++
      text += String.fromCharCode(byte)
      if (byte === LF) break
    }
    return text
  }

  /** Up to `count` bytes: how many there were, the first of them as text without their last two, and those two. */
  bytes(count: number): { text: string; read: number; end: string } {
    let text = ''
    let end = ''
    let read = 0
    while (read < count) {
      const byte = this.peek()
      if (byte < 0) break
      if (read >= count - 2) {
        end += String.fromCharCode(byte)
        this.at++
        read++
      } else if (text.length < 16) {
        text += String.fromCharCode(byte)
        this.at++
        read++
      } else {
        const skipped = Math.min(this.end - this.at, count - 2 - read)
        this.at += skipped
        read += skipped
      }
    }
    return { text: read - end.length > 16 ? '' : text, read, end }
  }

  private fill(): boolean {
    this.base += this.end
    this.at = 0
    this.end = this.hasEnded ? 0 : this.file.readSync(this.buffer, 0)
    if (this.end === 0) this.hasEnded = true
    return this.end > 0
  }
}
