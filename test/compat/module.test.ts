/** MODULE: replies and errors beside redis-server's, and what JavaScript modules may look like. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findFreePort, hasRedisServer, type RedisProcess, spawnServer, startServer } from '../support/redis-process.ts'
import type { RespClient } from '../support/resp-client.ts'
import { ServerPair } from '../support/server-pair.ts'

const PACKAGE = fileURLToPath(new URL('../../dist/index', import.meta.url))
const LOAD_ERROR = '-ERR Error loading the extension. Please check the server logs.\r\n'

describe.skipIf(!hasRedisServer())('beside redis-server', () => {
  let pair: ServerPair

  beforeAll(async () => {
    pair = await ServerPair.start({ 'enable-module-command': 'yes' })
  })
  afterAll(() => pair.stop())

  test.each([
    [['MODULE']],
    [['MODULE', 'HELP']],
    [['MODULE', 'HELP', 'x']],
    [['MODULE', 'LIST']],
    [['MODULE', 'LIST', 'x']],
    [['MODULE', 'LOAD']],
    [['MODULE', 'LOAD', '/nosuch/module.so']],
    [['MODULE', 'LOAD', '/nosuch/module.so', 'arg']],
    [['MODULE', 'LOADEX']],
    [['MODULE', 'LOADEX', '/nosuch/module.so']],
    [['MODULE', 'LOADEX', '/nosuch/module.so', 'CONFIG', 'name']],
    [['MODULE', 'LOADEX', '/nosuch/module.so', 'what']],
    [['MODULE', 'UNLOAD']],
    [['MODULE', 'UNLOAD', 'nosuch']],
    [['MODULE', 'UNLOAD', 'nosuch', 'x']],
    [['MODULE', 'nosuch']],
    [['PING']],
  ])('%j', async (command) => {
    await pair.expectSame(command)
  })

  test('it is refused unless it is enabled', async () => {
    for (const allowed of ['no', 'local']) {
      const other = await ServerPair.start({ 'enable-module-command': allowed })
      await other.expectSame(['MODULE', 'LIST'])
      await other.expectSame(['MODULE', 'HELP'])
      await other.expectSame(['MODULE', 'LOAD', '/nosuch/module.so'])
      await other.expectSame(['MODULE', 'UNLOAD', 'nosuch'])
      await other.stop()
    }
  })
})

describe('modules in JavaScript', () => {
  let folder: string
  let server: RedisProcess
  let client: RespClient

  const write = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  /** A command that replies with `text`. */
  const saying = (name: string, text: string): string =>
    `defineCommand({ name: '${name}', arity: 1, flags: 0, doc: { group: 'test', since: '1.0.0', summary: 'Says so.' }, ` +
    `run: (ctx, argv, reply) => reply.bulkText(${JSON.stringify(text)}) })`
  const esm = (body: string): string => `import { defineCommand } from ${JSON.stringify(`${PACKAGE}.js`)}\n${body}\n`
  const cjs = (body: string): string =>
    `const { defineCommand } = require(${JSON.stringify(`${PACKAGE}.cjs`)})\n${body}\n`
  /** UTF-8 as a client sees it that takes every byte for a character. */
  const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'o7-modules-'))
    server = await startServer({ server: 'o7', directives: { 'enable-module-command': 'yes' } })
    client = await server.connect()
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test.each([
    ['list.mjs', esm(`export default [${saying('FROM.LIST', 'list')}]`), 'FROM.LIST'],
    ['named.mjs', esm(`export const commands = [${saying('FROM.NAMED', 'named')}]`), 'FROM.NAMED'],
    ['function.mjs', esm(`export default (args) => [${saying('FROM.FUNCTION', 'function')}]`), 'FROM.FUNCTION'],
    ['promise.mjs', esm(`export default async () => [${saying('FROM.PROMISE', 'promise')}]`), 'FROM.PROMISE'],
    ['common.cjs', cjs(`module.exports = [${saying('FROM.COMMON', 'common')}]`), 'FROM.COMMON'],
    ['fields.cjs', cjs(`exports.commands = () => [${saying('FROM.FIELDS', 'fields')}]`), 'FROM.FIELDS'],
    ['plain.mjs', `export default [${saying('FROM.PLAIN', 'plain').replace('defineCommand', '')}]`, 'FROM.PLAIN'],
  ])('%s', async (file, text, command) => {
    const path = write(file, text)
    expect(await client.query('MODULE', 'LOAD', path)).toBe('OK')
    const name = file.split('.')[0]!
    expect(await client.query(command)).toBe(name)
    const list = (await client.query('MODULE', 'LIST')) as unknown[][]
    expect(list.at(-1)).toEqual(['name', name, 'ver', 1, 'path', path, 'args', []])
    await server.waitForLog(new RegExp(`\\* Module '${name}' loaded from ${path}\n`))
    const [info] = (await client.query('COMMAND', 'INFO', command)) as unknown[][]
    expect(info![2]).toContain('module')
  })

  test('name, version and arguments', async () => {
    const path = write(
      'arguments.mjs',
      esm(`export const name = 'chosen'
export const version = 7
export default (args) => [${saying('ARGUMENTS', 'X').replace('"X"', 'args.join("|")')}]`),
    )
    expect(await client.query('MODULE', 'LOAD', path, 'a b', 'é')).toBe('OK')
    expect((await client.call('ARGUMENTS')).toString()).toBe('$6\r\na b|é\r\n')
    const list = (await client.query('MODULE', 'LIST')) as unknown[][]
    expect(list.at(-1)).toEqual(['name', 'chosen', 'ver', 7, 'path', path, 'args', ['a b', latin1('é')]])
  })

  test.each([
    ['syntax.mjs', 'export default [', /failed to load: Unexpected/],
    ['throws.mjs', "throw new Error('no database')", /failed to load: no database/],
    ['rejects.mjs', "export default async () => { throw new Error('later') }", /initialization failed.*later/],
    ['nothing.mjs', 'export const x = 1', /gives no list of commands/],
    ['number.mjs', 'export default [1]', /item 0 of its list is no command/],
    ['arity.mjs', "export default [{ name: 'X', arity: 0, flags: 0, doc: {}, run() {} }]", /arity/],
    ['taken.mjs', esm(`export default [${saying('FRESH', 'x')}, ${saying('GET', 'x')}]`), /GET is already there/],
  ])('%s is refused with a reason in the log', async (file, text, reason) => {
    const path = write(file, text)
    expect(String(await client.call('MODULE', 'LOAD', path))).toBe(LOAD_ERROR)
    await server.waitForLog(new RegExp(` # Module ${path} .*${reason.source}`))
    // None of its commands stays.
    expect(String(await client.call('FRESH'))).toMatch(/^-ERR unknown command/)
    expect(await client.query('PING')).toBe('PONG')
  })

  test('the client waits for its module, others do not', async () => {
    const gate = join(folder, 'slow-may-go-on')
    const path = write(
      'slow.mjs',
      esm(`import { existsSync } from 'node:fs'
while (!existsSync(${JSON.stringify(gate)})) await new Promise((done) => setTimeout(done, 5))
export default [${saying('SLOW', 'slow')}]`),
    )
    const other = await server.connect()
    client.write(`MODULE LOAD ${path}\r\nSLOW\r\n`)
    expect(await other.query('PING')).toBe('PONG')
    expect(String(await other.call('SLOW'))).toMatch(/^-ERR unknown command/)
    writeFileSync(gate, '')
    expect(String(await client.read())).toBe('+OK\r\n')
    expect(String(await client.read())).toBe('$4\r\nslow\r\n')
    await other.close()
  })

  test('a client that leaves meanwhile is no trouble', async () => {
    const path = write(
      'slower.mjs',
      esm(`await new Promise((done) => setTimeout(done, 100))
export default [${saying('SLOWER', 'slower')}]`),
    )
    const other = await server.connect()
    other.send('MODULE', 'LOAD', path)
    await other.close()
    await server.waitForLog(/Module 'slower' loaded/)
    expect(await client.query('SLOWER')).toBe('slower')
  })

  test('unloaded, changed and loaded again', async () => {
    for (const [kind, make] of [
      ['again.mjs', (text: string) => esm(`export default [${saying('AGAIN', text)}]`)],
      ['again.cjs', (text: string) => cjs(`module.exports = [${saying('AGAIN', text)}]`)],
    ] as const) {
      const path = write(kind, make('first'))
      expect(await client.query('MODULE', 'LOAD', path)).toBe('OK')
      expect(String(await client.call('MODULE', 'LOAD', path))).toBe(LOAD_ERROR)
      expect(await client.query('AGAIN')).toBe('first')
      expect(await client.query('MODULE', 'UNLOAD', 'again')).toBe('OK')
      await server.waitForLog(/\* Module again unloaded\n/)
      expect(String(await client.call('AGAIN'))).toMatch(/^-ERR unknown command/)
      write(kind, make('second'))
      utimesSync(path, 4_000_000_000, 4_000_000_000)
      expect(await client.query('MODULE', 'LOAD', path)).toBe('OK')
      expect(await client.query('AGAIN')).toBe('second')
      expect(await client.query('MODULE', 'UNLOAD', 'again')).toBe('OK')
    }
  })

  test('a module may refuse to be unloaded', async () => {
    const path = write(
      'stays.mjs',
      esm(`export const unload = () => { throw new Error('busy') }
export default [${saying('STAYS', 'here')}]`),
    )
    expect(await client.query('MODULE', 'LOAD', path)).toBe('OK')
    expect(String(await client.call('MODULE', 'UNLOAD', 'stays'))).toBe(
      '-ERR Error unloading module: operation not possible.\r\n',
    )
    expect(await client.query('STAYS')).toBe('here')
  })

  test('LOADEX hands over parameters, all of which must be the module’s', async () => {
    const path = write(
      'tuned.mjs',
      esm(
        `export default (args, config) => [${saying('TUNED', 'X').replace('"X"', 'JSON.stringify([args, config])')}]`,
      ),
    )
    const parameters = ['CONFIG', 'tuned.a', '1', 'config', 'tuned.b', 'two words', 'args', 'x', 'CONFIG']
    expect(await client.query('MODULE', 'LOADEX', path, ...parameters)).toBe('OK')
    expect(await client.query('TUNED')).toBe('[["x","CONFIG"],{"a":"1","b":"two words"}]')
    await client.query('MODULE', 'UNLOAD', 'tuned')
    expect(String(await client.call('MODULE', 'LOADEX', path, 'CONFIG', 'other.a', '1'))).toBe(LOAD_ERROR)
    const fixed = write('fixed.mjs', esm(`export default [${saying('FIXED', 'x')}]`))
    expect(String(await client.call('MODULE', 'LOADEX', fixed, 'CONFIG', 'fixed.a', '1'))).toBe(LOAD_ERROR)
    expect(await client.query('MODULE', 'LOADEX', fixed, 'ARGS')).toBe('OK')
  })

  test('within a transaction nothing can be loaded', async () => {
    await client.query('MULTI')
    await client.query('MODULE', 'LOAD', '/nosuch.mjs')
    expect(String(await client.call('EXEC'))).toMatch(/^\*1\r\n-ERR Modules cannot be loaded/)
  })

  test('CONFIG REWRITE keeps what is loaded', async () => {
    const path = write('kept.mjs', esm(`export default (args) => [${saying('KEPT', 'X').replace('"X"', 'args[0]')}]`))
    const config = write('redis.conf', 'enable-module-command yes\nsave ""\n')
    const first = await startServer({ server: 'o7', dir: folder, arguments: [config] })
    const firstClient = await first.connect()
    expect(await firstClient.query('MODULE', 'LOAD', path, 'two words')).toBe('OK')
    expect(await firstClient.query('CONFIG', 'REWRITE')).toBe('OK')
    await first.stop()
    const second = await startServer({ server: 'o7', dir: folder, arguments: [config] })
    expect(await (await second.connect()).query('KEPT')).toBe('two words')
    await second.stop()
  })

  test.each([
    ['throws', "setTimeout(() => { throw new Error('out of nowhere') }, 10)"],
    ['rejects', "setTimeout(() => void Promise.reject(new Error('out of nowhere')), 10)"],
  ])('a module whose own work %s ends the server with a report', async (name, text) => {
    const path = write(`${name}-later.mjs`, `${text}\nexport default []\n`)
    // Not before it is ready: that may take longer than the module waits.
    const failing = spawnServer({ server: 'o7', directives: { loadmodule: path } }, await findFreePort())
    expect((await failing.exited).code).toBe(1)
    expect(failing.log).toMatch(/# Guru Meditation: out of nowhere #\S+-later\.mjs:1\n/)
    expect(failing.log).toContain('=== REDIS BUG REPORT END')
    await failing.stop()
  })

  test.each([
    [
      'a module that is not there',
      { loadmodule: '/nosuch/module.mjs' },
      /Can't load module from \/nosuch\/module\.mjs: server aborting/,
    ],
    [
      'a parameter of no module',
      { 'some.parameter': 'x' },
      /Module Configuration detected without loadmodule directive/,
    ],
  ])('%s keeps the server from starting', async (_name, directives, reason) => {
    const failing = spawnServer({ server: 'o7', directives }, await findFreePort())
    expect((await failing.exited).code).toBe(1)
    expect(failing.log).toMatch(reason)
    await failing.stop()
  })
})
