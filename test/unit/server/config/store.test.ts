import { mkdirSync, symlinkSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { PARAMETERS, type ParameterName } from '../../../../src/server/config/registry.ts'
import type { SetContext } from '../../../../src/server/config/store.ts'
import { ConfigHarness, TemporaryFolder } from '../../../support/config-harness.ts'
import fc from '../../../support/property.ts'

const CONTEXT: SetContext = { isLoading: false, isLocal: true, canWait: true }

let harness: ConfigHarness
beforeEach(() => {
  harness = new ConfigHarness('/')
})

function set(...words: string[]): unknown {
  const pairs: [string, string][] = []
  for (let i = 0; i < words.length; i += 2) pairs.push([words[i]!, words[i + 1]!])
  return harness.store.set(pairs, CONTEXT)
}

describe('fields', () => {
  test('follow CONFIG SET', () => {
    const { fields } = harness.store
    expect(set('maxmemory', '1gb', 'save', '5 6', 'shutdown-on-sigterm', 'now nosave', 'maxmemory-samples', '7')).toBe(
      null,
    )
    expect(fields.maxmemory).toBe(1 << 30)
    expect(fields.save).toEqual([{ seconds: 5, changes: 6 }])
    expect(fields.shutdownOnSigterm).toEqual(['nosave', 'now'])
    expect(fields.maxmemorySamples).toBe(7)
  })

  test('are text where the value is UTF-8, and bytes for passwords', () => {
    expect(set('dbfilename', 'x', 'requirepass', 'caf\xc3\xa9')).toMatch(/protected config$/)
    harness.load({ options: 'dbfilename "caf\xc3\xa9.rdb"\nrequirepass "caf\xc3\xa9"' })
    expect(harness.store.fields.dbfilename).toBe('café.rdb')
    expect(harness.store.fields.requirepass).toBe('caf\xc3\xa9')
    expect(harness.store.format('dbfilename')).toBe('caf\xc3\xa9.rdb')
  })

  test('lose nothing of large numbers in CONFIG GET', () => {
    set('maxmemory', '18446744073709551615', 'slowlog-log-slower-than', '9007199254740993')
    expect(harness.store.get(['maxmemory', 'slowlog-log-slower-than'])).toEqual([
      ['maxmemory', '18446744073709551615'],
      ['slowlog-log-slower-than', '9007199254740993'],
    ])
    expect(harness.store.fields.maxmemory).toBe(2 ** 64)
  })

  test('of two stores are apart', () => {
    const other = new ConfigHarness('/tmp')
    set('hz', '99')
    expect([other.store.fields.hz, harness.store.fields.hz]).toEqual([10, 99])
    expect([other.store.fields.dir, harness.store.fields.dir]).toEqual(['/tmp', '/'])
  })

  test('can be noted by the server itself, without hooks', () => {
    let calls = 0
    harness.store.onChange(['port'], () => {
      calls++
    })
    harness.store.assign('port', '7777')
    harness.store.assign('bind', '127.0.0.1', '::1')
    expect([harness.store.fields.port, harness.store.fields.bind, calls]).toEqual([7777, ['127.0.0.1', '::1'], 0])
    expect(() => harness.store.assign('port', 'x')).toThrow("port: argument couldn't be parsed into an integer")
  })
})

describe('hooks', () => {
  test('run once for several parameters, after all fields changed, with all names', () => {
    const calls: unknown[] = []
    const { fields } = harness.store
    harness.store.onChange(['hz', 'maxmemory', 'timeout'], (names) => {
      calls.push([names, fields.hz, fields.maxmemory])
    })
    expect(set('hz', '20', 'maxmemory', '5', 'loglevel', 'debug')).toBe(null)
    expect(calls).toEqual([[['hz', 'maxmemory', 'loglevel'], 20, 5]])
  })

  test('do not run for what stays the same, except where the value only points to something', () => {
    const calls: string[] = []
    harness.store.onChange(['hz', 'tls-cert-file', 'save'], (names) => {
      calls.push(names.join())
    })
    set('hz', '10')
    expect(calls).toEqual([])
    set('tls-cert-file', '')
    set('save', harness.store.format('save'))
    expect(calls).toEqual(['tls-cert-file', 'save'])
  })

  test('refuse: everything goes back, all hooks hear of it, the culprit is named', () => {
    const seen: string[] = []
    const { fields } = harness.store
    harness.store.onChange(['maxmemory'], () => {
      seen.push(`maxmemory ${fields.maxmemory}`)
    })
    harness.store.onChange(['port'], () => {
      seen.push(`port ${fields.port}`)
      return fields.port === 1 ? 'Unable to listen on this port. Check server logs.' : null
    })
    harness.store.onChange(['hz'], () => {
      seen.push(`hz ${fields.hz}`)
    })
    expect(set('maxmemory', '5', 'port', '1', 'hz', '7')).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.",
    )
    expect(seen).toEqual(['maxmemory 5', 'port 1', 'maxmemory 0', 'port 6379', 'hz 10'])
    expect(harness.logLines).toEqual([
      'Failed applying new configuration. Possibly related to new port setting. Restoring previous settings.',
    ])
  })

  test('that refuse twice are logged', () => {
    harness.store.onChange(['port'], () => 'no')
    set('port', '1')
    expect(harness.logLines).toEqual([
      'Failed applying new configuration. Possibly related to new port setting. Restoring previous settings.',
      'Failed applying restored failed CONFIG SET command: no',
    ])
  })

  test('may take time; the outcome is the same', async () => {
    const { fields } = harness.store
    const seen: number[] = []
    harness.store.onChangeAsync(['port'], async () => {
      await Promise.resolve()
      seen.push(fields.port)
      return fields.port === 1 ? 'taken' : null
    })
    let after = 0
    harness.store.onChange(['hz'], () => {
      after++
    })
    const good = set('port', '2', 'hz', '11')
    expect(good).toBeInstanceOf(Promise)
    expect(after).toBe(0)
    expect(await good).toBe(null)
    expect([after, fields.port]).toEqual([1, 2])
    expect(await set('port', '1', 'hz', '12')).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'port') - taken",
    )
    expect([fields.port, fields.hz, seen]).toEqual([2, 11, [2, 1, 2]])
  })

  test('that take time are not started for clients that cannot wait', () => {
    harness.store.onChangeAsync(['port'], async () => {
      throw new Error('not to be called')
    })
    const pairs = [
      ['hz', '44'],
      ['port', '2'],
    ] as const
    expect(harness.store.set(pairs, { ...CONTEXT, canWait: false })).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'port') - not possible within a transaction or a script",
    )
    expect([harness.store.fields.hz, harness.store.fields.port]).toEqual([10, 6379])
    expect(harness.store.set([['port', '6379']], { ...CONTEXT, canWait: false })).toBe(null)
  })
})

describe('what may be set when', () => {
  test('protected parameters: never, always, or from this machine', () => {
    const outcomes = ['no', 'local', 'yes'].map((allowed) => {
      harness = new ConfigHarness('/')
      harness.load({ options: `enable-protected-configs ${allowed}` })
      return [true, false].map(
        (isLocal) => harness.store.set([['dbfilename', 'x.rdb']], { ...CONTEXT, isLocal }) === null,
      )
    })
    expect(outcomes).toEqual([
      [false, false],
      [true, false],
      [true, true],
    ])
  })

  test('some not while the data set is loaded', () => {
    const isLoading = { ...CONTEXT, isLoading: true }
    expect(harness.store.set([['hz', '11']], isLoading)).toBe(null)
    expect(harness.store.set([['repl-diskless-load', 'swapdb']], isLoading)).toBe(
      'LOADING Redis is loading the dataset in memory',
    )
    expect(
      harness.store.set(
        [
          ['nosuch', '1'],
          ['repl-diskless-load', 'swapdb'],
        ],
        isLoading,
      ),
    ).toMatch(/^ERR Unknown option/)
  })

  test('a name and its alias together: the last one wins, and both go back', () => {
    expect(set('slave-priority', '1', 'replica-priority', '2')).toBe(null)
    expect(harness.store.fields.replicaPriority).toBe(2)
    expect(set('slave-priority', '3', 'replica-priority', 'x')).toMatch(/argument 'replica-priority'/)
    expect(set('replica-priority', '3', 'slave-priority', 'x')).toMatch(/argument 'slave-priority'/)
    expect(harness.store.fields.replicaPriority).toBe(2)
  })

  test('any mixture of good and bad values is all or nothing', () => {
    const modifiable = (Object.keys(PARAMETERS) as ParameterName[]).filter(
      (name) => !('immutable' in PARAMETERS[name]) && !('protected' in PARAMETERS[name]),
    )
    const pair = fc.tuple(
      fc.constantFrom(...modifiable),
      fc.constantFrom('yes', 'no', '0', '1', '7', '1mb', '', 'x', '900 1', 'KEA', '50', 'debug', 'always'),
    )
    const snapshot = () => JSON.stringify(harness.store.get(['*']))
    fc.assert(
      fc.property(fc.uniqueArray(pair, { selector: ([name]) => name, minLength: 1, maxLength: 5 }), (pairs) => {
        harness = new ConfigHarness('/')
        const before = snapshot()
        const alone = pairs.map(([name, value]) => new ConfigHarness('/').store.set([[name, value]], CONTEXT))
        const together = harness.store.set(pairs, CONTEXT)
        expect(together).toBe(alone.find((result) => result !== null) ?? null)
        if (together !== null) expect(snapshot()).toBe(before)
      }),
      { numRuns: 150 },
    )
  })
})

describe('dir', () => {
  test('is resolved from the last one, and is the real path', () => {
    using folder = new TemporaryFolder()
    mkdirSync(folder.join('a/b'), { recursive: true })
    symlinkSync(folder.join('a'), folder.join('link'))
    harness = new ConfigHarness(folder.path)
    harness.load({ options: 'enable-protected-configs yes' })
    expect(set('dir', 'link/b')).toBe(null)
    expect(harness.store.fields.dir).toBe(folder.join('a/b'))
    expect(set('dir', '..')).toBe(null)
    expect(harness.store.fields.dir).toBe(folder.join('a'))
    expect(set('dir', 'nowhere')).toMatch(/ - No such file or directory$/)
    expect(harness.store.fields.dir).toBe(folder.join('a'))
    expect(process.cwd()).not.toBe(folder.join('a'))
  })
})

describe('the commands', () => {
  test('CONFIG SET hides passwords, also when it fails', async () => {
    await harness.text('CONFIG', 'SET', 'requirepass', 'secret', 'hz', '10', 'MASTERAUTH', 'x', 'nosuch', '1')
    expect(harness.redacted).toEqual([3, 7])
  })

  test('CONFIG SET answers when an asynchronous hook has', async () => {
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    harness.store.onChangeAsync(['port'], () => gate)
    const reply = harness.text('CONFIG', 'SET', 'port', '7000')
    release()
    expect(await reply).toBe('+OK\r\n')
  })

  test('CONFIG RESETSTAT', async () => {
    expect(await harness.text('CONFIG', 'RESETSTAT')).toBe('+OK\r\n')
    expect(harness.statisticsResets).toBe(1)
  })

  test('CONFIG REWRITE needs a file that can be written', async () => {
    expect(await harness.text('CONFIG', 'REWRITE')).toBe('-ERR The server is running without a config file\r\n')
    harness.store.configFile = '/no/such/place/redis.conf'
    expect(await harness.text('CONFIG', 'REWRITE')).toBe('-ERR Rewriting config file: No such file or directory\r\n')
    expect(harness.logLines).toEqual([
      'Could not create tmp config file (No such file or directory)',
      'CONFIG REWRITE failed: No such file or directory',
    ])
  })
})
