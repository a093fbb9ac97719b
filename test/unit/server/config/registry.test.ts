import { expect, expectTypeOf, test } from 'vitest'
import type { Parameter } from '../../../../src/server/config/parameter.ts'
import { type Config, camelCase, PARAMETERS, type ParameterName } from '../../../../src/server/config/registry.ts'
import { ConfigHarness } from '../../../support/config-harness.ts'

const ALL = Object.entries<Parameter>(PARAMETERS) as [ParameterName, Parameter][]

test('names, aliases and fields are unique', () => {
  const names = ALL.flatMap(([name, { alias }]) => (alias === undefined ? [name] : [name, alias]))
  expect(new Set(names).size).toBe(names.length)
  expect(new Set(ALL.map(([name]) => camelCase(name))).size).toBe(ALL.length)
})

test('what a parameter does not do is said in one way only', () => {
  for (const [name, { noEffect, awaits, notYet }] of ALL) {
    const said = [noEffect, awaits, notYet].filter((text) => text !== undefined)
    expect([name, said.length]).toEqual([name, said.length === 0 ? 0 : 1])
    for (const text of said) expect(text).not.toBe('')
  }
})

test('the default of every parameter is taken as a value, and is no change', () => {
  const harness = new ConfigHarness('/')
  for (const [name, { kind, multiArg }] of ALL) {
    if (name === 'replicaof') continue // Its empty default cannot be written.
    const shown = harness.store.format(name)
    const args = multiArg ? (shown === '' ? [] : shown.split(' ')) : [shown]
    const scene = {
      fields: harness.store.fields,
      configFile: null,
      isStart: false,
      adds: false,
      enterDir: (_from: string, path: string) => path,
      warn: () => {},
    }
    const again = kind.parse(args, kind.initial, scene)
    expect([name, name === 'dir' ? shown : kind.format(again)]).toEqual([name, shown])
  }
})

test('fields have the types that code expects', () => {
  const { fields } = new ConfigHarness('/').store
  expectTypeOf<Config['protoMaxBulkLen']>().toEqualTypeOf<number>()
  expectTypeOf<Config['protectedMode']>().toEqualTypeOf<boolean>()
  expectTypeOf<Config['appendfsync']>().toEqualTypeOf<'everysec' | 'always' | 'no'>()
  expectTypeOf<Config['serverCpulist']>().toEqualTypeOf<string>()
  expectTypeOf<Config['shutdownOnSigterm']>().toEqualTypeOf<
    readonly ('default' | 'save' | 'nosave' | 'now' | 'force')[]
  >()
  expect(fields).toMatchObject({
    dir: '/',
    port: 6379,
    protoMaxBulkLen: 512 * 1024 * 1024,
    bind: ['*', '-::*'],
    save: [
      { seconds: 3600, changes: 1 },
      { seconds: 300, changes: 100 },
      { seconds: 60, changes: 10000 },
    ],
    clientOutputBufferLimit: {
      normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
      replica: { hardBytes: 256 << 20, softBytes: 64 << 20, softSeconds: 60 },
      pubsub: { hardBytes: 32 << 20, softBytes: 8 << 20, softSeconds: 60 },
    },
    replicaof: null,
    requirepass: '',
    maxmemoryPolicy: 'noeviction',
    shutdownOnSigint: [],
    notifyKeyspaceEvents: 0,
    latencyTrackingInfoPercentiles: [50, 99, 99.9],
    oomScoreAdjValues: [0, 200, 800],
    serverCpulist: '',
  })
})
