/**
 * The HyperLogLog commands against real redis-server: replies, what they propagate and what they announce.
 */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { expectSameEffects, type Observers, startObservers } from '../support/propagation.ts'
import { hasRedisServer } from '../support/redis-process.ts'

const MANY = Array.from({ length: 1500 }, (_, i) => `element${i}`).join(' ')

describe.skipIf(!hasRedisServer())('HyperLogLog commands', () => {
  let observers: Observers
  const same = (...commands: Parameters<typeof expectSameEffects> extends [Observers, ...infer Rest] ? Rest : never) =>
    expectSameEffects(observers, ...commands)

  beforeAll(async () => {
    observers = await startObservers()
  })
  afterAll(() => observers?.close())

  test('PFADD', async () => {
    await same(
      'PFADD h',
      'PFADD h',
      'OBJECT ENCODING h',
      'PFADD h a b c a',
      'PFADD h a b c',
      'GET h',
      `PFADD h ${MANY}`,
      'PFDEBUG ENCODING h',
      'GET h',
      'PFADD h x y z',
      'PFADD h x y z',
      'SET n 1234',
      'PFADD n a',
      'SET s HYLL',
      'PFADD s a',
      'SADD set a',
      'PFADD set a',
      'PFADD',
    )
  })

  test('PFCOUNT caches and propagates', async () => {
    await same(
      'PFCOUNT h',
      'PFADD h a b c',
      'PFCOUNT h',
      'GET h',
      'PFCOUNT h',
      'PFADD h d',
      'PFCOUNT h missing',
      'GET h',
      'PFADD i e f',
      'PFCOUNT h i missing h',
      'SET s x',
      'PFCOUNT s',
      'PFCOUNT h s',
      'MULTI',
      'PFADD h g',
      'PFCOUNT h',
      'PFCOUNT h',
      'EXEC',
    )
  })

  test('PFMERGE', async () => {
    await same(
      'PFMERGE d',
      'GET d',
      'PFADD a 1 2 3',
      'PFADD b 3 4 5',
      'PFMERGE d a b missing',
      'GET d',
      'PFCOUNT d',
      `PFADD big ${MANY}`,
      'PFMERGE d big',
      'PFDEBUG ENCODING d',
      'GET d',
      'PFMERGE e a',
      'PFDEBUG ENCODING e',
      'EXPIRE e 1000',
      'PFMERGE e b',
      'TTL e',
      'SET s x',
      'PFMERGE d s',
      'PFMERGE s a',
    )
  })

  test('PFDEBUG', async () => {
    await same(
      'PFDEBUG DECODE h',
      'PFADD h a b c d e f',
      'PFDEBUG DECODE h',
      'PFDEBUG ENCODING h',
      'PFDEBUG TODENSE h',
      'PFDEBUG TODENSE h',
      'PFDEBUG DECODE h',
      'PFADD i a',
      'PFDEBUG GETREG i',
      'PFDEBUG ENCODING i',
      'PFDEBUG ELSE i',
      'PFDEBUG ELSE missing',
      'SET s x',
      'PFDEBUG ELSE s',
    )
  })

  test('corrupt values', async () => {
    const header = String.raw`HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80`
    await same(
      `SET short "${header}"`,
      'PFADD short a',
      'PFCOUNT short',
      'PFMERGE d short',
      'EXISTS d',
      'PFDEBUG TODENSE short',
      'PFDEBUG DECODE short',
      `SET long "${header}\\x7f\\xff\\x00"`,
      'PFCOUNT long',
      'PFADD long a',
      'GET long',
      'PFCOUNT long',
      'PFDEBUG GETREG long',
      `SET half "${header}\\x5f\\xff"`,
      'PFADD half a b c d e f g h i j k l m n o p',
      'GET half',
      'PFCOUNT half half',
      'CONFIG SET hll-sparse-max-bytes 30',
      `SET full "${header}\\x7f\\xff"`,
      `PFADD full a b c d e f g h i j`,
      'PFDEBUG ENCODING full',
      'CONFIG SET hll-sparse-max-bytes 3000',
    )
  })
})
