/**
 * Builds what is shipped: dist/index.js (ESM), dist/index.cjs and dist/cli.js (the program).
 * Runs on `npm ci` (as `prepare`) so that bin/o7-redis works in a fresh checkout; a published package holds dist/ already
 * and runs nothing at install. With --release, as `npm pack` and `npm publish` run it, the typings are made too, which
 * takes seconds that the program does not need, and what earlier builds left behind goes.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { emitTypes } from './emit-types.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const version = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).version
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  define: { __O7_VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
}
const esm = await build({
  ...common,
  entryPoints: ['src/index.ts', 'src/cli.ts', 'src/check-rdb.ts', 'src/check-aof.ts'],
  outdir: 'dist',
  format: 'esm',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
})
const cjs = await build({ ...common, entryPoints: ['src/index.ts'], outfile: 'dist/index.cjs', format: 'cjs' })

if (process.argv.includes('--release')) {
  const made = new Set([esm, cjs].flatMap(({ metafile }) => Object.keys(metafile.outputs)))
  for (const entry of readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(root.length).replaceAll('\\', '/')
    if (entry.isFile() && !name.startsWith('dist/types') && !made.has(name)) rmSync(path)
  }
  emitTypes(root)
}
