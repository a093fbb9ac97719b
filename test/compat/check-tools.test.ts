/** o7-check-aof and o7-check-rdb beside redis-check-aof and redis-check-rdb: the same output and exit codes for the same files. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer } from '../support/redis-process.ts'

const ROOT = process.cwd()
const OURS_RDB = join(ROOT, 'bin/o7-check-rdb')
const folder = mkdtempSync(join(tmpdir(), 'o7-check-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const TS = '#TS:1628217470\r\n'
const command = (...args: string[]) =>
  `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`
const set = (key: string) => command('SET', key, 'value')

interface Outcome {
  readonly status: number | null
  readonly output: string
}

function run(program: string, args: readonly string[], input: string, cwd: string): Outcome {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, input, encoding: 'latin1' })
  const output = `${stdout}${stderr}`
    .replace(/^\d+:C .*? # /gm, 'LOG ')
    .replaceAll(/(?:redis|o7)-check/g, 'check')
    // What follows a zero byte is whatever was in memory before.
    .replace(/got: 00[0-9a-f]{2}$/m, 'got: 00')
    .replace(/^Usage: \S+/m, 'Usage:')
  return { status, output }
}

/** Runs both on copies of the same files and compares what they say, and what they leave. */
function same(
  tool: 'aof' | 'rdb',
  files: Readonly<Record<string, string | Uint8Array>>,
  args: string[],
  input = '',
): Outcome {
  const outcomes = ['redis', 'ours'].map((who) => {
    const cwd = join(folder, who)
    rmSync(cwd, { recursive: true, force: true })
    mkdirSync(cwd)
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(cwd, name), typeof content === 'string' ? Buffer.from(content, 'latin1') : content)
    }
    const program = who === 'redis' ? `redis-check-${tool}` : join(ROOT, `bin/o7-check-${tool}`)
    const outcome = run(program, args, input, cwd)
    const left = Object.fromEntries(readdirSync(cwd).map((name) => [name, readFileSync(join(cwd, name), 'latin1')]))
    return { ...outcome, left }
  })
  expect(outcomes[1]).toEqual(outcomes[0])
  return outcomes[0]!
}

const REDIS = spawnSync('redis-check-aof', []).error === undefined

test.skipIf(!REDIS)('arguments', () => {
  same('aof', {}, [])
  same('aof', {}, ['a', 'b'])
  same('aof', {}, ['a', 'b', 'c'])
  same('aof', {}, ['--truncate-to-timestamp', 'x', 'c'])
  same('aof', {}, ['missing'])
  same('rdb', {}, [])
  same('rdb', {}, ['-v'])
  same('rdb', {}, ['missing'])
})

const SINGLE: readonly (readonly [string, string])[] = [
  ['whole', set('a') + set('b')],
  ['empty', ''],
  ['a cut argument', set('a') + set('b').slice(0, -4)],
  ['a cut count', `${set('a')}*`],
  ['a cut head', `${set('a')}*3\r\n$3`],
  ['garbage at the end', `${set('a')}xyz`],
  ['garbage in the middle', `${set('a')}!!!${set('b')}`],
  ['a wrong prefix', `${set('a')}*2\r\n+OK\r\n`],
  ['a wrong line end', `${set('a')}*1\r\n$4\r\nPINGxx`],
  ['a high byte for a line end', `${set('a')}*1\r\n$4\r\nPING\xff\x01`],
  ['a length that is none', `${set('a')}*1\r\n$x\r\n`],
  ['a negative length', `${set('a')}*1\r\n$-1\r\n`],
  ['a whole transaction', command('MULTI') + set('a') + command('EXEC')],
  ['an open transaction', set('x') + command('MULTI') + set('a')],
  ['a nested transaction', set('x') + command('MULTI') + command('MULTI')],
  ['EXEC alone', set('x') + command('EXEC') + set('y')],
  ['annotations', TS + set('a') + TS + set('b')],
]

test.skipIf(!REDIS).each(SINGLE)('a single file: %s', (_what, content) => {
  same('aof', { 'one.aof': content }, ['one.aof'])
  same('aof', { 'one.aof': content }, ['--fix', 'one.aof'], 'n\n')
  same('aof', { 'one.aof': content }, ['--fix', 'one.aof'], '')
  same('aof', { 'one.aof': content }, ['--fix', 'one.aof'], 'y\n')
})

test.skipIf(!REDIS)('cutting at a timestamp', () => {
  const content = `#TS:100\r\n${set('a')}#TS:200\r\n${set('b')}#TS:300\r\n${set('c')}`
  for (const timestamp of ['50', '100', '150', '250', '300', '1000']) {
    same('aof', { 'one.aof': content }, ['--truncate-to-timestamp', timestamp, 'one.aof'])
  }
  same('aof', { 'one.aof': `${set('a')}#TS:x\r\n` }, ['--truncate-to-timestamp', '5', 'one.aof'])
})

test.skipIf(!REDIS)('names beyond ASCII', () => {
  const files = { 'jørn.manifest': Buffer.from('file "j\\xc3\\xb8rn.aof" seq 1 type i\n'), 'jørn.aof': set('a') }
  same('aof', files, ['jørn.manifest'])
  same('aof', { ...files, 'jørn.aof': `${set('a')}*1\r\n+\xf8` }, ['jørn.manifest'])
  same('aof', { ...files, 'jørn.aof': command('MULTI') + command('MULTI') }, ['--fix', 'jørn.manifest'], 'y\n')
  same('aof', { 'jørn.manifest': Buffer.from('file jørn.aof seq 1\n') }, ['jørn.manifest'])
  same('aof', files, ['jørn.aof'])
  same('aof', { 'jørn.aof': 'REDIS0010\xff' }, ['jørn.aof'])
  same('aof', {}, ['jørn.aof'])
  same('rdb', {}, ['jørn.rdb'])
  same('rdb', { 'jørn.rdb': 'REDIS0010' }, ['jørn.rdb'])
})

test.skipIf(!REDIS)('many files', () => {
  const manifest = 'file b.aof seq 1 type b\nfile i1.aof seq 1 type i\nfile i2.aof seq 2 type i\n'
  const cut = set('z').slice(0, -3)
  for (const files of [
    { 'b.aof': set('a'), 'i1.aof': set('b'), 'i2.aof': set('c') },
    { 'b.aof': '', 'i1.aof': '', 'i2.aof': set('c') },
    { 'b.aof': set('a'), 'i1.aof': set('b') + cut, 'i2.aof': set('c') },
    { 'b.aof': set('a'), 'i1.aof': set('b'), 'i2.aof': set('c') + cut },
    { 'b.aof': set('a'), 'i1.aof': set('b') },
    { 'b.aof': set('a'), 'i1.aof': `#TS:100\r\n${set('b')}`, 'i2.aof': `#TS:200\r\n${set('b')}` },
  ]) {
    const all = { ...files, 'x.manifest': manifest }
    same('aof', all, ['x.manifest'])
    same('aof', all, ['--fix', 'x.manifest'], 'y\n')
    same('aof', all, ['--truncate-to-timestamp', '50', 'x.manifest'])
    same('aof', all, ['--truncate-to-timestamp', '150', 'x.manifest'])
  }
  for (const bad of [
    'file\n',
    'file a seq 1 type b\n\n',
    'file a seq 1 type b\nfile b seq 1 type b\n',
    'file a seq 2 type i\nfile b seq 1 type i\n',
    'file a/b seq 1 type b\n',
    'file a seq 1 type x\n',
    'file a seq 1 type',
    `file a seq 1 type b\n${'x'.repeat(1500)}\n`,
    '# a comment\nfile a seq 0 type b\n',
  ]) {
    same('aof', { 'x.manifest': bad }, ['x.manifest'])
  }
})

let dump: Uint8Array = new Uint8Array(0)
let preamble: Uint8Array = new Uint8Array(0)

beforeAll(async () => {
  if (!REDIS) return
  const redis = await startServer({ server: 'redis' })
  const send = (...args: string[]) => spawnSync('redis-cli', ['-p', String(redis.port), ...args])
  for (let i = 0; i < 50; i++) send('SET', `key:${i}`, 'x'.repeat(i * 5), ...(i % 3 === 0 ? ['EX', '100000'] : []))
  send('-n', '3', 'SET', 'other', '12345')
  send('RPUSH', 'list', ...Array.from({ length: 100 }, (_, i) => `element ${i}`))
  send('SADD', 'set', '1', '2', '3')
  send('HSET', 'hash', 'a', '1', 'b', '2')
  send('ZADD', 'zset', '1', 'a', '2.5', 'b')
  send('SAVE')
  const dir = String(send('CONFIG', 'GET', 'dir').stdout).split('\n')[1]!
  dump = readFileSync(join(dir, 'dump.rdb'))
  send('CONFIG', 'SET', 'appendonly', 'yes')
  for (let tries = 0; tries < 100; tries++) {
    if (String(send('INFO', 'persistence').stdout).includes('aof_rewrite_in_progress:0')) break
  }
  const base = readdirSync(join(dir, 'appendonlydir')).find((name) => name.endsWith('.rdb'))!
  preamble = readFileSync(join(dir, 'appendonlydir', base))
  cpSync(join(dir, 'dump.rdb'), join(folder, 'dump.rdb'))
  await redis.stop()
}, 30_000)

test.skipIf(!REDIS)('an RDB file, whole and cut', () => {
  expect(same('rdb', { 'dump.rdb': dump }, ['dump.rdb']).status).toBe(0)
  for (const length of [0, 5, 9, 20, 60, 100, 200, dump.length - 9, dump.length - 1]) {
    const outcome = same('rdb', { 'dump.rdb': dump.subarray(0, length) }, ['dump.rdb'])
    expect(outcome.status).toBe(1)
  }
  const flipped = Uint8Array.from(dump)
  flipped[dump.length - 3]! ^= 1
  same('rdb', { 'dump.rdb': flipped }, ['dump.rdb'])
  const unchecked = Uint8Array.from(dump)
  unchecked.fill(0, dump.length - 8)
  same('rdb', { 'dump.rdb': unchecked }, ['dump.rdb'])
  same('rdb', { 'dump.rdb': Buffer.from('REDIS9999 and more') }, ['dump.rdb'])
  same('rdb', { 'dump.rdb': Buffer.from('SOMETHING ELSE') }, ['dump.rdb'])
})

test.skipIf(!REDIS)('a wrong value: its key and type, whatever the words for what is wrong', () => {
  for (const record of [
    [19, 3, ...Buffer.from('a\0b'), 1, 3, 1, 2, 3],
    [16, 1, 97, 3, 1, 2, 3],
    [18, 1, 97, 1, 9, 0],
    [11, 0, 3, 1, 2, 3],
    [19, 1, 97, 0, 0, 0xa6, 0x8b, 0xbf, 0x82, 0x99, 0x90, 0xb0, 0],
    // Without elements.
    [4, 1, 97, 0],
    [18, 1, 97, 1, 2, 7, 7, 0, 0, 0, 0, 0, 255],
    [17, 1, 97, 7, 7, 0, 0, 0, 0, 0, 255],
  ]) {
    const file = Buffer.concat([Buffer.from('REDIS0010'), Buffer.from(record), Buffer.alloc(40, 1)])
    const [theirs, ours] = [run('redis-check-rdb', ['f'], '', written(file)), run(OURS_RDB, ['f'], '', written(file))]
    const additional = ({ output }: Outcome) => output.match(/^\[(additional info|info)\].*$/gm)
    expect(additional(ours)).toEqual(additional(theirs))
    expect(additional(theirs)).toHaveLength(6)
    expect(ours.status).toBe(theirs.status)
  }
})

/** A folder with a file f. */
function written(file: Uint8Array): string {
  writeFileSync(join(folder, 'f'), file)
  return folder
}

test.skipIf(!REDIS)('an append-only file that begins as RDB', () => {
  const whole = Buffer.concat([preamble, Buffer.from(set('a'))])
  same('aof', { 'one.aof': whole }, ['one.aof'])
  same('aof', { 'one.aof': whole.subarray(0, whole.length - 2) }, ['--fix', 'one.aof'], 'y\n')
  same('aof', { 'one.aof': whole.subarray(0, 100) }, ['one.aof'])
  const manifest = 'file b.rdb seq 1 type b\nfile i.aof seq 1 type i\n'
  same('aof', { 'x.manifest': manifest, 'b.rdb': preamble, 'i.aof': set('b') }, ['x.manifest'])
})
