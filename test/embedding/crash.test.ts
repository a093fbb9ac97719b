/** A bug stops the server that it is in, tells everybody, and leaves the process and the other servers alone. */
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest'
import {
  createServer,
  defineCommand,
  type EmbeddedServer,
  FAST,
  type ReplyWriter,
  type ServerError,
  type ServerOptions,
} from '../../src/index.ts'
import { RespClient } from '../support/resp-client.ts'

const BUG = 'the cache of prices is empty'
const buggy = defineCommand({
  name: 'SHOP.BUG',
  arity: -1,
  flags: FAST,
  doc: { group: 'test', since: '1.0.0', summary: 'Fails.' },
  run(_ctx, _argv, reply) {
    // Half a reply has been written when it happens.
    reply.array(3)
    reply.integer(1)
    throw new Error(BUG)
  },
})

const servers: EmbeddedServer[] = []
let exit: MockInstance
const warnings: Error[] = []
const onWarning = (warning: Error) => warnings.push(warning)

async function start(options: ServerOptions = {}): Promise<EmbeddedServer> {
  const server = await createServer({ commands: [buggy], ...options })
  servers.push(server)
  return server
}

beforeEach(() => {
  exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as never)
  process.on('warning', onWarning)
})

afterEach(async () => {
  expect(exit).not.toHaveBeenCalled()
  exit.mockRestore()
  process.off('warning', onWarning)
  warnings.length = 0
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('rejects the caller, everybody who waits and everybody who comes, with the cause', async () => {
  const crashes: ServerError[] = []
  const server = await start({ onCrash: (error) => crashes.push(error) })
  const other = server.connect()
  await server.execute('CLIENT', 'PAUSE', 100_000, 'WRITE')
  const waiting = other.execute('SET', 'k', 'v')
  const results = await Promise.allSettled([server.execute('SHOP.BUG'), server.execute('PING'), waiting])
  for (const result of [...results, ...(await Promise.allSettled([server.execute('PING'), other.execute('PING')]))]) {
    expect(result).toMatchObject({
      status: 'rejected',
      reason: {
        name: 'ServerError',
        code: 'O7_CRASHED',
        message: `a bug stopped the server: ${BUG}`,
        cause: { message: BUG },
      },
    })
  }
  await settled()
  expect(crashes).toHaveLength(1)
  expect(crashes[0]).toMatchObject({ code: 'O7_CRASHED', cause: { message: BUG } })
  expect(warnings).toEqual([])
  expect(server.isClosed).toBe(true)
  expect(() => server.connect()).toThrow(expect.objectContaining({ code: 'O7_CRASHED' }))
  await server.close()
})

test('another server of the process goes on', async () => {
  const first = await start({ onCrash: () => {} })
  const second = await start()
  const client = await RespClient.connect({ port: second.port })
  await expect(first.execute('SHOP.BUG')).rejects.toMatchObject({ code: 'O7_CRASHED' })
  expect((await client.call('PING')).toString()).toBe('+PONG\r\n')
  expect(await second.execute('SET', 'k', 'v')).toBe('OK')
  await client.close()
})

test('connections end, and the port is free again', async () => {
  const server = await start({ onCrash: () => {} })
  const { port } = server
  const culprit = await RespClient.connect({ port })
  const bystander = await RespClient.connect({ port })
  await bystander.call('PING')
  culprit.send('SHOP.BUG')
  await culprit.readToEnd()
  await bystander.readToEnd()
  await server.close()
  expect((await start({ port })).port).toBe(port)
})

test('in a transaction as well', async () => {
  const server = await start({ onCrash: () => {} })
  const client = server.connect()
  await client.execute('MULTI')
  await client.execute('SHOP.BUG')
  await expect(client.execute('EXEC')).rejects.toMatchObject({ code: 'O7_CRASHED' })
})

test('a handler that answers nothing is a bug, and not a client out of step', async () => {
  const silent = defineCommand({
    name: 'SHOP',
    arity: -2,
    flags: 0,
    doc: { group: 'test', since: '1.0.0', summary: 'A container.' },
    subcommands: [
      { name: 'SILENT', arity: 2, flags: 0, doc: { group: 'test', since: '1.0.0', summary: 'Is silent.' }, run() {} },
    ],
  })
  const server = await start({ onCrash: () => {}, commands: [silent] })
  const client = await RespClient.connect({ port: server.port })
  client.send('SHOP', 'SILENT')
  client.send('PING')
  expect((await client.readToEnd()).toString()).toBe('')
  await expect(server.execute('PING')).rejects.toMatchObject({
    code: 'O7_CRASHED',
    message: "a bug stopped the server: the handler of command 'shop|silent' wrote no reply",
  })
})

test('without onCrash it shows as a warning of the process', async () => {
  const server = await start()
  await expect(server.execute('SHOP.BUG')).rejects.toMatchObject({ code: 'O7_CRASHED' })
  await settled()
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatchObject({ name: 'ServerError', code: 'O7_CRASHED' })
})

test('the log has the report', async () => {
  const lines: string[] = []
  const server = await start({ onCrash: () => {}, onLog: (line) => lines.push(line) })
  await expect(server.execute('SHOP.BUG', 'some-argument')).rejects.toMatchObject({ code: 'O7_CRASHED' })
  const text = lines.join('\n')
  expect(text).toContain('=== REDIS BUG REPORT START: Cut & paste starting from here ===')
  expect(text).toContain(BUG)
  expect(text).toContain('crash.test.ts')
  expect(text).toContain('shop.bug')
  expect(text).toContain('=== REDIS BUG REPORT END.')
})

test.each<[string, (reply: ReplyWriter) => void]>([
  ['a line that ends early', (reply) => reply.status('first\r\nsecond')],
  ['a number that is none', (reply) => reply.integer(Number.NaN)],
])('stops at a handler that writes what is no reply: %s', async (_what, write) => {
  const crashes: ServerError[] = []
  const server = await start({
    listen: false,
    onCrash: (error) => crashes.push(error),
    commands: [
      defineCommand({
        ...{ name: 'SHOP.WRONG', arity: 1, flags: FAST },
        doc: { group: 'test', since: '1.0.0', summary: 'Answers what is no reply.' },
        run: (_ctx, _argv, reply) => write(reply),
      }),
    ],
  })
  await server.execute('SHOP.WRONG').catch(() => {})
  await expect(server.execute('PING')).rejects.toMatchObject({ code: 'O7_CRASHED' })
  await settled()
  expect(crashes).toHaveLength(1)
  expect(server.isClosed).toBe(true)
})
