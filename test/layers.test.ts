/** The layering is a test, not a wish: import direction, cycles, and what each folder may use. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { findImports, findViolations } from './support/layers.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

function readTree(folder: string): Map<string, string> {
  const files = new Map<string, string>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
    const path = join(entry.parentPath, entry.name)
    files.set(path.slice(folder.length + 1).replaceAll('\\', '/'), readFileSync(path, 'utf8'))
  }
  return files
}

test('src/ keeps to its layers', () => {
  const files = readTree(join(ROOT, 'src'))
  expect(files.size).toBeGreaterThan(10)
  const manifest: { dependencies?: Record<string, string> } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  )
  expect(findViolations(files, Object.keys(manifest.dependencies ?? {}))).toEqual([])
})

describe('on a made-up tree', () => {
  const violationsOf = (files: Record<string, string>) => findViolations(new Map(Object.entries(files)))

  test('a clean tree passes', () => {
    const clean = {
      'base/clock.ts': 'export const now = () => Date.now() + performance.now()\n',
      'base/random.ts': "import { randomBytes } from 'node:crypto'\nexport const id = () => randomBytes(20)\n",
      'base/text.ts': `// Date.now() in words\nexport const TEXT = "process.exit(1) setTimeout(" + \`let x \${"Math.random()"}\`\nconst R = /"/\n`,
      'memory/arena.ts': "import { TEXT } from '../base/text.ts'\nexport const a = TEXT\n",
      'resp/writer.ts': "import type { now } from '../base/clock.ts'\nexport type Now = typeof now\n",
      'net/tcp.ts': "import { connect } from 'node:net'\nexport const open = () => setTimeout(connect, 1)\n",
      'replication/sync.ts': "export { rdb } from '../persistence/rdb/reader.ts'\n",
      'persistence/rdb/reader.ts': 'export const rdb = 1\n',
      'index.ts': "export * from './net/tcp.ts'\n",
      'cli.ts': "import './index.ts'\nprocess.exit(0)\n",
    }
    expect(violationsOf(clean)).toEqual([])
  })

  test.each([
    [
      'an import from above',
      { 'base/a.ts': "import { b } from '../memory/b.ts'\n", 'memory/b.ts': '' },
      'stands above it',
    ],
    [
      'a type from above',
      { 'resp/a.ts': "import type { B } from '../engine/b.ts'\n", 'engine/b.ts': '' },
      'stands above it',
    ],
    [
      'a re-export from above',
      { 'memory/a.ts': "export { b } from '../server/b.ts'\n", 'server/b.ts': '' },
      'stands above it',
    ],
    ['a dynamic import', { 'memory/a.ts': "await import('../server/b.ts')\n", 'server/b.ts': '' }, 'stands above it'],
    ['a sibling', { 'resp/a.ts': "import { b } from '../keyspace/b.ts'\n", 'keyspace/b.ts': '' }, 'of a sibling'],
    ['the program from the library', { 'index.ts': "import './cli.ts'\n", 'cli.ts': '' }, 'of a sibling'],
    [
      'commands from net',
      { 'net/a.ts': "import { b } from '../commands/b.ts'\n", 'commands/b.ts': '' },
      'must not know',
    ],
    ['a folder that is no layer', { 'utils/a.ts': '' }, 'is no layer'],
    ['a missing file', { 'base/a.ts': "import { b } from './b.js'\n" }, 'is no file of src/'],
    ['files in the core', { 'engine/a.ts': "import { readFileSync } from 'node:fs'\n" }, 'imports node:fs in the core'],
    [
      'sockets in the core',
      { 'commands/a.ts': "import type { Socket } from 'node:net'\n" },
      'imports node:net in the core',
    ],
    ['a built-in without node:', { 'server/a.ts': "import { readFileSync } from 'fs'\n" }, 'without node:'],
    ['a package', { 'server/a.ts': "import x from 'left-pad'\n" }, 'no dependency'],
    ['the wall clock', { 'keyspace/a.ts': 'const f = () => Date.now()\n' }, 'keyspace/a.ts:1: Date.now reads the time'],
    [
      'a date of now',
      { 'server/a.ts': `\nconst f = () => \`\${new Date()}\`\n` },
      'server/a.ts:2: new Date() reads the time',
    ],
    ['chance', { 'commands/a.ts': 'const f = () => Math.random()\n' }, 'takes chance'],
    ['a timer in the core', { 'engine/a.ts': 'setTimeout(() => {}, 1)\n' }, 'uses timers'],
    ['the process in the core', { 'engine/a.ts': 'const e = process.env.X\n' }, 'uses process in the core'],
    ['exit in the library', { 'server/a.ts': 'process.exit(1)\n' }, 'ends the process'],
    ['printing', { 'server/a.ts': "console.log('x')\n" }, 'prints'],
    ['module state', { 'base/a.ts': 'export let counter = 0\n' }, 'mutable state of a module'],
    [
      'a cycle',
      {
        'base/a.ts': "import './b.ts'\n",
        'base/b.ts': "export * from './c.ts'\n",
        'base/c.ts': "import { a } from './a.ts'\n",
      },
      'import cycle: base/a.ts -> base/b.ts -> base/c.ts -> base/a.ts',
    ],
  ])('finds %s', (_name, files, expected) => {
    const violations = violationsOf(files as Record<string, string>)
    expect(violations).toHaveLength(1)
    expect(violations[0]).toContain(expected)
  })

  test('a cycle of types alone is none', () => {
    const files = { 'base/a.ts': "import type { B } from './b.ts'\n", 'base/b.ts': "import type { A } from './a.ts'\n" }
    expect(violationsOf(files)).toEqual([])
  })
})

test('findImports reads every form, and nothing in comments and strings', () => {
  const text = `
import a from './a.ts'
import { type B, b } from "./b.ts"
import type { C } from './c.ts'
import * as d from './d.ts'
import './e.ts'
import {
  f, // from './not.ts'
  g,
} from './f.ts'
export * from './g.ts'
export type { H } from './h.ts'
export const from = './no.ts'
// import './comment.ts'
const text = "import './string.ts'"
const lazy = await import('./i.ts')
import type from './j.ts'
`
  const found = findImports(text).map(({ specifier, isTypeOnly }) => specifier + (isTypeOnly ? ' type' : ''))
  expect(found.sort()).toEqual(
    [
      './a.ts',
      './b.ts',
      './c.ts type',
      './d.ts',
      './e.ts',
      './f.ts',
      './g.ts',
      './h.ts type',
      './i.ts',
      './j.ts',
    ].sort(),
  )
})
