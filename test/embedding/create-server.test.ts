import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  ConfigOptionError,
  createServer,
  defineCommand,
  type EmbeddedServer,
  ManualClock,
  ReplyError,
  type ReplyValue,
  ServerError,
  type ServerOptions,
} from '../../src/index.ts'
import { RespClient } from '../support/resp-client.ts'

const servers: EmbeddedServer[] = []

async function start(options?: ServerOptions): Promise<EmbeddedServer> {
  const server = await createServer(options)
  servers.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

/** One command over a socket, the raw reply as text. */
async function ask(target: { port: number; host?: string } | { path: string }, ...args: string[]): Promise<string> {
  const client = await RespClient.connect(target)
  try {
    return (await client.call(...args)).toString('latin1')
  } finally {
    await client.close()
  }
}

async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('it did not reject')
}

describe('addresses', () => {
  test('without options it listens on a free port of the loopback interface', async () => {
    const first = await start()
    const second = await start()
    expect(first.port).toBeGreaterThan(0)
    expect(second.port).toBeGreaterThan(0)
    expect(second.port).not.toBe(first.port)
    expect(first.url).toBe(`redis://127.0.0.1:${first.port}`)
    expect(await ask({ port: first.port }, 'PING')).toBe('+PONG\r\n')
    expect(await first.execute('CONFIG', 'GET', 'bind')).toEqual(new Map([['bind', '127.0.0.1']]))
    expect(await first.execute('CONFIG', 'GET', 'port')).toEqual(new Map([['port', String(first.port)]]))
    expect(await first.execute('CONFIG', 'GET', 'save')).toEqual(new Map([['save', '']]))
  })

  test('options that are undefined are as good as not given', async () => {
    const server = await start({ port: undefined, bind: undefined, save: undefined, onLog: undefined })
    expect(server.port).not.toBe(6379)
    expect(await server.execute('CONFIG', 'GET', 'bind')).toEqual(new Map([['bind', '127.0.0.1']]))
  })

  test('a port that is taken is refused with what the system said, and nothing stays open', async () => {
    const { port } = await start()
    const error = await rejection(createServer({ port }))
    expect(error).toBeInstanceOf(ServerError)
    expect(error.code).toBe('O7_LISTEN')
    expect(error.message).toContain(`Failed listening on port ${port} (TCP)`)
    expect(error.message).toContain('EADDRINUSE')
    expect((error.cause as NodeJS.ErrnoException).code).toBe('EADDRINUSE')
  })

  test('a port of one server is free again once it is closed', async () => {
    const first = await start()
    const { port } = first
    await first.close()
    const second = await start({ port })
    expect(second.port).toBe(port)
    expect(await ask({ port }, 'PING')).toBe('+PONG\r\n')
  })

  test('the URL names a host that clients can connect to, and the password', async () => {
    expect((await start({ bind: '0.0.0.0' })).url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/)
    expect((await start({ bind: ['-::1', '127.0.0.1'] })).url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/)
    const server = await start({ requirepass: 'p@ss:wörd/1' })
    expect(server.url).toBe(`redis://:p%40ss%3Aw%C3%B6rd%2F1@127.0.0.1:${server.port}`)
    expect(await ask({ port: server.port }, 'GET', 'k')).toBe('-NOAUTH Authentication required.\r\n')
    expect(await server.execute('GET', 'k')).toBe(null)
  })

  test('follows a port that CONFIG SET changes', async () => {
    const server = await start()
    const other = await start()
    const free = other.port
    await other.close()
    expect(await server.execute('CONFIG', 'SET', 'port', free)).toBe('OK')
    expect(server.port).toBe(free)
    expect(server.url).toBe(`redis://127.0.0.1:${free}`)
    expect(await ask({ port: free }, 'PING')).toBe('+PONG\r\n')
  })

  test.skipIf(process.platform === 'win32')('a unix socket alone opens no port', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'o7-embedding-'))
    try {
      const server = await start({ dir, unixsocket: 'redis.sock' })
      expect(server.port).toBe(0)
      const path = join(dir, 'redis.sock')
      expect(server.url).toBe(`unix://${path}`)
      expect(await ask({ path }, 'PING')).toBe('+PONG\r\n')
      const both = await start({ dir, unixsocket: 'both.sock', port: 0 })
      expect(both.port).toBeGreaterThan(0)
      expect(both.url).toBe(`redis://127.0.0.1:${both.port}`)
      expect(await ask({ path: join(dir, 'both.sock') }, 'PING')).toBe('+PONG\r\n')
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  test('listen: false serves in-process clients only', async () => {
    const server = await start({ listen: false })
    expect(server.port).toBe(0)
    expect(() => server.url).toThrow(expect.objectContaining({ code: 'O7_NOT_LISTENING' }))
    expect(await server.execute('SET', 'k', 'v')).toBe('OK')
    const error = await rejection(createServer({ listen: false, port: 7000 }))
    expect(error).toMatchObject({ code: 'O7_INVALID_OPTION', option: 'port' })
  })
})

describe('options', () => {
  test('parameters of redis.conf are given in camelCase, by their own types or as text', async () => {
    const server = await start({
      maxmemory: '100mb',
      databases: 4,
      notifyKeyspaceEvents: 'KEA',
      latencyTracking: false,
      save: [
        [900, 1],
        [300, 10],
      ],
    })
    const get = async (name: string) => (await server.execute<Map<string, string>>('CONFIG', 'GET', name)).get(name)
    expect(await get('maxmemory')).toBe('104857600')
    expect(await get('databases')).toBe('4')
    expect(await get('notify-keyspace-events')).toBe('AKE')
    expect(await get('latency-tracking')).toBe('no')
    expect(await get('save')).toBe('900 1 300 10')
  })

  test.each<[object, string, string]>([
    [{ prot: 1 }, 'O7_UNKNOWN_OPTION', 'prot'],
    [{ 'notify-keyspace-events': 'K' }, 'O7_UNKNOWN_OPTION', 'notify-keyspace-events'],
    [{ port: 70000 }, 'O7_INVALID_OPTION', 'port'],
    [{ maxmemory: 'lots' }, 'O7_INVALID_OPTION', 'maxmemory'],
    [{ listen: 'no' }, 'O7_INVALID_OPTION', 'listen'],
    [{ commands: {} }, 'O7_INVALID_OPTION', 'commands'],
    [{ commands: [{ name: 'X' }] }, 'O7_INVALID_OPTION', 'commands'],
    [{ commands: [null] }, 'O7_INVALID_OPTION', 'commands'],
    [{ clock: 1000 }, 'O7_INVALID_OPTION', 'clock'],
    [{ clock: { advance() {} } }, 'O7_INVALID_OPTION', 'clock'],
    [{ seed: 0.5 }, 'O7_INVALID_OPTION', 'seed'],
    [{ onLog: true }, 'O7_INVALID_OPTION', 'onLog'],
    [{ clusterEnabled: true }, 'O7_INVALID_OPTION', 'clusterEnabled'],
  ])('%j is refused: %s', async (options, code, option) => {
    const error = await rejection(createServer(options))
    expect(error).toBeInstanceOf(ConfigOptionError)
    expect(error).toMatchObject({ code, option })
  })

  test.each([null, 6379, 'redis.conf', [6379]])('%j are no options', async (options) => {
    const error = await rejection(createServer(options as never))
    expect(error).toBeInstanceOf(ConfigOptionError)
    expect(error).toMatchObject({ code: 'O7_INVALID_OPTION', option: '' })
  })

  test.each<[object, string]>([
    [
      { save: false },
      'option save: Invalid save parameters (needed are pairs of seconds and changes, as in [[900, 1]]',
    ],
    [{ replicaof: '127.0.0.1:6379' }, 'option replicaof: wrong number of arguments (needed are a host and a port'],
    [{ commands: [null] }, 'option commands, item 0: a command is declared as an object'],
    [{ clock: {} }, 'option clock: a clock, such as new ManualClock(), is needed'],
    [{ 'maxmemory-policy': 'noeviction' }, 'unknown option "maxmemory-policy": the option is called maxmemoryPolicy'],
  ])('%j: the error tells what to do', async (options, message) => {
    expect((await rejection(createServer(options))) as Error).toMatchObject({
      message: expect.stringContaining(message),
    })
  })

  test('log lines go to onLog one by one, nowhere without it', async () => {
    const lines: string[] = []
    const write = vi.spyOn(process.stdout, 'write')
    try {
      await start({ onLog: (line) => lines.push(line) })
      await start()
      expect(write).not.toHaveBeenCalled()
    } finally {
      write.mockRestore()
    }
    expect(lines.some((line) => /^\d+:M .* \* Ready to accept connections$/.test(line))).toBe(true)
    expect(lines.every((line) => !line.includes('\n'))).toBe(true)
  })

  test('a listener of the log that throws fails where it belongs, and the server goes on', async () => {
    const errors: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', (error) => errors.push(error))
    try {
      const server = await start({
        listen: false,
        onLog: (line) => {
          if (line.endsWith('DEBUG LOG: now')) throw new Error('no such file')
        },
      })
      expect(await server.execute('DEBUG', 'LOG', 'now')).toBe('OK')
      await new Promise((resolve) => setImmediate(resolve))
      expect(await server.execute('PING')).toBe('PONG')
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
    expect(errors).toEqual([new Error('no such file')])
  })

  test('nothing of the process is touched: title, signals, handlers, folder', async () => {
    const facts = () => [
      process.title,
      process.cwd(),
      ...process.eventNames().map((name) => [name, process.listenerCount(name)]),
      Object.keys(process.env).length,
      process.umask(),
    ]
    const before = facts()
    const server = await start({ setProcTitle: true, maxclients: 5 })
    await server.execute('CONFIG', 'SET', 'proc-title-template', 'redis {port}')
    await server.execute('PING')
    expect(facts()).toEqual(before)
    await server.close()
    expect(facts()).toEqual(before)
  })

  test('the same seed and clock make the same server', async () => {
    const run = async () => {
      const server = await start({ seed: 7, clock: new ManualClock(), listen: false })
      for (let i = 0; i < 50; i++) await server.execute('SET', `key:${i}`, i)
      const info = await server.execute<string>('INFO', 'server')
      return /run_id:(\w+)/.exec(info)![1]
    }
    expect(await run()).toBe(await run())
  })

  test('the folder of one server is not the folder of the process', async () => {
    const before = process.cwd()
    const dir = mkdtempSync(join(tmpdir(), 'o7-embedding-'))
    try {
      const server = await start({ dir, listen: false })
      expect(process.cwd()).toBe(before)
      expect(await server.execute('CONFIG', 'GET', 'dir')).toEqual(new Map([['dir', dir]]))
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})

describe('close', () => {
  test('may be called again and at the same time, and disposes', async () => {
    const server = await start()
    await Promise.all([server.close(), server.close()])
    await server.close()
    await server[Symbol.asyncDispose]()
    expect(server.isClosed).toBe(true)
    expect(() => server.url).toThrow(expect.objectContaining({ code: 'O7_CLOSED' }))
    await expect(RespClient.connect({ port: server.port })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('ends connections', async () => {
    const server = await start()
    const client = await RespClient.connect({ port: server.port })
    expect((await client.call('PING')).toString()).toBe('+PONG\r\n')
    await server.close()
    expect((await client.readToEnd()).length).toBe(0)
  })

  test('rejects what waits and what comes after', async () => {
    const server = await start()
    const other = server.connect()
    await server.execute('CLIENT', 'PAUSE', 100_000)
    const waiting = [server.execute('SET', 'k', 'v'), server.execute('GET', 'k'), other.execute('GET', 'k')]
    await server.close()
    for (const promise of [...waiting, server.execute('PING'), other.execute('PING')]) {
      const error = await rejection(promise)
      expect(error).toBeInstanceOf(ServerError)
      expect(error.code).toBe('O7_CLOSED')
      expect(error.message).toBe('the server is closed')
    }
    expect(() => server.connect()).toThrow(expect.objectContaining({ code: 'O7_CLOSED' }))
  })

  test('who keeps the object of a closed server does not keep its data', async () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const server = await start()
    const client = server.connect()
    await server.execute('SET', 'k', 'v')
    const engine = new WeakRef((server as unknown as { server: { engine: object } }).server.engine)
    await server.close()
    for (let i = 0; i < 500 && engine.deref() !== undefined; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      gc()
    }
    expect(engine.deref()).toBeUndefined()
    expect([server.isClosed, client.isClosed]).toEqual([true, true])
  })

  test('SHUTDOWN closes the server, not the process', async () => {
    const server = await start()
    const exit = vi.spyOn(process, 'exit')
    try {
      expect(await rejection(server.execute('SHUTDOWN'))).toMatchObject({ code: 'O7_CLOSED' })
      expect(exit).not.toHaveBeenCalled()
    } finally {
      exit.mockRestore()
    }
    expect(server.isClosed).toBe(true)
    await server.close()
    await expect(RespClient.connect({ port: server.port })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})

describe('execute', () => {
  test('replies come as JavaScript values, errors as ReplyError', async () => {
    const server = await start({ listen: false })
    expect(await server.execute('SET', 'k', 'wörd')).toBe('OK')
    expect(await server.execute('GET', 'k')).toBe('wörd')
    expect(await server.execute('INCRBY', 'n', 9007199254740993n)).toBe(9007199254740993n)
    expect(await server.execute('MGET', 'k', 'none')).toEqual(['wörd', null])
    const error = await rejection(server.execute('INCR', 'k'))
    expect(error).toBeInstanceOf(ReplyError)
    expect(error).toMatchObject({ code: 'ERR', message: 'ERR value is not an integer or out of range' })
    expect(error.stack).toContain('create-server.test.ts')
    expect((await rejection(server.execute('NOPE'))).message).toMatch(/^ERR unknown command 'NOPE'/)
  })

  test('bytes go in as they are and come out as Buffers when asked for', async () => {
    const server = await start({ listen: false })
    const client = server.connect({ buffers: true })
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    expect(await client.execute('SET', bytes, bytes)).toBe('OK')
    expect(await client.execute('GET', bytes)).toEqual(Buffer.from(bytes))
  })

  test('what no request can hold is refused before it is sent', async () => {
    const server = await start({ listen: false })
    for (const args of [[], ['SET', 'k', undefined], ['SET', 'k', null], ['SET', 'k', true], ['SET', ['k'], 'v']]) {
      const error = await rejection(server.execute(...(args as string[])))
      expect(error).toBeInstanceOf(ServerError)
      expect(error.code).toBe('O7_INVALID_ARGUMENT')
    }
    expect(await server.execute('PING')).toBe('PONG')
  })

  test('many calls at once are answered in their order', async () => {
    const server = await start({ listen: false })
    const replies = await Promise.all(Array.from({ length: 5000 }, () => server.execute('INCR', 'n')))
    expect(replies).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1))
  })

  test('a command may be asked for while another is executed: it follows', async () => {
    const order: string[] = []
    const nested = defineCommand({
      name: 'NESTED',
      arity: 1,
      flags: 0,
      doc: { group: 'test', since: '1.0.0', summary: 'Asks for another command.' },
      run(_ctx, _argv, reply) {
        server.execute('GET', 'k').then((value) => order.push(`inner: ${value}`))
        reply.status('outer')
        order.push('handler')
      },
    })
    const server: EmbeddedServer = await start({ listen: false, commands: [nested] })
    await server.execute('SET', 'k', 'v')
    expect(await server.execute('NESTED')).toBe('outer')
    await new Promise((resolve) => setImmediate(resolve))
    expect(order).toEqual(['handler', 'inner: v'])
  })

  test('a command may close the server that runs it', async () => {
    const closing = defineCommand({
      name: 'CLOSING',
      arity: 1,
      flags: 0,
      doc: { group: 'test', since: '1.0.0', summary: 'Closes the server.' },
      run(_ctx, _argv, reply) {
        void server.close()
        reply.ok()
      },
    })
    const server: EmbeddedServer = await start({ commands: [closing] })
    const client = await RespClient.connect({ port: server.port })
    const error = await rejection(Promise.all([server.execute('CLOSING'), server.execute('PING')]))
    expect(error).toMatchObject({ code: 'O7_CLOSED' })
    await client.readToEnd()
    await server.close()
  })

  test('an in-process client is never idle', async () => {
    const server = await start({ listen: false, timeout: 10 })
    const client = server.connect()
    await client.execute('SELECT', 3)
    for (let i = 0; i < 10; i++) server.clock.advance(10_000)
    expect(await client.execute('SET', 'k', 'v')).toBe('OK')
  })

  test('goes on after QUIT with a new session', async () => {
    const server = await start({ listen: false })
    expect(await server.execute('QUIT')).toBe('OK')
    expect(await server.execute('PING')).toBe('PONG')
  })
})

describe('clock', () => {
  test('advance moves expiry and TIME', async () => {
    const server = await start({ listen: false })
    await server.execute('SET', 'session', 'x', 'PX', 600_000)
    const before = server.clock.nowMs
    const [secondsBefore] = await server.execute<string[]>('TIME')
    server.clock.advance(300_000)
    expect(await server.execute('GET', 'session')).toBe('x')
    server.clock.advance(301_000)
    expect(await server.execute('GET', 'session')).toBe(null)
    expect(server.clock.nowMs - before).toBeGreaterThanOrEqual(601_000)
    const [secondsAfter] = await server.execute<string[]>('TIME')
    expect(Number(secondsAfter) - Number(secondsBefore)).toBeGreaterThanOrEqual(601)
    expect(Number(secondsAfter) - Number(secondsBefore)).toBeLessThan(630)
  })

  test('advance removes every key whose time has come, not only most of them', async () => {
    const server = await start({ listen: false, notifyKeyspaceEvents: 'Ex' })
    const expired = new Set<ReplyValue>()
    const listener = server.connect({ onPush: (message) => expired.add((message as readonly ReplyValue[])[2]!) })
    await listener.execute('SUBSCRIBE', '__keyevent@0__:expired', '__keyevent@5__:expired')
    for (let i = 0; i < 5000; i++) await server.execute('SET', `short:${i}`, i, 'PX', 1000 + i)
    for (let i = 0; i < 5000; i++) await server.execute('SET', `long:${i}`, i, 'EX', 100)
    const other = server.connect()
    await other.execute('SELECT', 5)
    await other.execute('SET', 'elsewhere', 1, 'EX', 1)
    server.clock.advance(6001)
    expect(await server.execute('DBSIZE')).toBe(5000)
    expect(await other.execute('DBSIZE')).toBe(0)
    expect(expired.size).toBe(5001)
    server.clock.advance(100_000)
    expect(await server.execute('DBSIZE')).toBe(0)
  })

  test('advance ends the waiting of commands that block', async () => {
    const server = await start({ listen: false })
    const client = server.connect()
    let reply: ReplyValue = null
    const waiting = client.execute('WAIT', 1, 600_000).then((value) => (reply = value))
    server.clock.advance(300_000)
    await new Promise((resolve) => setImmediate(resolve))
    expect(reply).toBe(null)
    server.clock.advance(300_001)
    expect(await waiting).toBe(0)
    expect(await client.execute('PING')).toBe('PONG')
  })

  test('advance ends pauses that are over', async () => {
    const server = await start({ listen: false })
    await server.execute('CLIENT', 'PAUSE', 30_000)
    const waiting = server.execute('SET', 'k', 'v')
    server.clock.advance(30_001)
    expect(await waiting).toBe('OK')
  })

  test('a clock that stands still stays where it is put', async () => {
    const server = await start({ listen: false, clock: new ManualClock(1_000_000_000_000) })
    await server.execute('SET', 'k', 'v', 'PX', 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await server.execute('PTTL', 'k')).toBe(1)
    expect(await server.execute('PEXPIRETIME', 'k')).toBe(1_000_000_000_001)
    server.clock.advance(2)
    expect(await server.execute('PTTL', 'k')).toBe(-2)
    expect(await server.execute('TIME')).toEqual(['1000000000', '2000'])
  })

  test.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('does not advance by %s', async (ms) => {
    const server = await start({ listen: false })
    expect(() => server.clock.advance(ms)).toThrow(expect.objectContaining({ code: 'O7_INVALID_ARGUMENT' }))
  })
})
