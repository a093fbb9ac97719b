/** Links to masters over TCP (replication/link.ts). */
import { connect, isIP, type Socket } from 'node:net'
import type { Link, LinkEvents, Network } from '../replication/link.ts'
import { addressText } from './connection.ts'

const READ_BUFFER_BYTES = 256 * 1024
/** What getaddrinfo says when there is no such host. */
const UNRESOLVED = /^(ENOTFOUND|EAI_)/

export interface NetworkOptions {
  /** bind-source-addr; null = whatever the system chooses. */
  sourceAddress(): string | null
  /** tcp-keepalive, seconds; 0 = off. */
  keepaliveSeconds(): number
  /** A system error in the words of the C library. */
  describe(error: unknown): string
}

export class TcpNetwork implements Network {
  private readonly options: NetworkOptions

  constructor(options: NetworkOptions) {
    this.options = options
  }

  connect(host: string, port: number, events: LinkEvents): Link {
    return new TcpLink(host, port, events, this.options)
  }
}

class TcpLink implements Link {
  localAddress = ''
  remoteAddress = ''
  isResolving: boolean
  private readonly host: string
  private readonly port: number
  private readonly events: LinkEvents
  private readonly options: NetworkOptions
  private socket: Socket
  private isOver = false

  constructor(host: string, port: number, events: LinkEvents, options: NetworkOptions) {
    this.host = host
    this.port = port
    this.events = events
    this.options = options
    this.isResolving = isIP(host) === 0
    const sourceAddress = options.sourceAddress()
    // What is no address can be bound to no more than one that is not ours.
    this.socket = this.open(sourceAddress !== null && isIP(sourceAddress) !== 0 ? sourceAddress : null)
  }

  /** bind-source-addr is a wish: where it cannot be bound to, the system chooses. */
  private open(sourceAddress: string | null): Socket {
    const { host, port, events, options } = this
    const keepaliveSeconds = options.keepaliveSeconds()
    const socket = connect({
      host,
      port,
      noDelay: true,
      ...(sourceAddress === null ? {} : { localAddress: sourceAddress }),
      ...(keepaliveSeconds > 0 ? { keepAlive: true, keepAliveInitialDelay: keepaliveSeconds * 1000 } : {}),
      onread: {
        buffer: new Uint8Array(READ_BUFFER_BYTES),
        callback: (length, bytes) => {
          if (!this.isOver) events.received(bytes, length)
          return true
        },
      },
    })
    let reason = ''
    let isUnresolved = false
    let isUnbound = false
    // For a host of several addresses it comes several times.
    socket.on('lookup', (error: Error | null) => {
      if (error !== null || !this.isResolving || this.isOver) return
      this.isResolving = false
      events.resolved?.()
    })
    socket.on('connect', () => {
      this.localAddress = textOf(socket.localAddress, socket.localPort, socket.localFamily)
      this.remoteAddress = textOf(socket.remoteAddress, socket.remotePort, socket.remoteFamily)
      if (!this.isOver) events.connected()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = options.describe(error)
      isUnresolved = UNRESOLVED.test(error.code ?? '')
      isUnbound = isBindError(error)
    })
    socket.on('end', () => socket.destroy())
    socket.on('close', () => {
      if (this.isOver) return
      if (isUnbound && sourceAddress !== null) {
        this.socket = this.open(null)
        return
      }
      this.isOver = true
      events.closed(reason, isUnresolved)
    })
    return socket
  }

  send(bytes: Uint8Array): void {
    if (!this.isOver) this.socket.write(bytes)
  }

  setReading(reading: boolean): void {
    if (reading) this.socket.resume()
    else this.socket.pause()
  }

  close(): void {
    this.isOver = true
    this.socket.destroy()
  }
}

/** Several addresses of a host are tried one after the other, and their errors come together. */
function isBindError(error: NodeJS.ErrnoException): boolean {
  if (error instanceof AggregateError) return error.errors.every(isBindError)
  return error.syscall === 'bind'
}

function textOf(address: string | undefined, port: number | undefined, family: string | undefined): string {
  return address === undefined ? '' : addressText({ address, port: port ?? 0, family: family ?? 'IPv4' })
}
