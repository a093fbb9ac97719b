/**
 * What the string commands propagate and announce, and their replies, against real redis-server: its replication stream
 * and its keyspace events.
 */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { expectSameEffects, type Observers, startObservers } from '../support/propagation.ts'
import { hasRedisServer } from '../support/redis-process.ts'

const BINARY = new Uint8Array([0, 255, 13, 10, 128])
const LONG = 'x'.repeat(45)

describe.skipIf(!hasRedisServer())('string commands', () => {
  let observers: Observers
  const same = (...commands: Parameters<typeof expectSameEffects> extends [Observers, ...infer Rest] ? Rest : never) =>
    expectSameEffects(observers, ...commands)

  beforeAll(async () => {
    observers = await startObservers()
  })
  afterAll(() => observers?.close())

  test('SET in all its forms', async () => {
    await same(
      'SET a 1',
      'SET a 2',
      'set a 3',
      ['SET', 'bin', BINARY],
      ['SET', BINARY, 'v'],
      `SET a ${LONG}`,
      'SET a 1 NX',
      'SET new 1 NX',
      'SET absent 1 XX',
      'SET a 4 XX',
      'SET a 5 GET',
      'SET a 6 get KEEPTTL Get',
      'SET none 1 GET',
      'SET a 7 NX GET',
      'SET absent 1 XX GET',
      'SET a 8 EX 100',
      'SET a 9 KEEPTTL',
      'SET a 9 PX 100000',
      'SET a 9 EXAT 33177117420',
      'SET a 9 PXAT 33177117420000',
      'SET a 9 PXAT 9223372036854775807',
      'SET a 10 KEEPTTL',
      'SET a 9 EX 100 GET',
      'SET a 9 XX EX 100',
      'SET a 9 EX 10 EX 100',
      'SET a 9 PXAT 1000',
      'GET a',
      'SET a 1',
    )
  })

  test('SET with mistakes, and which is found first', async () => {
    await same(
      'SET a',
      'SET a 1 NX XX',
      'SET a 1 XX NX',
      'SET a 1 NX NX',
      'SET a 1 EX',
      'SET a 1 EX PX',
      'SET a 1 EX 10 PX 10',
      'SET a 1 EX 10 KEEPTTL',
      'SET a 1 KEEPTTL EX 10',
      'SET a 1 KEEPTTL KEEPTTL',
      'SET a 1 PERSIST',
      'SET a 1 BAD',
      'SET a 1 EX 0',
      'SET a 1 EX -1',
      'SET a 1 PX 0',
      'SET a 1 EXAT 0',
      'SET a 1 PXAT -5',
      'SET a 1 EX 1.5',
      'SET a 1 EX 01',
      'SET a 1 EX " 1"',
      'SET a 1 EX 9223372036854775807',
      'SET a 1 EX 9223372036854775808',
      'SET a 1 EX 9223372036854775',
      'SET a 1 PX 9223372036854775807',
      'SET a 1 PX 9223370000000000000',
      'SET a 1 EXAT 9223372036854775',
      'SET a 1 EXAT 9223372036854776',
      'SET a 1 EX 0 BAD',
      'SET a 1 EX x GET',
      'SET a 1 NX EX 0',
      ['SET', 'a', '1', 'NX\0junk'],
      ['SET', 'a', '1', 'EX\0', '100'],
      ['SET', 'a', '1', 'get\0x', 'KEEPTTL\0'],
    )
  })

  test('SETNX, SETEX, PSETEX, GETSET', async () => {
    await same(
      'DEL a b',
      'SETNX a 1',
      'SETNX a 2',
      'SETEX a 100 v',
      'SETEX a 0 v',
      'SETEX a x v',
      'SETEX a 9223372036854775807 v',
      'PSETEX a 100000 v',
      'PSETEX a -1 v',
      'SETEX b 100 12',
      'GETSET b 13',
      'GETSET fresh v',
      'PTTL b',
      'GETSET b',
    )
  })

  test('GETEX and GETDEL', async () => {
    await same(
      'SET a 1',
      'GETEX a',
      'GETEX a EX 100',
      'GETEX a',
      'GETEX a PERSIST',
      'GETEX a PERSIST',
      'GETEX a PX 100000',
      'GETEX a EXAT 33177117420',
      'GETEX a PXAT 33177117420000',
      'GETEX a PXAT 9223372036854775807',
      'GETEX a EX 10 EX 20',
      'GETEX a PERSIST PERSIST',
      'GETEX a EX 0',
      'GETEX a EX x',
      'GETEX a EX',
      'GETEX a EX 10 PERSIST',
      'GETEX a PERSIST EX 10',
      'GETEX a KEEPTTL',
      'GETEX a NX',
      'GETEX a EX 9223372036854775807',
      'GETEX absent EX 0',
      'GETEX absent EX x',
      'GETEX absent BAD',
      'GETEX a EXAT 1000',
      'EXISTS a',
      'SET a 1',
      'GETEX a PXAT 1000',
      'SET a 1 EX 100',
      'GETDEL a',
      'GETDEL a',
      'GETDEL',
    )
  })

  test('counting', async () => {
    await same(
      'DEL n',
      'INCR n',
      'INCRBY n 41',
      'DECR n',
      'DECRBY n 50',
      'SET n 9223372036854775806',
      'INCR n',
      'INCR n',
      'INCRBY n 1',
      'DECRBY n 9223372036854775807',
      'SET n -9223372036854775807',
      'DECR n',
      'DECR n',
      'DECRBY n -9223372036854775808',
      'INCRBY n -9223372036854775808',
      'INCRBY n 9223372036854775807',
      'SET n 9007199254740991',
      'INCR n',
      'INCR n',
      'DECRBY n 4',
      'SET n 01',
      'INCR n',
      'INCRBY n x',
      'SET n " 1"',
      'INCR n',
      'SET n ""',
      'INCR n',
      'SET n 1.0',
      'INCR n',
      'INCRBY n 1.0',
      'INCRBY n 9223372036854775808',
      'SETEX n 100 5',
      'INCR n',
      'PERSIST n',
      'APPEND n 0',
      'INCR n',
      'OBJECT ENCODING n',
      'DECRBY absent -9223372036854775808',
      'DECRBY absent 0',
      'INCRBY absent -9223372036854775808',
    )
  })

  test('INCRBYFLOAT', async () => {
    await same(
      'DEL f',
      'INCRBYFLOAT f 1',
      'INCRBYFLOAT f 0.1',
      'INCRBYFLOAT f 0.1',
      'INCRBYFLOAT f -1.2',
      'SET f 3.0e3',
      'INCRBYFLOAT f 200',
      'INCRBYFLOAT f 1e300',
      'SETEX f 100 17',
      'INCRBYFLOAT f 1.5',
      'OBJECT ENCODING f',
      'SET f 1',
      'INCRBYFLOAT f 2',
      'OBJECT ENCODING f',
      'INCRBYFLOAT f abc',
      'SET f " 1"',
      'INCRBYFLOAT f abc',
      'INCRBYFLOAT f 1',
      'SET f 1e4932',
      'INCRBYFLOAT f 1e4932',
      'STRLEN f',
      'INCRBYFLOAT f inf',
      'INCRBYFLOAT f nan',
      'SET f 0x10',
      'INCRBYFLOAT f 1',
      'SET f -0',
      'INCRBYFLOAT f 0',
      'SET f 5.00000000000000000000000000000000001',
      'INCRBYFLOAT f 1e-17',
      'INCRBYFLOAT f 12345678901234567',
      'SET f 9223372036854775807',
      'INCRBYFLOAT f 1',
      'SET f ""',
      'INCRBYFLOAT f 1',
    )
  })

  test('parts of strings', async () => {
    await same(
      'DEL s',
      'APPEND s hello',
      'OBJECT ENCODING s',
      'APPEND s ""',
      'OBJECT ENCODING s',
      'DEL s',
      'APPEND s 12',
      'OBJECT ENCODING s',
      'APPEND s 3',
      'OBJECT ENCODING s',
      'GET s',
      'DEL s',
      'APPEND s ""',
      'EXISTS s',
      'OBJECT ENCODING s',
      'SETEX s 100 abc',
      'APPEND s def',
      'SETRANGE s 1 XX',
      'SETRANGE s 10 end',
      'GET s',
      'SETRANGE s 0 ""',
      'SETRANGE s -1 ""',
      'SETRANGE s -1 x',
      'SETRANGE s x x',
      'SETRANGE s 9223372036854775808 x',
      'SETRANGE s 9223372036854775807 x',
      'SETRANGE s 536870911 xx',
      'SETRANGE s 9007199254740993 ""',
      'SETRANGE absent 5 ""',
      'EXISTS absent',
      'SETRANGE fresh2 3 ab',
      'GET fresh2',
      'OBJECT ENCODING fresh2',
      'SET i 1234',
      'SETRANGE i 1 99',
      'OBJECT ENCODING i',
      'INCR i',
      'GETRANGE s 0 -1',
      'GETRANGE s 2 4',
      'GETRANGE s -3 -1',
      'GETRANGE s -1 -3',
      'GETRANGE s 5 3',
      'GETRANGE s 100 200',
      'GETRANGE s -100 1',
      'GETRANGE s -100 -200',
      'GETRANGE s 0 9223372036854775807',
      'GETRANGE s -9223372036854775808 9223372036854775807',
      'GETRANGE s -9223372036854775808 -9223372036854775808',
      'GETRANGE s -9223372036854775807 -9223372036854775808',
      'GETRANGE s -9223372036854775808 -9223372036854775807',
      'GETRANGE s 9223372036854775808 0',
      'GETRANGE s x 0',
      'GETRANGE s 0 x',
      'GETRANGE absent 0 -1',
      'GETRANGE absent x -1',
      'SUBSTR s 1 2',
      'SUBSTR s',
      'SET empty ""',
      'GETRANGE empty 0 -1',
      'GETRANGE empty -1 0',
      'STRLEN s',
      'STRLEN absent',
      'STRLEN i',
    )
  })

  test('several keys', async () => {
    await same(
      'MSET a 1 b 2 a 3',
      'MGET a b absent a',
      'MSET a',
      'MSET a 1 b',
      'MSETNX a 1 b',
      'MSETNX m1 1 m2 2 m1 3',
      'MSETNX m1 1 m9 2',
      'EXISTS m9',
      'SETEX m1 100 v',
      'MSET m1 w',
      'PTTL m1',
    )
  })

  test('LCS', async () => {
    await same(
      'MSET a ohmytext b mynewtext',
      'LCS a b',
      'LCS a b LEN',
      'LCS a b IDX',
      'LCS a b IDX WITHMATCHLEN',
      'LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN',
      'LCS a b IDX MINMATCHLEN -4',
      'LCS a b MINMATCHLEN 9223372036854775807 IDX',
      'LCS a b MINMATCHLEN 2',
      'LCS a b LEN IDX',
      'LCS a b LEN WITHMATCHLEN',
      'LCS a b MINMATCHLEN',
      'LCS a b MINMATCHLEN x',
      'LCS a b BAD',
      'LCS a absent',
      'LCS absent absent2 IDX',
      'LCS absent b LEN',
      'LCS a a IDX WITHMATCHLEN',
      'LCS a',
    )
  })

  test('keys whose time has come', async () => {
    await same(
      'SET a 1 PX 1',
      'WAIT-MS 5',
      'SET a 2',
      'SET a 1 PX 1',
      'WAIT-MS 5',
      'SET a 2 KEEPTTL',
      'PTTL a',
      'SET a 1 PX 1',
      'WAIT-MS 5',
      'GET a',
      'SET a 1 PX 1',
      'WAIT-MS 5',
      'SET a 1 XX',
      'SET a 1 PX 1',
      'WAIT-MS 5',
      'SETNX a 1',
      'SET a 5 PX 1',
      'WAIT-MS 5',
      'INCR a',
      'SET a 5 PX 1',
      'WAIT-MS 5',
      'APPEND a x',
      'SET a 5 PX 1',
      'SET b 5 PX 1',
      'WAIT-MS 5',
      'MSET a 1 b 2',
      'SET a 5 PX 1',
      'WAIT-MS 5',
      'GETSET a x',
      'SET a 5 PX 1',
      'WAIT-MS 5',
      'GETEX a PERSIST',
      'SET a 5 PX 1',
      'WAIT-MS 5',
      'GETDEL a',
    )
  })
})

describe.skipIf(!hasRedisServer())('with lazyfree-lazy-user-del and lazyfree-lazy-expire', () => {
  test('GETDEL, GETEX and expiry propagate UNLINK', async () => {
    const observers = await startObservers({
      directives: { 'lazyfree-lazy-user-del': 'yes', 'lazyfree-lazy-expire': 'yes' },
    })
    await expectSameEffects(
      observers,
      'SET a 1',
      'GETDEL a',
      'SET a 1',
      'GETEX a EXAT 1',
      'SET a 1 PX 1',
      'WAIT-MS 5',
      'GET a',
    )
    await observers.close()
  })
})
