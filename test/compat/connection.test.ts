/** The connection commands to us and to real redis-server: each line is one connection, sent at once, replies compared raw. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RawPair, withoutIdentity } from '../support/raw-pair.ts'
import { hasRedisServer, startServer } from '../support/redis-process.ts'
import { RespClient } from '../support/resp-client.ts'

/** Commands separated by " | ", sent in one write. */
const SCRIPTS: readonly string[] = [
  'PING | PING a | PING a b | ECHO | ECHO a | ECHO a b | ECHO ""',
  'SELECT 0 | SELECT 15 | SELECT 16 | SELECT -1 | SELECT abc | SELECT 1x | SELECT 99999999999 | SELECT 2147483648 | SELECT',
  'SET k a | SELECT 3 | GET k | SET k b | SELECT 0 | GET k | SELECT 3 | GET k | GETDEL k | SELECT 0 | GETDEL k',
  'HELLO | HELLO 2 | HELLO 3 | HELLO | HELLO 4 | HELLO 1 | HELLO -1 | HELLO x | HELLO 3x | HELLO 99999999999999999999',
  'HELLO 3 AUTH | HELLO 3 AUTH a | HELLO 3 AUTH a b | HELLO 3 AUTH default any | HELLO 3 SETNAME | HELLO 2 NOPE | HELLO 3 SETNAME a SETNAME b | CLIENT GETNAME',
  'HELLO 3 SETNAME "a b" | CLIENT GETNAME | HELLO 2 SETNAME ok NOPE | CLIENT GETNAME | GET missing | HELLO 3 AUTH default x SETNAME y | GET missing',
  'HELLO 3 "no\\r\\npe" | HELLO 3 "a\\x00b" | HELLO "3\\x00"',
  'AUTH | AUTH x | AUTH default x | AUTH other x | AUTH a b c | AUTH "" | AUTH "" ""',
  'ASKING | READONLY | READWRITE | ASKING x | READONLY x | READWRITE x',
  'QUIT | PING',
  'QUIT a b c | PING',
  'RESET | RESET x | SELECT 4 | HELLO 3 | CLIENT SETNAME n | RESET | CLIENT GETNAME | GET missing',
  'MULTI | SET a 1 | RESET | EXEC | WATCH a | RESET | MULTI | EXEC',
  'SUBSCRIBE a | PSUBSCRIBE b | SSUBSCRIBE c | RESET | PING | GET x',
  'CLIENT | CLIENT NOPE | CLIENT ID x | CLIENT INFO x | CLIENT GETNAME x | CLIENT SETNAME | CLIENT SETNAME a b',
  'CLIENT SETNAME abc | CLIENT GETNAME | CLIENT SETNAME "a b" | CLIENT SETNAME "a\\n" | CLIENT SETNAME "\\xff" | CLIENT GETNAME | CLIENT SETNAME "" | CLIENT GETNAME | HELLO 3 | CLIENT GETNAME',
  'CLIENT SETNAME !~ | CLIENT GETNAME | CLIENT SETNAME "a\\x00b" | CLIENT GETNAME',
  'CLIENT GETREDIR | CLIENT GETREDIR x | CLIENT TRACKINGINFO | CLIENT TRACKINGINFO x | HELLO 3 | CLIENT TRACKINGINFO',
  'CLIENT NO-EVICT | CLIENT NO-EVICT on | CLIENT NO-EVICT OFF | CLIENT NO-EVICT x | CLIENT NO-EVICT on off',
  'CLIENT LIST TYPE | CLIENT LIST TYPE x | CLIENT LIST x | CLIENT LIST ID | CLIENT LIST ID x | CLIENT LIST ID 999999 | CLIENT LIST TYPE master | CLIENT LIST TYPE slave | CLIENT LIST TYPE Replica | CLIENT LIST TYPE pubsub | CLIENT LIST ID 999999 x | CLIENT LIST TYPE "x\\ny" | CLIENT LIST TYPE normal x',
  'CLIENT KILL | CLIENT KILL x | CLIENT KILL 1.2.3.4:5 | CLIENT KILL ID | CLIENT KILL ID 0 | CLIENT KILL ID -1 | CLIENT KILL ID x | CLIENT KILL ID 999999 | CLIENT KILL ID 9223372036854775807 | CLIENT KILL ID 9223372036854775808',
  'CLIENT KILL TYPE x | CLIENT KILL TYPE master | CLIENT KILL USER x | CLIENT KILL USER "a\\nb" | CLIENT KILL USER default ID 999999 | CLIENT KILL SKIPME maybe | CLIENT KILL SKIPME no ID 999999 | CLIENT KILL a b c | CLIENT KILL LADDR 1.2.3.4:5 | CLIENT KILL ADDR 1.2.3.4:5 x | CLIENT KILL ID 999999 wrong | CLIENT KILL SKIPME',
  'CLIENT PAUSE | CLIENT PAUSE x | CLIENT PAUSE -1 | CLIENT PAUSE 0 | CLIENT PAUSE 0 nope | CLIENT PAUSE 0 WRITE x | CLIENT PAUSE 1.5 | CLIENT PAUSE 9223372036854775807 | CLIENT PAUSE 9223372036854775808 | PING | CLIENT UNPAUSE | CLIENT UNPAUSE x',
  'CLIENT PAUSE 0 ALL | SET a b | CLIENT PAUSE 0 write | GETDEL a',
  'CLIENT UNBLOCK | CLIENT UNBLOCK x | CLIENT UNBLOCK 999999 | CLIENT UNBLOCK 999999 TIMEOUT | CLIENT UNBLOCK 999999 ERROR | CLIENT UNBLOCK x nope | CLIENT UNBLOCK 999999 TIMEOUT x | CLIENT UNBLOCK -1',
  'CLIENT REPLY | CLIENT REPLY x | CLIENT REPLY ON ON | CLIENT REPLY ON | CLIENT REPLY SKIP | PING a | PING b | CLIENT REPLY SKIP | CLIENT REPLY SKIP | PING c | PING d',
  'CLIENT REPLY OFF | PING a | NOPE | GET | CLIENT REPLY SKIP | PING b | CLIENT REPLY x | CLIENT REPLY ON | PING c',
  'CLIENT REPLY SKIP | CLIENT REPLY ON | PING',
  'CLIENT REPLY SKIP | RESET | PING | CLIENT REPLY OFF | RESET | PING',
  'CLIENT REPLY OFF | HELLO 3 | CLIENT REPLY ON | GET missing',
  'MULTI | SET a 1 | CLIENT REPLY OFF | SET a 2 | GET a | EXEC | PING | CLIENT REPLY ON | PING',
  'MULTI | SET a 1 | CLIENT REPLY OFF | SET a 2 | CLIENT REPLY ON | GET a | EXEC | PING',
  'MULTI | CLIENT REPLY SKIP | PING a | PING b | EXEC | PING c | PING d',
  'CLIENT REPLY SKIP | MULTI | PING | EXEC',
  'MULTI | PING | CLIENT KILL TYPE normal SKIPME no ID 999999 | PING | EXEC',
  'MONITOR | PING | GET a | SET a b | MONITOR | STRLEN a | PUBLISH a b | INCR a x | ECHO "a b\\n\\x00\\xff" | SELECT 5 | PING | AUTH secret | AUTH a secret | HELLO 3 AUTH a secret | CONFIG GET save | RESET | PING | SET a b | GETDEL a',
  'MONITOR | MULTI | PING | GET a | EXEC | DISCARD',
  'MONITOR | MULTI | PING | EXEC | MULTI | NOPE | EXEC',
  'MONITOR | CLIENT REPLY OFF | PING | CLIENT REPLY ON | PING',
  'HELLO 3 | MONITOR | PING',
  'MULTI | MONITOR | SUBSCRIBE a | EXEC | PING',
  'LOLWUT | LOLWUT x y | LOLWUT VERSION | LOLWUT VERSION x | LOLWUT VERSION 7 x | LOLWUT VERSION 5 x | HELLO 3 | LOLWUT',
  'LOLWUT VERSION 9223372036854775807 | LOLWUT VERSION -9223372036854775808 | LOLWUT VERSION 9223372036854775808 | LOLWUT VERSION 4294967301 x | LOLWUT VERSION 5 1 1 x | LOLWUT VERSION 5 9223372036854775807 x',
  'WAIT 4294967296 0 | WAIT 9223372036854775807 0 | WAIT 9223372036854775808 0 | WAIT 2147483648 0 | WAIT -1 0 | PING',
]

describe.skipIf(!hasRedisServer())('connection commands', () => {
  let pair: RawPair
  beforeAll(async () => {
    pair = await RawPair.start()
  })
  afterAll(() => pair?.stop())

  test.each(SCRIPTS)('%s', async (script) => {
    await pair.expectSame([inline(script)])
  })

  test.each(SCRIPTS.filter((script) => !script.includes('MONITOR |')))('one by one: %s', async (script) => {
    await pair.expectSame(script.split(' | ').map(inline))
  })

  test('CLIENT KILL of oneself is answered first; what follows in the transaction is not', async () => {
    for (const side of [pair.redis, pair.o7]) {
      const me = await side.exchange.open()
      await me.send('CLIENT ID\r\n')
      await side.exchange.barrier()
      const id = /:(\d+)/.exec(me.outcome.received)![1]
      await me.send(`MULTI\r\nPING\r\nCLIENT KILL ID ${id} SKIPME NO\r\nPING\r\nEXEC\r\nPING\r\n`)
      await me.untilClosed()
      expect(me.outcome.received.replace(/^:\d+\r\n/, '')).toBe(
        '+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+PONG\r\n:1\r\n',
      )
    }
  })

  test('CLIENT KILL of another, in both forms', async () => {
    for (const side of [pair.redis, pair.o7]) {
      for (const form of ['CLIENT KILL ADDR', 'CLIENT KILL']) {
        const victim = await side.exchange.open()
        await victim.send('CLIENT SETNAME victim\r\n')
        await side.exchange.barrier()
        const outcome = await side.exchange.run(['CLIENT LIST\r\n'])
        const address = /addr=(\S+) \S+ \S+ name=victim /.exec(outcome.received)![1]
        const { received } = await side.exchange.run([`${form} ${address}\r\n`])
        expect(received).toBe(form === 'CLIENT KILL' ? '+OK\r\n' : ':1\r\n')
        await victim.untilClosed()
      }
    }
  })

  test('the line of CLIENT LIST in many states', async () => {
    const states = [
      'CLIENT INFO',
      'CLIENT SETNAME me | CLIENT INFO',
      'SELECT 3 | CLIENT NO-EVICT ON | CLIENT INFO',
      'HELLO 3 | SUBSCRIBE a b | PSUBSCRIBE c | SSUBSCRIBE d e f | CLIENT INFO',
      'WATCH a b c | CLIENT INFO',
      'MULTI | SET a b | GET a | CLIENT INFO | EXEC',
      'MULTI | SET a b | CLIENT INFO | NOPE | GET a | CLIENT INFO | DISCARD | CLIENT INFO',
      'NOPE | CLIENT INFO',
      'WATCH k | SET k v | CLIENT INFO | GETDEL k',
      `ECHO ${'x'.repeat(900)} | CLIENT INFO`,
      `ECHO ${'x'.repeat(900)} | `.repeat(12) + 'CLIENT INFO',
    ]
    for (const state of states) {
      const received = await pair.expectSame([inline(state)], comparableInfo)
      expect(received).toContain('tot-mem=')
    }
  })

  test('the line of another client in many states', async () => {
    const states: readonly (readonly string[])[] = [
      ['PING\r\n'],
      ['*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\nabc'],
      ['*3\r\n$3\r\nSET\r\n$1'],
      ['half a line'],
      ['MONITOR\r\n'],
      ['MULTI\r\nSET a b\r\n'],
      ['SUBSCRIBE a\r\n'],
    ]
    for (const state of states) {
      const lines: string[] = []
      for (const side of [pair.redis, pair.o7]) {
        const other = await side.exchange.open()
        for (const piece of state) await other.send(piece)
        await side.exchange.barrier()
        const { received } = await side.exchange.run(['CLIENT LIST\r\n'])
        // The control connection has the lowest id, the one that asks the highest.
        const all = received.split('\n').filter((line) => line.startsWith('id='))
        const byId = all.sort((a, b) => idOf(a) - idOf(b))
        // What a monitor is shown of the requests before may be on its way still.
        lines.push(comparableInfo(byId.at(-2)!).replace(/ obl=\d+/, ''))
        other.close()
        await side.exchange.barrier()
      }
      expect(lines[1], state.join('')).toBe(lines[0])
    }
  })

  test('CLIENT PAUSE holds commands back, and their replies come in order', async () => {
    for (const side of [pair.redis, pair.o7]) {
      await side.exchange.run(['GETDEL a\r\nGETDEL b\r\nGETDEL c\r\n'])
      const writer = await side.exchange.open()
      const transaction = await side.exchange.open()
      const skipped = await side.exchange.open()
      await transaction.send('MULTI\r\nSET b 1\r\n')
      await side.exchange.run(['CLIENT PAUSE 100000 WRITE\r\n'])
      await writer.send('GET a\r\nSET a 1\r\nGET a\r\nPING\r\n')
      await transaction.send('EXEC\r\nPING\r\n')
      await skipped.send('CLIENT REPLY SKIP\r\nSET c 1\r\nGET c\r\n')
      await side.exchange.barrier()
      expect(writer.outcome.received).toBe('$-1\r\n')
      expect(transaction.outcome.received).toBe('+OK\r\n+QUEUED\r\n')
      expect(skipped.outcome.received).toBe('')
      const { received } = await side.exchange.run([
        'SET a\r\nNOPE\r\nMULTI\r\nPING\r\nGET a\r\nEXEC\r\nINFO clients\r\nCLIENT UNPAUSE\r\n',
      ])
      expect(received).toMatch(
        /^-ERR wrong[^\r]*\r\n-ERR unknown[^\r]*\r\n\+OK\r\n\+QUEUED\r\n\+QUEUED\r\n\*2\r\n\+PONG\r\n\$-1\r\n/,
      )
      expect(received).toContain('blocked_clients:3\r\n')
      await side.exchange.barrier()
      expect(writer.outcome.received).toBe('$-1\r\n+OK\r\n$1\r\n1\r\n+PONG\r\n')
      expect(transaction.outcome.received).toBe('+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n+PONG\r\n')
      expect(skipped.outcome.received).toBe('$1\r\n1\r\n')
      for (const connection of [writer, transaction, skipped]) connection.close()
      await side.exchange.run(['GETDEL a\r\nGETDEL b\r\nGETDEL c\r\n'])
    }
  })

  test('CLIENT UNBLOCK ends a wait, with its reply or an error, and counts as a failure', async () => {
    const outcomes: string[] = []
    for (const side of [pair.redis, pair.o7]) {
      await side.exchange.run(['CONFIG RESETSTAT\r\n'])
      const waiting = await side.exchange.open()
      await waiting.send('CLIENT ID\r\n')
      await side.exchange.barrier()
      const id = /:(\d+)/.exec(waiting.outcome.received)![1]
      let shown = ''
      for (const reason of ['', ' TIMEOUT', ' ERROR']) {
        await waiting.send('WAIT 1 0\r\nPING\r\n')
        await side.exchange.barrier()
        const { received } = await side.exchange.run([
          `CLIENT LIST ID ${id}\r\nCLIENT UNBLOCK ${id}${reason}\r\nCLIENT UNBLOCK ${id}\r\n`,
        ])
        // Redis keeps the arguments of a command that waits; here only what the command itself needs is kept.
        shown += comparableInfo(received).replace(/(argv-mem|tot-mem)=\d+/g, '$1')
      }
      await side.exchange.barrier()
      shown += waiting.outcome.received.replace(/^:\d+\r\n/, '')
      waiting.close()
      const { received } = await side.exchange.run(['INFO commandstats\r\nINFO errorstats\r\n'])
      const lines = [...received.matchAll(/^(?:cmdstat_(?:wait|client\|unblock)|errorstat).*/gm)].map(([line]) =>
        line.replace(/usec=\d+,usec_per_call=[\d.]+/, 'usec'),
      )
      shown += lines.toSorted().join('\n')
      outcomes.push(shown)
    }
    expect(outcomes[1]).toBe(outcomes[0])
    expect(outcomes[1]).toContain('-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n+PONG\r\n')
  })

  test('a pause of everything ends by itself, and starts after the transaction that it is in', async () => {
    for (const side of [pair.redis, pair.o7]) {
      const outcome = await side.exchange.run([
        'MULTI\r\nCLIENT PAUSE 50\r\nSET a 1\r\nEXEC\r\nGET a\r\nGETDEL a\r\nPING\r\n',
      ])
      expect(outcome.received).toBe('+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+OK\r\n$1\r\n1\r\n$1\r\n1\r\n+PONG\r\n')
    }
  })
})

/** An address of this machine that is not loopback. */
const OUTSIDE = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

describe.skipIf(!hasRedisServer() || OUTSIDE === undefined)('connections that may not stay', () => {
  test('strangers from outside in protected mode, and clients beyond maxclients', async () => {
    const outcomes: unknown[] = []
    for (const server of ['redis', 'o7'] as const) {
      await using running = await startServer({ server, directives: { bind: '0.0.0.0', 'protected-mode': 'yes' } })
      const client = await running.connect()
      const asked: unknown[] = []
      const visit = async (host: string) => {
        const socket = connect(running.port, host)
        const bytes: Buffer[] = []
        socket.on('data', (chunk) => bytes.push(chunk))
        // It is refused before it has said anything.
        await once(socket, 'close')
        asked.push(Buffer.concat(bytes).toString())
      }
      await visit(OUTSIDE!)
      await client.call('CONFIG', 'SET', 'maxclients', 1)
      await visit('127.0.0.1')
      await client.call('CONFIG', 'SET', 'maxclients', 10, 'requirepass', 'secret')
      const stranger = await RespClient.connect({ host: OUTSIDE!, port: running.port })
      asked.push(String(await stranger.call('GET', 'k')))
      await stranger.close()
      await client.call('AUTH', 'secret')
      await client.call('CONFIG', 'SET', 'requirepass', '')
      await visit(OUTSIDE!)
      await client.call('CONFIG', 'SET', 'protected-mode', 'no')
      const welcome = await RespClient.connect({ host: OUTSIDE!, port: running.port })
      asked.push(String(await welcome.call('PING')))
      await welcome.close()
      const info = String(await client.query('INFO', 'stats'))
      asked.push(/rejected_connections:\d+/.exec(info)?.[0], /total_connections_received:\d+/.exec(info)?.[0])
      await client.close()
      outcomes.push(asked)
    }
    expect(outcomes[1]).toEqual(outcomes[0])
    expect(outcomes[0]).toContainEqual(expect.stringMatching(/^-DENIED/))
  })
})

function inline(script: string): string {
  return script
    .split(' | ')
    .map((line) => `${line}\r\n`)
    .join('')
}

/** Without what differs from connection to connection, and without the reply buffer, which adapts as time goes. */
function comparableInfo(text: string): string {
  return withoutIdentity(text).replace(/([$=]\d+\r\n(txt:)?)?id=\d+ .*?(?=\n|$)/g, (line) => {
    const replyBufferBytes = Number(/ rbs=(\d+)/.exec(line)![1])
    return line
      .replace(
        /^[\s\S]*?id=\d+ addr=\S+ laddr=\S+ fd=\d+ name=(\S*) age=\d+ idle=\d+/,
        'id addr laddr fd name=$1 age idle',
      )
      .replace(/ rbs=\d+ rbp=\d+/, ' rbs rbp')
      .replace(/ tot-mem=(\d+)/, (_, total) => ` tot-mem=${Number(total) - replyBufferBytes}`)
  })
}

function idOf(line: string): number {
  return Number(/^id=(\d+)/.exec(line)![1])
}
