import { describe, expect, it } from 'vitest'
import { crc16, keyHashSlot } from '../../../src/base/crc16.ts'
import { Crc64, crc64 } from '../../../src/base/crc64.ts'
import fc from '../../support/property.ts'
import { embedded, readVectors } from './vectors/read.ts'

describe('CRC-64', () => {
  it('is what crc64.c computes', () => {
    for (const { line, arguments: args, answers } of readVectors('crc64', 1)) {
      const { buf, start, end } = embedded(args[0]!, 'xyz')
      expect(crc64(buf, start, end), `line ${line}`).toBe(BigInt(`0x${answers[0]}`))
    }
  })

  it('does not depend on how the bytes are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.array(fc.nat(200), { maxLength: 8 }), (bytes, cuts) => {
        const crc = new Crc64()
        let at = 0
        for (const cut of cuts) {
          const next = Math.min(bytes.length, at + cut)
          crc.update(bytes, at, next)
          at = next
        }
        crc.update(bytes, at, bytes.length)
        expect(crc.value()).toBe(crc64(bytes, 0, bytes.length))
      }),
    )
  })

  it('gives the same for long ranges, which another loop takes', () => {
    const bytes = new Uint8Array(700_000)
    for (let i = 0; i < bytes.length; i++) bytes[i] = (Math.imul(i, 2_654_435_761) >>> 13) ^ (i >> 9)
    for (const [start, end] of [
      [0, bytes.length],
      [1, 262_145],
      [3, 262_152],
      [5, 700_000],
      [0, 4096],
    ] as const) {
      const inPieces = new Crc64()
      for (let at = start; at < end; at += 1000) inPieces.update(bytes, at, Math.min(end, at + 1000))
      const whole = new Crc64()
      whole.update(bytes, start, end)
      expect(whole.value()).toBe(inPieces.value())
      // Once set up, it takes shorter ranges too, and goes on from where it was.
      whole.update(bytes, 0, 5001)
      whole.update(bytes, 0, 77)
      for (let at = 0; at < 5001; at += 500) inPieces.update(bytes, at, Math.min(5001, at + 500))
      inPieces.update(bytes, 0, 77)
      expect(whole.value()).toBe(inPieces.value())
    }
  })

  it('writes and recognises the eight bytes that RDB holds', () => {
    const crc = new Crc64()
    crc.update(Buffer.from('123456789'), 0, 9)
    const out = Buffer.alloc(10)
    expect(crc.writeLittleEndian(out, 1)).toBe(9)
    expect(out.readBigUInt64LE(1)).toBe(0xe9c6d914c4b8d9can)
    expect(crc.equalsLittleEndian(out, 1)).toBe(true)
    for (let i = 1; i < 9; i++) {
      out[i]! ^= 0x10
      expect(crc.equalsLittleEndian(out, 1)).toBe(false)
      out[i]! ^= 0x10
    }
    crc.reset()
    expect(crc.value()).toBe(0n)
  })
})

describe('CRC-16 and slots', () => {
  const slot = (key: string) => {
    const bytes = Buffer.from(`}{${key}{}`, 'latin1')
    return keyHashSlot(bytes, 2, bytes.length - 2)
  }
  const whole = (key: string) => {
    const bytes = Buffer.from(key, 'latin1')
    return crc16(bytes, 0, bytes.length) & 16383
  }

  it('has the check value of the specification', () => {
    expect(crc16(Buffer.from('123456789'), 0, 9)).toBe(0x31c3)
  })

  // CLUSTER KEYSLOT of redis-server 7.0.15.
  it.each([
    ['foo', 12182],
    ['{foo}bar', 12182],
    ['bar{foo}', 12182],
    ['foo{}{bar}', 8363],
    ['foo{{bar}}zap', 4015],
    ['foo{bar}{zap}', 5061],
    ['{', 4092],
    ['}{', 12793],
    ['{}', 15257],
    ['', 0],
    ['\xff\x80\x7f', 7043],
  ])('CLUSTER KEYSLOT %j is %d', (key, expected) => {
    expect(slot(key)).toBe(expected)
  })

  it('hashes the tag alone, and the whole key where there is none', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '{', '}'), maxLength: 10 }), (key) => {
        const tag = /^[^{]*\{([^}]+)\}/.exec(key)
        expect(slot(key)).toBe(whole(tag === null ? key : tag[1]!))
      }),
    )
  })
})
