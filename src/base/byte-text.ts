/**
 * Small conversions between bytes and text. Words of the protocol are ASCII and compared without case; names that may hold
 * any bytes become Latin-1 strings, one character per byte, so that nothing is lost.
 */
import { fixedText } from './double-text.ts'

/** Whether the bytes are the word, in any case. `upper` must be upper-case ASCII. Hot path: option words of commands. */
export function equalsIgnoreCase(buf: Uint8Array, start: number, end: number, upper: string): boolean {
  const length = end - start
  if (length !== upper.length) return false
  for (let i = 0; i < length; i++) {
    let byte = buf[start + i]!
    if (byte >= 0x61 && byte <= 0x7a) byte -= 0x20
    if (byte !== upper.charCodeAt(i)) return false
  }
  return true
}

/** Whether two ranges hold the same bytes, ASCII letters compared without case. */
export function rangesEqualIgnoreCase(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  const length = aEnd - aStart
  if (length !== bEnd - bStart) return false
  for (let i = 0; i < length; i++) {
    const x = a[aStart + i]!
    const y = b[bStart + i]!
    if (x !== y && upperByte(x) !== upperByte(y)) return false
  }
  return true
}

/** One character per byte. */
export function latin1Text(buf: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_TEXT_BYTES)
    return Buffer.from(buf.buffer, buf.byteOffset + start, end - start).toString('latin1')
  let text = ''
  for (let at = start; at < end; at++) text += String.fromCharCode(buf[at]!)
  return text
}

/** One byte per character, for text of characters below 256. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** The text whose UTF-8 form these bytes are. */
export function utf8Text(buf: Uint8Array, start: number, end: number): string {
  return Buffer.from(buf.buffer, buf.byteOffset + start, end - start).toString('utf8')
}

export function utf8Bytes(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

/** One character per byte of the text's UTF-8: as names stand beside bytes that are no text. */
export function utf8AsLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** An amount of memory as INFO shows it: 1023B, 1.00K, 2.50M. */
export function bytesToHuman(sizeBytes: number): string {
  let unitBytes = 1024
  for (const unit of 'KMGTP') {
    if (sizeBytes < unitBytes) break
    if (sizeBytes < unitBytes * 1024) return fixedText(sizeBytes / unitBytes, 2) + unit
    unitBytes *= 1024
  }
  return `${BigInt(sizeBytes)}B`
}

/** Up to here a loop is faster than wrapping the range in a Buffer (measured, Node 20). */
const SHORT_TEXT_BYTES = 24

function upperByte(byte: number): number {
  return byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte
}
