/**
 * What ZUNION, ZINTER and ZDIFF read: sorted sets, and sets, whose members count as having the score 1.
 */
import type { Db } from '../../keyspace/db.ts'
import { ENCODING_HASHTABLE, ENCODING_SKIPLIST, NO_KEY, TYPE_SET, TYPE_ZSET } from '../../keyspace/entry.ts'
import type { SetWalk } from '../../keyspace/types/set-walk.ts'
import { NO_MEMBER } from '../../keyspace/types/zset-members.ts'
import { ZsetWalk } from '../../keyspace/types/zset-walk.ts'
import type { Ref } from '../../memory/arena.ts'

const SET_SCORE = 1

/** The value of a key that is a set, a sorted set or not there. */
export class Source {
  /** 0 = no key. */
  readonly entry: Ref
  readonly length: number
  weight = 1
  private readonly db: Db
  private readonly isSet: boolean
  private readonly root: Ref
  private readonly encoding: number

  constructor(db: Db, entry: Ref) {
    this.db = db
    this.entry = entry
    this.isSet = entry !== NO_KEY && db.typeOf(entry) === TYPE_SET
    this.root = entry === NO_KEY ? 0 : db.rootOf(entry)
    this.encoding = entry === NO_KEY ? 0 : db.encodingOf(entry)
    this.length = entry === NO_KEY ? 0 : db.keyspace.types[db.typeOf(entry)]!.length(this.root, this.encoding)
  }

  static canBe(db: Db, entry: Ref): boolean {
    if (entry === NO_KEY) return true
    const type = db.typeOf(entry)
    return type === TYPE_SET || type === TYPE_ZSET
  }

  /** Calls `visit` for each member, with its hash, until that returns false. Nothing is changed meanwhile but other values. */
  each(visit: (bytes: Uint8Array, start: number, length: number, hash: number, score: number) => boolean): void {
    if (this.length === 0) return
    const { keyspace } = this.db
    if (this.isSet) {
      const walk: SetWalk = keyspace.sets.walk(this.root, this.encoding)
      while (walk.next()) {
        walk.spell()
        if (!visit(walk.bytes, walk.start, walk.length, walk.hash(), SET_SCORE)) break
      }
      walk.end()
      return
    }
    const { members } = keyspace.zsets
    const walk = new ZsetWalk(keyspace.zsets, keyspace.arena, this.root, this.encoding)
    while (walk.next()) {
      const { bytes, start, length } = walk
      if (!visit(bytes, start, length, members.hashOf(bytes, start, length), walk.score)) break
    }
    walk.end()
  }

  /** The score of a member, NaN if it is not there. */
  scoreOf(bytes: Uint8Array, start: number, length: number, hash: number): number {
    if (this.length === 0) return Number.NaN
    const { sets, zsets } = this.db.keyspace
    const { root, encoding } = this
    if (this.isSet) {
      const isThere =
        encoding === ENCODING_HASHTABLE
          ? sets.members.find(root, hash, bytes, start, length) !== 0
          : sets.has(root, encoding, bytes, start, length)
      return isThere ? SET_SCORE : Number.NaN
    }
    if (encoding !== ENCODING_SKIPLIST) return zsets.scoreOf(root, encoding, bytes, start, length)
    const member = zsets.members.find(root, hash, bytes, start, length)
    return member === NO_MEMBER ? Number.NaN : zsets.members.scoreOf(member)
  }
}
