/**
 * The set commands against plain JavaScript sets: members, replies, encodings as the limits ask for them, and the arena,
 * which must hold nothing any more when all keys have gone. Members meet the border between numbers and texts, sets the
 * one between intset and hash table.
 */
import { expect } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { setCommands } from '../../src/commands/set/index.ts'
import { createTestEngine, type TestEngine } from '../support/engine.ts'
import { decodeReply } from '../support/resp-client.ts'
import { oneOf, seededTest } from './seeded.ts'

const KEYS = ['a', 'b', 'c', 'd']
const ODD_MEMBERS = [
  '',
  'x',
  '01',
  '-0',
  '+1',
  ' 1',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
]
const INTSET_ENTRIES_MAX = 24
const isInteger = (text: string): boolean =>
  /^(0|-?[1-9]\d{0,18})$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)

class Model {
  readonly engine: TestEngine
  readonly sets = new Map<string, Set<string>>()
  /** Keys that are hash tables: once one, always one. */
  readonly tables = new Set<string>()
  private readonly random: Random

  constructor(random: Random) {
    this.random = random
    this.engine = createTestEngine([...setCommands, ...genericCommands], { seed: random.int32() >>> 0 })
    this.engine.engine.keyspace.limits.setMaxIntsetEntries = INTSET_ENTRIES_MAX
  }

  send(...words: string[]): unknown {
    const raw = this.engine.client.send(...words)
    if (raw.startsWith('-')) throw new Error(raw)
    return decodeReply(Buffer.from(raw, 'latin1'))
  }

  members(...words: string[]): string[] {
    return (this.send(...words) as string[]).sort()
  }

  member(): string {
    const { random } = this
    if (random.below(8) === 0) return oneOf(random, ODD_MEMBERS)
    if (random.below(12) === 0) return `text ${random.below(60)}`
    return String(random.below(random.below(4) === 0 ? 100_000 : 60) - 20)
  }

  of(key: string): Set<string> {
    return this.sets.get(key) ?? new Set()
  }

  /** A key has new members, which came one after the other. */
  put(key: string, members: Set<string>, isMade: boolean): void {
    if (isMade) this.tables.delete(key)
    if (members.size === 0) {
      this.sets.delete(key)
      this.tables.delete(key)
      return
    }
    this.sets.set(key, members)
    if (members.size > INTSET_ENTRIES_MAX || ![...members].every(isInteger)) this.tables.add(key)
  }

  add(key: string): void {
    const count = this.random.below(20) === 0 ? 200 : 1 + this.random.below(5)
    const members = Array.from({ length: count }, () => this.member())
    const set = new Set(this.of(key))
    const before = set.size
    for (const member of members) set.add(member)
    expect(this.send('SADD', key, ...members)).toBe(set.size - before)
    this.put(key, set, false)
  }

  remove(key: string): void {
    const set = new Set(this.of(key))
    const held = [...set]
    const members = Array.from({ length: 1 + this.random.below(20) }, () =>
      held.length > 0 && this.random.below(3) > 0 ? oneOf(this.random, held) : this.member(),
    )
    const before = set.size
    for (const member of members) set.delete(member)
    expect(this.send('SREM', key, ...members)).toBe(before - set.size)
    this.put(key, set, false)
  }

  move(from: string, to: string): void {
    const member = this.random.below(2) === 0 ? this.member() : ([...this.of(from)][0] ?? 'none')
    const isThere = this.of(from).has(member)
    expect(this.send('SMOVE', from, to, member)).toBe(isThere ? 1 : 0)
    if (!isThere || from === to) return
    const rest = new Set(this.of(from))
    rest.delete(member)
    this.put(from, rest, false)
    this.put(to, new Set(this.of(to)).add(member), false)
  }

  pop(key: string): void {
    const set = new Set(this.of(key))
    if (this.random.below(3) === 0) {
      const popped = this.send('SPOP', key) as string | null
      expect(popped === null).toBe(set.size === 0)
      if (popped !== null) expect(set.delete(popped)).toBe(true)
      this.put(key, set, false)
      return
    }
    const count = this.random.below(2) === 0 ? this.random.below(6) : this.random.below(set.size + 3)
    const popped = this.send('SPOP', key, String(count)) as string[]
    expect(popped).toHaveLength(Math.min(count, set.size))
    // Few that are left go to a new set.
    const remaining = set.size - count
    const isMade = count > 0 && remaining > 0 && remaining * 5 <= count
    for (const member of popped) expect(set.delete(member)).toBe(true)
    this.put(key, set, isMade)
  }

  combine(): void {
    const { random } = this
    const keys = Array.from({ length: 1 + random.below(random.below(4) === 0 ? 7 : 3) }, () => oneOf(random, KEYS))
    const sets = keys.map((key) => this.of(key))
    const [first, ...others] = sets as [Set<string>, ...Set<string>[]]
    const union = new Set(sets.flatMap((set) => [...set]))
    const inter = new Set([...first].filter((member) => others.every((set) => set.has(member))))
    const diff = new Set([...first].filter((member) => !others.some((set) => set.has(member))))
    expect(this.members('SUNION', ...keys)).toEqual([...union].sort())
    expect(this.members('SINTER', ...keys)).toEqual([...inter].sort())
    expect(this.members('SDIFF', ...keys)).toEqual([...diff].sort())
    const limit = random.below(5)
    expect(this.send('SINTERCARD', String(keys.length), ...keys, 'LIMIT', String(limit))).toBe(
      limit === 0 ? inter.size : Math.min(limit, inter.size),
    )
    if (random.below(2) === 0) return
    const target = oneOf(random, KEYS)
    switch (random.below(3)) {
      case 0:
        expect(this.send('SUNIONSTORE', target, ...keys)).toBe(union.size)
        return this.put(target, union, true)
      case 1:
        expect(this.send('SINTERSTORE', target, ...keys)).toBe(inter.size)
        return this.put(target, inter, true)
      default:
        expect(this.send('SDIFFSTORE', target, ...keys)).toBe(diff.size)
        this.put(target, diff, true)
        // How Redis goes about it decides; it is compared with Redis elsewhere.
        if (diff.size > 0 && this.send('OBJECT', 'ENCODING', target) === 'hashtable') this.tables.add(target)
    }
  }

  ask(key: string): void {
    const { random } = this
    const set = this.of(key)
    const members = Array.from({ length: 3 }, () => this.member())
    expect(this.send('SMISMEMBER', key, ...members)).toEqual(members.map((member) => (set.has(member) ? 1 : 0)))
    expect(this.send('SISMEMBER', key, members[0]!)).toBe(set.has(members[0]!) ? 1 : 0)
    const count = random.below(set.size + 4)
    const some = this.send('SRANDMEMBER', key, String(count)) as string[]
    expect(some).toHaveLength(Math.min(count, set.size))
    expect(new Set(some).size).toBe(some.length)
    const drawn = this.send('SRANDMEMBER', key, String(-count)) as string[]
    expect(drawn).toHaveLength(set.size === 0 ? 0 : count)
    for (const member of [...some, ...drawn]) expect(set.has(member)).toBe(true)
    const seen = new Set<string>()
    let cursor = '0'
    do {
      const [next, page] = this.send('SSCAN', key, cursor, 'COUNT', '5') as [string, string[]]
      for (const member of page) seen.add(member)
      cursor = next
    } while (cursor !== '0')
    expect([...seen].sort()).toEqual([...set].sort())
  }

  check(): void {
    for (const key of KEYS) {
      const set = this.of(key)
      expect(this.send('SCARD', key)).toBe(set.size)
      expect(this.members('SMEMBERS', key)).toEqual([...set].sort())
      expect(this.send('OBJECT', 'ENCODING', key)).toBe(
        set.size === 0 ? null : this.tables.has(key) ? 'hashtable' : 'intset',
      )
    }
  }
}

seededTest('set commands', 3, (random) => {
  const model = new Model(random)
  const { keyspace } = model.engine.engine
  const emptyBytes = keyspace.arena.usedBytes
  for (let step = 0; step < 1500; step++) {
    const [key, other] = [oneOf(random, KEYS), oneOf(random, KEYS)]
    switch (random.below(10)) {
      case 0:
      case 1:
      case 2:
        model.add(key)
        break
      case 3:
      case 4:
        model.remove(key)
        break
      case 5:
        model.move(key, other)
        break
      case 6:
        model.pop(key)
        break
      case 7:
        model.combine()
        break
      case 8:
        model.ask(key)
        break
      default:
        if (key !== other && model.of(key).size > 0) {
          expect(model.send('COPY', key, other, 'REPLACE')).toBe(1)
          model.put(other, new Set(model.of(key)), true)
          if (model.tables.has(key)) model.tables.add(other)
        }
    }
    if (step % 5 === 0) model.check()
  }
  model.check()
  model.send('DEL', ...KEYS)
  while (keyspace.lazyFree.step(0));
  expect(keyspace.arena.usedBytes).toBe(emptyBytes)
})
