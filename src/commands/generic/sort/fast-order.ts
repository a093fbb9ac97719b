/**
 * Sorting many items by a number each: a merge sort over indexes, several times faster than one that calls a function for
 * each comparison. Texts are sorted so by their first bytes; where numbers are equal, the function decides.
 */
import { endOfCString } from '../../../base/int64-text.ts'
import type { TextPool } from '../../../base/text-pool.ts'
import type { CompareItems, SortItem } from './order.ts'

/** So many bytes of a text make a number that a double holds. */
const PREFIX_BYTES = 6
/** Below every prefix: an item without a weight. */
const NO_WEIGHT = -1
/** Shorter runs are sorted by insertion before they are merged. */
const RUN = 8

export interface Ranks {
  readonly isDescending: boolean
  readonly isAlpha: boolean
  readonly hasWeights: boolean
  readonly isStored: boolean
}

/** The items in order. Those that compare equal keep the order that they have. `compare` agrees with `ranks`. */
export function sorted(
  elements: TextPool,
  items: readonly SortItem[],
  compare: CompareItems,
  ranks: Ranks,
): SortItem[] {
  const { length } = items
  const numbers = new Float64Array(length)
  const sign = ranks.isDescending ? -1 : 1
  for (let i = 0; i < length; i++) numbers[i] = sign * numberOf(elements, items[i]!, ranks)
  const order = sortedIndexes(numbers)
  const result = new Array<SortItem>(length)
  for (let i = 0; i < length; i++) result[i] = items[order[i]!]!
  for (let first = 0; first < length; ) {
    let end = first + 1
    while (end < length && numbers[order[end]!] === numbers[order[first]!]) end++
    if (end - first > 1) {
      const equals = result.slice(first, end).sort(compare)
      for (let i = 0; i < equals.length; i++) result[first + i] = equals[i]!
    }
    first = end
  }
  return result
}

function numberOf(elements: TextPool, item: SortItem, ranks: Ranks): number {
  if (!ranks.isAlpha) return item.score
  const text = ranks.hasWeights ? item.weight : elements.view(item.index)
  if (text === null) return NO_WEIGHT
  const end = ranks.isStored ? text.length : endOfCString(text, 0, Math.min(text.length, PREFIX_BYTES))
  let number = 0
  for (let i = 0; i < PREFIX_BYTES; i++) number = number * 256 + (i < end ? text[i]! : 0)
  return number
}

/** Indexes of the numbers from the least on; of equal ones in their order. None is NaN. */
export function sortedIndexes(numbers: Float64Array): Int32Array {
  const { length } = numbers
  let from = new Int32Array(length)
  for (let start = 0; start < length; start += RUN) insertRun(numbers, from, start, Math.min(start + RUN, length))
  let to = new Int32Array(length)
  for (let width = RUN; width < length; width *= 2) {
    for (let start = 0; start < length; start += 2 * width) {
      merge(numbers, from, to, start, Math.min(start + width, length), Math.min(start + 2 * width, length))
    }
    const merged = to
    to = from
    from = merged
  }
  return from
}

function insertRun(numbers: Float64Array, order: Int32Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const number = numbers[i]!
    let at = i
    for (; at > start && numbers[order[at - 1]!]! > number; at--) order[at] = order[at - 1]!
    order[at] = i
  }
}

function merge(
  numbers: Float64Array,
  from: Int32Array,
  to: Int32Array,
  start: number,
  middle: number,
  end: number,
): void {
  let left = start
  let right = middle
  let at = start
  while (left < middle && right < end) {
    const a = from[left]!
    const b = from[right]!
    if (numbers[b]! < numbers[a]!) {
      to[at++] = b
      right++
    } else {
      to[at++] = a
      left++
    }
  }
  while (left < middle) to[at++] = from[left++]!
  while (right < end) to[at++] = from[right++]!
}
