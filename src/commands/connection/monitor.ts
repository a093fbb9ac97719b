/**
 * MONITOR: from now on the client is shown every command that is executed. See engine/monitor.ts.
 * Source: Redis command reference, MONITOR (since 1.0.0).
 */
import { defineCommand } from '../../engine/command.ts'
import { ADMIN, LOADING, NOSCRIPT, STALE } from '../../engine/flags.ts'
import { GATE_REPLICA } from '../../engine/gates.ts'
import { DENY_BLOCKING, MONITOR, REPLICA } from '../../engine/session.ts'
import { errorReply } from '../../resp/errors.ts'

const ERR_DENIED = errorReply("ERR MONITOR isn't allowed for DENY BLOCKING client")

export const monitor = defineCommand({
  name: 'MONITOR',
  arity: 1,
  flags: ADMIN | NOSCRIPT | LOADING | STALE,
  doc: { group: 'server', since: '1.0.0', summary: 'Shows every command that the server executes.' },
  run(ctx, _argv, reply) {
    if (ctx.has(DENY_BLOCKING)) return reply.error(ERR_DENIED)
    // Who watches already gets no answer at all.
    if (ctx.has(REPLICA | MONITOR)) return
    ctx.setFlag(MONITOR)
    ctx.gate |= GATE_REPLICA
    ctx.engine.monitors.add(ctx)
    reply.ok()
  },
})
