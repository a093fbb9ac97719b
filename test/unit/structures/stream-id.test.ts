import { describe, expect, test } from 'vitest'
import {
  ID_AUTO_SEQUENCE,
  ID_INVALID,
  ID_STRICT,
  ID_WHOLE,
  ID_WITH_AUTO,
  ID_WITH_ENDS,
  StreamId,
  StreamIdText,
} from '../../../src/structures/stream-id.ts'

const MAX = 18446744073709551615n

function parse(text: string, form = ID_STRICT, isMissingSeqGreatest = false): string | number {
  const id = new StreamId()
  const bytes = Buffer.from(`<${text}>`, 'latin1')
  const found = id.parse(bytes, 1, bytes.length - 2, form, isMissingSeqGreatest)
  return found === ID_WHOLE ? id.toString() : found
}

describe('stream ids', () => {
  test('are read as Redis reads them', () => {
    expect(parse('5-3')).toBe('5-3')
    expect(parse('5')).toBe('5-0')
    expect(parse('5', ID_STRICT, true)).toBe(`5-${MAX}`)
    expect(parse('1526569495631-127')).toBe('1526569495631-127')
    expect(parse(`${MAX}-${MAX}`)).toBe(`${MAX}-${MAX}`)
    expect(parse('9007199254740993-9007199254740995')).toBe('9007199254740993-9007199254740995')
    expect(parse('05-+3')).toBe('5-3')
    expect(parse(' 5-1')).toBe('5-1')
    expect(parse('5-1\x00junk')).toBe('5-1')
    for (const text of [
      '',
      '-',
      '+',
      'x',
      '5-',
      '-5',
      '5-x',
      '5--3',
      '1-2-3',
      `${MAX + 1n}`,
      '5-*',
      `${'0'.repeat(126)}-1`,
    ]) {
      expect(parse(text), text).toBe(ID_INVALID)
    }
    expect(parse(`${'0'.repeat(125)}-1`)).toBe('0-1')
  })

  test('have ends and a sequence to be found, where they may', () => {
    expect(parse('-', ID_WITH_ENDS)).toBe('0-0')
    expect(parse('+', ID_WITH_ENDS)).toBe(`${MAX}-${MAX}`)
    expect(parse('-', ID_WITH_AUTO)).toBe(ID_INVALID)
    expect(parse('5-*', ID_WITH_AUTO)).toBe(ID_AUTO_SEQUENCE)
    expect(parse('5-*', ID_WITH_ENDS)).toBe(ID_INVALID)
    expect(parse('5-**', ID_WITH_AUTO)).toBe(ID_INVALID)
  })

  test('go up and down by one, around every border between words', () => {
    const edges = [0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, MAX - 1n, MAX]
    for (const ms of edges) {
      for (const seq of edges) {
        const id = StreamId.of(ms, seq)
        const value = (ms << 64n) | seq
        const isLast = value === (1n << 128n) - 1n
        expect(id.increment()).toBe(!isLast)
        const next = isLast ? 0n : value + 1n
        expect(id.toString()).toBe(`${next >> 64n}-${next & MAX}`)
        expect(id.decrement()).toBe(!isLast)
        expect(id.toString()).toBe(`${ms}-${seq}`)
      }
    }
    const least = new StreamId()
    expect(least.decrement()).toBe(false)
    expect(least.isGreatest).toBe(true)
  })

  test('are compared as unsigned, and their differences are signed', () => {
    const values = [0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0x1_0000_0000n, 1n << 53n, 1n << 63n, MAX]
    for (const a of values) {
      for (const b of values) {
        const [one, other] = [StreamId.of(a, b), StreamId.of(b, a)]
        expect(Math.sign(one.compare(other))).toBe(a < b ? -1 : a > b ? 1 : 0)
        const exact = BigInt.asIntN(64, a - b)
        const isSafe = exact >= -(2n ** 53n) + 1n && exact <= 2n ** 53n - 1n
        expect(one.msBeyond(other)).toBe(isSafe ? Number(exact) : Number.NaN)
        expect(one.bigMsBeyond(other)).toBe(exact)
        expect(one.bigSeqBeyond(other)).toBe(BigInt.asIntN(64, -exact))
        other.addMs(one.msBeyond(other), exact)
        other.addSeq(one.seqBeyond(other), one.bigSeqBeyond(other))
        expect(other.toString()).toBe(one.toString())
      }
    }
  })

  test('are written as text and as bytes', () => {
    const text = new StreamIdText()
    const shown = (id: StreamId) => Buffer.from(text.bytes.subarray(0, text.write(id))).toString()
    for (const whole of ['0-0', '5-9', '5-10', '5-7', '1526569495631-0', `${MAX}-${MAX}`, `1526569495631-${MAX}`]) {
      const [ms, seq] = whole.split('-')
      const id = StreamId.of(BigInt(ms!), BigInt(seq!))
      expect(shown(id)).toBe(whole)
      const bytes = new Uint8Array(20)
      id.writeBytes(bytes, 3)
      const copy = new StreamId()
      copy.readBytes(bytes, 3)
      expect(copy.equals(id)).toBe(true)
      expect(Buffer.from(bytes.subarray(3, 19)).readBigUInt64BE(8)).toBe(BigInt(seq!))
    }
  })
})
