/**
 * SSCAN key cursor [MATCH pattern] [COUNT count]: the members of a set in portions; those of an intset all at once. What is
 * there from the first call to the last is returned at least once.
 * Source: Redis command reference, SSCAN (since 2.8.0).
 */
import { defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { READONLY } from '../../engine/flags.ts'
import { ENCODING_INTSET, NO_KEY, TYPE_SET, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import {
  BUCKETS_PER_ELEMENT,
  ERR_CURSOR,
  matchesPattern,
  readScanCursor,
  readScanOptions,
} from '../generic/scan-options.ts'

export const sscan = defineCommand({
  name: 'SSCAN',
  arity: -3,
  flags: READONLY,
  acl: ['set'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'set',
    since: '2.8.0',
    complexity: 'O(1) for a call, O(N) for all calls of a whole iteration over N members.',
    summary: 'Returns a portion of the members of a set, and a cursor for the next.',
  },
  run({ db }, argv, reply) {
    const cursor = readScanCursor(argv, 2)
    if (cursor === null) return reply.error(ERR_CURSOR)
    const entry = db.readTyped(argv, 1, TYPE_SET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY) {
      reply.array(2)
      reply.bulkInteger(0)
      return reply.array(0)
    }
    const options = readScanOptions(argv, 3, false, reply)
    if (options === null) return
    const { arena, sets } = db.keyspace
    const root = db.rootOf(entry)
    const encoding = db.encodingOf(entry)
    if (encoding === ENCODING_INTSET) {
      reply.array(2)
      reply.bulkInteger(0)
      const gap = reply.gap()
      let count = 0
      const walk = sets.walk(root, encoding)
      while (walk.next()) {
        walk.spell()
        if (!matchesPattern(argv, options, walk.bytes, walk.start, walk.length)) continue
        reply.bulk(walk.bytes, walk.start, walk.length)
        count++
      }
      walk.end()
      return reply.fillArray(gap, count)
    }
    const { members } = sets
    const found: Ref[] = []
    let next = cursor
    let gathered = 0
    let bucketsLeft = options.count * BUCKETS_PER_ELEMENT
    do {
      next = members.scan(root, next)
      gathered += members.scannedCount
      for (let i = 0; i < members.scannedCount; i++) {
        const member = members.scanned[i]!
        const at = sets.memberAt(member)
        if (matchesPattern(argv, options, arena.view8(member), at, sets.memberLength(member))) found.push(member)
      }
    } while (next !== 0 && bucketsLeft-- > 0 && gathered < options.count)
    reply.array(2)
    reply.bulkInteger(next)
    reply.array(found.length)
    for (const member of found) reply.bulk(arena.view8(member), sets.memberAt(member), sets.memberLength(member))
  },
})
