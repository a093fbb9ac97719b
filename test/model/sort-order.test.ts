/** SORT's fast order against Array.sort with the comparison that it stands for: equal items keep their order in both. */
import { describe, expect } from 'vitest'
import { TextPool } from '../../src/base/text-pool.ts'
import { sorted } from '../../src/commands/generic/sort/fast-order.ts'
import { itemOrder, type SortItem } from '../../src/commands/generic/sort/order.ts'
import { oneOf, seededTest } from './seeded.ts'

const TEXTS = [
  '',
  'a',
  'a\0',
  'a\0b',
  'ab',
  'abcdef',
  'abcdefg',
  'abcdefh',
  'abcdef\0x',
  '\xff',
  '\xff\xff\xff\xff\xff\xff\xff',
]
const SCORES = [0, -0, 1, -1, 0.5, 1e300, -1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53]

describe('the fast order of SORT', () => {
  seededTest('is that of the comparison', 60, (random) => {
    const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
    const text = () => bytes(random.below(3) > 0 ? oneOf(random, TEXTS) : random.hex(random.below(12)))
    const elements = new TextPool()
    const count = random.below(random.below(4) === 0 ? 3000 : 40)
    for (let i = 0; i < count; i++) {
      const element = text()
      elements.push(element, 0, element.length)
    }
    const items: SortItem[] = Array.from({ length: count }, (_, index) => ({
      index,
      score: random.below(3) === 0 ? random.below(50) : oneOf(random, SCORES),
      weight: random.below(5) === 0 ? null : text(),
    }))
    for (let choice = 0; choice < 16; choice++) {
      const order = {
        isDescending: (choice & 1) !== 0,
        isAlpha: (choice & 2) !== 0,
        hasWeights: (choice & 4) !== 0,
        isStored: (choice & 8) !== 0,
      }
      const compare = itemOrder(elements, order)
      const expected = [...items].sort(compare)
      const actual = sorted(elements, items, compare, order)
      expect(actual.length).toBe(items.length)
      for (let i = 0; i < items.length; i++) if (actual[i] !== expected[i]) expect(actual[i]).toBe(expected[i])
    }
  })
})
