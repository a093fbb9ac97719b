/**
 * XRANGE, XREVRANGE and XLEN. A bound is an id, "-", "+", or "(" and an id that is left out of the range; without a sequence
 * number it stands for the whole millisecond. Source: Redis command reference (since 5.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { parseInt64 } from '../../base/int64-text.ts'
import { type CommandDefinition, defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { FAST, READONLY } from '../../engine/flags.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_STREAM, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { readRangeEnd, readRangeStart, replyEntry } from './ids.ts'

const COMMON = {
  arity: -4,
  flags: READONLY,
  acl: ['stream'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
} satisfies Partial<CommandDefinition>

export const xrange = defineCommand({
  ...COMMON,
  name: 'XRANGE',
  doc: {
    group: 'stream',
    since: '5.0.0',
    complexity: 'O(N) for N entries returned; O(1) if COUNT keeps N constant.',
    summary: 'Returns the entries of a stream between two IDs.',
  },
  run: (ctx, argv, reply) => replyRange(ctx, argv, false, reply),
})

export const xrevrange = defineCommand({
  ...COMMON,
  name: 'XREVRANGE',
  doc: {
    group: 'stream',
    since: '5.0.0',
    complexity: 'O(N) for N entries returned; O(1) if COUNT keeps N constant.',
    summary: 'Returns the entries of a stream between two IDs, the newest first.',
  },
  run: (ctx, argv, reply) => replyRange(ctx, argv, true, reply),
})

export const xlen = defineCommand({
  name: 'XLEN',
  arity: 2,
  flags: READONLY | FAST,
  acl: ['stream'],
  keys: [firstKey(KEY_RO)],
  doc: { group: 'stream', since: '5.0.0', complexity: 'O(1)', summary: 'Counts the entries of a stream.' },
  run(ctx, argv, reply) {
    const entry = ctx.db.readTyped(argv, 1, TYPE_STREAM)
    if (entry === NO_KEY) return reply.integer(0)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    reply.integer(ctx.db.keyspace.streams.length(ctx.db.rootOf(entry)))
  },
})

function replyRange(ctx: Session, argv: Argv, isReversed: boolean, reply: ReplyWriter): void {
  const start = readRangeStart(argv, isReversed ? 3 : 2, reply)
  if (start === null) return
  const end = readRangeEnd(argv, isReversed ? 2 : 3, reply)
  if (end === null) return
  let count = -1
  for (let i = 4; i < argv.count; i += 2) {
    if (!argv.is(i, 'COUNT') || i + 1 === argv.count) return reply.error(ERR_SYNTAX)
    const given = parseInt64(argv.bytes, argv.starts[i + 1]!, argv.starts[i + 1]! + argv.lengths[i + 1]!)
    if (given === null) return reply.error(ERR_NOT_INTEGER)
    count = given < 0 ? 0 : Number(given)
  }
  const entry = ctx.db.readTyped(argv, 1, TYPE_STREAM)
  if (entry === NO_KEY) return reply.array(0)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  if (count === 0) return reply.nullArray()
  const { streams } = ctx.db.keyspace
  const { entries } = streams
  const gap = reply.gap()
  let found = 0
  entries.begin(ctx.db.rootOf(entry), start, end, isReversed)
  while (found !== count && entries.next()) {
    replyEntry(streams, entries, reply)
    found++
  }
  reply.fillArray(gap, found)
}
