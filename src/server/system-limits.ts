/**
 * What the system allows, and what that means for the configuration: how many files may be open, how long the queue of a
 * listening socket may be. Systems that do not say so in /proc are taken to allow what is asked for.
 */
import { readFileSync } from 'node:fs'
import type { Server } from './server.ts'

/** Files that are no clients: Redis's own figure, and more than Node.js opens. */
const RESERVED_FILES = 32

/** The system leaves no room for clients. */
export class SystemLimitError extends Error {
  override readonly name = 'SystemLimitError'
}

/** Before anything is listened on: lowers maxclients to what the limit of open files leaves for them. */
export function fitClientsAtStart(server: Server): void {
  const { config } = server
  const filesMax = openFilesLimit()
  const wanted = config.fields.maxclients + RESERVED_FILES
  if (filesMax !== null && filesMax <= RESERVED_FILES) {
    throw new SystemLimitError(
      `Your current 'ulimit -n' of ${filesMax} is not enough for the server to start. Please increase your open file limit to at least ${wanted}. Exiting.`,
    )
  }
  const clientsMax = clientsThatFit(server)
  if (clientsMax === config.fields.maxclients) return
  config.assign('maxclients', String(clientsMax))
  server.engine.settings.clientsMax = clientsMax
}

/** CONFIG SET maxclients. Null, or why there cannot be as many. */
export function fitClients(server: Server): string | null {
  const clientsMax = clientsThatFit(server)
  if (clientsMax === server.config.fields.maxclients) return null
  return `The operating system is not able to handle the specified number of clients, try with ${clientsMax}`
}

export function checkBacklog({ config: { fields }, logger }: Server): void {
  const path = '/proc/sys/net/core/somaxconn'
  const longest = Number(read(path) ?? 0)
  if (longest <= 0 || longest >= fields.tcpBacklog) return
  logger.warning(
    `WARNING: The TCP backlog setting of ${fields.tcpBacklog} cannot be enforced because ${path} is set to the lower value of ${longest}.`,
  )
}

/** maxclients, or what the limit of open files leaves of it; then the log says so. */
function clientsThatFit({ config: { fields }, logger }: Server): number {
  const { maxclients } = fields
  const filesMax = openFilesLimit()
  const wanted = maxclients + RESERVED_FILES
  if (filesMax === null || filesMax >= wanted) return maxclients
  const clientsMax = Math.max(1, filesMax - RESERVED_FILES)
  logger.warning(`You requested maxclients of ${maxclients} requiring at least ${wanted} max file descriptors.`)
  logger.warning(`Server can't set maximum open files to ${wanted} because of OS error: Operation not permitted.`)
  logger.warning(
    `Current maximum open files is ${filesMax}. maxclients has been reduced to ${clientsMax} to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.`,
  )
  return clientsMax
}

/** Null where there is none, or the system does not say. Node.js has raised it as far as it may be raised. */
function openFilesLimit(): number | null {
  const limit = /^Max open files +(\d+) /m.exec(read('/proc/self/limits') ?? '')?.[1]
  return limit === undefined ? null : Number(limit)
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
