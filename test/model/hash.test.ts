/**
 * Hashes against a plain Map: random commands, small limits so that encodings change often, a clock that is moved so that
 * fields expire, reloads from files and payloads, and copies. After everything is deleted no block of the arena is left.
 */
import { expect } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { connectionCommands } from '../../src/commands/connection/index.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { hashCommands } from '../../src/commands/hash/index.ts'
import { FieldExpireCycle } from '../../src/keyspace/field-expire-cycle.ts'
import { createTestPersistence } from '../support/persistence.ts'
import { decodeReply } from '../support/resp-client.ts'
import { oneOf, seededTest } from './seeded.ts'

interface Field {
  value: string
  expireAtMs: number
}

const NEVER = Number.POSITIVE_INFINITY
const KEYS = ['a', 'b', 'c']

class HashModel {
  readonly test = createTestPersistence({ commands: [...hashCommands, ...genericCommands, ...connectionCommands()] })
  readonly hashes = new Map<string, Map<string, Field>>()
  readonly cycle = new FieldExpireCycle(this.test.engine.keyspace)
  readonly random: Random
  readonly emptyBytes: number
  nowMs = 0

  constructor(random: Random) {
    this.random = random
    const { limits } = this.test.engine.keyspace
    limits.hashMaxListpackEntries = oneOf(random, [0, 3, 12, 512])
    limits.hashMaxListpackValueBytes = oneOf(random, [5, 20, 64])
    this.emptyBytes = this.test.engine.keyspace.arena.usedBytes
  }

  send(...words: (string | number | Buffer)[]): unknown {
    const raw = this.test.client.send(...words)
    if (raw.startsWith('-')) throw new Error(`${words.join(' ')}: ${raw}`)
    return decodeReply(Buffer.from(raw, 'latin1'))
  }

  field(): string {
    const kind = this.random.below(10)
    if (kind < 6) return `f${this.random.below(25)}`
    if (kind < 8) return String(this.random.below(30) - 15)
    return kind < 9 ? '' : 'x'.repeat(this.random.below(30))
  }

  value(): string {
    const kind = this.random.below(10)
    if (kind < 4) return String(this.random.int32() >> this.random.below(30))
    return kind < 9 ? 'v'.repeat(this.random.below(12)) : 'long'.repeat(this.random.below(40))
  }

  /** The hash in a key without what has expired; asking removes that from the model. */
  live(key: string): Map<string, Field> {
    const hash = this.hashes.get(key) ?? new Map<string, Field>()
    for (const [field, { expireAtMs }] of hash) if (expireAtMs < this.nowMs) hash.delete(field)
    return hash
  }

  keep(key: string, hash: Map<string, Field>): void {
    if (hash.size === 0) this.hashes.delete(key)
    else this.hashes.set(key, hash)
  }

  step(): void {
    const { random } = this
    const key = oneOf(random, KEYS)
    const hash = this.live(key)
    const fields = Array.from({ length: 1 + random.below(4) }, () => this.field())
    const held = (field: string) => hash.get(field)?.value ?? null
    this.nowMs = this.test.clock.nowMs
    switch (random.below(16)) {
      case 0:
      case 1:
      case 2: {
        const pairs = fields.map((field) => [field, this.value()] as const)
        // Fields that are set make overdue ones new: what HSET counts is not what the model holds.
        this.send('HSET', key, ...pairs.flat())
        for (const [field, value] of pairs) hash.set(field, { value, expireAtMs: NEVER })
        break
      }
      case 3:
        this.send('HDEL', key, ...fields)
        for (const field of fields) hash.delete(field)
        break
      case 4:
        expect(this.send('HGET', key, fields[0]!)).toBe(held(fields[0]!))
        break
      case 5:
        expect(this.send('HMGET', key, ...fields)).toEqual(fields.map(held))
        break
      case 6: {
        const expireAtMs = this.nowMs + random.below(200)
        const replies = this.send('HPEXPIREAT', key, expireAtMs, 'FIELDS', fields.length, ...fields) as number[]
        for (const [i, field] of fields.entries()) {
          const at = hash.get(field)
          if (at === undefined) continue
          if (expireAtMs > this.nowMs) at.expireAtMs = expireAtMs
          else hash.delete(field)
          expect(replies[i]).toBe(expireAtMs > this.nowMs ? 1 : 2)
        }
        // What was overdue and still there may expire again.
        for (const field of fields) this.forget(key, field, hash)
        break
      }
      case 7:
        this.send('HPERSIST', key, 'FIELDS', fields.length, ...fields)
        for (const field of fields) if (hash.has(field)) hash.get(field)!.expireAtMs = NEVER
        break
      case 8: {
        const times = fields.map((field) => hash.get(field)?.expireAtMs ?? -2)
        const expected = times.map((at) => (at === NEVER ? -1 : at))
        expect(this.send('HPEXPIRETIME', key, 'FIELDS', fields.length, ...fields)).toEqual(expected)
        break
      }
      case 9: {
        const value = this.value()
        const set = this.send('HSETNX', key, fields[0]!, value)
        expect(set).toBe(hash.has(fields[0]!) ? 0 : 1)
        if (set === 1) hash.set(fields[0]!, { value, expireAtMs: NEVER })
        break
      }
      case 10: {
        const before = hash.get(fields[0]!)
        if (before !== undefined && !/^(0|-?[1-9]\d{0,14})$/.test(before.value)) break
        const sum = Number(before?.value ?? 0) + 7
        expect(this.send('HINCRBY', key, fields[0]!, 7)).toBe(sum)
        hash.set(fields[0]!, { value: String(sum), expireAtMs: before?.expireAtMs ?? NEVER })
        break
      }
      case 11: {
        const unique = [...new Set(fields)]
        const expected = unique.map(held)
        expect(this.send('HGETDEL', key, 'FIELDS', unique.length, ...unique)).toEqual(expected)
        for (const field of unique) hash.delete(field)
        break
      }
      case 12: {
        const ms = 1 + random.below(300)
        const pairs = fields.map((field) => [field, this.value()] as const)
        this.send('HSETEX', key, 'PX', ms, 'FIELDS', fields.length, ...pairs.flat())
        for (const [field, value] of pairs) hash.set(field, { value, expireAtMs: this.nowMs + ms })
        break
      }
      case 13: {
        const picked = this.send('HRANDFIELD', key, 1 + random.below(30)) as string[]
        expect(new Set(picked).size).toBe(picked.length)
        for (const field of picked) expect(hash.has(field)).toBe(true)
        break
      }
      case 14:
        this.send('COPY', key, 'copy', 'REPLACE')
        if (this.send('EXISTS', key) === 1) {
          this.send('RENAME', 'copy', key)
          if (random.below(2) === 0) this.restore(key)
        }
        break
      default:
        this.test.clock.advance(random.below(60))
        if (random.below(3) === 0) while (this.cycle.turn(1000));
        if (random.below(10) === 0) this.reload()
        this.nowMs = this.test.clock.nowMs
        this.live(key)
    }
    this.keep(key, hash)
    this.check(key)
  }

  /** An overdue field that HPEXPIREAT has met lives again, as in Redis; what the server says counts. */
  forget(key: string, field: string, hash: Map<string, Field>): void {
    if (hash.has(field)) return
    const [expireAtMs] = this.send('HPEXPIRETIME', key, 'FIELDS', 1, field) as number[]
    if (expireAtMs! < 0) return
    hash.set(field, { value: this.send('HGET', key, field) as string, expireAtMs: expireAtMs! })
  }

  restore(key: string): void {
    const { persistence, engine } = this.test
    const db = engine.keyspace.databases[0]!
    const name = Buffer.from(key)
    const payload = persistence.dump(db, db.peek(name, 0, name.length))
    this.send('RESTORE', key, 0, Buffer.from(payload), 'REPLACE')
  }

  reload(): void {
    expect(this.test.persistence.reload({ save: true, flush: true, merge: false })).toBe(null)
  }

  check(key: string): void {
    const hash = this.live(key)
    const flat = this.send('HGETALL', key) as string[]
    const found = new Map<string, string>()
    for (let i = 0; i < flat.length; i += 2) found.set(flat[i]!, flat[i + 1]!)
    expect(flat.length).toBe(found.size * 2)
    expect(found).toEqual(new Map([...hash].map(([field, { value }]) => [field, value])))
    const [cursor, scanned] = this.send('HSCAN', key, 0, 'COUNT', 10_000) as [string, string[]]
    expect(cursor).toBe('0')
    expect(scanned.length).toBe(flat.length)
    this.checkEncoding(key)
  }

  checkEncoding(key: string): void {
    if (this.send('EXISTS', key) === 0) return
    const { keyspace } = this.test.engine
    const { hashMaxListpackEntries, hashMaxListpackValueBytes } = keyspace.limits
    const encoding = this.send('OBJECT', 'ENCODING', key) as string
    expect(['listpack', 'listpackex', 'hashtable']).toContain(encoding)
    const hash = this.live(key)
    const isLarge =
      hash.size > hashMaxListpackEntries ||
      [...hash].some(([field, { value }]) => Math.max(field.length, value.length) > hashMaxListpackValueBytes)
    // Nothing that grew becomes small again, unless a file or payload was loaded.
    if (isLarge) expect(encoding).toBe('hashtable')
    const db = keyspace.databases[0]!
    const expiring = [...this.hashes.keys()].filter((one) =>
      [...this.hashes.get(one)!.values()].some(({ expireAtMs }) => expireAtMs !== NEVER && expireAtMs >= this.nowMs),
    )
    expect(db.fieldExpiry.size).toBeGreaterThanOrEqual(expiring.filter((one) => this.send('EXISTS', one) === 1).length)
  }

  end(): void {
    this.send('DEL', ...KEYS, 'copy')
    const { keyspace } = this.test.engine
    while (keyspace.lazyFree.step(1000));
    expect(keyspace.databases[0]!.size).toBe(0)
    expect(keyspace.databases[0]!.fieldExpiry.size).toBe(0)
    for (const db of keyspace.databases) db.fieldExpiry.clear()
    expect(keyspace.arena.usedBytes).toBe(this.emptyBytes)
  }
}

seededTest('hashes agree with a Map', 6, (random) => {
  const model = new HashModel(random)
  for (let i = 0; i < 800; i++) model.step()
  model.end()
})

/** The choice is even: each of the fields comes as often as another, within what chance allows. */
seededTest('HRANDFIELD chooses evenly', 1, (random) => {
  for (const entries of [512, 0]) {
    for (const count of [1, -7, 4, 9]) {
      const { engine, client } = createTestPersistence({ commands: hashCommands, seed: random.int32() >>> 0 })
      engine.keyspace.limits.hashMaxListpackEntries = entries
      const size = 13
      for (let i = 0; i < size; i++) client.send('HSET', 'h', `f${i}`, i)
      const times = new Map<string, number>()
      const rounds = 4000
      for (let round = 0; round < rounds; round++) {
        const raw = Buffer.from(client.send('HRANDFIELD', 'h', count), 'latin1')
        for (const field of decodeReply(raw) as string[]) times.set(field, (times.get(field) ?? 0) + 1)
      }
      const expected = (rounds * Math.abs(count)) / size
      let chi = 0
      for (let i = 0; i < size; i++) chi += ((times.get(`f${i}`) ?? 0) - expected) ** 2 / expected
      // 12 degrees of freedom: above 45 once in 100,000 times.
      expect(chi, `${count} of ${entries === 0 ? 'a table' : 'a listpack'}`).toBeLessThan(45)
    }
  }
})
