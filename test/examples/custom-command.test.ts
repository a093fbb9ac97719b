/** The example of commands of one's own: as a module of the program, loaded while it runs, and within a program. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandDefinition, createServer, defineCommand, type EmbeddedServer } from '../../src/index.ts'
import { createTestEngine } from '../support/engine.ts'
import { type RedisProcess, startServer } from '../support/redis-process.ts'
import type { RespClient } from '../support/resp-client.ts'

const PATH = fileURLToPath(new URL('../../examples/custom-command/locks.js', import.meta.url))
type Config = Readonly<Record<string, string>>
const { default: locks } = (await import(PATH)) as {
  default: (args: readonly string[], config: Config) => CommandDefinition[]
}
/** The example has defineCommand from the built package, so its commands come from another copy of the library. */
const commandsOf = (config: Config = {}) => locks([], config).map(defineCommand)

describe('in an engine', () => {
  const { client, clock, effects } = createTestEngine(commandsOf({ 'max-milliseconds': '5000' }))
  const { nowMs } = clock

  test('a lock is held by its token until it is released', () => {
    expect(client.send('LOCK.ACQUIRE', 'a', 'me', 1000)).toBe(':1\r\n')
    expect(client.send('LOCK.ACQUIRE', 'a', 'me', 1000)).toBe(':0\r\n')
    expect(client.send('LOCK.RELEASE', 'a', 'other')).toBe(':0\r\n')
    expect(client.send('LOCK.EXTEND', 'a', 'other', 1000)).toBe(':0\r\n')
    expect(client.send('LOCK.RELEASE', 'a', 'me')).toBe(':1\r\n')
    expect(client.send('LOCK.RELEASE', 'a', 'me')).toBe(':0\r\n')
  })

  test('or until its time has passed', () => {
    expect(client.send('LOCK.ACQUIRE', 'b', 'me', 1000)).toBe(':1\r\n')
    clock.advance(900)
    expect(client.send('LOCK.EXTEND', 'b', 'me', 1000)).toBe(':1\r\n')
    clock.advance(900)
    expect(client.send('LOCK.ACQUIRE', 'b', 'other', 1000)).toBe(':0\r\n')
    clock.advance(101)
    expect(client.send('LOCK.ACQUIRE', 'b', 'other', 1000)).toBe(':1\r\n')
  })

  test('effects have the same result at any time', () => {
    expect(effects).toEqual([
      `0:SET a me PXAT ${nowMs + 1000}`,
      '0:DEL a',
      `0:SET b me PXAT ${nowMs + 1000}`,
      `0:PEXPIREAT b ${nowMs + 1900}`,
      // The lock had expired: both belong together.
      '0:MULTI',
      '0:DEL b',
      `0:SET b other PXAT ${nowMs + 2901}`,
      '0:EXEC',
    ])
  })

  test.each([
    [['LOCK.ACQUIRE', 'c', 'me', '0'], '-ERR duration must be between 1 and the longest that is allowed\r\n'],
    [['LOCK.ACQUIRE', 'c', 'me', '5001'], '-ERR duration must be between 1 and the longest that is allowed\r\n'],
    [['LOCK.EXTEND', 'c', 'me', 'x'], '-ERR duration must be between 1 and the longest that is allowed\r\n'],
    [['LOCK.RELEASE', 'c'], "-ERR wrong number of arguments for 'lock.release' command\r\n"],
  ])('%j', (command, expected) => {
    expect(client.send(...command)).toBe(expected)
  })

  test('a parameter that makes no sense keeps the module from loading', () => {
    expect(() => commandsOf({ 'max-milliseconds': 'soon' })).toThrow(/whole number/)
  })
})

describe('in a program', () => {
  let server: EmbeddedServer

  beforeAll(async () => {
    server = await createServer({ listen: false, commands: commandsOf() })
  })
  afterAll(() => server.close())

  test('beside the built-in commands', async () => {
    expect(await server.execute('LOCK.ACQUIRE', 'a', 'me', 30_000)).toBe(1)
    expect(await server.execute('GET', 'a')).toBe('me')
    server.clock.advance(30_001)
    expect(await server.execute('GET', 'a')).toBe(null)
  })

  test('COMMAND knows it', async () => {
    const [info] = (await server.execute('COMMAND', 'INFO', 'lock.acquire')) as unknown[][]
    expect(info!.slice(0, 2)).toEqual(['lock.acquire', 4])
    expect(await server.execute('COMMAND', 'GETKEYS', 'LOCK.RELEASE', 'key', 'token')).toEqual(['key'])
  })
})

describe('as a module', () => {
  let server: RedisProcess
  let client: RespClient

  beforeAll(async () => {
    server = await startServer({
      server: 'o7',
      directives: { loadmodule: PATH, 'locks.max-milliseconds': 60_000, 'enable-module-command': 'yes' },
    })
    client = await server.connect()
  })
  afterAll(() => server.stop())

  test('it is loaded at start', async () => {
    expect(server.log).toContain(`* Module 'locks' loaded from ${PATH}\n`)
    expect(await client.query('MODULE', 'LIST')).toEqual([['name', 'locks', 'ver', 1, 'path', PATH, 'args', []]])
    expect(await client.query('INFO', 'modules')).toContain('module:name=locks,ver=1,')
    expect(await client.query('LOCK.ACQUIRE', 'a', 'me', '60000')).toBe(1)
    expect(await client.query('GET', 'a')).toBe('me')
    expect(String(await client.call('LOCK.ACQUIRE', 'b', 'me', '60001'))).toMatch(/^-ERR duration/)
    expect(await client.query('COMMAND', 'LIST', 'FILTERBY', 'MODULE', 'locks')).toHaveLength(3)
  })

  test('it works in transactions', async () => {
    await client.query('MULTI')
    await client.query('LOCK.RELEASE', 'a', 'me')
    await client.query('LOCK.ACQUIRE', 'a', 'other', '1000')
    expect(await client.query('EXEC')).toEqual([1, 1])
  })

  test('it can be unloaded, and loaded again with other parameters', async () => {
    expect(await client.query('MODULE', 'UNLOAD', 'locks')).toBe('OK')
    expect(String(await client.call('LOCK.RELEASE', 'a', 'me'))).toMatch(/^-ERR unknown command/)
    expect(
      await client.query('MODULE', 'LOADEX', PATH, 'CONFIG', 'locks.max-milliseconds', '10', 'ARGS', 'unused'),
    ).toBe('OK')
    expect(String(await client.call('LOCK.ACQUIRE', 'c', 'me', '11'))).toMatch(/^-ERR duration/)
    expect(await client.query('LOCK.ACQUIRE', 'c', 'me', '10')).toBe(1)
  })
})
