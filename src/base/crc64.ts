/**
 * CRC-64 with the Jones polynomial, reflected, start 0 and no final inversion: what ends RDB files and DUMP payloads.
 * A 64-bit state is two 32-bit words here. Eight bytes at a time ("slicing by eight"): the state is xored into them, and
 * each of the eight then contributes one table entry, since a CRC is linear.
 *
 * Hot path: bench/micro/base-checksums.ts. Source: RDB format; Intel, "High Octane CRC Generation with the Slicing-by-8
 * Algorithm".
 */
const POLYNOMIAL = 0x95ac9329ac4bc9b5n

/** Shorter ranges are not worth the DataView (measured, Node 20). */
const SLICED_BYTES_MIN = 64

/** TABLE_LOW[s * 256 + b] and TABLE_HIGH: what byte b adds when s more bytes follow it. */
const TABLES = makeTables()
const TABLE_LOW = TABLES.low
const TABLE_HIGH = TABLES.high

export class Crc64 {
  /** The two halves of the checksum so far, signed 32-bit integers. */
  low = 0
  high = 0

  reset(): void {
    this.low = 0
    this.high = 0
  }

  update(buf: Uint8Array, start: number, end: number): void {
    const tableLow = TABLE_LOW
    const tableHigh = TABLE_HIGH
    let { low, high } = this
    let at = start
    if (end - start >= SLICED_BYTES_MIN) {
      const view = new DataView(buf.buffer, buf.byteOffset + start, end - start)
      const whole = end - start - ((end - start) % 8)
      for (let offset = 0; offset < whole; offset += 8) {
        low ^= view.getInt32(offset, true)
        high ^= view.getInt32(offset + 4, true)
        const i0 = 1792 | (low & 255)
        const i1 = 1536 | ((low >>> 8) & 255)
        const i2 = 1280 | ((low >>> 16) & 255)
        const i3 = 1024 | (low >>> 24)
        const i4 = 768 | (high & 255)
        const i5 = 512 | ((high >>> 8) & 255)
        const i6 = 256 | ((high >>> 16) & 255)
        const i7 = high >>> 24
        // In pairs: a chain of seven would make each step wait for the one before.
        const low03 = tableLow[i0]! ^ tableLow[i1]! ^ (tableLow[i2]! ^ tableLow[i3]!)
        const low47 = tableLow[i4]! ^ tableLow[i5]! ^ (tableLow[i6]! ^ tableLow[i7]!)
        const high03 = tableHigh[i0]! ^ tableHigh[i1]! ^ (tableHigh[i2]! ^ tableHigh[i3]!)
        const high47 = tableHigh[i4]! ^ tableHigh[i5]! ^ (tableHigh[i6]! ^ tableHigh[i7]!)
        low = low03 ^ low47
        high = high03 ^ high47
      }
      at += whole
    }
    for (; at < end; at++) {
      const index = (low ^ buf[at]!) & 255
      low = ((low >>> 8) | (high << 24)) ^ tableLow[index]!
      high = (high >>> 8) ^ tableHigh[index]!
    }
    this.low = low
    this.high = high
  }

  /** Writes the eight bytes as RDB holds them; returns the offset after them. */
  writeLittleEndian(out: Uint8Array, at: number): number {
    for (let i = 0; i < 4; i++) {
      out[at + i] = this.low >>> (8 * i)
      out[at + 4 + i] = this.high >>> (8 * i)
    }
    return at + 8
  }

  /** Whether eight bytes, as RDB holds them, are this checksum. */
  equalsLittleEndian(buf: Uint8Array, at: number): boolean {
    for (let i = 0; i < 4; i++) {
      if (buf[at + i] !== ((this.low >>> (8 * i)) & 255)) return false
      if (buf[at + 4 + i] !== ((this.high >>> (8 * i)) & 255)) return false
    }
    return true
  }

  value(): bigint {
    return (BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0)
  }
}

export function crc64(buf: Uint8Array, start: number, end: number): bigint {
  const crc = new Crc64()
  crc.update(buf, start, end)
  return crc.value()
}

function makeTables(): { low: Int32Array; high: Int32Array } {
  const low = new Int32Array(8 * 256)
  const high = new Int32Array(8 * 256)
  const entries: bigint[] = []
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n
    entries.push(crc)
  }
  for (let byte = 0; byte < 256; byte++) {
    let crc = entries[byte]!
    for (let slice = 0; slice < 8; slice++) {
      low[slice * 256 + byte] = Number(crc & 0xffff_ffffn)
      high[slice * 256 + byte] = Number(crc >> 32n)
      crc = (crc >> 8n) ^ entries[Number(crc & 0xffn)]!
    }
  }
  return { low, high }
}
