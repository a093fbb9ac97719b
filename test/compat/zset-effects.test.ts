/**
 * What the commands on sorted sets and places leave behind beside their replies, against real redis-server: its replication
 * stream and its keyspace events; scores and errors at their edges.
 */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { expectSameEffects, type Observers, startObservers } from '../support/propagation.ts'
import { hasRedisServer } from '../support/redis-process.ts'

const LONG = 'x'.repeat(65)

describe.skipIf(!hasRedisServer()).each([2, 3] as const)('sorted set commands, RESP%i', (protocol) => {
  let observers: Observers
  const same = (...commands: Parameters<typeof expectSameEffects> extends [Observers, ...infer Rest] ? Rest : never) =>
    expectSameEffects(observers, ...commands)

  beforeAll(async () => {
    observers = await startObservers({ protocol })
  })
  afterAll(() => observers?.close())

  test('ZADD, its options and mistakes', async () => {
    await same(
      'DEL z s',
      'SET s text',
      'ZADD z 1 a 2 b 1 a',
      'ZADD z 1 a',
      'ZADD z CH 1 a 3 b 4 c',
      'ZADD z NX 9 a 9 d',
      'ZADD z XX 7 a 7 e',
      'ZADD z GT 1 a 8 b',
      'ZADD z LT CH 1 a 8 b',
      'ZADD z GT XX CH 100 a 100 new',
      'ZADD z INCR 5 a',
      'ZADD z NX INCR 5 a',
      'ZADD z XX INCR 5 absent',
      'ZADD z GT INCR -5 a',
      'ZADD absent XX 1 a',
      'ZADD absent XX INCR 1 a',
      'ZADD z NX XX 1 a',
      'ZADD z NX GT 1 a',
      'ZADD z GT LT 1 a',
      'ZADD z INCR 1 a 2 b',
      'ZADD z 1',
      'ZADD z 1 a 2',
      'ZADD z NX',
      'ZADD z nan a',
      'ZADD z 1 a x b',
      'ZADD z inf i',
      'ZADD z INCR -inf i',
      'ZINCRBY z -inf i',
      'ZINCRBY z 1.5 a',
      'ZINCRBY z 1.5 fresh',
      'ZINCRBY z x a',
      'ZADD s 1 a',
      'ZINCRBY s 1 a',
      'ZRANGE z 0 -1 WITHSCORES',
    )
  })

  test('scores as text, in both encodings', async () => {
    const scores = ['0', '-0', '1e20', '1e21', '4611686018427387904', '4611686018427387905', '9007199254740993', '3.14']
    const more = ['0.1', '-1e-7', '1e300', '5e-324', 'inf', '-inf', '+inf', '0x1p4', '1e17', '123456789012345678', '.5']
    for (const word of ['short', LONG]) {
      await same('DEL z', `ZADD z 1 ${word}`)
      for (const score of [...scores, ...more]) {
        await same(
          `ZADD z ${score} m`,
          'ZSCORE z m',
          'ZMSCORE z m none',
          'ZRANGE z 0 -1 WITHSCORES',
          'ZSCAN z 0 MATCH m',
        )
        await same('ZINCRBY z 1 m', 'ZRANK z m', 'OBJECT ENCODING z')
      }
    }
  })

  test('what is removed, and keys that go with it', async () => {
    await same(
      'DEL z',
      'ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h',
      'ZREM z a none a',
      'ZREM none a',
      'ZREMRANGEBYRANK z 0 0',
      'ZREMRANGEBYRANK z 5 1',
      'ZREMRANGEBYSCORE z (3 4',
      'ZREMRANGEBYSCORE z 100 200',
      'ZREMRANGEBYLEX z [e (f',
      'ZREMRANGEBYSCORE z x 1',
      'ZREMRANGEBYLEX z e f',
      'ZREMRANGEBYRANK z 1.5 2',
      'ZPOPMIN z',
      'ZPOPMAX z 1',
      'ZPOPMIN z 0',
      'ZPOPMIN z -1',
      'ZPOPMIN z 1 2',
      'ZPOPMAX none',
      'ZPOPMAX z 100',
      'EXISTS z',
      'ZADD z 1 a 2 b',
      'ZREM z a b c',
      'ZADD z 1 a 2 b',
      'ZREMRANGEBYRANK z 0 -1',
      'ZADD z 1 a 2 b',
      'ZREMRANGEBYSCORE z -inf +inf',
      'ZADD z 1 a 2 b 3 c',
      'ZMPOP 2 none z MIN',
      'ZMPOP 1 z MAX COUNT 5',
      'ZMPOP 1 z MAX COUNT 5',
      'ZMPOP 0 z MIN',
      'ZMPOP 1 z MIN COUNT 0',
      'ZMPOP 1 z MID',
      'ZMPOP 3 z MIN',
      'SET s text',
      'ZMPOP 2 none s MIN',
      'ZPOPMIN s',
    )
  })

  test('what is stored', async () => {
    await same(
      'DEL a b d s',
      'ZADD a 1 x 2 y 3 z',
      'ZADD b 10 y 20 z 30 w',
      'SADD s x y',
      'ZUNIONSTORE d 2 a b',
      'ZUNIONSTORE d 3 a b s WEIGHTS 1 2 3 AGGREGATE MAX',
      'ZRANGE d 0 -1 WITHSCORES',
      'ZINTERSTORE d 2 a b AGGREGATE MIN',
      'ZDIFFSTORE d 2 a b',
      'ZRANGE d 0 -1 WITHSCORES',
      'ZDIFFSTORE d 2 a a',
      'EXISTS d',
      'ZINTERSTORE d 2 a none',
      'ZUNIONSTORE d 1 none',
      'ZUNIONSTORE a 2 a b',
      'ZUNION 3 a b s WITHSCORES',
      'ZINTER 2 a b WEIGHTS inf 0',
      'ZDIFF 2 a b WITHSCORES',
      'ZINTERCARD 2 a b LIMIT 1',
      'ZINTERCARD 2 a b LIMIT -1',
      'ZUNIONSTORE d 0 a',
      'ZUNIONSTORE d x a',
      'ZUNION 2 a',
      'ZUNION 1 a WEIGHTS x',
      'ZUNION 1 a AGGREGATE AVG',
      'ZDIFF 1 a WEIGHTS 1',
      'ZUNIONSTORE d 1 a WITHSCORES',
      'SET t text',
      'ZUNION 1 t',
      'ZRANGESTORE d a 0 1',
      'ZRANGESTORE d a (1 +inf BYSCORE LIMIT 0 1',
      'ZRANGESTORE d a 5 9',
      'ZRANGESTORE d none 5 9',
      'ZRANGESTORE d a 0 -1 REV WITHSCORES',
      'ZRANGESTORE d a 0 -1 REV',
      'OBJECT ENCODING d',
    )
  })

  test('places', async () => {
    await same(
      'DEL g d',
      'GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania',
      'GEOADD g CH 13.361389 38.115556 Palermo 15.1 37.502669 Catania',
      'GEOADD g NX 1 1 Palermo',
      'GEOADD g XX CH 180 85.05112878 Palermo',
      'GEOADD g 180 85.05112878 corner -180 -85.05112878 other',
      'GEOADD g 181 0 x',
      'GEOADD g 0 86 x',
      'GEOADD g 0 0',
      'GEOADD g NX XX 0 0 x',
      'ZRANGE g 0 -1 WITHSCORES',
      'GEOPOS g corner other Catania none',
      'GEOHASH g corner other Catania none',
      'GEODIST g corner Catania KM',
      'GEORADIUS g 15 37 200 km WITHDIST WITHHASH WITHCOORD ASC',
      'GEORADIUS g 15 37 200 km STORE d',
      'GEORADIUS g 15 37 1 km STORE d',
      'GEORADIUS g 15 37 200 km STORE d WITHDIST',
      'GEOSEARCHSTORE d g FROMMEMBER Catania BYBOX 400 400 km ASC COUNT 1',
      'GEOSEARCHSTORE d none FROMMEMBER Catania BYBOX 400 400 km',
      'GEOSEARCH g FROMMEMBER none BYRADIUS 1 m',
      'GEOSEARCH g BYRADIUS 1 m',
      'GEOSEARCH g FROMLONLAT 1 1',
      'GEOSEARCH g FROMLONLAT 1 1 BYRADIUS 1 m ANY',
    )
  })
})
