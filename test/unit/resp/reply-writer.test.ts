import { describe, expect, test } from 'vitest'
import { errorReply } from '../../../src/resp/errors.ts'
import { ReplyWriter } from '../../../src/resp/reply-writer.ts'
import { oneOf, seededTest } from '../../model/seeded.ts'

const BUFFER_BYTES = 64 * 1024

function written(protocol: number, write: (reply: ReplyWriter) => void): string {
  const reply = new ReplyWriter()
  reply.protocol = protocol
  write(reply)
  return text(reply)
}

function text(reply: ReplyWriter): string {
  const pending = reply.pendingBytes
  const bytes = Buffer.from(reply.takeBytes())
  expect(bytes.length).toBe(pending)
  expect(reply.pendingBytes).toBe(0)
  return bytes.toString('latin1')
}

describe('every type in RESP2 and RESP3', () => {
  const bytes = Buffer.from('xabcy')
  const cases: readonly (readonly [name: string, write: (reply: ReplyWriter) => void, resp2: string, resp3: string])[] =
    [
      ['ok', (r) => r.ok(), '+OK\r\n', '+OK\r\n'],
      ['status', (r) => r.status('QUEUED'), '+QUEUED\r\n', '+QUEUED\r\n'],
      ['error', (r) => r.error(errorReply('ERR no')), '-ERR no\r\n', '-ERR no\r\n'],
      ['errorText', (r) => r.errorText('WRONG a\r\nb\nc\r\n\r\n'), '-WRONG a  b c\r\n', '-WRONG a  b c\r\n'],
      ['integer 0', (r) => r.integer(0), ':0\r\n', ':0\r\n'],
      ['integer -1', (r) => r.integer(-1), ':-1\r\n', ':-1\r\n'],
      ['integer 2^31 - 1', (r) => r.integer(2147483647), ':2147483647\r\n', ':2147483647\r\n'],
      ['integer 2^31', (r) => r.integer(2147483648), ':2147483648\r\n', ':2147483648\r\n'],
      ['integer 2^53 - 1', (r) => r.integer(2 ** 53 - 1), ':9007199254740991\r\n', ':9007199254740991\r\n'],
      ['integer64', (r) => r.integer64(-(2n ** 63n)), ':-9223372036854775808\r\n', ':-9223372036854775808\r\n'],
      ['null', (r) => r.null(), '$-1\r\n', '_\r\n'],
      ['nullArray', (r) => r.nullArray(), '*-1\r\n', '_\r\n'],
      ['bulk', (r) => r.bulk(bytes, 1, 3), '$3\r\nabc\r\n', '$3\r\nabc\r\n'],
      ['empty bulk', (r) => r.bulk(bytes, 1, 0), '$0\r\n\r\n', '$0\r\n\r\n'],
      ['bulkText', (r) => r.bulkText('é'), '$2\r\n\xc3\xa9\r\n', '$2\r\n\xc3\xa9\r\n'],
      ['bulkLatin1', (r) => r.bulkLatin1('\xe9\0\r\n'), '$4\r\n\xe9\0\r\n\r\n', '$4\r\n\xe9\0\r\n\r\n'],
      ['bulkInteger', (r) => r.bulkInteger(-17), '$3\r\n-17\r\n', '$3\r\n-17\r\n'],
      ['array', (r) => r.array(3), '*3\r\n', '*3\r\n'],
      ['map', (r) => r.map(3), '*6\r\n', '%3\r\n'],
      ['set', (r) => r.set(3), '*3\r\n', '~3\r\n'],
      ['push', (r) => r.push(3), '*3\r\n', '>3\r\n'],
      ['attribute', (r) => r.attribute(1), '|1\r\n', '|1\r\n'],
      ['double', (r) => r.double(0.1), '$19\r\n0.10000000000000001\r\n', ',0.10000000000000001\r\n'],
      ['double inf', (r) => r.double(Number.POSITIVE_INFINITY), '$3\r\ninf\r\n', ',inf\r\n'],
      ['double -inf', (r) => r.double(Number.NEGATIVE_INFINITY), '$4\r\n-inf\r\n', ',-inf\r\n'],
      ['doubleFromText', (r) => r.doubleFromText('3.5'), '$3\r\n3.5\r\n', ',3.5\r\n'],
      ['boolean', (r) => r.boolean(true), ':1\r\n', '#t\r\n'],
      ['boolean false', (r) => r.boolean(false), ':0\r\n', '#f\r\n'],
      ['bigNumber', (r) => r.bigNumber('-123'), '$4\r\n-123\r\n', '(-123\r\n'],
      ['verbatim', (r) => r.verbatim('a\nb', 'txt'), '$3\r\na\nb\r\n', '=7\r\ntxt:a\nb\r\n'],
      ['statuses', (r) => r.statuses(['a', 'b']), '*2\r\n+a\r\n+b\r\n', '*2\r\n+a\r\n+b\r\n'],
      ['fillArray', (r) => r.fillArray(r.gap(), 2), '*2\r\n', '*2\r\n'],
      ['fillMap', (r) => r.fillMap(r.gap(), 2), '*4\r\n', '%2\r\n'],
      ['fillSet', (r) => r.fillSet(r.gap(), 2), '*2\r\n', '~2\r\n'],
      ['fillPush', (r) => r.fillPush(r.gap(), 2), '*2\r\n', '>2\r\n'],
    ]
  test.each(cases)('%s', (_name, write, resp2, resp3) => {
    expect(written(2, write)).toBe(resp2)
    expect(written(3, write)).toBe(resp3)
  })
})

test('bulk lengths around each number of digits', () => {
  for (const length of [9, 10, 99, 100, 999, 1000, 9999, 10_000, 99_999, 100_000, 1_000_000]) {
    const value = Buffer.alloc(length, 'v')
    expect(written(2, (reply) => reply.bulkBytes(value))).toBe(`$${length}\r\n${'v'.repeat(length)}\r\n`)
  }
})

test('errors are counted by their code', () => {
  const reply = new ReplyWriter()
  const codes: string[] = []
  reply.onError = (code) => codes.push(code)
  reply.error(errorReply('WRONGTYPE no'))
  reply.errorText('MYCODE and more')
  reply.errorText('wordwithoutanyspace')
  reply.errorText(`${'x'.repeat(40)} is no code`)
  reply.error(errorReply(`${'x'.repeat(40)} is no code`))
  reply.error(errorReply('NOSPACE'))
  expect(codes).toEqual(['WRONGTYPE', 'MYCODE', 'ERR', 'ERR', 'ERR', 'ERR'])
  expect(reply.errors).toBe(6)
})

test('a gap is filled after what comes behind it, within others, and behind full buffers', () => {
  const filler = Buffer.alloc(BUFFER_BYTES, 'f')
  for (const before of [0, 1, 1000, BUFFER_BYTES - 30, BUFFER_BYTES]) {
    const out = written(2, (reply) => {
      reply.raw(filler.subarray(0, before))
      const outer = reply.gap()
      reply.integer(1)
      const inner = reply.gap()
      reply.bulkBytes(filler)
      reply.fillArray(inner, 1)
      reply.fillMap(outer, 1)
      reply.ok()
    })
    expect(out).toBe(
      `${'f'.repeat(before)}*2\r\n:1\r\n*1\r\n$${BUFFER_BYTES}\r\n${'f'.repeat(BUFFER_BYTES)}\r\n+OK\r\n`,
    )
  }
})

describe('rollback', () => {
  test.each([0, 1, 100, BUFFER_BYTES / 2, BUFFER_BYTES - 1, BUFFER_BYTES])(
    'with %i bytes before the mark',
    (before) => {
      const lead = Buffer.alloc(before, 'b')
      for (const after of [0, 5, BUFFER_BYTES - before, BUFFER_BYTES, 5 * BUFFER_BYTES]) {
        const reply = new ReplyWriter()
        reply.raw(lead)
        const mark = reply.mark()
        reply.raw(Buffer.alloc(after, 'a'))
        reply.rollback(mark)
        expect(reply.pendingBytes).toBe(before)
        reply.ok()
        expect(text(reply)).toBe(`${'b'.repeat(before)}+OK\r\n`)
      }
    },
  )

  test('drops gaps, also those that were never filled', () => {
    const reply = new ReplyWriter()
    reply.ok()
    const mark = reply.mark()
    reply.fillArray(reply.gap(), 1)
    reply.gap()
    reply.integer(1)
    reply.rollback(mark)
    const gap = reply.gap()
    reply.integer(2)
    reply.fillArray(gap, 1)
    expect(text(reply)).toBe('+OK\r\n*1\r\n:2\r\n')
  })

  test('to a mark within a mark', () => {
    const reply = new ReplyWriter()
    reply.ok()
    const outer = reply.mark()
    reply.raw(Buffer.alloc(100_000, 'x'))
    const inner = reply.mark()
    reply.raw(Buffer.alloc(100_000, 'y'))
    reply.rollback(inner)
    reply.integer(3)
    reply.rollback(outer)
    reply.integer(4)
    expect(text(reply)).toBe('+OK\r\n:4\r\n')
  })
})

test('a large reply leaves no large buffer behind', () => {
  const reply = new ReplyWriter()
  const huge = Buffer.alloc(10 * 1024 * 1024, 'h')
  reply.raw(huge)
  expect(reply.takeBytes().length).toBe(huge.length)
  expect(reply.buffer.length).toBe(BUFFER_BYTES)
  reply.bulkBytes(huge)
  expect(Buffer.concat(reply.take()).length).toBe(huge.length + '$10485760\r\n\r\n'.length)
  expect(reply.buffer.length).toBe(BUFFER_BYTES)
  reply.raw(huge)
  reply.clear()
  expect(reply.buffer.length).toBe(BUFFER_BYTES)
  expect(reply.pendingBytes).toBe(0)
  // A sink that sent from the buffer itself says so by setting the position back.
  reply.raw(huge)
  reply.position = 0
  reply.shrink()
  expect(reply.buffer.length).toBe(BUFFER_BYTES)
})

test('many gaps make few chunks', () => {
  const reply = new ReplyWriter()
  for (let i = 0; i < 1000; i++) {
    const gap = reply.gap()
    reply.integer(i)
    reply.fillArray(gap, 1)
  }
  const chunks = reply.take()
  expect(chunks.length).toBe(1)
  expect(Buffer.concat(chunks).toString()).toBe(Array.from({ length: 1000 }, (_, i) => `*1\r\n:${i}\r\n`).join(''))
})

test('what was taken is not written into any more', () => {
  const reply = new ReplyWriter()
  const taken: string[] = []
  const chunks: Uint8Array[] = []
  for (let i = 0; i < 50; i++) {
    reply.bulkLatin1(String.fromCharCode(97 + (i % 26)).repeat(1 + ((i * 7919) % 90_000)))
    const all = reply.take()
    taken.push(Buffer.concat(all).toString('latin1'))
    chunks.push(Buffer.concat([]), ...all)
    expect(Buffer.concat(chunks).toString('latin1')).toBe(taken.join(''))
  }
})

seededTest('any sequence of writes gives the bytes of its parts', 20, (random) => {
  const reply = new ReplyWriter()
  let expected = ''
  const marks: { mark: ReturnType<ReplyWriter['mark']>; length: number }[] = []
  const gaps: { gap: number; at: string }[] = []
  let gapNumber = 0
  const size = (): number =>
    oneOf(random, [0, 1, 50, 96, 97, 5000, BUFFER_BYTES - 27, BUFFER_BYTES - 26, BUFFER_BYTES, 200_000])
  for (let step = 0; step < 200; step++) {
    const kind = random.below(10)
    if (kind < 4) {
      const value = String.fromCharCode(97 + random.below(26)).repeat(size())
      reply.bulkLatin1(value)
      expected += `$${value.length}\r\n${value}\r\n`
    } else if (kind === 4) {
      const value = random.below(2 ** 31) - 2 ** 30
      reply.integer(value)
      expected += `:${value}\r\n`
    } else if (kind === 5) {
      const value = 's'.repeat(size())
      reply.status(value)
      expected += `+${value}\r\n`
    } else if (kind === 6 && marks.length === 0) {
      const at = `<gap ${gapNumber++}>`
      gaps.push({ gap: reply.gap(), at })
      expected += at
    } else if (kind === 7 && gaps.length > 0 && marks.length === 0) {
      const [filled] = gaps.splice(random.below(gaps.length), 1)
      const count = random.below(1000)
      reply.fillArray(filled!.gap, count)
      expected = expected.replace(filled!.at, `*${count}\r\n`)
    } else if (kind === 8) marks.push({ mark: reply.mark(), length: expected.length })
    else if (kind === 9 && marks.length > 0) {
      const { mark, length } = marks.pop()!
      if (random.below(2) === 0) {
        reply.rollback(mark)
        expected = expected.slice(0, length)
      }
    }
  }
  for (const { gap, at } of gaps) {
    reply.fillArray(gap, 7)
    expected = expected.replace(at, '*7\r\n')
  }
  const bytes = Buffer.from(random.below(2) === 0 ? reply.takeBytes() : Buffer.concat(reply.take())).toString('latin1')
  expect(bytes === expected).toBe(true)
})
