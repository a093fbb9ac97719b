/**
 * The order of SORT. Elements that compare equal (several without a weight, the same weight twice) come out as they do
 * in Redis: a whole sort keeps their order, as merge sort in glibc's qsort does; a sort that stops outside of LIMIT moves
 * them as its quicksort does, so that is followed step by step here.
 * Source: J. L. Bentley, M. D. McIlroy, "Engineering a Sort Function" (1993), with the ranges left out that nobody asked for.
 */
import { endOfCString } from '../../../base/int64-text.ts'
import type { TextPool } from '../../../base/text-pool.ts'

export interface SortItem {
  /** Which of the elements it is. */
  readonly index: number
  /** What it is sorted by as a number. */
  score: number
  /** What it is sorted by as text, with BY and ALPHA; null if there is none. */
  weight: Uint8Array | null
}

export type CompareItems = (a: SortItem, b: SortItem) => number

export interface OrderOptions {
  readonly isDescending: boolean
  readonly isAlpha: boolean
  readonly hasWeights: boolean
  /** The result is stored and so must not depend on a locale: zero bytes count, which C's strcoll does not see. */
  readonly isStored: boolean
}

const INSERTION_SORT_MAX = 6
const NINTHER_MIN = 41

export function itemOrder(
  elements: TextPool,
  { isDescending, isAlpha, hasWeights, isStored }: OrderOptions,
): CompareItems {
  const compareText = isStored ? compareBytes : compareCStrings
  const byScore: CompareItems = (a, b) =>
    a.score > b.score ? 1 : a.score < b.score ? -1 : compareBytes(elements.view(a.index), elements.view(b.index))
  const byWeight: CompareItems = (a, b) => {
    if (a.weight === null || b.weight === null) return Number(a.weight !== null) - Number(b.weight !== null)
    return compareText(a.weight, b.weight)
  }
  const byElement: CompareItems = (a, b) => compareText(elements.view(a.index), elements.view(b.index))
  const compare = !isAlpha ? byScore : hasWeights ? byWeight : byElement
  return isDescending ? (a, b) => -compare(a, b) : compare
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

/** C's strcoll in the "C" locale. */
function compareCStrings(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a.subarray(0, endOfCString(a, 0, a.length)), b.subarray(0, endOfCString(b, 0, b.length)))
}

/** How one thing stands to another: below 0, 0 or above 0. */
type Compare<T> = (a: T, b: T) => number

/** Sorts so far that the items from `first` to `last` are the right ones in the right order. */
export function sortRange<T>(items: T[], compare: Compare<T>, first: number, last: number): void {
  quicksort(items, 0, items.length, compare, first, last)
}

/** Sorts items[from, from + count). */
function quicksort<T>(items: T[], from: number, count: number, compare: Compare<T>, first: number, last: number): void {
  let a = from
  let n = count
  for (;;) {
    if (n <= INSERTION_SORT_MAX) {
      for (let m = a + 1; m < a + n; m++) {
        for (let l = m; l > a && compare(items[l - 1]!, items[l]!) > 0; l--) exchange(items, l, l - 1)
      }
      return
    }
    exchange(items, a, pivotOf(items, a, n, compare))
    // Items equal to the pivot gather at both ends.
    let equalLeft = a + 1
    let b = a + 1
    let c = a + n - 1
    let equalRight = c
    for (;;) {
      for (let order: number; b <= c && (order = compare(items[b]!, items[a]!)) <= 0; b++) {
        if (order === 0) exchange(items, equalLeft++, b)
      }
      for (let order: number; b <= c && (order = compare(items[c]!, items[a]!)) >= 0; c--) {
        if (order === 0) exchange(items, c, equalRight--)
      }
      if (b > c) break
      exchange(items, b++, c--)
    }
    // From the ends they go to the middle.
    const end = a + n
    exchangeRuns(items, a, b, Math.min(equalLeft - a, b - equalLeft))
    exchangeRuns(items, b, end, Math.min(equalRight - c, end - equalRight - 1))
    const below = b - equalLeft
    if (below > 1 && isAskedFor(a, below, first, last)) quicksort(items, a, below, compare, first, last)
    const above = equalRight - c
    if (above <= 1 || !isAskedFor(end - above, above, first, last)) return
    a = end - above
    n = above
  }
}

function isAskedFor(from: number, count: number, first: number, last: number): boolean {
  const to = from + count - 1
  return !((first < from && last < from) || (first > to && last > to))
}

/** The middle item, the median of three, or the median of three medians of three, the larger the range is. */
function pivotOf<T>(items: T[], a: number, n: number, compare: Compare<T>): number {
  let middle = a + (n >> 1)
  if (n === INSERTION_SORT_MAX + 1) return middle
  let low = a
  let high = a + n - 1
  if (n >= NINTHER_MIN) {
    const eighth = n >> 3
    low = medianOf(items, low, low + eighth, low + 2 * eighth, compare)
    middle = medianOf(items, middle - eighth, middle, middle + eighth, compare)
    high = medianOf(items, high - 2 * eighth, high - eighth, high, compare)
  }
  return medianOf(items, low, middle, high, compare)
}

function medianOf<T>(items: T[], a: number, b: number, c: number, compare: Compare<T>): number {
  if (compare(items[a]!, items[b]!) < 0) {
    if (compare(items[b]!, items[c]!) < 0) return b
    return compare(items[a]!, items[c]!) < 0 ? c : a
  }
  if (compare(items[b]!, items[c]!) > 0) return b
  return compare(items[a]!, items[c]!) < 0 ? a : c
}

/** Exchanges the `count` items from `left` on with the `count` items before `rightEnd`. */
function exchangeRuns<T>(items: T[], left: number, rightEnd: number, count: number): void {
  for (let i = 0; i < count; i++) exchange(items, left + i, rightEnd - count + i)
}

function exchange<T>(items: T[], i: number, j: number): void {
  const item = items[i]!
  items[i] = items[j]!
  items[j] = item
}
