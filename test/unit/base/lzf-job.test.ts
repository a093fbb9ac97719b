import { expect, test } from 'vitest'
import { LzfCompressor, LzfJob, lzfDecompress } from '../../../src/base/lzf.ts'
import { Random } from '../../../src/base/random.ts'
import { SEED } from '../../support/seed.ts'

/** Text in which runs, repetitions at all distances and noise take turns. */
function material(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  while (at < length) {
    const count = Math.min(length - at, 1 + random.below(600))
    const kind = random.below(4)
    for (let i = 0; i < count; i++, at++) {
      if (kind === 0) bytes[at] = random.below(256)
      else if (kind === 1) bytes[at] = 97
      else if (kind === 2) bytes[at] = 97 + random.below(3)
      else bytes[at] = at > 9000 ? bytes[at - 8190 - (count & 7)]! : at > 5 ? bytes[at - 5]! : 120
    }
  }
  return bytes
}

test('compressing in several goes gives the same bytes as in one', () => {
  const random = Random.fromSeed(SEED)
  const whole = new LzfCompressor()
  for (let round = 0; round < 150; round++) {
    const start = random.below(10)
    const input = material(random, start + 1 + random.below(round < 100 ? 300 : 60_000))
    const length = input.length - start
    const room = Math.max(0, length - 4)
    const expected = new Uint8Array(room + 8)
    const expectedBytes = whole.compress(input, start, input.length, expected, 3, 3 + room)
    const actual = new Uint8Array(room + 8)
    const job = new LzfJob(input, start, input.length, actual, 3, 3 + room)
    let goes = 0
    let actualBytes = -1
    while (actualBytes < 0) {
      actualBytes = job.proceed(1 + random.below(random.below(2) === 0 ? 5 : 3000))
      if (++goes > length + 2) throw new Error(`seed ${SEED}, round ${round}: no end`)
    }
    expect(actualBytes, `seed ${SEED}, round ${round}`).toBe(expectedBytes)
    if (expectedBytes === 0) continue
    expect(Buffer.compare(actual, expected), `seed ${SEED}, round ${round}`).toBe(0)
    const back = new Uint8Array(length)
    expect(lzfDecompress(actual, 3, 3 + actualBytes, back, 0, length)).toBe(length)
    expect(Buffer.compare(back, input.subarray(start))).toBe(0)
  }
})
