/** Pub/sub to us and to real redis-server, several clients in turns, in RESP2 and RESP3; keyspace events. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectSameDialogue } from '../support/dialogue.ts'
import { RawPair } from '../support/raw-pair.ts'
import { hasRedisServer } from '../support/redis-process.ts'

const DIALOGUES: readonly string[] = [
  's> SUBSCRIBE a b a | SUBSCRIBE b | UNSUBSCRIBE c | UNSUBSCRIBE a a | UNSUBSCRIBE | UNSUBSCRIBE',
  's> PSUBSCRIBE a* | PSUBSCRIBE a* b? | PUNSUBSCRIBE c | PUNSUBSCRIBE a* | PUNSUBSCRIBE | PUNSUBSCRIBE',
  's> SSUBSCRIBE a b | SSUBSCRIBE b | SUNSUBSCRIBE c | SUNSUBSCRIBE a | SUNSUBSCRIBE | SUNSUBSCRIBE',
  's> SUBSCRIBE a | PSUBSCRIBE b | SSUBSCRIBE c | UNSUBSCRIBE | PUNSUBSCRIBE | GET x | SUNSUBSCRIBE | GET x',
  's> SUBSCRIBE | PSUBSCRIBE | SSUBSCRIBE | PUBLISH a | SPUBLISH a | PUBLISH a b c',
  's> SUBSCRIBE a / p> PUBLISH a hello | PUBLISH b hello | PUBLISH a "" | PUBLISH "" x | PUBLISH a "\\x00\\r\\n\\xff"',
  's> SUBSCRIBE "" "a\\r\\nb" / p> PUBLISH "" x | PUBLISH "a\\r\\nb" y',
  's> PSUBSCRIBE news.* *.art / p> PUBLISH news.x 1 | PUBLISH x.art 3 | PUBLISH x 4',
  // Which of two patterns that match comes first is a matter of chance in Redis.
  's> PSUBSCRIBE h?llo w[ae]rld / p> PUBLISH hello 1 | PUBLISH warld 2 | PUBLISH wxrld 3 / s> PUNSUBSCRIBE h?llo / p> PUBLISH hello 4 | PUBLISH werld 5',
  's> SUBSCRIBE news.x | PSUBSCRIBE news.* / p> PUBLISH news.x 1 / s> UNSUBSCRIBE / p> PUBLISH news.x 2',
  's> SSUBSCRIBE a / t> SUBSCRIBE a | PSUBSCRIBE * / p> PUBLISH a 1 | SPUBLISH a 2 | SPUBLISH b 3',
  's> SUBSCRIBE a / t> SUBSCRIBE a / u> PSUBSCRIBE a / p> PUBLISH a 1 / t> QUIT / p> PUBLISH a 2',
  's> HELLO 3 | SUBSCRIBE a | PING | GET x | PUBLISH a 1 | PING / p> PUBLISH a 2',
  's> HELLO 3 | PSUBSCRIBE a* | SSUBSCRIBE x | SPUBLISH x 1 | PUBLISH ab 2 | UNSUBSCRIBE | SUNSUBSCRIBE',
  's> HELLO 3 | SUBSCRIBE a / t> SUBSCRIBE a / p> PUBLISH a 1 / s> HELLO 2 / p> PUBLISH a 2 / t> HELLO 3 | RESET | GET x',
  's> SUBSCRIBE a | PING | PING x | PING x y | GET a | MULTI | AUTH x | HELLO 3 | CLIENT ID | UNSUBSCRIBE | PING',
  's> SUBSCRIBE a | QUIT / p> PUBLISH a 1',
  's> SUBSCRIBE a | RESET | PING / p> PUBLISH a 1',
  's> SSUBSCRIBE a | GET x | PING | SUNSUBSCRIBE a | GET x',
  // Replies are muted, messages are not
  's> CLIENT REPLY OFF | SUBSCRIBE a | PSUBSCRIBE b | SSUBSCRIBE c | UNSUBSCRIBE zz | UNSUBSCRIBE a / p> PUBLISH b 1 | SPUBLISH c 2',
  's> HELLO 3 | CLIENT REPLY OFF | SUBSCRIBE a | PUBLISH a 1 | GET x | CLIENT REPLY ON | PUBLISH a 2',
  's> HELLO 3 | CLIENT REPLY SKIP | SUBSCRIBE a | PING | CLIENT REPLY SKIP | PUBLISH a 1 | PING',
  's> HELLO 3 | SUBSCRIBE a | MULTI | CLIENT REPLY OFF | PUBLISH a 1 | PING | CLIENT REPLY ON | PUBLISH a 2 | EXEC',
  // Who listens
  's> SUBSCRIBE a b | PSUBSCRIBE c* d* / t> SUBSCRIBE a | PSUBSCRIBE c* | SSUBSCRIBE e / p> PUBSUB NUMSUB | PUBSUB NUMSUB a b zz | PUBSUB NUMPAT | PUBSUB CHANNELS a | PUBSUB CHANNELS zz* | PUBSUB SHARDCHANNELS | PUBSUB SHARDNUMSUB e f | PUBSUB SHARDNUMSUB',
  's> SUBSCRIBE a / p> PUBSUB CHANNELS | PUBSUB CHANNELS ? | PUBSUB CHANNELS "" / s> UNSUBSCRIBE / p> PUBSUB CHANNELS | PUBSUB NUMSUB a',
  'p> PUBSUB | PUBSUB NOPE | PUBSUB HELP | PUBSUB HELP x | PUBSUB CHANNELS a b | PUBSUB NUMPAT x | PUBSUB SHARDCHANNELS a b | PUBSUB SHARDCHANNELS x',
  // Keyspace events
  's> PSUBSCRIBE __key* / p> SET a 1 | GETDEL a / c> CONFIG SET notify-keyspace-events KEA / p> SET a 1 | SET a 2 EX 100 | APPEND a x | GETDEL a | GET none | SET b 1 PX 1 / WAIT-MS 5 / p> GET b | SELECT 3 | SET "k\\r\\n" v | GETDEL "k\\r\\n" / c> CONFIG SET notify-keyspace-events ""',
  's> SUBSCRIBE __keyspace@0__:a __keyevent@0__:set / c> CONFIG SET notify-keyspace-events K$ / p> SET a 1 | SET b 1 | GETDEL a / c> CONFIG SET notify-keyspace-events E$ / p> SET a 1 | SET b 1 / c> CONFIG SET notify-keyspace-events Eg / p> SET a 1 / c> CONFIG SET notify-keyspace-events ""',
  's> PSUBSCRIBE * / c> CONFIG SET notify-keyspace-events Emn / p> GET none | SET new 1 | SET new 2 | GETDEL new | MGET x y / c> CONFIG SET notify-keyspace-events ""',
  's> HELLO 3 | PSUBSCRIBE __keyevent* / c> CONFIG SET notify-keyspace-events EA / s> SET a 1 | MULTI | SET b 1 | GETDEL b | EXEC / c> CONFIG SET notify-keyspace-events ""',
]

describe.skipIf(!hasRedisServer())('pub/sub', () => {
  let pair: RawPair
  beforeAll(async () => {
    pair = await RawPair.start({ 'enable-debug-command': 'yes' })
    for (const { exchange } of [pair.redis, pair.o7]) await exchange.run(['DEBUG SET-ACTIVE-EXPIRE 0\r\n'])
  })
  afterAll(() => pair?.stop())

  test.each(DIALOGUES)('%s', async (dialogue) => {
    await expectSameDialogue(pair, dialogue)
  })

  test('several channels are left in one order or another', async () => {
    // The order in which Redis unsubscribes from all channels is that of a hash table.
    for (const side of [pair.redis, pair.o7]) {
      const { received } = await side.exchange.run([
        'SUBSCRIBE a b c\r\nUNSUBSCRIBE\r\nPSUBSCRIBE x y\r\nPUNSUBSCRIBE\r\n',
      ])
      const left = [...received.matchAll(/\$11\r\nunsubscribe\r\n\$1\r\n(\w)\r\n:(\d)/g)]
      expect(left.map(([, name]) => name).toSorted()).toEqual(['a', 'b', 'c'])
      expect(left.map(([, , count]) => count)).toEqual(['2', '1', '0'])
      const patterns = [...received.matchAll(/\$12\r\npunsubscribe\r\n\$1\r\n(\w)\r\n:(\d)/g)]
      expect(patterns.map(([, name, count]) => `${name}${count}`)).toEqual(['x1', 'y0'])
    }
  })
})
