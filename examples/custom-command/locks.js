/**
 * A module for o7-redis: locks that expire, each held by whoever knows its token.
 *
 *   LOCK.ACQUIRE key token milliseconds    1 if the lock was free and is now held, else 0
 *   LOCK.EXTEND  key token milliseconds    1 if the lock is held with this token, and longer from now on, else 0
 *   LOCK.RELEASE key token                 1 if the lock was held with this token and is free now, else 0
 *
 * The last two are what programs otherwise send a Lua script for. A lock is an ordinary string key, so that GET, PTTL,
 * DEL, WATCH, replication and RDB files know it.
 *
 *   npx o7-redis --loadmodule ./locks.js                          and in a configuration file also:
 *   locks.max-milliseconds 60000                                  no lock may be held for longer
 */
import {
  DENYOOM,
  defineCommand,
  ERR_WRONGTYPE,
  errorReply,
  FAST,
  firstKey,
  KEY_ACCESS,
  KEY_DELETE,
  KEY_INSERT,
  KEY_RW,
  KEY_UPDATE,
  NO_KEY,
  NOTIFY_GENERIC,
  NOTIFY_STRING,
  putString,
  removeKey,
  WRITE,
  WRONG_TYPE,
} from 'o7-is'

/** Names commands and parameters, and is what MODULE LIST shows and MODULE UNLOAD takes. */
export const name = 'locks'
export const version = 1

const ERR_DURATION = errorReply('ERR duration must be between 1 and the longest that is allowed')

/**
 * Called once when the module is loaded.
 * @param {readonly string[]} _args what follows the path in `loadmodule` and MODULE LOAD
 * @param {Readonly<Record<string, string>>} config the parameters that are set as "locks.name value"
 */
export default function locks(_args, config) {
  const maxMs = Number(config['max-milliseconds'] ?? 24 * 60 * 60 * 1000)
  if (!Number.isInteger(maxMs) || maxMs < 1) throw new RangeError('locks.max-milliseconds must be a whole number')

  /** The duration at argv[3], or NaN. */
  const durationMs = (argv) => {
    const ms = argv.safeInt(3)
    return ms >= 1 && ms <= maxMs ? ms : Number.NaN
  }

  const acquire = defineCommand({
    name: 'LOCK.ACQUIRE',
    arity: 4, // with the name
    flags: WRITE | DENYOOM | FAST,
    keys: [firstKey(KEY_RW | KEY_INSERT)],
    doc: { group: 'locks', since: '1.0.0', complexity: 'O(1)', summary: 'Takes a lock if it is free.' },
    run(ctx, argv, reply) {
      const ms = durationMs(argv)
      if (Number.isNaN(ms)) return reply.error(ERR_DURATION)
      if (ctx.db.write(argv, 1) !== NO_KEY) return reply.integer(0)
      const expiresMs = ctx.nowMs + ms
      ctx.db.setExpire(putString(ctx, argv, 1, argv.copyOf(2)), expiresMs)
      ctx.changed(argv, 1, NOTIFY_STRING, 'lock.acquire')
      // Replicas and files get the moment, not the duration: it means the same whenever they read it.
      ctx.replaceEffect(['SET', argv.copyOf(1), argv.copyOf(2), 'PXAT', String(expiresMs)])
      reply.integer(1)
    },
  })

  const extend = defineCommand({
    name: 'LOCK.EXTEND',
    arity: 4,
    flags: WRITE | FAST,
    keys: [firstKey(KEY_RW | KEY_UPDATE)],
    doc: { group: 'locks', since: '1.0.0', complexity: 'O(1)', summary: 'Holds a lock for longer.' },
    run(ctx, argv, reply) {
      const ms = durationMs(argv)
      if (Number.isNaN(ms)) return reply.error(ERR_DURATION)
      const entry = ctx.db.writeString(argv, 1)
      if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
      if (entry === NO_KEY || !holds(ctx.db, entry, argv)) return reply.integer(0)
      const expiresMs = ctx.nowMs + ms
      ctx.db.setExpire(entry, expiresMs)
      ctx.changed(argv, 1, NOTIFY_GENERIC, 'lock.extend')
      ctx.replaceEffect(['PEXPIREAT', argv.copyOf(1), String(expiresMs)])
      reply.integer(1)
    },
  })

  const release = defineCommand({
    name: 'LOCK.RELEASE',
    arity: 3,
    flags: WRITE | FAST,
    keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_DELETE)],
    doc: { group: 'locks', since: '1.0.0', complexity: 'O(1)', summary: 'Frees a lock.' },
    run(ctx, argv, reply) {
      const entry = ctx.db.writeString(argv, 1)
      if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
      if (entry === NO_KEY || !holds(ctx.db, entry, argv)) return reply.integer(0)
      removeKey(ctx, argv, 1)
      ctx.changed(argv, 1, NOTIFY_GENERIC, 'lock.release')
      ctx.replaceEffect(['DEL', argv.copyOf(1)])
      reply.integer(1)
    },
  })

  return [acquire, extend, release]
}

/** Whether an entry's value is the token at argv[2]. */
function holds(db, entry, argv) {
  return Buffer.compare(db.valueView(entry), argv.view(2)) === 0
}
