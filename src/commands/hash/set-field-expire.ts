/** Setting when a field expires, for all commands that do. */
import type { Argv } from '../../base/argv.ts'
import type { Session } from '../../engine/session.ts'
import type { Db } from '../../keyspace/db.ts'
import { EXPIRE_DELETE } from '../../keyspace/entry.ts'
import { NO_EXPIRE } from '../../keyspace/types/hash.ts'
import type { Ref } from '../../memory/arena.ts'

// What became of a field, as HEXPIRE replies it.
/** It expires at the time given. */
export const SET = 1
/** That time is past: the field was removed, and HDEL propagated. */
export const REMOVED = 2

// Conditions
export const NO_CONDITION = 0
const IF_NONE = 1
const IF_ANY = 2
const IF_LATER = 3
const IF_EARLIER = 4

/** The condition that stands at argv[index], if there is one. */
export function readCondition(argv: Argv, index: number): number {
  if (argv.is(index, 'NX')) return IF_NONE
  if (argv.is(index, 'XX')) return IF_ANY
  if (argv.is(index, 'GT')) return IF_LATER
  return argv.is(index, 'LT') ? IF_EARLIER : NO_CONDITION
}

/** Whether a condition lets the field at argv[index], which is there, expire then. Without a time it counts as infinitely late. */
export function isExpiryAllowed(
  db: Db,
  entry: Ref,
  argv: Argv,
  index: number,
  condition: number,
  atMs: number,
): boolean {
  if (condition === NO_CONDITION) return true
  const { hashes } = db.keyspace
  hashes.find(db.rootOf(entry), db.encodingOf(entry), argv.bytes, argv.starts[index]!, argv.lengths[index]!)
  const heldMs = hashes.expireAtMs
  if (heldMs === NO_EXPIRE) return condition === IF_NONE || condition === IF_EARLIER
  if (condition === IF_LATER) return atMs > heldMs
  if (condition === IF_EARLIER) return atMs < heldMs
  return condition === IF_ANY
}

/** Sets when the field at argv[index] expires, of a hash that has it and allows it. Returns SET or REMOVED. */
export function setFieldExpire(ctx: Session, entry: Ref, argv: Argv, index: number, atMs: number): number {
  const { db } = ctx
  const { hashes, expireMode } = db.keyspace
  hashes.find(db.rootOf(entry), db.encodingOf(entry), argv.bytes, argv.starts[index]!, argv.lengths[index]!)
  if (atMs > ctx.nowMs || expireMode !== EXPIRE_DELETE) {
    hashes.setExpire(db, entry, hashes.fieldRef, atMs)
    return SET
  }
  hashes.removeEntry(db, entry, hashes.fieldRef)
  db.keyspace.expiredFields++
  if (ctx.engine.effects.isActive) ctx.addEffect(['HDEL', argv.copyOf(1), argv.copyOf(index)])
  return REMOVED
}
