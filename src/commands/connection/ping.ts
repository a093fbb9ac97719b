/**
 * PING [message]. Reply: PONG or the message; to a subscribed RESP2 client an array of "pong" and the message.
 * Source: Redis command reference, PING (since 1.0.0).
 */
import { defineCommand } from '../../engine/command.ts'
import { FAST, IN_SUBSCRIBED } from '../../engine/flags.ts'
import { SUBSCRIBED } from '../../engine/session.ts'

const PONG = Buffer.from('pong')

export const ping = defineCommand({
  name: 'PING',
  arity: -1,
  flags: FAST | IN_SUBSCRIBED,
  acl: ['connection'],
  doc: {
    group: 'connection',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Answers, so that a client knows that the server is there.',
  },
  run(ctx, argv, reply) {
    if (argv.count > 2) return reply.errorText("ERR wrong number of arguments for 'ping' command")
    if (ctx.has(SUBSCRIBED) && ctx.protocol === 2) {
      reply.array(2)
      reply.bulkBytes(PONG)
      if (argv.count === 1) reply.bulkText('')
      else reply.bulk(argv.bytes, argv.starts[1]!, argv.lengths[1]!)
    } else if (argv.count === 1) reply.status('PONG')
    else reply.bulk(argv.bytes, argv.starts[1]!, argv.lengths[1]!)
  },
})
