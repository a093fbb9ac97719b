/**
 * TTL, PTTL, EXPIRETIME, PEXPIRETIME: how long a key has to live, or until when. Reply: -2 without such a key, -1 for one
 * that stays. Seconds are rounded to the nearest.
 * Source: Redis command reference (since 1.0.0, 2.6.0, 7.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { type CommandDefinition, defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { FAST, READONLY } from '../../engine/flags.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY } from '../../keyspace/entry.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const COMMON = {
  arity: 2,
  flags: READONLY | FAST,
  acl: ['keyspace'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
} satisfies Partial<CommandDefinition>

export const ttl = defineCommand({
  ...COMMON,
  name: 'TTL',
  doc: {
    group: 'generic',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Returns how many seconds a key has to live.',
  },
  run: (ctx, argv, reply) => replyTime(ctx, argv, true, true, reply),
})

export const pttl = defineCommand({
  ...COMMON,
  name: 'PTTL',
  doc: {
    group: 'generic',
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'Returns how many milliseconds a key has to live.',
  },
  run: (ctx, argv, reply) => replyTime(ctx, argv, true, false, reply),
})

export const expiretime = defineCommand({
  ...COMMON,
  name: 'EXPIRETIME',
  doc: {
    group: 'generic',
    since: '7.0.0',
    complexity: 'O(1)',
    summary: 'Returns the Unix time, in seconds, at which a key expires.',
  },
  run: (ctx, argv, reply) => replyTime(ctx, argv, false, true, reply),
})

export const pexpiretime = defineCommand({
  ...COMMON,
  name: 'PEXPIRETIME',
  doc: {
    group: 'generic',
    since: '7.0.0',
    complexity: 'O(1)',
    summary: 'Returns the Unix time, in milliseconds, at which a key expires.',
  },
  run: (ctx, argv, reply) => replyTime(ctx, argv, false, false, reply),
})

function replyTime(ctx: Session, argv: Argv, isRelative: boolean, inSeconds: boolean, reply: ReplyWriter): void {
  const { db } = ctx
  const entry = db.look(argv, 1)
  if (entry === NO_KEY) return reply.integer(-2)
  const atMs = db.exactExpireAtMs(entry)
  if (atMs === -1) return reply.integer(-1)
  if (typeof atMs === 'number') {
    const ms = Math.max(0, isRelative ? atMs - ctx.nowMs : atMs)
    reply.integer(inSeconds ? Math.floor((ms + 500) / 1000) : ms)
  } else {
    const ms = isRelative ? atMs - BigInt(ctx.nowMs) : atMs
    // Half a second more may go beyond 64 bits. C leaves open what that means; redis-server's binary goes on counting.
    reply.integer64(inSeconds ? (ms + 500n) / 1000n : ms)
  }
}
