/** Loading at start and DEBUG RELOAD: what is there afterwards, what clients see meanwhile, what the log says. */
import { describe, expect, test } from 'vitest'
import { EXPIRE_DELETE } from '../../../src/keyspace/entry.ts'
import { PersistenceError } from '../../../src/persistence/errors.ts'
import { FileError } from '../../../src/persistence/file-system.ts'
import { contentsOf } from '../../support/dataset.ts'
import { MemoryFiles } from '../../support/memory-files.ts'
import { createTestPersistence, DUMP, type TestPersistence } from '../../support/persistence.ts'
import { RdbBuilder } from '../../support/rdb-builder.ts'

function withFile(bytes: Uint8Array): TestPersistence {
  const files = new MemoryFiles()
  files.put(DUMP, bytes)
  return createTestPersistence({ files })
}

async function load(test: TestPersistence): Promise<PersistenceError | null> {
  const result = test.persistence.loadAtStart().then(
    () => null,
    (error: unknown) => {
      if (error instanceof PersistenceError) return error
      throw error
    },
  )
  await test.drain()
  return result
}

describe('at start', () => {
  test('without a file there is nothing to do and nothing to say', async () => {
    const test = createTestPersistence()
    expect(await load(test)).toBe(null)
    expect(test.log).toEqual([])
  })

  test('the data is there, and the log says so', async () => {
    const test = withFile(
      new RdbBuilder().select(0).string('a', '1').select(2).expireMs(1_800_000_000_000).string('b', '2').end(),
    )
    expect(await load(test)).toBe(null)
    expect(test.log).toEqual([
      'notice Done loading RDB, keys loaded: 2, keys expired: 0.',
      'notice DB loaded from disk: 0.000 seconds',
    ])
    expect(contentsOf(test.engine.keyspace)).toEqual(
      new Map([
        ['0:a', '-1 1'],
        ['2:b', '1800000000000 2'],
      ]),
    )
    expect(test.persistence.state).toMatchObject({ isLoading: false, lastLoadKeysLoaded: 2, lastLoadKeysExpired: 0 })
    expect([test.engine.keyspace.dirty, test.effects]).toEqual([0, []])
    expect(test.files.openFiles).toBe(0)
  })

  test('clients hear that it is going on', async () => {
    const builder = new RdbBuilder().select(0)
    for (let i = 0; i < 1000; i++) builder.string(`key:${i}`, 'x'.repeat(1000))
    const test = withFile(builder.end())
    test.settings.loadingIntervalBytes = 10_000
    const done = test.persistence.loadAtStart()
    const { state } = test.persistence
    expect(test.client.send('GET', 'key:1')).toBe('-LOADING Redis is loading the dataset in memory\r\n')
    expect(test.client.send('LASTSAVE')).toBe(':1700000000\r\n')
    let turns = 0
    for (let before = 0; test.scheduler.turn(); before = state.loadingLoadedBytes) {
      expect(state.loadingLoadedBytes).toBeGreaterThanOrEqual(before)
      await Promise.resolve()
      await Promise.resolve()
      turns++
    }
    expect(turns).toBeGreaterThan(90)
    expect(turns).toBeLessThan(110)
    await done
    expect(test.client.send('GET', 'key:1')).toBe(`$1000\r\n${'x'.repeat(1000)}\r\n`)
    expect(state.loadingTotalBytes).toBe(test.files.content(DUMP)!.length)
  })

  test('overdue keys are dropped on a master, and nothing expires on the way', async () => {
    const test = withFile(
      new RdbBuilder()
        .select(0)
        .expireMs(1_600_000_000_000)
        .string('old', 'x')
        .expireMs(1_800_000_000_000)
        .string('new', 'y')
        .end(),
    )
    await load(test)
    expect(test.persistence.state).toMatchObject({ lastLoadKeysLoaded: 1, lastLoadKeysExpired: 1 })
    expect(test.engine.keyspace.expireMode).toBe(EXPIRE_DELETE)
    expect(test.engine.keyspace.expiredKeys).toBe(0)
  })

  test('key-load-delay is spent between turns', async () => {
    const builder = new RdbBuilder().select(0)
    for (let i = 0; i < 100; i++) builder.string(`key:${i}`, 'x')
    const test = withFile(builder.end())
    test.settings.keyLoadDelayUs = 500
    const done = test.persistence.loadAtStart()
    const waits: number[] = []
    while (test.scheduler.waiting.length > 0) {
      waits.push(test.scheduler.waiting[0]!.ms)
      test.scheduler.turn()
      await Promise.resolve()
      await Promise.resolve()
    }
    await done
    expect(waits).toEqual(Array(50).fill(1))
  })

  test('closing the server in the middle ends it', async () => {
    const builder = new RdbBuilder().select(0)
    for (let i = 0; i < 1000; i++) builder.string(`key:${i}`, 'x'.repeat(100))
    const test = withFile(builder.end())
    test.settings.loadingIntervalBytes = 1024
    const done = test.persistence.loadAtStart()
    test.scheduler.turn()
    test.persistence.close()
    await test.drain()
    await done
    expect(test.persistence.state.isLoading).toBe(false)
    expect(test.engine.keyspace.databases[0]!.size).toBeLessThan(1000)
    expect(test.files.openFiles).toBe(0)
  })

  const READ_ERROR = 'warning Terminating server after rdb file reading failure.'

  test.each<[string, Uint8Array, string, string[]]>([
    [
      'cut off',
      new RdbBuilder().select(0).string('a', '1').open(),
      'RDB_SHORT_READ',
      [
        'warning Short read or OOM loading DB. Unrecoverable error, aborting now.',
        'warning Internal error in RDB reading offset 16 -> Unexpected EOF reading RDB file',
        'warning --- RDB ERROR DETECTED ---',
        'warning [offset 16] Unexpected EOF reading RDB file',
        'warning [additional info] While doing: read-type',
        'warning [info] 1 keys read',
        'warning [info] 0 already expired',
        READ_ERROR,
      ],
    ],
    [
      'empty',
      Buffer.alloc(0),
      'RDB_SHORT_READ',
      [
        'warning Short read or OOM loading DB. Unrecoverable error, aborting now.',
        'warning Internal error in RDB reading offset 0 -> Unexpected EOF reading RDB file',
        'warning --- RDB ERROR DETECTED ---',
        'warning [offset 0] Unexpected EOF reading RDB file',
        'warning [additional info] While doing: start',
        'warning [info] 0 keys read',
        'warning [info] 0 already expired',
        READ_ERROR,
      ],
    ],
    [
      'no RDB',
      Buffer.from('something else'),
      'RDB_BAD_SIGNATURE',
      [
        'warning Wrong signature trying to load DB from file',
        'warning Fatal error loading the DB: Invalid argument. Exiting.',
      ],
    ],
    [
      'too new',
      new RdbBuilder(80).end(),
      'RDB_BAD_VERSION',
      ["warning Can't handle RDB format version 80", 'warning Fatal error loading the DB: Invalid argument. Exiting.'],
    ],
    [
      'full of modules',
      new RdbBuilder().select(0).byte(7).text('key').length(1).text('x').end(),
      'RDB_UNSUPPORTED_TYPE',
      [
        'warning Internal error in RDB reading offset 11 -> Values of type 7 (module-value) are not supported by this version',
        'warning --- RDB ERROR DETECTED ---',
        'warning [offset 11] Values of type 7 (module-value) are not supported by this version',
        'warning [additional info] While doing: read-type',
        'warning [additional info] Reading type 7 (module-value)',
        'warning [info] 0 keys read',
        'warning [info] 0 already expired',
        READ_ERROR,
      ],
    ],
    [
      'for more databases',
      new RdbBuilder().select(99).end(),
      'RDB_DATABASE_OUT_OF_RANGE',
      ['warning FATAL: Data file was created with a Redis server configured to handle more than 16 databases. Exiting'],
    ],
  ])('a file that is %s is refused and stays as it is', async (_name, bytes, code, log) => {
    const test = withFile(bytes)
    const error = await load(test)
    expect(error?.code).toBe(code)
    expect(test.log).toEqual(log)
    expect(test.files.content(DUMP)).toEqual(new Uint8Array(bytes))
    expect(test.files.openFiles).toBe(0)
    expect(test.persistence.state.isLoading).toBe(false)
  })

  test('a file that cannot be opened or read', async () => {
    for (const operation of ['open', 'read'] as const) {
      const test = withFile(new RdbBuilder().end())
      test.files.fail(operation, new FileError('EACCES', 'Permission denied'))
      const error = await load(test)
      expect(error).toMatchObject({
        code: 'EACCES',
        message: 'Fatal error loading the DB: Permission denied. Exiting.',
      })
      expect(test.log.at(-1)).toBe('warning Fatal error loading the DB: Permission denied. Exiting.')
      expect(test.files.openFiles).toBe(0)
    }
  })
})

describe('DEBUG RELOAD', () => {
  function filled(): TestPersistence {
    const test = createTestPersistence()
    test.client.send('SET', 'a', '1')
    test.client.send('SET', 'b', '2', 'PXAT', '1800000000000')
    return test
  }

  test('saves, empties and loads', () => {
    const test = filled()
    const before = contentsOf(test.engine.keyspace)
    expect(test.persistence.reload({ save: true, flush: true, merge: false })).toBe(null)
    expect(contentsOf(test.engine.keyspace)).toEqual(before)
    expect(test.log).toEqual([
      'notice DB saved on disk',
      'notice Loading RDB produced by version 7.0.15',
      'notice RDB age 0 seconds',
      expect.stringMatching(/^notice RDB memory usage when created 0\.\d\d Mb$/),
      'notice Done loading RDB, keys loaded: 2, keys expired: 0.',
      'warning DB reloaded by DEBUG RELOAD',
    ])
    expect(test.engine.keyspace.dirty).toBe(0)
  })

  test('NOSAVE takes the file as it is, NOFLUSH MERGE adds it to what is there', () => {
    const test = filled()
    test.persistence.reload({ save: true, flush: true, merge: false })
    test.client.send('SET', 'a', 'changed')
    test.client.send('SET', 'c', '3')
    expect(test.persistence.reload({ save: false, flush: false, merge: true })).toBe(null)
    expect(contentsOf(test.engine.keyspace)).toEqual(
      new Map([
        ['0:a', '-1 1'],
        ['0:b', '1800000000000 2'],
        ['0:c', '-1 3'],
      ]),
    )
    expect(test.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
    expect(contentsOf(test.engine.keyspace).size).toBe(2)
  })

  test('NOFLUSH without MERGE finds keys twice', () => {
    const test = filled()
    const error = test.persistence.reload({ save: true, flush: false, merge: false })
    expect(error?.text).toBe('ERR Error trying to load the RDB dump')
    expect(test.log.some((line) => line.includes("RDB has duplicated key 'a' in DB 0"))).toBe(true)
  })

  test('errors go to the client', () => {
    const test = filled()
    expect(test.persistence.reload({ save: false, flush: false, merge: false })?.text).toBe(
      'ERR Error trying to load the RDB dump',
    )
    test.files.fail('create', new FileError('EACCES', 'Permission denied'))
    expect(test.persistence.reload({ save: true, flush: true, merge: false })?.text).toBe('ERR')
    expect(contentsOf(test.engine.keyspace).size).toBe(2)
  })

  test('watched keys count as changed', () => {
    const test = filled()
    const { session } = test.client
    test.engine.watch.watch(session, session.db, Buffer.from('a'))
    test.persistence.reload({ save: true, flush: true, merge: false })
    expect(session.has(1 << 1)).toBe(true)
  })

  test('function libraries survive', async () => {
    const source = '#!lua name=lib\nredis.register_function("f", function() return 1 end)'
    const test = withFile(new RdbBuilder().byte(245).text(source).select(0).string('a', '1').end())
    await load(test)
    expect(test.persistence.reload({ save: true, flush: true, merge: false })).toBe(null)
    expect(test.persistence.functions.all.map((bytes) => Buffer.from(bytes).toString())).toEqual([source])
  })

  test('during a save in the background both are right', async () => {
    const test = createTestPersistence()
    for (let i = 0; i < 5000; i++) test.client.send('SET', `key:${i}`, `value ${i}`)
    const before = contentsOf(test.engine.keyspace)
    test.settings.keySaveDelayUs = 10
    test.client.send('BGSAVE')
    for (let i = 0; i < 3; i++) test.scheduler.turn()
    expect(test.persistence.reload({ save: true, flush: true, merge: false })).toBe(null)
    expect(contentsOf(test.engine.keyspace)).toEqual(before)
    test.client.send('SET', 'key:1', 'changed')
    await test.drain()
    expect(test.persistence.state.lastSaveFailed).toBe(false)
    expect(test.persistence.reload({ save: false, flush: true, merge: false })).toBe(null)
    expect(contentsOf(test.engine.keyspace)).toEqual(before)
    expect(test.files.names).toEqual([DUMP])
  })
})
