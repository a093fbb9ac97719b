/** The server commands that need the engine alone. */
import type { Command } from '../../engine/command.ts'
import { command } from './command.ts'

export const serverCommands: readonly Command[] = [command]
