/**
 * Sets in files and payloads with real redis-server, in both directions; the same answers to payloads with flipped bytes;
 * SORT of sets. O7_SEED replays a run.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { setCommands } from '../../src/commands/set/index.ts'
import { datasetDigest, valueDigest } from '../../src/keyspace/digest.ts'
import { mutated } from '../support/mutate.ts'
import { createTestPersistence, DUMP, type TestPersistence } from '../support/persistence.ts'
import { payload } from '../support/rdb-builder.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import type { RespClient } from '../support/resp-client.ts'
import { SEED } from '../support/seed.ts'

/** SADD requests that make sets of every kind. */
function requests(random: Random): string[][] {
  const made: string[][] = []
  for (let i = 0; i < 120; i++) {
    const kind = random.below(7)
    const count = kind < 4 ? 1 + random.below(40) : 1 + random.below(700)
    const member = (): string => {
      if (kind === 0 || kind === 4) return String(random.below(60_000) - 30_000)
      if (kind === 1) return String(random.int32())
      if (kind === 2) return String((BigInt(random.int32()) << 32n) | BigInt(random.int32() >>> 0))
      if (kind === 3) return random.hex(random.below(60))
      return random.below(2) === 0 ? `member of ${random.hex(3).repeat(random.below(30))}` : String(random.below(500))
    }
    made.push(['SADD', `set:${i}`, ...Array.from({ length: count }, member)])
  }
  return made
}

describe.skipIf(!hasRedisServer())(`sets between redis-server and us, seed ${SEED}`, () => {
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
    ours = createTestPersistence({ commands: [...setCommands, ...genericCommands] })
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
      if (theirs.includes('\r\n\x0b')) expect(mine).toBe(theirs.toString('latin1'))
      expect(mine).toHaveLength(theirs.length)
      const body = (reply: Buffer) => reply.subarray(reply.indexOf('\n') + 1, -2)
      expect(ours.client.send('RESTORE', key, '0', body(theirs), 'REPLACE')).toBe('+OK\r\n')
      expect(await client.query('RESTORE', key, '0', body(Buffer.from(mine, 'latin1')), 'REPLACE')).toBe('OK')
      const [digest] = (await client.query('DEBUG', 'DIGEST-VALUE', key)) as string[]
      expect(valueDigest(db, db.peek(key, 0, key.length))).toBe(digest)
    }
  })

  test('payloads with flipped bytes', { timeout: 60_000 }, async () => {
    makeOurs()
    await client.query('FLUSHALL')
    const random = Random.fromSeed(SEED + 2)
    const db = ours.engine.keyspace.databases[0]!
    const key = Buffer.from('s')
    const counts = { refused: 0, restored: 0 }
    for (let round = 0; round < 1500; round++) {
      const kind = random.below(3)
      const members = Array.from({ length: 1 + random.below(12) }, () =>
        kind === 0 ? String(random.below(100)) : kind === 1 ? String(random.int32()) : random.hex(random.below(4)),
      )
      await client.query('DEL', 's')
      await client.query('SADD', 's', ...members)
      const reply = await client.call('DUMP', 's')
      const good = reply.subarray(reply.indexOf('\n') + 1, -12)
      const bad = mutated(good.subarray(1), random)
      const bytes = payload([good[0]!, ...bad])
      const theirs = (await client.call('RESTORE', 's', '0', bytes, 'REPLACE')).toString('latin1')
      const mine = ours.client.send('RESTORE', 's', '0', bytes, 'REPLACE')
      expect(mine, `round ${round}: ${Buffer.from(bytes).toString('hex')}`).toBe(theirs)
      counts[theirs[0] === '-' ? 'refused' : 'restored']++
      if (theirs[0] === '-') continue
      const [digest] = (await client.query('DEBUG', 'DIGEST-VALUE', 's')) as string[]
      expect(valueDigest(db, db.peek(key, 0, 1)), `round ${round}`).toBe(digest)
    }
    expect(counts.refused).toBeGreaterThan(100)
    expect(counts.restored).toBeGreaterThan(100)
    ours.client.send('DEL', 's')
    expect(ours.engine.keyspace.keyCount()).toBe(0)
  })

  test('SORT of sets', async () => {
    makeOurs()
    await client.query('FLUSHALL')
    const both = async (...words: [string, ...string[]]) => {
      const theirs = (await client.call(...words)).toString('latin1')
      expect(ours.client.send(...words), words.join(' ')).toBe(theirs)
    }
    await both('SADD', 'numbers', '3', '1', '2', '10', '-7')
    await both('SADD', 'texts', 'b', 'a', 'C', '', 'ab')
    await both('SET', 'w_3', '1')
    await both('SET', 'w_1', '5')
    await both('SORT', 'numbers')
    await both('SORT', 'numbers', 'DESC', 'LIMIT', '1', '2')
    await both('SORT', 'numbers', 'BY', 'w_*', 'GET', '#', 'GET', 'w_*')
    await both('SORT', 'numbers', 'BY', 'nosort')
    await both('SORT', 'texts')
    await both('SORT', 'texts', 'ALPHA')
    await both('SORT', 'texts', 'ALPHA', 'DESC', 'LIMIT', '1', '3')
    await both('SORT_RO', 'texts', 'ALPHA', 'GET', '#')
  })
})
