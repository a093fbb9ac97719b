/**
 * A client within the process: requests and replies without a socket, through the same parser and the same session as
 * everyone else's, so that blocking, transactions and subscriptions work alike.
 *
 * One request at a time is with the engine, the next follows when it is answered. That tells which request a push
 * message confirms, and when one gets no reply at all (SUBSCRIBE, CLIENT REPLY OFF).
 */
import { types } from 'node:util'
import { Argv } from '../base/argv.ts'
import type { Engine } from '../engine/engine.ts'
import { BLOCKED, EMBEDDED, type OutputSink, type Session } from '../engine/session.ts'
import { ReplyDecoder, ReplyError, type ReplyValue } from '../resp/reply-decoder.ts'
import { encodeRequest } from '../resp/request-encoder.ts'
import { ServerError } from './errors.ts'

export type Argument = string | number | bigint | Uint8Array

export interface LocalClientOptions {
  /** Bulk strings come as Buffers instead of strings. */
  readonly buffers?: boolean
  /** Receives messages: what subscriptions deliver, as ["message", channel, payload] and the like. */
  readonly onPush?: (message: ReplyValue) => void
}

interface Call {
  readonly request: Uint8Array
  resolve(value: ReplyValue): void
  reject(error: Error): void
  /** The count of subscriptions that the last confirmation told; null without one. */
  subscriptions: ReplyValue
}

const CONFIRMATIONS = new Set(
  ['subscribe', 'unsubscribe'].flatMap((name) => [name, `p${name}`, `s${name}`]) as readonly unknown[],
)

export class LocalClient {
  /** Null once closed: who keeps a client does not keep its server's data. It leads to the engine. */
  private session: Session | null
  private readonly decoder: ReplyDecoder
  private readonly onPush: ((message: ReplyValue) => void) | undefined
  private readonly serverClosed: () => ServerError | null
  private readonly queue: Call[] = []
  /** The call that the engine has. */
  private current: Call | null = null
  /** Requests are being handed to the engine right now. */
  private isPumping = false
  /** They are those of the `execute` call that is on the stack. */
  private isDirect = false

  /** To be had from `server.connect()`. `serverClosed` tells why the server is closed, if it is. */
  constructor(engine: Engine, options: LocalClientOptions = {}, serverClosed: () => ServerError | null = () => null) {
    this.decoder = new ReplyDecoder(options.buffers ?? false)
    this.onPush = options.onPush
    this.serverClosed = serverClosed
    const sink: OutputSink = {
      queuedBytes: 0,
      queuedChunks: 0,
      sendReplies: (reply) => this.receive(reply.takeBytes()),
      send: (bytes) => this.receive(bytes),
      close: () => this.close(),
      setReading() {},
    }
    this.session = engine.connect(sink, EMBEDDED)
    this.session.protocol = 3
    // Who holds the server object holds its data: no password stands between them.
    engine.setAuthenticated(this.session, true)
  }

  get isClosed(): boolean {
    return this.session === null
  }

  /**
   * Runs one command. Resolves to its reply (see ReplyValue), rejects with a ReplyError when that is an error.
   * Numbers are sent as their decimal text. SUBSCRIBE and its like resolve to how many subscriptions there are now.
   * `Reply` is what the caller knows of the reply; it is not checked.
   */
  execute<Reply extends ReplyValue = ReplyValue>(...args: readonly Argument[]): Promise<Reply> {
    let request: Uint8Array
    try {
      request = encode(args)
    } catch (error) {
      return Promise.reject(error)
    }
    if (this.session === null || this.session.engine.isStopped) return Promise.reject(this.closedBecause())
    return new Promise<ReplyValue>((resolve, reject) => {
      const isDirect = this.current === null && this.queue.length === 0
      this.queue.push({ request, resolve, reject, subscriptions: null })
      this.isDirect = isDirect
      this.pump()
      this.isDirect = false
    }) as Promise<Reply>
  }

  /** Ends the client; calls that wait are rejected. */
  close(): void {
    const { session } = this
    if (session === null) return
    this.session = null
    session.engine.disconnect(session)
    const calls = this.current === null ? this.queue.splice(0) : [this.current, ...this.queue.splice(0)]
    this.current = null
    const reason = this.closedBecause()
    for (const call of calls) call.reject(reason)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  private closedBecause(): ServerError {
    return this.serverClosed() ?? new ServerError('O7_CLOSED', 'the client is closed')
  }

  /** Hands requests to the engine for as long as it answers at once. */
  private pump(): void {
    const { queue } = this
    while (this.session !== null) {
      const { session } = this
      const { engine } = session
      if (engine.activeSession !== null) return this.pumpSoon()
      // It has its reply still to come: from a command that blocks, or once the append-only file has what it wrote.
      if (this.current !== null && (session.has(BLOCKED) || session.heldBytes > 0)) return
      this.settle()
      const call = queue.shift()
      if (call === undefined) return
      this.current = call
      this.isPumping = true
      engine.receive(session, call.request, call.request.length)
      this.isPumping = false
    }
  }

  /** The engine is at work, so what follows from it waits until it is done. */
  private pumpSoon(): void {
    queueMicrotask(() => this.pump())
  }

  /** Ends a call that was executed and has no reply of its own. */
  private settle(): void {
    const { current } = this
    if (current === null) return
    this.current = null
    current.resolve(current.subscriptions)
  }

  private receive(bytes: Uint8Array): void {
    this.decoder.append(bytes)
    for (;;) {
      let value: ReplyValue | undefined
      try {
        value = this.decoder.next()
      } catch (error) {
        // Some command wrote what is no reply. The error must not unwind the engine that is at work.
        if (this.session !== null) this.session.engine.fail(error, this.session)
        return
      }
      if (value === undefined) return
      const { current } = this
      if (this.decoder.wasPush || current === null) this.pushed(value)
      else {
        this.current = null
        if (value instanceof ReplyError) {
          // Whoever gets the error wants to see their own code in its stack.
          if (this.isDirect) Error.captureStackTrace(value, this.execute)
          current.reject(value)
        } else current.resolve(value)
      }
      if (!this.isPumping) this.pumpSoon()
    }
  }

  private pushed(message: ReplyValue): void {
    const { current, onPush } = this
    if (Array.isArray(message) && current !== null && CONFIRMATIONS.has(String(message[0]))) {
      current.subscriptions = message[2] as ReplyValue
    } else if (onPush !== undefined) queueMicrotask(() => onPush(message))
  }
}

function encode(args: readonly Argument[]): Uint8Array {
  if (args.length === 0) throw new ServerError('O7_INVALID_ARGUMENT', 'execute needs the name of a command')
  return encodeRequest(Argv.of(args.map((arg, index) => (types.isUint8Array(arg) ? arg : textOf(arg, index)))))
}

function textOf(arg: unknown, index: number): string {
  if (typeof arg === 'string') return arg
  if (typeof arg === 'number' || typeof arg === 'bigint') return String(arg)
  const shown = arg === null ? 'null' : Array.isArray(arg) ? 'a list' : `of type ${typeof arg}`
  const message = `argument ${index} is ${shown}: a string, number, bigint or Uint8Array is needed`
  throw new ServerError('O7_INVALID_ARGUMENT', message)
}
