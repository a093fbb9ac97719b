/**
 * HELLO [protover [AUTH username password] [SETNAME clientname]]: handshake. Reply: a map that describes the server.
 * Source: Redis command reference, HELLO (since 6.0.0).
 */
import { REDIS_VERSION } from '../../base/version.ts'
import { type Command, defineCommand } from '../../engine/command.ts'
import { ALLOW_BUSY, FAST, LOADING, NO_AUTH, NOSCRIPT, SENTINEL, STALE } from '../../engine/flags.ts'
import { echoText } from '../../engine/subcommand-error.ts'
import { errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { authenticateNamed, ERR_WRONG_PASSWORD } from './authenticate.ts'
import { setClientName } from './client-name.ts'
import { readInt64 } from './read-integer.ts'

/** What HELLO tells of the server beside its version. */
export interface Greeting {
  role(): 'master' | 'replica'
  /** Writes the list of loaded modules. */
  replyModules(reply: ReplyWriter): void
}

const ERR_VERSION = errorReply('ERR Protocol version is not an integer or out of range')
const ERR_NO_PROTOCOL = errorReply('NOPROTO unsupported protocol version')
const ERR_HELLO_NOAUTH = errorReply(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
)

export function helloCommand(greeting: Greeting): Command {
  return defineCommand({
    name: 'HELLO',
    arity: -1,
    flags: NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | SENTINEL | ALLOW_BUSY,
    acl: ['connection'],
    doc: {
      group: 'connection',
      since: '6.0.0',
      complexity: 'O(1)',
      summary: 'Agrees on the protocol version, and describes the server.',
    },
    run(ctx, argv, reply) {
      let protocol = 0
      if (argv.count > 1) {
        const version = readInt64(argv, 1, reply, ERR_VERSION)
        if (version === null) return
        if (version < 2n || version > 3n) return reply.error(ERR_NO_PROTOCOL)
        protocol = Number(version)
      }
      for (let i = 2; i < argv.count; i++) {
        const left = argv.count - 1 - i
        if (argv.is(i, 'AUTH') && left >= 2) {
          ctx.redact(i + 1)
          ctx.redact(i + 2)
          if (!authenticateNamed(ctx, argv, i + 1)) return reply.error(ERR_WRONG_PASSWORD)
          i += 2
        } else if (argv.is(i, 'SETNAME') && left >= 1) {
          if (!setClientName(ctx, argv, i + 1, reply)) return
          i++
        } else return reply.errorText(`ERR Syntax error in HELLO option '${echoText(argv, i, argv.lengthBytes(i))}'`)
      }
      if (!ctx.authenticated) return reply.error(ERR_HELLO_NOAUTH)
      if (protocol !== 0) {
        ctx.protocol = protocol
        reply.protocol = protocol
      }
      reply.map(7)
      reply.bulkText('server')
      reply.bulkText('redis')
      reply.bulkText('version')
      reply.bulkText(REDIS_VERSION)
      reply.bulkText('proto')
      reply.integer(ctx.protocol)
      reply.bulkText('id')
      reply.integer(ctx.id)
      reply.bulkText('mode')
      reply.bulkText('standalone')
      reply.bulkText('role')
      reply.bulkText(greeting.role())
      reply.bulkText('modules')
      greeting.replyModules(reply)
    },
  })
}
