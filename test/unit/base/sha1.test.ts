import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SHA1_BYTES, Sha1, sha1Hex, sha256Hex } from '../../../src/base/sha1.ts'
import fc from '../../support/property.ts'

const reference = (name: string, bytes: Uint8Array) => createHash(name).update(bytes).digest('hex')

describe('SHA-1', () => {
  it('is what FIPS 180-4 gives for "abc"', () => {
    const out = Buffer.alloc(SHA1_BYTES)
    new Sha1().digestInto(Buffer.from('abc'), 0, 3, out, 0)
    expect(out.toString('hex')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d')
    expect(sha256Hex(Buffer.from('.abc.'), 1, 4)).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })

  it('agrees with node:crypto at every length around the block borders, with one object', () => {
    const sha1 = new Sha1()
    const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 151) & 255))
    const out = Buffer.alloc(SHA1_BYTES + 2)
    for (let length = 0; length <= 290; length++) {
      out.fill(0xee)
      sha1.digestInto(bytes, 3, 3 + length, out, 1)
      expect(out.toString('hex')).toBe(`ee${reference('sha1', bytes.subarray(3, 3 + length))}ee`)
      expect(sha1Hex(bytes, 3, 3 + length)).toBe(reference('sha1', bytes.subarray(3, 3 + length)))
    }
  })

  it('agrees with node:crypto on random bytes, also in place', () => {
    const sha1 = new Sha1()
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 500 }), (bytes) => {
        const wanted = reference('sha1', bytes)
        sha1.digestInto(bytes, 0, bytes.length, bytes, 0)
        expect(Buffer.from(bytes.subarray(0, SHA1_BYTES)).toString('hex')).toBe(wanted)
      }),
    )
  })
})
