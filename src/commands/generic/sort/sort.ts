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
import { TextPool } from '../../../base/text-pool.ts'
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
  const result = sortedItems(ctx, argv, options)
  if (typeof result === 'string') return reply.error(result === 'wrong-type' ? ERR_WRONGTYPE : ERR_NO_DOUBLE)
  const gets = options.getIndices.map((index) => new SortPattern(argv.copyOf(index)))
  if (options.storeIndex !== 0) return store(ctx, argv, options.storeIndex, result, gets, reply)
  const { elements, items } = result
  reply.array(items.length * Math.max(1, gets.length))
  for (const { index } of items) {
    if (gets.length === 0) reply.bulk(elements.bytes, elements.starts[index]!, elements.lengths[index]!)
    for (const get of gets) {
      const value = get.valueFor(ctx.db, elements.view(index))
      if (value === null) reply.null()
      else reply.bulkBytes(value)
    }
  }
}

interface Sorted {
  readonly elements: TextPool
  /** Those that are to be returned, in order. */
  readonly items: readonly SortItem[]
}

function sortedItems(ctx: Session, argv: Argv, options: SortOptions): Sorted | 'wrong-type' | 'no-double' {
  const { db } = ctx
  const entry = db.read(argv, 1)
  if (entry === NO_KEY) return { elements: new TextPool(), items: [] }
  const type = db.keyspace.types[db.typeOf(entry)]
  const sortable = type?.sortable
  if (type === undefined || sortable === undefined) return 'wrong-type'
  sortable.prepare?.(db, entry)
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
    const elements = sortable.elements(root, encoding, first, count, isReversed)
    return { elements, items: itemsOf(elements) }
  }
  const elements = sortable.elements(root, encoding, 0, length, false)
  const items = itemsOf(elements)
  const by = options.byIndex === 0 || mustSort ? null : new SortPattern(argv.copyOf(options.byIndex))
  if (!weigh(ctx, elements, items, by, isAlpha)) return 'no-double'
  const { isDescending } = options
  const order = { isDescending, isAlpha, hasWeights: by !== null, isStored: options.storeIndex !== 0 }
  const compare = itemOrder(elements, order)
  if (by === null || count >= length) {
    return { elements, items: sorted(elements, items, compare, order).slice(first, first + count) }
  }
  sortRange(items, compare, first, first + count - 1)
  return { elements, items: items.slice(first, first + count) }
}

function itemsOf(elements: TextPool): SortItem[] {
  const items = new Array<SortItem>(elements.count)
  for (let index = 0; index < elements.count; index++) items[index] = { index, score: 0, weight: null }
  return items
}

/** Finds what each item is sorted by. Returns false if that should be a number and is none. */
function weigh(
  { db }: Session,
  elements: TextPool,
  items: readonly SortItem[],
  by: SortPattern | null,
  isAlpha: boolean,
): boolean {
  let succeeded = true
  if (isAlpha && by === null) return succeeded
  for (const item of items) {
    if (by === null) {
      const start = elements.starts[item.index]!
      if (!scoreFrom(item, elements.bytes, start, start + elements.lengths[item.index]!)) succeeded = false
      continue
    }
    const value = by.valueFor(db, elements.view(item.index))
    if (value === null) continue
    if (isAlpha) item.weight = value
    else if (!scoreFrom(item, value, 0, value.length)) succeeded = false
  }
  return succeeded
}

/** Returns false if bytes[start, end) is no number. */
function scoreFrom(item: SortItem, bytes: Uint8Array, start: number, end: number): boolean {
  const whole = parseSafeInt(bytes, start, end)
  if (!Number.isNaN(whole)) {
    item.score = whole
    return true
  }
  const textEnd = endOfCString(bytes, start, end)
  const read = strtod(bytes, start, textEnd)
  item.score = read.value
  return read.end === textEnd && !read.outOfRange && !Number.isNaN(read.value)
}

function store(
  ctx: Session,
  argv: Argv,
  storeIndex: number,
  { elements, items }: Sorted,
  gets: readonly SortPattern[],
  reply: ReplyWriter,
): void {
  const { db } = ctx
  const stored = new TextPool()
  for (const { index } of items) {
    if (gets.length === 0) stored.push(elements.bytes, elements.starts[index]!, elements.lengths[index]!)
    for (const get of gets) {
      const value = get.valueFor(db, elements.view(index)) ?? EMPTY
      stored.push(value, 0, value.length)
    }
  }
  const { bytes } = argv
  const start = argv.starts[storeIndex]!
  const length = argv.lengths[storeIndex]!
  if (stored.count > 0) {
    const { root, encoding } = db.keyspace.types[TYPE_LIST]!.fromElements!(stored)
    db.setValue(bytes, start, length, TYPE_LIST, encoding, root)
    ctx.dirtied(stored.count)
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
  reply.integer(stored.count)
}
