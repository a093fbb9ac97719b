/**
 * Builds what is shipped: dist/index.js (ESM), dist/index.cjs and dist/cli.js (the program), with a file for each group of
 * layers behind them. Runs on `npm ci` (as `prepare`) so that bin/o7-redis works in a fresh checkout; a published package holds
 * dist/ already and runs nothing at install. With --release, as `npm pack` and `npm publish` run it, the typings are made too,
 * which takes seconds that the program does not need. What earlier builds left behind goes.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { emitTypes } from './emit-types.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const version = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).version

/**
 * Layers that share a file, the lower ones first; layers import in one direction, so files do too. One file for all would cost
 * a running server 4 MiB: when V8 frees the buffer that a file was read into, malloc takes its size as the measure for how
 * much free memory each thread may keep.
 */
const FILES = [
  ['structures', 'base|memory|structures'],
  ['engine', 'keyspace|resp|engine'],
  ['commands', 'commands'],
  ['persistence', 'persistence'],
  ['server', 'replication|net|server'],
]

async function build(input, format, extension) {
  const bundle = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    transform: { target: 'node20', define: { __O7_VERSION__: JSON.stringify(version) } },
  })
  try {
    const { output } = await bundle.write({
      dir: 'dist',
      format,
      exports: 'named',
      entryFileNames: `[name].${extension}`,
      chunkFileNames: `chunks/[name]-[hash].${extension}`,
      sourcemap: true,
      sourcemapExcludeSources: true,
      comments: { annotation: true, jsdoc: false, legal: false },
      codeSplitting: {
        groups: FILES.map(([name, layers]) => ({ name, test: new RegExp(`[\\\\/]src[\\\\/](?:${layers})[\\\\/]`) })),
        includeDependenciesRecursively: false,
      },
    })
    for (const { name, type, moduleIds } of output) {
      if (type !== 'chunk' || FILES.some(([file]) => file === name)) continue
      const stray = moduleIds.find((id) => /[\\/]src[\\/][^\\/]+[\\/]/.test(id))
      if (stray !== undefined) throw new Error(`${stray} belongs to none of FILES in scripts/build.mjs`)
    }
    return output.map(({ fileName }) => `dist/${fileName}`)
  } finally {
    await bundle.close()
  }
}

const programs = { cli: 'src/cli.ts', 'check-rdb': 'src/check-rdb.ts', 'check-aof': 'src/check-aof.ts' }
const made = new Set([
  ...(await build({ index: 'src/index.ts', ...programs }, 'esm', 'js')),
  ...(await build({ index: 'src/index.ts' }, 'cjs', 'cjs')),
])
for (const entry of readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  const name = path.slice(root.length).replaceAll('\\', '/')
  if (entry.isFile() && !name.startsWith('dist/types') && !made.has(name)) rmSync(path)
}
if (process.argv.includes('--release')) emitTypes(root)
