import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { LzfCompressor } from '../../../src/base/lzf.ts'
import { Random } from '../../../src/base/random.ts'
import { Keyspace } from '../../../src/keyspace/keyspace.ts'
import { FunctionLibraries } from '../../../src/persistence/rdb/functions.ts'
import { RdbError } from '../../../src/persistence/rdb/rdb-error.ts'
import { LOADED, NEEDS_INPUT, PAUSED, RdbLoader } from '../../../src/persistence/rdb/rdb-loader.ts'
import { contentsOf, LOAD_ALL, loadInto, loadWhole } from '../../support/dataset.ts'
import { lengthBytes, RdbBuilder } from '../../support/rdb-builder.ts'

const NOW_MS = 1_700_000_000_000

function compressed(text: string): number[] {
  const bytes = Buffer.from(text)
  const out = new Uint8Array(bytes.length)
  const length = new LzfCompressor().compress(bytes, 0, bytes.length, out, 0, out.length)
  return [0xc3, ...lengthBytes(length), ...lengthBytes(bytes.length), ...out.subarray(0, length)]
}

function errorOf(run: () => unknown): RdbError {
  try {
    run()
  } catch (error) {
    if (error instanceof RdbError) return error
    throw error
  }
  throw new Error('nothing was wrong')
}

/** A file with something of everything that strings can be. */
function everything(): RdbBuilder {
  return new RdbBuilder()
    .aux('redis-ver', '7.0.15')
    .aux('ctime', String(NOW_MS / 1000 - 60))
    .aux('used-mem', '2097152')
    .aux('repl-id', 'a'.repeat(40))
    .aux('repl-offset', '1234')
    .aux('repl-stream-db', '2')
    .aux('%about', 'a note')
    .aux('unknown', 'field')
    .select(0)
    .sizes(6, 1)
    .string('plain', 'value')
    .string('', '')
    .byte(0)
    .text('int8')
    .raw([0xc0, 0x80])
    .byte(0)
    .text('int16')
    .raw([0xc1, 0x39, 0x30])
    .byte(0)
    .text('int32')
    .raw([0xc2, 0x15, 0xcd, 0x5b, 0x07])
    .byte(0)
    .raw([0xc0, 42])
    .raw(compressed('compressed '.repeat(20)))
    .byte(0)
    .raw(compressed('a key that is compressed'.repeat(5)))
    .raw([0xc1, 0xff, 0x7f])
    .expireMs(NOW_MS + 5000)
    .string('volatile', 'x'.repeat(70))
    .byte(253)
    .raw([0, 0x36, 0x6e, 0x71])
    .string('volatile, in seconds', 'y')
    .select(3)
    .byte(248)
    .length(100)
    .string('idle', 'z')
    .byte(249)
    .byte(7)
    .string('frequent', 'w'.repeat(400))
}

const EVERYTHING = new Map([
  ['0:plain', '-1 value'],
  ['0:', '-1 '],
  ['0:int8', '-1 -128'],
  ['0:int16', '-1 12345'],
  ['0:int32', '-1 123456789'],
  ['0:42', `-1 ${'compressed '.repeat(20)}`],
  [`0:${'a key that is compressed'.repeat(5)}`, '-1 32767'],
  ['0:volatile', `${NOW_MS + 5000} ${'x'.repeat(70)}`],
  ['0:volatile, in seconds', '1903048192000 y'],
  ['3:idle', '-1 z'],
  ['3:frequent', `-1 ${'w'.repeat(400)}`],
])

describe('RdbLoader', () => {
  test('reads every form of a string, and all opcodes', () => {
    expect(loadInto(everything().end(), 4)).toEqual(EVERYTHING)
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('reads version %i', (version) => {
    const builder = new RdbBuilder(version).select(0).string('a', 'b')
    const bytes = version < 5 ? builder.byte(255).open() : builder.end()
    expect(loadInto(bytes, 1)).toEqual(new Map([['0:a', '-1 b']]))
  })

  test('the bytes may come in pieces of any size', () => {
    const bytes = everything().end()
    const random = Random.fromSeed(11)
    for (const pieceBytesMax of [1, 2, 3, 7, 50, 4000, 30_000]) {
      for (const total of [bytes.length, Number.POSITIVE_INFINITY]) {
        const keyspace = new Keyspace(new ManualClock(), Random.fromSeed(1), 4)
        const loader = new RdbLoader(keyspace, LOAD_ALL, total)
        let at = 0
        let status = loader.run(Number.POSITIVE_INFINITY)
        while (status !== LOADED) {
          expect(status).toBe(NEEDS_INPUT)
          const end = Math.min(bytes.length, at + 1 + random.below(pieceBytesMax))
          expect(end).toBeGreaterThan(at)
          loader.push(bytes, at, end)
          at = end
          status = loader.run(Number.POSITIVE_INFINITY)
        }
        expect(contentsOf(keyspace)).toEqual(EVERYTHING)
      }
    }
  })

  test('a value that is larger than the window needs no window of its size', () => {
    const large = Buffer.alloc(5_000_000, 'large value ')
    const bytes = new RdbBuilder().select(0).string('large', large).string('after', 'x').end()
    const keyspace = new Keyspace(new ManualClock(), Random.fromSeed(1), 1)
    const loader = loadWhole(keyspace, bytes)
    expect(loader.window.length).toBeLessThan(2_500_000)
    expect(contentsOf(keyspace)).toEqual(
      new Map([
        ['0:large', `-1 ${large.toString('latin1')}`],
        ['0:after', '-1 x'],
      ]),
    )
  })

  test('pauses after about as many bytes as it is told', () => {
    const builder = new RdbBuilder().select(0)
    for (let i = 0; i < 1000; i++) builder.string(`key:${i}`, 'x'.repeat(90))
    const bytes = builder.end()
    const keyspace = new Keyspace(new ManualClock(), Random.fromSeed(1), 1)
    const loader = new RdbLoader(keyspace, LOAD_ALL, bytes.length)
    loader.push(bytes, 0, bytes.length)
    let pauses = 0
    for (let before = 0; loader.run(1000) === PAUSED; before = loader.offset) {
      pauses++
      expect(loader.offset - before).toBeGreaterThanOrEqual(1000)
      expect(loader.offset - before).toBeLessThan(1200)
    }
    expect(pauses).toBeGreaterThan(80)
    expect(keyspace.databases[0]!.size).toBe(1000)
  })

  test('drops keys whose time has come where that is wanted', () => {
    const bytes = new RdbBuilder()
      .select(0)
      .expireMs(NOW_MS - 1)
      .string('gone', 'x'.repeat(300_000))
      .expireMs(NOW_MS - 1)
      .byte(0)
      .text('gone too')
      .raw(compressed('abc'.repeat(200)))
      .expireMs(NOW_MS)
      .string('just now', 'x')
      .expireMs(-5n)
      .byte(0)
      .text('before 1970')
      .raw([0xc0, 1])
      .expireMs(-1n)
      .string('stays', 'y')
      .end()
    const keyspace = new Keyspace(new ManualClock(NOW_MS), Random.fromSeed(1), 1)
    const loader = loadWhole(keyspace, bytes, { dropsExpired: true })
    expect([...contentsOf(keyspace).keys()]).toEqual(expect.arrayContaining(['0:just now', '0:stays']))
    expect([loader.keysLoaded, loader.keysExpired]).toEqual([2, 3])
    expect(loadInto(bytes, 1, { dropsExpired: false }).size).toBe(5)
  })

  test('keeps expire times of 64 bits', () => {
    const bytes = new RdbBuilder().select(0).expireMs(9_223_372_036_854_775_807n).string('a', 'b').end()
    expect(loadInto(bytes, 1).get('0:a')).toBe('9223372036854775807 b')
  })

  test('tells what AUX fields say', () => {
    const log: string[] = []
    const keyspace = new Keyspace(new ManualClock(NOW_MS), Random.fromSeed(1), 4)
    const loader = loadWhole(keyspace, everything().end(), { log: (level, text) => log.push(`${level} ${text}`) })
    expect(log).toEqual([
      'notice Loading RDB produced by version 7.0.15',
      'notice RDB age 60 seconds',
      'notice RDB memory usage when created 2.00 Mb',
      "notice RDB '%about': a note",
      "debug Unrecognized RDB AUX field: 'unknown'",
      'notice Done loading RDB, keys loaded: 11, keys expired: 0.',
    ])
    expect([loader.replicationId, loader.replicationOffset, loader.replicationDbIndex, loader.usedMemoryBytes]).toEqual(
      ['a'.repeat(40), 1234, 2, 2_097_152],
    )
  })

  test('what is known of the use of a key goes where the policy wants it', () => {
    const bytes = everything().end()
    for (const usage of ['none', 'lru', 'lfu'] as const) {
      const keyspace = new Keyspace(new ManualClock(NOW_MS), Random.fromSeed(1), 4)
      keyspace.lfu = usage === 'lfu'
      loadWhole(keyspace, bytes, { usage })
      const db = keyspace.databases[3]!
      const idle = db.lruOf(db.peek(Buffer.from('idle'), 0, 4))
      const frequent = db.lruOf(db.peek(Buffer.from('frequent'), 0, 8))
      if (usage === 'lfu') expect([idle & 255, frequent & 255]).toEqual([5, 7])
      else expect([idle, frequent]).toEqual([keyspace.lruClock - 100, keyspace.lruClock])
    }
  })

  test('keeps function libraries, also in their old form', () => {
    const functions = new FunctionLibraries()
    const bytes = new RdbBuilder()
      .byte(245)
      .text('#!lua name=first\nreturn 1')
      .byte(246)
      .text('second')
      .text('lua')
      .length(1)
      .text('what it is for')
      .text('return 2')
      .end()
    loadInto(bytes, 1, { functions })
    expect(functions.all.map((source) => Buffer.from(source).toString())).toEqual([
      '#!lua name=first\nreturn 1',
      '#!lua name=second\nreturn 2',
    ])
    const again = errorOf(() => loadInto(bytes, 1, { functions }))
    expect(again.message).toBe("Library 'first' already exists")
    loadInto(bytes, 1, { functions, replaces: true })
    expect(functions.all).toHaveLength(2)
  })

  test('passes over data of modules and says so', () => {
    const log: string[] = []
    // "testrdb__" with encoding version 1, as moduleTypeEncodeId makes it.
    const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    let id = 0n
    for (const character of 'testrdb__') id = (id << 6n) | BigInt(characters.indexOf(character))
    const idBytes = Buffer.alloc(9, 0x81)
    idBytes.writeBigUInt64BE((id << 10n) | 1n, 1)
    const bytes = new RdbBuilder()
      .byte(247)
      .raw(idBytes)
      .raw([2, 1])
      .raw([1, 5, 2, 6, 3, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 5])
      .text('text')
      .byte(0)
      .string('a', 'b')
      .end()
    expect(loadInto(bytes, 1, { log: (level, text) => log.push(`${level} ${text}`) })).toEqual(
      new Map([['0:a', '-1 b']]),
    )
    expect(log[0]).toBe(
      "warning The RDB file contains AUX module data that is passed over: there is no module 'testrdb__'",
    )
  })

  test('passes over slot hints of clusters', () => {
    const bytes = new RdbBuilder(12).byte(244).length(1000).length(5).length(0).string('a', 'b').end()
    expect(loadInto(bytes, 1).size).toBe(1)
  })

  test('asks for the time that key-load-delay wants', () => {
    const builder = new RdbBuilder().select(0)
    for (let i = 0; i < 100; i++) builder.string(`key:${i}`, 'x')
    const bytes = builder.end()
    const keyspace = new Keyspace(new ManualClock(), Random.fromSeed(1), 1)
    const loader = new RdbLoader(keyspace, { ...LOAD_ALL, keyDelayUs: 300 }, bytes.length)
    loader.push(bytes, 0, bytes.length)
    let owedUs = 0
    while (loader.run(Number.POSITIVE_INFINITY) === PAUSED) {
      expect(loader.owedDelayUs).toBe(1200)
      owedUs += loader.owedDelayUs
      loader.owedDelayUs = 0
    }
    expect(owedUs).toBe(30_000)
  })
})

describe('a file that is wrong', () => {
  const good = () => new RdbBuilder().select(0)

  test.each<[string, Uint8Array, string, string, number]>([
    ['empty', Buffer.alloc(0), 'RDB_SHORT_READ', 'Unexpected EOF reading RDB file', 0],
    [
      'no RDB file',
      Buffer.from('REDIX0010 and more'),
      'RDB_BAD_SIGNATURE',
      'Wrong signature trying to load DB from file',
      0,
    ],
    ['too new', new RdbBuilder(13).end(), 'RDB_BAD_VERSION', "Can't handle RDB format version 13", 0],
    ['of version 0', new RdbBuilder(0).end(), 'RDB_BAD_VERSION', "Can't handle RDB format version 0", 0],
    ['of no version', new RdbBuilder('abcd').end(), 'RDB_BAD_VERSION', "Can't handle RDB format version 0", 0],
    ['cut in a record', good().byte(0).open(), 'RDB_SHORT_READ', 'Unexpected EOF reading RDB file', 12],
    ['cut before its end', good().string('a', 'b').open(), 'RDB_SHORT_READ', 'Unexpected EOF reading RDB file', 16],
    ['cut in its checksum', good().end().subarray(0, -1), 'RDB_SHORT_READ', 'Unexpected EOF reading RDB file', 12],
    [
      'a length above what is there',
      good().byte(0).text('a').length(1000).end(),
      'RDB_SHORT_READ',
      'Unexpected EOF reading RDB file',
      16,
    ],
    [
      'a length of 2^63',
      good().byte(0).text('a').raw([0x81, 0x80, 0, 0, 0, 0, 0, 0, 0]).end(),
      'RDB_SHORT_READ',
      'Unexpected EOF reading RDB file',
      23,
    ],
    [
      'a length of an unknown form',
      good().byte(0).raw([0x82]).end(),
      'RDB_CORRUPT',
      'Unknown length encoding 2 in rdbLoadLen()',
      12,
    ],
    [
      'a string of an unknown encoding',
      good().byte(0).text('a').raw([0xc7]).end(),
      'RDB_CORRUPT',
      'Unknown RDB string encoding type 7',
      15,
    ],
    [
      'LZF that is none',
      good().byte(0).text('a').raw([0xc3, 2, 10, 0xff, 0xff]).end(),
      'RDB_CORRUPT',
      'Invalid LZF compressed string',
      17,
    ],
    [
      'LZF that promises gigabytes',
      good().byte(0).text('a').raw([0xc3, 2, 0x80, 0x7f, 0, 0, 0, 1, 1]).end(),
      'RDB_CORRUPT',
      'Invalid LZF compressed string',
      21,
    ],
    [
      'a list',
      good().byte(18).text('a').length(0).end(),
      'RDB_UNSUPPORTED_TYPE',
      'Values of type 18 (quicklist-v2) are not supported by this version',
      11,
    ],
    [
      'a module value',
      good().byte(7).text('a').end(),
      'RDB_UNSUPPORTED_TYPE',
      'Values of type 7 (module-value) are not supported by this version',
      11,
    ],
    [
      'a type that there is not',
      good().byte(90).text('a').end(),
      'RDB_UNKNOWN_TYPE',
      'Unknown RDB encoding type 90',
      11,
    ],
    [
      'a key that is there twice',
      good().string('a', 'b').string('a', 'c').end(),
      'RDB_DUPLICATE_KEY',
      "RDB has duplicated key 'a' in DB 0",
      21,
    ],
    [
      'more databases than here',
      good().select(16).end(),
      'RDB_DATABASE_OUT_OF_RANGE',
      'FATAL: Data file was created with a Redis server configured to handle more than 16 databases. Exiting',
      13,
    ],
    [
      'module data without its head',
      good().byte(247).length(1).length(1).length(1).end(),
      'RDB_CORRUPT',
      'bad when_opcode',
      15,
    ],
    [
      'module data of an unknown kind',
      good().byte(247).length(1).length(2).length(1).length(9).end(),
      'RDB_CORRUPT',
      "Unknown part 9 in a module's data",
      16,
    ],
  ])('%s', (_name, bytes, code, message, offset) => {
    const error = errorOf(() => loadInto(bytes, 16))
    expect([error.code, error.message, error.offset]).toEqual([code, message, offset])
  })

  test('a checksum that does not match, unless there is none or it does not matter', () => {
    const bytes = good().string('a', 'b').end()
    bytes[13]! ^= 1
    const log: string[] = []
    const error = errorOf(() => loadInto(bytes, 16, { log: (level, text) => log.push(`${level} ${text}`) }))
    expect([error.code, error.message]).toEqual(['RDB_BAD_CHECKSUM', 'RDB CRC error'])
    expect(log.at(-1)).toMatch(
      /^warning Wrong RDB checksum expected: \([0-9a-f]+\) but got \([0-9a-f]+\)\. Aborting now\.$/,
    )
    expect(loadInto(bytes, 16, { checksum: false }).size).toBe(1)
    bytes.fill(0, bytes.length - 8)
    log.length = 0
    expect(loadInto(bytes, 16, { log: (level, text) => log.push(`${level} ${text}`) }).size).toBe(1)
    expect(log).toContain('warning RDB file was saved with checksum disabled: no check performed.')
  })

  test('lengths of gigabytes allocate nothing', () => {
    const keyspace = new Keyspace(new ManualClock(), Random.fromSeed(1), 1)
    const { heldBytes } = keyspace.arena
    const bytes = good()
      .sizes(2 ** 40, 2 ** 40)
      .byte(0)
      .text('a')
      .length(2 ** 31)
      .end()
    errorOf(() => loadWhole(keyspace, bytes))
    expect(keyspace.arena.heldBytes).toBeLessThanOrEqual(heldBytes + 4 * 1024 * 1024)
  })

  test('in a stream without a known length only what comes is believed', () => {
    const keyspace = new Keyspace(new ManualClock(), Random.fromSeed(1), 1)
    const loader = new RdbLoader(keyspace, LOAD_ALL, Number.POSITIVE_INFINITY)
    const bytes = good()
      .byte(0)
      .text('a')
      .raw([0xc3])
      .length(2 ** 29)
      .length(2 ** 30)
      .open()
    loader.push(bytes, 0, bytes.length)
    for (let i = 0; i < 100; i++) {
      expect(loader.run(Number.POSITIVE_INFINITY)).toBe(NEEDS_INPUT)
      loader.push(bytes, 0, 10)
    }
    expect(loader.window.length).toBeLessThanOrEqual(8 * 1024 * 1024)
    expect(errorOf(() => loader.endOfInput()).code).toBe('RDB_SHORT_READ')
  })

  test('the report says where and what', () => {
    const bytes = good().string('first', '1').byte(0).text('name').raw([0xc7]).end()
    const keyspace = new Keyspace(new ManualClock(), Random.fromSeed(1), 1)
    const loader = new RdbLoader(keyspace, LOAD_ALL, bytes.length)
    loader.push(bytes, 0, bytes.length)
    const error = errorOf(() => loader.run(Number.POSITIVE_INFINITY))
    expect(loader.report(error)).toEqual([
      '--- RDB ERROR DETECTED ---',
      '[offset 27] Unknown RDB string encoding type 7',
      '[additional info] While doing: read-object-value',
      "[additional info] Reading key 'name'",
      '[additional info] Reading type 0 (string)',
      '[info] 2 keys read',
      '[info] 0 already expired',
    ])
  })
})
