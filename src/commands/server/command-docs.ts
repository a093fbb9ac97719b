/**
 * What COMMAND DOCS replies for a command: a map of what is known about it, with subcommands in the same form.
 * redis-cli takes its hints and its help from here.
 */
import type { CommandEntry } from '../../engine/command-table.ts'
import type { DetailReader } from '../../engine/docs/detail-tables.ts'
import type { CommandDetails } from '../../engine/docs/details.ts'
import { type Argument, parseGrammar } from '../../engine/docs/grammar.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { replyFlags } from './command-info.ts'

const DEPRECATED = 1
const INTERNAL = 2
const DOC_FLAG_NAMES = [
  [DEPRECATED, 'deprecated'],
  [INTERNAL, 'syscmd'],
] as const

const OPTIONAL = 1
const MULTIPLE = 2
const MULTIPLE_TOKEN = 4
const ARGUMENT_FLAG_NAMES = [
  [OPTIONAL, 'optional'],
  [MULTIPLE, 'multiple'],
  [MULTIPLE_TOKEN, 'multiple_token'],
] as const

export function replyDocs(reply: ReplyWriter, entry: CommandEntry, details: DetailReader): void {
  const { doc } = entry.command
  const known = details.of(entry.command)
  const docFlags = (known.deprecated === undefined ? 0 : DEPRECATED) | (known.isInternal === true ? INTERNAL : 0)
  const fields = new MapReply(reply)
  fields.text('summary', doc.summary)
  fields.text('since', doc.since)
  fields.text('group', entry.module === null ? doc.group : 'module')
  fields.text('complexity', doc.complexity)
  fields.text('module', entry.module)
  if (docFlags !== 0) fields.add('doc_flags', () => replyFlags(reply, docFlags, DOC_FLAG_NAMES))
  fields.text('deprecated_since', known.deprecated?.since)
  fields.text('replaced_by', known.deprecated?.replacedBy)
  const { history, arguments: grammar } = known
  if (history !== undefined) fields.add('history', () => replyHistory(reply, history))
  if (grammar !== undefined) fields.add('arguments', () => replyArguments(reply, parseGrammar(grammar)))
  const { subcommands } = entry
  if (subcommands !== null) {
    fields.add('subcommands', () => {
      reply.map(subcommands.size)
      for (const child of subcommands.values()) {
        reply.bulkLatin1(child.command.fullName)
        replyDocs(reply, child, details)
      }
    })
  }
  fields.write()
}

/** A map of which only the fields that are there are sent, so that their number is known first. */
class MapReply {
  private readonly reply: ReplyWriter
  private readonly fields: (readonly [name: string, writeValue: () => void])[] = []

  constructor(reply: ReplyWriter) {
    this.reply = reply
  }

  add(name: string, writeValue: () => void): void {
    this.fields.push([name, writeValue])
  }

  text(name: string, value: string | null | undefined): void {
    if (value !== null && value !== undefined) this.add(name, () => this.reply.bulkText(value))
  }

  write(): void {
    this.reply.map(this.fields.length)
    for (const [name, writeValue] of this.fields) {
      this.reply.bulkText(name)
      writeValue()
    }
  }
}

function replyHistory(reply: ReplyWriter, history: NonNullable<CommandDetails['history']>): void {
  reply.set(history.length)
  for (const [version, change] of history) {
    reply.array(2)
    reply.bulkText(version)
    reply.bulkText(change)
  }
}

function replyArguments(reply: ReplyWriter, all: readonly Argument[]): void {
  reply.array(all.length)
  for (const argument of all) {
    const flags =
      (argument.optional ? OPTIONAL : 0) |
      (argument.multiple ? MULTIPLE : 0) |
      (argument.multipleToken ? MULTIPLE_TOKEN : 0)
    const fields = new MapReply(reply)
    fields.text('name', argument.name)
    fields.text('type', argument.type)
    if (argument.keySpecIndex >= 0) fields.add('key_spec_index', () => reply.integer(argument.keySpecIndex))
    fields.text('token', argument.token)
    fields.text('since', argument.since)
    fields.text('deprecated_since', argument.deprecatedSince)
    if (flags !== 0) fields.add('flags', () => replyFlags(reply, flags, ARGUMENT_FLAG_NAMES))
    if (argument.arguments.length > 0) fields.add('arguments', () => replyArguments(reply, argument.arguments))
    fields.write()
  }
}
