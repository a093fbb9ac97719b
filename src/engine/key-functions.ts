/**
 * `getKeys` of commands whose keys no key spec can tell: some keys hang on words that may stand anywhere, or what happens
 * to a key hangs on the arguments. They read requests that nobody has checked yet, and are as lenient as Redis's.
 */
import type { Argv } from '../base/argv.ts'
import type { GetKeys } from './command.ts'
import { KEY_ACCESS, KEY_DELETE, KEY_OW, KEY_RO, KEY_RW, KEY_UPDATE, type KeyPosition } from './key-specs.ts'

const INT64_MAX = (1n << 63n) - 1n
const INT64_MIN = -(1n << 63n)

/** SET key value ...: the old value counts as read only with GET. */
export function keysOfSet(argv: Argv): readonly KeyPosition[] {
  for (let i = 3; i < argv.count; i++) {
    if (argv.is(i, 'GET')) return [[1, KEY_RW | KEY_ACCESS | KEY_UPDATE]]
  }
  return [[1, KEY_OW | KEY_UPDATE]]
}

/** BITFIELD key ...: a read as long as there is nothing but GET, and OVERFLOW, in it. */
export function keysOfBitfield(argv: Argv): readonly KeyPosition[] {
  const { count } = argv
  for (let i = 2; i < count; ) {
    if (argv.is(i, 'GET') && i + 2 < count) i += 3
    else if (argv.is(i, 'OVERFLOW') && i + 1 < count) i += 2
    else return [[1, KEY_RW | KEY_ACCESS | KEY_UPDATE]]
  }
  return [[1, KEY_RO | KEY_ACCESS]]
}

/** SORT key ... STORE destination ...: the last STORE counts. Keys that BY and GET make out of elements are not told. */
export function keysOfSort(argv: Argv): readonly KeyPosition[] {
  let destination = 0
  for (let i = 2; i < argv.count; i++) {
    if (argv.is(i, 'LIMIT')) i += 2
    else if (argv.is(i, 'GET') || argv.is(i, 'BY')) i++
    else if (argv.is(i, 'STORE') && i + 1 < argv.count) destination = i + 1
  }
  const source: KeyPosition = [1, KEY_RO | KEY_ACCESS]
  return destination === 0 ? [source] : [source, [destination, KEY_OW | KEY_UPDATE]]
}

export function keysOfSortRo(): readonly KeyPosition[] {
  return [[1, KEY_RO | KEY_ACCESS]]
}

/** MIGRATE host port key|"" db timeout ... KEYS key ...: with KEYS, argv[3] must be empty. */
export function keysOfMigrate(argv: Argv): readonly KeyPosition[] {
  const flags = KEY_RW | KEY_ACCESS | KEY_DELETE
  for (let i = 6; i < argv.count; i++) {
    if (argv.is(i, 'KEYS')) {
      if (argv.lengthBytes(3) > 0) return []
      return Array.from({ length: argv.count - i - 1 }, (_, n) => [i + 1 + n, flags])
    }
    if (argv.is(i, 'AUTH')) i++
    else if (argv.is(i, 'AUTH2')) i += 2
  }
  return [[3, flags]]
}

/**
 * `NAME [destination] numkeys key ...`: the count at `countIndex`, keys from `firstIndex`, a destination at
 * `destinationIndex` unless that is 0. Asked only when the key spec found a mistake: of the count, digits at its start
 * are enough, and no key has flags.
 */
export function countedKeys(destinationIndex: number, countIndex: number, firstIndex: number): GetKeys {
  return (argv) => {
    if (countIndex >= argv.count) return null
    const count = leadingInt32(argv.latin1(countIndex))
    if (count < 1 || count > argv.count - firstIndex) return null
    const keys: KeyPosition[] = Array.from({ length: count }, (_, i) => [firstIndex + i, 0])
    if (destinationIndex > 0) keys.push([destinationIndex, 0])
    return keys
  }
}

/** As C's atoi: the digits at the start as a long of 64 bits, clamped, of which the lower 32 bits remain. */
function leadingInt32(text: string): number {
  const value = BigInt(/^[ \t-\r]*(?:\+(?=\d))?(-?\d+)/.exec(text)?.[1] ?? 0)
  return Number(BigInt.asIntN(32, value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : value))
}
