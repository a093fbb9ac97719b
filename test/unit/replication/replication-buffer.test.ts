/** The stream to replicas, against a plain array of bytes. */
import { describe, expect, test } from 'vitest'
import { Argv } from '../../../src/base/argv.ts'
import { Random } from '../../../src/base/random.ts'
import { ReplicationBuffer } from '../../../src/replication/replication-buffer.ts'
import { RequestParser } from '../../../src/resp/request-parser.ts'

const BLOCK_BYTES = 16 * 1024

function wire(parts: readonly string[]): string {
  return `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`
}

function parsed(text: string): Argv {
  const bytes = Buffer.from(text, 'latin1')
  const parser = new RequestParser({ bulkBytesMax: 1 << 20 })
  expect(parser.parse(bytes, bytes.length)).toBe(1)
  return parser.argv
}

describe('commands', () => {
  const written = (argv: Argv) => {
    const buffer = new ReplicationBuffer(0, 1 << 20, [], () => true)
    buffer.appendCommand(argv)
    return Buffer.from(buffer.latest(1000)).toString('latin1')
  }

  test.each([[['PING']], [['SET', 'key', '']], [['SET', 'a', 'x'.repeat(120), 'EX', '1234567890']]])(
    '%j from a request and from parts',
    (parts) => {
      expect(written(Argv.of(parts))).toBe(wire(parts))
      expect(written(parsed(wire(parts)))).toBe(wire(parts))
    },
  )

  test.each([
    ['inline', 'set  a "b c"\r\n', ['set', 'a', 'b c']],
    ['a count with a zero in front', '*03\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n', ['SET', 'a', 'b']],
    ['a length with a zero in front', '*3\r\n$03\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n', ['SET', 'a', 'b']],
    ['a later length with a zero in front', '*3\r\n$3\r\nSET\r\n$01\r\na\r\n$1\r\nb\r\n', ['SET', 'a', 'b']],
  ])('a request in another form is written in its shortest: %s', (_name, request, parts) => {
    let argv: Argv
    try {
      argv = parsed(request)
    } catch {
      // Forms that the parser refuses need not be written.
      return
    }
    expect(written(argv)).toBe(wire(parts))
  })
})

test('what is kept, who reads, and what is given up, against a plain model', () => {
  const random = Random.fromSeed(7)
  const readers = new Set<{ position: number }>()
  const buffer = new ReplicationBuffer(100, BLOCK_BYTES, readers, () => false)
  let model = Buffer.alloc(0)
  for (let step = 0; step < 400; step++) {
    const choice = random.below(10)
    if (choice < 6) {
      const bytes = Buffer.alloc(random.below(step % 20 === 0 ? 60_000 : 900), random.below(256))
      const padded = Buffer.concat([Buffer.from('xx'), bytes])
      buffer.append(padded, 2, bytes.length)
      model = Buffer.concat([model, bytes])
    } else if (choice === 6 && readers.size < 4) readers.add({ position: buffer.end })
    else if (choice === 7) for (const reader of readers) if (random.below(3) === 0) readers.delete(reader)
    for (const reader of readers) {
      if (random.below(3) > 0) continue
      const piece = buffer.piece(reader.position, 1 + random.below(40_000))
      if (piece === null) {
        expect(reader.position).toBe(buffer.end)
        continue
      }
      const from = reader.position - 100
      expect(Buffer.compare(piece, model.subarray(from, from + piece.length))).toBe(0)
      reader.position += piece.length
    }
    buffer.trim()
    expect(buffer.end).toBe(100 + model.length)
    expect(buffer.length).toBe(buffer.end - buffer.start)
    for (const reader of readers) expect(buffer.start).toBeLessThanOrEqual(reader.position)
    // No more than a block is kept beyond what is needed, and no less.
    const least = Math.min(buffer.end, ...[...readers].map(({ position }) => position))
    expect(buffer.start).toBeGreaterThan(Math.min(least, buffer.end - buffer.backlogBytes) - 3 * BLOCK_BYTES)
    expect(buffer.length).toBeGreaterThanOrEqual(Math.min(model.length, buffer.backlogBytes))
    const latest = buffer.latest(500)
    expect(Buffer.compare(latest, model.subarray(model.length - latest.length))).toBe(0)
  }
  expect(buffer.start).toBeGreaterThan(100)
})

test('blocks are filled anew only when nothing of them waits on a socket', () => {
  for (const isQuiet of [true, false]) {
    const buffer = new ReplicationBuffer(0, BLOCK_BYTES, [], () => isQuiet)
    buffer.append(new Uint8Array(BLOCK_BYTES).fill(1), 0, BLOCK_BYTES)
    const first = buffer.piece(0, BLOCK_BYTES)!
    for (let i = 2; i < 6; i++) buffer.append(new Uint8Array(BLOCK_BYTES).fill(i), 0, BLOCK_BYTES)
    expect(buffer.start).toBeGreaterThan(0)
    expect(first[0] === 1, 'the old block still holds what it held').toBe(!isQuiet)
  }
})

test('counting on from another number moves everything alike', () => {
  const buffer = new ReplicationBuffer(0, 1 << 20, [], () => true)
  buffer.append(Buffer.from('abcdef'), 0, 6)
  buffer.rebase(1000)
  expect([buffer.start, buffer.end]).toEqual([1000, 1006])
  expect(Buffer.from(buffer.piece(1003, 10)!).toString()).toBe('def')
  buffer.append(Buffer.from('gh'), 0, 2)
  expect(Buffer.from(buffer.piece(1000, 10)!).toString()).toBe('abcdefgh')
})
