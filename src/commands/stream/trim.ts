/**
 * XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count] and XDEL key id ...: entries go. Reply: how many.
 * Source: Redis command reference (since 5.0.0).
 */
import { defineCommand, firstKey, KEY_DELETE, KEY_RW } from '../../engine/command.ts'
import { FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_STREAM } from '../../engine/notifications.ts'
import { NO_KEY, TYPE_STREAM, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import { StreamId } from '../../structures/stream-id.ts'
import { readIds } from './ids.ts'
import type { AddOptions } from './trim-options.ts'

export const xtrim = (options: AddOptions) =>
  defineCommand({
    name: 'XTRIM',
    arity: -4,
    flags: WRITE,
    acl: ['stream'],
    keys: [firstKey(KEY_RW | KEY_DELETE)],
    doc: {
      group: 'stream',
      since: '5.0.0',
      complexity: 'O(N) for the N entries that go, which go by whole nodes of many entries.',
      summary: 'Removes the oldest entries of a stream down to a length or an id.',
    },
    run(ctx, argv, reply) {
      if (options.read(ctx, argv, false, reply) < 0) return
      const { db } = ctx
      const { streams } = db.keyspace
      const entry = db.writeTyped(argv, 1, TYPE_STREAM)
      if (entry === NO_KEY) return reply.integer(0)
      if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
      db.beforeChange(entry)
      const root = db.rootOf(entry)
      const removed = streams.trim(root, options)
      if (removed > 0) {
        ctx.changed(argv, 1, NOTIFY_STREAM, 'xtrim')
        ctx.dirtied(removed - 1)
        if (options.isApproximate && ctx.engine.effects.isActive) {
          ctx.replaceEffect(options.exactRequest(streams, root, argv))
        }
      }
      reply.integer(removed)
    },
  })

export const xdel = defineCommand({
  name: 'XDEL',
  arity: -3,
  flags: WRITE | FAST,
  acl: ['stream'],
  keys: [firstKey(KEY_RW | KEY_DELETE)],
  doc: {
    group: 'stream',
    since: '5.0.0',
    complexity: 'O(1) for each entry, however long the stream is.',
    summary: 'Removes entries from a stream by their IDs.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { streams } = db.keyspace
    const entry = db.writeTyped(argv, 1, TYPE_STREAM)
    if (entry === NO_KEY) return reply.integer(0)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const ids = readIds(argv, 2, reply)
    if (ids === null) return
    db.beforeChange(entry)
    const root = db.rootOf(entry)
    const firstId = new StreamId()
    const deletedId = new StreamId()
    streams.readFirstId(root, firstId)
    streams.readDeletedId(root, deletedId)
    let removed = 0
    let wasFirst = false
    for (const id of ids) {
      if (!streams.delete(root, id)) continue
      if (id.equals(firstId)) wasFirst = true
      if (id.compare(deletedId) > 0) deletedId.copyFrom(id)
      removed++
    }
    if (removed > 0) {
      streams.setDeletedId(root, deletedId)
      streams.settleFirstId(root, wasFirst)
      ctx.changed(argv, 1, NOTIFY_STREAM, 'xdel')
      ctx.dirtied(removed - 1)
    }
    reply.integer(removed)
  },
})
