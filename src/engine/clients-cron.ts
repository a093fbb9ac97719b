/**
 * What has to be done for clients now and then: close those that are idle or above a soft output limit, give back the
 * memory of buffers. The server's cron calls `tick` hz times a second; each client has its turn about once a second.
 */
import { IDLE_SECONDS_MAX, idleSeconds } from './client-info.ts'
import type { Engine } from './engine.ts'
import { isOverOutputLimit } from './output-limits.ts'
import {
  BLOCKED,
  EMBEDDED,
  FROM_MASTER,
  LOADER,
  MONITOR,
  REPLICA,
  REPLY_BUFFER_BYTES,
  type Session,
  SUBSCRIBED,
} from './session.ts'

/** Clients looked at in one tick, at least (CLIENTS_CRON_MIN_ITERATIONS). */
const CLIENTS_PER_TICK_MIN = 5
/** Buffers with less free room than this are left as they are. */
const FREE_BYTES_MAX = 4096
/** Query buffers up to this size are not made smaller while the client is active (PROTO_RESIZE_THRESHOLD). */
const QUERY_BUFFER_BYTES_MIN = 32 * 1024
/** The smallest reply buffer (PROTO_REPLY_MIN_BYTES). */
const REPLY_BUFFER_BYTES_MIN = 1024
/** Who is never idle. */
const NOT_TIMED = REPLICA | MONITOR | FROM_MASTER | LOADER | BLOCKED | SUBSCRIBED | EMBEDDED

export class ClientsCron {
  private readonly engine: Engine
  /** Where the round stands: a Map's iterator goes on past clients that leave. */
  private round: IterableIterator<Session>

  constructor(engine: Engine) {
    this.engine = engine
    this.round = engine.sessions.values()
  }

  tick(): void {
    const { sessions, settings } = this.engine
    const share = Math.max(Math.floor(sessions.size / settings.hz), CLIENTS_PER_TICK_MIN)
    for (let left = Math.min(share, sessions.size); left > 0; left--) {
      const session = this.next()
      if (session === null) return
      this.look(session)
    }
  }

  private next(): Session | null {
    let turn = this.round.next()
    if (turn.done === true) {
      this.round = this.engine.sessions.values()
      turn = this.round.next()
    }
    return turn.done === true ? null : turn.value
  }

  private look(session: Session): void {
    this.noteReading(session)
    if (this.closeIdle(session)) return
    releaseInput(session)
    this.resizeReplyBuffer(session)
    this.closeOverLimit(session)
  }

  /** Who reads a long reply is not idle, though it asks for nothing meanwhile. */
  private noteReading(session: Session): void {
    const { sink } = session
    if (sink === null) return
    const bytes = sink.queuedBytes === 0 ? 0 : (sink.untakenBytes ?? sink.queuedBytes)
    if (bytes < session.untakenBytesSeen) session.lastInteractionMs = this.engine.clock.nowMs
    session.untakenBytesSeen = bytes
  }

  private closeIdle(session: Session): boolean {
    const { engine } = this
    const { idleSecondsMax } = engine.settings
    if (idleSecondsMax === 0 || session.sink === null || session.has(NOT_TIMED)) return false
    if (idleSeconds(session) <= idleSecondsMax) return false
    engine.log('verbose', 'Closing idle client')
    engine.close(session, true)
    return true
  }

  /**
   * All clients write through one buffer here. What `rbs` and `rbp` show is how large each client's own buffer would be
   * in Redis, from the client's real output: it doubles when it was full, halves when less than half was used.
   */
  private resizeReplyBuffer(session: Session): void {
    const { settings, statistics, clock } = this.engine
    if (!settings.replyBufferResizing) return
    const { replyBufferBytes, replyPeakBytes } = session
    let resizedBytes = 0
    if (replyBufferBytes / 2 >= REPLY_BUFFER_BYTES_MIN && replyPeakBytes < replyBufferBytes / 2) {
      resizedBytes = allocatedBytes(Math.max(REPLY_BUFFER_BYTES_MIN, replyPeakBytes + 1))
      statistics.replyBufferShrinks++
    } else if (replyBufferBytes < REPLY_BUFFER_BYTES && replyPeakBytes === replyBufferBytes) {
      resizedBytes = Math.min(REPLY_BUFFER_BYTES, replyBufferBytes * 2)
      statistics.replyBufferExpands++
    }
    const { replyBufferPeakResetMs } = settings
    if (replyBufferPeakResetMs >= 0 && clock.nowMs - session.replyPeakSinceMs >= replyBufferPeakResetMs) {
      session.replyPeakBytes = Math.min(this.engine.unsentBytes(session), replyBufferBytes)
      session.replyPeakSinceMs = clock.nowMs
    }
    if (resizedBytes > 0) session.replyBufferBytes = resizedBytes
  }

  /** A soft limit is about time: it may be passed without a further byte. */
  private closeOverLimit(session: Session): void {
    const { engine } = this
    if (session.sink === null || session.sink.queuedBytes === 0 || !isOverOutputLimit(session)) return
    engine.closeOverOutputLimit(session, 'closed')
  }
}

function releaseInput(session: Session): void {
  const { inbox, spareInbox, inputPeakBytes } = session
  session.inputPeakBytes = inbox === null ? 0 : Math.max(inbox.unreadBytes, inbox.parser.wantedBytes)
  const held = inbox ?? spareInbox
  if (held === null) return
  const capacity = held.bytes.length
  const isIdle = idleSeconds(session) > IDLE_SECONDS_MAX
  const isTooLarge =
    capacity > QUERY_BUFFER_BYTES_MIN && capacity / 2 > Math.max(inputPeakBytes, held.parser.wantedBytes)
  if (!isIdle && !isTooLarge) return
  if (inbox === null) session.spareInbox = null
  else if (capacity - inbox.unreadBytes > FREE_BYTES_MAX) {
    inbox.shrink(isIdle ? 0 : Math.max(inputPeakBytes, inbox.parser.wantedBytes) - inbox.unreadBytes)
  }
}

/** The size of block that an allocator with four size classes per doubling gives. */
function allocatedBytes(bytes: number): number {
  const step = 2 ** Math.floor(Math.log2(bytes - 1)) / 4
  return Math.ceil(bytes / step) * step
}
