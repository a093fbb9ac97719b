/**
 * Listening: TCP addresses and unix sockets, each accepted connection handed to the engine. Limits that are about
 * connections (maxclients, protected mode) are enforced here, with Redis's own words to the refused.
 */
import { chmodSync, unlinkSync } from 'node:fs'
import net from 'node:net'
import type { Engine } from '../engine/engine.ts'
import { UNIX_SOCKET } from '../engine/session.ts'
import { addressText, HandleConnection, HandleShell } from './connection.ts'
import { SocketConnection } from './socket-connection.ts'
import {
  type AddressOut,
  detectStreamHandles,
  interceptConnections,
  type StreamBinding,
  type StreamHandle,
} from './stream-handle.ts'

const MAXCLIENTS_REPLY = '-ERR max number of clients reached\r\n'
const DENIED_REPLY =
  '-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. ' +
  'In this mode connections are only accepted from the loopback interface. ' +
  'If you want to connect from external computers to Redis you may adopt one of the following solutions: ' +
  "1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is running, " +
  'however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. ' +
  "2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. " +
  "3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. " +
  '4) Setup a an authentication password for the default user. NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside.\r\n'

export interface ListenerOptions {
  readonly backlog: number
  /** tcp-keepalive in seconds, 0 = off. */
  keepaliveSeconds: number
  /** Refuse who does not come over loopback while there is no password. */
  protectedMode: boolean
  /** Use net.Socket even where stream handles could be used. */
  readonly documentedOnly?: boolean
}

/** Listeners that were taken out, to be closed or put back. */
export interface DetachedServers {
  readonly servers: readonly net.Server[]
  close(): Promise<void>
}

type Connection = HandleConnection | SocketConnection

export class Listener {
  readonly options: ListenerOptions
  /** Whether connections use stream handles directly. */
  readonly isFast: boolean
  private readonly engine: Engine
  private servers: net.Server[] = []
  private readonly unixPaths: string[] = []
  private readonly connections = new Set<Connection>()
  private readonly shell: HandleShell | null
  private readonly forget = (connection: Connection): void => {
    this.connections.delete(connection)
  }

  constructor(engine: Engine, options: ListenerOptions) {
    this.engine = engine
    this.options = options
    const binding: StreamBinding | null = options.documentedOnly ? null : detectStreamHandles()
    this.shell = binding === null ? null : new HandleShell(binding, engine, this.forget)
    this.isFast = this.shell !== null
  }

  get connectionCount(): number {
    return this.connections.size
  }

  /** Listens on an address; port 0 takes a free one. Resolves to the port. */
  async listenTcp(host: string, port: number, ipv6Only: boolean): Promise<number> {
    const server = await this.listen({ host, port, backlog: this.options.backlog, ipv6Only }, null)
    return (server.address() as net.AddressInfo).port
  }

  /** `name`: what clients that come this way are said to come from. */
  async listenUnix(path: string, permissions: number, name = path): Promise<void> {
    try {
      unlinkSync(path)
    } catch {
      // None was left behind by an earlier run.
    }
    await this.listen({ path, backlog: this.options.backlog }, name)
    if (permissions !== 0) chmodSync(path, permissions)
    this.unixPaths.push(path)
  }

  /** Takes the TCP listeners out, still listening, so that others can be tried first. Unix sockets stay. */
  detachServers(): DetachedServers {
    const detached = this.servers.filter((server) => typeof server.address() !== 'string')
    this.servers = this.servers.filter((server) => !detached.includes(server))
    return { servers: detached, close: () => closeServers(detached) }
  }

  /** Takes listeners back; those that were closed meanwhile are forgotten. */
  attachServers({ servers }: DetachedServers): void {
    this.servers.push(...servers.filter((server) => server.listening))
  }

  /** Stops listening; connections stay. */
  async stopListening(): Promise<void> {
    const closing = closeServers(this.servers.splice(0))
    this.removeUnixSockets()
    await closing
  }

  /** Returns whether there was one to remove. */
  removeUnixSockets(): boolean {
    const paths = this.unixPaths.splice(0)
    for (const path of paths) {
      try {
        unlinkSync(path)
      } catch {
        // Somebody removed it already.
      }
    }
    return paths.length > 0
  }

  /** Sends replies that wait for the end of the turn of the event loop. */
  sendReplies(): void {
    this.shell?.sendWaiting()
  }

  /** Ends all connections: after what is queued for them, or at once. */
  closeConnections(atOnce: boolean): void {
    for (const connection of [...this.connections]) connection.close(atOnce)
  }

  private listen(options: net.ListenOptions, unixName: string | null): Promise<net.Server> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ noDelay: true, allowHalfOpen: false })
      server.once('error', reject)
      server.listen(options, () => {
        server.off('error', reject)
        server.on('error', (error) => this.engine.log('warning', `Accepting client connection: ${error.message}`))
        const { shell } = this
        const fast =
          shell !== null && interceptConnections(server, (handle) => this.acceptHandle(shell, handle, unixName))
        if (!fast) server.on('connection', (socket) => this.acceptSocket(socket, unixName))
        this.servers.push(server)
        resolve(server)
      })
    })
  }

  private acceptHandle(shell: HandleShell, handle: StreamHandle, unixName: string | null): void {
    const peer: AddressOut = {}
    if (unixName === null) {
      // The peer may be gone already: then there is nobody to refuse or to serve.
      if (handle.getpeername!(peer) !== 0) {
        handle.close()
        return
      }
    }
    this.logAccepted(peer.address, peer.port, unixName)
    const refusal = this.refusal(unixName === null ? peer.address! : null)
    if (refusal !== null) {
      shell.write(handle, Buffer.from(refusal))
      handle.close()
      return
    }
    const connection = new HandleConnection(shell, handle, unixName === null ? 0 : UNIX_SOCKET)
    if (unixName === null) {
      handle.setNoDelay?.(true)
      if (this.options.keepaliveSeconds > 0) handle.setKeepAlive?.(true, this.options.keepaliveSeconds)
      const local: AddressOut = {}
      handle.getsockname!(local)
      connection.session.address = addressText(peer)
      connection.session.localAddress = addressText(local)
    } else this.nameUnix(connection, unixName)
    this.connections.add(connection)
    connection.start()
  }

  private acceptSocket(socket: net.Socket, unixName: string | null): void {
    this.logAccepted(socket.remoteAddress, socket.remotePort, unixName)
    const refusal = this.refusal(unixName === null ? (socket.remoteAddress ?? '') : null)
    if (refusal !== null) {
      socket.on('error', () => {})
      socket.end(refusal)
      return
    }
    const connection = new SocketConnection(this.engine, socket, unixName === null ? 0 : UNIX_SOCKET, this.forget)
    if (unixName === null) {
      if (this.options.keepaliveSeconds > 0) socket.setKeepAlive(true, this.options.keepaliveSeconds * 1000)
      connection.session.address = addressText({
        address: socket.remoteAddress!,
        port: socket.remotePort!,
        family: socket.remoteFamily!,
      })
      connection.session.localAddress = addressText({
        address: socket.localAddress!,
        port: socket.localPort!,
        family: socket.localFamily!,
      })
    } else this.nameUnix(connection, unixName)
    this.connections.add(connection)
    connection.start()
  }

  private logAccepted(address: string | undefined, port: number | undefined, unixName: string | null): void {
    const { engine } = this
    if (!engine.isLogged('verbose')) return
    engine.log('verbose', unixName === null ? `Accepted ${address}:${port}` : `Accepted connection to ${unixName}`)
  }

  private nameUnix(connection: Connection, name: string): void {
    connection.session.address = `${name}:0`
    connection.session.localAddress = `${name}:0`
  }

  /** What to say to a connection that may not stay, or null. `address` is null for unix sockets. */
  private refusal(address: string | null): string | null {
    const { statistics, settings } = this.engine
    if (this.connections.size >= settings.clientsMax) {
      statistics.rejectedConnections++
      return MAXCLIENTS_REPLY
    }
    if (this.options.protectedMode && settings.password === '' && address !== null && !isLoopback(address)) {
      statistics.rejectedConnections++
      return DENIED_REPLY
    }
    statistics.connections++
    return null
  }
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.')
}

async function closeServers(servers: readonly net.Server[]): Promise<void> {
  await Promise.all(
    servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          // A server that is closed already answers with an error, which is as good.
          server.close(() => resolve())
        }),
    ),
  )
}
