/**
 * Which addresses the configuration asks for, and what to say when one is not to be had.
 */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { ParameterName } from './config/registry.ts'
import type { Server } from './server.ts'

/** Listening failed; the log says why. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code = 'O7_LISTEN'
}

/** Opens all addresses; resolves to the TCP port, 0 if there is none. Throws if one that is not optional fails. */
export async function openListeners(server: Server): Promise<number> {
  const { config, listener } = server
  const { fields } = config
  const port = await openTcp(server)
  if (fields.unixsocket !== '') {
    const path = resolve(fields.dir, fields.unixsocket)
    try {
      await listener.listenUnix(path, fields.unixsocketperm, fields.unixsocket)
    } catch (error) {
      await listener.stopListening()
      // libuv says EACCES where the folder is missing.
      const reason = existsSync(dirname(path)) ? reasonOf(error) : 'bind: No such file or directory'
      throw new ListenError(`Failed opening Unix socket: ${reason}`, { cause: error })
    }
  } else if (port === 0 && !server.parts.mayBeDeaf) {
    throw new ListenError('Configured to not listen anywhere, exiting.')
  }
  return port
}

/** The addresses of `bind` alone, which may be none. */
async function openTcp(server: Server): Promise<number> {
  const { config, listener, logger } = server
  const { fields } = config
  let { port } = fields
  if (port === 0 && !server.parts.anyPort) return 0
  let opened = 0
  for (const address of fields.bind) {
    const optional = address.startsWith('-')
    const name = optional ? address.slice(1) : address
    const isIpv6 = name.includes(':')
    const host = name === '*' ? '0.0.0.0' : name === '::*' ? '::' : name
    try {
      // To Node.js no name is any address.
      if (host === '') throw Object.assign(new Error('no name'), { code: 'ENOTFOUND' })
      port = await listener.listenTcp(host, port, isIpv6)
      opened++
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      logger.warning(`Warning: Could not create server TCP listening socket ${name}:${port}: ${reasonOf(error)}`)
      if (code === 'EADDRNOTAVAIL' && optional) continue
      if (code === 'EAFNOSUPPORT' || code === 'EPROTONOSUPPORT' || code === 'EPFNOSUPPORT') continue
      await listener.detachServers().close()
      throw new ListenError(`Failed listening on port ${port} (TCP), aborting.`, { cause: error })
    }
  }
  return opened > 0 ? port : 0
}

/** CONFIG SET port or bind: the new addresses are listened on, or the old ones stay. Null, or why not. */
export async function reopenListeners(server: Server, names: readonly ParameterName[]): Promise<string | null> {
  const before = server.listener.detachServers()
  try {
    // The same port on another address, or the same address again, is free only when the old listeners are gone.
    if (server.config.fields.port === server.port) await before.close()
    server.port = await openTcp(server)
    await before.close()
    return null
  } catch {
    server.listener.attachServers(before)
    return names.includes('bind')
      ? 'Failed to bind to specified addresses.'
      : 'Unable to listen on this port. Check server logs.'
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'EADDRINUSE':
      return 'bind: Address already in use'
    case 'EADDRNOTAVAIL':
      return 'bind: Cannot assign requested address'
    case 'EACCES':
      return 'bind: Permission denied'
    case 'ENOTFOUND':
      return 'Name or service not known'
    default:
      return message
  }
}
