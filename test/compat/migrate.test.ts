/**
 * MIGRATE from redis-server and from ours, to redis-server, to ours, and to targets that misbehave: the same replies,
 * the same keys on both sides, and the same bytes on the wire.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findFreePort, hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import type { CommandArgument, RespClient } from '../support/resp-client.ts'

type Kind = 'redis' | 'o7'
const KINDS: readonly Kind[] = ['redis', 'o7']
const HOST = '127.0.0.1'
/** For targets that answer: never reached. */
const LONG_MS = 20_000

interface Side {
  readonly process: RedisProcess
  readonly client: RespClient
}

const text = async (client: RespClient, ...args: readonly CommandArgument[]): Promise<string> =>
  (await client.call(...args)).toString('latin1')

/** A target that does what it is told to with each connection; keeps what it was sent. */
class FakeTarget {
  readonly received: string[] = []
  private readonly server: Server
  private readonly sockets: Socket[] = []

  private constructor(behave: (socket: Socket, connection: number) => void) {
    this.server = createServer((socket) => {
      const connection = this.sockets.push(socket) - 1
      this.received[connection] = ''
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => {
        this.received[connection] += chunk.toString('latin1')
      })
      behave(socket, connection)
    })
  }

  static async start(behave: (socket: Socket, connection: number) => void): Promise<FakeTarget> {
    const target = new FakeTarget(behave)
    target.server.listen(0, HOST)
    await once(target.server, 'listening')
    return target
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.server.close()
    await once(this.server, 'close')
  }
}

/** Answers each batch of input with the next of these texts. */
const answers =
  (...texts: string[]) =>
  (socket: Socket): void => {
    const left = [...texts]
    socket.on('data', () => socket.write(left.shift() ?? ''))
  }

describe.skipIf(!hasRedisServer())('MIGRATE', () => {
  const sources = new Map<Kind, Side>()
  const targets = new Map<Kind, Side>()
  const sides = () => [...sources.values(), ...targets.values()]

  beforeAll(async () => {
    await Promise.all(
      [sources, targets].flatMap((group) =>
        KINDS.map(async (kind) => {
          const process = await startServer({ server: kind, directives: { 'enable-debug-command': 'yes' } })
          group.set(kind, { process, client: await process.connect() })
        }),
      ),
    )
  })
  afterAll(async () => {
    for (const { client, process } of sides()) {
      await client.close()
      await process.stop('SIGKILL')
    }
  })
  beforeEach(async () => {
    for (const { client } of sides()) await client.call('FLUSHALL')
  })

  /** Does the same with every pair; what it returns must be what two real servers lead to. */
  async function everyPair(
    act: (source: RespClient, target: RespClient, port: number) => Promise<unknown>,
  ): Promise<unknown> {
    let expected: unknown
    for (const from of KINDS) {
      for (const to of KINDS) {
        const source = sources.get(from)!
        const target = targets.get(to)!
        for (const { client } of [source, target]) await client.call('FLUSHALL')
        const result = await act(source.client, target.client, target.process.port)
        if (from === 'redis' && to === 'redis') expected = result
        else expect(result, `${from} to ${to}`).toEqual(expected)
      }
    }
    return expected
  }

  /** Does the same with both kinds of source. */
  async function everySource(act: (source: RespClient, kind: Kind) => Promise<unknown>): Promise<unknown> {
    const results: unknown[] = []
    for (const kind of KINDS) results.push(await act(sources.get(kind)!.client, kind))
    expect(results[1]).toEqual(results[0])
    return results[1]
  }

  test('moves keys of each length and encoding, and nothing else', async () => {
    const result = await everyPair(async (source, target, port) => {
      const values = [
        '',
        '12345',
        'x'.repeat(44),
        'abc'.repeat(100),
        Buffer.alloc(300_000, 7),
        Buffer.from([0, 255, 13, 10]),
      ]
      const log: string[] = []
      for (const [i, value] of values.entries()) await source.call('SET', `k${i}`, value)
      await source.call('SET', 'stays', 'here')
      for (const [i, value] of values.entries()) {
        log.push(await text(source, 'MIGRATE', HOST, port, `k${i}`, 9, LONG_MS))
        await target.call('SELECT', 9)
        log.push(String((await target.query('GET', `k${i}`)) !== null))
        expect(await target.call('STRLEN', `k${i}`)).toEqual(Buffer.from(`:${Buffer.byteLength(value)}\r\n`))
        log.push(await text(target, 'DEBUG', 'DIGEST-VALUE', `k${i}`), await text(target, 'PTTL', `k${i}`))
        await target.call('SELECT', 0)
      }
      log.push(await text(source, 'KEYS', '*'), await text(target, 'DBSIZE'))
      return log
    })
    expect(result).toContain('*1\r\n$5\r\nstays\r\n')
  })

  test('a value of many megabytes', async () => {
    await everyPair(async (source, target, port) => {
      const value = Buffer.alloc(3 * 1024 * 1024)
      for (let i = 0; i < value.length; i++) value[i] = (i * 2_654_435_761) >>> 13
      await source.call('SET', 'large', value)
      const reply = await text(source, 'MIGRATE', HOST, port, 'large', 0, LONG_MS)
      return [reply, await text(source, 'EXISTS', 'large'), await text(target, 'DEBUG', 'DIGEST-VALUE', 'large')]
    })
  })

  test('carries the time to live', async () => {
    await everyPair(async (source, target, port) => {
      await source.call('SET', 'k', 'v', 'PX', 100_000)
      await source.call('SET', 'eternal', 'v')
      const reply = await text(source, 'MIGRATE', HOST, port, '', 0, LONG_MS, 'KEYS', 'k', 'eternal')
      const left = (await target.query('PTTL', 'k')) as number
      expect(left).toBeGreaterThan(60_000)
      expect(left).toBeLessThanOrEqual(100_000)
      return [reply, await text(target, 'PTTL', 'eternal')]
    })
  })

  test('NOKEY for keys that are not there, and those that are overdue', async () => {
    const result = await everyPair(async (source, _target, port) => {
      await source.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0)
      await source.call('SET', 'overdue', 'v', 'PX', 1)
      await source.call('DEBUG', 'SLEEP', 0.01)
      return [
        await text(source, 'MIGRATE', HOST, port, 'missing', 0, LONG_MS),
        await text(source, 'MIGRATE', HOST, port, 'overdue', 0, LONG_MS),
        await text(source, 'MIGRATE', HOST, port, '', 0, LONG_MS, 'KEYS'),
        await text(source, 'MIGRATE', HOST, port, '', 0, LONG_MS, 'KEYS', 'a', 'overdue'),
        // Nobody is asked, so it does not matter who.
        await text(source, 'MIGRATE', 'no.such.host.invalid', 1, 'missing', 0, LONG_MS, 'AUTH', 'x', 'COPY'),
      ]
    })
    expect(result).toEqual(Array.from({ length: 5 }, () => '+NOKEY\r\n'))
  })

  test('COPY, REPLACE and keys that are taken', async () => {
    const result = await everyPair(async (source, target, port) => {
      const log: string[] = []
      const migrate = async (...options: string[]) => {
        log.push(await text(source, 'MIGRATE', HOST, port, 'k', 0, LONG_MS, ...options))
        log.push(await text(source, 'GET', 'k'), await text(target, 'GET', 'k'))
      }
      await source.call('SET', 'k', 'new')
      await migrate('COPY')
      await target.call('SET', 'k', 'old')
      await migrate()
      await migrate('copy')
      await migrate('COPY', 'REPLACE')
      await target.call('SET', 'k', 'old')
      await migrate('replace')
      return log
    })
    expect(result).toContain('-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n')
  })

  test('KEYS: those that were taken are gone, the others stay; the first error is told', async () => {
    await everyPair(async (source, target, port) => {
      await source.call('MSET', 'a', 1, 'b', 2, 'c', 3, 'd', 4, 'e', 5)
      await target.call('MSET', 'b', 'old', 'd', 'old')
      const migrate = (...options: string[]) => text(source, 'MIGRATE', HOST, port, '', 0, LONG_MS, ...options)
      const log = [await migrate('KEYS', 'a', 'nothing', 'b', 'c', 'd', 'e')]
      log.push(await text(source, 'MGET', 'a', 'b', 'c', 'd', 'e'), await text(target, 'MGET', 'a', 'b', 'c', 'd', 'e'))
      log.push(await migrate('REPLACE', 'KEYS', 'b', 'b', 'd'))
      log.push(await text(source, 'DBSIZE'), await text(target, 'MGET', 'a', 'b', 'c', 'd', 'e'))
      await source.call('SET', 'KEYS', 'a key of this name')
      log.push(await migrate('KEYS', 'KEYS', 'COPY'), await text(source, 'DBSIZE'))
      return log
    })
  })

  test('keys come from the database that the client is in', async () => {
    await everyPair(async (source, target, port) => {
      await source.call('SET', 'k', 'of 0')
      await source.call('SELECT', 3)
      await source.call('SET', 'k', 'of 3')
      const log = [await text(source, 'MIGRATE', HOST, port, 'k', 5, LONG_MS), await text(source, 'EXISTS', 'k')]
      await source.call('SELECT', 0)
      log.push(await text(source, 'GET', 'k'), await text(target, 'DBSIZE'))
      await target.call('SELECT', 5)
      log.push(await text(target, 'GET', 'k'))
      await target.call('SELECT', 0)
      return log
    })
  })

  test('a database that the target does not have, and one that it has after that', async () => {
    await everyPair(async (source, target, port) => {
      await source.call('SET', 'k', 'v')
      const migrate = async (db: number) => [
        await text(source, 'MIGRATE', HOST, port, 'k', db, LONG_MS, 'REPLACE'),
        await text(source, 'EXISTS', 'k'),
        await text(target, 'EXISTS', 'k'),
      ]
      return [await migrate(99), await migrate(-1), await migrate(0)]
    })
  })

  test('AUTH and AUTH2', async () => {
    const result = await everyPair(async (source, target, port) => {
      const log: string[] = []
      await source.call('SET', 'k', 'v')
      const migrate = async (...options: string[]) => {
        log.push(
          await text(source, 'MIGRATE', HOST, port, 'k', 0, LONG_MS, ...options),
          await text(source, 'EXISTS', 'k'),
        )
        // The next one has a connection of its own.
        await target.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      }
      await migrate('COPY', 'AUTH', 'needless')
      await target.call('CONFIG', 'SET', 'requirepass', 'sesame')
      await target.call('AUTH', 'sesame')
      await migrate()
      await migrate('AUTH', 'wrong')
      await migrate('AUTH2', 'nobody', 'sesame')
      await migrate('COPY', 'AUTH', 'sesame')
      await migrate('REPLACE', 'AUTH2', 'default', 'sesame')
      log.push(await text(target, 'GET', 'k'))
      await target.call('CONFIG', 'SET', 'requirepass', '')
      return log
    })
    const replies = (result as string[]).join('')
    expect(replies).toContain('replied with error: NOAUTH Authentication required.')
    expect(replies).toContain('replied with error: WRONGPASS')
  })

  test('passwords are kept out of the slow log', async () => {
    const result = await everySource(async (source) => {
      await source.call('CONFIG', 'SET', 'slowlog-log-slower-than', 0)
      await source.call('SLOWLOG', 'RESET')
      await source.call('MIGRATE', HOST, 1, 'missing', 0, 10, 'COPY', 'AUTH2', 'user', 'secret', 'AUTH', 'secret')
      await source.call('CONFIG', 'SET', 'slowlog-log-slower-than', -1)
      const entries = (await source.query('SLOWLOG', 'GET')) as unknown[][]
      return entries.map((entry) => (entry[3] as unknown[]).map(String)).filter(([name]) => name === 'MIGRATE')
    })
    expect(result).toHaveLength(1)
    expect(String(result)).toContain('(redacted)')
    expect(String(result)).not.toContain('secret')
  })

  test('requests that make no sense', async () => {
    const requests = [
      [],
      [HOST],
      [HOST, 1, 'k', 0],
      [HOST, 1, 'k', 0, 'soon'],
      [HOST, 1, 'k', 'zero', 10],
      [HOST, 1, 'k', 'zero', 'soon'],
      [HOST, 1, 'k', 0, '9223372036854775808'],
      [HOST, 1, 'k', 0, 10, 'NONSENSE'],
      [HOST, 1, 'k', 0, 10, 'AUTH'],
      [HOST, 1, 'k', 0, 10, 'AUTH2', 'user'],
      [HOST, 1, 'k', 0, 10, 'KEYS', 'a'],
      [HOST, 1, 'k', 0, 'soon', 'KEYS', 'a'],
      [HOST, 1, '', 0, 'soon', 'KEYS', 'a'],
      [HOST, 1, '', 0, 10, 'COPY', 'AUTH', 'KEYS', 'KEYS'],
      [HOST, 1, 'k', 0, 'soon', 'NONSENSE'],
    ]
    await everySource(async (source) => {
      await source.call('SET', 'k', 'v')
      const replies: string[] = []
      for (const request of requests) replies.push(await text(source, 'MIGRATE', ...request))
      return replies
    })
  })

  test('no target there', async () => {
    const port = await findFreePort()
    const result = await everySource(async (source) => {
      await source.call('SET', 'k', 'v')
      await source.call('CONFIG', 'RESETSTAT')
      const replies = [
        await text(source, 'MIGRATE', HOST, port, 'k', 0, LONG_MS),
        await text(source, 'MIGRATE', HOST, 'port', 'k', 0, LONG_MS),
        await text(source, 'MIGRATE', HOST, -1, 'k', 0, LONG_MS),
        await text(source, 'MIGRATE', HOST, '0x1', 'k', 0, LONG_MS),
        await text(source, 'MIGRATE', HOST, port + 65536, 'k', 0, LONG_MS),
        await text(source, 'MIGRATE', HOST, ` +${port}th`, 'k', 0, LONG_MS),
        await text(source, 'MIGRATE', HOST, '99999999999999999999', 'k', 0, LONG_MS),
        await text(source, 'MIGRATE', 'localhost', port, 'k', 0, LONG_MS),
        await text(source, 'MIGRATE', '', port, 'k', 0, LONG_MS),
        await text(source, 'MIGRATE', 'no.such.host.invalid', port, 'k', 0, LONG_MS),
        await text(source, 'EXISTS', 'k'),
      ]
      const info = await text(source, 'INFO', 'everything')
      replies.push(/errorstat_IOERR:.*/.exec(info)![0], /cmdstat_migrate:.*(failed_calls=\d+)/.exec(info)![1]!)
      return replies
    })
    expect((result as string[])[0]).toBe('-IOERR error or timeout writing to target instance\r\n')
    expect((result as string[])[2]).toBe('-IOERR error or timeout connecting to the client\r\n')
  })

  test('a target that never answers', async () => {
    const result = await everySource(async (source) => {
      await using target = await FakeTarget.start(() => {})
      await source.call('SET', 'k', 'v')
      const startMs = performance.now()
      const reply = await text(source, 'MIGRATE', HOST, target.port, 'k', 0, 150)
      const tookMs = performance.now() - startMs
      expect(tookMs).toBeGreaterThan(140)
      expect(tookMs).toBeLessThan(5000)
      // Time-outs are not tried again.
      return [reply, await text(source, 'GET', 'k'), target.received]
    })
    expect((result as string[])[0]).toBe('-IOERR error or timeout reading to target instance\r\n')
  })

  test('no time limit means one second', async () => {
    await everySource(async (source) => {
      await using target = await FakeTarget.start(() => {})
      await source.call('SET', 'k', 'v')
      const startMs = performance.now()
      const reply = await text(source, 'MIGRATE', HOST, target.port, 'k', 0, 0)
      expect(performance.now() - startMs).toBeGreaterThan(950)
      return reply
    })
  })

  test('a target that does not read', async () => {
    const result = await everySource(async (source) => {
      await using target = await FakeTarget.start((socket) => socket.pause())
      await source.call('CONFIG', 'SET', 'rdbcompression', 'no')
      // More than the network takes by itself.
      await source.call('SET', 'k', Buffer.alloc(32 * 1024 * 1024, 1))
      const reply = await text(source, 'MIGRATE', HOST, target.port, 'k', 0, 200)
      await source.call('CONFIG', 'SET', 'rdbcompression', 'yes')
      return [reply, await text(source, 'EXISTS', 'k')]
    })
    expect((result as string[])[0]).toBe('-IOERR error or timeout writing to target instance\r\n')
  })

  test('a target that ends connections: one more is tried unless something was executed', async () => {
    await everySource(async (source) => {
      const ways: ((socket: Socket, connection: number) => void)[] = [
        (socket) => socket.on('data', () => socket.end()),
        (socket, connection) =>
          connection === 0 ? socket.on('data', () => socket.end()) : answers('+OK\r\n+OK\r\n+OK\r\n')(socket),
        (socket) => socket.on('data', () => socket.end('+OK\r\n')),
        (socket) => socket.on('data', () => socket.end('+OK\r\n+OK\r\n')),
        (socket) => socket.on('data', () => socket.end('+OK\r\n-ERR no\r\n')),
        (socket) => socket.on('data', () => socket.end('+OK\r\n+OK\r\n+O')),
      ]
      const results: unknown[] = []
      for (const way of ways) {
        await using target = await FakeTarget.start(way)
        await source.call('MSET', 'a', '1', 'b', '2')
        const reply = await text(source, 'MIGRATE', HOST, target.port, '', 0, LONG_MS, 'KEYS', 'a', 'b')
        results.push([reply, await text(source, 'MGET', 'a', 'b'), target.received.length])
      }
      return results
    })
  })

  test('errors of all sorts, and which of them is told', async () => {
    await everySource(async (source) => {
      const results: unknown[] = []
      for (const reply of [
        '-AUTH no\r\n+OK\r\n+OK\r\n+OK\r\n',
        '+OK\r\n-SELECT no\r\n+OK\r\n+OK\r\n',
        '-AUTH no\r\n-SELECT no\r\n-A no\r\n-B no\r\n',
        '+OK\r\n+OK\r\n+OK\r\n-B no\r\n',
        '+OK\r\n+OK\r\n-A no\r\n+OK\r\n',
        '+OK\n+OK\n-A no\n-B no\n',
        ':1\r\n$-1\r\n*0\r\nwhatever\r\n',
      ]) {
        await using target = await FakeTarget.start(answers(reply))
        await source.call('MSET', 'a', '1', 'b', '2')
        const options = ['AUTH', 'pw', 'KEYS', 'a', 'b']
        const answer = await text(source, 'MIGRATE', HOST, target.port, '', 0, LONG_MS, ...options)
        results.push([answer, await text(source, 'MGET', 'a', 'b')])
      }
      return results
    })
  })

  test('the wire: what is sent, connections used again, databases selected when they change', async () => {
    await everySource(async (source) => {
      await using target = await FakeTarget.start(
        answers(
          '+OK\r\n+OK\r\n', // SELECT, RESTORE
          '+OK\r\n', // RESTORE
          '+OK\r\n+OK\r\n+OK\r\n', // AUTH, RESTORE, RESTORE
          '+OK\r\n-ERR no\r\n', // SELECT, RESTORE
          '+OK\r\n+OK\r\n', // SELECT again, since there was an error
          '+OK\r\n+OK\r\n+OK\r\n', // AUTH, SELECT, RESTORE
        ),
      )
      const replies: string[] = []
      const migrate = async (key: string, db: number, ...options: string[]) => {
        await source.call('MSET', 'a', '1', 'b', 'two two two two two two two two two')
        replies.push(await text(source, 'MIGRATE', HOST, target.port, key, db, LONG_MS, ...options))
      }
      await migrate('a', 3)
      await migrate('b', 3, 'REPLACE')
      await migrate('', 3, 'COPY', 'AUTH', 'pw', 'KEYS', 'a', 'b')
      await migrate('a', 4)
      await migrate('a', 4)
      await migrate('a', 3, 'AUTH2', 'user', 'pw')
      expect(target.received).toHaveLength(1)
      return [replies, target.received]
    })
  })

  test('commands that others send meanwhile wait for the outcome, reads too; those of the same client follow it', async () => {
    const result = await everySource(async (source, kind) => {
      let sent = () => {}
      let answer = () => {}
      const hasRequest = new Promise<void>((resolve) => {
        sent = resolve
      })
      await using target = await FakeTarget.start((socket) => {
        answer = () => socket.write('+OK\r\n+OK\r\n')
        socket.once('data', sent)
      })
      await source.call('SET', 'k', 'v')
      const others = await Promise.all([1, 2, 3].map(() => sources.get(kind)!.process.connect()))
      const log: string[] = []
      const migrated = text(source, 'MIGRATE', HOST, target.port, 'k', 0, LONG_MS).then((reply) => log.push(reply))
      const followed = text(source, 'ECHO', 'after').then((reply) => log.push(reply))
      await hasRequest
      const asked = [
        text(others[0]!, 'APPEND', 'k', 'more').then((reply) => log.push(reply)),
        text(others[1]!, 'CLIENT', 'UNPAUSE').then((reply) => log.push(reply)),
        text(others[2]!, 'EXISTS', 'unrelated').then((reply) => log.push(reply)),
      ]
      // Time for the requests to come in.
      await new Promise((resolve) => setTimeout(resolve, 100))
      const early = [...log]
      answer()
      await Promise.all([migrated, followed, ...asked])
      await Promise.all(others.map((client) => client.close()))
      // In what order others are served is not said.
      return [early, log.sort()]
    })
    expect((result as string[][])[0]).toEqual([])
    expect((result as string[][])[1]).toContain(':4\r\n')
  })

  test('keyspace events, watched keys and the count of changes', async () => {
    await everyPair(async (source, _target, port) => {
      const kind = KINDS.find((name) => sources.get(name)!.client === source)!
      const [listener, watcher] = await Promise.all([1, 2].map(() => sources.get(kind)!.process.connect()))
      await source.call('CONFIG', 'SET', 'notify-keyspace-events', 'EA')
      await source.call('MSET', 'a', 1, 'b', 2, 'c', 3)
      await watcher!.call('WATCH', 'b')
      await listener!.call('PSUBSCRIBE', '__keyevent@*__:*')
      const changes = async () =>
        Number(/rdb_changes_since_last_save:(\d+)/.exec(await text(source, 'INFO', 'persistence'))![1])
      const before = await changes()
      const log: unknown[] = [
        await text(source, 'MIGRATE', HOST, port, '', 0, LONG_MS, 'COPY', 'KEYS', 'a', 'b', 'c'),
        (await changes()) - before,
        await text(source, 'MIGRATE', HOST, port, '', 0, LONG_MS, 'REPLACE', 'KEYS', 'a', 'b', 'c', 'a'),
        (await changes()) - before,
      ]
      for (let i = 0; i < 4; i++) log.push((await listener!.readAny()).toString())
      await watcher!.call('MULTI')
      log.push(await text(watcher!, 'EXEC'))
      await source.call('CONFIG', 'SET', 'notify-keyspace-events', '')
      await Promise.all([listener!.close(), watcher!.close()])
      return log
    })
  })

  test('ours does not do it within a transaction, where nothing can wait', async () => {
    const source = sources.get('o7')!.client
    const port = targets.get('o7')!.process.port
    await source.call('SET', 'k', 'v')
    await source.call('MULTI')
    await source.call('MIGRATE', HOST, port, 'k', 0, 10)
    await source.call('MIGRATE', HOST, port, 'missing', 0, 10)
    await source.call('MIGRATE', HOST, port, 'k', 0, 10, 'NONSENSE')
    expect(await text(source, 'EXEC')).toBe(
      '*3\r\n-ERR MIGRATE is not possible within a transaction or script: it has to wait for the target instance\r\n' +
        '+NOKEY\r\n-ERR syntax error\r\n',
    )
    expect(await text(source, 'GET', 'k')).toBe('$1\r\nv\r\n')
  })

  test('CLIENT REPLY SKIP skips its reply, however late it is', async () => {
    await everyPair(async (source, _target, port) => {
      await source.call('MSET', 'a', 1, 'b', 2)
      source.send('CLIENT', 'REPLY', 'SKIP')
      source.send('MIGRATE', HOST, port, 'a', 0, LONG_MS)
      return [await text(source, 'DBSIZE'), await text(source, 'MIGRATE', HOST, port, 'b', 0, LONG_MS)]
    })
  })

  test('many at once, to several targets', async () => {
    const clients = await Promise.all(Array.from({ length: 6 }, () => sources.get('o7')!.process.connect()))
    const { client } = sources.get('o7')!
    const count = 300
    for (let i = 0; i < count; i++) await client.call('SET', `k${i}`, `v${i}`)
    const ports = [...targets.values()].map(({ process }) => process.port)
    const replies = await Promise.all(
      Array.from({ length: count }, (_, i) =>
        text(clients[i % clients.length]!, 'MIGRATE', HOST, ports[i % 2]!, `k${i}`, i % 5, LONG_MS),
      ),
    )
    expect(new Set(replies)).toEqual(new Set(['+OK\r\n']))
    expect(await text(client, 'DBSIZE')).toBe(':0\r\n')
    for (const { client: target } of targets.values()) {
      let held = 0
      for (let db = 0; db < 5; db++) {
        await target.call('SELECT', db)
        held += (await target.query('DBSIZE')) as number
      }
      await target.call('SELECT', 0)
      expect(held).toBe(count / 2)
    }
    await Promise.all(clients.map((other) => other.close()))
  })

  test('a server can end while a target does not answer', async () => {
    await using target = await FakeTarget.start(() => {})
    const source = await startServer({ server: 'o7' })
    const client = await source.connect()
    await client.call('SET', 'k', 'v')
    client.send('MIGRATE', HOST, target.port, 'k', 0, 60_000)
    while (target.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    expect((await source.stop()).code).toBe(0)
  })
})
