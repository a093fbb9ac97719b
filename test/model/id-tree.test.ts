/** The tree of ids against a sorted array, its invariants after each step. */
import { describe, expect } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { Arena, type Ref, SLAB_BYTES } from '../../src/memory/arena.ts'
import { IdCursor, IdTree, TREE_WORDS } from '../../src/structures/id-tree.ts'
import { StreamId } from '../../src/structures/stream-id.ts'
import { oneOf, seededTest } from './seeded.ts'

interface Entry {
  readonly key: bigint
  value: number
}

class Model {
  readonly entries: Entry[] = []

  place(key: bigint): number {
    let low = 0
    let high = this.entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.entries[middle]!.key < key) low = middle + 1
      else high = middle
    }
    return low
  }

  at(key: bigint): Entry | undefined {
    const entry = this.entries[this.place(key)]
    return entry !== undefined && entry.key === key ? entry : undefined
  }
}

function idOf(key: bigint): StreamId {
  return StreamId.of(key >> 64n, key & 0xffff_ffff_ffff_ffffn)
}

function keyOf(id: StreamId): bigint {
  const [ms, seq] = id.toString().split('-')
  return (BigInt(ms!) << 64n) | BigInt(seq!)
}

/** What the words of the nodes say: ids ascend, bounds hold, leaves are chained both ways. */
function check(arena: Arena, tree: IdTree, ref: Ref, model: Model): void {
  const words = arena.view32(ref)
  const at = arena.at32(ref)
  const [root, first, last, count, height] = [0, 1, 2, 3, 4].map((word) => words[at + word]!)
  expect(count).toBe(model.entries.length)
  expect(tree.count(ref)).toBe(count)
  const leaves: number[] = []
  const found: Entry[] = []
  let blocks = 0
  const walk = (node: number, level: number, low: bigint, high: bigint): void => {
    blocks += arena.capacity(node)
    const nodeWords = arena.view32(node)
    const nodeAt = arena.at32(node)
    const begin = nodeWords[nodeAt]!
    const end = nodeWords[nodeAt + 1]!
    expect(end).toBeGreaterThan(begin)
    if (level === 1) leaves.push(node)
    const id = new StreamId()
    const keys: bigint[] = []
    for (let i = begin; i < end; i++) {
      id.read(nodeWords, nodeAt + 4 + i * 5)
      keys.push(keyOf(id))
    }
    for (let i = begin; i < end; i++) {
      const key = keys[i - begin]!
      const value = nodeWords[nodeAt + 4 + i * 5 + 4]!
      if (level === 1) {
        expect(key >= low && key < high).toBe(true)
        found.push({ key, value })
      } else {
        const from = i === begin ? low : key
        expect(from >= low).toBe(true)
        walk(value, level - 1, from, i + 1 < end ? keys[i + 1 - begin]! : high)
      }
    }
  }
  if (height! > 0) walk(root!, height!, 0n, 1n << 128n)
  expect(found).toEqual(model.entries)
  expect(tree.sizeBytes(ref)).toBe(blocks)
  expect(first).toBe(leaves[0] ?? 0)
  expect(last).toBe(leaves[leaves.length - 1] ?? 0)
  leaves.forEach((leaf, i) => {
    expect(arena.view32(leaf)[arena.at32(leaf) + 2]).toBe(leaves[i - 1] ?? 0)
    expect(arena.view32(leaf)[arena.at32(leaf) + 3]).toBe(leaves[i + 1] ?? 0)
  })
}

function walkAll(tree: IdTree, ref: Ref, isReversed: boolean): Entry[] {
  const cursor = new IdCursor()
  const id = new StreamId()
  const found: Entry[] = []
  let goesOn = isReversed ? tree.seekLast(ref, cursor) : tree.seekFirst(ref, cursor)
  while (goesOn) {
    tree.readId(cursor, id)
    found.push({ key: keyOf(id), value: tree.value(cursor) })
    goesOn = isReversed ? tree.previous(cursor) : tree.next(cursor)
  }
  return found
}

describe('id tree', () => {
  seededTest('behaves as a sorted array', 3, (random: Random) => {
    const arena = new Arena()
    const tree = new IdTree(arena)
    const ref = arena.allocate(TREE_WORDS * 4)
    tree.begin(ref)
    const model = new Model()
    const spread = oneOf(random, [30n, 400n, 3000n, 1n << 60n])
    const draw = (): bigint => {
      const ms = (BigInt(random.below(2 ** 32)) * spread) >> 32n
      const wide = random.below(20) === 0 ? (BigInt(random.below(2 ** 32)) << 96n) | 0xffff_ffffn : 0n
      return (ms << 64n) | BigInt(random.below(3)) | wide
    }
    const appends = random.below(3)
    let nextValue = 1
    const cursor = new IdCursor()
    const read = new StreamId()
    const expectAt = (entry: Entry | undefined, isAt: boolean) => {
      expect(isAt).toBe(entry !== undefined)
      expect(cursor.isAt).toBe(isAt)
      if (entry === undefined) return
      tree.readId(cursor, read)
      expect({ key: keyOf(read), value: tree.value(cursor) }).toEqual(entry)
    }
    for (let step = 0; step < 6000; step++) {
      const isShrinking = step % 2500 > 1500
      const choice = random.below(100)
      const { entries } = model
      if (choice < (isShrinking ? 20 : 60)) {
        const top = entries[entries.length - 1]?.key ?? 0n
        const key = appends > 0 && random.below(appends + 1) > 0 ? top + BigInt(random.below(3)) : draw()
        const held = model.at(key)
        expect(tree.insert(ref, idOf(key), nextValue)).toBe(held?.value ?? 0)
        if (held === undefined) entries.splice(model.place(key), 0, { key, value: nextValue++ })
      } else if (choice < 90 && random.below(30) === 0 && entries.length > 0) {
        const count = tree.leafCount(ref)
        tree.removeFirstLeaf(ref)
        entries.splice(0, count)
      } else if (choice < 90) {
        const kind = random.below(4)
        const near = entries[kind === 0 ? 0 : random.below(entries.length)]
        const key = near === undefined || kind === 3 ? draw() : near.key
        const held = model.at(key)
        expect(tree.remove(ref, idOf(key))).toBe(held?.value ?? 0)
        if (held !== undefined) entries.splice(model.place(key), 1)
      } else {
        const near = entries[random.below(entries.length)]
        const key = near === undefined || random.below(2) === 0 ? draw() : near.key + BigInt(random.below(3) - 1)
        if (key < 0n) continue
        const place = model.place(key)
        expect(tree.find(ref, idOf(key))).toBe(model.at(key)?.value ?? 0)
        expectAt(entries[place], tree.seekAtLeast(ref, idOf(key), cursor))
        if (cursor.isAt) expectAt(entries[place + 1], tree.next(cursor))
        const floor = model.at(key) === undefined ? place - 1 : place
        expectAt(entries[floor], tree.seekAtMost(ref, idOf(key), cursor))
        if (cursor.isAt) {
          model.entries[floor]!.value = nextValue
          tree.setValue(cursor, nextValue++)
          expectAt(entries[floor - 1], tree.previous(cursor))
        }
      }
      if (step % 100 === 0 || model.entries.length < 20) check(arena, tree, ref, model)
    }
    check(arena, tree, ref, model)
    expect(walkAll(tree, ref, false)).toEqual(model.entries)
    expect(walkAll(tree, ref, true)).toEqual([...model.entries].reverse())
    let leaves = 0
    for (let count = tree.leafCount(ref); count > 0; count = tree.leafCount(ref)) {
      leaves += count
      tree.dropLeaf(ref)
    }
    expect(leaves).toBe(model.entries.length)
    arena.release(ref)
    expect(arena.usedBytes).toBe(0)
  })

  seededTest('is whole when memory ends in the middle', 2, (random: Random) => {
    const arena = new Arena(1)
    const tree = new IdTree(arena)
    const ref = arena.allocate(TREE_WORDS * 4)
    tree.begin(ref)
    // Some slabs are left for the tree.
    for (let slabs = 0; slabs < 50; slabs++) arena.allocate(SLAB_BYTES)
    const model = new Model()
    let failures = 0
    for (let i = 1; failures < 5; i++) {
      const key = BigInt(random.below(2 ** 31)) << 64n
      try {
        if (tree.insert(ref, idOf(key), i) === 0) model.entries.splice(model.place(key), 0, { key, value: i })
      } catch {
        failures++
        check(arena, tree, ref, model)
      }
    }
    expect(model.entries.length).toBeGreaterThan(2000)
  })
})
