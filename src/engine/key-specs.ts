/**
 * Key specifications: where the keys of a command stand among its arguments and what happens to them. Also the one
 * range (first key, last key, step) that COMMAND INFO tells clients from before key specifications.
 * Source: Redis's key specifications (redis.io/docs/reference/key-specs).
 */

/** What a command does to the keys of a key spec. */
export const KEY_RO = 1 << 0
export const KEY_RW = 1 << 1
export const KEY_OW = 1 << 2
export const KEY_RM = 1 << 3
export const KEY_ACCESS = 1 << 4
export const KEY_UPDATE = 1 << 5
export const KEY_INSERT = 1 << 6
export const KEY_DELETE = 1 << 7
export const KEY_NOT_KEY = 1 << 8
export const KEY_INCOMPLETE = 1 << 9
export const KEY_VARIABLE_FLAGS = 1 << 10

export const KEY_FLAG_NAMES: readonly (readonly [number, string])[] = [
  [KEY_RO, 'RO'],
  [KEY_RW, 'RW'],
  [KEY_OW, 'OW'],
  [KEY_RM, 'RM'],
  [KEY_ACCESS, 'access'],
  [KEY_UPDATE, 'update'],
  [KEY_INSERT, 'insert'],
  [KEY_DELETE, 'delete'],
  [KEY_NOT_KEY, 'not_key'],
  [KEY_INCOMPLETE, 'incomplete'],
  [KEY_VARIABLE_FLAGS, 'variable_flags'],
]

export type BeginSearch =
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'keyword'; readonly keyword: string; readonly startFrom: number }
  | { readonly kind: 'unknown' }

export type FindKeys =
  | { readonly kind: 'range'; readonly lastKey: number; readonly step: number; readonly limit: number }
  | { readonly kind: 'keynum'; readonly keyNumIndex: number; readonly firstKey: number; readonly step: number }
  | { readonly kind: 'unknown' }

/** Where keys stand among the arguments: Redis's key specification. */
export interface KeySpec {
  readonly flags: number
  readonly begin: BeginSearch
  readonly find: FindKeys
  readonly notes?: string
}

/** One key at a fixed position. */
export function keyAt(index: number, flags: number): KeySpec {
  return { flags, begin: { kind: 'index', index }, find: { kind: 'range', lastKey: 0, step: 1, limit: 0 } }
}

/** The key that is the first argument, as most commands have it. */
export function firstKey(flags: number): KeySpec {
  return keyAt(1, flags)
}

/** Keys from `index` to `lastKey` (from the end when negative), every `step` arguments. */
export function keyRange(index: number, lastKey: number, step: number, flags: number): KeySpec {
  return { flags, begin: { kind: 'index', index }, find: { kind: 'range', lastKey, step, limit: 0 } }
}

/** What is wrong with a key spec, or null. */
export function keySpecProblem({ begin, find }: KeySpec): string | null {
  if (begin === undefined || find === undefined) return 'begin and find say where keys are'
  const isPlace = (value: number) => Number.isInteger(value) && value >= 1
  if (begin.kind === 'index' && !isPlace(begin.index)) return 'index must be 1 or more'
  if (begin.kind === 'keyword' && (!Number.isInteger(begin.startFrom) || begin.startFrom === 0)) {
    return 'startFrom must be a whole number other than 0'
  }
  if (find.kind === 'unknown') return null
  if (!isPlace(find.step)) return 'step must be 1 or more'
  if (find.kind === 'keynum') {
    const isOffset = (value: number) => Number.isInteger(value) && value >= 0
    return isOffset(find.keyNumIndex) && isOffset(find.firstKey) ? null : 'keyNumIndex and firstKey must be 0 or more'
  }
  if (!Number.isInteger(find.lastKey) || !Number.isInteger(find.limit)) return 'lastKey and limit must be whole numbers'
  if (find.limit < 0 || (find.limit > 0 && find.lastKey !== -1)) return 'a limit goes with lastKey -1 only'
  return null
}

/** A key of a request: its place among the arguments, and flags KEY_*. */
export type KeyPosition = readonly [index: number, flags: number]

export interface LegacyRange {
  readonly firstKey: number
  /** Negative: counted from the end. */
  readonly lastKey: number
  readonly step: number
  /** The range is not all: clients must ask for the keys of each request. */
  readonly isPartial: boolean
}

/** The range that covers the key specs, or as many of them as one range can. */
export function legacyRange(specs: readonly KeySpec[]): LegacyRange {
  if (specs.length === 1) {
    const { begin, find, flags } = specs[0]!
    if (begin.kind === 'index' && find.kind === 'range') {
      const lastKey = find.lastKey < 0 ? find.lastKey : begin.index + find.lastKey
      return { firstKey: begin.index, lastKey, step: find.step, isPartial: (flags & KEY_INCOMPLETE) !== 0 }
    }
  }
  let isPartial = false
  let firstKey = 0
  let lastKey = 0
  for (const { begin, find, flags } of specs) {
    const isPlain = begin.kind === 'index' && find.kind === 'range' && find.step === 1
    if (!isPlain || (lastKey !== 0 && lastKey !== begin.index - 1)) {
      isPartial = true
      continue
    }
    if (flags & KEY_INCOMPLETE) isPartial = true
    firstKey = firstKey === 0 ? begin.index : Math.min(firstKey, begin.index)
    const last = find.lastKey < 0 ? find.lastKey : begin.index + find.lastKey
    // A place counted from the end lies behind all others.
    lastKey = lastKey < 0 === last < 0 ? Math.max(lastKey, last) : Math.min(lastKey, last)
  }
  return { firstKey, lastKey, step: firstKey === 0 ? 0 : 1, isPartial }
}
