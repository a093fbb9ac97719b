/**
 * HalfSipHash-1-2 over bytes: a keyed 32-bit hash, so that nobody who does not know the seed can make keys that all
 * fall into one bucket. Redis uses SipHash-1-2 for the same reason; the half-width variant works on 32-bit words,
 * which JavaScript has, where the full one needs 64-bit words, which it has not.
 *
 * Hot path: bench/micro/hash-table.ts.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF"; reference code's halfsiphash parameters.
 */
import { DataViewCache } from './word-copy.ts'

export class KeyHash {
  /** Of the bytes that keys come in. */
  readonly dataViews = new DataViewCache()
  private readonly k0: number
  private readonly k1: number

  constructor(k0: number, k1: number) {
    this.k0 = k0 | 0
    this.k1 = k1 | 0
  }

  /** The hash of buf[start, start + length), a signed 32-bit integer. */
  of(buf: Uint8Array, start: number, length: number): number {
    return this.ofData(buf, this.dataViews.of(buf), start, length)
  }

  /** As `of`; with the DataView of `buf`, if there is one, four bytes are one access. */
  ofData(buf: Uint8Array, data: DataView | null, start: number, length: number): number {
    let v0 = this.k0
    let v1 = this.k1
    let v2 = this.k0 ^ 0x6c796765
    let v3 = this.k1 ^ 0x74656462
    const whole = start + (length & ~3)
    let at = start
    for (; at < whole; at += 4) {
      const m =
        data !== null
          ? data.getInt32(at, true)
          : buf[at]! | (buf[at + 1]! << 8) | (buf[at + 2]! << 16) | (buf[at + 3]! << 24)
      v3 ^= m
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= m
    }
    let tail = length << 24
    switch (length & 3) {
      // biome-ignore lint/suspicious/noFallthroughSwitchClause: the three cases add one byte each, as the algorithm is defined
      case 3:
        tail |= buf[at + 2]! << 16
      // biome-ignore lint/suspicious/noFallthroughSwitchClause: see above
      case 2:
        tail |= buf[at + 1]! << 8
      case 1:
        tail |= buf[at]!
    }
    v3 ^= tail
    for (let round = 0; round < 3; round++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      if (round === 0) {
        v0 ^= tail
        v2 ^= 0xff
      }
    }
    return v1 ^ v3
  }
}
