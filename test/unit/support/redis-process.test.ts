import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findFreePort, hasRedisServer, spawnServer, startServer } from '../../support/redis-process.ts'

describe.skipIf(!hasRedisServer())('startServer with redis-server', () => {
  test('starts it with the directives, connects, stops it and leaves nothing', async () => {
    const server = await startServer({
      server: 'redis',
      directives: { maxmemory: '10mb', save: [60, 1], unixsocket: 's' },
    })
    const client = await server.connect()
    expect(await client.query('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', '10485760'])
    expect(await client.query('CONFIG', 'GET', 'save')).toEqual(['save', '60 1'])
    expect(existsSync(server.socketPath!)).toBe(true)
    const replies = await client.pipeline([
      ['SET', 'k', Buffer.from([0])],
      ['GET', 'k'],
      ['HELLO', 3],
    ])
    expect(replies[1]!.toString('latin1')).toBe('$1\r\n\x00\r\n')
    expect(replies[2]!.toString('latin1')).toMatch(/^%7\r\n/)
    const { pid } = server
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    expect(existsSync(server.dir)).toBe(false)
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    await client.closed
  })

  test('takes another port when its own was taken in between, and shows the log when it cannot start', async () => {
    await using first = await startServer({ server: 'redis' })
    await using second = await startServer({ server: 'redis' })
    expect(second.port).not.toBe(first.port)
    await expect(startServer({ server: 'redis', port: first.port })).rejects.toThrow(/Address already in use/)
    await expect(startServer({ server: 'redis', directives: { maxclients: 'x' } })).rejects.toThrow(/FATAL CONFIG FILE/)
  })

  test('no port is given twice, nor one that the system gives by itself', async () => {
    const ports = new Set(await Promise.all(Array.from({ length: 50 }, findFreePort)))
    expect(ports.size).toBe(50)
    for (const port of ports) expect(port).toBeLessThan(32768)
  })

  test('reads a configuration from standard input and keeps a given folder', async () => {
    await using outer = await startServer({ server: 'redis' })
    const server = await startServer({ server: 'redis', configText: 'databases 3\n', dir: outer.dir })
    const client = await server.connect()
    await client.query('SELECT', 2)
    expect((await client.call('SELECT', 3)).toString()).toBe('-ERR DB index is out of range\r\n')
    await client.query('SAVE')
    await server.stop()
    expect(existsSync(join(outer.dir, 'dump.rdb'))).toBe(true)
  })

  test('reports the exit status of a server that refuses to start', async () => {
    await using server = spawnServer({ server: 'redis', arguments: ['--version'] }, await findFreePort())
    expect((await server.exited).code).toBe(0)
    expect(server.log).toMatch(/^Redis server v=7\./)
    await expect(server.waitForLog(/never/)).rejects.toThrow('the server exited')
  })
})
