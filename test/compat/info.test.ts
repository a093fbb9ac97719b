/**
 * INFO beside that of a real redis-server: after the same commands the same sections, the same fields in the same order,
 * and the same values wherever they do not depend on the machine, the moment or the way memory is kept.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findFreePort, hasRedisServer, type RedisProcess, spawnServer, startServer } from '../support/redis-process.ts'
import type { RespClient } from '../support/resp-client.ts'

/** Fields that differ, by reason. Patterns match whole names. */
const DIFFERENT: readonly (readonly [reason: string, ...names: RegExp[]])[] = [
  ['builds', /redis_build_id|gcc_version|atomicvar_api|executable|mem_allocator/],
  ['processes', /process_id|run_id|tcp_port|used_cpu_.*|total_system_memory.*/],
  ['moments', /server_time_usec|uptime_.*|lru_clock|rdb_last_save_time|instantaneous_.*|expire_cycle_cpu_.*/],
  ['chance', /master_replid/],
  ['the length of INFO itself', /total_net_output_bytes/],
  [
    'memory is kept in another way',
    /used_memory.*|allocator_.*|rss_overhead_.*|mem_fragmentation_.*|mem_clients_normal/,
  ],
  ['there is no Lua machine, which has a library of its own', /number_of_.*/],
  ['read buffers are shared', /client_recent_max_.*/],
  ['one call may be read in several pieces', /total_reads_processed|total_writes_processed/],
  ['every client has its turn of the cron', /reply_buffer_.*/],
  ['keys may have expired at other moments', /expired_stale_perc|expired_time_cap_reached_count/],
]

const PREPARATION: readonly (readonly string[])[] = [
  ['SET', 'a', '1'],
  ['SET', 'b', 'text'],
  ['SET', 'c', 'x', 'PX', '100000000'],
  ['GET', 'a'],
  ['GET', 'nothing'],
  ['INCR', 'a'],
  ['INCR', 'b'],
  ['SET', 'a'],
  ['nosuch', 'command'],
  ['CONFIG', 'GET', 'port'],
  ['CONFIG', 'SET', 'nosuch', '1'],
  ['SLOWLOG', 'LEN'],
  ['DEBUG', 'ERROR', 'MYCODE uncounted'],
  ['CONFIG', 'SET', 'latency-tracking-info-percentiles', '0 50 99.9 100 33.333333'],
]

type Line = readonly [name: string, value: string | null]

/** Lines as names and values; null for those that may differ. */
function comparable(text: string): Line[] {
  return text.split('\r\n').map((line) => {
    const colon = line.indexOf(':')
    if (colon < 0) return [line, null]
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1)
    if (DIFFERENT.some(([, ...names]) => names.some((pattern) => new RegExp(`^(?:${pattern.source})$`).test(name)))) {
      return [name, null]
    }
    if (name.startsWith('cmdstat_')) return [name, value.replace(/usec=\d+,usec_per_call=\d+\.\d\d,/, '')]
    if (name.startsWith('latency_percentiles_')) return [name, value.replace(/=\d+\.\d{3}/g, '=')]
    // Average times to live are estimated by the cron.
    if (/^db\d/.test(name)) return [name, value.replace(/avg_ttl=\d+/, 'avg_ttl=')]
    return [name, value]
  })
}

/** Redis lists commands in the order of its table, which is random. */
function sorted(lines: readonly Line[]): Line[] {
  const isStat = ([name]: Line) => /^(?:cmdstat|latency_percentiles)_/.test(name)
  const result: Line[] = []
  let run: Line[] = []
  for (const line of [...lines, ['', null] as const]) {
    if (isStat(line)) run.push(line)
    else {
      result.push(...run.sort(([a], [b]) => (a < b ? -1 : 1)), line)
      run = []
    }
  }
  return result
}

describe.skipIf(!hasRedisServer())('INFO', () => {
  const servers: RedisProcess[] = []
  const clients: RespClient[] = []
  let outputBytes: string[] = []

  beforeAll(async () => {
    for (const server of ['redis', 'o7'] as const) {
      const started = await startServer({ server, directives: { 'enable-debug-command': 'yes' } })
      servers.push(started)
      clients.push(await started.connect())
    }
    for (const command of PREPARATION) for (const client of clients) await client.call(...command)
    outputBytes = await Promise.all(
      clients.map(async (client) => /total_net_output_bytes:(.*)\r/.exec(await infoOf(client, 'stats'))![1]!),
    )
  })

  afterAll(async () => {
    for (const client of clients) await client.close()
    for (const server of servers) await server.stop()
  })

  const infoOf = async (client: RespClient, ...sections: string[]): Promise<string> =>
    (await client.query('INFO', ...sections)) as string

  test.each([
    [[]],
    [['default']],
    [['all']],
    [['everything']],
    [['server']],
    [['clients']],
    [['memory']],
    [['persistence']],
    [['stats']],
    [['replication']],
    [['cpu']],
    [['modules']],
    [['module_list']],
    [['commandstats']],
    [['errorstats']],
    [['latencystats']],
    [['cluster']],
    [['keyspace']],
    [['KEYSPACE']],
    [['keyspace', 'cpu']],
    [['cpu', 'keyspace', 'cpu']],
    [['default', 'commandstats']],
    [['nosuch']],
    [['nosuch', 'cluster']],
    [['all', 'nosuch']],
    [['']],
  ])('%j', async (sections) => {
    const [redis, o7] = await Promise.all(clients.map((client) => infoOf(client, ...sections)))
    expect(sorted(comparable(o7!))).toEqual(sorted(comparable(redis!)))
  })

  test('counts the bytes of replies alike, until INFO has replied', () => {
    expect(outputBytes[1]).toBe(outputBytes[0])
  })

  test('values have the forms that Redis gives them', async () => {
    const form = (line: string) => {
      if (line.startsWith('mem_allocator:')) return 'mem_allocator'
      return line.replace(/(?<=:).*/, (value) => value.replace(/-?\d+/g, '0').replace(/^0\.0[KMG]$/, '0B'))
    }
    const [redis, o7] = await Promise.all(clients.map((client) => infoOf(client, 'memory', 'cpu', 'stats')))
    expect(o7!.split('\r\n').map(form)).toEqual(redis!.split('\r\n').map(form))
  })

  test('is text in RESP2 and verbatim text in RESP3', async () => {
    const raw: string[] = []
    for (const server of servers) {
      const client = await server.connect()
      let replies = (await client.call('INFO', 'cluster')).toString('latin1')
      await client.call('HELLO', '3')
      replies += (await client.call('INFO', 'cluster')).toString('latin1')
      raw.push(replies)
      await client.close()
    }
    expect(raw[1]).toBe(raw[0])
    expect(raw[0]).toContain('=')
  })

  test('counters follow what happens', async () => {
    const client = clients[1]!
    const field = async (name: string) =>
      Number(new RegExp(`^${name}:(.*)\r$`, 'm').exec(await infoOf(client, 'everything'))![1])
    const counted = ['total_commands_processed', 'total_net_input_bytes', 'total_net_output_bytes', 'keyspace_hits']
    const before = await Promise.all(counted.map(field))
    await client.call('GET', 'a')
    const after = await Promise.all(counted.map(field))
    for (const [index, name] of counted.entries()) expect(after[index], name).toBeGreaterThan(before[index]!)
    await client.call('CONFIG', 'RESETSTAT')
    expect(await field('keyspace_hits')).toBe(0)
    expect(await field('total_error_replies')).toBe(0)
    expect(await field('total_commands_processed')).toBeLessThan(5)
  })

  test('saves in the background count as forks', async () => {
    const figures = await Promise.all(
      clients.map(async (client) => {
        const forks = async () => /total_forks:(\d+)/.exec(await infoOf(client, 'stats'))![1]
        await client.call('CONFIG', 'RESETSTAT')
        await client.call('SAVE')
        const figures = [await forks()]
        await client.call('BGSAVE')
        figures.push(await forks())
        while ((await infoOf(client, 'persistence')).includes('rdb_bgsave_in_progress:1'));
        await client.call('CONFIG', 'RESETSTAT')
        return [...figures, await forks()]
      }),
    )
    expect(figures[1]).toEqual(figures[0])
    expect(figures[0]).toEqual(['0', '1', '0'])
  })

  test('used memory grows with the data, and its peak stays', async () => {
    const client = clients[1]!
    const used = async (name: string) =>
      Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await infoOf(client, 'memory'))![1])
    const before = await used('allocator_allocated')
    const valueBytes = 3_000_000
    await client.call('SET', 'large', 'x'.repeat(valueBytes))
    const filled = await used('allocator_allocated')
    const filledInAll = await used('used_memory')
    expect(filled - before).toBeGreaterThan(valueBytes)
    expect(filled - before).toBeLessThan(valueBytes * 1.1)
    // With the client's own buffer, which is kept for a while.
    expect(filledInAll).toBeGreaterThan(filled)
    expect(filledInAll - filled).toBeLessThan(valueBytes * 2)
    await client.call('SET', 'large', '')
    expect(Math.abs((await used('allocator_allocated')) - before)).toBeLessThan(1000)
    expect(await used('used_memory_peak')).toBeGreaterThanOrEqual(filledInAll)
  })

  test('loading has fields of its own', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'o7-loading-'))
    const source = await startServer({ server: 'redis', dir: folder, directives: { 'enable-debug-command': 'yes' } })
    const writer = await source.connect()
    // Enough for twenty seconds: nobody waits for the end.
    await writer.call('DEBUG', 'POPULATE', '10000')
    await writer.call('SAVE')
    await writer.close()
    await source.stop()
    const texts: string[] = []
    for (const kind of ['redis', 'o7'] as const) {
      const loading = spawnServer(
        {
          server: kind,
          dir: folder,
          // Clients are heard every few keys, each of which takes its time.
          directives: { 'key-load-delay': 2000, 'loading-process-events-interval-bytes': 1024 },
        },
        await findFreePort(),
      )
      await loading.waitForLog(/RDB memory usage when created/)
      const client = await loading.connect()
      const text = await infoOf(client, 'persistence')
      expect(text).toContain('loading:1\r\n')
      const field = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)\r$`, 'm').exec(text)![1])
      expect(field('loading_loaded_bytes')).toBeGreaterThan(0)
      expect(field('loading_loaded_bytes')).toBeLessThan(field('loading_total_bytes'))
      expect(field('loading_loaded_perc')).toBeGreaterThan(0)
      expect(field('loading_loaded_perc')).toBeLessThan(100)
      expect(Math.abs(field('loading_start_time') * 1000 - Date.now())).toBeLessThan(30_000)
      texts.push(text)
      await client.close()
      await loading.stop('SIGKILL')
    }
    rmSync(folder, { recursive: true, force: true })
    const total = (text: string) => /loading_(?:total_bytes|rdb_used_mem):\d+/g.exec(text)![0]
    expect(total(texts[1]!)).toBe(total(texts[0]!))
    const names = (text: string) => text.split('\r\n').map((line) => line.split(':')[0])
    expect(names(texts[1]!)).toEqual(names(texts[0]!))
  })
})
