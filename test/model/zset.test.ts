/**
 * The commands on sorted sets against plain JavaScript maps: members, scores, order, ranks, ranges, encodings as the limits ask for
 * them, and the arena, which must hold nothing any more when all keys have gone.
 */
import { expect } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { zsetCommands } from '../../src/commands/zset/index.ts'
import { createTestEngine, type TestEngine } from '../support/engine.ts'
import { decodeReply } from '../support/resp-client.ts'
import { oneOf, seededTest } from './seeded.ts'

const KEYS = ['a', 'b', 'c']
const ENTRIES_MAX = 24
const VALUE_BYTES_MAX = 20

type Scores = Map<string, number>

class Model {
  readonly engine: TestEngine
  readonly zsets = new Map<string, Scores>()
  /** Keys that are large: once so, always so. */
  readonly large = new Set<string>()
  private readonly random: Random

  constructor(random: Random) {
    this.random = random
    this.engine = createTestEngine([...zsetCommands, ...genericCommands], { seed: random.int32() >>> 0 })
    const { limits } = this.engine.engine.keyspace
    limits.zsetMaxListpackEntries = ENTRIES_MAX
    limits.zsetMaxListpackValueBytes = VALUE_BYTES_MAX
  }

  send(...words: string[]): unknown {
    const raw = this.engine.client.send(...words)
    if (raw.startsWith('-')) throw new Error(raw)
    return decodeReply(Buffer.from(raw, 'latin1'))
  }

  member(): string {
    const { random } = this
    if (random.below(40) === 0) return 'x'.repeat(VALUE_BYTES_MAX + random.below(3))
    return random.below(2) === 0 ? String(random.below(80) - 20) : `m${random.below(80)}`
  }

  score(): number {
    const { random } = this
    if (random.below(20) === 0) return oneOf(random, [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    return random.below(4) === 0 ? random.below(1000) / 8 : random.below(12) - 5
  }

  of(key: string): Scores {
    return this.zsets.get(key) ?? new Map()
  }

  sorted(key: string): [string, number][] {
    return [...this.of(key)].sort((a, b) =>
      a[1] !== b[1] ? (a[1] < b[1] ? -1 : 1) : Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])),
    )
  }

  put(key: string, scores: Scores, isMade: boolean): void {
    if (isMade) this.large.delete(key)
    if (scores.size === 0) {
      this.zsets.delete(key)
      this.large.delete(key)
      return
    }
    this.zsets.set(key, scores)
    const isLong = [...scores.keys()].some((member) => member.length > VALUE_BYTES_MAX)
    if (scores.size > ENTRIES_MAX || isLong) this.large.add(key)
  }

  add(key: string): void {
    const count = this.random.below(20) === 0 ? 120 : 1 + this.random.below(4)
    const pairs = Array.from({ length: count }, () => [this.score(), this.member()] as const)
    const scores = new Map(this.of(key))
    const before = scores.size
    for (const [score, member] of pairs) scores.set(member, score)
    expect(this.send('ZADD', key, ...pairs.flatMap(([score, member]) => [text(score), member]))).toBe(
      scores.size - before,
    )
    this.put(key, scores, false)
  }

  remove(key: string): void {
    const scores = new Map(this.of(key))
    const members = Array.from({ length: 1 + this.random.below(10) }, () => this.member())
    let removed = 0
    for (const member of members) if (scores.delete(member)) removed++
    expect(this.send('ZREM', key, ...members)).toBe(removed)
    this.put(key, scores, false)
  }

  pop(key: string): void {
    const isMax = this.random.below(2) === 0
    const count = this.random.below(5)
    const sorted = this.sorted(key)
    const popped = isMax ? sorted.reverse().slice(0, count) : sorted.slice(0, count)
    expect(this.send(isMax ? 'ZPOPMAX' : 'ZPOPMIN', key, String(count))).toEqual(flat(popped))
    const scores = new Map(this.of(key))
    for (const [member] of popped) scores.delete(member)
    this.put(key, scores, false)
  }

  removeRange(key: string): void {
    const sorted = this.sorted(key)
    const first = this.random.below(sorted.length + 1)
    const last = first + this.random.below(this.random.below(3) === 0 ? sorted.length + 1 : 4)
    const gone = sorted.slice(first, last + 1)
    expect(this.send('ZREMRANGEBYRANK', key, String(first), String(last))).toBe(gone.length)
    const scores = new Map(this.of(key))
    for (const [member] of gone) scores.delete(member)
    this.put(key, scores, false)
  }

  combine(to: string, one: string, other: string): void {
    const operation = oneOf(this.random, ['ZUNIONSTORE', 'ZINTERSTORE', 'ZDIFFSTORE'])
    const [a, b] = [this.of(one), this.of(other)]
    const made: Scores = new Map()
    const sum = (x: number, y: number) => (Number.isNaN(x + y) ? 0 : x + y)
    for (const [member, score] of a) {
      const held = b.get(member)
      if (operation === 'ZUNIONSTORE') made.set(member, held === undefined ? score : sum(score, held))
      else if (operation === 'ZINTERSTORE' && held !== undefined) made.set(member, sum(score, held))
      else if (operation === 'ZDIFFSTORE' && held === undefined) made.set(member, score)
    }
    if (operation === 'ZUNIONSTORE') for (const [member, score] of b) if (!made.has(member)) made.set(member, score)
    expect(this.send(operation, to, '2', one, other)).toBe(made.size)
    this.put(to, made, true)
  }

  look(key: string): void {
    const { random } = this
    const sorted = this.sorted(key)
    expect(this.send('ZCARD', key)).toBe(sorted.length)
    expect(this.send('ZRANGE', key, '0', '-1', 'WITHSCORES')).toEqual(flat(sorted))
    if (sorted.length === 0) return
    expect(this.send('OBJECT', 'ENCODING', key)).toBe(this.large.has(key) ? 'skiplist' : 'listpack')
    const rank = random.below(sorted.length)
    const [member, score] = sorted[rank]!
    expect(this.send('ZRANK', key, member)).toBe(rank)
    expect(this.send('ZREVRANK', key, member)).toBe(sorted.length - 1 - rank)
    const [min, max] = [this.score(), this.score()].sort((a, b) => (a < b ? -1 : 1)) as [number, number]
    const inside = sorted.filter(([, held]) => held > min && held <= max)
    expect(this.send('ZCOUNT', key, `(${text(min)}`, text(max))).toBe(inside.length)
    const [offset, limit] = [random.below(5), random.below(8)]
    const range = [`(${text(min)}`, text(max)] as const
    const wanted = inside.slice(offset, offset + limit).map(([name]) => name)
    expect(this.send('ZRANGEBYSCORE', key, ...range, 'LIMIT', String(offset), String(limit))).toEqual(wanted)
    const reversed = inside.reverse().slice(offset, offset + limit)
    expect(
      this.send('ZRANGE', key, range[1], range[0], 'BYSCORE', 'REV', 'LIMIT', String(offset), String(limit)),
    ).toEqual(reversed.map(([name]) => name))
    expect(this.send('ZSCORE', key, member)).toBe(text(score))
    let cursor = '0'
    const seen = new Set<string>()
    do {
      const [next, found] = this.send('ZSCAN', key, cursor, 'COUNT', '7') as [string, string[]]
      for (let i = 0; i < found.length; i += 2) seen.add(found[i]!)
      cursor = next
    } while (cursor !== '0')
    expect(seen.size).toBe(sorted.length)
    const count = random.below(sorted.length + 3)
    const chosen = this.send('ZRANDMEMBER', key, String(count)) as string[]
    expect(new Set(chosen).size).toBe(Math.min(count, sorted.length))
    for (const each of chosen) expect(this.of(key).has(each)).toBe(true)
  }
}

function text(score: number): string {
  return Number.isFinite(score) ? String(score) : score > 0 ? 'inf' : '-inf'
}

function flat(pairs: readonly (readonly [string, number])[]): string[] {
  return pairs.flatMap(([member, score]) => [member, text(score)])
}

seededTest('sorted sets are as a map and a sort have them', 2, (random) => {
  const model = new Model(random)
  for (let step = 0; step < 600; step++) {
    const key = oneOf(random, KEYS)
    const choice = random.below(12)
    if (choice < 5) model.add(key)
    else if (choice < 7) model.remove(key)
    else if (choice < 9) model.pop(key)
    else if (choice < 10) model.removeRange(key)
    else model.combine(key, oneOf(random, KEYS), oneOf(random, KEYS))
    model.look(key)
  }
  const { arena, lazyFree } = model.engine.engine.keyspace
  for (const key of KEYS) model.send('DEL', key)
  while (lazyFree.step(1000));
  const empty = createTestEngine([...zsetCommands]).engine.keyspace.arena.usedBytes
  expect(arena.usedBytes).toBe(empty)
})
