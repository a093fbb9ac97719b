import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { beforeEach, expect, test } from 'vitest'
import { ConfigFileError } from '../../../../src/server/config/load.ts'
import { NODE_CONFIG_FILES } from '../../../../src/server/config/node-files.ts'
import { ConfigHarness, TemporaryFolder } from '../../../support/config-harness.ts'

let harness: ConfigHarness
beforeEach(() => {
  harness = new ConfigHarness('/')
})

function refusal(act: () => void): ConfigFileError {
  try {
    act()
  } catch (error) {
    if (error instanceof ConfigFileError) return error
    throw error
  }
  throw new Error('accepted')
}

test('directives that are no parameters go to their handlers', () => {
  harness.load({
    options: [
      'rename-command FLUSHALL ""',
      'user alice on >x ~*',
      'loadmodule ./a.js one "two three"',
      'My.Param a b  c',
      'loadmodule ./b.js',
    ].join('\n'),
  })
  expect(harness.renamed).toEqual([['FLUSHALL', '']])
  expect(harness.users).toEqual([['alice', 'on', '>x', '~*']])
  expect(harness.modules).toEqual([['./a.js', 'one', 'two three'], ['./b.js']])
  expect([...harness.moduleParameters]).toEqual([['my.param', 'a b c']])
})

test('an error carries the block for standard error, and says the same in a message', () => {
  const error = refusal(() => harness.load({ options: 'hz 10\nport abc' }))
  expect(error.block).toBe(
    "\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\nReading the configuration file, at line 3\n>>> 'port abc'\nargument couldn't be parsed into an integer\n",
  )
  expect(error.message).toBe("argument couldn't be parsed into an integer (configuration line 3: port abc)")
  expect([error.logLine, error.code]).toEqual([null, 'O7_CONFIG_FILE'])
})

test('standard input is read after the file, before the options, and the log says so', () => {
  using folder = new TemporaryFolder()
  writeFileSync(folder.join('c.conf'), 'hz 1\ntimeout 1\nport 1\n')
  harness.load({ file: folder.join('c.conf'), standardInput: 'hz 2\ntimeout 2', options: 'hz 3' })
  expect(harness.store.fields).toMatchObject({ hz: 3, timeout: 2, port: 1 })
  expect(harness.logLines).toEqual(['Reading config from stdin'])
})

test('a handler may refuse its directive', () => {
  expect(refusal(() => harness.load({ options: 'rename-command nosuch x' })).block).toContain(
    '\nNo such command in rename-command\n',
  )
})

test('a file that is missing is a matter for the log', () => {
  const error = refusal(() => harness.load({ file: '/no/such/redis.conf' }))
  expect(error.logLine).toBe("Fatal error, can't open config file '/no/such/redis.conf': No such file or directory")
  expect(error.block).toBe(null)
})

test('files that include each other end in an error', () => {
  using folder = new TemporaryFolder()
  writeFileSync(folder.join('a.conf'), 'include b.conf\n')
  writeFileSync(folder.join('b.conf'), '\ninclude a.conf\n')
  harness = new ConfigHarness(folder.path)
  expect(refusal(() => harness.load({ file: folder.join('a.conf') })).block).toContain('Includes are nested too deeply')
})

test('included paths are UTF-8', () => {
  using folder = new TemporaryFolder()
  writeFileSync(folder.join('café.conf'), 'hz 77\n')
  harness = new ConfigHarness(folder.path)
  writeFileSync(folder.join('main.conf'), 'include "café.conf"\n')
  harness.load({ file: folder.join('main.conf') })
  expect(harness.store.fields.hz).toBe(77)
})

test('the log file is tried, relative to dir', () => {
  using folder = new TemporaryFolder()
  mkdirSync(folder.join('sub'))
  harness = new ConfigHarness(folder.path)
  harness.load({ options: 'logfile some.log\ndir sub' })
  expect(statSync(folder.join('sub/some.log')).size).toBe(0)
  expect(refusal(() => harness.load({ options: 'logfile nowhere/x.log' })).block).toBe(
    "\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\nCan't open the log file: No such file or directory\n",
  )
})

test('wildcards: sorted, without hidden files, in folders too, read as one text', () => {
  using folder = new TemporaryFolder()
  for (const name of ['b', 'a', '.c']) {
    mkdirSync(folder.join(name))
    writeFileSync(folder.join(name, '1.conf'), `hz 1${name.length}\n`)
  }
  writeFileSync(folder.join('a/x[y].conf'), '')
  symlinkSync(folder.join('b/1.conf'), folder.join('a/2.conf'))
  const shown = (pattern: string) =>
    NODE_CONFIG_FILES.glob(`${folder.path}/${pattern}`).map((path) => path.slice(folder.path.length + 1))
  expect(shown('*/*.conf')).toEqual(['a/1.conf', 'a/2.conf', 'a/x[y].conf', 'b/1.conf'])
  expect(shown('[!a]/?.conf')).toEqual(['b/1.conf'])
  expect(shown('.*/1.conf')).toContain('.c/1.conf')
  expect(shown('nowhere/*')).toEqual([])
  expect(shown('*/nothing')).toEqual([])
})

test('a folder reads as an empty file', () => {
  using folder = new TemporaryFolder()
  harness.load({ file: folder.path, options: 'hz 12' })
  expect(harness.store.fields.hz).toBe(12)
})

test('a rewritten file takes the place of the old one, with its own permissions', async () => {
  using folder = new TemporaryFolder()
  const path = folder.join('redis.conf')
  writeFileSync(path, 'hz 10\n', { mode: 0o600 })
  harness = new ConfigHarness(folder.path)
  harness.load({ file: path })
  const before = statSync(path).ino
  await harness.text('CONFIG', 'SET', 'hz', '20')
  expect(await harness.text('CONFIG', 'REWRITE')).toBe('+OK\r\n')
  expect(readFileSync(path, 'latin1')).toMatch(/^hz 20\n/)
  expect(statSync(path).ino).not.toBe(before)
  expect(statSync(path).mode & 0o777).toBe(0o644)
  expect(NODE_CONFIG_FILES.glob(`${folder.path}/*`)).toEqual([path])
  expect(harness.logLines).toEqual(['CONFIG REWRITE executed with success.'])
})
