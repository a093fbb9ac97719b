/**
 * Sorted sets in files and payloads with real redis-server, in both directions: equal digests, and payloads equal byte for
 * byte; the same answers to payloads with flipped bytes; SORT of sorted sets. O7_SEED replays a run.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { listCommands } from '../../src/commands/list/index.ts'
import { zsetCommands } from '../../src/commands/zset/index.ts'
import { datasetDigest, valueDigest } from '../../src/keyspace/digest.ts'
import { mutated } from '../support/mutate.ts'
import { createTestPersistence, DUMP, type TestPersistence } from '../support/persistence.ts'
import { payload } from '../support/rdb-builder.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import type { RespClient } from '../support/resp-client.ts'
import { SEED } from '../support/seed.ts'

function score(random: Random): string {
  switch (random.below(8)) {
    case 0:
      return ['inf', '-inf', '-0', '0', '1e300', '4611686018427387904', '1e19'][random.below(7)]!
    case 1:
      return String(random.float() * 1000)
    case 2:
      return String(random.int32())
    default:
      return String(random.below(20) - 10)
  }
}

/** ZADD requests that make sorted sets of every kind. */
function requests(random: Random): string[][] {
  const made: string[][] = []
  for (let i = 0; i < 120; i++) {
    const kind = random.below(5)
    const count = kind < 4 ? 1 + random.below(60) : 1 + random.below(500)
    const member = (): string => {
      if (kind === 0) return String(random.below(60_000) - 30_000)
      if (kind === 1) return random.hex(random.below(60))
      if (kind === 2) return `member of ${random.hex(3).repeat(random.below(30))}`
      return random.below(2) === 0 ? `m:${random.below(1000)}` : String(random.int32())
    }
    made.push(['ZADD', `zset:${i}`, ...Array.from({ length: count }, () => [score(random), member()]).flat()])
  }
  return made
}

describe.skipIf(!hasRedisServer())(`sorted sets between redis-server and us, seed ${SEED}`, () => {
  let real: RedisProcess
  let client: RespClient
  let ours: TestPersistence

  beforeAll(async () => {
    real = await startServer({
      server: 'redis',
      directives: { 'enable-debug-command': 'yes', 'sanitize-dump-payload': 'yes' },
    })
    client = await real.connect()
  })
  afterAll(async () => {
    await client?.close()
    await real?.stop()
  })

  function makeOurs(): void {
    ours = createTestPersistence({ commands: [...zsetCommands, ...listCommands, ...genericCommands] })
  }

  test('a file of theirs, and one of ours', { timeout: 60_000 }, async () => {
    makeOurs()
    await client.query('FLUSHALL')
    const made = requests(Random.fromSeed(SEED))
    for (const request of made) await client.query(...(request as [string, ...string[]]))
    await client.query('SAVE')
    ours.files.put(DUMP, readFileSync(join(real.dir, 'dump.rdb')))
    const done = ours.persistence.loadAtStart()
    await ours.drain()
    await done
    expect(datasetDigest(ours.engine.keyspace)).toBe(await client.query('DEBUG', 'DIGEST'))
    for (const [, key] of made) {
      const encoding = (await client.query('OBJECT', 'ENCODING', key!)) as string
      expect(ours.client.send('OBJECT', 'ENCODING', key!)).toBe(`$${encoding.length}\r\n${encoding}\r\n`)
      const range = (await client.call('ZRANGE', key!, '0', '-1', 'WITHSCORES')).toString('latin1')
      expect(ours.client.send('ZRANGE', key!, '0', '-1', 'WITHSCORES')).toBe(range)
    }

    makeOurs()
    for (const request of made) ours.client.send(...request)
    ours.client.send('SAVE')
    writeFileSync(join(real.dir, 'dump.rdb'), ours.files.content(DUMP)!)
    await client.query('DEBUG', 'RELOAD', 'NOSAVE')
    expect(await client.query('DEBUG', 'DIGEST')).toBe(datasetDigest(ours.engine.keyspace))
  })

  test('payloads in both directions', { timeout: 60_000 }, async () => {
    makeOurs()
    await client.query('FLUSHALL')
    const db = ours.engine.keyspace.databases[0]!
    for (const request of requests(Random.fromSeed(SEED + 1))) {
      const key = Buffer.from(request[1]!)
      await client.query(...(request as [string, ...string[]]))
      ours.client.send(...request)
      const theirs = await client.call('DUMP', key)
      const mine = ours.client.send('DUMP', key)
      expect(mine).toBe(theirs.toString('latin1'))
      const body = (reply: Buffer) => reply.subarray(reply.indexOf('\n') + 1, -2)
      expect(ours.client.send('RESTORE', key, '0', body(theirs), 'REPLACE')).toBe('+OK\r\n')
      const [digest] = (await client.query('DEBUG', 'DIGEST-VALUE', key)) as string[]
      expect(valueDigest(db, db.peek(key, 0, key.length))).toBe(digest)
      expect(ours.client.send('COPY', key, 'copy', 'REPLACE')).toBe(':1\r\n')
      expect(valueDigest(db, db.peek(Buffer.from('copy'), 0, 4))).toBe(digest)
    }
    ours.client.send('FLUSHALL')
  })

  test('payloads with flipped bytes', { timeout: 60_000 }, async () => {
    makeOurs()
    await client.query('FLUSHALL')
    const random = Random.fromSeed(SEED + 2)
    const db = ours.engine.keyspace.databases[0]!
    const key = Buffer.from('z')
    const counts = { refused: 0, restored: 0 }
    for (let round = 0; round < 1500; round++) {
      const isLarge = random.below(2) === 0
      const members = Array.from({ length: 1 + random.below(8) }, () => [score(random), random.hex(random.below(4))])
      await client.query('DEL', 'z')
      await client.query('ZADD', 'z', ...members.flat(), ...(isLarge ? ['1', 'x'.repeat(65)] : []))
      const reply = await client.call('DUMP', 'z')
      const good = reply.subarray(reply.indexOf('\n') + 1, -12)
      const bad = mutated(good.subarray(1), random)
      const bytes = payload([good[0]!, ...bad])
      const theirs = (await client.call('RESTORE', 'z', '0', bytes, 'REPLACE')).toString('latin1')
      const mine = ours.client.send('RESTORE', 'z', '0', bytes, 'REPLACE')
      // A score "nan" in a listpack is taken by Redis alone.
      if (theirs[0] === '+' && (await client.query('ZRANGE', 'z', '0', '-1', 'WITHSCORES'))!.toString().includes('nan'))
        continue
      expect(mine, `round ${round}: ${Buffer.from(bytes).toString('hex')}`).toBe(theirs)
      counts[theirs[0] === '-' ? 'refused' : 'restored']++
      if (theirs[0] === '-') continue
      const [digest] = (await client.query('DEBUG', 'DIGEST-VALUE', 'z')) as string[]
      expect(valueDigest(db, db.peek(key, 0, 1)), `round ${round}`).toBe(digest)
    }
    expect(counts.refused).toBeGreaterThan(100)
    expect(counts.restored).toBeGreaterThan(100)
    ours.client.send('DEL', 'z')
    expect(ours.engine.keyspace.keyCount()).toBe(0)
  })

  test('SORT of sorted sets', async () => {
    makeOurs()
    await client.query('FLUSHALL')
    const both = async (...words: [string, ...string[]]) => {
      const theirs = (await client.call(...words)).toString('latin1')
      expect(ours.client.send(...words), words.join(' ')).toBe(theirs)
    }
    await both('ZADD', 'small', '1', '30', '2', '4', '3', '11', '4', '-7')
    await both('ZADD', 'large', ...Array.from({ length: 200 }, (_, i) => [String(i % 7), String(i)]).flat())
    for (const key of ['small', 'large']) {
      await both('SORT', key)
      await both('SORT', key, 'DESC', 'LIMIT', '1', '2')
      await both('SORT', key, 'ALPHA')
      await both('SORT', key, 'BY', 'nosort')
      await both('SORT', key, 'BY', 'nosort', 'DESC')
      await both('SORT', key, 'BY', 'nosort', 'LIMIT', '1', '5')
      await both('SORT', key, 'BY', 'nosort', 'DESC', 'LIMIT', '1', '5', 'GET', '#')
      await both('SORT', key, 'BY', 'nosort', 'STORE', 'list')
      await both('LRANGE', 'list', '0', '-1')
    }
  })
})
