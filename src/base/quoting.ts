/**
 * Words with quotes: how configuration lines and inline commands are split (sdssplitargs), and how arguments are shown in
 * SLOWLOG, MONITOR, CONFIG REWRITE and log lines (sdscatrepr). Both work on bytes; what is shown is plain ASCII.
 */
import { digitValue, endOfCString, isSpace } from './int64-text.ts'

const DOUBLE_QUOTE = 0x22
const SINGLE_QUOTE = 0x27
const BACKSLASH = 0x5c
const LOWER_X = 0x78

/**
 * Splits a line into words at spaces. In "double quotes" \n \r \t \b \a and \xHH are escapes and a backslash takes any other
 * byte as it is; in 'single quotes' only \' is. A quote may open anywhere in a word, but after the closing one there must be
 * a space or the end: if not, or if it never closes, the answer is null. A NUL ends the line, as it ends a C string.
 */
export function splitArgs(buf: Uint8Array, start: number, end: number): Uint8Array[] | null {
  const stop = endOfCString(buf, start, end)
  const words: Uint8Array[] = []
  // No word is longer than what it is written as.
  const word = new Uint8Array(stop - start)
  let at = start
  while (true) {
    while (at < stop && isSpace(buf[at]!)) at++
    if (at === stop) return words
    let length = 0
    let quote = 0
    while (true) {
      if (at === stop) {
        if (quote !== 0) return null
        break
      }
      const byte = buf[at]!
      if (quote === 0) {
        if (endsWord(byte)) break
        if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) quote = byte
        else word[length++] = byte
        at++
      } else if (byte === quote) {
        at++
        if (at < stop && !isSpace(buf[at]!)) return null
        break
      } else if (byte === BACKSLASH && at + 1 < stop && quote === DOUBLE_QUOTE) {
        if (isHexEscape(buf, at, stop)) {
          word[length++] = digitValue(buf[at + 2]!) * 16 + digitValue(buf[at + 3]!)
          at += 4
        } else {
          word[length++] = unescaped(buf[at + 1]!)
          at += 2
        }
      } else if (byte === BACKSLASH && at + 1 < stop && buf[at + 1] === SINGLE_QUOTE) {
        word[length++] = SINGLE_QUOTE
        at += 2
      } else {
        word[length++] = byte
        at++
      }
    }
    words.push(word.slice(0, length))
  }
}

/** splitArgs for text that is UTF-8 outside. */
export function splitArgsText(line: string): string[] | null {
  const bytes = Buffer.from(line, 'utf8')
  return splitArgs(bytes, 0, bytes.length)?.map((word) => Buffer.from(word).toString('utf8')) ?? null
}

/** The bytes in double quotes, everything that is not printable ASCII escaped. */
export function reprText(buf: Uint8Array, start: number, end: number): string {
  let text = '"'
  for (let at = start; at < end; at++) text += shown(buf[at]!)
  return text + '"'
}

/** Whether reprText would escape something, or splitArgs would split: then a word must be written with quotes. */
export function needsRepr(buf: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = buf[at]!
    if (byte <= 0x20 || byte >= 0x7f || byte === BACKSLASH || byte === DOUBLE_QUOTE) return true
  }
  return false
}

function shown(byte: number): string {
  switch (byte) {
    case BACKSLASH:
      return '\\\\'
    case DOUBLE_QUOTE:
      return '\\"'
    case 0x0a:
      return '\\n'
    case 0x0d:
      return '\\r'
    case 0x09:
      return '\\t'
    case 0x07:
      return '\\a'
    case 0x08:
      return '\\b'
    default:
      if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte)
      return '\\x' + (byte < 16 ? '0' : '') + byte.toString(16)
  }
}

/** Between words every space of C counts, but only these four end a word that is not quoted. */
function endsWord(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isHexEscape(buf: Uint8Array, at: number, stop: number): boolean {
  return at + 3 < stop && buf[at + 1] === LOWER_X && digitValue(buf[at + 2]!) < 16 && digitValue(buf[at + 3]!) < 16
}

function unescaped(byte: number): number {
  switch (byte) {
    case 0x6e:
      return 0x0a
    case 0x72:
      return 0x0d
    case 0x74:
      return 0x09
    case 0x62:
      return 0x08
    case 0x61:
      return 0x07
    default:
      return byte
  }
}
