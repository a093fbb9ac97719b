import { describe, expect, it } from 'vitest'
import {
  addFloatText,
  addLongDouble,
  isFiniteLongDouble,
  type LongDouble,
  longDoubleHumanText,
  parseLongDouble,
} from '../../../src/base/long-double.ts'
import fc from '../../support/property.ts'
import { embedded, readVectors, shortened } from './vectors/read.ts'

const parse = (text: string): LongDouble | null => {
  const bytes = Buffer.from(text, 'latin1')
  return parseLongDouble(bytes, 0, bytes.length)
}
const shown = (value: LongDouble | null) => (value === null ? '-' : shortened(longDoubleHumanText(value)))
// Redis tests for NaN before it prints, and C prints its sign; the vectors show what printf says.
const sum = (a: LongDouble | null, b: LongDouble | null) => (a === null || b === null ? null : addLongDouble(a, b))

describe('long double', () => {
  it('parses, adds and prints as string2ld, x87 addition and ld2string do', () => {
    let fastPaths = 0
    for (const { line, arguments: args, answers } of readVectors('long-double', 2)) {
      const [a, b] = args.map((text) => embedded(text, '11'))
      const left = parseLongDouble(a!.buf, a!.start, a!.end)
      const right = parseLongDouble(b!.buf, b!.start, b!.end)
      const context = `line ${line}: ${args.map((text) => text.toString('latin1').slice(0, 80)).join(' + ')}`
      expect([shown(left), shown(right), shown(sum(left, right))], context).toEqual(answers)
      const fast = addFloatText(a!.buf, a!.start, a!.end, b!.buf, b!.start, b!.end)
      if (fast === null) continue
      fastPaths++
      expect(fast, context).toBe(answers[2])
    }
    expect(fastPaths).toBeGreaterThan(100)
  })

  it('gives the same text on the fast path as on the exact one', () => {
    const decimal = fc
      .tuple(fc.integer({ min: -40_000_000, max: 40_000_000 }), fc.nat(14))
      .map(([value, decimals]) => (value / 10 ** decimals).toFixed(decimals))
    const whole = fc.maxSafeInteger().map(String)
    let fastPaths = 0
    fc.assert(
      fc.property(fc.oneof(decimal, whole), fc.oneof(decimal, whole), (x, y) => {
        const a = Buffer.from(x)
        const b = Buffer.from(y)
        const fast = addFloatText(a, 0, a.length, b, 0, b.length)
        if (fast === null) return
        fastPaths++
        expect(fast).toBe(longDoubleHumanText(addLongDouble(parse(x)!, parse(y)!)))
      }),
      { numRuns: 3000 },
    )
    expect(fastPaths).toBeGreaterThan(300)
  })

  it('leaves to the exact path what plain numbers could get wrong', () => {
    const fast = (x: string, y: string) => addFloatText(Buffer.from(x), 0, x.length, Buffer.from(y), 0, y.length)
    expect(fast('1.5', '1.5')).toBe('3')
    expect(fast('-0', '0')).toBe('0')
    expect(fast('0.1', '0.2')).toBe('0.3')
    for (const odd of [
      '',
      '-',
      '.',
      '.5',
      '5.',
      '1e3',
      '+1',
      ' 1',
      '1 ',
      'inf',
      '0x1',
      '1.2.3',
      '--1',
      '32.5',
      '1234567890123456',
    ])
      expect(fast(odd, '0.5'), odd).toBeNull()
  })

  it('knows infinities, and the NaN that two of them make', () => {
    const inf = parse('inf')!
    const minus = parse('-inf')!
    expect(isFiniteLongDouble(inf)).toBe(false)
    expect(isFiniteLongDouble(addLongDouble(inf, minus))).toBe(false)
    expect(longDoubleHumanText(addLongDouble(inf, minus))).toBe('-nan')
    expect(longDoubleHumanText(addLongDouble(minus, parse('1')!))).toBe('-inf')
    const largest = parse('1.18973149535723176502e4932')!
    expect(isFiniteLongDouble(largest)).toBe(true)
    expect(isFiniteLongDouble(addLongDouble(largest, largest))).toBe(false)
    expect(isFiniteLongDouble(addLongDouble(largest, parse('1')!))).toBe(true)
  })

  it('takes integers as they are', () => {
    for (const value of [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)])
      expect(longDoubleHumanText(parse(String(value))!)).toBe(String(value))
  })

  it('adds either way round', () => {
    const any = fc.tuple(
      fc.bigInt({ min: -(2n ** 64n) + 1n, max: 2n ** 64n - 1n }),
      fc.integer({ min: -200, max: 200 }),
    )
    const make = ([mantissa, exponent]: [bigint, number]): LongDouble => ({
      negative: mantissa < 0n,
      mantissa: mantissa < 0n ? -mantissa : mantissa,
      exponent,
    })
    fc.assert(
      fc.property(any, any, (x, y) => {
        expect(longDoubleHumanText(addLongDouble(make(x), make(y)))).toBe(
          longDoubleHumanText(addLongDouble(make(y), make(x))),
        )
      }),
    )
  })
})
