/**
 * Requests as bytes, in the form that the parser reads them in: what goes to replicas and masters, into append-only files
 * and from clients in the same process.
 *
 *   *3\r\n $3\r\nSET\r\n $3\r\nkey\r\n $5\r\nvalue\r\n
 *
 * Hot path: npm run bench, CPU per SET with a replica and with an append-only file.
 */
import type { Argv } from '../base/argv.ts'
import { copyBytes } from '../base/copy-bytes.ts'
import { writeUint } from '../base/int64-text.ts'

/** Type, up to ten digits, and two line ends: what an argument has around it at most, and the count before all of them. */
const AROUND_BYTES_MAX = 16
const CR = 13
const LF = 10
const STAR = 42
const DOLLAR = 36

/** No request with these arguments is longer. */
export function requestBytesMax(argv: Argv): number {
  return (argv.count + 1) * AROUND_BYTES_MAX + argv.totalBytes()
}

/** Writes a request to out[start, ...), where it has room; returns the offset after it. */
export function writeRequest({ count, bytes, starts, lengths }: Argv, out: Uint8Array, start: number): number {
  let at = writeHead(out, start, STAR, count)
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!
    at = writeHead(out, at, DOLLAR, length)
    copyBytes(bytes, starts[i]!, out, at, length)
    at += length
    out[at++] = CR
    out[at++] = LF
  }
  return at
}

export function encodeRequest(argv: Argv): Uint8Array {
  const out = new Uint8Array(requestBytesMax(argv))
  return out.subarray(0, writeRequest(argv, out, 0))
}

function writeHead(out: Uint8Array, start: number, type: number, count: number): number {
  out[start] = type
  let at = start + 1
  if (count < 10) out[at++] = 48 + count
  else if (count < 100) {
    const tens = (count / 10) | 0
    out[at++] = 48 + tens
    out[at++] = 48 + count - tens * 10
  } else at = writeUint(out, at, count)
  out[at++] = CR
  out[at++] = LF
  return at
}
