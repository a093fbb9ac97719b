import { describe, expect, it } from 'vitest'
import { LzfCompressor, lzfDecompress } from '../../../src/base/lzf.ts'
import fc from '../../support/property.ts'
import { embedded, readVectors, shortened } from './vectors/read.ts'

/** As RDB does it: only if four bytes are saved. */
function compressed(lzf: LzfCompressor, bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array | null {
  const room = end - start - 4
  if (room <= 0) return null
  const out = new Uint8Array(room + 8).fill(0xee)
  const size = lzf.compress(bytes, start, end, out, 4, 4 + room)
  expect([...out.subarray(0, 4), ...out.subarray(4 + room)]).toEqual(new Array(8).fill(0xee))
  return size === 0 ? null : out.slice(4, 4 + size)
}

const repetitive = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.tuple(fc.nat(255), fc.nat(600)).map(([b, n]) => new Uint8Array(n).fill(b)),
    ),
    { maxLength: 30 },
  )
  .chain((parts) =>
    fc.array(fc.nat(Math.max(0, parts.length - 1)), { maxLength: 40 }).map((order) => [parts, order] as const),
  )
  .map(([parts, order]) => Buffer.concat(order.map((index) => parts[index] ?? new Uint8Array(0))))

describe('LZF', () => {
  it('compresses to the bytes that lzf_c.c makes, one compressor for all', () => {
    const lzf = new LzfCompressor()
    for (const { line, arguments: args, answers } of readVectors('lzf', 1)) {
      const { buf, start, end } = embedded(args[0]!, 'aaaa')
      const out = compressed(lzf, buf, start, end)
      expect(out === null ? '-' : shortened(Buffer.from(out).toString('hex')), `line ${line}`).toBe(answers[0])
    }
  })

  it('decompresses, and refuses, what lzf_d.c does', () => {
    for (const { line, arguments: args, answers } of readVectors('unlzf', 2)) {
      const { buf, start, end } = embedded(args[0]!, '\x00\x00\x00')
      const room = args[1]!.readUInt16BE(0)
      const out = new Uint8Array(room + 10).fill(0xee)
      const size = lzfDecompress(buf, start, end, out, 5, 5 + room)
      const text = size <= 0 ? '-' : shortened(Buffer.from(out.subarray(5, 5 + size)).toString('hex'))
      expect(text, `line ${line}`).toBe(answers[0])
      expect([...out.subarray(0, 5), ...out.subarray(5 + room)]).toEqual(new Array(10).fill(0xee))
    }
  })

  it('gives back what it was given, and the same bytes from a used compressor as from a new one', () => {
    const used = new LzfCompressor()
    fc.assert(
      fc.property(fc.oneof(repetitive, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        const packed = compressed(used, bytes)
        expect(packed).toEqual(compressed(new LzfCompressor(), bytes))
        if (packed === null) return
        const out = new Uint8Array(bytes.length)
        expect(lzfDecompress(packed, 0, packed.length, out, 0, out.length)).toBe(bytes.length)
        expect(Buffer.compare(out, bytes)).toBe(0)
        // One byte too little room, and it is refused.
        expect(lzfDecompress(packed, 0, packed.length, out, 0, out.length - 1)).toBe(-1)
      }),
      { numRuns: 300 },
    )
  })

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(300), (bytes, room) => {
        const out = new Uint8Array(room + 2).fill(0xee)
        const size = lzfDecompress(bytes, 0, bytes.length, out, 1, 1 + room)
        expect(size).toBeGreaterThanOrEqual(-1)
        expect(size).toBeLessThanOrEqual(room)
        expect([out[0], out[room + 1]]).toEqual([0xee, 0xee])
      }),
      { numRuns: 1000 },
    )
  })

  it('starts its table over before positions grow too large', () => {
    const lzf = new LzfCompressor()
    const bytes = Buffer.from('abcdefgh'.repeat(40))
    const first = compressed(lzf, bytes)
    Reflect.set(lzf, 'base', 0x3fff_ffff - 100)
    expect(compressed(lzf, bytes)).toEqual(first)
    expect(Reflect.get(lzf, 'base')).toBe(1 + bytes.length)
  })
})
