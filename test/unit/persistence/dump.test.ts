/** DUMP and RESTORE in process: what they do to the data, what is propagated, and what is refused. */

import { describe, expect, test } from 'vitest'
import { LOADER } from '../../../src/engine/session.ts'
import { EXPIRE_HIDE } from '../../../src/keyspace/entry.ts'
import { lruIdleSeconds } from '../../../src/keyspace/lru.ts'
import { createTestPersistence } from '../../support/persistence.ts'
import { payload } from '../../support/rdb-builder.ts'

const HELLO = payload([0, 5, ...Buffer.from('hello')])

describe('DUMP', () => {
  test('gives type, value, version and checksum', () => {
    const { client } = createTestPersistence()
    client.send('SET', 'a', 'hello')
    expect(client.send('DUMP', 'a')).toBe(`$${HELLO.length}\r\n${HELLO.toString('latin1')}\r\n`)
    expect(client.send('DUMP', 'nothing')).toBe('$-1\r\n')
  })

  test('rdbcompression decides on LZF, for values of any length', () => {
    const { client, settings } = createTestPersistence()
    for (const length of [20, 21, 100, 70_000, 3_000_000]) {
      client.send('SET', 'a', 'x'.repeat(length))
      const restoredLengths: number[] = []
      for (const compression of [true, false]) {
        settings.compression = compression
        const reply = Buffer.from(client.send('DUMP', 'a'), 'latin1')
        const dumped = reply.subarray(reply.indexOf('\n') + 1, -2)
        if (length > 20) expect(dumped.length < length).toBe(compression)
        expect(client.send('RESTORE', 'b', '0', dumped, 'REPLACE')).toBe('+OK\r\n')
        restoredLengths.push(client.send('GET', 'b').length)
      }
      expect(restoredLengths).toEqual([restoredLengths[0], restoredLengths[0]])
      expect(client.send('STRLEN', 'b')).toBe(`:${length}\r\n`)
    }
  })

  test('keeps the encoding', () => {
    const { client, engine } = createTestPersistence()
    const db = engine.keyspace.databases[0]!
    for (const [value, encoding] of [
      ['12', 1],
      ['-9223372036854775808', 1],
      ['9223372036854775808', 8],
      ['012', 8],
      ['short', 8],
      ['x'.repeat(45), 0],
    ] as const) {
      client.send('SET', 'a', value)
      const reply = Buffer.from(client.send('DUMP', 'a'), 'latin1')
      client.send('RESTORE', 'b', '0', reply.subarray(reply.indexOf('\n') + 1, -2), 'REPLACE')
      expect(db.encodingOf(db.peek(Buffer.from('b'), 0, 1)), value).toBe(encoding)
    }
  })
})

describe('RESTORE', () => {
  test('makes a key, with or without an expire time', () => {
    const { client, engine, effects, clock } = createTestPersistence()
    expect(client.send('RESTORE', 'a', '0', HELLO)).toBe('+OK\r\n')
    expect(client.send('GET', 'a')).toBe('$5\r\nhello\r\n')
    expect(client.send('RESTORE', 'b', '5000', HELLO)).toBe('+OK\r\n')
    expect(client.send('RESTORE', 'c', String(clock.nowMs + 7000), HELLO, 'absttl', 'replace')).toBe('+OK\r\n')
    const db = engine.keyspace.databases[0]!
    const expireOf = (name: string) => db.expireAtMs(db.peek(Buffer.from(name), 0, 1))
    expect([expireOf('a'), expireOf('b'), expireOf('c')]).toEqual([-1, clock.nowMs + 5000, clock.nowMs + 7000])
    const text = HELLO.toString('latin1')
    expect(effects).toEqual([
      `0:RESTORE a 0 ${text}`,
      `0:RESTORE b ${clock.nowMs + 5000} ${text} ABSTTL`,
      `0:RESTORE c ${clock.nowMs + 7000} ${text} absttl replace`,
    ])
    expect(engine.keyspace.dirty).toBe(3)
  })

  test('replaces only when asked, and loses the old expire time', () => {
    const { client, engine } = createTestPersistence()
    client.send('SET', 'a', 'old', 'PX', '100000')
    expect(client.send('RESTORE', 'a', '0', HELLO)).toBe('-BUSYKEY Target key name already exists.\r\n')
    expect(client.send('RESTORE', 'a', '0', HELLO, 'REPLACE')).toBe('+OK\r\n')
    const db = engine.keyspace.databases[0]!
    expect(db.expireAtMs(db.peek(Buffer.from('a'), 0, 1))).toBe(-1)
    expect([db.size, db.expiresSize]).toEqual([1, 0])
  })

  test('an overdue key is no obstacle', () => {
    const { client, clock, effects } = createTestPersistence()
    client.send('SET', 'a', 'old', 'PX', '10')
    clock.advance(11)
    effects.length = 0
    expect(client.send('RESTORE', 'a', '0', HELLO)).toBe('+OK\r\n')
    expect(effects.map((effect) => effect.slice(0, 11))).toEqual(['0:MULTI', '0:DEL a', '0:RESTORE a', '0:EXEC'])
  })

  test('a moment that is past makes no key, and takes away the one that it was to replace', () => {
    const { client, clock, effects, engine } = createTestPersistence()
    expect(client.send('RESTORE', 'a', String(clock.nowMs), HELLO, 'ABSTTL')).toBe('+OK\r\n')
    expect([client.send('GET', 'a'), effects, engine.keyspace.dirty]).toEqual(['$-1\r\n', [], 0])
    client.send('SET', 'a', 'old')
    effects.length = 0
    expect(client.send('RESTORE', 'a', '1', HELLO, 'ABSTTL', 'REPLACE')).toBe('+OK\r\n')
    expect([client.send('GET', 'a'), effects, engine.keyspace.dirty]).toEqual(['$-1\r\n', ['0:DEL a'], 2])
    // The sum of now and the ttl wraps, as in Redis.
    expect(client.send('RESTORE', 'b', '9223372036854775807', HELLO)).toBe('+OK\r\n')
    expect(client.send('GET', 'b')).toBe('$-1\r\n')
    expect(client.send('RESTORE', 'c', '9223372036854775807', HELLO, 'ABSTTL')).toBe('+OK\r\n')
    const db = engine.keyspace.databases[0]!
    expect(db.exactExpireAtMs(db.peek(Buffer.from('c'), 0, 1))).toBe(9_223_372_036_854_775_807n)
  })

  test('a loader and a replica keep what is past', () => {
    const { client, engine } = createTestPersistence()
    client.session.setFlag(LOADER)
    client.send('RESTORE', 'a', '1', HELLO, 'ABSTTL')
    client.session.clearFlag(LOADER)
    engine.keyspace.expireMode = EXPIRE_HIDE
    client.send('RESTORE', 'b', '1', HELLO, 'ABSTTL')
    expect(engine.keyspace.databases[0]!.size).toBe(2)
  })

  test.each<[string, (string | Uint8Array)[], string]>([
    ['an unknown option', ['0', 'x', 'WHAT'], 'ERR syntax error'],
    ['IDLETIME without a number', ['0', 'x', 'IDLETIME'], 'ERR syntax error'],
    ['IDLETIME and FREQ', ['0', 'x', 'IDLETIME', '1', 'FREQ', '1'], 'ERR syntax error'],
    ['a negative IDLETIME', ['0', 'x', 'IDLETIME', '-1'], 'ERR Invalid IDLETIME value, must be >= 0'],
    ['IDLETIME that is no number', ['0', 'x', 'IDLETIME', 'y'], 'ERR value is not an integer or out of range'],
    ['FREQ above 255', ['0', 'x', 'FREQ', '256'], 'ERR Invalid FREQ value, must be >= 0 and <= 255'],
    ['FREQ that is no number', ['0', 'x', 'FREQ', '1.5'], 'ERR value is not an integer or out of range'],
    ['a ttl that is no number', ['x', 'x'], 'ERR value is not an integer or out of range'],
    ['a negative ttl', ['-1', 'x'], 'ERR Invalid TTL value, must be >= 0'],
    ['a payload that is too short', ['0', '123456789'], 'ERR DUMP payload version or checksum are wrong'],
    ['a version that is too new', ['0', payload([0, 1, 65], 13)], 'ERR DUMP payload version or checksum are wrong'],
    ['a wrong checksum', ['0', Buffer.from(HELLO).fill(0, 3, 4)], 'ERR DUMP payload version or checksum are wrong'],
    ['no value', ['0', payload([])], 'ERR Bad data format'],
    ['an opcode', ['0', payload([255])], 'ERR Bad data format'],
    ['a module', ['0', payload([7, 1, 1, 65])], 'ERR Bad data format'],
    ['a list without elements', ['0', payload([1, 0])], 'ERR Bad data format'],
    ['a length above what is there', ['0', payload([0, 30, 65])], 'ERR Bad data format'],
    ['a length of 2^64 - 9', ['0', payload([0, 0x81, 255, 255, 255, 255, 255, 255, 255, 247])], 'ERR Bad data format'],
    ['LZF that is none', ['0', payload([0, 0xc3, 2, 10, 255, 255])], 'ERR Bad data format'],
    ['an unknown encoding', ['0', payload([0, 0xff])], 'ERR Bad data format'],
  ])('%s', (_name, args, message) => {
    const { client, engine } = createTestPersistence()
    expect(client.send('RESTORE', 'a', ...args)).toBe(`-${message}\r\n`)
    expect(engine.keyspace.databases[0]!.size).toBe(0)
  })

  test('a value that reaches into the footer is taken, as Redis does', () => {
    const { client } = createTestPersistence()
    expect(client.send('RESTORE', 'a', '0', payload([0, 12, 65, 66]))).toBe('+OK\r\n')
    expect(client.send('STRLEN', 'a')).toBe(':12\r\n')
  })

  test.each([
    ['none', 100],
    ['lru', 100],
  ] as const)('IDLETIME under policy %s', (usage, idle) => {
    const { client, engine, settings } = createTestPersistence()
    settings.usage = usage
    client.send('RESTORE', 'a', '0', HELLO, 'IDLETIME', String(idle))
    const db = engine.keyspace.databases[0]!
    expect(engine.keyspace.lruClock - db.lruOf(db.peek(Buffer.from('a'), 0, 1))).toBe(idle)
  })

  test('IDLETIME goes by the LRU clock that idle times are told by, also when a second has passed since it was set', () => {
    const { client, engine, settings } = createTestPersistence()
    const { keyspace } = engine
    settings.usage = 'lru'
    engine.clock.advance(2000)
    client.send('RESTORE', 'a', '0', HELLO, 'IDLETIME', '1000')
    const db = keyspace.databases[0]!
    const lru = db.lruOf(db.peek(Buffer.from('a'), 0, 1))
    expect(lruIdleSeconds(lru, keyspace)).toBe(1000)
    keyspace.updateLruClock()
    expect(lruIdleSeconds(lru, keyspace)).toBe(1002)
  })

  test('FREQ counts under an LFU policy only', () => {
    const { client, engine, settings } = createTestPersistence()
    const db = engine.keyspace.databases[0]!
    settings.usage = 'lfu'
    engine.keyspace.lfu = true
    client.send('RESTORE', 'a', '0', HELLO, 'FREQ', '200')
    expect(db.lruOf(db.peek(Buffer.from('a'), 0, 1)) & 255).toBe(200)
    settings.usage = 'lru'
    engine.keyspace.lfu = false
    client.send('RESTORE', 'b', '0', HELLO, 'FREQ', '200')
    expect(db.lruOf(db.peek(Buffer.from('b'), 0, 1))).toBe(engine.keyspace.lruClock)
  })

  test('RESTORE-ASKING does the same', () => {
    const { client } = createTestPersistence()
    expect(client.send('RESTORE-ASKING', 'a', '0', HELLO)).toBe('+OK\r\n')
    expect(client.send('GET', 'a')).toBe('$5\r\nhello\r\n')
  })
})
