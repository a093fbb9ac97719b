/**
 * Counting and combining the bits of strings of any length: short ones in JavaScript, long ones by the WebAssembly kernel,
 * made when the first long one comes. One per server, for the kernel has working memory.
 * Hot path: bench/micro/bits.ts.
 */
import { copyBytes } from '../../base/copy-bytes.ts'
import { type ByteRange, combine, countOnes, OP_AND, OP_NOT, OP_OR } from './bits.ts'
import { AREA_BYTES, createWasmKernel, type WasmKernel } from './wasm-kernel.ts'

/** Below this the copy into the kernel's memory costs more than it saves (measured on Node 20). */
const KERNEL_BYTES_MIN = 2048
const COUNT_STEP_BYTES = 32
const COMBINE_STEP_BYTES = 16

export class LongBits {
  private readonly create: () => WasmKernel | null
  private kernel: WasmKernel | null = null
  private isOpen = false

  constructor(create: () => WasmKernel | null = createWasmKernel) {
    this.create = create
  }

  /** As `countOnes`. */
  countOnes(words: Int32Array, bytes: Uint8Array, at: number, length: number): number {
    const kernel = length < KERNEL_BYTES_MIN ? null : this.open()
    if (kernel === null) return countOnes(words, bytes, at, length)
    const { target } = kernel
    let ones = 0
    for (let done = 0; done < length; done += AREA_BYTES) {
      const count = Math.min(length - done, AREA_BYTES)
      const padded = roundUp(count, COUNT_STEP_BYTES)
      copyBytes(bytes, at + done, target, 0, count)
      for (let i = count; i < padded; i++) target[i] = 0
      ones += kernel.ones(padded)
    }
    return ones
  }

  /** As `combine`. */
  combine(op: number, result: Uint8Array, sources: readonly ByteRange[]): void {
    const kernel = result.length < KERNEL_BYTES_MIN ? null : this.open()
    if (kernel === null) return combine(op, result, sources)
    const { target, source } = kernel
    const operate = op === OP_AND ? kernel.and : op === OP_OR ? kernel.or : kernel.xor
    // What is exclusive-or'ed with ones is inverted.
    if (op === OP_NOT) source.fill(0xff)
    for (let done = 0; done < result.length; done += AREA_BYTES) {
      const count = Math.min(result.length - done, AREA_BYTES)
      const padded = roundUp(count, COMBINE_STEP_BYTES)
      load(target, sources[0]!, done, count)
      if (op === OP_NOT) operate(padded)
      for (let i = 1; i < sources.length; i++) {
        load(source, sources[i]!, done, count)
        operate(padded)
      }
      copyBytes(target, 0, result, done, count)
    }
  }

  private open(): WasmKernel | null {
    if (!this.isOpen) {
      this.isOpen = true
      this.kernel = this.create()
    }
    return this.kernel
  }
}

/** Copies `count` bytes of a range from `from` on; zeros follow its end. */
function load(area: Uint8Array, { bytes, at, length }: ByteRange, from: number, count: number): void {
  const held = Math.max(0, Math.min(length - from, count))
  copyBytes(bytes, at + from, area, 0, held)
  area.fill(0, held, count)
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step
}
