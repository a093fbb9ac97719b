/**
 * What PFSELFTEST does: registers keep what they are set to beside each other; sparse and dense values agree; estimates of
 * up to ten million elements are off by less than six times the standard error.
 * Cost: seconds, as in Redis.
 */
import type { Random } from '../base/random.ts'
import {
  denseRegister,
  HLL_DENSE_BYTES,
  HLL_REGISTER_MAX,
  HLL_REGISTERS,
  HyperLogLog,
  raiseDense,
  setDense,
} from './hyperloglog.ts'

const REGISTER_ROUNDS = 1000
const ELEMENTS = 10_000_000
const ELEMENT_BYTES = 8
const STANDARD_ERROR = 1.04 / Math.sqrt(HLL_REGISTERS)
const ERRORS_MAX = 6

/** Null if all is well. */
export function hyperLogLogFault(random: Random, sparseBytesMax: number, elements = ELEMENTS): string | null {
  const dense = new Uint8Array(HLL_DENSE_BYTES)
  return registerFault(random, dense) ?? estimateFault(random, dense.fill(0), sparseBytesMax, elements)
}

function registerFault(random: Random, dense: Uint8Array): string | null {
  const expected = new Uint8Array(HLL_REGISTERS)
  for (let round = 0; round < REGISTER_ROUNDS; round++) {
    for (let i = 0; i < HLL_REGISTERS; i++) {
      const rank = random.int32() & HLL_REGISTER_MAX
      expected[i] = rank
      setDense(dense, 0, i, rank)
    }
    for (let i = 0; i < HLL_REGISTERS; i++) {
      const rank = denseRegister(dense, 0, i)
      if (rank !== expected[i]) return `Register ${i} should be ${expected[i]} but is ${rank}`
    }
  }
  return null
}

function estimateFault(random: Random, dense: Uint8Array, sparseBytesMax: number, elements: number): string | null {
  const hll = new HyperLogLog()
  hll.clear()
  const element = new Uint8Array(ELEMENT_BYTES)
  const words = new Int32Array(element.buffer)
  const seed = random.int32()
  words[1] = random.int32()
  let checkpoint = 1
  for (let n = 1; n <= elements; n++) {
    words[0] = n ^ seed
    hll.hash(element, 0, ELEMENT_BYTES)
    raiseDense(dense, 0, hll.index, hll.rank)
    hll.raise(hll.index, hll.rank, sparseBytesMax)
    if (n !== checkpoint) continue
    if (n < sparseBytesMax / 2 && hll.isDense) return 'sparse encoding not used'
    const count = hll.count(dense, 0, HLL_DENSE_BYTES)
    if (count !== hll.count(hll.bytes, 0, hll.length)) return 'dense/sparse disagree'
    const error = Math.abs(n - Number(count))
    // At ten, two elements for one register are not that unlikely.
    const errorMax = n === 10 ? 1 : Math.ceil(STANDARD_ERROR * ERRORS_MAX * n)
    if (error > errorMax) return `Too big error. card:${n} abserr:${error}`
    checkpoint *= 10
  }
  return null
}
