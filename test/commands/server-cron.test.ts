/** What the cron does for statistics, memory and the log, on a clock that is moved. */
import { expect, test } from 'vitest'
import { createServer, ManualClock } from '../../src/index.ts'

const info = async (server: Awaited<ReturnType<typeof createServer>>, name: string): Promise<number> => {
  const text = (await server.execute('INFO', 'everything')) as string
  return Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)![1])
}

test('databases and clients are reported every five seconds, to logs that are kept in such detail', async () => {
  for (const [loglevel, hasKeys, hasClients] of [
    ['debug', true, true],
    ['verbose', true, false],
    ['notice', false, false],
  ] as const) {
    const lines: string[] = []
    await using server = await createServer({
      listen: false,
      clock: new ManualClock(),
      loglevel,
      onLog: (line) => lines.push(line),
    })
    server.clock.advance(1)
    await server.execute('MSET', 'a', '1', 'b', '2')
    await server.execute('SET', 'c', '3', 'EX', '100')
    const client = server.connect()
    await client.execute('SELECT', '7')
    await client.execute('SET', 'd', '4')
    lines.length = 0
    server.clock.advance(4000)
    expect(lines).toEqual([])
    server.clock.advance(1000)
    const keys = lines.filter((line) => / - DB \d+: /.test(line)).map((line) => line.replace(/^.* - /, ''))
    expect(keys).toEqual(
      hasKeys ? ['DB 0: 3 keys (1 volatile) in 12 slots HT.', 'DB 7: 1 keys (0 volatile) in 12 slots HT.'] : [],
    )
    const clients = lines.filter((line) => / \. 2 clients connected \(0 replicas\), \d+ bytes in use$/.test(line))
    expect(clients).toHaveLength(hasClients ? 1 : 0)
    lines.length = 0
    server.clock.advance(4999)
    expect(lines).toEqual([])
  }
})

test('rates are those of the last seconds', async () => {
  await using server = await createServer({ listen: false, clock: new ManualClock() })
  server.clock.advance(100)
  for (let round = 0; round < 16; round++) {
    for (let i = 0; i < 50; i++) await server.execute('PING')
    server.clock.advance(100)
  }
  expect(await info(server, 'instantaneous_ops_per_sec')).toBe(500)
  // Each PING is 14 bytes of request and 7 of reply.
  expect(await info(server, 'instantaneous_input_kbps')).toBeCloseTo((500 * 14) / 1024, 1)
  expect(await info(server, 'instantaneous_output_kbps')).toBeCloseTo((500 * 7) / 1024, 1)
  for (let round = 0; round < 17; round++) server.clock.advance(100)
  expect(await info(server, 'instantaneous_ops_per_sec')).toBe(0)
})

test('the peak of memory is seen between two looks at it', async () => {
  await using server = await createServer({ listen: false, clock: new ManualClock() })
  const before = await info(server, 'used_memory')
  await server.execute('SET', 'large', 'x'.repeat(2_000_000))
  server.clock.advance(100)
  await server.execute('SET', 'large', '')
  server.clock.advance(10_000)
  expect(await info(server, 'used_memory')).toBeLessThan(before + 10_000)
  expect(await info(server, 'used_memory_peak')).toBeGreaterThan(before + 2_000_000)
})

test('uptime and the LRU clock follow the clock', async () => {
  const clock = new ManualClock(1_700_000_000_000)
  await using server = await createServer({ listen: false, clock })
  server.clock.advance(3 * 86_400_000 + 5000)
  expect(await info(server, 'uptime_in_seconds')).toBe(3 * 86_400 + 5)
  expect(await info(server, 'uptime_in_days')).toBe(3)
  expect(await info(server, 'lru_clock')).toBe((1_700_000_000 + 3 * 86_400 + 5) & 0xff_ffff)
  expect(await info(server, 'server_time_usec')).toBe((1_700_000_000_000 + 3 * 86_400_000 + 5000) * 1000)
})

test('DEBUG PAUSE-CRON stops all of it', async () => {
  await using server = await createServer({ listen: false, clock: new ManualClock() })
  await server.execute('DEBUG', 'PAUSE-CRON', '1')
  const before = await info(server, 'lru_clock')
  server.clock.advance(10_000)
  expect(await info(server, 'lru_clock')).toBe(before)
  await server.execute('DEBUG', 'PAUSE-CRON', '0')
  server.clock.advance(1000)
  expect(await info(server, 'lru_clock')).toBe(before + 11)
})
