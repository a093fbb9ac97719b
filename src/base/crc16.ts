/**
 * CRC-16/XMODEM (polynomial 0x1021, no reflection, start 0) and the cluster slot of a key, which it decides.
 * Source: Redis cluster specification, "Key distribution model" and "Hash tags".
 */
export const HASH_SLOTS = 16384

const POLYNOMIAL = 0x1021
const OPEN = 0x7b
const CLOSE = 0x7d

const TABLE = makeTable()

export function crc16(buf: Uint8Array, start: number, end: number): number {
  let crc = 0
  for (let at = start; at < end; at++) crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >> 8) ^ buf[at]!]!
  return crc
}

/**
 * The slot of a key. Only what stands between the first `{` and the next `}` counts, if that is not empty: keys that share
 * such a tag share a slot.
 */
export function keyHashSlot(buf: Uint8Array, start: number, end: number): number {
  const open = find(buf, start, end, OPEN)
  if (open < end) {
    const close = find(buf, open + 1, end, CLOSE)
    if (close < end && close > open + 1) return crc16(buf, open + 1, close) & (HASH_SLOTS - 1)
  }
  return crc16(buf, start, end) & (HASH_SLOTS - 1)
}

/** Offset of the byte in the range, or its end. Keys are short: a loop beats indexOf over a view. */
function find(buf: Uint8Array, start: number, end: number, byte: number): number {
  let at = start
  while (at < end && buf[at] !== byte) at++
  return at
}

function makeTable(): Uint16Array {
  const table = new Uint16Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1
    table[byte] = crc
  }
  return table
}
