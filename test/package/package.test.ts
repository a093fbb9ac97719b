/**
 * The package as it is published: packed from a copy of the checkout, installed from the file without network, and used
 * by import, by require, by TypeScript and as a program.
 */
import { execFile, spawn } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PACKED = [
  'bin',
  'src',
  'docs',
  'examples',
  'scripts',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'tsconfig.json',
  'tsconfig.types.json',
]
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'preprepare', 'postprepare']
const dir = mkdtempSync(join(tmpdir(), 'o7-package-'))
const user = join(dir, 'user')
const installed = join(user, 'node_modules/o7-is')

interface Manifest {
  readonly version: string
  readonly scripts: Record<string, string>
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest

async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, npm_config_cache: join(dir, 'npm-cache'), npm_config_update_notifier: 'false' }
  try {
    const { stdout } = await promisify(execFile)(program, args, { cwd, env, timeout: 120_000, maxBuffer: 1 << 26 })
    return stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}\n${stderr}`)
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
}

beforeAll(async () => {
  const checkout = join(dir, 'checkout')
  mkdirSync(join(checkout, 'dist/chunks'), { recursive: true })
  for (const name of PACKED) cpSync(join(ROOT, name), join(checkout, name), { recursive: true })
  writeFileSync(join(checkout, 'package.json'), JSON.stringify(manifest))
  symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'), 'dir')
  writeFileSync(join(checkout, 'dist/chunks/left-behind.js'), '')
  mkdirSync(join(checkout, 'examples/vitest/node_modules'), { recursive: true })
  writeFileSync(join(checkout, 'examples/vitest/node_modules/results.json'), '')
  await run('npm', ['pack', '--pack-destination', dir], checkout)

  mkdirSync(user)
  writeFileSync(join(user, 'package.json'), '{ "name": "user", "version": "1.0.0", "private": true }')
  await run(
    'npm',
    ['install', '--offline', '--no-audit', '--no-fund', join(dir, `o7-is-${manifest.version}.tgz`)],
    user,
  )
}, 180_000)

afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('needs nothing else and runs nothing when it is installed', () => {
  for (const kind of ['dependencies', 'optionalDependencies', 'peerDependencies'] as const) {
    expect(manifest[kind] ?? {}).toEqual({})
  }
  expect(Object.keys(manifest.scripts).filter((name) => INSTALL_SCRIPTS.includes(name))).toEqual([])
  const lock = JSON.parse(readFileSync(join(user, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>
  }
  expect(Object.keys(lock.packages)).toEqual(['', 'node_modules/o7-is'])
  expect(lock.packages['node_modules/o7-is']!.hasInstallScript).toBeUndefined()
})

test('holds the build, its typings, its sources, docs and examples, and nothing else', () => {
  const files = filesIn(installed)
  const top = new Set(files.map((path) => path.split('/').slice(0, 2).join('/')))
  for (const path of ['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json', 'bin/o7-redis', 'dist/index.cjs']) {
    expect(top).toContain(path)
  }
  expect(files.filter((path) => !/^(?:bin|dist|src|docs|examples)\/|^[^/]+$/.test(path))).toEqual([])
  expect(files).not.toContain('dist/chunks/left-behind.js')
  // Test runners keep their caches there.
  expect(files.filter((path) => path.includes('node_modules'))).toEqual([])
  expect(files.filter((path) => /^(?:dist|src)\/.*\.test\.|\.tsbuildinfo$/.test(path))).toEqual([])
})

test('files of code are small enough to be read without making the process larger for good', () => {
  const code = filesIn(installed).filter((path) => /^dist\/.*\.c?js$/.test(path))
  expect(code.length).toBeGreaterThan(8)
  // See scripts/build.mjs.
  for (const path of code) expect(statSync(join(installed, path)).size, path).toBeLessThan(512 * 1024)
})

test('source maps lead to sources that are there', () => {
  const files = new Set(filesIn(installed))
  const maps = [...files].filter((path) => path.endsWith('.js.map') || path.endsWith('.cjs.map'))
  expect(maps.length).toBeGreaterThan(2)
  for (const path of maps) {
    const { sources } = JSON.parse(readFileSync(join(installed, path), 'utf8')) as { sources: string[] }
    for (const source of sources) {
      const target = join(path, '..', source).replaceAll('\\', '/')
      expect(files, `${path} names ${source}`).toContain(target)
    }
  }
})

const USE = `
  const tail = defineCommand({
    name: 'TAIL', arity: 2, flags: READONLY | FAST, keys: [firstKey(KEY_RO)],
    doc: { group: 'string', since: '1.0.0', summary: 'Returns the last byte of a string.' },
    run(ctx, argv, reply) {
      const entry = ctx.db.readString(argv, 1)
      if (entry === WRONG_TYPE) return reply.error(ERR_WRONGTYPE)
      if (entry === NO_KEY) return reply.null()
      reply.bulkBytes(ctx.db.valueView(entry).subarray(-1))
    },
  })
  const server = await createServer({ commands: [tail] })
  await server.execute('SET', 'greeting', 'hello')
  console.log(await server.execute('TAIL', 'greeting'), new URL(server.url).port === String(server.port))
  await server.close()
`
const NAMES = 'createServer, defineCommand, ERR_WRONGTYPE, FAST, firstKey, KEY_RO, NO_KEY, READONLY, WRONG_TYPE'

test('import', async () => {
  writeFileSync(join(user, 'use.mjs'), `import { ${NAMES} } from 'o7-is'\n${USE}`)
  expect(await run(process.execPath, ['use.mjs'], user)).toBe('o true\n')
})

test('require', async () => {
  writeFileSync(join(user, 'use.cjs'), `const { ${NAMES} } = require('o7-is')\nasync function main() {${USE}}\nmain()`)
  expect(await run(process.execPath, ['use.cjs'], user)).toBe('o true\n')
})

test('require and import give the same names', async () => {
  writeFileSync(
    join(user, 'names.mjs'),
    `import { createRequire } from 'node:module'
     import * as esm from 'o7-is'
     const cjs = createRequire(import.meta.url)('o7-is')
     console.log(JSON.stringify([Object.keys(esm).sort(), Object.keys(cjs).sort()]))`,
  )
  const [esm, cjs] = JSON.parse(await run(process.execPath, ['names.mjs'], user)) as [string[], string[]]
  expect(esm).toContain('createServer')
  expect(cjs).toEqual(esm)
})

test('the program, under both of its names', async () => {
  for (const name of ['o7-redis', 'o7-is']) {
    expect(await run(join(user, 'node_modules/.bin', name), ['--version'], user)).toMatch(/^Redis server v=7\.0\.15 /)
  }
  const program = join(user, 'node_modules/.bin/o7-redis')
  const child = spawn(program, ['--port', '0', '--unixsocket', join(dir, 'redis.sock'), '--save', ''])
  let output = ''
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk
      if (output.includes('ready to accept connections at')) resolve()
    })
    child.on('exit', () => resolve())
  })
  const exited = new Promise((resolve) => child.on('exit', resolve))
  await ready
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
  expect(output).toContain('ready to accept connections at')
})

describe('TypeScript', () => {
  const files: Record<string, readonly string[]> = { NodeNext: ['use.mts', 'use.cts'], Bundler: ['bundled.ts'] }

  beforeAll(() => {
    mkdirSync(join(user, 'node_modules/@types'), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules/@types/node'), join(user, 'node_modules/@types/node'), 'dir')
    for (const name of Object.values(files).flat()) cpSync(join(ROOT, 'test/types/public-api.ts'), join(user, name))
  })

  // Libraries are checked as well: a declaration that does not hold by itself fails in programs that check theirs.
  test.each(Object.keys(files))('under module resolution %s', async (resolution) => {
    const module = resolution === 'NodeNext' ? 'NodeNext' : 'ESNext'
    const config = `tsconfig.${resolution}.json`
    writeFileSync(
      join(user, config),
      JSON.stringify({
        compilerOptions: {
          ...{ target: 'ES2022', module, moduleResolution: resolution, types: ['node'] },
          ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: false },
        },
        files: files[resolution],
      }),
    )
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    expect(await run(process.execPath, [tsc, '-p', config], user)).toBe('')
  })
})
