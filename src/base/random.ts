/**
 * Randomness, injected: xoshiro128** (Blackman and Vigna, public domain algorithm) over 32-bit words. The same seed
 * gives the same server, which is what simulations and replayed fuzzers need.
 */
import { randomBytes } from 'node:crypto'

export class Random {
  private a: number
  private b: number
  private c: number
  private d: number

  constructor(seed: Uint32Array) {
    this.a = seed[0]! | 0
    this.b = seed[1]! | 0
    this.c = seed[2]! | 0
    this.d = seed[3]! | 1
    for (let i = 0; i < 16; i++) this.int32()
  }

  /** A source that nobody can guess: hash seeds, replication ids. */
  static fromSystem(): Random {
    const bytes = randomBytes(16)
    return new Random(new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 16)))
  }

  static fromSeed(seed: number): Random {
    return new Random(new Uint32Array([seed >>> 0, Math.floor(seed / 0x1_0000_0000) >>> 0, 0x9e3779b9, 0x243f6a88]))
  }

  /** 32 random bits as a signed integer. */
  int32(): number {
    const { b } = this
    const product = Math.imul(b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9)
    const shifted = b << 9
    this.c ^= this.a
    this.d ^= b
    this.b ^= this.c
    this.a ^= this.d
    this.c ^= shifted
    this.d = (this.d << 11) | (this.d >>> 21)
    return result
  }

  /** A whole number in [0, bound), bound up to 2^32. Bias is below 2^-20 for bounds below 2^32 / 2^20, none that a user could see. */
  below(bound: number): number {
    return Math.floor(((this.int32() >>> 0) / 0x1_0000_0000) * bound)
  }

  /** A number in [0, 1) with 53 random bits. */
  float(): number {
    return ((this.int32() >>> 5) * 0x400_0000 + (this.int32() >>> 6)) / 0x20_0000_0000_0000
  }

  /** `length` random lower-case hexadecimal digits, as replication ids and run ids are. */
  hex(length: number): string {
    let text = ''
    while (text.length < length) text += (this.int32() >>> 0).toString(16).padStart(8, '0')
    return text.slice(0, length)
  }
}
