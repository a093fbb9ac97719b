/**
 * The protocol as raw bytes, to us and to real redis-server: what is answered, and whether and when the connection ends.
 * Seen from outside there must be no difference.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RawPair } from '../support/raw-pair.ts'
import { hasRedisServer } from '../support/redis-process.ts'

const BULK = (...args: string[]): string =>
  `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`

/** Each is one write. */
const REQUESTS: readonly string[] = [
  // Empty and odd, but proper
  '\r\n',
  '\n',
  '   \r\n',
  '\r\nPING\r\n',
  '*0\r\nPING\r\n',
  '*-1\r\nPING\r\n',
  '*-10\r\nPING\r\n',
  '*-9223372036854775808\r\nPING\r\n',
  'PING\n',
  'ping\r\nPiNg\r\n',
  "  PING   'a b'  \r\n",
  'ECHO "a\\x00b\\n\\"c"\r\n',
  "ECHO 'it\\'s'\r\n",
  `PING${' '.repeat(100)}\r\n`,
  BULK('ECHO', ''),
  BULK('echo', '\r\n\0\xff'),
  '*2\r\n$4\r\nPING\r\n$3\r\nabcXYPING\r\n',
  '*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n',
  // Counts and lengths
  '*3000000000\r\n',
  '*2147483648\r\n',
  '*2147483647\r\n',
  '*1000000\r\n',
  '*9007199254740993\r\n',
  '*-9223372036854775809\r\n',
  '*\r\n',
  '*x\r\n',
  '*+1\r\n',
  '* 1\r\n',
  '*1 \r\n',
  '*01\r\n',
  '*1.0\r\n',
  '*1\n$4\r\nPING\r\n',
  '*1\r',
  '*1\rX$4\rXPING\rX',
  '*1\r\nfoo\r\n',
  '*1\r\n\r\n',
  '*1\r\n\n\r\n',
  '*1\r\n\xff\r\n',
  '*1\r\n*1\r\n',
  '*1\r\n:4\r\n',
  '*1\r\n$\r\n',
  '*1\r\n$-1\r\n',
  '*1\r\n$-10\r\n',
  '*1\r\n$x\r\n',
  '*1\r\n$04\r\nPING\r\n',
  '*1\r\n$+4\r\nPING\r\n',
  '*1\r\n$4 \r\nPING\r\n',
  '*1\r\n$536870912\r\n',
  '*1\r\n$536870913\r\n',
  '*1\r\n$2000000000\r\n',
  '*1\r\n$9223372036854775807\r\n',
  '*1\r\n$99999999999999999999\r\n',
  '*1\r\n$0\r\n\r\n',
  '*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n',
  '*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$-10\r\n',
  '*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$blabla\r\n',
  // Zero bytes where a line should be
  '\0',
  '\0PING\r\nPING\r\n',
  'PING\0\r\nPING\r\n',
  'PING\r\n\0\r\n',
  '*1\0\r\n$4\r\nPING\r\n',
  '*\0',
  '$\0',
  '*1\r\n\0\r\n',
  '*1\r\n$4\0\r\nPING\r\n',
  '*1\r\n$\0',
  // Quotes
  'set """test-key""" test-value\r\nping\r\n',
  "PING 'a\r\n",
  'PING "a\r\n',
  'PING "a"b\r\n',
  'PING "a"  "b\r\n',
  // What comes before an error is answered, what comes after is not
  'PING\r\n*1\r\nfoo\r\nPING\r\n',
  `${BULK('SET', 'k', 'v')}*1\r\n$x\r\n${BULK('GET', 'k')}`,
  'QUIT\r\nPING\r\n',
  `${BULK('QUIT')}${BULK('SET', 'k', 'x'.repeat(2000))}`,
  'QUIT with words\r\n',
  // An empty request is the one whose reply is skipped
  'CLIENT REPLY SKIP\r\n\r\nPING a\r\nPING b\r\n',
  'CLIENT REPLY SKIP\r\n*0\r\nPING a\r\n',
  'CLIENT REPLY SKIP\r\n*-1\r\nRESET\r\n',
  'CLIENT REPLY OFF\r\n\r\nPING a\r\nCLIENT REPLY ON\r\n',
  // Somebody speaks HTTP
  'PING\r\nPOST / HTTP/1.1\r\nHost: x\r\nPING\r\n',
  'GET / HTTP/1.1\r\nHost: localhost\r\n\r\nPING\r\n',
  'host: x\r\n',
  BULK('POST', 'x'),
  // Names that are unknown
  'foo\r\n',
  `foo ${'x'.repeat(300)}\r\n`,
  `foo ${'xx '.repeat(100)}\r\n`,
  `${'f'.repeat(300)} a\r\n`,
  BULK('foo', 'a\r\nb', 'a\0b', '\xff', ''),
  BULK('f\0o', 'x'),
  BULK('fo\r\no', 'x'),
  BULK(''),
  BULK('', ''),
  BULK('get', 'a', 'b', 'c'),
  BULK('GET'),
  'client\r\n',
  'client nope\r\n',
  `client ${'x'.repeat(300)}\r\n`,
  BULK('CLIENT', 'no\r\npe'),
  BULK('CLIENT', 'a\0b'),
  BULK('clIEnt', 'kill'),
]

describe.skipIf(!hasRedisServer())('requests', () => {
  let sides: RawPair
  beforeAll(async () => {
    sides = await RawPair.start({})
  })
  afterAll(() => sides?.stop())

  test.each(REQUESTS.map((request) => [JSON.stringify(request).slice(0, 100), request] as const))(
    '%s',
    async (_name, request) => {
      await sides.expectSame([request])
    },
  )

  test.each(REQUESTS.filter((request) => request.length < 60).map((request) => [JSON.stringify(request), request]))(
    'byte by byte: %s',
    async (_name, request) => {
      await sides.expectSame([...request!])
    },
  )

  test.each([
    ['inline', 'PING ', /too big inline request/],
    ['inline after a zero byte', '\0', /too big inline request/],
    ['count', '*1', /too big mbulk count string/],
    ['count after a zero byte', '*\0', /too big mbulk count string/],
    ['length', '*1\r\n$1', /too big bulk count string/],
    ['length after a zero byte', '*1\r\n$\0', /too big bulk count string/],
  ])('a line without end: %s', async (_name, start, error) => {
    const piece = 'A'.repeat(8 * 1024)
    // 64 KiB may be there before it is too much; the bytes of the start make the difference.
    const received = await sides.expectSame([start, ...new Array<string>(8).fill(piece), 'A', 'PING\r\n'])
    expect(received).toMatch(error)
  })

  test('a line of 64 KiB is not too long', async () => {
    const piece = 'A'.repeat(8 * 1024 - 1)
    const received = await sides.expectSame(['PING ', ...new Array<string>(8).fill(piece), '\r\n'])
    expect(received).toBe(`$${piece.length * 8}\r\n${piece.repeat(8)}\r\n`)
  })

  test('an argument of 16 MiB in small pieces, and others meanwhile', async () => {
    const pieceBytes = 61_441
    const value = Buffer.alloc(16 * 1024 * 1024)
    for (let i = 0; i < value.length; i++) value[i] = (i * 31 + (i >> 8)) & 0xff
    const header = Buffer.from(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${value.length}\r\n`)
    const request = Buffer.concat([header, value, Buffer.from('\r\n'), Buffer.from(BULK('STRLEN', 'big'))])
    for (const { exchange } of [sides.redis, sides.o7]) {
      const connection = await exchange.open()
      for (let at = 0; at < request.length; at += pieceBytes) {
        await connection.send(request.subarray(at, at + pieceBytes))
        if (at % (pieceBytes * 64) === 0) {
          await exchange.barrier()
          if (at < value.length) expect(connection.outcome.received).toBe('')
        }
      }
      await connection.untilReceived(5 + `:${value.length}\r\n`.length)
      expect(connection.outcome).toEqual({ received: `+OK\r\n:${value.length}\r\n`, closed: false })
      await connection.send(BULK('GETRANGE', 'big', '16000000', '16000009'))
      await exchange.barrier()
      const expected = value.subarray(16_000_000, 16_000_010).toString('latin1')
      expect(connection.outcome.received.slice(-17)).toBe(`$10\r\n${expected}\r\n`)
      connection.close()
    }
  })

  test('half a request and then silence disturbs nobody, and is answered when it is whole', async () => {
    for (const { exchange } of [sides.redis, sides.o7]) {
      const silent = await exchange.open()
      await silent.send('*2\r\n$4\r\nECHO\r\n$10\r\n01234')
      await exchange.barrier()
      expect(await exchange.run([BULK('PING')])).toEqual({ received: '+PONG\r\n', closed: false })
      await silent.send('56789\r\nPING\r\n')
      await exchange.barrier()
      expect(silent.outcome).toEqual({ received: '$10\r\n0123456789\r\n+PONG\r\n', closed: false })
      silent.close()
    }
  })

  test('after an error in the middle of a request the next client is read from its start', async () => {
    await sides.expectSame(['*5\r\n$4\r\nPING\r\n$x\r\n'])
    await sides.expectSame([BULK('ECHO', 'a')])
  })

  test('thousands of pipelined requests in one write', async () => {
    const count = 5000
    const requests = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? `ECHO ${i}\r\n` : BULK('ECHO', `${i}`)))
    for (const { exchange } of [sides.redis, sides.o7]) {
      const connection = await exchange.open()
      await connection.send(requests.join(''))
      const expected = Array.from({ length: count }, (_, i) => `$${String(i).length}\r\n${i}\r\n`).join('')
      await connection.untilReceived(expected.length)
      expect(connection.outcome).toEqual({ received: expected, closed: false })
      connection.close()
    }
  })
})

describe.skipIf(!hasRedisServer())('a server with a password', () => {
  let sides: RawPair
  beforeAll(async () => {
    sides = await RawPair.start({ requirepass: 'sesame', 'proto-max-bulk-len': '1mb' }, 'AUTH sesame\r\n')
  })
  afterAll(() => sides?.stop())

  test.each([
    '*10\r\n',
    '*11\r\n',
    '*100\r\n',
    '*1\r\n$16384\r\n',
    '*1\r\n$16385\r\n',
    '*1\r\n$100000000\r\n',
    '*1\r\n$1048577\r\n',
    `AUTH wrong\r\n*11\r\n`,
    `AUTH sesame\r\n*11\r\n$4\r\nPING\r\n`,
    `AUTH sesame\r\n*2\r\n$4\r\nECHO\r\n$16385\r\n${'x'.repeat(16385)}\r\n`,
    `AUTH sesame\r\n*1\r\n$1048577\r\n`,
    `AUTH sesame\r\n*1\r\n$1048576\r\n`,
    `RESET\r\n*11\r\n`,
    `AUTH sesame\r\nRESET\r\n*11\r\n`,
    `AUTH sesame\r\nRESET\r\n${BULK('PING', ...new Array<string>(10).fill('a'))}`,
    `AUTH sesame\r\n${BULK('PING', ...new Array<string>(10).fill('a'))}`,
    `PING\r\nGET x\r\nfoo\r\nGET\r\nQUIT\r\n`,
    `HELLO 3\r\nHELLO 3 AUTH default wrong\r\nHELLO 3 AUTH default sesame\r\nPING\r\n`,
    `AUTH\r\nAUTH default wrong\r\nAUTH other sesame\r\nAUTH default sesame\r\nAUTH wrong\r\nPING\r\n`,
    `MULTI\r\nAUTH sesame\r\nEXEC\r\nPING\r\n`,
    `AUTH SESAME\r\nAUTH sesam\r\nAUTH sesamesesame\r\nAUTH ''\r\n`,
  ])('%j', async (request) => {
    await sides.expectSame([request])
  })

  test('a stranger may not leave replies unread', async () => {
    const { exchange } = sides.o7
    const stranger = await exchange.open()
    // The replies to one read are more than a stranger may have pending.
    await stranger.send('GET x\r\n'.repeat(5000))
    await stranger.untilClosed()
    expect(stranger.outcome).toEqual({ received: '', closed: true })
    await sides.o7.server.waitForLog(
      /Client id=\d+ .* scheduled to be closed ASAP for overcoming of output buffer limits/,
    )
  })
})

describe.skipIf(!hasRedisServer())('limits', () => {
  let sides: RawPair
  beforeAll(async () => {
    sides = await RawPair.start({ loglevel: 'verbose', 'enable-debug-command': 'yes' })
    for (const { exchange } of [sides.redis, sides.o7]) {
      await exchange.run([BULK('CONFIG', 'SET', 'client-query-buffer-limit', '1mb')])
    }
  })
  afterAll(() => sides?.stop())

  test('client-query-buffer-limit', async () => {
    for (const { exchange, server } of [sides.redis, sides.o7]) {
      const connection = await exchange.open()
      await connection.send(`*2\r\n$4\r\nECHO\r\n$3000000\r\n${'x'.repeat(1024 * 1024 + 4096)}`)
      await connection.untilClosed()
      expect(connection.outcome.received).toBe('')
      await server.waitForLog(
        /# Closing client that reached max query buffer length: id=\d+ addr=127\.0\.0\.1:\d+ .* qbuf=10\d{5} .* \(qbuf initial bytes: "x{64}"\)/,
      )
    }
  })

  test('the log of protocol errors', async () => {
    const lines: string[] = []
    for (const { exchange, server } of [sides.redis, sides.o7]) {
      await exchange.run(['*1\r\nfoo\x01\r\n'])
      await exchange.run([`*1\r\n$nonsense${'y'.repeat(300)}\r\n${'z'.repeat(50)}`])
      await server.waitForLog(/z'\n/)
      lines.push(
        server.log
          .split('\n')
          .filter((line) => line.includes('Protocol error'))
          .map((line) => line.replace(/^.*Protocol/, 'Protocol').replace(/from client: .*? resp=2\./, 'CLIENT'))
          .join('\n'),
      )
    }
    expect(lines[1]).toBe(lines[0])
    expect(lines[1]).toContain('(... more')
  })
})
