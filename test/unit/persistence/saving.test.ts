/** What saving does and says: the file, the log, the state, and what happens when the disk does not do its part. */
import { describe, expect, test } from 'vitest'
import { GATE_DISK_ERROR } from '../../../src/engine/gates.ts'
import { FileError } from '../../../src/persistence/file-system.ts'
import { contentsOf, loadInto } from '../../support/dataset.ts'
import type { FileOperation } from '../../support/memory-files.ts'
import { createTestPersistence, DUMP, type TestPersistence } from '../../support/persistence.ts'

const TEMP = '/data/temp-4711.rdb'
const FULL = new FileError('ENOSPC', 'No space left on device')

function fill(test: TestPersistence, keys = 10): void {
  for (let i = 0; i < keys; i++) test.client.send('SET', `key:${i}`, `value ${i}`)
}

function held(test: TestPersistence): Map<string, string> {
  return loadInto(test.files.content(DUMP)!, 16)
}

describe('SAVE', () => {
  test('writes the file beside the old one, makes sure of it, and puts it in its place', () => {
    const test = createTestPersistence()
    fill(test)
    test.clock.advance(5000)
    expect(test.client.send('SAVE')).toBe('+OK\r\n')
    expect(test.files.journal).toEqual([
      `create ${TEMP}`,
      `write ${TEMP}`,
      `sync ${TEMP}`,
      `close ${TEMP}`,
      `rename ${DUMP}`,
      'syncFolder /data',
    ])
    expect(test.files.openFiles).toBe(0)
    expect(held(test)).toEqual(contentsOf(test.engine.keyspace))
    expect(test.log).toEqual(['notice DB saved on disk'])
    expect(test.engine.keyspace.dirty).toBe(0)
    expect(test.client.send('LASTSAVE')).toBe(':1700000005\r\n')
    expect(test.persistence.state.saves).toBe(1)
  })

  test('an empty data set makes a file that is loaded', () => {
    const test = createTestPersistence()
    test.client.send('SAVE')
    expect(held(test).size).toBe(0)
  })

  test('rdb-save-incremental-fsync sends the bytes to the disk on the way', () => {
    const test = createTestPersistence()
    test.settings.compression = false
    for (let i = 0; i < 10; i++) test.client.send('SET', `key:${i}`, 'x'.repeat(1_000_000))
    test.client.send('SAVE')
    expect(test.files.journal.filter((entry) => entry.startsWith('sync '))).toHaveLength(3)
    test.settings.incrementalSync = false
    test.files.journal.length = 0
    test.client.send('SAVE')
    expect(test.files.journal.filter((entry) => entry.startsWith('sync '))).toHaveLength(1)
  })

  test('rdbcompression no and rdbchecksum no', () => {
    const test = createTestPersistence()
    test.client.send('SET', 'a', 'x'.repeat(1000))
    test.settings.compression = false
    test.settings.checksum = false
    test.client.send('SAVE')
    const bytes = test.files.content(DUMP)!
    expect(Buffer.from(bytes).includes('x'.repeat(1000))).toBe(true)
    expect([...bytes.subarray(-9)]).toEqual([255, 0, 0, 0, 0, 0, 0, 0, 0])
  })

  test('rdb-key-save-delay takes its time', () => {
    const test = createTestPersistence()
    fill(test, 20)
    test.settings.keySaveDelayUs = 100_000
    test.client.send('SAVE')
    expect(test.files.pausedMs).toBe(2000)
  })

  test.each<[FileOperation, string]>([
    [
      'create',
      'Failed opening the temp RDB file temp-4711.rdb (in server root dir /data) for saving: No space left on device',
    ],
    ['write', 'Write error saving DB on disk(rdbSaveRio): No space left on device'],
    ['sync', 'Write error saving DB on disk(fsync): No space left on device'],
    ['close', 'Write error saving DB on disk(fclose): No space left on device'],
    [
      'rename',
      'Error moving temp DB file temp-4711.rdb on the final destination dump.rdb (in server root dir /data): No space left on device',
    ],
    ['syncFolder', 'Write error saving DB on disk(fsyncFileDir): No space left on device'],
  ])('a failure to %s is answered and logged, and leaves no file behind', (operation, message) => {
    const test = createTestPersistence()
    fill(test)
    test.client.send('SAVE')
    const before = test.files.content(DUMP)!
    test.client.send('SET', 'new', 'x')
    test.log.length = 0
    test.files.fail(operation, FULL)
    expect(test.client.send('SAVE')).toBe('-ERR\r\n')
    expect(test.log).toEqual([`warning ${message}`])
    expect(test.files.names).toEqual([DUMP])
    if (operation !== 'syncFolder') expect(test.files.content(DUMP)).toEqual(before)
    expect(test.engine.keyspace.dirty).toBe(1)
    // As in Redis a SAVE that fails stops no writes.
    expect(test.client.send('SET', 'a', 'b')).toBe('+OK\r\n')
    test.files.fail(operation, null)
    expect(test.client.send('SAVE')).toBe('+OK\r\n')
    expect(test.files.openFiles).toBe(operation === 'close' ? 1 : 0)
  })
})

describe('BGSAVE', () => {
  test('goes on while clients do', async () => {
    const test = createTestPersistence()
    fill(test)
    test.clock.advance(1000)
    expect(test.client.send('BGSAVE')).toBe('+Background saving started\r\n')
    const { state } = test.persistence
    expect(state).toMatchObject({ isSaving: true, saveStartSeconds: 1_700_000_001, currentKeysTotal: 10, saves: 1 })
    expect(test.client.send('BGSAVE')).toBe('-ERR Background save already in progress\r\n')
    expect(test.client.send('SAVE')).toBe('-ERR Background save already in progress\r\n')
    test.client.send('SET', 'key:1', 'changed')
    test.client.send('SET', 'new', 'x')
    test.clock.advance(2000)
    await test.drain()
    expect(held(test).size).toBe(10)
    expect(held(test).get('0:key:1')).toBe('-1 value 1')
    expect(state).toMatchObject({
      isSaving: false,
      saveStartSeconds: -1,
      lastSaveSeconds: 1_700_000_003,
      lastSaveDurationSeconds: 2,
      lastSaveFailed: false,
      currentKeysTotal: 0,
      lastCowBytes: 24,
    })
    expect(test.engine.keyspace.dirty).toBe(2)
    expect(test.log).toEqual([
      'notice Background saving started by pid 4711',
      'notice DB saved on disk',
      'notice Background saving terminated with success',
    ])
    expect(test.files.names).toEqual([DUMP])
  })

  test('syntax', () => {
    const test = createTestPersistence()
    expect(test.client.send('BGSAVE', 'now')).toBe('-ERR syntax error\r\n')
    expect(test.client.send('BGSAVE', 'schedule', 'x')).toBe('-ERR syntax error\r\n')
    expect(test.client.send('BGSAVE', 'schedule')).toBe('+Background saving started\r\n')
  })

  test.each<[FileOperation, string]>([
    [
      'create',
      'Failed opening the temp RDB file temp-4711.rdb (in server root dir /data) for saving: No space left on device',
    ],
    ['write', 'Write error saving DB on disk(rdbSaveRio): No space left on device'],
    ['sync', 'Write error saving DB on disk(fsync): No space left on device'],
    ['close', 'Write error saving DB on disk(fclose): No space left on device'],
    [
      'rename',
      'Error moving temp DB file temp-4711.rdb on the final destination dump.rdb (in server root dir /data): No space left on device',
    ],
    ['syncFolder', 'Write error saving DB on disk(fsyncFileDir): No space left on device'],
  ])('a failure to %s stops writes while there are save points, until a save succeeds', async (operation, message) => {
    const test = createTestPersistence()
    fill(test)
    test.settings.savePoints = [{ seconds: 3600, changes: 1 }]
    test.files.fail(operation, FULL)
    expect(test.client.send('BGSAVE')).toBe('+Background saving started\r\n')
    await test.drain()
    expect(test.log).toEqual([
      'notice Background saving started by pid 4711',
      `warning ${message}`,
      'warning Background saving error',
    ])
    expect(test.files.names).toEqual(operation === 'syncFolder' ? [DUMP] : [])
    expect(test.persistence.state).toMatchObject({ isSaving: false, lastSaveFailed: true })
    expect(test.engine.keyspace.dirty).toBe(10)
    expect(test.client.send('SET', 'a', 'b')).toMatch(/^-MISCONF /)
    expect(test.client.send('GET', 'key:1')).toBe('$7\r\nvalue 1\r\n')
    test.settings.stopWritesOnError = false
    test.persistence.settingsChanged()
    expect(test.client.send('SET', 'a', 'b')).toBe('+OK\r\n')
    test.settings.stopWritesOnError = true
    test.persistence.settingsChanged()
    expect(test.engine.gate & GATE_DISK_ERROR).not.toBe(0)
    test.files.fail(operation, null)
    test.client.send('BGSAVE')
    await test.drain()
    expect(test.client.send('SET', 'a', 'c')).toBe('+OK\r\n')
    expect(test.engine.gate & GATE_DISK_ERROR).toBe(0)
  })

  test('a disk that fills up on the way is noticed, and memory is given back', async () => {
    const test = createTestPersistence()
    test.settings.compression = false
    for (let i = 0; i < 100; i++) test.client.send('SET', `key:${i}`, 'x'.repeat(50_000))
    test.files.freeBytes = 2_000_000
    test.client.send('BGSAVE')
    await test.drain()
    expect(test.log.at(-1)).toBe('warning Background saving error')
    expect(test.files.names).toEqual([])
    expect(test.files.openFiles).toBe(0)
    expect(test.engine.keyspace.snapshot).toBe(null)
  })

  test('a write that comes back wrong after the save was ended does no harm', async () => {
    const test = createTestPersistence()
    test.settings.compression = false
    for (let i = 0; i < 100; i++) test.client.send('SET', `key:${i}`, 'x'.repeat(50_000))
    test.files.isSlow = true
    test.client.send('BGSAVE')
    for (let i = 0; i < 10; i++) test.scheduler.turn()
    test.files.fail('write', FULL)
    test.persistence.endBackgroundSave()
    expect(test.log.slice(-2)).toEqual([
      'warning There is a child saving an .rdb. Killing it!',
      'warning Background saving terminated by signal 10',
    ])
    expect(test.files.names).toEqual([])
    await test.drain()
    expect(test.files.openFiles).toBe(0)
    expect(test.persistence.state).toMatchObject({ isSaving: false, lastSaveFailed: false })
  })

  test('when memory would run over, buffers are written without waiting', async () => {
    const test = createTestPersistence()
    test.settings.compression = false
    for (let i = 0; i < 3000; i++) test.client.send('SET', `key:${i}`, 'x'.repeat(30_000))
    const before = contentsOf(test.engine.keyspace)
    test.files.isSlow = true
    test.client.send('BGSAVE')
    for (let i = 0; i < 10; i++) test.scheduler.turn()
    test.files.journal.length = 0
    for (let i = 0; i < 3000; i++) test.client.send('SET', `key:${i}`, 'y')
    expect(test.files.journal.filter((entry) => entry.startsWith('write ')).length).toBeGreaterThan(200)
    test.files.isSlow = false
    await test.drain()
    expect(held(test)).toEqual(before)
  })

  test('rdb-key-save-delay makes it slow and nobody else', async () => {
    const test = createTestPersistence()
    fill(test, 20)
    test.settings.keySaveDelayUs = 2500
    test.client.send('BGSAVE')
    let waitedMs = 0
    while (test.persistence.state.isSaving) {
      const next = test.scheduler.waiting[0]
      waitedMs += next?.ms ?? 0
      if (!test.scheduler.turn()) await test.drain()
    }
    expect(waitedMs).toBe(50)
    test.settings.keySaveDelayUs = 100
    test.client.send('BGSAVE')
    const waits = test.scheduler.waiting.map(({ ms }) => ms)
    expect(waits).toEqual([0])
    test.scheduler.turn()
    expect(test.scheduler.waiting.map(({ ms }) => ms)).toEqual([1])
  })

  test('in a transaction it is put off to the next cron', async () => {
    const test = createTestPersistence()
    const { persistence } = test
    persistence.scheduleBackgroundSave()
    expect(persistence.state.isSaving).toBe(false)
    persistence.cron()
    expect(persistence.state).toMatchObject({ isSaving: true, isScheduled: false })
    await test.drain()
    persistence.cron()
    expect(persistence.state.isSaving).toBe(false)
  })

  test('closing the server leaves nothing behind', async () => {
    const test = createTestPersistence()
    fill(test)
    test.files.isSlow = true
    test.client.send('BGSAVE')
    test.scheduler.turn()
    test.persistence.close()
    await test.drain()
    expect([test.files.names, test.files.openFiles]).toEqual([[], 0])
    test.persistence.close()
  })

  test('an end that comes when the file is in place counts as success', async () => {
    const test = createTestPersistence()
    fill(test)
    test.files.isSlow = true
    test.client.send('BGSAVE')
    while (test.scheduler.turn());
    // Write, sync, close; then the folder waits.
    expect(await test.files.settle(3)).toBe(3)
    expect(test.files.names).toEqual([DUMP])
    test.persistence.dataFlushed()
    expect(test.log.at(-1)).toBe('notice Background saving terminated with success')
    expect(test.engine.keyspace.dirty).toBe(0)
    await test.drain()
    expect(test.log.filter((line) => line.includes('success'))).toHaveLength(1)
  })
})

describe('save points', () => {
  test('begin a save when there were enough changes and enough time', async () => {
    const test = createTestPersistence()
    const { persistence, clock, settings } = test
    settings.savePoints = [
      { seconds: 900, changes: 1 },
      { seconds: 60, changes: 100 },
    ]
    fill(test, 99)
    clock.advance(61_000)
    persistence.cron()
    expect(persistence.state.isSaving).toBe(false)
    fill(test, 1)
    persistence.cron()
    expect(test.log).toEqual([
      'notice 100 changes in 60 seconds. Saving...',
      'notice Background saving started by pid 4711',
    ])
    persistence.cron()
    await test.drain()
    clock.advance(900_000)
    fill(test, 1)
    persistence.cron()
    expect(persistence.state.isSaving).toBe(false)
    clock.advance(1000)
    persistence.cron()
    expect(persistence.state.isSaving).toBe(true)
    await test.drain()
    expect(persistence.state.lastSaveFailed).toBe(false)
  })

  test('wait five seconds after a failure', async () => {
    const test = createTestPersistence()
    const { persistence, clock, settings, files } = test
    settings.savePoints = [{ seconds: 1, changes: 1 }]
    fill(test, 1)
    clock.advance(2000)
    files.fail('create', FULL)
    persistence.cron()
    await test.drain()
    files.fail('create', null)
    clock.advance(5000)
    persistence.cron()
    expect(persistence.state.isSaving).toBe(false)
    clock.advance(1000)
    persistence.cron()
    expect(persistence.state.isSaving).toBe(true)
    await test.drain()
  })
})

describe('FLUSHALL', () => {
  test('ends a save in the background, and saves at once if there are save points', async () => {
    const test = createTestPersistence()
    const { persistence, files, engine } = test
    fill(test, 2000)
    test.settings.keySaveDelayUs = 1000
    test.client.send('BGSAVE')
    for (let i = 0; i < 5; i++) test.scheduler.turn()
    engine.keyspace.clear(false)
    persistence.dataFlushed()
    expect(persistence.state).toMatchObject({ isSaving: false, lastSaveFailed: false })
    expect(engine.keyspace.dirty).toBe(2000)
    expect(test.log.at(-1)).toBe('warning Background saving terminated by signal 10')
    await test.drain()
    expect(files.names).toEqual([])
    test.settings.keySaveDelayUs = 0
    test.settings.savePoints = [{ seconds: 3600, changes: 1 }]
    fill(test)
    test.client.send('BGSAVE')
    engine.keyspace.clear(false)
    persistence.dataFlushed()
    expect(held(test).size).toBe(0)
    await test.drain()
    expect(held(test).size).toBe(0)
    expect(files.names).toEqual([DUMP])
  })
})

describe('the last save of a server', () => {
  test('succeeds or fails as SAVE does', async () => {
    const test = createTestPersistence()
    fill(test)
    const saved = test.persistence.saveInSteps()
    await test.drain()
    expect(await saved).toBe(true)
    expect(test.log).toEqual(['notice DB saved on disk'])
    expect(held(test).size).toBe(10)
    expect(test.engine.keyspace.dirty).toBe(0)
    for (const operation of ['create', 'write', 'rename'] as const) {
      test.files.fail(operation, FULL)
      const failed = test.persistence.saveInSteps()
      await test.drain()
      expect(await failed).toBe(false)
      test.files.fail(operation, null)
    }
    expect(test.persistence.state.lastSaveFailed).toBe(false)
    expect(test.files.names).toEqual([DUMP])
  })

  test('takes the place of a save in the background', async () => {
    const test = createTestPersistence()
    fill(test, 100)
    test.settings.keySaveDelayUs = 1000
    test.client.send('BGSAVE')
    test.scheduler.turn()
    test.persistence.endBackgroundSave()
    test.settings.keySaveDelayUs = 0
    const saved = test.persistence.saveInSteps()
    await test.drain()
    expect(await saved).toBe(true)
    expect(held(test).size).toBe(100)
  })

  test('can be broken off without leaving a file', async () => {
    const test = createTestPersistence()
    fill(test, 20)
    test.settings.keySaveDelayUs = 100_000
    void test.persistence.saveInSteps()
    test.scheduler.turn()
    expect(test.files.names).toEqual([TEMP])
    test.persistence.discardTemporaryFiles()
    expect(test.files.names).toEqual([])
  })
})
