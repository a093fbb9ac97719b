/**
 * The intset against a plain list of bigints, and every byte of it against one made the slow way; whole and flipped bytes
 * against a validation in bigints.
 */
import { expect } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { Arena } from '../../src/memory/arena.ts'
import { INTSET_HEADER_BYTES, Intset, type IntsetRef, isIntset } from '../../src/structures/intset.ts'
import { oneOf, seededTest } from './seeded.ts'

const EDGES = [0n, 1n, 2n ** 15n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, 2n ** 63n]
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

function widthOf(value: bigint): number {
  if (value >= -0x8000n && value <= 0x7fffn) return 2
  return value >= -0x8000_0000n && value <= 0x7fff_ffffn ? 4 : 8
}

/** The bytes that Redis would hold. */
function bytesOf(sorted: readonly bigint[], width: number): Buffer {
  const bytes = Buffer.alloc(INTSET_HEADER_BYTES + sorted.length * width)
  bytes.writeUInt32LE(width, 0)
  bytes.writeUInt32LE(sorted.length, 4)
  sorted.forEach((value, i) => {
    const at = INTSET_HEADER_BYTES + i * width
    if (width === 2) bytes.writeInt16LE(Number(value), at)
    else if (width === 4) bytes.writeInt32LE(Number(value), at)
    else bytes.writeBigInt64LE(value, at)
  })
  return bytes
}

/** Mostly of the widths allowed, so that sets stay narrow for a while. */
function drawValue(random: Random, widthMax: number): bigint {
  for (;;) {
    let value: bigint
    if (random.below(3) === 0) {
      value = oneOf(random, EDGES) + BigInt(random.below(5) - 2)
      if (random.below(2) === 0) value = -value
    } else if (widthMax === 2) value = BigInt(random.below(0x1_0000) - 0x8000)
    else if (random.below(2) === 0) value = BigInt(random.below(2000) - 1000)
    else value = BigInt.asIntN(widthMax * 8, (BigInt(random.int32()) << 32n) ^ BigInt(random.int32()))
    if (value >= INT64_MIN && value <= INT64_MAX && widthOf(value) <= widthMax) return value
  }
}

class Model {
  readonly arena = new Arena()
  readonly intset = new Intset(this.arena)
  ref: IntsetRef = this.intset.create()
  values: bigint[] = []
  width = 2

  /** Hands the value over as text, as commands do, so that `parse` is in it. */
  find(value: bigint): number {
    const text = Buffer.from(`<${value}>`)
    expect(this.intset.parse(text, 1, text.length - 2)).toBe(true)
    return this.intset.find(this.ref, this.intset.high, this.intset.low)
  }

  add(value: bigint): void {
    const index = this.find(value)
    const place = this.values.findIndex((other) => other >= value)
    const at = place < 0 ? this.values.length : place
    if (this.values[at] === value) {
      expect(index).toBe(at)
      return
    }
    expect(index).toBe(~at)
    this.ref = this.intset.insert(this.ref, at, this.intset.high, this.intset.low)
    this.values.splice(at, 0, value)
    this.width = Math.max(this.width, widthOf(value))
  }

  remove(value: bigint): void {
    const index = this.find(value)
    const at = this.values.indexOf(value)
    if (at < 0) {
      expect(index).toBeLessThan(0)
      return
    }
    expect(index).toBe(at)
    this.ref = this.intset.remove(this.ref, at)
    this.values.splice(at, 1)
  }

  check(): void {
    const { arena, intset, ref, values, width } = this
    expect(intset.length(ref)).toBe(values.length)
    expect(intset.width(ref)).toBe(width)
    const at = arena.at8(ref)
    const sizeBytes = intset.sizeBytes(ref)
    const held = Buffer.from(arena.view8(ref).slice(at, at + sizeBytes))
    if (!held.equals(bytesOf(values, width))) expect(held).toEqual(bytesOf(values, width))
    expect(isIntset(arena.view8(ref), at, at + sizeBytes)).toBe(values.length > 0)
    expect(arena.capacity(ref)).toBeGreaterThanOrEqual(sizeBytes)
    expect(arena.capacity(ref)).toBeLessThanOrEqual(Math.max(16, sizeBytes * 2 + 2 * width))
    expect(arena.usedBytes).toBe(arena.capacity(ref))
  }

  checkTexts(): void {
    const out = new Uint8Array(32)
    this.values.forEach((value, i) => {
      this.intset.get(this.ref, i)
      const end = this.intset.writeText(out, 3)
      expect(Buffer.from(out.subarray(3, end)).toString()).toBe(String(value))
    })
  }
}

seededTest('intset: adding and removing', 12, (random) => {
  const model = new Model()
  let widthMax = 2
  for (let step = 0; step < 1500; step++) {
    if (random.below(300) === 0) widthMax = Math.min(8, widthMax * 2)
    const grows = Math.floor(step / 400) % 2 === 0
    const value =
      model.values.length > 0 && random.below(3) === 0 ? oneOf(random, model.values) : drawValue(random, widthMax)
    if (random.below(10) < (grows ? 8 : 2)) model.add(value)
    else model.remove(grows || model.values.length === 0 ? value : oneOf(random, model.values))
    model.check()
  }
  model.checkTexts()
  const copy = model.intset.copy(model.ref)
  model.intset.remove(copy, 0)
  expect(model.intset.length(model.ref)).toBe(model.values.length)
})

seededTest('intset: what is no number, or too large', 1, () => {
  const intset = new Intset(new Arena())
  for (const text of [
    '',
    '-',
    '01',
    '+1',
    ' 1',
    '1 ',
    '-0',
    '1.0',
    'x',
    '9223372036854775808',
    '-9223372036854775809',
  ]) {
    expect(intset.parse(Buffer.from(text), 0, text.length), text).toBe(false)
  }
  for (const value of [INT64_MAX, INT64_MIN, 2n ** 53n, -(2n ** 53n), 2n ** 31n, -(2n ** 31n) - 1n, 0n, -1n]) {
    const text = String(value)
    expect(intset.parse(Buffer.from(text), 0, text.length)).toBe(true)
    expect((BigInt(intset.high) << 32n) | BigInt(intset.low >>> 0)).toBe(value)
  }
})

/** As `isIntset` ought to judge, in bigints. */
function isValid(bytes: Buffer): boolean {
  if (bytes.length < 8) return false
  const width = bytes.readUInt32LE(0)
  const length = bytes.readUInt32LE(4)
  if (![2, 4, 8].includes(width) || length === 0 || BigInt(length) * BigInt(width) + 8n !== BigInt(bytes.length)) {
    return false
  }
  const values = Array.from({ length }, (_, i) => {
    const at = 8 + i * width
    return width === 8 ? bytes.readBigInt64LE(at) : BigInt(bytes.readIntLE(at, width))
  })
  return values.every((value, i) => i === 0 || values[i - 1]! < value)
}

seededTest('intset: bytes from strangers', 20, (random) => {
  const width = oneOf(random, [2, 4, 8])
  const values = new Set<bigint>()
  for (let i = random.below(20); i >= 0; i--) values.add(drawValue(random, width))
  const whole = bytesOf(
    [...values].sort((a, b) => (a < b ? -1 : 1)),
    width,
  )
  expect(isIntset(whole, 0, whole.length)).toBe(true)
  let refused = 0
  for (let i = 0; i < 500; i++) {
    // At a place of its own within more bytes.
    const bytes = Buffer.concat([Buffer.from([1, 2, 3]), whole, Buffer.from([9])])
    let end = 3 + whole.length
    const kind = random.below(10)
    if (kind === 0) end -= 1 + random.below(whole.length)
    else if (kind === 1) end++
    else if (kind < 4) bytes[3 + random.below(8)] = random.below(256)
    else bytes[3 + random.below(whole.length)]! ^= 1 << random.below(8)
    const expected = isValid(bytes.subarray(3, end))
    expect(isIntset(bytes, 3, end)).toBe(expected)
    if (!expected) refused++
  }
  expect(refused).toBeGreaterThan(0)
})
