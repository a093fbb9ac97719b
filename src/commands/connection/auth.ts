/**
 * AUTH [username] password. What is given shows in no log.
 * Source: Redis command reference, AUTH (since 1.0.0).
 */
import { defineCommand } from '../../engine/command.ts'
import { ALLOW_BUSY, FAST, LOADING, NO_AUTH, NOSCRIPT, SENTINEL, STALE } from '../../engine/flags.ts'
import { ERR_SYNTAX, errorReply } from '../../resp/errors.ts'
import { authenticateDefault, authenticateNamed, ERR_WRONG_PASSWORD } from './authenticate.ts'

const ERR_NO_PASSWORD_SET = errorReply(
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
)

export const auth = defineCommand({
  name: 'AUTH',
  arity: -2,
  flags: NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | SENTINEL | ALLOW_BUSY,
  acl: ['connection'],
  doc: {
    group: 'connection',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of passwords of the user',
    summary: 'Tells who the client is.',
  },
  run(ctx, argv, reply) {
    if (argv.count > 3) return reply.error(ERR_SYNTAX)
    ctx.redact(1)
    if (argv.count === 3) ctx.redact(2)
    else if (ctx.engine.settings.password === '') return reply.error(ERR_NO_PASSWORD_SET)
    const isRight = argv.count === 3 ? authenticateNamed(ctx, argv, 1) : authenticateDefault(ctx, argv, 1)
    if (isRight) reply.ok()
    else reply.error(ERR_WRONG_PASSWORD)
  },
})
