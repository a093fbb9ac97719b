/**
 * OBJECT ENCODING, REFCOUNT, IDLETIME, FREQ: what the server knows of a value beside its content. Looking does not count
 * as use of the key. Source: Redis command reference, OBJECT (since 2.2.3).
 */
import type { Argv } from '../../base/argv.ts'
import { parseSafeInt } from '../../base/int64-text.ts'
import { type CommandDefinition, defineCommand, KEY_RO, keyAt } from '../../engine/command.ts'
import { LOADING, READONLY, STALE } from '../../engine/flags.ts'
import { replyHelp } from '../../engine/help.ts'
import type { Session } from '../../engine/session.ts'
import type { Db } from '../../keyspace/db.ts'
import { ENCODING_INT, NO_KEY, TYPE_STRING } from '../../keyspace/entry.ts'
import { lfuCounter } from '../../keyspace/lfu.ts'
import { lruIdleSeconds } from '../../keyspace/lru.ts'
import { encodingName } from '../../keyspace/value-type.ts'
import type { Ref } from '../../memory/arena.ts'
import { errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const ERR_LFU_SELECTED = errorReply(
  'ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
)
const ERR_LFU_NOT_SELECTED = errorReply(
  'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
)

/** Redis keeps one object for each of these numbers, unless eviction needs to know of each when it was used. */
const SHARED_INTEGERS = 10_000
const SHARED_REFERENCES = 2_147_483_647

const HELP_LINES = [
  'ENCODING <key>',
  '    Return the kind of internal representation used in order to store the value',
  '    associated with a <key>.',
  'FREQ <key>',
  '    Return the access frequency index of the <key>. The returned integer is',
  '    proportional to the logarithm of the recent access frequency of the key.',
  'IDLETIME <key>',
  '    Return the idle time of the <key>, that is the approximated number of',
  '    seconds elapsed since the last access to the key.',
  'REFCOUNT <key>',
  '    Return the number of references of the value associated with the specified',
  '    <key>.',
]

const COMMON = {
  arity: 3,
  flags: READONLY,
  acl: ['keyspace'],
  keys: [keyAt(2, KEY_RO)],
} satisfies Partial<CommandDefinition>

const encoding: CommandDefinition = {
  ...COMMON,
  name: 'ENCODING',
  doc: { group: 'generic', since: '2.2.3', complexity: 'O(1)', summary: 'Returns how a value is kept.' },
  run: (ctx, argv, reply) => {
    const entry = lookUp(ctx, argv, reply)
    if (entry !== NO_KEY) reply.bulkText(encodingName(ctx.db.encodingOf(entry)))
  },
}

const refcount: CommandDefinition = {
  ...COMMON,
  name: 'REFCOUNT',
  doc: {
    group: 'generic',
    since: '2.2.3',
    complexity: 'O(1)',
    summary: 'Returns how many references to a value there are in Redis: many for small numbers, otherwise one.',
  },
  run: (ctx, argv, reply) => {
    const entry = lookUp(ctx, argv, reply)
    if (entry !== NO_KEY) reply.integer(referenceCount(ctx.db, entry))
  },
}

const idletime: CommandDefinition = {
  ...COMMON,
  name: 'IDLETIME',
  doc: {
    group: 'generic',
    since: '2.2.3',
    complexity: 'O(1)',
    summary: 'Returns how many seconds ago a key was last used.',
  },
  run: (ctx, argv, reply) => {
    const entry = lookUp(ctx, argv, reply)
    if (entry === NO_KEY) return
    if (ctx.db.keyspace.lfu) reply.error(ERR_LFU_SELECTED)
    else reply.integer(lruIdleSeconds(ctx.db.lruOf(entry), ctx.db.keyspace))
  },
}

const freq: CommandDefinition = {
  ...COMMON,
  name: 'FREQ',
  doc: {
    group: 'generic',
    since: '4.0.0',
    complexity: 'O(1)',
    summary: 'Returns how often a key is used, on a logarithmic scale.',
  },
  run: (ctx, argv, reply) => {
    const entry = lookUp(ctx, argv, reply)
    if (entry === NO_KEY) return
    const { db } = ctx
    if (db.keyspace.lfu) reply.integer(lfuCounter(db.lruOf(entry), db.keyspace))
    else reply.error(ERR_LFU_NOT_SELECTED)
  },
}

const help: CommandDefinition = {
  name: 'HELP',
  arity: 2,
  flags: LOADING | STALE,
  acl: ['keyspace'],
  doc: { group: 'generic', since: '6.2.0', complexity: 'O(1)', summary: 'Lists the subcommands.' },
  run: (_ctx, _argv, reply) => replyHelp(reply, 'object', HELP_LINES),
}

export const object = defineCommand({
  name: 'OBJECT',
  arity: -2,
  flags: 0,
  doc: {
    group: 'generic',
    since: '2.2.3',
    complexity: 'Depends on subcommand.',
    summary: 'Tells what is known of values beside their content.',
  },
  subcommands: [encoding, freq, help, idletime, refcount],
})

/** The entry of the key at argv[2], or NO_KEY, which has been replied. Nobody is told that a key is missing. */
function lookUp(ctx: Session, argv: Argv, reply: ReplyWriter): Ref {
  const { db } = ctx
  const entry = db.peek(argv.bytes, argv.starts[2]!, argv.lengths[2]!)
  if (entry === NO_KEY) {
    db.keyspace.misses++
    reply.null()
  } else db.keyspace.hits++
  return entry
}

function referenceCount(db: Db, entry: Ref): number {
  if (!db.keyspace.sharesIntegers || db.typeOf(entry) !== TYPE_STRING || db.encodingOf(entry) !== ENCODING_INT) return 1
  const at = db.valueAt(entry)
  const value = parseSafeInt(db.bytesOf(entry), at, at + db.valueLength(entry))
  return value >= 0 && value < SHARED_INTEGERS ? SHARED_REFERENCES : 1
}
