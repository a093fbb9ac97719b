import { expect, test } from 'vitest'
import { absolutePath, parseArguments } from '../../../src/server/arguments.ts'

function run(...args: string[]) {
  const parsed = parseArguments(args, '/work')
  if (parsed.kind !== 'run') throw new Error(parsed.stderr)
  return parsed
}

test('nothing at all', () => {
  expect(run()).toEqual({ kind: 'run', configFile: null, readsStandardInput: false, options: null })
})

test.each<[string[], string]>([
  [['--port', '6380'], 'port "6380" '],
  [['--port', '6380', '--save', '900', '1'], 'port "6380" \nsave "900" "1" '],
  [['--save', '900 1', '--save', '300 10'], 'save "900 1" \nsave "300 10" '],
  [['--save', '--port', '1'], 'save ""\nport "1" '],
  [['--port', '1', '--save'], 'port "1" \nsave ""'],
  [['--save', '', '--port', '1'], 'save "" \nport "1" '],
  [['--port 1', '--hz 2'], 'port 1 \nhz 2 '],
  [['--proc-title-template', '--x', '--hz', '2'], 'proc-title-template "--x" \nhz "2" '],
  [['--dir', 'café "x"\n'], 'dir "caf\\xc3\\xa9 \\"x\\"\\n" '],
])('directives %j', (args, options) => {
  expect(run(...args)).toEqual({ kind: 'run', configFile: null, readsStandardInput: false, options })
})

test('a dash first or last reads standard input, elsewhere it is a value', () => {
  expect(run('-')).toMatchObject({ readsStandardInput: true, options: '' })
  expect(run('-', '--hz', '1')).toMatchObject({ readsStandardInput: true, options: 'hz "1" ' })
  expect(run('--hz', '1', '-')).toMatchObject({ readsStandardInput: true, options: 'hz "1" ' })
  expect(run('--dir', '-', '--hz', '1')).toMatchObject({ readsStandardInput: false, options: 'dir "-" \nhz "1" ' })
  expect(run('a.conf', '-')).toMatchObject({ readsStandardInput: true, configFile: '/work/a.conf' })
  expect(run('a.conf', '-', '--hz', '1')).toMatchObject({ readsStandardInput: false, options: '"-" \nhz "1" ' })
})

test('the path of the configuration file, as it is shown to users', () => {
  expect(
    ['/etc/../a', 'a', './a', '../a', '../../a', '../../../a', ' a\n', 'b/../a', ''].map((path) =>
      absolutePath('/one/two', path),
    ),
  ).toEqual([
    '/etc/../a',
    '/one/two/a',
    '/one/two/./a',
    '/one/a',
    '/a',
    '/a',
    '/one/two/a',
    '/one/two/b/../a',
    '/one/two/',
  ])
})

test.each(['-v', '--version'])('%s', (flag) => {
  const parsed = parseArguments([flag, '--port', '1'], '/')
  expect(parsed).toMatchObject({ kind: 'exit', code: 0, stderr: '' })
  expect('stdout' in parsed && parsed.stdout).toMatch(
    /^Redis server v=7\.0\.15 sha=00000000:0 malloc=\S+ bits=64 build=[1-9a-f][0-9a-f]{0,15} o7-is=\d+\.\d+\.\d+\S*\n$/,
  )
})

test.each(['-h', '--help'])('%s', (flag) => {
  const parsed = parseArguments([flag], '/')
  expect(parsed).toMatchObject({ kind: 'exit', code: 1, stdout: '' })
  expect('stderr' in parsed && parsed.stderr).toMatch(/^Usage: o7-redis \[\/path\/to\/redis.conf\] \[options\] \[-\]\n/)
})

test.each([
  [['--sentinel'], /Sentinel/],
  [['sentinel.conf', '--sentinel'], /Sentinel/],
  [['--test-memory', '10'], /--test-memory/],
  [['--check-system'], /--check-system/],
])('%j is not supported, and says so', (args, text) => {
  const parsed = parseArguments(args, '/')
  expect(parsed).toMatchObject({ kind: 'exit', code: 1, stdout: '' })
  expect('stderr' in parsed && parsed.stderr).toMatch(text)
})

test('such words are values elsewhere', () => {
  expect(run('--dir', '--version')).toMatchObject({ options: 'dir "--version" ' })
})
