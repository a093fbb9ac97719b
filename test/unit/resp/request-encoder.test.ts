import { expect, test } from 'vitest'
import { Argv } from '../../../src/base/argv.ts'
import { encodeRequest, requestBytesMax, writeRequest } from '../../../src/resp/request-encoder.ts'

/** As a client would write it. */
function plain(parts: readonly Uint8Array[]): Buffer {
  const chunks = parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')])
  return Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...chunks])
}

test.each([1, 2, 9, 10, 11, 99, 100, 101, 1234])('%i arguments, with lengths of any number of digits', (count) => {
  const lengths = [0, 1, 9, 10, 99, 100, 999, 1000, 65_536]
  const parts = Array.from({ length: count }, (_, i) => Buffer.alloc(lengths[(i + count) % lengths.length]!, i))
  const argv = Argv.of(parts)
  const expected = plain(parts)
  expect(expected.equals(encodeRequest(argv))).toBe(true)
  expect(requestBytesMax(argv)).toBeGreaterThanOrEqual(expected.length)

  const out = new Uint8Array(7 + expected.length).fill(0x2e)
  expect(writeRequest(argv, out, 7)).toBe(out.length)
  expect(Buffer.from(out.subarray(0, 7)).toString()).toBe('.......')
  expect(expected.equals(out.subarray(7))).toBe(true)
})
