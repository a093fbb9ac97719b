/**
 * The declaration of a command. Name, arity, flags, keys, categories, docs and handler stand in one place; COMMAND,
 * ACL, arity errors, the checks before execution, key extraction and the generated docs page are all derived from it.
 * Built-in commands and users' own go through the same `defineCommand`.
 * Source of the vocabulary: Redis's command tables (COMMAND INFO, key specifications).
 */
import type { Argv } from '../base/argv.ts'
import type { ReplyWriter } from '../resp/reply-writer.ts'
import type { CommandDetails } from './docs/details.ts'
import { type Argument, GrammarError, parseGrammar } from './docs/grammar.ts'
import { ADMIN, BLOCKING, FAST, MOVABLE_KEYS, PUBSUB, READONLY, WRITE } from './flags.ts'
import { type KeyPosition, type KeySpec, keySpecProblem, type LegacyRange, legacyRange } from './key-specs.ts'
import type { Session } from './session.ts'

export * from './key-specs.ts'

/** What is said of a command. Arguments, history and the like of built-in commands stand in docs/. */
export interface CommandDoc extends Omit<CommandDetails, 'tips' | 'keyNotes'> {
  /** Section of the command reference: "string", "generic", "server" ... */
  readonly group: string
  readonly since: string
  readonly complexity?: string
  readonly summary: string
}

/** Key positions for commands whose grammar no key spec can say. Pairs of argument index and key flags; null on a syntax error. */
export type GetKeys = (argv: Argv) => readonly KeyPosition[] | null

export type Handler = (ctx: Session, argv: Argv, reply: ReplyWriter) => void

export interface CommandDefinition {
  /** Upper case. A subcommand gives only its own name. */
  readonly name: string
  /** Arguments with the name(s); negative means "at least". */
  readonly arity: number
  readonly flags: number
  /** ACL categories beside those that follow from the flags. */
  readonly acl?: readonly string[]
  readonly keys?: readonly KeySpec[]
  readonly getKeys?: GetKeys
  readonly doc: CommandDoc
  /** Tips for clients and proxies, as COMMAND INFO lists them. */
  readonly tips?: readonly string[]
  readonly run?: Handler
  /** A container: `run`, if any, answers when no subcommand is given. */
  readonly subcommands?: readonly CommandDefinition[]
}

/** A command as the engine runs it: the declaration and what is derived from it. Shared by all servers, never changed. */
export interface Command extends CommandDefinition {
  /** As Redis reports it: lower case, "config|get". */
  readonly fullName: string
  readonly acl: readonly string[]
  readonly keys: readonly KeySpec[]
  /** The keys as one range. */
  readonly range: LegacyRange
  readonly tips: readonly string[]
  readonly subcommands: readonly Command[]
  readonly parent: Command | null
}

/** Makes a command out of its declaration. Throws a TypeError that says what is wrong with it. */
export function defineCommand(definition: CommandDefinition): Command {
  return derive(definition, null)
}

function derive(definition: CommandDefinition, parent: Command | null): Command {
  // Whoever writes JavaScript has no compiler that asks for all this.
  if (typeof definition !== 'object' || definition === null) throw new TypeError('a command is declared as an object')
  const { name, arity } = definition
  if (typeof name !== 'string' || !/^[\w.:-]+$/.test(name))
    throw new TypeError(`command name "${name}" may hold letters, digits and _ . : - only`)
  checkParts(definition)
  if (!Number.isInteger(arity) || arity === 0)
    throw new TypeError(`command ${name}: arity must be a whole number other than 0`)
  if (definition.run === undefined && (definition.subcommands ?? []).length === 0) {
    throw new TypeError(`command ${name}: needs a run function or subcommands`)
  }
  if (/^Async|Generator/.test(definition.run?.constructor.name ?? '')) {
    throw new TypeError(`command ${name}: run must not be async: the next command runs as soon as it returns`)
  }
  if (!Number.isInteger(definition.flags)) throw new TypeError(`command ${name}: flags must be a number, 0 for none`)
  const { group, since, summary } = definition.doc ?? {}
  if (typeof group !== 'string' || typeof since !== 'string' || typeof summary !== 'string') {
    throw new TypeError(`command ${name}: doc must have a group, a summary and since when it is there`)
  }
  const keys = definition.keys ?? []
  for (const [index, spec] of keys.entries()) {
    const problem = keySpecProblem(spec)
    if (problem !== null) throw new TypeError(`command ${name}: key spec ${index}: ${problem}`)
  }
  const grammar = definition.doc.arguments
  if (grammar !== undefined) checkGrammar(name, grammar, keys.length)
  let { flags } = definition
  const range = legacyRange(keys)
  if (range.isPartial || (definition.getKeys !== undefined && keys.length === 0)) flags |= MOVABLE_KEYS
  const lower = name.toLowerCase()
  const command: Command & { subcommands: readonly Command[] } = {
    ...definition,
    flags,
    fullName: parent === null ? lower : `${parent.fullName}|${lower}`,
    acl: categories(flags, definition.acl ?? []),
    keys,
    range,
    tips: definition.tips ?? [],
    parent,
    subcommands: [],
  }
  command.subcommands = (definition.subcommands ?? []).map((child) => derive(child, command))
  const names = command.subcommands.map((child) => child.fullName)
  const twice = names.find((child, index) => names.indexOf(child) !== index)
  if (twice !== undefined) throw new TypeError(`command ${name}: subcommand ${twice} is declared twice`)
  return command
}

const LISTS: ReadonlyMap<'keys' | 'acl' | 'tips' | 'subcommands', 'object' | 'string'> = new Map([
  ['keys', 'object'],
  ['acl', 'string'],
  ['tips', 'string'],
  ['subcommands', 'object'],
])

/** Throws if a part of a declaration that may be left out is there and of another kind. */
function checkParts(definition: CommandDefinition): void {
  for (const part of ['run', 'getKeys'] as const) {
    const value: unknown = definition[part]
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`command ${definition.name}: ${part} must be a function`)
    }
  }
  for (const [part, kind] of LISTS) {
    const list: unknown = definition[part]
    if (list === undefined) continue
    const isRight = Array.isArray(list) && list.every((item: unknown) => typeof item === kind && item !== null)
    if (!isRight) throw new TypeError(`command ${definition.name}: ${part} must be a list of ${kind}s`)
  }
}

/** A mistake in the grammar of a user's command shows when it is declared, not when somebody asks for its docs. */
function checkGrammar(name: string, grammar: string, keySpecs: number): void {
  const check = (all: readonly Argument[]) => {
    for (const argument of all) {
      if (argument.keySpecIndex >= keySpecs) {
        throw new TypeError(`command ${name}: argument ${argument.name}: there is no key spec ${argument.keySpecIndex}`)
      }
      check(argument.arguments)
    }
  }
  try {
    check(parseGrammar(grammar))
  } catch (error) {
    if (error instanceof GrammarError) throw new TypeError(`command ${name}: ${error.message}`)
    throw error
  }
}

/** Broad categories follow from the flags, as Redis derives them. */
function categories(flags: number, declared: readonly string[]): string[] {
  const names = new Set(declared)
  if (flags & WRITE) names.add('write')
  if (flags & READONLY && !names.has('scripting')) names.add('read')
  if (flags & ADMIN) names.add('admin').add('dangerous')
  if (flags & PUBSUB) names.add('pubsub')
  if (flags & FAST) names.add('fast')
  if (flags & BLOCKING) names.add('blocking')
  if (!names.has('fast')) names.add('slow')
  return ACL_CATEGORIES.filter((name) => names.delete(name)).concat([...names])
}

/** In the order in which Redis lists them. */
export const ACL_CATEGORIES: readonly string[] = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
]
