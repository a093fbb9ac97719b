/**
 * RDB files and DUMP payloads exchanged with a real redis-server, in both directions: equal digests, equal bytes, equal
 * replies to RESTORE. Random data, printed seed.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { stringEncoding } from '../../src/keyspace/db.ts'
import { datasetDigest, valueDigest } from '../../src/keyspace/digest.ts'
import type { Keyspace } from '../../src/keyspace/keyspace.ts'
import { FunctionLibraries } from '../../src/persistence/rdb/functions.ts'
import { nodeFileSystem } from '../../src/server/file-system.ts'
import { contentsOf, loadWhole } from '../support/dataset.ts'
import { createTestPersistence, DUMP, type TestPersistence } from '../support/persistence.ts'
import { payload } from '../support/rdb-builder.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import type { CommandArgument, RespClient } from '../support/resp-client.ts'
import { SEED } from '../support/seed.ts'

/** Nothing here expires on the way, and nothing is in the past. */
const FAR_MS = 4_000_000_000_000

function bytes(random: Random, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  for (let i = 0; i < length; i++) buffer[i] = random.int32()
  return buffer
}

/** Keys and values of every kind that saving treats differently. */
function text(random: Random): Buffer {
  switch (random.below(9)) {
    case 0:
      return Buffer.from(String(random.int32() >> random.below(32)))
    case 1:
      return Buffer.from(String(BigInt(random.int32()) * BigInt(random.int32())))
    case 2:
      // Almost integers.
      return Buffer.from(['-0', '+1', '01', ' 1', '1 ', '-', '', '2147483648', '-2147483649', '1e3'][random.below(10)]!)
    case 3:
      return bytes(random, random.below(70))
    case 4:
      return Buffer.from('abcdefgh'.repeat(random.below(40)).slice(random.below(8)))
    case 5:
      return Buffer.alloc(random.below(40), random.below(256))
    case 6:
      // Lengths around those that are written in another form.
      return bytes(random, [63, 64, 65, 16_383, 16_384][random.below(5)]!)
    case 7:
      return Buffer.from(
        Array.from({ length: random.below(300) }, () => 'lorem ipsum dolor '.charAt(random.below(18))).join(''),
      )
    default:
      return Buffer.from(random.hex(random.below(50)))
  }
}

interface Key {
  readonly db: number
  readonly name: Buffer
  readonly value: Buffer
  readonly expireAtMs: number
}

function dataset(random: Random, count: number): Key[] {
  const keys = new Map<string, Key>()
  for (let i = 0; i < count; i++) {
    const db = random.below(4) === 0 ? random.below(16) : 0
    const name = text(random)
    const expireAtMs = random.below(5) === 0 ? FAR_MS + random.below(1_000_000_000) : -1
    const value =
      random.below(200) === 0
        ? Buffer.alloc(200_000 + random.below(500_000), Buffer.concat([text(random), Buffer.from('.')]))
        : text(random)
    keys.set(`${db}:${name.toString('latin1')}`, { db, name, value, expireAtMs })
  }
  return [...keys.values()]
}

function fillOurs(keyspace: Keyspace, keys: readonly Key[]): void {
  for (const { db: index, name, value, expireAtMs } of keys) {
    const db = keyspace.databases[index]!
    const encoding = stringEncoding(value, 0, value.length)
    const entry = db.setString(name, 0, name.length, value, 0, value.length, encoding, false)
    if (expireAtMs >= 0) db.setExpire(entry, expireAtMs)
  }
}

async function fillReal(client: RespClient, keys: readonly Key[]): Promise<void> {
  let index = -1
  const commands: CommandArgument[][] = []
  for (const { db, name, value, expireAtMs } of keys) {
    if (db !== index) commands.push(['SELECT', db])
    index = db
    commands.push(expireAtMs < 0 ? ['SET', name, value] : ['SET', name, value, 'PXAT', expireAtMs])
  }
  commands.push(['SELECT', 0])
  for (let at = 0; at < commands.length; at += 500) await client.pipeline(commands.slice(at, at + 500))
}

/** Zeros instead of what cannot be equal: ctime, used-mem, and the checksum over them. */
function masked(file: Uint8Array): string {
  const copy = Buffer.from(file)
  for (const name of ['ctime', 'used-mem']) {
    const at = copy.indexOf(Buffer.from(name)) + name.length
    expect(copy[at], name).toBe(0xc2)
    copy.fill(0, at + 1, at + 5)
  }
  copy.fill(0, copy.length - 8)
  return copy.toString('latin1')
}

describe.skipIf(!hasRedisServer())(`RDB with redis-server, seed ${SEED}`, () => {
  let real: RedisProcess
  let client: RespClient

  beforeAll(async () => {
    real = await startServer({ server: 'redis', directives: { 'enable-debug-command': 'yes' } })
    client = await real.connect()
  })

  afterAll(async () => {
    await client?.close()
    await real?.stop()
  })

  function realFile(): Buffer {
    return readFileSync(join(real.dir, 'dump.rdb'))
  }

  async function flush(): Promise<void> {
    expect(await client.query('FLUSHALL')).toBe('OK')
  }

  test('files of theirs are loaded here with the same digest', { timeout: 60_000 }, async () => {
    const random = Random.fromSeed(SEED)
    for (const compression of ['yes', 'no']) {
      await flush()
      await client.query('CONFIG', 'SET', 'rdbcompression', compression)
      const keys = dataset(random, 5000)
      await fillReal(client, keys)
      expect(await client.query('SAVE')).toBe('OK')
      const ours = createTestPersistence({ seed: SEED })
      ours.files.put(DUMP, realFile())
      const done = ours.persistence.loadAtStart()
      await ours.drain()
      await done
      expect(datasetDigest(ours.engine.keyspace)).toBe(await client.query('DEBUG', 'DIGEST'))
      const expected = createTestPersistence()
      fillOurs(expected.engine.keyspace, keys)
      expect(contentsOf(ours.engine.keyspace)).toEqual(contentsOf(expected.engine.keyspace))
      const lastLines = ours.log.slice(-2)
      expect(lastLines[0]).toBe(`notice Done loading RDB, keys loaded: ${keys.length}, keys expired: 0.`)
    }
    await client.query('CONFIG', 'SET', 'rdbcompression', 'yes')
  })

  test.each(['SAVE', 'BGSAVE'])(
    'files that %s made here are loaded there with the same digest',
    { timeout: 60_000 },
    async (how) => {
      const random = Random.fromSeed(SEED + 1)
      for (const compression of [true, false]) {
        const ours = createTestPersistence({ seed: SEED })
        ours.settings.compression = compression
        fillOurs(ours.engine.keyspace, dataset(random, 5000))
        ours.client.send(how)
        await ours.drain()
        writeFileSync(join(real.dir, 'dump.rdb'), ours.files.content(DUMP)!)
        expect(await client.query('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK')
        expect(await client.query('DEBUG', 'DIGEST')).toBe(datasetDigest(ours.engine.keyspace))
        const sizes = ours.engine.keyspace.databases.map((db) => db.size)
        await client.query('SELECT', 1)
        expect(await client.query('DBSIZE')).toBe(sizes[1])
        await client.query('SELECT', 0)
      }
    },
  )

  test('a file with writes in between is loaded there as well', { timeout: 60_000 }, async () => {
    const random = Random.fromSeed(SEED + 2)
    const ours = createTestPersistence({ seed: SEED })
    const { keyspace } = ours.engine
    fillOurs(keyspace, dataset(random, 8000))
    const digest = datasetDigest(keyspace)
    ours.client.send('BGSAVE')
    while (ours.persistence.state.isSaving) {
      if (!ours.scheduler.turn()) await ours.drain()
      fillOurs(keyspace, dataset(random, 30))
      if (random.below(5) === 0) keyspace.swap(random.below(16), random.below(16))
    }
    expect(datasetDigest(keyspace)).not.toBe(digest)
    writeFileSync(join(real.dir, 'dump.rdb'), ours.files.content(DUMP)!)
    expect(await client.query('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK')
    expect(await client.query('DEBUG', 'DIGEST')).toBe(digest)
  })

  test('a file with a single key is the same byte by byte', { timeout: 60_000 }, async () => {
    const random = Random.fromSeed(SEED + 3)
    for (let round = 0; round < 60; round++) {
      const [key] = dataset(random, 1)
      const policy = ['noeviction', 'allkeys-lru', 'volatile-lfu'][random.below(3)]!
      // With a limit small integers are objects of their own there, and have a time of their own.
      const limit = policy === 'noeviction' ? '0' : '10gb'
      await client.query('CONFIG', 'SET', 'maxmemory-policy', policy, 'maxmemory', limit)
      const ours = createTestPersistence()
      ours.settings.usage = policy.endsWith('lru') ? 'lru' : policy.endsWith('lfu') ? 'lfu' : 'none'
      ours.engine.keyspace.lfu = policy.endsWith('lfu')
      // A value that needs four bytes, like theirs.
      ours.engine.keyspace.arena.allocate(200_000)
      fillOurs(ours.engine.keyspace, [key!])
      ours.client.send('SAVE')
      // Their clock goes on: a second or a minute may begin between SET and SAVE.
      for (let attempt = 0; ; attempt++) {
        await flush()
        await fillReal(client, [key!])
        await client.query('SAVE')
        if (attempt < 20 && masked(ours.files.content(DUMP)!) !== masked(realFile())) continue
        expect(masked(ours.files.content(DUMP)!), `seed ${SEED}, round ${round}`).toBe(masked(realFile()))
        break
      }
    }
    await client.query('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '0')
  })

  test('payloads are the same byte by byte, and so are digests of values', { timeout: 60_000 }, async () => {
    const random = Random.fromSeed(SEED + 4)
    await flush()
    const ours = createTestPersistence()
    for (const key of dataset(random, 1500)) {
      const keys = [{ ...key, db: 0 }]
      await fillReal(client, keys)
      fillOurs(ours.engine.keyspace, keys)
      const theirs = await client.call('DUMP', key.name)
      expect(ours.client.send('DUMP', key.name), `seed ${SEED}`).toBe(theirs.toString('latin1'))
      const db = ours.engine.keyspace.databases[0]!
      const [digest] = (await client.query('DEBUG', 'DIGEST-VALUE', key.name)) as string[]
      expect(valueDigest(db, db.peek(key.name, 0, key.name.length))).toBe(digest)
    }
  })

  test('RESTORE answers alike to good and bad requests', { timeout: 60_000 }, async () => {
    const random = Random.fromSeed(SEED + 5)
    const ours = createTestPersistence()
    await flush()
    const { clock } = ours
    const serverTime = (await client.query('TIME')) as string[]
    clock.advance(Number(serverTime[0]) * 1000 - clock.nowMs)
    const words = ['REPLACE', 'absttl', 'IDLETIME', 'FREQ', '0', '5', '-1', '300', 'x', '9223372036854775807']
    const ttls = [
      '0',
      '0',
      '0',
      String(FAR_MS),
      // In ten minutes, or in 1970.
      '600000',
      '-1',
      'x',
      '9223372036854775807',
      '9223372036854775808',
      '',
    ]
    for (let round = 0; round < 2500; round++) {
      const name = `key:${random.below(10)}`
      const value = text(random)
      const body = [0, ...(value.length < 64 ? [value.length, ...value] : [0xc0, random.below(256)])]
      // Versions that only newer servers know are not asked of this one.
      let bytes = payload(body, random.below(5) === 0 ? [0, 1, 9, 13, 80, 65_535][random.below(6)]! : 10)
      if (random.below(3) === 0) bytes = mutated(bytes, random)
      const options = Array.from({ length: random.below(4) }, () => words[random.below(words.length)]!)
      const request: CommandArgument[] = ['RESTORE', name, ttls[random.below(ttls.length)]!, bytes, ...options]
      const theirs = (await client.call(...request)).toString('latin1')
      expect(ours.client.send(...(request as (string | Uint8Array)[])), `seed ${SEED}, round ${round}`).toBe(theirs)
      if (round % 50 === 0) {
        expect(datasetDigest(ours.engine.keyspace), `seed ${SEED}, round ${round}`).toBe(
          await client.query('DEBUG', 'DIGEST'),
        )
      }
    }
  })

  test('a bad file is refused by both', { timeout: 120_000 }, async () => {
    const random = Random.fromSeed(SEED + 6)
    const ours = createTestPersistence()
    fillOurs(ours.engine.keyspace, dataset(random, 20))
    ours.client.send('SAVE')
    const good = ours.files.content(DUMP)!
    const folder = join(real.dir, 'bad')
    mkdirSync(folder, { recursive: true })
    for (let round = 0; round < 12; round++) {
      const bad = round % 3 === 0 ? good.subarray(0, random.below(good.length)) : mutated(good, random)
      writeFileSync(join(folder, 'dump.rdb'), bad)
      const theirs = await startServer({ server: 'redis', dir: folder, readyTimeoutMs: 20_000 }).then(
        async (server) => {
          await server.stop('SIGKILL')
          return 'loaded'
        },
        () => 'refused',
      )
      const test = createTestPersistence()
      test.files.put(DUMP, bad)
      const outcome = test.persistence.loadAtStart().then(
        () => 'loaded',
        () => 'refused',
      )
      await test.drain()
      expect(await outcome, `seed ${SEED}, round ${round}`).toBe(theirs)
    }
    rmSync(folder, { recursive: true })
  })

  test('functions of theirs come back to them', async () => {
    await flush()
    const code = "#!lua name=mylib\nredis.register_function('answer', function() return 42 end)"
    await client.query('FUNCTION', 'LOAD', code)
    await client.query('SAVE')
    const ours: TestPersistence = createTestPersistence()
    ours.files.put(DUMP, realFile())
    const done = ours.persistence.loadAtStart()
    await ours.drain()
    await done
    ours.client.send('SAVE')
    writeFileSync(join(real.dir, 'dump.rdb'), ours.files.content(DUMP)!)
    await client.query('FUNCTION', 'FLUSH')
    expect(await client.query('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK')
    expect(await client.query('FCALL', 'answer', 0)).toBe(42)
    await client.query('FUNCTION', 'FLUSH')
  })

  test('files on a real disk', async () => {
    await flush()
    const random = Random.fromSeed(SEED + 7)
    const ours = createTestPersistence({ fileSystem: nodeFileSystem })
    ours.settings.dir = real.dir
    fillOurs(ours.engine.keyspace, dataset(random, 2000))
    expect(ours.client.send('SAVE')).toBe('+OK\r\n')
    expect(await client.query('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK')
    expect(await client.query('DEBUG', 'DIGEST')).toBe(datasetDigest(ours.engine.keyspace))
    await client.query('SET', 'one more', 'x')
    await client.query('SAVE')
    expect(ours.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
    expect(datasetDigest(ours.engine.keyspace)).toBe(await client.query('DEBUG', 'DIGEST'))
    const again = createTestPersistence()
    loadWhole(again.engine.keyspace, realFile(), { functions: new FunctionLibraries() })
    expect(contentsOf(again.engine.keyspace)).toEqual(contentsOf(ours.engine.keyspace))
  })
})

/** One byte or several changed, missing or added. */
function mutated(good: Uint8Array, random: Random): Buffer {
  let bytes = Buffer.from(good)
  for (let i = random.below(3); i >= 0 && bytes.length > 0; i--) {
    const at = random.below(bytes.length)
    const kind = random.below(3)
    if (kind === 0) bytes[at]! ^= 1 << random.below(8)
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([random.below(256)]), bytes.subarray(at)])
  }
  return bytes
}
