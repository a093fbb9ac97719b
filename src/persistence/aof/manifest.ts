/**
 * The manifest of the append-only files: which of them make up the data, in which order.
 *
 *   file appendonly.aof.2.base.rdb seq 2 type b      the data as of the last rewrite, RDB or commands
 *   file appendonly.aof.1.incr.aof seq 1 type h      history: not needed any more, to be removed
 *   file appendonly.aof.4.incr.aof seq 4 type i      commands since, in order of their numbers
 *
 * One file per line: pairs of key and value, in any order and with keys that nobody knows yet; names with special characters
 * are quoted, byte by byte of their UTF-8. Lines that begin with # are comments. At most one base; numbers of increments grow.
 * Texts of errors, rules and names are those of Redis 7.0.15 (aof.c).
 */
import { utf8Bytes, utf8Text } from '../../base/byte-text.ts'
import { needsRepr, reprText, splitArgs } from '../../base/quoting.ts'

export type AofFileType = 'b' | 'h' | 'i'

export interface AofFileInfo {
  readonly name: string
  readonly seq: number
  readonly type: AofFileType
}

/** As Redis: a line of this length or more is refused. */
const LINE_BYTES_MAX = 1024

export class ManifestError extends Error {
  override readonly name = 'ManifestError'
  /** From 1; 0 if it is not about a line. */
  readonly lineNumber: number
  readonly line: string | null

  constructor(message: string, lineNumber: number, line: string | null) {
    super(message)
    this.lineNumber = lineNumber
    this.line = line
  }
}

export class AofManifest {
  base: AofFileInfo | null = null
  increments: AofFileInfo[] = []
  history: AofFileInfo[] = []
  baseSeq = 0
  incrementSeq = 0
  /** Differs from what is on the disk. */
  isDirty = false

  get isEmpty(): boolean {
    return this.base === null && this.increments.length === 0
  }

  /** Base and increments, in the order in which they are loaded. */
  get files(): readonly AofFileInfo[] {
    return this.base === null ? this.increments : [this.base, ...this.increments]
  }

  copy(): AofManifest {
    const copy = new AofManifest()
    copy.base = this.base
    copy.increments = [...this.increments]
    copy.history = [...this.history]
    copy.baseSeq = this.baseSeq
    copy.incrementSeq = this.incrementSeq
    copy.isDirty = this.isDirty
    return copy
  }

  /** The next base; the one before becomes history. Returns its name. */
  nextBase(fileName: string, isRdb: boolean): string {
    if (this.base !== null) this.history.unshift({ ...this.base, type: 'h' })
    this.baseSeq++
    const name = `${fileName}.${this.baseSeq}.base.${isRdb ? 'rdb' : 'aof'}`
    this.base = { name, seq: this.baseSeq, type: 'b' }
    this.isDirty = true
    return name
  }

  /** The next increment. Returns its name. */
  nextIncrement(fileName: string): string {
    this.incrementSeq++
    const name = `${fileName}.${this.incrementSeq}.incr.aof`
    this.increments.push({ name, seq: this.incrementSeq, type: 'i' })
    this.isDirty = true
    return name
  }

  /** What the new base has in it becomes history: all increments, but for the last one if that is being written. */
  retireIncrements(keepsLast: boolean): void {
    if (this.increments.length === 0) return
    const retired = keepsLast ? this.increments.slice(0, -1) : this.increments
    this.increments = keepsLast ? this.increments.slice(-1) : []
    for (const info of retired.toReversed()) this.history.unshift({ ...info, type: 'h' })
    this.isDirty = true
  }

  /** The file's content. */
  format(): Uint8Array {
    const infos = [...(this.base === null ? [] : [this.base]), ...this.history, ...this.increments]
    return utf8Bytes(infos.map(({ name, seq, type }) => `file ${quoted(name)} seq ${seq} type ${type}\n`).join(''))
  }

  /** Reads a file's content. Throws a ManifestError. */
  static parse(content: Uint8Array): AofManifest {
    const manifest = new AofManifest()
    if (content.length === 0) throw new ManifestError('Found an empty AOF manifest', 0, null)
    let lineNumber = 0
    for (let start = 0; start < content.length; ) {
      lineNumber++
      let end = content.indexOf(10, start)
      const isWhole = end >= 0 && end - start < LINE_BYTES_MAX
      if (!isWhole) end = Math.min(content.length, start + LINE_BYTES_MAX)
      const line = utf8Text(content, start, end)
      start = isWhole ? end + 1 : end
      if (line.startsWith('#')) continue
      // C finds no line end behind a zero byte.
      if (!isWhole || line.includes('\0'))
        throw new ManifestError('The AOF manifest file contains too long line', lineNumber, null)
      manifest.add(lineNumber, line.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''))
    }
    return manifest
  }

  private add(lineNumber: number, line: string): void {
    const refuse = (message: string): never => {
      throw new ManifestError(message, lineNumber, line)
    }
    if (line === '') throw new ManifestError('Invalid AOF manifest file format', lineNumber, '')
    const bytes = utf8Bytes(line)
    const words = splitArgs(bytes, 0, bytes.length)
    if (words === null || words.length < 6 || words.length % 2 !== 0) refuse('Invalid AOF manifest file format')
    let name = ''
    let seq = 0
    let type = ''
    for (let i = 0; i < words!.length; i += 2) {
      const value = utf8Text(words![i + 1]!, 0, words![i + 1]!.length)
      switch (utf8Text(words![i]!, 0, words![i]!.length).toLowerCase()) {
        case 'file':
          name = value
          if (/[/\\]/.test(name)) refuse("File can't be a path, just a filename")
          break
        case 'seq':
          seq = Number.parseInt(value, 10) || 0
          break
        case 'type':
          type = value.slice(0, 1)
          break
      }
    }
    if (name === '' || seq === 0 || type === '') refuse('Invalid AOF manifest file format')
    if (type === 'b') {
      if (this.base !== null) refuse('Found duplicate base file information')
      this.base = { name, seq, type }
      this.baseSeq = seq
    } else if (type === 'h') this.history.push({ name, seq, type })
    else if (type === 'i') {
      if (seq <= this.incrementSeq) refuse('Found a non-monotonic sequence number')
      this.increments.push({ name, seq, type })
      this.incrementSeq = seq
    } else refuse('Unknown AOF file type')
  }
}

function quoted(name: string): string {
  const bytes = utf8Bytes(name)
  return needsRepr(bytes, 0, bytes.length) ? reprText(bytes, 0, bytes.length) : name
}
