import { describe, expect, test } from 'vitest'
import {
  bytesOf,
  cString,
  formatFloating,
  formatMemory,
  lowerAscii,
  parseFloating,
  parseLooseInteger,
  parseMemory,
  parseOctal,
  parseStrictInteger,
  quote,
  splitLine,
  textOf,
} from '../../../../src/server/config/text.ts'
import fc from '../../../support/property.ts'

const byteString = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'))

test('text and byte strings', () => {
  expect(bytesOf('café')).toBe('caf\xc3\xa9')
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => textOf(bytesOf(text)) === text))
  expect(lowerAscii('MAX-É\xc9')).toBe('max-É\xc9')
  expect([cString('a\0b'), cString('ab')]).toEqual(['a', 'ab'])
})

test('a quoted value is read back unchanged, whatever its bytes', () => {
  fc.assert(
    fc.property(byteString, byteString, (a, b) => {
      expect(splitLine(`name ${quote(a)} ${quote(b)}`)).toEqual(['name', a, b])
    }),
  )
})

test.each([
  ['0', 0n],
  ['-1', -1n],
  ['9223372036854775807', 9223372036854775807n],
  ['-9223372036854775808', -9223372036854775808n],
  ['9223372036854775808', null],
  ['-9223372036854775809', null],
  ['', null],
  ['-', null],
  ['-0', null],
  ['01', null],
  ['+1', null],
  [' 1', null],
  ['1\0', null],
  ['100000000000000000000', null],
])('strict integer %j', (text, expected) => {
  expect(parseStrictInteger(text)).toBe(expected)
})

test.each([
  ['', 0n],
  [' \t\v+12', 12n],
  ['-007', -7n],
  ['12 ', null],
  ['1x', null],
  ['12\0x', 12n],
  ['99999999999999999999', 9223372036854775807n],
  ['-99999999999999999999', -9223372036854775808n],
])('loose integer %j', (text, expected) => {
  expect(parseLooseInteger(text)).toBe(expected)
})

test.each([
  ['755', 0o755n],
  ['0755', 0o755n],
  ['8', null],
  ['', 0n],
  ['-1', -1n],
  ['1777777777777777777777', null],
])('octal %j', (text, expected) => {
  expect(parseOctal(text)).toBe(expected)
})

describe('memory', () => {
  test.each([
    ['1', 1n],
    ['2B', 2n],
    ['1k', 1000n],
    ['1Kb', 1024n],
    ['3m', 3_000_000n],
    ['3MB', 3n << 20n],
    ['1g', 1_000_000_000n],
    ['1gB', 1n << 30n],
    ['', 0n],
    ['kb', 0n],
    ['-1', null],
    ['1tb', null],
    ['1 kb', null],
    ['1.5gb', null],
    ['constructor', null],
    ['18446744073709551616', 18446744073709551615n],
    ['17179869184gb', 0n],
    ['9'.repeat(127), 18446744073709551615n],
    ['9'.repeat(128), null],
  ])('%j', (text, expected) => {
    expect(parseMemory(text)).toBe(expected)
  })

  test('the shortest form is read back', () => {
    fc.assert(fc.property(fc.bigInt(0n, (1n << 63n) - 1n), (bytes) => parseMemory(formatMemory(bytes)) === bytes))
    expect([0n, 1023n, 1024n, 1536n << 10n, 3n << 30n].map(formatMemory)).toEqual(['0', '1023', '1kb', '1536kb', '3gb'])
  })
})

test('floating point numbers', () => {
  expect(['50', '99.90', '.5', '5.', '1e1', '0x1.8p1', '-0'].map(parseFloating)).toEqual([50, 99.9, 0.5, 5, 10, 3, -0])
  expect(['', ' 1', '1 ', 'x', 'nan', '1e400', '1e-400', '0x', '1,5'].map(parseFloating)).toEqual(Array(9).fill(null))
  expect([parseFloating('inf'), parseFloating('-INFINITY')]).toEqual([Infinity, -Infinity])
  expect([100, 99.9, 0.25, 12.3456789, 0, -0].map(formatFloating)).toEqual([
    '100',
    '99.9',
    '0.25',
    '12.345679',
    '0',
    '-0',
  ])
})
