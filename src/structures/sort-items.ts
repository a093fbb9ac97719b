/**
 * Sorts items with scores, in two parallel arrays, into the order of an ordered tree: by score, and where scores are equal
 * by the owner's order. Merge sort from below, runs of a few by insertion.
 * Cost: n log n steps of some nanoseconds, and as much memory again while it lasts. Array.sort with a function would take
 * indices and several times as long.
 */
import type { ItemOrder } from './ordered-tree.ts'

const RUN = 12

/** Sorts the first `count` items. */
export function sortItems(scores: Float64Array, items: Int32Array, count: number, order: ItemOrder): void {
  for (let from = 0; from < count; from += RUN) insertionSort(scores, items, from, Math.min(from + RUN, count), order)
  if (count <= RUN) return
  let fromScores = scores
  let fromItems = items
  let toScores = new Float64Array(count)
  let toItems = new Int32Array(count)
  for (let width = RUN; width < count; width *= 2) {
    for (let left = 0; left < count; left += 2 * width) {
      const middle = Math.min(left + width, count)
      merge(fromScores, fromItems, toScores, toItems, left, middle, Math.min(left + 2 * width, count), order)
    }
    const heldScores = fromScores
    const heldItems = fromItems
    fromScores = toScores
    fromItems = toItems
    toScores = heldScores as Float64Array<ArrayBuffer>
    toItems = heldItems as Int32Array<ArrayBuffer>
  }
  if (fromScores === scores) return
  scores.set(fromScores.subarray(0, count))
  items.set(fromItems.subarray(0, count))
}

function insertionSort(scores: Float64Array, items: Int32Array, from: number, to: number, order: ItemOrder): void {
  for (let i = from + 1; i < to; i++) {
    const score = scores[i]!
    const item = items[i]!
    let at = i
    for (; at > from; at--) {
      const before = scores[at - 1]!
      if (before < score || (before === score && order.compareItems(items[at - 1]!, item) < 0)) break
      scores[at] = before
      items[at] = items[at - 1]!
    }
    scores[at] = score
    items[at] = item
  }
}

function merge(
  scores: Float64Array,
  items: Int32Array,
  toScores: Float64Array,
  toItems: Int32Array,
  left: number,
  middle: number,
  end: number,
  order: ItemOrder,
): void {
  let a = left
  let b = middle
  for (let at = left; at < end; at++) {
    const takesA =
      b === end ||
      (a < middle &&
        (scores[a]! < scores[b]! || (scores[a]! === scores[b]! && order.compareItems(items[a]!, items[b]!) < 0)))
    const from = takesA ? a++ : b++
    toScores[at] = scores[from]!
    toItems[at] = items[from]!
  }
}
