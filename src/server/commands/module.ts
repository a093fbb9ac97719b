/**
 * MODULE LIST | LOAD | LOADEX | UNLOAD | HELP: commands from JavaScript files, see server/modules.ts.
 * Loading takes time; the client waits, others do not. Source: Redis command reference, MODULE (since 4.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { type Command, type CommandDefinition, defineCommand } from '../../engine/command.ts'
import { ADMIN, LOADING, NO_ASYNC_LOADING, NOSCRIPT, PROTECTED, STALE } from '../../engine/flags.ts'
import { replyHelp } from '../../engine/help.ts'
import { DENY_BLOCKING, type Session } from '../../engine/session.ts'
import { errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import type { LoadedModule, ModuleRequest, UnloadResult } from '../modules.ts'
import type { Server } from '../server.ts'
import { answerLater } from './answer-later.ts'
import { serverOf } from './host.ts'

const CHANGE = NO_ASYNC_LOADING | ADMIN | NOSCRIPT | PROTECTED
const ERR_LOAD = errorReply('ERR Error loading the extension. Please check the server logs.')
const ERR_CANNOT_WAIT = errorReply('ERR Modules cannot be loaded or unloaded within a transaction or a script')
const UNLOAD_ERRORS = {
  unknown: errorReply('ERR Error unloading module: no such module with that name'),
  refused: errorReply('ERR Error unloading module: operation not possible.'),
}

const HELP = [
  'LIST',
  '    Return a list of loaded modules.',
  'LOAD <path> [<arg> ...]',
  '    Load a module library from <path>, passing to it any optional arguments.',
  'LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]',
  '    Load a module library from <path>, while passing it module configurations and optional arguments.',
  'UNLOAD <name>',
  '    Unload a module.',
]

export function moduleCommands(server: Server | null): readonly Command[] {
  const help: CommandDefinition = {
    name: 'HELP',
    arity: 2,
    flags: LOADING | STALE,
    doc: { group: 'server', since: '5.0.0', complexity: 'O(1)', summary: 'Describes the subcommands.' },
    run(_ctx, _argv, reply) {
      replyHelp(reply, 'MODULE', HELP)
    },
  }

  const list: CommandDefinition = {
    name: 'LIST',
    arity: 2,
    flags: ADMIN | NOSCRIPT,
    doc: {
      group: 'server',
      since: '4.0.0',
      complexity: 'O(N) where N is the number of loaded modules.',
      summary: 'Lists the loaded modules.',
    },
    run(_ctx, _argv, reply) {
      replyModules(reply, serverOf(server).modules.list())
    },
  }

  const load: CommandDefinition = {
    name: 'LOAD',
    arity: -3,
    flags: CHANGE,
    doc: { group: 'server', since: '4.0.0', complexity: 'O(1)', summary: 'Loads a module.' },
    run(ctx, argv, reply) {
      loadModule(serverOf(server), ctx, { path: argv.utf8(2), args: words(argv, 3) }, reply)
    },
  }

  const loadEx: CommandDefinition = {
    name: 'LOADEX',
    arity: -3,
    flags: CHANGE,
    doc: {
      group: 'server',
      since: '7.0.0',
      complexity: 'O(1)',
      summary: 'Loads a module with parameters of its own.',
    },
    run(ctx, argv, reply) {
      const host = serverOf(server)
      const request = parseExtended(argv)
      if (typeof request === 'string') {
        host.logger.notice(request)
        return reply.error(ERR_LOAD)
      }
      loadModule(host, ctx, request, reply)
    },
  }

  const unload: CommandDefinition = {
    name: 'UNLOAD',
    arity: 3,
    flags: CHANGE,
    doc: { group: 'server', since: '4.0.0', complexity: 'O(1)', summary: 'Takes the commands of a module away.' },
    run(ctx, argv, reply) {
      if (ctx.has(DENY_BLOCKING)) return reply.error(ERR_CANNOT_WAIT)
      answerLater(ctx, serverOf(server).modules.unload(argv.utf8(2)), replyUnload)
    },
  }

  return [
    defineCommand({
      name: 'MODULE',
      arity: -2,
      flags: 0,
      doc: {
        group: 'server',
        since: '4.0.0',
        complexity: 'Depends on subcommand.',
        summary: 'Loads, lists and unloads modules.',
      },
      subcommands: [help, list, load, loadEx, unload],
    }),
  ]
}

/** CONFIG name value, repeated, then ARGS and all that follows; or what is wrong with it. */
function parseExtended(argv: Argv): ModuleRequest | string {
  const parameters: (readonly [string, string])[] = []
  let args: string[] = []
  let at = 3
  while (at < argv.count) {
    if (argv.is(at, 'CONFIG')) {
      if (at + 2 >= argv.count) return 'CONFIG specified without name value pair'
      parameters.push([argv.utf8(at + 1), argv.utf8(at + 2)])
      at += 3
    } else if (argv.is(at, 'ARGS')) {
      args = words(argv, at + 1)
      at = argv.count
    } else return `Syntax Error from arguments to loadex around ${argv.latin1(at)}.`
  }
  return { path: argv.utf8(2), args, parameters }
}

function words(argv: Argv, from: number): string[] {
  const words: string[] = []
  for (let i = from; i < argv.count; i++) words.push(argv.utf8(i))
  return words
}

function loadModule(server: Server, ctx: Session, request: ModuleRequest, reply: ReplyWriter): void {
  if (ctx.has(DENY_BLOCKING)) return reply.error(ERR_CANNOT_WAIT)
  answerLater(ctx, server.modules.load(request), replyLoad)
}

function replyLoad(reply: ReplyWriter, loaded: boolean): void {
  if (loaded) reply.ok()
  else reply.error(ERR_LOAD)
}

function replyUnload(reply: ReplyWriter, result: UnloadResult): void {
  if (result === 'unloaded') reply.ok()
  else reply.error(UNLOAD_ERRORS[result])
}

/** Modules as MODULE LIST and HELLO show them. */
export function replyModules(reply: ReplyWriter, modules: readonly LoadedModule[]): void {
  reply.array(modules.length)
  for (const { name, version, path, args } of modules) {
    reply.map(4)
    reply.bulkText('name')
    reply.bulkText(name)
    reply.bulkText('ver')
    reply.integer(version)
    reply.bulkText('path')
    reply.bulkText(path)
    reply.bulkText('args')
    reply.array(args.length)
    for (const arg of args) reply.bulkText(arg)
  }
}
