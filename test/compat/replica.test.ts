/** A replica beside redis-server's, and a master: what they say in the log, send, and do about others that fail them. */
import { existsSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type DirectiveValue, hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import { ServerPair } from '../support/server-pair.ts'

const KINDS = ['redis', 'o7'] as const
const HISTORY = 'a'.repeat(40)

/** A master that answers the handshake, sends `data` as its data set, and no more. */
class ScriptedMaster {
  readonly port: number
  private readonly close_: () => void

  private constructor(port: number, close: () => void) {
    this.port = port
    this.close_ = close
  }

  static async start(data: Buffer, stream = ''): Promise<ScriptedMaster> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('data', (bytes) => {
        const text = bytes.toString('latin1')
        if (/PING/.test(text)) socket.write('+PONG\r\n')
        else if (/PSYNC/.test(text)) {
          socket.write(`+FULLRESYNC ${HISTORY} 100\r\n`)
          socket.write(`$${data.length}\r\n`)
          socket.write(data)
          socket.write(stream)
        } else if (!/ACK/.test(text)) for (const _ of text.matchAll(/REPLCONF/g)) socket.write('+OK\r\n')
      })
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return new ScriptedMaster((server.address() as AddressInfo).port, () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
  }

  [Symbol.dispose](): void {
    this.close_()
  }
}

/** Lines from the last start of a synchronization on, without what differs between two runs. */
function lines(log: string, from: RegExp): string[] {
  const all = log.split('\n').map((line) => line.replace(/^\d+:([A-Z]) .{24} /, '$1 '))
  return all.slice(all.findIndex((line) => from.test(line))).map((line) =>
    line
      .replace(/[0-9a-f]{40}/g, 'HISTORY')
      .replace(/user request from '.*'/, 'user request')
      .replace(/(127\.0\.0\.1:7777)|(127\.0\.0\.1|client|disconnecting it): ?.*$/, '$1$2'),
  )
}

describe.skipIf(!hasRedisServer())('a replica', () => {
  const servers: RedisProcess[] = []
  const start = async (server: string, directives: Record<string, DirectiveValue> = {}) => {
    const running = await startServer({ server, directives: { 'repl-diskless-sync-delay': 0, ...directives } })
    servers.push(running)
    return running
  }
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop('SIGKILL')
  })

  test.each(['192.0.2.1', 'no address', '::1'])('connects from elsewhere when it cannot from %s', async (address) => {
    const master = await start('redis')
    for (const kind of KINDS) {
      const replica = await start(kind, {
        'bind-source-addr': address,
        replicaof: ['127.0.0.1', master.port],
      })
      await replica.waitForLog(/Finished with success/)
    }
  })

  test('has its new role in the log as soon as it changes', async () => {
    const logs: string[][] = []
    for (const kind of KINDS) {
      const [master, replica] = [await start('redis'), await start(kind)]
      const client = await replica.connect()
      await client.call('REPLICAOF', '127.0.0.1', master.port)
      await replica.waitForLog(/Finished with success/)
      const before = replica.log.length
      await client.call('REPLICAOF', 'NO', 'ONE')
      await replica.waitForLog(/MASTER MODE/)
      client.end()
      logs.push([
        ...lines(replica.log, /Before turning/).slice(0, 3),
        ...lines(replica.log.slice(before), /Connection with master lost/),
      ])
    }
    expect(logs[1]).toEqual(logs[0])
  })

  test('does not claim to synchronize with a master whose name nobody knows', async () => {
    const logs: string[][] = []
    for (const kind of KINDS) {
      const replica = await start(kind, { replicaof: ['no.such.host.invalid', 7777] })
      await replica.waitForLog(/(Unable to connect[\s\S]*){2}/)
      const all = lines(replica.log, /Unable to connect/)
      // Redis tells what was the last error of all.
      logs.push(all.slice(0, 3).map((line) => line.replace(/(MASTER): .*/, '$1')))
    }
    expect(logs[1]).toEqual(logs[0])
  })

  test('has its master for a client of no user, whom CLIENT KILL USER spares', async () => {
    const outcomes = []
    for (const kind of KINDS) {
      const master = await start('redis')
      const replica = await start(kind, { replicaof: ['127.0.0.1', master.port] })
      await replica.waitForLog(/Finished with success/)
      const client = await replica.connect()
      const masters = async () => String(await client.query('CLIENT', 'LIST', 'TYPE', 'master')).match(/user=\S+/g)
      outcomes.push([await masters(), await client.query('CLIENT', 'KILL', 'USER', 'default'), await masters()])
      client.end()
    }
    expect(outcomes[1]).toEqual(outcomes[0])
  })

  test.each([
    ['no data set at all', Buffer.alloc(200, 'X')],
    ['a version from the future', Buffer.from(`REDIS0099${'x'.repeat(100)}`)],
  ])('asks again when it was sent %s', async (_, data) => {
    const logs: string[][] = []
    for (const kind of KINDS) {
      using master = await ScriptedMaster.start(data)
      const replica = await start(kind, { replicaof: ['127.0.0.1', master.port] })
      await replica.waitForLog(/Reconnecting to MASTER/)
      const all = lines(replica.log, /Full resync from master/)
      logs.push(all.slice(0, all.findIndex((line) => /Reconnecting/.test(line)) + 1))
    }
    expect(logs[1]).toEqual(logs[0])
  })

  test('asks again when the data set is damaged, and does not claim to end', async () => {
    using master = await ScriptedMaster.start(Buffer.from(`REDIS0010\x77${'x'.repeat(100)}`))
    const replica = await start('o7', { replicaof: ['127.0.0.1', master.port] })
    await replica.waitForLog(/Failed trying to load .*Unknown RDB encoding type 119[\s\S]*Full resync from master/)
    expect(replica.log).not.toMatch(/Terminating|Exiting/)
  })

  test.each<[string, Record<string, DirectiveValue>]>([
    ['nothing is kept on the disk', {}],
    ['there are append-only files, which begin anew afterwards', { appendonly: 'yes' }],
    ['there are save points', { save: [60, 1] }],
    ['it is not asked for', { 'rdb-del-sync-files': 'no' }],
    ['there is none', { 'repl-diskless-load': 'swapdb' }],
  ])('removes the file that the master sent, or not: %s', async (_, directives) => {
    const outcomes = []
    for (const kind of KINDS) {
      const master = await start('redis')
      const replica = await start(kind, {
        'rdb-del-sync-files': 'yes',
        replicaof: ['127.0.0.1', master.port],
        ...directives,
      })
      await replica.waitForLog(/Finished with success/)
      // The file goes when there is time.
      const file = join(replica.dir, 'dump.rdb')
      const goes = /Removing the RDB file obtained from the master/.test(replica.log)
      for (let i = 0; goes && existsSync(file) && i < 1000; i++) await new Promise((done) => setTimeout(done, 20))
      outcomes.push({ goes, isThere: existsSync(file) })
    }
    expect(outcomes[1]).toEqual(outcomes[0])
  })

  test('removes a damaged file that the master sent as well', async () => {
    using master = await ScriptedMaster.start(Buffer.from(`REDIS0010\x77${'x'.repeat(100)}`))
    const replica = await start('o7', { 'rdb-del-sync-files': 'yes', replicaof: ['127.0.0.1', master.port] })
    await replica.waitForLog(/Failed trying to load [\s\S]*Removing the RDB file obtained from the master/)
  })

  test('REPLCONF rdb-only takes a number, and one of two', async () => {
    const pair = await ServerPair.start()
    for (const value of ['x', '2', '-1', '', '1']) await pair.expectSame(['REPLCONF', 'rdb-only', value])
    await pair.stop()
  })
})

/** A replica that asks for the data set and then does what the test wants. */
async function attach(
  port: number,
): Promise<{ socket: Socket; received(): string; until(pattern: RegExp): Promise<void> }> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', (bytes) => {
    received += bytes.toString('latin1')
  })
  socket.on('error', () => {})
  const until = async (pattern: RegExp) => {
    while (!pattern.test(received)) await new Promise((done) => socket.once('data', done))
  }
  socket.write('REPLCONF listening-port 7777\r\n')
  await until(/OK/)
  socket.write('PSYNC ? -1\r\n')
  await until(/REDIS0010[\s\S]*\xff[\s\S]{8}/)
  return { socket, received: () => received, until }
}

describe.skipIf(!hasRedisServer())('a master', () => {
  test.each([['GET a'], ['SET a b'], ['PING'], ['NOSUCH'], ['PING\r\nGET a']])(
    'ends a replica that asks for a reply, and nobody else waits for one: %s',
    async (request) => {
      const outcomes = []
      for (const server of KINDS) {
        await using master = await startServer({ server, directives: { 'repl-diskless-sync': 'no' } })
        const [client, replica] = [await master.connect(), await attach(master.port)]
        const closed = new Promise((done) => replica.socket.once('close', done))
        replica.socket.write(`${request}\r\n`)
        await closed
        const reply = String(await client.call('ECHO', 'still there'))
        await client.close()
        const log = lines(master.log, /Synchronization with replica/)
        // Of what comes at once the log here knows the last.
        const told = log.map((line) => (request.includes('\n') ? line.replace(/command '\w+'/, 'command') : line))
        outcomes.push({ reply, told: told.filter((line) => !request.includes('\n') || !/CRITICAL/.test(line)) })
      }
      expect(outcomes[1]).toEqual(outcomes[0])
    },
  )

  test('tells all of the stream that a replica has not read as its output', async () => {
    const outputs = []
    for (const server of KINDS) {
      await using master = await startServer({ server, directives: { 'repl-diskless-sync': 'no' } })
      const [client, replica] = [await master.connect(), await attach(master.port)]
      const output = async () => {
        const line = String(await client.query('CLIENT', 'LIST', 'TYPE', 'replica'))
        const [obl, oll, omem] = ['obl', 'oll', 'omem'].map((name) =>
          Number(new RegExp(` ${name}=(\\d+)`).exec(line)![1]),
        )
        return { obl, blocks: oll! > 0, isMuch: omem! > 2 ** 22 }
      }
      const before = await output()
      await client.call('SET', 'small', 'x')
      await replica.until(/small/)
      const read = await output()
      replica.socket.pause()
      for (let i = 0; i < 16; i++) await client.call('SET', 'large', 'x'.repeat(2 ** 20))
      outputs.push({ before, read, behind: await output() })
      replica.socket.destroy()
      await client.close()
    }
    expect(outputs[1]).toEqual(outputs[0])
  })

  test('sends the same words to keep the link alive', async () => {
    const streams = []
    for (const server of KINDS) {
      const directives = { 'repl-diskless-sync': 'no', 'repl-ping-replica-period': 1 }
      await using master = await startServer({ server, directives })
      const { socket, received, until } = await attach(master.port)
      await until(/\*1\r\n\$4\r\nping\r\n/i)
      streams.push(/\*1\r\n\$4\r\n\w+\r\n/.exec(received())![0])
      socket.destroy()
    }
    expect(streams[1]).toBe(streams[0])
  })
})
