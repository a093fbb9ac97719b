import { describe, expect, test } from 'vitest'
import { copyBytes, zeroBytes } from '../../../src/base/copy-bytes.ts'

const LENGTHS = [0, 1, 7, 95, 96, 97, 255, 256, 257, 383, 384, 385, 1000, 4096, 70_001]
const ROOM = 70_100

function make(kind: string): Uint8Array {
  const bytes = new Uint8Array(kind === 'shared' ? new SharedArrayBuffer(ROOM) : new ArrayBuffer(ROOM))
  for (let i = 0; i < ROOM; i++) bytes[i] = (i * 31 + (i >>> 8)) & 0xff
  return bytes
}

describe.each([
  ['shared', 'plain'],
  ['plain', 'shared'],
  ['shared', 'shared'],
  ['plain', 'plain'],
])('from %s to %s memory', (fromKind, toKind) => {
  test.each(LENGTHS)('copies %i bytes and no more', (length) => {
    for (const [fromAt, toAt] of [
      [0, 0],
      [3, 8],
      [5, 2],
      [8, 16],
    ] as const) {
      const from = make(fromKind)
      const to = make(toKind).map((byte) => byte ^ 0xff)
      const expected = Buffer.from(to)
      for (let i = 0; i < length; i++) expected[toAt + i] = from[fromAt + i]!
      copyBytes(from, fromAt, to, toAt, length)
      expect(expected.equals(to)).toBe(true)
    }
  })
})

test('copies between far ends of one buffer', () => {
  const bytes = make('shared')
  const expected = Buffer.from(bytes)
  for (let i = 0; i < 20_000; i++) expected[40_003 + i] = expected[5 + i]!
  copyBytes(bytes, 5, bytes, 40_003, 20_000)
  expect(expected.equals(bytes)).toBe(true)
})

test.each(['shared', 'plain'])('zeroes %s memory and no more', (kind) => {
  for (const length of LENGTHS) {
    for (const at of [0, 3, 8]) {
      const bytes = make(kind)
      const expected = Buffer.from(bytes)
      for (let i = 0; i < length; i++) expected[at + i] = 0
      zeroBytes(bytes, at, length)
      expect(expected.equals(bytes)).toBe(true)
    }
  }
})
