import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import {
  decodeReply,
  encodeCommand,
  ReplyScanner,
  RespClient,
  RespError,
  showReply,
} from '../../support/resp-client.ts'

const REPLIES = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':-12\r\n',
  '$-1\r\n',
  '$0\r\n\r\n',
  '$4\r\n\r\n\r\n\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*2\r\n*1\r\n:1\r\n$1\r\na\r\n',
  '%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n#t\r\n',
  '|1\r\n+ttl\r\n:3\r\n*1\r\n_\r\n',
  '=6\r\ntxt:hi\r\n',
  '(123456789012345678901234567890\r\n',
  ',1.5\r\n',
  '!3\r\nERR\r\n',
  '>2\r\n+message\r\n*1\r\n|1\r\n+k\r\n+v\r\n:1\r\n',
]

describe('ReplyScanner', () => {
  test.each(REPLIES)('finds the end of %j at every cut', (reply) => {
    const bytes = Buffer.from(`${reply}+next\r\n`, 'latin1')
    for (let cut = 0; cut < reply.length; cut++) {
      const scanner = new ReplyScanner()
      expect(scanner.endOfReply(bytes, cut)).toBe(-1)
      expect(scanner.endOfReply(bytes, bytes.length)).toBe(reply.length)
      // It starts over for the next reply.
      expect(scanner.endOfReply(bytes.subarray(reply.length), 7)).toBe(7)
    }
  })

  test('refuses what is no reply', () => {
    expect(() => new ReplyScanner().endOfReply(Buffer.from('OK\r\n'), 4)).toThrow('no RESP reply starts with')
    expect(() => new ReplyScanner().endOfReply(Buffer.from('*1x\r\n'), 5)).toThrow('not a RESP length')
  })
})

test('decodeReply gives plain values and keeps every byte', () => {
  expect(decodeReply(Buffer.from('*3\r\n:1\r\n$2\r\n\xff\x00\r\n_\r\n', 'latin1'))).toEqual([1, '\xff\x00', null])
  expect(decodeReply(Buffer.from('%1\r\n+a\r\n,inf\r\n'))).toEqual([['a', Infinity]])
  expect(decodeReply(Buffer.from(':9223372036854775807\r\n'))).toBe(9223372036854775807n)
  expect(decodeReply(Buffer.from('-ERR x\r\n'))).toBeInstanceOf(RespError)
  expect(decodeReply(Buffer.from('|1\r\n+a\r\n+b\r\n:7\r\n'))).toBe(7)
  expect(() => decodeReply(Buffer.from('+OK\r\n+OK\r\n'))).toThrow('bytes after the reply')
})

test('encodeCommand and showReply', () => {
  const command = encodeCommand(['SET', Buffer.from([0xff]), 12, 'é'])
  expect(command.toString('latin1')).toBe('*4\r\n$3\r\nSET\r\n$1\r\n\xff\r\n$2\r\n12\r\n$2\r\n\xc3\xa9\r\n')
  expect(showReply(Buffer.from([0x2b, 0xff, 0x0d, 0x0a]))).toBe('"+\\xff\\r\\n"')
})

describe('RespClient', () => {
  let server: Server | null = null
  afterEach(() => server?.close())

  async function connectTo(serve: (socket: Socket) => void): Promise<RespClient> {
    const listener = createServer(serve)
    server = listener
    await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
    const address = listener.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return RespClient.connect({ port: address.port })
  }

  test('hands out replies and push messages separately, whole and in order', async () => {
    const stream = Buffer.from(REPLIES.join(''), 'latin1')
    const client = await connectTo(async (socket) => {
      for (let at = 0; at < stream.length; at += 7) {
        socket.write(stream.subarray(at, at + 7))
        await new Promise(setImmediate)
      }
      socket.end('$5\r\nunfin')
    })
    const replies = (await client.readMany(REPLIES.length - 1)).map((raw) => raw.toString('latin1'))
    expect(replies).toEqual(REPLIES.slice(0, -1))
    expect((await client.readPush()).toString('latin1')).toBe(REPLIES.at(-1))
    expect((await client.readToEnd()).toString()).toBe('$5\r\nunfin')
    await expect(client.read()).rejects.toThrow('closed the connection')
  })

  test('sends the exact bytes and rejects pending reads on close', async () => {
    const received: Buffer[] = []
    const client = await connectTo((socket) => {
      socket.on('data', (chunk) => {
        received.push(chunk)
        if (Buffer.concat(received).length === 2) socket.destroy()
      })
    })
    const pending = client.read()
    client.write('\xff\r')
    await expect(pending).rejects.toThrow()
    expect(Buffer.concat(received)).toEqual(Buffer.from([0xff, 0x0d]))
  })
})
