/** SHUTDOWN of a server within a program: it closes, the process goes on. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createServer } from '../../src/index.ts'
import { RespClient } from '../support/resp-client.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'o7-shutdown-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('it closes and frees its port', async () => {
  const lines: string[] = []
  const server = await createServer({ onLog: (line) => lines.push(line) })
  const { port } = server
  await expect(server.execute('SHUTDOWN')).rejects.toThrow()
  expect(server.isClosed).toBe(true)
  await server.close()
  await expect(RespClient.connect({ port })).rejects.toThrow(/ECONNREFUSED/)
  expect(lines.slice(-2).map((line) => line.replace(/^.* # /, ''))).toEqual([
    'User requested shutdown...',
    'Redis is now ready to exit, bye bye...',
  ])
  // Another may take its place.
  await using next = await createServer({ port })
  expect(await next.execute('PING')).toBe('PONG')
})

test('clients wait while it saves, and nothing that was acknowledged is missing', async () => {
  const dir = join(folder, 'saving')
  mkdirSync(dir)
  const server = await createServer({ dir, save: '900 1', rdbKeySaveDelay: 2000 })
  for (let i = 0; i < 50; i++) await server.execute('SET', `key:${i}`, 'value')
  const other = await RespClient.connect({ port: server.port })
  const client = await RespClient.connect({ port: server.port })
  client.send('SHUTDOWN')
  const writes: string[] = []
  while (!other.isClosed) {
    try {
      writes.push(String(await other.call('INCR', 'counter')))
    } catch {
      break
    }
  }
  await server.close()
  await using again = await createServer({ dir, save: '900 1' })
  const counter = (await again.execute('GET', 'counter')) as string | null
  expect(Number(counter ?? 0)).toBe(writes.length)
  expect(await again.execute('GET', 'key:49')).toBe('value')
})

test('a save that fails leaves it as it was', async () => {
  const dir = join(folder, 'failing')
  mkdirSync(dir)
  await using server = await createServer({ listen: false, dir, save: '900 1' })
  // A folder in place of the file.
  mkdirSync(join(dir, 'dump.rdb'))
  await server.execute('SET', 'a', '1')
  await expect(server.execute('SHUTDOWN')).rejects.toThrow('Errors trying to SHUTDOWN. Check logs.')
  expect(await server.execute('SET', 'a', '2')).toBe('OK')
  expect(server.isClosed).toBe(false)
})
