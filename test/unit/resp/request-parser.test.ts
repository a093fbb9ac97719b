import { describe, expect, test } from 'vitest'
import { COMPLETE, INCOMPLETE, PROTOCOL_ERROR, RequestParser } from '../../../src/resp/request-parser.ts'

const LIMITS = { bulkBytesMax: 512 * 1024 * 1024 }

function parse(
  text: string,
  parser = new RequestParser(LIMITS),
): { status: number; words: string[]; position: number } {
  const bytes = Buffer.from(text, 'latin1')
  const status = parser.parse(bytes, bytes.length)
  const words = Array.from({ length: status === COMPLETE ? parser.argv.count : 0 }, (_, i) => parser.argv.latin1(i))
  return { status, words, position: parser.position }
}

describe('whole requests', () => {
  test.each([
    ['*2\r\n$3\r\nGET\r\n$1\r\nk\r\n', ['GET', 'k']],
    ['*1\r\n$0\r\n\r\n', ['']],
    ['*10\r\n' + '$1\r\na\r\n'.repeat(10), new Array<string>(10).fill('a')],
    [`*1\r\n$1000\r\n${'x'.repeat(1000)}\r\n`, ['x'.repeat(1000)]],
    [`*1\r\n$12345\r\n${'x'.repeat(12345)}\r\n`, ['x'.repeat(12345)]],
    ['*0\r\n', []],
    ['*-1\r\n', []],
    ['get k\r\n', ['get', 'k']],
    ['get k\n', ['get', 'k']],
    ['\r\n', []],
    ['  \t \r\n', []],
    [`set k 'a b' "c\\x00\\n"\r\n`, ['set', 'k', 'a b', 'c\0\n']],
  ])('%j', (request, words) => {
    const result = parse(`${request}*1\r\n`)
    expect(result).toEqual({ status: COMPLETE, words, position: request.length })
  })
})

test('arguments are offsets into the bytes that were given', () => {
  const parser = new RequestParser(LIMITS)
  const bytes = Buffer.from('*2\r\n$3\r\nGET\r\n$5\r\nhello\r\n')
  expect(parser.parse(bytes, bytes.length)).toBe(COMPLETE)
  expect(parser.argv.bytes).toBe(bytes)
  expect([...parser.argv.starts.slice(0, 2)]).toEqual([8, 17])
})

test('nothing beyond the end is looked at', () => {
  const bytes = Buffer.from('*2\r\n$3\r\nGET\r\n$1\r\nk\r\n')
  for (let end = 0; end < bytes.length; end++) {
    const parser = new RequestParser(LIMITS)
    expect(parser.parse(bytes, end), `cut at ${end}`).toBe(INCOMPLETE)
  }
})

test('an error leaves nothing of the request behind', () => {
  const parser = new RequestParser(LIMITS)
  for (const bad of ['*5\r\n$1\r\na\r\n$x\r\n', '*3\r\nfoo\r\n', '*x\r\n', '*2\r\n$1\r\na\r\n$536870913\r\n']) {
    parser.position = 0
    expect(parse(bad, parser).status).toBe(PROTOCOL_ERROR)
    expect(parser.isIdle).toBe(true)
    expect(parser.wantedBytes).toBe(0)
    parser.position = 0
    expect(parse('*1\r\n$4\r\nPING\r\n', parser)).toMatchObject({ status: COMPLETE, words: ['PING'] })
  }
})

test('a request continues after its bytes have moved', () => {
  const parser = new RequestParser(LIMITS)
  const lead = 'x'.repeat(100)
  const first = Buffer.from(`${lead}*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$10\r\n01234`)
  parser.position = lead.length
  expect(parser.parse(first, first.length)).toBe(INCOMPLETE)
  expect(parser.wantedBytes).toBe(12)
  const keepFrom = parser.argv.starts[0]!
  parser.shift(keepFrom)
  const moved = Buffer.concat([first.subarray(keepFrom), Buffer.from('56789\r\n')])
  expect(parser.parse(moved, moved.length)).toBe(COMPLETE)
  expect([0, 1, 2].map((i) => parser.argv.latin1(i))).toEqual(['SET', 'key', '0123456789'])
})

test('more arguments than there was room for', () => {
  const count = 100_000
  const { status, words } = parse(`*${count}\r\n${'$1\r\na\r\n'.repeat(count)}`)
  expect(status).toBe(COMPLETE)
  expect(words.length).toBe(count)
  expect(new Set(words)).toEqual(new Set(['a']))
})

test('a master sends arguments of any length', () => {
  const request = `*1\r\n$20001\r\n${'x'.repeat(20_001)}\r\n`
  const parser = new RequestParser({ bulkBytesMax: 20_000 })
  expect(parse(request, parser).status).toBe(PROTOCOL_ERROR)
  parser.position = 0
  parser.isMaster = true
  expect(parse(request, parser).status).toBe(COMPLETE)
})

test('what a stranger may send', () => {
  const status = (text: string): number => {
    const parser = new RequestParser(LIMITS)
    parser.unauthenticated = true
    return parse(text, parser).status
  }
  expect(status('*10\r\n')).toBe(INCOMPLETE)
  expect(status('*11\r\n')).toBe(PROTOCOL_ERROR)
  expect(status('*1\r\n$16384\r\n')).toBe(INCOMPLETE)
  expect(status('*1\r\n$16385\r\n')).toBe(PROTOCOL_ERROR)
})
