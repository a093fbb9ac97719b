/**
 * XSETID key id [ENTRIESADDED n] [MAXDELETEDID id]: sets what a stream remembers of its past, as its master or file has it.
 * Source: Redis command reference (since 5.0.0).
 */
import { parseInt64 } from '../../base/int64-text.ts'
import { defineCommand, firstKey, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { DENYOOM, FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_STREAM } from '../../engine/notifications.ts'
import { NO_KEY, TYPE_STREAM, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_NO_SUCH_KEY, ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import { StreamId } from '../../structures/stream-id.ts'
import { readId } from './ids.ts'

const ERR_ADDED = errorReply('ERR entries_added must be positive')
const ERR_DELETED = errorReply('ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id')
const ERR_TOP = errorReply('ERR The ID specified in XSETID is smaller than the target stream top item')
const ERR_LENGTH = errorReply('ERR The entries_added specified in XSETID is smaller than the target stream length')

export const xsetid = defineCommand({
  name: 'XSETID',
  arity: -3,
  flags: WRITE | DENYOOM | FAST,
  acl: ['stream'],
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
  doc: {
    group: 'stream',
    since: '5.0.0',
    complexity: 'O(1)',
    summary: 'Sets what a stream remembers of its past. Used in replication.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { streams } = db.keyspace
    const id = new StreamId()
    const deletedId = new StreamId()
    let added: bigint | null = null
    if (!readId(argv, 2, id, reply)) return
    for (let i = 3; i < argv.count; i += 2) {
      const hasMore = i + 1 < argv.count
      if (argv.is(i, 'ENTRIESADDED') && hasMore) {
        added = parseInt64(argv.bytes, argv.starts[i + 1]!, argv.starts[i + 1]! + argv.lengths[i + 1]!)
        if (added === null) return reply.error(ERR_NOT_INTEGER)
        if (added < 0n) return reply.error(ERR_ADDED)
      } else if (argv.is(i, 'MAXDELETEDID') && hasMore) {
        if (!readId(argv, i + 1, deletedId, reply)) return
        if (id.compare(deletedId) < 0) return reply.error(ERR_DELETED)
      } else return reply.error(ERR_SYNTAX)
    }
    const entry = db.writeTyped(argv, 1, TYPE_STREAM)
    if (entry === NO_KEY) return reply.error(ERR_NO_SUCH_KEY)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const root = db.rootOf(entry)
    const length = streams.length(root)
    if (length > 0) {
      const top = new StreamId()
      streams.readLastLiveId(root, top)
      if (id.compare(top) < 0) return reply.error(ERR_TOP)
      if (added !== null && length > added) return reply.error(ERR_LENGTH)
    }
    db.beforeChange(entry)
    streams.setLastId(root, id)
    if (added !== null) streams.setEntriesAdded(root, added)
    if (!deletedId.isZero) streams.setDeletedId(root, deletedId)
    reply.ok()
    ctx.dirtied(1)
    ctx.notify(NOTIFY_STREAM, 'xsetid', db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
  },
})
