/**
 * SADD, SREM, SISMEMBER, SMISMEMBER, SCARD, SMEMBERS, SMOVE: sets by single members. Replies: how many were added or
 * removed, whether they are there (1 or 0), how many there are, all of them.
 * Propagated as requested. Hot path: bench/micro/set.ts. Source: Redis command reference (since 1.0.0, 6.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_DELETE,
  KEY_INSERT,
  KEY_RO,
  KEY_RW,
  keyAt,
} from '../../engine/command.ts'
import { DENYOOM, FAST, READONLY, WRITE } from '../../engine/flags.ts'
import { NOTIFY_GENERIC, NOTIFY_SET } from '../../engine/notifications.ts'
import type { Db } from '../../keyspace/db.ts'
import { NO_KEY, TYPE_SET, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'

const COMMON = { acl: ['set'] } satisfies Partial<CommandDefinition>

/** Writes what became of a key's set to its entry. */
export function keepChanges(db: Db, entry: Ref): void {
  const { sets } = db.keyspace
  if (db.rootOf(entry) !== sets.root) db.setRoot(entry, sets.root)
  if (db.encodingOf(entry) !== sets.encoding) db.setEncoding(entry, sets.encoding)
}

/** Adds the key at argv[keyIndex] as a set of one member, argv[memberIndex]. Returns its entry. */
function addKeyWith(db: Db, argv: Argv, keyIndex: number, memberIndex: number): Ref {
  const { sets } = db.keyspace
  const { bytes, starts, lengths } = argv
  const start = starts[memberIndex]!
  const length = lengths[memberIndex]!
  sets.createFor(bytes, start, length)
  try {
    sets.add(sets.root, sets.encoding, bytes, start, length)
    return db.addValue(bytes, starts[keyIndex]!, lengths[keyIndex]!, TYPE_SET, sets.encoding, sets.root)
  } catch (error) {
    sets.release(sets.root, sets.encoding)
    throw error
  }
}

export const sadd = defineCommand({
  ...COMMON,
  name: 'SADD',
  arity: -3,
  flags: WRITE | DENYOOM | FAST,
  keys: [firstKey(KEY_RW | KEY_INSERT)],
  doc: {
    group: 'set',
    since: '1.0.0',
    complexity: 'O(1) for each member, so O(N) for N of them.',
    summary: 'Adds members to a set, which is made if there is none.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { sets } = db.keyspace
    const { bytes, starts, lengths, count } = argv
    let entry = db.writeTyped(argv, 1, TYPE_SET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    let added = 0
    if (entry === NO_KEY) {
      entry = addKeyWith(db, argv, 1, 2)
      added = 1
    } else db.beforeChange(entry)
    let root = db.rootOf(entry)
    let encoding = db.encodingOf(entry)
    for (let i = 2 + added; i < count; i++) {
      if (!sets.add(root, encoding, bytes, starts[i]!, lengths[i]!)) continue
      added++
      if (sets.root === root && sets.encoding === encoding) continue
      root = sets.root
      encoding = sets.encoding
      keepChanges(db, entry)
    }
    if (added > 0) {
      ctx.changed(argv, 1, NOTIFY_SET, 'sadd')
      ctx.dirtied(added - 1)
    }
    reply.integer(added)
  },
})

export const srem = defineCommand({
  ...COMMON,
  name: 'SREM',
  arity: -3,
  flags: WRITE | FAST,
  keys: [firstKey(KEY_RW | KEY_DELETE)],
  doc: {
    group: 'set',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of members to be removed.',
    summary: 'Removes members from a set, which goes with the last one.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { sets } = db.keyspace
    const entry = db.writeTyped(argv, 1, TYPE_SET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY) return reply.integer(0)
    db.beforeChange(entry)
    const encoding = db.encodingOf(entry)
    let root = db.rootOf(entry)
    let left = sets.length(root, encoding)
    let removed = 0
    for (let i = 2; i < argv.count && left > 0; i++) {
      if (!sets.remove(root, encoding, argv.bytes, argv.starts[i]!, argv.lengths[i]!)) continue
      removed++
      left--
      if (sets.root === root) continue
      root = sets.root
      db.setRoot(entry, root)
    }
    if (removed > 0) {
      if (left === 0) db.remove(entry)
      ctx.changed(argv, 1, NOTIFY_SET, 'srem')
      if (left === 0) ctx.notify(NOTIFY_GENERIC, 'del', db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
      ctx.dirtied(removed - 1)
    }
    reply.integer(removed)
  },
})

export const sismember = defineCommand({
  ...COMMON,
  name: 'SISMEMBER',
  arity: 3,
  flags: READONLY | FAST,
  keys: [firstKey(KEY_RO)],
  doc: { group: 'set', since: '1.0.0', complexity: 'O(1)', summary: 'Tells whether a set has a member.' },
  run({ db }, argv, reply) {
    const entry = db.readTyped(argv, 1, TYPE_SET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    reply.integer(entry !== NO_KEY && isMember(db, entry, argv.bytes, argv.starts[2]!, argv.lengths[2]!) ? 1 : 0)
  },
})

export const smismember = defineCommand({
  ...COMMON,
  name: 'SMISMEMBER',
  arity: -3,
  flags: READONLY | FAST,
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'set',
    since: '6.2.0',
    complexity: 'O(N) where N is the number of members asked for.',
    summary: 'Tells of several members whether a set has them.',
  },
  run({ db }, argv, reply) {
    const entry = db.readTyped(argv, 1, TYPE_SET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    reply.array(argv.count - 2)
    for (let i = 2; i < argv.count; i++) {
      reply.integer(entry !== NO_KEY && isMember(db, entry, argv.bytes, argv.starts[i]!, argv.lengths[i]!) ? 1 : 0)
    }
  },
})

export const scard = defineCommand({
  ...COMMON,
  name: 'SCARD',
  arity: 2,
  flags: READONLY | FAST,
  keys: [firstKey(KEY_RO)],
  doc: { group: 'set', since: '1.0.0', complexity: 'O(1)', summary: 'Returns how many members a set has.' },
  run({ db }, argv, reply) {
    const entry = db.readTyped(argv, 1, TYPE_SET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    reply.integer(entry === NO_KEY ? 0 : db.keyspace.sets.length(db.rootOf(entry), db.encodingOf(entry)))
  },
})

export const smembers = defineCommand({
  ...COMMON,
  name: 'SMEMBERS',
  arity: 2,
  flags: READONLY,
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
  doc: {
    group: 'set',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of members.',
    summary: 'Returns all members of a set.',
  },
  run({ db }, argv, reply) {
    const { sets } = db.keyspace
    const entry = db.readTyped(argv, 1, TYPE_SET)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY) return reply.set(0)
    const root = db.rootOf(entry)
    const encoding = db.encodingOf(entry)
    reply.set(sets.length(root, encoding))
    const walk = sets.walk(root, encoding)
    while (walk.next()) {
      walk.spell()
      reply.bulk(walk.bytes, walk.start, walk.length)
    }
    walk.end()
  },
})

export const smove = defineCommand({
  ...COMMON,
  name: 'SMOVE',
  arity: 4,
  flags: WRITE | FAST,
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_DELETE), keyAt(2, KEY_RW | KEY_INSERT)],
  doc: { group: 'set', since: '1.0.0', complexity: 'O(1)', summary: 'Moves a member from one set to another.' },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { sets } = db.keyspace
    const { bytes, starts, lengths } = argv
    const start = starts[3]!
    const length = lengths[3]!
    const source = db.write(argv, 1)
    // This may remove another key, whose time is over: the first one stays where it is.
    const target = db.write(argv, 2)
    if (source === NO_KEY) return reply.integer(0)
    if (db.typeOf(source) !== TYPE_SET || (target !== NO_KEY && db.typeOf(target) !== TYPE_SET)) {
      return reply.error(ERR_WRONGTYPE)
    }
    if (source === target) return reply.integer(isMember(db, source, bytes, start, length) ? 1 : 0)
    if (!isMember(db, source, bytes, start, length)) return reply.integer(0)

    let isAdded = false
    if (target !== NO_KEY) {
      // It is in the target before it leaves the source: if memory ends, nothing has happened.
      db.beforeChange(target)
      isAdded = sets.add(db.rootOf(target), db.encodingOf(target), bytes, start, length)
      keepChanges(db, target)
    }
    db.beforeChange(source)
    sets.remove(db.rootOf(source), db.encodingOf(source), bytes, start, length)
    keepChanges(db, source)
    ctx.notify(NOTIFY_SET, 'srem', db, bytes, starts[1]!, lengths[1]!)
    if (sets.length(sets.root, sets.encoding) === 0) {
      db.remove(source)
      ctx.notify(NOTIFY_GENERIC, 'del', db, bytes, starts[1]!, lengths[1]!)
    }
    if (target === NO_KEY) {
      addKeyWith(db, argv, 2, 3)
      isAdded = true
    }
    ctx.touched(db, bytes, starts[1]!, lengths[1]!)
    ctx.dirtied(1)
    if (isAdded) ctx.changed(argv, 2, NOTIFY_SET, 'sadd')
    reply.integer(1)
  },
})

function isMember(db: Db, entry: Ref, bytes: Uint8Array, start: number, length: number): boolean {
  return db.keyspace.sets.has(db.rootOf(entry), db.encodingOf(entry), bytes, start, length)
}
