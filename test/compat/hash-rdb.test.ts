/**
 * Hashes exchanged with a real redis-server in files and payloads, in both directions: equal digests, equal bytes where
 * the encoding has an order, and the same verdict on payloads with flipped bytes. Random data, printed seed.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { hashCommands } from '../../src/commands/hash/index.ts'
import { datasetDigest, valueDigest } from '../../src/keyspace/digest.ts'
import { createTestPersistence, DUMP, type TestPersistence } from '../support/persistence.ts'
import { payload } from '../support/rdb-builder.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import type { RespClient } from '../support/resp-client.ts'
import { SEED } from '../support/seed.ts'

const ENCODING_LISTPACK = 16
const ENCODING_TABLE = 4

function text(random: Random): string {
  switch (random.below(6)) {
    case 0:
      return String(random.int32() >> random.below(32))
    case 1:
      return String(BigInt(random.int32()) * BigInt(random.int32()))
    case 2:
      return ['-0', '+1', '01', ' 1', '', '2147483648', '1e3', '9223372036854775807'][random.below(8)]!
    case 3:
      return 'abcdefgh'.repeat(random.below(9)).slice(random.below(8))
    case 4:
      return String.fromCharCode(...Array.from({ length: random.below(40) }, () => random.below(256)))
    default:
      return random.hex(random.below(30))
  }
}

/** HSET requests that make hashes of all sizes. */
function requests(random: Random, count: number): string[][] {
  return Array.from({ length: count }, (_, i) => {
    const fields = random.below(10) === 0 ? 400 + random.below(300) : 1 + random.below(20)
    const pairs = Array.from({ length: fields }, () => [text(random), text(random)]).flat()
    if (random.below(8) === 0) pairs.push('long', 'lorem ipsum '.repeat(1 + random.below(3000)))
    return ['HSET', `h${i}`, ...pairs]
  })
}

describe.skipIf(!hasRedisServer())(`hashes in RDB with redis-server, seed ${SEED}`, () => {
  let real: RedisProcess
  let client: RespClient
  let ours: TestPersistence

  const words = (request: readonly string[]) => request.map((word) => Buffer.from(word, 'latin1'))

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

  async function fill(random: Random, count: number): Promise<void> {
    ours = createTestPersistence({ seed: SEED, commands: [...hashCommands, ...genericCommands] })
    await client.query('FLUSHALL')
    for (const request of requests(random, count)) {
      const theirReply = await client.call(...words(request))
      expect(ours.client.send(...words(request))).toBe(theirReply.toString('latin1'))
    }
  }

  const ourDump = (key: string) => {
    const db = ours.engine.keyspace.databases[0]!
    return Buffer.from(ours.persistence.dump(db, db.peek(Buffer.from(key), 0, key.length)))
  }
  const ourDigest = (key: string) => {
    const db = ours.engine.keyspace.databases[0]!
    return valueDigest(db, db.peek(Buffer.from(key), 0, key.length))
  }
  const theirDump = async (key: string) => {
    const reply = await client.call('DUMP', key)
    return reply.subarray(reply.indexOf('\n') + 1, reply.length - 2)
  }

  test('files go both ways', { timeout: 120_000 }, async () => {
    const random = Random.fromSeed(SEED)
    await fill(random, 150)
    const digest = await client.query('DEBUG', 'DIGEST')
    expect(datasetDigest(ours.engine.keyspace)).toBe(digest)
    await client.query('SAVE')
    const other = createTestPersistence({ seed: SEED })
    other.files.put(DUMP, readFileSync(join(real.dir, 'dump.rdb')))
    const done = other.persistence.loadAtStart()
    await other.drain()
    await done
    expect(datasetDigest(other.engine.keyspace)).toBe(digest)
    ours.client.send('SAVE')
    await client.query('FLUSHALL')
    writeFileSync(join(real.dir, 'dump.rdb'), ours.files.content(DUMP)!)
    expect(await client.query('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK')
    expect(await client.query('DEBUG', 'DIGEST')).toBe(digest)
  })

  test('payloads are the same, and restored either way', { timeout: 120_000 }, async () => {
    const random = Random.fromSeed(SEED + 1)
    await fill(random, 80)
    for (let i = 0; i < 80; i++) {
      const key = `h${i}`
      const theirs = await theirDump(key)
      const mine = ourDump(key)
      expect(mine[0]).toBe(theirs[0])
      if (theirs[0] === ENCODING_LISTPACK) expect(mine.equals(theirs), key).toBe(true)
      else expect([theirs[0], mine.length]).toEqual([ENCODING_TABLE, theirs.length])
      expect(ours.client.send('RESTORE', key, 0, theirs, 'REPLACE')).toBe('+OK\r\n')
      expect(ourDigest(key)).toBe(await client.query('DEBUG', 'DIGEST-VALUE', key).then((one) => (one as string[])[0]))
      expect(await client.query('RESTORE', key, 0, mine, 'REPLACE')).toBe('OK')
      expect((await client.query('DEBUG', 'DIGEST-VALUE', key)) as string[]).toEqual([ourDigest(key)])
    }
  })

  test('flipped bytes are refused here where they are refused there', { timeout: 120_000 }, async () => {
    const random = Random.fromSeed(SEED + 2)
    ours = createTestPersistence({ seed: SEED, commands: [...hashCommands, ...genericCommands] })
    let refused = 0
    for (let round = 0; round < 3000; round++) {
      const fields = 1 + random.below(5)
      const pairs = Array.from({ length: fields }, () => [text(random), text(random)]).flat()
      await client.query('DEL', 'h')
      await client.call(...words(['HSET', 'h', ...pairs]))
      const dump = await theirDump('h')
      const body = Buffer.from(dump.subarray(0, dump.length - 10))
      for (let flips = random.below(3); flips >= 0; flips--)
        body[1 + random.below(body.length - 1)]! ^= 1 << random.below(8)
      const mutated = payload(body)
      const theirs = (await client.call('RESTORE', 'h', 0, mutated, 'REPLACE')).toString('latin1')
      const mine = ours.client.send('RESTORE', 'h', 0, mutated, 'REPLACE')
      const shown = `seed ${SEED + 2}, round ${round}: ${mutated.toString('hex')}`
      expect(mine, shown).toBe(theirs)
      if (mine !== '+OK\r\n') refused++
      else expect([ourDigest('h')], shown).toEqual(await client.query('DEBUG', 'DIGEST-VALUE', 'h'))
    }
    expect(refused).toBeGreaterThan(1000)
  })
})
