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
import { NO_TEXT, TextPool } from '../../../base/text-pool.ts'
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
import { NO_KEY, TYPE_LIST, WRONG_TYPE } from '../../../keyspace/entry.ts'
import type { Sortable } from '../../../keyspace/value-type.ts'
import type { Ref } from '../../../memory/arena.ts'
import { ERR_WRONGTYPE, errorReply } from '../../../resp/errors.ts'
import type { ReplyWriter } from '../../../resp/reply-writer.ts'
import { readSortOptions, type SortOptions } from './options.ts'
import { itemOrder, sortRange, type Texts } from './order.ts'
import { SortPattern } from './pattern.ts'
import { allItems, sortedItems } from './radix-order.ts'
import { replyInOrder } from './whole-numbers.ts'

const ERR_NO_DOUBLE = errorReply("ERR One or more scores can't be converted into double")
const EMPTY = new Uint8Array(0)
const NO_ITEMS = new Int32Array(0)

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
  const source = openSource(ctx, argv, options)
  if (source === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  if (source !== NO_KEY && isPlain(options)) {
    const numbers = source.sortable.wholeNumbers?.(source.root, source.encoding) ?? null
    if (numbers !== null) return replyInOrder(numbers, source.first, source.count, options.isDescending, reply)
  }
  const result =
    source === NO_KEY ? { elements: new TextPool(), items: NO_ITEMS } : sortSource(ctx, argv, options, source)
  if (result === null) return reply.error(ERR_NO_DOUBLE)
  const gets = options.getIndices.map((index) => new SortPattern(argv.copyOf(index)))
  if (options.storeIndex !== 0) return store(ctx, argv, options.storeIndex, result, gets, reply)
  reply.array(result.items.length * Math.max(1, gets.length))
  if (gets.length === 0) replyElements(result, reply)
  else replyGets(ctx, result, gets, reply)
}

/** The elements are to be replied, sorted by the numbers that they are. */
function isPlain({ byIndex, isAlpha, getIndices, storeIndex }: SortOptions): boolean {
  return byIndex === 0 && !isAlpha && getIndices.length === 0 && storeIndex === 0
}

/** What is to be sorted, and which part of it is wanted. */
interface Source {
  readonly sortable: Sortable
  readonly root: Ref
  readonly encoding: number
  readonly length: number
  readonly first: number
  readonly count: number
}

function openSource(
  { db }: Session,
  argv: Argv,
  { offset, count }: SortOptions,
): Source | typeof NO_KEY | typeof WRONG_TYPE {
  const entry = db.read(argv, 1)
  if (entry === NO_KEY) return NO_KEY
  const type = db.keyspace.types[db.typeOf(entry)]
  const sortable = type?.sortable
  if (type === undefined || sortable === undefined) return WRONG_TYPE
  sortable.prepare?.(db, entry)
  const root = db.rootOf(entry)
  const encoding = db.encodingOf(entry)
  const length = type.length(root, encoding)
  const first = Math.min(Math.max(offset, 0), length)
  return {
    sortable,
    root,
    encoding,
    length,
    first,
    count: count < 0 ? length - first : Math.min(count, length - first),
  }
}

function replyElements({ elements, items }: Sorted, reply: ReplyWriter): void {
  const { bytes, starts, lengths } = elements
  for (let i = 0; i < items.length; i++) reply.bulk(bytes, starts[items[i]!]!, lengths[items[i]!]!)
}

function replyGets(
  { db }: Session,
  { elements, items }: Sorted,
  gets: readonly SortPattern[],
  reply: ReplyWriter,
): void {
  const { bytes, starts, lengths } = elements
  for (const item of items) {
    for (const get of gets) {
      if (get.find(db, bytes, starts[item]!, lengths[item]!)) reply.bulk(get.bytes, get.start, get.length)
      else reply.null()
    }
  }
}

interface Sorted {
  readonly elements: TextPool
  /** The numbers of those that are to be returned, in order. */
  readonly items: Int32Array
}

/** Returns null if something is no number. */
function sortSource(ctx: Session, argv: Argv, options: SortOptions, source: Source): Sorted | null {
  const { sortable, root, encoding, length, first, count } = source
  // What has no order of its own, and is stored, must be the same on every server that runs the command.
  const mustSort = options.keepsOrder && !sortable.isOrdered && options.storeIndex !== 0
  if (options.keepsOrder && !mustSort) {
    const isReversed = sortable.isOrdered && options.isDescending
    const elements = sortable.elements(root, encoding, first, count, isReversed)
    return { elements, items: allItems(elements.count) }
  }
  const by = options.byIndex === 0 || mustSort ? null : new SortPattern(argv.copyOf(options.byIndex))
  const isAlpha = options.isAlpha || mustSort
  const elements = sortable.elements(root, encoding, 0, length, false)
  const scores = isAlpha ? null : new Float64Array(length)
  let texts: Texts = elements
  let isExact = false
  if (scores === null) {
    const all = by === null ? elements : weightsOf(ctx, elements, by)
    // What is stored must not depend on a locale: zero bytes count, which C's strcoll does not see.
    texts = options.storeIndex === 0 ? asCStrings(all) : all
  } else {
    if (by === null) isExact = scoreElements(elements, scores)
    else scoreByWeight(ctx, elements, by, scores)
    if (scores.includes(Number.NaN)) return null
  }
  const { isDescending } = options
  if (by === null || count >= length) {
    const items = sortedItems({ count: length, scores, texts, isExact, isDescending })
    return { elements, items: items.subarray(first, first + count) }
  }
  const items = allItems(length)
  sortRange(items, itemOrder(scores, texts, isDescending), first, first + count - 1)
  return { elements, items: items.subarray(first, first + count) }
}

/** The number that each element is, NaN if it is none. Returns whether those of equal numbers have equal texts. */
function scoreElements({ bytes, starts, lengths }: TextPool, scores: Float64Array): boolean {
  let isExact = true
  for (let i = 0; i < scores.length; i++) {
    const end = starts[i]! + lengths[i]!
    const whole = parseSafeInt(bytes, starts[i]!, end)
    // There is but one such text of a whole number.
    if (!Number.isNaN(whole)) scores[i] = whole
    else {
      isExact = false
      scores[i] = scoreOf(bytes, starts[i]!, end)
    }
  }
  return isExact
}

/** The number that BY leads to from each element: 0 if there is nothing, NaN if it is no number. */
function scoreByWeight({ db }: Session, elements: TextPool, by: SortPattern, scores: Float64Array): void {
  const { bytes, starts, lengths } = elements
  for (let i = 0; i < scores.length; i++) {
    if (!by.find(db, bytes, starts[i]!, lengths[i]!)) continue
    const end = by.start + by.length
    const whole = parseSafeInt(by.bytes, by.start, end)
    scores[i] = Number.isNaN(whole) ? scoreOf(by.bytes, by.start, end) : whole
  }
}

/** A number as C reads it, NaN if bytes[start, end) is none. */
function scoreOf(bytes: Uint8Array, start: number, end: number): number {
  const textEnd = endOfCString(bytes, start, end)
  const read = strtod(bytes, start, textEnd)
  return read.end === textEnd && !read.outOfRange ? read.value : Number.NaN
}

/** The text that BY leads to from each element, or none. */
function weightsOf({ db }: Session, elements: TextPool, by: SortPattern): TextPool {
  const { bytes, starts, lengths, count } = elements
  const weights = new TextPool(count)
  for (let i = 0; i < count; i++) {
    if (by.find(db, bytes, starts[i]!, lengths[i]!)) weights.push(by.bytes, by.start, by.length)
    else weights.pushNone()
  }
  return weights
}

/** The texts as far as C sees them: up to the first zero byte. */
function asCStrings({ bytes, starts, lengths, count }: TextPool): Texts {
  const visible = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const start = starts[i]!
    visible[i] = lengths[i] === NO_TEXT ? NO_TEXT : endOfCString(bytes, start, start + lengths[i]!) - start
  }
  return { bytes, starts, lengths: visible }
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
  const stored = new TextPool(items.length)
  for (const item of items) {
    const start = elements.starts[item]!
    const length = elements.lengths[item]!
    if (gets.length === 0) stored.push(elements.bytes, start, length)
    for (const get of gets) {
      if (get.find(db, elements.bytes, start, length)) stored.push(get.bytes, get.start, get.length)
      else stored.push(EMPTY, 0, 0)
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
