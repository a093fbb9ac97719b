/** The program beside redis-server where its configuration is wrong, and where it is asked for it over a socket. */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { TemporaryFolder } from '../support/config-harness.ts'
import { findFreePort, hasRedisServer, serverProgram, startServer } from '../support/redis-process.ts'
import { decodeReply, RespClient, type RespTarget } from '../support/resp-client.ts'

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

  test.each([
    [200, {}],
    [60, { maxclients: 50 }],
    [900, { maxclients: 200_000, maxmemory: 2, 'tcp-backlog': 1_000_000 }],
    [1024, { unixsocket: '/no/such/place/socket' }],
    [32, {}],
  ])('with %i files and %j: log, what comes of it, exit code', async (files, directives) => {
    using folder = new TemporaryFolder()
    const outcomes = []
    for (const kind of ['redis', 'o7'] as const) {
      const program = folder.join(kind)
      writeFileSync(program, `#!/bin/bash\nulimit -n ${files} || exit 99\nexec ${serverProgram(kind)} "$@"\n`)
      chmodSync(program, 0o755)
      const port = await findFreePort()
      const args = Object.entries({ port, save: '', dir: folder.path, ...directives })
      const child = spawn(
        program,
        args.flatMap(([name, value]) => [`--${name}`, String(value)]),
        { stdio: ['ignore', 'pipe', 'ignore'] },
      )
      let log = ''
      const replies: string[] = []
      const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
      await new Promise<void>((resolve) => {
        child.once('close', resolve)
        child.stdout.on('data', (bytes) => {
          log += bytes
          if (/Ready to accept/.test(log)) resolve()
        })
      })
      if (child.exitCode === null) {
        const client = await RespClient.connect({ port })
        for (const wanted of ['1000000', '10', '169', '28']) {
          replies.push(String(await client.call('CONFIG', 'GET', 'maxclients')))
          replies.push(String(await client.call('CONFIG', 'SET', 'maxclients', wanted)))
        }
        client.end()
        child.kill('SIGTERM')
      }
      const code = await closed
      // With more privileges than usual it raises the limit by itself, which Node.js cannot.
      if (/Increased maximum number of open files/.test(log)) return
      const lines = log
        .split('\n')
        .filter((line) => /ulimit|maxclients|maximum|TCP backlog|maxmemory|socket/.test(line))
        .map((line) => line.slice(line.search(/[.*#-] [A-Z]/)))
      outcomes.push({ code, lines, replies })
    }
    expect(outcomes[1]).toEqual(outcomes[0])
    expect(outcomes[0]!.lines).not.toEqual([])
  })

  test('bind and port can be changed, even to nowhere; what fails changes nothing, and the unix socket stays', async () => {
    const outcomes = []
    for (const kind of ['redis', 'o7'] as const) {
      await using server = await startServer({ server: kind, directives: { unixsocket: 's' } })
      await using blocked = await startServer({ server: 'redis' })
      const client = await server.connect()
      const other = await findFreePort()
      const answers = (target: RespTarget) =>
        RespClient.connect(target).then(
          (visitor) => visitor.call('PING').then((reply) => visitor.close().then(() => String(reply))),
          () => 'nobody',
        )
      const story: unknown[] = []
      for (const changes of [
        ['bind', ''],
        ['bind', '127.0.0.1'],
        ['bind', '-'],
        ['bind', '192.0.2.99'],
        ['port', blocked.port],
        ['port', 0],
        ['bind', '127.0.0.1 -::1'],
        ['port', other],
        ['port', other, 'bind', '127.0.0.1'],
      ]) {
        story.push(
          String(await client.call('CONFIG', 'SET', ...changes)),
          String(await client.query('CONFIG', 'GET', 'bind')),
          await answers({ port: server.port }),
          await answers({ port: other }),
          await answers({ path: server.socketPath! }),
        )
      }
      client.end()
      outcomes.push(story)
    }
    expect(outcomes[1]).toEqual(outcomes[0])
  })

  test('at level verbose the log tells of clients that come and go', async () => {
    const lines: string[][] = []
    for (const server of ['redis', 'o7'] as const) {
      await using running = await startServer({ server, directives: { loglevel: 'verbose', unixsocket: 's' } })
      for (const target of [{ port: running.port }, { path: running.socketPath! }]) {
        const before = running.log.length
        const client = await RespClient.connect(target)
        await client.call('CLIENT', 'SETNAME', 'x')
        client.end()
        await running.waitForLog(new RegExp(`^[^]{${before}}[^]*Client closed connection .*\n`))
      }
      lines.push(
        running.log
          .split('\n')
          .map((line) => line.slice(line.indexOf(' - ')))
          .filter((line) => /Accepted|Client closed/.test(line))
          .map((line) =>
            line
              .replace(/connection id=\d+/, 'connection id=ID')
              .replace(/fd=\d+/, 'fd=FD')
              .replace(/(age|idle|rb[sp]|tot-mem)=\d+/g, '$1=N')
              .replace(/[\d.]+:\d{2,}/g, 'PLACE'),
          ),
      )
    }
    expect(lines[1]).toEqual(lines[0])
    expect(lines[0]!.length).toBeGreaterThan(3)
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
