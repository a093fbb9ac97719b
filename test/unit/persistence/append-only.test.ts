import { describe, expect, test } from 'vitest'
import { select } from '../../../src/commands/connection/select.ts'
import { genericCommands } from '../../../src/commands/generic/index.ts'
import { transactionCommands } from '../../../src/commands/transactions/index.ts'
import { datasetDigest } from '../../../src/keyspace/digest.ts'
import { AofManifest } from '../../../src/persistence/aof/manifest.ts'
import { PersistenceError } from '../../../src/persistence/errors.ts'
import { FileError } from '../../../src/persistence/file-system.ts'
import { TestClient } from '../../support/engine.ts'
import { MemoryFiles, ticks } from '../../support/memory-files.ts'
import { createTestPersistence, DIR, type TestPersistence } from '../../support/persistence.ts'

const FOLDER = `${DIR}/appendonlydir`
const MANIFEST = `${FOLDER}/appendonly.aof.manifest`
const INCREMENT = `${FOLDER}/appendonly.aof.1.incr.aof`
const NO_SPACE = new FileError('ENOSPC', 'No space left on device')
const BROKEN = new FileError('EIO', 'Input/output error')

type Policy = 'always' | 'everysec' | 'no'

function create(policy: Policy = 'everysec', files = new MemoryFiles()): TestPersistence {
  const test = createTestPersistence({ files, commands: [...transactionCommands, ...genericCommands, select] })
  test.settings.fsyncPolicy = policy
  return test
}

async function load(test: TestPersistence): Promise<void> {
  let isOver = false
  const loading = test.persistence.aof.loadAtStart().finally(() => {
    isOver = true
  })
  loading.catch(() => {})
  while (!isOver) {
    await ticks()
    test.scheduler.turn()
  }
  await loading
}

async function start(policy: Policy = 'everysec', files = new MemoryFiles()): Promise<TestPersistence> {
  const test = create(policy, files)
  await load(test)
  test.persistence.aof.openAtStart()
  return test
}

function text(files: MemoryFiles, path: string): string {
  return Buffer.from(files.content(path) ?? []).toString('latin1')
}

const command = (...args: string[]) =>
  `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`

describe('recording', () => {
  test('a new server has a base, an increment and a manifest', async () => {
    const { files } = await start()
    expect(text(files, MANIFEST)).toBe(
      'file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n',
    )
    expect(text(files, `${FOLDER}/appendonly.aof.1.base.rdb`)).toMatch(/^REDIS0010/)
    expect(text(files, INCREMENT)).toBe('')
  })

  test('changes are recorded with their database, transactions as a whole, reads not at all', async () => {
    const { client, files, drain } = await start()
    client.send('SET', 'a', '1')
    client.send('GET', 'a')
    client.send('SELECT', '3')
    client.send('MULTI')
    client.send('SET', 'b', '2')
    client.send('INCR', 'b')
    client.send('EXEC')
    await drain()
    expect(text(files, INCREMENT)).toBe(
      command('SELECT', '0') +
        command('SET', 'a', '1') +
        command('SELECT', '3') +
        command('MULTI') +
        command('SET', 'b', '2') +
        command('INCR', 'b') +
        command('EXEC'),
    )
  })

  test('annotations tell the time, once a second', async () => {
    const test = await start()
    test.settings.timestamps = true
    const { client, clock, files, drain } = test
    clock.nowMs = 1_700_000_000_500
    client.send('SET', 'a', '1')
    client.send('SET', 'b', '2')
    clock.advance(1000)
    client.send('SET', 'c', '3')
    await drain()
    expect(text(files, INCREMENT).match(/#TS:\d+\r\n/g)).toEqual(['#TS:1700000000\r\n', '#TS:1700000001\r\n'])
  })
})

describe('replies', () => {
  test('leave with always when the fsync that covers them is over; others are not held up', async () => {
    const { engine, client, files, scheduler } = await start('always')
    const reader = new TestClient(engine)
    const second = new TestClient(engine)
    files.isSlow = true
    expect(client.send('SET', 'a', '1')).toBe('')
    expect(reader.send('GET', 'a')).toBe('$1\r\n1\r\n')
    scheduler.turn()
    await ticks()
    expect(client.sink.take()).toBe('')
    // Recorded while the first fsync is under way: covered by the next.
    expect(second.send('SET', 'b', '2')).toBe('')
    scheduler.turn()
    await ticks()
    expect(await files.settle(1)).toBe(1)
    expect(client.sink.take()).toBe('+OK\r\n')
    expect(second.sink.take()).toBe('')
    // It begins when the first client has written again, or has had its time to.
    expect(await files.settle(1)).toBe(0)
    scheduler.turn()
    await ticks()
    expect(await files.settle(1)).toBe(1)
    expect(second.sink.take()).toBe('+OK\r\n')
  })

  test('clients that write again when they have their replies share the next fsync', async () => {
    const { engine, files, scheduler } = await start('always')
    files.isSlow = true
    const clients = Array.from({ length: 8 }, () => new TestClient(engine))
    // A thread does the fsyncs, since somebody else is there.
    new TestClient(engine).send('GET', 'key')
    // No timer is ever up.
    const turn = () => {
      const due = scheduler.waiting.findIndex(({ ms }) => ms === 0)
      if (due >= 0) scheduler.waiting.splice(due, 1)[0]!.run()
    }
    const write = (from: number, to: number) => {
      for (const client of clients.slice(from, to)) client.send('SET', 'key', 'x')
      turn()
    }
    write(0, 4)
    // Half of them come while the first fsync is under way.
    write(4, 8)
    expect(await files.settle()).toBe(1)
    for (const client of clients.slice(0, 4)) expect(client.sink.take()).toBe('+OK\r\n')
    write(0, 2)
    expect(await files.settle()).toBe(0)
    write(2, 4)
    for (let round = 0; round < 5; round++) {
      expect(await files.settle()).toBe(1)
      for (const client of clients) expect(client.sink.take()).toBe('+OK\r\n')
      write(0, 3)
      expect(await files.settle()).toBe(0)
      write(3, 8)
    }
  })

  test('leave with always in the same turn where nobody else is heard who would be held up', async () => {
    const { engine, client, files, scheduler, clock } = await start('always')
    const second = new TestClient(engine)
    files.isSlow = true
    const write = () => {
      expect(client.send('SET', 'a', '1') + second.send('SET', 'b', '2')).toBe('')
      scheduler.turn()
      return client.sink.take() + second.sink.take()
    }
    files.journal.length = 0
    expect(write()).toBe('+OK\r\n+OK\r\n')
    expect(files.journal).toEqual([`write ${INCREMENT}`, `sync ${INCREMENT}`])
    // A reader comes: a thread from now on, and for a while when the reader has gone.
    new TestClient(engine).send('GET', 'a')
    for (let times = 0; times < 3; times++) {
      expect(write()).toBe('')
      expect(await files.settle()).toBe(1)
      expect(client.sink.take() + second.sink.take()).toBe('+OK\r\n+OK\r\n')
    }
    clock.advance(100)
    expect(write()).toBe('+OK\r\n+OK\r\n')
  })

  test('of a client stay in order, also those that need not wait themselves', async () => {
    const { client, files, drain } = await start('always')
    files.isSlow = true
    client.send('SET', 'a', '1')
    client.send('GET', 'a')
    expect(client.sink.take()).toBe('')
    await drain()
    expect(client.sink.take()).toBe('+OK\r\n$1\r\n1\r\n')
  })

  test('leave with everysec when they are written', async () => {
    const { client, files, scheduler } = await start('everysec')
    expect(client.send('SET', 'a', '1')).toBe('')
    scheduler.turn()
    expect(client.sink.take()).toBe('+OK\r\n')
    expect(text(files, INCREMENT)).toContain(command('SET', 'a', '1'))
  })

  test('many clients share one fsync', async () => {
    const { engine, files, drain } = await start('always')
    files.isSlow = true
    const clients = Array.from({ length: 50 }, () => new TestClient(engine))
    for (const [index, client] of clients.entries()) client.send('SET', `key:${index}`, 'x')
    files.journal.length = 0
    await drain()
    for (const client of clients) expect(client.sink.take()).toBe('+OK\r\n')
    expect(files.journal).toEqual([`write ${INCREMENT}`, `sync ${INCREMENT}`])
  })

  test('a client that leaves has no replies any more, one that is closed after its reply has it first', async () => {
    const { engine, client, drain } = await start('always')
    client.send('SET', 'a', '1')
    engine.disconnect(client.session)
    await drain()
    expect(client.sink.take()).toBe('')
  })
})

describe('fsync', () => {
  test('once a second with everysec, also when nothing more is written', async () => {
    const { client, clock, files, drain, persistence } = await start()
    const syncs = () => files.journal.filter((line) => line === `sync ${INCREMENT}`).length
    client.send('SET', 'a', '1')
    await drain()
    const before = syncs()
    clock.advance(1001)
    persistence.cron()
    await drain()
    expect(syncs()).toBe(before + 1)
    clock.advance(5000)
    persistence.cron()
    await drain()
    expect(syncs()).toBe(before + 1)
  })

  test('not by itself with no', async () => {
    const { client, clock, files, drain, persistence } = await start('no')
    client.send('SET', 'a', '1')
    await drain()
    clock.advance(60_000)
    persistence.cron()
    await drain()
    expect(files.journal).not.toContain(`sync ${INCREMENT}`)
  })

  test('one that takes long holds the next write up for two seconds at most', async () => {
    const { client, clock, files, scheduler, persistence } = await start()
    client.send('SET', 'a', '1')
    scheduler.turn()
    clock.advance(1001)
    files.isSlow = true
    client.send('SET', 'b', '2')
    scheduler.turn()
    expect(persistence.aof.isFsyncPending).toBe(true)
    client.send('SET', 'c', '3')
    scheduler.turn()
    expect(client.sink.take()).toContain('+OK')
    expect(text(files, INCREMENT)).not.toContain(command('SET', 'c', '3'))
    clock.advance(2001)
    persistence.cron()
    expect(text(files, INCREMENT)).toContain(command('SET', 'c', '3'))
    expect(persistence.aof.state.delayedFsyncs).toBe(1)
  })
})

describe('WAITAOF', () => {
  test('waits for the fsync of what the client wrote', async () => {
    const { engine, client, clock, drain, persistence } = await start('everysec')
    const other = new TestClient(engine)
    expect(other.send('WAITAOF', '1', '0', '0')).toBe('*2\r\n:1\r\n:0\r\n')
    client.send('SET', 'a', '1')
    client.send('WAITAOF', '1', '0', '0')
    await drain()
    expect(client.sink.take()).toBe('+OK\r\n')
    clock.advance(1001)
    persistence.cron()
    await drain()
    expect(client.sink.take()).toBe('*2\r\n:1\r\n:0\r\n')
  })

  test('does not wait longer than it is told to, and says what is wrong', async () => {
    const { engine, client, clock, drain } = await start('no')
    client.send('SET', 'a', '1')
    client.send('WAITAOF', '1', '0', '50')
    await drain()
    client.sink.take()
    clock.advance(60)
    engine.blocking.tick()
    expect(client.sink.take()).toBe('*2\r\n:0\r\n:0\r\n')
    expect(client.send('WAITAOF', '2', '0', '0')).toBe('-ERR value is out of range, value must between 0 and 1\r\n')
    expect(client.send('WAITAOF', '1', '-1', '0')).toBe('-ERR value is out of range, must be positive\r\n')
    expect(client.send('WAITAOF', '1', '0', '-1')).toBe('-ERR timeout is negative\r\n')
    expect(create().client.send('WAITAOF', '1', '0', '0')).toContain('numlocal is set but appendonly is disabled')
  })
})

describe('faults', () => {
  test('a full disk stops writers with everysec, and lets them go on when there is room again', async () => {
    const { client, clock, files, scheduler, persistence, log } = await start()
    client.send('SET', 'a', '1')
    scheduler.turn()
    const whole = text(files, INCREMENT)
    files.freeBytes = 10
    client.sink.take()
    client.send('SET', 'b', '2')
    scheduler.turn()
    expect(client.sink.take()).toBe('+OK\r\n')
    // What could be written of it is taken back.
    expect(text(files, INCREMENT)).toBe(whole)
    expect(log.some((line) => line.includes('Short write while writing to the AOF file: (nwritten=10'))).toBe(true)
    expect(client.send('SET', 'c', '3')).toBe('-MISCONF Errors writing to the AOF file: No space left on device\r\n')
    expect(client.send('GET', 'b')).toBe('$1\r\n2\r\n')
    files.freeBytes = Number.POSITIVE_INFINITY
    clock.advance(1000)
    persistence.cron()
    expect(log).toContain('warning AOF write error looks solved, Redis can write again.')
    expect(text(files, INCREMENT)).toBe(whole + command('SET', 'b', '2'))
    client.send('SET', 'c', '3')
    scheduler.turn()
    expect(client.sink.take()).toBe('+OK\r\n')
  })

  test.each(['write', 'sync'] as const)(
    'with always a failing %s ends the server and answers nobody',
    async (operation) => {
      const files = new MemoryFiles()
      let fatal: unknown = null
      const test = createTestPersistence({ files, onFatal: (error) => (fatal = error) })
      test.settings.fsyncPolicy = 'always'
      await load(test)
      test.persistence.aof.openAtStart()
      files.fail(operation, operation === 'write' ? NO_SPACE : BROKEN)
      test.client.send('SET', 'a', '1')
      await test.drain()
      expect(fatal).toBeInstanceOf(PersistenceError)
      expect(test.client.sink.take()).toBe('')
      expect(
        test.log.some(
          (line) => line.endsWith("'always'. Exiting...") || line.endsWith('Input/output error. Exiting...'),
        ),
      ).toBe(true)
    },
  )

  test('a failing fsync stops writers with everysec until one succeeds', async () => {
    const { client, clock, files, scheduler, persistence, drain } = await start()
    client.send('SET', 'a', '1')
    scheduler.turn()
    client.sink.take()
    files.fail('sync', BROKEN)
    clock.advance(1001)
    persistence.cron()
    await drain()
    expect(client.send('SET', 'b', '2')).toBe('-MISCONF Errors writing to the AOF file: Input/output error\r\n')
    files.fail('sync', null)
    clock.advance(1001)
    persistence.cron()
    await drain()
    client.send('SET', 'b', '2')
    await drain()
    expect(client.sink.take()).toBe('+OK\r\n')
  })
})

describe('rewriting', () => {
  test.each([true, false])('gives a new base of the data as it was, RDB %s, and later changes stay', async (isRdb) => {
    const test = await start()
    const { client, files, persistence, settings, drain, engine } = test
    settings.usesRdbBase = isRdb
    for (let i = 0; i < 100; i++) client.send('SET', `key:${i}`, `value ${i}`)
    client.send('SET', 'expires', 'x', 'PX', '100000000')
    await drain()
    client.sink.take()
    expect(client.send('BGREWRITEAOF')).toBe('+Background append only file rewriting started\r\n')
    client.send('SET', 'key:1', 'later')
    await drain()
    expect(text(files, MANIFEST)).toBe(
      `file appendonly.aof.2.base.${isRdb ? 'rdb' : 'aof'} seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n`,
    )
    expect(files.names.filter((name) => name.includes('.1.'))).toEqual([])
    expect(persistence.aof.state.lastRewriteFailed).toBe(false)
    const digest = datasetDigest(engine.keyspace)
    persistence.aof.close()
    const again = await start('everysec', files)
    expect(datasetDigest(again.engine.keyspace)).toBe(digest)
  })

  test('serves clients between its two manifests, and ends whole if the server ends there', async () => {
    const { client, files, scheduler, persistence, engine } = await start()
    client.send('SET', 'a', '1')
    client.send('BGREWRITEAOF')
    for (let turns = 0; !text(files, MANIFEST).includes('type h'); turns++) {
      expect(turns).toBeLessThan(100)
      if (!scheduler.turn()) await files.settle()
    }
    expect(persistence.aof.isRewriting).toBe(true)
    expect(client.send('BGREWRITEAOF')).toMatch(/in progress\r\n$/)
    persistence.aof.close()
    expect(persistence.aof.isRewriting).toBe(false)
    expect(text(files, MANIFEST)).not.toContain('type h')
    while (scheduler.turn());
    expect(persistence.aof.state.lastRewriteFailed).toBe(false)
    const digest = datasetDigest(engine.keyspace)
    expect(datasetDigest((await start('everysec', files)).engine.keyspace)).toBe(digest)
  })

  test('puts much that is not on the disk there first, while clients go on', async () => {
    const { client, files, scheduler, persistence, drain, engine } = await start()
    for (let i = 0; i < 300; i++) client.send('SET', `key:${i}`, 'x'.repeat(1000))
    scheduler.turn()
    client.sink.take()
    files.isSlow = true
    expect(client.send('BGREWRITEAOF')).toBe('+Background append only file rewriting started\r\n')
    expect(persistence.aof.isRewriting).toBe(true)
    expect(text(files, MANIFEST)).not.toContain('.2.incr')
    expect(client.send('BGREWRITEAOF')).toMatch(/in progress\r\n$/)
    client.send('SET', 'key:1', 'later')
    persistence.cron()
    await drain()
    expect(persistence.aof.isRewriting).toBe(false)
    expect(text(files, MANIFEST)).toContain('.2.incr')
    const digest = datasetDigest(engine.keyspace)
    persistence.aof.close()
    expect(datasetDigest((await start('everysec', files)).engine.keyspace)).toBe(digest)
  })

  test('is ended while that is under way, or fails with it', async () => {
    const { client, files, scheduler, persistence, drain } = await start()
    for (let i = 0; i < 300; i++) client.send('SET', `key:${i}`, 'x'.repeat(1000))
    scheduler.turn()
    files.isSlow = true
    client.send('BGREWRITEAOF')
    persistence.aof.killRewrite()
    expect(persistence.aof.isRewriting).toBe(false)
    await drain()
    expect(text(files, MANIFEST)).not.toContain('.2.incr')
    files.fail('sync', BROKEN)
    client.send('BGREWRITEAOF')
    await drain()
    files.fail('sync', null)
    expect(persistence.aof.isRewriting).toBe(false)
    expect(persistence.aof.state.lastRewriteFailed).toBe(true)
    expect(text(files, MANIFEST)).not.toContain('.2.incr')
  })

  test('that fails leaves what was there in force', async () => {
    const { client, files, persistence, drain, engine } = await start()
    client.send('SET', 'a', '1')
    await drain()
    client.send('BGREWRITEAOF')
    files.fail('rename', BROKEN)
    await drain()
    files.fail('rename', null)
    expect(persistence.aof.state.lastRewriteFailed).toBe(true)
    expect(persistence.aof.state.consecutiveFailures).toBe(1)
    client.send('SET', 'b', '2')
    await drain()
    const digest = datasetDigest(engine.keyspace)
    persistence.aof.close()
    expect(datasetDigest((await start('everysec', files)).engine.keyspace)).toBe(digest)
  })

  test('begins by itself when the files have grown', async () => {
    const { client, persistence, settings, drain, log } = await start()
    settings.rewriteBytesMin = 2000
    for (let i = 0; i < 100; i++) client.send('SET', 'key', 'x'.repeat(100))
    await drain()
    persistence.cron()
    await drain()
    expect(log.some((line) => /^notice Starting automatic rewriting of AOF on \d+% growth$/.test(line))).toBe(true)
    expect(persistence.aof.state.rewrites).toBe(1)
  })

  test('after three failures in a row waits, longer each time', async () => {
    const { clock, files, persistence, drain, log, client } = await start()
    client.send('SET', 'a', '1')
    await drain()
    for (let i = 0; i < 3; i++) {
      expect(persistence.aof.startRewrite()).toBe(true)
      files.fail('rename', BROKEN)
      await drain()
      files.fail('rename', null)
    }
    persistence.aof.state.rewriteIsScheduled = true
    persistence.cron()
    expect(log.at(-1)).toContain('will retry in 1 minutes')
    clock.advance(60_001)
    persistence.cron()
    await drain()
    expect(persistence.aof.state.lastRewriteFailed).toBe(false)
  })
})

describe('switching on and off', () => {
  test('a server that had none has all of its data in them after the first rewrite', async () => {
    const test = create()
    const { client, persistence, drain, engine, files } = test
    client.send('SET', 'before', '1')
    expect(persistence.aof.start()).toBe(true)
    expect(persistence.aof.phase).toBe('waiting')
    client.send('SET', 'during', '2')
    await drain()
    expect(persistence.aof.phase).toBe('on')
    client.send('SET', 'after', '3')
    await drain()
    const digest = datasetDigest(engine.keyspace)
    persistence.aof.stop()
    client.sink.take()
    expect(client.send('SET', 'later', '4')).toBe('+OK\r\n')
    expect(datasetDigest((await start('everysec', files)).engine.keyspace)).toBe(digest)
  })
})

describe('loading', () => {
  async function loaded(content: string, change: (test: TestPersistence) => void = () => {}): Promise<TestPersistence> {
    const files = new MemoryFiles()
    files.folders.add(FOLDER)
    files.put(MANIFEST, Buffer.from('file one.aof seq 1 type i\n'))
    files.put(`${FOLDER}/one.aof`, Buffer.from(content, 'latin1'))
    const test = create('everysec', files)
    change(test)
    await load(test)
    return test
  }
  const set = (key: string) => command('SET', key, 'v')

  test('a file that ends within a command is cut behind the last whole one', async () => {
    for (let cut = 1; cut < set('b').length; cut++) {
      const { files, client } = await loaded(set('a') + set('b').slice(0, -cut))
      expect(client.send('EXISTS', 'a', 'b')).toBe(':1\r\n')
      expect(text(files, `${FOLDER}/one.aof`)).toBe(set('a'))
    }
  })

  test('a transaction counts when it is whole', async () => {
    const whole = command('MULTI') + set('b') + set('c') + command('EXEC')
    for (let cut = 1; cut < whole.length; cut++) {
      const { files, client } = await loaded(set('a') + whole.slice(0, -cut))
      expect(client.send('EXISTS', 'a', 'b', 'c')).toBe(':1\r\n')
      expect(text(files, `${FOLDER}/one.aof`)).toBe(set('a'))
    }
    expect((await loaded(set('a') + whole)).client.send('EXISTS', 'a', 'b', 'c')).toBe(':3\r\n')
  })

  test('half an annotation is cut off', async () => {
    const { files } = await loaded(`${set('a')}#TS:17`)
    expect(text(files, `${FOLDER}/one.aof`)).toBe(set('a'))
  })

  test('nothing is cut without aof-load-truncated', async () => {
    const content = set('a') + set('b').slice(0, -1)
    await expect(loaded(content, ({ settings }) => void (settings.loadsTruncated = false))).rejects.toThrow(
      PersistenceError,
    )
  })

  test.each(['xyz', '*0\r\n', '*1\r\n+PING\r\n', '*-1\r\n', command('NOTHING', 'x')])('%j is refused', async (bad) => {
    await expect(loaded(set('a') + bad + set('b'))).rejects.toThrow(PersistenceError)
  })

  test('a command that fails is told, and stops the server if that is asked for', async () => {
    const content = set('a') + command('INCR', 'a') + set('b')
    const told = ({ log }: TestPersistence) => log.filter((line) => line.includes('CRITICAL'))
    const line =
      "warning == CRITICAL == This server is sending an error to its AOF-loading-client: 'value is not an integer or out of range' after processing the command 'incr'"
    const going = await loaded(content)
    expect(told(going)).toEqual([line])
    expect(going.client.send('EXISTS', 'a', 'b')).toBe(':2\r\n')
    expect(going.engine.statistics.unexpectedErrors).toBe(1)
    await expect(loaded(content, ({ settings }) => void (settings.panicsOnErrors = true))).rejects.toThrow(
      "This server panicked sending an error to its AOF-loading-client after processing the command 'incr'",
    )
  })

  test('a missing file, a bad manifest, and a short file that is not the last', async () => {
    const one = async (manifest: string, files: Record<string, string>) => {
      const memory = new MemoryFiles()
      memory.folders.add(FOLDER)
      memory.put(MANIFEST, Buffer.from(manifest))
      for (const [name, content] of Object.entries(files)) memory.put(`${FOLDER}/${name}`, Buffer.from(content))
      await load(create('everysec', memory))
    }
    await expect(one('file x seq 1 type i\n', {})).rejects.toThrow(PersistenceError)
    await expect(one('file x seq 1 type q\n', { x: '' })).rejects.toThrow('Unknown AOF file type')
    const two = 'file x seq 1 type i\nfile y seq 2 type i\n'
    await expect(one(two, { x: set('a').slice(0, -1), y: set('b') })).rejects.toThrow(PersistenceError)
    await one(two, { x: set('a'), y: set('b').slice(0, -1) })
  })

  test('a file stands where the folder should be', async () => {
    const files = new MemoryFiles()
    files.put(FOLDER, Buffer.from('x'))
    const test = create('everysec', files)
    await load(test)
    expect(() => test.persistence.aof.openAtStart()).toThrow(PersistenceError)
    expect(test.log).toContain("warning Can't open or create append-only dir appendonlydir: Not a directory")
  })

  test('a file of the time before manifests becomes the base', async () => {
    const files = new MemoryFiles()
    files.put(`${DIR}/appendonly.aof`, Buffer.from(set('a')))
    const { client, drain } = await start('everysec', files)
    expect(client.send('EXISTS', 'a')).toBe(':1\r\n')
    expect(text(files, MANIFEST)).toBe(
      'file appendonly.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n',
    )
    expect(files.content(`${DIR}/appendonly.aof`)).toBe(null)
    await drain()
  })

  test('names are bytes in UTF-8, as Redis writes them', async () => {
    const files = new MemoryFiles()
    files.folders.add(FOLDER)
    const manifest = `${FOLDER}/jørn.manifest`
    files.put(
      manifest,
      Buffer.from('file "j\\xc3\\xb8rn.1.incr.aof" seq 1 type i\nfile j\u00f8rn.2.incr.aof seq 2 type i\n'),
    )
    files.put(`${FOLDER}/jørn.1.incr.aof`, Buffer.from(set('a')))
    files.put(`${FOLDER}/jørn.2.incr.aof`, Buffer.from(set('b')))
    const test = create('everysec', files)
    test.settings.appendFileName = 'jørn'
    await load(test)
    test.persistence.aof.openAtStart()
    expect(test.client.send('EXISTS', 'a', 'b')).toBe(':2\r\n')
    test.client.send('BGREWRITEAOF')
    await test.drain()
    expect(text(files, manifest)).toBe(
      'file "j\\xc3\\xb8rn.1.base.rdb" seq 1 type b\nfile "j\\xc3\\xb8rn.3.incr.aof" seq 3 type i\n',
    )
  })

  test('a zero byte ends a line of the manifest before its end, except that of a comment', () => {
    const line = 'file x seq 1 type i'
    const parse = (content: string) => AofManifest.parse(Buffer.from(content))
    expect(() => parse(`file x\0 seq 1 type i\n${line}\n`)).toThrow('The AOF manifest file contains too long line')
    expect(parse(`#\0\n${line}\n`).increments).toEqual([{ name: 'x', seq: 1, type: 'i' }])
  })

  test('numbers may have blanks before them, within their line', async () => {
    const { client } = await loaded('* 3\r\n$\t3\r\nSET\r\n$1\r\na\r\n$ +1\r\nb\r\n')
    expect(client.send('GET', 'a')).toBe('$1\r\nb\r\n')
    await expect(loaded('* \r\n3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n')).rejects.toThrow(PersistenceError)
  })

  test('commands larger than the window, and many of them', async () => {
    const large = 'x'.repeat(3_000_000)
    const content =
      set('a') + command('SET', 'large', large) + Array.from({ length: 5000 }, (_, i) => set(`k${i}`)).join('')
    const { client } = await loaded(content)
    expect(client.send('EXISTS', 'a', 'large', 'k0', 'k4999')).toBe(':4\r\n')
    expect(client.send('STRLEN', 'large')).toBe(':3000000\r\n')
  })
})
