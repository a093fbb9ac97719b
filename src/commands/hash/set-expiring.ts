/**
 * HSETEX key [FNX | FXX] [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds | KEEPTTL]
 *   FIELDS numfields field value [field value ...]
 *
 * Sets all fields, or with FNX and FXX none if one of them is there, or absent. Reply: 1 or 0. The options may come in any
 * order before FIELDS. With a time that is past the fields are removed.
 * Propagated with PXAT; as HDEL for each field when the time is past. Source: Redis command reference (since 8.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { parseSafeInt } from '../../base/int64-text.ts'
import { defineCommand, firstKey, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { DENYOOM, FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_HASH } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { echoText } from '../../engine/subcommand-error.ts'
import { NO_KEY, TYPE_HASH, WRONG_TYPE } from '../../keyspace/entry.ts'
import { NO_EXPIRE } from '../../keyspace/types/hash.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { expireUnit, UNIT_EX, UNIT_EXAT, UNIT_NONE, UNIT_PX, UNIT_PXAT } from '../string/expire-time.ts'
import { MILLISECONDS, NO_TIME, readFieldTime, SECONDS } from './field-arguments.ts'
import { dropIfEmpty, EXPIRED, FOUND, lookUp, makeHash, removeIfEmptied } from './open-hash.ts'
import { REMOVED, setFieldExpire } from './set-field-expire.ts'

const ERR_ARITY = errorReply("ERR wrong number of arguments for 'hsetex' command")
const ERR_FIELDS_NUMBER = errorReply('ERR invalid number of fields')
const ERR_CONDITION = errorReply('ERR Only one of FXX or FNX arguments can be specified')
const ERR_EXPIRATION = errorReply('ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified')
const ERR_TIME_MISSING = errorReply('ERR missing expire time')
const INT_MAX = 0x7fff_ffff

interface Options {
  /** FNX, FXX. */
  ifNone: boolean
  ifAll: boolean
  unit: number
  atMs: number
  /** Where the time stands. */
  timeIndex: number
  keepsExpire: boolean
  /** Index of the first field. */
  first: number
}

export const hsetex = defineCommand({
  name: 'HSETEX',
  arity: -6,
  flags: WRITE | DENYOOM | FAST,
  acl: ['hash'],
  keys: [firstKey(KEY_RW | KEY_UPDATE)],
  doc: {
    group: 'hash',
    since: '8.0.0',
    complexity: 'O(N) where N is the number of fields being set.',
    summary: 'Sets fields of a hash to values, and when the fields expire.',
  },
  run(ctx, argv, reply) {
    const options = readOptions(ctx, argv, reply)
    if (options === null) return
    const { db } = ctx
    let entry = db.writeTyped(argv, 1, TYPE_HASH)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY && options.ifAll) return reply.integer(0)
    const { first } = options
    let expired = 0
    let isMet = true
    if (entry !== NO_KEY && (options.ifAll || options.ifNone)) {
      for (let i = first; i < argv.count && isMet; i += 2) {
        const found = lookUp(db, entry, argv, i)
        if (found === EXPIRED) expired++
        isMet = (found === FOUND) === options.ifAll
      }
    }
    if (isMet) {
      if (entry === NO_KEY) entry = makeHash(db, argv, first)
      else db.beforeChange(entry)
    }
    const removed = isMet ? setFields(ctx, argv, entry, options) : 0
    reply.integer(isMet ? 1 : 0)
    if (expired > 0) {
      ctx.touched(db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
      ctx.notify(NOTIFY_HASH, 'hexpired', db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
    }
    if (isMet) announce(ctx, argv, options, removed)
    if (expired + removed > 0) removeIfEmptied(ctx, argv, entry)
  },
})

/** Sets all fields, and returns how many were removed at once because their time is past. */
function setFields(ctx: Session, argv: Argv, entry: Ref, { first, unit, atMs, keepsExpire }: Options): number {
  const { db } = ctx
  const { hashes } = db.keyspace
  const { bytes, starts, lengths } = argv
  const isTimed = unit !== UNIT_NONE
  let removed = 0
  try {
    hashes.makeRoom(db, entry, argv, first)
    if (isTimed) hashes.allowExpiry(db, entry)
    for (let i = first; i < argv.count; i += 2) {
      const keeps = keepsExpire || isTimed
      hashes.set(db, entry, bytes, starts[i]!, lengths[i]!, bytes, starts[i + 1]!, lengths[i + 1]!, keeps)
      if (isTimed && setFieldExpire(ctx, entry, argv, i, atMs) === REMOVED) removed++
    }
  } catch (error) {
    dropIfEmpty(db, argv)
    throw error
  }
  return removed
}

function announce(ctx: Session, argv: Argv, options: Options, removed: number): void {
  const { db } = ctx
  const { first, unit, atMs, timeIndex } = options
  ctx.changed(argv, 1, NOTIFY_HASH, 'hset')
  ctx.dirtied((argv.count - first) / 2 - 1)
  if (unit === UNIT_NONE) return
  ctx.notify(NOTIFY_HASH, removed > 0 ? 'hdel' : 'hexpire', db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
  if (removed > 0) return ctx.suppressEffect()
  if (unit === UNIT_PXAT || !ctx.engine.effects.isActive) return
  const words: (string | Uint8Array)[] = Array.from({ length: argv.count }, (_, i) => argv.view(i))
  words[timeIndex - 1] = 'PXAT'
  words[timeIndex] = String(atMs)
  ctx.replaceEffect(words)
}

/** The options, or null when there is a mistake, which has been replied. */
function readOptions(ctx: Session, argv: Argv, reply: ReplyWriter): Options | null {
  const options: Options = {
    ifNone: false,
    ifAll: false,
    unit: UNIT_NONE,
    atMs: NO_EXPIRE,
    timeIndex: 0,
    keepsExpire: false,
    first: 0,
  }
  for (let i = 2; i < argv.count; i++) {
    if (argv.is(i, 'FIELDS')) {
      const mistake = fieldsMistake(argv, i)
      if (mistake !== null) return refuse(mistake, reply)
      options.first = i + 2
      return options
    }
    const unit = expireUnit(argv, i)
    const isCondition = argv.is(i, 'FXX') || argv.is(i, 'FNX')
    if (isCondition) {
      if (options.ifAll || options.ifNone) return refuse(ERR_CONDITION, reply)
      options.ifAll = argv.is(i, 'FXX')
      options.ifNone = !options.ifAll
    } else if (unit !== UNIT_NONE || argv.is(i, 'KEEPTTL')) {
      if (options.unit !== UNIT_NONE || options.keepsExpire) return refuse(ERR_EXPIRATION, reply)
      if (unit === UNIT_NONE) options.keepsExpire = true
      else {
        if (i === argv.count - 1) return refuse(ERR_TIME_MISSING, reply)
        const unitMs = unit === UNIT_EX || unit === UNIT_EXAT ? SECONDS : MILLISECONDS
        options.unit = unit
        options.timeIndex = ++i
        options.atMs = readFieldTime(
          argv,
          i,
          unitMs,
          unit === UNIT_EX || unit === UNIT_PX ? ctx.nowMs : 0,
          'hsetex',
          reply,
        )
        if (options.atMs === NO_TIME) return null
      }
    } else {
      reply.errorText(`ERR unknown argument: ${echoText(argv, i)}`)
      return null
    }
  }
  return refuse(ERR_SYNTAX, reply)
}

function refuse(error: typeof ERR_SYNTAX, reply: ReplyWriter): null {
  reply.error(error)
  return null
}

/** What is wrong with `FIELDS numfields field value ...` from argv[index] on. */
function fieldsMistake(argv: Argv, index: number): typeof ERR_SYNTAX | null {
  if (index >= argv.count - 3) return ERR_ARITY
  const start = argv.starts[index + 1]!
  const count = parseSafeInt(argv.bytes, start, start + argv.lengths[index + 1]!)
  if (!(count >= 1 && count <= INT_MAX)) return ERR_FIELDS_NUMBER
  return argv.count - index - 2 === count * 2 ? null : ERR_ARITY
}
