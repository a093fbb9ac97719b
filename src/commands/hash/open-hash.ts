/**
 * What hash commands have in common: opening a hash to write to it, and fields whose time has come. Such a field is
 * absent; where removing it is this server's to do, a command that asks for it removes it, which is propagated as HDEL
 * and announced as "hexpired", and "del" if the hash went with it.
 */
import type { Argv } from '../../base/argv.ts'
import { NOTIFY_GENERIC } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import type { Db } from '../../keyspace/db.ts'
import { ENCODING_LISTPACK, EXPIRE_DELETE, NO_KEY, TYPE_HASH, WRONG_TYPE } from '../../keyspace/entry.ts'
import { NO_EXPIRE } from '../../keyspace/types/hash.ts'
import type { Ref } from '../../memory/arena.ts'

/** Bytes that a short string takes in a listpack beside its own. */
const ELEMENT_OVERHEAD_BYTES = 2

/** What `lookUp` found. */
export const ABSENT = 0
export const FOUND = 1
/** Its time has come, and it was just removed: `settleExpired` is to follow. */
export const EXPIRED = 2

/** Looks for the field at argv[index]; its value stands in `hashes.valueText` then. The entry stays, empty or not. */
export function lookUp(db: Db, entry: Ref, argv: Argv, index: number): number {
  const { hashes, expireMode } = db.keyspace
  const start = argv.starts[index]!
  if (!hashes.find(db.rootOf(entry), db.encodingOf(entry), argv.bytes, start, argv.lengths[index]!)) return ABSENT
  if (hashes.expireAtMs === NO_EXPIRE || !hashes.isOverdue) return FOUND
  if (expireMode !== EXPIRE_DELETE) return ABSENT
  hashes.expireField(db, entry, hashes.fieldRef)
  return EXPIRED
}

/** Announces that fields have expired, and removes the hash if no field is left. Returns whether it went. */
export function settleExpired(db: Db, entry: Ref): boolean {
  return db.keyspace.hashes.settleExpired(db, entry)
}

/** As `lookUp`, with all that follows: whether the field is there. */
export function isThere(db: Db, entry: Ref, argv: Argv, index: number): boolean {
  const found = lookUp(db, entry, argv, index)
  if (found === EXPIRED) settleExpired(db, entry)
  return found === FOUND
}

/**
 * Opens the hash at argv[1] to write to it, and makes it if it is absent: its entry, or WRONG_TYPE. Arguments from
 * `first` on are to go into it. Who makes a hash and then has no memory for its first field calls `dropIfEmpty`.
 */
export function openToWrite(ctx: Session, argv: Argv, first: number): Ref {
  const { db } = ctx
  const entry = db.writeTyped(argv, 1, TYPE_HASH)
  if (entry === WRONG_TYPE) return WRONG_TYPE
  if (entry === NO_KEY) return makeHash(db, argv, first)
  db.beforeChange(entry)
  return entry
}

/** An empty hash in the key at argv[1], with about the room that arguments from `first` on will take. */
export function makeHash(db: Db, argv: Argv, first: number): Ref {
  const { hashes, limits, arena } = db.keyspace
  let roomBytes = 0
  const pairsFit = argv.count - first <= limits.hashMaxListpackEntries * 2
  for (let i = first; i < argv.count && pairsFit; i++) roomBytes += argv.lengths[i]! + ELEMENT_OVERHEAD_BYTES
  const root = hashes.create(pairsFit ? roomBytes : 0)
  try {
    return db.addValue(argv.bytes, argv.starts[1]!, argv.lengths[1]!, TYPE_HASH, ENCODING_LISTPACK, root)
  } catch (error) {
    arena.release(root)
    throw error
  }
}

/** Removes a hash without fields: nobody was told of it. */
export function dropIfEmpty(db: Db, argv: Argv): void {
  const entry = db.peekOverdue(argv.bytes, argv.starts[1]!, argv.lengths[1]!)
  if (entry === NO_KEY || db.typeOf(entry) !== TYPE_HASH) return
  if (db.keyspace.hashes.length(db.rootOf(entry), db.encodingOf(entry)) === 0) db.remove(entry)
}

/** Removes the hash at argv[1] if no field is left, and announces that. */
export function removeIfEmptied(ctx: Session, argv: Argv, entry: Ref): void {
  const { db } = ctx
  if (db.keyspace.hashes.length(db.rootOf(entry), db.encodingOf(entry)) > 0) return
  db.remove(entry)
  ctx.notify(NOTIFY_GENERIC, 'del', db, argv.bytes, argv.starts[1]!, argv.lengths[1]!)
}
