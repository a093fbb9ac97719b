/**
 * LLEN, LINDEX, LRANGE, LPOS: what is in a list, and where. Source: Redis command reference.
 */
import type { Argv } from '../../base/argv.ts'
import { type CommandDefinition, defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { FAST, READONLY } from '../../engine/flags.ts'
import { NO_KEY, TYPE_LIST, WRONG_TYPE } from '../../keyspace/entry.ts'
import { NO_MATCH } from '../../keyspace/types/list.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { readIndex } from '../string/index-range.ts'

const ERR_RANK = errorReply(
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
)
const ERR_COUNT = errorReply("ERR COUNT can't be negative")
const ERR_MAXLEN = errorReply("ERR MAXLEN can't be negative")
const LONG_MIN_TEXT = '-9223372036854775808'

const LOOK = {
  flags: READONLY,
  acl: ['list'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
} satisfies Partial<CommandDefinition>

export const llen = defineCommand({
  ...LOOK,
  name: 'LLEN',
  arity: 2,
  flags: READONLY | FAST,
  keys: [firstKey(KEY_RO)],
  doc: { group: 'list', since: '1.0.0', complexity: 'O(1)', summary: 'Returns the number of elements of a list.' },
  run(ctx, argv, reply) {
    const { db } = ctx
    const entry = db.readTyped(argv, 1, TYPE_LIST)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    reply.integer(entry === NO_KEY ? 0 : db.keyspace.lists.length(db.rootOf(entry)))
  },
})

export const lindex = defineCommand({
  ...LOOK,
  name: 'LINDEX',
  arity: 3,
  doc: {
    group: 'list',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of elements between the index and the nearer end',
    summary: 'Returns the element at an index of a list.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { lists } = db.keyspace
    const entry = db.readTyped(argv, 1, TYPE_LIST)
    if (entry === NO_KEY) return reply.null()
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const index = readIndex(argv, 2)
    if (Number.isNaN(index)) return reply.error(ERR_NOT_INTEGER)
    if (!lists.readAt(db.rootOf(entry), index)) return reply.null()
    const { element } = lists
    reply.bulk(element.bytes, element.start, element.length)
  },
})

export const lrange = defineCommand({
  ...LOOK,
  name: 'LRANGE',
  arity: 4,
  doc: {
    group: 'list',
    since: '1.0.0',
    complexity: 'O(S+N) where S is the distance of the range from the nearer end and N the number of elements in it',
    summary: 'Returns the elements of a list from one index to another.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { lists } = db.keyspace
    const start = readIndex(argv, 2)
    const stop = readIndex(argv, 3)
    if (Number.isNaN(start) || Number.isNaN(stop)) return reply.error(ERR_NOT_INTEGER)
    const entry = db.readTyped(argv, 1, TYPE_LIST)
    if (entry === NO_KEY) return reply.array(0)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const root = db.rootOf(entry)
    const length = lists.length(root)
    const first = start < 0 ? Math.max(0, start + length) : start
    const last = Math.min(stop < 0 ? stop + length : stop, length - 1)
    if (first > last) return reply.array(0)
    reply.array(last - first + 1)
    lists.replyRange(root, first, last - first + 1, false, reply)
  },
})

/** LPOS key element [RANK rank] [COUNT matches] [MAXLEN length]: the index of a match, or with COUNT an array of them. */
export const lpos = defineCommand({
  ...LOOK,
  name: 'LPOS',
  arity: -3,
  doc: {
    group: 'list',
    since: '6.0.6',
    complexity: 'O(N) where N is the number of elements looked at: all of them, or as many as MAXLEN says',
    summary: 'Returns the indexes at which an element stands in a list.',
  },
  run(ctx, argv, reply) {
    const search = readSearch(argv, reply)
    if (search === null) return
    const { db } = ctx
    const { lists } = db.keyspace
    const isArray = search.count >= 0
    const entry = db.readTyped(argv, 1, TYPE_LIST)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY) return isArray ? reply.array(0) : reply.null()
    const { bytes } = argv
    const start = argv.starts[2]!
    const wanted = argv.lengths[2]!
    const root = db.rootOf(entry)
    const length = lists.length(root)
    lists.beginSearch(root, search.isReversed, search.lengthMax)
    for (let skipped = 1; skipped < search.rank; skipped++) {
      if (lists.nextMatch(bytes, start, wanted) !== NO_MATCH) continue
      return isArray ? reply.array(0) : reply.null()
    }
    const indexOf = (match: number): number => (search.isReversed ? length - 1 - match : match)
    let match = lists.nextMatch(bytes, start, wanted)
    if (!isArray) return match === NO_MATCH ? reply.null() : reply.integer(indexOf(match))
    const gap = reply.gap()
    let found = 0
    while (match !== NO_MATCH) {
      reply.integer(indexOf(match))
      if (++found === search.count) break
      match = lists.nextMatch(bytes, start, wanted)
    }
    reply.fillArray(gap, found)
  },
})

interface Search {
  /** The first match to report, counted from 1. */
  readonly rank: number
  readonly isReversed: boolean
  /** How many to report, 0 = all; -1: the first alone, and not as an array. */
  readonly count: number
  /** How many elements to look at. */
  readonly lengthMax: number
}

function readSearch(argv: Argv, reply: ReplyWriter): Search | null {
  let rank = 1
  let count = -1
  let lengthMax = 0
  let isLongMin = false
  for (let i = 3; i < argv.count; i += 2) {
    const hasValue = i + 1 < argv.count
    const value = hasValue ? readIndex(argv, i + 1) : 0
    if (hasValue && argv.is(i, 'RANK')) {
      rank = value
      isLongMin = argv.is(i + 1, LONG_MIN_TEXT)
      if (!Number.isNaN(rank) && rank !== 0) continue
      reply.error(rank === 0 ? ERR_RANK : ERR_NOT_INTEGER)
    } else if (hasValue && argv.is(i, 'COUNT')) {
      count = value
      if (count >= 0) continue
      reply.error(ERR_COUNT)
    } else if (hasValue && argv.is(i, 'MAXLEN')) {
      lengthMax = value
      if (lengthMax >= 0) continue
      reply.error(ERR_MAXLEN)
    } else reply.error(ERR_SYNTAX)
    return null
  }
  const isReversed = rank < 0
  // Redis negates the rank in 64 bits: of the least there is no opposite, so that it comes before every match.
  if (isLongMin) rank = 1
  if (isLongMin && count > 0) count = 0
  return { rank: Math.abs(rank), isReversed, count, lengthMax: lengthMax === 0 ? Number.POSITIVE_INFINITY : lengthMax }
}
