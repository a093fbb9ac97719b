import { describe, expect, test } from 'vitest'
import { Random } from '../../../src/base/random.ts'
import {
  cacheCount,
  cachedCount,
  decodeSparse,
  denseRegister,
  HLL_CHANGED,
  HLL_CORRUPT,
  HLL_DENSE_BYTES,
  HLL_REGISTERS,
  HLL_UNCHANGED,
  HyperLogLog,
  invalidateCount,
  isHyperLogLog,
} from '../../../src/structures/hyperloglog.ts'
import { hyperLogLogFault } from '../../../src/structures/hyperloglog-self-test.ts'
import { seededTest } from '../../model/seeded.ts'

const MASK = (1n << 64n) - 1n
const FACTOR = 0xc6a4a7935bd1e995n

/** MurmurHash64A as its author gives it, on integers of any size. */
function murmur(bytes: Uint8Array): bigint {
  const data = Buffer.from(bytes)
  let h = 0xadc83b19n ^ ((BigInt(data.length) * FACTOR) & MASK)
  const whole = data.length - (data.length % 8)
  for (let at = 0; at < whole; at += 8) {
    let k = (data.readBigUInt64LE(at) * FACTOR) & MASK
    k ^= k >> 47n
    h = ((h ^ ((k * FACTOR) & MASK)) * FACTOR) & MASK
  }
  if (whole < data.length) {
    const tail = Buffer.alloc(8)
    data.copy(tail, 0, whole)
    h = ((h ^ tail.readBigUInt64LE()) * FACTOR) & MASK
  }
  h = ((h ^ (h >> 47n)) * FACTOR) & MASK
  return h ^ (h >> 47n)
}

function indexAndRank(hash: bigint): [number, number] {
  let rank = 1
  for (let rest = (hash >> 14n) | (1n << 50n); (rest & 1n) === 0n; rest >>= 1n) rank++
  return [Number(hash & 0x3fffn), rank]
}

function registersOf(hll: HyperLogLog): number[] {
  hll.clearRegisters()
  expect(hll.merge(hll.bytes, 0, hll.length)).toBe(true)
  return [...hll.registers]
}

seededTest('elements find the register and the rank that their hash says', 20, (random) => {
  const hll = new HyperLogLog()
  for (let i = 0; i < 300; i++) {
    const bytes = Uint8Array.from({ length: 3 + random.below(40) }, () => random.below(256))
    hll.hash(bytes, 2, bytes.length - 3)
    expect([hll.index, hll.rank]).toEqual(indexAndRank(murmur(bytes.subarray(2, bytes.length - 1))))
  }
})

test('many elements have ranks up to what their number makes likely', () => {
  const hll = new HyperLogLog()
  let most = 0
  for (let i = 0; i < 200_000; i++) {
    const element = Buffer.from(String(i))
    hll.hash(element, 0, element.length)
    most = Math.max(most, hll.rank)
  }
  expect(most).toBeGreaterThan(14)
  expect(most).toBeLessThanOrEqual(51)
})

seededTest('registers are what an array would hold, sparse and dense', 20, (random) => {
  const hll = new HyperLogLog()
  const expected = new Uint8Array(HLL_REGISTERS)
  const sparseBytesMax = [0, 100, 1000, 3000, 20_000][random.below(5)]!
  hll.clear()
  const spread = [16, 300, HLL_REGISTERS][random.below(3)]!
  const steps = random.below(3000)
  for (let i = 0; i < steps; i++) {
    const index = random.below(spread)
    const rank = 1 + random.below(random.below(50) === 0 ? 51 : 6)
    const result = hll.raise(index, rank, sparseBytesMax)
    if (result !== (rank > expected[index]! ? HLL_CHANGED : HLL_UNCHANGED)) expect.fail(`register ${index}`)
    expected[index] = Math.max(expected[index]!, rank)
    if (!hll.isDense && hll.length > Math.max(sparseBytesMax, 18)) expect.fail(`${hll.length} bytes`)
  }
  expect(registersOf(hll)).toEqual([...expected])
  const count = hll.count(hll.bytes, 0, hll.length)
  expect(hll.countRegisters()).toBe(count)
  expect(hll.makeDense()).toBe(true)
  expect(hll.length).toBe(HLL_DENSE_BYTES)
  expect(Array.from(expected, (_, i) => denseRegister(hll.bytes, 0, i))).toEqual([...expected])
  expect(hll.count(hll.bytes, 0, hll.length)).toBe(count)
})

describe('sparse values', () => {
  function withRaised(...raised: readonly (readonly [index: number, rank: number])[]): string {
    const hll = new HyperLogLog()
    hll.clear()
    for (const [index, rank] of raised) hll.raise(index, rank, 3000)
    return hll.isDense ? 'dense' : decodeSparse(hll.bytes, 0, hll.length)
  }

  test('begin without elements', () => {
    expect(withRaised()).toBe('Z:16384')
  })

  test('are split where an element falls', () => {
    expect(withRaised([0, 1])).toBe('v:1,1 Z:16383')
    expect(withRaised([16383, 32])).toBe('Z:16383 v:32,1')
    expect(withRaised([64, 2])).toBe('z:64 v:2,1 Z:16319')
    expect(withRaised([65, 2])).toBe('Z:65 v:2,1 Z:16318')
    expect(withRaised([100, 2], [50, 3])).toBe('z:50 v:3,1 z:49 v:2,1 Z:16283')
  })

  test('join equal neighbours, four at most', () => {
    expect(withRaised([1, 2], [3, 2], [2, 2])).toBe('z:1 v:2,3 Z:16380')
    expect(withRaised([0, 2], [1, 2], [2, 2], [3, 2], [4, 2])).toBe('v:2,4 v:2,1 Z:16379')
    expect(withRaised([0, 2], [1, 2], [2, 2], [1, 5])).toBe('v:2,1 v:5,1 v:2,1 Z:16381')
  })

  test('become dense with a rank above 32', () => {
    expect(withRaised([0, 32])).toBe('v:32,1 Z:16383')
    expect(withRaised([0, 33])).toBe('dense')
  })
})

test('headers say what is a HyperLogLog', () => {
  const is = (text: string): boolean => isHyperLogLog(Buffer.from(text, 'latin1'), 0, text.length)
  expect(is(`HYLL\x01${'\0'.repeat(11)}`)).toBe(true)
  expect(is(`HYLL\x01${'\0'.repeat(10)}`)).toBe(false)
  expect(is(`HYLL\x02${'\0'.repeat(11)}`)).toBe(false)
  expect(is(`HYLL\0${'\0'.repeat(11)}`)).toBe(false)
  expect(is(`HYLL\0${'\0'.repeat(HLL_DENSE_BYTES - 5)}`)).toBe(true)
  expect(is(`HYLK\x01${'\0'.repeat(11)}`)).toBe(false)
})

test('counts are kept until they are out of date', () => {
  const bytes = new Uint8Array(20)
  cacheCount(bytes, 2, 0x0102_0304_0506_0708n)
  expect(Buffer.from(bytes).toString('hex')).toBe('00000000000000000000080706050403020100000000'.slice(0, 40))
  expect(cachedCount(bytes, 2)).toBe(0x0102_0304_0506_0708n)
  invalidateCount(bytes, 2)
  expect(cachedCount(bytes, 2)).toBe(null)
})

seededTest('corrupt values are read within their bytes', 30, (random) => {
  const hll = new HyperLogLog()
  for (let round = 0; round < 100; round++) {
    const bytes = Uint8Array.from({ length: 16 + random.below(300) }, () => random.below(256))
    bytes.set(Buffer.from('HYLL\x01'))
    hll.load(bytes, 0, bytes.length)
    hll.clearRegisters()
    const isSound = hll.merge(bytes, 0, bytes.length)
    expect(hll.count(bytes, 0, bytes.length) !== null).toBe(isSound)
    const result = hll.raise(random.below(HLL_REGISTERS), 1 + random.below(40), 3000)
    if (isSound) expect(result).not.toBe(HLL_CORRUPT)
    expect(hll.length).toBeLessThanOrEqual(Math.max(bytes.length + 4, HLL_DENSE_BYTES))
  }
})

test('the self-test finds nothing', { timeout: 60_000 }, () => {
  expect(hyperLogLogFault(Random.fromSeed(1), 3000, 1_000_000)).toBe(null)
})
