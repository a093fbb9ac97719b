/**
 * The ordered tree against a sorted array, with its layout checked from outside after each step: what inner nodes say of their
 * children, the chain of leaves both ways, counts, bytes, and that no node is lost. Memory ends now and then.
 */
import { describe, expect } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { Arena, ArenaFullError, type Ref } from '../../src/memory/arena.ts'
import { INNER_CAPACITY, LEAF_CAPACITY, OrderedTree, type TreeRef } from '../../src/structures/ordered-tree.ts'
import { oneOf, seededTest } from './seeded.ts'

/** Refuses memory for a while when it is told to. */
class MeagreArena extends Arena {
  refuseAfter = Number.POSITIVE_INFINITY

  override allocate(sizeBytes: number): Ref {
    if (this.refuseAfter-- <= 0) throw new ArenaFullError('none for now')
    return super.allocate(sizeBytes)
  }
}

interface Item {
  score: number
  readonly id: number
}

/** As `expect(actual).toBe(expected)`, which is too slow for millions of calls. */
function same(actual: number | undefined, expected: number | undefined): void {
  if (actual !== expected) expect(actual).toBe(expected)
}

class Model {
  readonly arena = new MeagreArena()
  /** Items of equal score are ordered by their number modulo 7, then by their number. */
  readonly tree = new OrderedTree(this.arena, { compareItems: (a, b) => (a % 7) - (b % 7) || a - b })
  readonly ref: TreeRef
  items: Item[] = []
  nextId = 1
  refusals = 0

  constructor() {
    this.ref = this.tree.create()
  }

  compare(a: Item, b: Item): number {
    return a.score - b.score || (a.id % 7) - (b.id % 7) || a.id - b.id
  }

  /** Index of the first item that does not come before this one. */
  place(item: Item): number {
    let low = 0
    let high = this.items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.compare(this.items[middle]!, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  insert(score: number): void {
    const item = { score, id: this.nextId++ }
    const at = this.place(item)
    try {
      if (at === this.items.length && item.id % 2 === 0) this.tree.append(this.ref, score, item.id)
      else this.tree.insert(this.ref, score, item.id)
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error
      this.refusals++
      return
    }
    this.items.splice(at, 0, item)
  }

  remove(rank: number): void {
    const [item] = this.items.splice(rank, 1)
    this.tree.remove(this.ref, item!.score, item!.id)
  }

  move(rank: number, score: number): void {
    const item = this.items[rank]!
    try {
      this.tree.move(this.ref, item.score, item.id, score)
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error
      this.refusals++
      return
    }
    this.items.splice(rank, 1)
    item.score = score
    this.items.splice(this.place(item), 0, item)
  }

  removeRange(rank: number, count: number): void {
    let left = Math.min(count, this.items.length - rank)
    while (left > 0) {
      const taken = this.tree.removeRun(this.ref, rank, left)
      expect(taken).toBeGreaterThan(0)
      const gone = this.items.splice(rank, taken)
      for (let i = 0; i < taken; i++) same(this.tree.removed[i], gone[i]!.id)
      left -= taken
      this.check()
    }
  }

  /** What the tree has come to is what the array has there. */
  isAt(index: number): void {
    same(this.tree.item, this.items[index]?.id ?? 0)
    if (index >= 0 && index < this.items.length) same(this.tree.score, this.items[index]!.score)
  }

  look(random: Random): void {
    const { tree, ref, items } = this
    const rank = random.below(items.length + 2) - 1
    tree.seekRank(ref, rank)
    this.isAt(rank)
    const item = items[rank]
    if (item !== undefined) {
      same(tree.rankOf(ref, item.score, item.id), rank)
      // Away from it both ways.
      const isForward = random.below(2) === 0
      tree.seekRank(ref, rank)
      for (let at = rank, left = 100; tree.item !== 0 && left > 0; left--) {
        if (isForward) tree.next()
        else tree.previous()
        at += isForward ? 1 : -1
        this.isAt(at)
      }
    }
    tree.seekFirst(ref)
    this.isAt(0)
    tree.seekLast(ref)
    this.isAt(items.length - 1)
    const score = item === undefined || random.below(3) === 0 ? random.below(40) - 20 + 0.5 : item.score
    let before = 0
    while (before < items.length && items[before]!.score < score) before++
    same(tree.seekScore(ref, score, false), before)
    this.isAt(before)
    while (before < items.length && items[before]!.score === score) before++
    same(tree.seekScore(ref, score, true), before)
    this.isAt(before)
    const bound = items[random.below(items.length + 1)] ?? { score: Number.POSITIVE_INFINITY, id: 1 }
    const byId = new Map(items.map((each) => [each.id, each]))
    const place = this.place(bound)
    same(
      tree.seekWhere(ref, (id) => this.compare(byId.get(id)!, bound) < 0),
      place,
    )
    this.isAt(place)
  }

  /** Walks over all nodes. */
  check(): void {
    const { arena, tree, ref, items } = this
    const header = arena.view32(ref)
    const h = arena.at32(ref)
    same(tree.count(ref), items.length)
    const leaves: Ref[] = []
    let bytes = 0
    let seen = 0
    const visit = (node: Ref, height: number): { score: number; item: number; size: number } => {
      const words = arena.view32(node)
      const at = arena.at32(node)
      const data = arena.viewData(node)
      bytes += arena.capacity(node)
      if (height === 0) {
        leaves.push(node)
        const start = words[at]! & 0xff
        const count = (words[at]! >>> 8) & 0xff
        const capacity = words[at]! >>> 16
        expect(start + count).toBeLessThanOrEqual(capacity)
        if (tree.height(ref) > 0) {
          same(capacity, LEAF_CAPACITY)
          expect(count).toBeGreaterThan(0)
        }
        for (let slot = start; slot < start + count; slot++) {
          same(data.getFloat64(arena.at8(node) + 16 + slot * 8, true), items[seen]!.score)
          same(words[at + 4 + capacity * 2 + slot], items[seen]!.id)
          seen++
        }
        const first = items[seen - count]
        return { score: first?.score ?? 0, item: first?.id ?? 0, size: count }
      }
      const count = words[at]!
      expect(count).toBeGreaterThan(node === header[h] ? 1 : 0)
      expect(count).toBeLessThanOrEqual(INNER_CAPACITY)
      let size = 0
      for (let i = 0; i < count; i++) {
        const below = visit(words[at + 152 + i]!, height - 1)
        same(data.getFloat64(arena.at8(node) + 8 + i * 8, true), below.score)
        same(words[at + 102 + i], below.item)
        same(words[at + 202 + i], below.size)
        size += below.size
      }
      return { score: data.getFloat64(arena.at8(node) + 8, true), item: words[at + 102]!, size }
    }
    same(visit(header[h]!, header[h + 1]!).size, items.length)
    same(header[h + 3], leaves[0])
    same(header[h + 4], leaves[leaves.length - 1])
    for (const [i, leaf] of leaves.entries()) {
      same(arena.view32(leaf)[arena.at32(leaf) + 1], leaves[i + 1] ?? 0)
      same(arena.view32(leaf)[arena.at32(leaf) + 2], leaves[i - 1] ?? 0)
    }
    same(tree.sizeBytes(ref), bytes + 32)
    same(arena.usedBytes, bytes + 32)
  }
}

/** How new items' scores are chosen: anywhere, among few, behind all, before all, all the same. */
const SCORES: readonly ((random: Random, model: Model) => number)[] = [
  (random) => random.below(1_000_000) / 8,
  (random) => random.below(20) - 10,
  (_, model) => (model.items[model.items.length - 1]?.score ?? 0) + 1,
  (_, model) => (model.items[0]?.score ?? 0) - 1,
  () => 0,
  (random) => oneOf(random, [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 5e-324, 1.5]),
]

describe('ordered tree', () => {
  seededTest('is right after each step', 4, (random) => {
    const model = new Model()
    const steps = 2500
    const sizeMax = oneOf(random, [10, 70, 200, 1000])
    let isGrowing = true
    let score = oneOf(random, SCORES)
    for (let step = 0; step < steps; step++) {
      if (random.below(200) === 0) score = oneOf(random, SCORES)
      if (model.items.length >= sizeMax) isGrowing = false
      if (model.items.length === 0 || random.below(500) === 0) isGrowing = true
      model.arena.refuseAfter = random.below(30) === 0 ? random.below(3) : Number.POSITIVE_INFINITY
      const choice = random.below(20)
      const { length } = model.items
      if (choice < (isGrowing ? 14 : 4) || length === 0) model.insert(score(random, model))
      else if (choice < 17) model.remove(oneOf(random, [0, length - 1, random.below(length)]))
      else if (choice < 19) model.move(random.below(length), score(random, model))
      else if (random.below(10) === 0) model.removeRange(random.below(length), random.below(length) + 1)
      model.arena.refuseAfter = Number.POSITIVE_INFINITY
      model.check()
      if (step % 4 === 0) model.look(random)
    }
    model.tree.destroy(model.ref)
    expect(model.arena.usedBytes).toBe(0)
  })

  seededTest('is right with many items', 1, (random) => {
    const model = new Model()
    for (const score of SCORES) {
      for (let i = 0; i < 1500; i++) model.insert(score(random, model))
      model.check()
      for (let i = 0; i < 1000; i++) model.move(random.below(model.items.length), score(random, model))
      model.check()
      for (let i = 0; i < 20; i++) model.look(random)
    }
    expect(model.tree.height(model.ref)).toBeGreaterThan(1)
    for (let i = 0; i < 2000; i++) model.remove(i % 2 === 0 ? 0 : model.items.length - 1)
    model.check()
    while (model.items.length > 5000) model.remove(random.below(model.items.length))
    model.check()
    model.removeRange(100, 4000)
    while (model.items.length > 0) model.remove(random.below(model.items.length))
    model.check()
    model.tree.destroy(model.ref)
    expect(model.arena.usedBytes).toBe(0)
  })

  seededTest('items in order and in reverse fill their leaves, and three levels are freed', 1, (random) => {
    for (const step of [1, -1]) {
      const model = new Model()
      const count = 200_000
      for (let i = 1; i <= count; i++) model.tree.insert(model.ref, i * step, i)
      expect(model.tree.height(model.ref)).toBe(3)
      expect(model.tree.sizeBytes(model.ref) / count).toBeLessThan(13)
      for (let tries = 0; tries < 1000; tries++) {
        const rank = random.below(count)
        model.tree.seekRank(model.ref, rank)
        same(model.tree.item, step > 0 ? rank + 1 : count - rank)
      }
      model.tree.destroy(model.ref)
      expect(model.arena.usedBytes).toBe(0)
    }
  })
})
