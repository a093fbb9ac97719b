/**
 * Small conversions between bytes and text. Names that may hold any bytes become Latin-1 strings, one character per byte, so
 * that nothing is lost.
 */
import { fixedText } from './double-text.ts'

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
