/**
 * BITOP AND | OR | XOR | NOT destination key [key ...]: the result of a bitwise operation becomes the destination.
 * Reply: its length, that of the longest source; shorter ones count as followed by zeros. Without any byte the
 * destination is deleted. Propagated as requested.
 * Source: Redis command reference, BITOP (since 2.6.0).
 */
import type { Argv } from '../../base/argv.ts'
import {
  type Command,
  defineCommand,
  KEY_ACCESS,
  KEY_OW,
  KEY_RO,
  KEY_UPDATE,
  keyAt,
  keyRange,
} from '../../engine/command.ts'
import { DENYOOM, WRITE } from '../../engine/flags.ts'
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { ENCODING_RAW, NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import { type ByteRange, OP_AND, OP_NOT, OP_OR, OP_XOR } from './bits.ts'
import type { LongBits } from './long-bits.ts'

const ERR_NOT_TAKES_ONE = errorReply('ERR BITOP NOT must be called with a single source key.')
const NO_OP = -1
const FIRST_SOURCE = 3

export const bitop = (bits: LongBits): Command =>
  defineCommand({
    name: 'BITOP',
    arity: -4,
    flags: WRITE | DENYOOM,
    acl: ['bitmap'],
    keys: [keyAt(2, KEY_OW | KEY_UPDATE), keyRange(3, -1, 1, KEY_RO | KEY_ACCESS)],
    doc: {
      group: 'bitmap',
      since: '2.6.0',
      complexity: 'O(N) where N is the length of all sources together',
      summary: 'Stores the result of a bitwise operation on strings.',
    },
    run(ctx, argv, reply) {
      const op = readOperation(argv)
      if (op === NO_OP) return reply.error(ERR_SYNTAX)
      if (op === OP_NOT && argv.count !== FIRST_SOURCE + 1) return reply.error(ERR_NOT_TAKES_ONE)
      const { db } = ctx
      const sources: ByteRange[] = []
      let lengthBytes = 0
      for (let i = FIRST_SOURCE; i < argv.count; i++) {
        const source = db.readString(argv, i)
        if (source === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
        const length = source === NO_KEY ? 0 : db.valueLength(source)
        sources.push({ bytes: db.bytesOf(source), at: source === NO_KEY ? 0 : db.valueAt(source), length })
        lengthBytes = Math.max(lengthBytes, length)
      }
      if (lengthBytes === 0) removeDestination(ctx, argv)
      else {
        const result = new Uint8Array(lengthBytes)
        bits.combine(op, result, sources)
        store(ctx, argv, result)
      }
      reply.integer(lengthBytes)
    },
  })

function readOperation(argv: Argv): number {
  if (argv.is(1, 'AND')) return OP_AND
  if (argv.is(1, 'OR')) return OP_OR
  if (argv.is(1, 'XOR')) return OP_XOR
  return argv.is(1, 'NOT') ? OP_NOT : NO_OP
}

function store(ctx: Session, argv: Argv, result: Uint8Array): void {
  const { db } = ctx
  if (db.keyspace.lfu) db.write(argv, 2)
  db.setString(argv.bytes, argv.starts[2]!, argv.lengths[2]!, result, 0, result.length, ENCODING_RAW, false)
  ctx.changed(argv, 2, NOTIFY_STRING, 'set')
}

/** Whether the destination is overdue is not asked: it goes either way. */
function removeDestination(ctx: Session, argv: Argv): void {
  const { db } = ctx
  const held = db.peekOverdue(argv.bytes, argv.starts[2]!, argv.lengths[2]!)
  if (held === NO_KEY) return
  db.remove(held)
  ctx.changed(argv, 2, NOTIFY_GENERIC, 'del')
}
