/**
 * RESTORE of payloads with wrong bytes, of all types in all encodings, old ones included: redis-server and we take and refuse
 * the same, and what is taken is the same value. O7_SEED replays a run, O7_ROUNDS makes it longer.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { hashCommands } from '../../src/commands/hash/index.ts'
import { listCommands } from '../../src/commands/list/index.ts'
import { setCommands } from '../../src/commands/set/index.ts'
import { streamCommands } from '../../src/commands/stream/index.ts'
import { zsetCommands } from '../../src/commands/zset/index.ts'
import { valueDigest } from '../../src/keyspace/digest.ts'
import { FragileRedis } from '../support/fragile-redis.ts'
import { CommandDraw } from '../support/generator.ts'
import { streamGenerators } from '../support/generator-stream.ts'
import { mutated } from '../support/mutate.ts'
import { ziplist, zipmap } from '../support/old-encodings.ts'
import { createTestPersistence, type TestPersistence } from '../support/persistence.ts'
import { lengthBytes, payload } from '../support/rdb-builder.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import type { CommandArgument, RespClient } from '../support/resp-client.ts'
import { SEED } from '../support/seed.ts'
import { smallStreamPayload } from '../support/stream-payloads.ts'

const ROUNDS = Number(process.env.O7_ROUNDS ?? 10)
const PAYLOADS_PER_ROUND = 300
const GOOD_BYTES_MAX = 3000
const LZF_BYTE = 0xc3
const SET = 2
const HASH = 4
const STREAMS = [15, 19]
/** A compressed string that says it has no bytes; what is compressed is no good. */
const EMPTY_LZF = [LZF_BYTE, 2, 0, 0x1f, 0xff]
/** Parameters that decide about encodings, with values to choose from; the names here beside them. */
const PARAMETERS = [
  ['hash-max-listpack-entries', 'hashMaxListpackEntries', [128, 3]],
  ['zset-max-listpack-entries', 'zsetMaxListpackEntries', [128, 3]],
  ['set-max-intset-entries', 'setMaxIntsetEntries', [512, 3]],
  ['list-max-listpack-size', 'listMaxListpackSize', [-2, 2, 5]],
  ['list-compress-depth', 'listCompressDepth', [0, 1]],
  ['stream-node-max-entries', 'streamNodeMaxEntries', [100, 2]],
] as const

describe.skipIf(!hasRedisServer())(`payloads with wrong bytes, seed ${SEED}`, () => {
  let real: RedisProcess
  let client: RespClient
  let fragile: FragileRedis
  let ours: TestPersistence

  beforeAll(async () => {
    real = await startServer({
      server: 'redis',
      directives: { 'enable-debug-command': 'yes', 'sanitize-dump-payload': 'yes' },
    })
    client = await real.connect()
    fragile = await FragileRedis.start()
    const types = [zsetCommands, listCommands, setCommands, hashCommands, streamCommands(), genericCommands]
    ours = createTestPersistence({ commands: types.flat() })
  })
  afterAll(async () => {
    await client?.close()
    await real?.stop()
    await fragile?.stop()
  })

  async function configure(random: Random): Promise<void> {
    const { limits } = ours.engine.keyspace
    for (const [parameter, name, values] of PARAMETERS) {
      limits[name] = pick(values, random)
      await client.query('CONFIG', 'SET', parameter, limits[name])
      await fragile.set(parameter, limits[name])
    }
    ours.settings.compression = random.below(2) === 0
    const compression = ours.settings.compression ? 'yes' : 'no'
    await client.query('CONFIG', 'SET', 'rdbcompression', compression)
    await fragile.set('rdbcompression', compression)
  }

  /** Bodies of payloads that the real server makes. */
  async function dumped(random: Random): Promise<Buffer[]> {
    await client.query('FLUSHALL')
    const requests: string[][] = [['SET', 'string', text(random)]]
    for (let i = 0; i < 3; i++) {
      requests.push(['RPUSH', `list${i}`, ...some(random, text)])
      requests.push(['SADD', `set${i}`, ...some(random, text)])
      requests.push(['SADD', `intset${i}`, ...some(random, () => String(random.int32() * 2 ** random.below(16)))])
      requests.push(['HSET', `hash${i}`, ...some(random, () => [text(random), text(random)]).flat()])
      requests.push(['ZADD', `zset${i}`, ...some(random, () => [score(random), text(random)]).flat()])
    }
    const streams = new CommandDraw(streamGenerators, random)
    for (let i = 0; i < 60; i++) requests.push([...streams.next().words])
    await client.pipeline(requests.map((words) => words.map((word) => Buffer.from(word, 'latin1'))))
    const bodies: Buffer[] = []
    for (const key of (await client.query('KEYS', '*')) as string[]) {
      const reply = await client.call('DUMP', key)
      const body = reply.subarray(reply.indexOf('\n') + 1, -12)
      if (body.length > 1 && body.length < GOOD_BYTES_MAX) bodies.push(body)
    }
    await client.query('FLUSHALL')
    return bodies
  }

  test.each([
    ['a string', [0, ...EMPTY_LZF], 'OK'],
    ['an element of a list', [1, 1, ...EMPTY_LZF], 'OK'],
    ['a plain node of a list', [18, 1, 1, ...EMPTY_LZF], null],
    ['a packed node of a list', [18, 1, 2, ...EMPTY_LZF], null],
    ['a member of a set', [2, 1, ...EMPTY_LZF], 'OK'],
    ['an intset', [11, ...EMPTY_LZF], null],
    ['a member of a sorted set', [5, 1, ...EMPTY_LZF, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f], 'OK'],
    ['a sorted set', [17, ...EMPTY_LZF], null],
    ['a field and a value of a hash', [4, 1, ...EMPTY_LZF, ...EMPTY_LZF], 'OK'],
    ['a field of a large hash', [4, 1, ...EMPTY_LZF, 0x40, 70, ...Buffer.alloc(70)], 'OK'],
    ['a hash', [16, ...EMPTY_LZF], null],
    ['a group of a stream', [19, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, ...EMPTY_LZF, 0, 0, 0, 0, 0], 'OK'],
    ['a string without compressed bytes', [0, LZF_BYTE, 0, 0], 'OK'],
    ['a string whose bytes are not there', [0, LZF_BYTE, 50, 0, 1, 2], null],
    // Lengths of an unknown encoding are not looked at by Redis where these stand.
    ['a stream whose facts are unknown', [19, 0, 0, 0xa6, 0x8b, 0xbf, 0x82, 0x99, 0x90, 0xb0, 0], 'OK'],
    ['a stream whose length is unknown', [19, 0, 0x99, 0, 0, 0, 0, 0, 0, 0, 0], null],
    ['a stream whose count of groups is unknown', [19, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x99], null],
    ['an entry of a stream with more flags', streamWithFlags(0x32), 'OK'],
    ['an entry of a stream with negative flags', streamWithFlags(0xdf, 0xfe), 'OK'],
  ])('%s that unpacks to nothing or is not looked at', async (_name, body, taken) => {
    const bytes = payload(body)
    const theirs = (await client.call('RESTORE', 'pinned', '0', bytes)).toString('latin1')
    expect(theirs).toBe(taken === null ? '-ERR Bad data format\r\n' : `+${taken}\r\n`)
    expect(ours.client.send('RESTORE', 'pinned', '0', bytes)).toBe(theirs)
    expect(ours.client.send('DUMP', 'pinned')).toBe((await client.call('DUMP', 'pinned')).toString('latin1'))
    await client.query('DEL', 'pinned')
    ours.client.send('DEL', 'pinned')
  })

  test('are taken and refused alike', { timeout: 60_000 + ROUNDS * 1000 }, async () => {
    const random = Random.fromSeed(SEED)
    const counts = { refused: 0, restored: 0 }
    for (let round = 0; round < ROUNDS; round++) {
      await configure(random)
      const good = [...(await dumped(random)), ...oldBodies(random)]
      const bad = Array.from({ length: PAYLOADS_PER_ROUND }, () => payload(spoiled(pick(good, random), random)))
      const requests = bad.map((bytes, i) => requestsFor(`k${round}-${i}`, bytes))
      const replies = await fragile.ask(requests.flat())
      for (const [i, bytes] of bad.entries()) {
        const shown = `round ${round}: ${bytes.toString('hex')}`
        const mine = answersOf(`k${round}-${i}`, bytes)
        let theirs = replies === null ? await fragile.ask(requests[i]!) : replies.slice(i * 4, i * 4 + 4)
        if (theirs === null || !isAlike(bytes, mine, theirs)) theirs = await fragile.askFresh(requests[i]!)
        if (theirs === null) continue
        if (!isAlike(bytes, mine, theirs)) expect(mine, shown).toEqual(theirs)
        counts[theirs[0]![0] === '-' ? 'refused' : 'restored']++
      }
    }
    expect(counts.refused).toBeGreaterThan(ROUNDS * 100)
    expect(counts.restored).toBeGreaterThan(ROUNDS * 10)
    expect(ours.engine.keyspace.keyCount()).toBe(0)
  })

  function requestsFor(key: string, bytes: Buffer): CommandArgument[][] {
    return [
      ['RESTORE', key, '0', bytes],
      ['OBJECT', 'ENCODING', key],
      ['DUMP', key],
      ['DEBUG', 'DIGEST-VALUE', key],
    ]
  }

  /** What we answer to these requests. */
  function answersOf(key: string, bytes: Buffer): string[] {
    const db = ours.engine.keyspace.databases[0]!
    const restored = ours.client.send('RESTORE', key, '0', bytes)
    if (restored[0] === '-') return [restored]
    const encoding = ours.client.send('OBJECT', 'ENCODING', key)
    const dump = ours.client.send('DUMP', key)
    const digest = valueDigest(db, db.peek(Buffer.from(key), 0, key.length))
    ours.client.send('DEL', key)
    return [restored, encoding, dump, digest]
  }
})

function isAlike(bytes: Buffer, mine: readonly string[], theirs: readonly string[]): boolean {
  // More is looked at here: see the codec of streams.
  if (STREAMS.includes(bytes[0]!) && theirs[0]![0] === '+' && mine[0]![0] === '-') return true
  if (mine[0] !== theirs[0]) return false
  if (mine[0]![0] === '-') return true
  const [, encoding, dump, digest] = theirs as [string, string, string, string]
  // The order of a hash table is each server's own.
  const type = dump.charCodeAt(dump.indexOf('\n') + 1)
  return mine[1] === encoding && digest.includes(mine[3]!) && (type === SET || type === HASH || mine[2] === dump)
}

/** A stream of one entry, 0-1, whose flags are the given listpack element; 0xdf 0xfe is -2. */
function streamWithFlags(...flags: number[]): number[] {
  const entry = [...flags, flags.length, 0, 1, 0, 1, 1, 1, 4, 1]
  const node = [1, 1, 0, 1, 1, 1, 0x81, 0x66, 2, 0, 1, ...entry]
  const listpack = [node.length + 7, 0, 0, 0, 10, 0, ...node, 255]
  const id = [...Buffer.alloc(15), 1]
  return [19, 1, 16, ...id, listpack.length, ...listpack, 1, 0, 1, 0, 1, 0, 0, 1, 0]
}

/** Wrong bytes behind the type, most of the time; compressed strings with short lengths more often than chance has them. */
function spoiled(body: Buffer, random: Random): Buffer {
  const bytes =
    random.below(20) === 0
      ? mutated(body, random)
      : Buffer.concat([body.subarray(0, 1), mutated(body.subarray(1), random)])
  if (random.below(10) === 0 && bytes.length > 6) {
    const at = 1 + random.below(bytes.length - 4)
    bytes[at] = LZF_BYTE
    bytes[at + 1] = random.below(6)
    if (random.below(2) === 0) bytes[at + 2] = 0
  }
  return bytes
}

/** Bodies of payloads in encodings that old versions wrote. */
function oldBodies(random: Random): Buffer[] {
  const string = (of: string | Uint8Array): number[] => [...lengthBytes(of.length), ...Buffer.from(of)]
  const list = (elements: string[]): number[] =>
    string(
      ziplist(
        elements.map((one) => (String(Number(one)) === one && Number.isSafeInteger(Number(one)) ? Number(one) : one)),
        random.below(4) === 0,
      ),
    )
  const different = (): string[] => [...new Set(some(random, text))]
  const oldScore = (): number[] => {
    const kind = random.below(3)
    return kind === 0 ? string(String(random.below(1000) / 8)) : [253 + kind]
  }
  const elements = some(random, text)
  const members = different()
  const pairs = different().map((field) => [field, text(random)] as const)
  return [
    [1, elements.length, ...elements.flatMap(string)],
    [2, members.length, ...members.flatMap(string)],
    [3, members.length, ...members.flatMap((member) => [...string(member), ...oldScore()])],
    [4, pairs.length, ...pairs.flat().flatMap(string)],
    [9, ...string(zipmap(pairs, random.below(3)))],
    [10, ...list(elements)],
    [12, ...list(members.flatMap((member) => [member, String(random.below(1000) / 8)]))],
    [13, ...list(pairs.flat())],
    [14, 2, ...list(elements), ...list(members)],
    smallStreamPayload(15).subarray(0, -10),
  ].map((body) => Buffer.from(body))
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[random.below(from.length)]!
}

function some<T>(random: Random, make: (random: Random) => T): T[] {
  return Array.from({ length: 1 + random.below(8) }, () => make(random))
}

function text(random: Random): string {
  switch (random.below(8)) {
    case 0:
      return ''
    case 1:
      return String(random.below(200))
    case 2:
      return String(random.int32())
    case 3:
      return 'x'.repeat(random.below(120))
    case 4:
      return random.hex(random.below(40))
    case 5:
      return String(BigInt(random.int32()) * BigInt(random.int32()))
    case 6:
      return 'ab'.repeat(random.below(200))
    default:
      return random.hex(random.below(4))
  }
}

function score(random: Random): string {
  return pick(['inf', '-inf', '-0', '1e300', '1e19', String(random.float() * 1000), String(random.int32())], random)
}
