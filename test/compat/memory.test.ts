/** MEMORY beside redis-server's: names and forms are Redis's, figures are of other structures. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import { type ReplyNode, readReplyTree } from '../support/reply-tree.ts'
import { ServerPair } from '../support/server-pair.ts'

/** Scalars by their type alone. */
function shapeOf(node: ReplyNode): unknown {
  if (typeof node === 'string') return /^[$]\D/.test(node) ? node : /^\$-?\d+(\.\d+)?$/.test(node) ? '$number' : node[0]
  return { type: node.type, items: node.items.map(shapeOf) }
}

const shape = (reply: string): unknown => shapeOf(readReplyTree(Buffer.from(reply, 'latin1')))

describe.skipIf(!hasRedisServer())('MEMORY', () => {
  let pair: ServerPair

  beforeAll(async () => {
    pair = await ServerPair.start()
  })
  afterAll(() => pair.stop())

  test.each([
    [['MEMORY']],
    [['MEMORY', 'HELP']],
    [['MEMORY', 'HELP', 'x']],
    [['MEMORY', 'USAGE']],
    [['MEMORY', 'USAGE', 'nothing']],
    [['MEMORY', 'USAGE', 'nothing', 'SAMPLES']],
    [['MEMORY', 'USAGE', 'nothing', 'SAMPLES', 'x']],
    [['MEMORY', 'USAGE', 'nothing', 'SAMPLES', '-1']],
    [['MEMORY', 'USAGE', 'nothing', 'samples', '0']],
    [['MEMORY', 'USAGE', 'nothing', 'samples', '0', 'SAMPLES', '3']],
    [['MEMORY', 'USAGE', 'nothing', 'nosuch', '0']],
    [['MEMORY', 'USAGE', 'nothing', 'SAMPLES', '9223372036854775808']],
    [['MEMORY', 'PURGE']],
    [['MEMORY', 'PURGE', 'x']],
    [['MEMORY', 'STATS', 'x']],
    [['MEMORY', 'nosuch']],
  ])('%j', async (command) => {
    await pair.expectSame(command)
  })

  test('STATS has the same names and types, with and without databases', async () => {
    await pair.expectSame(['MEMORY', 'STATS'], shape)
    await pair.expectSame(['SET', 'a', '1'])
    await pair.expectSame(['SELECT', '3'])
    await pair.expectSame(['SET', 'b', '1', 'EX', '100'])
    await pair.expectSame(['MEMORY', 'STATS'], shape)
    await pair.expectSame(['HELLO', '3'], () => null)
    await pair.expectSame(['MEMORY', 'STATS'], shape)
    await pair.expectSame(['MEMORY', 'USAGE', 'nothing'])
    await pair.expectSame(['MEMORY', 'USAGE', 'b'], shape)
    await pair.expectSame(['HELLO', '2'], () => null)
  })

  test('DOCTOR says that there is too little, and later that all is well or what is not', async () => {
    const opening = (reply: string) => /Hi Sam, this instance is empty or is using very little memory/.exec(reply)?.[0]
    await pair.expectSame(['FLUSHALL'])
    expect(await pair.expectSame(['MEMORY', 'DOCTOR'], opening)).toContain('Sam')
    const { o7Client } = pair
    for (let i = 0; i < 200; i++) await o7Client.call('SET', `large:${i}`, 'x'.repeat(100_000))
    const healthy = (await o7Client.query('MEMORY', 'DOCTOR')) as string
    expect(healthy).toMatch(/^Hi Sam, I can't find any memory issue in your instance\./)
    for (let i = 0; i < 130; i++) await o7Client.call('SET', `large:${i}`, '')
    expect(await o7Client.query('MEMORY', 'DOCTOR')).toMatch(
      /^Sam, I detected a few issues in this Redis instance memory implants:\n\n \* Peak memory: /,
    )
  })

  test('what is buffered for files and replicas is overhead, not data', async () => {
    const figures = async (server: RedisProcess) => {
      await using client = await server.connect()
      // At one moment: what is buffered goes away meanwhile.
      await client.pipeline([['MULTI'], ['INFO', 'memory'], ['MEMORY', 'STATS']])
      const [info, flat] = (await client.query('EXEC')) as [string, readonly unknown[]]
      const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)![1])
      const stat = (name: string) => Number(flat[flat.indexOf(name) + 1])
      expect(stat('replication.backlog')).toBe(field('mem_replication_backlog'))
      expect(stat('clients.slaves')).toBe(field('mem_clients_slaves'))
      expect(stat('aof.buffer')).toBe(field('mem_aof_buffer'))
      expect(stat('aof.buffer')).toBeGreaterThan(0)
      expect(stat('overhead.total')).toBeGreaterThanOrEqual(
        stat('startup.allocated') + stat('replication.backlog') + stat('clients.slaves') + stat('aof.buffer'),
      )
      return { stat, field }
    }
    for (const kind of ['redis', 'o7']) {
      await using master = await startServer({
        server: kind,
        directives: { appendonly: 'yes', 'repl-diskless-sync-delay': 0 },
      })
      await using replica = await startServer({
        server: 'redis',
        directives: { replicaof: ['127.0.0.1', master.port] },
      })
      await replica.waitForLog(/Finished with success/)
      await using client = await master.connect()
      for (let i = 0; i < 30; i++) await client.call('SET', 'a', 'x'.repeat(100_000))
      const { stat } = await figures(master)
      expect(stat('replication.backlog')).toBeGreaterThan(1_000_000)
      expect(stat('dataset.bytes')).toBeLessThan(1_000_000)
    }
  })

  test('USAGE is near what the key costs', async () => {
    const { o7Client } = pair
    const usage = async (key: string) => Number((await o7Client.call('MEMORY', 'USAGE', key)).toString().slice(1))
    const used = async () =>
      Number(/^allocator_allocated:(\d+)/m.exec((await o7Client.query('INFO', 'memory')) as string)![1])
    // The first key of a database makes its table, which is nobody's own.
    await o7Client.call('SET', 'usage:0', '')
    for (const valueBytes of [10, 1000, 100_000, 10_000_000]) {
      const before = await used()
      await o7Client.call('SET', `usage:${valueBytes}`, 'x'.repeat(valueBytes))
      const cost = (await used()) - before
      expect(Math.abs((await usage(`usage:${valueBytes}`)) - cost)).toBeLessThanOrEqual(100)
    }
  })

  test('MALLOC-STATS lists what is in use, and PURGE gives back what is not', async () => {
    const { o7Client } = pair
    await o7Client.call('FLUSHALL')
    for (let i = 0; i < 300; i++) await o7Client.call('SET', `page:${i}`, 'x'.repeat(60_000))
    const held = async () =>
      Number(/^allocator_resident:(\d+)/m.exec((await o7Client.query('INFO', 'memory')) as string)![1])
    expect(await o7Client.query('MEMORY', 'MALLOC-STATS')).toMatch(/\n +spans +300 +300\n/)
    const filled = await held()
    await o7Client.call('FLUSHALL')
    await o7Client.call('MEMORY', 'PURGE')
    expect(await held()).toBeLessThan(filled / 2)
  })
})
