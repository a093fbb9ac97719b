/**
 * SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]: the keys of the database in portions. What is there from the
 * first call to the last is returned at least once.
 * A bucket of the hash table holds up to a dozen keys, so a call returns a little more than COUNT says.
 * Source: Redis command reference, SCAN (since 2.8.0).
 */
import type { Argv } from '../../base/argv.ts'
import { globMatch } from '../../base/glob.ts'
import { endOfCString, isSpace, strtoull } from '../../base/int64-text.ts'
import { defineCommand } from '../../engine/command.ts'
import { READONLY, TOUCHES_ARBITRARY_KEYS } from '../../engine/flags.ts'
import type { Db } from '../../keyspace/db.ts'
import { EXPIRE_DELETE, EXPIRE_IGNORE } from '../../keyspace/entry.ts'
import { typeName } from '../../keyspace/value-type.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { readInt64 } from '../connection/read-integer.ts'
import { replyKey } from './look.ts'

const ERR_CURSOR = errorReply('ERR invalid cursor')
const COUNT_DEFAULT = 10
/** Buckets looked at for each key that is wanted, at most: in a table that is nearly empty a call ends without enough keys. */
const BUCKETS_PER_KEY = 10
const ASTERISK = 42
const CURSOR_MASK = 0xffff_ffffn

interface Options {
  count: number
  /** Index of the pattern among the arguments; 0 = all keys match. */
  patternIndex: number
  /** Lower case; null = all types. */
  type: string | null
}

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
    const options = readOptions(argv, reply)
    if (options === null) return
    const { db } = ctx
    const entries: Ref[] = []
    const gather = (entry: Ref): void => {
      entries.push(entry)
    }
    let next = cursor
    let bucketsLeft = options.count * BUCKETS_PER_KEY
    do next = db.scan(next, gather)
    while (next !== 0 && bucketsLeft-- > 0 && entries.length < options.count)
    const found = entries.filter((entry) => isWanted(db, entry, argv, options))
    reply.array(2)
    reply.bulkInteger(next)
    reply.array(found.length)
    for (const entry of found) replyKey(db, entry, reply)
  },
})

/**
 * A cursor, of which the table looks at the low bits only; null if it is none. As C's strtoul reads it: with a sign, and
 * up to a zero byte.
 */
export function readScanCursor(argv: Argv, index: number): number | null {
  const start = argv.starts[index]!
  const end = endOfCString(argv.bytes, start, start + argv.lengths[index]!)
  if (start < end && isSpace(argv.bytes[start]!)) return null
  const read = strtoull(argv.bytes, start, end)
  if (read.outOfRange || (read.end !== end && start !== end)) return null
  return Number(read.value & CURSOR_MASK)
}

function readOptions(argv: Argv, reply: ReplyWriter): Options | null {
  const options: Options = { count: COUNT_DEFAULT, patternIndex: 0, type: null }
  for (let i = 2; i < argv.count; i += 2) {
    const hasValue = i + 1 < argv.count
    if (argv.is(i, 'COUNT') && hasValue) {
      const count = readInt64(argv, i + 1, reply, ERR_NOT_INTEGER)
      if (count === null) return null
      if (count < 1n) {
        reply.error(ERR_SYNTAX)
        return null
      }
      options.count = Number(count)
    } else if (argv.is(i, 'MATCH') && hasValue) {
      const isAll = argv.lengthBytes(i + 1) === 1 && argv.bytes[argv.starts[i + 1]!] === ASTERISK
      options.patternIndex = isAll ? 0 : i + 1
    } else if (argv.is(i, 'TYPE') && hasValue) {
      const start = argv.starts[i + 1]!
      const length = endOfCString(argv.bytes, start, start + argv.lengths[i + 1]!) - start
      options.type = argv
        .latin1(i + 1)
        .slice(0, length)
        .toLowerCase()
    } else {
      reply.error(ERR_SYNTAX)
      return null
    }
  }
  return options
}

/** Whether a key is to be returned; one whose time is over goes now. */
function isWanted(db: Db, entry: Ref, argv: Argv, { patternIndex, type }: Options): boolean {
  const { keyspace } = db
  if (patternIndex !== 0) {
    const start = argv.starts[patternIndex]!
    const at = db.keyAt(entry)
    const end = at + db.keyLength(entry)
    const patternEnd = start + argv.lengths[patternIndex]!
    if (!globMatch(argv.bytes, start, patternEnd, db.bytesOf(entry), at, end, false)) return false
  }
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
