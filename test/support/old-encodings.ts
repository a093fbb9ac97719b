/** Makes what old versions of Redis kept small values in: ziplists and zipmaps. */

/** What an entry is written as; strings that look like integers are kept as strings. */
export type ZiplistElement = string | Uint8Array | number | bigint

/** A ziplist as Redis writes it; `wideLengths`: lengths of previous entries always take five bytes, as may remain after removals. */
export function ziplist(elements: readonly ZiplistElement[], wideLengths = false): Uint8Array {
  const parts: Buffer[] = []
  let offset = 10
  let tail = 10
  let previousBytes = 0
  for (const element of elements) {
    const previous =
      previousBytes < 254 && !wideLengths
        ? Buffer.of(previousBytes)
        : Buffer.concat([Buffer.of(254), uint32(previousBytes)])
    const entry = Buffer.concat([previous, encoded(element)])
    tail = offset
    offset += entry.length
    previousBytes = entry.length
    parts.push(entry)
  }
  const count = Buffer.alloc(2)
  count.writeUInt16LE(Math.min(elements.length, 0xffff))
  return Buffer.concat([uint32(offset + 1), uint32(tail), count, ...parts, Buffer.of(0xff)])
}

function encoded(element: ZiplistElement): Buffer {
  if (typeof element === 'number' || typeof element === 'bigint') return encodedInteger(BigInt(element))
  const bytes = Buffer.from(element)
  const { length } = bytes
  if (length < 64) return Buffer.concat([Buffer.of(length), bytes])
  if (length < 16384) return Buffer.concat([Buffer.of(0x40 | (length >> 8), length & 0xff), bytes])
  const header = Buffer.alloc(5)
  header[0] = 0x80
  header.writeUInt32BE(length, 1)
  return Buffer.concat([header, bytes])
}

function encodedInteger(value: bigint): Buffer {
  if (value >= 0n && value <= 12n) return Buffer.of(0xf1 + Number(value))
  const kinds: readonly (readonly [bits: number, code: number])[] = [
    [8, 0xfe],
    [16, 0xc0],
    [24, 0xf0],
    [32, 0xd0],
    [64, 0xe0],
  ]
  const [bits, code] = kinds.find(([width]) => BigInt.asIntN(width, value) === value)!
  const data = Buffer.alloc(8)
  data.writeBigInt64LE(value)
  return Buffer.concat([Buffer.of(code), data.subarray(0, bits / 8)])
}

/** A zipmap as Redis writes it; `freeBytes` unused bytes follow each value. */
export function zipmap(pairs: readonly (readonly [string, string])[], freeBytes = 0): Uint8Array {
  const parts: Buffer[] = [Buffer.of(Math.min(pairs.length, 254))]
  for (const [field, value] of pairs) {
    parts.push(zipmapLength(Buffer.byteLength(field)), Buffer.from(field))
    parts.push(
      zipmapLength(Buffer.byteLength(value)),
      Buffer.of(freeBytes),
      Buffer.from(value),
      Buffer.alloc(freeBytes, 0x2e),
    )
  }
  return Buffer.concat([...parts, Buffer.of(0xff)])
}

function zipmapLength(length: number): Buffer {
  return length < 254 ? Buffer.of(length) : Buffer.concat([Buffer.of(254), uint32(length)])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
