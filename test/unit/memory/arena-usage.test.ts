import { expect, test } from 'vitest'
import { Arena } from '../../../src/memory/arena.ts'

const SLAB = 65_536

test('active bytes are those of slabs with blocks, and usage counts blocks by size', () => {
  const arena = new Arena()
  const small = Array.from({ length: 10 }, () => arena.allocate(20))
  const span = arena.allocate(3 * SLAB - 5)
  const huge = arena.allocate(5 * 1024 * 1024)
  // Slab 0 is never given out, so it is not free either.
  expect(arena.activeBytes()).toBe(SLAB + SLAB + 3 * SLAB + 5 * 1024 * 1024)
  const usage = arena.classUsage()
  expect(usage.filter(({ blocks }) => blocks > 0)).toEqual([
    { blockBytes: 24, slabs: 1, blocks: 10 },
    { blockBytes: 0, slabs: 3, blocks: 1 },
    { blockBytes: 0, slabs: 0, blocks: 1 },
  ])
  expect(usage.at(-2)!.slabs).toBe(3)
  for (const ref of small) arena.release(ref)
  arena.release(span)
  arena.release(huge)
  arena.trim(true)
  expect(arena.activeBytes()).toBe(SLAB)
  expect(arena.classUsage().every(({ blocks, slabs }) => blocks === 0 && slabs === 0)).toBe(true)
})
