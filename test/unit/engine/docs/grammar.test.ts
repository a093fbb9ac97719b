import { describe, expect, test } from 'vitest'
import { COMMAND_GROUPS, detailTable } from '../../../../src/engine/docs/detail-tables.ts'
import { type Argument, formatSyntax, GrammarError, parseGrammar } from '../../../../src/engine/docs/grammar.ts'

/** Only what differs from a plain required string. */
function brief(argument: Argument): Record<string, unknown> {
  const { name, type, keySpecIndex, token, since, deprecatedSince, optional, multiple, multipleToken } = argument
  return {
    name,
    ...(type === 'string' ? {} : { type }),
    ...(keySpecIndex === -1 ? {} : { keySpecIndex }),
    ...(token === null ? {} : { token }),
    ...(since === null ? {} : { since }),
    ...(deprecatedSince === null ? {} : { deprecatedSince }),
    ...(optional ? { optional } : {}),
    ...(multiple ? { multiple } : {}),
    ...(multipleToken ? { multipleToken } : {}),
    ...(argument.arguments.length === 0 ? {} : { arguments: argument.arguments.map(brief) }),
  }
}

const word = (token: string, name = token.toLowerCase()) => ({ name, type: 'pure-token', token })

describe('parseGrammar', () => {
  test.each<[string, Record<string, unknown>[]]>([
    ['', []],
    ['value', [{ name: 'value' }]],
    [
      'key#0 seconds:integer',
      [
        { name: 'key', type: 'key', keySpecIndex: 0 },
        { name: 'seconds', type: 'integer' },
      ],
    ],
    ['pattern:pattern#12', [{ name: 'pattern', type: 'pattern', keySpecIndex: 12 }]],
    ['at:unix-time', [{ name: 'at', type: 'unix-time' }]],
    ['ip:port:string', [{ name: 'ip:port' }]],
    ['yes/no', [{ name: 'yes/no' }]],
    ['NX', [word('NX')]],
    ['NX XX', [word('NX'), word('XX')]],
    ['CH=change', [word('CH', 'change')]],
    ['CH=change x', [word('CH', 'change'), { name: 'x' }]],
    ['*=auto ==equal ""=empty', [word('*', 'auto'), word('=', 'equal'), word('', 'empty')]],
    ['EX seconds:integer', [{ name: 'seconds', type: 'integer', token: 'EX' }]],
    ['[GET]', [{ ...word('GET'), optional: true }]],
    ['FULL [x]', [word('FULL'), { name: 'x', optional: true }]],
    ['[COUNT count:integer]', [{ name: 'count', type: 'integer', token: 'COUNT', optional: true }]],
    ['key#0 ...', [{ name: 'key', type: 'key', keySpecIndex: 0, multiple: true }]],
    ['[value ...]', [{ name: 'value', optional: true, multiple: true }]],
    ['[GET... x]', [{ name: 'x', token: 'GET', optional: true, multiple: true, multipleToken: true }]],
    ['GET@6.2.0', [{ ...word('GET'), since: '6.2.0' }]],
    ['CH=change@3.0.2', [{ ...word('CH', 'change'), since: '3.0.2' }]],
    ['x:integer@2.8.12@-6.2.0', [{ name: 'x', type: 'integer', since: '2.8.12', deprecatedSince: '6.2.0' }]],
    ['x@-6.2.0', [{ name: 'x', deprecatedSince: '6.2.0' }]],
    [
      '[condition<NX | XX>@2.6.12]',
      [{ name: 'condition', type: 'oneof', since: '2.6.12', optional: true, arguments: [word('NX'), word('XX')] }],
    ],
    [
      'LIMIT limit{offset count} ...',
      [
        {
          name: 'limit',
          type: 'block',
          token: 'LIMIT',
          multiple: true,
          arguments: [{ name: 'offset' }, { name: 'count' }],
        },
      ],
    ],
    [
      'a<b{C d [e]}|\n  F... g>',
      [
        {
          name: 'a',
          type: 'oneof',
          arguments: [
            {
              name: 'b',
              type: 'block',
              arguments: [
                { name: 'd', token: 'C' },
                { name: 'e', optional: true },
              ],
            },
            { name: 'g', token: 'F', multiple: true, multipleToken: true },
          ],
        },
      ],
    ],
  ])('%s', (text, expected) => {
    expect(parseGrammar(text).map(brief)).toEqual(expected)
  })

  test.each<[string, string]>([
    ['[a', '] is missing, after "[a"'],
    ['a]', 'unexpected ], after "a"'],
    ['[a b]', '] is missing, after "[a"'],
    ['a ... ...', 'an argument is missing, after "a ..."'],
    ['[]', 'an argument is missing, after "["'],
    ['[a] ...', 'an argument is missing, after "[a]"'],
    ['[GET... a ...]', 'it repeats already, after "[GET... a"'],
    ['a<b c>', 'each choice of a is one argument'],
    ['a<b | >', 'each choice of a is one argument'],
    ['a{}', 'a is empty'],
    ['a{b', '} is missing, after "a{b"'],
    ['a | b', 'unexpected |, after "a"'],
    ['a:text', 'text is no type'],
    ['a:oneof', 'oneof is no type'],
    ['aB', 'aB is neither a word nor a name'],
    ['a#x', 'cannot read a#x'],
    ['a@1', '@1 is no version'],
    ['GET...', 'GET... announces no argument'],
    ['GET... [a]', 'GET... announces no argument'],
    ['a:integer<b>', 'a is a group'],
  ])('%s is refused', (text, problem) => {
    expect(() => parseGrammar(text)).toThrow(GrammarError)
    expect(() => parseGrammar(text)).toThrow(`argument grammar: ${problem}`)
  })
})

test.each([
  ['get', 'key#0', 'GET key'],
  ['config|get', 'parameter{parameter} ...', 'CONFIG GET parameter [parameter ...]'],
  ['set', 'key#0 value [condition<NX | XX>] [GET@6.2.0]', 'SET key value [NX | XX] [GET]'],
  ['x', '[LIMIT at{offset count}] [GET... pattern]', 'X [LIMIT offset count] [GET pattern [GET pattern ...]]'],
  ['x', 'mode<YES | NO> [TYPE type<A | b>]', 'X <YES | NO> [TYPE <A | b>]'],
  ['x', '[IDS id ...] [x<A | B> ...]', 'X [IDS id [id ...]] [<A | B> [<A | B> ...]]'],
  ['migrate', 'key_or_none<key#0 | ""=none>', 'MIGRATE <key | "">'],
])('formatSyntax of %s %s', (name, grammar, expected) => {
  expect(formatSyntax(name, parseGrammar(grammar))).toBe(expected)
})

test('the grammars of all tables can be read', () => {
  const details = COMMAND_GROUPS.flatMap((group) => Object.values(detailTable(group)))
  const grammars = details.flatMap((one) => (one.arguments === undefined ? [] : [one.arguments]))
  expect(grammars.length).toBeGreaterThan(250)
  for (const grammar of grammars) expect(parseGrammar(grammar).length).toBeGreaterThan(0)
})
