/**
 * Builds what is shipped: dist/index.js (ESM), dist/index.cjs, dist/cli.js (the program) and dist/types.
 * Runs on `npm ci` (as `prepare`) so that bin/o7-redis works in a fresh checkout; a published package holds dist/ already
 * and runs nothing at install. Types are emitted only with --types, since they cost seconds and the program needs none.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const version = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).version
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  define: { __O7_VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
}
const entries = ['src/index.ts', 'src/cli.ts'].filter((path) => existsSync(root + path))
await build({ ...common, entryPoints: entries, outdir: 'dist', format: 'esm', splitting: true, chunkNames: 'chunks/[name]-[hash]' })
if (existsSync(`${root}src/index.ts`)) {
  await build({ ...common, entryPoints: ['src/index.ts'], outfile: 'dist/index.cjs', format: 'cjs' })
}
if (process.argv.includes('--types')) {
  execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' })
  copyFileSync(`${root}dist/types/index.d.ts`, `${root}dist/types/index.d.cts`)
}
