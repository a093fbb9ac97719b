/**
 * Runs a TypeScript program of this checkout on Node versions that cannot: node scripts/run-ts.mjs FILE [argument ...].
 * The program and what it imports are bundled into one file in .cache/run, which is removed at exit. Packages
 * stay outside the bundle. The program sees its arguments from process.argv[2] on.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, isAbsolute, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
const [file, ...args] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node scripts/run-ts.mjs FILE [argument ...]')
  process.exit(2)
}
const source = resolve(file)
const bundle = `${root}.cache/run/${basename(file, '.ts')}-${process.pid}.mjs`
mkdirSync(`${root}.cache/run`, { recursive: true })
await build({
  cwd: root,
  input: source,
  platform: 'node',
  // Packages have names, files have paths. What the bundler itself needs for `using` comes from inside it.
  external: (id) => !id.startsWith('.') && !isAbsolute(id) && !id.startsWith('@oxc-project/runtime'),
  transform: {
    target: 'node20',
    define: { __O7_VERSION__: JSON.stringify(JSON.parse(readFileSync(`${root}package.json`, 'utf8')).version) },
  },
  output: { file: bundle, format: 'esm', sourcemap: 'inline', codeSplitting: false },
})
process.argv = [process.argv[0], source, ...args]
process.setSourceMapsEnabled(true)
process.once('exit', () => rmSync(bundle, { force: true }))
await import(pathToFileURL(bundle).href)
