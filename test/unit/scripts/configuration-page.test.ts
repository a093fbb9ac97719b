import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { configurationPage } from '../../../scripts/configuration-page.ts'
import { choice, integer, secret, text, yesNo } from '../../../src/server/config/parameter.ts'
import { PARAMETERS } from '../../../src/server/config/registry.ts'

test('docs/configuration.md is what npm run docs writes', () => {
  const path = fileURLToPath(new URL('../../../docs/configuration.md', import.meta.url))
  expect(readFileSync(path, 'utf8')).toBe(configurationPage())
})

test('every parameter stands there once', () => {
  const cells = configurationPage().match(/`[\w-]+`/g)!
  for (const name of Object.keys(PARAMETERS)) expect(cells).toContain(`\`${name}\``)
})

test('a line tells what the parameter itself says', () => {
  const page = configurationPage({
    'shop-open': yesNo(true, { immutable: true }),
    'shop-shelves': integer(7, { min: 1, max: 99 }, { alias: 'shelves' }),
    'shop-size': integer(1024, { min: 0, max: 2n ** 63n - 1n, form: 'memory' }),
    'shop-kind': choice(['books', 'bread'], 'bread'),
    'shop-key': secret(),
    'shop-name': text('', { noEffect: 'Nobody reads it.' }),
    'shop-branches': integer(0, { min: 0, max: 9 }, { awaits: 'a second shop' }),
    'shop-bank': yesNo(false, { notYet: 'there is no bank yet' }),
  })
  const lines = page.split('\n').filter((line) => line.startsWith('| `shop') || line.startsWith('| a second'))
  expect(lines).toEqual([
    '| `shop-open` | `yes` | `yes`, `no` | `shopOpen`, at start |',
    '| `shop-shelves` (`shelves`) | `7` | a number from 1 to 99 | `shopShelves` |',
    '| `shop-size` | `1024` | a size in bytes, 0 or more | `shopSize` |',
    '| `shop-kind` | `bread` | `books`, `bread` | `shopKind` |',
    '| `shop-key` | empty | text | `shopKey`, hidden in logs |',
    '| `shop-name` | empty | Nobody reads it. |',
    '| a second shop | `shop-branches` |',
    '| `shop-bank` | `no` | there is no bank yet |',
  ])
  expect(page).toContain('All 8 parameters')
})
