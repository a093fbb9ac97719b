/**
 * XGROUP: consumer groups and their consumers come and go. Source: Redis command reference (since 5.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { parseInt64 } from '../../base/int64-text.ts'
import {
  type CommandDefinition,
  defineCommand,
  KEY_DELETE,
  KEY_INSERT,
  KEY_RW,
  KEY_UPDATE,
  keyAt,
} from '../../engine/command.ts'
import { DENYOOM, LOADING, STALE, WRITE } from '../../engine/flags.ts'
import { replyHelp } from '../../engine/help.ts'
import { NOTIFY_STREAM } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { replySubcommandError } from '../../engine/subcommand-error.ts'
import { NO_KEY, TYPE_STREAM, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_NOT_INTEGER, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { ID_INVALID, ID_STRICT, ID_WITH_ENDS, StreamId } from '../../structures/stream-id.ts'
import { addStream } from './add.ts'
import { findOrCreateConsumer } from './deliver.ts'
import { ERR_INVALID_ID } from './ids.ts'
import { findGroup, replyNoGroupOfKey } from './lookup.ts'

const ERR_ENTRIES_READ = errorReply('ERR value for ENTRIESREAD must be positive or -1')
const ERR_KEY = errorReply(
  'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.',
)
const ERR_BUSYGROUP = errorReply('BUSYGROUP Consumer Group name already exists')
const UNKNOWN = -1n
const HELP = [
  'CREATE <key> <groupname> <id|$> [option]',
  '    Create a new consumer group. Options are:',
  '    * MKSTREAM',
  '      Create the empty stream if it does not exist.',
  '    * ENTRIESREAD entries_read',
  "      Set the group's entries_read counter (internal use).",
  'CREATECONSUMER <key> <groupname> <consumer>',
  '    Create a new consumer in the specified group.',
  'DELCONSUMER <key> <groupname> <consumer>',
  '    Remove the specified consumer.',
  'DESTROY <key> <groupname>',
  '    Remove the specified group.',
  'SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]',
  '    Set the current group ID and entries_read counter.',
]

interface GroupOptions {
  makesStream: boolean
  entriesRead: bigint
}

const COMMON = { acl: ['stream'] } satisfies Partial<CommandDefinition>
const doc = (summary: string, complexity = 'O(1)', since = '5.0.0') => ({ group: 'stream', since, complexity, summary })

const create: CommandDefinition = {
  ...COMMON,
  name: 'CREATE',
  arity: -5,
  flags: WRITE | DENYOOM,
  keys: [keyAt(2, KEY_RW | KEY_INSERT)],
  doc: doc('Adds a consumer group to a stream.'),
  run(ctx, argv, reply) {
    const options = readOptions(argv, true, reply)
    if (options === null) return
    const { db } = ctx
    const { streams } = db.keyspace
    const entry = db.writeTyped(argv, 2, TYPE_STREAM)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    if (entry === NO_KEY && !options.makesStream) return reply.error(ERR_KEY)
    if (argv.count > 8) return replySubcommandError(argv, reply)
    const id = new StreamId()
    if (!readLastId(ctx, argv, entry, ID_STRICT, id, reply)) return
    let root: Ref
    if (entry === NO_KEY) {
      root = addStream(ctx, argv, 2)
      ctx.touched(db, argv.bytes, argv.starts[2]!, argv.lengths[2]!)
    } else {
      db.beforeChange(entry)
      root = db.rootOf(entry)
    }
    const { bytes, starts, lengths } = argv
    const group = streams.groups.create(root, bytes, starts[3]!, lengths[3]!, id, -1, -1)
    if (group === 0) return reply.error(ERR_BUSYGROUP)
    streams.groups.setEntriesRead(group, options.entriesRead)
    reply.ok()
    announce(ctx, argv, 'xgroup-create')
  },
}

const setId: CommandDefinition = {
  ...COMMON,
  name: 'SETID',
  arity: -5,
  flags: WRITE,
  keys: [keyAt(2, KEY_RW | KEY_UPDATE)],
  doc: doc('Sets the ID up to which a consumer group counts as served.'),
  run(ctx, argv, reply) {
    const options = readOptions(argv, false, reply)
    if (options === null) return
    const { db } = ctx
    const { groups } = db.keyspace.streams
    const entry = openStream(ctx, argv, reply)
    if (entry === NO_KEY) return
    const group = openGroup(ctx, argv, entry, reply)
    if (group === 0) return
    if (argv.count !== 5 && argv.count !== 7) return replySubcommandError(argv, reply)
    const id = new StreamId()
    if (!readLastId(ctx, argv, entry, ID_WITH_ENDS, id, reply)) return
    db.beforeChange(entry)
    groups.setLastId(group, id)
    groups.setEntriesRead(group, options.entriesRead)
    reply.ok()
    announce(ctx, argv, 'xgroup-setid')
  },
}

const destroy: CommandDefinition = {
  ...COMMON,
  name: 'DESTROY',
  arity: 4,
  flags: WRITE,
  keys: [keyAt(2, KEY_RW | KEY_DELETE)],
  doc: doc('Removes a consumer group from a stream.', 'O(N) for N entries that are pending in the group.'),
  run(ctx, argv, reply) {
    const { db, engine } = ctx
    const entry = openStream(ctx, argv, reply)
    if (entry === NO_KEY) return
    const group = findGroup(ctx, argv, entry, 3)
    if (group === 0) return reply.integer(0)
    db.beforeChange(entry)
    db.keyspace.streams.groups.destroy(db.rootOf(entry), group)
    reply.integer(1)
    announce(ctx, argv, 'xgroup-destroy')
    // Who waits as a member of the group is to hear that it has gone.
    engine.keyWaiters.signal(db, argv.bytes, argv.starts[2]!, argv.lengths[2]!, TYPE_STREAM)
  },
}

const createConsumer: CommandDefinition = {
  ...COMMON,
  name: 'CREATECONSUMER',
  arity: 5,
  flags: WRITE | DENYOOM,
  keys: [keyAt(2, KEY_RW | KEY_INSERT)],
  doc: doc('Adds a consumer to a consumer group.', 'O(1)', '6.2.0'),
  run(ctx, argv, reply) {
    const { db } = ctx
    const { groups } = db.keyspace.streams
    const entry = openStream(ctx, argv, reply)
    if (entry === NO_KEY) return
    const group = openGroup(ctx, argv, entry, reply)
    if (group === 0) return
    const { bytes, starts, lengths } = argv
    if (groups.findConsumer(group, bytes, starts[4]!, lengths[4]!) !== 0) return reply.integer(0)
    db.beforeChange(entry)
    findOrCreateConsumer(ctx, group, argv, 2, 4)
    reply.integer(1)
  },
}

const deleteConsumer: CommandDefinition = {
  ...COMMON,
  name: 'DELCONSUMER',
  arity: 5,
  flags: WRITE,
  keys: [keyAt(2, KEY_RW | KEY_DELETE)],
  doc: doc('Removes a consumer, and what is pending for it, from a consumer group.'),
  run(ctx, argv, reply) {
    const { db } = ctx
    const { groups, tree } = db.keyspace.streams
    const entry = openStream(ctx, argv, reply)
    if (entry === NO_KEY) return
    const group = openGroup(ctx, argv, entry, reply)
    if (group === 0) return
    const consumer = groups.findConsumer(group, argv.bytes, argv.starts[4]!, argv.lengths[4]!)
    if (consumer === 0) return reply.integer(0)
    db.beforeChange(entry)
    const pending = tree.count(consumer)
    groups.deleteConsumer(group, consumer)
    announce(ctx, argv, 'xgroup-delconsumer')
    reply.integer(pending)
  },
}

const help: CommandDefinition = {
  ...COMMON,
  name: 'HELP',
  arity: 2,
  flags: LOADING | STALE,
  doc: doc('Lists the subcommands.'),
  run: (_ctx, _argv, reply) => replyHelp(reply, 'XGROUP', HELP),
}

export const xgroup = defineCommand({
  name: 'XGROUP',
  arity: -2,
  flags: 0,
  doc: doc('Holds the commands on consumer groups.', 'That of the subcommand.'),
  subcommands: [create, createConsumer, deleteConsumer, destroy, help, setId],
})

/** Counts the change and announces it; watchers are not told, as in Redis. */
function announce(ctx: Session, argv: Argv, event: string): void {
  ctx.dirtied(1)
  ctx.notify(NOTIFY_STREAM, event, ctx.db, argv.bytes, argv.starts[2]!, argv.lengths[2]!)
}

/** The stream argv[2], or NO_KEY: there is none, which has been replied. */
function openStream(ctx: Session, argv: Argv, reply: ReplyWriter): Ref {
  const entry = ctx.db.writeTyped(argv, 2, TYPE_STREAM)
  if (entry === WRONG_TYPE) reply.error(ERR_WRONGTYPE)
  else if (entry === NO_KEY) reply.error(ERR_KEY)
  else return entry
  return NO_KEY
}

/** The group argv[3], or 0: there is none, which has been replied. */
function openGroup(ctx: Session, argv: Argv, entry: Ref, reply: ReplyWriter): Ref {
  const group = findGroup(ctx, argv, entry, 3)
  if (group === 0) replyNoGroupOfKey(argv, reply)
  return group
}

/** Reads the id argv[4], "$" being the stream's last one. */
function readLastId(ctx: Session, argv: Argv, entry: Ref, form: number, id: StreamId, reply: ReplyWriter): boolean {
  if (argv.is(4, '$')) {
    if (entry !== NO_KEY) ctx.db.keyspace.streams.readLastId(ctx.db.rootOf(entry), id)
    return true
  }
  if (id.parse(argv.bytes, argv.starts[4]!, argv.lengths[4]!, form, false) !== ID_INVALID) return true
  reply.error(ERR_INVALID_ID)
  return false
}

/** Reads MKSTREAM, if `isCreate`, and ENTRIESREAD; null: an error was replied. */
function readOptions(argv: Argv, isCreate: boolean, reply: ReplyWriter): GroupOptions | null {
  const options: GroupOptions = { makesStream: false, entriesRead: UNKNOWN }
  for (let i = 5; i < argv.count; i++) {
    if (isCreate && argv.is(i, 'MKSTREAM')) options.makesStream = true
    else if (argv.is(i, 'ENTRIESREAD') && i + 1 < argv.count) {
      i++
      const start = argv.starts[i]!
      const count = parseInt64(argv.bytes, start, start + argv.lengths[i]!)
      if (count === null || count < UNKNOWN) {
        reply.error(count === null ? ERR_NOT_INTEGER : ERR_ENTRIES_READ)
        return null
      }
      options.entriesRead = count
    } else {
      replySubcommandError(argv, reply)
      return null
    }
  }
  return options
}
