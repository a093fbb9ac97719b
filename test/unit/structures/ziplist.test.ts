import { describe, expect, test } from 'vitest'
import { latin1Text } from '../../../src/base/byte-text.ts'
import { ZiplistReader } from '../../../src/structures/ziplist.ts'
import { seededTest } from '../../model/seeded.ts'
import { type ZiplistElement, ziplist } from '../../support/old-encodings.ts'

function elementsOf(bytes: Uint8Array, start = 0, end = bytes.length): string[] | null {
  const reader = new ZiplistReader()
  if (!reader.open(bytes, start, end)) {
    expect(reader.next()).toBe(false)
    return null
  }
  const found: string[] = []
  while (reader.next()) found.push(latin1Text(reader.bytes, reader.start, reader.start + reader.length))
  expect(reader.count).toBe(found.length)
  return found
}

const INTEGERS: readonly bigint[] = [
  0n,
  12n,
  13n,
  -1n,
  127n,
  -128n,
  128n,
  32767n,
  -32768n,
  32768n,
  8388607n,
  -8388608n,
  8388608n,
  2147483647n,
  -2147483648n,
  2147483648n,
  9223372036854775807n,
  -9223372036854775808n,
]

describe('ziplist', () => {
  test('holds no element', () => {
    expect(elementsOf(ziplist([]))).toEqual([])
  })

  test('holds integers of every width', () => {
    expect(elementsOf(ziplist(INTEGERS))).toEqual(INTEGERS.map(String))
  })

  test('holds strings of every width', () => {
    const strings = ['', 'a', 'b'.repeat(63), 'c'.repeat(64), 'd'.repeat(16383), 'e'.repeat(16384), 'f']
    expect(elementsOf(ziplist(strings))).toEqual(strings)
    expect(elementsOf(ziplist(strings, true))).toEqual(strings)
  })

  test('is read where it stands in other bytes', () => {
    const list = ziplist(['one', 2, 'three'])
    const bytes = Buffer.concat([Buffer.from('before'), list, Buffer.from('behind')])
    expect(elementsOf(bytes, 6, 6 + list.length)).toEqual(['one', '2', 'three'])
    expect(elementsOf(bytes, 6, bytes.length)).toBe(null)
  })

  test('tells integers from strings', () => {
    const reader = new ZiplistReader()
    reader.open(ziplist(['1', 1]), 0, 16)
    expect([reader.next(), reader.isInteger, reader.next(), reader.isInteger, reader.next()]).toEqual([
      true,
      false,
      true,
      true,
      false,
    ])
  })

  test('may have more elements than its count can say', () => {
    const many: number[] = Array.from({ length: 70_000 }, (_, i) => i)
    expect(elementsOf(ziplist(many))).toEqual(many.map(String))
  })

  test.each([
    ['is too short', (list: Buffer) => list.subarray(0, 10)],
    ['has another length than it says', (list: Buffer) => list.writeUInt32LE(list.length + 1, 0)],
    ['has no end', (list: Buffer) => list.fill(0, list.length - 1)],
    ['has its last entry behind its end', (list: Buffer) => list.writeUInt32LE(list.length, 4)],
    ['has its last entry elsewhere', (list: Buffer) => list.writeUInt32LE(10, 4)],
    ['has fewer elements than it says', (list: Buffer) => list.writeUInt16LE(4, 8)],
    ['has more elements than it says', (list: Buffer) => list.writeUInt16LE(2, 8)],
    ['ends early', (list: Buffer) => list.fill(0xff, 15, 16)],
    ['has an entry that does not know the one before', (list: Buffer) => list.fill(4, 15, 16)],
    ['has an entry that is not encoded', (list: Buffer) => list.fill(0xff, 11, 12)],
    ['has an entry that reaches behind its end', (list: Buffer) => list.fill(60, 11, 12)],
  ])('that %s is refused', (_, spoil) => {
    const list = Buffer.from(ziplist(['one', 'two', 3]))
    expect(elementsOf(list)).toEqual(['one', 'two', '3'])
    const spoiled = spoil(list)
    expect(elementsOf(Buffer.isBuffer(spoiled) && spoiled.length < list.length ? spoiled : list)).toBe(null)
  })

  seededTest(
    'ziplists hold what was put into them; cut short or changed they are read within their bytes',
    30,
    (random) => {
      const elements: ZiplistElement[] = Array.from({ length: random.below(20) }, () => {
        if (random.below(2) === 0) return BigInt.asIntN(1 + random.below(64), BigInt(random.int32()) * 0x1_0000_0001n)
        return 'x'.repeat(random.below(random.below(10) === 0 ? 20_000 : 300))
      })
      const list = ziplist(elements, random.below(4) === 0)
      expect(elementsOf(list)).toEqual(elements.map(String))
      const cut = list.slice(0, random.below(list.length))
      expect(elementsOf(cut)).toBe(null)
      for (let change = 0; change < 200; change++) {
        const changed = list.slice()
        changed[random.below(Math.min(list.length, 1000))]! ^= 1 << random.below(8)
        const found = elementsOf(changed)
        if (found !== null) expect(found.length).toBe(elements.length)
      }
    },
  )
})
