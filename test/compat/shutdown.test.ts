/** SHUTDOWN and signals beside redis-server: exit codes, log lines, files, errors. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DirectiveValue, hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'

const KINDS = ['redis', 'o7'] as const
type Kind = (typeof KINDS)[number]

/** What the log says from the last "Ready" on, without process id, time and durations. */
function ending({ log }: RedisProcess): string[] {
  const lines = log.slice(log.lastIndexOf('Ready to accept connections')).split('\n').slice(1, -1)
  return lines
    .map((line) =>
      line.replace(/^\d+:([A-Z]) .{24} /, '$1 ').replace(/^\d+:signal-handler \(\d{10}\)/, 'signal-handler'),
    )
    .filter((line) => !/^M [.-] /.test(line))
    .map((line) =>
      line
        .replace(/temp-\d+/, 'temp-pid')
        .replace(/started by pid \d+/, 'started by pid')
        .replace(/root dir \S+\)/, 'root dir)'),
    )
    .filter(
      (line, at, all) => at < all.findIndex(isInsisting) || !all.slice(0, at).includes(line) || !all.some(isInsisting),
    )
}

/** Behind this line redis-server, which ends in its signal handler, may write again what it was just writing. */
function isInsisting(line: string): boolean {
  return line.includes('You insist')
}

/** redis-server hung, which says nothing of either server. */
class HungError extends Error {}

/**
 * The second SIGINT. redis-server ends within its signal handler: if that came while the C library held a lock, it hangs.
 */
async function insist(server: RedisProcess, kind: Kind): Promise<Awaited<RedisProcess['exited']>> {
  server.signal('SIGINT')
  if (kind !== 'redis') return await server.exited
  const hung = Symbol()
  const ended = await Promise.race([server.exited, new Promise<typeof hung>((done) => setTimeout(done, 5000, hung))])
  if (ended !== hung) return ended as Awaited<RedisProcess['exited']>
  await server.stop('SIGKILL')
  throw new HungError('redis-server hangs in its signal handler')
}

describe.skipIf(!hasRedisServer())('the end of a server', () => {
  const servers = new Set<RedisProcess>()
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'o7-shutdown-'))
  })
  afterAll(async () => {
    for (const server of servers) await server.stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  /** Starts both kinds in folders of their own, does the same with each, and compares what the log says of it. */
  async function compare(
    name: string,
    directives: Readonly<Record<string, DirectiveValue>>,
    act: (server: RedisProcess, kind: Kind) => Promise<unknown>,
  ): Promise<void> {
    const results: unknown[] = []
    for (const kind of KINDS) {
      for (let attempt = 1; results.length === KINDS.indexOf(kind); attempt++) {
        const dir = join(folder, `${name}-${kind}-${attempt}`)
        mkdirSync(dir)
        const server = await startServer({ server: kind, dir, directives })
        servers.add(server)
        try {
          const result = await act(server, kind)
          results.push({ result, status: server.status, log: ending(server) })
        } catch (error) {
          if (!(error instanceof HungError) || attempt === 3) throw error
        }
      }
    }
    expect(results[1]).toEqual(results[0])
  }

  test('SHUTDOWN without save points', async () => {
    await compare('plain', {}, async (server) => {
      const client = await server.connect()
      client.send('SHUTDOWN')
      await client.closed
      return await server.exited
    })
  })

  test.each([
    ['by default', ['SHUTDOWN'], true],
    ['not with NOSAVE', ['SHUTDOWN', 'NOSAVE'], false],
    ['with SAVE', ['shutdown', 'save', 'now', 'force'], true],
  ])('with save points it saves %s', async (_name, command, isSaved) => {
    await compare(`points-${command.join('-')}`, { save: ['900', '1'], pidfile: 'test.pid' }, async (server) => {
      const client = await server.connect()
      await client.call('SET', 'key', 'value')
      expect(existsSync(join(server.dir, 'test.pid'))).toBe(true)
      client.send(...command)
      await client.closed
      expect((await server.exited).code).toBe(0)
      expect(existsSync(join(server.dir, 'test.pid'))).toBe(false)
      const rdb = join(server.dir, 'dump.rdb')
      expect(existsSync(rdb)).toBe(isSaved)
      if (isSaved) expect(readFileSync(rdb, 'latin1')).toMatch(/^REDIS0010.*key/s)
    })
  })

  test('the unix socket goes', async () => {
    await compare('unix', { unixsocket: 's' }, async (server) => {
      await server.waitForLog(/ready to accept connections at s/)
      server.signal('SIGTERM')
      await server.exited
      return existsSync(join(server.dir, 's'))
    })
  })

  test('SAVE saves without save points', async () => {
    await compare('forced', {}, async (server) => {
      const client = await server.connect()
      await client.call('SET', 'key', 'value')
      client.send('SHUTDOWN', 'SAVE')
      await client.closed
      await server.exited
      return existsSync(join(server.dir, 'dump.rdb'))
    })
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('%s', async (signal) => {
    await compare(signal, { save: ['900', '1'] }, async (server) => {
      const client = await server.connect()
      await client.call('SET', 'key', 'value')
      server.signal(signal)
      await server.exited
      return existsSync(join(server.dir, 'dump.rdb'))
    })
  })

  test('shutdown-on-sigterm and shutdown-on-sigint', async () => {
    await compare('on-sigterm', { save: ['900', '1'], 'shutdown-on-sigterm': 'nosave' }, async (server) => {
      server.signal('SIGTERM')
      await server.exited
      return existsSync(join(server.dir, 'dump.rdb'))
    })
    await compare('on-sigint', { 'shutdown-on-sigint': ['save', 'force'] }, async (server) => {
      server.signal('SIGINT')
      await server.exited
      return existsSync(join(server.dir, 'dump.rdb'))
    })
  })

  test('a save that fails keeps the server alive, unless it is forced', async () => {
    await compare('failing', { save: ['900', '1'] }, async (server) => {
      // A folder in place of the file.
      mkdirSync(join(server.dir, 'dump.rdb'))
      const client = await server.connect()
      const replies = [await client.call('SHUTDOWN'), await client.call('PING')].map(String)
      server.signal('SIGTERM')
      await server.waitForLog(/signal-handler(?:.*\n)*.*Errors trying to shut down/)
      replies.push(String(await client.call('PING')))
      client.send('SHUTDOWN', 'FORCE')
      await client.closed
      return [replies, await server.exited]
    })
  })

  test('errors', async () => {
    await compare('errors', { save: ['900', '1'] }, async (server) => {
      const client = await server.connect()
      const replies: string[] = []
      for (const command of [
        ['SHUTDOWN', 'nosuch'],
        ['SHUTDOWN', 'SAVE', 'NOSAVE'],
        ['SHUTDOWN', 'ABORT', 'NOW'],
        ['SHUTDOWN', 'ABORT'],
        ['shutdown', 'abort', 'abort'],
        ['SHUTDOWN', 'NOW', 'x'],
        ['MULTI'],
        ['SHUTDOWN'],
        ['EXEC'],
      ]) {
        replies.push(String(await client.call(...command)))
      }
      return replies
    })
  })

  test('SHUTDOWN ABORT takes back what a signal asked for', async () => {
    await compare('abort', { 'enable-debug-command': 'yes' }, async (server) => {
      const client = await server.connect()
      await client.call('DEBUG', 'PAUSE-CRON', '1')
      server.signal('SIGTERM')
      await server.waitForLog(/scheduling shutdown/)
      const replies = [
        await client.call('SHUTDOWN', 'ABORT'),
        await client.call('SHUTDOWN', 'ABORT'),
        await client.call('DEBUG', 'PAUSE-CRON', '0'),
        await client.call('PING'),
      ]
      return replies.map(String)
    })
  })

  test('a second SIGINT does not wait', async () => {
    await compare('insist', { 'enable-debug-command': 'yes' }, async (server, kind) => {
      const client = await server.connect()
      await client.call('DEBUG', 'PAUSE-CRON', '1')
      server.signal('SIGINT')
      await server.waitForLog(/scheduling shutdown/)
      return await insist(server, kind)
    })
  })

  test('a second SIGINT leaves no temporary file of the last save', async () => {
    await compare('insist-saving', { save: ['900', '1'], 'rdb-key-save-delay': 100_000 }, async (server, kind) => {
      const client = await server.connect()
      for (let i = 0; i < 50; i++) await client.call('SET', `key:${i}`, 'value')
      server.signal('SIGINT')
      await server.waitForLog(/Saving the final RDB snapshot/)
      const { code } = await insist(server, kind)
      const files = ['dump.rdb', `temp-${server.pid}.rdb`].filter((name) => existsSync(join(server.dir, name)))
      return [code, files]
    })
  })
})
