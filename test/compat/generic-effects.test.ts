/**
 * Replies, effects and keyspace events of the generic commands, and of those of the server group that change the data,
 * against real redis-server. Keys expire when a command meets them: the active cycle is off in both.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectSameEffects, type Observers, startObservers } from '../support/propagation.ts'
import { hasRedisServer } from '../support/redis-process.ts'
import { decodeReply } from '../support/resp-client.ts'

const BINARY = new Uint8Array([0, 255, 13, 10, 128])
const INT64_MAX = '9223372036854775807'
const INT64_MIN = '-9223372036854775808'
const MISTAKEN_INTEGERS = ['x', '', ' 1', '1.0', '+1', '01', '9223372036854775808', '-9223372036854775809', '1e3']

describe.skipIf(!hasRedisServer())('generic commands', () => {
  let observers: Observers
  const same = (...commands: Parameters<typeof expectSameEffects> extends [Observers, ...infer Rest] ? Rest : never) =>
    expectSameEffects(observers, ...commands)

  beforeAll(async () => {
    observers = await startObservers()
  })
  afterAll(() => observers?.close())

  test('DEL, UNLINK, EXISTS, TOUCH, TYPE', async () => {
    await same(
      'MSET a 1 b 2 c 3 d 4',
      'EXISTS a b a nokey',
      'TOUCH a nokey b a',
      'TYPE a',
      'TYPE nokey',
      'DEL a',
      'DEL a',
      'DEL b nokey c b',
      'UNLINK d d',
      'unlink nokey',
      ['SET', BINARY, 'v'],
      ['EXISTS', BINARY],
      ['DEL', BINARY],
      'SET e 1 PX 1',
      'SET f 1 PX 1',
      'SET g 1 PX 1',
      'SET h 1 PX 1',
      'SET i 1 PX 1',
      'WAIT-MS 5',
      'DEL e nokey',
      'UNLINK f',
      'EXISTS g',
      'TOUCH h',
      'TYPE i',
      'DEL',
      'UNLINK',
      'EXISTS',
      'TOUCH',
      'TYPE',
      'TYPE a b',
    )
  })

  test('EXPIRE and its relatives', async () => {
    await same(
      'SET a 1',
      'EXPIRE a 100',
      'PEXPIRE a 100000',
      'EXPIREAT a 33177117420',
      'PEXPIREAT a 33177117420123',
      'pexpireat a 33177117420123',
      'PEXPIRETIME a',
      'EXPIRETIME a',
      'EXPIRE nokey 100',
      'PEXPIREAT nokey 1',
      'PERSIST a',
      'PERSIST a',
      'PERSIST nokey',
      'TTL a',
      'PTTL a',
      'EXPIRETIME a',
      'PEXPIRETIME a',
      'TTL nokey',
      'PTTL nokey',
      'EXPIRETIME nokey',
      'PEXPIRETIME nokey',
      'EXPIRE a 100',
      'SET a 2 KEEPTTL',
      'TTL a',
      'SET a 3',
      'TTL a',
    )
  })

  test('moments that are past delete', async () => {
    for (const command of [
      'EXPIRE a 0',
      'EXPIRE a -1',
      'PEXPIRE a -100',
      'EXPIREAT a 1',
      'PEXPIREAT a 0',
      'PEXPIREAT a -5',
    ]) {
      await same('SET a 1', `${command} XX`, command, 'GET a')
      await same('SET a 1 EX 100', `${command} GT`, `${command} NX`, `${command} LT`, 'GET a')
    }
    await same('SET a 1', `EXPIRE a -9223372036854775`, 'SET a 1', `PEXPIRE a ${INT64_MIN}`, `PEXPIREAT a ${INT64_MIN}`)
  })

  test('options of EXPIRE', async () => {
    await same(
      'SET a 1',
      'EXPIRE a 100 XX',
      'EXPIRE a 100 GT',
      'TTL a',
      'EXPIRE a 100 LT',
      'EXPIRE a 100 NX',
      'EXPIRE a 50 NX',
      'EXPIRE a 50 GT',
      'EXPIRE a 200 LT',
      'EXPIRE a 200 gt',
      'EXPIRE a 300 XX GT',
      'EXPIRE a 200 XX GT',
      'EXPIRE a 100 LT XX',
      'EXPIRE a 500 LT XX LT',
      'PEXPIREAT a 33177117420000',
      'PEXPIREAT a 33177117420000 GT',
      'PEXPIREAT a 33177117420000 LT',
      'PEXPIREAT a 33177117420001 GT XX',
      'PEXPIREAT a 33177117420000 LT',
      'EXPIREAT a 33177117430 NX',
      'PERSIST a',
      'EXPIREAT a 33177117430 NX',
      'EXPIRE nokey 10 NX',
    )
  })

  test('mistakes of EXPIRE, and which is found first', async () => {
    await same('SET a 1')
    for (const command of ['EXPIRE', 'PEXPIRE', 'EXPIREAT', 'PEXPIREAT']) {
      for (const time of [...MISTAKEN_INTEGERS, '9223372036854776', '-9223372036854776', INT64_MAX, INT64_MIN]) {
        await same(['SET', 'a', '1'], [command, 'a', time], [command, 'nokey', time], ['TTL', 'a'])
      }
      await same(
        'SET a 1',
        `${command} a`,
        `${command} a 100 FOO`,
        `${command} a x FOO`,
        `${command} a 100 NX FOO`,
        `${command} a 100 NX XX`,
        `${command} a 100 NX GT`,
        `${command} a 100 LT NX`,
        `${command} a 100 GT LT`,
        `${command} a 100 XX GT LT`,
        `${command} a x NX XX`,
        `${command} nokey 100 NX XX`,
        [command, 'a', '100', 'N\0X'],
        [command, 'a', '100', 'NX\0'],
        [command, 'a', '100', 'a\r\nb'],
        [command, 'a', '100', BINARY],
        [command, 'a', '100', ''],
        [command, 'a', '100', 'x'.repeat(300)],
      )
    }
  })

  test('expire times to the end of 64 bits', async () => {
    await same(
      'SET a 1',
      'PEXPIREAT a 9223372036854775801',
      'PEXPIRETIME a',
      'EXPIRETIME a',
      'COPY a b',
      'PEXPIRETIME b',
      'RENAME b c',
      'PEXPIRETIME c',
      'APPEND c x',
      'PEXPIRETIME c',
      'MOVE c 3',
      'SELECT 3',
      'PEXPIRETIME c',
      'SELECT 0',
      'PEXPIREAT a 9223372036854775800 GT',
      'PEXPIREAT a 9223372036854775802 GT',
      'PEXPIREAT a 9223372036854775801 LT',
      'PEXPIRETIME a',
      'EXPIREAT a 9223372036854775',
      'PEXPIRETIME a',
      'EXPIRETIME a',
      'EXPIREAT a 9223372036854776',
      'PEXPIREAT a 9007199254740993',
      'PEXPIRETIME a',
      'EXPIRETIME a',
      'TTL nokey',
    )
  })

  test('seconds are rounded to the nearest', async () => {
    for (const ms of ['33177117420499', '33177117420500', '33177117420999', '33177117421000']) {
      await same('SET a 1', `PEXPIREAT a ${ms}`, 'EXPIRETIME a', 'PEXPIRETIME a')
    }
  })

  test('overdue keys are gone for whoever asks', async () => {
    for (const command of [
      'TTL k',
      'PTTL k',
      'EXPIRETIME k',
      'PERSIST k',
      'EXPIRE k 10',
      'RENAME k j',
      'COPY k j',
      'MOVE k 1',
    ]) {
      await same('SET k v PX 1', 'WAIT-MS 5', command, command)
    }
    for (const command of ['RENAME a k', 'RENAMENX a k', 'COPY a k', 'COPY a k REPLACE']) {
      await same('SET a 1', 'SET k v PX 1', 'WAIT-MS 5', command, 'GET k', 'DEL k')
    }
    await same('SELECT 1', 'SET a v PX 1', 'SELECT 0', 'WAIT-MS 5', 'SET a 1', 'MOVE a 1')
    for (const command of [
      'OBJECT ENCODING k',
      'RANDOMKEY',
      'KEYS *',
      'SCAN 0',
      'SCAN 0 TYPE string',
      'SCAN 0 MATCH x',
      'DBSIZE',
    ]) {
      await same('FLUSHALL', 'SET k v PX 1', 'WAIT-MS 5', command, command, 'FLUSHALL')
    }
    await same('SET k v PX 1', 'SET l v PX 1', 'WAIT-MS 5', 'RENAME k l', 'EXISTS k l')
  })

  test('RENAME, RENAMENX', async () => {
    await same(
      'MSET a 1 b 2',
      'RENAME a b',
      'GET b',
      'RENAME a b',
      'RENAME nokey nokey',
      'RENAME b b',
      'RENAMENX b b',
      'RENAMENX nokey b',
      'SET c 3 EX 100',
      'RENAMENX b c',
      'RENAMENX b d',
      'RENAME c e',
      'TTL e',
      'RENAME d e',
      'TTL e',
      ['RENAME', 'e', BINARY],
      ['RENAME', BINARY, ''],
      'RENAME "" f',
      'RENAME a',
      'RENAMENX a b c',
    )
  })

  test('MOVE', async () => {
    await same(
      'SET a 1 EX 100',
      'MOVE a 1',
      'EXISTS a',
      'MOVE a 1',
      'SET a 2',
      'MOVE a 1',
      'MOVE a 0',
      'MOVE nokey 0',
      'MOVE a 16',
      'MOVE a -1',
      'MOVE a x',
      'MOVE a 2147483647',
      'MOVE a 2147483648',
      'MOVE a -2147483649',
      `MOVE a ${INT64_MAX}`,
      'MOVE a 9223372036854775808',
      'SELECT 1',
      'TTL a',
      'MOVE a 2',
      'SELECT 2',
      'GET a',
      'SELECT 0',
      'MOVE a',
    )
  })

  test('COPY', async () => {
    await same(
      'SET a 1 EX 100',
      'SET t text',
      'COPY a b',
      'TTL b',
      'COPY a b',
      'COPY t b REPLACE',
      'TTL b',
      'GET b',
      'COPY a a',
      'COPY a a REPLACE',
      'COPY nokey nokey',
      'COPY nokey b',
      'COPY nokey b REPLACE',
      'EXISTS b',
      'COPY a a DB 1',
      'COPY a a DB 1',
      'COPY t a DB 1 REPLACE',
      'COPY a a DB 0',
      'COPY a c db 1 replace DB 2',
      'COPY a c DB',
      'COPY a c DB x',
      'COPY a c DB 16',
      'COPY a c DB 99999999999',
      'COPY a c FOO',
      'COPY a c DB 16 FOO',
      'COPY a c FOO DB 16',
      'COPY a c REPLACE REPLACE',
      'COPY a',
    )
  })

  test('SCAN and KEYS', async () => {
    await same(
      'FLUSHALL',
      'SCAN 0',
      'KEYS *',
      'SET key:1 v',
      'SCAN 0',
      'KEYS *',
      'KEYS key:?',
      'KEYS KEY*',
      'KEYS [',
      'KEYS',
      'SCAN 0 MATCH key:*',
      'SCAN 0 MATCH *',
      'SCAN 0 MATCH nothing*',
      'SCAN 0 COUNT 1000 MATCH k* TYPE string',
      'SCAN 0 TYPE STRING',
      'SCAN 0 TYPE list',
      'SCAN 0 TYPE none',
      'SCAN 0 TYPE ""',
      'SCAN 0 TYPE nonsense',
      ['SCAN', '0', 'TYPE', 'string\0x'],
      'SCAN 0 match a match key* count 1 count 5',
      'SCAN 0 COUNT 0',
      'SCAN 0 COUNT -5',
      'SCAN 0 COUNT x',
      `SCAN 0 COUNT ${INT64_MAX}`,
      'SCAN 0 COUNT 9223372036854775808',
      'SCAN 0 COUNT',
      'SCAN 0 MATCH',
      'SCAN 0 TYPE',
      'SCAN 0 FOO 1',
      'SCAN 0 COUNT 0 FOO',
      'SCAN x FOO',
      'SCAN ""',
      'SCAN " 0"',
      'SCAN "0 "',
      'SCAN "0x"',
      'SCAN +0',
      'SCAN -0',
      'SCAN 00',
      'SCAN 1.5',
      ['SCAN', '0\0x'],
      ['SCAN', '\0'],
      'SCAN 18446744073709551616',
      'SCAN',
    )
  })

  test('cursors beyond the table are taken', async () => {
    for (const cursor of ['18446744073709551615', '-1', '4294967296', '99', '-18446744073709551615']) {
      // What such a cursor leads to depends on the table; that both go on does not.
      const theirs = decodeReply((await observers.theirs.run(['SCAN', cursor])).reply)
      const ours = decodeReply((await observers.ours.run(['SCAN', cursor])).reply)
      expect([cursor, Array.isArray(ours)]).toEqual([cursor, Array.isArray(theirs)])
    }
  })

  test('RANDOMKEY, DBSIZE, FLUSHDB, FLUSHALL, SWAPDB', async () => {
    await same(
      'FLUSHALL',
      'RANDOMKEY',
      'DBSIZE',
      'SET only v',
      'RANDOMKEY',
      'DBSIZE',
      'FLUSHDB',
      'FLUSHDB',
      'SET a 1',
      'FLUSHDB ASYNC',
      'SET a 1',
      'flushdb sync',
      'FLUSHDB FOO',
      'FLUSHDB ASYNC SYNC',
      'SET a 1',
      'SELECT 5',
      'SET b 1',
      'FLUSHALL',
      'DBSIZE',
      'FLUSHALL ASYNC',
      'FLUSHALL SYNC',
      'FLUSHALL FOO',
      'FLUSHALL SYNC ASYNC',
      'SET five 1',
      'SWAPDB 5 0',
      'DBSIZE',
      'SELECT 0',
      'GET five',
      'SWAPDB 0 0',
      'SWAPDB 0 16',
      'SWAPDB 16 0',
      'SWAPDB -1 0',
      'SWAPDB x 0',
      'SWAPDB 0 x',
      'SWAPDB x y',
      'SWAPDB 2147483648 0',
      'SWAPDB 0 2147483648',
      'SWAPDB 0',
      'DBSIZE x',
      'TIME x',
    )
  })

  test('OBJECT', async () => {
    await same(
      'SET int 42',
      'SET large 10000',
      'SET max 9223372036854775807',
      'SET minus -5',
      `SET embstr ${'x'.repeat(44)}`,
      `SET raw ${'x'.repeat(45)}`,
      'SET append a',
      'APPEND append b',
    )
    for (const key of ['int', 'large', 'max', 'minus', 'embstr', 'raw', 'append', 'nokey']) {
      await same(`OBJECT ENCODING ${key}`, `OBJECT REFCOUNT ${key}`, `OBJECT FREQ ${key}`, `object encoding ${key}`)
    }
    await same(
      'OBJECT IDLETIME nokey',
      'INCR int',
      'OBJECT REFCOUNT int',
      'INCRBY int 20000',
      'OBJECT REFCOUNT int',
      'COPY minus copied',
      'OBJECT REFCOUNT copied',
      'OBJECT',
      'OBJECT FOO',
      'OBJECT FOO a',
      'OBJECT ENCODING',
      'OBJECT ENCODING a b',
      'OBJECT HELP',
      'OBJECT HELP a',
      'CONFIG SET maxmemory-policy allkeys-lru',
      'OBJECT REFCOUNT minus',
      'SET shared 5',
      'OBJECT REFCOUNT shared',
      'CONFIG SET maxmemory-policy allkeys-lfu',
      'OBJECT IDLETIME int',
      'OBJECT IDLETIME nokey',
      'SET fresh text',
      'OBJECT FREQ fresh',
      'OBJECT FREQ nokey',
      'CONFIG SET maxmemory-policy noeviction',
    )
  })

  test('SORT without anything to sort', async () => {
    await same('SET string v', 'SET dest v')
    for (const name of ['SORT', 'SORT_RO']) {
      await same(
        `${name} nokey`,
        `${name} string`,
        `${name} nokey ASC DESC ALPHA`,
        `${name} nokey BY w_* GET # GET o_*->f LIMIT 0 10`,
        `${name} nokey by nosort`,
        `${name} string BY nosort`,
        `${name} nokey LIMIT 0`,
        `${name} nokey LIMIT x 1`,
        `${name} nokey LIMIT 0 x`,
        `${name} string LIMIT x 1`,
        `${name} nokey LIMIT -5 -10`,
        `${name} nokey BY`,
        `${name} nokey GET`,
        `${name} nokey FOO`,
        `${name} nokey LIMIT x 1 FOO`,
        `${name} nokey FOO LIMIT x 1`,
        `${name} nokey STORE`,
        `${name}`,
      )
    }
    await same(
      'SORT_RO nokey STORE dest',
      'SORT string STORE dest',
      'EXISTS dest',
      'SORT nokey STORE dest',
      'EXISTS dest',
      'SORT nokey STORE dest',
      'SET dest v PX 1',
      'WAIT-MS 5',
      'SORT nokey STORE dest',
      'SET d2 v',
      'SORT nokey STORE d1 STORE d2',
    )
  })

  test('WAIT', async () => {
    await same(
      'WAIT 0 0',
      'WAIT -5 0',
      'WAIT 0 100',
      'WAIT x 0',
      'WAIT 0 x',
      'WAIT 0 -1',
      'WAIT x -1',
      'WAIT 1 -1',
      'WAIT 1 9223372036854775808',
      'WAIT 1',
      'MULTI',
      'WAIT 1 0',
      'EXEC',
    )
  })

  test('several effects of one command', async () => {
    await same(
      'SET a v PX 1',
      'SET b v PX 1',
      'SET c v',
      'WAIT-MS 5',
      'DEL a b c',
      'SET a v PX 1',
      'SET b v',
      'WAIT-MS 5',
      'RENAME b a',
      'SET a v PX 1',
      'WAIT-MS 5',
      'MULTI',
      'EXPIRE a 100',
      'SET b 1',
      'EXPIRE b 100',
      'PERSIST b',
      'DEL nokey b',
      'EXEC',
    )
  })

  test('lazyfree-lazy-expire and lazyfree-lazy-user-del change what is propagated', async () => {
    await same(
      'CONFIG SET lazyfree-lazy-expire yes lazyfree-lazy-user-del yes',
      'SET a 1',
      'EXPIRE a -1',
      'SET a 1',
      'DEL a',
      'SET a 1 PX 1',
      'WAIT-MS 5',
      'GET a',
      'CONFIG SET lazyfree-lazy-expire no lazyfree-lazy-user-del no',
    )
  })
})

describe.skipIf(!hasRedisServer())('generic commands over RESP3', () => {
  test('nulls and arrays', async () => {
    const observers = await startObservers({ protocol: 3 })
    try {
      await expectSameEffects(
        observers,
        'RANDOMKEY',
        'OBJECT ENCODING nokey',
        'SORT nokey GET #',
        'KEYS *',
        'SCAN 0',
        'OBJECT HELP',
        'TTL nokey',
      )
    } finally {
      await observers.close()
    }
  })
})
