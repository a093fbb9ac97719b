/** HyperLogLogs as keys hold them: strings whose bytes say what they are. */

import type { Argv } from '../../base/argv.ts'
import type { Session } from '../../engine/session.ts'
import type { Db } from '../../keyspace/db.ts'
import { ENCODING_RAW, NO_KEY, WRONG_TYPE } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_WRONGTYPE, errorReply } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'
import { type HyperLogLog, isHyperLogLog } from '../../structures/hyperloglog.ts'

export const ERR_CORRUPT = errorReply('INVALIDOBJ Corrupted HLL object detected')
const ERR_NO_HLL = errorReply('WRONGTYPE Key is not a valid HyperLogLog string value.')

/** What was found at a key: the entry or NO_KEY; WRONG_TYPE if it is no HyperLogLog, which has been replied. */
export function checked(db: Db, found: Ref, reply: ReplyWriter): Ref {
  if (found === NO_KEY) return NO_KEY
  if (found === WRONG_TYPE) reply.error(ERR_WRONGTYPE)
  else if (!isHyperLogLog(db.bytesOf(found), db.valueAt(found), db.valueLength(found))) reply.error(ERR_NO_HLL)
  else return found
  return WRONG_TYPE
}

/** The entry of a value that may be written in place now. */
export function opened(db: Db, entry: Ref): Ref {
  return db.resizeString(entry, db.valueLength(entry), ENCODING_RAW)
}

/** Puts a value on the workbench. */
export function load(hll: HyperLogLog, db: Db, entry: Ref): void {
  hll.load(db.bytesOf(entry), db.valueAt(entry), db.valueLength(entry))
}

/** Gives a key the value on the workbench: one that is there (`entry`), or argv[index] if that is NO_KEY. */
export function store(ctx: Session, argv: Argv, index: number, entry: Ref, hll: HyperLogLog): void {
  const { db } = ctx
  const { bytes, length } = hll
  if (entry === NO_KEY) {
    db.setString(argv.bytes, argv.starts[index]!, argv.lengths[index]!, bytes, 0, length, ENCODING_RAW, false)
    return
  }
  const target = db.resizeString(entry, length, ENCODING_RAW)
  db.bytesOf(target).set(bytes.subarray(0, length), db.valueAt(target))
}
