/**
 * MULTI, EXEC, DISCARD: commands that run one after the other with nothing in between. Queueing is the dispatcher's work
 * (engine/dispatch.ts). EXEC's reply: an array of the commands' replies; null when a watched key has changed; EXECABORT
 * when a command was refused while queueing.
 * Propagated are the effects of the commands, wrapped in MULTI and EXEC when there are several.
 * Source: Redis command reference, MULTI (since 1.2.0).
 */
import { defineCommand } from '../../engine/command.ts'
import { ALLOW_BUSY, FAST, LOADING, NOSCRIPT, NOT_QUEUED, SKIP_SLOWLOG, STALE } from '../../engine/flags.ts'
import { GATE_MULTI } from '../../engine/gates.ts'
import { DENY_BLOCKING, DIRTY_CAS, DIRTY_EXEC, IN_MULTI, type Session } from '../../engine/session.ts'
import { ERR_EXECABORT, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const FLAGS = NOSCRIPT | LOADING | STALE | NOT_QUEUED
const ERR_NESTED = errorReply('ERR MULTI calls can not be nested')
const ERR_EXEC_WITHOUT_MULTI = errorReply('ERR EXEC without MULTI')
const ERR_DISCARD_WITHOUT_MULTI = errorReply('ERR DISCARD without MULTI')

export const multi = defineCommand({
  name: 'MULTI',
  arity: 1,
  flags: FLAGS | FAST | ALLOW_BUSY,
  acl: ['transaction'],
  doc: { group: 'transactions', since: '1.2.0', complexity: 'O(1)', summary: 'Begins a transaction.' },
  run(ctx, _argv, reply) {
    if (ctx.has(IN_MULTI)) return reply.error(ERR_NESTED)
    ctx.setFlag(IN_MULTI)
    ctx.gate |= GATE_MULTI
    reply.ok()
  },
})

export const exec = defineCommand({
  name: 'EXEC',
  arity: 1,
  flags: FLAGS | SKIP_SLOWLOG,
  acl: ['transaction'],
  doc: {
    group: 'transactions',
    since: '1.2.0',
    complexity: 'Depends on the commands in the transaction',
    summary: 'Runs the commands of a transaction.',
  },
  run(ctx, _argv, reply) {
    if (!ctx.has(IN_MULTI)) return reply.error(ERR_EXEC_WITHOUT_MULTI)
    const { engine } = ctx
    if (engine.watch.hasExpired(ctx)) ctx.setFlag(DIRTY_CAS)
    if (ctx.has(DIRTY_EXEC)) reply.error(ERR_EXECABORT)
    else if (ctx.has(DIRTY_CAS)) reply.nullArray()
    else runQueue(ctx, reply)
    engine.discardTransaction(ctx)
  },
})

export const discard = defineCommand({
  name: 'DISCARD',
  arity: 1,
  flags: FLAGS | FAST | ALLOW_BUSY,
  acl: ['transaction'],
  doc: {
    group: 'transactions',
    since: '2.0.0',
    complexity: 'O(N) for N queued commands',
    summary: 'Ends a transaction without running it.',
  },
  run(ctx, _argv, reply) {
    if (!ctx.has(IN_MULTI)) return reply.error(ERR_DISCARD_WITHOUT_MULTI)
    ctx.engine.discardTransaction(ctx)
    reply.ok()
  },
})

function runQueue(ctx: Session, reply: ReplyWriter): void {
  const { engine, queue } = ctx
  const { clock } = engine
  // From here on nobody else can change what is watched, and the transaction itself may.
  engine.watch.unwatchAll(ctx)
  const deniedBlocking = ctx.has(DENY_BLOCKING)
  ctx.setFlag(DENY_BLOCKING)
  // Time stands still: a key that one command has seen does not expire before the next.
  const { nowMs } = clock
  reply.array(queue.length)
  queue.each((entry, argv) => {
    engine.call(ctx, entry, argv)
    clock.nowMs = nowMs
    engine.transactionGoesOn(ctx)
    return !engine.isStopped
  })
  if (!deniedBlocking) ctx.clearFlag(DENY_BLOCKING)
  // The effects are those of the commands.
  ctx.suppressEffect()
}
