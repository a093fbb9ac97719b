/**
 * RENAME, RENAMENX, MOVE, COPY: a value under another name, or in another database, with its expire time.
 * Source: Redis command reference (since 1.0.0; COPY since 6.2.0).
 */
import type { Argv } from '../../base/argv.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_DELETE,
  KEY_INSERT,
  KEY_OW,
  KEY_RO,
  KEY_RW,
  KEY_UPDATE,
  keyAt,
} from '../../engine/command.ts'
import { DENYOOM, FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_GENERIC } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import type { Db } from '../../keyspace/db.ts'
import { NO_KEY } from '../../keyspace/entry.ts'
import { ERR_DB_INDEX_OUT_OF_RANGE, ERR_NO_SUCH_KEY, ERR_SAME_OBJECT, ERR_SYNTAX } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { readInt32 } from '../connection/read-integer.ts'

const ACL = { acl: ['keyspace'] } satisfies Partial<CommandDefinition>

/** What the new name held goes. */
export const rename = defineCommand({
  ...ACL,
  name: 'RENAME',
  arity: 3,
  flags: WRITE,
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_DELETE), keyAt(2, KEY_OW | KEY_UPDATE)],
  doc: { group: 'generic', since: '1.0.0', complexity: 'O(1)', summary: 'Gives a key another name.' },
  run(ctx, argv, reply) {
    if (renameKey(ctx, argv, false, reply) !== null) reply.ok()
  },
})

export const renamenx = defineCommand({
  ...ACL,
  name: 'RENAMENX',
  arity: 3,
  flags: WRITE | FAST,
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_DELETE), keyAt(2, KEY_OW | KEY_INSERT)],
  doc: {
    group: 'generic',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Gives a key another name, unless that is taken.',
  },
  run(ctx, argv, reply) {
    const renamed = renameKey(ctx, argv, true, reply)
    if (renamed !== null) reply.integer(renamed ? 1 : 0)
  },
})

export const move = defineCommand({
  ...ACL,
  name: 'MOVE',
  arity: 3,
  flags: WRITE | FAST,
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_UPDATE)],
  doc: {
    group: 'generic',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Moves a key to another database, unless the name is taken there.',
  },
  run(ctx, argv, reply) {
    const index = readInt32(argv, 2, reply)
    if (index === null) return
    const { db } = ctx
    const target = db.keyspace.databases[index]
    if (target === undefined) return reply.error(ERR_DB_INDEX_OUT_OF_RANGE)
    if (target === db) return reply.error(ERR_SAME_OBJECT)
    const entry = db.write(argv, 1)
    if (entry === NO_KEY || target.write(argv, 1) !== NO_KEY) return reply.integer(0)
    const { bytes } = argv
    const start = argv.starts[1]!
    const length = argv.lengths[1]!
    db.moveEntry(entry, target, bytes, start, length)
    ctx.dirtied(1)
    ctx.touched(db, bytes, start, length)
    ctx.touched(target, bytes, start, length)
    ctx.notify(NOTIFY_GENERIC, 'move_from', db, bytes, start, length)
    ctx.notify(NOTIFY_GENERIC, 'move_to', target, bytes, start, length)
    reply.integer(1)
  },
})

/** COPY source destination [DB index] [REPLACE] */
export const copy = defineCommand({
  ...ACL,
  name: 'COPY',
  arity: -3,
  flags: WRITE | DENYOOM,
  keys: [firstKey(KEY_RO | KEY_ACCESS), keyAt(2, KEY_OW | KEY_UPDATE)],
  doc: {
    group: 'generic',
    since: '6.2.0',
    complexity: 'O(N) for collections of N elements, O(1) for strings.',
    summary: 'Copies the value of a key to another key.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    let target: Db = db
    let replaces = false
    for (let i = 3; i < argv.count; i++) {
      if (argv.is(i, 'REPLACE')) replaces = true
      else if (argv.is(i, 'DB') && i + 1 < argv.count) {
        const index = readInt32(argv, ++i, reply)
        if (index === null) return
        const named = db.keyspace.databases[index]
        if (named === undefined) return reply.error(ERR_DB_INDEX_OUT_OF_RANGE)
        target = named
      } else return reply.error(ERR_SYNTAX)
    }
    if (target === db && areSame(argv, 1, 2)) return reply.error(ERR_SAME_OBJECT)
    const entry = db.read(argv, 1)
    if (entry === NO_KEY) return reply.integer(0)
    const old = target.write(argv, 2)
    if (old !== NO_KEY) {
      if (!replaces) return reply.integer(0)
      target.remove(old)
    }
    const { bytes } = argv
    const start = argv.starts[2]!
    const length = argv.lengths[2]!
    db.copyEntry(entry, target, bytes, start, length)
    ctx.dirtied(1)
    ctx.touched(target, bytes, start, length)
    ctx.notify(NOTIFY_GENERIC, 'copy_to', target, bytes, start, length)
    reply.integer(1)
  },
})

/** Returns whether argv[1] is called argv[2] now; null if there is no such key, which has been replied. */
function renameKey(ctx: Session, argv: Argv, onlyNew: boolean, reply: ReplyWriter): boolean | null {
  const { db } = ctx
  const entry = db.write(argv, 1)
  if (entry === NO_KEY) {
    reply.error(ERR_NO_SUCH_KEY)
    return null
  }
  if (areSame(argv, 1, 2)) return false
  const old = db.write(argv, 2)
  if (old !== NO_KEY) {
    if (onlyNew) return false
    db.remove(old)
  }
  const { bytes, starts, lengths } = argv
  db.moveEntry(entry, db, bytes, starts[2]!, lengths[2]!)
  ctx.dirtied(1)
  for (const i of [1, 2]) ctx.touched(db, bytes, starts[i]!, lengths[i]!)
  ctx.notify(NOTIFY_GENERIC, 'rename_from', db, bytes, starts[1]!, lengths[1]!)
  ctx.notify(NOTIFY_GENERIC, 'rename_to', db, bytes, starts[2]!, lengths[2]!)
  return true
}

function areSame({ bytes, starts, lengths }: Argv, first: number, second: number): boolean {
  const length = lengths[first]!
  if (length !== lengths[second]!) return false
  const a = starts[first]!
  const b = starts[second]!
  for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false
  return true
}
