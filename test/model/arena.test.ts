/**
 * The arena against a list of blocks that each remember what was written to them: blocks keep their content whatever
 * happens to others, so they do not overlap; sizes add up; everything comes back.
 */
import { expect } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { Arena } from '../../src/memory/arena.ts'
import { oneOf, seededTest } from './seeded.ts'

interface Block {
  readonly ref: number
  readonly capacity: number
  readonly stamp: number
}

const STEPS = 12_000

function someSize(random: Random): number {
  switch (random.below(20)) {
    case 0:
      return random.below(4_000_000)
    case 1:
      return 30_000 + random.below(100_000)
    case 2:
    case 3:
      return random.below(40_000)
    default:
      return random.below(400)
  }
}

/** Marks a block at its ends and at places between. */
function write(arena: Arena, { ref, capacity, stamp }: Block): void {
  const words = arena.view32(ref)
  const at = arena.at32(ref)
  const step = Math.max(1, capacity >> 9)
  for (let i = 0; i < capacity >> 2; i += step) words[at + i] = stamp ^ i
  words[at + (capacity >> 2) - 1] = stamp
}

function isIntact(arena: Arena, { ref, capacity, stamp }: Block): boolean {
  const words = arena.view32(ref)
  const at = arena.at32(ref)
  const step = Math.max(1, capacity >> 9)
  const last = (capacity >> 2) - 1
  for (let i = 0; i < last; i += step) if (words[at + i] !== (stamp ^ i)) return false
  return words[at + last] === stamp
}

seededTest('blocks keep their content and give everything back', 3, (random) => {
  const arena = new Arena()
  const blocks: Block[] = []
  let usedBytes = 0
  const release = () => {
    const index = random.below(blocks.length)
    const block = blocks[index]!
    blocks[index] = blocks[blocks.length - 1]!
    blocks.length--
    expect(isIntact(arena, block), `block of ${block.capacity} bytes`).toBe(true)
    expect(arena.capacity(block.ref)).toBe(block.capacity)
    arena.release(block.ref)
    usedBytes -= block.capacity
  }
  // Phases of growth and of decay, so that slabs and pages fill and empty.
  let growth = 0.7
  for (let step = 0; step < STEPS; step++) {
    if (step % 2000 === 0) growth = oneOf(random, [0.2, 0.45, 0.5, 0.7, 0.9])
    if (step % 500 === 0) arena.trim(random.below(4) === 0)
    if (blocks.length === 0 || (random.float() < growth && usedBytes < 100_000_000)) {
      const sizeBytes = someSize(random)
      const ref = arena.allocate(sizeBytes)
      expect(ref).not.toBe(0)
      const block = { ref, capacity: arena.capacity(ref), stamp: random.int32() }
      expect(block.capacity).toBe(arena.capacityFor(sizeBytes))
      expect(block.capacity).toBeGreaterThanOrEqual(sizeBytes)
      write(arena, block)
      usedBytes += block.capacity
      blocks.push(block)
    } else release()
    if (arena.usedBytes !== usedBytes) expect(arena.usedBytes).toBe(usedBytes)
  }
  expect(blocks.filter((block) => !isIntact(arena, block))).toEqual([])
  if (random.below(4) === 0) {
    arena.reset()
    blocks.length = 0
    usedBytes = 0
  }
  while (blocks.length > 0) release()
  expect(arena.usedBytes).toBe(0)
  arena.trim(true)
  expect(arena.pageCount()).toBe(1)
})
