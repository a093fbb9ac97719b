/**
 * What the set commands leave behind beside their replies, against real redis-server: its replication stream and its
 * keyspace events. Replies whose order or choice is chance are left to other tests: sets here are intsets, or of one
 * member.
 */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { expectSameEffects, type Observers, startObservers } from '../support/propagation.ts'
import { hasRedisServer } from '../support/redis-process.ts'

describe.skipIf(!hasRedisServer())('set commands', () => {
  let observers: Observers
  const same = (...commands: Parameters<typeof expectSameEffects> extends [Observers, ...infer Rest] ? Rest : never) =>
    expectSameEffects(observers, ...commands)

  beforeAll(async () => {
    observers = await startObservers()
  })
  afterAll(() => observers?.close())

  test('SADD, SREM and what becomes of the encoding', async () => {
    await same(
      'DEL s t',
      'SADD s 1 2 3 2',
      'SADD s 1',
      'OBJECT ENCODING s',
      'SADD s 40000 -1',
      'SADD s 9223372036854775807 -9223372036854775808',
      'DUMP s',
      'SMEMBERS s',
      'SADD s 9223372036854775808',
      'OBJECT ENCODING s',
      'SREM s 9223372036854775808 x 1 1',
      'OBJECT ENCODING s',
      'SCARD s',
      'SREM s 2 3 40000 -1 9223372036854775807 -9223372036854775808 5',
      'EXISTS s',
      'SREM s 1',
      'SADD t a',
      'SADD t a',
      'OBJECT ENCODING t',
      'SREM t a a',
      'SADD s 01',
      'OBJECT ENCODING s',
      'DEL s',
      'SADD s ""',
      'SMEMBERS s',
      'SISMEMBER s ""',
      'SISMEMBER s x',
      'SISMEMBER absent x',
      'SMISMEMBER s "" x',
      'SMISMEMBER absent "" x',
      'SCARD absent',
      'SMEMBERS absent',
      'SADD s',
      'SREM s',
      'SMISMEMBER s',
    )
  })

  test('wrong types, and what is asked first', async () => {
    await same(
      'SET str 1',
      'SADD str a',
      'SREM str a',
      'SISMEMBER str a',
      'SMISMEMBER str a',
      'SCARD str',
      'SMEMBERS str',
      'SPOP str',
      'SPOP str 0',
      'SPOP str -1',
      'SPOP str x',
      'SPOP str 1 2',
      'SRANDMEMBER str',
      'SRANDMEMBER str x',
      'SRANDMEMBER str -9223372036854775808',
      'SRANDMEMBER str 1 2',
      'SMOVE str absent a',
      'SMOVE absent str a',
      'SADD s2 a',
      'SMOVE s2 str a',
      'SMOVE s2 str x',
      'SINTER s2 str',
      'SINTER absent str',
      'SUNION s2 str',
      'SDIFF str s2',
      'SDIFF absent str',
      'SINTERSTORE str s2',
      'TYPE str',
      'SET str 1',
      'SINTERSTORE s2 str',
      'SINTERCARD 1 str',
      'SINTERCARD 0 str',
      'SINTERCARD x str',
      'SINTERCARD 2 str',
      'SINTERCARD 9223372036854775807 str',
      'SINTERCARD 1 str LIMIT',
      'SINTERCARD 1 str LIMIT -1',
      'SINTERCARD 1 str LIMIT x',
      'SINTERCARD 1 str BAD 1',
      'SINTERCARD 1 s2 LIMIT 0 LIMIT 1',
      'SSCAN str 0',
      'SSCAN str x',
      'SSCAN absent 0 BAD',
      'SSCAN s2 0 BAD',
      'SSCAN s2 0 COUNT 0',
      'SSCAN s2 0 TYPE string',
      'SSCAN s2 0 MATCH a COUNT 100',
    )
  })

  test('SMOVE', async () => {
    await same(
      'DEL a b',
      'SADD a 1 2',
      'SMOVE a b 3',
      'SMOVE a b 1',
      'SMOVE a b 2',
      'EXISTS a',
      'SMOVE b b 1',
      'SMOVE b b 9',
      'SADD a 1',
      'SMOVE a b 1',
      'SMOVE b a x',
      'SADD b x',
      'SMOVE b a x',
      'OBJECT ENCODING a',
      'SMOVE absent a x',
      'SADD c 1',
      'PEXPIRE c 1',
      'WAIT-MS 5',
      'SMOVE b c 1',
      'SADD d 1',
      'PEXPIRE d 1',
      'WAIT-MS 5',
      'SMOVE d b 1',
    )
  })

  test('SPOP in all its cases', async () => {
    await same(
      'DEL s',
      'SADD s 1',
      'SPOP s',
      'EXISTS s',
      'SPOP s',
      'SPOP s 3',
      'SADD s a',
      'SPOP s',
      'SADD s 1 2 3 4 5 6 7 8 9 10',
      'SPOP s 0',
      'SPOP s 10',
      'SADD s 1 2 3',
      'SPOP s 100',
      'SADD s x',
      'SPOP s 9223372036854775807',
      'SADD s 5',
      'SPOP s 9223372036854775808',
      'SPOP s 1',
      'MULTI',
      'SADD s 1',
      'SPOP s',
      'SADD s 1',
      'SPOP s 2',
      'EXEC',
    )
  })

  test('storing', async () => {
    await same(
      'DEL a b c d',
      'SADD a 1 2 3 4',
      'SADD b 3 4 5',
      'SADD c 4 x',
      'SINTERSTORE d a b',
      'SMEMBERS d',
      'SINTERSTORE d a b c',
      'OBJECT ENCODING d',
      'SINTERSTORE d a absent',
      'SINTERSTORE d a absent',
      'SUNIONSTORE d a b',
      'SMEMBERS d',
      'SUNIONSTORE d a b c',
      'OBJECT ENCODING d',
      'SDIFFSTORE d c a',
      'SDIFFSTORE d a c',
      'OBJECT ENCODING d',
      'SDIFFSTORE d a a',
      'SDIFFSTORE d absent a',
      'SDIFFSTORE a a b',
      'SMEMBERS a',
      'SUNIONSTORE d absent',
      'SET d string',
      'SUNIONSTORE d a',
      'EXPIRE d 100',
      'SUNIONSTORE d a',
      'TTL d',
      'SET e 1',
      'PEXPIRE e 1',
      'WAIT-MS 5',
      'SUNIONSTORE e absent',
      'SET e 1',
      'PEXPIRE e 1',
      'WAIT-MS 5',
      'SUNIONSTORE e a',
      'PEXPIRE a 1',
      'WAIT-MS 5',
      'SUNIONSTORE d a',
      'SINTER absent b',
      'SUNION absent b',
      'SDIFF b absent',
      'SINTERCARD 2 b c LIMIT 1',
    )
  })

  test('a difference that goes through the other sets once has the encoding of its first set', async () => {
    await same(
      'DEL a b c d e',
      'SADD a 1 2 3 4 5 6 7 8 9 x',
      'SADD b x',
      'SADD c 1',
      'SADD d 2',
      'SDIFFSTORE r a b',
      'OBJECT ENCODING r',
      'SDIFFSTORE r a b c d',
      'OBJECT ENCODING r',
      'SCARD r',
    )
  })
})

describe.skipIf(!hasRedisServer())('set commands in RESP3, with few numbers to an intset', () => {
  test('replies are sets, and sets become tables earlier', async () => {
    const observers = await startObservers({ protocol: 3, directives: { 'set-max-intset-entries': 3 } })
    await expectSameEffects(
      observers,
      'SADD s 1 2 3',
      'OBJECT ENCODING s',
      'SMEMBERS s',
      'SUNION s absent',
      'SINTER s s',
      'SDIFF s absent',
      'SADD t 4',
      'SUNIONSTORE u s t',
      'OBJECT ENCODING u',
      'SREM u 1 2 3',
      'OBJECT ENCODING u',
      'SUNIONSTORE u u',
      'OBJECT ENCODING u',
      'SADD s 4',
      'OBJECT ENCODING s',
      'SPOP t 1',
      'SPOP absent',
      'SPOP absent 1',
      'SRANDMEMBER absent',
      'SRANDMEMBER absent 1',
      'SMEMBERS absent',
      'SINTER absent',
      'SISMEMBER s 1',
      'COPY s copy',
      'OBJECT ENCODING copy',
      'CONFIG SET set-max-intset-entries 0',
      'SADD v 1',
      'OBJECT ENCODING v',
    )
    await observers.close()
  })
})
