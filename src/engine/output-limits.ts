/**
 * client-output-buffer-limit: how much a client may leave unread before it is closed, by class of client.
 *
 * Held against the limits is what Redis would hold in its list of reply blocks: the first bytes, up to the size of the
 * static reply buffer, are free, and the rest counts in whole blocks.
 */
import { FROM_MASTER, MONITOR, REPLICA, REPLY_BUFFER_BYTES, type Session, SUBSCRIBED } from './session.ts'
import type { EngineSettings, OutputLimit } from './settings.ts'

export type ClientType = 'normal' | 'master' | 'replica' | 'pubsub'

/** Room for data in a reply block, and what a block costs in all. */
const BLOCK_BYTES = 20_464
const BLOCK_COST_BYTES = BLOCK_BYTES + 40
/** A client that has yet to authenticate may leave no more unread than this. */
const UNAUTHENTICATED_BYTES_MAX = 1024
const NO_LIMIT: OutputLimit = { hardBytes: 0, softBytes: 0, softSeconds: 0 }

/** The class of a client, for limits and CLIENT LIST TYPE. Monitors count as normal. */
export function clientType(session: Session): ClientType {
  if (session.has(FROM_MASTER)) return 'master'
  if (session.has(REPLICA) && !session.has(MONITOR)) return 'replica'
  return session.has(SUBSCRIBED) ? 'pubsub' : 'normal'
}

export function outputLimit(session: Session): OutputLimit {
  const type = clientType(session)
  return session.engine.settings.outputLimits[type === 'master' ? 'normal' : type] ?? NO_LIMIT
}

/** Reply blocks that a client's unread output fills. */
export function replyBlocks(session: Session): number {
  const beyond = session.engine.unsentBytes(session) - session.replyBufferBytes
  return beyond > 0 ? Math.ceil(beyond / BLOCK_BYTES) : 0
}

export function replyBlocksBytes(blocks: number): number {
  return blocks * BLOCK_COST_BYTES
}

/** Whether a client must be closed. Remembers since when it is above its soft limit. */
export function isOverOutputLimit(session: Session): boolean {
  const { engine } = session
  const usedBytes = replyBlocksBytes(replyBlocks(session))
  if (usedBytes > UNAUTHENTICATED_BYTES_MAX && engine.needsAuth(session)) return true
  return isAboveOutputLimit(session, outputLimit(session), usedBytes)
}

/** Whether a client holds more than a limit allows. Remembers since when it is above its soft limit. */
export function isAboveOutputLimit(session: Session, limit: OutputLimit, usedBytes: number): boolean {
  const { engine } = session
  if (limit.hardBytes > 0 && usedBytes >= limit.hardBytes) return true
  if (limit.softBytes === 0 || usedBytes < limit.softBytes) {
    session.softLimitSinceUs = -1
    return false
  }
  const nowUs = engine.clock.monotonicUs
  if (session.softLimitSinceUs < 0) session.softLimitSinceUs = nowUs
  return wholeSeconds(nowUs) - wholeSeconds(session.softLimitSinceUs) > limit.softSeconds
}

/** From how many pending replies on a client may be above a limit at all; above it they are sent on or the client is closed. */
export function replyCheckBytes(settings: EngineSettings, flushBytes: number): number {
  const { normal, pubsub } = settings.outputLimits
  const limits = [normal.hardBytes, normal.softBytes, pubsub.hardBytes, pubsub.softBytes].filter((bytes) => bytes > 0)
  const smallest = Math.min(...limits, flushBytes)
  return settings.password !== '' || smallest < flushBytes ? Math.min(smallest, REPLY_BUFFER_BYTES) : flushBytes
}

function wholeSeconds(us: number): number {
  return Math.floor(us / 1e6)
}
