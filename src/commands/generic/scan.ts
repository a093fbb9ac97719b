/**
 * SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]: the keys of the database in portions. What is there from the
 * first call to the last is returned at least once.
 * A bucket of the hash table holds up to a dozen keys, so a call returns a little more than COUNT says.
 * Source: Redis command reference, SCAN (since 2.8.0).
 */
import type { Argv } from '../../base/argv.ts'
import { defineCommand } from '../../engine/command.ts'
import { READONLY, TOUCHES_ARBITRARY_KEYS } from '../../engine/flags.ts'
import type { Db } from '../../keyspace/db.ts'
import { EXPIRE_DELETE, EXPIRE_IGNORE } from '../../keyspace/entry.ts'
import { typeName } from '../../keyspace/value-type.ts'
import type { Ref } from '../../memory/arena.ts'
import { replyKey } from './look.ts'
import {
  BUCKETS_PER_ELEMENT,
  ERR_CURSOR,
  matchesPattern,
  readScanCursor,
  readScanOptions,
  type ScanOptions,
} from './scan-options.ts'

export const scan = defineCommand({
  name: 'SCAN',
  arity: -2,
  flags: READONLY | TOUCHES_ARBITRARY_KEYS,
  acl: ['keyspace'],
  doc: {
    group: 'generic',
    since: '2.8.0',
    complexity: 'O(1) for a call, O(N) for all calls of a whole iteration over N keys.',
    summary: 'Returns a portion of the keys, and a cursor for the next.',
  },
  run(ctx, argv, reply) {
    const cursor = readScanCursor(argv, 1)
    if (cursor === null) return reply.error(ERR_CURSOR)
    const options = readScanOptions(argv, 2, true, reply)
    if (options === null) return
    const { db } = ctx
    const entries: Ref[] = []
    const gather = (entry: Ref): void => {
      entries.push(entry)
    }
    let next = cursor
    let bucketsLeft = options.count * BUCKETS_PER_ELEMENT
    do next = db.scan(next, gather)
    while (next !== 0 && bucketsLeft-- > 0 && entries.length < options.count)
    const found = entries.filter((entry) => isWanted(db, entry, argv, options))
    reply.array(2)
    reply.bulkInteger(next)
    reply.array(found.length)
    for (const entry of found) replyKey(db, entry, reply)
  },
})

/** Whether a key is to be returned; one whose time is over goes now. */
function isWanted(db: Db, entry: Ref, argv: Argv, options: ScanOptions): boolean {
  const { keyspace } = db
  const { type } = options
  if (!matchesPattern(argv, options, db.bytesOf(entry), db.keyAt(entry), db.keyLength(entry))) return false
  if (keyspace.expireMode !== EXPIRE_IGNORE && db.isOverdue(entry)) {
    const key = db.keyBytes(entry)
    if (keyspace.expireMode === EXPIRE_DELETE) db.expire(entry)
    // To learn its type the key was looked up, in vain.
    if (type !== null) {
      keyspace.misses++
      keyspace.listener?.missed(db, key, 0, key.length)
    }
    return false
  }
  if (type === null) return true
  keyspace.hits++
  return type === typeName(keyspace.types, db.typeOf(entry))
}
