import { describe, expect, it } from 'vitest'
import {
  INT64_MAX,
  INT64_MIN,
  intTextLength,
  isInt64,
  parseInt64,
  parseMemorySize,
  parseSafeInt,
  parseUint64,
  strtoll,
  strtoull,
  UINT64_MAX,
  writeInt,
  writeInt64,
  writeUint,
} from '../../../src/base/int64-text.ts'
import fc from '../../support/property.ts'

const bytes = (text: string) => Buffer.from(`<${text}>`, 'latin1')
const onRange =
  <T>(read: (buf: Uint8Array, start: number, end: number) => T) =>
  (text: string): T => {
    const buf = bytes(text)
    return read(buf, 1, buf.length - 1)
  }
const is = onRange(isInt64)
const safe = onRange(parseSafeInt)
const big = onRange(parseInt64)
const unsigned = onRange(parseUint64)

/** The definition, in the plainest terms. */
function canonical(text: string): bigint | null {
  if (!/^(0|-?[1-9][0-9]*)$/.test(text)) return null
  const value = BigInt(text)
  return value > INT64_MAX || value < INT64_MIN ? null : value
}

const integerText = fc.oneof(
  fc.bigInt({ min: INT64_MIN - 20n, max: INT64_MAX + 20n }).map(String),
  fc.bigInt({ min: INT64_MAX - 30n, max: INT64_MAX + 30n }).map(String),
  fc.bigInt({ min: INT64_MIN - 30n, max: INT64_MIN + 30n }).map(String),
  fc.bigInt({ min: 2n ** 53n - 30n, max: 2n ** 53n + 30n }).map(String),
  fc.maxSafeInteger().map(String),
  fc.integer({ min: -1000, max: 1000 }).map(String),
  fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n }).map(String),
)
const almostIntegerText = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'-+0123456789 .x'), maxLength: 22 }),
  integerText.map((text) => `0${text}`),
  integerText.map((text) => `+${text}`),
  integerText.map((text) => `${text} `),
  fc.tuple(integerText, fc.nat(20), fc.constantFrom('/', ':', 'a', '\0', '-')).map(([text, at, odd]) => {
    const cut = at % text.length
    return text.slice(0, cut) + odd + text.slice(cut + 1)
  }),
)

describe('canonical int64 text', () => {
  it('agrees with the definition on every text', () => {
    fc.assert(
      fc.property(fc.oneof(integerText, almostIntegerText), (text) => {
        const value = canonical(text)
        expect(is(text)).toBe(value !== null)
        expect(big(text)).toBe(value)
        const fits = value !== null && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
        expect(safe(text)).toBe(fits ? Number(value) : Number.NaN)
      }),
      { numRuns: 5000 },
    )
  })

  it.each(['', '-', '-0', '00', '01', '-01', '+1', ' 1', '1 ', '1.0', '9223372036854775808', '-9223372036854775809'])(
    'refuses %j',
    (text) => {
      expect(is(text)).toBe(false)
      expect(safe(text)).toBeNaN()
      expect(big(text)).toBeNull()
    },
  )

  it('takes the ends of the range, and zero is not minus zero', () => {
    expect(big('9223372036854775807')).toBe(INT64_MAX)
    expect(big('-9223372036854775808')).toBe(INT64_MIN)
    expect(Object.is(safe('0'), 0)).toBe(true)
    expect(safe('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER)
    expect(safe('9007199254740993')).toBeNaN()
  })

  it('does not look outside the range it is given', () => {
    const buf = Buffer.from('123456')
    expect(parseSafeInt(buf, 2, 4)).toBe(34)
    expect(parseSafeInt(buf, 3, 3)).toBeNaN()
    expect(parseSafeInt(Buffer.from('-5'), 0, 1)).toBeNaN()
    expect(isInt64(Buffer.from('-5'), 0, 1)).toBe(false)
  })
})

describe('unsigned and lenient readers', () => {
  // Every answer below is what a C program printed for string2ull over glibc's strtoull.
  it.each<[string, bigint | null]>([
    ['0', 0n],
    ['18446744073709551615', UINT64_MAX],
    ['18446744073709551616', null],
    ['-1', null],
    [' -1', UINT64_MAX],
    ['+7', 7n],
    ['007', 7n],
    ['', null],
    [' ', null],
    ['+', null],
    ['7a', null],
    ['7\0a', 7n],
    ['-18446744073709551615', 1n],
    ['-18446744073709551616', null],
  ])('string2ull %j', (text, value) => {
    expect(unsigned(text)).toBe(value)
  })

  const read = (text: string, base?: number) => {
    const buf = Buffer.from(text, 'latin1')
    return [strtoll(buf, 0, buf.length, base), strtoull(buf, 0, buf.length, base)] as const
  }

  it('stops where C stops', () => {
    expect(read('12ab')[0]).toEqual({ value: 12n, end: 2, outOfRange: false })
    expect(read('\t\n -0012')[0]).toEqual({ value: -12n, end: 8, outOfRange: false })
    expect(read('abc')[0]).toEqual({ value: 0n, end: 0, outOfRange: false })
    expect(read('- 1')[0]).toEqual({ value: 0n, end: 0, outOfRange: false })
    expect(read('770', 8)[0].value).toBe(0o770n)
    expect(read('788', 8)[0]).toEqual({ value: 7n, end: 1, outOfRange: false })
    expect(read('0x1Fg', 16)[0]).toEqual({ value: 31n, end: 4, outOfRange: false })
    expect(read('0xg', 16)[0]).toEqual({ value: 0n, end: 1, outOfRange: false })
    expect(read('0x10', 0)[0].value).toBe(16n)
    expect(read('010', 0)[0].value).toBe(8n)
    expect(read('0', 0)[0]).toEqual({ value: 0n, end: 1, outOfRange: false })
    expect(read('99999999999999999999x')[0]).toEqual({ value: INT64_MAX, end: 20, outOfRange: true })
    expect(read('-99999999999999999999')[0]).toEqual({ value: INT64_MIN, end: 21, outOfRange: true })
    expect(read('-99999999999999999999')[1]).toEqual({ value: UINT64_MAX, end: 21, outOfRange: true })
    expect(read('-9223372036854775808')[0].outOfRange).toBe(false)
  })

  it.each<[string, bigint | null]>([
    ['0', 0n],
    ['1b', 1n],
    ['1k', 1000n],
    ['1KB', 1024n],
    ['1m', 1_000_000n],
    ['1Mb', 1_048_576n],
    ['1g', 1_000_000_000n],
    ['2gB', 2_147_483_648n],
    ['', 0n],
    ['gb', 0n],
    ['-1', null],
    ['1t', null],
    ['1 gb', null],
    ['1.5gb', null],
    ['99999999999999999999', UINT64_MAX],
    ['18446744073709551615k', UINT64_MAX - 999n],
    ['1'.repeat(128), null],
    ['1'.repeat(127), UINT64_MAX],
    ['5mb\0x', 5_242_880n],
  ])('memtoull %j', (text, value) => {
    expect(parseMemorySize(text)).toBe(value)
  })
})

describe('writers', () => {
  it('write what String() prints, at the place they are told', () => {
    const out = Buffer.alloc(40)
    fc.assert(
      fc.property(
        fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.integer({ min: -2000, max: 2000 })),
        fc.nat(10),
        (value, at) => {
          out.fill(0x2e)
          const text = String(value)
          expect(writeInt(out, at, value)).toBe(at + text.length)
          expect(out.toString('latin1')).toBe('.'.repeat(at) + text + '.'.repeat(40 - at - text.length))
          expect(intTextLength(value)).toBe(text.length)
          expect(writeUint(out, 0, Math.abs(value))).toBe(String(Math.abs(value)).length)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('write every power of ten and its neighbours', () => {
    const out = Buffer.alloc(24)
    for (let power = 1; power < Number.MAX_SAFE_INTEGER; power *= 10)
      for (const value of [power - 1, power, power + 1, -power, 1 - power])
        expect(out.toString('latin1', 0, writeInt(out, 0, value))).toBe(String(value === 0 ? 0 : value))
  })

  it('write int64 and uint64', () => {
    const out = Buffer.alloc(24)
    fc.assert(
      fc.property(fc.bigInt({ min: INT64_MIN, max: UINT64_MAX }), (value) => {
        expect(out.toString('latin1', 1, writeInt64(out, 1, value))).toBe(String(value))
      }),
    )
  })
})
