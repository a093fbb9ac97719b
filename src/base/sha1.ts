/**
 * SHA-1 and SHA-256. DEBUG DIGEST takes several SHA-1 of a few bytes for every key, which is why there is one here that
 * allocates nothing: 16 bytes take 1.1 us, against 3.8 us for creating a node:crypto hash. Above some hundred bytes that one
 * wins (1000 bytes: 6 us against 15), and so it does whatever is long, or done once (script names, ACL passwords).
 *
 * Hot path: Sha1.digestInto. Source: FIPS 180-4.
 */
import { createHash } from 'node:crypto'

export const SHA1_BYTES = 20

const BLOCK_BYTES = 64
/** Above this node:crypto is faster in spite of what it allocates (measured, Node 20). */
const SHORT_BYTES_MAX = 256
/** The length of the message, in bits, fills the last eight bytes of the last block. */
const LENGTH_BYTES = 8

export class Sha1 {
  private readonly words = new Int32Array(80)
  private readonly tail = new Uint8Array(2 * BLOCK_BYTES)
  private readonly state = new Int32Array(5)

  /** Writes the SHA-1 of buf[start, end) to out[at, at + 20), which may overlap the input. */
  digestInto(buf: Uint8Array, start: number, end: number, out: Uint8Array, at: number): void {
    if (end - start > SHORT_BYTES_MAX) {
      out.set(createHash('sha1').update(buf.subarray(start, end)).digest(), at)
      return
    }
    const { words, tail, state } = this
    state[0] = 0x67452301
    state[1] = 0xefcdab89
    state[2] = 0x98badcfe
    state[3] = 0x10325476
    state[4] = 0xc3d2e1f0
    const length = end - start
    const rest = length % BLOCK_BYTES
    const wholeEnd = end - rest
    for (let block = start; block < wholeEnd; block += BLOCK_BYTES) addBlock(state, words, buf, block)
    const tailBytes = rest + 1 + LENGTH_BYTES <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES
    for (let i = 0; i < rest; i++) tail[i] = buf[wholeEnd + i]!
    tail[rest] = 0x80
    for (let i = rest + 1; i < tailBytes; i++) tail[i] = 0
    // Short messages leave the upper half of their length zero.
    writeWord(tail, tailBytes - 8, 0)
    writeWord(tail, tailBytes - 4, length << 3)
    addBlock(state, words, tail, 0)
    if (tailBytes > BLOCK_BYTES) addBlock(state, words, tail, BLOCK_BYTES)
    for (let i = 0; i < 5; i++) writeWord(out, at + 4 * i, state[i]!)
  }
}

export function sha1Hex(buf: Uint8Array, start: number, end: number): string {
  return createHash('sha1').update(buf.subarray(start, end)).digest('hex')
}

export function sha256Hex(buf: Uint8Array, start: number, end: number): string {
  return createHash('sha256').update(buf.subarray(start, end)).digest('hex')
}

function addBlock(state: Int32Array, words: Int32Array, buf: Uint8Array, start: number): void {
  for (let i = 0, at = start; i < 16; i++, at += 4)
    words[i] = (buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!
  for (let i = 16; i < 80; i++) {
    const word = words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!
    words[i] = (word << 1) | (word >>> 31)
  }
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  let e = state[4]!
  let next = 0
  for (let i = 0; i < 20; i++) {
    next = (((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + e + words[i]! + 0x5a827999) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let i = 20; i < 40; i++) {
    next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + words[i]! + 0x6ed9eba1) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let i = 40; i < 60; i++) {
    next = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + e + words[i]! - 0x70e44324) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let i = 60; i < 80; i++) {
    next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + words[i]! - 0x359d3e2a) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  state[0]! += a
  state[1]! += b
  state[2]! += c
  state[3]! += d
  state[4]! += e
}

function writeWord(out: Uint8Array, at: number, word: number): void {
  out[at] = word >>> 24
  out[at + 1] = word >>> 16
  out[at + 2] = word >>> 8
  out[at + 3] = word
}
