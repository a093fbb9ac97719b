/** Bit work on byte ranges against the plainest way to do it, in JavaScript and by the WebAssembly kernel. */

import { describe, expect, test } from 'vitest'
import {
  type ByteRange,
  findBit,
  OP_AND,
  OP_NOT,
  OP_OR,
  OP_XOR,
  onesOutside,
  readField,
  writeField,
} from '../../src/commands/bitmap/bits.ts'
import { fitField, readInteger, sumField, writeInteger } from '../../src/commands/bitmap/integer-field.ts'
import { LongBits } from '../../src/commands/bitmap/long-bits.ts'
import { createWasmKernel } from '../../src/commands/bitmap/wasm-kernel.ts'
import fc from '../support/property.ts'

const LENGTHS = [0, 1, 3, 4, 31, 32, 33, 100, 2047, 2048, 2049, 8191, 8193, 32_767, 32_768, 32_769, 70_001]
const MEMORY_BYTES = 300_000

const PSEUDO_RANDOM = Uint8Array.from({ length: MEMORY_BYTES }, (_, i) => Math.imul(i, 0x9e37_79b1) >>> 24)

/** Shared memory of pseudo-random bytes, as words and as bytes. */
function memory(): { words: Int32Array; bytes: Uint8Array } {
  const buffer = new SharedArrayBuffer(MEMORY_BYTES)
  const bytes = new Uint8Array(buffer)
  bytes.set(PSEUDO_RANDOM)
  return { words: new Int32Array(buffer), bytes }
}

function bitAt(bytes: Uint8Array, at: number, bit: number): number {
  return (bytes[at + (bit >> 3)]! >> (7 - (bit & 7))) & 1
}

function plainOnes(bytes: Uint8Array, at: number, firstBit: number, lastBit: number): number {
  let ones = 0
  for (let bit = firstBit; bit <= lastBit; bit++) ones += bitAt(bytes, at, bit)
  return ones
}

test('there is a kernel', () => {
  expect(createWasmKernel()).not.toBeNull()
})

describe.each([
  ['JavaScript', () => new LongBits(() => null)],
  ['the kernel', () => new LongBits()],
])('by %s', (_name, create) => {
  test.each(LENGTHS)('ones of %i bytes', (length) => {
    const { words, bytes } = memory()
    for (const at of [0, 1, 2, 3, 7]) {
      expect(create().countOnes(words, bytes, at, length)).toBe(plainOnes(bytes, at, 0, length * 8 - 1))
    }
    bytes.fill(255)
    expect(create().countOnes(words, bytes, 1, length)).toBe(length * 8)
  })

  test.each(LENGTHS.slice(1))('operations on strings of up to %i bytes', (length) => {
    const { bytes } = memory()
    const before = bytes.slice()
    const bits = create()
    const lengths = [length, length >> 1, 0, Math.max(1, length - 1), length]
    const sources: ByteRange[] = lengths.map((held, i) => ({ bytes, at: 3 + i * 5 + i * 20_000, length: held }))
    const expected = (op: number, used: readonly ByteRange[]) => {
      const result = new Uint8Array(length)
      for (let i = 0; i < length; i++) {
        used.forEach((source, order) => {
          const byte = i < source.length ? bytes[source.at + i]! : 0
          if (order === 0) result[i] = op === OP_NOT ? ~byte : byte
          else if (op === OP_AND) result[i]! &= byte
          else if (op === OP_OR) result[i]! |= byte
          else result[i]! ^= byte
        })
      }
      return result
    }
    for (const op of [OP_AND, OP_OR, OP_XOR, OP_NOT]) {
      const orders = op === OP_NOT ? [[0]] : [[0], [0, 4], [4, 1], [0, 1, 2], [2, 3, 0], [1, 2, 3, 4, 0]]
      for (const order of orders) {
        const used = order.map((index) => sources[index]!)
        const result = new Uint8Array(length)
        bits.combine(op, result, used)
        expect(Buffer.from(result).equals(expected(op, used)), `operation ${op} on ${order}`).toBe(true)
      }
    }
    expect(Buffer.from(bytes).equals(before)).toBe(true)
  })
})

test('ones outside a range of bits', () => {
  const { bytes } = memory()
  for (let first = 0; first < 24; first++) {
    for (let last = first; last < 32; last++) {
      const whole = plainOnes(bytes, 2, first & ~7, last | 7)
      expect(whole - onesOutside(bytes, 2, first, last)).toBe(plainOnes(bytes, 2, first, last))
    }
  }
})

describe('findBit', () => {
  test('finds what a walk bit by bit finds', () => {
    const rare = fc.array(fc.constantFrom(0, 0, 0, 255, 255, 255, 1, 128, 254, 127), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(rare, fc.nat(7), fc.nat(480), fc.nat(480), fc.constantFrom(0, 1), (values, at, one, other, bit) => {
        const buffer = new SharedArrayBuffer(128)
        const bytes = new Uint8Array(buffer).fill(0xa5)
        bytes.set(values, at)
        const last = Math.min(Math.max(one, other), values.length * 8 - 1)
        const first = Math.min(one, other, last)
        let expected = first
        while (expected <= last && bitAt(bytes, at, expected) !== bit) expected++
        const found = findBit(new Int32Array(buffer), bytes, at, first, last, bit)
        expect(found).toBe(expected <= last ? expected : -1)
      }),
      { numRuns: 3000 },
    )
  })

  test.each([8190, 8192, 8193, 16_384, 50_000])('behind %i uniform bytes', (length) => {
    for (const bit of [0, 1]) {
      for (const at of [0, 1, 4, 6]) {
        const buffer = new SharedArrayBuffer(60_000)
        const bytes = new Uint8Array(buffer).fill(bit === 1 ? 0 : 255)
        const words = new Int32Array(buffer)
        expect(findBit(words, bytes, at, 5, (length + 1) * 8 - 1, bit)).toBe(-1)
        bytes[at + length]! ^= 0x10
        expect(findBit(words, bytes, at, 5, (length + 1) * 8 - 1, bit)).toBe(length * 8 + 3)
        expect(findBit(words, bytes, at, 5, length * 8 + 2, bit)).toBe(-1)
      }
    }
  })
})

describe('fields', () => {
  test('hold what was written and leave the bits around them', () => {
    const write = fc.record({ offset: fc.nat(120), width: fc.integer({ min: 1, max: 32 }), value: fc.nat(0xffff_ffff) })
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 21, maxLength: 21 }), write, (held, { offset, width, value }) => {
        const bytes = held.slice()
        const stored = value % 2 ** width
        writeField(bytes, 1, offset, width, stored)
        expect(readField(bytes, 1, bytes.length, offset, width)).toBe(stored)
        const expected = Array.from({ length: 160 }, (_, bit) => {
          const inside = bit >= offset && bit < offset + width
          return inside ? Math.floor(stored / 2 ** (offset + width - 1 - bit)) % 2 : bitAt(held, 1, bit)
        })
        const found = Array.from({ length: 160 }, (_, bit) => bitAt(bytes, 1, bit))
        expect(found.join('')).toBe(expected.join(''))
        expect(bytes[0]).toBe(held[0])
      }),
      { numRuns: 2000 },
    )
  })

  test('count as zero beyond the end', () => {
    const bytes = new Uint8Array(8).fill(255)
    expect(readField(bytes, 0, 2, 12, 8)).toBe(0xf0)
    expect(readField(bytes, 0, 2, 16, 32)).toBe(0)
    expect(readInteger(bytes, 0, 2, 0, { signed: true, width: 64 })).toBe(BigInt.asIntN(64, 0xffffn << 48n))
  })

  test('of any type come back as they were stored', () => {
    const type = fc.record({ signed: fc.boolean(), width: fc.integer({ min: 1, max: 63 }) })
    fc.assert(
      fc.property(type, fc.nat(70), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (kind, offset, value) => {
        const bytes = new Uint8Array(20)
        const wrapped = fitField(value, kind, 0)!
        const expected = kind.signed ? BigInt.asIntN(kind.width, value) : BigInt.asUintN(kind.width, value)
        expect(BigInt(wrapped)).toBe(expected)
        writeInteger(bytes, 0, offset, kind, wrapped)
        expect(readInteger(bytes, 0, 20, offset, kind)).toBe(wrapped)
        expect(BigInt(sumField(wrapped, 1, kind, 0)!)).toBe(
          kind.signed ? BigInt.asIntN(kind.width, expected + 1n) : BigInt.asUintN(kind.width, expected + 1n),
        )
      }),
      { numRuns: 2000 },
    )
  })
})
