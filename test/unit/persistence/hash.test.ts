/**
 * Hashes in files and payloads: every type of RDB that has one, with right and wrong bytes, and large hashes that are
 * written in parts while clients read and change them.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Random } from '../../../src/base/random.ts'
import { genericCommands } from '../../../src/commands/generic/index.ts'
import { hashCommands } from '../../../src/commands/hash/index.ts'
import { datasetDigest } from '../../../src/keyspace/digest.ts'
import { ListpackEncoder, setHeaderBytes, setHeaderCount } from '../../../src/structures/listpack.ts'
import { seededTest } from '../../model/seeded.ts'
import { createTestPersistence, DUMP, type TestPersistence } from '../../support/persistence.ts'
import { lengthBytes, payload, RdbBuilder } from '../../support/rdb-builder.ts'
import { decodeReply } from '../../support/resp-client.ts'

const LISTPACK_SIZE_TOO_SMALL = 6
const BAD = 'ERR Bad data format'

describe('hashes in RDB', () => {
  let redis: TestPersistence
  const send = (...words: (string | number | Uint8Array)[]) => {
    const raw = redis.client.send(...words)
    return raw.startsWith('-') ? raw.slice(1, -2) : decodeReply(Buffer.from(raw, 'latin1'))
  }
  const restore = (type: number, body: readonly number[], version = 10) =>
    send('RESTORE', 'h', 0, payload([type, ...body], version), 'REPLACE')
  const pairs = () => {
    const flat = send('HGETALL', 'h') as string[]
    return flat.flatMap((_, i) => (i % 2 === 0 ? [`${flat[i]}=${flat[i + 1]}`] : [])).sort()
  }

  beforeEach(() => {
    redis = createTestPersistence({ commands: [...hashCommands, ...genericCommands] })
  })

  test('type 4, a table', () => {
    expect(restore(4, [...lengthBytes(2), ...text('a'), ...text('1'), ...text('b'), 0xc0, 7])).toBe('OK')
    expect(pairs()).toEqual(['a=1', 'b=7'])
    expect(send('OBJECT', 'ENCODING', 'h')).toBe('listpack')
    redis.engine.keyspace.limits.hashMaxListpackEntries = 1
    expect(restore(4, [...lengthBytes(2), ...text('a'), ...text('1'), ...text('b'), 0xc0, 7])).toBe('OK')
    expect(send('OBJECT', 'ENCODING', 'h')).toBe('hashtable')
    expect(pairs()).toEqual(['a=1', 'b=7'])
    redis.engine.keyspace.limits.hashMaxListpackEntries = 512
    // The value that is too long comes second.
    const long = 'x'.repeat(65)
    expect(restore(4, [...lengthBytes(2), ...text('a'), ...text('1'), ...text('b'), ...text(long)])).toBe('OK')
    expect(send('OBJECT', 'ENCODING', 'h')).toBe('hashtable')
    expect(pairs()).toEqual(['a=1', `b=${long}`])
    for (const entries of [512, 1]) {
      redis.engine.keyspace.limits.hashMaxListpackEntries = entries
      expect(restore(4, [...lengthBytes(2), ...text('a'), ...text('1'), ...text('a'), ...text('2')])).toBe(BAD)
      expect(restore(4, [...lengthBytes(0)])).toBe(BAD)
      expect(restore(4, [...lengthBytes(2), ...text('a'), ...text('1'), ...text('b')])).toBe(BAD)
      expect(restore(4, [...lengthBytes(2 ** 33), ...text('a'), ...text('1')])).toBe(BAD)
    }
    expect(pairs()).toEqual(['a=1', `b=${long}`])
  })

  test('types 9 and 13, a zipmap and a ziplist', () => {
    const zipmap = [2, 1, 97, 1, 0, 49, 1, 98, 2, 1, 50, 51, 0, 0xff]
    expect(restore(9, bytes(zipmap))).toBe('OK')
    expect(pairs()).toEqual(['a=1', 'b=23'])
    expect(send('OBJECT', 'ENCODING', 'h')).toBe('listpack')
    expect(restore(9, bytes([2, 1, 97, 1, 0, 49, 1, 97, 1, 0, 50, 0xff]))).toBe(BAD)
    expect(restore(9, bytes([1, 1, 97, 9, 0, 49, 0xff]))).toBe(BAD)
    const ziplist = [17, 0, 0, 0, 13, 0, 0, 0, 2, 0, 0, 1, 97, 3, 0xf8, 0xff]
    ziplist[0] = ziplist.length
    expect(restore(13, bytes(ziplist))).toBe('OK')
    expect(pairs()).toEqual(['a=7'])
    const odd = [14, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 1, 97, 0xff]
    expect(restore(13, bytes(odd))).toBe(BAD)
  })

  test('type 16, a listpack', () => {
    const good = listpack(['a', '1', 'b', 'two'])
    expect(restore(16, bytes(good))).toBe('OK')
    expect(pairs()).toEqual(['a=1', 'b=two'])
    expect(restore(16, bytes(listpack(['a', '1', 'a', '2'])))).toBe(BAD)
    expect(restore(16, bytes(listpack(['a', '1', 'b'])))).toBe(BAD)
    expect(restore(16, bytes(listpack([])))).toBe(BAD)
    expect(restore(16, bytes(good.slice(0, LISTPACK_SIZE_TOO_SMALL)))).toBe(BAD)
    const many = Array.from({ length: 600 }, (_, i) => [`f${i}`, String(i)]).flat()
    expect(restore(16, bytes(listpack(many)))).toBe('OK')
    expect(send('OBJECT', 'ENCODING', 'h')).toBe('hashtable')
    expect(send('HLEN', 'h')).toBe(600)
    for (const count of [40, 600]) {
      const twins = [...many.slice(0, count), 'f3', 'again']
      expect(restore(16, bytes(listpack(twins)))).toBe(BAD)
    }
    // A bit flipped anywhere is noticed, or makes another listpack that is one.
    for (let i = 0; i < good.length; i++) {
      const flipped = [...good]
      flipped[i]! ^= 1 << (i % 8)
      const reply = restore(16, bytes(flipped))
      expect(['OK', BAD]).toContain(reply)
      if (reply === 'OK') expect(pairs().length * 2).toBe((send('HGETALL', 'h') as string[]).length)
    }
  })

  test('types 22 to 25, fields that expire', () => {
    const nowMs = redis.clock.nowMs
    const timed = (at: number) => [...lengthBytes(at)]
    const body = [
      ...lengthBytes(3),
      ...[...timed(1), ...text('a'), ...text('1')],
      ...[...timed(0), ...text('b'), ...text('2')],
      ...[...timed(501), ...text('c'), ...text('3')],
    ]
    expect(restore(24, [...int64(nowMs + 1000), ...body], 12)).toBe('OK')
    const times = () => send('HPEXPIRETIME', 'h', 'FIELDS', 3, 'a', 'b', 'c')
    expect(times()).toEqual([nowMs + 1000, -1, nowMs + 1500])
    expect(send('OBJECT', 'ENCODING', 'h')).toBe('listpackex')
    expect(pairs()).toEqual(['a=1', 'b=2', 'c=3'])
    expect(redis.engine.keyspace.databases[0]!.fieldExpiry.size).toBe(1)
    const list = listpack(['a', '1', String(nowMs + 1000), 'c', '3', String(nowMs + 1500), 'b', '2', '0'])
    expect(restore(25, [...int64(nowMs + 1000), ...bytes(list)], 12)).toBe('OK')
    expect(times()).toEqual([nowMs + 1000, -1, nowMs + 1500])
    const absolute = [...lengthBytes(1), ...timed(nowMs + 7), ...text('a'), ...text('1')]
    expect(restore(22, absolute, 12)).toBe('OK')
    expect(send('HPEXPIRETIME', 'h', 'FIELDS', 1, 'a')).toEqual([nowMs + 7])
    expect(restore(23, bytes(list), 12)).toBe('OK')
    expect(times()).toEqual([nowMs + 1000, -1, nowMs + 1500])
    // Wrong: twins, no time, a time that is none, too late a time, nothing.
    expect(restore(25, [...int64(1), ...bytes(listpack(['a', '1', '5', 'a', '2', '6']))], 12)).toBe(BAD)
    expect(restore(25, [...int64(1), ...bytes(listpack(['a', '1']))], 12)).toBe(BAD)
    expect(restore(25, [...int64(1), ...bytes(listpack(['a', '1', 'x']))], 12)).toBe(BAD)
    expect(restore(25, [...int64(1), ...bytes(listpack(['a', '1', '-1']))], 12)).toBe(BAD)
    expect(restore(25, [...int64(1), ...bytes(listpack(['a', '1', String(2 ** 48)]))], 12)).toBe(BAD)
    expect(restore(25, [...int64(0), ...bytes(listpack([]))], 12)).toBe(BAD)
    expect(restore(24, [...int64(0), ...lengthBytes(0)], 12)).toBe(BAD)
    expect(restore(24, [...int64(nowMs), ...body.slice(0, -2)], 12)).toBe(BAD)
    expect(restore(24, [...int64(-5), ...body], 12)).toBe(BAD)
    expect(times()).toEqual([nowMs + 1000, -1, nowMs + 1500])
  })

  test('what expires makes the file one of Redis 7.4, nothing else does', () => {
    send('HSET', 'h', 'a', 1, 'b', 2)
    send('SAVE')
    expect(Buffer.from(redis.files.content(DUMP)!.subarray(0, 9)).toString()).toBe('REDIS0010')
    expect(typeOfDump()).toEqual([16, 10])
    send('HPEXPIRE', 'h', 1000, 'FIELDS', 1, 'a')
    expect(typeOfDump()).toEqual([25, 12])
    send('SAVE')
    expect(Buffer.from(redis.files.content(DUMP)!.subarray(0, 9)).toString()).toBe('REDIS0012')
    send('HSET', 'h', 'long', 'x'.repeat(100))
    expect(typeOfDump()).toEqual([24, 12])
    send('HPERSIST', 'h', 'FIELDS', 1, 'a')
    expect(typeOfDump()).toEqual([4, 10])
    send('SAVE')
    expect(Buffer.from(redis.files.content(DUMP)!.subarray(0, 9)).toString()).toBe('REDIS0010')
  })

  test('a small hash with times is written as Redis keeps it: the earliest first, what stays last', () => {
    send('HSET', 'h', 'stays', 1, 'late', 2, 'early', 'x')
    send('HPEXPIREAT', 'h', 9_000_000_000_000, 'FIELDS', 1, 'late')
    send('HPEXPIREAT', 'h', 8_000_000_000_000, 'FIELDS', 1, 'early')
    const db = redis.engine.keyspace.databases[0]!
    const dump = redis.persistence.dump(db, db.peek(Buffer.from('h'), 0, 1))
    const list = listpack(['early', 'x', '8000000000000', 'late', '2', '9000000000000', 'stays', '1', '0'])
    expect([...dump.subarray(1, 9)]).toEqual(int64(8_000_000_000_000))
    expect([...dump.subarray(9, dump.length - 10)]).toEqual(bytes(list))
  })

  function typeOfDump(): [number, number] {
    const db = redis.engine.keyspace.databases[0]!
    const dump = redis.persistence.dump(db, db.peek(Buffer.from('h'), 0, 1))
    return [dump[0]!, dump[dump.length - 10]!]
  }

  seededTest('holds its value of the start while it is written in parts', 1, async (random: Random) => {
    const test = createTestPersistence({ commands: [...hashCommands, ...genericCommands], seed: random.int32() >>> 0 })
    const { client, clock } = test
    const key = () => `h${random.below(12)}`
    for (let i = 0; i < 12; i++) {
      const fields = random.below(3) === 0 ? 6000 + random.below(6000) : 1 + random.below(600)
      const words = Array.from({ length: fields }, (_, j) => [`field ${j}`, `value ${random.hex(40)}`]).flat()
      for (let at = 0; at < words.length; at += 4000) client.send('HSET', `h${i}`, ...words.slice(at, at + 4000))
      if (random.below(2) === 0) client.send('HPEXPIRE', `h${i}`, 1_000_000, 'FIELDS', 1, 'field 0')
    }
    const digest = datasetDigest(test.engine.keyspace)
    client.send('BGSAVE')
    while (test.persistence.state.isSaving) {
      if (!test.scheduler.turn()) await test.drain()
      // Looking something up goes on with a rehash under way.
      for (let i = 0; i < 8; i++) client.send('HGET', key(), `field ${random.below(9000)}`)
      switch (random.below(8)) {
        case 0:
          client.send('HSET', key(), 'field 1', 'changed', `new ${random.hex(5)}`, 'x')
          break
        case 1:
          client.send('HDEL', key(), 'field 0', 'field 2')
          break
        case 2:
          client.send('HPEXPIRE', key(), 5, 'FIELDS', 2, 'field 3', 'field 4')
          clock.advance(6)
          client.send('HMGET', key(), 'field 3', 'field 4')
          break
        case 3:
          client.send('HINCRBYFLOAT', key(), 'number', '1.5')
          break
        case 4:
          client.send('DEL', key())
          break
      }
    }
    expect(test.persistence.state.lastSaveFailed).toBe(false)
    expect(test.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
    expect(datasetDigest(test.engine.keyspace)).toBe(digest)
  })

  test('a walk that is given up leaves tables free to grow', async () => {
    const { client, engine, persistence, scheduler } = redis
    const { table } = engine.keyspace.hashes.fields
    const words = Array.from({ length: 12_000 }, (_, j) => [`field ${j}`, 'x'.repeat(200)]).flat()
    for (let at = 0; at < words.length; at += 4000) client.send('HSET', 'h', ...words.slice(at, at + 4000))
    client.send('BGSAVE')
    for (let i = 0; i < 3; i++) scheduler.turn()
    expect(persistence.state.isSaving).toBe(true)
    const db = engine.keyspace.databases[0]!
    const fields = db.rootOf(db.peek(Buffer.from('h'), 0, 1))
    const slots = table.slotCount(fields, 0)
    persistence.endBackgroundSave()
    for (let at = 0; at < 24_000; at += 4) {
      client.send('HSET', 'h', `more ${at}`, 'x', `more ${at + 1}`, 'x', `more ${at + 2}`, 'x', `more ${at + 3}`, 'x')
    }
    expect(table.slotCount(fields, 0)).toBeGreaterThan(slots)
    await redis.drain()
  })

  test('comes in pieces from a file', async () => {
    redis.engine.keyspace.limits.hashMaxListpackEntries = 10
    const words = Array.from({ length: 3000 }, (_, j) => [`field ${j}`, `value ${j}`.repeat(1 + (j % 9))]).flat()
    send('HSET', 'h', ...words)
    send('HSET', 'small', 'a', 1)
    send('HSET', 'timed', ...words.slice(0, 2000))
    send('HPEXPIRE', 'timed', 100_000, 'FIELDS', 2, 'field 3', 'field 7')
    const digest = datasetDigest(redis.engine.keyspace)
    send('SAVE')
    redis.files.readBytesMax = 100
    expect(redis.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
    expect(datasetDigest(redis.engine.keyspace)).toBe(digest)
  })

  test('a hash without fields is passed over', async () => {
    const file = new RdbBuilder()
      .select(0)
      .byte(4)
      .text('empty')
      .length(0)
      .byte(16)
      .text('none')
      .raw(bytes(listpack([])))
    redis.files.put(DUMP, file.byte(4).text('one').length(1).text('a').text('1').end())
    const done = redis.persistence.loadAtStart()
    await redis.drain()
    await done
    expect(send('KEYS', '*')).toEqual(['one'])
  })
})

function text(value: string): number[] {
  return [...lengthBytes(value.length), ...Buffer.from(value)]
}

/** Bytes as a string of RDB. */
function bytes(raw: readonly number[]): number[] {
  return [...lengthBytes(raw.length), ...raw]
}

function int64(value: number): number[] {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64LE(BigInt(value))
  return [...buffer]
}

function listpack(elements: readonly string[]): number[] {
  const encoder = new ListpackEncoder()
  const list = new Uint8Array(100_000)
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
