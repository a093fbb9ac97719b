/**
 * WAIT numreplicas timeout: until so many replicas have what this client wrote, or for `timeout` milliseconds (0 = for
 * ever). Reply: how many have. Within MULTI it does not wait.
 * Source: Redis command reference, WAIT (since 3.0.0).
 */
import { defineCommand } from '../../engine/command.ts'
import { NOSCRIPT } from '../../engine/flags.ts'
import { DENY_BLOCKING, IN_MULTI } from '../../engine/session.ts'
import { ERR_NOT_INTEGER, errorReply } from '../../resp/errors.ts'
import { readInt64 } from '../connection/read-integer.ts'

const ERR_TIMEOUT = errorReply('ERR timeout is not an integer or out of range')
const ERR_REPLICA = errorReply(
  'ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.',
)
const ERR_TIMEOUT_NEGATIVE = errorReply('ERR timeout is negative')

export const wait = defineCommand({
  name: 'WAIT',
  arity: 3,
  flags: NOSCRIPT,
  acl: ['connection'],
  doc: {
    group: 'generic',
    since: '3.0.0',
    complexity: 'O(1)',
    summary: "Waits until replicas have the client's writes.",
  },
  run(ctx, argv, reply) {
    const { engine } = ctx
    const { replication } = engine
    if (replication?.isReplica === true) return reply.error(ERR_REPLICA)
    const wanted = readInt64(argv, 1, reply, ERR_NOT_INTEGER)
    if (wanted === null) return
    const timeoutMs = readInt64(argv, 2, reply, ERR_TIMEOUT)
    if (timeoutMs === null) return
    if (timeoutMs < 0n) return reply.error(ERR_TIMEOUT_NEGATIVE)
    const count = () => engine.acknowledgingReplicas(ctx)
    if (count() >= wanted || ctx.has(IN_MULTI | DENY_BLOCKING)) return reply.integer(count())
    // Time that overflows 64 bits never comes, in Redis as here.
    const untilMs = timeoutMs === 0n ? 0 : Math.max(0, Number(BigInt.asIntN(64, timeoutMs + BigInt(ctx.nowMs))))
    engine.blocking.block(ctx, {
      untilMs,
      timedOut: (out) => out.integer(count()),
      ended: () => replication?.stopAwaiting(ctx),
    })
    replication?.awaitReplicas(ctx, wanted)
  },
})
