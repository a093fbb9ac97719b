/**
 * CLIENT ID, INFO, LIST, GETNAME, SETNAME, GETREDIR, TRACKINGINFO, NO-EVICT: what the server knows of its clients.
 * Source: Redis command reference, CLIENT (since 2.4.0).
 */
import type { Argv } from '../../../base/argv.ts'
import { clientInfo } from '../../../engine/client-info.ts'
import type { CommandDefinition } from '../../../engine/command.ts'
import { clientType } from '../../../engine/output-limits.ts'
import { NO_EVICT, type Session } from '../../../engine/session.ts'
import { ERR_SYNTAX, errorReply } from '../../../resp/errors.ts'
import { setClientName } from '../client-name.ts'
import { readInt64 } from '../read-integer.ts'
import { ADMIN_FLAGS, doc, FLAGS, readClientType } from './shared.ts'

const ERR_CLIENT_ID = errorReply('ERR Invalid client ID')

export const id: CommandDefinition = {
  name: 'ID',
  arity: 2,
  flags: FLAGS,
  acl: ['connection'],
  doc: doc('5.0.0', 'O(1)', "Returns the client's own id."),
  run(ctx, _argv, reply) {
    reply.integer(ctx.id)
  },
}

export const info: CommandDefinition = {
  name: 'INFO',
  arity: 2,
  flags: FLAGS,
  acl: ['connection'],
  doc: doc('6.2.0', 'O(1)', 'Returns what CLIENT LIST says of the client itself.'),
  run(ctx, argv, reply) {
    reply.verbatim(lineOf(ctx, ctx, argv), 'txt')
  },
}

export const list: CommandDefinition = {
  name: 'LIST',
  arity: -2,
  flags: ADMIN_FLAGS,
  acl: ['connection'],
  doc: doc('2.4.0', 'O(N) where N is the number of clients', 'Lists the connections of clients.'),
  run(ctx, argv, reply) {
    const { sessions } = ctx.engine
    let text = ''
    if (argv.count === 2) {
      for (const session of sessions.values()) text += lineOf(session, ctx, argv)
    } else if (argv.count === 4 && argv.is(2, 'TYPE')) {
      const type = readClientType(argv, 3, reply)
      if (type === null) return
      for (const session of sessions.values()) if (clientType(session) === type) text += lineOf(session, ctx, argv)
    } else if (argv.count > 3 && argv.is(2, 'ID')) {
      for (let i = 3; i < argv.count; i++) {
        const wanted = readInt64(argv, i, reply, ERR_CLIENT_ID)
        if (wanted === null) return
        const session = sessions.get(Number(wanted))
        if (session !== undefined) text += lineOf(session, ctx, argv)
      }
    } else return reply.error(ERR_SYNTAX)
    reply.verbatim(text, 'txt')
  },
}

export const getName: CommandDefinition = {
  name: 'GETNAME',
  arity: 2,
  flags: FLAGS,
  acl: ['connection'],
  doc: doc('2.6.9', 'O(1)', "Returns the connection's name."),
  run(ctx, _argv, reply) {
    if (ctx.name === '') reply.null()
    else reply.bulkLatin1(ctx.name)
  },
}

export const setName: CommandDefinition = {
  name: 'SETNAME',
  arity: 3,
  flags: FLAGS,
  acl: ['connection'],
  doc: doc('2.6.9', 'O(1)', 'Names the connection.'),
  run(ctx, argv, reply) {
    if (setClientName(ctx, argv, 2, reply)) reply.ok()
  },
}

/** Nobody's invalidations are redirected: no client can turn tracking on. */
export const getRedir: CommandDefinition = {
  name: 'GETREDIR',
  arity: 2,
  flags: FLAGS,
  acl: ['connection'],
  doc: doc('6.0.0', 'O(1)', 'Returns the id of the client that gets the invalidations meant for this one.'),
  run(_ctx, _argv, reply) {
    reply.integer(-1)
  },
}

export const trackingInfo: CommandDefinition = {
  name: 'TRACKINGINFO',
  arity: 2,
  flags: FLAGS,
  acl: ['connection'],
  doc: doc('6.2.0', 'O(1)', 'Returns how far the keys that the client reads are tracked.'),
  run(_ctx, _argv, reply) {
    reply.map(3)
    reply.bulkText('flags')
    reply.set(1)
    reply.bulkText('off')
    reply.bulkText('redirect')
    reply.integer(-1)
    reply.bulkText('prefixes')
    reply.array(0)
  },
}

export const noEvict: CommandDefinition = {
  name: 'NO-EVICT',
  arity: 3,
  flags: ADMIN_FLAGS,
  acl: ['connection'],
  doc: doc('7.0.0', 'O(1)', 'Keeps the client from being closed to save memory.'),
  run(ctx, argv, reply) {
    if (argv.is(2, 'ON')) ctx.setFlag(NO_EVICT)
    else if (argv.is(2, 'OFF')) ctx.clearFlag(NO_EVICT)
    else return reply.error(ERR_SYNTAX)
    reply.ok()
  },
}

function lineOf(session: Session, ctx: Session, argv: Argv): string {
  return `${clientInfo(session, session === ctx ? argv : null)}\n`
}
