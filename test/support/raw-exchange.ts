/**
 * Raw bytes to a server and back, for what is no proper dialogue: malformed requests, pieces of requests, connections
 * that the server ends. Nothing waits for a time to pass: that a server has dealt with what it was sent shows by the
 * replies that another connection gets to what it asks afterwards.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { RedisProcess } from './redis-process.ts'

/** A server runs through its clients once per turn; twice is after whatever was sent before. */
const BARRIER_ROUNDS = 3
/** Spelled so that MONITOR tells it from the PINGs of tests. */
export const BARRIER_COMMAND = 'pInG'
const OWN_TURNS = 5

export interface Outcome {
  /** One character per byte. */
  readonly received: string
  readonly closed: boolean
}

export class RawConnection {
  private readonly socket: Socket
  private received = ''
  private closed = false
  private wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1')
      this.wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
      this.wake()
    })
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  /** Sends these bytes; a string has one byte per character. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => resolve())
    })
  }

  /** What has come so far. */
  get outcome(): Outcome {
    return { received: this.received, closed: this.closed }
  }

  /** Resolves when the server has closed the connection. */
  async untilClosed(): Promise<void> {
    while (!this.closed) await this.nextEvent()
  }

  /** Resolves when that many bytes have come, or the connection is closed. */
  async untilReceived(bytes: number): Promise<void> {
    while (this.received.length < bytes && !this.closed) await this.nextEvent()
  }

  private nextEvent(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve
    })
  }

  close(): void {
    this.socket.destroy()
  }
}

/** Sends pieces to a server, each after the one before was dealt with; tells what came back. */
export class RawExchange {
  private readonly port: number
  private readonly control: RawConnection

  private constructor(port: number, control: RawConnection) {
    this.port = port
    this.control = control
  }

  /** `prologue`: what the connection that serves as a clock must send before it may PING. */
  static async start(server: RedisProcess, prologue = ''): Promise<RawExchange> {
    const control = await RawConnection.open(server.port)
    const exchange = new RawExchange(server.port, control)
    if (prologue !== '') await control.send(prologue)
    await exchange.barrier()
    return exchange
  }

  open(): Promise<RawConnection> {
    return RawConnection.open(this.port)
  }

  async run(pieces: readonly (string | Uint8Array)[]): Promise<Outcome> {
    const connection = await this.open()
    try {
      for (const piece of pieces) {
        if (connection.outcome.closed) break
        await connection.send(piece)
        await this.barrier()
      }
      return connection.outcome
    } finally {
      connection.close()
    }
  }

  /** Resolves when the server has dealt with all that was sent before. */
  async barrier(): Promise<void> {
    for (let round = 0; round < BARRIER_ROUNDS; round++) {
      const { length } = this.control.outcome.received
      await this.control.send(`${BARRIER_COMMAND}\r\n`)
      await this.control.untilReceived(length + '+PONG\r\n'.length)
    }
    // What has arrived, and the end of a connection, is noticed in the next turns of our own event loop.
    for (let turn = 0; turn < OWN_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  close(): void {
    this.control.close()
  }
}
