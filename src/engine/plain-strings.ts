/**
 * Strings and whole numbers in keys, the short way: for commands whose authors would rather read and write values than
 * offsets. What a command writes so is as if the built-in ones had written it; to tell others is left to the command
 * (`ctx.changed`).
 */
import { types } from 'node:util'
import type { Argv } from '../base/argv.ts'
import { parseSafeInt } from '../base/int64-text.ts'
import { type Db, stringEncoding } from '../keyspace/db.ts'
import type { Ref } from '../memory/arena.ts'
import type { Session } from './session.ts'

/**
 * Sets the key at argv[keyIndex] to a string, whatever it held, and returns its entry. Text is stored as UTF-8, numbers
 * as their decimal digits. The key's expire time goes unless `keepTtl`.
 */
export function putString(
  { db }: Session,
  argv: Argv,
  keyIndex: number,
  value: string | number | bigint | Uint8Array,
  keepTtl = false,
): Ref {
  const bytes = types.isUint8Array(value) ? value : Buffer.from(String(value), 'utf8')
  // How often a key is used outlives its value; how recently starts anew.
  if (db.keyspace.lfu) db.write(argv, keyIndex)
  const encoding = stringEncoding(bytes, 0, bytes.length)
  const start = argv.starts[keyIndex]!
  return db.setString(argv.bytes, start, argv.lengths[keyIndex]!, bytes, 0, bytes.length, encoding, keepTtl)
}

/** The whole number that a string entry holds; NaN if it holds none, or one beyond 2^53. */
export function integerOf(db: Db, entry: Ref): number {
  const at = db.valueAt(entry)
  return parseSafeInt(db.bytesOf(entry), at, at + db.valueLength(entry))
}

/** Removes the key at argv[keyIndex], whatever it holds. Returns whether it was there. */
export function removeKey({ db }: Session, argv: Argv, keyIndex: number): boolean {
  return db.removeKey(argv.bytes, argv.starts[keyIndex]!, argv.lengths[keyIndex]!)
}
