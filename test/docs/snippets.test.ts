/**
 * The programs in README.md and docs/: each block of JavaScript that imports something is run as it stands, and prints
 * what its comments behind console.log(...) say.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
// Within the checkout, so that 'o7-is' is the built package.
const folder = join(ROOT, `.cache/snippets-${process.pid}`)
const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)].filter(
  (path) => path.endsWith('.md'),
)

interface Snippet {
  readonly title: string
  readonly code: string
}

function snippetsOf(path: string): Snippet[] {
  const text = readFileSync(join(ROOT, path), 'utf8')
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)]
    .map((match) => ({
      title: `${path}, line ${text.slice(0, match.index).split('\n').length + 1}`,
      code: match[1]!,
    }))
    .filter(({ code }) => code.startsWith('import '))
}

/** What stands in comments behind console.log, and in those alone on the lines that follow. */
function expectedOutput(code: string): string[] {
  return [...code.matchAll(/^ *console\.log\(.*\) \/\/ (.*)$/gm)].map((match) => match[1]!)
}

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('programs', () => {
  mkdirSync(folder, { recursive: true })
  const snippets = pages.flatMap(snippetsOf)

  test.each(snippets)('$title', async ({ title, code }) => {
    const file = join(folder, `${title.replace(/\W+/g, '-')}.mjs`)
    writeFileSync(file, code)
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd: folder, timeout: 30_000 })
    expect(stderr).toBe('')
    expect(stdout.split('\n').slice(0, -1)).toEqual(expectedOutput(code))
  })

  test('there are some', () => {
    expect(snippets.length).toBeGreaterThanOrEqual(5)
  })
})

test.each(pages)('links of %s lead somewhere', (path) => {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const broken: string[] = []
  for (const [, target] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
    const [file, anchor] = target!.split('#') as [string, string | undefined]
    const full = file === '' ? join(ROOT, path) : join(ROOT, path, '..', file)
    if (!existsSync(full)) broken.push(target!)
    else if (anchor !== undefined && full.endsWith('.md') && !anchorsOf(readFileSync(full, 'utf8')).has(anchor)) {
      broken.push(target!)
    }
  }
  expect(broken).toEqual([])
})

function anchorsOf(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
      match[1]!
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
}
