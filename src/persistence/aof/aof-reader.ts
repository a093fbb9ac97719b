/**
 * Reads the commands of an append-only file, one after the other, through a window.
 *
 *   *3\r\n $3\r\nSET\r\n $3\r\nkey\r\n $5\r\nvalue\r\n   #TS:1700000000\r\n   *2\r\n ...
 *
 * What is accepted is what redis-server 7.0.15 accepts (loadSingleAppendOnlyFile): lines that begin with # are passed over,
 * and what follows an argument is not looked at. (Unlike there, a # line without an end makes the file short.) A file that ends within a command is short, which may be mended by cutting it
 * there; anything else that is not a command makes it bad.
 * Cost: no copy beside the window; a command that is larger than the window makes it grow.
 */
import { Argv } from '../../base/argv.ts'
import type { ReadableFile } from '../file-system.ts'

export const COMMAND = 0
/** The file ends where a command ends. */
export const END = 1
/** It ends elsewhere. */
export const SHORT = 2
export const BAD = 3
export type AofReadStatus = typeof COMMAND | typeof END | typeof SHORT | typeof BAD

const WINDOW_BYTES = 1024 * 1024
const LINE_BYTES_MAX = 1024
const LF = 10
const HASH = 35
const STAR = 42
const DOLLAR = 36
/** An argument that could not be a string of any server is not waited for. */
const ARGUMENT_BYTES_MAX = 0x7fff_0000
const ARGUMENTS_MAX = 0x3fff_ffff

export class AofReader {
  /** The command that was read, until the next is. */
  readonly argv = new Argv()
  private readonly file: ReadableFile
  private bytes: Uint8Array
  /** Where the command under way begins, where reading stands, and where the bytes end. */
  private start = 0
  private at = 0
  private end = 0
  /** Offset of bytes[0] in the file. */
  private base: number
  private hasEnded = false

  constructor(file: ReadableFile, offset: number) {
    this.file = file
    this.base = offset
    file.seek(offset)
    this.bytes = new Uint8Array(Math.max(LINE_BYTES_MAX, Math.min(WINDOW_BYTES, file.sizeBytes - offset + 1)))
  }

  /** Offset behind what was read last. */
  get offset(): number {
    return this.base + this.at
  }

  /** Reads the next command. */
  next(): AofReadStatus {
    for (;;) {
      this.start = this.at
      const line = this.line()
      if (line < 0) return END
      const type = this.bytes[line]
      if (type === HASH) {
        // Half a line would run into what is appended behind it.
        if (this.bytes[this.at - 1] !== LF && this.isAtEnd()) return SHORT
        continue
      }
      if (type !== STAR) return BAD
      if (this.at - line === 1) return SHORT
      const count = this.number(line + 1)
      if (count < 1 || count > ARGUMENTS_MAX) return BAD
      return this.arguments(count)
    }
  }

  private arguments(count: number): AofReadStatus {
    const { argv } = this
    argv.count = 0
    for (let i = 0; i < count; i++) {
      const line = this.line()
      if (line < 0) return SHORT
      if (this.bytes[line] !== DOLLAR) return BAD
      const length = this.number(line + 1)
      if (length < 0 || length > ARGUMENT_BYTES_MAX) return BAD
      if (!this.has(length + 2)) return SHORT
      // Relative to the command's start, which moves when the window does.
      argv.push(this.at - this.start, length)
      this.at += length + 2
    }
    argv.bytes = this.bytes
    for (let i = 0; i < count; i++) argv.starts[i]! += this.start
    return COMMAND
  }

  /** Passes over a line and returns where it begins; -1 at the end of the file. */
  private line(): number {
    let searched = this.at
    for (;;) {
      const limit = Math.min(this.end, this.at + LINE_BYTES_MAX - 1)
      for (let i = searched; i < limit; i++) {
        if (this.bytes[i] !== LF) continue
        const begin = this.at
        this.at = i + 1
        return begin
      }
      const length = limit - this.at
      if (length === LINE_BYTES_MAX - 1 || (this.hasEnded && length > 0)) {
        const begin = this.at
        this.at = limit
        return begin
      }
      if (this.hasEnded || !this.fill(length + 1)) {
        if (this.end > this.at) continue
        return -1
      }
      searched = this.at + length
    }
  }

  /** As C's atoi does, blanks before the number included. */
  private number(at: number): number {
    let i = at
    while (i < this.at && (this.bytes[i] === 32 || (this.bytes[i]! >= 9 && this.bytes[i]! <= 13))) i++
    const isNegative = this.bytes[i] === 45
    if (isNegative || this.bytes[i] === 43) i++
    let value = 0
    for (; i < this.at; i++) {
      const digit = this.bytes[i]! - 48
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    return isNegative ? -value : value
  }

  private isAtEnd(): boolean {
    return this.at === this.end && !this.fill(1)
  }

  private has(count: number): boolean {
    return this.end - this.at >= count || this.fill(count)
  }

  /** Makes bytes[at, at + count) be there. False: the file ends before. */
  private fill(count: number): boolean {
    if (this.hasEnded) return false
    if (this.at + count > this.bytes.length || this.start > this.bytes.length >> 1) {
      const needed = this.at - this.start + count
      const target = needed > this.bytes.length ? new Uint8Array(Math.max(needed, WINDOW_BYTES)) : this.bytes
      if (target === this.bytes) target.copyWithin(0, this.start, this.end)
      else target.set(this.bytes.subarray(this.start, this.end))
      this.base += this.start
      this.end -= this.start
      this.at -= this.start
      this.start = 0
      this.bytes = target
    }
    while (this.end - this.at < count) {
      const read = this.file.readSync(this.bytes, this.end)
      if (read === 0) {
        this.hasEnded = true
        return false
      }
      this.end += read
    }
    return true
  }
}
