/** Ids among the arguments of stream commands and in their replies. */
import type { Argv } from '../../base/argv.ts'
import type { StreamType } from '../../keyspace/types/stream.ts'
import type { StreamIterator } from '../../keyspace/types/stream-iterator.ts'
import { errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { ID_INVALID, ID_STRICT, ID_WITH_ENDS, StreamId } from '../../structures/stream-id.ts'

export const ERR_INVALID_ID = errorReply('ERR Invalid stream ID specified as stream command argument')
const ERR_INVALID_START = errorReply('ERR invalid start ID for the interval')
const ERR_INVALID_END = errorReply('ERR invalid end ID for the interval')
const OPEN = 0x28

/** Reads an id that names one entry; one without a sequence number has 0. False: it is none, which has been replied. */
export function readId(argv: Argv, index: number, id: StreamId, reply: ReplyWriter): boolean {
  if (parseId(argv, index, id)) return true
  reply.error(ERR_INVALID_ID)
  return false
}

export function parseId(argv: Argv, index: number, id: StreamId): boolean {
  return id.parse(argv.bytes, argv.starts[index]!, argv.lengths[index]!, ID_STRICT, false) !== ID_INVALID
}

/** Reads the ids argv[first ...); null: one is none, which has been replied. */
export function readIds(argv: Argv, first: number, reply: ReplyWriter): StreamId[] | null {
  const ids: StreamId[] = []
  for (let i = first; i < argv.count; i++) {
    const id = new StreamId()
    if (!readId(argv, i, id, reply)) return null
    ids.push(id)
  }
  return ids
}

/** The lower bound of a range: "-", an id, or "(" and an id that is left out. Null: it is none, which has been replied. */
export function readRangeStart(argv: Argv, index: number, reply: ReplyWriter): StreamId | null {
  const id = new StreamId()
  const isOpen = readBound(argv, index, id, false, reply)
  if (isOpen === null) return null
  if (!isOpen || id.increment()) return id
  reply.error(ERR_INVALID_START)
  return null
}

/** The upper bound of a range, alike. */
export function readRangeEnd(argv: Argv, index: number, reply: ReplyWriter): StreamId | null {
  const id = new StreamId()
  const isOpen = readBound(argv, index, id, true, reply)
  if (isOpen === null) return null
  if (!isOpen || id.decrement()) return id
  reply.error(ERR_INVALID_END)
  return null
}

/** Whether the bound is left out of its range; null: it is no id. */
function readBound(argv: Argv, index: number, id: StreamId, isEnd: boolean, reply: ReplyWriter): boolean | null {
  const start = argv.starts[index]!
  const length = argv.lengths[index]!
  const isOpen = length > 1 && argv.bytes[start] === OPEN
  const found = isOpen
    ? id.parse(argv.bytes, start + 1, length - 1, ID_STRICT, isEnd)
    : id.parse(argv.bytes, start, length, ID_WITH_ENDS, isEnd)
  if (found !== ID_INVALID) return isOpen
  reply.error(ERR_INVALID_ID)
  return null
}

export function replyId(streams: StreamType, id: StreamId, reply: ReplyWriter): void {
  const { idText } = streams
  const length = idText.write(id)
  reply.bulk(idText.bytes, 0, length, idText.data)
}

/** The entry that the iterator has found: its id, and its fields and values. */
export function replyEntry(streams: StreamType, entries: StreamIterator, reply: ReplyWriter): void {
  reply.array(2)
  replyId(streams, entries.id, reply)
  const { fieldCount, field, value } = entries
  reply.array(fieldCount * 2)
  for (let i = 0; i < fieldCount; i++) {
    entries.nextField()
    reply.bulk(field.bytes, field.start, field.length)
    reply.bulk(value.bytes, value.start, value.length)
  }
}
