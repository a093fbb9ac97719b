import { expect, expectTypeOf, test } from 'vitest'
import {
  applyOptions,
  ConfigOptionError,
  type ConfigOptions,
  isConfigOption,
} from '../../../../src/server/config/options.ts'
import { PARAMETERS } from '../../../../src/server/config/registry.ts'
import { ConfigHarness } from '../../../support/config-harness.ts'

function apply(options: ConfigOptions): ConfigHarness {
  const harness = new ConfigHarness('/')
  applyOptions(harness.store, options)
  return harness
}

function refusal(options: object): ConfigOptionError {
  try {
    apply(options)
  } catch (error) {
    if (error instanceof ConfigOptionError) return error
    throw error
  }
  throw new Error('accepted')
}

test('every kind of value', () => {
  const { fields } = apply({
    port: 0,
    daemonize: false,
    protectedMode: 'no',
    maxmemory: '100mb',
    maxmemoryPolicy: 'allkeys-lru',
    requirepass: 'café',
    dbfilename: 'café.rdb',
    bind: ['127.0.0.1', '::1'],
    save: [
      [900, 1],
      [300, 10],
    ],
    clientOutputBufferLimit: [
      ['normal', '1mb', 0, 0],
      ['pubsub', 5, 4, 3],
    ],
    shutdownOnSigterm: ['now', 'force'],
    latencyTrackingInfoPercentiles: [50, 99.5],
    notifyKeyspaceEvents: 'KEA',
    unixsocketperm: '700',
    timeout: undefined,
  }).store
  expect(fields.port).toBe(0)
  expect(fields.protectedMode).toBe(false)
  expect(fields.maxmemory).toBe(100 << 20)
  expect(fields.maxmemoryPolicy).toBe('allkeys-lru')
  expect(fields.requirepass).toBe('caf\xc3\xa9')
  expect(fields.dbfilename).toBe('café.rdb')
  expect(fields.bind).toEqual(['127.0.0.1', '::1'])
  expect(fields.save).toEqual([
    { seconds: 900, changes: 1 },
    { seconds: 300, changes: 10 },
  ])
  expect(fields.clientOutputBufferLimit.normal.hardBytes).toBe(1 << 20)
  expect(fields.clientOutputBufferLimit.pubsub).toEqual({ hardBytes: 5, softBytes: 4, softSeconds: 3 })
  expect(fields.shutdownOnSigterm).toEqual(['now', 'force'])
  expect(fields.latencyTrackingInfoPercentiles).toEqual([50, 99.5])
  expect(fields.unixsocketperm).toBe(0o700)
  expect(fields.timeout).toBe(0)
})

test('lists may be given as in redis.conf, or be empty', () => {
  expect(apply({ save: '900 1 300 10', bind: '127.0.0.1 ::1' }).store.fields).toMatchObject({
    save: [
      { seconds: 900, changes: 1 },
      { seconds: 300, changes: 10 },
    ],
    bind: ['127.0.0.1', '::1'],
  })
  for (const save of ['', []] as const) expect(apply({ save }).store.fields.save).toEqual([])
  expect(apply({ bind: [] }).store.fields.bind).toEqual([])
})

test.each([
  [{ nosuch: 1 }, 'O7_UNKNOWN_OPTION', 'unknown option "nosuch"'],
  [{ 'max-memory': 1 }, 'O7_UNKNOWN_OPTION', 'unknown option "max-memory"'],
  [
    { 'maxmemory-policy': 'x' },
    'O7_UNKNOWN_OPTION',
    'unknown option "maxmemory-policy": the option is called maxmemoryPolicy',
  ],
  [
    { slaveReadOnly: true },
    'O7_UNKNOWN_OPTION',
    'unknown option "slaveReadOnly": the option is called replicaReadOnly',
  ],
  [{ constructor: 1 }, 'O7_UNKNOWN_OPTION', 'unknown option "constructor"'],
  [{ port: 'x' }, 'O7_INVALID_OPTION', "option port: argument couldn't be parsed into an integer"],
  [{ port: 70000 }, 'O7_INVALID_OPTION', 'option port: argument must be between 0 and 65535 inclusive'],
  [{ port: [1, 2] }, 'O7_INVALID_OPTION', 'option port: wrong number of arguments'],
  [{ port: null }, 'O7_INVALID_OPTION', 'option port: null is no string, number, boolean or list of them'],
  [{ port: Number.NaN }, 'O7_INVALID_OPTION', 'option port: NaN is no string, number, boolean or list of them'],
  [{ hz: 1.5 }, 'O7_INVALID_OPTION', "option hz: argument couldn't be parsed into an integer"],
  [
    { save: [{}] },
    'O7_INVALID_OPTION',
    'option save: a value of type object is no string, number, boolean or list of them',
  ],
  [
    { save: [900] },
    'O7_INVALID_OPTION',
    "option save: Invalid save parameters (needed are pairs of seconds and changes, as in [[900, 1]], or '' for none)",
  ],
  [{ daemonize: 1 }, 'O7_INVALID_OPTION', "option daemonize: argument must be 'yes' or 'no'"],
  [{ clusterEnabled: true }, 'O7_INVALID_OPTION', 'option clusterEnabled: cluster mode is not there yet'],
])('%j is refused', (options, code, message) => {
  const error = refusal(options)
  expect([error.code, error.message]).toEqual([code, message])
  expect(error).toBeInstanceOf(TypeError)
  expect(error.option).toBe(Object.keys(options)[0])
})

test('types follow from the registry', () => {
  expectTypeOf<ConfigOptions['port']>().toEqualTypeOf<number | string | undefined>()
  expectTypeOf<ConfigOptions['protectedMode']>().toEqualTypeOf<boolean | 'yes' | 'no' | undefined>()
  expectTypeOf<ConfigOptions['appendfsync']>().toEqualTypeOf<'everysec' | 'always' | 'no' | undefined>()
  // @ts-expect-error there is no such option
  expect(() => apply({ maxMemory: 1 })).toThrow('unknown option "maxMemory"')
  // @ts-expect-error no such policy
  expect(() => apply({ maxmemoryPolicy: 'random' })).toThrow('argument(s) must be one of the following: volatile-lru')
  expect(Object.keys(PARAMETERS).length).toBe(
    Object.keys(new ConfigHarness('/').store.fields).filter(isConfigOption).length,
  )
  expect([isConfigOption('clock'), isConfigOption('maxmemoryPolicy'), isConfigOption('maxmemory-policy')]).toEqual([
    false,
    true,
    false,
  ])
})
