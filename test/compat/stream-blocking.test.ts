/**
 * Clients that wait for streams, alone or as members of a group, against real redis-server: who is served with what and in
 * which order, what is propagated and announced, and what they hear when the stream or the group goes.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EngineCrowd, RedisCrowd, type Step } from '../support/crowd.ts'
import { hasRedisServer } from '../support/redis-process.ts'

const CLIENTS = 5
/** Moments in effects; what is pending is so since a moment of each server's own. */
const MOMENT = /\b1[6-9]\d{11}\b/g

describe.skipIf(!hasRedisServer())('clients that wait for streams', () => {
  let theirs: RedisCrowd
  let ours: EngineCrowd

  beforeAll(async () => {
    theirs = await RedisCrowd.gather(CLIENTS)
  })
  afterAll(() => theirs?.close())

  /** Each step a line: the client's number and its requests, with ";" between several. Client 0 never waits. */
  async function same(...lines: readonly string[]): Promise<void> {
    ours = new EngineCrowd(CLIENTS)
    for (let i = 1; i < CLIENTS; i++) await theirs.step(0, [['CLIENT', 'UNBLOCK', `CLIENT-ID:${i}`]])
    for (let i = CLIENTS - 1; i >= 0; i--) await theirs.step(i, [['RESET'], ['FLUSHALL']])
    for (const line of lines) {
      const [client, ...rest] = line.split(' ')
      const requests = rest
        .join(' ')
        .split(';')
        .map((request) => request.trim().split(' '))
      const expected = await theirs.step(Number(client), requests)
      const found = await ours.step(Number(client), requests)
      expect({ line, ...timeless(found) }).toEqual({ line, ...timeless(expected) })
    }
  }

  function timeless(step: Step): Step {
    return { ...step, effects: step.effects.map((effect) => effect.replace(MOMENT, 'moment')) }
  }

  test('all of them get what is new', async () => {
    await same(
      '1 XREAD BLOCK 0 STREAMS s $',
      '2 XREAD BLOCK 0 COUNT 1 STREAMS other s 0 0',
      '3 XREAD BLOCK 0 STREAMS s 5-0',
      '0 XADD s 1-1 f v',
      '1 XREAD BLOCK 0 STREAMS s $',
      '0 MULTI ; XADD s 2-1 f v ; XADD s 3-1 f v ; EXEC',
      '0 XADD s 5-0 f v',
      '0 XADD s 5-1 f v',
      '1 HELLO 3',
      '1 XREAD BLOCK 0 STREAMS s $',
      '0 XADD s 6-1 f v g w',
      '1 XREAD BLOCK 0 STREAMS s s 6-1 0',
      '0 DEL s',
      '0 XADD s 6-1 f v',
      '0 XADD s 6-2 f v',
    )
  })

  test('one member of a group gets it', async () => {
    await same(
      '0 XGROUP CREATE s g $ MKSTREAM',
      '0 XGROUP CREATE s h $',
      '1 XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      '2 XREADGROUP GROUP g b BLOCK 0 COUNT 1 STREAMS s >',
      '3 XREADGROUP GROUP h c NOACK BLOCK 0 STREAMS s >',
      '4 XREAD BLOCK 0 STREAMS s $',
      '0 XADD s 1-1 f v',
      '0 XADD s 2-1 f v',
      '1 XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      '3 XREADGROUP GROUP h c NOACK BLOCK 0 STREAMS s >',
      '0 MULTI ; XADD s 3-1 f v ; XADD s 4-1 f v ; EXEC',
      '0 XPENDING s g',
      '3 XREADGROUP GROUP h c NOACK BLOCK 0 STREAMS s >',
      '3 XREADGROUP GROUP h c BLOCK 0 STREAMS s 0',
      '1 HELLO 3',
      '1 XREADGROUP GROUP g new BLOCK 0 STREAMS s >',
      '0 XADD s 5-1 f v',
    )
  })

  test('hear when the stream or the group goes', async () => {
    await same(
      '0 XGROUP CREATE s g $ MKSTREAM',
      '0 XGROUP CREATE s h $',
      '1 XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      '2 XREADGROUP GROUP h b BLOCK 0 STREAMS s >',
      '3 XREAD BLOCK 0 STREAMS s $',
      '0 XGROUP DESTROY s g',
      '0 DEL s',
      '0 XGROUP CREATE s g $ MKSTREAM',
      '1 XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      '0 SET s x',
      '0 DEL s',
      '0 XGROUP CREATE s g $ MKSTREAM',
      '1 XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      '0 RENAME s t',
      '0 RENAME t s',
      '1 XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      '0 MULTI ; DEL s ; XGROUP CREATE s g $ MKSTREAM ; XADD s 1-1 f v ; EXEC',
      '1 XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      '2 XREADGROUP GROUP g b BLOCK 0 STREAMS s >',
      '0 MULTI ; XGROUP DESTROY s g ; XGROUP CREATE s g 0 ; EXEC',
      '0 FLUSHALL',
    )
  })

  test('do not wait in vain', async () => {
    await same(
      '0 XADD s 1-1 f v',
      '1 XREAD BLOCK 0 STREAMS s 0',
      '1 XREAD BLOCK 0 STREAMS s + ',
      '1 MULTI ; XREAD BLOCK 0 STREAMS s $ ; EXEC',
      '0 XGROUP CREATE s g 0',
      '1 XREADGROUP GROUP g a BLOCK 0 STREAMS s 0',
      '1 XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      '1 XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      '0 CLIENT UNBLOCK CLIENT-ID:1',
      '1 XREADGROUP GROUP g a BLOCK 0 STREAMS s >',
      '0 CLIENT UNBLOCK CLIENT-ID:1 ERROR',
      '1 XREADGROUP GROUP g a BLOCK 0 STREAMS s 18446744073709551615-18446744073709551615',
      '0 XADD s 1-2 f v',
      '1 XREAD BLOCK 0 STREAMS s 0-0',
      '0 XDEL s 1-1 1-2',
      '1 XREAD BLOCK 0 STREAMS s 0',
      '0 XADD s 1-3 f v',
    )
  })
})
