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
import { intTextLength, writeUint } from '../base/int64-text.ts'

const CR = 13
const LF = 10
const STAR = 42
const DOLLAR = 36

/** How long the request is. */
export function requestBytes({ count, lengths }: Argv): number {
  let bytes = headBytes(count)
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!
    bytes += headBytes(length) + length + 2
  }
  return bytes
}

/**
 * Where in its bytes a request stands as it would be written, line ends and all; -1 if it stands nowhere so. It ends two
 * bytes behind its last argument. Nearly all that clients send is of this kind, and is copied in one go.
 */
export function plainRequestStart({ count, bytes, starts, lengths }: Argv): number {
  const start = starts[0]! - headBytes(lengths[0]!) - headBytes(count)
  if (start < 0 || bytes[start] !== STAR) return -1
  // The end of the line before.
  let at = start + 2
  if (count < 10) {
    if (bytes[start + 1] !== 48 + count) return -1
  } else if (count < 100) {
    const tens = (count / 10) | 0
    if (bytes[start + 1] !== 48 + tens || bytes[at++] !== 48 + count - tens * 10) return -1
  } else return -1
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!
    const argument = at + 2 + headBytes(length)
    if (starts[i] !== argument || bytes[at] !== CR || bytes[at + 1] !== LF) return -1
    if (bytes[at + 2] !== DOLLAR || bytes[argument - 2] !== CR || bytes[argument - 1] !== LF) return -1
    at = argument + length
  }
  return bytes[at] === CR && bytes[at + 1] === LF ? start : -1
}

/** The length of a request that stands at `start`. */
export function plainRequestBytes({ count, starts, lengths }: Argv, start: number): number {
  return starts[count - 1]! + lengths[count - 1]! + 2 - start
}

function headBytes(value: number): number {
  return 3 + (value < 10 ? 1 : value < 100 ? 2 : intTextLength(value))
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
  const out = new Uint8Array(requestBytes(argv))
  writeRequest(argv, out, 0)
  return out
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
