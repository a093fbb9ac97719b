/** XACK key group id ...: entries are pending no more. Reply: how many were. Source: Redis command reference (since 5.0.0). */
import { defineCommand, firstKey, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { FAST, WRITE } from '../../engine/flags.ts'
import { TYPE_STREAM, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import { readIds } from './ids.ts'
import { findGroup } from './lookup.ts'

export const xack = defineCommand({
  name: 'XACK',
  arity: -4,
  flags: WRITE | FAST,
  acl: ['stream'],
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
  doc: {
    group: 'stream',
    since: '5.0.0',
    complexity: 'O(1) for each ID.',
    summary: 'Takes entries that were dealt with from the pending list of a consumer group.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { groups } = db.keyspace.streams
    const entry = db.readTyped(argv, 1, TYPE_STREAM)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const group = findGroup(ctx, argv, entry, 2)
    if (group === 0) return reply.integer(0)
    const ids = readIds(argv, 3, reply)
    if (ids === null) return
    db.beforeChange(entry)
    let acknowledged = 0
    for (const id of ids) {
      const pending = groups.findPending(group, id)
      if (pending === 0) continue
      groups.dropPending(group, id, pending)
      acknowledged++
    }
    ctx.dirtied(acknowledged)
    reply.integer(acknowledged)
  },
})
