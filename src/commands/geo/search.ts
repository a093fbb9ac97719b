/**
 * GEOSEARCH, GEOSEARCHSTORE, and the older GEORADIUS, GEORADIUSBYMEMBER with their read-only forms: the places of a sorted set
 * that lie in a circle or box. Replies: members with what was asked for of each; how many were stored.
 * Propagated as requested. Source: Redis command reference (since 3.2.0, 3.2.10, 6.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import { fixedPointText } from '../../base/double-text.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_OW,
  KEY_RO,
  KEY_UPDATE,
  type KeySpec,
  keyAt,
} from '../../engine/command.ts'
import { DENYOOM, READONLY, WRITE } from '../../engine/flags.ts'
import { NOTIFY_GENERIC } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { ENCODING_SKIPLIST, NO_KEY, TYPE_ZSET, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { sortRange } from '../generic/sort/order.ts'
import { storeResult } from '../zset/value.ts'
import { cellsToSearch } from './area.ts'
import { Place } from './geohash.ts'
import { readLongLat } from './place-arguments.ts'
import { DISTANCE_DECIMALS, scoreAt } from './position.ts'
import { replyCoordinates } from './reply-place.ts'
import { FARTHEST_FIRST, NEAREST_FIRST, type SearchForm, SearchOptions, UNSORTED } from './search-options.ts'
import { compareDistances, type FoundPlace, placeFinder } from './shape-filter.ts'

const READING = {
  flags: READONLY,
  acl: ['geo'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
} satisfies Partial<CommandDefinition>
const COMPLEXITY =
  'O(N+log(M)), N being the number of places in the cells around the shape and M the number of places in the sorted set.'

/** The key behind a word. */
const keyBehind = (keyword: string, startFrom: number): KeySpec => ({
  flags: KEY_OW | KEY_UPDATE,
  begin: { kind: 'keyword', keyword, startFrom },
  find: { kind: 'range', lastKey: 0, step: 1, limit: 0 },
})

const WORDS: SearchForm = { isByWords: true, mayStore: false, isStore: false }
const WORDS_STORE: SearchForm = { isByWords: true, mayStore: false, isStore: true }
const RADIUS: SearchForm = { isByWords: false, mayStore: true, isStore: false }
const RADIUS_RO: SearchForm = { isByWords: false, mayStore: false, isStore: false }

export const geosearch = defineCommand({
  ...READING,
  name: 'GEOSEARCH',
  arity: -7,
  doc: { group: 'geo', since: '6.2.0', complexity: COMPLEXITY, summary: 'Returns the places in a circle or box.' },
  run: (ctx, argv, reply) => search(ctx, argv, 1, WORDS, reply),
})

export const geosearchstore = defineCommand({
  name: 'GEOSEARCHSTORE',
  arity: -8,
  flags: WRITE | DENYOOM,
  acl: ['geo'],
  keys: [keyAt(1, KEY_OW | KEY_UPDATE), keyAt(2, KEY_RO | KEY_ACCESS)],
  doc: { group: 'geo', since: '6.2.0', complexity: COMPLEXITY, summary: 'Stores the places in a circle or box.' },
  run: (ctx, argv, reply) => search(ctx, argv, 2, WORDS_STORE, reply),
})

export const georadius = defineCommand({
  name: 'GEORADIUS',
  arity: -6,
  flags: WRITE | DENYOOM,
  acl: ['geo'],
  keys: [firstKey(KEY_RO | KEY_ACCESS), keyBehind('STORE', 6), keyBehind('STOREDIST', 6)],
  doc: {
    group: 'geo',
    since: '3.2.0',
    complexity: COMPLEXITY,
    summary: 'Returns or stores the places around a point.',
  },
  run: (ctx, argv, reply) => searchAroundPoint(ctx, argv, RADIUS, reply),
})

export const georadiusRo = defineCommand({
  ...READING,
  name: 'GEORADIUS_RO',
  arity: -6,
  doc: { group: 'geo', since: '3.2.10', complexity: COMPLEXITY, summary: 'Returns the places around a point.' },
  run: (ctx, argv, reply) => searchAroundPoint(ctx, argv, RADIUS_RO, reply),
})

export const georadiusbymember = defineCommand({
  name: 'GEORADIUSBYMEMBER',
  arity: -5,
  flags: WRITE | DENYOOM,
  acl: ['geo'],
  keys: [firstKey(KEY_RO | KEY_ACCESS), keyBehind('STORE', 5), keyBehind('STOREDIST', 5)],
  doc: {
    group: 'geo',
    since: '3.2.0',
    complexity: COMPLEXITY,
    summary: 'Returns or stores the places around a member.',
  },
  run: (ctx, argv, reply) => searchAroundMember(ctx, argv, RADIUS, reply),
})

export const georadiusbymemberRo = defineCommand({
  ...READING,
  name: 'GEORADIUSBYMEMBER_RO',
  arity: -5,
  doc: { group: 'geo', since: '3.2.10', complexity: COMPLEXITY, summary: 'Returns the places around a member.' },
  run: (ctx, argv, reply) => searchAroundMember(ctx, argv, RADIUS_RO, reply),
})

function search(ctx: Session, argv: Argv, keyIndex: number, form: SearchForm, reply: ReplyWriter): void {
  const entry = ctx.db.readTyped(argv, keyIndex, TYPE_ZSET)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const options = new SearchOptions()
  if (form.isStore) options.storeIndex = 1
  const locate = entry === NO_KEY ? null : (index: number) => locateMember(ctx, entry, argv, index, options)
  if (options.read(argv, keyIndex + 1, form, locate, reply)) answer(ctx, argv, entry, options, form, reply)
}

function searchAroundPoint(ctx: Session, argv: Argv, form: SearchForm, reply: ReplyWriter): void {
  const entry = ctx.db.readTyped(argv, 1, TYPE_ZSET)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const options = new SearchOptions()
  if (!readLongLat(argv, 2, options.shape, reply) || !options.shape.readRadius(argv, 4, reply)) return
  if (options.read(argv, 6, form, null, reply)) answer(ctx, argv, entry, options, form, reply)
}

function searchAroundMember(ctx: Session, argv: Argv, form: SearchForm, reply: ReplyWriter): void {
  const entry = ctx.db.readTyped(argv, 1, TYPE_ZSET)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const options = new SearchOptions()
  if (entry !== NO_KEY) {
    if (!locateMember(ctx, entry, argv, 2, options)) {
      options.refuseMember(reply)
      return
    }
    if (!options.shape.readRadius(argv, 3, reply)) return
  }
  if (options.read(argv, 5, form, null, reply)) answer(ctx, argv, entry, options, form, reply)
}

function locateMember({ db }: Session, entry: Ref, argv: Argv, index: number, { shape }: SearchOptions): boolean {
  const score = scoreAt(db, entry, argv, index)
  if (Number.isNaN(score)) return false
  const place = new Place()
  place.decode(score)
  shape.longitude = place.longitude
  shape.latitude = place.latitude
  return true
}

function answer(
  ctx: Session,
  argv: Argv,
  entry: Ref,
  options: SearchOptions,
  form: SearchForm,
  reply: ReplyWriter,
): void {
  const found = entry === NO_KEY ? [] : find(ctx, entry, options)
  const { count, storeIndex } = options
  const kept = count === 0 || found.length <= count ? found.length : count
  // Who asks for some and does not say which gets the nearest.
  const order = options.order === UNSORTED && count !== 0 && !options.isAny ? NEAREST_FIRST : options.order
  if (order !== UNSORTED) {
    const compare =
      order === FARTHEST_FIRST ? (a: FoundPlace, b: FoundPlace) => -compareDistances(a, b) : compareDistances
    if (kept === found.length) found.sort(compare)
    else sortRange(found, compare, 0, kept - 1)
  }
  found.length = kept
  if (storeIndex !== 0) store(ctx, argv, found, options, form, reply)
  else replyPlaces(found, options, reply)
}

/** The places in the shape, cell by cell. */
function find(ctx: Session, entry: Ref, { shape, isAny, count }: SearchOptions): FoundPlace[] {
  const { db } = ctx
  const { zsets } = db.keyspace
  const root = db.rootOf(entry)
  const encoding = db.encodingOf(entry)
  const found: FoundPlace[] = []
  const limit = isAny ? count : Number.POSITIVE_INFINITY
  const finder = placeFinder(shape)
  for (const cell of cellsToSearch(shape)) {
    if (found.length >= limit) break
    const end = cell.scoreEnd
    let more = zsets.seekScore(root, encoding, cell.scoreMin)
    for (; more && found.length < limit; more = zsets.next()) {
      const { score } = zsets
      if (score >= end) break
      const place = finder(score)
      if (place === null) continue
      place.member = zsets.bytes.slice(zsets.start, zsets.start + zsets.lengthBytes)
      found.push(place)
    }
  }
  return found
}

function replyPlaces(found: readonly FoundPlace[], options: SearchOptions, reply: ReplyWriter): void {
  const { withDistance, withHash, withCoordinates, shape } = options
  const details = Number(withDistance) + Number(withHash) + Number(withCoordinates)
  reply.array(found.length)
  for (const place of found) {
    if (details > 0) reply.array(details + 1)
    reply.bulkBytes(place.member)
    if (withDistance) reply.bulkLatin1(fixedPointText(place.meters / shape.metersPerUnit, DISTANCE_DECIMALS))
    if (withHash) replyHash(place.score, reply)
    if (withCoordinates) replyCoordinates(place.longitude, place.latitude, reply)
  }
}

function replyHash(score: number, reply: ReplyWriter): void {
  const whole = Math.trunc(score)
  if (Number.isSafeInteger(whole)) reply.integer(whole)
  else reply.integer64(BigInt(whole))
}

function store(
  ctx: Session,
  argv: Argv,
  found: readonly FoundPlace[],
  options: SearchOptions,
  form: SearchForm,
  reply: ReplyWriter,
): void {
  const { db } = ctx
  const { zsets } = db.keyspace
  const { members } = zsets
  const { storeIndex, storesDistance, shape } = options
  if (found.length === 0) {
    const start = argv.starts[storeIndex]!
    const length = argv.lengths[storeIndex]!
    if (db.removeKey(argv.bytes, start, length)) ctx.changedKey(argv.bytes, start, length, NOTIFY_GENERIC, 'del')
    return reply.integer(0)
  }
  const root = members.create()
  let longest = 0
  let total = 0
  try {
    for (const place of found) {
      const { member } = place
      const score = storesDistance ? place.meters / shape.metersPerUnit : place.score
      members.add(root, members.hashOf(member, 0, member.length), score, member, 0, member.length)
      longest = Math.max(longest, member.length)
      total += member.length
    }
    zsets.shrink(root, ENCODING_SKIPLIST, longest, total)
  } catch (error) {
    members.release(root)
    throw error
  }
  storeResult(ctx, argv, storeIndex, form.isByWords ? 'geosearchstore' : 'georadiusstore', reply)
  ctx.dirtied(found.length - 1)
}
