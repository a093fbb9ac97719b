/**
 * Counting, searching and combining bits of 1 MiB in the arena's shared memory.
 * Run: node scripts/run-ts.mjs bench/micro/bits.ts
 */
import { combine, countOnes, findBit, OP_AND, readField, writeField } from '../../src/commands/bitmap/bits.ts'
import { LongBits } from '../../src/commands/bitmap/long-bits.ts'
import { measure } from './measure.ts'

const LENGTH = 1024 * 1024
const memory = new SharedArrayBuffer(4 * LENGTH)
const bytes = new Uint8Array(memory)
const words = new Int32Array(memory)
for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i, 0x9e37_79b1) >>> 24
const zeros = new Uint8Array(new SharedArrayBuffer(LENGTH))
const zeroWords = new Int32Array(zeros.buffer)
const long = new LongBits()
const result = new Uint8Array(LENGTH)
const sources = [3, 6].map((at) => ({ bytes, at, length: LENGTH }))

measure('countOnes, 1 MiB, unaligned, kernel', () => long.countOnes(words, bytes, 3, LENGTH), LENGTH)
measure('countOnes, 1 MiB, unaligned, JavaScript', () => countOnes(words, bytes, 3, LENGTH), LENGTH)
measure('findBit, 1 MiB of zeros', () => findBit(zeroWords, zeros, 0, 0, LENGTH * 8 - 1, 1), LENGTH)
measure('combine AND, twice 1 MiB, unaligned, kernel', () => long.combine(OP_AND, result, sources), LENGTH)
measure('combine AND, twice 1 MiB, unaligned, JavaScript', () => combine(OP_AND, result, sources), LENGTH)
measure('readField, 17 bits', (i) => void readField(bytes, 0, LENGTH, i & 0xffff, 17))
measure('writeField, 17 bits', (i) => writeField(bytes, 0, i & 0xffff, 17, i & 0x1_ffff))
