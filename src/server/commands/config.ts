/**
 * CONFIG GET | SET | RESETSTAT | REWRITE | HELP of one server: its parameters, read and changed while it runs.
 * Texts and order of errors are pinned by test/compat/config.test.ts.
 * Source: Redis command reference, CONFIG (since 2.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { type Command, type CommandDefinition, defineCommand } from '../../engine/command.ts'
import { ADMIN, LOADING, NOSCRIPT, STALE } from '../../engine/flags.ts'
import { replyHelp } from '../../engine/help.ts'
import { BLOCKED, type Session } from '../../engine/session.ts'
import { ERR_SYNTAX } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import type { ConfigStore, SetContext, SetResult } from '../config/store.ts'
import { findParameter } from '../config/store.ts'
import { cString } from '../config/text.ts'

/** What the commands need of their server. */
export interface ConfigCommandHost {
  readonly store: ConfigStore
  /** What CONFIG SET may do for this client just now. */
  setContext(session: Session): SetContext
  /** Shows "(redacted)" for an argument wherever the request is shown: it is a password. */
  redact(session: Session, argIndex: number): void
  /** CONFIG RESETSTAT. */
  resetStatistics(): void
  /** CONFIG REWRITE: null, or why the file could not be written. Called only when there is a configuration file. */
  rewriteFile(): string | null
  /** Logs at level warning. */
  warn(message: string): void
}

const FLAGS = ADMIN | NOSCRIPT | LOADING | STALE

const HELP = [
  'GET <pattern>',
  '    Return parameters matching the glob-like <pattern> and their values.',
  'SET <directive> <value>',
  '    Set the configuration <directive> to <value>.',
  'RESETSTAT',
  '    Reset statistics reported by the INFO command.',
  'REWRITE',
  '    Rewrite the configuration file.',
]

export function configCommands(host: ConfigCommandHost): readonly Command[] {
  const get: CommandDefinition = {
    name: 'GET',
    arity: -3,
    flags: FLAGS,
    doc: {
      group: 'server',
      since: '2.0.0',
      complexity: 'O(N) for N parameters',
      summary: 'Returns parameters whose names match any of the patterns.',
    },
    run(_ctx, argv, reply) {
      const patterns: string[] = []
      for (let i = 2; i < argv.count; i++) patterns.push(argv.latin1(i))
      const found = host.store.get(patterns)
      reply.map(found.length)
      for (const [name, value] of found) {
        reply.bulkLatin1(cString(name))
        reply.bulkLatin1(value)
      }
    },
  }

  const set: CommandDefinition = {
    name: 'SET',
    arity: -4,
    flags: FLAGS,
    doc: {
      group: 'server',
      since: '2.0.0',
      complexity: 'O(N) for N parameters',
      summary: 'Sets parameters: all that are given, or none.',
    },
    run(ctx, argv, reply) {
      if (argv.count % 2 !== 0) return reply.error(ERR_SYNTAX)
      const pairs = pairsOf(argv)
      for (const [index, [name]] of pairs.entries()) {
        if (findParameter(name)?.parameter.sensitive) host.redact(ctx, 2 + index * 2 + 1)
      }
      const result = host.store.set(pairs, host.setContext(ctx))
      if (result instanceof Promise) answerLater(ctx, result)
      else answer(reply, result)
    },
  }

  const rewrite: CommandDefinition = {
    name: 'REWRITE',
    arity: 2,
    flags: FLAGS,
    doc: {
      group: 'server',
      since: '2.8.0',
      complexity: 'O(1)',
      summary: 'Writes the configuration as it is now to the configuration file.',
    },
    run(_ctx, _argv, reply) {
      if (host.store.configFile === null) return reply.errorText('ERR The server is running without a config file')
      const reason = host.rewriteFile()
      if (reason !== null) {
        host.warn(`CONFIG REWRITE failed: ${reason}`)
        return reply.errorText(`ERR Rewriting config file: ${reason}`)
      }
      host.warn('CONFIG REWRITE executed with success.')
      reply.ok()
    },
  }

  const resetStat: CommandDefinition = {
    name: 'RESETSTAT',
    arity: 2,
    flags: FLAGS,
    doc: { group: 'server', since: '2.0.0', complexity: 'O(1)', summary: 'Sets the figures of INFO back to zero.' },
    run(_ctx, _argv, reply) {
      host.resetStatistics()
      reply.ok()
    },
  }

  const help: CommandDefinition = {
    name: 'HELP',
    arity: 2,
    flags: LOADING | STALE,
    doc: { group: 'server', since: '5.0.0', complexity: 'O(1)', summary: 'Describes the subcommands.' },
    run(_ctx, _argv, reply) {
      replyHelp(reply, 'CONFIG', HELP)
    },
  }

  return [
    defineCommand({
      name: 'CONFIG',
      arity: -2,
      flags: 0,
      doc: {
        group: 'server',
        since: '2.0.0',
        complexity: 'Depends on subcommand.',
        summary: 'Reads and changes the configuration.',
      },
      subcommands: [get, help, resetStat, rewrite, set],
    }),
  ]
}

function pairsOf(argv: Argv): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = []
  for (let i = 2; i < argv.count; i += 2) pairs.push([argv.latin1(i), argv.latin1(i + 1)])
  return pairs
}

function answer(reply: ReplyWriter, result: SetResult): void {
  if (result === null) reply.ok()
  else reply.errorText(result)
}

/** The client's further requests wait until the change is in effect or undone. */
function answerLater(session: Session, result: Promise<SetResult>): void {
  const { engine } = session
  session.setFlag(BLOCKED)
  result.then(
    (outcome) => {
      session.clearFlag(BLOCKED)
      engine.send(session, (reply) => answer(reply, outcome))
      engine.resume(session)
    },
    (error: unknown) => engine.fail(error, session),
  )
}
