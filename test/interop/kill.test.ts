/**
 * Real processes, ended by SIGKILL under load: with `appendfsync always` everything that was acknowledged is there after the
 * restart, whatever was being rewritten or saved; and redis-server finds the same data in the files.
 * O7_KILL_CYCLES=n makes more cycles than a test suite has time for.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import { RespClient } from '../support/resp-client.ts'
import { SEED } from '../support/seed.ts'

const CYCLES = Number(process.env.O7_KILL_CYCLES ?? 3)
const WRITERS = 8
const PIPELINE = 4
/** Each writer's key counts what it has written; what was acknowledged may not be less afterwards. */
const keyOf = (writer: number) => `writer:${writer}`

function start(server: 'o7' | 'redis', dir: string): Promise<RedisProcess> {
  const directives = {
    appendonly: 'yes',
    appendfsync: 'always',
    'enable-debug-command': 'yes',
    'auto-aof-rewrite-min-size': '20kb',
  }
  return startServer({ server, dir, directives, readyTimeoutMs: 60_000 })
}

/** Writes until the connection breaks. */
async function write(port: number, writer: number, acknowledged: number[]): Promise<void> {
  try {
    const client = await RespClient.connect({ port })
    for (;;) {
      const replies = await client.pipeline(
        Array.from({ length: PIPELINE }, (_, i) =>
          i === 0 ? ['INCR', keyOf(writer)] : ['SET', `other:${writer}:${i}`, 'x'.repeat(50)],
        ),
      )
      acknowledged[writer] = Number(replies[0]!.toString().slice(1))
    }
  } catch {
    // The server is gone, as it should be.
  }
}

test(`nothing acknowledged is lost in ${CYCLES} kills`, { timeout: 60_000 + CYCLES * 60_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'o7-kill-'))
  const acknowledged: number[] = new Array(WRITERS).fill(0)
  let sawRewrites = 0
  const random = Random.fromSeed(SEED)
  try {
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const server = await start('o7', dir)
      const control = await RespClient.connect({ port: server.port })
      for (let writer = 0; writer < WRITERS; writer++) {
        const held = Number(await control.query('GET', keyOf(writer)))
        expect(held, `writer ${writer}, cycle ${cycle}`).toBeGreaterThanOrEqual(acknowledged[writer]!)
      }
      const writers = acknowledged.map((_, writer) => write(server.port, writer, acknowledged))
      await new Promise((resolve) => setTimeout(resolve, 100 + random.below(300)))
      // Every other time something is in flight.
      if (cycle % 2 === 1) {
        await control.query(cycle % 4 === 1 ? 'BGREWRITEAOF' : 'BGSAVE')
        await new Promise((resolve) => setTimeout(resolve, random.below(5)))
      }
      control.end()
      if (/rewriting started/.test(server.log)) sawRewrites++
      await server.stop('SIGKILL')
      await Promise.all(writers)
    }
    const last = await start('o7', dir)
    const client = await RespClient.connect({ port: last.port })
    const digest = await client.query('DEBUG', 'DIGEST')
    for (let writer = 0; writer < WRITERS; writer++) {
      expect(Number(await client.query('GET', keyOf(writer)))).toBeGreaterThanOrEqual(acknowledged[writer]!)
    }
    client.end()
    await last.stop('SIGKILL')
    console.log(
      `${CYCLES} kills, ${acknowledged.reduce((a, b) => a + b)} acknowledged rounds, ${sawRewrites} with rewrites`,
    )
    if (!hasRedisServer()) return
    const redis = await start('redis', dir)
    const other = await RespClient.connect({ port: redis.port })
    expect(await other.query('DEBUG', 'DIGEST')).toEqual(digest)
    other.end()
    await redis.stop()
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
