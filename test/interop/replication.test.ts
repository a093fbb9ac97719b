/**
 * Live replication with real Redis: chains of mixed kinds under a write load, links that are cut, the master's part handed to and
 * fro. In the end DEBUG DIGEST must be the same everywhere.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { type RedisProcess, type ServerKind, startServer } from '../support/redis-process.ts'
import type { RespClient } from '../support/resp-client.ts'
import { SEED } from '../support/seed.ts'

const CUTS = 50
const DIRECTIVES = {
  'enable-debug-command': 'yes',
  'repl-diskless-sync-delay': 0,
  'repl-timeout': 20,
  // What is written while a replica is away, on a machine that leaves it waiting for seconds.
  'repl-backlog-size': '100mb',
}

/** Passes bytes on to a server, and cuts all its connections when told to. */
class CuttingProxy {
  readonly port: number
  private readonly sockets = new Set<Socket>()
  private readonly close_: () => void

  private constructor(port: number, close: () => void) {
    this.port = port
    this.close_ = close
  }

  static async to(target: number): Promise<CuttingProxy> {
    const server = createServer((socket) => {
      const other = connect(target, '127.0.0.1')
      for (const [from, to] of [
        [socket, other],
        [other, socket],
      ] as const) {
        proxy.sockets.add(from)
        from.pipe(to)
        from.on('error', () => {})
        from.on('close', () => {
          proxy.sockets.delete(from)
          to.destroy()
        })
      }
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const proxy = new CuttingProxy((server.address() as AddressInfo).port, () => server.close())
    return proxy
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  close(): void {
    this.close_()
    this.cut()
  }
}

function start(server: ServerKind): Promise<RedisProcess> {
  return startServer({ server, directives: DIRECTIVES })
}

async function until(what: string, isSo: () => Promise<boolean>, seconds = 30): Promise<void> {
  const endMs = performance.now() + seconds * 1000
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`never: ${what}`)
    await new Promise((done) => setTimeout(done, 20))
  }
}

async function info(client: RespClient, field: string): Promise<string> {
  const text = String(await client.query('INFO'))
  return new RegExp(`^${field}:(.*)\r?$`, 'm').exec(text)?.[1]?.trim() ?? ''
}

async function follow(replica: RespClient, port: number): Promise<void> {
  expect((await replica.call('REPLICAOF', '127.0.0.1', port)).toString()).toMatch(/^\+OK/)
}

const isUp = (replica: RespClient) => async () => (await info(replica, 'master_link_status')) === 'up'

async function expectSame(master: RespClient, replicas: readonly RespClient[]): Promise<void> {
  // What expires between two questions would make a difference.
  await until(
    'nothing is left to expire',
    async () => !/expires=[1-9]/.test(String(await master.query('INFO', 'keyspace'))),
  )
  const offset = async (client: RespClient) => info(client, 'master_repl_offset')
  await until('equal offsets', async () => {
    const wanted = await offset(master)
    for (const replica of replicas) if (!(await isUp(replica)()) || (await offset(replica)) !== wanted) return false
    return true
  })
  const digest = await master.query('DEBUG', 'DIGEST')
  for (const replica of replicas) expect(await replica.query('DEBUG', 'DIGEST')).toBe(digest)
  expect(digest).not.toBe('0'.repeat(40))
}

/** Writes of many kinds until told to stop. */
function load(client: RespClient): { writes(): number; stop(): Promise<void> } {
  let isRunning = true
  let writes = 0
  const run = async () => {
    for (let i = 0; isRunning; i++) {
      const commands: (string | number)[][] = []
      for (let j = 0; j < 20; j++) {
        const key = `key:${(i * 7 + j * 13) % 500}`
        const number = i * 20 + j
        commands.push(
          ...[
            [['SET', key, 'v'.repeat(number % 200)]],
            [['APPEND', key, number]],
            [['SET', `expiring:${number % 50}`, number, 'PX', 100 + (number % 3000)]],
            [['DEL', key]],
            [['MULTI'], ['INCR', 'counter'], ['RPUSH', 'list', number], ['LTRIM', 'list', -100, -1], ['EXEC']],
            [['SELECT', number % 3]],
            [['INCRBYFLOAT', 'float', '0.25']],
            [
              ['SADD', 'set', number],
              ['SPOP', 'set'],
            ],
            [['HSET', `hash:${number % 9}`, `f${number % 99}`, number]],
            [['ZADD', 'zset', number % 77, `m${number % 300}`]],
            [['GETSET', key, number]],
          ][number % 11]!,
        )
      }
      await client.pipeline(commands)
      writes += commands.length
    }
  }
  const done = run()
  return {
    writes: () => writes,
    stop: () => {
      isRunning = false
      return done
    },
  }
}

describe('a chain of three under load', () => {
  test.each([
    ['redis', 'o7', 'redis'],
    ['o7', 'redis', 'o7'],
    ['o7', 'o7', 'redis'],
  ] as const)('%s <- %s <- %s', async (first, second, third) => {
    await using a = await start(first)
    await using b = await start(second)
    await using c = await start(third)
    const [master, middle, end, writer] = await Promise.all([a.connect(), b.connect(), c.connect(), a.connect()])
    await master.call('DEBUG', 'POPULATE', '2000')
    const writing = load(writer)
    await follow(middle, a.port)
    await until('the first link', isUp(middle))
    await follow(end, b.port)
    await until('the second link', isUp(end))
    const before = writing.writes()
    await until('a load on all of it', async () => writing.writes() > before + 2000)
    await writing.stop()
    await expectSame(master, [middle, end])
  })
})

describe('links that are cut', () => {
  test.each([
    ['redis', 'o7'],
    ['o7', 'redis'],
    ['o7', 'o7'],
  ] as const)(`%s <- %s, ${CUTS} times`, { timeout: 120_000 }, async (masterKind, replicaKind) => {
    await using a = await start(masterKind)
    await using b = await start(replicaKind)
    const proxy = await CuttingProxy.to(a.port)
    const random = Random.fromSeed(SEED)
    try {
      const [master, replica, writer] = await Promise.all([a.connect(), b.connect(), a.connect()])
      const writing = load(writer)
      await follow(replica, proxy.port)
      await until('the link', isUp(replica))
      const partial = async () => Number(await info(master, 'sync_partial_ok'))
      for (let cut = 0; cut < CUTS; cut++) {
        await new Promise((done) => setTimeout(done, random.below(60)))
        const before = await partial()
        proxy.cut()
        // The replica may not have seen yet that the link is gone.
        await until('another link', async () => (await partial()) > before && (await isUp(replica)()))
      }
      await writing.stop()
      await expectSame(master, [replica])
      expect(Number(await info(master, 'sync_full')), 'full synchronizations').toBe(1)
    } finally {
      proxy.close()
    }
  })
})

test('FAILOVER from real to ours and back, under load, without a full synchronization', async () => {
  await using a = await start('redis')
  await using b = await start('o7')
  const [real, ours] = await Promise.all([a.connect(), b.connect()])
  await follow(ours, a.port)
  await until('the link', isUp(ours))
  for (const [from, to, port] of [
    [real, ours, b.port],
    [ours, real, a.port],
  ] as const) {
    for (let i = 0; i < 500; i++) await from.call('SET', `k${i}`, `${port}:${i}`)
    expect((await from.call('FAILOVER', 'TO', '127.0.0.1', port, 'TIMEOUT', 10_000)).toString()).toBe('+OK\r\n')
    await until('the roles are exchanged', async () => (await info(to, 'role')) === 'master')
    await until('the link back', isUp(from))
    await to.call('INCR', 'after')
    await expectSame(to, [from])
  }
  expect(await real.query('GET', 'after')).toBe('2')
  expect(Number(await info(real, 'sync_full')) + Number(await info(ours, 'sync_full'))).toBe(1)
})

test('a replica that stops reading is given up, and comes back', { timeout: 60_000 }, async () => {
  await using a = await start('o7')
  await using b = await start('redis')
  const [master, replica] = await Promise.all([a.connect(), b.connect()])
  await master.call('CONFIG', 'SET', 'client-output-buffer-limit', 'replica 4mb 0 0', 'repl-backlog-size', '1mb')
  await follow(replica, a.port)
  await until('the link', isUp(replica))
  b.signal('SIGSTOP')
  const value = 'x'.repeat(1 << 20)
  for (let i = 0; i < 30; i++) await master.call('SET', `big${i}`, value)
  await a.waitForLog(/scheduled to be closed ASAP for overcoming of output buffer limits/)
  await until('nobody follows', async () => (await info(master, 'connected_slaves')) === '0')
  b.signal('SIGCONT')
  await until('the link', isUp(replica))
  await expectSame(master, [replica])
})

test('a wrong password and a following of itself end in the log and in another try', async () => {
  await using a = await startServer({ server: 'redis', directives: { ...DIRECTIVES, requirepass: 'secret' } })
  await using b = await startServer({ server: 'o7', directives: { ...DIRECTIVES, masterauth: 'wrong' } })
  const replica = await b.connect()
  await follow(replica, a.port)
  await b.waitForLog(/# Unable to AUTH to MASTER: -WRONGPASS/)
  await replica.call('CONFIG', 'SET', 'masterauth', 'secret')
  await until('the link', isUp(replica))
  await replica.call('CONFIG', 'SET', 'masterauth', '')
  await follow(replica, b.port)
  await b.waitForLog(/Master is currently unable to PSYNC but should be in the future: -NOMASTERLINK/)
  await replica.call('REPLICAOF', 'NO', 'ONE')
  expect(await info(replica, 'role')).toBe('master')
})
