/**
 * Values as old versions of Redis kept them (ziplists, zipmaps), given to real redis-server and to ours as payloads: the same
 * are refused, and the others become the same values. Right ones and spoiled ones, from a seed that is printed.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { createServer, type EmbeddedServer } from '../../src/index.ts'
import { oneOf, seededTest } from '../model/seeded.ts'
import { mutated } from '../support/mutate.ts'
import { type ZiplistElement, ziplist, zipmap } from '../support/old-encodings.ts'
import { lengthBytes, payload } from '../support/rdb-builder.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import { RespClient, showReply } from '../support/resp-client.ts'

const ZIPMAP = 9
const LIST = 10
const ZSET = 12
const HASH = 13
const QUICKLIST = 14
const VALUES_PER_RUN = 150

describe.skipIf(!hasRedisServer())('old encodings', () => {
  let redis: RedisProcess
  let embedded: EmbeddedServer
  let theirs: RespClient
  let ours: RespClient

  beforeAll(async () => {
    redis = await startServer({ server: 'redis' })
    theirs = await redis.connect()
    embedded = await createServer({ port: 0 })
    ours = await RespClient.connect({ port: embedded.port! })
  })
  afterAll(async () => {
    await ours?.close()
    await embedded?.close()
    await redis?.stop()
  })

  /** Whether it was taken. */
  async function restore(rdbType: number, body: Uint8Array): Promise<boolean> {
    const value = payload(Buffer.concat([Buffer.of(rdbType), body]))
    await same('FLUSHALL')
    const answer = await same('RESTORE', 'k', '0', value)
    if (!answer.startsWith('"+OK')) return false
    await same('TYPE', 'k')
    const encoding = await same('OBJECT', 'ENCODING', 'k')
    await same('DEBUG', 'DIGEST-VALUE', 'k')
    // A hash table gives its elements in an order of its own.
    if (!encoding.includes('hashtable')) await same('DUMP', 'k')
    return true
  }

  async function same(...args: (string | Uint8Array)[]): Promise<string> {
    const expected = showReply(await theirs.call(...args))
    const shown = args.map((arg) => (typeof arg === 'string' ? arg : Buffer.from(arg).toString('base64'))).join(' ')
    expect(`${shown}: ${showReply(await ours.call(...args))}`).toBe(`${shown}: ${expected}`)
    return expected
  }

  test('small ones of each', async () => {
    const a = ziplist(['one', 1, 'two', 2.0, '3', 300_000])
    expect(await restore(LIST, text(a))).toBe(true)
    expect(await restore(HASH, text(a))).toBe(true)
    expect(await restore(ZSET, text(ziplist(['a', 1, 'b', '2.5', '3', 10])))).toBe(true)
    expect(await restore(QUICKLIST, nodes([a, ziplist([]), a]))).toBe(true)
    expect(
      await restore(
        ZIPMAP,
        text(
          zipmap([
            ['f', 'v'],
            ['g', '12'],
          ]),
        ),
      ),
    ).toBe(true)
  })

  test('without elements', async () => {
    for (const type of [LIST, ZSET, HASH]) expect(await restore(type, text(ziplist([])))).toBe(false)
    expect(await restore(QUICKLIST, nodes([]))).toBe(false)
    expect(await restore(QUICKLIST, nodes([ziplist([])]))).toBe(false)
    expect(await restore(ZIPMAP, text(zipmap([])))).toBe(false)
  })

  test('fields without values, and fields that are there twice', async () => {
    expect(await restore(HASH, text(ziplist(['a', 'b', 'c'])))).toBe(false)
    expect(await restore(HASH, text(ziplist(['a', 'b', 'a', 'c'])))).toBe(false)
    expect(await restore(HASH, text(ziplist(['1', 'b', 1, 'c'])))).toBe(false)
    expect(await restore(ZSET, text(ziplist(['a', 1, 'a', 2])))).toBe(false)
    expect(await restore(ZSET, text(ziplist(['a', 1, 'b'])))).toBe(false)
    expect(
      await restore(
        ZIPMAP,
        text(
          zipmap([
            ['a', 'b'],
            ['a', 'c'],
          ]),
        ),
      ),
    ).toBe(false)
  })

  seededTest('any of them', 3, async (random) => {
    for (let i = 0; i < VALUES_PER_RUN; i++) await restoreAny(random)
  })

  async function restoreAny(random: Random): Promise<void> {
    const spoil = random.below(2) === 0
    const spoiled = (bytes: Uint8Array): Uint8Array => (spoil ? mutated(bytes, random) : bytes)
    const count = random.below(random.below(20) === 0 ? 700 : 30)
    const elements = Array.from({ length: count }, () => element(random))
    const pairs = distinct(elements).flatMap((field) => [field, element(random)])
    const wide = random.below(5) === 0
    switch (random.below(5)) {
      case 0:
        await restore(LIST, text(spoiled(ziplist(elements, wide))))
        break
      case 1:
        await restore(HASH, text(spoiled(ziplist(pairs, wide))))
        break
      case 2: {
        // Redis takes scores that are no numbers: these stay whole.
        const members = distinct(elements).flatMap((member, at) => [member, at * 0.5])
        await restore(ZSET, text(ziplist(members.map((part) => (Number.isInteger(part) ? part : String(part))))))
        break
      }
      case 3:
        await restore(QUICKLIST, nodes([spoiled(ziplist(elements, wide)), ziplist(pairs), ziplist([])]))
        break
      default: {
        const fields = distinct(elements).slice(0, 400)
        const map = fields.map((field) => [String(field), String(element(random))] as const)
        await restore(ZIPMAP, text(spoiled(zipmap(map, random.below(4)))))
      }
    }
  }
})

function element(random: Random): ZiplistElement {
  switch (random.below(4)) {
    case 0:
      return random.below(20) - 3
    case 1:
      return BigInt.asIntN(1 + random.below(64), BigInt(random.int32()) * 0x1_0000_0001n)
    case 2:
      return String(random.int32())
    default:
      return random.hex(random.below(oneOf(random, [20, 300, 20_000])))
  }
}

function distinct(elements: readonly ZiplistElement[]): ZiplistElement[] {
  return [...new Map(elements.map((one) => [String(one), one])).values()]
}

function text(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(lengthBytes(bytes.length)), bytes])
}

function nodes(lists: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from(lengthBytes(lists.length)), ...lists.map(text)])
}
