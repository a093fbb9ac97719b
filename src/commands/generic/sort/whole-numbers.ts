/**
 * SORT of nothing but whole numbers, with no more asked for than their order. Equal ones have equal texts, so that they
 * are sorted as numbers, without the elements that they stand for, and written anew.
 */
import type { ReplyWriter } from '../../../resp/reply-writer.ts'

/** Replies `count` of them from the one at `first` on. */
export function replyInOrder(
  numbers: Float64Array,
  first: number,
  count: number,
  isDescending: boolean,
  reply: ReplyWriter,
): void {
  const sorted = asInt32(numbers)?.sort() ?? numbers.sort()
  reply.array(count)
  if (isDescending) replyBackwards(sorted, sorted.length - 1 - first, count, reply)
  else replyForwards(sorted, first, count, reply)
}

/** Null if they do not fit. They sort in half the time. */
function asInt32(numbers: Float64Array): Int32Array | null {
  const small = new Int32Array(numbers.length)
  for (let i = 0; i < numbers.length; i++) {
    small[i] = numbers[i]!
    if (small[i] !== numbers[i]) return null
  }
  return small
}

function replyForwards(numbers: Int32Array | Float64Array, first: number, count: number, reply: ReplyWriter): void {
  for (let i = first; i < first + count; i++) reply.bulkInteger(numbers[i]!)
}

function replyBackwards(numbers: Int32Array | Float64Array, first: number, count: number, reply: ReplyWriter): void {
  for (let i = first; i > first - count; i--) reply.bulkInteger(numbers[i]!)
}
