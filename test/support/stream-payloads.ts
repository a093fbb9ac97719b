/** Payloads of one small stream as each version of Redis writes it: two entries, the first pending for a consumer of a group. */
import { lengthBytes, payload } from './rdb-builder.ts'

const ID = [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1]
/** count 2, deleted 0, one field "f", end of the master entry; entries 7-1 "v" and 7-3 with field "g". */
const NODE = [
  [2, 1, 0, 1, 1, 1, 0x81, 0x66, 2, 0, 1],
  [2, 1, 0, 1, 0, 1, 0x81, 0x76, 2, 4, 1],
  [0, 1, 0, 1, 2, 1, 1, 1, 0x81, 0x67, 2, 12, 1, 6, 1],
].flat()
const LISTPACK = [...lengthOf(NODE.length + 7), 18, 0, ...NODE, 255]
const SEEN_MS = 1_700_000_000_000n

function lengthOf(total: number): number[] {
  return [total & 255, total >> 8, 0, 0]
}

function moment(ms: bigint): number[] {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(ms)
  return [...bytes]
}

const text = (value: string): number[] => [...lengthBytes(value.length), ...Buffer.from(value)]

/** `rdbType`: 15 (Redis 5), 19 (7.0) or 21 (7.2). */
export function smallStreamPayload(rdbType: 15 | 19 | 21): Buffer {
  return payload([
    rdbType,
    ...[1, 16, ...ID, LISTPACK.length, ...LISTPACK],
    ...[2, 7, 3],
    ...(rdbType === 15 ? [] : [7, 1, 0, 0, 2]),
    ...[1, ...text('g'), 7, 1],
    ...(rdbType === 15 ? [] : [1]),
    ...[1, ...ID, ...moment(SEEN_MS), 5],
    ...[1, ...text('c'), ...moment(SEEN_MS)],
    ...(rdbType === 21 ? moment(SEEN_MS + 1n) : []),
    ...[1, ...ID],
  ])
}
