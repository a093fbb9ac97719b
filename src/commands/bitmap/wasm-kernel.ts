/**
 * Bit work on two areas of bytes, as a WebAssembly module of four functions, written out here: WebAssembly counts ones
 * with one processor instruction per eight bytes and combines sixteen bytes at a time, where JavaScript does four bytes in
 * a dozen steps. The module is made at run time from the few opcodes below, so there is nothing to compile or to ship.
 *
 *   memory, 64 KiB:  | target 32 KiB | source 32 KiB |
 *   and, or, xor(bytes): target = target op source      bytes: a multiple of 16, at least 16
 *   ones(bytes): number of ones in target               bytes: a multiple of 32, at least 32
 *
 * Source: WebAssembly core specification 2.0, chapter 5 (binary format).
 */
export const AREA_BYTES = 32 * 1024

export interface WasmKernel {
  readonly target: Uint8Array
  readonly source: Uint8Array
  readonly and: (bytes: number) => void
  readonly or: (bytes: number) => void
  readonly xor: (bytes: number) => void
  readonly ones: (bytes: number) => number
}

/** What is used of WebAssembly's interface. TypeScript declares it only together with a browser's. */
interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> }
}

/** A kernel with memory of its own, or null where WebAssembly is switched off. */
export function createWasmKernel(): WasmKernel | null {
  try {
    const { Module, Instance } = (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly
    const { exports } = new Instance(new Module(moduleBytes()))
    const { buffer } = exports.memory as { readonly buffer: ArrayBuffer }
    return {
      target: new Uint8Array(buffer, 0, AREA_BYTES),
      source: new Uint8Array(buffer, AREA_BYTES, AREA_BYTES),
      and: exports.and as WasmKernel['and'],
      or: exports.or as WasmKernel['or'],
      xor: exports.xor as WasmKernel['xor'],
      ones: exports.ones as WasmKernel['ones'],
    }
  } catch {
    return null
  }
}

const I32 = 0x7f
const I64 = 0x7e
const LOOP = 0x03
const NO_RESULT = 0x40
const END = 0x0b
const BRANCH_IF = 0x0d
const GET = 0x20
const SET = 0x21
const TEE = 0x22
const I32_CONST = 0x41
const I32_LESS = 0x49
const I32_ADD = 0x6a
const I32_OF_I64 = 0xa7
const I64_LOAD = 0x29
const I64_ONES = 0x7b
const I64_ADD = 0x7c
const SIMD = 0xfd
const V128_LOAD = 0x00
const V128_STORE = 0x0b
const V128_AND = 0x4e
const V128_OR = 0x50
const V128_XOR = 0x51
/** Exponent of the alignment promised to loads and stores. */
const ALIGN_8 = 3
const ALIGN_16 = 4
/** Indexes of the locals: the parameter, the address, the sum. */
const BYTES = 0
const ADDRESS = 1
const SUM = 2

function moduleBytes(): Uint8Array {
  const functions = [combining(V128_AND), combining(V128_OR), combining(V128_XOR), counting()]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    // Types: (i32) -> (), (i32) -> i32. Functions: three of the first, one of the second.
    ...section(1, list([functionType([I32], []), functionType([I32], [I32])])),
    ...section(3, list([[0], [0], [0], [1]])),
    // One page of memory, never more.
    ...section(5, list([[0x01, 1, 1]])),
    ...section(
      7,
      list([exported('memory', 2, 0), ...['and', 'or', 'xor', 'ones'].map((name, i) => exported(name, 0, i))]),
    ),
    ...section(10, list(functions.map((body) => [...unsigned(body.length), ...body]))),
  ])
}

/** do { target[address] op= source[address]; address += 16 } while (address < bytes) */
function combining(operation: number): number[] {
  return [
    ...list([[1, I32]]),
    ...[LOOP, NO_RESULT],
    ...[GET, ADDRESS],
    ...[GET, ADDRESS, SIMD, V128_LOAD, ALIGN_16, ...unsigned(0)],
    ...[GET, ADDRESS, SIMD, V128_LOAD, ALIGN_16, ...unsigned(AREA_BYTES)],
    ...[SIMD, operation],
    ...[SIMD, V128_STORE, ALIGN_16, ...unsigned(0)],
    ...nextAddress(16),
    ...[END, END],
  ]
}

/** do { sum += ones of 4 * 8 bytes; address += 32 } while (address < bytes) */
function counting(): number[] {
  return [
    ...list([
      [1, I32],
      [1, I64],
    ]),
    ...[LOOP, NO_RESULT],
    ...[GET, SUM],
    ...[0, 8, 16, 24].flatMap((at) => [GET, ADDRESS, I64_LOAD, ALIGN_8, ...unsigned(at), I64_ONES, I64_ADD]),
    ...[SET, SUM],
    ...nextAddress(32),
    ...[END, GET, SUM, I32_OF_I64, END],
  ]
}

/** Moves on, and goes back to the start of the loop while there is more. `step` is below 64. */
function nextAddress(step: number): number[] {
  return [GET, ADDRESS, I32_CONST, step, I32_ADD, TEE, ADDRESS, GET, BYTES, I32_LESS, BRANCH_IF, 0]
}

function functionType(parameters: number[], results: number[]): number[] {
  return [0x60, ...list(parameters.map((type) => [type])), ...list(results.map((type) => [type]))]
}

function exported(name: string, kind: number, index: number): number[] {
  return [...list([...Buffer.from(name, 'latin1')].map((letter) => [letter])), kind, index]
}

function section(id: number, content: number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

function list(items: number[][]): number[] {
  return [...unsigned(items.length), ...items.flat()]
}

/** LEB128: seven bits per byte, lowest first. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}
