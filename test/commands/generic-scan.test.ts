/** SCAN beside writes, and what long walks over the keys cost in portions. */
import { describe, expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { builtInCommands } from '../../src/server/built-in-commands.ts'
import { createTestEngine, type TestClient } from '../support/engine.ts'
import { decodeReply } from '../support/resp-client.ts'

function scan(client: TestClient, cursor: string, ...options: string[]): { next: string; keys: string[] } {
  const [next, keys] = decodeReply(Buffer.from(client.send('SCAN', cursor, ...options), 'latin1')) as [string, string[]]
  return { next, keys }
}

function scanAll(client: TestClient, ...options: string[]): string[] {
  const all: string[] = []
  let cursor = '0'
  do {
    const { next, keys } = scan(client, cursor, ...options)
    all.push(...keys)
    cursor = next
  } while (cursor !== '0')
  return all
}

describe('SCAN', () => {
  test('returns every key once while nothing changes', () => {
    const { client } = createTestEngine(builtInCommands(null))
    const names = Array.from({ length: 5000 }, (_, i) => `key:${i}`)
    for (const name of names) client.send('SET', name, 'v')
    // A rehash under way would show some keys twice, which is allowed.
    client.engine.keyspace.databases[0]!.rehash(1_000_000)
    for (const count of ['1', '10', '1000', '100000']) {
      expect(scanAll(client, 'COUNT', count).sort()).toEqual([...names].sort())
    }
    expect(scanAll(client, 'MATCH', 'key:77*').sort()).toEqual(names.filter((name) => name.startsWith('key:77')).sort())
    expect(scanAll(client, 'TYPE', 'string')).toHaveLength(5000)
    expect(scanAll(client, 'TYPE', 'list')).toHaveLength(0)
  })

  test('a call returns about as many keys as it is asked for', () => {
    const { client } = createTestEngine(builtInCommands(null))
    for (let i = 0; i < 20_000; i++) client.send('SET', `key:${i}`, 'v')
    client.engine.keyspace.databases[0]!.rehash(1_000_000)
    for (const count of [1, 10, 100, 1000]) {
      const { keys } = scan(client, '0', 'COUNT', String(count))
      expect(keys.length).toBeGreaterThanOrEqual(count)
      expect(keys.length).toBeLessThan(count + 24)
    }
  })

  test('returns what is there all the time, whatever comes and goes beside it', () => {
    const { client } = createTestEngine(builtInCommands(null))
    const random = Random.fromSeed(99)
    for (let round = 0; round < 10; round++) {
      client.send('FLUSHALL')
      const staying = Array.from({ length: 100 + random.below(900) }, (_, i) => `stays:${i}`)
      for (const name of staying) client.send('SET', name, 'v')
      const passing: string[] = []
      let serial = 0
      const seen = new Set<string>()
      let cursor = '0'
      do {
        const { next, keys } = scan(client, cursor)
        for (const key of keys) seen.add(key)
        cursor = next
        // Tables grow to a multiple and shrink again.
        const grows = random.below(3) > 0
        for (let i = 0; i < 60; i++) {
          if (grows) {
            passing.push(`passes:${serial++}`)
            client.send('SET', passing.at(-1)!, 'v')
          } else if (passing.length > 0) client.send('DEL', passing.pop()!)
        }
      } while (cursor !== '0')
      expect(staying.filter((name) => !seen.has(name))).toEqual([])
    }
  })

  test('ends for every cursor, and removes overdue keys that it meets', () => {
    const { client, clock, effects } = createTestEngine(builtInCommands(null))
    for (let i = 0; i < 100; i++) client.send('SET', `k${i}`, 'v', 'PX', i < 50 ? '10' : '100000')
    clock.advance(11)
    effects.length = 0
    expect(scanAll(client)).toHaveLength(50)
    // One by one: what a walk comes across does not belong together.
    expect(effects.filter((effect) => effect.startsWith('0:DEL '))).toHaveLength(50)
    expect(effects.join()).not.toContain('MULTI')
    expect(client.send('DBSIZE')).toBe(':50\r\n')
    for (const cursor of ['1', '7', '123456789', '18446744073709551615', '-1']) {
      let at = cursor
      for (let calls = 0; at !== '0'; calls++) {
        at = scan(client, at).next
        expect(calls).toBeLessThan(1000)
      }
    }
  })

  test('KEYS leaves overdue keys in place and does not show them', () => {
    const { client, clock, effects } = createTestEngine(builtInCommands(null))
    client.send('MSET', 'a', '1', 'b', '2')
    client.send('PEXPIRE', 'a', '10')
    clock.advance(11)
    effects.length = 0
    expect(client.send('KEYS', '*')).toBe('*1\r\n$1\r\nb\r\n')
    expect(effects).toEqual([])
    expect(client.send('DBSIZE')).toBe(':2\r\n')
  })
})

describe('RANDOMKEY', () => {
  test('meets every key and removes the overdue ones', () => {
    const { client, clock } = createTestEngine(builtInCommands(null))
    for (let i = 0; i < 30; i++) client.send('SET', `k${i}`, 'v', ...(i < 10 ? ['PX', '10'] : []))
    clock.advance(11)
    const seen = new Set(Array.from({ length: 600 }, () => client.send('RANDOMKEY')))
    expect(seen.size).toBe(20)
    client.send('FLUSHALL')
    client.send('SET', 'last', 'v', 'PX', '10')
    clock.advance(11)
    expect(client.send('RANDOMKEY')).toBe('$-1\r\n')
    expect(client.send('DBSIZE')).toBe(':0\r\n')
  })
})
