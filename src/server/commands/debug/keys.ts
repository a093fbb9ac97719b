/** DEBUG subcommands that look at keys, and the one that makes many: OBJECT, SDSLEN, HTSTATS, POPULATE ... */
import type { Argv } from '../../../base/argv.ts'
import { fixedText } from '../../../base/double-text.ts'
import type { Session } from '../../../engine/session.ts'
import type { Db } from '../../../keyspace/db.ts'
import {
  EMBSTR_BYTES_MAX,
  ENCODING_EMBSTR,
  ENCODING_INT,
  ENCODING_LISTPACK,
  ENCODING_QUICKLIST,
  ENCODING_RAW,
  NO_KEY,
  TYPE_STRING,
} from '../../../keyspace/entry.ts'
import type { Keyspace } from '../../../keyspace/keyspace.ts'
import { lruIdleSeconds } from '../../../keyspace/lru.ts'
import { encodingName } from '../../../keyspace/value-type.ts'
import { GRANULE_BYTES, type Ref } from '../../../memory/arena.ts'
import { ERR_NO_SUCH_KEY } from '../../../resp/errors.ts'
import type { ReplyWriter } from '../../../resp/reply-writer.ts'
import type { TableRef } from '../../../structures/hash-table.ts'
import type { QuicklistRef, Quicklists } from '../../../structures/quicklist.ts'
import { cString } from '../../config/text.ts'
import type { Server } from '../../server.ts'
import { type DebugSubcommand, integerAt, positiveAt } from './arguments.ts'

/** In Redis these integers are objects that all keys share, with a reference count that says so. */
const SHARED_INTEGERS = 10_000
const SHARED_REFCOUNT = 2_147_483_647
/** Longer chains are not told apart (DICT_STATS_VECTLEN). */
const CHAIN_LENGTHS_MAX = 50
/** Room for the name of a key that POPULATE makes, in Redis. */
const NAME_BYTES_MAX = 127

/** The entry at argv[2], overdue or not; NO_KEY after an error reply. */
function keyAt({ db }: Session, argv: Argv, reply: ReplyWriter): Ref {
  const entry = db.peekOverdue(argv.bytes, argv.starts[2]!, argv.lengthBytes(2))
  if (entry === NO_KEY) reply.error(ERR_NO_SUCH_KEY)
  return entry
}

/** As `keyAt`, never an overdue one, and counted among hits and misses, as OBJECT does. */
function countedKeyAt({ db }: Session, argv: Argv, reply: ReplyWriter): Ref {
  const entry = db.peek(argv.bytes, argv.starts[2]!, argv.lengthBytes(2))
  if (entry === NO_KEY) {
    db.keyspace.misses++
    reply.error(ERR_NO_SUCH_KEY)
  } else db.keyspace.hits++
  return entry
}

export const object: DebugSubcommand = {
  name: 'OBJECT',
  countMin: 3,
  countMax: 3,
  help: ['OBJECT <key>', '    Show low level info about `key` and associated value.'],
  run({ persistence, config }, ctx, argv, reply) {
    const entry = keyAt(ctx, argv, reply)
    if (entry === NO_KEY) return
    const { db } = ctx
    const lru = db.lruOf(entry)
    const address = ((entry >>> 0) * GRANULE_BYTES).toString(16)
    const isShared =
      isSharedInteger(db, entry) && (config.fields.maxmemory === 0 || !sparesIntegers(config.fields.maxmemoryPolicy))
    reply.status(
      `Value at:0x${address} refcount:${isShared ? SHARED_REFCOUNT : 1} encoding:${encodingName(db.encodingOf(entry))} ` +
        `serializedlength:${persistence.serializedLength(db, entry)} lru:${lru} lru_seconds_idle:${lruIdleSeconds(lru, db.keyspace)}` +
        (db.encodingOf(entry) === ENCODING_QUICKLIST
          ? quicklistFacts(db.keyspace.lists.quicklists, db.rootOf(entry))
          : ''),
    )
  },
}

function quicklistFacts(quicklists: Quicklists, root: QuicklistRef): string {
  const { nodes } = quicklists
  const nodeCount = quicklists.nodeCount(root)
  let plainBytes = 0
  for (let node = quicklists.head(root); node !== 0; node = nodes.next(node)) plainBytes += nodes.size(node)
  return (
    ` ql_nodes:${nodeCount} ql_avg_node:${fixedText(quicklists.count(root) / nodeCount, 2)} ` +
    `ql_listpack_max:${quicklists.fill(root)} ql_compressed:${quicklists.compressDepth(root) === 0 ? 0 : 1} ` +
    `ql_uncompressed_size:${plainBytes}`
  )
}

function isSharedInteger(db: Db, entry: Ref): boolean {
  if (db.typeOf(entry) !== TYPE_STRING || db.encodingOf(entry) !== ENCODING_INT) return false
  const value = Number(Buffer.from(db.valueView(entry)).toString('latin1'))
  return value >= 0 && value < SHARED_INTEGERS
}

/** Policies that need an LRU or LFU field for each key. */
function sparesIntegers(policy: string): boolean {
  return policy.endsWith('lru') || policy.endsWith('lfu')
}

export const sdslen: DebugSubcommand = {
  name: 'SDSLEN',
  countMin: 3,
  countMax: 3,
  help: ['SDSLEN <key>', '    Show low level SDS string info representing `key` and value.'],
  run(_server, ctx, argv, reply) {
    const entry = keyAt(ctx, argv, reply)
    if (entry === NO_KEY) return
    const { db } = ctx
    if (db.typeOf(entry) !== TYPE_STRING || db.encodingOf(entry) === ENCODING_INT) {
      return reply.errorText('ERR Not an sds encoded string.')
    }
    // Key and value share a block; what is free in it is for the value to grow.
    const keyBytes = db.keyLength(entry)
    const valueBytes = db.valueLength(entry)
    const blockBytes = db.blockBytes(entry)
    const usedBytes = db.valueAt(entry) - db.keyspace.arena.at8(entry) + valueBytes
    reply.status(
      `key_sds_len:${keyBytes}, key_sds_avail:0, key_zmalloc: ${keyBytes}, ` +
        `val_sds_len:${valueBytes}, val_sds_avail:${blockBytes - usedBytes}, val_zmalloc: ${blockBytes - keyBytes}`,
    )
  },
}

export const listpack: DebugSubcommand = {
  name: 'LISTPACK',
  countMin: 3,
  countMax: 3,
  help: ['LISTPACK <key>', '    Show low level info about the listpack encoding of <key>.'],
  run(server, ctx, argv, reply) {
    describe(server, ctx, argv, reply, ENCODING_LISTPACK, 'listpack')
  },
}

export const quicklist: DebugSubcommand = {
  name: 'QUICKLIST',
  countMin: 3,
  countMax: 4,
  help: [
    'QUICKLIST <key> [<0|1>]',
    '    Show low level info about the quicklist encoding of <key>.',
    '    The optional argument (0 by default) sets the level of detail',
  ],
  run(server, ctx, argv, reply) {
    describe(server, ctx, argv, reply, ENCODING_QUICKLIST, 'quicklist')
  },
}

/** Says what there is to say of a value with this encoding to the log, as Redis does to its standard output. */
function describe(server: Server, ctx: Session, argv: Argv, reply: ReplyWriter, encoding: number, name: string): void {
  const { db } = ctx
  const entry = countedKeyAt(ctx, argv, reply)
  if (entry === NO_KEY) return
  if (db.encodingOf(entry) !== encoding) return reply.errorText(`ERR Not a ${name} encoded object.`)
  const type = db.keyspace.types[db.typeOf(entry)]!
  const root = db.rootOf(entry)
  server.logger.warning(`${name}: ${type.length(root, encoding)} elements, ${type.sizeBytes(root, encoding, 0)} bytes`)
  reply.status(`${name[0]!.toUpperCase()}${name.slice(1)} structure printed on stdout`)
}

export const htstats: DebugSubcommand = {
  name: 'HTSTATS',
  countMin: 3,
  countMax: 3,
  help: ['HTSTATS <dbid>', '    Return hash table statistics of the specified Redis database.'],
  run(_server, { engine }, argv, reply) {
    const index = integerAt(argv, 2, reply)
    if (index === null) return
    const db = engine.keyspace.databases[index]
    if (db === undefined) return reply.errorText('ERR Out of range database')
    const [keys, expires] = db.tables()
    const { keyspace } = engine
    reply.verbatim(
      `[Dictionary HT]\n${tableReport(keyspace, keys!.table)}[Expires HT]\n${tableReport(keyspace, expires!.table)}`,
      'txt',
    )
  },
}

export const htstatsKey: DebugSubcommand = {
  name: 'HTSTATS-KEY',
  countMin: 3,
  countMax: 3,
  help: ['HTSTATS-KEY <key>', "    Like HTSTATS but for the hash table stored at <key>'s value."],
  run(_server, ctx, argv, reply) {
    const { db } = ctx
    const entry = countedKeyAt(ctx, argv, reply)
    if (entry === NO_KEY) return
    const table = db.keyspace.types[db.typeOf(entry)]?.table?.(db.rootOf(entry), db.encodingOf(entry)) ?? 0
    if (table === 0) {
      return reply.errorText('ERR The value stored at the specified key is not represented using an hash table')
    }
    reply.verbatim(tableReport(db.keyspace, table), 'txt')
  },
}

/** A bucket here is what a slot is in Redis, and its chain all entries in it. */
function tableReport(keyspace: Keyspace, table: TableRef): string {
  const main = halfReport(keyspace, table, 0)
  return keyspace.table.isRehashing(table) ? main + halfReport(keyspace, table, 1) : main
}

function halfReport({ table: tables }: Keyspace, table: TableRef, which: 0 | 1): string {
  const heading = `Hash table ${which} stats (${which === 0 ? 'main hash table' : 'rehashing target'}):\n`
  const elements = tables.usedIn(table, which)
  if (elements === 0) return `${heading}No stats available for empty dictionaries\n`
  const histogram = tables.chainHistogram(table, which)
  let buckets = 0
  for (const count of histogram) buckets += count ?? 0
  const filled = buckets - (histogram[0] ?? 0)
  const average = fixedText(Math.fround(elements / filled), 2)
  let text =
    `${heading} table size: ${buckets}\n number of elements: ${elements}\n different slots: ${filled}\n` +
    ` max chain length: ${histogram.length - 1}\n avg chain length (counted): ${average}\n` +
    ` avg chain length (computed): ${average}\n Chain length distribution:\n`
  for (let length = 0; length < Math.min(histogram.length, CHAIN_LENGTHS_MAX - 1); length++) {
    const count = histogram[length]
    if (count) text += `   ${length}: ${count} (${fixedText((count * 100) / buckets, 2)}%)\n`
  }
  return text
}

export const populate: DebugSubcommand = {
  name: 'POPULATE',
  countMin: 3,
  countMax: 5,
  help: [
    'POPULATE <count> [<prefix>] [<size>]',
    '    Create <count> string keys named key:<num>. If <prefix> is specified then',
    "    it is used instead of the 'key' prefix. These are not propagated to",
    '    replicas. Cluster slots are not respected so keys not belonging to the',
    '    current node can be created in cluster mode.',
  ],
  run(_server, ctx, argv, reply) {
    const { db } = ctx
    const count = positiveAt(argv, 2, reply)
    if (count === null) return
    const sizeBytes = argv.count === 5 ? positiveAt(argv, 4, reply) : 0
    if (sizeBytes === null) return
    const prefix = argv.count > 3 ? cString(argv.latin1(3)) : 'key'
    db.reserve(db.size + count, db.expiresSize)
    const fill = new Uint8Array(sizeBytes)
    for (let i = 0; i < count; i++) {
      // Redis has room for so many characters of name.
      const key = Buffer.from(`${prefix}:${i}`.slice(0, NAME_BYTES_MAX), 'latin1')
      if (db.peek(key, 0, key.length) !== NO_KEY) continue
      let value: Uint8Array = Buffer.from(`value:${i}`, 'latin1')
      if (sizeBytes > 0) {
        fill.set(value.subarray(0, sizeBytes))
        value = fill
      }
      const encoding = value.length <= EMBSTR_BYTES_MAX ? ENCODING_EMBSTR : ENCODING_RAW
      db.setString(key, 0, key.length, value, 0, value.length, encoding, false)
      ctx.touched(db, key, 0, key.length)
    }
    reply.ok()
  },
}
