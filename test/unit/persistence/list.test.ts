/**
 * Lists in files and payloads: every type of RDB that has one, with right and wrong bytes, and large lists that are
 * written in parts while clients change them.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Random } from '../../../src/base/random.ts'
import { genericCommands } from '../../../src/commands/generic/index.ts'
import { listCommands } from '../../../src/commands/list/index.ts'
import { datasetDigest } from '../../../src/keyspace/digest.ts'
import { Arena } from '../../../src/memory/arena.ts'
import { Listpacks } from '../../../src/structures/listpack.ts'
import { oneOf, seededTest } from '../../model/seeded.ts'
import { mutated } from '../../support/mutate.ts'
import { ziplist } from '../../support/old-encodings.ts'
import { createTestPersistence, DUMP, type TestPersistence } from '../../support/persistence.ts'
import { lengthBytes, payload, RdbBuilder } from '../../support/rdb-builder.ts'
import { decodeReply } from '../../support/resp-client.ts'

const LINKED = 1
const ZIPLIST = 10
const QUICKLIST = 14
const QUICKLIST_2 = 18
const PLAIN = 1
const PACKED = 2
const BAD = 'ERR Bad data format'

describe('lists in RDB', () => {
  let redis: TestPersistence
  const send = (...words: (string | number | Uint8Array)[]) => {
    const raw = redis.client.send(...words)
    return raw.startsWith('-') ? raw.slice(1, -2) : decodeReply(Buffer.from(raw, 'latin1'))
  }
  const restore = (type: number, ...parts: (Uint8Array | readonly number[])[]) =>
    send('RESTORE', 'l', 0, payload(Buffer.concat([[type], ...parts].map((part) => Buffer.from(part)))), 'REPLACE')
  const elements = () => send('LRANGE', 'l', 0, -1)
  const nodes = () => {
    const { databases, lists } = redis.engine.keyspace
    const db = databases[0]!
    return lists.quicklists.nodeCount(db.rootOf(db.peek(Buffer.from('l'), 0, 1)))
  }

  beforeEach(() => {
    redis = createTestPersistence({ commands: [...listCommands, ...genericCommands] })
  })

  test('type 1, a linked list: elements come to stand as if they were pushed', () => {
    expect(restore(LINKED, lengthBytes(3), text('a'), [0xc0, 7], text('007'))).toBe('OK')
    expect(elements()).toEqual(['a', '7', '007'])
    expect(nodes()).toBe(1)
    redis.engine.keyspace.limits.listMaxListpackSize = 2
    expect(restore(LINKED, lengthBytes(3), text('a'), text('b'), text('c'))).toBe('OK')
    expect(nodes()).toBe(2)
    expect(restore(LINKED, lengthBytes(0))).toBe(BAD)
    expect(restore(LINKED, lengthBytes(3), text('a'))).toBe(BAD)
    expect(restore(LINKED, lengthBytes(2 ** 40), text('a'))).toBe(BAD)
    expect(elements()).toEqual(['a', 'b', 'c'])
  })

  test('type 10, a ziplist: elements come to stand as if they were pushed', () => {
    redis.engine.keyspace.limits.listMaxListpackSize = 2
    expect(restore(ZIPLIST, bytes(ziplist(['a', 5, '12', -70_000, ''])))).toBe('OK')
    expect(elements()).toEqual(['a', '5', '12', '-70000', ''])
    expect(nodes()).toBe(3)
    expect(restore(ZIPLIST, bytes(ziplist([])))).toBe(BAD)
    expect(restore(ZIPLIST, bytes(ziplist(['a']).subarray(1)))).toBe(BAD)
  })

  test('type 14, ziplists: each becomes a node', () => {
    const body = [lengthBytes(3), bytes(ziplist(['a', 5])), bytes(ziplist([])), bytes(ziplist(['12', 2n ** 62n]))]
    expect(restore(QUICKLIST, ...body)).toBe('OK')
    expect(elements()).toEqual(['a', '5', '12', String(2n ** 62n)])
    expect(nodes()).toBe(2)
    expect(restore(QUICKLIST, lengthBytes(1), bytes(ziplist([])))).toBe(BAD)
    expect(restore(QUICKLIST, lengthBytes(2), bytes(ziplist(['a'])))).toBe(BAD)
    expect(restore(QUICKLIST, lengthBytes(1), text(''))).toBe(BAD)
  })

  test('type 18, listpacks and single elements', () => {
    const packed = (...texts: string[]) => [...lengthBytes(PACKED), ...bytes(listpack(texts))]
    const plain = (value: string) => [...lengthBytes(PLAIN), ...text(value)]
    expect(restore(QUICKLIST_2, lengthBytes(4), packed('a', '1'), plain('12'), packed(), packed('x'))).toBe('OK')
    expect(elements()).toEqual(['a', '1', '12', 'x'])
    expect(nodes()).toBe(3)
    expect(restore(QUICKLIST_2, lengthBytes(0))).toBe(BAD)
    expect(restore(QUICKLIST_2, lengthBytes(1), packed())).toBe(BAD)
    expect(restore(QUICKLIST_2, lengthBytes(1), plain(''))).toBe(BAD)
    expect(restore(QUICKLIST_2, lengthBytes(1), [3], text('x'))).toBe(BAD)
    expect(restore(QUICKLIST_2, lengthBytes(2), packed('a'))).toBe(BAD)
    expect(restore(QUICKLIST_2, lengthBytes(1), [PACKED], text('not a listpack'))).toBe(BAD)
    expect(elements()).toEqual(['a', '1', '12', 'x'])
    expect(redis.engine.keyspace.arena.usedBytes).toBeGreaterThan(0)
  })

  test('is written as it stands in memory, compressed nodes too', () => {
    const { limits, databases } = redis.engine.keyspace
    limits.listMaxListpackSize = 3
    limits.listCompressDepth = 1
    const long = 'compress me '.repeat(20)
    send('RPUSH', 'l', ...Array.from({ length: 9 }, (_, i) => `${long}${i}`))
    const dump = redis.persistence.dump(databases[0]!, databases[0]!.peek(Buffer.from('l'), 0, 1))
    expect([...dump.subarray(0, 3)]).toEqual([QUICKLIST_2, 3, PACKED])
    const digest = datasetDigest(redis.engine.keyspace)
    expect(send('RESTORE', 'l', 0, dump, 'REPLACE')).toBe('OK')
    expect(datasetDigest(redis.engine.keyspace)).toBe(digest)
    expect(nodes()).toBe(3)
  })

  test('restoring takes memory only for what it keeps', () => {
    const { arena } = redis.engine.keyspace
    send('RPUSH', 'l', 'x')
    const before = arena.usedBytes
    for (let i = 0; i < 20; i++) {
      expect(restore(LINKED, lengthBytes(3), text('a'), text('b'))).toBe(BAD)
      expect(restore(QUICKLIST, lengthBytes(2), bytes(ziplist(['a'])), bytes([1, 2, 3]))).toBe(BAD)
      expect(restore(QUICKLIST_2, lengthBytes(2), [PLAIN], text('abc'), [PACKED], text('none'))).toBe(BAD)
    }
    expect(arena.usedBytes).toBe(before)
  })

  seededTest('changed payloads are refused, or are lists', 3, (random) => {
    for (let round = 0; round < 60; round++) {
      send('DEL', 'k')
      const count = 1 + random.below(12)
      send('RPUSH', 'k', ...Array.from({ length: count }, (_, i) => (random.below(2) ? String(i * 37) : `e${i}`)))
      const db = redis.engine.keyspace.databases[0]!
      const whole = redis.persistence.dump(db, db.peek(Buffer.from('k'), 0, 1))
      const body = mutated(whole.subarray(1, whole.length - 10), random)
      send('DEL', 'l')
      if (restore(QUICKLIST_2, body) !== 'OK') continue
      const held = elements() as string[]
      expect(send('LLEN', 'l')).toBe(held.length)
      for (const [index, element] of held.entries()) expect(send('LINDEX', 'l', index - held.length)).toBe(element)
      send('LREM', 'l', 0, held[0]!)
      send('LINSERT', 'l', 'AFTER', held.at(-1)!, 'new')
      while (send('RPOP', 'l') !== null);
    }
  })

  seededTest('holds its value of the start while it is written in parts', 1, async (random: Random) => {
    const test = createTestPersistence({ commands: [...listCommands, ...genericCommands], seed: random.int32() >>> 0 })
    const { client, engine } = test
    engine.keyspace.limits.listCompressDepth = random.below(2)
    const key = () => `l${random.below(8)}`
    for (let i = 0; i < 8; i++) {
      const length = random.below(2) === 0 ? 4000 + random.below(20_000) : 1 + random.below(100)
      for (let at = 0; at < length; at += 1000) {
        const some = Array.from(
          { length: Math.min(1000, length - at) },
          (_, j) => `element ${at + j} ${random.hex(20)}`,
        )
        client.send('RPUSH', `l${i}`, ...some)
      }
    }
    const digest = datasetDigest(engine.keyspace)
    client.send('BGSAVE')
    while (test.persistence.state.isSaving) {
      if (!test.scheduler.turn()) await test.drain()
      const commands = [
        () => client.send('LPUSH', key(), 'new'),
        () => client.send('RPOP', key(), 100),
        () => client.send('LTRIM', key(), 10, -500),
        () => client.send('LSET', key(), 5, 'changed'),
        () => client.send('LMOVE', key(), key(), 'LEFT', 'RIGHT'),
        () => client.send('LINSERT', key(), 'BEFORE', 'new', 'newer'),
        () => client.send('DEL', key()),
        () => client.send('LINDEX', key(), -3),
      ]
      oneOf(random, commands)()
    }
    expect(test.persistence.state.lastSaveFailed).toBe(false)
    expect(test.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
    expect(datasetDigest(engine.keyspace)).toBe(digest)
  })

  test('comes in pieces from a file', () => {
    send('RPUSH', 'l', ...Array.from({ length: 3000 }, (_, i) => `element ${i}`))
    redis.engine.keyspace.lists.quicklists.plainBytesMin = 50
    send('RPUSH', 'plain', 'x'.repeat(60), 'y', 'z'.repeat(1000))
    const digest = datasetDigest(redis.engine.keyspace)
    send('SAVE')
    redis.files.readBytesMax = 100
    expect(redis.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
    expect(datasetDigest(redis.engine.keyspace)).toBe(digest)
  })

  test('a list without elements is passed over', async () => {
    const file = new RdbBuilder().select(0).byte(LINKED).text('empty').length(0)
    file.byte(QUICKLIST_2).text('none').length(1).length(PACKED).text(listpack([]))
    redis.files.put(DUMP, file.byte(LINKED).text('one').length(1).text('a').end())
    const done = redis.persistence.loadAtStart()
    await redis.drain()
    await done
    expect(send('KEYS', '*')).toEqual(['one'])
  })
})

function text(value: string): number[] {
  return bytes(Buffer.from(value))
}

/** Bytes as a string of RDB. */
function bytes(raw: Uint8Array | readonly number[]): number[] {
  return [...lengthBytes(raw.length), ...raw]
}

function listpack(elements: readonly string[]): Uint8Array {
  const arena = new Arena()
  const listpacks = new Listpacks(arena)
  let ref = listpacks.create()
  for (const element of elements) {
    const raw = Buffer.from(element)
    ref = listpacks.append(ref, raw, 0, raw.length)
  }
  return arena.view8(ref).slice(arena.at8(ref), arena.at8(ref) + listpacks.bytes(ref))
}
