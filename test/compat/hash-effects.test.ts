/**
 * What the hash commands reply, propagate and announce, against real redis-server 7.0: its replication stream and its
 * keyspace events.
 */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { expectSameEffects, type Observers, startObservers } from '../support/propagation.ts'
import { hasRedisServer } from '../support/redis-process.ts'

const BINARY = new Uint8Array([0, 255, 13, 10, 128])
const LONG = 'x'.repeat(65)

describe.skipIf(!hasRedisServer()).each([2, 3] as const)('hash commands, RESP%i', (protocol) => {
  let observers: Observers
  const same = (...commands: Parameters<typeof expectSameEffects> extends [Observers, ...infer Rest] ? Rest : never) =>
    expectSameEffects(observers, 'FLUSHALL', ...commands)

  beforeAll(async () => {
    observers = await startObservers({ protocol })
  })
  afterAll(() => observers?.close())

  test('setting', async () => {
    await same(
      'HSET h a 1',
      'HSET h a 2 b 3 a 4',
      'hset h A 1 c',
      'HSET h',
      'HSET h a',
      'HSET h a 1 b',
      'hMsEt h a 1 b',
      'HMSET h a 1 z 2',
      'HMSET new a 1',
      ['HSET', BINARY, BINARY, BINARY],
      'HSETNX h a 1',
      'HSETNX h n 1',
      'HSETNX fresh n 1',
      'HSETNX h n',
      'HGETALL h',
      'OBJECT ENCODING h',
      `HSETNX h n ${LONG}`,
      'OBJECT ENCODING h',
      `HSETNX h long ${LONG}`,
      'OBJECT ENCODING h',
      `HMSET k a 1 b ${LONG}`,
      'OBJECT ENCODING k',
      'HSET h "" ""',
      'HGET h ""',
    )
  })

  test('reading', async () => {
    await same(
      'HSET h a 1 b two c ""',
      'HGET h a',
      'HGET h z',
      'HGET none a',
      'HGET h',
      'HMGET h a z b a',
      'HMGET none a b',
      'HGETALL h',
      'HGETALL none',
      'HKEYS h',
      'HKEYS none',
      'HVALS h',
      'HVALS none',
      'HLEN h',
      'HLEN none',
      'HEXISTS h a',
      'HEXISTS h z',
      'HEXISTS none a',
      'HSTRLEN h b',
      'HSTRLEN h z',
      'HSTRLEN none z',
      'HSCAN h 0',
      'HSCAN none 0',
      'HSCAN none 0 BAD',
      'HSCAN h x',
      'HSCAN none x',
      'HSCAN h 0 MATCH b*',
      'HSCAN h 0 COUNT 1',
      'HSCAN h 0 COUNT 0',
      'HSCAN h 0 COUNT x',
      'HSCAN h 0 TYPE hash',
      'HSCAN h 0 NOVALUES',
      'HSCAN h 0 MATCH',
      'HSCAN h 18446744073709551615',
      'HSCAN h 18446744073709551616',
      'HSCAN h -1',
      'HSET i 12 -5 99999 x',
      'HGETALL i',
      'HSTRLEN i 12',
      'HGET i 12',
      'HGET i 012',
      'HSCAN i 0 MATCH 1*',
    )
  })

  test('deleting', async () => {
    await same(
      'HSET h a 1 b 2 c 3 d 4',
      'HDEL h a',
      'HDEL h a',
      'HDEL h a b z b',
      'HDEL none a',
      'HDEL h',
      'HDEL h c d e f',
      'EXISTS h',
      `HSET h a ${LONG} b 2`,
      'HDEL h a',
      'OBJECT ENCODING h',
      'HDEL h b',
    )
  })

  test('counting', async () => {
    await same(
      'HINCRBY h a 5',
      'HINCRBY h a -7',
      'HINCRBY h a 9223372036854775807',
      'HINCRBY h a 9223372036854775807',
      'HINCRBY h a x',
      'HINCRBY h a 1.5',
      'HINCRBY h a',
      'HSET h s text space " 1" big 9223372036854775808 float 1.5 inf inf',
      'HINCRBY h s 1',
      'HINCRBY h space 1',
      'HINCRBY h big 1',
      'HINCRBY h s x',
      'HINCRBY h low -9223372036854775808',
      'HINCRBY h low -1',
      'HINCRBYFLOAT h f 1.5',
      'HINCRBYFLOAT h f 1.25e2',
      'HINCRBYFLOAT h a 0',
      'HINCRBYFLOAT h float 0.1',
      'HINCRBYFLOAT h s 1',
      'HINCRBYFLOAT h space 1',
      'HINCRBYFLOAT h inf 1',
      'HINCRBYFLOAT h inf -inf',
      'HINCRBYFLOAT h f nan',
      'HINCRBYFLOAT h f inf',
      'HINCRBYFLOAT h f x',
      'HINCRBYFLOAT h f ""',
      'HINCRBYFLOAT new f 3.0e3',
      'HINCRBYFLOAT new f 1e4900',
      'HINCRBYFLOAT new f 1e4900',
      'HINCRBYFLOAT new g 17179869184',
      'HGET new g',
      'HSTRLEN new f',
      `HSET t a ${LONG}`,
      'HINCRBY t n 5',
      'HINCRBYFLOAT t n 5',
      `HINCRBY h ${LONG} 1`,
      'OBJECT ENCODING h',
    )
  })

  test('other types, and what is found first', async () => {
    await same(
      'SET s x',
      'HSET s a 1',
      'HSET s a',
      'HSET s a 1 b',
      'HMSET s a 1',
      'HSETNX s a 1',
      'HGET s a',
      'HMGET s a',
      'HGETALL s',
      'HKEYS s',
      'HVALS s',
      'HLEN s',
      'HDEL s a',
      'HEXISTS s a',
      'HSTRLEN s a',
      'HINCRBY s a 1',
      'HINCRBY s a x',
      'HINCRBYFLOAT s a 1',
      'HINCRBYFLOAT s a x',
      'HRANDFIELD s',
      'HRANDFIELD s 1',
      'HRANDFIELD s x',
      'HRANDFIELD s 1 WITHVALUE',
      'HSCAN s 0',
      'HSCAN s 0 BAD',
      'HSCAN s x',
    )
  })

  test('HRANDFIELD where chance has no say', async () => {
    await same(
      'HRANDFIELD none',
      'HRANDFIELD none 5',
      'HRANDFIELD none -5 WITHVALUES',
      'HSET h a 1',
      'HRANDFIELD h',
      'HRANDFIELD h 0',
      'HRANDFIELD h 1',
      'HRANDFIELD h 5',
      'HRANDFIELD h -3',
      'HRANDFIELD h 5 WITHVALUES',
      'HRANDFIELD h -3 withvalues',
      'HRANDFIELD h 9223372036854775807',
      'HRANDFIELD h 9223372036854775807 WITHVALUES',
      'HRANDFIELD h 4611686018427387903 WITHVALUES',
      'HRANDFIELD h 4611686018427387904 WITHVALUES',
      'HRANDFIELD h -4611686018427387904 WITHVALUES',
      'HRANDFIELD h -9223372036854775808',
      'HRANDFIELD h -9223372036854775808 BAD',
      'HRANDFIELD h -9223372036854775807 BAD',
      'HRANDFIELD h 9223372036854775808',
      'HRANDFIELD h 1 WITHVALUES x',
      'HRANDFIELD h x WITHVALUES x',
      `HSET t a ${LONG}`,
      'HRANDFIELD t 5 WITHVALUES',
      'HRANDFIELD t -2 WITHVALUES',
    )
  })

  test('in transactions, and with keys that expire', async () => {
    await same(
      'MULTI',
      'HSET h a 1',
      'HINCRBYFLOAT h a 1.5',
      'HDEL h a',
      'EXEC',
      'HSET h a 1',
      'PEXPIRE h 1',
      'WAIT-MS 5',
      'HSET h b 2',
      'HGETALL h',
      'PEXPIRE h 1',
      'WAIT-MS 5',
      'HGET h b',
      'HSET h a 1',
      'EXPIRE h 1000',
      'HSET h b 2',
      'RENAME h k',
      'COPY k h',
      'HGETALL h',
      'SORT none BY nosort GET h->a',
    )
  })

  test('encodings at their limits', async () => {
    const pairs = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => [`f${from + i}`, String(from + i)]).flat()
    await same(
      ['HSET', 'h', ...pairs(0, 511)],
      'OBJECT ENCODING h',
      'HSET h f0 x',
      ['HSET', 'h', ...pairs(511, 512)],
      'OBJECT ENCODING h',
      'HSET h f0 y',
      'OBJECT ENCODING h',
      'HSETNX h more 1',
      'OBJECT ENCODING h',
      'HLEN h',
      'HDEL h more',
      'OBJECT ENCODING h',
      'CONFIG SET hash-max-listpack-entries 2 hash-max-listpack-value 3',
      'HSET k a 1 b 2',
      'OBJECT ENCODING k',
      'HINCRBY k a 10000',
      'OBJECT ENCODING k',
      'HSET m abc 123',
      'OBJECT ENCODING m',
      'HSET m abcd 1',
      'OBJECT ENCODING m',
      'HSET n a 1 b 2 c 3',
      'OBJECT ENCODING n',
      'CONFIG SET hash-max-ziplist-entries 512 hash-max-ziplist-value 64',
    )
  })
})
