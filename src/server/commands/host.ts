/** Commands of a server are declared with it, or without one to be described only. */
import { assert } from '../../base/assert.ts'
import type { Server } from '../server.ts'

export function serverOf(server: Server | null): Server {
  assert(server !== null, 'a command that needs a server was run without one')
  return server
}
