/**
 * Keyspace notifications: classes of events as bits, and their letters in notify-keyspace-events.
 * Source: Redis documentation, "Redis keyspace notifications".
 */
export const NOTIFY_KEYSPACE = 1 << 0
export const NOTIFY_KEYEVENT = 1 << 1
export const NOTIFY_GENERIC = 1 << 2
export const NOTIFY_STRING = 1 << 3
export const NOTIFY_LIST = 1 << 4
export const NOTIFY_SET = 1 << 5
export const NOTIFY_HASH = 1 << 6
export const NOTIFY_ZSET = 1 << 7
export const NOTIFY_EXPIRED = 1 << 8
export const NOTIFY_EVICTED = 1 << 9
export const NOTIFY_STREAM = 1 << 10
export const NOTIFY_KEY_MISS = 1 << 11
export const NOTIFY_MODULE = 1 << 13
export const NOTIFY_NEW = 1 << 14
/** "A": all classes but key misses and new keys. */
export const NOTIFY_ALL =
  NOTIFY_GENERIC |
  NOTIFY_STRING |
  NOTIFY_LIST |
  NOTIFY_SET |
  NOTIFY_HASH |
  NOTIFY_ZSET |
  NOTIFY_EXPIRED |
  NOTIFY_EVICTED |
  NOTIFY_STREAM |
  NOTIFY_MODULE

const LETTERS: readonly (readonly [number, string])[] = [
  [NOTIFY_GENERIC, 'g'],
  [NOTIFY_STRING, '$'],
  [NOTIFY_LIST, 'l'],
  [NOTIFY_SET, 's'],
  [NOTIFY_HASH, 'h'],
  [NOTIFY_ZSET, 'z'],
  [NOTIFY_EXPIRED, 'x'],
  [NOTIFY_EVICTED, 'e'],
  [NOTIFY_STREAM, 't'],
  [NOTIFY_MODULE, 'd'],
  [NOTIFY_NEW, 'n'],
]

/** The bits for letters as in the configuration, or -1 when one is unknown. */
export function parseNotifyFlags(letters: string): number {
  let flags = 0
  for (const letter of letters) {
    if (letter === 'A') flags |= NOTIFY_ALL
    else if (letter === 'K') flags |= NOTIFY_KEYSPACE
    else if (letter === 'E') flags |= NOTIFY_KEYEVENT
    else if (letter === 'm') flags |= NOTIFY_KEY_MISS
    else {
      const found = LETTERS.find(([, name]) => name === letter)
      if (found === undefined) return -1
      flags |= found[0]
    }
  }
  return flags
}

/** The letters for bits, in the order in which CONFIG GET shows them. */
export function formatNotifyFlags(flags: number): string {
  let letters = ''
  if ((flags & NOTIFY_ALL) === NOTIFY_ALL) letters = 'A'
  else for (const [bit, letter] of LETTERS) if (flags & bit) letters += letter
  if (flags & NOTIFY_KEYSPACE) letters += 'K'
  if (flags & NOTIFY_KEYEVENT) letters += 'E'
  if (flags & NOTIFY_KEY_MISS) letters += 'm'
  return letters
}
