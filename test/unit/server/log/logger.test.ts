import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../../../src/base/clock.ts'
import { Logger } from '../../../../src/server/log/logger.ts'
import { logGreeting } from '../../../../src/server/log/logo.ts'
import { FileOrElseSink, MemorySink, StreamSink } from '../../../../src/server/log/sinks.ts'
import { TemporaryFolder } from '../../../support/config-harness.ts'

const LEVELS = ['debug', 'verbose', 'notice', 'warning'] as const
const settings: { loglevel: (typeof LEVELS)[number] } = { loglevel: 'notice' }
let sink: MemorySink
let clock: ManualClock
let logger: Logger
const zone = process.env.TZ

beforeEach(() => {
  process.env.TZ = 'Asia/Kolkata'
  settings.loglevel = 'notice'
  sink = new MemorySink()
  clock = new ManualClock(Date.UTC(2026, 0, 5, 20, 31, 7, 8))
  logger = new Logger(settings, sink, clock, 4321)
})
afterEach(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

test('a line: process, role, local time, level, message', () => {
  logger.notice('Ready to accept connections')
  logger.role = 'M'
  clock.advance(1234)
  logger.warning('x')
  expect(sink.text).toBe(
    '4321:C 06 Jan 2026 02:01:07.008 * Ready to accept connections\n4321:M 06 Jan 2026 02:01:08.242 # x\n',
  )
})

test('levels: each with its mark, obeyed as they change', () => {
  for (const loglevel of LEVELS) {
    settings.loglevel = loglevel
    for (const level of LEVELS) logger[level](`${level} at ${loglevel}`)
    expect(LEVELS.filter((level) => logger.isOn(level)).length).toBe(4 - LEVELS.indexOf(loglevel))
  }
  expect(sink.lines.map((line) => line.slice('4321:C 06 Jan 2026 02:01:07.008 '.length))).toEqual([
    '. debug at debug',
    '- verbose at debug',
    '* notice at debug',
    '# warning at debug',
    '- verbose at verbose',
    '* notice at verbose',
    '# warning at verbose',
    '* notice at notice',
    '# warning at notice',
    '# warning at warning',
  ])
})

test('raw text has neither time nor mark', () => {
  logger.raw('notice', 'one\ntwo\n')
  logger.raw('verbose', 'not shown')
  expect(sink.text).toBe('one\ntwo\n')
})

test('long messages are cut at 1023 bytes, never within a character', () => {
  const message = (text: string) => {
    sink.text = ''
    logger.warning(text)
    return sink.lines[0]!.slice('4321:C 06 Jan 2026 02:01:07.008 # '.length)
  }
  expect(message('x'.repeat(1023))).toBe('x'.repeat(1023))
  expect(message('x'.repeat(5000))).toBe('x'.repeat(1023))
  expect(message('é'.repeat(600))).toBe('é'.repeat(511))
  expect(message(`x${'€'.repeat(341)}`)).toBe(`x${'€'.repeat(340)}`)
})

describe('the log file', () => {
  test('may be moved, deleted and cut between two lines', () => {
    using folder = new TemporaryFolder()
    const path = folder.join('redis.log')
    logger = new Logger(settings, new FileOrElseSink(() => path, sink), clock, 1)
    const read = (name: string) => readFileSync(folder.join(name), 'utf8').replace(/.* # /g, '')
    logger.warning('one')
    renameSync(path, folder.join('redis.log.1'))
    logger.warning('two')
    expect([read('redis.log.1'), read('redis.log')]).toEqual(['one\n', 'two\n'])
    writeFileSync(path, '')
    logger.warning('three')
    expect(read('redis.log')).toBe('three\n')
    rmSync(path)
    logger.warning('café')
    expect(read('redis.log')).toBe('café\n')
    expect(sink.text).toBe('')
  })

  test('may be impossible to write; without one, lines go elsewhere', () => {
    let path: string | null = '/no/such/place/redis.log'
    logger = new Logger(settings, new FileOrElseSink(() => path, sink), clock, 1)
    logger.warning('lost')
    path = null
    logger.warning('kept')
    expect(sink.lines.length).toBe(1)
    expect(sink.text).toMatch(/# kept\n$/)
  })
})

test('a stream that breaks does not throw', async () => {
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    },
  })
  const broken = new StreamSink(stream)
  broken.write('x\n')
  await new Promise((resolve) => setImmediate(resolve))
  broken.write('y\n')
  await new Promise((resolve) => setImmediate(resolve))
  expect(stream.destroyed).toBe(true)
})

test('the greeting: one line, or a logo that tools find port and process in', () => {
  const greeting = { mode: 'standalone', port: 6379, pid: 4321 } as const
  logGreeting(logger, false, greeting)
  expect(sink.text).toMatch(/^4321:C .* \* Running mode=standalone, port=6379\.\n$/)
  sink.text = ''
  logGreeting(logger, true, greeting)
  expect(sink.text).toMatch(/ Running in standalone mode\n/)
  expect(sink.text).toMatch(/ Port: 6379\n/)
  expect(sink.text).toMatch(/ PID: 4321\n/)
  expect(sink.text).toContain('Redis 7.0.15')
})
