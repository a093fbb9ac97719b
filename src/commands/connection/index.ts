/** The connection commands. */
import type { Command } from '../../engine/command.ts'
import { ping } from './ping.ts'

export const connectionCommands: readonly Command[] = [ping]
