/**
 * Clients that wait for keys, in crowds, against real redis-server: who is served with what and in which order, what is
 * propagated and announced. Some situations by name, and random ones whose seed is printed (O7_SEED replays them).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Random } from '../../src/base/random.ts'
import { oneOf, seededTest } from '../model/seeded.ts'
import { EngineCrowd, RedisCrowd, type Requests, type Step } from '../support/crowd.ts'
import { hasRedisServer } from '../support/redis-process.ts'

const CLIENTS = 6
const STEPS = 400

describe.skipIf(!hasRedisServer())('clients that wait', () => {
  let theirs: RedisCrowd
  let ours: EngineCrowd

  beforeAll(async () => {
    theirs = await RedisCrowd.gather(CLIENTS)
  })
  afterAll(() => theirs?.close())

  /** Each step a line: the client's number and its requests, with ";" between several. */
  async function same(...lines: readonly string[]): Promise<void> {
    await begin()
    for (const line of lines) {
      const [client, ...rest] = line.split(' ')
      const requests = rest
        .join(' ')
        .split(';')
        .map((request) => request.trim().split(' '))
      await step(Number(client), requests, line)
    }
  }

  async function begin(): Promise<void> {
    ours = new EngineCrowd(CLIENTS)
    const reset: Requests = [['RESET'], ['FLUSHALL']]
    for (let i = 1; i < CLIENTS; i++) {
      await theirs.step(0, [['CLIENT', 'UNBLOCK', `CLIENT-ID:${i}`]])
    }
    for (let i = 0; i < CLIENTS; i++) {
      // What a client was sent while it waited has been answered by now.
      for (;;) {
        const { waiting } = await theirs.step(i === 0 ? 1 : 0, [['PING']])
        if (!waiting.includes(i)) break
        await theirs.step(i === 0 ? 1 : 0, [['CLIENT', 'UNBLOCK', `CLIENT-ID:${i}`]])
      }
      await theirs.step(i, reset)
    }
  }

  async function step(client: number, requests: Requests, shown: string): Promise<readonly number[]> {
    const expected = await theirs.step(client, requests)
    expect({ step: shown, ...withoutTimes(await ours.step(client, requests)) }).toEqual({
      step: shown,
      ...withoutTimes(expected),
    })
    return expected.waiting
  }

  test('are served in the order in which they began to wait', async () => {
    await same(
      '1 BLPOP a 0',
      '2 BRPOP a 0',
      '3 BLPOP b a 0',
      '0 RPUSH a x y z',
      '1 BLPOP a 0',
      '2 BLPOP a 0',
      '0 RPUSH a 1 2 3',
      '0 LRANGE a 0 -1',
    )
  })

  test('are served after a transaction, from what it leaves', async () => {
    await same(
      '1 BLPOP a b 0',
      '2 BLPOP b 0',
      '0 MULTI ; RPUSH b 1 ; RPUSH a 2 ; LPOP a ; EXEC',
      '0 MULTI ; RPUSH b 1 ; DEL b ; RPUSH b 2 ; EXEC',
      '1 BLPOP a b 0',
      '0 MULTI ; RPUSH a 1 ; DEL a ; EXEC',
      '0 MULTI ; RPUSH a 1 ; DEL a ; SET a x ; EXEC',
      '0 DEL a',
      '0 MULTI ; ZADD a 1 m ; EXEC',
      '0 DEL a',
      '0 LPUSH a 7',
    )
  })

  test('do not wait within a transaction', async () => {
    await same(
      '1 MULTI ; BLPOP a 0 ; BLMOVE a b LEFT LEFT 0 ; BRPOPLPUSH a b 0 ; BLMPOP 0 1 a LEFT ; BZPOPMIN a 0 ; BZMPOP 0 1 a MIN ; EXEC',
      '1 HELLO 3',
      '1 MULTI ; BLPOP a 0 ; BLMOVE a b LEFT LEFT 0 ; BRPOPLPUSH a b 0 ; BLMPOP 0 1 a LEFT ; BZPOPMIN a 0 ; BZMPOP 0 1 a MIN ; EXEC',
      '0 RPUSH a 1 2 3 4 5 6',
      '1 MULTI ; BLPOP a 0 ; BLMOVE a b LEFT RIGHT 0 ; BRPOPLPUSH a b 0 ; BLMPOP 0 2 x a LEFT COUNT 9 ; EXEC',
    )
  })

  test('wait for the type that they want', async () => {
    await same(
      '1 BZPOPMIN a 0',
      '2 BLPOP a 0',
      '3 BZPOPMAX a 0',
      '0 SADD a x',
      '0 DEL a',
      '0 SET a x',
      '1 PING',
      '0 DEL a',
      '0 RPUSH a x',
      '0 ZADD a 1 one',
      '0 ZADD a 1 one 2 two',
      '0 ZADD a 3 three',
    )
  })

  test('move elements on, which serves others', async () => {
    await same(
      '1 BLMOVE a b LEFT RIGHT 0',
      '2 BRPOPLPUSH b c 0',
      '3 BLPOP c 0',
      '4 BLMOVE d d LEFT LEFT 0',
      '0 RPUSH a x y',
      '0 RPUSH d x',
      '0 SET z x',
      '1 BLMOVE y z LEFT LEFT 0',
      '2 BLPOP y 0',
      '0 RPUSH y 1',
      '0 EXISTS y',
    )
  })

  test('with several keys and counts', async () => {
    await same(
      '1 BLMPOP 0 3 a b a LEFT COUNT 2',
      '2 BLMPOP 0 2 b c RIGHT COUNT 10',
      '0 RPUSH b 1 2 3 4',
      '3 BZMPOP 0 2 a b MIN COUNT 2',
      '4 BZMPOP 0 2 a b MAX',
      '0 ZADD a 1 x 2 y 3 z',
      '1 HELLO 3',
      '1 BZPOPMIN z 0',
      '2 BZPOPMAX z 0',
      '0 ZADD z 1.5 x inf y',
    )
  })

  test('hear of keys that are renamed, moved, copied, stored or swapped', async () => {
    await same(
      '1 BLPOP a 0',
      '0 RPUSH x 1',
      '0 RENAME x a',
      '1 BLPOP a 0',
      '0 RPUSH x 2',
      '0 COPY x a',
      '1 SELECT 1 ; BLPOP x 0',
      '0 MOVE x 1',
      '1 BLPOP x y 0',
      '0 RPUSH y 3',
      '2 BLPOP q 0',
      '0 SWAPDB 0 1',
      '0 SWAPDB 0 1',
      '3 SELECT 1 ; RPUSH q 4',
      '3 SWAPDB 1 0',
      '0 RPUSH n 3 1 2',
      '1 BLPOP s 0',
      '0 SORT n STORE s',
      '1 BZPOPMIN u 0',
      '0 ZADD v 1 x',
      '0 ZUNIONSTORE u 1 v',
      '0 ZRANGESTORE w v 0 -1',
    )
  })

  test('are ended by CLIENT UNBLOCK', async () => {
    await same(
      '1 BLPOP a 0',
      '2 BLMOVE a b LEFT LEFT 0',
      '3 HELLO 3',
      '3 BZMPOP 0 1 a MIN',
      '0 CLIENT UNBLOCK CLIENT-ID:1',
      '0 CLIENT UNBLOCK CLIENT-ID:2 TIMEOUT',
      '0 CLIENT UNBLOCK CLIENT-ID:3 ERROR',
      '0 CLIENT UNBLOCK CLIENT-ID:3 ERROR',
      '0 CLIENT UNBLOCK CLIENT-ID:0',
      '0 RPUSH a x',
      '0 EXISTS a',
    )
  })

  test('keep what they are sent', async () => {
    await same('1 BLPOP a 0 ; PING 1 ; BLPOP b 0 ; PING 2', '1 PING 3', '0 RPUSH a x', '0 RPUSH b x', '1 BLPOP a 0')
  })

  test('are let go of when they leave with a reply off', async () => {
    await same('1 CLIENT REPLY SKIP ; BLPOP a 0', '0 RPUSH a x', '1 PING', '0 EXISTS a')
  })

  test.each([
    'BLPOP a',
    'BLPOP a -1',
    'BLPOP a x',
    'BLPOP a nan',
    'BLPOP a inf',
    'BLPOP a 1e20',
    'BLPOP a 9223372036854775.807',
    'BLPOP a 9223372036854776',
    'BLPOP a -0.5',
    'BRPOPLPUSH a b x',
    'BLMOVE a b LEFT UP 0',
    'BLMOVE a b UP LEFT x',
    'BLMOVE a b LEFT LEFT -1',
    'BLMPOP 0 0 a LEFT',
    'BLMPOP x 1 a LEFT',
    'BLMPOP 0 1 a UP',
    'BLMPOP -1 1 a UP',
    'BLMPOP 0 2 a LEFT',
    'BLMPOP 0 1 a LEFT COUNT 0',
    'BLMPOP 0 1 a LEFT COUNT',
    'BLMPOP 0 1 a LEFT COUNT 1 COUNT 2',
    'BLMPOP -1 1 s LEFT',
    'BZMPOP 0 1 a LEFT',
    'BZMPOP -1 1 s MIN',
    'BZMPOP 0 1 s MIN',
    'BZPOPMIN s x',
    'BZPOPMIN s 0',
    'BLPOP s x',
    'BLPOP a s 0',
    'BLMOVE s a LEFT LEFT 0',
    'BLMOVE l s LEFT LEFT 0',
    'BRPOPLPUSH l s 0',
  ])('mistakes: %s', async (request) => {
    await same('0 SET s x', '0 RPUSH l x', `1 ${request}`, '0 CLIENT UNBLOCK CLIENT-ID:1')
  })

  test('for entries of streams and for groups', async () => {
    await same(
      '1 XREAD BLOCK 0 STREAMS a b $ $',
      '2 XREAD COUNT 1 BLOCK 0 STREAMS a 1-0',
      '3 HELLO 3',
      '3 XREAD BLOCK 0 STREAMS a 0',
      '0 MULTI ; XADD a 1-0 f 1 ; XADD a 2-0 f 2 ; XADD a 3-0 f 3 ; EXEC',
      '0 XGROUP CREATE a g $',
      '1 XREADGROUP GROUP g c BLOCK 0 STREAMS a >',
      '2 XREADGROUP GROUP g d COUNT 1 BLOCK 0 STREAMS a >',
      '3 XREADGROUP GROUP g c BLOCK 0 NOACK STREAMS a >',
      '0 XADD a 4-0 f 4',
      '0 MULTI ; XADD a 5-0 f 5 ; XADD a 6-0 f 6 ; EXEC',
      '0 XGROUP DESTROY a g',
      '0 XGROUP CREATE a g $',
      '1 XREADGROUP GROUP g c BLOCK 0 STREAMS a >',
      '2 XREAD BLOCK 0 STREAMS a $',
      '0 DEL a',
      '0 XADD a 7-0 f 7',
      '1 MULTI ; XREAD BLOCK 0 STREAMS a $ ; EXEC',
    )
  })

  seededTest('in random crowds', 2, async (random) => {
    await begin()
    const shown: string[] = []
    let id = 0
    const nextId = () => ++id
    let waiting: readonly number[] = []
    for (let i = 0; i < STEPS; i++) {
      const idle = Array.from({ length: CLIENTS }, (_, client) => client).filter((client) => !waiting.includes(client))
      // The first client never waits; some input goes to clients that do.
      const client = random.below(12) === 0 ? random.below(CLIENTS) : oneOf(random, idle)
      const requests = randomRequests(random, client !== 0, nextId)
      shown.push(`${client} ${requests.map((words) => words.join(' ')).join(' ; ')}`)
      waiting = await step(client, requests, shown.slice(-25).join('\n'))
    }
  })
})

// SWAPDB is not drawn: Redis serves several keys that it brings in the order of its hash table.
const key = (random: Random): string => oneOf(random, ['a', 'b', 'c', 'd'])
const keys = (random: Random): string[] => Array.from({ length: 1 + random.below(3) }, () => key(random))
const value = (random: Random): string => String(random.below(100))
const end = (random: Random): string => oneOf(random, ['LEFT', 'RIGHT'])

/** Streams tell when entries were delivered. */
function withoutTimes(step: Step): Step {
  return { ...step, effects: step.effects.map((effect) => effect.replace(/(?<= TIME )\d+/, 'now')) }
}

function randomRequests(random: Random, mayWait: boolean, nextId: () => number): Requests {
  if (mayWait && random.below(2) === 0) {
    const requests = [blockingRequest(random)]
    if (random.below(6) === 0)
      requests.push(random.below(2) === 0 ? blockingRequest(random) : writingRequest(random, nextId))
    return requests
  }
  if (random.below(4) !== 0) return [writingRequest(random, nextId)]
  const inner = Array.from({ length: random.below(5) }, () =>
    random.below(5) === 0 ? blockingRequest(random) : writingRequest(random, nextId),
  )
  // Of several streams that it flushes, Redis makes the keys ready in the order of its hash table: what comes after would be
  // served in that order.
  return [['MULTI'], ...inner.filter(([name]) => name !== 'FLUSHDB'), ['EXEC']]
}

function blockingRequest(random: Random): string[] {
  const named = keys(random)
  const count = random.below(2) === 0 ? [] : ['COUNT', String(1 + random.below(3))]
  const groups = named.slice(0, 1)
  switch (random.below(12)) {
    case 8:
    case 9:
      return [
        'XREAD',
        ...count,
        'BLOCK',
        '0',
        'STREAMS',
        ...named,
        ...named.map(() => oneOf(random, ['$', '$', '5-0', '0'])),
      ]
    case 10:
    case 11:
      return ['XREADGROUP', 'GROUP', 'g', oneOf(random, ['c', 'd']), ...count, 'BLOCK', '0', 'STREAMS', ...groups, '>']
    case 0:
      return ['BLPOP', ...named, '0']
    case 1:
      return ['BRPOP', ...named, '0']
    case 2:
      return ['BLMOVE', key(random), key(random), end(random), end(random), '0']
    case 3:
      return ['BRPOPLPUSH', key(random), key(random), '0']
    case 4:
      return ['BLMPOP', '0', String(named.length), ...named, end(random), ...count]
    case 5:
      return ['BZPOPMIN', ...named, '0']
    case 6:
      return ['BZPOPMAX', ...named, '0']
    default:
      return ['BZMPOP', '0', String(named.length), ...named, oneOf(random, ['MIN', 'MAX']), ...count]
  }
}

function writingRequest(random: Random, nextId: () => number): string[] {
  const kind = random.below(54)
  if (kind >= 52) return ['XGROUP', 'DESTROY', key(random), 'g']
  if (kind >= 49) return ['XGROUP', 'CREATE', key(random), 'g', oneOf(random, ['0', '$']), 'MKSTREAM']
  if (kind >= 42) return ['XADD', key(random), `${nextId()}-1`, 'f', value(random)]
  if (kind >= 40) return ['XLEN', key(random)]
  if (kind < 10) return [oneOf(random, ['LPUSH', 'RPUSH']), key(random), ...keys(random).map(() => value(random))]
  if (kind < 18) return ['ZADD', key(random), ...keys(random).flatMap(() => [value(random), value(random)])]
  if (kind < 22) return ['DEL', ...keys(random)]
  if (kind < 24)
    return ['CLIENT', 'UNBLOCK', `CLIENT-ID:${1 + random.below(CLIENTS - 1)}`, oneOf(random, ['TIMEOUT', 'ERROR'])]
  if (kind < 28) return ['SELECT', String(random.below(2))]
  switch (kind) {
    case 28:
      return ['RENAME', key(random), key(random)]
    case 29:
      return ['COPY', key(random), key(random), 'DB', String(random.below(2)), 'REPLACE']
    case 30:
      return ['MOVE', key(random), String(random.below(2))]
    case 31:
      return ['SET', key(random), value(random)]
    case 32:
      return ['LMOVE', key(random), key(random), end(random), end(random)]
    case 33:
      return ['SORT', key(random), 'STORE', key(random)]
    case 34:
      return ['ZUNIONSTORE', key(random), '2', key(random), key(random)]
    case 35:
      return ['FLUSHDB']
    case 36:
      return ['EXPIRE', key(random), '-1']
    case 37:
      return ['LPOP', key(random)]
    case 38:
      return ['LRANGE', key(random), '0', '-1']
    default:
      return ['TYPE', key(random)]
  }
}
