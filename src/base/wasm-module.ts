/**
 * A WebAssembly module of one function and one page of memory, put together from instructions. For the few loops that need
 * 64-bit integers, which JavaScript has only as objects.
 *
 * Source: WebAssembly Core Specification 1.0, binary format.
 */

// Instructions, by their names in the text format.
export const BLOCK = 0x02
export const LOOP = 0x03
export const END = 0x0b
export const BR = 0x0c
export const BR_IF = 0x0d
export const LOCAL_GET = 0x20
export const LOCAL_SET = 0x21
export const LOCAL_TEE = 0x22
export const I64_LOAD = 0x29
export const I64_STORE = 0x37
export const I32_CONST = 0x41
export const I64_CONST = 0x42
export const I32_GE_U = 0x4f
export const I32_ADD = 0x6a
export const I32_AND = 0x71
export const I32_SHL = 0x74
export const I64_XOR = 0x85
export const I64_SHR_U = 0x88
export const I32_WRAP_I64 = 0xa7

export const I32 = 0x7f
export const I64 = 0x7e
/** The type of a block without a result. */
export const VOID = 0x40

const SECTION_TYPE = 1
const SECTION_FUNCTION = 3
const SECTION_MEMORY = 5
const SECTION_EXPORT = 7
const SECTION_CODE = 10
const FUNCTION_TYPE = 0x60
const EXPORT_FUNCTION = 0
const EXPORT_MEMORY = 2

export const PAGE_BYTES = 65_536

declare const wasmModule: unique symbol
export type WasmModule = object & { readonly [wasmModule]?: never }

export interface WasmExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  run(start: number, end: number): void
}

/** As far as it is used here: Node's types do not have it. */
interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (module: WasmModule) => { readonly exports: WasmExports }
}

const API = (globalThis as { WebAssembly?: WasmApi }).WebAssembly

/** Null where there is no WebAssembly (node --jitless). */
export function compile(bytes: Uint8Array): WasmModule | null {
  return API === undefined ? null : new API.Module(bytes)
}

export function instantiate(module: WasmModule): WasmExports {
  return new API!.Instance(module).exports
}

/** An unsigned number of an instruction: offsets, indices. */
export function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest & 127) | 128)
    rest >>>= 7
  }
  return [...bytes, rest]
}

/** A signed number: what constants are. */
export function signed(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest < -64 || rest > 63) {
    bytes.push((rest & 127) | 128)
    rest >>= 7
  }
  return [...bytes, rest & 127]
}

/**
 * A module that exports `memory` and the function `run`, which takes `parameters`, has further `locals` and no result.
 * `body` ends with END.
 */
export function moduleBytes(
  parameters: readonly number[],
  locals: readonly number[],
  body: readonly number[],
): Uint8Array<ArrayBuffer> {
  const localsAndBody = [...list(locals.map((type) => [1, type])), ...body]
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(SECTION_TYPE, list([[FUNCTION_TYPE, ...list(parameters.map((type) => [type])), 0]])),
    ...section(SECTION_FUNCTION, list([[0]])),
    ...section(SECTION_MEMORY, list([[0, 1]])),
    ...section(
      SECTION_EXPORT,
      list([
        [...name('memory'), EXPORT_MEMORY, 0],
        [...name('run'), EXPORT_FUNCTION, 0],
      ]),
    ),
    ...section(SECTION_CODE, list([[...unsigned(localsAndBody.length), ...localsAndBody]])),
  ])
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()]
}

function name(text: string): number[] {
  return [...unsigned(text.length), ...Buffer.from(text)]
}
