/** Commands of one's own: what a declaration brings with it, whoever wrote it. */
import { afterEach, describe, expect, test } from 'vitest'
import {
  createServer,
  DENYOOM,
  defineCommand,
  type EmbeddedServer,
  ERR_NOT_INTEGER,
  ERR_WRONGTYPE,
  FAST,
  firstKey,
  integerOf,
  KEY_ACCESS,
  KEY_RO,
  KEY_RW,
  KEY_UPDATE,
  keyRange,
  NO_KEY,
  NOTIFY_STRING,
  putString,
  READONLY,
  type ReplyValue,
  removeKey,
  type ServerOptions,
  WRITE,
  WRONG_TYPE,
} from '../../src/index.ts'
import { builtInCommands } from '../../src/server/built-in-commands.ts'
import { createTestEngine } from '../support/engine.ts'
import { RespClient } from '../support/resp-client.ts'

/** ALLOW key limit window-ms: 1 while fewer than `limit` calls were made within the window, else 0. */
const allow = defineCommand({
  name: 'ALLOW',
  arity: 4,
  flags: WRITE | DENYOOM | FAST,
  acl: ['string'],
  keys: [firstKey(KEY_RW | KEY_ACCESS | KEY_UPDATE)],
  doc: {
    group: 'limits',
    since: '1.2.0',
    complexity: 'O(1)',
    summary: 'Counts a call against a limit.',
    arguments: 'key#0 limit:integer window:integer',
  },
  run(ctx, argv, reply) {
    const limit = argv.safeInt(2)
    const windowMs = argv.safeInt(3)
    if (Number.isNaN(limit) || Number.isNaN(windowMs)) return reply.error(ERR_NOT_INTEGER)
    const { db } = ctx
    const entry = db.writeString(argv, 1)
    if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
    const used = entry === NO_KEY ? 0 : integerOf(db, entry)
    if (Number.isNaN(used)) return reply.error(ERR_NOT_INTEGER)
    if (used >= limit) return reply.integer(0)
    const expireAtMs = entry === NO_KEY ? ctx.nowMs + windowMs : db.expireAtMs(entry)
    db.setExpire(putString(ctx, argv, 1, used + 1, true), expireAtMs)
    ctx.changed(argv, 1, NOTIFY_STRING, 'allow')
    ctx.replaceEffect(['SET', argv.view(1), String(used + 1), 'PXAT', String(expireAtMs)])
    reply.integer(1)
  },
})

/** SUM key [key ...]: the sum of the numbers in keys. A container with subcommands stands beside it. */
const sum = defineCommand({
  name: 'SUM',
  arity: -2,
  flags: READONLY,
  keys: [keyRange(1, -1, 1, KEY_RO | KEY_ACCESS)],
  doc: { group: 'limits', since: '1.0.0', complexity: 'O(N)', summary: 'Adds numbers up.' },
  run(ctx, argv, reply) {
    let total = 0
    for (let i = 1; i < argv.count; i++) {
      const entry = ctx.db.readString(argv, i)
      if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
      if (entry === NO_KEY) continue
      const number = integerOf(ctx.db, entry)
      if (Number.isNaN(number)) return reply.error(ERR_NOT_INTEGER)
      total += number
    }
    reply.integer(total)
  },
})

const drop = defineCommand({
  name: 'LIMITS',
  arity: -2,
  flags: 0,
  doc: { group: 'limits', since: '1.0.0', complexity: 'Depends on subcommand.', summary: 'Looks after limits.' },
  subcommands: [
    {
      name: 'DROP',
      arity: 3,
      flags: WRITE,
      keys: [{ ...firstKey(KEY_RW), begin: { kind: 'index', index: 2 } }],
      doc: { group: 'limits', since: '1.0.0', complexity: 'O(1)', summary: 'Forgets a limit.' },
      run(ctx, argv, reply) {
        const removed = removeKey(ctx, argv, 2)
        if (removed) ctx.changed(argv, 2, NOTIFY_STRING, 'drop')
        reply.integer(removed ? 1 : 0)
      },
    },
  ],
})

const commands = [allow, sum, drop]
const servers: EmbeddedServer[] = []

async function start(options: ServerOptions = {}): Promise<EmbeddedServer> {
  const server = await createServer({ listen: false, commands, ...options })
  servers.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

test('runs like any other, in process and over a socket, in any case', async () => {
  const server = await start({ listen: true })
  const client = await RespClient.connect({ port: server.port })
  expect(await server.execute('ALLOW', 'api', 2, 60_000)).toBe(1)
  expect((await client.call('allow', 'api', '2', '60000')).toString()).toBe(':1\r\n')
  expect(await server.execute('Allow', 'api', 2, 60_000)).toBe(0)
  server.clock.advance(60_001)
  expect(await server.execute('ALLOW', 'api', 2, 60_000)).toBe(1)
  expect(await server.execute('SUM', 'api', 'none')).toBe(1)
  expect(await server.execute('LIMITS', 'DROP', 'api')).toBe(1)
  expect(await server.execute('GET', 'api')).toBe(null)
  await client.close()
})

test('wrong numbers of arguments and unknown subcommands are refused from the declaration', async () => {
  const server = await start()
  await expect(server.execute('ALLOW', 'api')).rejects.toThrow("ERR wrong number of arguments for 'allow' command")
  await expect(server.execute('SUM')).rejects.toThrow("ERR wrong number of arguments for 'sum' command")
  await expect(server.execute('LIMITS', 'DROP')).rejects.toThrow(
    "ERR wrong number of arguments for 'limits|drop' command",
  )
  await expect(server.execute('LIMITS', 'NOPE')).rejects.toThrow("ERR unknown subcommand 'NOPE'. Try LIMITS HELP.")
})

test('the type of a key and a number that is none are the command’s to refuse', async () => {
  const server = await start()
  await server.execute('SET', 'api', 'text')
  await expect(server.execute('ALLOW', 'api', 1, 1000)).rejects.toThrow(ERR_NOT_INTEGER.text)
  await expect(server.execute('ALLOW', 'api', 'many', 1000)).rejects.toThrow(ERR_NOT_INTEGER.text)
})

test('COMMAND INFO, DOCS, COUNT, LIST and GETKEYS know it', async () => {
  const server = await start()
  const plain = await createServer({ listen: false })
  servers.push(plain)
  const [info] = await server.execute<ReplyValue[][]>('COMMAND', 'INFO', 'allow')
  expect(info!.slice(0, 3)).toEqual(['allow', 4, new Set(['write', 'denyoom', 'fast'])])
  expect(info!.slice(3, 6)).toEqual([1, 1, 1])
  expect(info![6]).toEqual(new Set(['@write', '@string', '@fast']))
  const docs = await server.execute<ReadonlyMap<string, ReadonlyMap<string, ReplyValue>>>('COMMAND', 'DOCS', 'allow')
  expect(docs.get('allow')!.get('summary')).toBe('Counts a call against a limit.')
  expect(docs.get('allow')!.get('since')).toBe('1.2.0')
  expect((docs.get('allow')!.get('arguments') as readonly unknown[]).length).toBe(3)
  const count = await plain.execute<number>('COMMAND', 'COUNT')
  expect(await server.execute('COMMAND', 'COUNT')).toBe(count + 3)
  expect(await server.execute('COMMAND', 'LIST')).toEqual(expect.arrayContaining(['allow', 'sum', 'limits|drop']))
  expect(await server.execute('COMMAND', 'GETKEYS', 'SUM', 'a', 'b', 'c')).toEqual(['a', 'b', 'c'])
  expect(await server.execute('COMMAND', 'GETKEYS', 'LIMITS', 'DROP', 'a')).toEqual(['a'])
})

test('in MULTI it is queued, and refused there it aborts', async () => {
  const server = await start()
  const client = server.connect()
  await client.execute('MULTI')
  expect(await client.execute('ALLOW', 'api', 1, 1000)).toBe('QUEUED')
  expect(await client.execute('ALLOW', 'api', 1, 1000)).toBe('QUEUED')
  expect(await client.execute('EXEC')).toEqual([1, 0])
  await client.execute('MULTI')
  await expect(client.execute('ALLOW', 'api')).rejects.toThrow('wrong number of arguments')
  await expect(client.execute('EXEC')).rejects.toMatchObject({ code: 'EXECABORT' })
})

test('WATCH, keyspace events and the counters of INFO see it', async () => {
  const server = await start({ notifyKeyspaceEvents: 'K$' })
  const events: ReplyValue[] = []
  const listener = server.connect({ onPush: (message) => events.push((message as readonly ReplyValue[])[3]!) })
  await listener.execute('PSUBSCRIBE', '__keyspace@0__:*')
  const client = server.connect()
  await client.execute('WATCH', 'api')
  await server.execute('ALLOW', 'api', 1, 60_000)
  await client.execute('MULTI')
  expect(await client.execute('EXEC')).toBe(null)
  await server.execute('LIMITS', 'DROP', 'api')
  expect(events).toEqual(['allow', 'drop'])
  const stats = await server.execute<string>('INFO', 'commandstats')
  expect(stats).toMatch(/^cmdstat_allow:calls=1,.*failed_calls=0\r$/m)
  expect(stats).toMatch(/^cmdstat_limits\|drop:calls=1,/m)
})

test('maxmemory holds it back from the declaration alone', async () => {
  const server = await start({ maxmemory: 1 })
  await expect(server.execute('ALLOW', 'api', 1, 1000)).rejects.toMatchObject({ code: 'OOM' })
  expect(await server.execute('SUM', 'api')).toBe(0)
})

describe('what it propagates', () => {
  test('the effect it names, the request otherwise, nothing without a change', () => {
    const { client, effects, clock } = createTestEngine([...builtInCommands(null), ...commands])
    client.send('ALLOW', 'api', 1, 1000)
    client.send('ALLOW', 'api', 1, 1000)
    client.send('SUM', 'api')
    client.send('LIMITS', 'DROP', 'api')
    client.send('LIMITS', 'DROP', 'api')
    expect(effects).toEqual([`0:SET api 1 PXAT ${clock.nowMs + 1000}`, '0:LIMITS DROP api'])
  })

  test('within a transaction, wrapped', () => {
    const { client, effects, clock } = createTestEngine([...builtInCommands(null), ...commands])
    for (const args of [['MULTI'], ['ALLOW', 'api', 1, 1000], ['SET', 'k', 'v'], ['EXEC']]) client.send(...args)
    expect(effects).toEqual(['0:MULTI', `0:SET api 1 PXAT ${clock.nowMs + 1000}`, '0:SET k v', '0:EXEC'])
  })
})

describe('putString', () => {
  const put = defineCommand({
    name: 'PUT',
    arity: 4,
    flags: WRITE,
    keys: [firstKey(KEY_RW)],
    doc: { group: 'test', since: '1.0.0', summary: 'Stores.' },
    run(ctx, argv, reply) {
      const kind = argv.utf8(2)
      const text = argv.utf8(3)
      const value = kind === 'number' ? Number(text) : kind === 'bytes' ? Uint8Array.from([0, 255]) : text
      putString(ctx, argv, 1, value, kind === 'keep')
      ctx.changed(argv, 1, NOTIFY_STRING, 'set')
      reply.ok()
    },
  })

  test('stores text, numbers and bytes with the encodings that SET gives', async () => {
    const server = await start({ commands: [put] })
    const client = server.connect({ buffers: true })
    const show = async () => [await client.execute('GET', 'k'), String(await client.execute('OBJECT', 'ENCODING', 'k'))]
    await server.execute('PUT', 'k', 'text', 'wörd')
    expect(await show()).toEqual([Buffer.from('wörd'), 'embstr'])
    await server.execute('PUT', 'k', 'number', '42')
    expect(await show()).toEqual([Buffer.from('42'), 'int'])
    await server.execute('PUT', 'k', 'bytes', '')
    expect(await show()).toEqual([Buffer.from([0, 255]), 'embstr'])
    await server.execute('PUT', 'k', 'text', 'x'.repeat(100))
    expect(await show()).toEqual([Buffer.from('x'.repeat(100)), 'raw'])
  })

  test('keeps the expire time when asked to', async () => {
    const server = await start({ commands: [put] })
    await server.execute('SET', 'k', 'v', 'EX', 100)
    await server.execute('PUT', 'k', 'keep', 'w')
    expect(await server.execute('TTL', 'k')).toBeGreaterThan(90)
    await server.execute('PUT', 'k', 'text', 'w')
    expect(await server.execute('TTL', 'k')).toBe(-1)
  })
})

describe('mistakes in a declaration show when it is made', () => {
  const base = { arity: 1, flags: 0, doc: { group: 'test', since: '1.0.0', summary: '' }, run() {} }

  test.each([
    ['a name with spaces', { ...base, name: 'MY COMMAND' }, 'may hold letters'],
    ['arity 0', { ...base, name: 'X', arity: 0 }, 'arity'],
    ['no flags', { ...base, name: 'X', flags: undefined }, 'flags must be a number'],
    ['no docs', { ...base, name: 'X', doc: undefined }, 'doc must have'],
    ['nothing at all', undefined, 'declared as an object'],
    ['a name that is no text', { ...base, name: 5 }, 'may hold letters'],
    ['no name', base, 'may hold letters'],
    ['a key spec that is none', { ...base, name: 'X', keys: [{}] }, 'begin and find'],
    ['keys that are none', { ...base, name: 'X', keys: [null] }, 'keys must be a list of objects'],
    ['keys that are no list', { ...base, name: 'X', keys: {} }, 'keys must be a list of objects'],
    ['categories that are no list', { ...base, name: 'X', acl: 'string' }, 'acl must be a list of strings'],
    ['tips that are no text', { ...base, name: 'X', tips: [5] }, 'tips must be a list of strings'],
    ['getKeys that is none', { ...base, name: 'X', getKeys: [1] }, 'getKeys must be a function'],
    ['a handler that is none', { ...base, name: 'X', run: 'GET' }, 'run must be a function'],
    ['a handler that yields', { ...base, name: 'X', *run() {} }, 'must not be async'],
    ['a subcommand that is none', { ...base, name: 'X', subcommands: [null] }, 'must be a list of objects'],
    [
      'a subcommand twice',
      { ...base, name: 'X', subcommands: ['SUB', 'sub'].map((name) => ({ ...base, name, arity: 2 })) },
      'subcommand x|sub is declared twice',
    ],
    ['nothing to run', { ...base, name: 'X', run: undefined }, 'needs a run function'],
    ['an async handler', { ...base, name: 'X', run: async () => {} }, 'must not be async'],
    ['a key at index 0', { ...base, name: 'X', keys: [keyRange(0, -1, 1, KEY_RO)] }, 'index must be 1 or more'],
    ['grammar that does not hold', { ...base, name: 'X', doc: { ...base.doc, arguments: 'a [b' } }, 'command X'],
  ])('%s', (_what, definition, message) => {
    expect(() => defineCommand(definition as never)).toThrow(TypeError)
    expect(() => defineCommand(definition as never)).toThrow(message)
  })

  test('a name that is taken', async () => {
    const clash = defineCommand({ ...base, name: 'GET' })
    await expect(createServer({ listen: false, commands: [clash] })).rejects.toMatchObject({
      code: 'O7_INVALID_OPTION',
      option: 'commands',
      message: expect.stringContaining('command GET is already there'),
    })
  })

  test('a plain definition does as well', async () => {
    const server = await start({
      commands: [
        {
          ...base,
          name: 'HI',
          run(_ctx, _argv, reply) {
            reply.status('HI')
          },
        },
      ],
    })
    expect(await server.execute('HI')).toBe('HI')
  })
})
