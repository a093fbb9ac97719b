/**
 * What COMMAND and COMMAND INFO reply for a command: ten elements, the last being its subcommands in the same form.
 * Clients and proxies live on this reply, so the order of everything in it is Redis's.
 */
import type { CommandEntry } from '../../engine/command-table.ts'
import type { DetailReader } from '../../engine/docs/detail-tables.ts'
import { FLAG_NAMES } from '../../engine/flags.ts'
import { KEY_FLAG_NAMES, type KeySpec } from '../../engine/key-specs.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

export function replyInfo(reply: ReplyWriter, entry: CommandEntry, details: DetailReader): void {
  const { command } = entry
  const { tips, keyNotes } = details.of(command)
  const { firstKey, lastKey, step } = command.range
  reply.array(10)
  reply.bulkLatin1(command.fullName)
  reply.integer(command.arity)
  replyFlags(reply, entry.flags, FLAG_NAMES)
  reply.integer(firstKey)
  reply.integer(lastKey)
  reply.integer(step)
  reply.set(command.acl.length)
  for (const category of command.acl) reply.status(`@${category}`)
  const shownTips = command.tips.length > 0 ? command.tips : (tips ?? [])
  reply.set(shownTips.length)
  for (const tip of shownTips) reply.bulkText(tip)
  reply.set(command.keys.length)
  for (const [index, spec] of command.keys.entries()) replyKeySpec(reply, spec, spec.notes ?? keyNotes?.[index] ?? null)
  if (entry.subcommands === null) {
    reply.set(0)
    return
  }
  reply.array(entry.subcommands.size)
  for (const child of entry.subcommands.values()) replyInfo(reply, child, details)
}

/** The names of the bits that are set, as a set of simple strings. */
export function replyFlags(
  reply: ReplyWriter,
  flags: number,
  names: readonly (readonly [bit: number, name: string])[],
): void {
  const set = names.filter(([bit]) => (flags & bit) !== 0)
  reply.set(set.length)
  for (const [, name] of set) reply.status(name)
}

function replyKeySpec(reply: ReplyWriter, spec: KeySpec, notes: string | null): void {
  const { begin, find } = spec
  reply.map(notes === null ? 3 : 4)
  if (notes !== null) {
    reply.bulkText('notes')
    reply.bulkText(notes)
  }
  reply.bulkText('flags')
  replyFlags(reply, spec.flags, KEY_FLAG_NAMES)
  reply.bulkText('begin_search')
  if (begin.kind === 'index') replySearch(reply, 'index', [['index', begin.index]])
  else if (begin.kind === 'unknown') replySearch(reply, 'unknown', [])
  else {
    replySearch(reply, 'keyword', [
      ['keyword', begin.keyword],
      ['startfrom', begin.startFrom],
    ])
  }
  reply.bulkText('find_keys')
  if (find.kind === 'unknown') replySearch(reply, 'unknown', [])
  else if (find.kind === 'range') {
    replySearch(reply, 'range', [
      ['lastkey', find.lastKey],
      ['keystep', find.step],
      ['limit', find.limit],
    ])
  } else {
    replySearch(reply, 'keynum', [
      ['keynumidx', find.keyNumIndex],
      ['firstkey', find.firstKey],
      ['keystep', find.step],
    ])
  }
}

/** How one half of a key spec works: its type, and the figures that go with it. */
function replySearch(
  reply: ReplyWriter,
  type: string,
  figures: readonly (readonly [name: string, value: string | number])[],
): void {
  reply.map(2)
  reply.bulkText('type')
  reply.bulkText(type)
  reply.bulkText('spec')
  reply.map(figures.length)
  for (const [name, value] of figures) {
    reply.bulkText(name)
    if (typeof value === 'number') reply.integer(value)
    else reply.bulkText(value)
  }
}
