/**
 * A client within the process: requests and replies without a socket, through the same parser and the same session as
 * everyone else's, so that blocking, transactions and subscriptions work alike.
 */
import type { Engine } from '../engine/engine.ts'
import { EMBEDDED, type OutputSink, type Session } from '../engine/session.ts'
import { ReplyDecoder, ReplyError, type ReplyValue } from '../resp/reply-decoder.ts'
import type { ReplyWriter } from '../resp/reply-writer.ts'

export type Argument = string | number | bigint | Uint8Array

interface Waiter {
  resolve(value: ReplyValue): void
  reject(error: Error): void
}

export interface LocalClientOptions {
  /** Bulk strings come as Buffers instead of strings. */
  readonly buffers?: boolean
  /** Receives push messages: what subscriptions deliver. */
  readonly onPush?: (message: ReplyValue) => void
}

export class LocalClient implements OutputSink {
  queuedBytes = 0
  queuedChunks = 0
  private readonly engine: Engine
  private readonly session: Session
  private readonly decoder: ReplyDecoder
  private readonly waiters: Waiter[] = []
  private readonly onPush: ((message: ReplyValue) => void) | undefined
  private closed = false

  constructor(engine: Engine, options: LocalClientOptions = {}) {
    this.engine = engine
    this.decoder = new ReplyDecoder(options.buffers ?? false)
    this.onPush = options.onPush
    this.session = engine.connect(this, EMBEDDED)
    this.session.protocol = 3
    // Who holds the server object holds its data: no password stands between them.
    engine.setAuthenticated(this.session, true)
  }

  /**
   * Runs one command. Resolves to its reply (see reply-decoder.ts), rejects with a ReplyError when that is an error.
   * Numbers are sent as their decimal text.
   */
  execute(...args: readonly Argument[]): Promise<ReplyValue> {
    if (args.length === 0) return Promise.reject(new TypeError('execute needs the name of a command'))
    if (this.closed || this.engine.isStopped) return Promise.reject(new ReplyError('ERR the server is closed'))
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject })
      const request = encode(args)
      this.engine.receive(this.session, request, request.length)
    })
  }

  sendReplies(reply: ReplyWriter): void {
    this.send(reply.takeBytes())
  }

  send(bytes: Uint8Array): void {
    this.decoder.append(bytes)
    for (;;) {
      const value = this.decoder.next()
      if (value === undefined) return
      if (this.decoder.wasPush) {
        this.onPush?.(value)
        continue
      }
      const waiter = this.waiters.shift()
      if (value instanceof ReplyError) waiter?.reject(value)
      else waiter?.resolve(value)
    }
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.engine.disconnect(this.session)
    for (const waiter of this.waiters.splice(0)) waiter.reject(new ReplyError('ERR the connection was closed'))
  }

  setReading(): void {}
}

function encode(args: readonly Argument[]): Uint8Array {
  const chunks: Uint8Array[] = [Buffer.from(`*${args.length}\r\n`)]
  for (const arg of args) {
    const bytes = arg instanceof Uint8Array ? arg : Buffer.from(String(arg), 'utf8')
    chunks.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(chunks)
}
