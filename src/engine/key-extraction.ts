/**
 * Which arguments of a request are keys, found from the key specs of its command, or from its `getKeys` where no spec
 * can say it. For COMMAND GETKEYS, ACL and cluster slots.
 */
import type { Argv } from '../base/argv.ts'
import type { Command } from './command.ts'
import { KEY_INCOMPLETE, KEY_NOT_KEY, KEY_VARIABLE_FLAGS, type KeyPosition, type KeySpec } from './key-specs.ts'

/** Whether a command can have keys at all. */
export function mayHaveKeys(command: Command): boolean {
  return command.getKeys !== undefined || hasKeySpec(command)
}

/** The keys of a request, in the order of the specs. None also when the arguments make no sense. */
export function extractKeys(command: Command, argv: Argv): readonly KeyPosition[] {
  if (hasKeySpec(command) && !command.keys.some((spec) => spec.flags & KEY_VARIABLE_FLAGS)) {
    const found = keysFromSpecs(command.keys, argv)
    if (found !== null) return found
  }
  return command.getKeys?.(argv) ?? []
}

function hasKeySpec(command: Command): boolean {
  return command.keys.some((spec) => !(spec.flags & KEY_NOT_KEY))
}

/** Null when a spec cannot be followed or does not say all. */
function keysFromSpecs(specs: readonly KeySpec[], argv: Argv): KeyPosition[] | null {
  const keys: KeyPosition[] = []
  for (const { flags, begin, find } of specs) {
    if (flags & KEY_NOT_KEY) continue
    if (begin.kind === 'unknown' || find.kind === 'unknown') return null
    let first = begin.kind === 'index' ? begin.index : indexAfterKeyword(argv, begin.keyword, begin.startFrom)
    if (first === 0) continue
    let last: number
    if (find.kind === 'keynum') {
      const countIndex = first + find.keyNumIndex
      const count = countIndex < argv.count ? argv.safeInt(countIndex) : Number.NaN
      if (Number.isNaN(count) || count < 0) return null
      first += find.firstKey
      // Redis keeps the count in 32 bits.
      last = first + (count | 0) - 1
    } else if (find.lastKey >= 0) last = first + find.lastKey
    else if (find.limit === 0) last = argv.count + find.lastKey
    else last = first + Math.trunc((argv.count - first) / find.limit) + find.lastKey
    if (last >= argv.count || last < first) return null
    for (let i = first; i <= last; i += find.step) keys.push([i, flags])
    if (flags & KEY_INCOMPLETE) return null
  }
  return keys
}

/** The place behind a keyword: searched from `startFrom` on, or backwards from so far before the end; 0 if absent. */
function indexAfterKeyword(argv: Argv, keyword: string, startFrom: number): number {
  const { count } = argv
  const upper = keyword.toUpperCase()
  const start = startFrom > 0 ? startFrom : count + startFrom
  const end = startFrom > 0 ? count - 1 : 1
  const step = start <= end ? 1 : -1
  for (let i = start; i !== end && i >= 1 && i < count; i += step) {
    if (argv.is(i, upper)) return i + 1
  }
  return 0
}
