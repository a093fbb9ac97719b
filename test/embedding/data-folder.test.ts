/** What an embedded server begins with, and what it leaves behind. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createServer, type EmbeddedServer, ServerError, type ServerOptions } from '../../src/index.ts'

let dir: string
const servers: EmbeddedServer[] = []

async function start(options: ServerOptions): Promise<EmbeddedServer> {
  const server = await createServer({ listen: false, ...options })
  servers.push(server)
  return server
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'o7-data-'))
})

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
  rmSync(dir, { recursive: true, force: true })
})

test('with a folder it begins with the file that is there', async () => {
  const first = await start({ dir })
  expect(await first.execute('DBSIZE')).toBe(0)
  await first.execute('SET', 'k', 'v')
  expect(await first.execute('SAVE')).toBe('OK')
  await first.close()
  const second = await start({ dir })
  expect(await second.execute('GET', 'k')).toBe('v')
  const named = await start({ dir, dbfilename: 'other.rdb' })
  expect(await named.execute('DBSIZE')).toBe(0)
})

test('the file in the folder of the program is not its own', async () => {
  const first = await start({ dir })
  await first.execute('SET', 'k', 'of somebody else')
  await first.execute('SAVE')
  const before = process.cwd()
  process.chdir(dir)
  try {
    expect(await (await start({})).execute('DBSIZE')).toBe(0)
    expect(await (await start({ dbfilename: 'dump.rdb' })).execute('DBSIZE')).toBe(1)
  } finally {
    process.chdir(before)
  }
})

test('closing saves nothing, SHUTDOWN SAVE does', async () => {
  const first = await start({ dir })
  await first.execute('SET', 'k', 'v')
  await first.close()
  expect(readdirSync(dir)).toEqual([])
  const second = await start({ dir })
  await second.execute('SET', 'k', 'v')
  await second.execute('SHUTDOWN', 'SAVE').catch(() => {})
  await second.close()
  expect(readdirSync(dir)).toEqual(['dump.rdb'])
})

test('a save under way is given up, and its file goes', async () => {
  const server = await start({ dir, rdbKeySaveDelay: 100_000 })
  for (let i = 0; i < 1000; i++) await server.execute('SET', `key:${i}`, 'v')
  expect(await server.execute('BGSAVE')).toBe('Background saving started')
  await expect.poll(() => readdirSync(dir), { timeout: 20_000 }).toHaveLength(1)
  await server.close()
  expect(readdirSync(dir)).toEqual([])
})

test('two servers of a process may save into one folder at the same time', async () => {
  const both = await Promise.all([start({ dir, dbfilename: 'a.rdb' }), start({ dir, dbfilename: 'b.rdb' })])
  for (const [index, server] of both.entries()) {
    for (let i = 0; i < 500; i++) await server.execute('SET', `key:${i}`, `of ${index}`)
  }
  await Promise.all(both.map((server) => server.execute('BGSAVE')))
  for (const server of both) {
    while (/rdb_bgsave_in_progress:1/.test(await server.execute<string>('INFO', 'persistence'))) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  expect(readdirSync(dir).sort()).toEqual(['a.rdb', 'b.rdb'])
  for (const [index, dbfilename] of ['a.rdb', 'b.rdb'].entries()) {
    const again = await start({ dir, dbfilename })
    expect(await again.execute('DBSIZE')).toBe(500)
    expect(await again.execute('GET', 'key:7')).toBe(`of ${index}`)
  }
})

test('a file that is none is refused', async () => {
  writeFileSync(join(dir, 'dump.rdb'), 'no RDB file at all')
  const lines: string[] = []
  const error = await createServer({ listen: false, dir, onLog: (line) => lines.push(line) }).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(ServerError)
  expect(error).toMatchObject({ code: 'O7_LOAD' })
  expect(lines.some((line) => line.includes('Wrong signature trying to load DB from file'))).toBe(true)
})

test.skipIf(!['linux', 'win32'].includes(process.platform))('append-only files have one server at a time', async () => {
  const lines: string[] = []
  const appending = { dir, appendonly: 'yes', onLog: (line: string) => lines.push(line) } as const
  const first = await start(appending)
  await first.execute('SET', 'k', 'v')
  await expect(createServer({ listen: false, ...appending })).rejects.toBeInstanceOf(ServerError)
  expect(lines.join()).toContain(
    'are in use by another server. Each needs its own dir, appenddirname or appendfilename.',
  )
  await start({ ...appending, appenddirname: 'other' })
  await start({ ...appending, appendfilename: 'other.aof' })
  // Only who writes such files needs them.
  const second = await start({ dir })
  await expect(second.execute('BGREWRITEAOF')).rejects.toThrow("Can't execute an AOF background rewriting")
  await expect(second.execute('CONFIG', 'SET', 'appendonly', 'yes')).rejects.toThrow('Unable to turn on AOF')
  expect(await first.execute('CONFIG', 'SET', 'appendonly', 'no')).toBe('OK')
  expect(await second.execute('CONFIG', 'SET', 'appendonly', 'yes')).toBe('OK')
  await second.close()
  const third = await start(appending)
  await third.close()
  await start(appending)
})
