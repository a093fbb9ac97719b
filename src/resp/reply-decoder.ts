/**
 * Replies back into JavaScript values, for callers within the process. Takes bytes in any pieces.
 *
 *   simple and bulk strings, big numbers      string (UTF-8), or Buffer when asked for; bigint
 *   integers                                  number, bigint beyond 2^53
 *   doubles, booleans, nulls                  number, boolean, null
 *   arrays, sets, pushes                      array, Set, array
 *   maps                                      Map
 *   errors                                    ReplyError
 *
 * Source: RESP3 specification.
 */

/** An error reply. `code` is its first word: "ERR", "WRONGTYPE" ... */
export class ReplyError extends Error {
  override readonly name = 'ReplyError'
  readonly code: string

  constructor(message: string) {
    super(message)
    const space = message.indexOf(' ')
    this.code = space < 0 ? message : message.slice(0, space)
  }
}

export type ReplyValue =
  | string
  | Buffer
  | number
  | bigint
  | boolean
  | null
  | ReplyError
  | readonly ReplyValue[]
  | ReadonlySet<ReplyValue>
  | ReadonlyMap<ReplyValue, ReplyValue>

const INCOMPLETE = Symbol('incomplete')

export class ReplyDecoder {
  private bytes: Buffer = Buffer.alloc(0)
  private at = 0
  private readonly asBuffers: boolean
  /** Whether the value read last came as a push message rather than as a reply. */
  wasPush = false

  constructor(asBuffers = false) {
    this.asBuffers = asBuffers
  }

  append(bytes: Uint8Array): void {
    this.bytes =
      this.at === this.bytes.length ? Buffer.from(bytes) : Buffer.concat([this.bytes.subarray(this.at), bytes])
    this.at = 0
  }

  /** The next whole value, or undefined when more bytes are needed. */
  next(): ReplyValue | undefined {
    const start = this.at
    this.wasPush = this.bytes[start] === 62
    const value = this.read()
    if (value !== INCOMPLETE) return value
    this.at = start
    return undefined
  }

  private read(): ReplyValue | typeof INCOMPLETE {
    const lineEnd = this.bytes.indexOf('\r\n', this.at)
    if (lineEnd < 0) return INCOMPLETE
    const type = String.fromCharCode(this.bytes[this.at]!)
    const line = this.bytes.toString('utf8', this.at + 1, lineEnd)
    this.at = lineEnd + 2
    switch (type) {
      case '+':
        return line
      case '-':
        return new ReplyError(line)
      case ':': {
        const value = Number(line)
        return Number.isSafeInteger(value) ? value : BigInt(line)
      }
      case '_':
        return null
      case '#':
        return line === 't'
      case ',':
        return line === 'inf' ? Number.POSITIVE_INFINITY : line === '-inf' ? Number.NEGATIVE_INFINITY : Number(line)
      case '(':
        return BigInt(line)
      case '$':
        return this.readBulk(Number(line), 0)
      case '=':
        return this.readBulk(Number(line), 4)
      case '*':
      case '>':
        return this.readArray(Number(line))
      case '~': {
        const items = this.readArray(Number(line))
        return Array.isArray(items) ? new Set(items) : items
      }
      case '%':
        return this.readMap(Number(line))
      case '|': {
        // Attributes describe the value behind them, which is the reply.
        const attributes = this.readMap(Number(line))
        return attributes === INCOMPLETE ? INCOMPLETE : this.read()
      }
      default:
        throw new TypeError(`a reply cannot begin with "${type}"`)
    }
  }

  private readBulk(length: number, skip: number): string | Buffer | null | typeof INCOMPLETE {
    if (length < 0) return null
    const start = this.at
    if (start + length + 2 > this.bytes.length) return INCOMPLETE
    this.at = start + length + 2
    if (this.asBuffers) return Buffer.from(this.bytes.subarray(start + skip, start + length))
    return this.bytes.toString('utf8', start + skip, start + length)
  }

  private readArray(count: number): ReplyValue[] | null | typeof INCOMPLETE {
    if (count < 0) return null
    const items: ReplyValue[] = []
    for (let i = 0; i < count; i++) {
      const item = this.read()
      if (item === INCOMPLETE) return INCOMPLETE
      items.push(item)
    }
    return items
  }

  private readMap(pairs: number): ReadonlyMap<ReplyValue, ReplyValue> | typeof INCOMPLETE {
    const flat = this.readArray(pairs * 2)
    if (flat === INCOMPLETE || flat === null) return INCOMPLETE
    const map = new Map<ReplyValue, ReplyValue>()
    for (let i = 0; i < flat.length; i += 2) map.set(flat[i]!, flat[i + 1]!)
    return map
  }
}
