/**
 * EXISTS, TYPE, TOUCH, KEYS, RANDOMKEY: what keys there are.
 * Source: Redis command reference (since 1.0.0; TOUCH since 3.2.1).
 */
import { globMatch } from '../../base/glob.ts'
import { type CommandDefinition, defineCommand, firstKey, KEY_RO, keyRange } from '../../engine/command.ts'
import { FAST, READONLY, TOUCHES_ARBITRARY_KEYS } from '../../engine/flags.ts'
import type { Db } from '../../keyspace/db.ts'
import { EXPIRE_IGNORE, NO_KEY } from '../../keyspace/entry.ts'
import { typeName } from '../../keyspace/value-type.ts'
import type { Ref } from '../../memory/arena.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const ASTERISK = 42
const SEVERAL = {
  arity: -2,
  flags: READONLY | FAST,
  acl: ['keyspace'],
  keys: [keyRange(1, -1, 1, KEY_RO)],
} satisfies Partial<CommandDefinition>

/** A key that is named twice counts twice. */
export const exists = defineCommand({
  ...SEVERAL,
  name: 'EXISTS',
  doc: {
    group: 'generic',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of keys.',
    summary: 'Counts how many of the keys there are.',
  },
  run(ctx, argv, reply) {
    let found = 0
    for (let i = 1; i < argv.count; i++) if (ctx.db.look(argv, i) !== NO_KEY) found++
    reply.integer(found)
  },
})

export const touch = defineCommand({
  ...SEVERAL,
  name: 'TOUCH',
  doc: {
    group: 'generic',
    since: '3.2.1',
    complexity: 'O(N) where N is the number of keys.',
    summary: 'Marks keys as just used and counts how many of them there are.',
  },
  run(ctx, argv, reply) {
    let found = 0
    for (let i = 1; i < argv.count; i++) if (ctx.db.read(argv, i) !== NO_KEY) found++
    reply.integer(found)
  },
})

export const type = defineCommand({
  name: 'TYPE',
  arity: 2,
  flags: READONLY | FAST,
  acl: ['keyspace'],
  keys: [firstKey(KEY_RO)],
  doc: { group: 'generic', since: '1.0.0', complexity: 'O(1)', summary: "Returns the type of a key's value." },
  run(ctx, argv, reply) {
    const { db } = ctx
    const entry = db.look(argv, 1)
    reply.status(entry === NO_KEY ? 'none' : typeName(db.keyspace.types, db.typeOf(entry)))
  },
})

/** KEYS pattern: all keys in one go. Keys whose time is over are left out and left in place. */
export const keys = defineCommand({
  name: 'KEYS',
  arity: 2,
  flags: READONLY,
  acl: ['keyspace', 'dangerous'],
  doc: {
    group: 'generic',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of keys in the database.',
    summary: 'Returns all keys whose names match a pattern.',
  },
  run(ctx, argv, reply) {
    const { db } = ctx
    const { keyspace } = db
    const { bytes } = argv
    const start = argv.starts[1]!
    const end = start + argv.lengths[1]!
    const matchesAll = end - start === 1 && bytes[start] === ASTERISK
    const hidesOverdue = keyspace.expireMode !== EXPIRE_IGNORE
    const gap = reply.gap()
    let found = 0
    db.forEach((entry) => {
      const page = db.bytesOf(entry)
      const at = db.keyAt(entry)
      if (!matchesAll && !globMatch(bytes, start, end, page, at, at + db.keyLength(entry), false)) return
      if (hidesOverdue && db.isOverdue(entry)) return
      replyKey(db, entry, reply)
      found++
    })
    reply.fillArray(gap, found)
  },
})

export const randomkey = defineCommand({
  name: 'RANDOMKEY',
  arity: 1,
  flags: READONLY | TOUCHES_ARBITRARY_KEYS,
  acl: ['keyspace'],
  doc: { group: 'generic', since: '1.0.0', complexity: 'O(1)', summary: 'Returns a key chosen at random.' },
  run(ctx, _argv, reply) {
    const entry = ctx.db.randomKey()
    if (entry === NO_KEY) reply.null()
    else replyKey(ctx.db, entry, reply)
  },
})

export function replyKey(db: Db, entry: Ref, reply: ReplyWriter): void {
  reply.bulk(db.bytesOf(entry), db.keyAt(entry), db.keyLength(entry))
}
