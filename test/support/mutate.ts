/** Bytes made wrong at random: for fuzzers. */
import type { Random } from '../../src/base/random.ts'

/** One to four places flipped, cut out, doubled, overwritten or filled in; sometimes the end is missing. */
export function mutated(good: Uint8Array, random: Random): Buffer {
  let bytes = Buffer.from(good)
  for (let i = random.below(4); i >= 0 && bytes.length > 0; i--) {
    const at = random.below(bytes.length)
    const count = 1 + random.below(random.below(4) === 0 ? 40 : 2)
    switch (random.below(6)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8)
        break
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)])
        break
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), noise(count, random), bytes.subarray(at)])
        break
      case 3:
        noise(count, random).copy(bytes, at)
        break
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at + count), bytes.subarray(at)])
        break
      default:
        bytes = bytes.subarray(0, at)
    }
  }
  return bytes
}

/** Bytes of which many have a meaning somewhere: lengths, opcodes, ends of ranges. */
export function noise(count: number, random: Random): Buffer {
  const telling = [
    0, 1, 2, 3, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc1, 0xc2, 0xc3, 0xf4, 0xf5, 0xf7, 0xf8, 0xfa, 0xfb, 0xfc, 0xfe,
    0xff,
  ]
  const bytes = Buffer.alloc(count)
  for (let i = 0; i < count; i++) {
    bytes[i] = random.below(2) === 0 ? telling[random.below(telling.length)]! : random.below(256)
  }
  return bytes
}
