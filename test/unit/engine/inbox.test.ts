import { expect, test } from 'vitest'
import { Inbox } from '../../../src/engine/session.ts'
import { COMPLETE, INCOMPLETE, RequestParser } from '../../../src/resp/request-parser.ts'

const LIMITS = { bulkBytesMax: 512 * 1024 * 1024 }
const INITIAL_BYTES = 16 * 1024

function newInbox(): Inbox {
  return new Inbox(new RequestParser(LIMITS), INITIAL_BYTES)
}

function add(inbox: Inbox, text: string): void {
  const bytes = Buffer.from(text, 'latin1')
  expect(inbox.append(bytes, 0, bytes.length)).toBe(true)
}

function next(inbox: Inbox): string[] | null {
  const status = inbox.parser.parse(inbox.bytes, inbox.end)
  if (status === INCOMPLETE) return null
  expect(status).toBe(COMPLETE)
  return Array.from({ length: inbox.parser.argv.count }, (_, i) => inbox.parser.argv.latin1(i))
}

test('a stream of requests goes through a buffer of the first size', () => {
  const inbox = newInbox()
  for (let i = 0; i < 2000; i++) {
    add(inbox, `*2\r\n$4\r\nECHO\r\n$6\r\n${String(i).padStart(6, '0')}`)
    expect(next(inbox)).toBe(null)
    add(inbox, '\r\nPING\r\n*1\r')
    expect(next(inbox)).toEqual(['ECHO', String(i).padStart(6, '0')])
    expect(next(inbox)).toEqual(['PING'])
    expect(next(inbox)).toBe(null)
    add(inbox, '\n$1\r\nx\r\n')
    expect(next(inbox)).toEqual(['x'])
  }
  expect(inbox.unreadBytes).toBe(0)
  expect(inbox.bytes.length).toBe(INITIAL_BYTES)
})

test('large batches that end within a request go through one buffer, also after it has been shrunk', () => {
  const request = '*2\r\n$4\r\nECHO\r\n$6\r\n123456\r\n'
  const stream = Buffer.from(request.repeat(3000), 'latin1')
  const batchBytes = 64 * 1024
  const inbox = newInbox()
  const buffers = new Set<Uint8Array>()
  let executed = 0
  for (let sent = 0; sent + batchBytes <= 40 * batchBytes; sent += batchBytes) {
    // The stream repeats itself, wherever in a request a batch begins.
    const from = sent % request.length
    expect(inbox.append(stream, from, from + batchBytes)).toBe(true)
    while (next(inbox) !== null) executed++
    expect(inbox.unreadBytes).toBeLessThan(request.length)
    buffers.add(inbox.bytes)
    if (sent === 10 * batchBytes) inbox.shrink(batchBytes)
  }
  expect(executed).toBe(Math.floor((40 * batchBytes) / request.length))
  expect(buffers.size).toBeLessThanOrEqual(3)
  expect(inbox.bytes.length).toBeLessThan(batchBytes * 1.5)
})

test('an argument of known length is collected in a buffer of that length, and copied seldom', () => {
  const inbox = newInbox()
  const size = 64 * 1024 * 1024
  add(inbox, `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${size}\r\n`)
  const piece = Buffer.alloc(64 * 1024, 'v')
  const capacities = new Set<number>()
  for (let sent = 0; sent < size; sent += piece.length) {
    expect(next(inbox)).toBe(null)
    expect(inbox.append(piece, 0, piece.length)).toBe(true)
    capacities.add(inbox.bytes.length)
    // Silence at any point leaves a multiple of what was sent, not what was announced.
    expect(inbox.bytes.length).toBeLessThanOrEqual(Math.max(INITIAL_BYTES, (sent + piece.length) * 8 + 1024))
  }
  add(inbox, '\r\n')
  expect(next(inbox)!.map((word) => word.length)).toEqual([3, 1, size])
  expect(capacities.size).toBeLessThan(8)
  expect(inbox.bytes.length).toBeLessThan(size + 1024)
})

test('a request of many arguments grows the buffer by doubling', () => {
  const inbox = newInbox()
  const count = 300_000
  add(inbox, `*${count}\r\n`)
  const piece = '$10\r\n0123456789\r\n'.repeat(100)
  const capacities = new Set<number>()
  for (let i = 0; i < count; i += 100) {
    expect(next(inbox)).toBe(null)
    add(inbox, piece)
    capacities.add(inbox.bytes.length)
  }
  const words = next(inbox)!
  expect(words.length).toBe(count)
  expect(new Set(words)).toEqual(new Set(['0123456789']))
  expect(capacities.size).toBeLessThan(12)
})

test('what is kept survives shrinking, at every stage of a request', () => {
  const request = '*3\r\n$3\r\nSET\r\n$5\r\nhello\r\n$5\r\nworld\r\n'
  for (let cut = 1; cut < request.length; cut++) {
    const inbox = newInbox()
    add(inbox, `PING\r\n${request.slice(0, cut)}`)
    expect(next(inbox)).toEqual(['PING'])
    expect(next(inbox)).toBe(null)
    inbox.shrink(0)
    expect(inbox.bytes.length).toBeLessThanOrEqual(cut)
    expect(next(inbox)).toBe(null)
    add(inbox, request.slice(cut))
    expect(next(inbox), `cut at ${cut}`).toEqual(['SET', 'hello', 'world'])
    inbox.clear()
    add(inbox, request)
    expect(next(inbox)).toEqual(['SET', 'hello', 'world'])
  }
})

test('what the last request left behind does not hold its bytes', () => {
  const inbox = newInbox()
  // The first argument of this request lies far in front.
  add(inbox, '*1\r\n$4\r\nPING\r\n')
  expect(next(inbox)).toEqual(['PING'])
  add(inbox, `${'PING\r\n'.repeat(2000)}*2\r\n`)
  for (let i = 0; i < 2000; i++) next(inbox)
  expect(next(inbox)).toBe(null)
  add(inbox, '$4\r\nECHO\r\n$6000\r\n')
  expect(next(inbox)).toBe(null)
  add(inbox, 'x'.repeat(6000))
  expect(inbox.bytes.length).toBe(INITIAL_BYTES)
  add(inbox, '\r\n')
  expect(next(inbox)).toEqual(['ECHO', 'x'.repeat(6000)])
})

test('the room for a large argument is made when it is announced, up to a size', () => {
  const announced = (size: number) => {
    const inbox = newInbox()
    add(inbox, `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${size}\r\nabc`)
    expect(next(inbox)).toBe(null)
    inbox.prepare()
    add(inbox, `${'v'.repeat(size - 3)}\r\n`)
    const { length } = inbox.bytes
    expect(next(inbox)).toEqual(['SET', 'k', `abc${'v'.repeat(size - 3)}`])
    return length
  }
  expect(announced(1000)).toBe(INITIAL_BYTES)
  for (const size of [40_000, 200_000, 1_000_000]) {
    const inbox = newInbox()
    add(inbox, `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${size}\r\nabc`)
    expect(next(inbox)).toBe(null)
    inbox.prepare()
    const { length } = inbox.bytes
    expect(length).toBeGreaterThanOrEqual(size)
    expect(length).toBeLessThan(size + 1024)
    expect(announced(size)).toBe(length)
  }
  const inbox = newInbox()
  add(inbox, '*2\r\n$3\r\nGET\r\n$100000000\r\nabc')
  expect(next(inbox)).toBe(null)
  inbox.prepare()
  expect(inbox.bytes.length).toBe(INITIAL_BYTES)
})
