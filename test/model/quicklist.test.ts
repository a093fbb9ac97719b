/**
 * Quicklists against a plain array: every edit, at the ends and in the middle, with all rules for how large nodes become and
 * which are compressed. After each step the chain is walked both ways and checked from outside. Memory ends now and then.
 */
import { describe, expect, test } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { Arena, ArenaFullError, type Ref } from '../../src/memory/arena.ts'
import { isValidListpack, ListpackReader } from '../../src/structures/listpack.ts'
import { QuicklistCursor, type QuicklistRef, Quicklists } from '../../src/structures/quicklist.ts'
import { COMPRESSED, NodeView, PLAIN } from '../../src/structures/quicklist-nodes.ts'
import { oneOf, seededTest } from './seeded.ts'

const STEPS = 250
const FILLS = [-5, -2, -1, 0, 1, 2, 3, 7, 128]
const DEPTHS = [0, 0, 1, 2, 5]
/** Texts up to this length are left out of account where sizes of nodes are reckoned. */
const SMALL_BYTES_MAX = 3
const PLAIN_SIZES = [2 ** 30, 2 ** 30, 200, 20]
const FILL_BYTES = [4096, 8192, 16_384, 32_768, 65_536]

/** Refuses memory for a while when it is told to. */
class MeagreArena extends Arena {
  refusals = 0

  override allocate(sizeBytes: number): Ref {
    if (this.refusals > 0) {
      this.refusals--
      throw new ArenaFullError('none for now')
    }
    return super.allocate(sizeBytes)
  }
}

function randomText(random: Random): string {
  const kind = random.below(10)
  if (kind < 3) return String(random.below(10 ** (1 + random.below(9))) - random.below(1000))
  if (kind < 8) return oneOf(random, ['a', 'b', 'cc', 'ddd', ''])
  const length = oneOf(random, [
    random.below(60),
    random.below(400),
    random.below(random.below(20) === 0 ? 20_000 : 100),
  ])
  return oneOf(random, ['x', 'yz', 'abc']).repeat(length).slice(0, length)
}

/** As `expect(actual).toBe(expected)`, which is too slow for so many calls. */
function same<T>(actual: T, expected: T): void {
  if (actual !== expected) expect(actual).toBe(expected)
}

interface Subject {
  readonly arena: MeagreArena
  readonly quicklists: Quicklists
  readonly fill: number
  readonly depth: number
  /** An element was replaced: Redis does not look at the size of its node then. */
  hasReplaced: boolean
  /** Texts put between others: one that comes between the parts of a split node is added to a part, whatever their size. */
  readonly inserted: Set<string>
}

function elementsOf({ quicklists }: Subject, root: QuicklistRef, isReversed: boolean): string[] {
  const cursor = new QuicklistCursor()
  const reader = new ListpackReader()
  const elements: string[] = []
  for (
    let has = quicklists.seek(cursor, root, isReversed ? -1 : 0, isReversed);
    has;
    has = quicklists.advance(cursor)
  ) {
    if (elements.length > quicklists.count(root)) throw new Error('there are more elements than counted')
    quicklists.read(cursor, reader)
    elements.push(Buffer.from(reader.bytes.slice(reader.start, reader.start + reader.length)).toString('latin1'))
  }
  return elements
}

/** `isMeagre`: memory was short once, so that some node may not be compressed, or unpacked, or joined, that should be. */
function check(subject: Subject, root: QuicklistRef, model: readonly string[], isMeagre: boolean): void {
  const { quicklists, fill, depth } = subject
  const { nodes } = quicklists
  expect(quicklists.count(root)).toBe(model.length)
  expect(elementsOf(subject, root, false)).toEqual(model)
  expect(elementsOf(subject, root, true)).toEqual([...model].reverse())
  const view = new NodeView()
  let length = 0
  let before = 0
  for (let node = quicklists.head(root); node !== 0; node = nodes.next(node)) {
    same(nodes.previous(node), before)
    const flags = nodes.flags(node)
    same(flags & ~(PLAIN | COMPRESSED), 0)
    nodes.view(node, view)
    same(view.length, nodes.size(node))
    if ((flags & PLAIN) === 0) {
      same(isValidListpack(view.bytes, view.start, view.length, true), true)
      // Two nodes that are joined may come out four bytes larger than reckoned.
      const bytesMax = 4 + (fill < 0 ? FILL_BYTES[-fill - 1]! : 8192)
      const isFull = view.length > bytesMax || (fill >= 0 && nodes.count(node) > fill)
      if (isFull && !subject.hasReplaced && nodes.count(node) > 1) {
        const held = Buffer.from(view.bytes.slice(view.start, view.start + view.length)).toString('latin1')
        same(
          [...subject.inserted].some((text) => held.includes(text)),
          true,
        )
      }
    } else same(nodes.count(node), 1)
    const fromEnd = quicklists.nodeCount(root) - 1 - length
    const isNear = depth === 0 || Math.min(length, fromEnd) < depth
    if (isNear && !isMeagre) same(flags & COMPRESSED, 0)
    before = node
    length++
  }
  expect(quicklists.tail(root)).toBe(before)
  expect(quicklists.nodeCount(root)).toBe(length)
}

describe('quicklist', () => {
  seededTest('edits against an array', 8, (random) => {
    const arena = new MeagreArena()
    const quicklists = new Quicklists(arena)
    const fill = oneOf(random, FILLS)
    const depth = oneOf(random, DEPTHS)
    const subject: Subject = { arena, quicklists, fill, depth, hasReplaced: false, inserted: new Set() }
    quicklists.plainBytesMin = oneOf(random, PLAIN_SIZES)
    const runsShort = random.below(3) === 0
    const reader = new ListpackReader()
    let root = quicklists.create(fill, depth)
    let model: string[] = []
    let isMeagre = false
    for (let step = 0; step < STEPS; step++) {
      const cursor = new QuicklistCursor()
      const text = randomText(random)
      const foreign = Buffer.from(`..${text}..`, 'latin1')
      const before = model
      model = [...model]
      const index = model.length === 0 ? 0 : random.below(model.length)
      const given = random.below(2) === 0 ? index : index - model.length
      if (runsShort && random.below(10) === 0) {
        arena.refusals = 1 + random.below(3)
        isMeagre = true
      }
      try {
        switch (random.below(model.length > 400 ? 12 : 11)) {
          case 0:
          case 1:
          case 2: {
            const isTail = random.below(2) === 0
            for (let i = random.below(30); i >= 0; i--) {
              quicklists.push(root, isTail, foreign, 2, text.length)
              if (isTail) model.push(text)
              else model.unshift(text)
            }
            break
          }
          case 3: {
            const isTail = random.below(2) === 0
            for (let i = random.below(10); i >= 0 && model.length > 0; i--) {
              quicklists.readEnd(root, isTail, cursor, reader)
              const held = Buffer.from(reader.bytes.slice(reader.start, reader.start + reader.length)).toString(
                'latin1',
              )
              expect(held).toBe(model.at(isTail ? -1 : 0))
              quicklists.drop(root, isTail)
              if (isTail) model.pop()
              else model.shift()
            }
            break
          }
          case 4:
          case 5:
          case 6: {
            const isAfter = random.below(2) === 0
            expect(quicklists.seek(cursor, root, given, random.below(2) === 0)).toBe(model.length > 0)
            if (model.length === 0) break
            quicklists.insertAt(cursor, isAfter, foreign, 2, text.length)
            if (text.length > SMALL_BYTES_MAX) subject.inserted.add(text)
            model.splice(isAfter ? index + 1 : index, 0, text)
            break
          }
          case 7:
            if (!quicklists.seek(cursor, root, given, false)) break
            quicklists.replaceAt(cursor, foreign, 2, text.length)
            model[index] = text
            subject.hasReplaced = true
            break
          case 8: {
            const isReversed = random.below(2) === 0
            const wanted = model.length === 0 ? text : model[index]!
            const needle = Buffer.from(wanted, 'latin1')
            let has = quicklists.seek(cursor, root, isReversed ? -1 : 0, isReversed)
            let left = 1 + random.below(5)
            if (isReversed) model.reverse()
            try {
              while (has && left > 0) {
                if (!quicklists.equals(cursor, needle, 0, needle.length)) has = quicklists.advance(cursor)
                else {
                  has = quicklists.deleteAt(cursor)
                  model.splice(model.indexOf(wanted), 1)
                  left--
                }
              }
            } finally {
              if (isReversed) model.reverse()
            }
            quicklists.leave(cursor)
            break
          }
          case 9: {
            const copy = quicklists.copy(root)
            check(subject, copy, model, isMeagre)
            quicklists.release(root)
            root = copy
            break
          }
          default: {
            const count = random.below(random.below(3) === 0 ? model.length + 5 : 20)
            const detached = quicklists.deleteRange(root, index, count)
            const removed = model.splice(index, count)
            if (detached !== 0) {
              const rest = elementsOf(subject, detached, false)
              expect(removed.join(' ')).toContain(rest.join(' '))
              let node = quicklists.head(detached)
              for (let i = 1; i < quicklists.nodeCount(detached); i++) node = quicklists.nodes.next(node)
              expect(node).toBe(quicklists.tail(detached))
              quicklists.release(detached)
            }
          }
        }
      } catch (error) {
        if (!(error instanceof ArenaFullError)) throw error
        quicklists.leave(cursor)
        // What was done until memory ended stays; nothing may be torn.
        arena.refusals = 0
        const held = elementsOf(subject, root, false)
        if (held.length === before.length) model = before
        expect(held).toEqual(model)
      }
      arena.refusals = 0
      check(subject, root, model, isMeagre)
    }
    quicklists.release(root)
    expect(arena.usedBytes).toBe(0)
  })

  test('a range that leaves less than both depths leaves nothing compressed', () => {
    const quicklists = new Quicklists(new Arena())
    const root = quicklists.create(1, 5)
    const text = Buffer.from('x'.repeat(100))
    for (let i = 0; i < 20; i++) quicklists.push(root, true, text, 0, text.length)
    const flagsOf = () => {
      const flags: number[] = []
      for (let node = quicklists.head(root); node !== 0; node = quicklists.nodes.next(node))
        flags.push(quicklists.nodes.flags(node) & COMPRESSED)
      return flags
    }
    expect(flagsOf()).toContain(COMPRESSED)
    quicklists.release(quicklists.deleteRange(root, 6, 12))
    expect(flagsOf()).toEqual(Array(8).fill(0))
  })
})
