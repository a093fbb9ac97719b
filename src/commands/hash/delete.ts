/**
 * HDEL key field [field ...]: removes fields. Reply: how many there were. With the last field the key goes.
 * Propagated as requested. Source: Redis command reference (since 2.0.0).
 */
import { defineCommand, firstKey, KEY_DELETE, KEY_RW } from '../../engine/command.ts'
import { FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_GENERIC, NOTIFY_HASH } from '../../engine/notifications.ts'
import { NO_KEY, TYPE_HASH, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'

export const hdel = defineCommand({
  name: 'HDEL',
  arity: -3,
  flags: WRITE | FAST,
  acl: ['hash'],
  keys: [firstKey(KEY_RW | KEY_DELETE)],
  doc: {
    group: 'hash',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of fields to be removed.',
    summary: 'Removes fields from a hash; a hash without fields goes.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { hashes } = db.keyspace
    const entry = db.writeTyped(argv, 1, TYPE_HASH)
    if (entry === NO_KEY) return reply.integer(0)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    db.beforeChange(entry)
    let left = hashes.length(db.rootOf(entry), db.encodingOf(entry))
    let removed = 0
    for (let i = 2; i < argv.count && left > 0; i++) {
      if (!hashes.remove(db, entry, argv.bytes, argv.starts[i]!, argv.lengths[i]!)) continue
      removed++
      left--
    }
    if (removed > 0) {
      if (left === 0) db.remove(entry)
      ctx.changed(argv, 1, NOTIFY_HASH, 'hdel')
      ctx.dirtied(removed - 1)
      if (left === 0) ctx.notify(NOTIFY_GENERIC, 'del', db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
    }
    reply.integer(removed)
  },
})
