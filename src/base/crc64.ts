/**
 * CRC-64 with the Jones polynomial, reflected, start 0 and no final inversion: what ends RDB files and DUMP payloads.
 * A 64-bit state is two 32-bit words here. Eight bytes at a time ("slicing by eight"): the state is xored into them, and
 * each of the eight then contributes one table entry, since a CRC is linear.
 *
 * Long ranges do it in WebAssembly, where a state and a table entry are one 64-bit word each.
 * Hot path: bench/micro/base-checksums.ts. Source: RDB format; Intel, "High Octane CRC Generation with the Slicing-by-8
 * Algorithm".
 */
import {
  BLOCK,
  BR,
  BR_IF,
  compile,
  END,
  I32,
  I32_ADD,
  I32_AND,
  I32_CONST,
  I32_GE_U,
  I32_SHL,
  I32_WRAP_I64,
  I64,
  I64_CONST,
  I64_LOAD,
  I64_SHR_U,
  I64_STORE,
  I64_XOR,
  instantiate,
  LOCAL_GET,
  LOCAL_SET,
  LOOP,
  moduleBytes,
  PAGE_BYTES,
  signed,
  unsigned,
  VOID,
  type WasmModule,
} from './wasm-module.ts'

const POLYNOMIAL = 0x95ac9329ac4bc9b5n

/** Shorter ranges are not worth the DataView (measured, Node 20). */
const SLICED_BYTES_MIN = 64

/** TABLE_LOW[s * 256 + b] and TABLE_HIGH: what byte b adds when s more bytes follow it. */
const TABLES = makeTables()
const TABLE_LOW = TABLES.low
const TABLE_HIGH = TABLES.high

/** Ranges from this size on go to the WebAssembly loop: 1000 MB/s instead of 450 (measured, Node 20). */
const WASM_BYTES_MIN = 4096
/** A range from this size on is worth setting it up. */
const WASM_FIRST_BYTES_MIN = 256 * 1024
/** The page of memory: the state, the tables as 64-bit words, bytes. */
const WASM_TABLES_AT = 8
const WASM_BYTES_AT = WASM_TABLES_AT + 8 * 256 * 8
const WASM_MODULE = makeWasmModule()

export class Crc64 {
  /** The two halves of the checksum so far, signed 32-bit integers. */
  low = 0
  high = 0
  private wasm: Crc64Wasm | null = null

  reset(): void {
    this.low = 0
    this.high = 0
  }

  update(buf: Uint8Array, start: number, end: number): void {
    const wasm = end - start >= WASM_BYTES_MIN ? this.wasmFor(end - start) : null
    if (wasm !== null) {
      wasm.update(this, buf, start, end)
      return
    }
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

  private wasmFor(sizeBytes: number): Crc64Wasm | null {
    if (this.wasm === null && sizeBytes >= WASM_FIRST_BYTES_MIN && WASM_MODULE !== null) {
      this.wasm = new Crc64Wasm(WASM_MODULE)
    }
    return this.wasm
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

/** The same with 64-bit words, for long ranges. */
class Crc64Wasm {
  private readonly bytes: Uint8Array
  private readonly state: Int32Array
  private readonly run: (start: number, end: number) => void

  constructor(module: WasmModule) {
    const { memory, run } = instantiate(module)
    this.bytes = new Uint8Array(memory.buffer)
    this.state = new Int32Array(memory.buffer, 0, 2)
    this.run = run
    const tables = new DataView(memory.buffer, WASM_TABLES_AT)
    for (let i = 0; i < TABLE_LOW.length; i++) {
      tables.setInt32(8 * i, TABLE_LOW[i]!, true)
      tables.setInt32(8 * i + 4, TABLE_HIGH[i]!, true)
    }
  }

  update(crc: Crc64, buf: Uint8Array, start: number, end: number): void {
    const { bytes, state } = this
    const room = PAGE_BYTES - WASM_BYTES_AT
    const whole = end - ((end - start) % 8)
    // Words of the state are in the machine's order, which for WebAssembly is little endian on all machines that Node runs on.
    state[0] = crc.low
    state[1] = crc.high
    for (let at = start; at < whole; at += room) {
      const count = Math.min(room, whole - at)
      bytes.set(buf.subarray(at, at + count), WASM_BYTES_AT)
      this.run(WASM_BYTES_AT, WASM_BYTES_AT + count)
    }
    crc.low = state[0]!
    crc.high = state[1]!
    crc.update(buf, whole, end)
  }
}

/** run(start, end): the bytes there, a multiple of eight, into the state. Null where there is no WebAssembly. */
function makeWasmModule(): WasmModule | null {
  const [at, end, state] = [0, 1, 2]
  // table[7 - n][byte n of the state]
  const entry = (n: number) => [
    ...[LOCAL_GET, state, ...(n === 0 ? [] : [I64_CONST, ...signed(8 * n), I64_SHR_U]), I32_WRAP_I64],
    ...[I32_CONST, ...signed(255), I32_AND, I32_CONST, 3, I32_SHL],
    ...[I64_LOAD, 3, ...unsigned(WASM_TABLES_AT + (7 - n) * 2048)],
  ]
  const pair = (n: number) => [...entry(n), ...entry(n + 1), I64_XOR]
  return compile(
    moduleBytes(
      [I32, I32],
      [I64],
      [
        ...[I32_CONST, 0, I64_LOAD, 3, 0, LOCAL_SET, state],
        ...[BLOCK, VOID, LOOP, VOID],
        ...[LOCAL_GET, at, LOCAL_GET, end, I32_GE_U, BR_IF, 1],
        ...[LOCAL_GET, state, LOCAL_GET, at, I64_LOAD, 0, 0, I64_XOR, LOCAL_SET, state],
        ...[...pair(0), ...pair(2), I64_XOR, ...pair(4), ...pair(6), I64_XOR, I64_XOR, LOCAL_SET, state],
        ...[LOCAL_GET, at, I32_CONST, 8, I32_ADD, LOCAL_SET, at, BR, 0],
        ...[END, END],
        ...[I32_CONST, 0, LOCAL_GET, state, I64_STORE, 3, 0, END],
      ],
    ),
  )
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
