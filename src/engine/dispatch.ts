/**
 * The questions before a command, in Redis's order, for requests that cannot go straight to their handler: unknown
 * names, wrong argument counts, subcommands, authentication, transactions, subscribed clients, loading, pauses, memory.
 * The order is what clients see when several answers would be right.
 */
import type { Argv } from '../base/argv.ts'
import { ERR_LOADING, ERR_NO_MULTI, ERR_NOAUTH, ERR_OOM, type ErrorReply, errorReply } from '../resp/errors.ts'
import type { CommandEntry } from './command-table.ts'
import type { Engine } from './engine.ts'
import { EVICT_FAIL } from './eviction.ts'
import {
  DENYOOM,
  IN_SUBSCRIBED,
  LOADING,
  MAY_REPLICATE,
  NO_ASYNC_LOADING,
  NO_AUTH,
  NO_MULTI,
  NOT_QUEUED,
  PROTECTED,
  READONLY,
  WRITE,
} from './flags.ts'
import {
  GATE_AUTH,
  GATE_DISK_ERROR,
  GATE_LOADING,
  GATE_MAXMEMORY,
  GATE_MULTI,
  GATE_PAUSED,
  GATE_REPLICA,
  GATE_REPLICATION,
  GATE_REPLY,
} from './gates.ts'
import { feedMonitors } from './monitor.ts'
import {
  BLOCKED,
  CLOSE_ASAP,
  DIRTY_CAS,
  DIRTY_EXEC,
  EMBEDDED,
  FROM_MASTER,
  IN_MULTI,
  LOADER,
  MONITOR,
  REPLICA,
  REPLY_OFF,
  REPLY_SKIP,
  REPLY_SKIP_NEXT,
  type Session,
  SUBSCRIBED,
  UNIX_SOCKET,
} from './session.ts'
import { ECHO_BYTES_MAX, echoText } from './subcommand-error.ts'

const ATTACK_LOG_INTERVAL_MS = 60_000
const ERR_REPLICA_KEYSPACE = errorReply("ERR Replica can't interact with the keyspace")
/** What a transaction can end with; not MULTI and WATCH, though they are not queued either. */
const ENDS_MULTI: ReadonlySet<string> = new Set(['exec', 'discard', 'quit', 'reset'])

/** As Engine.process, with every question asked. `found` is what the command table has for the first argument. */
export function processClosely(engine: Engine, session: Session, found: CommandEntry | null, argv: Argv): void {
  if (session.has(REPLY_OFF | REPLY_SKIP)) engine.mute()
  answer(engine, session, found, argv)
  engine.unmute()
  requestOver(session)
  session.gate = gateOf(session)
}

/** A request has had its turn, be it an empty one: what CLIENT REPLY SKIP is about moves on. */
export function requestOver(session: Session): void {
  // A command that waits has its reply still to come, or to be skipped.
  if (!session.has(REPLY_SKIP | REPLY_SKIP_NEXT) || session.has(BLOCKED)) return
  const next = session.has(REPLY_SKIP_NEXT)
  session.clearFlag(REPLY_SKIP | REPLY_SKIP_NEXT)
  if (next) session.setFlag(REPLY_SKIP)
}

function answer(engine: Engine, session: Session, found: CommandEntry | null, argv: Argv): void {
  if (found === null && (argv.is(0, 'POST') || argv.is(0, 'HOST:'))) return crossProtocolAttack(engine, session)
  const entry = resolve(found, argv)
  session.lastCommand = entry
  if (entry === null) return refuse(engine, session, null, argv, unknownCommand(found, argv))
  const refusal = refusalOf(engine, session, found!, entry, argv)
  if (refusal !== null) return refuse(engine, session, entry, argv, refusal)
  if (engine.gate & GATE_PAUSED && !session.has(REPLICA | MONITOR | LOADER)) {
    if (engine.pause.holds((effectiveFlags(session, entry) & (WRITE | MAY_REPLICATE)) !== 0)) {
      session.postponed = argv.copy()
      engine.pause.postpone(session)
      return
    }
  }
  if (session.has(IN_MULTI) && !(entry.flags & NOT_QUEUED)) queue(engine, session, entry, argv)
  else engine.call(session, entry, argv)
}

/** Why a command may not run, the first reason there is; null if it may. */
function refusalOf(
  engine: Engine,
  session: Session,
  found: CommandEntry,
  entry: CommandEntry,
  argv: Argv,
): ErrorReply | null {
  const { flags, arity } = entry
  const { fullName } = entry.command
  if (arity > 0 ? argv.count !== arity : argv.count < -arity) {
    return errorReply(`ERR wrong number of arguments for '${fullName}' command`)
  }
  if (flags & PROTECTED) {
    const refusal = protectedRefusal(engine, session, found)
    if (refusal !== null) return refusal
  }
  if (engine.needsAuth(session) && !(flags & NO_AUTH)) return ERR_NOAUTH
  const inMulti = session.has(IN_MULTI)
  if (inMulti && flags & NO_MULTI) return ERR_NO_MULTI

  const effective = effectiveFlags(session, entry)
  const isObeyed = session.has(FROM_MASTER | LOADER)
  if (engine.gate & GATE_MAXMEMORY && engine.eviction.perform() === EVICT_FAIL) {
    // A queue may grow without end, so nothing joins it; what ends it passes.
    if (effective & DENYOOM || (inMulti && !ENDS_MULTI.has(fullName))) return ERR_OOM
  }
  const { replication } = engine
  if (engine.gate & GATE_DISK_ERROR && (effective & WRITE || fullName === 'ping')) {
    if (!isObeyed) return engine.diskError
    if (session.has(FROM_MASTER)) replication?.diskFailed((effective & WRITE) !== 0)
  }
  if (replication !== null && effective & WRITE) {
    const refusal = replication.writeRefusal(session, effective)
    if (refusal !== null) return refusal
  }
  if (session.has(SUBSCRIBED) && session.protocol === 2 && !(flags & IN_SUBSCRIBED)) {
    return errorReply(
      `ERR Can't execute '${fullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
    )
  }
  if (engine.gate & GATE_REPLICATION && !isObeyed) {
    const missing = fullName === 'exec' ? session.queueMissingFlags | ~flags : ~flags
    const refusal = replication!.staleRefusal(missing)
    if (refusal !== null) return refusal
  }
  if (engine.isAsyncLoading && effective & NO_ASYNC_LOADING && !isObeyed) return ERR_LOADING
  if (engine.gate & GATE_LOADING && !isObeyed) {
    if (!(flags & LOADING) || (fullName === 'exec' && (session.queueMissingFlags & LOADING) !== 0)) return ERR_LOADING
  }
  if (session.has(REPLICA | MONITOR) && effective & (READONLY | WRITE | MAY_REPLICATE)) return ERR_REPLICA_KEYSPACE
  return null
}

/** EXEC answers for all that it will run. */
function effectiveFlags(session: Session, entry: CommandEntry): number {
  return entry.command.fullName === 'exec' ? entry.flags | session.queueFlags : entry.flags
}

function queue(engine: Engine, session: Session, entry: CommandEntry, argv: Argv): void {
  // A transaction that will fail anyway need not be kept.
  if (!session.has(DIRTY_CAS | DIRTY_EXEC)) {
    session.queue.push(entry, argv)
    session.queueFlags |= entry.flags
    session.queueMissingFlags |= ~entry.flags
  }
  engine.reply.status('QUEUED')
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
      oneLine(`ERR unknown subcommand '${echoText(argv, 1)}'. Try ${found.command.name.toUpperCase()} HELP.`),
    )
  }
  let args = ''
  for (let i = 1; i < argv.count && args.length < ECHO_BYTES_MAX; i++) {
    args += `'${echoText(argv, i, ECHO_BYTES_MAX - args.length)}' `
  }
  return errorReply(oneLine(`ERR unknown command '${echoText(argv, 0)}', with args beginning with: ${args}`))
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, ' ')
}

/** A command that is refused makes the transaction under way fail; EXEC itself ends it. */
function refuse(engine: Engine, session: Session, entry: CommandEntry | null, argv: Argv, error: ErrorReply): void {
  if (session.has(IN_MULTI)) session.setFlag(DIRTY_EXEC)
  if (entry !== null) entry.rejectedCalls++
  if (entry?.command.fullName !== 'exec') {
    engine.reply.error(error)
    return
  }
  engine.discardTransaction(session)
  engine.reply.errorText(`EXECABORT Transaction discarded because of: ${error.text.replace(/^ERR /, '')}`)
  // Monitors have seen MULTI: they are shown that it is over.
  if (engine.monitors.size !== 0) feedMonitors(engine, session, entry, argv)
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
export function gateOf(session: Session): number {
  let gate = session.gate & ~(GATE_MULTI | GATE_REPLY | GATE_AUTH | GATE_REPLICA)
  if (session.engine.needsAuth(session)) gate |= GATE_AUTH
  if (session.has(IN_MULTI)) gate |= GATE_MULTI
  if (session.has(REPLY_OFF | REPLY_SKIP)) gate |= GATE_REPLY
  if (session.has(REPLICA | MONITOR)) gate |= GATE_REPLICA
  return gate
}
