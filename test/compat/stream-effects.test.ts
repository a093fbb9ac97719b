/**
 * What the stream commands propagate and announce, and their replies, against real redis-server: its replication stream
 * and its keyspace events. Some by name, and random ones whose seed is printed (O7_SEED replays them).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { ReplyJudge, showWords } from '../support/differential.ts'
import { CommandDraw } from '../support/generator.ts'
import { genericGenerators } from '../support/generator-generic.ts'
import { streamGenerators } from '../support/generator-stream.ts'
import { effectsLike, expectSameEffects, type Observers, startObservers } from '../support/propagation.ts'
import { hasRedisServer } from '../support/redis-process.ts'
import { showReply } from '../support/resp-client.ts'
import { SEED } from '../support/seed.ts'

const COUNT = Number(process.env.O7_COMMANDS ?? 1500)

describe.skipIf(!hasRedisServer())(`stream commands, seed ${SEED}`, () => {
  let observers: Observers
  const same = (...commands: Parameters<typeof expectSameEffects> extends [Observers, ...infer Rest] ? Rest : never) =>
    expectSameEffects(observers, 'FLUSHALL', ...commands)

  beforeAll(async () => {
    observers = await startObservers()
  })
  afterAll(() => observers?.close())

  test('XADD is propagated with its id and what trimming came to', async () => {
    await same(
      'XADD s 99999999999999-0 f v',
      'XADD s * f v',
      'XADD s * f v g w',
      'XADD s 99999999999999-* f v',
      'XADD s 100000000000000-* f v',
      'XADD s MAXLEN 3 * f v',
      'XADD s MAXLEN = 3 * f v',
      'XADD s MAXLEN ~ 2 * f v',
      'XADD s MAXLEN ~ 2 LIMIT 0 * f v',
      'XADD s MAXLEN ~ 0 LIMIT 1000 * f v',
      'XADD s MINID ~ 100000000000000 LIMIT 7 * f v',
      'XADD s MINID 200000000000000 * f v',
      'XADD absent NOMKSTREAM * f v',
      'XADD s NOMKSTREAM * f v',
      'XADD s nomkstream maxlen ~ 1 * f v',
      'XLEN s',
      'CONFIG SET stream-node-max-entries 2',
      'XADD t 1-1 f v',
      'XADD t 2-1 f v',
      'XADD t 3-1 f v',
      'XADD t 4-1 f v',
      'XADD t 5-1 f v',
      'XADD t MAXLEN ~ 2 6-1 f v',
      'XADD t MINID ~ 5-1 7-1 f v',
      'XADD t MINID ~ 7-1 LIMIT 1 8-1 f v',
      'XTRIM t MAXLEN ~ 1',
      'XTRIM t MAXLEN ~ 1 LIMIT 1',
      'XTRIM t MINID ~ 8',
      'XTRIM t MINID 8',
      'XTRIM t MAXLEN = 0',
      'XTRIM t MAXLEN ~ 0',
      'XTRIM absent MAXLEN 0',
      'CONFIG SET stream-node-max-entries 100',
    )
  })

  test('mistakes, and which is found first', async () => {
    await same(
      'SET string x',
      'XADD s',
      'XADD s *',
      'XADD s * f',
      'XADD s * f v g',
      'XADD s MAXLEN 5',
      'XADD s MAXLEN x * f v',
      'XADD s MAXLEN -1 * f v',
      'XADD s MAXLEN 1 MINID 1 * f v',
      'XADD s MINID x * f v',
      'XADD s LIMIT 5 * f v',
      'XADD s LIMIT 0 * f v',
      'XADD s LIMIT -1 * f v',
      'XADD s MAXLEN 5 LIMIT 5 * f v',
      'XADD s MAXLEN ~ 5 LIMIT x * f v',
      'XADD s 0-0 f v',
      'XADD s 0-* f v',
      'XADD s - f v',
      'XADD s + f v',
      'XADD s x f v',
      'XADD string * f v',
      'XADD string x f v',
      'XADD string * f',
      'XADD s 18446744073709551615-18446744073709551615 f v',
      'XADD s * f v',
      'XADD s 18446744073709551615-* f v',
      'XADD s 1-1 f v',
      'DEL s',
      'XADD s 1-18446744073709551614 f v',
      'XADD s 1-* f v',
      'XADD s 5 f v',
      'XADD s 5 f v',
      'XADD s 5-0 f v',
      'XTRIM s',
      'XTRIM s MAXLEN',
      'XTRIM s LIMIT 1',
      'XTRIM s NOMKSTREAM',
      'XTRIM s MAXLEN 1 BAD',
      'XTRIM string MAXLEN 1',
      'XTRIM s MAXLEN 9223372036854775807',
      'XTRIM s MAXLEN 9223372036854775808',
      'XRANGE s (- +',
      'XRANGE s - (+',
      'XRANGE s (18446744073709551615-18446744073709551615 +',
      'XRANGE s - (0-0',
      'XRANGE s - + COUNT',
      'XRANGE s - + COUNT x',
      'XRANGE s - + COUNT -5',
      'XRANGE s - + COUNT 0',
      'XRANGE string - +',
      'XRANGE string x +',
      'XREVRANGE s - +',
      'XREVRANGE s + - COUNT 1',
      'XREVRANGE s + (5',
      'XDEL s',
      'XDEL s x',
      'XDEL absent x',
      'XDEL string x',
      'XDEL s 5 5 5-0 6',
      'XSETID s x',
      'XSETID s 1-0',
      'XSETID absent 1-0',
      'XSETID string 1-0',
      'XSETID s 9-0 ENTRIESADDED -1',
      'XSETID s 9-0 ENTRIESADDED 0',
      'XSETID s 9-0 MAXDELETEDID 10-0',
      'XSETID s 9-0 ENTRIESADDED',
      'XSETID s 9-0 ENTRIESADDED 100 MAXDELETEDID 9-0',
      'XINFO STREAM s',
    )
  })

  test('groups and their consumers', async () => {
    await same(
      'XGROUP CREATE s g $',
      'XGROUP CREATE s g $ MKSTREAM',
      'XGROUP CREATE s g $ MKSTREAM',
      'XGROUP CREATE s g2 0 ENTRIESREAD 5',
      'XGROUP CREATE s g3 - ',
      'XGROUP CREATE s g3 0 ENTRIESREAD -2',
      'XGROUP CREATE s g3 0 ENTRIESREAD',
      'XGROUP CREATE s g3 0 BAD',
      'XGROUP CREATE s g3 0 MKSTREAM MKSTREAM MKSTREAM MKSTREAM',
      'XGROUP SETID s g -',
      'XGROUP SETID s g + ENTRIESREAD 7',
      'XGROUP SETID s g $',
      'XGROUP SETID s absent $',
      'XGROUP SETID s g $ MKSTREAM',
      'XGROUP CREATECONSUMER s g c',
      'XGROUP CREATECONSUMER s g c',
      'XGROUP CREATECONSUMER s absent c',
      'XGROUP CREATECONSUMER absent g c',
      'XADD s 1-1 f v',
      'XADD s 1-2 f v',
      'XADD s 1-3 f v',
      'XREADGROUP GROUP g d STREAMS s >',
      'XREADGROUP GROUP g d COUNT 2 STREAMS s 0',
      'XREADGROUP GROUP g2 e COUNT 1 NOACK STREAMS s >',
      'XREADGROUP GROUP g2 e NOACK STREAMS s >',
      'XREADGROUP GROUP g2 e NOACK STREAMS s 0',
      'XGROUP SETID s g 0',
      'XREADGROUP GROUP g e COUNT 2 STREAMS s >',
      'XDEL s 1-1',
      'XREADGROUP GROUP g e STREAMS s 0',
      'XCLAIM s g f 0 1-1 1-2 9-9',
      'XCLAIM s g f 0 1-1 1-2 9-9 LASTID 2-0',
      'XCLAIM s g f 0 9-9 LASTID 5-0',
      'XCLAIM s g f 0 1-3 FORCE JUSTID RETRYCOUNT 9 TIME 1000',
      'XCLAIM s g f 1000000 1-2 1-3',
      'XCLAIM s g f x 1-2',
      'XCLAIM s g f 0 1-2 BAD',
      'XCLAIM s g f 0 1-2 TIME x',
      'XCLAIM s g f 0 1-2 IDLE x',
      'XCLAIM s g f 0 1-2 RETRYCOUNT x',
      'XCLAIM s absent f 0 1-2',
      'XCLAIM absent g f 0 1-2',
      'XAUTOCLAIM s g h 0 0 COUNT 1',
      'XAUTOCLAIM s g h 0 0 JUSTID',
      'XAUTOCLAIM s g h 1000000 0',
      'XDEL s 1-2',
      'XAUTOCLAIM s g h 0 0',
      'XAUTOCLAIM s g h 0 (1-3',
      'XAUTOCLAIM s g h 0 0 COUNT 0',
      'XAUTOCLAIM s g h 0 0 COUNT 576460752303423488',
      'XAUTOCLAIM s g h 0 0 COUNT 576460752303423487',
      'XAUTOCLAIM s absent h 0 0',
      'XPENDING s g IDLE 5 - +',
      'XPENDING s g - + 10 absent',
      'XPENDING s g',
      'XACK s g 1-3 1-3 9-9',
      'XACK s absent 1-3',
      'XACK s absent x',
      'XACK s g x',
      'XPENDING s g',
      'XGROUP DELCONSUMER s g h',
      'XGROUP DELCONSUMER s g absent',
      'XGROUP DESTROY s g',
      'XGROUP DESTROY s g',
      'XGROUP DESTROY absent g',
      'XREADGROUP GROUP g c STREAMS s >',
      'XREADGROUP GROUP g2 c STREAMS s $',
      'XREADGROUP GROUP g2 c STREAMS s',
      'XREADGROUP GROUP g2 c COUNT 1 NOACK x s >',
      'XREADGROUP COUNT 1 NOACK STREAMS s s s >',
      'XREAD GROUP g c STREAMS s >',
      'XREAD NOACK STREAMS s >',
      'XREAD STREAMS s >',
      'XREAD STREAMS s $',
      'XREAD STREAMS s 0',
      'XREAD COUNT 1 STREAMS s absent 0 0',
      'XREAD BLOCK x STREAMS s 0',
      'XREAD BLOCK -1 STREAMS s 0',
      'XREAD COUNT 1 BLOCK 1000 STREAMS s 0',
      'MULTI',
      'XREAD BLOCK 0 STREAMS s $',
      'EXEC',
    )
  })

  test.each([2, 3] as const)(
    'RESP%i: random commands',
    async (protocol) => {
      const own = await startObservers({ protocol })
      const others = genericGenerators.filter(({ name }) => ['DEL', 'COPY', 'RENAME', 'MOVE', 'DUMP'].includes(name))
      const commands = new CommandDraw([...streamGenerators, ...others], Random.fromSeed(SEED))
      const judge = new ReplyJudge()
      const history: string[] = []
      try {
        for (let i = 0; i < COUNT; i++) {
          const command = commands.next()
          const args = command.words.map((word) => Buffer.from(word, 'latin1'))
          history.push(showWords(command.words))
          const theirs = await own.theirs.run(args)
          const ours = await own.ours.run(args)
          const shown = `seed ${SEED}, after\n${history.slice(-20).join('\n')}\n`
          const problem = judge.judge(command, ours.reply, theirs.reply)
          expect(problem, `${shown}ours ${showReply(ours.reply, 500)}\ntheirs ${showReply(theirs.reply, 500)}`).toBe(
            null,
          )
          expect(ours.effects, shown).toEqual(effectsLike(theirs, ours))
          expect(ours.events, shown).toEqual(theirs.events)
        }
      } finally {
        await own.close()
      }
    },
    60_000 + COUNT * 20,
  )
})
