/**
 * DUMP, RESTORE and RESTORE-ASKING: a value as bytes that any Redis of this or a newer version can take.
 *
 * RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]
 * The order of its errors: options, key taken, ttl, checksum, data. Propagated with the expire time made absolute and
 * ABSTTL behind it; as DEL if the moment is past and a key made way.
 * Source: Redis command reference; cluster.c.
 */
import type { Argv } from '../../base/argv.ts'
import { type Command, defineCommand, firstKey, KEY_ACCESS, KEY_OW, KEY_RO, KEY_UPDATE } from '../../engine/command.ts'
import { ASKING, DENYOOM, READONLY, WRITE } from '../../engine/flags.ts'
import { NOTIFY_GENERIC } from '../../engine/notifications.ts'
import { FROM_MASTER, LOADER, type Session } from '../../engine/session.ts'
import { type Db, stringEncoding } from '../../keyspace/db.ts'
import { EXPIRE_DELETE, NO_KEY } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_BUSYKEY, ERR_NOT_INTEGER, ERR_SYNTAX, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import type { Persistence } from '../persistence.ts'
import { RDB_STRING } from '../rdb/format.ts'
import { isPayloadIntact } from '../rdb/payload.ts'
import { RdbError } from '../rdb/rdb-error.ts'
import { RdbSource } from '../rdb/rdb-source.ts'
import { usageField } from '../rdb/usage.ts'

const ERR_IDLE_TIME = errorReply('ERR Invalid IDLETIME value, must be >= 0')
const ERR_FREQUENCY = errorReply('ERR Invalid FREQ value, must be >= 0 and <= 255')
const ERR_TTL = errorReply('ERR Invalid TTL value, must be >= 0')
const ERR_PAYLOAD = errorReply('ERR DUMP payload version or checksum are wrong')
const ERR_DATA = errorReply('ERR Bad data format')
const FREQUENCY_MAX = 255n
const NOT_GIVEN = -1n

interface RestoreOptions {
  replaces: boolean
  isAbsolute: boolean
  idleSeconds: bigint
  frequency: bigint
}

export function dumpCommands(persistence: () => Persistence): readonly Command[] {
  const restoreKey = (ctx: Session, argv: Argv, reply: ReplyWriter) => restore(persistence(), ctx, argv, reply)
  const restoreDefinition = {
    arity: -4,
    acl: ['keyspace', 'dangerous'],
    keys: [firstKey(KEY_OW | KEY_UPDATE)],
    run: restoreKey,
  }
  const complexity =
    'O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).'
  return [
    defineCommand({
      name: 'DUMP',
      arity: 2,
      flags: READONLY,
      acl: ['keyspace'],
      keys: [firstKey(KEY_RO | KEY_ACCESS)],
      tips: ['nondeterministic_output'],
      doc: {
        group: 'generic',
        since: '2.6.0',
        complexity:
          'O(1) to access the key and additional O(N*M) to serialize it, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1).',
        summary: 'Returns the value of a key as bytes that RESTORE understands.',
      },
      run(ctx, argv, reply) {
        const entry = ctx.db.read(argv, 1)
        if (entry === NO_KEY) reply.null()
        else reply.bulkBytes(persistence().dump(ctx.db, entry))
      },
    }),
    defineCommand({
      ...restoreDefinition,
      name: 'RESTORE',
      flags: WRITE | DENYOOM,
      doc: { group: 'generic', since: '2.6.0', complexity, summary: 'Makes a key out of what DUMP returned.' },
    }),
    defineCommand({
      ...restoreDefinition,
      name: 'RESTORE-ASKING',
      flags: WRITE | DENYOOM | ASKING,
      doc: {
        group: 'server',
        since: '3.0.0',
        complexity,
        summary: 'RESTORE for keys that move between the nodes of a cluster.',
      },
    }),
  ]
}

function restore(persistence: Persistence, ctx: Session, argv: Argv, reply: ReplyWriter): void {
  const options = readOptions(argv, reply)
  if (options === null) return
  const { db } = ctx
  if (!options.replaces && db.write(argv, 1) !== NO_KEY) return reply.error(ERR_BUSYKEY)
  const ttl = argv.int64(2)
  if (ttl === null) return reply.error(ERR_NOT_INTEGER)
  if (ttl < 0n) return reply.error(ERR_TTL)
  const { bytes } = argv
  const start = argv.starts[3]!
  const end = start + argv.lengths[3]!
  if (!isPayloadIntact(bytes, start, end, persistence.settings.skipsChecksum)) return reply.error(ERR_PAYLOAD)
  const value = readValue(persistence, ctx, bytes, start, end)
  if (value === null) return reply.error(ERR_DATA)

  const keyStart = argv.starts[1]!
  const keyLength = argv.lengths[1]!
  const old = options.replaces ? db.peekOverdue(bytes, keyStart, keyLength) : NO_KEY
  if (old !== NO_KEY) db.remove(old)
  const nowMs = BigInt(ctx.nowMs)
  // As in Redis the sum wraps.
  const expireAtMs = ttl === 0n || options.isAbsolute ? ttl : BigInt.asIntN(64, ttl + nowMs)
  if (ttl !== 0n && expireAtMs <= nowMs && db.keyspace.expireMode === EXPIRE_DELETE && !ctx.has(LOADER | FROM_MASTER)) {
    value.discard()
    if (old !== NO_KEY) {
      ctx.changed(argv, 1, NOTIFY_GENERIC, 'del')
      if (ctx.engine.effects.isActive) ctx.replaceEffect(['DEL', argv.view(1)])
    }
    reply.ok()
    return
  }
  let entry = value.add(db, bytes, keyStart, keyLength)
  if (ttl !== 0n)
    entry = db.setExpire(entry, Number.isSafeInteger(Number(expireAtMs)) ? Number(expireAtMs) : expireAtMs)
  const { keyspace } = db
  const usage = usageField(keyspace, persistence.settings.usage, Number(options.idleSeconds), Number(options.frequency))
  if (usage >= 0) db.setLru(entry, usage)
  ctx.changed(argv, 1, NOTIFY_GENERIC, 'restore')
  if (ttl !== 0n && !options.isAbsolute && ctx.engine.effects.isActive) {
    const parts: (string | Uint8Array)[] = []
    for (let i = 0; i < argv.count; i++) parts.push(i === 2 ? String(expireAtMs) : argv.view(i))
    ctx.replaceEffect([...parts, 'ABSTTL'])
  }
  reply.ok()
}

/** Writes the error and returns null if something is wrong with them. */
function readOptions(argv: Argv, reply: ReplyWriter): RestoreOptions | null {
  const options: RestoreOptions = { replaces: false, isAbsolute: false, idleSeconds: NOT_GIVEN, frequency: NOT_GIVEN }
  for (let i = 4; i < argv.count; i++) {
    const isLast = i === argv.count - 1
    if (argv.is(i, 'REPLACE')) options.replaces = true
    else if (argv.is(i, 'ABSTTL')) options.isAbsolute = true
    else if (argv.is(i, 'IDLETIME') && !isLast && options.frequency === NOT_GIVEN) {
      const idleSeconds = argv.int64(++i)
      if (idleSeconds === null) return refuse(reply, ERR_NOT_INTEGER)
      if (idleSeconds < 0n) return refuse(reply, ERR_IDLE_TIME)
      options.idleSeconds = idleSeconds
    } else if (argv.is(i, 'FREQ') && !isLast && options.idleSeconds === NOT_GIVEN) {
      const frequency = argv.int64(++i)
      if (frequency === null) return refuse(reply, ERR_NOT_INTEGER)
      if (frequency < 0n || frequency > FREQUENCY_MAX) return refuse(reply, ERR_FREQUENCY)
      options.frequency = frequency
    } else return refuse(reply, ERR_SYNTAX)
  }
  return options
}

function refuse(reply: ReplyWriter, error: Parameters<ReplyWriter['error']>[0]): null {
  reply.error(error)
  return null
}

/** A value that was read and has no key yet. */
interface RestoredValue {
  add(db: Db, key: Uint8Array, keyStart: number, keyLength: number): Ref
  discard(): void
}

function readValue(
  { codecs }: Persistence,
  ctx: Session,
  bytes: Uint8Array,
  start: number,
  end: number,
): RestoredValue | null {
  const source = new RdbSource()
  source.usePayload(bytes, start, end)
  try {
    const type = source.readByte()
    if (type === RDB_STRING) {
      source.readString()
      const { textStart, textLength } = source
      const text = source.text.bytes
      return {
        add: (db, key, keyStart, keyLength) =>
          db.setString(
            key,
            keyStart,
            keyLength,
            text,
            textStart,
            textLength,
            stringEncoding(text, textStart, textLength),
            false,
          ),
        discard() {},
      }
    }
    const codec = codecs.forRdbType(type)
    if (codec === undefined) return null
    const reading = codec.read(type)
    try {
      reading.proceed(source)
    } catch (error) {
      reading.discard()
      throw error
    }
    if (reading.isEmpty) {
      reading.discard()
      return null
    }
    return {
      add: (db, key, keyStart, keyLength) =>
        db.addValue(key, keyStart, keyLength, codec.type, reading.encoding, reading.root),
      discard: () => reading.discard(),
    }
  } catch (error) {
    if (!(error instanceof RdbError)) throw error
    ctx.engine.log('verbose', `Internal error in RDB reading offset ${error.offset} -> ${error.message}`)
    return null
  }
}
