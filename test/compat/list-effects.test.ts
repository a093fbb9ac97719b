/**
 * What the list commands leave behind beside their replies, against real redis-server: its replication stream and its
 * keyspace events. And how elements come to stand in nodes: payloads are compared byte by byte, under settings that make
 * nodes small, compress them, and give elements nodes of their own.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { createServer, type EmbeddedServer } from '../../src/index.ts'
import { oneOf, seededTest } from '../model/seeded.ts'
import { expectSameEffects, type Observers, startObservers } from '../support/propagation.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import { RespClient, showReply } from '../support/resp-client.ts'

describe.skipIf(!hasRedisServer())('list commands', () => {
  let observers: Observers
  const same = (...commands: Parameters<typeof expectSameEffects> extends [Observers, ...infer Rest] ? Rest : never) =>
    expectSameEffects(observers, ...commands)

  beforeAll(async () => {
    observers = await startObservers()
  })
  afterAll(() => observers?.close())

  test('LPUSH, RPUSH, LPUSHX, RPUSHX', async () => {
    await same(
      'LPUSH l a b c',
      'RPUSH l 1 2 3',
      'RPUSH l ""',
      'LPUSHX l x y',
      'RPUSHX l z',
      'LPUSHX absent x',
      'RPUSHX absent x y',
      'LRANGE l 0 -1',
      'LLEN l',
      'OBJECT ENCODING l',
      'DUMP l',
      'SET s 1',
      'LPUSH s x',
      'RPUSH s x',
      'LPUSHX s x',
      'LLEN s',
      'LRANGE s 0 -1',
      'LPUSH l',
      'RPUSHX l',
      'DEL l',
    )
  })

  test('LPOP, RPOP', async () => {
    await same(
      'RPUSH l 1 2 3 4 5 6 7 8 9',
      'LPOP l',
      'RPOP l',
      'LPOP l 2',
      'RPOP l 2',
      'LPOP l 0',
      'LPOP l -1',
      'LPOP l x',
      'LPOP l 9223372036854775808',
      'LPOP l 1 2',
      'RPOP l 1 2',
      'LPOP absent',
      'LPOP absent 0',
      'LPOP absent 2',
      'LPOP absent -2',
      'SET s 1',
      'LPOP s',
      'LPOP s 1',
      'LPOP s x',
      'RPOP l 9223372036854775807',
      'EXISTS l',
      'RPUSH l a',
      'LPOP l',
      'EXISTS l',
      'RPUSH l a',
      'RPOP l 1',
      'EXISTS l',
    )
  })

  test('LMPOP', async () => {
    await same(
      'RPUSH l 1 2 3 4 5',
      'LMPOP 1 l LEFT',
      'LMPOP 3 absent l other RIGHT COUNT 2',
      'LMPOP 1 absent LEFT',
      'LMPOP 2 absent l left count 10',
      'EXISTS l',
      'SET s 1',
      'LMPOP 1 s LEFT',
      'LMPOP 2 absent s LEFT',
      'LMPOP 0 l LEFT',
      'LMPOP -1 l LEFT',
      'LMPOP x l LEFT',
      'LMPOP 1 l MIDDLE',
      'LMPOP 2 l LEFT',
      'LMPOP 1 l LEFT COUNT',
      'LMPOP 1 l LEFT COUNT 0',
      'LMPOP 1 l LEFT COUNT -1',
      'LMPOP 1 l LEFT COUNT x',
      'LMPOP 1 l LEFT COUNT 1 COUNT 2',
      'LMPOP 1 l LEFT NONSENSE 1',
      'LMPOP 9223372036854775807 l LEFT',
      'LMPOP 1 l',
    )
  })

  test('LMOVE, RPOPLPUSH', async () => {
    await same(
      'RPUSH l 1 2 3 4 5',
      'LMOVE l m LEFT RIGHT',
      'LMOVE l m right left',
      'LMOVE l l LEFT RIGHT',
      'LMOVE l l RIGHT RIGHT',
      'RPOPLPUSH l m',
      'RPOPLPUSH l l',
      'LRANGE l 0 -1',
      'LRANGE m 0 -1',
      'RPOPLPUSH l m',
      'RPOPLPUSH l m',
      'EXISTS l',
      'RPUSH l only',
      'RPOPLPUSH l l',
      'LMOVE l l LEFT LEFT',
      'LRANGE l 0 -1',
      'LMOVE absent m LEFT LEFT',
      'RPOPLPUSH absent m',
      'SET s 1',
      'LMOVE s m LEFT LEFT',
      'LMOVE l s LEFT LEFT',
      'LMOVE absent s LEFT LEFT',
      'RPOPLPUSH l s',
      'LMOVE l m LEFT UP',
      'LMOVE l m UP LEFT',
      'LMOVE s m UP LEFT',
      'LMOVE l m LEFT',
      'LRANGE l 0 -1',
    )
  })

  test('LSET, LINSERT, LREM, LTRIM', async () => {
    await same(
      'RPUSH l a b c a b c',
      'LSET l 0 x',
      'LSET l -1 y',
      'LSET l 6 z',
      'LSET l -7 z',
      'LSET l one z',
      'LSET absent 0 z',
      'LSET absent one z',
      'LINSERT l BEFORE b new',
      'LINSERT l after c 5',
      'LINSERT l AFTER nothing x',
      'LINSERT absent AFTER x y',
      'LINSERT l BESIDE x y',
      'LINSERT absent BESIDE x y',
      'LRANGE l 0 -1',
      'LREM l 1 b',
      'LREM l -1 a',
      'LREM l 0 nothing',
      'LREM l x a',
      'LREM absent 0 a',
      'LREM l -9223372036854775808 5',
      'LRANGE l 0 -1',
      'LTRIM l 1 -2',
      'LTRIM l 0 -1',
      'LRANGE l 0 -1',
      'LTRIM l 5 10',
      'EXISTS l',
      'RPUSH l a a a',
      'LREM l 0 a',
      'EXISTS l',
      'RPUSH l a b',
      'LTRIM l 1 0',
      'EXISTS l',
      'LTRIM absent 0 1',
      'LTRIM absent x 1',
      'LTRIM l 0 y',
      'SET s 1',
      'LSET s 0 x',
      'LSET s x x',
      'LINSERT s BEFORE a b',
      'LREM s 0 a',
      'LTRIM s 0 1',
    )
  })

  test('LINDEX, LRANGE, LPOS', async () => {
    await same(
      'RPUSH l a b c 1 2 3 c c',
      'LINDEX l 0',
      'LINDEX l 3',
      'LINDEX l -1',
      'LINDEX l 8',
      'LINDEX l -9',
      'LINDEX l x',
      'LINDEX absent 0',
      'LINDEX absent x',
      'LRANGE l -100 100',
      'LRANGE l 5 2',
      'LRANGE l 8 9',
      'LRANGE l 9223372036854775807 -9223372036854775808',
      'LRANGE l -9223372036854775808 9223372036854775807',
      'LRANGE absent 0 1',
      'LRANGE absent x 1',
      'LRANGE l 0 y',
      'LPOS l c',
      'LPOS l 1',
      'LPOS l nothing',
      'LPOS l c RANK 2',
      'LPOS l c RANK -1',
      'LPOS l c RANK 4',
      'LPOS l c COUNT 0',
      'LPOS l c COUNT 2 RANK -1',
      'LPOS l c COUNT 1 RANK 9',
      'LPOS l c MAXLEN 2',
      'LPOS l c MAXLEN 2 COUNT 0',
      'LPOS l c MAXLEN 3 RANK -2',
      'LPOS l c RANK -9223372036854775808',
      'LPOS l c RANK -9223372036854775808 COUNT 2',
      'LPOS l c RANK -9223372036854775807 COUNT 2',
      'LPOS l c RANK 0',
      'LPOS l c RANK x',
      'LPOS l c COUNT -1',
      'LPOS l c COUNT x',
      'LPOS l c MAXLEN -1',
      'LPOS l c RANK',
      'LPOS l c NONSENSE 1',
      'LPOS l c RANK 2 RANK 1',
      'LPOS absent c',
      'LPOS absent c COUNT 1',
      'SET s 1',
      'LINDEX s 0',
      'LINDEX s x',
      'LPOS s c',
      'LPOS s c RANK 0',
    )
  })

  test('in transactions, and with what else knows lists', async () => {
    await same(
      'MULTI',
      'RPUSH l 1 2 3',
      'LMPOP 1 l LEFT COUNT 5',
      'RPUSH l 3 1 2',
      'SORT l STORE m',
      'EXEC',
      'LRANGE m 0 -1',
      'COPY m n',
      'RENAME n o',
      'OBJECT ENCODING o',
      'TYPE o',
      'SORT l BY nosort DESC',
      'SORT l BY nosort LIMIT 1 1',
      'SORT absent STORE m',
      'EXISTS m',
    )
  })
})

const FILLS = [-2, -1, -5, 0, 1, 2, 3, 5, 128]
const DEPTHS = [0, 0, 1, 2, 3]
const THRESHOLDS = ['0', '0', '10', '100', '1kb']
const STEPS = 120

describe.skipIf(!hasRedisServer())('nodes of lists', () => {
  let redis: RedisProcess
  let embedded: EmbeddedServer
  let theirs: RespClient
  let ours: RespClient

  beforeAll(async () => {
    redis = await startServer({ server: 'redis', directives: { 'enable-debug-command': 'yes' } })
    theirs = await redis.connect()
    embedded = await createServer({ port: 0, enableDebugCommand: 'yes' })
    ours = await RespClient.connect({ port: embedded.port! })
  })
  afterAll(async () => {
    await ours?.close()
    await embedded?.close()
    await redis?.stop()
  })

  async function same(words: readonly string[]): Promise<void> {
    const [expected, actual] = await Promise.all([theirs.call(...words), ours.call(...words)])
    const shown = words.join(' ').slice(0, 300)
    expect(`${shown}: ${showReply(actual)}`).toBe(`${shown}: ${showReply(expected)}`)
  }

  /** What DEBUG OBJECT says of nodes. */
  async function facts(client: RespClient, key: string): Promise<string> {
    return / ql_.*/.exec(showReply(await client.call('DEBUG', 'OBJECT', key)))?.[0] ?? 'no list'
  }

  seededTest('stand as in redis-server', 6, async (random) => {
    const largest = oneOf(random, [20, 300, 3000, 20_000])
    const some = Array.from({ length: 5 }, () => text(random, largest))
    const element = () => (random.below(2) === 0 ? oneOf(random, some) : text(random, largest))
    const key = () => oneOf(random, ['k', 'l'])
    const index = () => String(random.below(60) - 30)
    const end = () => oneOf(random, ['LEFT', 'RIGHT'])
    await same(['FLUSHALL'])
    await same(['CONFIG', 'SET', 'list-max-listpack-size', String(oneOf(random, FILLS))])
    await same(['CONFIG', 'SET', 'list-compress-depth', String(oneOf(random, DEPTHS))])
    await same(['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', oneOf(random, THRESHOLDS)])
    for (let step = 0; step < STEPS; step++) {
      const commands: (() => string[])[] = [
        () => [oneOf(random, ['RPUSH', 'LPUSH']), key(), ...Array.from({ length: 1 + random.below(60) }, element)],
        () => [oneOf(random, ['RPUSH', 'LPUSH']), key(), element()],
        () => ['LINSERT', key(), oneOf(random, ['BEFORE', 'AFTER']), element(), element()],
        () => ['LSET', key(), index(), element()],
        () => ['LREM', key(), String(random.below(7) - 3), element()],
        () => ['LTRIM', key(), String(random.below(5)), String(-1 - random.below(5))],
        () => ['LMOVE', key(), key(), end(), end()],
        () => [oneOf(random, ['LPOP', 'RPOP']), key(), String(random.below(6))],
        () => ['LTRIM', key(), '0', String(random.below(300))],
        () => ['COPY', 'k', 'l', 'REPLACE'],
        () => ['DEBUG', 'RELOAD'],
      ]
      await same(commands[Math.min(random.below(30), random.below(commands.length))]!())
      for (const name of ['k', 'l']) {
        await same(['DUMP', name])
        if (step % 10 === 0) expect(await facts(ours, name)).toBe(await facts(theirs, name))
      }
    }
    await same(['LRANGE', 'k', '0', '-1'])
    await same(['DEBUG', 'DIGEST'])
  })
})

function text(random: Random, largest: number): string {
  const kind = random.below(10)
  if (kind < 4) return String(random.below(10 ** (1 + random.below(9))) - random.below(1000))
  if (kind === 4)
    return String((2n ** BigInt(random.below(64)) - BigInt(random.below(2))) * (random.below(2) ? 1n : -1n))
  if (kind < 8) return oneOf(random, ['a', 'bb', 'ccc', '', '007'])
  return oneOf(random, ['z', 'lorem ipsum ', '0123456789']).repeat(largest).slice(0, random.below(largest))
}
