/**
 * What a client costs in memory outside the arenas, as CLIENT LIST, INFO and MEMORY STATS report it.
 */
import type { Argv } from '../base/argv.ts'
import type { Session } from './session.ts'

/** A session with its connection, without buffers (measured on Node 20: 950 and 400 bytes of heap). */
export const SESSION_BYTES = 1350
/** An element of a Set or Map with a short string (measured likewise). */
const NAME_BYTES = 64
/** An Argv that holds a request that waits, beside its bytes: two typed arrays of 64 numbers and their objects. */
const ARGV_BYTES = 900

/** Input that was received and not executed, with the room around it. */
export function inputMemory(session: Session): number {
  const { postponed } = session
  const inbox = session.inbox ?? session.spareInbox
  return (inbox === null ? 0 : inbox.bytes.length) + (postponed === null ? 0 : argvMemory(postponed))
}

/** Replies that the network has not taken yet. */
export function outputMemory(session: Session): number {
  return session.outboxBytes + (session.sink === null ? 0 : session.sink.queuedBytes)
}

/** Commands queued by MULTI, and watched keys. */
export function transactionMemory(session: Session): number {
  return session.queue.heldBytes + session.watched.length * NAME_BYTES
}

export function sessionMemory(session: Session): number {
  const names = session.channels.size + session.patterns.size + session.shardChannels.size
  return (
    SESSION_BYTES +
    session.name.length +
    names * NAME_BYTES +
    inputMemory(session) +
    outputMemory(session) +
    transactionMemory(session)
  )
}

function argvMemory(argv: Argv): number {
  return ARGV_BYTES + argv.bytes.length
}
