/** INFO memory beside what can be measured from outside: the process, and the sizes of all values. */
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RedisProcess, startServer } from '../support/redis-process.ts'
import type { RespClient } from '../support/resp-client.ts'

const KEYS = 60_000
const MIB = 1024 * 1024

let server: RedisProcess
let client: RespClient

beforeAll(async () => {
  server = await startServer({ server: 'bin/o7-redis', directives: { save: '' } })
  client = await server.connect()
}, 30_000)
afterAll(async () => {
  await client.close()
  await server.stop()
})

async function figures(): Promise<Record<string, number>> {
  const text = (await client.call('INFO', 'memory')).toString()
  const fields = [...text.matchAll(/^(\w+):(\d+)\r$/gm)].map(([, name, figure]) => [name!, Number(figure)] as const)
  return { ...Object.fromEntries(fields), process: residentBytes(server) }
}

function residentBytes({ pid }: RedisProcess): number {
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(resident![1]) * 1024
}

function command(key: number): string[] {
  const name = `key:${key}`
  const words = (count: number, length: number) =>
    Array.from({ length: count }, (_, i) => `${key * 31 + i}`.padEnd(length, 'x'))
  switch (key % 6) {
    case 0:
      return ['SET', name, 'v'.repeat(400)]
    case 1:
      return ['RPUSH', name, ...words(20, 40)]
    case 2:
      return ['HSET', name, ...words(2 * (key % 100 === 2 ? 300 : 10), 20)]
    case 3:
      return ['SADD', name, ...words(30, 12)]
    case 4:
      return ['ZADD', name, ...words(20, 10).flatMap((word, i) => [`${i}`, word])]
    default:
      return ['SET', name, 'v'.repeat(1500)]
  }
}

test.skipIf(!existsSync('/proc/self/status'))(
  'figures are within 5 % of what they stand for',
  async () => {
    const empty = await figures()
    for (let key = 0; key < KEYS; key += 1000) {
      await client.pipeline(Array.from({ length: 1000 }, (_, i) => command(key + i)))
    }
    const full = await figures()
    const grown = (name: string) => full[name]! - empty[name]!
    const expectClose = (figure: number, measured: number, slackBytes = 0) => {
      expect(figure).toBeGreaterThan(measured * 0.95 - slackBytes)
      expect(figure).toBeLessThan(measured * 1.05 + slackBytes)
    }
    let valueBytes = 0
    for (let key = 0; key < KEYS; key += 1000) {
      const sizes = await client.pipeline(
        Array.from({ length: 1000 }, (_, i) => ['MEMORY', 'USAGE', `key:${key + i}`, 'SAMPLES', '0']),
      )
      for (const size of sizes) valueBytes += Number(size.toString().slice(1))
    }
    expect(grown('used_memory')).toBeGreaterThan(30 * MIB)
    expectClose(grown('used_memory'), grown('allocator_allocated'))
    expectClose(grown('used_memory'), valueBytes)
    expectClose(grown('used_memory_dataset') + grown('used_memory_overhead'), grown('used_memory'))
    expectClose(full.used_memory_rss!, full.process!)
    // The heap of V8 grows as well, whatever is stored.
    expectClose(grown('allocator_resident'), grown('process'), 24 * MIB)
    expect(full.allocator_active).toBeGreaterThanOrEqual(full.allocator_allocated!)
    expect(full.allocator_resident).toBeGreaterThanOrEqual(full.allocator_active!)

    await client.call('FLUSHALL', 'SYNC')
    const flushed = await figures()
    expect(flushed.used_memory! - empty.used_memory!).toBeLessThan(0.05 * grown('used_memory'))
  },
  60_000,
)

test('a quiet server gives back what large values took', async () => {
  await using fresh = await startServer({ server: 'bin/o7-redis', directives: { save: '' } })
  const own = await fresh.connect()
  const before = residentBytes(fresh)
  await own.call('SET', 'large', Buffer.alloc(200 * MIB, 'x'))
  await own.call('GET', 'large')
  await own.call('COPY', 'large', 'copy')
  await own.call('DEL', 'large', 'copy')
  // By itself V8 takes longer.
  const deadlineMs = performance.now() + 6000
  let grownBytes = Number.POSITIVE_INFINITY
  while (performance.now() < deadlineMs && grownBytes > 32 * MIB) {
    await new Promise((done) => setTimeout(done, 500))
    grownBytes = residentBytes(fresh) - before
  }
  expect(grownBytes).toBeLessThanOrEqual(32 * MIB)
}, 60_000)
