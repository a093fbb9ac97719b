/**
 * The undocumented parts of Node that the fast path relies on, all of them in this file.
 *
 * An accepted connection is a native stream handle. Node normally wraps it in a net.Socket, which allocates for each
 * chunk read and each write. Used directly, the handle reads into one buffer that all connections share and writes
 * synchronously without an object per write: 10.5 instead of 15.2 microseconds per GET at a pipeline of one, measured
 * against redis-server's 9.3 on the same machine.
 *
 * `detectStreamHandles` looks whether everything used here is there and behaves; if not (another Node, Windows, TLS),
 * connections use net.Socket as documented (socket-connection.ts).
 */
import type net from 'node:net'

/** A native stream handle (TCPWrap, PipeWrap): the members used here. */
export interface StreamHandle {
  onread: ((this: StreamHandle, arrayBuffer: ArrayBuffer | undefined) => void) | null
  /** Ours: whoever owns the handle, to be found from `this` in onread. */
  owner?: unknown
  readonly fd: number
  /** Bytes of writes under way that the kernel has not taken. */
  readonly writeQueueSize: number
  useUserBuffer(buffer: Uint8Array): void
  readStart(): number
  readStop(): number
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
  close(callback?: () => void): void
  shutdown(request: object): number
  setNoDelay?(on: boolean): number
  setKeepAlive?(on: boolean, delaySeconds: number): number
  getpeername?(out: AddressOut): number
  getsockname?(out: AddressOut): number
  ref(): void
  unref(): void
}

export interface AddressOut {
  address?: string
  port?: number
  family?: string
}

export interface WriteRequest {
  oncomplete: ((this: WriteRequest, status: number) => void) | null
  handle?: StreamHandle
  async?: boolean
  bytes?: number
  buffer?: Uint8Array | null
}

export interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest
  /** Where the native side leaves the results of reads and writes. */
  readonly streamBaseState: Int32Array
  readonly kReadBytesOrError: number
  readonly kLastWriteWasAsync: number
}

/** What Node passes for "end of stream". */
export const UV_EOF = -4095

interface RawServer {
  _handle: { onconnection: ((status: number, handle: StreamHandle | undefined) => void) | null } | null
}

/** The binding, or null where it is not to be had in the form known here. */
export function detectStreamHandles(): StreamBinding | null {
  if (process.platform === 'win32') return null
  try {
    const load = (process as unknown as { binding(name: string): Record<string, unknown> }).binding
    const stream = load.call(process, 'stream_wrap')
    const tcp = load.call(process, 'tcp_wrap').TCP as { prototype: Record<string, unknown> } | undefined
    const methods = ['useUserBuffer', 'readStart', 'readStop', 'writeBuffer', 'close', 'shutdown', 'getpeername']
    const usable =
      typeof stream.WriteWrap === 'function' &&
      stream.streamBaseState instanceof Int32Array &&
      typeof stream.kReadBytesOrError === 'number' &&
      typeof stream.kLastWriteWasAsync === 'number' &&
      tcp !== undefined &&
      'writeQueueSize' in tcp.prototype &&
      methods.every((name) => typeof tcp.prototype[name] === 'function')
    return usable ? (stream as unknown as StreamBinding) : null
  } catch {
    return null
  }
}

/** Takes accepted handles from a listening server before it makes sockets of them. Returns false where that cannot be done. */
export function interceptConnections(server: net.Server, onConnection: (handle: StreamHandle) => void): boolean {
  const raw = (server as unknown as RawServer)._handle
  if (raw === null || typeof raw.onconnection !== 'function') return false
  raw.onconnection = (status, handle) => {
    if (status === 0 && handle !== undefined) onConnection(handle)
  }
  return true
}
