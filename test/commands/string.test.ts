/** String commands in process: what a comparison with a running redis-server does not reach. */
import { describe, expect, test } from 'vitest'
import { bitmapCommands } from '../../src/commands/bitmap/index.ts'
import { stringCommands } from '../../src/commands/string/index.ts'
import { FROM_MASTER } from '../../src/engine/session.ts'
import { EXPIRE_HIDE } from '../../src/keyspace/entry.ts'
import { lfuCounter } from '../../src/keyspace/lfu.ts'
import { createTestEngine, type TestEngine } from '../support/engine.ts'

const TOO_LONG = '-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n'
const BAD_OFFSET = '-ERR bit offset is not an integer or out of range\r\n'

const start = () => createTestEngine([...stringCommands, ...bitmapCommands()])

function entryOf({ engine }: TestEngine, key: string) {
  const db = engine.keyspace.databases[0]!
  return { db, entry: db.peekOverdue(Buffer.from(key), 0, key.length) }
}

describe('proto-max-bulk-len', () => {
  const limited = () => {
    const test = start()
    test.engine.settings.bulkBytesMax = 100
    test.client.send('SET', 'k', 'x'.repeat(99))
    return test
  }

  test('bounds what clients make', () => {
    const { client } = limited()
    expect(client.send('APPEND', 'k', 'xx')).toBe(TOO_LONG)
    expect(client.send('APPEND', 'k', 'x')).toBe(':100\r\n')
    expect(client.send('SETRANGE', 'k', 98, 'xyz')).toBe(TOO_LONG)
    expect(client.send('SETRANGE', 'none', 100, 'x')).toBe(TOO_LONG)
    expect(client.send('SETRANGE', 'none', '9223372036854775807', 'x')).toBe(TOO_LONG)
    expect(client.send('SETBIT', 'k', 800, 1)).toBe(BAD_OFFSET)
    expect(client.send('SETBIT', 'k', 799, 1)).toBe(':0\r\n')
    expect(client.send('GETBIT', 'k', 800)).toBe(BAD_OFFSET)
    expect(client.send('BITFIELD', 'k', 'GET', 'u8', '#100')).toBe(BAD_OFFSET)
    expect(client.send('LCS', 'k', 'k')).toMatch(/^-ERR Insufficient memory, transient memory for LCS exceeds/)
  })

  test('does not bind a master', () => {
    const { client } = limited()
    client.session.flags |= FROM_MASTER
    expect(client.send('APPEND', 'k', 'xx')).toBe(':101\r\n')
    expect(client.send('SETRANGE', 'k', 200, 'x')).toBe(':201\r\n')
    expect(client.send('SETBIT', 'k', 8000, 1)).toBe(':0\r\n')
    expect(client.send('STRLEN', 'k')).toBe(':1001\r\n')
  })
})

describe('expire times', () => {
  test('of 64 bits are kept to the millisecond', () => {
    const test = start()
    const { client, effects } = test
    for (const atMs of ['9223372036854775807', '9007199254740993', '4102444800001']) {
      client.send('SET', 'k', 'v', 'PXAT', atMs)
      client.send('SET', 'k', '12', 'KEEPTTL')
      client.send('INCR', 'k')
      client.send('APPEND', 'k', 'x'.repeat(200))
      const { db, entry } = entryOf(test, 'k')
      expect(db.exactExpireAtMs(entry).toString()).toBe(atMs)
      db.copyEntry(entry, engineDb(test, 1), Buffer.from('c'), 0, 1)
      const copied = engineDb(test, 1).peekOverdue(Buffer.from('c'), 0, 1)
      expect(engineDb(test, 1).exactExpireAtMs(copied).toString()).toBe(atMs)
      engineDb(test, 1).remove(copied)
    }
    expect(effects[0]).toBe('0:SET k v PXAT 9223372036854775807')
    client.send('GETEX', 'k', 'PXAT', '9223372036854775807')
    expect(effects.at(-1)).toBe('0:PEXPIREAT k 9223372036854775807')
  })

  test('an overdue key goes before SET makes a new one', () => {
    const { client, clock, effects, engine } = start()
    client.send('SET', 'k', 'v', 'PX', 100)
    clock.advance(101)
    client.send('SET', 'k', 'w', 'KEEPTTL')
    expect(effects.slice(1)).toEqual(['0:MULTI', '0:DEL k', '0:SET k w KEEPTTL', '0:EXEC'])
    expect(engine.keyspace.expiredKeys).toBe(1)
    expect(engine.keyspace.databases[0]!.expiresSize).toBe(0)
  })

  test('on a replica GETEX with a moment that is past leaves the deletion to the master', () => {
    const { client, engine, effects } = start()
    client.send('SET', 'k', 'v')
    engine.keyspace.expireMode = EXPIRE_HIDE
    expect(client.send('GETEX', 'k', 'PXAT', 1000)).toBe('$1\r\nv\r\n')
    expect(effects.at(-1)).toBe('0:PEXPIREAT k 1000')
    expect(client.send('GET', 'k')).toBe('$-1\r\n')
    expect(engine.keyspace.databases[0]!.size).toBe(1)
  })
})

test('how often a key is used counts each command once, and outlives the value', () => {
  const harness = start()
  const { client, engine } = harness
  engine.keyspace.lfu = true
  // Every use counts.
  engine.keyspace.lfuLogFactor = 0
  const uses = () => {
    const { db, entry } = entryOf(harness, 'k')
    return lfuCounter(db.lruOf(entry), engine.keyspace)
  }
  client.send('SET', 'k', '1')
  const first = uses()
  const commands = [
    ['SET', 'k', '2'],
    ['MSET', 'k', '3'],
    ['INCR', 'k'],
    ['APPEND', 'k', '5'],
    ['GETSET', 'k', '6'],
    ['INCRBYFLOAT', 'k', '0.5'],
    ['SETEX', 'k', '100', '7'],
    ['SETBIT', 'k', '100', '1'],
    ['BITOP', 'NOT', 'k', 'other'],
  ]
  client.send('SET', 'other', 'x')
  const counts = commands.map((command) => {
    client.send(...command)
    return uses() - first
  })
  // GETSET reads and writes.
  expect(counts).toEqual([1, 2, 3, 4, 6, 7, 8, 9, 10])
})

function engineDb({ engine }: TestEngine, index: number) {
  return engine.keyspace.databases[index]!
}
