/**
 * Copies into, out of and within the arena's shared memory, nanoseconds of CPU per call, beside what V8's `set` takes.
 * Run: node scripts/run-ts.mjs bench/micro/copy-bytes.ts
 */
import { copyBytes, zeroBytes } from '../../src/base/copy-bytes.ts'
import { measure } from './measure.ts'

const shared = new Uint8Array(new SharedArrayBuffer(4 * 1024 * 1024))
const plain = new Uint8Array(4 * 1024 * 1024)

for (const length of [16, 64, 96, 256, 384, 1024, 4096, 65_536, 1_048_576]) {
  measure(`set, shared to plain, ${length} bytes`, () => plain.set(shared.subarray(3, 3 + length), 8), length)
  measure(`copyBytes, shared to plain, ${length} bytes`, () => copyBytes(shared, 3, plain, 8, length), length)
  measure(`copyBytes, plain to shared, ${length} bytes`, () => copyBytes(plain, 3, shared, 8, length), length)
  measure(`zeroBytes, shared, ${length} bytes`, () => zeroBytes(shared, 3, length), length)
}
