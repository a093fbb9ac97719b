/**
 * o7-is as a library: a Redis server inside a Node program.
 *
 *   const server = await createServer()
 *   await server.execute('SET', 'greeting', 'hello')
 *   await server.close()
 */

export { type Clock, ManualClock, SystemClock } from './base/clock.ts'
export * from './extension.ts'
export { ReplyError, type ReplyValue } from './resp/reply-decoder.ts'
export { ConfigOptionError } from './server/config/options.ts'
export { createServer, type EmbeddedServer, type ServerClock, type ServerOptions } from './server/create-server.ts'
export { ServerError, type ServerErrorCode } from './server/errors.ts'
export type { Argument, LocalClient, LocalClientOptions } from './server/local-client.ts'
