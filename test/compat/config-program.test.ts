/** The program beside redis-server where its configuration is wrong, and where it is asked for it over a socket. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { TemporaryFolder } from '../support/config-harness.ts'
import { hasRedisServer, serverProgram, startServer } from '../support/redis-process.ts'
import { decodeReply } from '../support/resp-client.ts'

describe.skipIf(!hasRedisServer())('the program', () => {
  test.each<[string[], string]>([
    [['--port', 'abc'], ''],
    [['--bogus'], ''],
    [['bad.conf'], ''],
    [['-', '--hz', '1', '2'], 'hz 5'],
    [['-'], 'hz 5\nrequirepass "x\n'],
    [['nowhere.conf'], ''],
    [['--logfile', '/no/such/place/log'], ''],
  ])('%j is refused as by redis-server: standard error, log, exit code', (args, input) => {
    using folder = new TemporaryFolder()
    writeFileSync(folder.join('bad.conf'), '# first\nmaxmemory 1x\n')
    const refusal = (kind: 'redis' | 'o7') => {
      const run = spawnSync(serverProgram(kind), args, { cwd: folder.path, input, timeout: 10_000, encoding: 'utf8' })
      // Process id and time differ.
      return {
        code: run.status,
        stderr: run.stderr,
        log: run.stdout.replace(/^\d+:C .*?\.\d{3} # /gm, 'PID:C TIME # '),
      }
    }
    expect(refusal('o7')).toEqual(refusal('redis'))
  })

  test('log lines have the same form, on standard output and in a file', async () => {
    using folder = new TemporaryFolder()
    const line =
      /^\d+:[CMS] \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d\.\d{3} [.*#-] \S.*$/
    const own = 'port 0\nunixsocket s\nsave ""\n'
    for (const server of ['redis', 'o7'] as const) {
      writeFileSync(folder.join('c.conf'), `${own}dir ${folder.path}\nlogfile ${server}.log\n`)
      const child = spawn(serverProgram(server), ['c.conf'], { cwd: folder.path, stdio: 'ignore' })
      const closed = new Promise((resolve) => child.once('close', resolve))
      let lines: string[] = []
      while (!/ready to accept connections/.test(lines.join('\n')) && child.exitCode === null) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        lines = readFileSync(folder.join(`${server}.log`), { encoding: 'utf8', flag: 'a+' })
          .split('\n')
          .slice(0, -1)
      }
      child.kill('SIGKILL')
      await closed
      expect(lines.filter((each) => !line.test(each))).toEqual([])
      expect(lines.some((each) => each.startsWith(`${child.pid}:M `))).toBe(true)
    }
  })

  test('CONFIG GET * over a socket has the same names and values', async () => {
    await using redis = await startServer({ server: 'redis' })
    await using o7 = await startServer({ server: 'o7' })
    const tables = await Promise.all(
      [redis, o7].map(async (server) => {
        const client = await server.connect()
        const flat = decodeReply(await client.call('CONFIG', 'GET', '*')) as string[]
        client.end()
        const pairs = new Map<string, string>()
        for (let i = 0; i < flat.length; i += 2) pairs.set(flat[i]!, flat[i + 1]!)
        for (const own of ['port', 'dir']) pairs.delete(own)
        return Object.fromEntries(pairs)
      }),
    )
    expect(tables[1]).toEqual(tables[0])
  })
})
