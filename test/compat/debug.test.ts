/** DEBUG beside redis-server's: replies, errors, and what it does to data. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasRedisServer, startServer } from '../support/redis-process.ts'
import { ServerPair } from '../support/server-pair.ts'

/** Lines of HELP about what is not here: append-only files, cluster, jemalloc, restarting in place. */
const NOT_HERE =
  /^(?:AOF-FLUSH-SLEEP|CRASH-AND-RECOVER|LOADAOF|MALLCTL|MALLCTL-STR|DROP-CLUSTER-PACKET-FILTER|RESTART|CLUSTERLINK)\b/
/** And about what Redis has not. */
const ONLY_HERE = /^(?:JMAP|STRINGMATCH-LEN)\b/

describe.skipIf(!hasRedisServer())('DEBUG', () => {
  let pair: ServerPair

  beforeAll(async () => {
    pair = await ServerPair.start({ 'enable-debug-command': 'yes' })
  })
  afterAll(() => pair.stop())

  test.each(['2', '3'])('PROTOCOL in RESP%s', async (version) => {
    await pair.expectSame(['HELLO', version], () => null)
    for (const kind of 'string integer double bignum null array set map attrib verbatim true false nosuch'.split(' ')) {
      await pair.expectSame(['DEBUG', 'PROTOCOL', kind])
    }
    await pair.expectSame(['debug', 'protocol', 'STRING'])
    if (version === '2') await pair.expectSame(['DEBUG', 'PROTOCOL', 'push'])
    else {
      const replies = []
      for (const client of [pair.redisClient, pair.o7Client]) {
        client.send('DEBUG', 'PROTOCOL', 'push')
        replies.push(`${await client.readAny()}${await client.readAny()}`)
      }
      expect(replies[1]).toBe(replies[0])
    }
    await pair.expectSame(['HELLO', '2'], () => null)
  })

  test.each([
    [['DEBUG']],
    [['DEBUG', 'nosuch']],
    [['DEBUG', 'HELP', 'x']],
    [['debug', 'sleep']],
    [['DEBUG', 'SLEEP', '0']],
    [['DEBUG', 'SLEEP', '-1']],
    [['DEBUG', 'SLEEP', 'x']],
    [['DEBUG', 'SLEEP', '0.01x']],
    [['DEBUG', 'SLEEP', '0', '0']],
    [['DEBUG', 'ERROR']],
    [['DEBUG', 'ERROR', 'ERR plain']],
    [['DEBUG', 'ERROR', 'MYCODE with\r\nline ends']],
    [['DEBUG', 'ERROR', '']],
    [['DEBUG', 'LOG', 'x']],
    [['DEBUG', 'LOG']],
    [['DEBUG', 'LEAK', 'x']],
    [['DEBUG', 'OBJECT', 'nothing']],
    [['DEBUG', 'OBJECT']],
    [['DEBUG', 'SDSLEN', 'nothing']],
    [['DEBUG', 'LISTPACK', 'nothing']],
    [['DEBUG', 'QUICKLIST', 'nothing', '1']],
    [['DEBUG', 'HTSTATS-KEY', 'nothing']],
    [['DEBUG', 'HTSTATS', '0']],
    [['DEBUG', 'HTSTATS', '15']],
    [['DEBUG', 'HTSTATS', '16']],
    [['DEBUG', 'HTSTATS', '-1']],
    [['DEBUG', 'HTSTATS', 'x']],
    [['DEBUG', 'POPULATE', '-1']],
    [['DEBUG', 'POPULATE', 'x']],
    [['DEBUG', 'POPULATE', '1', 'p', '-1']],
    [['DEBUG', 'POPULATE', '1', 'p', '1', 'x']],
    [['DEBUG', 'SET-ACTIVE-EXPIRE', '1']],
    [['DEBUG', 'SET-ACTIVE-EXPIRE']],
    [['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '100b']],
    [['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '0']],
    [['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '5gb']],
    [['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '4293918720']],
    [['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '4293918721']],
    [['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', 'x']],
    [['DEBUG', 'REPLICATE', 'x']],
    [['DEBUG', 'CHANGE-REPL-ID']],
    [['DEBUG', 'CLIENT-EVICTION']],
    [['DEBUG', 'PAUSE-CRON', '0']],
    [['DEBUG', 'REPLYBUFFER', 'RESIZING', '1']],
    [['DEBUG', 'REPLYBUFFER', 'nosuch', '1']],
    [['DEBUG', 'REPLYBUFFER', 'PEAK-RESET-TIME', 'x']],
    [['DEBUG', 'REPLYBUFFER', 'PEAK-RESET-TIME', '100']],
    [['DEBUG', 'REPLYBUFFER', 'PEAK-RESET-TIME', 'never']],
    [['DEBUG', 'REPLYBUFFER', 'PEAK-RESET-TIME', 'RESET']],
    [['DEBUG', 'RELOAD', 'nosuch']],
  ])('%j', async (command) => {
    await pair.expectSame(command)
  })

  test('HELP', async () => {
    const entries = (reply: string) => {
      const lines = reply.split('\r\n').filter((line) => line.startsWith('+'))
      const found: string[] = []
      for (const line of lines.slice(1).map((text) => text.slice(1))) {
        if (line.startsWith(' ')) found[found.length - 1] += `\n${line}`
        else found.push(line)
      }
      return found.filter((entry) => !NOT_HERE.test(entry) && !ONLY_HERE.test(entry)).sort()
    }
    await pair.expectSame(['DEBUG', 'HELP'], entries)
  })

  test('POPULATE makes the same keys', async () => {
    await pair.expectSame(['SET', 'key:3', 'stays'])
    for (const command of [
      ['DEBUG', 'POPULATE', '5'],
      ['DEBUG', 'POPULATE', '3', 'sized', '3'],
      ['DEBUG', 'POPULATE', '3', 'longer', '60'],
      ['DEBUG', 'POPULATE', '2', 'zero', '0'],
      ['DEBUG', 'POPULATE', '2', 'p'.repeat(200)],
      ['DEBUG', 'POPULATE', '0'],
    ]) {
      await pair.expectSame(command)
    }
    await pair.expectSame(['DBSIZE'])
    for (const key of ['key:0', 'key:3', 'key:4', 'sized:2', 'longer:1', 'zero:1', 'p'.repeat(127)]) {
      await pair.expectSame(['GET', key])
      await pair.expectSame(['OBJECT', 'ENCODING', key])
    }
    await pair.expectSame(['DEBUG', 'DIGEST'])
  })

  test('OBJECT describes values alike', async () => {
    await pair.expectSame(['FLUSHALL'])
    const values = [
      '1',
      '9999',
      '10000',
      '-5',
      '123456789012',
      'short',
      'x'.repeat(44),
      'x'.repeat(45),
      'ab'.repeat(500),
    ]
    const shape = (reply: string) =>
      reply
        .replace(/at:0x[0-9a-f]+ /, 'at:0x ')
        .replace(/lru:\d+ /, 'lru: ')
        .replace(/idle:\d+/, 'idle:')
    for (const value of values) {
      await pair.expectSame(['SET', 'key', value])
      await pair.expectSame(['DEBUG', 'OBJECT', 'key'], shape)
    }
    const lengths = (reply: string) => reply.replace(/(avail|zmalloc): ?\d+/g, '$1')
    for (const value of values) {
      await pair.expectSame(['SET', 'key', value])
      await pair.expectSame(['DEBUG', 'SDSLEN', 'key'], lengths)
    }
    await pair.expectSame(['DEBUG', 'LISTPACK', 'key'])
    await pair.expectSame(['DEBUG', 'QUICKLIST', 'key'])
    await pair.expectSame(['DEBUG', 'HTSTATS-KEY', 'key'])
  })

  test('which subcommands count hits and misses', async () => {
    const counts = (reply: string) => /keyspace_hits:\d+\r\nkeyspace_misses:\d+/.exec(reply)?.[0]
    await pair.expectSame(['FLUSHALL'])
    await pair.expectSame(['SADD', 'members', 'a'])
    await pair.expectSame(['RPUSH', 'elements', 'a'])
    await pair.expectSame(['HSET', 'fields', 'a', '1'])
    await pair.expectSame(['CONFIG', 'RESETSTAT'])
    for (const key of ['members', 'elements', 'fields', 'nothing']) {
      for (const subcommand of ['OBJECT', 'SDSLEN', 'LISTPACK', 'QUICKLIST', 'HTSTATS-KEY', 'DIGEST-VALUE']) {
        await pair.ask('DEBUG', subcommand, key)
        expect(await pair.expectSame(['INFO', 'stats'], counts), `${subcommand} ${key}`).toContain('keyspace_hits')
      }
    }
  })

  test('DIGEST and DIGEST-VALUE', async () => {
    await pair.expectSame(['FLUSHALL'])
    await pair.expectSame(['DEBUG', 'DIGEST'])
    await pair.expectSame(['MSET', 'a', '1', 'b', 'text', 'c', '\x00\xff'])
    await pair.expectSame(['PEXPIREAT', 'b', '99999999999999'])
    await pair.expectSame(['DEBUG', 'DIGEST'])
    await pair.expectSame(['DEBUG', 'DIGEST-VALUE', 'a', 'nothing', 'b', 'c'])
    await pair.expectSame(['DEBUG', 'DIGEST-VALUE'])
  })

  test('SET-SKIP-CHECKSUM-VALIDATION lets payloads and files pass', async () => {
    await pair.expectSame(['SET', 'dumped', 'value'])
    const payload = Buffer.from((await pair.redisClient.call('DUMP', 'dumped')).subarray(5, -2))
    payload[payload.length - 1]! ^= 1
    await pair.expectSame(['RESTORE', 'restored', '0', payload])
    await pair.expectSame(['DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', '1'])
    await pair.expectSame(['RESTORE', 'restored', '0', payload])
    await pair.expectSame(['GET', 'restored'])
    for (const server of [pair.redis, pair.o7]) {
      const client = await server.connect()
      await client.call('SAVE')
      const path = join(server.dir, 'dump.rdb')
      const file = readFileSync(path)
      file[file.length - 1]! ^= 1
      writeFileSync(path, file)
      expect(await client.query('DEBUG', 'RELOAD', 'NOSAVE')).toBe('OK')
      await client.close()
    }
    await pair.expectSame(['DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', '0'])
    await pair.expectSame(['RESTORE', 'again', '0', payload])
    await pair.expectSame(['GET', 'restored'])
  })

  test('HTSTATS adds up', async () => {
    await pair.expectSame(['FLUSHALL'])
    await pair.expectSame(['DEBUG', 'POPULATE', '1000'])
    const names = (reply: string) =>
      reply
        .replace(/Hash table 1 stats[^[]*/, '')
        .replace(/ {3}\d+: \d+ \(\d+\.\d\d%\)\n/g, '')
        .replace(/\d+\.\d\d/g, 'ratio')
        .replace(/(size|slots|length): \d+/g, '$1: n')
        .replace(/^\$\d+/, '$')
        .replace(/elements: \d+/, 'elements: n')
    await pair.expectSame(['DEBUG', 'HTSTATS', '0'], names)
    const report = (await pair.o7Client.query('DEBUG', 'HTSTATS', '0')) as string
    const elements = [...report.matchAll(/number of elements: (\d+)/g)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    )
    expect(elements).toBe(1000)
    const chains = [...report.matchAll(/ {3}(\d+): (\d+) /g)]
    expect(chains.reduce((sum, [, length, count]) => sum + Number(length) * Number(count), 0)).toBe(1000)
  })

  test('CHANGE-REPL-ID begins another history', async () => {
    const { o7Client } = pair
    const id = async () =>
      /master_replid:([0-9a-f]{40})\r/.exec((await o7Client.query('INFO', 'replication')) as string)![1]
    const before = await id()
    await o7Client.call('DEBUG', 'CHANGE-REPL-ID')
    expect(await id()).not.toBe(before)
    await pair.o7.waitForLog(/# Changing replication IDs after receiving DEBUG change-repl-id/)
  })

  test('LOG, JMAP, STRUCTSIZE and STRINGMATCH-LEN', async () => {
    const { o7Client } = pair
    await pair.expectSame(['DEBUG', 'LOG', 'a message'])
    await pair.o7.waitForLog(/ # DEBUG LOG: a message\n/)
    // Redis's own takes seconds.
    expect(await o7Client.query('DEBUG', 'STRINGMATCH-TEST')).toBe('Apparently Redis did not crash: test passed')
    expect(await o7Client.query('DEBUG', 'JMAP')).toMatch(/^used_heap_size: \d+$/m)
    expect(await o7Client.query('DEBUG', 'STRUCTSIZE')).toMatch(/^bits:64 entry:\d+ /)
    expect(await o7Client.query('DEBUG', 'STRINGMATCH-LEN', 'a*c', 'abbc')).toBe(1)
    expect(await o7Client.query('DEBUG', 'STRINGMATCH-LEN', 'a*c', 'abbd')).toBe(0)
  })

  test('is refused unless it is enabled', async () => {
    for (const allowed of ['no', 'local', 'yes']) {
      const other = await ServerPair.start({ 'enable-debug-command': allowed })
      await other.expectSame(['DEBUG', 'SLEEP', '0'])
      await other.expectSame(['DEBUG', 'nosuch'])
      await other.expectSame(['DEBUG'])
      await other.stop()
    }
  })

  test.each([
    ['ASSERT', /# === ASSERTION FAILED ===\n.* # ==> \S+:\d+ '1 == 2' is not true\n/],
    [
      'PANIC',
      /# !!! Software Failure\. Press left mouse button to continue\n.* # Guru Meditation: DEBUG PANIC called at Unix time \d{10} #\S+:\d+\n/,
    ],
    ['SEGFAULT', /# Redis 7\.0\.15 crashed by signal: 11, si_code: \d+\n/],
    ['OOM', /# Guru Meditation: Redis aborting for OUT OF MEMORY\. Allocating 9223372036854775807 bytes! #/],
  ])('%s ends the server with a report', async (subcommand, failure) => {
    const sections: string[][] = []
    for (const kind of ['redis', 'o7'] as const) {
      const server = await startServer({
        server: kind,
        directives: { 'enable-debug-command': 'yes', 'crash-memcheck-enabled': 'no' },
      })
      const client = await server.connect()
      await client.call('PING')
      client.send('DEBUG', subcommand)
      await client.closed
      await server.exited
      expect(server.log).toContain('\n\n=== REDIS BUG REPORT START: Cut & paste starting from here ===\n')
      expect(server.log).toMatch(failure)
      expect(server.log).toContain('\n=== REDIS BUG REPORT END. Make sure to include from START to END. ===\n')
      expect(server.log).toContain('cmdstat_')
      sections.push([...server.log.matchAll(/^------ (.*) ------$/gm)].map(([, name]) => name!))
      await server.stop()
    }
    // Registers and machine code are nothing that JavaScript could show.
    const known = sections[0]!.filter((name) => !/REGISTERS|DUMPING CODE|FAST MEMORY TEST/.test(name))
    expect(sections[1]).toEqual(known)
  })

  test('SIGABRT has a report, too', async () => {
    const server = await startServer({ server: 'o7' })
    server.signal('SIGABRT')
    await server.exited
    expect(server.log).toMatch(/# Redis 7\.0\.15 crashed by signal: 6, si_code: 0\n(?:.*\n)*------ STACK TRACE ------/)
    await server.stop()
  })
})
