/**
 * The leaf modules of src/base against a running redis-server: what clients can see of LZF, CRC-64, long doubles, doubles and
 * globs. O7_SEED repeats a run.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Crc64 } from '../../src/base/crc64.ts'
import { double17g, parseDouble } from '../../src/base/double-text.ts'
import { globMatch } from '../../src/base/glob.ts'
import {
  addFloatText,
  addLongDouble,
  isFiniteLongDouble,
  longDoubleHumanText,
  parseLongDouble,
} from '../../src/base/long-double.ts'
import { LzfCompressor } from '../../src/base/lzf.ts'
import { Random } from '../../src/base/random.ts'
import { hasRedisServer, type RedisProcess, startServer } from '../support/redis-process.ts'
import { RespClient } from '../support/resp-client.ts'
import { SEED } from '../support/seed.ts'

const random = Random.fromSeed(SEED)
const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!
const bulk = (bytes: Uint8Array | string) =>
  `$${Buffer.from(bytes as string).length}\r\n${Buffer.from(bytes as string).toString('latin1')}\r\n`

describe.skipIf(!hasRedisServer())(`src/base against redis-server (O7_SEED=${SEED})`, () => {
  let server: RedisProcess
  let client: RespClient

  beforeAll(async () => {
    server = await startServer({ server: 'redis' })
    client = await RespClient.connect({ port: server.port })
  })
  afterAll(async () => {
    await client?.close()
    await server?.stop()
  })

  it('makes DUMP payloads byte for byte: LZF and CRC-64', async () => {
    const lzf = new LzfCompressor()
    const values = Array.from({ length: 600 }, anyValue)
    for (const [i, value] of values.entries()) {
      const [, dump] = await client.pipeline([
        ['SET', 'k', value],
        ['DUMP', 'k'],
      ])
      const raw = dump!
      const payload = raw.subarray(raw.indexOf('\r\n') + 2, -2)
      expect(payload.toString('hex'), `seed ${SEED}, value ${i}`).toBe(dumpPayload(lzf, value).toString('hex'))
    }
  })

  it('adds floats digit for digit: INCRBYFLOAT', async () => {
    let sums = 0
    for (let round = 0; round < 30; round++) {
      const pairs = Array.from({ length: 50 }, () => [floatText(), floatText()] as const)
      const replies = await client.pipeline(
        pairs.flatMap(([a, b]) => [
          ['SET', 'k', a],
          ['INCRBYFLOAT', 'k', b],
        ]),
      )
      for (const [i, [a, b]] of pairs.entries()) {
        const reply = replies[2 * i + 1]!.toString('latin1')
        expect(reply, `seed ${SEED}: ${a} + ${b}`).toBe(incrByFloat(a, b))
        if (reply.startsWith('$')) sums++
      }
    }
    expect(sums).toBeGreaterThan(1000)
  })

  it('reads and prints scores: ZADD and ZSCORE', async () => {
    for (let round = 0; round < 20; round++) {
      const texts = Array.from({ length: 50 }, floatText)
      const replies = await client.pipeline(
        texts.flatMap((text) => [
          ['DEL', 'z'],
          ['ZADD', 'z', text, 'm'],
          ['ZSCORE', 'z', 'm'],
        ]),
      )
      for (const [i, text] of texts.entries()) {
        const score = parseDouble(Buffer.from(text), 0, text.length)
        const context = `seed ${SEED}: ${text}`
        if (Number.isNaN(score))
          expect(replies[3 * i + 1]!.toString(), context).toBe('-ERR value is not a valid float\r\n')
        // A small sorted set keeps whole scores as integers, which have no minus zero.
        else expect(replies[3 * i + 2]!.toString(), context).toBe(bulk(double17g(score === 0 ? 0 : score)))
      }
    }
  })

  it('matches globs: KEYS', async () => {
    const names = Array.from(
      new Set(Array.from({ length: 80 }, () => pick(['a', 'b', 'k']) + word('abcABC-]\xe1\x80', 5))),
      (name) => Buffer.from(name, 'latin1'),
    )
    await client.pipeline([['FLUSHALL'], ...names.map((name) => ['SET', name, '1'])])
    let matches = 0
    for (let round = 0; round < 300; round++) {
      const pattern = Buffer.from(word('abcABC*?[]^\\-\xe1\x80', 6), 'latin1')
      if (pattern.toString() === '*') continue
      const [reply] = await client.pipeline([['KEYS', pattern]])
      const wanted = names.filter((name) => globMatch(pattern, 0, pattern.length, name, 0, name.length, false))
      matches += wanted.length
      const lines = reply!.toString('latin1').split('\r\n')
      const found = lines.filter((line, i) => i > 0 && i % 2 === 0 && line !== '')
      expect(found.sort(), `seed ${SEED}: ${JSON.stringify(pattern.toString('latin1'))}`).toEqual(
        wanted.map((name) => name.toString('latin1')).sort(),
      )
    }
    expect(matches).toBeGreaterThan(20)
  })
})

function word(units: string, most: number): string {
  let text = ''
  for (let left = random.below(most + 1); left > 0; left--) text += pick([...units])
  return text
}

/** A string that does not look like an integer, more or less compressible. */
function anyValue(): Buffer {
  const kind = random.below(4)
  const length = 1 + random.below(pick([20, 30, 300, 5000, 70_000]))
  let text = 'v'
  while (text.length < length) {
    if (kind === 0) text += String.fromCharCode(random.below(256))
    else if (kind === 1) text += pick(['a', 'b'])
    else if (text.length > 4 && random.float() < 0.5) {
      const from = random.below(text.length)
      text += text.slice(from, from + 1 + random.below(kind === 2 ? 12 : 400))
    } else text += pick(['hello ', 'world', '{"id":', '0', 'abc', String.fromCharCode(random.below(256))])
  }
  return Buffer.from(text.slice(0, length), 'latin1')
}

function dumpPayload(lzf: LzfCompressor, value: Buffer): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0])]
  const packed = Buffer.alloc(value.length)
  const size = value.length > 20 ? lzf.compress(value, 0, value.length, packed, 0, value.length - 4) : 0
  if (size > 0) parts.push(Buffer.from([0xc3]), rdbLength(size), rdbLength(value.length), packed.subarray(0, size))
  else parts.push(rdbLength(value.length), value)
  parts.push(Buffer.from([10, 0]))
  const body = Buffer.concat(parts)
  const crc = new Crc64()
  crc.update(body, 0, body.length)
  const tail = Buffer.alloc(8)
  crc.writeLittleEndian(tail, 0)
  return Buffer.concat([body, tail])
}

function rdbLength(length: number): Buffer {
  if (length < 64) return Buffer.from([length])
  if (length < 16384) return Buffer.from([0x40 | (length >> 8), length & 255])
  return Buffer.from([0x80, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255])
}

function floatText(): string {
  const digits = (count: number) => Array.from({ length: count }, () => random.below(10)).join('')
  const sign = pick(['', '', '-'])
  switch (random.below(8)) {
    case 0:
      return sign + digits(1 + random.below(19))
    case 1:
      return `${sign}${digits(1 + random.below(3))}.${digits(1 + random.below(20))}e${pick(['', '-', '+'])}${random.below(pick([5, 30, 310]))}`
    case 2:
      return `${sign}0x${random.hex(1 + random.below(17))}p${pick(['', '-'])}${random.below(80)}`
    case 3:
      return pick([
        'inf',
        '-inf',
        'nan',
        '',
        ' 1',
        '1 ',
        '+5',
        '.5',
        '5.',
        '1e',
        '1e400',
        '1e-400',
        '0x',
        'Infinity',
        '1e4000',
      ])
    default:
      return `${sign}${digits(1 + random.below(6))}.${digits(1 + random.below(6))}`
  }
}

function incrByFloat(a: string, b: string): string {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  const left = parseLongDouble(x, 0, x.length)
  const right = parseLongDouble(y, 0, y.length)
  if (left === null || right === null) return '-ERR value is not a valid float\r\n'
  const sum = addLongDouble(left, right)
  if (!isFiniteLongDouble(sum)) return '-ERR increment would produce NaN or Infinity\r\n'
  const text = longDoubleHumanText(sum)
  expect(addFloatText(x, 0, x.length, y, 0, y.length) ?? text).toBe(text)
  return bulk(text)
}
