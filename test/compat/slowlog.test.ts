/** SLOWLOG beside redis-server's: entries, their arguments, limits, errors. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasRedisServer } from '../support/redis-process.ts'
import { type ReplyNode, readReplyTree } from '../support/reply-tree.ts'
import { ServerPair } from '../support/server-pair.ts'

const itemsOf = (node: ReplyNode): readonly ReplyNode[] => (typeof node === 'string' ? [] : node.items)

/** Entries without time, duration and port. */
function withoutTimes(reply: string): unknown {
  const tree = readReplyTree(Buffer.from(reply, 'latin1'))
  if (typeof tree === 'string') return tree
  return tree.items.map((entry) => {
    const [id, time, usec, args, address, name] = itemsOf(entry)
    expect(time).toMatch(/^:\d{10}$/)
    expect(usec).toMatch(/^:\d+$/)
    return [id, args, (address as string).replace(/:\d+$/, ':port'), name]
  })
}

describe.skipIf(!hasRedisServer())('SLOWLOG', () => {
  let pair: ServerPair

  beforeAll(async () => {
    pair = await ServerPair.start({
      'slowlog-log-slower-than': 0,
      'slowlog-max-len': 20,
      'enable-debug-command': 'yes',
    })
  })
  afterAll(() => pair.stop())

  test('keeps what was sent, shortened', async () => {
    const commands = [
      ['SET', 'a', 'b'],
      ['get', 'a'],
      ['SET', 'a', 'x'.repeat(128)],
      ['SET', 'a', 'x'.repeat(129)],
      ['SET', 'a', '\xff\x00'.repeat(100)],
      ['MGET', ...Array.from({ length: 31 }, (_, i) => `key${i}`)],
      ['MGET', ...Array.from({ length: 32 }, (_, i) => `key${i}`)],
      ['MGET', ...Array.from({ length: 100 }, (_, i) => `key${i}`)],
      ['MSET', 'k'.repeat(200), 'v', 'a', '1'],
      ['INCR', 'nothing'],
      ['INCRBYFLOAT', 'nothing', '0.5'],
      ['GETDEL', 'nothing'],
      ['DEBUG', 'SLEEP', '0'],
      ['CONFIG', 'SET', 'requirepass', ''],
      ['CONFIG', 'SET', 'hz', '10', 'masterauth', 'secret'],
      ['SLOWLOG', 'LEN'],
      ['INCR', 'k', 'too', 'many'],
      ['nosuch'],
    ]
    await pair.expectSame(['SLOWLOG', 'RESET'])
    for (const command of commands) await pair.expectSame(command)
    await pair.expectSame(['SLOWLOG', 'GET', '-1'], withoutTimes)
    await pair.expectSame(['SLOWLOG', 'LEN'])
  })

  test('counts and limits', async () => {
    for (const count of ['0', '1', '3', '-1', '1000', '-2', 'x', '', '9223372036854775807', '9223372036854775808']) {
      await pair.expectSame(['SLOWLOG', 'GET', count], withoutTimes)
    }
    await pair.expectSame(['SLOWLOG', 'GET'], withoutTimes)
    await pair.expectSame(['CONFIG', 'SET', 'slowlog-max-len', '3'])
    await pair.expectSame(['SLOWLOG', 'LEN'])
    await pair.expectSame(['SLOWLOG', 'GET', '-1'], withoutTimes)
    await pair.expectSame(['CONFIG', 'SET', 'slowlog-max-len', '0'])
    await pair.expectSame(['PING'])
    await pair.expectSame(['SLOWLOG', 'LEN'])
    await pair.expectSame(['CONFIG', 'SET', 'slowlog-max-len', '20'])
    await pair.expectSame(['CONFIG', 'SET', 'slowlog-log-slower-than', '-1'])
    await pair.expectSame(['SLOWLOG', 'RESET'])
    await pair.expectSame(['DEBUG', 'SLEEP', '0.01'])
    await pair.expectSame(['SLOWLOG', 'LEN'])
    await pair.expectSame(['CONFIG', 'SET', 'slowlog-log-slower-than', '5000'])
    await pair.expectSame(['DEBUG', 'SLEEP', '0.01'])
    await pair.expectSame(['PING'])
    // A machine that is busy makes anything slow.
    const slept = (reply: string) =>
      (withoutTimes(reply) as unknown[][])
        .map(([, ...entry]) => entry)
        .filter((entry) => /SLEEP/.test(JSON.stringify(entry)))
    expect(slept(await pair.expectSame(['SLOWLOG', 'GET'], slept))).toHaveLength(1)
  })

  test('a duration is that of the command', async () => {
    await pair.expectSame(['SLOWLOG', 'RESET'])
    await pair.expectSame(['DEBUG', 'SLEEP', '0.05'])
    const entries = itemsOf(readReplyTree(await pair.o7Client.call('SLOWLOG', 'GET')))
    const usec = Number(String(itemsOf(entries[0]!)[2]).slice(1))
    expect(usec).toBeGreaterThanOrEqual(50_000)
    expect(usec).toBeLessThan(20_000_000)
  })

  test.each([
    [['SLOWLOG']],
    [['SLOWLOG', 'HELP']],
    [['SLOWLOG', 'HELP', 'x']],
    [['SLOWLOG', 'nosuch']],
    [['SLOWLOG', 'GET', '1', '2']],
    [['slowlog', 'get', '1', '2']],
    [['SLOWLOG', 'LEN', 'x']],
    [['SLOWLOG', 'RESET', 'x']],
  ])('%j', async (command) => {
    await pair.expectSame(command)
  })
})
