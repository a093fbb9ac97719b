/**
 * XADD key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] <* | id> field value ...: adds an entry.
 * Reply: its id, or null if NOMKSTREAM found no stream. Propagated with the id and the exact threshold.
 * Hot path: bench/micro/stream.ts. Source: Redis command reference (since 5.0.0).
 */
import type { Argv } from '../../base/argv.ts'
import { defineCommand, firstKey, KEY_RW, KEY_UPDATE } from '../../engine/command.ts'
import { DENYOOM, FAST, WRITE } from '../../engine/flags.ts'
import { NOTIFY_STREAM } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { ENCODING_STREAM, NO_KEY, TYPE_STREAM, WRONG_TYPE } from '../../keyspace/entry.ts'
import { type StreamType, TRIM_NONE } from '../../keyspace/types/stream.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE, type ErrorReply, errorReply } from '../../resp/errors.ts'
import type { StreamId } from '../../structures/stream-id.ts'
import { replyId } from './ids.ts'
import { type AddOptions, ID_AUTO, ID_GIVEN, ID_GIVEN_MS } from './trim-options.ts'

const ERR_ARITY = errorReply("ERR wrong number of arguments for 'xadd' command")
const ERR_ZERO = errorReply('ERR The ID specified in XADD must be greater than 0-0')
const ERR_EXHAUSTED = errorReply('ERR The stream has exhausted the last possible ID, unable to add more items')
const ERR_NOT_ABOVE = errorReply('ERR The ID specified in XADD is equal or smaller than the target stream top item')
const ERR_TOO_LARGE = errorReply('ERR Elements are too large to be stored')

export const xadd = (options: AddOptions) =>
  defineCommand({
    name: 'XADD',
    arity: -5,
    flags: WRITE | DENYOOM | FAST,
    acl: ['stream'],
    keys: [firstKey(KEY_RW | KEY_UPDATE)],
    doc: {
      group: 'stream',
      since: '5.0.0',
      complexity: 'O(1) to add an entry; with trimming O(N) for the N entries that go.',
      summary: 'Adds an entry to the end of a stream.',
    },
    run(ctx, argv, reply) {
      const { db, engine } = ctx
      const { streams } = db.keyspace
      const idIndex = options.read(ctx, argv, true, reply)
      if (idIndex < 0) return
      const first = idIndex + 1
      const rest = argv.count - first
      if (rest < 2 || rest % 2 === 1) return reply.error(ERR_ARITY)
      if (options.idSource === ID_GIVEN && options.id.isZero) return reply.error(ERR_ZERO)
      const entry = db.writeTyped(argv, 1, TYPE_STREAM)
      if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
      if (entry === NO_KEY && options.onlyExisting) return reply.null()
      let root: Ref
      if (entry === NO_KEY) root = addStream(ctx, argv, 1)
      else {
        root = db.rootOf(entry)
        db.beforeChange(entry)
      }
      const id = streams.newId
      streams.readLastId(root, id)
      if (id.isGreatest) return reply.error(ERR_EXHAUSTED)
      const refusal = findId(id, options, ctx.nowMs)
      if (refusal !== null) return reply.error(refusal)
      const fields = rest >> 1
      if (streams.isTooLarge(argv, first, fields)) return reply.error(ERR_TOO_LARGE)
      streams.append(root, id, argv, first, fields)
      replyId(streams, id, reply)
      ctx.changed(argv, 1, NOTIFY_STREAM, 'xadd')
      if (options.strategy !== TRIM_NONE && streams.trim(root, options) > 0) {
        ctx.notify(NOTIFY_STREAM, 'xtrim', db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
      }
      if (engine.effects.isActive && (options.idSource !== ID_GIVEN || options.isApproximate)) {
        ctx.replaceEffect(exactRequest(streams, root, argv, options, idIndex, id))
      }
      if (!engine.keyWaiters.isEmpty) {
        engine.keyWaiters.signal(db, argv.bytes, argv.starts[1]!, argv.lengths[1]!, TYPE_STREAM)
      }
    },
  })

/** Adds an empty stream under the name argv[index], which is free. */
export function addStream(ctx: Session, argv: Argv, index: number): Ref {
  const { db } = ctx
  const { streams } = db.keyspace
  const root = streams.create()
  try {
    db.addValue(argv.bytes, argv.starts[index]!, argv.lengths[index]!, TYPE_STREAM, ENCODING_STREAM, root)
  } catch (error) {
    streams.release(root)
    throw error
  }
  return root
}

/** Makes the last id of a stream that of its next entry, or says why not. */
function findId(id: StreamId, options: AddOptions, nowMs: number): ErrorReply | null {
  if (options.idSource === ID_AUTO) {
    const { id: now } = options
    now.setMoment(nowMs)
    if (now.compare(id) > 0 && !now.hasMs(id)) id.copyFrom(now)
    else id.increment()
    return null
  }
  if (options.idSource === ID_GIVEN_MS && options.id.hasMs(id)) {
    // Redis has no words of its own for a millisecond that is full.
    if (id.hasGreatestSeq) return ERR_TOO_LARGE
    id.increment()
    return null
  }
  if (options.id.compare(id) <= 0) return ERR_NOT_ABOVE
  id.copyFrom(options.id)
  return null
}

function exactRequest(
  streams: StreamType,
  root: Ref,
  argv: Argv,
  options: AddOptions,
  idIndex: number,
  id: StreamId,
): Uint8Array[] {
  const parts = options.exactRequest(streams, root, argv)
  if (options.idSource !== ID_GIVEN) parts[idIndex] = new Uint8Array(Buffer.from(id.toString()))
  return parts
}
