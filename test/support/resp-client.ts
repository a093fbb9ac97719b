/**
 * A raw RESP client for tests: it sends exactly the bytes it is given and hands back the raw bytes of each reply, cut
 * at reply boundaries, so that two servers can be compared byte by byte. It knows the framing of RESP2 and RESP3 and
 * nothing of what replies mean; decodeReply is there for tests that want to look inside.
 *
 * Framing needs no stack: a reply is finished when a count of outstanding elements reaches zero. Each header takes one
 * from the count and an aggregate adds its elements (maps and attributes two each; an attribute also adds the value
 * that it describes). That makes the scan resumable, so a reply of any size is scanned once.
 */
import { connect, type Socket } from 'node:net'

export type CommandArgument = string | number | bigint | Uint8Array

/** Where to connect: a TCP port on loopback (or on `host`), or the path of a unix socket. */
export type RespTarget = { readonly port: number; readonly host?: string } | { readonly path: string }

const CR = 0x0d
const LF = 0x0a

const LINE_TYPES = '+-:,#(_'
const BULK_TYPES = '$=!'
const AGGREGATE_TYPES = '*~>%|'

/** Finds the ends of replies in a stream of bytes. `at` and `outstanding` survive between calls. */
export class ReplyScanner {
  private at = 0
  private outstanding = 1

  /** The offset just past the reply that starts at 0, or -1 when `bytes[0..length)` does not hold all of it yet. */
  endOfReply(bytes: Uint8Array, length: number): number {
    while (this.outstanding > 0) {
      const lineEnd = findCrLf(bytes, this.at, length)
      if (lineEnd < 0) return -1
      const type = String.fromCharCode(bytes[this.at]!)
      let next = lineEnd + 2
      let added = 0
      if (LINE_TYPES.includes(type)) {
        // The line is the whole element.
      } else if (BULK_TYPES.includes(type)) {
        const size = headerNumber(bytes, this.at + 1, lineEnd)
        if (size >= 0) next += size + 2
        if (next > length) return -1
      } else if (AGGREGATE_TYPES.includes(type)) {
        const count = headerNumber(bytes, this.at + 1, lineEnd)
        if (count > 0) added = type === '%' || type === '|' ? count * 2 : count
        if (type === '|') added += 1
      } else {
        throw new Error(
          `no RESP reply starts with ${showReply(bytes.subarray(this.at, Math.min(lineEnd, this.at + 60)))}`,
        )
      }
      this.at = next
      this.outstanding += added - 1
    }
    const end = this.at
    this.at = 0
    this.outstanding = 1
    return end
  }
}

function findCrLf(bytes: Uint8Array, from: number, length: number): number {
  for (let at = from; ; at++) {
    at = bytes.indexOf(CR, at)
    if (at < 0 || at + 1 >= length) return -1
    if (bytes[at + 1] === LF) return at
  }
}

function headerNumber(bytes: Uint8Array, from: number, to: number): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
  if (!/^-?\d+$/.test(text)) throw new Error(`not a RESP length: ${JSON.stringify(text)}`)
  return Number(text)
}

/** A command as Redis clients send it: an array of bulk strings. Strings are sent as UTF-8. */
export function encodeCommand(args: readonly CommandArgument[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${args.length}\r\n`)]
  for (const arg of args) {
    const bytes = arg instanceof Uint8Array ? arg : Buffer.from(String(arg))
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

/** What a waiting read accepts. */
type Wanted = 'reply' | 'push' | 'any'

interface Waiter {
  readonly wanted: Wanted
  readonly resolve: (raw: Buffer) => void
  readonly reject: (error: Error) => void
}

const PUSH = 0x3e // '>'

function accepts(wanted: Wanted, raw: Buffer): boolean {
  return wanted === 'any' || (wanted === 'push') === (raw[0] === PUSH)
}

export class RespClient {
  private readonly socket: Socket
  private readonly scanner = new ReplyScanner()
  private buffer: Buffer = Buffer.allocUnsafe(4096)
  private heldBytes = 0
  /** Replies and push messages that nobody has read yet, in order of arrival. */
  private readonly arrived: Buffer[] = []
  private readonly waiters: Waiter[] = []
  private failure: Error | null = null
  private readonly closedPromise: Promise<void>

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.receive(chunk))
    socket.on('error', (error) => this.fail(error))
    this.closedPromise = new Promise((resolve) => {
      socket.on('close', () => {
        this.fail(new Error('the server closed the connection'))
        resolve()
      })
    })
  }

  static connect(target: RespTarget): Promise<RespClient> {
    return new Promise((resolve, reject) => {
      const socket =
        'path' in target
          ? connect({ path: target.path })
          : connect({ port: target.port, host: target.host ?? '127.0.0.1' })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new RespClient(socket))
      })
    })
  }

  /** Sends these bytes as they are; a string is taken as latin1, so that '\xff' is one byte. */
  write(bytes: Uint8Array | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Sends one command without waiting for its reply. */
  send(...args: CommandArgument[]): void {
    this.socket.write(encodeCommand(args))
  }

  /** The next reply or push message, in order of arrival. */
  readAny(): Promise<Buffer> {
    return this.take('any')
  }

  /** The next reply; push messages stay for readPush. */
  read(): Promise<Buffer> {
    return this.take('reply')
  }

  /** The next push message; replies stay for read. */
  readPush(): Promise<Buffer> {
    return this.take('push')
  }

  /** Takes the push messages that have arrived so far. */
  takePushes(): Buffer[] {
    const pushes = this.arrived.filter((raw) => accepts('push', raw))
    const replies = this.arrived.filter((raw) => accepts('reply', raw))
    this.arrived.splice(0, this.arrived.length, ...replies)
    return pushes
  }

  /** Sends one command and returns its raw reply. */
  call(...args: CommandArgument[]): Promise<Buffer> {
    this.send(...args)
    return this.read()
  }

  /** Sends one command and returns its reply decoded. */
  async query(...args: CommandArgument[]): Promise<RespValue> {
    return decodeReply(await this.call(...args))
  }

  /** Sends all commands in one write and returns as many replies. */
  async pipeline(commands: readonly (readonly CommandArgument[])[]): Promise<Buffer[]> {
    this.socket.write(Buffer.concat(commands.map(encodeCommand)))
    return this.readMany(commands.length)
  }

  async readMany(count: number): Promise<Buffer[]> {
    const replies: Buffer[] = []
    for (let index = 0; index < count; index++) replies.push(await this.read())
    return replies
  }

  /** Everything received and not yet read, once the server has closed: whole replies, then what was left unfinished. */
  async readToEnd(): Promise<Buffer> {
    await this.closedPromise
    const rest = [...this.arrived.splice(0), Buffer.from(this.buffer.subarray(0, this.heldBytes))]
    this.heldBytes = 0
    return Buffer.concat(rest)
  }

  /** Resolves when the connection is closed, by whichever side. */
  get closed(): Promise<void> {
    return this.closedPromise
  }

  /** True once the connection is closed. */
  get isClosed(): boolean {
    return this.failure !== null
  }

  /** Stops (and starts again) reading from the socket, to play a client that does not read. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  /** Sends FIN and keeps reading. */
  end(): void {
    this.socket.end()
  }

  async close(): Promise<void> {
    this.socket.destroy()
    await this.closedPromise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  private take(wanted: Wanted): Promise<Buffer> {
    const index = this.arrived.findIndex((raw) => accepts(wanted, raw))
    if (index >= 0) return Promise.resolve(this.arrived.splice(index, 1)[0]!)
    if (this.failure !== null) return Promise.reject(this.failure)
    return new Promise((resolve, reject) => this.waiters.push({ wanted, resolve, reject }))
  }

  private receive(chunk: Buffer): void {
    const neededBytes = this.heldBytes + chunk.length
    if (neededBytes > this.buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(neededBytes, this.buffer.length * 2))
      this.buffer.copy(grown, 0, 0, this.heldBytes)
      this.buffer = grown
    }
    chunk.copy(this.buffer, this.heldBytes)
    this.heldBytes = neededBytes
    let start = 0
    try {
      while (start < this.heldBytes) {
        const view = this.buffer.subarray(start, this.heldBytes)
        const size = this.scanner.endOfReply(view, view.length)
        if (size < 0) break
        this.deliver(Buffer.from(view.subarray(0, size)))
        start += size
      }
    } catch (error) {
      this.fail(error as Error)
      this.socket.destroy()
    }
    this.buffer.copyWithin(0, start, this.heldBytes)
    this.heldBytes -= start
  }

  private deliver(raw: Buffer): void {
    const index = this.waiters.findIndex((waiter) => accepts(waiter.wanted, raw))
    if (index < 0) this.arrived.push(raw)
    else this.waiters.splice(index, 1)[0]!.resolve(raw)
  }

  private fail(error: Error): void {
    if (this.failure !== null) return
    this.failure = error
    for (const waiter of this.waiters.splice(0)) waiter.reject(error)
  }
}

/** An error reply, decoded. */
export class RespError extends Error {}

/**
 * A reply as plain values. Strings of all kinds are latin1 text, one character per byte, so nothing is lost; integers
 * beyond 2^53 are bigint; doubles are numbers; maps are arrays of pairs in the order sent; attributes are dropped.
 */
export type RespValue = null | number | bigint | boolean | string | RespError | RespValue[]

export function decodeReply(raw: Uint8Array): RespValue {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.length)
  const { value, end } = decodeAt(bytes, 0)
  if (end !== bytes.length) throw new Error(`${bytes.length - end} bytes after the reply ${showReply(bytes)}`)
  return value
}

function decodeAt(bytes: Buffer, at: number): { value: RespValue; end: number } {
  const lineEnd = findCrLf(bytes, at, bytes.length)
  if (lineEnd < 0) throw new Error(`unfinished reply ${showReply(bytes)}`)
  const type = String.fromCharCode(bytes[at]!)
  const line = bytes.toString('latin1', at + 1, lineEnd)
  const end = lineEnd + 2
  switch (type) {
    case '+':
      return { value: line, end }
    case '-':
      return { value: new RespError(line), end }
    case ':':
      return { value: Number.isSafeInteger(Number(line)) ? Number(line) : BigInt(line), end }
    case '(':
      return { value: BigInt(line), end }
    case ',':
      return { value: line === 'inf' ? Infinity : line === '-inf' ? -Infinity : Number(line), end }
    case '#':
      return { value: line === 't', end }
    case '_':
      return { value: null, end }
    case '$':
    case '=':
    case '!': {
      const size = Number(line)
      if (size < 0) return { value: null, end }
      const text = bytes.toString('latin1', end, end + size)
      if (type === '!') return { value: new RespError(text), end: end + size + 2 }
      return { value: type === '=' ? text.slice(4) : text, end: end + size + 2 }
    }
    case '*':
    case '~':
    case '>':
    case '%':
    case '|': {
      const count = Number(line)
      if (count < 0) return { value: null, end }
      const flat: RespValue[] = []
      let cursor = end
      for (let index = 0; index < (type === '%' || type === '|' ? count * 2 : count); index++) {
        const element = decodeAt(bytes, cursor)
        flat.push(element.value)
        cursor = element.end
      }
      if (type === '|') return decodeAt(bytes, cursor)
      if (type !== '%') return { value: flat, end: cursor }
      const pairs: RespValue[] = []
      for (let index = 0; index < flat.length; index += 2) pairs.push([flat[index]!, flat[index + 1]!])
      return { value: pairs, end: cursor }
    }
    default:
      throw new Error(`no RESP reply starts with ${JSON.stringify(type)}`)
  }
}

/** Raw bytes in a form that fits into a failure message: printable, with \r\n and binary escaped. */
export function showReply(raw: Uint8Array, charactersMax = 2000): string {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString('latin1')
  const shown = JSON.stringify(text.slice(0, charactersMax)).replace(
    /[\x7f-\xff]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return text.length > charactersMax ? `${shown} ... (${text.length} bytes)` : shown
}
