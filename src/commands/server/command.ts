/**
 * COMMAND and its subcommands: what this server can do, derived from the declarations of its commands.
 * Texts and order of errors are pinned by test/compat/command-info.test.ts.
 * Source: Redis command reference, COMMAND (since 2.8.13).
 */
import type { Argv } from '../../base/argv.ts'
import { globMatch } from '../../base/glob.ts'
import { type CommandDefinition, defineCommand } from '../../engine/command.ts'
import type { CommandEntry } from '../../engine/command-table.ts'
import { resolve } from '../../engine/dispatch.ts'
import { DetailReader } from '../../engine/docs/detail-tables.ts'
import { LOADING, NO_MANDATORY_KEYS, SENTINEL, STALE } from '../../engine/flags.ts'
import { replyHelp } from '../../engine/help.ts'
import { extractKeys, mayHaveKeys } from '../../engine/key-extraction.ts'
import { KEY_FLAG_NAMES } from '../../engine/key-specs.ts'
import type { Session } from '../../engine/session.ts'
import { ERR_SYNTAX, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { replyDocs } from './command-docs.ts'
import { replyFlags, replyInfo } from './command-info.ts'

const FLAGS = LOADING | STALE | SENTINEL
const ERR_INVALID_COMMAND = errorReply('ERR Invalid command specified')
const ERR_NO_KEY_ARGUMENTS = errorReply('ERR The command has no key arguments')
const ERR_ARGUMENT_COUNT = errorReply('ERR Invalid number of arguments specified for command')
const ERR_INVALID_ARGUMENTS = errorReply('ERR Invalid arguments specified for command')

const HELP = [
  '(no subcommand)',
  '    Return details about all Redis commands.',
  'COUNT',
  '    Return the total number of commands in this Redis server.',
  'LIST',
  '    Return a list of all commands in this Redis server.',
  'INFO [<command-name> ...]',
  '    Return details about multiple Redis commands.',
  '    If no command names are given, documentation details for all',
  '    commands are returned.',
  'DOCS [<command-name> ...]',
  '    Return documentation details about multiple Redis commands.',
  '    If no command names are given, documentation details for all',
  '    commands are returned.',
  'GETKEYS <full-command>',
  '    Return the keys from a full Redis command.',
  'GETKEYSANDFLAGS <full-command>',
  '    Return the keys and the access flags from a full Redis command.',
]

const count: CommandDefinition = {
  name: 'COUNT',
  arity: 2,
  flags: FLAGS,
  acl: ['connection'],
  doc: { group: 'server', since: '2.8.13', complexity: 'O(1)', summary: 'Returns how many commands there are.' },
  run(ctx, _argv, reply) {
    reply.integer(ctx.engine.commands.size)
  },
}

const docs: CommandDefinition = {
  name: 'DOCS',
  arity: -2,
  flags: FLAGS,
  acl: ['connection'],
  doc: {
    group: 'server',
    since: '7.0.0',
    complexity: 'O(N) for N commands',
    summary: 'Describes commands for people: summary, arguments, history.',
  },
  run(ctx, argv, reply) {
    const found: CommandEntry[] = []
    if (argv.count === 2) found.push(...ctx.engine.commands.entries())
    for (let i = 2; i < argv.count; i++) {
      const entry = ctx.engine.commands.byFullName(argv.latin1(i))
      if (entry !== null) found.push(entry)
    }
    const details = new DetailReader()
    reply.map(found.length)
    for (const entry of found) {
      reply.bulkLatin1(entry.command.fullName)
      replyDocs(reply, entry, details)
    }
  },
}

const getKeys: CommandDefinition = {
  name: 'GETKEYS',
  arity: -4,
  flags: FLAGS,
  acl: ['connection'],
  doc: {
    group: 'server',
    since: '2.8.13',
    complexity: 'O(N) for N arguments',
    summary: 'Returns the keys among the arguments of a command.',
  },
  run(ctx, argv, reply) {
    replyKeys(ctx, argv, reply, false)
  },
}

const getKeysAndFlags: CommandDefinition = {
  name: 'GETKEYSANDFLAGS',
  arity: -4,
  flags: FLAGS,
  acl: ['connection'],
  doc: {
    group: 'server',
    since: '7.0.0',
    complexity: 'O(N) for N arguments',
    summary: 'Returns the keys among the arguments of a command, and what it does to them.',
  },
  run(ctx, argv, reply) {
    replyKeys(ctx, argv, reply, true)
  },
}

const help: CommandDefinition = {
  name: 'HELP',
  arity: 2,
  flags: FLAGS,
  acl: ['connection'],
  doc: { group: 'server', since: '5.0.0', complexity: 'O(1)', summary: 'Lists the subcommands.' },
  run(_ctx, _argv, reply) {
    replyHelp(reply, 'COMMAND', HELP)
  },
}

const info: CommandDefinition = {
  name: 'INFO',
  arity: -2,
  flags: FLAGS,
  acl: ['connection'],
  doc: {
    group: 'server',
    since: '2.8.13',
    complexity: 'O(N) for N commands',
    summary: 'Describes commands for programs: arity, flags, keys.',
  },
  run(ctx, argv, reply) {
    if (argv.count === 2) {
      replyAllInfo(ctx, reply)
      return
    }
    const details = new DetailReader()
    reply.array(argv.count - 2)
    for (let i = 2; i < argv.count; i++) {
      const entry = ctx.engine.commands.byFullName(argv.latin1(i))
      if (entry === null) reply.null()
      else replyInfo(reply, entry, details)
    }
  },
}

const list: CommandDefinition = {
  name: 'LIST',
  arity: -2,
  flags: FLAGS,
  acl: ['connection'],
  doc: {
    group: 'server',
    since: '7.0.0',
    complexity: 'O(N) for N commands',
    summary: 'Returns the names of all commands, or of those that pass a filter.',
  },
  run(ctx, argv, reply) {
    const passes = readFilter(argv)
    if (passes === null) return reply.error(ERR_SYNTAX)
    const names: string[] = []
    for (const entry of ctx.engine.commands.entries()) {
      for (const one of [entry, ...(entry.subcommands?.values() ?? [])]) {
        if (passes(one)) names.push(one.command.fullName)
      }
    }
    reply.array(names.length)
    for (const name of names) reply.bulkLatin1(name)
  },
}

export const command = defineCommand({
  name: 'COMMAND',
  arity: -1,
  flags: FLAGS,
  acl: ['connection'],
  doc: {
    group: 'server',
    since: '2.8.13',
    complexity: 'O(N) for N commands',
    summary: 'Describes all commands for programs: arity, flags, keys.',
  },
  run(ctx, _argv, reply) {
    replyAllInfo(ctx, reply)
  },
  subcommands: [count, docs, getKeys, getKeysAndFlags, help, info, list],
})

function replyAllInfo(ctx: Session, reply: ReplyWriter): void {
  const { commands } = ctx.engine
  const details = new DetailReader()
  reply.array(commands.size)
  for (const entry of commands.entries()) replyInfo(reply, entry, details)
}

/** COMMAND GETKEYS name argument ...: the request to look at starts at argv[2]. */
function replyKeys(ctx: Session, argv: Argv, reply: ReplyWriter, withFlags: boolean): void {
  const request = argv.tail(2)
  const entry = resolve(ctx.engine.commands.lookup(request), request)
  if (entry === null) return reply.error(ERR_INVALID_COMMAND)
  if (!mayHaveKeys(entry.command)) return reply.error(ERR_NO_KEY_ARGUMENTS)
  if (entry.arity > 0 ? request.count !== entry.arity : request.count < -entry.arity) {
    return reply.error(ERR_ARGUMENT_COUNT)
  }
  const keys = extractKeys(entry.command, request)
  if (keys.length === 0 && (entry.flags & NO_MANDATORY_KEYS) === 0) return reply.error(ERR_INVALID_ARGUMENTS)
  reply.array(keys.length)
  for (const [index, flags] of keys) {
    if (withFlags) reply.array(2)
    reply.bulk(request.bytes, request.starts[index]!, request.lengths[index]!)
    if (withFlags) replyFlags(reply, flags, KEY_FLAG_NAMES)
  }
}

/** [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]; the last of several filters counts. Null: wrong syntax. */
function readFilter(argv: Argv): ((entry: CommandEntry) => boolean) | null {
  let passes = (_entry: CommandEntry) => true
  for (let i = 2; i < argv.count; i += 3) {
    // Redis looks for exactly two arguments behind the word, so there is never more than one filter.
    if (!argv.is(i, 'FILTERBY') || argv.count - 1 - i !== 2) return null
    const wanted = argv.latin1(i + 2)
    if (argv.is(i + 1, 'MODULE')) passes = (entry) => entry.module === wanted
    else if (argv.is(i + 1, 'ACLCAT')) passes = (entry) => entry.command.acl.includes(wanted.toLowerCase())
    else if (argv.is(i + 1, 'PATTERN')) {
      const pattern = argv.view(i + 2)
      passes = (entry) => {
        const name = Buffer.from(entry.command.fullName, 'latin1')
        return globMatch(pattern, 0, pattern.length, name, 0, name.length, true)
      }
    } else return null
  }
  return passes
}
