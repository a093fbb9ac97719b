/**
 * Glob patterns as KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET and ACL rules use them: `*`, `?`, `[a-z]`, `[^...]`, `\`
 * escapes, over bytes. Follows Redis in its corners too: bytes count as C's signed char in a range, a class without an
 * end is closed by the end of the pattern, a pattern that is not empty never matches an empty text, and more than
 * 1000 nested stars never match. Once the rest of a pattern has failed against every tail of the text, no earlier star is
 * tried further, so that a*a*a*b costs at most pattern length times text length squared.
 *
 * Hot path (KEYS over all keys): no allocation. bench/micro/base-text.ts.
 */
const STAR = 0x2a
const QUESTION = 0x3f
const OPEN = 0x5b
const CLOSE = 0x5d
const CARET = 0x5e
const DASH = 0x2d
const BACKSLASH = 0x5c
const NESTING_MAX = 1000

const NO_MATCH = 0
const MATCH = 1
/** No match, nor with any longer match for the stars before. */
const NO_MATCH_AT_ALL = 2

export function globMatch(
  pattern: Uint8Array,
  patternStart: number,
  patternEnd: number,
  text: Uint8Array,
  textStart: number,
  textEnd: number,
  nocase: boolean,
): boolean {
  return matchFrom(pattern, patternStart, patternEnd, text, textStart, textEnd, nocase, 0) === MATCH
}

function matchFrom(
  pattern: Uint8Array,
  patternStart: number,
  patternEnd: number,
  text: Uint8Array,
  textStart: number,
  textEnd: number,
  nocase: boolean,
  nesting: number,
): number {
  if (nesting > NESTING_MAX) return NO_MATCH
  let p = patternStart
  let t = textStart
  while (p < patternEnd && t < textEnd) {
    let byte = pattern[p]!
    if (byte === STAR) {
      while (p + 1 < patternEnd && pattern[p + 1] === STAR) p++
      if (p + 1 === patternEnd) return MATCH
      for (; t < textEnd; t++) {
        const result = matchFrom(pattern, p + 1, patternEnd, text, t, textEnd, nocase, nesting + 1)
        if (result !== NO_MATCH) return result
      }
      return NO_MATCH_AT_ALL
    }
    if (byte === OPEN) {
      const negated = p + 1 < patternEnd && pattern[p + 1] === CARET
      const first = negated ? p + 2 : p + 1
      if (classHolds(pattern, first, patternEnd, text[t]!, nocase) === negated) return NO_MATCH
      p = endOfClass(pattern, first, patternEnd)
    } else if (byte === QUESTION) {
      p++
    } else {
      if (byte === BACKSLASH && p + 1 < patternEnd) byte = pattern[++p]!
      if (byte !== text[t] && !(nocase && lower(byte) === lower(text[t]!))) return NO_MATCH
      p++
    }
    t++
  }
  if (t === textEnd && t !== textStart) while (p < patternEnd && pattern[p] === STAR) p++
  return p === patternEnd && t === textEnd ? MATCH : NO_MATCH
}

/** Whether a class, its bytes starting at `at`, names the byte. */
function classHolds(pattern: Uint8Array, at: number, patternEnd: number, byte: number, nocase: boolean): boolean {
  let p = at
  let holds = false
  while (p < patternEnd) {
    const left = patternEnd - p
    const named = pattern[p]!
    if (named === BACKSLASH && left >= 2) {
      // An escaped byte is compared as it stands, whatever the case rule.
      if (pattern[p + 1] === byte) holds = true
      p += 2
    } else if (named === CLOSE) {
      break
    } else if (left >= 3 && pattern[p + 1] === DASH) {
      if (rangeHolds(named, pattern[p + 2]!, byte, nocase)) holds = true
      p += 3
    } else {
      if (named === byte || (nocase && lower(named) === lower(byte))) holds = true
      p++
    }
  }
  return holds
}

/** Offset after the class: after its bracket, or the end of the pattern. */
function endOfClass(pattern: Uint8Array, at: number, patternEnd: number): number {
  let p = at
  while (p < patternEnd) {
    const left = patternEnd - p
    if (pattern[p] === BACKSLASH && left >= 2) p += 2
    else if (pattern[p] === CLOSE) return p + 1
    else p += left >= 3 && pattern[p + 1] === DASH ? 3 : 1
  }
  return patternEnd
}

function rangeHolds(from: number, to: number, byte: number, nocase: boolean): boolean {
  let low = signedChar(from)
  let high = signedChar(to)
  let char = signedChar(byte)
  if (low > high) {
    const swap = low
    low = high
    high = swap
  }
  if (nocase) {
    low = signedLower(low)
    high = signedLower(high)
    char = signedLower(char)
  }
  return char >= low && char <= high
}

function signedChar(byte: number): number {
  return (byte << 24) >> 24
}

/** glibc's tolower of a char: its table answers negative characters with their unsigned value, all but EOF. */
function signedLower(char: number): number {
  return char < -1 ? char + 256 : lower(char)
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
}
