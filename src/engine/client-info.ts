/**
 * A client as one line of text: CLIENT LIST, CLIENT INFO, and log lines about clients.
 *
 * Names, order and meaning of the fields are Redis's. Memory is told in its terms, so that tools and people can compare:
 * a query buffer of 16 KiB while a client is active, a reply buffer that adapts to its use, lists of reply blocks.
 */
import type { Argv } from '../base/argv.ts'
import { clientType, replyBlocks, replyBlocksBytes } from './output-limits.ts'
import { NO_OUTPUT } from './replication-seam.ts'
import {
  BLOCKED,
  CLOSE_AFTER_REPLY,
  CLOSE_ASAP,
  DIRTY_CAS,
  FROM_MASTER,
  IN_MULTI,
  MONITOR,
  NO_EVICT,
  REPLICA,
  RESUMES,
  type Session,
  SUBSCRIBED,
  UNIX_SOCKET,
} from './session.ts'

/** In Redis an active client has a query buffer of this size, without its header of 6 bytes. */
const QUERY_BUFFER_BYTES = 20_474
const QUERY_HEADER_BYTES = 6
const EMPTY_QUERY_BYTES = 8
/** Once a client has been idle for longer its buffers go. */
export const IDLE_SECONDS_MAX = 2
/** What Redis needs for a client itself, for an argument, a queued command, a watched key, a pattern, a channel. */
const CLIENT_BYTES = 768
const ARGUMENT_BYTES = 8
const QUEUED_COMMAND_BYTES = 24
const WATCHED_KEY_BYTES = 56
const EXEC_BYTES = 4
const PATTERN_BYTES = 24
const CHANNEL_BYTES = 24
const CHANNEL_SLOT_BYTES = 8
const CHANNEL_SLOTS_MIN = 4

const FLAG_LETTERS: readonly (readonly [flag: number, letter: string])[] = [
  [FROM_MASTER, 'M'],
  [SUBSCRIBED, 'P'],
  [IN_MULTI, 'x'],
  [BLOCKED, 'b'],
  [DIRTY_CAS, 'd'],
  [CLOSE_AFTER_REPLY, 'c'],
  [RESUMES, 'u'],
  [CLOSE_ASAP, 'A'],
  [UNIX_SOCKET, 'U'],
  [NO_EVICT, 'e'],
]

/** `running`: the arguments of the command that the client has under way. */
export function clientInfo(session: Session, running: Argv | null = null): string {
  const { engine } = session
  const { nowMs } = engine.clock
  const queryBytes = engine.unreadBytes(session)
  const queryFreeBytes = Math.max(0, queryBufferBytes(session) - queryBytes)
  const args = running ?? session.postponed ?? session.waitArgv ?? unfinishedArgs(session)
  // Within EXEC the arguments are those of the queue; what is under way is EXEC alone.
  const argvBytes = args === null ? 0 : running !== null && engine.isNested ? EXEC_BYTES : args.totalBytes()
  const { queue } = session
  const multiBytes = queue.argumentBytes + queue.arguments * ARGUMENT_BYTES
  const unsentBytes = engine.unsentBytes(session)
  // A replica has no replies: its output is its part of the stream.
  const isReplica = clientType(session) === 'replica'
  const stream = isReplica ? (engine.replication?.outputOf(session) ?? NO_OUTPUT) : NO_OUTPUT
  const blocks = isReplica ? stream.blocks : replyBlocks(session)
  const blocksBytes = isReplica ? stream.bytes : replyBlocksBytes(blocks)
  const totalBytes =
    CLIENT_BYTES +
    (queryBytes + queryFreeBytes === 0 ? EMPTY_QUERY_BYTES : queryBytes + queryFreeBytes + QUERY_HEADER_BYTES) +
    session.replyBufferBytes +
    blocksBytes +
    argvBytes +
    (args === null ? 0 : args.count * ARGUMENT_BYTES) +
    multiBytes +
    queueSlots(queue.length) * QUEUED_COMMAND_BYTES +
    session.watched.length * WATCHED_KEY_BYTES +
    session.patterns.size * PATTERN_BYTES +
    channelsBytes(session.channels.size) +
    channelsBytes(session.shardChannels.size)
  const fields = [
    `id=${session.id}`,
    `addr=${session.address}`,
    `laddr=${session.localAddress}`,
    `fd=${session.fd}`,
    `name=${session.name}`,
    `age=${seconds(nowMs) - seconds(session.createdMs)}`,
    `idle=${idleSeconds(session)}`,
    `flags=${flagLetters(session)}`,
    `db=${session.db.index}`,
    `sub=${session.channels.size}`,
    `psub=${session.patterns.size}`,
    `ssub=${session.shardChannels.size}`,
    `multi=${session.has(IN_MULTI) ? queue.length : -1}`,
    `qbuf=${queryBytes}`,
    `qbuf-free=${queryFreeBytes}`,
    `argv-mem=${argvBytes}`,
    `multi-mem=${multiBytes}`,
    `rbs=${session.replyBufferBytes}`,
    `rbp=${session.replyPeakBytes}`,
    `obl=${isReplica ? 0 : Math.min(unsentBytes, session.replyBufferBytes)}`,
    `oll=${blocks}`,
    `omem=${blocksBytes}`,
    `tot-mem=${totalBytes}`,
    `events=${session.sink === null ? '' : session.sink.queuedBytes > 0 ? 'rw' : 'r'}`,
    `cmd=${session.lastCommand === null ? 'NULL' : session.lastCommand.command.fullName}`,
    `user=${session.user}`,
    'redir=-1',
    `resp=${session.protocol}`,
  ]
  return fields.join(' ')
}

export function idleSeconds(session: Session): number {
  return seconds(session.engine.clock.nowMs) - seconds(session.lastInteractionMs)
}

/** The size of a client's query buffer: what is held for it, at least its share of reading while it is active. */
export function queryBufferBytes(session: Session): number {
  const inbox = session.inbox ?? session.spareInbox
  const heldBytes = inbox === null ? 0 : inbox.bytes.length
  const isActive = (session.lastCommand !== null || inbox !== null) && idleSeconds(session) <= IDLE_SECONDS_MAX
  return isActive ? Math.max(heldBytes, QUERY_BUFFER_BYTES) : heldBytes
}

function flagLetters(session: Session): string {
  let letters = session.has(MONITOR) ? 'O' : session.has(REPLICA) ? 'S' : ''
  for (const [flag, letter] of FLAG_LETTERS) if (session.has(flag)) letters += letter
  return letters === '' ? 'N' : letters
}

/** Arguments of a request that has not come in whole. */
function unfinishedArgs(session: Session): Argv | null {
  const { inbox } = session
  return inbox === null || inbox.parser.isIdle ? null : inbox.parser.argv
}

/** Places that the queue of a transaction has: 2, and twice as many whenever it is full. */
function queueSlots(commands: number): number {
  let slots = commands === 0 ? 0 : 2
  while (slots < commands) slots *= 2
  return slots
}

function channelsBytes(channels: number): number {
  if (channels === 0) return 0
  let slots = CHANNEL_SLOTS_MIN
  while (slots < channels) slots *= 2
  return channels * CHANNEL_BYTES + slots * CHANNEL_SLOT_BYTES
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
