/**
 * LPOP key [count], RPOP key [count], LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]: take elements from an end.
 * LPOP and RPOP are propagated as requested, LMPOP as one of them with the number of elements that there were.
 * Source: Redis command reference.
 */
import type { Argv } from '../../base/argv.ts'
import {
  type CommandDefinition,
  defineCommand,
  firstKey,
  KEY_ACCESS,
  KEY_DELETE,
  KEY_RW,
} from '../../engine/command.ts'
import { FAST, WRITE } from '../../engine/flags.ts'
import { countedKeys } from '../../engine/key-functions.ts'
import type { Session } from '../../engine/session.ts'
import { NO_KEY, TYPE_LIST, WRONG_TYPE } from '../../keyspace/entry.ts'
import { ERR_SYNTAX, ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { readIndex } from '../string/index-range.ts'
import { HEAD, popElement, popElements, popElementsWithKey, readEndName, TAIL } from './operations.ts'

const ERR_NOT_POSITIVE = errorReply('ERR value is out of range, must be positive')
const ERR_NUMKEYS = errorReply('ERR numkeys should be greater than 0')
const ERR_COUNT = errorReply('ERR count should be greater than 0')

const POP = {
  arity: -2,
  flags: WRITE | FAST,
  acl: ['list'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_DELETE)],
} satisfies Partial<CommandDefinition>
const COMPLEXITY = 'O(N) where N is the number of elements returned'

export const lpop = defineCommand({
  ...POP,
  name: 'LPOP',
  doc: {
    group: 'list',
    since: '1.0.0',
    complexity: COMPLEXITY,
    summary: 'Takes elements from the left end of a list.',
  },
  run: (ctx, argv, reply) => pop(ctx, argv, HEAD, reply),
})

export const rpop = defineCommand({
  ...POP,
  name: 'RPOP',
  doc: {
    group: 'list',
    since: '1.0.0',
    complexity: COMPLEXITY,
    summary: 'Takes elements from the right end of a list.',
  },
  run: (ctx, argv, reply) => pop(ctx, argv, TAIL, reply),
})

export const lmpop = defineCommand({
  name: 'LMPOP',
  arity: -4,
  flags: WRITE,
  acl: ['list'],
  keys: [
    {
      flags: KEY_RW | KEY_ACCESS | KEY_DELETE,
      begin: { kind: 'index', index: 1 },
      find: { kind: 'keynum', keyNumIndex: 0, firstKey: 1, step: 1 },
    },
  ],
  getKeys: countedKeys(0, 1, 2),
  doc: {
    group: 'list',
    since: '7.0.0',
    complexity: 'O(N+M) where N is the number of keys and M the number of elements returned',
    summary: 'Takes elements from an end of the first list that has some.',
  },
  run(ctx, argv, reply) {
    const request = readMultiplePop(argv, 1, reply)
    if (request === null) return
    const { db } = ctx
    for (let i = 2; i < 2 + request.keys; i++) {
      const entry = db.writeTyped(argv, i, TYPE_LIST)
      if (entry === NO_KEY) continue
      if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
      popMultiple(ctx, argv, i, entry, request, reply)
      return
    }
    reply.nullArray()
  },
})

export interface MultiplePop {
  readonly keys: number
  readonly isTail: boolean
  readonly count: number
}

/** Reads numkeys, which stands at an index, and what follows it. Null after the error was written. */
export function readMultiplePop(argv: Argv, keysIndex: number, reply: ReplyWriter): MultiplePop | null {
  const keys = readIndex(argv, keysIndex)
  if (!(keys >= 1)) {
    reply.error(ERR_NUMKEYS)
    return null
  }
  const endIndex = keysIndex + keys + 1
  if (endIndex >= argv.count) {
    reply.error(ERR_SYNTAX)
    return null
  }
  const isTail = readEndName(argv, endIndex, reply)
  if (isTail === null) return null
  let count = 0
  for (let i = endIndex + 1; i < argv.count; i += 2) {
    if (count !== 0 || i + 1 === argv.count || !argv.is(i, 'COUNT')) {
      reply.error(ERR_SYNTAX)
      return null
    }
    count = readIndex(argv, i + 1)
    if (!(count >= 1)) {
      reply.error(ERR_COUNT)
      return null
    }
  }
  return { keys, isTail, count: count === 0 ? 1 : count }
}

/** Pops from the list at argv[keyIndex]: the reply, and what is propagated instead of the request. */
export function popMultiple(
  ctx: Session,
  argv: Argv,
  keyIndex: number,
  entry: number,
  { isTail, count }: MultiplePop,
  reply: ReplyWriter,
): void {
  const start = argv.starts[keyIndex]!
  const length = argv.lengths[keyIndex]!
  const popped = popElementsWithKey(ctx, argv.bytes, start, length, entry, isTail, count, reply)
  if (ctx.engine.effects.isActive) {
    ctx.replaceEffect([isTail ? 'RPOP' : 'LPOP', argv.view(keyIndex), String(popped)])
  }
}

function pop(ctx: Session, argv: Argv, isTail: boolean, reply: ReplyWriter): void {
  if (argv.count > 2) return popCount(ctx, argv, isTail, reply)
  const entry = ctx.db.writeTyped(argv, 1, TYPE_LIST)
  if (entry === NO_KEY) return reply.null()
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  popElement(ctx, argv.bytes, argv.starts[1]!, argv.lengths[1]!, entry, isTail, reply)
}

function popCount(ctx: Session, argv: Argv, isTail: boolean, reply: ReplyWriter): void {
  if (argv.count > 3) {
    const name = isTail ? 'rpop' : 'lpop'
    return reply.errorText(`ERR wrong number of arguments for '${name}' command`)
  }
  const count = readIndex(argv, 2)
  if (!(count >= 0)) return reply.error(ERR_NOT_POSITIVE)
  const entry = ctx.db.writeTyped(argv, 1, TYPE_LIST)
  if (entry === NO_KEY) return reply.nullArray()
  if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
  if (count === 0) return reply.array(0)
  popElements(ctx, argv.bytes, argv.starts[1]!, argv.lengths[1]!, entry, isTail, count, reply)
}
