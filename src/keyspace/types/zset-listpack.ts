/**
 * Small sorted sets: a listpack of member, score, member, score, ... in order, with Redis's bytes. Scores that are whole
 * numbers up to 2^62 are integers there, others their text.
 * Positions are indices in the listpack's page, of a member; they are dead after whatever edits.
 */
import { DOUBLE_TEXT_BYTES_MAX, parseDoubleLenient, strtod, writeDouble } from '../../base/double-text.ts'
import type { Arena } from '../../memory/arena.ts'
import {
  elementBefore,
  endOf,
  findElement,
  firstElement,
  isEnd,
  LISTPACK_HEADER_BYTES,
  ListpackReader,
  type ListpackRef,
  Listpacks,
  lastElement,
  NO_ELEMENT,
  nextElement,
  seekElement,
  skipElement,
} from '../../structures/listpack.ts'

/** Whole numbers up to here are kept as integers: (double)(LLONG_MAX / 2). */
const INTEGER_SCORE_MAX = 2 ** 62
/** Of a score's text no more than this is read (zzlStrtod). */
const SCORE_TEXT_BYTES_MAX = 127

export class ZsetListpacks {
  readonly listpacks: Listpacks
  /** What `readMember` has read, as text: it stays while other listpacks are edited. */
  readonly member = new ListpackReader()
  private readonly other = new ListpackReader()
  private readonly score = new ListpackReader()
  private readonly arena: Arena
  private readonly text = new Uint8Array(DOUBLE_TEXT_BYTES_MAX)

  constructor(arena: Arena) {
    this.arena = arena
    this.listpacks = new Listpacks(arena)
  }

  count(root: ListpackRef): number {
    return this.listpacks.count(root) >>> 1
  }

  /** The member of this name, or NO_ELEMENT. */
  find(root: ListpackRef, bytes: Uint8Array, start: number, length: number): number {
    const held = this.arena.view8(root)
    return findElement(held, firstElement(held, this.arena.at8(root)), bytes, start, length, 1)
  }

  /** The member at an index, from the end if negative (-1 is the last). */
  seek(root: ListpackRef, index: number): number {
    return seekElement(this.arena.view8(root), this.arena.at8(root), index * 2)
  }

  first(root: ListpackRef): number {
    return firstElement(this.arena.view8(root), this.arena.at8(root))
  }

  last(root: ListpackRef): number {
    const bytes = this.arena.view8(root)
    const score = lastElement(bytes, this.arena.at8(root))
    return score === NO_ELEMENT ? NO_ELEMENT : elementBefore(bytes, score)
  }

  next(root: ListpackRef, at: number): number {
    const bytes = this.arena.view8(root)
    return nextElement(bytes, skipElement(bytes, at))
  }

  previous(root: ListpackRef, at: number): number {
    const bytes = this.arena.view8(root)
    if (at === this.arena.at8(root) + LISTPACK_HEADER_BYTES) return NO_ELEMENT
    return elementBefore(bytes, elementBefore(bytes, at))
  }

  readMember(root: ListpackRef, at: number): void {
    this.member.readText(this.arena.view8(root), at)
  }

  /** The score of the member at a position. */
  scoreAt(root: ListpackRef, at: number): number {
    const bytes = this.arena.view8(root)
    return this.readScore(bytes, skipElement(bytes, at))
  }

  /** How many members come before the one at a position. */
  rankOf(root: ListpackRef, at: number): number {
    const bytes = this.arena.view8(root)
    let rank = 0
    for (let other = this.first(root); other !== at; other = skipElement(bytes, skipElement(bytes, other))) rank++
    return rank
  }

  /** Puts a member, which is not there, into its place. The text must not lie in the listpack. */
  insert(root: ListpackRef, score: number, text: Uint8Array, start: number, length: number): ListpackRef {
    const bytes = this.arena.view8(root)
    let at = this.arena.at8(root) + LISTPACK_HEADER_BYTES
    while (!isEnd(bytes, at)) {
      const scoreAt = skipElement(bytes, at)
      const held = this.readScore(bytes, scoreAt)
      if (held > score || (held === score && this.compare(bytes, at, text, start, length) > 0)) break
      at = skipElement(bytes, scoreAt)
    }
    return this.insertAt(root, at, score, text, start, length)
  }

  /** Adds a member that comes behind all others. */
  append(root: ListpackRef, score: number, text: Uint8Array, start: number, length: number): ListpackRef {
    return this.insertAt(root, endOf(this.arena.view8(root), this.arena.at8(root)), score, text, start, length)
  }

  /** Removes the member at a position and `count` - 1 behind it. `listpacks.at` is that of the next one then. */
  remove(root: ListpackRef, at: number, count: number): ListpackRef {
    return this.listpacks.removeFrom(root, at, count * 2)
  }

  /** How the text of the member at a position stands to another, byte by byte. */
  compare(bytes: Uint8Array, at: number, text: Uint8Array, start: number, length: number): number {
    const { other } = this
    other.readText(bytes, at)
    return compareBytes(other.bytes, other.start, other.length, text, start, length)
  }

  private insertAt(
    root: ListpackRef,
    at: number,
    score: number,
    text: Uint8Array,
    start: number,
    length: number,
  ): ListpackRef {
    const { listpacks } = this
    const made = listpacks.insertBefore(root, at, text, start, length)
    if (Number.isInteger(score) && Math.abs(score) <= INTEGER_SCORE_MAX) {
      // -0 becomes 0, as in Redis.
      const whole = Number.isSafeInteger(score) ? score + 0 : BigInt(score)
      return listpacks.insertIntegerAfter(made, listpacks.at, whole)
    }
    const end = writeDouble(this.text, 0, score)
    return listpacks.insertAfter(made, listpacks.at, this.text, 0, end)
  }

  private readScore(bytes: Uint8Array, at: number): number {
    const { score } = this
    score.read(bytes, at)
    if (score.isInteger) return Number.isNaN(score.integer) ? Number(score.bigInteger()) : score.integer
    const end = score.start + Math.min(score.length, SCORE_TEXT_BYTES_MAX)
    const value = parseDoubleLenient(score.bytes, score.start, end)
    // What is no number as a whole may begin with one.
    return Number.isNaN(value) ? strtod(score.bytes, score.start, end).value : value
  }
}

/** memcmp, the shorter one first where one begins the other. */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aLength: number,
  b: Uint8Array,
  bStart: number,
  bLength: number,
): number {
  const common = Math.min(aLength, bLength)
  for (let i = 0; i < common; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!
    if (difference !== 0) return difference
  }
  return aLength - bLength
}
