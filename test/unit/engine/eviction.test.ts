import { expect, test } from 'vitest'
import { del } from '../../../src/commands/generic/delete.ts'
import { stringCommands } from '../../../src/commands/string/index.ts'
import { transactionCommands } from '../../../src/commands/transactions/index.ts'
import type { EvictionPolicy } from '../../../src/engine/eviction.ts'
import { createTestEngine } from '../../support/engine.ts'

const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
const VALUE = 'v'.repeat(200)

function limited(policy: EvictionPolicy, room: number, seed = 1) {
  const { engine, clock, client, effects } = createTestEngine([...stringCommands, ...transactionCommands, del], {
    seed,
  })
  engine.settings.maxmemoryBytes = engine.usedMemoryBytes + room
  engine.settingsChanged()
  engine.eviction.setPolicy(policy)
  engine.eviction.tenacity = 100
  engine.keyspace.lfu = policy.endsWith('lfu')
  return { engine, clock, client, effects }
}

test('without a policy commands that need memory are refused and others are not', () => {
  const { engine, client } = limited('noeviction', 100_000)
  let stored = 0
  while (client.send('SET', `key:${stored}`, VALUE) === '+OK\r\n') stored++
  expect(stored).toBeGreaterThan(200)
  expect(client.send('SET', 'key:0', 'short')).toBe(OOM)
  expect(client.send('GET', 'key:0')).toBe(`$200\r\n${VALUE}\r\n`)
  expect(client.send('MULTI')).toBe('+OK\r\n')
  expect(client.send('GET', 'key:0')).toBe(OOM)
  expect(client.send('EXEC')).toContain('-EXECABORT')
  expect(client.send('DEL', 'key:0', 'key:1', 'key:2')).toBe(':3\r\n')
  expect(client.send('SET', 'key:0', 'short')).toBe('+OK\r\n')
  expect(engine.eviction.evictedKeys).toBe(0)
})

test('nothing joins a transaction while memory is short, and EXEC ends it', () => {
  const { client } = limited('noeviction', 100_000)
  expect(client.send('MULTI')).toBe('+OK\r\n')
  let stored = 0
  while (client.send('SET', `key:${stored}`, VALUE) === '+QUEUED\r\n' && stored < 20) stored++
  expect(client.send('EXEC')).toContain('+OK')
})

test.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random'] as const)('%s keeps memory within the limit', (policy) => {
  const { engine, client, effects } = limited(policy, 100_000)
  for (let i = 0; i < 3000; i++) {
    expect(client.send('SET', `key:${i}`, VALUE)).toBe('+OK\r\n')
    expect(engine.usedMemoryBytes).toBeLessThan(engine.settings.maxmemoryBytes + 4096)
  }
  const { evictedKeys } = engine.eviction
  expect(evictedKeys + engine.keyspace.databases[0]!.size).toBe(3000)
  expect(effects.filter((effect) => effect.includes('DEL')).length).toBe(evictedKeys)
})

test.each(['volatile-lru', 'volatile-lfu', 'volatile-random', 'volatile-ttl'] as const)(
  '%s takes keys with an expire time alone',
  (policy) => {
    const { engine, client } = limited(policy, 200_000)
    for (let i = 0; i < 200; i++) client.send('SET', `stays:${i}`, VALUE)
    let last = '+OK\r\n'
    for (let i = 0; i < 2000 && last === '+OK\r\n'; i++) last = client.send('SET', `goes:${i}`, VALUE, 'EX', 1000 + i)
    expect(last).toBe('+OK\r\n')
    for (let i = 0; i < 200; i++) expect(client.send('GET', `stays:${i}`)).toContain(VALUE)
    expect(engine.eviction.evictedKeys).toBeGreaterThan(1000)
    // Without any that may go, writes are refused.
    for (let i = 0; last === '+OK\r\n' && i < 3000; i++) last = client.send('SET', `too:${i}`, VALUE)
    expect(last).toBe(OOM)
    expect(engine.keyspace.databases[0]!.expiresSize).toBe(0)
  },
)

test('keys that are used stay under lru, and those soon to expire go first under ttl', () => {
  const lru = limited('allkeys-lru', 200_000)
  for (let i = 0; i < 400; i++) lru.client.send('SET', `old:${i}`, VALUE)
  lru.clock.advance(10_000)
  lru.engine.keyspace.updateLruClock()
  for (let i = 0; i < 100; i++) lru.client.send('GET', `old:${i}`)
  lru.clock.advance(10_000)
  lru.engine.keyspace.updateLruClock()
  for (let i = 0; i < 450; i++) lru.client.send('SET', `new:${i}`, VALUE)
  let kept = 0
  for (let i = 0; i < 100; i++) if (lru.client.send('GET', `old:${i}`) !== '$-1\r\n') kept++
  expect(kept).toBeGreaterThan(85)

  const ttl = limited('volatile-ttl', 200_000)
  for (let i = 0; i < 1000; i++) ttl.client.send('SET', `k:${i}`, VALUE, 'EX', 10_000 - i)
  let late = 0
  for (let i = 0; i < 300; i++) if (ttl.client.send('GET', `k:${i}`) !== '$-1\r\n') late++
  expect(late).toBeGreaterThan(200)
})

test('nothing is evicted while clients are paused', () => {
  const { engine, client } = limited('allkeys-lru', 50_000)
  for (let i = 0; i < 200; i++) client.send('SET', `key:${i}`, VALUE)
  const before = engine.eviction.evictedKeys
  engine.pause.start('write', engine.clock.nowMs + 1000)
  engine.settings.maxmemoryBytes = 1
  client.send('GET', 'key:1')
  expect(engine.eviction.evictedKeys).toBe(before)
})

test('what takes longer than one command may wait goes on in turns', () => {
  const { engine, client, clock } = limited('allkeys-random', 1_000_000)
  for (let i = 0; i < 2000; i++) client.send('SET', `key:${i}`, VALUE)
  let asked = 0
  engine.eviction.onPending = () => asked++
  engine.eviction.tenacity = 0
  const refresh = clock.refresh.bind(clock)
  // Each look at the clock finds that time has passed.
  clock.refresh = () => {
    clock.advance(1)
    refresh()
  }
  engine.settings.maxmemoryBytes = 100_000
  engine.eviction.start()
  let turns = 0
  while (engine.eviction.goOn()) turns++
  expect(turns).toBeGreaterThan(50)
  expect(asked).toBe(turns + 1)
  expect(engine.usedMemoryBytes).toBeLessThanOrEqual(100_000)
})

test('buffers that eviction itself fills are used memory and no reason to evict', () => {
  const { engine, client } = limited('allkeys-lru', 100_000)
  client.send('SET', 'key', VALUE)
  engine.buffers.push({ usedBytes: 1_000_000, uncountedBytes: 1_000_000 })
  expect(client.send('SET', 'other', VALUE)).toBe('+OK\r\n')
  expect(engine.eviction.evictedKeys).toBe(0)
  engine.buffers.push({ usedBytes: 1_000_000, uncountedBytes: 0 })
  expect(client.send('SET', 'third', VALUE)).toBe(OOM)
  expect(engine.eviction.evictedKeys).toBe(2)
})

test('clients that hold most memory are closed when all hold too much', () => {
  const { engine, client } = createTestEngine([...stringCommands, ...transactionCommands])
  engine.settings.maxmemoryClients = 150_000
  engine.settingsChanged()
  const big = createTestEngine([]).client
  const greedy = engine.connect(big.sink)
  const send = (text: string) => engine.receive(greedy, Buffer.from(text), text.length)
  // The beginning of a value whose end does not come.
  send(`*3\r\n$3\r\nSET\r\n$1\r\na\r\n$900000\r\n${'x'.repeat(200_000)}`)
  expect(big.sink.closed).toBe(true)
  expect(engine.clientMemory.evictedClients).toBe(1)
  expect(client.send('SET', 'a', '1')).toBe('+OK\r\n')
  expect(engine.clientMemory.totalBytes).toBeLessThan(100_000)
})
