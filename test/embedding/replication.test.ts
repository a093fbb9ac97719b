/** Embedded servers that follow one another. */
import { afterEach, expect, test } from 'vitest'
import { createServer, type EmbeddedServer, type ServerOptions } from '../../src/server/create-server.ts'

const servers: EmbeddedServer[] = []

async function start(options: ServerOptions = {}): Promise<EmbeddedServer> {
  const server = await createServer({ replDisklessSyncDelay: 0, ...options })
  servers.push(server)
  return server
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

test('a replica says when it is in sync, follows, refuses writes, and is promoted by one call', async () => {
  const master = await start()
  expect(master.role).toBe('master')
  await master.execute('SET', 'before', '1')
  let syncs = 0
  const replica = await new Promise<EmbeddedServer>((resolve, reject) => {
    const started = start({
      replicaof: `127.0.0.1 ${master.port}`,
      onSync: () => {
        syncs++
        started.then(resolve, reject)
      },
    })
    started.catch(reject)
  })
  expect(replica.role).toBe('replica')
  expect(await replica.execute('GET', 'before')).toBe('1')
  await master.execute('SET', 'after', '2')
  expect(await master.execute('WAIT', 1, 5000)).toBe(1)
  expect(await replica.execute('GET', 'after')).toBe('2')
  // INFO tells how much goes over the link per second. The mean covers the last samples only, so write until one is seen.
  for (const [server, field] of [
    [master, 'instantaneous_output_repl_kbps'],
    [replica, 'instantaneous_input_repl_kbps'],
  ] as const) {
    const kilobytesPerSecond = async (): Promise<number> => {
      await master.execute('SET', 'large', 'x'.repeat(1_000_000))
      expect(await master.execute('WAIT', 1, 5000)).toBe(1)
      server.clock.advance(100)
      return Number(new RegExp(`${field}:(\\S+)`).exec(String(await server.execute('INFO', 'stats')))![1])
    }
    await expect.poll(kilobytesPerSecond, { timeout: 20_000, message: field }).toBeGreaterThan(0)
  }
  await expect(replica.execute('SET', 'own', '3')).rejects.toThrow(/^READONLY/)
  replica.promote()
  expect(replica.role).toBe('master')
  await replica.execute('SET', 'own', '3')
  replica.promote()
  expect(await replica.execute('GET', 'own')).toBe('3')
  expect(syncs).toBe(1)
})
