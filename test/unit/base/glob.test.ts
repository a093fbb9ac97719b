import { describe, expect, it } from 'vitest'
import { globMatch } from '../../../src/base/glob.ts'
import { embedded, readVectors } from './vectors/read.ts'

const match = (pattern: string, text: string, nocase = false) => {
  const p = Buffer.from(pattern, 'latin1')
  const t = Buffer.from(text, 'latin1')
  return globMatch(p, 0, p.length, t, 0, t.length, nocase)
}

describe('glob', () => {
  it('matches what stringmatchlen matches', () => {
    let matches = 0
    for (const { line, arguments: args, answers } of readVectors('glob', 2)) {
      const pattern = embedded(args[0]!, ']*')
      const text = embedded(args[1]!, 'a*')
      const [p, t] = args.map((bytes) => JSON.stringify(bytes.toString('latin1').slice(0, 60)))
      for (const [i, nocase] of [false, true].entries()) {
        const answer = globMatch(pattern.buf, pattern.start, pattern.end, text.buf, text.start, text.end, nocase)
        expect(answer, `line ${line}: ${p} against ${t}, nocase ${nocase}`).toBe(answers[i] === '1')
        if (answer) matches++
      }
    }
    expect(matches).toBeGreaterThan(500)
  })

  it('never matches an empty text with a pattern, and always with none', () => {
    expect(match('', '')).toBe(true)
    expect(match('*', '')).toBe(false)
    expect(match('', 'a')).toBe(false)
  })

  it('stays polynomial on patterns made to explode', () => {
    // Trying every split of the text takes seconds at this size, and would not end at a larger one.
    let fastestMs = Number.POSITIVE_INFINITY
    for (let i = 0; i < 5; i++) {
      const started = performance.now()
      expect(match(`${'a*'.repeat(8)}b`, 'a'.repeat(48))).toBe(false)
      expect(match(`${'*?'.repeat(8)}b`, 'a'.repeat(48))).toBe(false)
      fastestMs = Math.min(fastestMs, performance.now() - started)
    }
    expect(fastestMs).toBeLessThan(500)
  })
})
