/**
 * WAITAOF numlocal numreplicas timeout: until what this client wrote is on the disk here (numlocal 1), and in the append-only
 * files of so many replicas, or for `timeout` milliseconds (0 = for ever). Reply: 1 or 0, and how many replicas. Within MULTI it does not
 * wait.
 *
 * Replicas of Redis 7.0 do not tell what they have on disk, so none counts.
 * Source: Redis command reference, WAITAOF (since 7.2.0).
 */
import { type Command, defineCommand } from '../../engine/command.ts'
import { BLOCKING } from '../../engine/flags.ts'
import { DENY_BLOCKING, IN_MULTI } from '../../engine/session.ts'
import { ERR_NOT_INTEGER, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import type { Persistence } from '../persistence.ts'

const ERR_LOCAL = errorReply('ERR value is out of range, value must between 0 and 1')
const ERR_NOT_POSITIVE = errorReply('ERR value is out of range, must be positive')
const ERR_TIMEOUT = errorReply('ERR timeout is not an integer or out of range')
const ERR_TIMEOUT_NEGATIVE = errorReply('ERR timeout is negative')
const ERR_REPLICA = errorReply(
  'ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.',
)
const ERR_OFF = errorReply('ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.')

export function waitAofCommands(persistence: () => Persistence): readonly Command[] {
  return [
    defineCommand({
      name: 'WAITAOF',
      arity: 4,
      flags: BLOCKING,
      acl: ['connection'],
      doc: {
        group: 'generic',
        since: '7.2.0',
        complexity: 'O(1)',
        summary: "Waits until the client's writes are on the disk, here and on replicas.",
      },
      run(ctx, argv, reply) {
        const { engine } = ctx
        const { aof } = persistence()
        const local = argv.int64(1)
        if (local === null) return reply.error(ERR_NOT_INTEGER)
        if (local < 0n || local > 1n) return reply.error(ERR_LOCAL)
        const replicas = argv.int64(2)
        if (replicas === null) return reply.error(ERR_NOT_INTEGER)
        if (replicas < 0n) return reply.error(ERR_NOT_POSITIVE)
        const timeoutMs = argv.int64(3)
        if (timeoutMs === null) return reply.error(ERR_TIMEOUT)
        if (timeoutMs < 0n) return reply.error(ERR_TIMEOUT_NEGATIVE)
        if (engine.replication?.isReplica === true) return reply.error(ERR_REPLICA)
        if (local === 1n && aof.phase === 'off') return reply.error(ERR_OFF)
        const wanted = engine.recordedBy(ctx)
        const isSynced = () => aof.synced >= wanted
        const answer = (out: ReplyWriter) => {
          out.array(2)
          out.integer(isSynced() ? 1 : 0)
          out.integer(0)
        }
        const isDone = () => replicas === 0n && (local === 0n || isSynced())
        if (isDone() || ctx.has(IN_MULTI | DENY_BLOCKING)) return answer(reply)
        const untilMs = timeoutMs === 0n ? 0 : Math.max(0, Number(BigInt.asIntN(64, timeoutMs + BigInt(ctx.nowMs))))
        const look = () => {
          if (isDone()) engine.blocking.answer(ctx, answer)
        }
        engine.blocking.block(ctx, { untilMs, timedOut: answer, ended: () => aof.syncWaiters.delete(look) })
        aof.syncWaiters.add(look)
      },
    }),
  ]
}
