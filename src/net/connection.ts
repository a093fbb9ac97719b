/**
 * A connection over a native stream handle: one read buffer for all connections, replies written straight from the
 * engine's output buffer. Hot path: npm run bench.
 *
 * Small replies wait until all that could be read in this turn of the event loop was, as they do in Redis: a client that
 * has been answered wakes up, and waking many up in a row costs less than each between two reads (a tenth of a request).
 */
import { getSystemErrorMap } from 'node:util'
import { dataOf } from '../base/word-copy.ts'
import { clientInfo } from '../engine/client-info.ts'
import type { Engine } from '../engine/engine.ts'
import type { OutputSink, Session } from '../engine/session.ts'
import type { ReplyWriter } from '../resp/reply-writer.ts'
import { type AddressOut, type StreamBinding, type StreamHandle, UV_EOF, type WriteRequest } from './stream-handle.ts'

/** One read takes at most this much; a pipeline of 64 small commands is 4 KiB. */
export const READ_BUFFER_BYTES = 64 * 1024
/** Views up to this length are kept, so that a write of a short reply makes no object. */
const CACHED_VIEW_BYTES_MAX = 4096

/** Replies up to this length wait for the end of the turn: a pipeline of some tens of small ones. Each client has such a buffer. */
const SMALL_REPLY_BYTES_MAX = 2048
/** Kept from the start: tests of those who embed a server may put something else in its place. */
const atEndOfTurn = setImmediate

/** What all connections of a server share. */
export class HandleShell {
  readonly binding: StreamBinding
  readonly engine: Engine
  readonly readBuffer = new Uint8Array(READ_BUFFER_BYTES)
  readonly onClosed: (connection: HandleConnection) => void
  /** Serves every write that ends at once, which is nearly all. */
  private request: WriteRequest
  /** Connections with a small reply to be sent, in the first `waitingCount` places, and the same of the turn before. */
  private waiting: (HandleConnection | null)[] = []
  private waitingCount = 0
  private spare: (HandleConnection | null)[] = []
  private views: (Uint8Array | undefined)[] = []
  private viewed: Uint8Array<ArrayBuffer> | null = null

  constructor(binding: StreamBinding, engine: Engine, onClosed: (connection: HandleConnection) => void) {
    this.binding = binding
    this.engine = engine
    this.onClosed = onClosed
    this.request = new binding.WriteWrap()
  }

  /** Sends a connection's small reply at the end of this turn of the event loop. */
  sendLater(connection: HandleConnection): void {
    if (this.waitingCount === 0) atEndOfTurn(this.sendWaiting)
    this.waiting[this.waitingCount++] = connection
  }

  readonly sendWaiting = (): void => {
    const { waiting, waitingCount } = this
    // A connection that fails may let others write.
    this.waiting = this.spare
    this.spare = waiting
    this.waitingCount = 0
    for (let i = 0; i < waitingCount; i++) {
      waiting[i]!.sendSmall()
      waiting[i] = null
    }
  }

  /** The first `length` bytes of an output buffer. */
  view(buffer: Uint8Array<ArrayBuffer>, length: number): Uint8Array {
    if (length > CACHED_VIEW_BYTES_MAX) return buffer.subarray(0, length)
    if (this.viewed !== buffer) {
      this.viewed = buffer
      this.views = new Array(CACHED_VIEW_BYTES_MAX + 1)
    }
    return (this.views[length] ??= buffer.subarray(0, length))
  }

  /** Writes; returns a request if the rest goes on in the background, null if all is done, or an error number. */
  write(handle: StreamHandle, bytes: Uint8Array): WriteRequest | number | null {
    const { request, binding } = this
    const error = handle.writeBuffer(request, bytes)
    if (error !== 0) return error
    if (binding.streamBaseState[binding.kLastWriteWasAsync] === 0) return null
    this.request = new binding.WriteWrap()
    request.buffer = bytes
    return request
  }
}

export class HandleConnection implements OutputSink {
  readonly session: Session
  readonly handle: StreamHandle
  queuedBytes = 0
  readonly shell: HandleShell
  private readonly queue: Uint8Array[] = []
  /** The small reply that waits for the end of the turn: its first `smallBytes` bytes. */
  private small: Uint8Array<ArrayBuffer> | null = null
  private smallData: DataView | null = null
  private smallView: Uint8Array | null = null
  private smallBytes = 0
  /** Bytes of the write under way. */
  private writingBytes = 0
  private closing = false
  private closed = false

  constructor(shell: HandleShell, handle: StreamHandle, flags: number) {
    this.shell = shell
    this.handle = handle
    this.session = shell.engine.connect(this, flags)
    this.session.fd = handle.fd
  }

  get queuedChunks(): number {
    return this.queue.length + (this.writingBytes > 0 ? 1 : 0)
  }

  get untakenBytes(): number {
    return this.queuedBytes === 0 ? 0 : this.queuedBytes - this.writingBytes + this.handle.writeQueueSize
  }

  /** Begins to read. */
  start(): void {
    const { handle } = this
    handle.owner = this
    handle.onread = onRead
    handle.useUserBuffer(this.shell.readBuffer)
    handle.readStart()
  }

  /** The read buffer holds `length` bytes. */
  received(length: number): void {
    this.shell.engine.receive(this.session, this.shell.readBuffer, length)
  }

  sendReplies(reply: ReplyWriter): void {
    if (this.smallBytes > 0) this.sendSmall()
    if (this.closed) {
      reply.clear()
      return
    }
    if (reply.chunks.length === 0 && this.queuedBytes === 0) {
      const length = reply.position
      if (length <= SMALL_REPLY_BYTES_MAX) {
        this.keepSmall(reply)
        return
      }
      const { buffer } = reply
      const request = this.shell.write(this.handle, this.shell.view(buffer, length))
      reply.position = 0
      if (request === null) return
      if (typeof request === 'number') this.fail()
      else {
        // The kernel is full and the rest of the buffer is still to be sent: it is not ours to write into any more.
        reply.replaceBuffer(new Uint8Array(buffer.length))
        this.await(request, length)
      }
      return
    }
    for (const chunk of reply.take()) this.send(chunk)
  }

  private keepSmall(reply: ReplyWriter): void {
    this.small ??= new Uint8Array(SMALL_REPLY_BYTES_MAX)
    this.smallData ??= dataOf(this.small)
    this.smallBytes = reply.moveTo(this.smallData)
    this.shell.sendLater(this)
  }

  /** Sends the small reply that waits, if there is one. */
  sendSmall(): void {
    const length = this.smallBytes
    if (length === 0) return
    this.smallBytes = 0
    // Replies of one client are often of one length.
    if (this.smallView?.length !== length) this.smallView = this.small!.subarray(0, length)
    this.send(this.smallView)
  }

  send(bytes: Uint8Array): void {
    if (this.smallBytes > 0) this.sendSmall()
    if (this.closed) return
    if (this.queuedBytes > 0) {
      this.queue.push(bytes)
      this.queuedBytes += bytes.length
      return
    }
    const request = this.shell.write(this.handle, bytes)
    if (request === null) return
    if (typeof request === 'number') this.fail()
    else this.await(request, bytes.length)
  }

  close(atOnce: boolean): void {
    if (this.smallBytes > 0) this.sendSmall()
    if (this.closed) return
    if (!atOnce && this.queuedBytes > 0) {
      this.closing = true
      this.handle.readStop()
      return
    }
    this.closed = true
    this.queuedBytes = 0
    this.queue.length = 0
    // The native side takes a function only.
    this.handle.onread = ignoreRead
    this.handle.close()
    this.shell.engine.disconnect(this.session)
    this.shell.onClosed(this)
  }

  setReading(reading: boolean): void {
    if (this.closed || this.closing) return
    if (reading) this.handle.readStart()
    else this.handle.readStop()
  }

  private await(request: WriteRequest, length: number): void {
    this.writingBytes = length
    this.queuedBytes += length
    request.handle = this.handle
    request.oncomplete = (status) => this.written(status)
  }

  private written(status: number): void {
    if (this.closed) return
    if (status !== 0) return this.fail()
    this.queuedBytes -= this.writingBytes
    this.writingBytes = 0
    // What is queued is handed on as it is; `queuedBytes` counts it until it is written.
    while (this.queue.length > 0 && this.writingBytes === 0) {
      const bytes = this.queue.shift()!
      this.queuedBytes -= bytes.length
      const request = this.shell.write(this.handle, bytes)
      if (typeof request === 'number') return this.fail()
      if (request !== null) this.await(request, bytes.length)
    }
    if (this.queuedBytes > 0) return
    if (this.closing) this.close(true)
    else this.shell.engine.drained(this.session)
  }

  private fail(): void {
    this.close(true)
  }
}

function ignoreRead(): void {}

/** `this` is the handle. A negative number is an error or the end of the stream. */
function onRead(this: StreamHandle): void {
  const connection = this.owner as HandleConnection
  const { binding } = connection.shell
  const length = binding.streamBaseState[binding.kReadBytesOrError]!
  if (length > 0) connection.received(length)
  else if (length < 0) {
    logLoss(connection.session, length)
    connection.close(true)
  }
}

/** A client has gone: it ended the connection, or reading failed with this error of the system. */
export function logLoss(session: Session, errorNumber: number): void {
  const { engine } = session
  if (!engine.isLogged('verbose')) return
  if (errorNumber === UV_EOF) engine.log('verbose', `Client closed connection ${clientInfo(session)}`)
  else {
    const words = getSystemErrorMap().get(errorNumber)?.[1] ?? `error ${errorNumber}`
    engine.log('verbose', `Reading from client: ${words[0]!.toUpperCase()}${words.slice(1)}`)
  }
}

/** "ip:port" of either end, IPv6 in brackets, as CLIENT LIST shows it. */
export function addressText(out: AddressOut): string {
  if (out.address === undefined) return '?:0'
  return out.family === 'IPv6' ? `[${out.address}]:${out.port}` : `${out.address}:${out.port}`
}
