/**
 * The order of SORT. Elements that compare equal (several without a weight, the same weight twice) come out as they do
 * in Redis: a whole sort keeps their order, as merge sort in glibc's qsort does; a sort that stops outside of LIMIT moves
 * them as its quicksort does, so that is followed step by step here.
 * Source: J. L. Bentley, M. D. McIlroy, "Engineering a Sort Function" (1993), with the ranges left out that nobody asked for.
 */

/** Texts that items are sorted by, each as far as it counts: one that is not there comes before all (NO_TEXT). */
export interface Texts {
  readonly bytes: Uint8Array
  readonly starts: Int32Array
  readonly lengths: Int32Array
}

const INSERTION_SORT_MAX = 6
const NINTHER_MIN = 41

/**
 * How two items stand to each other, by their numbers in the arrays. Scores that are equal leave it to the elements' bytes;
 * without scores texts decide alone.
 */
export function itemOrder(scores: Float64Array | null, texts: Texts, isDescending: boolean): Compare<number> {
  const byText: Compare<number> = (a, b) => compareTexts(texts, a, b)
  const byScore: Compare<number> = (a, b) =>
    scores![a]! > scores![b]! ? 1 : scores![a]! < scores![b]! ? -1 : compareTexts(texts, a, b)
  const compare = scores === null ? byText : byScore
  return isDescending ? (a, b) => -compare(a, b) : compare
}

function compareTexts({ bytes, starts, lengths }: Texts, a: number, b: number): number {
  const lengthA = lengths[a]!
  const lengthB = lengths[b]!
  const startA = starts[a]!
  const startB = starts[b]!
  const common = Math.min(lengthA, lengthB)
  for (let i = 0; i < common; i++) {
    const difference = bytes[startA + i]! - bytes[startB + i]!
    if (difference !== 0) return difference
  }
  return lengthA - lengthB
}

/** What is exchanged while it is sorted. */
interface Sequence<T> {
  readonly length: number
  [index: number]: T
}

/** How one thing stands to another: below 0, 0 or above 0. */
export type Compare<T> = (a: T, b: T) => number

/** Sorts so far that the items from `first` to `last` are the right ones in the right order. */
export function sortRange<T>(items: Sequence<T>, compare: Compare<T>, first: number, last: number): void {
  quicksort(items, 0, items.length, compare, first, last)
}

/** Sorts items[from, from + count). */
function quicksort<T>(
  items: Sequence<T>,
  from: number,
  count: number,
  compare: Compare<T>,
  first: number,
  last: number,
): void {
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
function pivotOf<T>(items: Sequence<T>, a: number, n: number, compare: Compare<T>): number {
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

function medianOf<T>(items: Sequence<T>, a: number, b: number, c: number, compare: Compare<T>): number {
  if (compare(items[a]!, items[b]!) < 0) {
    if (compare(items[b]!, items[c]!) < 0) return b
    return compare(items[a]!, items[c]!) < 0 ? c : a
  }
  if (compare(items[b]!, items[c]!) > 0) return b
  return compare(items[a]!, items[c]!) < 0 ? a : c
}

/** Exchanges the `count` items from `left` on with the `count` items before `rightEnd`. */
function exchangeRuns<T>(items: Sequence<T>, left: number, rightEnd: number, count: number): void {
  for (let i = 0; i < count; i++) exchange(items, left + i, rightEnd - count + i)
}

function exchange<T>(items: Sequence<T>, i: number, j: number): void {
  const item = items[i]!
  items[i] = items[j]!
  items[j] = item
}
