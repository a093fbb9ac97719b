import { describe, expect, test } from 'vitest'
import { parseHarnessOutput } from '../../../conformance/harness-output.ts'
import {
  countNames,
  formatTestList,
  mergeNames,
  namesLeftOut,
  parseExceptions,
  parseTestList,
  subtractNames,
} from '../../../conformance/lists.ts'
import { formatFileReport, formatTotals, judgeFile } from '../../../conformance/report.ts'

const OUTPUT = `[ready]: 123
Testing unit/x
[ok]: SET and GET (12 ms)
[ok]: a name (with parens) (0 ms)
[err]: BITCOUNT fuzzing in tests/unit/x.tcl
Expected '1' to be equal to '2' (context: type eval line 3 cmd {assert_equal 1 2} proc ::test)
[err]: LPUSH in tests/unit/x.tcl
n command 'lpush', with args beginning with: 'a'
ERR unknown command 'lpush', with args beginning with: 'a'
    while executing
"r lpush a b"
[err]: n command 'rpush'
ERR unknown command 'rpush'
    while executing
[skip]: left out
[ignore]: needs much: large memory flag not provided
[ignore]: large memory flag not provided
[1/1 done]: unit/x (3 seconds)

                   The End

!!! WARNING The following tests failed:

*** [err]: BITCOUNT fuzzing in tests/unit/x.tcl
Expected '1' to be equal to '2'
`

test('parseHarnessOutput reads every kind of line once', () => {
  expect(parseHarnessOutput(OUTPUT)).toEqual({
    passed: ['SET and GET', 'a name (with parens)'],
    failed: [
      { name: 'BITCOUNT fuzzing', reason: expect.stringContaining("Expected '1' to be equal to '2'") },
      { name: 'LPUSH', reason: "ERR unknown command 'lpush', with args beginning with: 'a'" },
    ],
    skipped: ['left out', 'needs much'],
    exceptions: ["ERR unknown command 'rpush'"],
  })
})

test('parseHarnessOutput names the test that hung, and what ended the file', () => {
  const hung =
    '[TIMEOUT]: clients state report follows.\nsock5 => (IN PROGRESS) waits for ever\nKilling still running ...\n'
  expect(parseHarnessOutput(hung)).toMatchObject({
    failed: [{ name: 'waits for ever', reason: 'no progress until the time limit' }],
    exceptions: ['no progress until the time limit: (IN PROGRESS) waits for ever'],
  })
  const ended = '[exception]: Executing test client: can not read.\ncan not read.\n    while executing\n'
  expect(parseHarnessOutput(ended).exceptions).toEqual(['can not read.'])
})

describe('lists', () => {
  test('keep names as often as they occur', () => {
    const list = new Map([
      ['unit/a', countNames(['x', 'y', 'x'])],
      ['unit/b', countNames(['#z'])],
    ])
    const text = formatTestList(list, 'a heading')
    expect(text).toBe('# a heading\nunit/a\tx\nunit/a\tx\nunit/a\ty\nunit/b\t#z\n')
    expect(parseTestList(text)).toEqual(list)
  })

  test('subtract and merge by count', () => {
    expect(subtractNames(countNames(['x', 'x', 'y']), countNames(['x', 'z']))).toEqual(['x', 'y'])
    expect(mergeNames(countNames(['x', 'x']), countNames(['x', 'y']))).toEqual(countNames(['x', 'x', 'y']))
  })

  test('leave excepted tests out of the run, unless their reason says otherwise', () => {
    const exceptions = parseExceptions('unit/a\tx\tlists\nunit/a\ty\trun: sets\n')
    expect(namesLeftOut(exceptions, 'unit/a')).toEqual(['x'])
    expect(namesLeftOut(exceptions, 'unit/b')).toEqual([])
  })

  test('refuse a line with missing fields', () => {
    expect(() => parseExceptions('unit/a\tx\n')).toThrow('line 1 should have 3 fields')
    expect(() => parseTestList('unit/a\n')).toThrow('line 1 should have 2 fields')
    expect(() => parseExceptions('unit/a\tx\t\n')).toThrow('line 1')
  })
})

describe('judgeFile', () => {
  const run = { ...parseHarnessOutput(OUTPUT), file: 'unit/x', seconds: 1, output: OUTPUT }
  const reference = countNames([
    'SET and GET',
    'SET and GET',
    'BITCOUNT fuzzing',
    'never reached',
    'needs lists',
    'left out',
  ])

  test('tells failed from excepted, and names what was not reached', () => {
    const reasons = new Map([
      ['LPUSH', 'lists'],
      ['needs lists', 'lists'],
      ['left out', 'scripts'],
      ['a name (with parens)', 'no longer true'],
    ])
    const verdict = judgeFile(run, reference, reasons)
    expect(verdict.failed.map(({ name }) => name)).toEqual(['BITCOUNT fuzzing'])
    expect(verdict.excepted).toEqual([
      { name: 'LPUSH', reason: 'lists' },
      { name: 'left out', reason: 'scripts' },
      { name: 'needs lists', reason: 'lists' },
    ])
    // One of the two tests of this name passed.
    expect(verdict.notRun).toEqual(['SET and GET', 'never reached'])
    expect(verdict.needlessExceptions).toEqual(['a name (with parens)'])
    const text = formatFileReport(verdict, null)
    expect(text).toContain(
      'unit/x: 2 passed, 1 failed, 3 excepted, 1 skipped, 2 not run (redis-server passes 6; 1.0 s)',
    )
    expect(text).toContain('not run   never reached')
    expect(formatTotals([verdict])).toMatch(/2 passed, 3 failed$/)
  })
})
