/**
 * The request parser and the inbox under random input: however a valid stream is cut, the same requests come out; and
 * bytes without any meaning end in an error or in waiting, never in an exception, never in another client's request.
 * The seed is printed; O7_SEED repeats a run.
 */
import { describe, expect } from 'vitest'
import type { Argv } from '../../src/base/argv.ts'
import type { Random } from '../../src/base/random.ts'
import { defineCommand } from '../../src/engine/command.ts'
import { FAST } from '../../src/engine/flags.ts'
import { INCOMPLETE, RequestParser } from '../../src/resp/request-parser.ts'
import { oneOf, seededTest } from '../model/seeded.ts'
import { createTestEngine, TestClient } from '../support/engine.ts'

/** Replies with the lengths and a checksum of all its arguments. */
const digest = defineCommand({
  name: 'DIGEST',
  arity: -1,
  flags: FAST,
  doc: { group: 'test', since: '1.0.0', summary: 'Says what it was given.' },
  run(_ctx, argv, reply) {
    reply.bulkLatin1(digestOf(wordsOf(argv)))
  },
})

function wordsOf(argv: Argv): Buffer[] {
  return Array.from({ length: argv.count }, (_, i) => Buffer.from(argv.view(i)))
}

function digestOf(words: readonly Buffer[]): string {
  return words
    .map((word) => {
      let sum = 7
      for (const byte of word) sum = (Math.imul(sum, 31) + byte) | 0
      return `${word.length}:${sum}`
    })
    .join(' ')
}

const PIECES_MAX = 2000
const LENGTHS = [0, 1, 2, 9, 10, 99, 100, 999, 1000]
const LARGE_LENGTHS = [5000, 16_384, 40_000, 65_536, 300_000]

function randomWord(random: Random): Buffer {
  const length = oneOf(random, random.below(10) === 0 ? LARGE_LENGTHS : LENGTHS)
  const word = Buffer.alloc(length)
  const noise = random.below(2) === 0
  for (let i = 0; i < length; i++) word[i] = noise ? random.below(256) : oneOf(random, [13, 10, 36, 42, 48, 49, 0, 65])
  return word
}

interface Request {
  readonly bytes: Buffer
  /** Null for what is no request at all. */
  readonly words: readonly Buffer[] | null
}

function randomRequest(random: Random): Request {
  const kind = random.below(10)
  if (kind === 0)
    return { bytes: Buffer.from(oneOf(random, ['\r\n', '\n', '*0\r\n', '*-1\r\n', '  \r\n'])), words: null }
  if (kind === 1) {
    const count = random.below(4)
    const words: Buffer[] = [Buffer.from('digest')]
    for (let i = 0; i < count; i++) words.push(Buffer.from(String(random.below(1e9))))
    const line = words.map(String).join(' '.repeat(1 + random.below(3)))
    return { bytes: Buffer.from(line + oneOf(random, ['\r\n', '\n'])), words }
  }
  const words: Buffer[] = [Buffer.from('DIGEST')]
  const count = random.below(20) === 0 ? 200 : random.below(6)
  for (let i = 0; i < count; i++) words.push(randomWord(random))
  const parts = words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, Buffer.from('\r\n')])
  return { bytes: Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]), words }
}

function* cut(random: Random, stream: Buffer<ArrayBufferLike>): Generator<Uint8Array> {
  const sizes = oneOf(random, [[1], [1, 2, 3], [10, 100, 1000], [1, 1000, 16_384], [65_536], [stream.length]])
  // Large streams are cut small only now and then, or a run would take minutes.
  const sizeMin = Math.ceil(stream.length / PIECES_MAX)
  for (let at = 0; at < stream.length; ) {
    const size = 1 + random.below(Math.max(oneOf(random, sizes), random.below(50) === 0 ? 1 : sizeMin))
    yield stream.subarray(at, at + size)
    at += size
  }
}

describe('request parser', () => {
  seededTest('a stream gives the same requests however it is cut', 12, (random) => {
    const { engine } = createTestEngine([digest])
    const requests = Array.from({ length: 30 }, () => randomRequest(random))
    const stream = Buffer.concat(requests.map(({ bytes }) => bytes))
    const expected = requests
      .filter(({ words }) => words !== null)
      .map(({ words }) => digestOf(words!))
      .map((text) => `$${text.length}\r\n${text}\r\n`)
      .join('')
    // Two clients at once, whose pieces come in turns through the same buffer.
    const clients = [new TestClient(engine), new TestClient(engine)]
    const pieces = clients.map(() => cut(random, stream))
    const received = clients.map(() => '')
    const shared = Buffer.alloc(65_536 + 1)
    for (;;) {
      const who = random.below(clients.length)
      const piece = pieces[who]!.next()
      if (piece.done === true) break
      const bytes = piece.value.length <= shared.length ? shared : Buffer.alloc(piece.value.length)
      bytes.set(piece.value)
      engine.receive(clients[who]!.session, bytes, piece.value.length)
      received[who] += clients[who]!.sink.take()
      shared.fill(0x24)
    }
    for (const [who, client] of clients.entries()) {
      for (const left of pieces[who]!) received[who] += client.sendRaw(left)
      expect(received[who] === expected).toBe(true)
      expect(client.session.inbox).toBe(null)
      expect(client.sink.closed).toBe(false)
    }
  })

  seededTest('random bytes end in an error or in waiting', 300, (random) => {
    const { engine } = createTestEngine([digest])
    const alphabet = oneOf(random, ['\r\n$*0123456789', '\r\n$*-+ "\'\\x\0', '*1\r\n$4\r\nDIGEST', ''])
    const bytes = Buffer.alloc(random.below(3000))
    for (let i = 0; i < bytes.length; i++) {
      bytes[i] = alphabet === '' ? random.below(256) : alphabet.charCodeAt(random.below(alphabet.length))
    }
    const client = new TestClient(engine)
    const whole = client.sendRaw(bytes)
    const other = new TestClient(engine)
    let pieces = ''
    for (const piece of cut(random, bytes)) {
      if (other.sink.closed) break
      pieces += other.sendRaw(piece)
    }
    expect(pieces).toBe(whole)
    expect(other.sink.closed).toBe(client.sink.closed)
    expect(client.sink.closed).toBe(/-ERR Protocol error: [^\r]+\r\n$/.test(whole))
    expect(new TestClient(engine).send('DIGEST')).toBe(digestReply())
  })

  seededTest('a valid request with one byte changed', 300, (random) => {
    const { bytes } = randomRequest(random)
    const changed = Buffer.from(bytes)
    changed[random.below(changed.length)] = random.below(256)
    const parser = new RequestParser({ bulkBytesMax: 512 * 1024 * 1024 })
    let guard = 0
    while (parser.position < changed.length && guard++ < changed.length + 1) {
      const before = parser.position
      const status = parser.parse(changed, changed.length)
      if (status === INCOMPLETE || status < 0) return
      for (let i = 0; i < parser.argv.count; i++) {
        const end = parser.argv.starts[i]! + parser.argv.lengths[i]!
        expect(end).toBeLessThanOrEqual(parser.argv.bytes.length)
      }
      expect(parser.position).toBeGreaterThan(before)
    }
  })
})

function digestReply(): string {
  const text = digestOf([Buffer.from('DIGEST')])
  return `$${text.length}\r\n${text}\r\n`
}
