/**
 * Writes the public typings: dist/types for `import`, dist/types-cjs for `require`, the same declarations in a folder
 * that says it is CommonJS. Only what src/index.ts reaches is kept, and import paths end in .js, as consumers resolve them.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

/** "from './a.ts'", "import './a.ts'" and "import('./a.ts')" in a declaration file. */
const SPECIFIER = /(\bfrom |\bimport\(|\bimport )(['"])(\.{1,2}\/[^'"]+)\.ts\2/g

export function emitTypes(root) {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const emitted = mkdtempSync(join(root, '.cache/types-'))
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json', '--outDir', emitted], {
      cwd: root,
      stdio: 'inherit',
    })
    const files = reachable(emitted, 'index')
    for (const folder of ['dist/types', 'dist/types-cjs']) {
      rmSync(join(root, folder), { recursive: true, force: true })
      for (const [path, text] of files) {
        const target = join(root, folder, `${path}.d.ts`)
        mkdirSync(dirname(target), { recursive: true })
        writeFileSync(target, text)
      }
    }
    writeFileSync(join(root, 'dist/types-cjs/package.json'), '{ "type": "commonjs" }\n')
  } finally {
    rmSync(emitted, { recursive: true, force: true })
  }
}

/** Texts by path without extension, of an entry and what it imports. */
function reachable(folder, entry) {
  const files = new Map()
  const pending = [entry]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (files.has(path)) continue
    const text = readFileSync(join(folder, `${path}.d.ts`), 'utf8')
    files.set(path, text.replace(SPECIFIER, '$1$2$3.js$2'))
    for (const [, , , specifier] of text.matchAll(SPECIFIER)) pending.push(posix.join(posix.dirname(path), specifier))
  }
  return files
}
