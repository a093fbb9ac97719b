/** Several servers in one process share nothing: no key, no setting, no clock, no figure, no client. */
import { afterEach, expect, test } from 'vitest'
import { createServer, defineCommand, type EmbeddedServer, FAST } from '../../src/index.ts'

const servers: EmbeddedServer[] = []

async function start(...[options]: Parameters<typeof createServer>): Promise<EmbeddedServer> {
  const server = await createServer(options)
  servers.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function infoField(server: EmbeddedServer, section: string, field: string): Promise<string | undefined> {
  const text = await server.execute<string>('INFO', section)
  return new RegExp(`^${field}:(.*)\r$`, 'm').exec(text)?.[1]
}

test('keys, settings, figures and clients of one are unknown to the other', async () => {
  const first = await start()
  const second = await start()
  for (const [index, server] of [first, second].entries()) {
    for (let i = 0; i < 100 * (index + 1); i++) await server.execute('SET', `key:${i}`, `value of ${index}`)
  }
  expect(await first.execute('DBSIZE')).toBe(100)
  expect(await second.execute('DBSIZE')).toBe(200)
  expect(await first.execute('GET', 'key:7')).toBe('value of 0')
  expect(await second.execute('GET', 'key:7')).toBe('value of 1')

  await first.execute('FLUSHALL')
  expect(await first.execute('DBSIZE')).toBe(0)
  expect(await second.execute('DBSIZE')).toBe(200)

  await first.execute('CONFIG', 'SET', 'slowlog-max-len', 7, 'maxmemory', '1mb', 'requirepass', 'secret')
  const settings = await second.execute('CONFIG', 'GET', 'slowlog-max-len', 'maxmemory', 'requirepass')
  expect(settings).toEqual(
    new Map([
      ['maxmemory', '0'],
      ['requirepass', ''],
      ['slowlog-max-len', '128'],
    ]),
  )

  await first.execute('CONFIG', 'RESETSTAT')
  expect(Number(await infoField(second, 'stats', 'total_commands_processed'))).toBeGreaterThan(200)
  expect(Number(await infoField(first, 'stats', 'total_commands_processed'))).toBeLessThan(5)
  expect(await infoField(first, 'server', 'run_id')).not.toBe(await infoField(second, 'server', 'run_id'))
  // One client each: the one that execute uses.
  expect(await infoField(first, 'clients', 'connected_clients')).toBe('1')
  expect(await infoField(second, 'clients', 'connected_clients')).toBe('1')
})

test('messages stay within their server', async () => {
  const first = await start({ listen: false })
  const second = await start({ listen: false })
  const heard: unknown[] = []
  const listener = first.connect({ onPush: (message) => heard.push(message) })
  await listener.execute('SUBSCRIBE', 'news')
  expect(await second.execute('PUBLISH', 'news', 'from the second')).toBe(0)
  expect(await first.execute('PUBLISH', 'news', 'from the first')).toBe(1)
  await Promise.resolve()
  expect(heard).toEqual([['message', 'news', 'from the first']])
})

test('clocks advance one by one', async () => {
  const first = await start({ listen: false })
  const second = await start({ listen: false })
  for (const server of [first, second]) await server.execute('SET', 'k', 'v', 'EX', 100)
  first.clock.advance(101_000)
  expect(await first.execute('GET', 'k')).toBe(null)
  expect(await second.execute('GET', 'k')).toBe('v')
  expect(await second.execute('TTL', 'k')).toBeGreaterThan(90)
})

test('commands of one are not those of the other, and may have state of their own', async () => {
  const counter = (start: number) => {
    let count = start
    return defineCommand({
      name: 'NEXT',
      arity: 1,
      flags: FAST,
      doc: { group: 'test', since: '1.0.0', summary: 'Counts up.' },
      run(_ctx, _argv, reply) {
        reply.integer(++count)
      },
    })
  }
  const first = await start({ listen: false, commands: [counter(0)] })
  const second = await start({ listen: false, commands: [counter(100)] })
  const third = await start({ listen: false })
  expect(await first.execute('NEXT')).toBe(1)
  expect(await second.execute('NEXT')).toBe(101)
  expect(await first.execute('NEXT')).toBe(2)
  await expect(third.execute('NEXT')).rejects.toThrow("unknown command 'NEXT'")
})

test('one closes and the others go on', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => start()))
  expect(new Set(all.map(({ port }) => port)).size).toBe(20)
  await Promise.all(all.map((server, i) => server.execute('SET', 'who', i)))
  await Promise.all(all.slice(0, 10).map((server) => server.close()))
  expect(await Promise.all(all.slice(10).map((server) => server.execute('GET', 'who')))).toEqual(
    Array.from({ length: 10 }, (_, i) => String(i + 10)),
  )
})
