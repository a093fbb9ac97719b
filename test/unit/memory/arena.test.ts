import { describe, expect, test } from 'vitest'
import { Arena, ArenaFullError, BLOCK_BYTES_MAX } from '../../../src/memory/arena.ts'

const MIB = 1024 * 1024

describe('arena', () => {
  test('no block has ref 0, whatever is allocated first', () => {
    for (const sizeBytes of [1, 8, 65_536, 2 * MIB, 4 * MIB, 4 * MIB + 1, 10 * MIB]) {
      expect(new Arena().allocate(sizeBytes), `${sizeBytes} bytes`).not.toBe(0)
    }
  })

  test.each([
    [0, 8],
    [1, 8],
    [8, 8],
    [9, 16],
    [128, 128],
    [129, 144],
    [1025, 1280],
    [16_385, 21_840],
    [21_841, 32_768],
    [32_769, 65_536],
    [65_537, 131_072],
    [4 * MIB, 4 * MIB],
    [4 * MIB + 1, 4 * MIB + 4096],
  ])('a block of %i bytes has room for %i', (sizeBytes, capacity) => {
    const arena = new Arena()
    const ref = arena.allocate(sizeBytes)
    expect(arena.capacity(ref)).toBe(capacity)
    expect(arena.capacityFor(sizeBytes)).toBe(capacity)
    expect(arena.usedBytes).toBe(capacity)
    expect(arena.view8(ref).length - arena.at8(ref)).toBeGreaterThanOrEqual(capacity)
    expect(arena.at32(ref) * 4).toBe(arena.at8(ref))
    arena.release(ref)
    expect(arena.usedBytes).toBe(0)
  })

  test('no class wastes more than a fifth, nor more than a slab', () => {
    const arena = new Arena()
    for (let sizeBytes = 256; sizeBytes < 9 * MIB; sizeBytes = Math.ceil(sizeBytes * 1.01)) {
      const waste = arena.capacityFor(sizeBytes) - sizeBytes
      if (sizeBytes <= 16_384) expect(waste / sizeBytes, `${sizeBytes} bytes`).toBeLessThan(0.25)
      else expect(waste, `${sizeBytes} bytes`).toBeLessThan(65_536)
    }
  })

  test('blocks above the maximum are refused', () => {
    const arena = new Arena()
    expect(() => arena.allocate(BLOCK_BYTES_MAX + 1)).toThrow(ArenaFullError)
    expect(arena.usedBytes).toBe(0)
  })

  test('an arena that is full says so, keeps what it has, and goes on once something is released', () => {
    const arena = new Arena(2)
    const refs: number[] = []
    const fill = () => {
      for (;;) refs.push(arena.allocate(100_000))
    }
    expect(fill).toThrow(ArenaFullError)
    const used = arena.usedBytes
    expect(() => arena.allocate(5 * MIB)).toThrow(ArenaFullError)
    expect(arena.usedBytes).toBe(used)
    arena.release(refs.pop()!)
    refs.push(arena.allocate(100_000))
    for (const ref of refs) arena.release(ref)
    expect(arena.usedBytes).toBe(0)
  })

  test('releasing twice what is no block of a slab is an assertion', () => {
    const arena = new Arena()
    const ref = arena.allocate(100_000)
    arena.release(ref)
    expect(() => arena.release(ref)).toThrow(/not allocated/)
  })

  test('empty pages are reused, and dropped when nobody needed them for a while', () => {
    const arena = new Arena()
    const fill = () => Array.from({ length: 200 * 64 }, () => arena.allocate(65_536))
    for (const ref of fill()) arena.release(ref)
    const { heldBytes } = arena
    const pages = arena.pageCount()
    expect(pages).toBeGreaterThanOrEqual(200)
    const refs = fill()
    expect(arena.heldBytes, 'the second time needs no new page').toBe(heldBytes)
    for (const ref of refs) arena.release(ref)
    arena.trim()
    expect(arena.pageCount(), 'they were needed since the last call').toBe(pages)
    arena.trim()
    expect(arena.pageCount(), 'a few at a time').toBe(pages - 13)
    for (let i = 0; i < 40; i++) arena.trim()
    expect(arena.pageCount()).toBeLessThan(8)
    expect(arena.heldBytes).toBe(arena.pageCount() * 4 * MIB)
    arena.trim(true)
    expect(arena.pageCount()).toBe(1)
    expect(arena.heldBytesPeak).toBe(heldBytes)
  })

  test('one empty slab of each class does not keep pages from being dropped', () => {
    const arena = new Arena()
    const refs: number[] = []
    for (let sizeBytes = 8; sizeBytes <= 32_768; sizeBytes *= 2) {
      refs.push(arena.allocate(sizeBytes))
      // The rest of the page, so that the next class begins another.
      const pages = arena.pageCount()
      while (arena.pageCount() === pages) refs.push(arena.allocate(65_536))
    }
    for (const ref of refs) arena.release(ref)
    arena.trim(true)
    expect(arena.pageCount()).toBe(1)
    expect(arena.usedBytes).toBe(0)
  })

  test('huge blocks have pages of their own that go at once', () => {
    const arena = new Arena()
    const small = arena.allocate(8)
    const huge = arena.allocate(20 * MIB)
    expect(arena.heldBytes).toBe(24 * MIB)
    arena.view8(huge).fill(7, arena.at8(huge), arena.at8(huge) + 20 * MIB)
    arena.release(huge)
    expect(arena.heldBytes).toBe(4 * MIB)
    arena.release(small)
  })

  test('reset gives up everything at once', () => {
    const arena = new Arena()
    arena.reset()
    for (let sizeBytes = 8; sizeBytes < 10 * MIB; sizeBytes *= 2) for (let i = 0; i < 3; i++) arena.allocate(sizeBytes)
    const peak = arena.heldBytes
    arena.reset()
    expect(arena.usedBytes).toBe(0)
    expect(arena.heldBytes).toBeLessThan(peak)
    const first = arena.allocate(8)
    expect(first).not.toBe(0)
    arena.release(first)
    arena.trim(true)
    expect(arena.pageCount()).toBe(1)
    expect(arena.heldBytes).toBe(4 * MIB)
  })

  test('blocks on sparse pages can be moved, and those pages go', () => {
    const arena = new Arena()
    let refs = Array.from({ length: 300_000 }, (_, i) => {
      const ref = arena.allocate(96)
      arena.view32(ref)[arena.at32(ref)] = i
      return ref
    })
    const span = arena.allocate(100_000)
    arena.view8(span)[arena.at8(span) + 99_999] = 77
    const kept = refs.filter((_, i) => i % 10 === 3)
    refs.forEach((ref, i) => {
      if (i % 10 !== 3) arena.release(ref)
    })
    const usedBytes = arena.usedBytes
    const numbers = kept.map((ref) => arena.view32(ref)[arena.at32(ref)]!)
    refs = kept
    let passes = 0
    while (passes < 20 && arena.startCompaction()) {
      refs = refs.map((ref) => arena.moved(ref))
      arena.endCompaction()
      passes++
    }
    expect(passes).toBeGreaterThan(0)
    expect(refs.map((ref) => arena.view32(ref)[arena.at32(ref)]!)).toEqual(numbers)
    expect(arena.view8(span)[arena.at8(span) + 99_999]).toBe(77)
    expect(arena.usedBytes).toBe(usedBytes)
    expect(arena.occupiedBytes()).toBeLessThan(usedBytes + 3 * 4 * MIB)
    arena.trim(true)
    expect(arena.heldBytes).toBe(arena.occupiedBytes())
    for (const ref of refs) arena.release(ref)
    arena.release(span)
    expect(arena.usedBytes).toBe(0)
    arena.trim(true)
    expect(arena.pageCount()).toBe(1)
  })

  test('an arena that is full uses the pages that were to be left', () => {
    const arena = new Arena(3)
    const refs: number[] = []
    const fill = () => {
      for (;;) refs.push(arena.allocate(32_768))
    }
    expect(fill).toThrow(ArenaFullError)
    const count = refs.length
    for (let i = count - 1; i >= 0; i--) if (i % 4 !== 0) arena.release(refs.splice(i, 1)[0]!)
    expect(arena.startCompaction()).toBe(true)
    expect(fill).toThrow(ArenaFullError)
    expect(arena.isCompacting).toBe(false)
    expect(fill).toThrow(ArenaFullError)
    expect(refs.length).toBe(count)
  })
})
