/**
 * What commands do to lists, with all that follows: events, watchers, counts, the end of a list that is empty.
 * Keys are given as bytes, so that clients that waited can be served as well: they have no request any more.
 */
import type { Argv } from '../../base/argv.ts'
import { NOTIFY_GENERIC, NOTIFY_LIST } from '../../engine/notifications.ts'
import type { Session } from '../../engine/session.ts'
import { ENCODING_QUICKLIST, TYPE_LIST } from '../../keyspace/entry.ts'
import type { Ref } from '../../memory/arena.ts'
import { ERR_SYNTAX } from '../../resp/errors.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

/** The left end, and the right one. */
export const HEAD = false
export const TAIL = true

export function popEvent(isTail: boolean): string {
  return isTail ? 'rpop' : 'lpop'
}

export function pushEvent(isTail: boolean): string {
  return isTail ? 'rpush' : 'lpush'
}

/** LEFT or RIGHT: which end. Null after the error was written. */
export function readEndName(argv: Argv, index: number, reply: ReplyWriter): boolean | null {
  if (argv.is(index, 'RIGHT')) return TAIL
  if (argv.is(index, 'LEFT')) return HEAD
  reply.error(ERR_SYNTAX)
  return null
}

/** Replies the element at an end of the list at this key, and removes it. Redis propagates it as LPOP or RPOP. */
export function popElement(
  ctx: Session,
  key: Uint8Array,
  keyStart: number,
  keyLength: number,
  entry: Ref,
  isTail: boolean,
  reply: ReplyWriter,
): void {
  const { db } = ctx
  const { lists } = db.keyspace
  db.beforeChange(entry)
  const root = db.rootOf(entry)
  lists.replyEnd(root, isTail, reply)
  lists.drop(root, isTail)
  ctx.changedKey(key, keyStart, keyLength, NOTIFY_LIST, popEvent(isTail))
  if (lists.length(root) === 0) removeEmpty(ctx, key, keyStart, keyLength, entry)
}

/**
 * Replies up to `count` elements from an end of the list at this key as an array, the outermost first, and removes them.
 * Returns how many there were: Redis propagates it as LPOP or RPOP with this count where the request was not one.
 */
export function popElements(
  ctx: Session,
  key: Uint8Array,
  keyStart: number,
  keyLength: number,
  entry: Ref,
  isTail: boolean,
  count: number,
  reply: ReplyWriter,
): number {
  const { db } = ctx
  const { lists } = db.keyspace
  db.beforeChange(entry)
  const root = db.rootOf(entry)
  const length = lists.length(root)
  const popped = Math.min(count, length)
  reply.array(popped)
  lists.replyRange(root, isTail ? length - 1 : 0, popped, isTail, reply)
  lists.deleteRange(root, isTail ? length - popped : 0, popped)
  ctx.changedKey(key, keyStart, keyLength, NOTIFY_LIST, popEvent(isTail))
  ctx.dirtied(popped - 1)
  if (lists.length(root) === 0) removeEmpty(ctx, key, keyStart, keyLength, entry)
  return popped
}

/** As `popElements`, in an array of its own behind the key: LMPOP and BLMPOP. */
export function popElementsWithKey(
  ctx: Session,
  key: Uint8Array,
  keyStart: number,
  keyLength: number,
  entry: Ref,
  isTail: boolean,
  count: number,
  reply: ReplyWriter,
): number {
  reply.array(2)
  reply.bulk(key, keyStart, keyLength)
  return popElements(ctx, key, keyStart, keyLength, entry, isTail, count, reply)
}

/**
 * Moves the element at an end of one list to an end of another, perhaps the same, and replies it. The source has elements;
 * `target` is the entry of a list, or NO_KEY for one that is to be made. Redis propagates it as LMOVE or RPOPLPUSH.
 */
export function moveElement(
  ctx: Session,
  source: Ref,
  sourceKey: Uint8Array,
  sourceStart: number,
  sourceLength: number,
  fromTail: boolean,
  target: Ref,
  targetKey: Uint8Array,
  targetStart: number,
  targetLength: number,
  toTail: boolean,
  reply: ReplyWriter,
): void {
  const { db } = ctx
  const { lists } = db.keyspace
  const sourceRoot = db.rootOf(source)
  db.beforeChange(source)
  if (target !== 0) db.beforeChange(target)
  lists.readEnd(sourceRoot, fromTail)
  lists.hold()
  const { element } = lists
  let targetRoot: Ref
  if (target !== 0) targetRoot = db.rootOf(target)
  else {
    targetRoot = lists.create()
    addList(ctx, targetKey, targetStart, targetLength, targetRoot)
  }
  lists.drop(sourceRoot, fromTail)
  lists.push(targetRoot, toTail, element.bytes, element.start, element.length)
  reply.bulk(element.bytes, element.start, element.length)
  lists.letGo()
  ctx.touched(db, targetKey, targetStart, targetLength)
  ctx.notify(NOTIFY_LIST, pushEvent(toTail), db, targetKey, targetStart, targetLength)
  ctx.changedKey(sourceKey, sourceStart, sourceLength, NOTIFY_LIST, popEvent(fromTail))
  if (lists.length(sourceRoot) === 0) {
    removeEmpty(ctx, sourceKey, sourceStart, sourceLength, db.peekOverdue(sourceKey, sourceStart, sourceLength))
  }
}

/** Adds a list that was made for a key that does not exist. Frees it again if there is no memory for the key. */
export function addList(ctx: Session, key: Uint8Array, keyStart: number, keyLength: number, root: Ref): Ref {
  const { db } = ctx
  try {
    return db.addValue(key, keyStart, keyLength, TYPE_LIST, ENCODING_QUICKLIST, root)
  } catch (error) {
    db.keyspace.lists.release(root)
    throw error
  }
}

/** Removes a list without elements, and says so. */
export function removeEmpty(ctx: Session, key: Uint8Array, keyStart: number, keyLength: number, entry: Ref): void {
  ctx.db.remove(entry)
  ctx.notify(NOTIFY_GENERIC, 'del', ctx.db, key, keyStart, keyLength)
}
