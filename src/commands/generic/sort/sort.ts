/**
 * SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE destination], and SORT_RO, which
 * cannot store. Reply: the elements or what GET leads to, or with STORE how many were stored as a list.
 * Which types can be sorted they say themselves (keyspace/value-type.ts). Propagated as requested.
 * Where it differs from Redis: there a number that is out of range makes later calls fail as well, since errno is read
 * without having been cleared; here it is a matter of that number alone. Texts are compared as in the "C" locale.
 * Source: Redis command reference (since 1.0.0, 7.0.0).
 */
import type { Argv } from '../../../base/argv.ts'
import { strtod } from '../../../base/double-text.ts'
import { endOfCString, parseSafeInt } from '../../../base/int64-text.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_OW,
  KEY_RO,
  KEY_UPDATE,
  type KeySpec,
} from '../../../engine/command.ts'
import { DENYOOM, READONLY, WRITE } from '../../../engine/flags.ts'
import { keysOfSort, keysOfSortRo } from '../../../engine/key-functions.ts'
import { NOTIFY_GENERIC, NOTIFY_LIST } from '../../../engine/notifications.ts'
import type { Session } from '../../../engine/session.ts'
import { NO_KEY, TYPE_LIST } from '../../../keyspace/entry.ts'
import { ERR_WRONGTYPE, errorReply } from '../../../resp/errors.ts'
import type { ReplyWriter } from '../../../resp/reply-writer.ts'
import { sorted } from './fast-order.ts'
import { readSortOptions, type SortOptions } from './options.ts'
import { itemOrder, type SortItem, sortRange } from './order.ts'
import { SortPattern } from './pattern.ts'

const ERR_NO_DOUBLE = errorReply("ERR One or more scores can't be converted into double")
const EMPTY = new Uint8Array(0)

/** Keys that no specification can tell: they come out of the elements, or stand anywhere. */
const unknownKeys = (flags: number): KeySpec => ({ flags, begin: { kind: 'unknown' }, find: { kind: 'unknown' } })

const COMMON = {
  arity: -2,
  acl: ['set', 'sortedset', 'list', 'dangerous'],
} satisfies Partial<CommandDefinition>
const COMPLEXITY =
  'O(N+M*log(M)) where N is the number of elements and M that of the returned ones; O(N) when nothing is sorted.'

export const sort = defineCommand({
  ...COMMON,
  name: 'SORT',
  flags: WRITE | DENYOOM,
  keys: [firstKey(KEY_RO | KEY_ACCESS), unknownKeys(KEY_RO | KEY_ACCESS), unknownKeys(KEY_OW | KEY_UPDATE)],
  getKeys: keysOfSort,
  doc: {
    group: 'generic',
    since: '1.0.0',
    complexity: COMPLEXITY,
    summary: 'Sorts a list, set or sorted set, and may store the result.',
  },
  run: (ctx, argv, reply) => runSort(ctx, argv, true, reply),
})

export const sortRo = defineCommand({
  ...COMMON,
  name: 'SORT_RO',
  flags: READONLY,
  keys: [firstKey(KEY_RO | KEY_ACCESS), unknownKeys(KEY_RO | KEY_ACCESS)],
  getKeys: keysOfSortRo,
  doc: {
    group: 'generic',
    since: '7.0.0',
    complexity: COMPLEXITY,
    summary: 'Returns the sorted elements of a list, set or sorted set.',
  },
  run: (ctx, argv, reply) => runSort(ctx, argv, false, reply),
})

function runSort(ctx: Session, argv: Argv, mayStore: boolean, reply: ReplyWriter): void {
  const options = readSortOptions(argv, mayStore, reply)
  if (options === null) return
  const items = sortedItems(ctx, argv, options)
  if (typeof items === 'string') return reply.error(items === 'wrong-type' ? ERR_WRONGTYPE : ERR_NO_DOUBLE)
  const gets = options.getIndices.map((index) => new SortPattern(argv.copyOf(index)))
  if (options.storeIndex !== 0) return store(ctx, argv, options.storeIndex, items, gets, reply)
  reply.array(items.length * Math.max(1, gets.length))
  for (const { element } of items) {
    if (gets.length === 0) reply.bulkBytes(element)
    for (const get of gets) {
      const value = get.valueFor(ctx.db, element)
      if (value === null) reply.null()
      else reply.bulkBytes(value)
    }
  }
}

/** What is to be returned, in order. */
function sortedItems(ctx: Session, argv: Argv, options: SortOptions): SortItem[] | 'wrong-type' | 'no-double' {
  const { db } = ctx
  const entry = db.read(argv, 1)
  if (entry === NO_KEY) return []
  const type = db.keyspace.types[db.typeOf(entry)]
  const sortable = type?.sortable
  if (type === undefined || sortable === undefined) return 'wrong-type'
  const root = db.rootOf(entry)
  const encoding = db.encodingOf(entry)
  const length = type.length(root, encoding)
  const first = Math.min(Math.max(options.offset, 0), length)
  const count = options.count < 0 ? length - first : Math.min(options.count, length - first)

  // What has no order of its own, and is stored, must be the same on every server that runs the command.
  const mustSort = options.keepsOrder && !sortable.isOrdered && options.storeIndex !== 0
  const isAlpha = options.isAlpha || mustSort
  if (options.keepsOrder && !mustSort) {
    const isReversed = sortable.isOrdered && options.isDescending
    return sortable.elements(root, encoding, first, count, isReversed).map(itemOf)
  }
  const items = sortable.elements(root, encoding, 0, length, false).map(itemOf)
  const by = options.byIndex === 0 || mustSort ? null : new SortPattern(argv.copyOf(options.byIndex))
  if (!weigh(ctx, items, by, isAlpha)) return 'no-double'
  const { isDescending } = options
  const order = { isDescending, isAlpha, hasWeights: by !== null, isStored: options.storeIndex !== 0 }
  const compare = itemOrder(order)
  if (by === null || count >= length) return sorted(items, compare, order).slice(first, first + count)
  sortRange(items, compare, first, first + count - 1)
  return items.slice(first, first + count)
}

function itemOf(element: Uint8Array): SortItem {
  return { element, score: 0, weight: null }
}

/** Finds what each item is sorted by. Returns false if that should be a number and is none. */
function weigh({ db }: Session, items: readonly SortItem[], by: SortPattern | null, isAlpha: boolean): boolean {
  let succeeded = true
  if (isAlpha && by === null) return succeeded
  for (const item of items) {
    const value = by === null ? item.element : by.valueFor(db, item.element)
    if (value === null) continue
    if (isAlpha) item.weight = value
    else {
      const whole = parseSafeInt(value, 0, value.length)
      if (!Number.isNaN(whole)) {
        item.score = whole
        continue
      }
      const end = endOfCString(value, 0, value.length)
      const read = strtod(value, 0, end)
      item.score = read.value
      if (read.end !== end || read.outOfRange || Number.isNaN(read.value)) succeeded = false
    }
  }
  return succeeded
}

function store(
  ctx: Session,
  argv: Argv,
  storeIndex: number,
  items: readonly SortItem[],
  gets: readonly SortPattern[],
  reply: ReplyWriter,
): void {
  const { db } = ctx
  const elements =
    gets.length === 0
      ? items.map(({ element }) => element)
      : items.flatMap(({ element }) => gets.map((get) => get.valueFor(db, element) ?? EMPTY))
  const { bytes } = argv
  const start = argv.starts[storeIndex]!
  const length = argv.lengths[storeIndex]!
  if (elements.length > 0) {
    const { root, encoding } = db.keyspace.types[TYPE_LIST]!.fromElements!(elements)
    db.setValue(bytes, start, length, TYPE_LIST, encoding, root)
    ctx.dirtied(elements.length)
    ctx.touched(db, bytes, start, length)
    ctx.notify(NOTIFY_LIST, 'sortstore', db, bytes, start, length)
  } else {
    // Not as other commands remove: a destination whose time is over was there.
    const old = db.peekOverdue(bytes, start, length)
    if (old !== NO_KEY) {
      db.remove(old)
      ctx.changed(argv, storeIndex, NOTIFY_GENERIC, 'del')
    }
  }
  reply.integer(elements.length)
}
