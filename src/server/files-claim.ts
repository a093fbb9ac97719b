/**
 * Keeps two servers from writing the same append-only files. The claim is a name of the system that one socket can have at
 * a time, and that is free again when its process has ended, in whatever way: a file could stay behind. On Linux an abstract socket
 * address, on Windows a named pipe. Nobody connects to it.
 *
 * Where it differs from Redis: there nothing keeps two servers apart, and they ruin each other's files. Systems without such
 * names, and processes in other network namespaces, are not kept apart here either.
 */
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import type { FilesClaim } from '../persistence/file-system.ts'

const NO_CLAIM: FilesClaim = { release() {} }

/** Null: another server has the files. */
export function claimFiles(folder: string, name: string): FilesClaim | null {
  const prefix = process.platform === 'linux' ? '\0' : process.platform === 'win32' ? '\\\\.\\pipe\\' : null
  if (prefix === null) return NO_CLAIM
  // The folder may be known by several paths.
  const { dev, ino } = statSync(folder, { bigint: true })
  const files = createHash('sha1').update(`${dev} ${ino} ${name}`).digest('hex')
  const listener = listen(`${prefix}o7-is-${files}`)
  if (listener !== null) return { release: () => listener.close() }
  // Why it failed is told later only. If no other name can be had either, this system has none.
  const other = listen(`${prefix}o7-is-${files}-${process.pid}`)
  other?.close()
  return other === null ? NO_CLAIM : null
}

function listen(path: string): Server | null {
  const server = createServer((socket) => socket.destroy())
  server.on('error', () => {})
  // Without `exclusive` the workers of a cluster would share it.
  server.listen({ path, exclusive: true })
  server.unref()
  return server.listening ? server : null
}
