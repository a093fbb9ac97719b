/**
 * The questions before a command, in Redis's order, for requests that cannot go straight to their handler: unknown
 * names, wrong argument counts, subcommands, authentication, transactions, subscribed clients, loading, pauses, memory.
 * The order is what clients see when several answers would be right.
 */
import type { Argv } from '../base/argv.ts'
import {
  ERR_LOADING,
  ERR_MISCONF,
  ERR_NO_MULTI,
  ERR_NOAUTH,
  ERR_OOM,
  type ErrorReply,
  errorReply,
} from '../resp/errors.ts'
import type { CommandEntry } from './command-table.ts'
import type { Engine } from './engine.ts'
import {
  DENYOOM,
  IN_SUBSCRIBED,
  LOADING,
  MAY_REPLICATE,
  NO_AUTH,
  NO_MULTI,
  NOT_QUEUED,
  PROTECTED,
  WRITE,
} from './flags.ts'
import {
  GATE_AUTH,
  GATE_DISK_ERROR,
  GATE_LOADING,
  GATE_MAXMEMORY,
  GATE_MULTI,
  GATE_PAUSED,
  GATE_REPLY,
} from './gates.ts'
import {
  CLOSE_ASAP,
  DIRTY_EXEC,
  EMBEDDED,
  FROM_MASTER,
  IN_MULTI,
  LOADER,
  REPLICA,
  REPLY_OFF,
  REPLY_SKIP,
  REPLY_SKIP_NEXT,
  type Session,
  SUBSCRIBED,
  UNIX_SOCKET,
} from './session.ts'

/** How much of an unknown command's name and arguments the error repeats. */
const ECHO_BYTES_MAX = 128
const ATTACK_LOG_INTERVAL_MS = 60_000

/** As Engine.process, with every question asked. `found` is what the command table has for the first argument. */
export function processClosely(engine: Engine, session: Session, found: CommandEntry | null, argv: Argv): void {
  const { reply } = engine
  const silent = session.has(REPLY_OFF | REPLY_SKIP)
  const mark = silent ? reply.mark() : null
  answer(engine, session, found, argv)
  if (mark !== null && !session.has(REPLY_OFF | REPLY_SKIP)) {
    // CLIENT REPLY ON is answered; what it ends was not silent any more.
  } else if (mark !== null) reply.rollback(mark)
  if (session.has(REPLY_SKIP | REPLY_SKIP_NEXT)) {
    const next = session.has(REPLY_SKIP_NEXT)
    session.clearFlag(REPLY_SKIP | REPLY_SKIP_NEXT)
    if (next) session.setFlag(REPLY_SKIP)
  }
  session.gate = gateOf(session)
}

function answer(engine: Engine, session: Session, found: CommandEntry | null, argv: Argv): void {
  if (found === null && (argv.is(0, 'POST') || argv.is(0, 'HOST:'))) return crossProtocolAttack(engine, session)
  const entry = resolve(found, argv)
  if (entry === null) return refuse(engine, session, null, unknownCommand(found, argv))
  session.lastCommand = entry
  if (entry.arity > 0 ? argv.count !== entry.arity : argv.count < -entry.arity) {
    const text = `ERR wrong number of arguments for '${entry.command.fullName}' command`
    return refuse(engine, session, entry, errorReply(text))
  }
  const { flags } = entry
  if (flags & PROTECTED) {
    const refusal = protectedRefusal(engine, session, found!)
    if (refusal !== null) return refuse(engine, session, entry, refusal)
  }
  if (!session.authenticated && !(flags & NO_AUTH)) return refuse(engine, session, entry, ERR_NOAUTH)
  const inMulti = session.has(IN_MULTI)
  if (inMulti && flags & NO_MULTI) return refuse(engine, session, entry, ERR_NO_MULTI)

  // EXEC answers for all that it will run.
  const isExec = entry.command.fullName === 'exec'
  const effective = isExec ? flags | session.queueFlags : flags
  const obeyed = session.has(FROM_MASTER | LOADER)
  const isWrite = (effective & WRITE) !== 0
  if (engine.gate & GATE_MAXMEMORY && engine.isOverMemory()) {
    const queues = inMulti && !(flags & NOT_QUEUED)
    if (effective & DENYOOM || queues) return refuse(engine, session, entry, ERR_OOM)
  }
  if (engine.gate & GATE_DISK_ERROR && !obeyed && (isWrite || entry.command.fullName === 'ping')) {
    return refuse(engine, session, entry, ERR_MISCONF)
  }
  if (session.has(SUBSCRIBED) && session.protocol === 2 && !(flags & IN_SUBSCRIBED)) {
    const text = `ERR Can't execute '${entry.command.fullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`
    return refuse(engine, session, entry, errorReply(text))
  }
  if (engine.gate & GATE_LOADING && !obeyed) {
    const denied = !(flags & LOADING) || (isExec && (session.queueMissingFlags & LOADING) !== 0)
    if (denied) return refuse(engine, session, entry, ERR_LOADING)
  }
  if (engine.gate & GATE_PAUSED && !session.has(REPLICA) && !obeyed) {
    if (engine.pause.holds((effective & (WRITE | MAY_REPLICATE)) !== 0)) {
      session.postponed = argv.copy()
      engine.pause.postpone(session)
      return
    }
  }
  if (inMulti && !(flags & NOT_QUEUED)) {
    session.queue.push({ entry, argv: argv.copy() })
    session.queueFlags |= flags
    session.queueMissingFlags |= ~flags
    engine.reply.status('QUEUED')
    return
  }
  engine.call(session, entry, argv)
}

/** The subcommand, where there are any. */
export function resolve(found: CommandEntry | null, argv: Argv): CommandEntry | null {
  if (found === null || found.subcommands === null) return found
  if (argv.count === 1) return found
  return found.subcommands.get(argv.latin1(1).toUpperCase()) ?? null
}

function unknownCommand(found: CommandEntry | null, argv: Argv): ErrorReply {
  if (found !== null) {
    return errorReply(
      oneLine(
        `ERR unknown subcommand '${cString(argv, 1, ECHO_BYTES_MAX)}'. Try ${found.command.name.toUpperCase()} HELP.`,
      ),
    )
  }
  let args = ''
  for (let i = 1; i < argv.count && args.length < ECHO_BYTES_MAX; i++) {
    args += `'${cString(argv, i, ECHO_BYTES_MAX - args.length)}' `
  }
  return errorReply(
    oneLine(`ERR unknown command '${cString(argv, 0, ECHO_BYTES_MAX)}', with args beginning with: ${args}`),
  )
}

/** An argument as C's printf would show it: up to its first zero byte. */
function cString(argv: Argv, index: number, bytesMax: number): string {
  const text = argv.latin1(index).slice(0, bytesMax)
  const zero = text.indexOf('\0')
  return zero < 0 ? text : text.slice(0, zero)
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, ' ')
}

/** A command that is refused makes the transaction under way fail; EXEC itself ends it. */
export function refuse(engine: Engine, session: Session, entry: CommandEntry | null, error: ErrorReply): void {
  if (session.has(IN_MULTI)) session.setFlag(DIRTY_EXEC)
  if (entry !== null) entry.rejectedCalls++
  if (entry !== null && entry.command.fullName === 'exec') {
    engine.discardTransaction(session)
    engine.reply.errorText(`EXECABORT Transaction discarded because of: ${error.text}`)
    return
  }
  engine.reply.error(error)
}

function protectedRefusal(engine: Engine, session: Session, entry: CommandEntry): ErrorReply | null {
  const isDebug = entry.command.fullName === 'debug'
  const allowed = isDebug ? engine.settings.debugCommand : engine.settings.moduleCommand
  if (allowed === 'yes' || (allowed === 'local' && isLocal(session)) || session.has(EMBEDDED)) return null
  const name = isDebug ? 'DEBUG' : 'MODULE'
  const option = isDebug ? 'enable-debug-command' : 'enable-module-command'
  return errorReply(
    `ERR ${name} command not allowed. If the ${option} option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.`,
  )
}

/** Over a unix socket or the loopback interface. */
export function isLocal(session: Session): boolean {
  return session.has(UNIX_SOCKET) || /^(127\.|\[?::1\]?:)/.test(session.address)
}

/** Somebody makes a browser send HTTP here: the connection ends without an answer. */
function crossProtocolAttack(engine: Engine, session: Session): void {
  const { nowMs } = engine.clock
  if (nowMs - engine.attackLoggedMs > ATTACK_LOG_INTERVAL_MS) {
    engine.attackLoggedMs = nowMs
    engine.log(
      'warning',
      'Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis instance. Connection aborted.',
    )
  }
  session.setFlag(CLOSE_ASAP)
}

/** The bits that make a session's next command come here again. */
function gateOf(session: Session): number {
  let gate = session.gate & ~(GATE_MULTI | GATE_REPLY | GATE_AUTH)
  if (!session.authenticated) gate |= GATE_AUTH
  if (session.has(IN_MULTI)) gate |= GATE_MULTI
  if (session.has(REPLY_OFF | REPLY_SKIP)) gate |= GATE_REPLY
  return gate
}
