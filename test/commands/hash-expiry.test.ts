/**
 * Fields of hashes that expire, as Redis 7.4 and 8.0 document them: replies, errors and their precedence, effects, events,
 * and what other hash commands make of fields whose time has come. The clock is moved, nothing sleeps.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { connectionCommands } from '../../src/commands/connection/index.ts'
import { genericCommands } from '../../src/commands/generic/index.ts'
import { hashCommands } from '../../src/commands/hash/index.ts'
import { pubsubCommands } from '../../src/commands/pubsub/index.ts'
import { serverCommands } from '../../src/commands/server/index.ts'
import { stringCommands } from '../../src/commands/string/index.ts'
import { transactionCommands } from '../../src/commands/transactions/index.ts'
import { parseNotifyFlags } from '../../src/engine/notifications.ts'
import { EXPIRE_HIDE, EXPIRE_IGNORE } from '../../src/keyspace/entry.ts'
import { FieldExpireCycle } from '../../src/keyspace/field-expire-cycle.ts'
import { createTestEngine, TestClient, type TestEngine } from '../support/engine.ts'
import { decodeReply } from '../support/resp-client.ts'

const COMMANDS = [
  ...connectionCommands(),
  ...hashCommands,
  ...genericCommands,
  ...stringCommands,
  ...transactionCommands,
  ...pubsubCommands,
  ...serverCommands,
]

// Both forms of a hash with expiry, named as OBJECT ENCODING names them.
describe.each(['listpackex', 'hashtable'])('fields that expire, %s', (encoding) => {
  let engine: TestEngine
  let client: TestClient
  /** A reply as JavaScript values; errors as their text. */
  const send = (line: string) => {
    const raw = client.send(...line.split(' '))
    return raw.startsWith('-') ? raw.slice(1, -2) : decodeReply(Buffer.from(raw, 'latin1'))
  }
  const now = () => engine.clock.nowMs
  const effects = () => engine.effects.splice(0)

  beforeEach(() => {
    engine = createTestEngine(COMMANDS)
    engine.engine.keyspace.limits.hashMaxListpackEntries = encoding === 'hashtable' ? 0 : 512
    client = engine.client
  })

  test('HEXPIRE and others set a time, HTTL and others tell it', () => {
    send('HSET h a 1 b 2 c 3 d 4 e 5')
    expect(send('HEXPIRE h 100 FIELDS 1 a')).toEqual([1])
    expect(send('HPEXPIRE h 100500 FIELDS 2 b none')).toEqual([1, -2])
    expect(send(`HEXPIREAT h ${Math.floor(now() / 1000) + 60} FIELDS 1 c`)).toEqual([1])
    expect(send(`HPEXPIREAT h ${now() + 1} FIELDS 1 d`)).toEqual([1])
    expect(send('OBJECT ENCODING h')).toBe(encoding)
    expect(send('HTTL h FIELDS 6 a b c d e none')).toEqual([100, 101, expect.any(Number), 1, -1, -2])
    expect(send('HPTTL h FIELDS 6 a b c d e none')).toEqual([100_000, 100_500, expect.any(Number), 1, -1, -2])
    expect(send('HPEXPIRETIME h FIELDS 2 a d')).toEqual([now() + 100_000, now() + 1])
    expect(send('HEXPIRETIME h FIELDS 2 a e')).toEqual([Math.ceil((now() + 100_000) / 1000), -1])
    expect(send('HTTL none FIELDS 2 a b')).toEqual([-2, -2])
    expect(send('HEXPIRE none 10 FIELDS 1 a')).toEqual([-2])
    expect(send('HGETALL h')).toHaveLength(10)
  })

  test('a field is there up to its time, and not after it', () => {
    send('HSET h a 1 b 2')
    send('HPEXPIRE h 10 FIELDS 1 a')
    engine.clock.advance(10)
    expect(send('HGET h a')).toBe('1')
    engine.clock.advance(1)
    effects()
    expect(send('HGET h a')).toBeNull()
    expect(effects()).toEqual(['0:HDEL h a'])
    expect(send('HLEN h')).toBe(1)
    expect(send('HGET h a')).toBeNull()
    expect(effects()).toEqual([])
  })

  test('conditions', () => {
    send('HSET h a 1 b 2')
    expect(send('HEXPIRE h 100 XX FIELDS 1 a')).toEqual([0])
    expect(send('HEXPIRE h 100 GT FIELDS 1 a')).toEqual([0])
    expect(send('HEXPIRE h 100 LT FIELDS 1 b')).toEqual([1])
    expect(send('HEXPIRE h 100 nx FIELDS 2 a b')).toEqual([1, 0])
    expect(send('HEXPIRE h 100 GT FIELDS 1 a')).toEqual([0])
    expect(send('HEXPIRE h 101 GT FIELDS 1 a')).toEqual([1])
    expect(send('HEXPIRE h 101 LT FIELDS 1 a')).toEqual([0])
    expect(send('HEXPIRE h 99 LT FIELDS 1 a')).toEqual([1])
    expect(send('HEXPIRE h 50 XX FIELDS 2 a b')).toEqual([1, 1])
    expect(send('HTTL h FIELDS 2 a b')).toEqual([50, 50])
  })

  test('a time that is past removes the field, and with the last one the key', () => {
    send('HSET h a 1 b 2 c 3')
    effects()
    expect(send('HEXPIRE h 0 FIELDS 2 a none')).toEqual([2, -2])
    expect(effects()).toEqual(['0:HDEL h a'])
    expect(send('HPEXPIREAT h 1 FIELDS 2 b c')).toEqual([2, 2])
    expect(effects()).toEqual(['0:MULTI', '0:HDEL h b', '0:HDEL h c', '0:EXEC'])
    expect(send('EXISTS h')).toBe(0)
  })

  test('the same field twice in one request', () => {
    send('HSET h a 1 b 2')
    expect(send('HEXPIRE h 10 FIELDS 2 a a')).toEqual([1, 1])
    expect(send('HEXPIRE h 0 FIELDS 2 a a')).toEqual([2, -2])
    expect(send('HPERSIST h FIELDS 2 b b')).toEqual([-1, -1])
    expect(send('HGETDEL h FIELDS 2 b b')).toEqual(['2', null])
    expect(send('EXISTS h')).toBe(0)
  })

  test('HPERSIST', () => {
    send('HSET h a 1 b 2 c 3')
    send('HPEXPIRE h 10 FIELDS 2 a c')
    effects()
    expect(send('HPERSIST h FIELDS 3 a b none')).toEqual([1, -1, -2])
    expect(effects()).toEqual(['0:HPERSIST h FIELDS 3 a b none'])
    engine.clock.advance(11)
    expect(send('HPERSIST h FIELDS 1 c')).toEqual([-2])
    expect(effects()).toEqual([])
    expect(send('HGET h a')).toBe('1')
    expect(send('HPERSIST none FIELDS 2 a b')).toEqual([-2, -2])
  })

  test('setting a field takes its time away, counting with it does not', () => {
    send('HSET h a 1 b 2 c 3 d 4')
    send('HEXPIRE h 100 FIELDS 4 a b c d')
    send('HSET h a 9')
    send('HINCRBY h b 1')
    effects()
    send('HINCRBYFLOAT h c 0.5')
    expect(effects()).toEqual(['0:HSETEX h KEEPTTL FIELDS 1 c 3.5'])
    send('HINCRBYFLOAT h a 0.5')
    expect(effects()).toEqual(['0:HSET h a 9.5'])
    expect(send('HTTL h FIELDS 4 a b c d')).toEqual([-1, 100, 100, 100])
    expect(send('HMGET h a b c')).toEqual(['9.5', '3', '3.5'])
    expect(send('HSETNX h d 1')).toBe(0)
  })

  test('other commands do not see fields whose time has come', () => {
    const expired = () => {
      send('DEL h')
      send('HSET h a 1 b 22 c 3')
      send('HPEXPIRE h 10 FIELDS 2 a b')
      engine.clock.advance(11)
      effects()
    }
    expired()
    expect(send('HGETALL h')).toEqual(['c', '3'])
    expect(send('HKEYS h')).toEqual(['c'])
    expect(send('HVALS h')).toEqual(['3'])
    expect(send('HSCAN h 0')).toEqual(['0', ['c', '3']])
    expect(send('HLEN h')).toBe(3)
    expect(effects()).toEqual([])
    expect(send('HEXISTS h a')).toBe(0)
    expect(send('HSTRLEN h b')).toBe(0)
    expect(effects()).toEqual(['0:HDEL h a', '0:HDEL h b'])
    expired()
    expect(send('HMGET h a b c')).toEqual([null, null, '3'])
    expect(effects()).toEqual(['0:MULTI', '0:HDEL h a', '0:HDEL h b', '0:EXEC'])
    expired()
    expect(send('HINCRBY h a 5')).toBe(5)
    expect(effects()).toEqual(['0:MULTI', '0:HDEL h a', '0:HINCRBY h a 5', '0:EXEC'])
    expect(send('HTTL h FIELDS 2 a b')).toEqual([-1, -2])
    expired()
    expect(send('HSETNX h a 7')).toBe(1)
    expect(send('HGET h a')).toBe('7')
    expired()
    expect(send('HRANDFIELD h 10')).toEqual(['c'])
    expect(send('HLEN h')).toBe(1)
    expired()
    expect(send('HRANDFIELD h')).toBe('c')
    expired()
    expect(send('HDEL h a')).toBe(1)
  })

  test('the key goes with its last field', () => {
    for (const line of [
      'HGET h a',
      'HMGET h a b a',
      'HEXISTS h a',
      'HRANDFIELD h',
      'HRANDFIELD h -5',
      'HGETDEL h FIELDS 1 a',
    ]) {
      send('HSET h a 1')
      send('HPEXPIRE h 10 FIELDS 1 a')
      engine.clock.advance(11)
      expect(send('EXISTS h')).toBe(1)
      send(line)
      expect(send('EXISTS h'), line).toBe(0)
    }
    for (const line of ['HINCRBY h a 1', 'HINCRBYFLOAT h a 1', 'HSETNX h a 1', 'HSETEX h FNX FIELDS 1 a 1']) {
      send('DEL h')
      send('HSET h a 5')
      send('HPEXPIRE h 10 FIELDS 1 a')
      engine.clock.advance(11)
      send(line)
      expect(send('HGETALL h'), line).toEqual(['a', '1'])
    }
  })

  test('overdue fields that nobody asks for are removed', () => {
    const cycle = new FieldExpireCycle(engine.engine.keyspace)
    for (let i = 0; i < 300; i++) {
      send(`HSET h${i} a 1 b 2 c 3`)
      send(`HPEXPIRE h${i} ${10 + (i % 3) * 10} FIELDS 2 a b`)
      if (i % 2 === 0) send(`HDEL h${i} c`)
    }
    send('SELECT 3')
    send('HSET other a 1')
    send('HPEXPIRE other 10 FIELDS 1 a')
    send('SELECT 0')
    const { databases } = engine.engine.keyspace
    expect(databases[0]!.fieldExpiry.size).toBe(300)
    effects()
    expect(cycle.turn(1000)).toBe(false)
    expect(effects()).toEqual([])
    engine.clock.advance(11)
    while (cycle.turn(1000));
    expect(effects().sort()).toEqual(
      [
        '3:HDEL other a',
        ...Array.from({ length: 100 }, (_, i) => [`0:HDEL h${i * 3} a`, `0:HDEL h${i * 3} b`]).flat(),
      ].sort(),
    )
    expect(databases[3]!.size).toBe(0)
    expect(databases[0]!.fieldExpiry.size).toBe(200)
    expect(send('DBSIZE')).toBe(250)
    engine.clock.advance(100)
    while (cycle.turn(1000));
    expect(databases[0]!.fieldExpiry.size).toBe(0)
    expect(databases[0]!.fieldExpiry.isEmpty).toBe(true)
    expect(send('DBSIZE')).toBe(150)
    expect(send('HGETALL h1')).toEqual(['c', '3'])
    expect(engine.engine.keyspace.expiredFields).toBe(601)
  })

  test('many overdue fields in one hash go in turns', () => {
    const cycle = new FieldExpireCycle(engine.engine.keyspace)
    for (let i = 0; i < 20; i++) {
      const fields = Array.from({ length: 100 }, (_, j) => `f${i * 100 + j}`)
      send(`HSET h ${fields.map((field) => `${field} v`).join(' ')}`)
      send(`HPEXPIRE h ${i < 10 ? 10 : 1000} FIELDS 100 ${fields.join(' ')}`)
    }
    expect(send('OBJECT ENCODING h')).toBe('hashtable')
    engine.clock.advance(11)
    while (cycle.turn(1000));
    expect(send('HLEN h')).toBe(1000)
    engine.clock.advance(1000)
    while (cycle.turn(1000));
    expect(send('EXISTS h')).toBe(0)
  })

  test('the list of such hashes follows the keys', () => {
    const { databases } = engine.engine.keyspace
    const cycle = new FieldExpireCycle(engine.engine.keyspace)
    const sizes = () => [databases[0]!.fieldExpiry.size, databases[1]!.fieldExpiry.size]
    send('HSET h a 1 b 2')
    send('HPEXPIRE h 10 FIELDS 1 a')
    expect(sizes()).toEqual([1, 0])
    send('HPERSIST h FIELDS 1 a')
    expect(sizes()).toEqual([0, 0])
    send('HPEXPIRE h 10 FIELDS 1 a')
    send('EXPIRE h 1000')
    send('RENAME h k')
    send('COPY k copy')
    expect(sizes()).toEqual([2, 0])
    send('PERSIST k')
    send('MOVE k 1')
    expect(sizes()).toEqual([1, 1])
    send('SWAPDB 0 1')
    engine.clock.advance(11)
    while (cycle.turn(1000));
    expect(sizes()).toEqual([0, 0])
    expect(send('HGETALL k')).toEqual(['b', '2'])
    send('HPEXPIRE k 10 FIELDS 1 b')
    send('SET k string')
    expect(sizes()).toEqual([0, 0])
    send('HSET h a 1')
    send('HPEXPIRE h 10 FIELDS 1 a')
    send('HSET h a 1')
    expect(sizes()).toEqual([0, 0])
    send('HPEXPIRE h 10 FIELDS 1 a')
    send('DEL h')
    send('HSET h a 1')
    send('HPEXPIRE h 10 FIELDS 1 a')
    expect(sizes()).toEqual([1, 0])
    send('FLUSHALL')
    expect(sizes()).toEqual([0, 0])
    engine.clock.advance(100)
    while (cycle.turn(1000));
  })

  test('propagation', () => {
    send('HSET h a 1 b 2 c 3')
    effects()
    send('HEXPIRE h 100 FIELDS 3 a none b')
    expect(effects()).toEqual([`0:HPEXPIREAT h ${now() + 100_000} FIELDS 2 a b`])
    send('HEXPIRE h 100 NX FIELDS 2 a c')
    expect(effects()).toEqual([`0:HPEXPIREAT h ${now() + 100_000} NX FIELDS 1 c`])
    send('HEXPIRE h 100 NX FIELDS 1 a')
    send('HEXPIRE h 100 FIELDS 1 none')
    send('HTTL h FIELDS 1 a')
    expect(effects()).toEqual([])
    send(`HPEXPIREAT h ${now() + 5} FIELDS 1 a`)
    expect(effects()).toEqual([`0:HPEXPIREAT h ${now() + 5} FIELDS 1 a`])
    send('HGETEX h PERSIST FIELDS 2 a none')
    expect(effects()).toEqual(['0:HPERSIST h FIELDS 2 a none'])
    send('HGETEX h EX 7 FIELDS 1 a')
    expect(effects()).toEqual([`0:HPEXPIREAT h ${now() + 7000} FIELDS 1 a`])
    send('HGETEX h FIELDS 1 a')
    expect(effects()).toEqual([])
    send('HGETEX h EXAT 1 FIELDS 1 a')
    expect(effects()).toEqual(['0:HDEL h a'])
    send('HGETDEL h FIELDS 2 b none')
    expect(effects()).toEqual(['0:HDEL h b none'])
    send('HGETDEL h FIELDS 1 none')
    expect(effects()).toEqual([])
    send('HSETEX h EX 5 FIELDS 2 a 1 b 2')
    expect(effects()).toEqual([`0:HSETEX h PXAT ${now() + 5000} FIELDS 2 a 1 b 2`])
    send('HSETEX h PXAT 1 FIELDS 2 a 1 b 2')
    expect(effects()).toEqual(['0:MULTI', '0:HDEL h a', '0:HDEL h b', '0:EXEC'])
    send('HSETEX h FXX FIELDS 1 none 1')
    expect(effects()).toEqual([])
  })

  test('HGETDEL and HGETEX', () => {
    send('HSET h a 1 b 2 c 3')
    expect(send('HGETEX h EX 10 FIELDS 3 a none b')).toEqual(['1', null, '2'])
    expect(send('HTTL h FIELDS 3 a b c')).toEqual([10, 10, -1])
    expect(send('HGETEX h PERSIST FIELDS 2 a c')).toEqual(['1', '3'])
    expect(send('HTTL h FIELDS 2 a b')).toEqual([-1, 10])
    expect(send('HGETEX h PX 0 FIELDS 1 a')).toEqual(['1'])
    expect(send('HGETDEL h FIELDS 3 a b none')).toEqual([null, '2', null])
    expect(send('HGETDEL h FIELDS 1 c')).toEqual(['3'])
    expect(send('EXISTS h')).toBe(0)
    expect(send('HGETDEL h FIELDS 2 a b')).toEqual([null, null])
    expect(send('HGETEX h EX 10 FIELDS 2 a b')).toEqual([null, null])
    expect(send('EXISTS h')).toBe(0)
  })

  test('HSETEX', () => {
    expect(send('HSETEX h FXX FIELDS 1 a 1')).toBe(0)
    expect(send('EXISTS h')).toBe(0)
    expect(send('HSETEX h FNX FIELDS 2 a 1 b 2')).toBe(1)
    expect(send('HSETEX h FNX FIELDS 2 c 1 b 2')).toBe(0)
    expect(send('HSETEX h FXX FIELDS 2 a 1 c 2')).toBe(0)
    expect(send('HLEN h')).toBe(2)
    expect(send('HSETEX h FXX EX 10 FIELDS 2 a 5 b 6')).toBe(1)
    expect(send('HTTL h FIELDS 2 a b')).toEqual([10, 10])
    expect(send('HSETEX h KEEPTTL FIELDS 2 a 7 c 8')).toBe(1)
    expect(send('HSETEX h FIELDS 1 b 9')).toBe(1)
    expect(send('HTTL h FIELDS 3 a b c')).toEqual([10, -1, -1])
    expect(send('HSETEX h PX 20000 FNX FIELDS 1 d 1')).toBe(1)
    expect(send('HTTL h FIELDS 1 d')).toEqual([20])
    expect(send('HSETEX h EXAT 1 FIELDS 4 a 1 b 2 c 3 d 4')).toBe(1)
    expect(send('EXISTS h')).toBe(0)
    expect(send('HSETEX h EX 0 FIELDS 1 a 1')).toBe(1)
    expect(send('EXISTS h')).toBe(0)
  })

  test('mistakes, and which is found first', () => {
    send('SET string x')
    send('HSET h a 1')
    const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'
    const NO_WORD = 'ERR Mandatory argument FIELDS is missing or not at the right position'
    const MATCH = 'ERR The `numfields` parameter must match the number of arguments'
    const POSITIVE = 'ERR Number of fields must be a positive integer'
    const ABOVE_ZERO = 'ERR Parameter `numFields` should be greater than 0'
    for (const [line, error] of [
      ['HEXPIRE string x FIELDS 1 a', WRONGTYPE],
      ['HEXPIRE h x FIELD 1 a', 'ERR value is not an integer or out of range'],
      ['HEXPIRE h -1 FIELD 1 a', 'ERR invalid expire time, must be >= 0'],
      ['HEXPIRE h 9223372036854775807 FIELDS 1 a', "ERR invalid expire time in 'hexpire' command"],
      ['HEXPIRE h 70368744178 FIELDS 1 a', "ERR invalid expire time in 'hexpire' command"],
      ['HPEXPIREAT h 70368744177664 FIELDS 1 a', "ERR invalid expire time in 'hpexpireat' command"],
      ['HEXPIRE h 10 FIELD 1 a', NO_WORD],
      ['HEXPIRE h 10 NX XX FIELDS 1 a', NO_WORD],
      ['HEXPIRE h 10 FIELDS 0 a', ABOVE_ZERO],
      ['HEXPIRE h 10 FIELDS x a', ABOVE_ZERO],
      ['HEXPIRE h 10 FIELDS 2 a', MATCH],
      ['HEXPIRE h 10 FIELDS 1 a b', MATCH],
      ['HEXPIRE none 10 FIELDS 2 a', MATCH],
      ['HEXPIRE h 10 FIELDS 1', "ERR wrong number of arguments for 'hexpire' command"],
      ['HTTL string FIELD 1 a', WRONGTYPE],
      ['HTTL h FIELD 1 a', NO_WORD],
      ['HTTL h FIELDS 0 a', POSITIVE],
      ['HPTTL none FIELDS 3 a b', MATCH],
      ['HPERSIST string FIELDS 1 a', WRONGTYPE],
      ['HPERSIST h FIELDS -1 a', POSITIVE],
      ['HGETDEL string FIELDS 1 a', WRONGTYPE],
      ['HGETDEL h FIELDS 0 a', POSITIVE],
      ['HGETDEL h FIELDS 2 a', MATCH],
      ['HGETEX string EX x FIELDS 1 a', WRONGTYPE],
      ['HGETEX h EX x FIELDS 1 a', 'ERR value is not an integer or out of range'],
      ['HGETEX h EX 10 PERSIST FIELDS 1 a', NO_WORD],
      ['HGETEX h KEEPTTL FIELDS 1 a', NO_WORD],
      ['HGETEX h EX 10 FIELDS 0 a', POSITIVE],
      ['HGETEX h FIELDS 3 a b', MATCH],
      ['HGETEX h FIELDS 1 a b EX 1', MATCH],
      ['HSETEX string BAD FIELDS 1 a 1', 'ERR unknown argument: BAD'],
      ['HSETEX h FNX EX 5 FIELDS', "ERR wrong number of arguments for 'hsetex' command"],
      ['HSETEX string FNX FIELDS 1 a 1', WRONGTYPE],
      ['HSETEX h FNX FXX FIELDS 1 a 1', 'ERR Only one of FXX or FNX arguments can be specified'],
      [
        'HSETEX h EX 1 KEEPTTL FIELDS 1 a 1',
        'ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified',
      ],
      ['HSETEX h EX -1 FIELDS 1 a 1', 'ERR invalid expire time, must be >= 0'],
      ['HSETEX h FNX FXX a 1', 'ERR Only one of FXX or FNX arguments can be specified'],
      ['HSETEX h FIELDS 0 a 1', 'ERR invalid number of fields'],
      ['HSETEX h FIELDS 2 a 1', "ERR wrong number of arguments for 'hsetex' command"],
      ['HSETEX h FIELDS 1 a 1 EX 10', "ERR wrong number of arguments for 'hsetex' command"],
      ['HSETEX h FNX KEEPTTL x y', 'ERR unknown argument: x'],
      ['HSETEX h FNX x y EX', 'ERR unknown argument: x'],
    ] as [string, string][]) {
      expect(send(line), line).toBe(error)
    }
    expect(send('HGETALL h')).toEqual(['a', '1'])
  })

  test('events', () => {
    engine.engine.settings.notifyFlags = parseNotifyFlags('Ehg')
    engine.engine.settingsChanged()
    const listener = createListener(engine)
    const events = () =>
      [...listener.sink.take().matchAll(/__keyevent@0__:(\w+)\r\n\$1\r\nh/g)].map(([, event]) => event).join(' ')
    const eventsOf = (line: string) => {
      send(line)
      return events()
    }
    expect(eventsOf('HSET h a 1 b 2 c 3 d 4')).toBe('hset')
    expect(eventsOf('HPEXPIRE h 10 FIELDS 2 a b')).toBe('hexpire')
    expect(eventsOf('HPEXPIRE h 0 FIELDS 1 d')).toBe('hdel')
    expect(eventsOf('HPERSIST h FIELDS 1 b')).toBe('hpersist')
    engine.clock.advance(11)
    expect(eventsOf('HMGET h a b')).toBe('hexpired')
    expect(eventsOf('HGETEX h PX 10 FIELDS 1 b')).toBe('hexpire')
    expect(eventsOf('HGETEX h PERSIST FIELDS 1 b')).toBe('hpersist')
    expect(eventsOf('HGETEX h PX 0 FIELDS 1 b')).toBe('hdel')
    expect(eventsOf('HGETDEL h FIELDS 1 c')).toBe('hdel del')
    expect(eventsOf('HSETEX h PX 10 FIELDS 1 a 1')).toBe('hset hexpire')
    engine.clock.advance(11)
    expect(eventsOf('HGET h a')).toBe('hexpired del')
    expect(eventsOf('HSETEX h PX 0 FIELDS 1 a 1')).toBe('hset hdel del')
    expect(eventsOf('HSETEX h PX 10 FIELDS 1 a 1')).toBe('hset hexpire')
    engine.clock.advance(11)
    const cycle = new FieldExpireCycle(engine.engine.keyspace)
    while (cycle.turn(1000));
    expect(events()).toBe('hexpired del')
  })

  test('WATCH notices fields that expire', () => {
    send('HSET h a 1 b 2')
    send('HPEXPIRE h 10 FIELDS 1 a')
    send('WATCH h')
    engine.clock.advance(11)
    send('HGET h a')
    send('MULTI')
    send('PING')
    expect(send('EXEC')).toBeNull()
  })

  test("where expiry is not this server's to do, overdue fields are hidden, or there", () => {
    send('HSET h a 1 b 2')
    send('HPEXPIRE h 10 FIELDS 1 a')
    engine.clock.advance(11)
    effects()
    const { keyspace } = engine.engine
    keyspace.expireMode = EXPIRE_HIDE
    expect(send('HGET h a')).toBeNull()
    expect(send('HGETALL h')).toEqual(['b', '2'])
    expect(send('HTTL h FIELDS 1 a')).toEqual([-2])
    expect(effects()).toEqual([])
    keyspace.expireMode = EXPIRE_IGNORE
    expect(send('HGET h a')).toBe('1')
    expect(send('HGETALL h')).toHaveLength(4)
    expect(send('HPEXPIREAT h 1 FIELDS 1 b')).toEqual([1])
    expect(send('HLEN h')).toBe(2)
  })

  test('sizes that no listpack takes', () => {
    send('HSET h a 1')
    send('HEXPIRE h 100 FIELDS 1 a')
    expect(send('OBJECT ENCODING h')).toBe(encoding)
    send(`HSET h long ${'x'.repeat(65)}`)
    expect(send('OBJECT ENCODING h')).toBe('hashtable')
    expect(send('HTTL h FIELDS 2 a long')).toEqual([100, -1])
    send(`HSETEX k EX 10 FIELDS 1 long ${'x'.repeat(65)}`)
    expect(send('OBJECT ENCODING k')).toBe('hashtable')
    expect(send('HSTRLEN k long')).toBe(65)
  })
})

function createListener(engine: TestEngine): { sink: TestClient['sink'] } {
  const listener = new TestClient(engine.engine)
  listener.send('PSUBSCRIBE', '__keyevent@0__:*')
  return listener
}
