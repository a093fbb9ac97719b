import { describe, expect, it } from 'vitest'
import { needsRepr, reprText, splitArgs, splitArgsText } from '../../../src/base/quoting.ts'
import fc from '../../support/property.ts'
import { embedded, readVectors } from './vectors/read.ts'

describe('splitArgs', () => {
  it('splits as sdssplitargs does', () => {
    for (const { line, arguments: args, answers } of readVectors('split', 1)) {
      const { buf, start, end } = embedded(args[0]!, '4"x\'')
      const words = splitArgs(buf, start, end)
      const text = words === null ? 'null' : words.map((word) => `${Buffer.from(word).toString('hex')},`).join('')
      expect(text, `line ${line}: ${JSON.stringify(args[0]!.toString('latin1'))}`).toBe(answers[0])
    }
  })

  it('gives words that stay when the line is overwritten', () => {
    const line = Buffer.from('one two')
    const words = splitArgs(line, 0, line.length)!
    line.fill(0x2e)
    expect(words.map((word) => Buffer.from(word).toString())).toEqual(['one', 'two'])
  })

  it('splits text, UTF-8 outside', () => {
    expect(splitArgsText('set "clé" \'日本\' \\x')).toEqual(['set', 'clé', '日本', '\\x'])
    expect(splitArgsText('"\\xe2\\x82\\xac"')).toEqual(['€'])
    expect(splitArgsText('"open')).toBeNull()
  })
})

describe('repr', () => {
  it('shows bytes as sdscatrepr does', () => {
    for (const { line, arguments: args, answers } of readVectors('repr', 1)) {
      const { buf, start, end } = embedded(args[0]!, '"\n')
      expect(`${Number(needsRepr(buf, start, end))} ${reprText(buf, start, end)}`, `line ${line}`).toBe(
        answers.join(' '),
      )
    }
  })

  it('is undone by splitArgs', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 5 }), (words) => {
        const line = Buffer.from(words.map((word) => reprText(word, 0, word.length)).join(' '), 'latin1')
        expect(splitArgs(line, 0, line.length)!.map((word) => [...word])).toEqual(words.map((word) => [...word]))
      }),
    )
  })
})
