/**
 * PING [message] and ECHO message. PING's reply: PONG or the message; to a subscribed RESP2 client an array of "pong"
 * and the message, so that it cannot be taken for a message of a channel.
 * Source: Redis command reference, PING and ECHO (since 1.0.0).
 */
import { defineCommand } from '../../engine/command.ts'
import { FAST, IN_SUBSCRIBED, LOADING, SENTINEL, STALE } from '../../engine/flags.ts'
import { SUBSCRIBED } from '../../engine/session.ts'

const PONG = Buffer.from('pong')

export const ping = defineCommand({
  name: 'PING',
  arity: -1,
  flags: FAST | SENTINEL | IN_SUBSCRIBED,
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

export const echo = defineCommand({
  name: 'ECHO',
  arity: 2,
  flags: LOADING | STALE | FAST,
  acl: ['connection'],
  doc: { group: 'connection', since: '1.0.0', complexity: 'O(1)', summary: 'Returns the message that it is given.' },
  run(_ctx, argv, reply) {
    reply.bulk(argv.bytes, argv.starts[1]!, argv.lengths[1]!)
  },
})
