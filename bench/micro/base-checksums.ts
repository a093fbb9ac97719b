/**
 * CRC-64, LZF and SHA-1: CPU per call, and MiB per second where the input is large.
 * Run: node scripts/run-ts.mjs bench/micro/base-checksums.ts
 */
import { createHash } from 'node:crypto'
import { Crc64 } from '../../src/base/crc64.ts'
import { LzfCompressor, lzfDecompress } from '../../src/base/lzf.ts'
import { Sha1 } from '../../src/base/sha1.ts'
import { measure } from './measure.ts'

const MIB = 1024 * 1024
const noise = Buffer.from(Array.from({ length: MIB }, (_, i) => (i * 7919) >>> 3))
const words = ['{"id":', ',"name":"', '"}', 'alpha', 'beta', 'gamma', '12', '345']
const json = Buffer.from(Array.from({ length: 400 }, (_, i) => words[(i * i + i * 7) % words.length]).join(''))
const crc = new Crc64()
const lzf = new LzfCompressor()
const sha1 = new Sha1()
const packed = Buffer.alloc(json.length)
const packedLength = lzf.compress(json, 0, json.length, packed, 0, json.length - 4)
const out = Buffer.alloc(json.length)

measure('crc64, 1 MiB', () => crc.update(noise, 0, MIB), MIB)
measure('crc64, 40 bytes', () => crc.update(noise, 0, 40))
measure(
  `lzf compress, ${json.length} bytes of JSON`,
  () => void lzf.compress(json, 0, json.length, packed, 0, json.length - 4),
  json.length,
)
measure('lzf compress, 64 bytes of JSON', () => void lzf.compress(json, 0, 64, out, 0, 60))
measure('lzf decompress', () => void lzfDecompress(packed, 0, packedLength, out, 0, json.length), json.length)
measure('sha1, 16 bytes', () => sha1.digestInto(noise, 0, 16, out, 0))
measure('sha1, 64 bytes', () => sha1.digestInto(noise, 0, 64, out, 0))
measure('sha1, 256 bytes', () => sha1.digestInto(noise, 0, 256, out, 0))
measure('node:crypto sha1, 16 bytes', () => void createHash('sha1').update(noise.subarray(0, 16)).digest())
measure('node:crypto sha1, 256 bytes', () => void createHash('sha1').update(noise.subarray(0, 256)).digest())
