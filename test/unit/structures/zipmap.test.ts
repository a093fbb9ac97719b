import { describe, expect, test } from 'vitest'
import { latin1Text } from '../../../src/base/byte-text.ts'
import { ZipmapReader } from '../../../src/structures/zipmap.ts'
import { zipmap } from '../../support/old-encodings.ts'

function elementsOf(bytes: Uint8Array, start = 0, end = bytes.length): string[] | null {
  const reader = new ZipmapReader()
  if (!reader.open(bytes, start, end)) {
    expect(reader.next()).toBe(false)
    return null
  }
  const found: string[] = []
  while (reader.next()) found.push(latin1Text(reader.bytes, reader.start, reader.start + reader.length))
  expect(reader.count).toBe(found.length)
  return found
}

const PAIRS = [
  ['a', 'one'],
  ['bb', ''],
  ['c'.repeat(253), 'd'.repeat(254)],
  ['e'.repeat(300), 'f'],
] as const

describe('zipmap', () => {
  test('holds fields and values in turn', () => {
    expect(elementsOf(zipmap(PAIRS))).toEqual(PAIRS.flat())
    expect(elementsOf(zipmap(PAIRS, 3))).toEqual(PAIRS.flat())
  })

  test('is read where it stands in other bytes', () => {
    const map = zipmap(PAIRS)
    const bytes = Buffer.concat([Buffer.from('before'), map, Buffer.from('behind')])
    expect(elementsOf(bytes, 6, 6 + map.length)).toEqual(PAIRS.flat())
    expect(elementsOf(bytes, 6, bytes.length)).toBe(null)
  })

  test.each([253, 254, 255, 300])('of %i pairs', (count) => {
    const pairs = Array.from({ length: count }, (_, i) => [`f${i}`, `v${i}`] as const)
    expect(elementsOf(zipmap(pairs))).toEqual(pairs.flat())
  })

  test.each([
    ['nothing', Buffer.of()],
    ['no pair', zipmap([])],
    ['no end', Buffer.of(1, 1, 97, 1, 0, 98)],
    ['a field without value', Buffer.of(1, 1, 97, 0xff)],
    ['a value behind the end', Buffer.of(1, 1, 97, 2, 0, 98, 0xff)],
    ['unused bytes behind the end', Buffer.of(1, 1, 97, 1, 1, 98, 0xff)],
    ['more pairs than it says', Buffer.of(0, 1, 97, 1, 0, 98, 0xff)],
    ['fewer pairs than it says', Buffer.of(2, 1, 97, 1, 0, 98, 0xff)],
    ['a short length in five bytes', Buffer.of(1, 254, 1, 0, 0, 0, 97, 1, 0, 98, 0xff)],
    ['a length that wraps around', Buffer.of(1, 1, 97, 254, 0xff, 0xff, 0xff, 0xff, 1, 98, 0xff)],
    ['something behind its end', Buffer.of(1, 1, 97, 1, 0, 98, 0xff, 0xff)],
  ])('with %s is refused', (_, bytes) => {
    expect(elementsOf(bytes)).toBe(null)
  })
})
