/** The bit-parallel longest common subsequence against the table of lengths that everybody starts with. */

import { expect, test } from 'vitest'
import { commonSubsequence, walkBack } from '../../src/commands/string/longest-common-subsequence.ts'
import fc from '../support/property.ts'

/** Length and path of the plain method; where bytes differ it goes up if that is strictly longer, else left. */
function plain(a: Uint8Array, b: Uint8Array): { length: number; path: string[] } {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      table[i]![j] = a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!)
    }
  }
  const path: string[] = []
  for (let i = a.length, j = b.length; i > 0 && j > 0; ) {
    const isMatch = a[i - 1] === b[j - 1]
    path.push(`${i - 1} ${j - 1} ${isMatch}`)
    const goesUp = isMatch || table[i - 1]![j]! > table[i]![j - 1]!
    const goesLeft = isMatch || !goesUp
    if (goesUp) i--
    if (goesLeft) j--
  }
  return { length: table[a.length]![b.length]!, path }
}

const text = (maxLength: number) =>
  fc.array(fc.constantFrom(97, 98, 99, 0, 255), { maxLength }).map((v) => Uint8Array.from(v))

test('finds the same length by the same path', () => {
  fc.assert(
    fc.property(text(150), text(150), (a, b) => {
      const { length, path } = plain(a, b)
      expect(commonSubsequence(a, b, false).length).toBe(length)
      const found = commonSubsequence(a, b, true)
      expect(found.length).toBe(length)
      const walked: string[] = []
      walkBack(found, a, b, (i, j, isMatch) => walked.push(`${i} ${j} ${isMatch}`))
      expect(walked).toEqual(path)
    }),
    { numRuns: 500 },
  )
})

test.each([31, 32, 33, 63, 64, 65, 96])('at the edges of words: %i columns', (columns) => {
  const b = Uint8Array.from({ length: columns }, (_, i) => i % 7)
  for (const rows of [1, 31, 32, 33, 100]) {
    const a = Uint8Array.from({ length: rows }, (_, i) => i % 5)
    expect(commonSubsequence(a, b, false).length).toBe(plain(a, b).length)
    expect(commonSubsequence(b, b, false).length).toBe(columns)
  }
})
