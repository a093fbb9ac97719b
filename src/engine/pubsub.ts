/**
 * Channels, patterns and shard channels, and who listens to them. Names are kept as Latin-1 strings, one character per byte.
 */
import { globMatch } from '../base/glob.ts'
import type { Db } from '../keyspace/db.ts'
import type { ReplyWriter } from '../resp/reply-writer.ts'
import type { Engine } from './engine.ts'
import { GATE_SUBSCRIBED } from './gates.ts'
import { NOTIFY_KEYEVENT, NOTIFY_KEYSPACE } from './notifications.ts'
import { type Session, SUBSCRIBED } from './session.ts'

export type SubscriptionKind = 'channel' | 'pattern' | 'shard'

export class PubSub {
  readonly channels = new Map<string, Set<Session>>()
  readonly patterns = new Map<string, Set<Session>>()
  readonly shardChannels = new Map<string, Set<Session>>()
  private readonly patternBytes = new Map<string, Uint8Array>()

  /** Nobody listens to channels, directly or by pattern. */
  get isDeaf(): boolean {
    return this.channels.size === 0 && this.patterns.size === 0
  }

  /** Returns false if the session had that subscription already. */
  subscribe(session: Session, kind: SubscriptionKind, name: string): boolean {
    const own = subscriptionsOf(session, kind)
    if (own.has(name)) return false
    own.add(name)
    const all = this.listeners(kind)
    let sessions = all.get(name)
    if (sessions === undefined) {
      all.set(name, (sessions = new Set()))
      if (kind === 'pattern') this.patternBytes.set(name, Buffer.from(name, 'latin1'))
    }
    sessions.add(session)
    updateState(session)
    return true
  }

  unsubscribe(session: Session, kind: SubscriptionKind, name: string): boolean {
    if (!subscriptionsOf(session, kind).delete(name)) return false
    const all = this.listeners(kind)
    const sessions = all.get(name)!
    sessions.delete(session)
    if (sessions.size === 0) {
      all.delete(name)
      if (kind === 'pattern') this.patternBytes.delete(name)
    }
    updateState(session)
    return true
  }

  removeSession(session: Session): void {
    for (const kind of ['channel', 'pattern', 'shard'] as const) {
      for (const name of [...subscriptionsOf(session, kind)]) this.unsubscribe(session, kind, name)
    }
  }

  /** Sends a message to all who listen; returns how many. The bytes stay as they are. */
  publish(engine: Engine, channel: Uint8Array, message: Uint8Array): number {
    if (this.isDeaf) return 0
    let receivers = 0
    const direct = this.channels.get(Buffer.from(channel).toString('latin1'))
    if (direct !== undefined) receivers += broadcast(engine, direct, [MESSAGE, channel, message])
    for (const [name, sessions] of this.patterns) {
      const pattern = this.patternBytes.get(name)!
      if (!globMatch(pattern, 0, pattern.length, channel, 0, channel.length, false)) continue
      receivers += broadcast(engine, sessions, [PMESSAGE, pattern, channel, message])
    }
    return receivers
  }

  publishToShard(engine: Engine, channel: Uint8Array, message: Uint8Array): number {
    const sessions = this.shardChannels.get(Buffer.from(channel).toString('latin1'))
    return sessions === undefined ? 0 : broadcast(engine, sessions, [SMESSAGE, channel, message])
  }

  private listeners(kind: SubscriptionKind): Map<string, Set<Session>> {
    return kind === 'channel' ? this.channels : kind === 'pattern' ? this.patterns : this.shardChannels
  }
}

const MESSAGE = Buffer.from('message')
const PMESSAGE = Buffer.from('pmessage')
const SMESSAGE = Buffer.from('smessage')

export function subscriptionsOf(session: Session, kind: SubscriptionKind): Set<string> {
  return kind === 'channel' ? session.channels : kind === 'pattern' ? session.patterns : session.shardChannels
}

/** What counts in (un)subscribe replies: channels and patterns together, shard channels on their own. */
export function subscriptionCount(session: Session, kind: SubscriptionKind): number {
  return kind === 'shard' ? session.shardChannels.size : session.channels.size + session.patterns.size
}

/** Keyspace events travel as messages, so they cost nothing beyond a publish. */
export function publishKeyEvent(
  engine: Engine,
  _eventClass: number,
  event: string,
  db: Db,
  bytes: Uint8Array,
  start: number,
  length: number,
): void {
  if (engine.pubsub.isDeaf) return
  const { notifyFlags } = engine.settings
  const key = bytes.slice(start, start + length)
  const eventBytes = Buffer.from(event, 'latin1')
  if (notifyFlags & NOTIFY_KEYSPACE) {
    engine.pubsub.publish(engine, Buffer.concat([Buffer.from(`__keyspace@${db.index}__:`), key]), eventBytes)
  }
  if (notifyFlags & NOTIFY_KEYEVENT) {
    engine.pubsub.publish(engine, Buffer.from(`__keyevent@${db.index}__:${event}`), key)
  }
}

function updateState(session: Session): void {
  const subscribed = session.channels.size + session.patterns.size + session.shardChannels.size > 0
  if (subscribed) {
    session.flags |= SUBSCRIBED
    session.gate |= GATE_SUBSCRIBED
  } else {
    session.flags &= ~SUBSCRIBED
    session.gate &= ~GATE_SUBSCRIBED
  }
}

/** One encoding per protocol version serves all receivers. */
function broadcast(engine: Engine, sessions: Set<Session>, parts: readonly Uint8Array[]): number {
  const encoded: (Uint8Array | undefined)[] = []
  const write = (reply: ReplyWriter): void => {
    reply.push(parts.length)
    for (const part of parts) reply.bulkBytes(part)
  }
  for (const session of sessions) {
    const bytes = (encoded[session.protocol] ??= engine.encode(session.protocol, write))
    engine.enqueue(session, bytes)
  }
  return sessions.size
}
