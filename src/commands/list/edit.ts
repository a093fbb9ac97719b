/**
 * LSET, LINSERT, LREM, LTRIM: change a list in the middle. Propagated as requested. Source: Redis command reference.
 */
import { defineCommand, firstKey, KEY_DELETE, KEY_INSERT, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { DENYOOM, WRITE } from '../../engine/flags.ts'
import { NOTIFY_LIST } from '../../engine/notifications.ts'
import { NO_KEY, TYPE_LIST, WRONG_TYPE } from '../../keyspace/entry.ts'
import {
  ERR_INDEX_OUT_OF_RANGE,
  ERR_NO_SUCH_KEY,
  ERR_NOT_INTEGER,
  ERR_SYNTAX,
  ERR_WRONGTYPE,
} from '../../resp/errors.ts'
import { readIndex } from '../string/index-range.ts'
import { removeEmpty } from './operations.ts'

export const lset = defineCommand({
  name: 'LSET',
  arity: 4,
  flags: WRITE | DENYOOM,
  acl: ['list'],
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
  doc: {
    group: 'list',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of elements between the index and the nearer end',
    summary: 'Replaces the element at an index of a list.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const entry = db.writeTyped(argv, 1, TYPE_LIST)
    if (entry === NO_KEY) return reply.error(ERR_NO_SUCH_KEY)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const index = readIndex(argv, 2)
    if (Number.isNaN(index)) return reply.error(ERR_NOT_INTEGER)
    db.beforeChange(entry)
    const { bytes, starts, lengths } = argv
    if (!db.keyspace.lists.replaceAt(db.rootOf(entry), index, bytes, starts[3]!, lengths[3]!)) {
      return reply.error(ERR_INDEX_OUT_OF_RANGE)
    }
    reply.ok()
    ctx.changed(argv, 1, NOTIFY_LIST, 'lset')
  },
})

/** LINSERT key BEFORE | AFTER pivot element. Reply: the new length, -1 without a pivot, 0 without a list. */
export const linsert = defineCommand({
  name: 'LINSERT',
  arity: 5,
  flags: WRITE | DENYOOM,
  acl: ['list'],
  keys: [firstKey(KEY_RW | KEY_INSERT)],
  doc: {
    group: 'list',
    since: '2.2.0',
    complexity: 'O(N) where N is the number of elements up to the pivot',
    summary: 'Adds an element before or after another one.',
  },
  run(ctx, argv, reply) {
    const isAfter = argv.is(2, 'AFTER')
    if (!isAfter && !argv.is(2, 'BEFORE')) return reply.error(ERR_SYNTAX)
    const { db } = ctx
    const { lists } = db.keyspace
    const entry = db.writeTyped(argv, 1, TYPE_LIST)
    if (entry === NO_KEY) return reply.integer(0)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    db.beforeChange(entry)
    const root = db.rootOf(entry)
    const { bytes, starts, lengths } = argv
    if (!lists.insertAt(root, isAfter, bytes, starts[3]!, lengths[3]!, bytes, starts[4]!, lengths[4]!)) {
      return reply.integer(-1)
    }
    ctx.changed(argv, 1, NOTIFY_LIST, 'linsert')
    reply.integer(lists.length(root))
  },
})

/** LREM key count element: from the head, from the tail if the count is negative, or all if it is 0. Reply: how many went. */
export const lrem = defineCommand({
  name: 'LREM',
  arity: 4,
  flags: WRITE,
  acl: ['list'],
  keys: [firstKey(KEY_RW | KEY_DELETE)],
  doc: {
    group: 'list',
    since: '1.0.0',
    complexity: 'O(N+M) where N is the length of the list and M the number of elements removed',
    summary: 'Removes elements that equal a given one.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { lists } = db.keyspace
    const count = readIndex(argv, 2)
    if (Number.isNaN(count)) return reply.error(ERR_NOT_INTEGER)
    const entry = db.writeTyped(argv, 1, TYPE_LIST)
    if (entry === NO_KEY) return reply.integer(0)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    db.beforeChange(entry)
    const root = db.rootOf(entry)
    const { bytes, starts, lengths } = argv
    const removed = lists.deleteEqual(root, count, bytes, starts[3]!, lengths[3]!)
    if (removed > 0) {
      ctx.dirtied(removed - 1)
      ctx.changed(argv, 1, NOTIFY_LIST, 'lrem')
      if (lists.length(root) === 0) removeEmpty(ctx, bytes, starts[1]!, lengths[1]!, entry)
    }
    reply.integer(removed)
  },
})

/** What is cut off is freed in steps: nobody waits for it. */
export const ltrim = defineCommand({
  name: 'LTRIM',
  arity: 4,
  flags: WRITE,
  acl: ['list'],
  keys: [firstKey(KEY_RW | KEY_DELETE)],
  doc: {
    group: 'list',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of elements between the range and the nearer end',
    summary: 'Removes all elements but those from one index to another.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { lists } = db.keyspace
    const start = readIndex(argv, 2)
    const stop = readIndex(argv, 3)
    if (Number.isNaN(start) || Number.isNaN(stop)) return reply.error(ERR_NOT_INTEGER)
    const entry = db.writeTyped(argv, 1, TYPE_LIST)
    if (entry === NO_KEY) return reply.ok()
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    db.beforeChange(entry)
    const root = db.rootOf(entry)
    const length = lists.length(root)
    const first = start < 0 ? Math.max(0, start + length) : start
    const last = Math.min(stop < 0 ? stop + length : stop, length - 1)
    const kept = first > last ? 0 : last - first + 1
    if (kept === 0) lists.deleteRange(root, 0, length)
    else {
      lists.deleteRange(root, 0, first)
      lists.deleteRange(root, kept, length - last - 1)
    }
    ctx.changed(argv, 1, NOTIFY_LIST, 'ltrim')
    ctx.dirtied(length - kept - 1)
    if (kept === 0) removeEmpty(ctx, argv.bytes, argv.starts[1]!, argv.lengths[1]!, entry)
    reply.ok()
  },
})
