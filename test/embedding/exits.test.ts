/** A process that has closed its servers ends by itself: no socket, no timer and no port is left behind. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'rolldown'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'o7-exits-'))
const library = join(dir, 'o7-is.mjs')

beforeAll(async () => {
  await build({
    cwd: ROOT,
    input: 'src/index.ts',
    platform: 'node',
    transform: { define: { __O7_VERSION__: '"0.0.0-test"' } },
    output: { file: library, format: 'esm', codeSplitting: false },
  })
})

afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Runs a module in a process of its own that has to end by itself; returns what it printed. */
async function run(name: string, code: string): Promise<string> {
  const file = join(dir, `${name}.mjs`)
  writeFileSync(
    file,
    `import { createServer, defineCommand } from ${JSON.stringify(pathToFileURL(library).href)}\n${code}`,
  )
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { timeout: 20_000 })
  expect(stderr).toBe('')
  return stdout.trim()
}

test('after close, with clients connected and commands waiting', async () => {
  const output = await run(
    'close',
    `
    import net from 'node:net'
    console.log('start')
    const before = process.getActiveResourcesInfo()
    const servers = await Promise.all([createServer(), createServer({ hz: 100 }), createServer({ listen: false })])
    const socket = net.connect(servers[0].port, '127.0.0.1')
    const ended = new Promise((resolve) => socket.on('close', resolve))
    await new Promise((resolve) => socket.on('connect', resolve))
    socket.on('error', () => {})
    socket.write('PING\\r\\n')
    await new Promise((resolve) => socket.once('data', resolve))
    for (const server of servers) await server.execute('CLIENT', 'PAUSE', 3600000)
    const waiting = servers.map((server) => server.execute('GET', 'k').catch((error) => error.code))
    await Promise.all(servers.map((server) => server.close()))
    await ended
    console.log((await Promise.all(waiting)).join())
    const after = process.getActiveResourcesInfo()
    for (const name of before) if (after.includes(name)) after.splice(after.indexOf(name), 1)
    console.log(after.length === 0 ? 'nothing is left' : 'left: ' + after)
    `,
  )
  expect(output).toBe('start\nO7_CLOSED,O7_CLOSED,O7_CLOSED\nnothing is left')
})

test('after a port that could not be had', async () => {
  const output = await run(
    'refused',
    `
    const server = await createServer()
    await createServer({ port: server.port }).catch((error) => console.log(error.code))
    await server.close()
    `,
  )
  expect(output).toBe('O7_LISTEN')
})

test('after a crash', async () => {
  const output = await run(
    'crash',
    `
    const bug = defineCommand({
      name: 'BUG', arity: 1, flags: 0, doc: { group: 'test', since: '1.0.0', summary: 'Fails.' },
      run() { throw new Error('on purpose') },
    })
    const server = await createServer({ commands: [bug], onCrash: (error) => console.log('stopped:', error.cause.message) })
    await server.execute('BUG').catch((error) => console.log(error.code))
    `,
  )
  expect(output.split('\n').sort()).toEqual(['O7_CRASHED', 'stopped: on purpose'])
})

test('after SHUTDOWN from a client', async () => {
  const output = await run(
    'shutdown',
    `
    import net from 'node:net'
    const server = await createServer()
    const socket = net.connect(server.port, '127.0.0.1')
    socket.write('SHUTDOWN NOSAVE\\r\\n')
    await new Promise((resolve) => socket.on('close', resolve))
    console.log(server.isClosed)
    `,
  )
  expect(output).toBe('true')
})

test('closed servers do not pile up in memory', async () => {
  const output = await run(
    'memory',
    `
    const kept = []
    let most = 0
    for (let i = 0; i < 12; i++) {
      const server = await createServer({ listen: false })
      await server.execute('DEBUG', 'POPULATE', 250_000, 'key', 100)
      await server.close()
      // Who keeps a server that is closed does not keep its data.
      kept.push(server)
      await new Promise((resolve) => setTimeout(resolve, 50))
      most = Math.max(most, process.memoryUsage().arrayBuffers)
    }
    console.log(most < 6 * 32 * 1024 * 1024 ? 'given back' : 'held: ' + most)
    `,
  )
  expect(output).toBe('given back')
})
