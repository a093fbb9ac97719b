/**
 * SLOWLOG GET | LEN | RESET | HELP. Source: Redis command reference, SLOWLOG (since 2.2.12).
 */
import type { Argv } from '../../base/argv.ts'
import { parseInt64 } from '../../base/int64-text.ts'
import { type CommandDefinition, defineCommand } from '../../engine/command.ts'
import { ADMIN, LOADING, STALE } from '../../engine/flags.ts'
import { replyHelp } from '../../engine/help.ts'
import type { SlowlogEntry } from '../../engine/slowlog.ts'
import { replySubcommandError } from '../../engine/subcommand-error.ts'
import { errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const FLAGS = ADMIN | LOADING | STALE
const COUNT_DEFAULT = 10
const ERR_COUNT = errorReply('ERR count should be greater than or equal to -1')

const HELP = [
  'GET [<count>]',
  '    Return top <count> entries from the slowlog (default: 10, -1 mean all).',
  '    Entries are made of:',
  '    id, timestamp, time in microseconds, arguments array, client IP and port,',
  '    client name',
  'LEN',
  '    Return the length of the slowlog.',
  'RESET',
  '    Reset the slowlog.',
]

const get: CommandDefinition = {
  name: 'GET',
  arity: -2,
  flags: FLAGS,
  doc: {
    group: 'server',
    since: '2.2.12',
    complexity: 'O(N) where N is the number of entries returned',
    summary: 'Returns the newest entries of the slow log.',
  },
  run(ctx, argv, reply) {
    if (argv.count > 3) return replySubcommandError(argv, reply)
    const count = argv.count === 3 ? countAt(argv, 2) : COUNT_DEFAULT
    if (count === null) return reply.error(ERR_COUNT)
    const entries = ctx.engine.slowlog.newest(count)
    reply.array(entries.length)
    for (const entry of entries) replyEntry(reply, entry)
  },
}

/** A count, -1 for all; null if it is none. */
function countAt(argv: Argv, index: number): number | null {
  const start = argv.starts[index]!
  const value = parseInt64(argv.bytes, start, start + argv.lengthBytes(index))
  return value === null || value < -1n ? null : Number(value)
}

function replyEntry(reply: ReplyWriter, entry: SlowlogEntry): void {
  reply.array(6)
  reply.integer(entry.id)
  reply.integer(entry.timeSeconds)
  reply.integer(entry.usec)
  reply.array(entry.args.length)
  for (const arg of entry.args) reply.bulkBytes(arg)
  reply.bulkLatin1(entry.address)
  reply.bulkLatin1(entry.clientName)
}

const help: CommandDefinition = {
  name: 'HELP',
  arity: 2,
  flags: LOADING | STALE,
  doc: { group: 'server', since: '6.2.0', complexity: 'O(1)', summary: 'Describes the subcommands.' },
  run(_ctx, _argv, reply) {
    replyHelp(reply, 'SLOWLOG', HELP)
  },
}

const len: CommandDefinition = {
  name: 'LEN',
  arity: 2,
  flags: FLAGS,
  doc: { group: 'server', since: '2.2.12', complexity: 'O(1)', summary: 'Returns the length of the slow log.' },
  run(ctx, _argv, reply) {
    reply.integer(ctx.engine.slowlog.length)
  },
}

const reset: CommandDefinition = {
  name: 'RESET',
  arity: 2,
  flags: FLAGS,
  doc: {
    group: 'server',
    since: '2.2.12',
    complexity: 'O(N) where N is the number of entries in the slowlog',
    summary: 'Empties the slow log.',
  },
  run(ctx, _argv, reply) {
    ctx.engine.slowlog.clear()
    reply.ok()
  },
}

export const slowlog = defineCommand({
  name: 'SLOWLOG',
  arity: -2,
  flags: 0,
  doc: {
    group: 'server',
    since: '2.2.12',
    complexity: 'Depends on subcommand.',
    summary: 'Reads and empties the log of slow commands.',
  },
  subcommands: [get, help, len, reset],
})
