/** SORT's order by digits against Array.sort with the comparison that it stands for: equal items keep their order in both. */
import { describe, expect } from 'vitest'
import { TextPool } from '../../src/base/text-pool.ts'
import { itemOrder } from '../../src/commands/generic/sort/order.ts'
import { allItems, sortedItems } from '../../src/commands/generic/sort/radix-order.ts'
import { oneOf, seededTest } from './seeded.ts'

const TEXTS = [
  '',
  '\0',
  'a',
  'a\0',
  'a\0b',
  'ab',
  'abcdef',
  'abcdefg',
  'abcdefgh',
  'abcdefgh\0',
  'abcdefghi',
  'abcdefgh\0\0\0\0\0\0\0\0',
  'abcdef\0x',
  '\xff',
  '\xff\xff\xff\xff\xff\xff\xff\xff\xff',
]
const SCORES = [0, -0, 1, -1, 0.5, 5e-324, 1e300, -1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53]

describe('the order of SORT', () => {
  seededTest('is that of the comparison', 80, (random) => {
    const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
    // What texts begin with, so that they are alike far beyond the first eight bytes.
    const beginnings = Array.from({ length: 1 + random.below(4) }, () => random.hex(random.below(30)))
    const text = () => {
      const end = random.below(3) > 0 ? oneOf(random, TEXTS) : random.hex(random.below(12))
      return bytes(oneOf(random, beginnings) + end)
    }
    const texts = new TextPool()
    const count = random.below(oneOf(random, [40, 40, 300, 6000]))
    const hasNone = random.below(2) > 0
    for (let i = 0; i < count; i++) {
      if (hasNone && random.below(5) === 0) texts.pushNone()
      else {
        const element = text()
        texts.push(element, 0, element.length)
      }
    }
    const kinds = oneOf(random, [2, 50, 2 ** 31])
    const scores = Float64Array.from({ length: count }, () =>
      random.below(3) > 0 ? random.below(kinds) - (kinds >> 1) : oneOf(random, SCORES),
    )
    for (let choice = 0; choice < 4; choice++) {
      const isDescending = (choice & 1) !== 0
      const by = (choice & 2) !== 0 ? scores : null
      const expected = Array.from(allItems(count)).sort(itemOrder(by, texts, isDescending))
      const actual = sortedItems({
        count,
        scores: by === null ? null : by.slice(),
        texts,
        isExact: false,
        isDescending,
      })
      expect(Array.from(actual)).toEqual(expected)
    }
    const exact = new TextPool()
    for (const score of scores) exact.push(bytes(String(score)), 0, String(score).length)
    const order = sortedItems({ count, scores: scores.slice(), texts: exact, isExact: true, isDescending: false })
    expect(Array.from(order)).toEqual(Array.from(allItems(count)).sort((a, b) => scores[a]! - scores[b]! || 0))
  })
})
