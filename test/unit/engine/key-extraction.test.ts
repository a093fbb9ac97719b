/** What no command of redis-server shows; the rest is compared with it in test/compat/key-specs.test.ts. */
import { describe, expect, test } from 'vitest'
import { Argv } from '../../../src/base/argv.ts'
import {
  type CommandDefinition,
  defineCommand,
  KEY_RO,
  type KeySpec,
  keyAt,
  keyRange,
} from '../../../src/engine/command.ts'
import { MOVABLE_KEYS } from '../../../src/engine/flags.ts'
import { extractKeys, mayHaveKeys } from '../../../src/engine/key-extraction.ts'
import { countedKeys } from '../../../src/engine/key-functions.ts'
import { KEY_INCOMPLETE, KEY_NOT_KEY, KEY_RW, KEY_VARIABLE_FLAGS, legacyRange } from '../../../src/engine/key-specs.ts'

function declare(keys: readonly KeySpec[], getKeys?: CommandDefinition['getKeys']) {
  return defineCommand({
    name: 'X',
    arity: -1,
    flags: 0,
    keys,
    ...(getKeys === undefined ? {} : { getKeys }),
    doc: { group: 'generic', since: '1.0.0', summary: '' },
    run() {},
  })
}

function keyword(keyword: string, startFrom: number): KeySpec {
  return {
    flags: KEY_RO,
    begin: { kind: 'keyword', keyword, startFrom },
    find: { kind: 'range', lastKey: -1, step: 1, limit: 0 },
  }
}

test.each<[string, Partial<KeySpec>, string]>([
  ['an index of 0', { begin: { kind: 'index', index: 0 } }, 'index must be 1 or more'],
  ['a keyword from 0', { begin: { kind: 'keyword', keyword: 'K', startFrom: 0 } }, 'startFrom must be'],
  ['a step of 0', { find: { kind: 'range', lastKey: -1, step: 0, limit: 0 } }, 'step must be 1 or more'],
  ['half of a range that ends early', { find: { kind: 'range', lastKey: -2, step: 1, limit: 2 } }, 'a limit goes with'],
  ['a fraction', { find: { kind: 'range', lastKey: 0.5, step: 1, limit: 0 } }, 'lastKey and limit must be whole'],
  [
    'a count before the spec',
    { find: { kind: 'keynum', keyNumIndex: -1, firstKey: 1, step: 1 } },
    'keyNumIndex and firstKey must be 0',
  ],
])('a key spec with %s is refused', (_what, change, problem) => {
  const specs = [keyAt(1, KEY_RO), { ...keyAt(1, KEY_RO), ...change }]
  expect(() => declare(specs)).toThrow(TypeError)
  expect(() => declare(specs)).toThrow(`command X: key spec 1: ${problem}`)
})

test.each([
  ['key#0 other#1', 'argument other: there is no key spec 1'],
  ['block{key#0 [a<b | c#2>]}', 'argument c: there is no key spec 2'],
  ['key#0 [', 'argument grammar: an argument is missing, after "key#0 ["'],
])('a command with the arguments "%s" is refused', (grammar, problem) => {
  const doc = { group: 'generic', since: '1.0.0', summary: '', arguments: grammar }
  const declareIt = () => defineCommand({ name: 'X', arity: 2, flags: 0, keys: [keyAt(1, KEY_RO)], doc, run() {} })
  expect(declareIt).toThrow(TypeError)
  expect(declareIt).toThrow(`command X: ${problem}`)
})

function indexes(keys: readonly (readonly [number, number])[]): number[] {
  return keys.map(([index]) => index)
}

describe('extractKeys', () => {
  test.each<[string, number, string, number[]]>([
    ['KEYS', -2, 'x a keys b keys c', [5]],
    ['KEYS', -3, 'x a keys b c', [3, 4]],
    ['KEYS', -2, 'x keys b c', []],
    ['KEYS', -9, 'x keys b', []],
    ['keys', 2, 'x keys KEYS a b', [3, 4]],
    ['KEYS', 1, 'x a b keys', []],
    ['KEYS', 4, 'x a', []],
  ])('after the keyword %s searched from %i in "%s"', (word, startFrom, request, expected) => {
    expect(indexes(extractKeys(declare([keyword(word, startFrom)]), Argv.of(request.split(' '))))).toEqual(expected)
  })

  test('asks getKeys when specs are incomplete, unknown, of variable flags, or do not fit the arguments', () => {
    const getKeys = () => [[2, KEY_RW]] as const
    const request = Argv.of(['x', 'a', 'b'])
    const specs: KeySpec[] = [
      keyAt(1, KEY_RO | KEY_INCOMPLETE),
      keyAt(1, KEY_RO | KEY_VARIABLE_FLAGS),
      { ...keyAt(1, KEY_RO), begin: { kind: 'unknown' } },
      { ...keyAt(1, KEY_RO), find: { kind: 'unknown' } },
      keyAt(3, KEY_RO),
      { ...keyAt(1, KEY_RO), find: { kind: 'keynum', keyNumIndex: 0, firstKey: 1, step: 1 } },
      { ...keyAt(1, KEY_RO), find: { kind: 'keynum', keyNumIndex: 5, firstKey: 1, step: 1 } },
    ]
    for (const spec of specs) {
      expect(extractKeys(declare([spec], getKeys), request)).toEqual([[2, KEY_RW]])
      expect(extractKeys(declare([spec]), request)).toEqual([])
    }
    expect(extractKeys(declare([keyAt(1, KEY_RO)], getKeys), request)).toEqual([[1, KEY_RO]])
  })

  test('takes getKeys at its word that there are none', () => {
    expect(
      extractKeys(
        declare([], () => null),
        Argv.of(['x', 'a']),
      ),
    ).toEqual([])
  })

  test('skips what is no key', () => {
    const command = declare([keyAt(1, KEY_NOT_KEY)])
    expect(mayHaveKeys(command)).toBe(false)
    expect(extractKeys(command, Argv.of(['x', 'channel']))).toEqual([])
  })

  test('countedKeys without a count', () => {
    expect(countedKeys(0, 3, 4)(Argv.of(['x', 'a']))).toBe(null)
  })
})

describe('legacyRange', () => {
  test.each<[string, KeySpec[], object]>([
    ['no keys', [], { firstKey: 0, lastKey: 0, step: 0, isPartial: false }],
    ['pairs', [keyRange(1, -1, 2, 0)], { firstKey: 1, lastKey: -1, step: 2, isPartial: false }],
    ['neighbours', [keyAt(1, 0), keyRange(2, -1, 1, 0)], { firstKey: 1, lastKey: -1, step: 1, isPartial: false }],
    ['a gap', [keyAt(1, 0), keyAt(3, 0)], { firstKey: 1, lastKey: 1, step: 1, isPartial: true }],
    ['all after a keyword', [keyword('KEYS', 1)], { firstKey: 0, lastKey: 0, step: 0, isPartial: true }],
    ['not all of them', [keyAt(2, KEY_INCOMPLETE)], { firstKey: 2, lastKey: 2, step: 1, isPartial: true }],
  ])('of %s', (_what, specs, expected) => {
    expect(legacyRange(specs)).toEqual(expected)
    const { flags } = declare(specs)
    expect((flags & MOVABLE_KEYS) !== 0).toBe((expected as { isPartial: boolean }).isPartial)
  })

  test('keys that only getKeys finds are movable', () => {
    expect(declare([], () => []).flags & MOVABLE_KEYS).not.toBe(0)
    expect(declare([keyAt(1, 0)], () => []).flags & MOVABLE_KEYS).toBe(0)
  })
})
