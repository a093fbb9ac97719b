import type { Command } from '../../engine/command.ts'
import type { Persistence } from '../persistence.ts'
import { dumpCommands } from './dump.ts'
import { rewriteCommands } from './rewrite.ts'
import { saveCommands } from './save.ts'
import { waitAofCommands } from './wait-aof.ts'

/** The commands of persistence. They ask for it only when they run: the engine, which has the commands, is made first. */
export function persistenceCommands(persistence: () => Persistence): readonly Command[] {
  return [
    ...saveCommands(persistence),
    ...rewriteCommands(persistence),
    ...waitAofCommands(persistence),
    ...dumpCommands(persistence),
  ]
}
