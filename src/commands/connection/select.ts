/**
 * SELECT index: the database that the client's commands work on from now on.
 * Source: Redis command reference, SELECT (since 1.0.0).
 */
import { defineCommand } from '../../engine/command.ts'
import { FAST, LOADING, STALE } from '../../engine/flags.ts'
import { ERR_DB_INDEX_OUT_OF_RANGE } from '../../resp/errors.ts'
import { readInt32 } from './read-integer.ts'

export const select = defineCommand({
  name: 'SELECT',
  arity: 2,
  flags: LOADING | STALE | FAST,
  acl: ['connection'],
  doc: { group: 'connection', since: '1.0.0', complexity: 'O(1)', summary: 'Changes to another database.' },
  run(ctx, argv, reply) {
    const index = readInt32(argv, 1, reply)
    if (index === null) return
    const db = ctx.engine.keyspace.databases[index]
    if (db === undefined) return reply.error(ERR_DB_INDEX_OUT_OF_RANGE)
    ctx.db = db
    reply.ok()
  },
})
