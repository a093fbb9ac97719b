/**
 * A connection over net.Socket (or a TLS socket): the documented way, for platforms and transports where stream
 * handles cannot be used directly.
 */
import type { Duplex } from 'node:stream'
import type { Engine } from '../engine/engine.ts'
import type { OutputSink, Session } from '../engine/session.ts'
import type { ReplyWriter } from '../resp/reply-writer.ts'
import { logLoss } from './connection.ts'
import { UV_EOF } from './stream-handle.ts'

export class SocketConnection implements OutputSink {
  readonly session: Session
  readonly socket: Duplex
  private readonly engine: Engine
  private readonly onClosed: (connection: SocketConnection) => void
  private closed = false

  constructor(engine: Engine, socket: Duplex, flags: number, onClosed: (connection: SocketConnection) => void) {
    this.engine = engine
    this.socket = socket
    this.onClosed = onClosed
    this.session = engine.connect(this, flags)
  }

  get queuedBytes(): number {
    return this.socket.writableLength
  }

  get queuedChunks(): number {
    return this.socket.writableLength > 0 ? 1 : 0
  }

  start(): void {
    const { socket } = this
    socket.on('data', (bytes: Buffer) => {
      if (!this.closed) this.engine.receive(this.session, bytes, bytes.length)
    })
    socket.on('drain', () => this.engine.drained(this.session))
    socket.on('error', (error: NodeJS.ErrnoException) => this.lost(error.errno ?? UV_EOF))
    socket.on('close', () => this.close(true))
    socket.on('end', () => this.lost(UV_EOF))
  }

  sendReplies(reply: ReplyWriter): void {
    for (const chunk of reply.take()) this.send(chunk)
  }

  send(bytes: Uint8Array): void {
    if (!this.closed) this.socket.write(bytes)
  }

  close(atOnce: boolean): void {
    if (this.closed) return
    if (!atOnce && this.socket.writableLength > 0) {
      this.socket.end(() => this.close(true))
      return
    }
    this.closed = true
    this.socket.destroy()
    this.engine.disconnect(this.session)
    this.onClosed(this)
  }

  private lost(errorNumber: number): void {
    if (this.closed) return
    logLoss(this.session, errorNumber)
    this.close(true)
  }

  setReading(reading: boolean): void {
    if (reading) this.socket.resume()
    else this.socket.pause()
  }
}
