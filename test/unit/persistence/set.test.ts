/**
 * Sets in files and payloads: every type of RDB that has one, with right and wrong bytes, and large sets that are written in
 * parts while clients read and change them.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Random } from '../../../src/base/random.ts'
import { genericCommands } from '../../../src/commands/generic/index.ts'
import { setCommands } from '../../../src/commands/set/index.ts'
import { datasetDigest } from '../../../src/keyspace/digest.ts'
import { ListpackEncoder, setHeaderBytes, setHeaderCount } from '../../../src/structures/listpack.ts'
import { seededTest } from '../../model/seeded.ts'
import { createTestPersistence, DUMP, type TestPersistence } from '../../support/persistence.ts'
import { lengthBytes, payload, RdbBuilder } from '../../support/rdb-builder.ts'
import { decodeReply } from '../../support/resp-client.ts'

const BAD = 'ERR Bad data format'
const COMMANDS = [...setCommands, ...genericCommands]

describe('sets in RDB', () => {
  let redis: TestPersistence
  const send = (...words: (string | number | Uint8Array)[]) => {
    const raw = redis.client.send(...words)
    return raw.startsWith('-') ? raw.slice(1, -2) : decodeReply(Buffer.from(raw, 'latin1'))
  }
  const restore = (type: number, body: readonly number[], version = 10) =>
    send('RESTORE', 's', 0, payload([type, ...body], version), 'REPLACE')
  const members = () => (send('SMEMBERS', 's') as string[]).sort()
  const encoding = () => send('OBJECT', 'ENCODING', 's')
  const fill = (key: string, count: number, prefix: string) => {
    for (let at = 0; at < count; at += 500) {
      redis.client.send(
        'SADD',
        key,
        ...Array.from({ length: Math.min(500, count - at) }, (_, i) => `${prefix}${at + i}`),
      )
    }
  }

  beforeEach(() => {
    redis = createTestPersistence({ commands: COMMANDS })
  })

  test('type 2, strings', () => {
    const { limits } = redis.engine.keyspace
    expect(restore(2, [...lengthBytes(2), ...text('a'), 0xc0, 7])).toBe('OK')
    expect(members()).toEqual(['7', 'a'])
    expect(encoding()).toBe('hashtable')
    expect(restore(2, [...lengthBytes(2), ...text('12'), 0xc0, 7])).toBe('OK')
    expect(encoding()).toBe('intset')
    limits.setMaxIntsetEntries = 1
    expect(restore(2, [...lengthBytes(2), ...text('12'), 0xc0, 7])).toBe('OK')
    expect(encoding()).toBe('hashtable')
    expect(members()).toEqual(['12', '7'])
    for (const entries of [512, 1]) {
      limits.setMaxIntsetEntries = entries
      expect(restore(2, [...lengthBytes(2), ...text('a'), ...text('a')])).toBe(BAD)
      expect(restore(2, [...lengthBytes(2), ...text('7'), 0xc0, 7])).toBe(BAD)
      expect(restore(2, [...lengthBytes(3), ...text('7'), ...text('a'), 0xc0, 7])).toBe(BAD)
      expect(restore(2, [...lengthBytes(0)])).toBe(BAD)
      expect(restore(2, [...lengthBytes(3), ...text('a'), ...text('b')])).toBe(BAD)
      expect(restore(2, [...lengthBytes(2 ** 33), ...text('a')])).toBe(BAD)
    }
    expect(members()).toEqual(['12', '7'])
  })

  test('type 11, an intset', () => {
    const good = [2, 0, 0, 0, 3, 0, 0, 0, 0xff, 0xff, 1, 0, 5, 0]
    expect(restore(11, bytes(good))).toBe('OK')
    expect(members()).toEqual(['-1', '1', '5'])
    expect(encoding()).toBe('intset')
    expect(restore(11, bytes([2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 0]))).toBe(BAD)
    expect(restore(11, bytes([2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 0]))).toBe(BAD)
    expect(restore(11, bytes([2, 0, 0, 0, 0, 0, 0, 0]))).toBe(BAD)
    expect(restore(11, bytes([2, 0, 0, 0, 1, 0, 0, 0]))).toBe(BAD)
    expect(restore(11, bytes([3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0]))).toBe(BAD)
    expect(restore(11, bytes([2, 0, 0]))).toBe(BAD)
    expect(restore(11, bytes([]))).toBe(BAD)
    expect(members()).toEqual(['-1', '1', '5'])
    redis.engine.keyspace.limits.setMaxIntsetEntries = 2
    expect(restore(11, bytes(good))).toBe('OK')
    expect(encoding()).toBe('hashtable')
    expect(members()).toEqual(['-1', '1', '5'])
    // An intset whose bytes are the text of a number may be written as one, and is none.
    expect(restore(11, [0xc0, 7])).toBe(BAD)
  })

  test('type 20, a listpack of Redis 7.2', () => {
    const good = listpack(['a', '1', 'two'])
    expect(restore(20, bytes(good), 11)).toBe('OK')
    expect(members()).toEqual(['1', 'a', 'two'])
    expect(encoding()).toBe('hashtable')
    expect(restore(20, bytes(listpack(['3', '1'])), 11)).toBe('OK')
    expect(encoding()).toBe('intset')
    expect(restore(20, bytes(listpack(['a', 'a'])), 11)).toBe(BAD)
    expect(restore(20, bytes(listpack([])), 11)).toBe(BAD)
    expect(restore(20, bytes(good.slice(0, 6)), 11)).toBe(BAD)
    expect(members()).toEqual(['1', '3'])
    for (let i = 0; i < good.length; i++) {
      const flipped = [...good]
      flipped[i]! ^= 1 << (i % 8)
      const reply = restore(20, bytes(flipped), 11)
      expect(['OK', BAD]).toContain(reply)
      if (reply === 'OK') expect(members()).toHaveLength(send('SCARD', 's') as number)
    }
  })

  test('is written as Redis 7.0 does', () => {
    const dump = () => {
      const db = redis.engine.keyspace.databases[0]!
      return [...redis.persistence.dump(db, db.peek(Buffer.from('s'), 0, 1)).subarray(0, -10)]
    }
    send('SADD', 's', '1', '-1', '5')
    expect(dump()).toEqual([11, ...bytes([2, 0, 0, 0, 3, 0, 0, 0, 0xff, 0xff, 1, 0, 5, 0])])
    send('DEL', 's')
    send('SADD', 's', 'x')
    send('SADD', 's', '300')
    expect([
      [2, 2, 1, 120, 0xc1, 44, 1],
      [2, 2, 0xc1, 44, 1, 1, 120],
    ]).toContainEqual(dump())
  })

  test('a set without members is passed over, and one comes in pieces from a file', async () => {
    fill('s', 3000, 'member '.repeat(20))
    fill('numbers', 400, '')
    fill('more numbers', 4000, '')
    const digest = datasetDigest(redis.engine.keyspace)
    send('SAVE')
    redis.files.readBytesMax = 100
    expect(redis.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
    expect(datasetDigest(redis.engine.keyspace)).toBe(digest)

    redis = createTestPersistence({ commands: COMMANDS })
    const file = new RdbBuilder().select(0).byte(2).text('empty').length(0).byte(20).text('none')
    file.raw(bytes(listpack([])))
    redis.files.put(DUMP, file.byte(2).text('one').length(1).text('a').end())
    const done = redis.persistence.loadAtStart()
    await redis.drain()
    await done
    expect(send('KEYS', '*')).toEqual(['one'])
  })

  seededTest('holds its value of the start while it is written in parts', 2, async (random: Random) => {
    redis = createTestPersistence({ commands: COMMANDS, seed: random.int32() >>> 0 })
    const { client } = redis
    const key = () => `s${random.below(12)}`
    for (let i = 0; i < 12; i++) {
      const count = random.below(3) === 0 ? 20_000 + random.below(20_000) : 1 + random.below(600)
      fill(`s${i}`, count, random.below(3) === 0 ? '' : `member ${'x'.repeat(random.below(30))}`)
    }
    const digest = datasetDigest(redis.engine.keyspace)
    client.send('BGSAVE')
    while (redis.persistence.state.isSaving) {
      if (!redis.scheduler.turn()) await redis.drain()
      // Looking something up goes on with a rehash under way.
      for (let i = 0; i < 8; i++) client.send('SISMEMBER', key(), `member ${random.below(9000)}`)
      switch (random.below(10)) {
        case 0:
          client.send('SADD', key(), 'one', `new ${random.hex(5)}`)
          break
        case 1:
          client.send('SPOP', key(), String(random.below(20)))
          break
        case 2:
          client.send('SMOVE', key(), key(), '1')
          break
        case 3:
          client.send('SUNIONSTORE', key(), key(), key())
          break
        case 4:
          client.send('DEL', key())
          break
        case 5:
          client.send('SREM', key(), '1', '2', 'one')
          break
      }
    }
    expect(redis.persistence.state.lastSaveFailed).toBe(false)
    expect(redis.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
    expect(datasetDigest(redis.engine.keyspace)).toBe(digest)
  })

  test('a walk that is given up leaves tables free to grow', async () => {
    const { engine, persistence, scheduler } = redis
    const { members: table } = engine.keyspace.sets
    fill('s', 60_000, 'member of some length that makes the file grow: ')
    send('BGSAVE')
    for (let i = 0; i < 3; i++) scheduler.turn()
    expect(persistence.state.isSaving).toBe(true)
    const db = engine.keyspace.databases[0]!
    const root = db.rootOf(db.peek(Buffer.from('s'), 0, 1))
    const slots = table.slotCount(root, 0)
    persistence.endBackgroundSave()
    fill('s', 150_000, 'more ')
    expect(table.slotCount(root, 0)).toBeGreaterThan(slots)
    await redis.drain()
  })
})

function text(value: string): number[] {
  return [...lengthBytes(value.length), ...Buffer.from(value)]
}

/** Bytes as a string of RDB. */
function bytes(raw: readonly number[]): number[] {
  return [...lengthBytes(raw.length), ...raw]
}

function listpack(elements: readonly string[]): number[] {
  const encoder = new ListpackEncoder()
  const list = new Uint8Array(1000)
  const data = new DataView(list.buffer)
  let at = 6
  for (const element of elements) {
    const raw = new Uint8Array(Buffer.from(element))
    encoder.text(raw, 0, raw.length)
    encoder.write(list, data, at)
    at += encoder.total
  }
  list[at] = 0xff
  setHeaderBytes(list, 0, at + 1)
  setHeaderCount(list, 0, elements.length)
  return [...list.subarray(0, at + 1)]
}
