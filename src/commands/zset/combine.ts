/**
 * ZUNION, ZINTER, ZDIFF numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES], the same with STORE
 * and a destination before all that, and ZINTERCARD numkeys key [key ...] [LIMIT limit].
 * Replies: the members in order; how many were stored; how many there are.
 * Sources are read from the smallest on, which decides in what order scores are added up. Propagated as requested.
 * Source: Redis command reference (since 2.0.0, 6.2.0, 7.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { parseDouble } from '../../base/double-text.ts'
import {
  type CommandDefinition,
  defineCommand,
  KEY_ACCESS,
  KEY_OW,
  KEY_RO,
  KEY_UPDATE,
  type KeySpec,
  keyAt,
} from '../../engine/command.ts'
import { DENYOOM, READONLY, WRITE } from '../../engine/flags.ts'
import { countedKeys } from '../../engine/key-functions.ts'
import type { Session } from '../../engine/session.ts'
import { ENCODING_SKIPLIST } from '../../keyspace/entry.ts'
import { NO_MEMBER } from '../../keyspace/types/zset-members.ts'
import { ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { Source } from './combine-sources.ts'
import { beginMembers, readLong, readLongFrom, replyMember, replyPair, storeResult } from './value.ts'

const ERR_WEIGHT = errorReply('ERR weight value is not a float')
const ERR_LIMIT = errorReply("ERR LIMIT can't be negative")

// How scores become one
const SUM = 0
const MIN = 1
const MAX = 2

type Operation = 'union' | 'inter' | 'diff'

interface Request {
  readonly sources: Source[]
  aggregate: number
  withScores: boolean
  /** 0 = none. */
  limit: number
}

const countedKey = (index: number): KeySpec => ({
  flags: KEY_RO | KEY_ACCESS,
  begin: { kind: 'index', index },
  find: { kind: 'keynum', keyNumIndex: 0, firstKey: 1, step: 1 },
})
const READING = {
  arity: -3,
  flags: READONLY,
  acl: ['sortedset'],
  keys: [countedKey(1)],
  getKeys: countedKeys(0, 1, 2),
} satisfies Partial<CommandDefinition>
const STORING = {
  arity: -4,
  flags: WRITE | DENYOOM,
  acl: ['sortedset'],
  keys: [keyAt(1, KEY_OW | KEY_UPDATE), countedKey(2)],
  getKeys: countedKeys(1, 2, 3),
} satisfies Partial<CommandDefinition>
const UNION_COMPLEXITY = 'O(N)+O(M*log(M)), N being the sum of the sizes of all sources and M the size of the result.'
const INTER_COMPLEXITY =
  'O(N*K)+O(M*log(M)), N being the size of the smallest source, K the number of sources and M the size of the result.'
const DIFF_COMPLEXITY = 'O(L+M*log(M)), L being the sum of the sizes of all sources and M the size of the result.'

export const zunion = defineCommand({
  ...READING,
  name: 'ZUNION',
  doc: {
    group: 'sorted-set',
    since: '6.2.0',
    complexity: UNION_COMPLEXITY,
    summary: 'Returns the members that any of several sorted sets has.',
  },
  run: (ctx, argv, reply) => replyCombined(ctx, argv, 'union', reply),
})

export const zinter = defineCommand({
  ...READING,
  name: 'ZINTER',
  doc: {
    group: 'sorted-set',
    since: '6.2.0',
    complexity: INTER_COMPLEXITY,
    summary: 'Returns the members that all of several sorted sets have.',
  },
  run: (ctx, argv, reply) => replyCombined(ctx, argv, 'inter', reply),
})

export const zdiff = defineCommand({
  ...READING,
  name: 'ZDIFF',
  doc: {
    group: 'sorted-set',
    since: '6.2.0',
    complexity: DIFF_COMPLEXITY,
    summary: 'Returns the members of a sorted set that others do not have.',
  },
  run: (ctx, argv, reply) => replyCombined(ctx, argv, 'diff', reply),
})

export const zintercard = defineCommand({
  ...READING,
  name: 'ZINTERCARD',
  doc: {
    group: 'sorted-set',
    since: '7.0.0',
    complexity: 'O(N*K), N being the size of the smallest source and K the number of sources.',
    summary: 'Returns how many members all of several sorted sets have.',
  },
  run(ctx, argv, reply) {
    const request = readRequest(ctx, argv, 1, 'zintercard', false, false, true, reply)
    if (request === null) return
    const { sources, limit } = request
    sortBySize(sources)
    const [smallest, ...others] = sources
    let count = 0
    smallest!.each((bytes, start, length, hash) => {
      for (const other of others) if (Number.isNaN(other.scoreOf(bytes, start, length, hash))) return true
      count++
      return count !== limit
    })
    reply.integer(count)
  },
})

export const zunionstore = defineCommand({
  ...STORING,
  name: 'ZUNIONSTORE',
  doc: {
    group: 'sorted-set',
    since: '2.0.0',
    complexity: UNION_COMPLEXITY,
    summary: 'Stores the members that any of several sorted sets has.',
  },
  run: (ctx, argv, reply) => storeCombined(ctx, argv, 'union', reply),
})

export const zinterstore = defineCommand({
  ...STORING,
  name: 'ZINTERSTORE',
  doc: {
    group: 'sorted-set',
    since: '2.0.0',
    complexity: INTER_COMPLEXITY,
    summary: 'Stores the members that all of several sorted sets have.',
  },
  run: (ctx, argv, reply) => storeCombined(ctx, argv, 'inter', reply),
})

export const zdiffstore = defineCommand({
  ...STORING,
  name: 'ZDIFFSTORE',
  doc: {
    group: 'sorted-set',
    since: '6.2.0',
    complexity: DIFF_COMPLEXITY,
    summary: 'Stores the members of a sorted set that others do not have.',
  },
  run: (ctx, argv, reply) => storeCombined(ctx, argv, 'diff', reply),
})

function replyCombined(ctx: Session, argv: Argv, operation: Operation, reply: ReplyWriter): void {
  const request = readRequest(ctx, argv, 1, `z${operation}`, operation !== 'diff', true, false, reply)
  if (request === null) return
  combine(ctx, operation, request, false)
  const { zsets } = ctx.db.keyspace
  const { root, encoding } = zsets
  beginMembers(zsets.length(root, encoding), request.withScores, reply)
  for (let more = zsets.seek(root, encoding, 0); more; more = zsets.next()) {
    if (request.withScores) replyPair(zsets, reply)
    else replyMember(zsets, reply)
  }
  ctx.db.keyspace.lazyFree.release(zsets, root, encoding, false)
}

function storeCombined(ctx: Session, argv: Argv, operation: Operation, reply: ReplyWriter): void {
  const event = `z${operation}store`
  const request = readRequest(ctx, argv, 2, event, operation !== 'diff', false, false, reply)
  if (request === null) return
  combine(ctx, operation, request, true)
  storeResult(ctx, argv, 1, event, reply)
}

/** Null: there is a mistake, which has been replied. */
function readRequest(
  { db }: Session,
  argv: Argv,
  countIndex: number,
  name: string,
  weighs: boolean,
  mayShowScores: boolean,
  hasLimit: boolean,
  reply: ReplyWriter,
): Request | null {
  const count = readLong(argv, countIndex, reply)
  if (Number.isNaN(count)) return null
  if (count < 1) {
    reply.errorText(`ERR at least 1 input key is needed for '${name}' command`)
    return null
  }
  if (count > argv.count - countIndex - 1) return refuse(reply)
  const sources: Source[] = []
  let at = countIndex + 1
  for (; sources.length < count; at++) {
    const entry = db.read(argv, at)
    if (!Source.canBe(db, entry)) {
      reply.error(ERR_WRONGTYPE)
      return null
    }
    sources.push(new Source(db, entry))
  }
  const request: Request = { sources, aggregate: SUM, withScores: false, limit: 0 }
  while (at < argv.count) {
    const left = argv.count - at
    if (weighs && !hasLimit && left > count && argv.is(at, 'WEIGHTS')) {
      at++
      for (const source of sources) {
        source.weight = parseDouble(argv.bytes, argv.starts[at]!, argv.starts[at]! + argv.lengths[at]!)
        if (Number.isNaN(source.weight)) {
          reply.error(ERR_WEIGHT)
          return null
        }
        at++
      }
    } else if (weighs && !hasLimit && left >= 2 && argv.is(at, 'AGGREGATE')) {
      if (argv.is(at + 1, 'SUM')) request.aggregate = SUM
      else if (argv.is(at + 1, 'MIN')) request.aggregate = MIN
      else if (argv.is(at + 1, 'MAX')) request.aggregate = MAX
      else return refuse(reply)
      at += 2
    } else if (mayShowScores && argv.is(at, 'WITHSCORES')) {
      request.withScores = true
      at++
    } else if (hasLimit && left >= 2 && argv.is(at, 'LIMIT')) {
      request.limit = readLongFrom(argv, at + 1, 0, reply, ERR_LIMIT)
      if (Number.isNaN(request.limit)) return null
      at += 2
    } else return refuse(reply)
  }
  return request
}

function refuse(reply: ReplyWriter): null {
  reply.error(ERR_SYNTAX)
  return null
}

function sortBySize(sources: Source[]): void {
  sources.sort((a, b) => a.length - b.length)
}

/**
 * Makes the result: `zsets.root` and `zsets.encoding`. It is small only if it is stored, as in Redis: -0, which a listpack
 * does not know, shows the difference.
 */
function combine(ctx: Session, operation: Operation, request: Request, isStored: boolean): void {
  const { zsets } = ctx.db.keyspace
  const { members } = zsets
  const result = new Result(ctx)
  try {
    if (operation === 'union') unite(result, request)
    else if (operation === 'inter') intersect(result, request)
    else subtract(result, request.sources)
    members.order(result.root)
  } catch (error) {
    members.release(result.root)
    throw error
  }
  result.finish(isStored)
}

/** Members that are gathered: in no order yet. */
class Result {
  readonly root
  private readonly zsets
  private longest = 0
  private total = 0

  constructor(ctx: Session) {
    this.zsets = ctx.db.keyspace.zsets
    this.root = this.zsets.members.create()
  }

  reserve(count: number): void {
    const { members } = this.zsets
    members.table.reserve(members.tableOf(this.root), count)
  }

  add(bytes: Uint8Array, start: number, length: number, hash: number, score: number): void {
    this.zsets.members.addUnordered(this.root, hash, score, bytes, start, length)
    if (length > this.longest) this.longest = length
    this.total += length
  }

  /** As `add`, of a member that may be there: its score becomes one with this then. */
  merge(bytes: Uint8Array, start: number, length: number, hash: number, score: number, aggregate: number): void {
    const { members } = this.zsets
    const member = members.find(this.root, hash, bytes, start, length)
    if (member === NO_MEMBER) this.add(bytes, start, length, hash, score)
    else members.putScore(member, aggregated(members.scoreOf(member), score, aggregate))
  }

  /** How many are left after a member was taken out, if it was there. */
  remove(bytes: Uint8Array, start: number, length: number, hash: number): number {
    const { members } = this.zsets
    const member = members.find(this.root, hash, bytes, start, length)
    if (member !== NO_MEMBER) {
      members.removeUnordered(this.root, member)
      this.total -= length
    }
    return members.table.count(members.tableOf(this.root))
  }

  finish(mayShrink: boolean): void {
    const { zsets, root } = this
    zsets.root = root
    zsets.encoding = ENCODING_SKIPLIST
    if (mayShrink) zsets.shrink(root, ENCODING_SKIPLIST, this.longest, this.total)
  }
}

function unite(result: Result, { sources, aggregate }: Request): void {
  sortBySize(sources)
  result.reserve(sources[sources.length - 1]!.length)
  for (const source of sources) {
    source.each((bytes, start, length, hash, score) => {
      result.merge(bytes, start, length, hash, weighted(score, source.weight), aggregate)
      return true
    })
  }
}

function intersect(result: Result, { sources, aggregate }: Request): void {
  sortBySize(sources)
  const [smallest, ...others] = sources
  smallest!.each((bytes, start, length, hash, own) => {
    let score = weighted(own, smallest!.weight)
    for (const other of others) {
      const held = other.scoreOf(bytes, start, length, hash)
      if (Number.isNaN(held)) return true
      score = aggregated(score, held * other.weight, aggregate)
    }
    result.add(bytes, start, length, hash, score)
    return true
  })
}

function subtract(result: Result, sources: readonly Source[]): void {
  const [first, ...others] = sources
  if (first!.length === 0 || others.some((other) => other.entry === first!.entry)) return
  let othersLength = 0
  for (const other of others) othersLength += other.length
  // Few members are looked for in the others; of many those are taken out that the others have.
  if ((first!.length * sources.length) / 2 <= first!.length + othersLength) {
    const largestFirst = [...others].sort((a, b) => b.length - a.length)
    first!.each((bytes, start, length, hash, score) => {
      for (const other of largestFirst) if (!Number.isNaN(other.scoreOf(bytes, start, length, hash))) return true
      result.add(bytes, start, length, hash, score)
      return true
    })
    return
  }
  result.reserve(first!.length)
  first!.each((bytes, start, length, hash, score) => {
    result.add(bytes, start, length, hash, score)
    return true
  })
  for (const other of others) {
    other.each((bytes, start, length, hash) => result.remove(bytes, start, length, hash) > 0)
  }
}

/** Infinity times 0 counts as 0. */
function weighted(score: number, weight: number): number {
  const product = score * weight
  return Number.isNaN(product) ? 0 : product
}

/** The sum of opposite infinities is 0. What is no number loses against what there was, unlike with Math.min. */
function aggregated(held: number, score: number, aggregate: number): number {
  if (aggregate === SUM) {
    const sum = held + score
    return Number.isNaN(sum) ? 0 : sum
  }
  const wins = aggregate === MIN ? score < held : score > held
  return wins ? score : held
}
