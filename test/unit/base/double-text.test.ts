import { describe, expect, it } from 'vitest'
import {
  DOUBLE_TEXT_BYTES_MAX,
  double17g,
  doubleText,
  fixedPointText,
  fixedText,
  parseDouble,
  parseDoubleLenient,
  strtod,
  writeDouble,
  writeDouble17g,
} from '../../../src/base/double-text.ts'
import fc from '../../support/property.ts'
import { embedded, readVectors, shortened } from './vectors/read.ts'

const fromBits = (bits: Buffer) => bits.readDoubleBE()
const number = (hex: string) => (hex === '-' || hex === 'nan' ? Number.NaN : Buffer.from(hex, 'hex').readDoubleBE())

describe('parsing', () => {
  it('answers as string2d and strtod do', () => {
    for (const { line, arguments: args, answers } of readVectors('double-parse', 1)) {
      const text = args[0]!
      const { buf, start, end } = embedded(text, '11')
      const [whole, prefix, used, range] = answers
      const context = `line ${line}: ${text.toString('latin1').slice(0, 80)}`
      expect(parseDouble(buf, start, end), context).toBe(number(whole!))
      const nul = text.indexOf(0)
      const read = strtod(buf, start, nul < 0 ? end : start + nul)
      expect(read.value, context).toBe(number(prefix!))
      expect(read.end - start, context).toBe(Number(used))
      expect(read.outOfRange, context).toBe(range === '1')
      const usedUp = Number(used) === (nul < 0 ? text.length : nul)
      expect(parseDoubleLenient(buf, start, end), context).toBe(usedUp ? number(prefix!) : Number.NaN)
    }
  })

  it('reads back what it prints, bit for bit', () => {
    const out = Buffer.alloc(40)
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        for (const write of [writeDouble17g, writeDouble]) {
          const end = write(out, 3, value)
          expect(end - 3).toBeLessThanOrEqual(DOUBLE_TEXT_BYTES_MAX)
          expect(Object.is(parseDouble(out, 3, end), value)).toBe(true)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('takes very long numbers in passing', () => {
    const zeros = Buffer.alloc(3_000_000, '0')
    expect(parseDouble(zeros, 0, zeros.length)).toBe(0)
    zeros[0] = 0x31
    zeros[1] = 0x2e
    expect(parseDouble(zeros, 0, zeros.length)).toBe(1)
    zeros.fill(0x66)
    zeros.write('0x')
    expect(parseDouble(zeros, 0, zeros.length)).toBeNaN()
    zeros[2] = 0x2e
    expect(parseDouble(zeros, 0, zeros.length)).toBe(1)
  })
})

describe('printing', () => {
  it('answers as printf, d2string and fixedpoint_d2string do', () => {
    const out = Buffer.alloc(40)
    for (const { line, arguments: args, answers } of readVectors('double-print', 1)) {
      const value = fromBits(args[0]!)
      const context = `line ${line}: ${value}`
      expect(double17g(value), context).toBe(answers[0])
      expect(out.toString('latin1', 2, writeDouble17g(out, 2, value)), context).toBe(answers[0])
      expect(doubleText(value), context).toBe(answers[1])
      expect(out.toString('latin1', 0, writeDouble(out, 0, value)), context).toBe(answers[1])
      for (const [i, decimals] of [0, 1, 2, 3, 4, 17].entries())
        expect(shortened(fixedText(value, decimals)), context).toBe(answers[2 + i])
      if (Math.abs(value) < 1e15) expect(fixedPointText(value, 4), context).toBe(answers[8])
    }
  })

  it('prints nan', () => {
    expect(double17g(Number.NaN)).toBe('nan')
    expect(doubleText(Number.NaN)).toBe('nan')
    expect(fixedText(Number.NaN, 2)).toBe('nan')
  })
})
