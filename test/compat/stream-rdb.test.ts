/**
 * Streams in RDB files and DUMP payloads exchanged with a real redis-server, in both directions: equal bytes, equal digests,
 * and equal answers to wrong payloads. Random data, printed seed.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { streamCommands } from '../../src/commands/stream/index.ts'
import { datasetDigest, valueDigest } from '../../src/keyspace/digest.ts'
import { FragileRedis } from '../support/fragile-redis.ts'
import { CommandDraw, KEYS } from '../support/generator.ts'
import { streamGenerators } from '../support/generator-stream.ts'
import { mutated } from '../support/mutate.ts'
import { createTestPersistence, DUMP, type TestPersistence } from '../support/persistence.ts'
import { payload } from '../support/rdb-builder.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import type { RespClient } from '../support/resp-client.ts'
import { SEED } from '../support/seed.ts'
import { smallStreamPayload } from '../support/stream-payloads.ts'

const NODE_ENTRIES = [1, 3, 10, 100]
const NODE_BYTES = [0, 100, 1000, 4096]

describe.skipIf(!hasRedisServer())(`streams in RDB, seed ${SEED}`, () => {
  let real: RedisProcess
  let client: RespClient

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

  function requests(random: Random, count: number): Buffer[][] {
    const commands = new CommandDraw(streamGenerators, random)
    return Array.from({ length: count }, () => commands.next().words.map((word) => Buffer.from(word, 'latin1')))
  }

  async function fillReal(random: Random): Promise<void> {
    await client.query('FLUSHALL')
    const entries = NODE_ENTRIES[random.below(4)]!
    const bytes = NODE_BYTES[random.below(4)]!
    await client.query('CONFIG', 'SET', 'stream-node-max-entries', entries, 'stream-node-max-bytes', bytes)
    await client.pipeline(requests(random, 1500))
  }

  function fillOurs(ours: TestPersistence, random: Random): void {
    const { limits } = ours.engine.keyspace
    limits.streamNodeMaxEntries = NODE_ENTRIES[random.below(4)]!
    limits.streamNodeMaxBytes = NODE_BYTES[random.below(4)]!
    for (const words of requests(random, 1500)) ours.client.send(...words)
  }

  function digestOf(ours: TestPersistence, key: Buffer): string {
    const db = ours.engine.keyspace.databases[0]!
    return valueDigest(db, db.peek(key, 0, key.length))
  }

  const names = KEYS.map((key) => Buffer.from(key, 'latin1'))
  const create = (): TestPersistence => createTestPersistence({ seed: SEED, commands: streamCommands() })
  const bulkOf = (reply: string): Buffer => Buffer.from(reply, 'latin1').subarray(reply.indexOf('\n') + 1, -2)

  test('payloads of theirs become the same values here', { timeout: 60_000 }, async () => {
    const random = Random.fromSeed(SEED)
    let restored = 0
    for (let round = 0; round < 6; round++) {
      await fillReal(random)
      const ours = create()
      for (const key of names) {
        const theirs = await client.call('DUMP', key)
        if (theirs.toString('latin1', 0, 3) === '$-1') continue
        expect(ours.client.send('RESTORE', key, '0', bulkOf(theirs.toString('latin1')))).toBe('+OK\r\n')
        expect(ours.client.send('DUMP', key)).toBe(theirs.toString('latin1'))
        const [digest] = (await client.query('DEBUG', 'DIGEST-VALUE', key)) as string[]
        expect(digestOf(ours, key)).toBe(digest)
        const full = await client.call('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0)
        expect(ours.client.send('XINFO', 'STREAM', key, 'FULL', 'COUNT', '0')).toBe(full.toString('latin1'))
        restored++
      }
      ours.engine.keyspace.clear()
    }
    expect(restored).toBeGreaterThan(20)
  })

  test('payloads of ours become the same values there', { timeout: 60_000 }, async () => {
    const random = Random.fromSeed(SEED + 1)
    for (let round = 0; round < 6; round++) {
      await client.query('FLUSHALL')
      const ours = create()
      fillOurs(ours, random)
      for (const key of names) {
        const reply = ours.client.send('DUMP', key)
        if (reply === '$-1\r\n') continue
        expect(await client.query('RESTORE', key, 0, bulkOf(reply))).toBe('OK')
        expect((await client.call('DUMP', key)).toString('latin1')).toBe(reply)
        const [digest] = (await client.query('DEBUG', 'DIGEST-VALUE', key)) as string[]
        expect(digestOf(ours, key)).toBe(digest)
      }
    }
  })

  test('files both ways, with the same digest', { timeout: 60_000 }, async () => {
    const random = Random.fromSeed(SEED + 2)
    for (let round = 0; round < 4; round++) {
      await fillReal(random)
      const digest = await client.query('DEBUG', 'DIGEST')
      expect(await client.query('SAVE')).toBe('OK')
      const ours = create()
      ours.files.put(DUMP, readFileSync(join(real.dir, 'dump.rdb')))
      ours.files.readBytesMax = round % 2 === 0 ? 100 : Number.POSITIVE_INFINITY
      expect(ours.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
      expect(datasetDigest(ours.engine.keyspace)).toBe(digest)
      fillOurs(ours, random)
      const changed = datasetDigest(ours.engine.keyspace)
      ours.client.send('BGSAVE')
      await ours.drain()
      writeFileSync(join(real.dir, 'dump.rdb'), ours.files.content(DUMP)!)
      expect(await client.query('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK')
      expect(await client.query('DEBUG', 'DIGEST')).toBe(changed)
    }
  })

  test('the version of Redis 5 is read alike', async () => {
    const ours = create()
    for (const rdbType of [15, 19] as const) {
      const bytes = smallStreamPayload(rdbType)
      expect(await client.query('RESTORE', 'old', 0, bytes, 'REPLACE')).toBe('OK')
      expect(ours.client.send('RESTORE', 'old', '0', bytes, 'REPLACE')).toBe('+OK\r\n')
      expect(ours.client.send('DUMP', 'old')).toBe((await client.call('DUMP', 'old')).toString('latin1'))
    }
  })

  test('what they refuse is refused here', { timeout: 60_000 }, async () => {
    const random = Random.fromSeed(SEED + 3)
    await client.query('CONFIG', 'SET', 'rdbcompression', 'no')
    await fillReal(random)
    const ours = create()
    ours.settings.compression = false
    const good: Buffer[] = []
    for (const key of names) {
      const reply = (await client.call('DUMP', key)).toString('latin1')
      if (reply !== '$-1\r\n' && reply.length < 3000) good.push(bulkOf(reply).subarray(0, -10))
    }
    const fragile = await FragileRedis.start()
    await fragile.set('rdbcompression', 'no')
    const answers = new Map<string, number>()
    for (let round = 0; round < 1500; round++) {
      const bad = payload(mutated(good[random.below(good.length)]!, random))
      if (bad[0] !== 19 && bad[0] !== 15) continue
      const requests = [
        ['RESTORE', 'target', 0, bad, 'REPLACE'],
        ['DUMP', 'target'],
      ]
      const answer = ours.client.send('RESTORE', 'target', '0', bad, 'REPLACE')
      const mine = answer[0] === '+' ? ours.client.send('DUMP', 'target') : ''
      // More is looked at here than there.
      const isAlike = ([restored, dump]: readonly string[]): boolean =>
        restored![0] === '-' ? answer === restored : answer[0] === '-' || mine === dump
      let theirs = await fragile.ask(requests)
      if (theirs === null || !isAlike(theirs)) theirs = await fragile.askFresh(requests)
      if (theirs === null) continue
      if (!isAlike(theirs)) expect([answer, mine], bad.toString('base64')).toEqual(theirs)
      const kind = `${theirs[0]!.slice(0, 4)} ${answer.slice(0, 4)}`
      answers.set(kind, (answers.get(kind) ?? 0) + 1)
    }
    await fragile.stop()
    expect(answers.get('-ERR -ERR')).toBeGreaterThan(100)
    expect(answers.get('+OK\r +OK\r')).toBeGreaterThan(20)
    // More is looked at here than there, but not so much more.
    expect(answers.get('+OK\r -ERR') ?? 0).toBeLessThan(300)
  })
})
