/** RDB files and payloads put together by hand, right and wrong ones. */
import { Crc64 } from '../../src/base/crc64.ts'

export class RdbBuilder {
  private readonly parts: Buffer[] = []

  constructor(version: number | string = 10) {
    this.raw(Buffer.from(`REDIS${String(version).padStart(4, '0')}`))
  }

  raw(bytes: Uint8Array | readonly number[]): this {
    this.parts.push(Buffer.from(bytes))
    return this
  }

  byte(value: number): this {
    return this.raw([value])
  }

  length(value: number): this {
    return this.raw(lengthBytes(value))
  }

  /** A string as it is. */
  text(text: string | Uint8Array): this {
    const bytes = Buffer.from(text as string)
    return this.length(bytes.length).raw(bytes)
  }

  aux(name: string, value: string): this {
    return this.byte(250).text(name).text(value)
  }

  select(index: number): this {
    return this.byte(254).length(index)
  }

  sizes(keys: number, expires: number): this {
    return this.byte(251).length(keys).length(expires)
  }

  expireMs(atMs: number | bigint): this {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(atMs))
    return this.byte(252).raw(bytes)
  }

  string(key: string, value: string | Uint8Array): this {
    return this.byte(0).text(key).text(value)
  }

  /** All so far, without an end. */
  open(): Buffer {
    return Buffer.concat(this.parts)
  }

  /** With EOF and a right checksum. */
  end(): Buffer {
    const body = this.byte(255).open()
    const crc = new Crc64()
    crc.update(body, 0, body.length)
    const whole = Buffer.alloc(body.length + 8)
    body.copy(whole)
    crc.writeLittleEndian(whole, body.length)
    return whole
  }
}

export function lengthBytes(value: number): number[] {
  if (value < 64) return [value]
  if (value < 16_384) return [0x40 | (value >> 8), value & 255]
  const bytes = Buffer.alloc(9)
  if (value < 2 ** 32) {
    bytes[4] = 0x80
    bytes.writeUInt32BE(value, 5)
    return [...bytes.subarray(4)]
  }
  bytes[0] = 0x81
  bytes.writeBigUInt64BE(BigInt(value), 1)
  return [...bytes]
}

/** A DUMP payload of a type and what follows it. */
export function payload(body: readonly number[] | Uint8Array, version = 10): Buffer {
  const whole = Buffer.alloc(body.length + 10)
  Buffer.from(body).copy(whole)
  whole.writeUInt16LE(version, body.length)
  const crc = new Crc64()
  crc.update(whole, 0, body.length + 2)
  crc.writeLittleEndian(whole, body.length + 2)
  return whole
}
