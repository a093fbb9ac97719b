import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { commandsPage } from '../../../scripts/commands-page.ts'
import { defineCommand, firstKey, KEY_RO } from '../../../src/engine/command.ts'
import { FAST, READONLY } from '../../../src/engine/flags.ts'
import { builtInCommands } from '../../../src/server/built-in-commands.ts'

test('docs/commands.md is what npm run docs writes', () => {
  const path = fileURLToPath(new URL('../../../docs/commands.md', import.meta.url))
  expect(readFileSync(path, 'utf8')).toBe(commandsPage(builtInCommands(null)))
})

test('an entry tells all that a declaration holds', () => {
  const command = defineCommand({
    name: 'PRICE',
    arity: -2,
    flags: READONLY | FAST,
    keys: [firstKey(KEY_RO)],
    doc: {
      group: 'shop',
      since: '1.2.0',
      complexity: 'O(1)',
      summary: 'Returns a price.',
      arguments: 'article#0 [IN currency]',
      history: [['1.2.1', 'New: `IN`.']],
      deprecated: { since: '1.3.0', replacedBy: '`QUOTE`' },
    },
    run() {},
  })
  const page = commandsPage([command])
  expect(page).toContain('Commands and subcommands: 1.')
  expect(page.slice(page.indexOf('## shop'))).toBe(`## shop

### PRICE

\`\`\`
PRICE article [IN currency]
\`\`\`

Returns a price.  
since 1.2.0 · O(1) · readonly, fast · deprecated since 1.3.0: use \`QUOTE\`

- 1.2.1: new \`IN\`.
`)
})
