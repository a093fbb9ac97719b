/**
 * Sorting many items by 64 bits of each at a time, from the lowest digit on: a double, or eight bytes of a text behind those
 * that all of them begin with. Items whose bits are equal are sorted by what comes behind. Several times faster than a
 * sort that calls a function for each comparison, and equal items keep their order.
 * Doubles are read as words of memory, which is little-endian wherever Node runs.
 *
 * Loops over all items are functions of their own: V8 compiles a loop while it runs, and what it has never been behind of
 * it has to leave compiled code for, each time anew.
 */
import { type Compare, itemOrder, type Texts } from './order.ts'

/** Up to here insertion is faster: the crossing point measured on Node 20. */
const INSERTION_MAX = 64
/** Large digits take fewer rounds, and are worth clearing their counters from so many items on. */
const SMALL_DIGIT_BITS = 8
const LARGE_DIGIT_BITS = 11
const LARGE_DIGITS_COUNT_MIN = 4096
const KEY_BYTES = 8
const SIGN = 1 << 31

export interface ItemsToSort {
  readonly count: number
  /** What items are sorted by; null if texts decide alone. */
  readonly scores: Float64Array | null
  /** What decides where scores are equal. */
  readonly texts: Texts
  /** Items of equal scores have equal texts. */
  readonly isExact: boolean
  readonly isDescending: boolean
}

/** The numbers of all items in order. The scores are used up. */
export function sortedItems({ count, scores, texts, isExact, isDescending }: ItemsToSort): Int32Array {
  if (scores !== null && count > INSERTION_MAX) return sortedByScores(scores, isExact ? null : texts, isDescending)
  const items = allItems(count)
  if (scores === null) sortByTexts(items, 0, count, texts, isDescending)
  else insertionSort(items, 0, count, itemOrder(scores, texts, isDescending))
  return items
}

/** The numbers from 0 on. */
export function allItems(count: number): Int32Array<ArrayBuffer> {
  const items = new Int32Array(count)
  for (let i = 0; i < count; i++) items[i] = i
  return items
}

function insertionSort(items: Int32Array, from: number, to: number, compare: Compare<number>): void {
  for (let i = from + 1; i < to; i++) {
    const item = items[i]!
    let at = i
    for (; at > from && compare(items[at - 1]!, item) > 0; at--) items[at] = items[at - 1]!
    items[at] = item
  }
}

/** `texts` null: items of equal scores stay as they are. */
function sortedByScores(scores: Float64Array, texts: Texts | null, isDescending: boolean): Int32Array {
  const count = scores.length
  const keys = keysOfScores(scores, isDescending)
  const items = sortedPlaces(keys, count)
  if (texts === null) return items
  const compare = itemOrder(null, texts, isDescending)
  for (let from = 0; from < count; ) {
    const to = endOfEqualKeys(keys, items, from)
    if (to - from > INSERTION_MAX) sortByTexts(items, from, to, texts, isDescending)
    else insertionSort(items, from, to, compare)
    from = to
  }
  return items
}

/** Makes keys of the scores, in their place. */
function keysOfScores(scores: Float64Array, isDescending: boolean): Int32Array {
  const keys = new Int32Array(scores.buffer, scores.byteOffset, 2 * scores.length)
  const sign = isDescending ? -1 : 1
  for (let i = 0; i < scores.length; i++) {
    // Adding 0 makes 0 of -0.
    scores[i] = sign * scores[i]! + 0
    // Bits of doubles are in order but for the sign, and run backwards below 0.
    const high = keys[2 * i + 1]!
    keys[2 * i]! ^= high >> 31
    keys[2 * i + 1] = high ^ ((high >> 31) | SIGN)
  }
  return keys
}

/** Sorts items[first, end) by their texts. */
function sortByTexts(items: Int32Array, first: number, end: number, texts: Texts, isDescending: boolean): void {
  const compare = itemOrder(null, texts, isDescending)
  // Ranges to be sorted, and how many bytes are known to be equal in each.
  const pending = [first, end, 0]
  while (pending.length > 0) {
    const known = pending.pop()!
    const to = pending.pop()!
    const from = pending.pop()!
    if (isSorted(items, from, to, compare)) continue
    if (to - from <= INSERTION_MAX) {
      insertionSort(items, from, to, compare)
      continue
    }
    const equal = equalBytes(items, from, to, known, texts)
    const keys = textKeys(items, from, to, equal, texts, isDescending)
    const places = sortedPlaces(keys, to - from)
    arrange(items, from, to, places)
    for (let at = 0; at < places.length; ) {
      const next = endOfEqualKeys(keys, places, at)
      // Zero bytes at the end of a text look as those behind it.
      if (next - at > 1 && endsWithin(items, from + at, from + next, texts.lengths, equal + KEY_BYTES)) {
        items.subarray(from + at, from + next).sort(compare)
      } else if (next - at > 1) pending.push(from + at, from + next, equal + KEY_BYTES)
      at = next
    }
  }
}

/** Puts items[from, to) into the order of `places`, which count from `from`. */
function arrange(items: Int32Array, from: number, to: number, places: Int32Array): void {
  const held = items.slice(from, to)
  for (let i = 0; i < places.length; i++) items[from + i] = held[places[i]!]!
}

function endOfEqualKeys(keys: Int32Array, places: Int32Array, from: number): number {
  const low = keys[2 * places[from]!]
  const high = keys[2 * places[from]! + 1]
  let to = from + 1
  while (to < places.length && keys[2 * places[to]!] === low && keys[2 * places[to]! + 1] === high) to++
  return to
}

/** Whether one of the texts of items[from, to) is no longer than this. */
function endsWithin(items: Int32Array, from: number, to: number, lengths: Int32Array, length: number): boolean {
  for (let i = from; i < to; i++) if (lengths[items[i]!]! <= length) return true
  return false
}

function isSorted(items: Int32Array, from: number, to: number, compare: Compare<number>): boolean {
  for (let i = from + 1; i < to; i++) if (compare(items[i - 1]!, items[i]!) > 0) return false
  return true
}

/** With how many equal bytes all texts begin, of which `known` are known. */
function equalBytes(items: Int32Array, from: number, to: number, known: number, texts: Texts): number {
  const { bytes, starts, lengths } = texts
  const first = starts[items[from]!]!
  let equal = Math.max(0, lengths[items[from]!]!)
  for (let i = from + 1; i < to; i++) {
    const start = starts[items[i]!]!
    const most = Math.min(equal, Math.max(0, lengths[items[i]!]!))
    equal = known
    while (equal < most && bytes[start + equal] === bytes[first + equal]) equal++
  }
  return equal
}

/** Eight bytes of each text as a number of two words, the lower one first; zeros behind the end. */
function textKeys(
  items: Int32Array,
  from: number,
  to: number,
  offset: number,
  { bytes, starts, lengths }: Texts,
  isDescending: boolean,
): Int32Array {
  const keys = new Int32Array(2 * (to - from))
  const flipped = isDescending ? -1 : 0
  for (let i = from; i < to; i++) {
    const start = starts[items[i]!]! + offset
    const count = lengths[items[i]!]! - offset
    let high = 0
    let low = 0
    for (let j = 0; j < 4; j++) high = (high << 8) | (j < count ? bytes[start + j]! : 0)
    for (let j = 4; j < 8; j++) low = (low << 8) | (j < count ? bytes[start + j]! : 0)
    keys[2 * (i - from)] = low ^ flipped
    keys[2 * (i - from) + 1] = high ^ flipped
  }
  return keys
}

/** The places of the keys, of two words each, the lower one first, in the order of the keys without sign. */
function sortedPlaces(keys: Int32Array, count: number): Int32Array {
  let from = allItems(count)
  let to = new Int32Array(count)
  // The word that is sorted by goes along with its place: memory is read in order then.
  let fromWords = new Int32Array(count)
  let toWords = new Int32Array(count)
  const digitBits = count < LARGE_DIGITS_COUNT_MIN ? SMALL_DIGIT_BITS : LARGE_DIGIT_BITS
  for (let word = 0; word < 2; word++) {
    const different = differentBits(keys, word)
    if (different === 0) continue
    pickWords(keys, word, from, fromWords)
    for (let shift = 0; shift < 32 && different >>> shift !== 0; ) {
      if (((different >>> shift) & 1) === 0) {
        shift++
        continue
      }
      const next = new Int32Array(1 << digitBits)
      countDigits(fromWords, shift, next)
      placeDigits(next)
      moveByDigit(from, fromWords, to, toWords, shift, next)
      const places = to
      to = from
      from = places
      const words = toWords
      toWords = fromWords
      fromWords = words
      shift += digitBits
    }
  }
  return from
}

/** Bits of a word that are not the same in all keys. */
function differentBits(keys: Int32Array, word: number): number {
  let different = 0
  for (let at = word; at < keys.length; at += 2) different |= keys[at]! ^ keys[word]!
  return different
}

function pickWords(keys: Int32Array, word: number, places: Int32Array, words: Int32Array): void {
  for (let i = 0; i < places.length; i++) words[i] = keys[2 * places[i]! + word]!
}

function countDigits(words: Int32Array, shift: number, counts: Int32Array): void {
  const mask = counts.length - 1
  for (let i = 0; i < words.length; i++) counts[(words[i]! >>> shift) & mask]!++
}

/** Makes the places where digits begin of how many there are of each. */
function placeDigits(counts: Int32Array): void {
  let sum = 0
  for (let digit = 0; digit < counts.length; digit++) {
    const count = counts[digit]!
    counts[digit] = sum
    sum += count
  }
}

function moveByDigit(
  from: Int32Array,
  fromWords: Int32Array,
  to: Int32Array,
  toWords: Int32Array,
  shift: number,
  next: Int32Array,
): void {
  const mask = next.length - 1
  for (let i = 0; i < fromWords.length; i++) {
    const word = fromWords[i]!
    const at = next[(word >>> shift) & mask]!++
    to[at] = from[i]!
    toWords[at] = word
  }
}
