/**
 * A TCP connection that this server opens to another: bytes go out, lines come in, and everything has a time limit.
 *
 * Limits are about progress, as those of Redis's syncio.c: a piece of 64 KiB must be taken, and more of a line must come,
 * within so many milliseconds. They are real time, since what is waited for is another machine.
 */
import { connect, type Socket } from 'node:net'

/** So much must go out within the time limit. */
const PIECE_BYTES = 64 * 1024
/** Nothing that answers with lines has one of this length. */
const LINE_BYTES_MAX = 64 * 1024
/** Longer timers than this would go off at once. */
const TIMER_MS_MAX = 0x7fff_ffff
const PORT_MAX = 65_535
const LF = 10
const CR = 13

/** What the system says when an attempt to connect has got as far as the other machine or its network. */
const REFUSALS: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ETIMEDOUT'])

/** Time ran out; the other side refused, when there was to be a connection; there is none, or none any more. */
export type OutgoingFailure = 'timeout' | 'refused' | 'broken'

/** Why there is no connection, or none any more. */
export class OutgoingError extends Error {
  readonly kind: OutgoingFailure

  constructor(message: string, kind: OutgoingFailure) {
    super(message)
    this.kind = kind
  }
}

interface Waiter {
  resolve(): void
  reject(error: OutgoingError): void
  readonly timer: NodeJS.Timeout
  /** It waits for input; otherwise for the connection, or for a piece to be taken. */
  readonly wantsInput: boolean
}

export class OutgoingConnection {
  private readonly socket: Socket
  /** Why nothing goes any more. */
  private failure: OutgoingError | null = null
  /** Lines that nobody has asked for yet. */
  private readonly lines: string[] = []
  /** Pieces of a line that has not ended. */
  private partial: Buffer[] = []
  private partialBytes = 0
  /** Who waits for something to happen: one at most. */
  private waiter: Waiter | null = null
  private onClosed: (() => void) | null = null
  private isConnected = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => this.receive(bytes))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const isRefused = !this.isConnected && REFUSALS.has(error.code)
      this.fail(new OutgoingError(error.message, isRefused ? 'refused' : 'broken'))
    })
    socket.on('end', () => this.fail(new OutgoingError('the other side has closed the connection', 'broken')))
    socket.on('close', () => this.fail(new OutgoingError('the connection is closed', 'broken')))
  }

  /** Rejects with an OutgoingError. */
  static async open(host: string, port: number, timeoutMs: number): Promise<OutgoingConnection> {
    // What Node.js would take for localhost, or throw for.
    if (host === '' || port < 0 || port > PORT_MAX) throw new OutgoingError('there is no such address', 'broken')
    const connection = new OutgoingConnection(connect({ host, port, noDelay: true }))
    await connection.wait(timeoutMs, (done) => connection.socket.once('connect', done))
    connection.isConnected = true
    return connection
  }

  get isClosed(): boolean {
    return this.failure !== null
  }

  /** Something came that nobody asked for. */
  get hasInput(): boolean {
    return this.lines.length > 0 || this.partialBytes > 0
  }

  /** Calls once when the connection has ended, from whatever side. */
  whenClosed(callback: () => void): void {
    this.onClosed = callback
  }

  /** Resolves when the network has taken everything. The chunks must stay as they are until then. */
  async send(chunks: readonly Uint8Array[], timeoutMs: number): Promise<void> {
    let small: Uint8Array[] = []
    let smallBytes = 0
    const flush = async () => {
      if (smallBytes === 0) return
      const piece = Buffer.concat(small, smallBytes)
      small = []
      smallBytes = 0
      await this.sendPiece(piece, timeoutMs)
    }
    for (const chunk of chunks) {
      if (smallBytes + chunk.length <= PIECE_BYTES) {
        small.push(chunk)
        smallBytes += chunk.length
        continue
      }
      await flush()
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        await this.sendPiece(chunk.subarray(at, at + PIECE_BYTES), timeoutMs)
      }
    }
    await flush()
  }

  /** The next line, without its end, one character per byte. */
  async readLine(timeoutMs: number): Promise<string> {
    // Each pause in what comes may be as long as the limit.
    while (this.lines.length === 0) await this.wait(timeoutMs)
    return this.lines.shift()!
  }

  close(): void {
    this.fail(new OutgoingError('closed from this side', 'broken'))
  }

  private sendPiece(piece: Uint8Array, timeoutMs: number): Promise<void> {
    return this.wait(timeoutMs, (done) => this.socket.write(piece, done))
  }

  /** Until `begin`'s callback, or without one until something comes in; rejects at the end of time or connection. */
  private wait(timeoutMs: number, begin: ((done: () => void) => void) | null = null): Promise<void> {
    const { failure } = this
    if (failure !== null) return Promise.reject(failure)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.fail(new OutgoingError('time is over', 'timeout')),
        Math.min(timeoutMs, TIMER_MS_MAX),
      )
      this.waiter = { resolve, reject, timer, wantsInput: begin === null }
      begin?.(() => this.wake())
    })
  }

  private wake(): void {
    const { waiter } = this
    if (waiter === null) return
    this.waiter = null
    clearTimeout(waiter.timer)
    waiter.resolve()
  }

  private receive(bytes: Buffer): void {
    let start = 0
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      this.partial.push(bytes.subarray(start, end))
      const line = Buffer.concat(this.partial)
      const length = line.length > 0 && line[line.length - 1] === CR ? line.length - 1 : line.length
      this.lines.push(line.toString('latin1', 0, length))
      this.partial = []
      this.partialBytes = 0
      start = end + 1
    }
    if (start < bytes.length) {
      this.partial.push(Buffer.from(bytes.subarray(start)))
      this.partialBytes += bytes.length - start
      if (this.partialBytes > LINE_BYTES_MAX) return this.fail(new OutgoingError('a line does not end', 'broken'))
    }
    if (this.waiter?.wantsInput === true) this.wake()
  }

  /** The end: of waiting, too. Lines that have come whole can still be read. */
  private fail(error: OutgoingError): void {
    if (this.failure !== null) return
    this.failure = error
    this.socket.destroy()
    const { waiter, onClosed } = this
    this.waiter = null
    this.onClosed = null
    if (waiter !== null) {
      clearTimeout(waiter.timer)
      waiter.reject(error)
    }
    onClosed?.()
  }
}
