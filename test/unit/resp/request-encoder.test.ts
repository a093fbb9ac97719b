import { expect, test } from 'vitest'
import { Argv } from '../../../src/base/argv.ts'
import {
  encodeRequest,
  plainRequestBytes,
  plainRequestStart,
  requestBytes,
  writeRequest,
} from '../../../src/resp/request-encoder.ts'
import { COMPLETE, RequestParser } from '../../../src/resp/request-parser.ts'

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
  expect(requestBytes(argv)).toBe(expected.length)
  // These stand nowhere with their lengths before them.
  expect(plainRequestStart(argv)).toBe(-1)

  const out = new Uint8Array(7 + expected.length).fill(0x2e)
  expect(writeRequest(argv, out, 7)).toBe(out.length)
  expect(Buffer.from(out.subarray(0, 7)).toString()).toBe('.......')
  expect(expected.equals(out.subarray(7))).toBe(true)
})

function parsed(request: Buffer): Argv {
  const parser = new RequestParser({ bulkBytesMax: 512 * 1024 * 1024 })
  parser.position = 7
  const bytes = Buffer.concat([Buffer.from('.......'), request])
  expect(parser.parse(bytes, bytes.length)).toBe(COMPLETE)
  return parser.argv
}

test.each([1, 2, 9, 10, 11, 57, 99])('a request of %i arguments that came as it is written', (count) => {
  const lengths = [0, 1, 9, 10, 99, 100, 999, 1000, 65_536]
  const request = plain(
    Array.from({ length: count }, (_, i) => Buffer.alloc(lengths[(i + count) % lengths.length]!, i)),
  )
  const argv = parsed(request)
  expect(plainRequestStart(argv)).toBe(7)
  expect(plainRequestBytes(argv, 7)).toBe(request.length)
})

test.each([
  '*3\r.$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n',
  '*3\r\n$3\r.SET\r\n$1\r\nk\r\n$1\r\nv\r\n',
  '*3\r\n$3\r\nSET..$1\r\nk\r\n$1\r\nv\r\n',
  '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv..',
  'SET k v\r\n',
])('%j is read, but never handed on as it came', (request) => {
  const argv = parsed(Buffer.from(request))
  expect(plainRequestStart(argv)).toBe(-1)
  expect(Buffer.from(encodeRequest(argv)).toString()).toBe('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n')
})

test('fewer arguments than came are another request', () => {
  const argv = parsed(plain(['SET', 'k', 'v', 'NX'].map((part) => Buffer.from(part))))
  argv.count = 3
  expect(plainRequestStart(argv)).toBe(-1)
})
