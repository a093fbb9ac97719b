/**
 * What SINTER, SUNION and SDIFF do with sets, whoever gets the result: a reply, a new set or a count.
 *
 * Redis makes unions and differences as a set of their own first; a small one of numbers is an intset, so they are replied in
 * ascending order. Here members go to the reply as they come, except that numbers are gathered in an intset as long as
 * the result may be one.
 */

import { ENCODING_HASHTABLE, ENCODING_INTSET } from '../../keyspace/entry.ts'
import type { SetType } from '../../keyspace/types/set.ts'
import type { SetWalk } from '../../keyspace/types/set-walk.ts'
import type { Ref } from '../../memory/arena.ts'
import type { ReplyWriter } from '../../resp/reply-writer.ts'

/** A set among the arguments. Sets that do not exist are left out, or null where their place matters. */
export interface Source {
  readonly root: Ref
  readonly encoding: number
  readonly length: number
}

/** Up to so many sets a union looks each member up in those before it; beyond, it makes a set. */
const LOOK_BACK_MAX = 4

/** Takes the members of a result, one by one, none twice. Returns false if it wants no more. */
export interface MemberSink {
  take(walk: SetWalk): boolean
}

/** Replies members as they come. */
export class ReplySink implements MemberSink {
  private readonly reply: ReplyWriter
  private readonly gap: number
  private count = 0

  constructor(reply: ReplyWriter) {
    this.reply = reply
    this.gap = reply.gap()
  }

  take(walk: SetWalk): boolean {
    walk.spell()
    this.reply.bulk(walk.bytes, walk.start, walk.length, walk.data)
    this.count++
    return true
  }

  end(): void {
    this.reply.fillSet(this.gap, this.count)
  }
}

/** Replies numbers in ascending order if there is nothing else, and members as they come if there is. */
class AscendingReplySink implements MemberSink {
  private readonly sets: SetType
  private readonly out: ReplySink
  /** What was taken so far; 0 when it goes straight to the reply. */
  private gathered: Ref

  constructor(sets: SetType, reply: ReplyWriter) {
    this.sets = sets
    this.out = new ReplySink(reply)
    this.gathered = sets.intsets.create()
  }

  take(walk: SetWalk): boolean {
    const { gathered, sets } = this
    if (gathered !== 0) {
      if (walk.isNumber() && sets.intsets.length(gathered) < sets.intsetEntriesMax) {
        sets.addNumber(gathered, walk.high, walk.low)
        this.gathered = sets.root
        return true
      }
      this.handOut()
    }
    return this.out.take(walk)
  }

  end(): void {
    this.handOut()
    this.out.end()
  }

  /** Frees what was gathered. */
  discard(): void {
    if (this.gathered !== 0) this.sets.release(this.gathered, ENCODING_INTSET)
    this.gathered = 0
  }

  private handOut(): void {
    if (this.gathered === 0) return
    const walk = this.sets.walk(this.gathered, ENCODING_INTSET)
    while (walk.next()) this.out.take(walk)
    walk.end()
    this.discard()
  }
}

/** Makes a set. */
export class SetSink implements MemberSink {
  root: Ref
  encoding: number
  private readonly sets: SetType

  constructor(sets: SetType) {
    this.sets = sets
    sets.createIntset()
    this.root = sets.root
    this.encoding = sets.encoding
  }

  get length(): number {
    return this.sets.length(this.root, this.encoding)
  }

  take(walk: SetWalk): boolean {
    const { sets } = this
    sets.addWalked(this.root, this.encoding, walk)
    this.root = sets.root
    this.encoding = sets.encoding
    return true
  }

  /** Makes room for many members at once. */
  reserve(members: number): void {
    if (this.encoding === ENCODING_HASHTABLE) this.sets.members.reserve(this.root, members)
  }

  remove(walk: SetWalk): void {
    const { sets } = this
    walk.spell()
    sets.remove(this.root, this.encoding, walk.bytes, walk.start, walk.length)
    this.root = sets.root
  }

  discard(): void {
    if (this.root !== 0) this.sets.release(this.root, this.encoding)
    this.root = 0
  }
}

/** Counts up to a limit. */
export class CountSink implements MemberSink {
  count = 0
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  take(): boolean {
    return ++this.count < this.limit
  }
}

/** Members that all sources have, of which there is at least one. */
export function intersect(sets: SetType, sources: Source[], sink: MemberSink): void {
  sources.sort((one, other) => one.length - other.length)
  const [first, ...others] = sources
  const rest = others.filter(({ root }) => root !== first!.root)
  const walk = sets.walk(first!.root, first!.encoding)
  try {
    takeCommon(walk, rest, sink)
  } finally {
    walk.end()
  }
}

// Loops over all members are functions of their own: V8 compiles them while they run, and what it has never been behind of
// them would have to leave compiled code for, each time anew.

function takeCommon(walk: SetWalk, sources: readonly Source[], sink: MemberSink): void {
  while (walk.next()) if (isInAll(walk, sources) && !sink.take(walk)) break
}

function isInAll(walk: SetWalk, sources: readonly Source[]): boolean {
  for (let i = 0; i < sources.length; i++) {
    if (!walk.isIn(sources[i]!.root, sources[i]!.encoding)) return false
  }
  return true
}

/** Members that one of the sources has. The sink may be given one twice if it is a set. */
function unite(sets: SetType, sources: readonly Source[], sink: MemberSink): void {
  const looksBack = !(sink instanceof SetSink)
  for (let i = 0; i < sources.length; i++) {
    const walk = sets.walk(sources[i]!.root, sources[i]!.encoding)
    try {
      takeMissing(walk, looksBack ? sources.slice(0, i) : [], sink)
    } finally {
      walk.end()
    }
  }
}

function isInAny(walk: SetWalk, sources: readonly Source[]): boolean {
  for (let i = 0; i < sources.length; i++) if (walk.isIn(sources[i]!.root, sources[i]!.encoding)) return true
  return false
}

export function replyUnion(sets: SetType, sources: readonly Source[], reply: ReplyWriter): void {
  if (sources.length > LOOK_BACK_MAX) {
    withUnion(sets, sources, (union) => replyUnion(sets, [union], reply))
    return
  }
  replyAscending(sets, reply, (sink) => unite(sets, sources, sink))
}

/** A set of its own that holds the union. */
export function storeUnion(sets: SetType, sources: readonly Source[]): SetSink {
  return made(sets, (sink) => unite(sets, sources, sink))
}

/** Members of the first source that none of the others has. `first` null: there are none. */
export function replyDifference(
  sets: SetType,
  first: Source | null,
  others: readonly Source[],
  reply: ReplyWriter,
): void {
  replyAscending(sets, reply, (sink) => {
    if (first === null || others.some(({ root }) => root === first.root)) return
    if (isBestOneByOne(first, others)) subtract(sets, first, others, sink)
    else withUnion(sets, others, (union) => subtract(sets, first, [union], sink))
  })
}

/** As `replyDifference`, as a set of its own. */
export function storeDifference(sets: SetType, first: Source | null, others: readonly Source[]): SetSink {
  return made(sets, (sink) => {
    if (first === null || others.some(({ root }) => root === first.root)) return
    if (isBestOneByOne(first, others)) return subtract(sets, first, others, sink)
    // All members first, as in Redis: what encoding the result has hangs on it.
    unite(sets, [first], sink)
    for (const { root, encoding } of others) {
      const walk = sets.walk(root, encoding)
      while (sink.length > 0 && walk.next()) sink.remove(walk)
      walk.end()
    }
  })
}

/** Whether to look each member up in all other sets, or to go through those once: Redis's estimate. */
function isBestOneByOne(first: Source, others: readonly Source[]): boolean {
  let total = first.length
  for (const { length } of others) total += length
  return Math.floor((first.length * (others.length + 1)) / 2) <= total
}

function subtract(sets: SetType, first: Source, others: readonly Source[], sink: MemberSink): void {
  // In the largest a member is found soonest, most likely.
  const sorted = [...others].sort((one, other) => other.length - one.length)
  const walk = sets.walk(first.root, first.encoding)
  try {
    takeMissing(walk, sorted, sink)
  } finally {
    walk.end()
  }
}

function takeMissing(walk: SetWalk, sources: readonly Source[], sink: MemberSink): void {
  while (walk.next()) if (!isInAny(walk, sources)) sink.take(walk)
}

function replyAscending(sets: SetType, reply: ReplyWriter, give: (sink: MemberSink) => void): void {
  const sink = new AscendingReplySink(sets, reply)
  try {
    give(sink)
    sink.end()
  } finally {
    sink.discard()
  }
}

/** A set made by `give`; nothing is left of it if that fails. */
function made(sets: SetType, give: (sink: SetSink) => void): SetSink {
  const sink = new SetSink(sets)
  try {
    give(sink)
  } catch (error) {
    sink.discard()
    throw error
  }
  return sink
}

/** Calls `use` with the union as a set that exists for that long. */
function withUnion(sets: SetType, sources: readonly Source[], use: (union: Source) => void): void {
  const sink = storeUnion(sets, sources)
  const { encoding, length, root } = sink
  try {
    use({ root, encoding, length })
  } finally {
    sink.discard()
  }
}
