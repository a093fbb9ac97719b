/**
 * CLIENT KILL ip:port, and CLIENT KILL with filters that a client must pass all of.
 * Reply: OK or an error in the old form, the number of clients in the new one.
 * Source: Redis command reference, CLIENT KILL (since 2.4.0).
 */
import type { Argv } from '../../../base/argv.ts'
import type { CommandDefinition } from '../../../engine/command.ts'
import { type ClientType, clientType } from '../../../engine/output-limits.ts'
import type { Session } from '../../../engine/session.ts'
import { echoText } from '../../../engine/subcommand-error.ts'
import { ERR_SYNTAX, errorReply } from '../../../resp/errors.ts'
import type { ReplyWriter } from '../../../resp/reply-writer.ts'
import { DEFAULT_USER } from '../authenticate.ts'
import { readInt64 } from '../read-integer.ts'
import { ADMIN_FLAGS, doc, readClientType } from './shared.ts'

const ERR_CLIENT_ID = errorReply('ERR client-id should be greater than 0')
const ERR_NO_SUCH_CLIENT = errorReply('ERR No such client')

interface Filter {
  id: number | null
  type: ClientType | null
  address: string | null
  localAddress: string | null
  user: string | null
  skipsMe: boolean
}

export const kill: CommandDefinition = {
  name: 'KILL',
  arity: -3,
  flags: ADMIN_FLAGS,
  acl: ['connection'],
  doc: doc('2.4.0', 'O(N) where N is the number of clients', 'Closes connections of clients.'),
  run(ctx, argv, reply) {
    const isOldForm = argv.count === 3
    const filter = isOldForm ? { ...noFilter(), address: textOf(argv, 2), skipsMe: false } : readFilter(argv, reply)
    if (filter === null) return
    const { engine } = ctx
    let killed = 0
    let killsMe = false
    for (const session of engine.sessions.values()) {
      if (!passes(session, filter) || (session === ctx && filter.skipsMe)) continue
      killed++
      if (session === ctx) killsMe = true
      else engine.close(session, true)
    }
    if (!isOldForm) reply.integer(killed)
    else if (killed > 0) reply.ok()
    else reply.error(ERR_NO_SUCH_CLIENT)
    if (killsMe) engine.close(ctx, false)
  },
}

function noFilter(): Filter {
  return { id: null, type: null, address: null, localAddress: null, user: null, skipsMe: true }
}

function readFilter(argv: Argv, reply: ReplyWriter): Filter | null {
  const filter = noFilter()
  for (let i = 2; i < argv.count; i += 2) {
    if (i + 1 === argv.count) {
      reply.error(ERR_SYNTAX)
      return null
    }
    if (!readOption(argv, i, filter, reply)) return null
  }
  return filter
}

/** Returns false for an option that is wrong, which has been replied. */
function readOption(argv: Argv, index: number, filter: Filter, reply: ReplyWriter): boolean {
  const value = index + 1
  if (argv.is(index, 'ID')) {
    const id = readInt64(argv, value, reply, ERR_CLIENT_ID)
    if (id === null) return false
    if (id < 1n) {
      reply.error(ERR_CLIENT_ID)
      return false
    }
    filter.id = Number(id)
  } else if (argv.is(index, 'TYPE')) {
    filter.type = readClientType(argv, value, reply)
    if (filter.type === null) return false
  } else if (argv.is(index, 'ADDR')) filter.address = textOf(argv, value)
  else if (argv.is(index, 'LADDR')) filter.localAddress = textOf(argv, value)
  else if (argv.is(index, 'USER')) {
    filter.user = argv.latin1(value)
    if (filter.user !== DEFAULT_USER) {
      reply.errorText(`ERR No such user '${textOf(argv, value)}'`)
      return false
    }
  } else if (argv.is(index, 'SKIPME') && argv.is(value, 'YES')) filter.skipsMe = true
  else if (argv.is(index, 'SKIPME') && argv.is(value, 'NO')) filter.skipsMe = false
  else {
    reply.error(ERR_SYNTAX)
    return false
  }
  return true
}

function passes(session: Session, filter: Filter): boolean {
  return (
    (filter.address === null || session.address === filter.address) &&
    (filter.localAddress === null || session.localAddress === filter.localAddress) &&
    (filter.type === null || clientType(session) === filter.type) &&
    (filter.id === null || session.id === filter.id) &&
    (filter.user === null || session.user === filter.user)
  )
}

function textOf(argv: Argv, index: number): string {
  return echoText(argv, index, argv.lengthBytes(index))
}
