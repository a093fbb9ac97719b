/**
 * ZSCAN key cursor [MATCH pattern] [COUNT count]: the members of a sorted set with their scores, in portions. What is there
 * from the first call to the last is returned at least once. A small sorted set comes as a whole.
 * Source: Redis command reference (since 2.8.0).
 */
import { double17g, doubleText } from '../../base/double-text.ts'
import { defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { READONLY } from '../../engine/flags.ts'
import { ENCODING_LISTPACK, NO_KEY, TYPE_ZSET, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import {
  BUCKETS_PER_ELEMENT,
  ERR_CURSOR,
  matchesPattern,
  readScanCursor,
  readScanOptions,
} from '../generic/scan-options.ts'

export const zscan = defineCommand({
  name: 'ZSCAN',
  arity: -3,
  flags: READONLY,
  acl: ['sortedset'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'sorted-set',
    since: '2.8.0',
    complexity: 'O(1) for a call, O(N) for all calls of a whole iteration over N members.',
    summary: 'Returns a portion of the members of a sorted set with their scores, and a cursor for the next.',
  },
  run({ db }, argv, reply) {
    const cursor = readScanCursor(argv, 2)
    if (cursor === null) return reply.error(ERR_CURSOR)
    const { zsets } = db.keyspace
    const entry = db.readTyped(argv, 1, TYPE_ZSET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY) {
      reply.array(2)
      reply.bulkInteger(0)
      return reply.array(0)
    }
    const options = readScanOptions(argv, 3, false, reply)
    if (options === null) return
    const root = db.rootOf(entry)
    reply.array(2)
    if (db.encodingOf(entry) === ENCODING_LISTPACK) {
      let count = 0
      const isWanted = (): boolean => matchesPattern(argv, options, zsets.bytes, zsets.start, zsets.lengthBytes)
      for (let more = zsets.seek(root, ENCODING_LISTPACK, 0); more; more = zsets.next()) if (isWanted()) count++
      reply.bulkInteger(0)
      reply.array(count * 2)
      for (let more = zsets.seek(root, ENCODING_LISTPACK, 0); more; more = zsets.next()) {
        if (!isWanted()) continue
        reply.bulk(zsets.bytes, zsets.start, zsets.lengthBytes)
        // As a listpack holds it.
        reply.bulkLatin1(doubleText(zsets.score))
      }
      return
    }
    const { members } = zsets
    const found: Ref[] = []
    const table = members.tableOf(root)
    let next = cursor
    let seen = 0
    let bucketsLeft = options.count * BUCKETS_PER_ELEMENT
    do {
      next = members.table.scan(table, next)
      const { scanned, scannedCount } = members.table
      seen += scannedCount
      for (let i = 0; i < scannedCount; i++) {
        const member = scanned[i]!
        const bytes = members.bytesOf(member)
        if (matchesPattern(argv, options, bytes, members.nameAt(member), members.nameLength(member))) found.push(member)
      }
    } while (next !== 0 && bucketsLeft-- > 0 && seen < options.count)
    reply.bulkInteger(next)
    reply.array(found.length * 2)
    for (const member of found) {
      reply.bulk(members.bytesOf(member), members.nameAt(member), members.nameLength(member))
      reply.bulkLatin1(double17g(members.scoreOf(member)))
    }
  },
})
