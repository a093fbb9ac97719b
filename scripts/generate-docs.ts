/**
 * Writes docs/commands.md from the declarations of the commands and docs/configuration.md from those of the parameters:
 * npm run docs. That the files are up to date is checked by test/unit/scripts/.
 */
import { writeFileSync } from 'node:fs'
import { builtInCommands } from '../src/server/built-in-commands.ts'
import { commandsPage } from './commands-page.ts'
import { configurationPage } from './configuration-page.ts'

writeFileSync('docs/commands.md', commandsPage(builtInCommands(null)))
writeFileSync('docs/configuration.md', configurationPage())
