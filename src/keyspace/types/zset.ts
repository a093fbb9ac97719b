/**
 * Sorted sets: a listpack while they are small (zset-listpack.ts), else a hash table and an ordered tree of the same
 * members (zset-members.ts), which Redis calls a skiplist.
 *
 * Operations take a value as (root, encoding). One that changes it leaves what it is from then on in `root` and
 * `encoding`, which the caller writes to the key's entry; so values that no key has yet are made in the same way.
 * Members are ordered by score, those of equal score by their bytes; ranks count from 0. Ranges are found as ranks, so
 * that skipping and counting cost nothing however many members they are.
 * Conversions happen when they do in Redis: on adding what the limits do not allow, never back.
 */
import { DOUBLE_TEXT_BYTES_MAX, writeDouble17g } from '../../base/double-text.ts'
import type { Random } from '../../base/random.ts'
import { TextPool } from '../../base/text-pool.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import type { TableRef } from '../../structures/hash-table.ts'
import { LISTPACK_BYTES_SAFE, NO_ELEMENT } from '../../structures/listpack.ts'
import type { Db } from '../db.ts'
import { Digest } from '../digest.ts'
import type { EncodingLimits } from '../encoding-limits.ts'
import { ENCODING_LISTPACK, ENCODING_SKIPLIST, TYPE_ZSET } from '../entry.ts'
import type { Keyspace } from '../keyspace.ts'
import type { Sortable, ValueType } from '../value-type.ts'
import { ZsetListpacks } from './zset-listpack.ts'
import { NO_MEMBER, ZsetMembers } from './zset-members.ts'
import type { LexRange, ScoreRange } from './zset-range.ts'

// Conditions of `add`
export const ADD_NX = 1
export const ADD_XX = 2
export const ADD_GT = 4
export const ADD_LT = 8
export const ADD_INCR = 16

// What `add` has done
/** The score was the same, or nothing of the following. */
export const SCORE_KEPT = 0
export const MEMBER_ADDED = 1
export const SCORE_UPDATED = 2
/** A condition did not hold. */
export const ADD_REFUSED = 3
/** The sum is no number. */
export const SCORE_NAN = 4

export class ZsetType implements ValueType {
  readonly type = TYPE_ZSET
  readonly name = 'zset'
  readonly members: ZsetMembers
  readonly small: ZsetListpacks
  /** The value that was last changed or made. */
  root: Ref = 0
  encoding = ENCODING_LISTPACK
  /** What a member's score is after `add`, unless it was refused. */
  newScore = 0
  /** The ranks [rangeFrom, rangeTo) that the last range came to. */
  rangeFrom = 0
  rangeTo = 0
  /** The member that the last `seek`, `next` or `previous` came to: bytes[start, start + length), valid until anything allocates. */
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  lengthBytes = 0
  readonly sortable: Sortable = {
    isOrdered: true,
    // As Redis does, which sorts no listpacks.
    prepare: (db, entry) => {
      if (db.encodingOf(entry) !== ENCODING_LISTPACK) return
      db.beforeChange(entry)
      const small = db.rootOf(entry)
      db.setRoot(entry, this.largeOf(small))
      db.setEncoding(entry, ENCODING_SKIPLIST)
      this.small.listpacks.release(small)
    },
    elements: (root, encoding, first, count, isReversed) => this.elements(root, encoding, first, count, isReversed),
  }
  private readonly arena: Arena
  private readonly limits: EncodingLimits
  /** Where the small sorted set's member stands, and in which. */
  private at = NO_ELEMENT
  private atRoot: Ref = 0
  private atEncoding = ENCODING_LISTPACK
  /** Where scores are written. */
  readonly text = new Uint8Array(DOUBLE_TEXT_BYTES_MAX)

  constructor({ arena, hash, limits }: Keyspace) {
    this.arena = arena
    this.limits = limits
    this.members = new ZsetMembers(arena, hash)
    this.small = new ZsetListpacks(arena)
  }

  // Making

  /** Makes a sorted set without members, as one that will have `count` of them, the first of this length. */
  create(count: number, firstBytes: number): void {
    const { limits } = this
    const isSmall = count <= limits.zsetMaxListpackEntries && firstBytes <= limits.zsetMaxListpackValueBytes
    if (isSmall) this.createSmall()
    else this.createLarge()
  }

  createSmall(): void {
    this.root = this.small.listpacks.create()
    this.encoding = ENCODING_LISTPACK
  }

  createLarge(): void {
    this.root = this.members.create()
    this.encoding = ENCODING_SKIPLIST
  }

  /** Makes a listpack of a value if the limits allow that: what was computed begins large. */
  shrink(root: Ref, encoding: number, longestBytes: number, totalBytes: number): void {
    this.root = root
    this.encoding = encoding
    if (encoding === ENCODING_LISTPACK) return
    const { limits, members, small } = this
    if (members.count(root) > limits.zsetMaxListpackEntries || longestBytes > limits.zsetMaxListpackValueBytes) return
    if (totalBytes > LISTPACK_BYTES_SAFE) return
    let listpack = small.listpacks.create()
    const { tree } = members
    try {
      for (tree.seekFirst(members.treeOf(root)); tree.item !== 0; tree.next()) {
        const member = tree.item
        listpack = small.append(
          listpack,
          tree.score,
          members.bytesOf(member),
          members.nameAt(member),
          members.nameLength(member),
        )
      }
    } catch (error) {
      small.listpacks.release(listpack)
      throw error
    }
    members.release(root)
    this.root = listpack
    this.encoding = ENCODING_LISTPACK
  }

  // Members by name

  length(root: Ref, encoding: number): number {
    return encoding === ENCODING_LISTPACK ? this.small.count(root) : this.members.count(root)
  }

  /** The score of a member, NaN if it is not there. Hot. */
  scoreOf(root: Ref, encoding: number, bytes: Uint8Array, start: number, length: number): number {
    if (encoding === ENCODING_LISTPACK) {
      const at = this.small.find(root, bytes, start, length)
      return at === NO_ELEMENT ? Number.NaN : this.small.scoreAt(root, at)
    }
    const { members } = this
    const member = members.find(root, members.hashOf(bytes, start, length), bytes, start, length)
    return member === NO_MEMBER ? Number.NaN : members.scoreOf(member)
  }

  /** How many members come before this one, -1 if it is not there. */
  rankOf(root: Ref, encoding: number, bytes: Uint8Array, start: number, length: number): number {
    if (encoding === ENCODING_LISTPACK) {
      const at = this.small.find(root, bytes, start, length)
      return at === NO_ELEMENT ? -1 : this.small.rankOf(root, at)
    }
    const { members } = this
    const member = members.find(root, members.hashOf(bytes, start, length), bytes, start, length)
    if (member === NO_MEMBER) return -1
    return members.tree.rankOf(members.treeOf(root), members.scoreOf(member), member)
  }

  /**
   * Adds a member or gives it another score, as ZADD's options say, which hold for members that are there (NX, GT, LT, INCR)
   * or are not (XX). Returns what came of it. The text must not lie in the value. Hot.
   */
  add(
    root: Ref,
    encoding: number,
    score: number,
    options: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): number {
    this.root = root
    this.encoding = encoding
    if (encoding === ENCODING_LISTPACK) return this.addToSmall(root, score, options, bytes, start, length)
    const { members } = this
    const hash = members.hashOf(bytes, start, length)
    const member = members.find(root, hash, bytes, start, length)
    if (member === NO_MEMBER) {
      if ((options & ADD_XX) !== 0) return ADD_REFUSED
      members.addMissed(root, hash, score, bytes, start, length)
      this.newScore = score
      return MEMBER_ADDED
    }
    const held = members.scoreOf(member)
    const result = this.decide(held, score, options)
    if (result === SCORE_UPDATED) members.setScore(root, member, this.newScore)
    return result
  }

  /** Removes a member. Returns false if it was not there. Hot. */
  remove(root: Ref, encoding: number, bytes: Uint8Array, start: number, length: number): boolean {
    this.root = root
    this.encoding = encoding
    if (encoding === ENCODING_LISTPACK) {
      const at = this.small.find(root, bytes, start, length)
      if (at === NO_ELEMENT) return false
      this.root = this.small.remove(root, at, 1)
      return true
    }
    const { members } = this
    const member = members.find(root, members.hashOf(bytes, start, length), bytes, start, length)
    if (member === NO_MEMBER) return false
    members.removeFound(root, member)
    return true
  }

  // Members by place

  /** Goes to the member with so many before it. Returns false if there is none. */
  seek(root: Ref, encoding: number, rank: number): boolean {
    this.atRoot = root
    this.atEncoding = encoding
    if (encoding === ENCODING_LISTPACK) return rank >= 0 && this.take(this.small.seek(root, rank))
    const { tree } = this.members
    if (rank === 0) tree.seekFirst(this.members.treeOf(root))
    else tree.seekRank(this.members.treeOf(root), rank)
    return this.takeItem()
  }

  /** Goes to the first member whose score is this or above. Returns false if there is none. */
  seekScore(root: Ref, encoding: number, score: number): boolean {
    this.atRoot = root
    this.atEncoding = encoding
    if (encoding === ENCODING_SKIPLIST) {
      this.members.tree.seekScore(this.members.treeOf(root), score, false)
      return this.takeItem()
    }
    const { small } = this
    let at = small.first(root)
    while (at !== NO_ELEMENT && small.scoreAt(root, at) < score) at = small.next(root, at)
    return this.take(at)
  }

  /** Goes on from the member that was come to. */
  next(): boolean {
    if (this.atEncoding === ENCODING_LISTPACK) return this.take(this.small.next(this.atRoot, this.at))
    this.members.tree.next()
    return this.takeItem()
  }

  previous(): boolean {
    if (this.atEncoding === ENCODING_LISTPACK) return this.take(this.small.previous(this.atRoot, this.at))
    this.members.tree.previous()
    return this.takeItem()
  }

  /** Score of the member that was come to. */
  get score(): number {
    return this.atEncoding === ENCODING_LISTPACK ? this.small.scoreAt(this.atRoot, this.at) : this.members.tree.score
  }

  /** Removes `count` members from the one at `rank` on. */
  removeRange(root: Ref, encoding: number, rank: number, count: number): void {
    this.root = root
    this.encoding = encoding
    if (count <= 0) return
    if (encoding === ENCODING_LISTPACK) this.root = this.small.remove(root, this.small.seek(root, rank), count)
    else this.members.removeRange(root, rank, count)
  }

  /** Finds the members in a range of scores: ranks [rangeFrom, rangeTo). */
  rangeByScore(root: Ref, encoding: number, range: ScoreRange): void {
    this.rangeFrom = 0
    this.rangeTo = 0
    if (range.isEmpty) return
    if (encoding === ENCODING_SKIPLIST) {
      const { tree } = this.members
      const treeRef = this.members.treeOf(root)
      this.rangeFrom = tree.seekScore(treeRef, range.min, range.isMinExclusive)
      this.rangeTo = Math.max(this.rangeFrom, tree.seekScore(treeRef, range.max, !range.isMaxExclusive))
      return
    }
    const { small } = this
    let at = small.first(root)
    let rank = 0
    for (; at !== NO_ELEMENT && !range.isAboveMin(small.scoreAt(root, at)); rank++) at = small.next(root, at)
    this.rangeFrom = rank
    for (; at !== NO_ELEMENT && range.isBelowMax(small.scoreAt(root, at)); rank++) at = small.next(root, at)
    this.rangeTo = rank
  }

  /**
   * Finds the members in a range by their bytes, `offset` of them passed over from the start or, if reversed, from the end.
   * Where scores differ there is no such order, and a small sorted set is searched member by member as Redis does.
   */
  rangeByLex(root: Ref, encoding: number, range: LexRange, offset: number, isReversed: boolean): void {
    this.rangeFrom = 0
    this.rangeTo = 0
    const length = this.length(root, encoding)
    if (range.isEmpty || length === 0 || offset < 0) return
    this.seek(root, encoding, length - 1)
    if (!range.isAboveMin(this.bytes, this.start, this.lengthBytes)) return
    this.seek(root, encoding, 0)
    if (!range.isBelowMax(this.bytes, this.start, this.lengthBytes)) return
    if (encoding === ENCODING_LISTPACK) this.rangeByLexInSmall(root, length, range, offset, isReversed)
    else this.rangeByLexInTree(root, range, offset, isReversed)
  }

  private rangeByLexInTree(root: Ref, range: LexRange, offset: number, isReversed: boolean): void {
    const { members } = this
    const { tree } = members
    const treeRef = members.treeOf(root)
    const from = tree.seekWhere(treeRef, (item) => {
      return !range.isAboveMin(members.bytesOf(item), members.nameAt(item), members.nameLength(item))
    })
    const to = tree.seekWhere(treeRef, (item) => {
      return range.isBelowMax(members.bytesOf(item), members.nameAt(item), members.nameLength(item))
    })
    this.rangeFrom = isReversed ? from : Math.min(from + offset, to)
    this.rangeTo = isReversed ? Math.max(to - offset, from) : to
  }

  private rangeByLexInSmall(root: Ref, length: number, range: LexRange, offset: number, isReversed: boolean): void {
    const isInside = (rank: number, min: boolean): boolean => {
      this.seek(root, ENCODING_LISTPACK, rank)
      return min
        ? range.isAboveMin(this.bytes, this.start, this.lengthBytes)
        : range.isBelowMax(this.bytes, this.start, this.lengthBytes)
    }
    if (isReversed) {
      let last = length - 1
      while (last >= 0 && !isInside(last, false)) last--
      if (last < 0 || !isInside(last, true)) return
      const from = last - offset
      let rank = from
      while (rank >= 0 && isInside(rank, true)) rank--
      this.rangeFrom = Math.max(0, Math.min(rank, from) + 1)
      this.rangeTo = Math.max(0, from + 1)
      return
    }
    let first = 0
    while (first < length && !isInside(first, true)) first++
    if (first === length || !isInside(first, false)) return
    const from = first + offset
    let rank = from
    while (rank < length && isInside(rank, false)) rank++
    this.rangeFrom = from
    this.rangeTo = rank
  }

  /** Goes to a member chosen evenly. The sorted set must have one. */
  seekRandom(root: Ref, encoding: number, random: Random): void {
    this.seek(root, encoding, random.below(this.length(root, encoding)))
  }

  // Commands' way to a key's value

  /** Notes in a key's entry what its value has become. */
  store(db: Db, entry: Ref): void {
    db.setRoot(entry, this.root)
    db.setEncoding(entry, this.encoding)
  }

  // As a type

  release(root: Ref, encoding: number): void {
    if (encoding === ENCODING_LISTPACK) this.small.listpacks.release(root)
    else this.members.release(root)
  }

  freeEffort(root: Ref, encoding: number): number {
    return encoding === ENCODING_LISTPACK ? 1 : this.members.count(root)
  }

  releaseSome(root: Ref, encoding: number): boolean {
    if (encoding === ENCODING_SKIPLIST) return this.members.releaseSome(root)
    this.small.listpacks.release(root)
    return false
  }

  leaves(root: Ref, encoding: number): boolean {
    return encoding === ENCODING_LISTPACK ? this.arena.leaves(root) : this.members.leaves(root)
  }

  copy(root: Ref, encoding: number): Ref {
    return encoding === ENCODING_LISTPACK ? this.small.listpacks.copy(root) : this.members.copy(root)
  }

  sizeBytes(root: Ref, encoding: number, samples: number): number {
    return encoding === ENCODING_LISTPACK ? this.arena.capacity(root) : this.members.sizeBytes(root, samples)
  }

  digest(root: Ref, encoding: number, digest: Digest): void {
    const one = new Digest()
    const { text } = this
    for (let more = this.seek(root, encoding, 0); more; more = this.next()) {
      one.clear()
      one.mix(this.bytes, this.start, this.start + this.lengthBytes)
      one.mix(text, 0, writeDouble17g(text, 0, this.score))
      digest.add(one.bytes, 0, one.bytes.length)
    }
  }

  table(root: Ref, encoding: number): TableRef {
    return encoding === ENCODING_LISTPACK ? 0 : this.members.tableOf(root)
  }

  private elements(root: Ref, encoding: number, first: number, count: number, isReversed: boolean): TextPool {
    const elements = new TextPool(count)
    let more = count > 0 && this.seek(root, encoding, isReversed ? this.length(root, encoding) - 1 - first : first)
    for (; more && elements.count < count; more = isReversed ? this.previous() : this.next()) {
      elements.push(this.bytes, this.start, this.lengthBytes)
    }
    return elements
  }

  /** What is to become of a member that is there; `newScore` is its score then. */
  private decide(held: number, score: number, options: number): number {
    if (options === 0) {
      this.newScore = score
      return score === held ? SCORE_KEPT : SCORE_UPDATED
    }
    if ((options & ADD_NX) !== 0) return ADD_REFUSED
    const wanted = (options & ADD_INCR) !== 0 ? held + score : score
    if (Number.isNaN(wanted)) return SCORE_NAN
    if ((options & ADD_LT) !== 0 && wanted >= held) return ADD_REFUSED
    if ((options & ADD_GT) !== 0 && wanted <= held) return ADD_REFUSED
    this.newScore = wanted
    return wanted === held ? SCORE_KEPT : SCORE_UPDATED
  }

  private addToSmall(
    root: Ref,
    score: number,
    options: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): number {
    const { limits, small } = this
    const at = small.find(root, bytes, start, length)
    if (at !== NO_ELEMENT) {
      const result = this.decide(small.scoreAt(root, at), score, options)
      if (result === SCORE_UPDATED) {
        this.root = small.remove(root, at, 1)
        this.root = small.insert(this.root, this.newScore, bytes, start, length)
      }
      return result
    }
    if ((options & ADD_XX) !== 0) return ADD_REFUSED
    this.newScore = score
    if (
      small.count(root) + 1 > limits.zsetMaxListpackEntries ||
      length > limits.zsetMaxListpackValueBytes ||
      small.listpacks.bytes(root) + length > LISTPACK_BYTES_SAFE
    ) {
      this.convert(root, score, bytes, start, length)
    } else this.root = small.insert(root, score, bytes, start, length)
    return MEMBER_ADDED
  }

  /** Makes a large sorted set of a small one, with one member more. */
  private convert(root: Ref, score: number, bytes: Uint8Array, start: number, length: number): void {
    const { members } = this
    const made = this.largeOf(root)
    try {
      members.add(made, members.hashOf(bytes, start, length), score, bytes, start, length)
    } catch (error) {
      members.release(made)
      throw error
    }
    this.small.listpacks.release(root)
    this.root = made
    this.encoding = ENCODING_SKIPLIST
  }

  /** A large sorted set of a small one's members. That one stays. */
  largeOf(root: Ref): Ref {
    const { members, small } = this
    const made = members.create()
    try {
      for (let at = small.first(root); at !== NO_ELEMENT; at = small.next(root, at)) {
        small.readMember(root, at)
        const { bytes, start, length } = small.member
        members.add(made, members.hashOf(bytes, start, length), small.scoreAt(root, at), bytes, start, length)
      }
    } catch (error) {
      members.release(made)
      throw error
    }
    return made
  }

  private take(at: number): boolean {
    this.at = at
    if (at === NO_ELEMENT) return false
    const { small } = this
    small.readMember(this.atRoot, at)
    this.bytes = small.member.bytes
    this.start = small.member.start
    this.lengthBytes = small.member.length
    return true
  }

  private takeItem(): boolean {
    const { members } = this
    const { item } = members.tree
    if (item === 0) return false
    this.bytes = members.bytesOf(item)
    this.start = members.nameAt(item)
    this.lengthBytes = members.nameLength(item)
    return true
  }
}
