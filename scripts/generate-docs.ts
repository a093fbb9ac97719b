/**
 * Writes docs/commands.md from the declarations of the commands: npm run docs. That the file is up to date is checked by
 * test/unit/scripts/commands-page.test.ts.
 */
import { writeFileSync } from 'node:fs'
import { builtInCommands } from '../src/server/built-in-commands.ts'
import { commandsPage } from './commands-page.ts'

writeFileSync('docs/commands.md', commandsPage(builtInCommands(null)))
