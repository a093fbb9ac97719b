/**
 * SUBSCRIBE, UNSUBSCRIBE, PSUBSCRIBE, PUNSUBSCRIBE, SSUBSCRIBE, SUNSUBSCRIBE: one message for each channel, with the
 * number of subscriptions after it. These are messages, not replies: CLIENT REPLY does not drop them.
 * Source: Redis command reference, SUBSCRIBE (since 2.0.0), SSUBSCRIBE (since 7.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { type Command, defineCommand, KEY_NOT_KEY, type KeySpec } from '../../engine/command.ts'
import { IN_SUBSCRIBED, LOADING, NOSCRIPT, PUBSUB, SENTINEL, STALE } from '../../engine/flags.ts'
import { type SubscriptionKind, subscriptionCount, subscriptionsOf } from '../../engine/pubsub.ts'
import { DENY_BLOCKING, IN_MULTI, type Session } from '../../engine/session.ts'

const FLAGS = PUBSUB | NOSCRIPT | LOADING | STALE | IN_SUBSCRIBED

/** Shard channels are routed like keys. */
const SHARD_CHANNELS: readonly KeySpec[] = [
  {
    flags: KEY_NOT_KEY,
    begin: { kind: 'index', index: 1 },
    find: { kind: 'range', lastKey: -1, step: 1, limit: 0 },
  },
]

interface Kind {
  readonly kind: SubscriptionKind
  /** In front of the names of commands and messages. */
  readonly prefix: '' | 'P' | 'S'
  readonly what: string
  readonly since: string
}

const CHANNEL: Kind = { kind: 'channel', prefix: '', what: 'channels', since: '2.0.0' }
const PATTERN: Kind = { kind: 'pattern', prefix: 'P', what: 'all channels that match a pattern', since: '2.0.0' }
const SHARD: Kind = { kind: 'shard', prefix: 'S', what: 'shard channels', since: '7.0.0' }

export const subscribe = subscribeCommand(CHANNEL)
export const unsubscribe = unsubscribeCommand(CHANNEL)
export const psubscribe = subscribeCommand(PATTERN)
export const punsubscribe = unsubscribeCommand(PATTERN)
export const ssubscribe = subscribeCommand(SHARD)
export const sunsubscribe = unsubscribeCommand(SHARD)

function subscribeCommand({ kind, prefix, what, since }: Kind): Command {
  const name = `${prefix}SUBSCRIBE`
  const event = Buffer.from(name.toLowerCase())
  return defineCommand({
    name,
    arity: -2,
    flags: kind === 'shard' ? FLAGS : FLAGS | SENTINEL,
    keys: kind === 'shard' ? SHARD_CHANNELS : [],
    doc: { group: 'pubsub', since, complexity: 'O(N) for N names', summary: `Listens to ${what}.` },
    run(ctx, argv, reply) {
      // Of clients that must be answered at once only transactions may subscribe, and only to plain channels.
      if (ctx.has(DENY_BLOCKING) && (kind === 'shard' || !ctx.has(IN_MULTI))) {
        return reply.errorText(`ERR ${name} isn't allowed for a DENY BLOCKING client`)
      }
      for (let i = 1; i < argv.count; i++) {
        ctx.engine.pubsub.subscribe(ctx, kind, argv.latin1(i))
        announce(ctx, kind, event, argv, i)
      }
    },
  })
}

function unsubscribeCommand({ kind, prefix, what, since }: Kind): Command {
  const name = `${prefix}UNSUBSCRIBE`
  const event = Buffer.from(name.toLowerCase())
  return defineCommand({
    name,
    arity: -1,
    flags: kind === 'shard' ? FLAGS : FLAGS | SENTINEL,
    keys: kind === 'shard' ? SHARD_CHANNELS : [],
    doc: { group: 'pubsub', since, complexity: 'O(N) for N names', summary: `Stops listening to ${what}.` },
    run(ctx, argv) {
      const { pubsub } = ctx.engine
      for (let i = 1; i < argv.count; i++) {
        pubsub.unsubscribe(ctx, kind, argv.latin1(i))
        announce(ctx, kind, event, argv, i)
      }
      if (argv.count > 1) return
      const names = [...subscriptionsOf(ctx, kind)]
      for (const own of names) {
        pubsub.unsubscribe(ctx, kind, own)
        announceName(ctx, kind, event, own)
      }
      // Also who listened to nothing gets a message.
      if (names.length === 0) announceName(ctx, kind, event, null)
    },
  })
}

function announce(ctx: Session, kind: SubscriptionKind, event: Uint8Array, argv: Argv, index: number): void {
  ctx.engine.send(ctx, (out) => {
    out.push(3)
    out.bulkBytes(event)
    out.bulk(argv.bytes, argv.starts[index]!, argv.lengths[index]!)
    out.integer(subscriptionCount(ctx, kind))
  })
}

function announceName(ctx: Session, kind: SubscriptionKind, event: Uint8Array, name: string | null): void {
  ctx.engine.send(ctx, (out) => {
    out.push(3)
    out.bulkBytes(event)
    if (name === null) out.null()
    else out.bulkLatin1(name)
    out.integer(subscriptionCount(ctx, kind))
  })
}
