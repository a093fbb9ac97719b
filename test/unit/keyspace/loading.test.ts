import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Random } from '../../../src/base/random.ts'
import { CopySource } from '../../../src/base/word-copy.ts'
import { type Db, stringEncoding } from '../../../src/keyspace/db.ts'
import { NO_KEY, TYPE_STRING } from '../../../src/keyspace/entry.ts'
import { Keyspace } from '../../../src/keyspace/keyspace.ts'
import { SEED } from '../../support/seed.ts'

function newKeyspace(): Keyspace {
  return new Keyspace(new ManualClock(), Random.fromSeed(SEED), 2)
}

function load(db: Db, name: string, text: string, expireAtMs = -1): boolean {
  const key = Buffer.from(name)
  const value = Buffer.from(text)
  const high = Math.floor(expireAtMs / 2 ** 32)
  const entry = db.makeUnlinked(
    new CopySource(key),
    0,
    key.length,
    TYPE_STRING,
    stringEncoding(value, 0, value.length),
    value.length,
    expireAtMs >= 0,
    (expireAtMs - high * 2 ** 32) | 0,
    high,
    -1,
  )
  db.bytesOf(entry).set(value, db.valueAt(entry))
  if (db.link(entry, db.keyspace.table.hashOf(key, 0, key.length))) return true
  db.keyspace.releaseEntry(entry)
  return false
}

function read(db: Db, name: string): string | null {
  const key = Buffer.from(name)
  const entry = db.peek(key, 0, key.length)
  return entry === NO_KEY ? null : Buffer.from(db.valueView(entry)).toString()
}

describe('makeUnlinked and link', () => {
  test.each([
    ['with room reserved', 5000],
    ['while the table grows', 0],
  ])('adds new keys and refuses taken ones, %s', (_name, reserved) => {
    const random = Random.fromSeed(SEED)
    const db = newKeyspace().databases[0]!
    db.reserve(reserved, 0)
    const model = new Map<string, string>()
    for (let i = 0; i < 5000; i++) {
      const name = `key:${random.below(3000)}`
      const value = random.hex(random.below(40))
      expect(load(db, name, value), `seed ${SEED}, step ${i}`).toBe(!model.has(name))
      if (!model.has(name)) model.set(name, value)
      // A hole in a bucket must not hide the key behind it.
      if (i % 7 === 0) {
        const victim = Buffer.from(`key:${random.below(3000)}`)
        expect(db.removeKey(victim, 0, victim.length)).toBe(model.delete(victim.toString()))
      }
    }
    expect(db.size).toBe(model.size)
    for (const [name, value] of model) expect(read(db, name)).toBe(value)
  })

  test('keeps the expire time, and the key is found among the volatile ones', () => {
    const keyspace = newKeyspace()
    const db = keyspace.databases[0]!
    const atMs = keyspace.clock.nowMs + 5000
    expect(load(db, 'a', 'x', atMs)).toBe(true)
    expect(load(db, 'b', 'y')).toBe(true)
    expect([db.size, db.expiresSize]).toEqual([2, 1])
    expect(db.expireAtMs(db.peek(Buffer.from('a'), 0, 1))).toBe(atMs)
    keyspace.clock.advance(5001)
    expect(read(db, 'a')).toBe(null)
    expect([db.size, db.expiresSize]).toEqual([1, 0])
  })

  test('a key that is refused leaves no block behind', () => {
    const keyspace = newKeyspace()
    const db = keyspace.databases[0]!
    load(db, 'a', 'x'.repeat(1000))
    const { usedBytes } = keyspace.arena
    expect(load(db, 'a', 'y'.repeat(3000))).toBe(false)
    expect(keyspace.arena.usedBytes).toBe(usedBytes)
  })
})

describe('epochs', () => {
  test('an epoch is never begun while entries may carry it', () => {
    const keyspace = newKeyspace()
    const db = keyspace.databases[0]!
    load(db, 'old', 'x')
    const old = db.peek(Buffer.from('old'), 0, 3)
    for (let unended = 0; unended < 3; unended++) {
      expect(keyspace.nextEpoch()).toBe(true)
      load(db, `new ${unended}`, 'x')
      const fresh = db.peek(Buffer.from(`new ${unended}`), 0, 5)
      // Made in this epoch: it counts as written. The old one does not.
      expect(db.claimForSnapshot(fresh)).toBe(false)
    }
    expect(keyspace.nextEpoch()).toBe(false)
    expect(keyspace.hasStaleEpochs).toBe(true)
    db.forEach((entry) => void db.claimForSnapshot(entry))
    keyspace.settleEpochs()
    expect(keyspace.hasStaleEpochs).toBe(false)
    expect(keyspace.nextEpoch()).toBe(true)
    expect(db.claimForSnapshot(old)).toBe(true)
    expect(db.claimForSnapshot(old)).toBe(false)
  })

  test('claiming leaves key and expire time as they are', () => {
    const keyspace = newKeyspace()
    const db = keyspace.databases[0]!
    load(db, 'key', 'value', 1_900_000_000_000)
    for (let i = 0; i < 20; i++) {
      expect(keyspace.nextEpoch()).toBe(true)
      const entry = db.peek(Buffer.from('key'), 0, 3)
      expect(db.claimForSnapshot(entry)).toBe(true)
      expect(db.expireAtMs(entry)).toBe(1_900_000_000_000)
      expect(read(db, 'key')).toBe('value')
      keyspace.settleEpochs()
    }
  })
})
