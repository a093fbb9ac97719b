import { describe, expect, it } from 'vitest'
import { bytesToHuman, latin1Bytes, latin1Text } from '../../../src/base/byte-text.ts'
import fc from '../../support/property.ts'

const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
})

describe('Latin-1', () => {
  it('keeps every byte, in short and in long texts', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = latin1Bytes(text)
        expect(latin1Text(bytes, 0, bytes.length)).toBe(text)
        const within = Buffer.concat([Buffer.from('<'), bytes, Buffer.from('>')])
        expect(latin1Text(within, 1, 1 + bytes.length)).toBe(text)
        expect(latin1Text(new Uint8Array(within.buffer, within.byteOffset + 1, bytes.length), 0, bytes.length)).toBe(
          text,
        )
      }),
    )
  })
})

describe('bytesToHuman', () => {
  it.each([
    [0, '0B'],
    [1023, '1023B'],
    [1024, '1.00K'],
    [1_048_575, '1024.00K'],
    [1_048_576, '1.00M'],
    [1_572_864, '1.50M'],
    // 1.125 and 1.375 are ties: to even.
    [1152, '1.12K'],
    [1408, '1.38K'],
    [1_073_741_824, '1.00G'],
    [2 ** 40, '1.00T'],
    [2 ** 50, '1.00P'],
    [2 ** 53 - 1, '8.00P'],
    [2 ** 60, '1152921504606846976B'],
  ])('%d is %s', (sizeBytes, text) => {
    expect(bytesToHuman(sizeBytes)).toBe(text)
  })
})
