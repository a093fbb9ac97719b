/**
 * HGETALL, HKEYS, HVALS: a whole hash. In RESP3 HGETALL replies a map.
 * Source: Redis command reference (since 2.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { type CommandDefinition, defineCommand, firstKey, KEY_ACCESS, KEY_RO } from '../../engine/command.ts'
import { READONLY } from '../../engine/flags.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_HASH, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_WRONGTYPE } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

const FIELDS = 1
const VALUES = 2

const COMMON = {
  arity: 2,
  flags: READONLY,
  acl: ['hash'],
  keys: [firstKey(KEY_RO | KEY_ACCESS)],
} satisfies Partial<CommandDefinition>
const DOC = { group: 'hash', since: '2.0.0', complexity: 'O(N) where N is the size of the hash.' }

export const hgetall = defineCommand({
  ...COMMON,
  name: 'HGETALL',
  doc: { ...DOC, summary: 'Returns all fields and values of a hash.' },
  run: (ctx, argv, reply) => replyAll(ctx, argv, FIELDS | VALUES, reply),
})

export const hkeys = defineCommand({
  ...COMMON,
  name: 'HKEYS',
  doc: { ...DOC, summary: 'Returns all fields of a hash.' },
  run: (ctx, argv, reply) => replyAll(ctx, argv, FIELDS, reply),
})

export const hvals = defineCommand({
  ...COMMON,
  name: 'HVALS',
  doc: { ...DOC, summary: 'Returns all values of a hash.' },
  run: (ctx, argv, reply) => replyAll(ctx, argv, VALUES, reply),
})

function replyAll(ctx: Session, argv: Argv, what: number, reply: ReplyWriter): void {
  const { db } = ctx
  const { hashes } = db.keyspace
  const entry = db.readTyped(argv, 1, TYPE_HASH)
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  const root = entry === NO_KEY ? 0 : db.rootOf(entry)
  const encoding = entry === NO_KEY ? 0 : db.encodingOf(entry)
  const count = entry === NO_KEY ? 0 : hashes.presentLength(root, encoding)
  if (what === (FIELDS | VALUES)) reply.map(count)
  else reply.array(count)
  if (count === 0) return
  hashes.iterate(root, encoding)
  while (hashes.next()) {
    if (hashes.isOverdue) continue
    const { fieldText, valueText } = hashes
    if (what & FIELDS) reply.bulk(fieldText.bytes, fieldText.start, fieldText.length)
    if (what & VALUES) reply.bulk(valueText.bytes, valueText.start, valueText.length)
  }
}
